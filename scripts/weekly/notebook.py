"""The whole job in memory, for a notebook: `from scripts.weekly.notebook import *`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from scripts.errors import DataError
from scripts.weekly.bars import resample
from scripts.weekly.features import calculate
from scripts.weekly.mappings import NONE, benchmarks_of, check_benchmarks, checked, read_mappings
from scripts.weekly.panel import panel, price_column
from scripts.weekly.strength import Benchmarks
from scripts.weekly.visible import Weeks, gather

__all__ = ["add_weekly_features_to_daily"]
MODES = ("default", "parity")
VISIBLE = ("same_day", "next_day")


def add_weekly_features_to_daily(
    frame: Any,
    mappings: Any = None,
    *,
    mode: str = "default",
    adjusted_close: str | None = "adj_close",
    visible_from: str = "same_day",
    stale_after: int | None = 10,
    lags: Sequence[int] = (),
    lagged: Sequence[str] = (),
) -> pl.DataFrame:
    """Daily bars with the weekly features that could be known on each row's date.

    Formulas and the differences of the modes: docs/weekly.md. The frame passed is not changed.

    Args:
        frame: symbol, date, open, high, low, close, volume in any order of rows, as a polars frame
            or what polars makes one of (a pandas frame). Other numeric columns come out a second
            time as w_<name>, the week's last value; all columns stay on the daily rows.
        mappings: symbol, sector_etf, equal_weight_etf, subsector_etf (blank or null: none) as such
            a frame, or the path of a CSV. None: only SPY and RSP are benchmarks.
        mode: default, or parity: as the peer does it; adjusted_close, visible_from and stale_after
            are then close, same_day and None.
        adjusted_close: column that features are computed from, where it is there; None: close.
        visible_from: same_day: the bar of a Friday is seen on that Friday (decisions after the
            close); next_day: from the next row on.
        stale_after: business days after the week's end from which a bar is seen no more; None:
            it is always.
        lags: weekly bars by which `lagged` are shifted, to columns {name}_lag{N}w.
        lagged: columns of the output to shift.

    Returns:
        all daily rows, sorted by symbol and date; the columns of `frame` and the features, Float32.

    Raises:
        DataError: input that cannot be used, see `panel.panel`, `mappings.checked`,
            `mappings.check_benchmarks` and `features.check_names`; a mode that is not known.
    """
    for value, known in ((mode, MODES), (visible_from, VISIBLE)):
        if value not in known:
            raise DataError(f"got {value!r}, expected {' or '.join(known)}")
    if isinstance(lagged, str) or bool(lags) != bool(lagged) or any(bars < 1 for bars in lags):
        raise DataError("lags are weekly bars from 1 on, lagged a list of columns: both or neither")
    if stale_after is not None and (stale_after != int(stale_after) or stale_after < 0):
        raise DataError(f"stale_after: got {stale_after}, expected whole days from 0 on, or None")
    parity = mode == "parity"
    if parity:
        adjusted_close, visible_from, stale_after = None, "same_day", None
    daily = panel(_framed(frame), adjusted_close)
    price = price_column(daily.frame.columns, adjusted_close)
    bars = resample(daily, price)
    if isinstance(mappings, str | Path):
        mappings = read_mappings(Path(mappings))
    mappings = NONE if mappings is None else checked(_framed(mappings))
    text = pl.col("symbol").cast(pl.String)
    check_benchmarks(mappings, daily.frame.select(text.unique())["symbol"], parity=parity)
    closes = bars.filter(text.is_in(benchmarks_of(mappings))).select(
        text, "week_end", pl.col(price).alias("close")
    )
    weekly = calculate(
        bars,
        Benchmarks(closes, mappings),
        price=price,
        parity=parity,
        lags=lags,
        lagged=lagged,
    )
    weeks = Weeks(weekly["symbol"], weekly["week_end"], visible_from, stale_after)
    added = weekly.drop("symbol", "week_end")
    if clash := [name for name in added.columns if name in daily.frame.columns]:
        raise DataError(f"column {clash[0]} of the input is one of the output; rename it")
    return daily.frame.hstack(gather(added, weeks.seen(daily.frame["symbol"], daily.frame["date"])))


def _framed(data: Any) -> pl.DataFrame:
    if isinstance(data, pl.LazyFrame):
        return data.collect()
    return data if isinstance(data, pl.DataFrame) else pl.DataFrame(data)

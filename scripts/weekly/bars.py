"""Daily bars -> one bar a week and symbol, labelled by its Friday."""

from __future__ import annotations

import numpy as np
import polars as pl

from scripts.weekly.features import OHLCV
from scripts.weekly.panel import Panel, other_columns

FRIDAY = 1  # day number of 1970-01-02, the first Friday


def week_ends(day: np.ndarray) -> np.ndarray:
    """Day number of the Friday on or after each day: Saturday and Sunday belong to the next."""
    return day + (FRIDAY - day) % 7


def resample(daily: Panel, price: str = "close") -> pl.DataFrame:
    """Weekly bars; weeks without a price are left out, unfinished weeks are not.

    Args:
        daily: daily bars.
        price: the column that must have a value in the week.

    Returns:
        symbol, week_end (Date); open (first), high (greatest), low (least), close (last), volume
        (sum, null counts 0) and every other numeric column (last), Float64; nulls and NaN are
        passed over. Sorted by symbol, week_end.
    """
    week = week_ends(daily.day)
    first = np.empty(len(week), bool)
    first[:1] = True
    first[1:] = week[1:] != week[:-1]
    first[daily.starts[:-1]] = True
    starts = np.flatnonzero(first)
    names = list(dict.fromkeys(["close", price, *other_columns(daily.frame.schema)]))
    columns = {name: _last(daily.numbers(name), starts) for name in names}
    columns["open"] = _first(daily.numbers("open"), starts)
    columns["high"] = np.fmax.reduceat(daily.numbers("high"), starts)
    columns["low"] = np.fmin.reduceat(daily.numbers("low"), starts)
    columns["volume"] = np.add.reduceat(np.nan_to_num(daily.numbers("volume"), nan=0.0), starts)
    kept = ~np.isnan(columns[price])
    return pl.DataFrame(
        [
            daily.frame["symbol"].gather(starts[kept]),
            pl.Series("week_end", week[starts[kept]].astype(np.int32)).cast(pl.Date),
            *(
                pl.Series(name, columns[name][kept]).fill_nan(None)
                for name in dict.fromkeys([*OHLCV, *names])
            ),
        ]
    )


def _last(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Last value of each group that is not NaN."""
    place = np.where(np.isnan(values), -1, np.arange(len(values)))
    found = np.maximum.reduceat(place, starts)
    return np.where(found < 0, np.nan, values[found])


def _first(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """First value of each group that is not NaN."""
    return _last(values[::-1], np.sort(len(values) - np.append(starts[1:], len(values))))[::-1]

"""Windows over the bars of each symbol, in arrays that hold all symbols one after the other.

A window never reaches into the symbol before: `age` counts a symbol's bars from 0. Missing values
are NaN, and a window that holds one is NaN.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from scripts.lake import tables

RETURNS = (1, 5, 20)  # bars
WINDOW = 20  # bars of volatility and of mean volume


def load(months: Iterable[Path], name: str, columns: Iterable[str]) -> pl.DataFrame:
    """The bars of a month below the last bars before it, of the same symbols.

    Args:
        months: bronze months in the order of time, the wanted one last.
        name: column that names the symbol; partitions are sorted by it and by time.
        columns: what of the earlier bars is needed, `name` included.

    Returns:
        all bars sorted by symbol and time, with `own`: whether a bar is of the wanted month.
    """
    *earlier, wanted = list(months)
    own = tables.scan([wanted]).collect().with_columns(own=pl.lit(True))
    names = own.select(pl.col(name).unique())
    parts = []
    for month in earlier:
        bars = tables.scan([month]).select(*columns, "timestamp")
        bars = bars.join(names.lazy(), on=name, how="semi", maintain_order="left").collect()
        before_end = age(bars[name].reverse())[::-1]
        parts.append(bars.filter(before_end < WINDOW).with_columns(own=pl.lit(False)))
    frame = pl.concat([*parts, own], how="diagonal").select(own.columns)
    return frame.sort(name, "timestamp", maintain_order=True)


def age(symbols: pl.Series) -> np.ndarray:
    """How many bars of the same symbol stand before each bar, in sorted bars."""
    run = symbols.rle_id().to_numpy()
    starts = np.flatnonzero(np.diff(run, prepend=-1))
    return np.arange(len(run)) - starts[run]


def lag(values: np.ndarray, ages: np.ndarray, bars: int) -> np.ndarray:
    """The value so many bars of the symbol before."""
    shifted = np.full_like(values, np.nan)
    shifted[bars:] = values[:-bars] if bars else values
    shifted[ages < bars] = np.nan
    return shifted


def log_return(prices: np.ndarray, ages: np.ndarray, bars: int) -> np.ndarray:
    """ln(price / price so many bars before); NaN where one of them is not positive."""
    positive = np.where(prices > 0, prices, np.nan)
    return np.log(positive / lag(positive, ages, bars))


def rolling(values: np.ndarray, ages: np.ndarray, how: str, window: int = WINDOW) -> np.ndarray:
    """`mean` or `std` (of a sample, ddof 1) of the last `window` bars of the symbol."""
    out = np.full(len(values), np.nan)
    if len(values) >= window:
        windows = np.lib.stride_tricks.sliding_window_view(values, window)
        spread = {"ddof": 1} if how == "std" else {}
        out[window - 1 :] = getattr(np, how)(windows, axis=1, **spread)
    out[ages < window - 1] = np.nan
    return out


def windows(prices: np.ndarray, volumes: np.ndarray, ages: np.ndarray) -> dict[str, np.ndarray]:
    """returns_1d, 5d, 20d (log), volatility_20d (std of 20 returns), volume_ratio_20d.

    Args:
        prices, volumes: of all symbols, comparable over time (adjusted).
        ages: see `age`.
    """
    columns = {f"returns_{bars}d": log_return(prices, ages, bars) for bars in RETURNS}
    mean = rolling(volumes, ages, "mean")
    # The first return stands on the second bar: 20 of them need 21 bars.
    columns["volatility_20d"] = rolling(columns["returns_1d"], ages, "std")
    with np.errstate(divide="ignore", invalid="ignore"):
        columns["volume_ratio_20d"] = np.where(mean > 0, volumes / mean, np.nan)
    return columns


def add_windows(frame: pl.DataFrame, name: str, price: str, volume: str) -> pl.DataFrame:
    """`frame` (sorted by symbol and time) with the columns of `windows`; NaN is null."""
    arrays = (
        frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy() for column in (price, volume)
    )
    found = windows(*arrays, age(frame[name]))
    return frame.with_columns(
        **{key: pl.Series(value, nan_to_null=True) for key, value in found.items()}
    )

"""Returns and moving windows over the bars of each symbol, across the borders of months.

A window is of the bars a symbol has, not of sessions: a day without trade is no bar. Each window is
summed by itself, newest bar first, so a value depends on its own bars only, to the last bit, and
not on where the month or the file began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from scripts import tables
from scripts.errors import DataError
from scripts.tables import Column

WINDOW = 20  # bars; the first bar of a month needs as many before it
CHUNK = 2**14  # rows at once: sums stay in the processor's cache
SHAPE: tables.Columns = {
    "price_range": Column(pl.Float64, "high - low, raw, dollars"),
    "daily_return": Column(
        pl.Float64, "(close - open) / open, raw; null unless both are above zero"
    ),
    "typical_price": Column(pl.Float64, "(high + low + close) / 3, raw, dollars"),
}


def window_columns(close: str, volume: str, bars: Sequence[int]) -> tables.Columns:
    """The columns `windows` gives.

    Args:
        close, volume: names of the columns the windows are of.
        bars: lengths of the returns.
    """
    returns = {
        f"returns_{n}d": Column(
            pl.Float64,
            f"ln({close} / that of {n} bar{'s' * (n > 1)} before); null without that bar or unless "
            "both are above zero",
        )
        for n in bars
    }
    return {
        **returns,
        "volatility_20d": Column(
            pl.Float64,
            "sample standard deviation of the last 20 returns_1d, per day; null if one is unknown",
        ),
        "volume_ratio_20d": Column(
            pl.Float64,
            f"{volume} / its mean over the last 20 bars, this one included; null before 20 bars or "
            "if the mean is 0",
        ),
    }


def inputs(key: str) -> tables.Columns:
    """What is read of the bars before the month; `key` is the column of the symbol."""
    return {
        key: Column(pl.String, "symbol"),
        "date": Column(pl.Date, "session"),
        "close": Column(pl.Float64, "raw close, dollars"),
        "volume": Column(pl.Float64, "traded shares or contracts"),
    }


class History(NamedTuple):
    """Bars of a month, below the last bars before it of every symbol that has one in the month."""

    bars: pl.DataFrame  # key, date, close, volume; sorted by key and date
    age: np.ndarray  # of each row: number of rows of its symbol above it
    own: np.ndarray  # row numbers of the month's bars


def split_months(bars: Sequence[Path], month: str) -> tuple[list[Path], Path]:
    """The partitions before the month, oldest first, and the month's own.

    Args:
        bars: bronze of daily bars, in the order of time; the last is of the month.
        month: YYYY-MM.

    Raises:
        DataError: the last partition is not of the month.
    """
    *earlier, own = bars
    found = tables.scan([own]).select("month").head(1).collect()["month"].to_list()
    if found not in ([], [month]):
        raise DataError(f"{own}, line 1, month {found[0]!r}: expected {month!r}; rebuild bronze")
    return earlier, own


def stack(earlier: Iterable[pl.DataFrame], own: pl.DataFrame, key: str) -> History:
    """The bars of a month below the `WINDOW` bars before it of each symbol.

    Args:
        earlier: bars of months before, oldest first: the columns `inputs`.
        own: the month's bars, the same columns and any others. All are sorted by key and date.
        key: column of the symbol; upper and lower case differ.

    Raises:
        DataError: bars are not in this order, or two are of one symbol and date.
    """
    if not own[key].is_sorted():
        raise DataError(f"bronze daily bars are not sorted by {key}; rebuild bronze")
    names = own[key].unique().sort().to_frame().with_row_index("rank")
    frames, ranks = [], []
    for frame in (*earlier, own):
        rank = _ranks(frame[key], names)
        known = rank >= 0
        frames.append(frame.select(*inputs(key)).filter(pl.Series(known)))
        ranks.append(rank[known])
    rank = np.concatenate(ranks)
    start = rank.size - own.height  # the rows of the month come last, also within a symbol
    above = np.bincount(rank[:start], minlength=names.height)
    order = np.argsort(rank, kind="stable")  # it merges what is sorted: linear
    rank = rank[order]
    kept = (order >= start) | (_ages(rank) >= above[rank] - WINDOW)
    order, rank = order[kept], rank[kept]
    bars, age = pl.concat(frames)[order], _ages(rank)
    _check_order(bars, age)
    return History(bars, age, np.flatnonzero(order >= start))


def _ranks(symbols: pl.Series, names: pl.DataFrame) -> np.ndarray:
    """The number of each symbol in `names` (columns rank and the symbol), -1 where it is none."""
    runs = symbols.rle().struct.unnest()
    found = runs.join(
        names, left_on="value", right_on=symbols.name, how="left", maintain_order="left"
    )
    rank = found["rank"].cast(pl.Int32).fill_null(-1).to_numpy()
    return np.repeat(rank, runs["len"].to_numpy())


def _ages(rank: np.ndarray) -> np.ndarray:
    """Of each row the number of rows of the same rank above it; equal ranks stand together."""
    starts = np.flatnonzero(np.diff(rank, prepend=-1))
    return np.arange(rank.size) - np.repeat(starts, np.diff(starts, append=rank.size))


def _check_order(bars: pl.DataFrame, age: np.ndarray) -> None:
    day = bars["date"].to_physical().to_numpy()
    wrong = np.flatnonzero((np.diff(day, prepend=0) <= 0) & (age > 0))
    for row in wrong[:1].tolist():
        symbol, date = bars.row(row)[:2]
        raise DataError(
            f"bronze daily bars, {bars.columns[0]} {symbol}, date {date}: comes after a bar of "
            f"{bars['date'][row - 1]}; one bar a date, in the order of time: rebuild bronze"
        )


def windows(
    close: np.ndarray, volume: np.ndarray, history: History, bars: Sequence[int]
) -> dict[str, pl.Series]:
    """Returns, volatility and volume ratio of the month's bars, as `window_columns` names them.

    Args:
        close, volume: of each row of `history`, adjusted where that is wanted.
        history: as `stack` gives it.
        bars: lengths of the returns.
    """
    age, own = history.age, history.own
    returns = log_returns(close, age, 1)
    found = {f"returns_{n}d": log_returns(close, age, n) for n in bars if n != 1}
    found = {
        "returns_1d": returns,
        **found,
        "volatility_20d": deviations(returns),
        "volume_ratio_20d": ratios_to_mean(volume, age),
    }
    return {name: to_series(values[own]) for name, values in found.items()}


def log_returns(price: np.ndarray, age: np.ndarray, bars: int) -> np.ndarray:
    """ln(price / price of `bars` rows above), NaN where there is none or one is not positive."""
    before = np.full_like(price, np.nan)
    before[bars:] = price[:-bars]
    usable = (age >= bars) & (price > 0) & (before > 0)
    ratio = np.divide(price, before, out=np.full_like(price, np.nan), where=usable)
    return np.log(ratio, out=ratio)


def deviations(values: np.ndarray) -> np.ndarray:
    """Sample standard deviation of the last `WINDOW` values, NaN where one of them is NaN.

    Args:
        values: NaN on the first row of each symbol, so that no window mixes two.
    """
    found = np.full_like(values, np.nan)
    for rows, lagged in _chunks(values):
        mean = sum(lagged) / WINDOW
        found[rows] = np.sqrt(sum((x - mean) ** 2 for x in lagged) / (WINDOW - 1))
    return found


def ratios_to_mean(values: np.ndarray, age: np.ndarray) -> np.ndarray:
    """Value / mean of the last `WINDOW` values, NaN before so many or where the mean is 0."""
    found = np.full_like(values, np.nan)
    for rows, lagged in _chunks(values):
        mean = sum(lagged) / WINDOW
        np.divide(lagged[0], mean, out=found[rows], where=mean > 0)
    found[age < WINDOW - 1] = np.nan
    return found


def _chunks(values: np.ndarray) -> Iterator[tuple[slice, list[np.ndarray]]]:
    """Slices of rows, each with the values of 0, 1, ... `WINDOW` - 1 rows above."""
    for start in range(WINDOW - 1, values.size, CHUNK):
        stop = min(start + CHUNK, values.size)
        yield slice(start, stop), [values[start - k : stop - k] for k in range(WINDOW)]


def shapes(bars: pl.DataFrame) -> dict[str, pl.Series]:
    """The columns `SHAPE` of bars with open, high, low, close."""
    opening, high, low, close = (bars[name].to_numpy() for name in ("open", "high", "low", "close"))
    usable = (opening > 0) & (close > 0)
    nothing = np.full_like(close, np.nan)
    found = {
        "price_range": high - low,
        "daily_return": np.divide(close - opening, opening, out=nothing, where=usable),
        "typical_price": (high + low + close) / 3,  # polars would multiply by the rounded third
    }
    return {name: to_series(values) for name, values in found.items()}


def to_series(values: np.ndarray) -> pl.Series:
    """Values as a column, NaN as null."""
    return pl.Series(values, nan_to_null=True)

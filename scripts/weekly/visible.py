"""Which weekly bar a daily row may see: the last one that ended, and is not stale."""

from __future__ import annotations

import numpy as np
import polars as pl

from scripts.weekly.layout import row_key, symbol_starts
from scripts.weekly.panel import day_numbers

FOREVER = 2**31 - 1  # a day number beyond all dates


def _last_day(friday: np.ndarray, business_days: int | None) -> np.ndarray:
    """The last day with at most so many business days (Monday to Friday) after a Friday."""
    if business_days is None:
        return np.full_like(friday, FOREVER)
    weeks, rest = divmod(business_days, 5)
    return friday + 7 * weeks + 2 + rest  # after the fifth, a weekend


class Weeks:
    """The weekly bars of a batch, to be looked up by symbol and date.

    Args:
        symbol: of each bar, sorted.
        week_end: Friday of each bar, sorted within its symbol.
        visible_from: same_day: the bar of a Friday is seen on that Friday, after its close;
            next_day: only after it.
        stale_after: business days after week_end up to which a bar is seen; None: for ever.
    """

    def __init__(
        self, symbol: pl.Series, week_end: pl.Series, visible_from: str, stale_after: int | None
    ) -> None:
        """Take over the bars."""
        starts = symbol_starts(symbol)
        numbers = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        self._names = pl.DataFrame({"symbol": symbol.gather(starts[:-1]).cast(pl.String)})
        self._day = day_numbers(week_end)
        self._keys = row_key(numbers, self._day)
        self._side = "right" if visible_from == "same_day" else "left"
        self._last_seen = row_key(numbers, _last_day(self._day, stale_after))

    def seen(self, symbol: pl.Series, date: pl.Series) -> pl.Series:
        """Place of the bar that each daily row sees, UInt32; null for none.

        Args:
            symbol: of each row, equal ones together.
            date: of each row.
        """
        starts = symbol_starts(symbol)
        own = pl.DataFrame({"symbol": symbol.gather(starts[:-1]).cast(pl.String)})
        number = own.join(
            self._names.with_row_index("number"), on="symbol", how="left", maintain_order="left"
        )["number"]
        numbers = np.repeat(number.cast(pl.Int64).fill_null(-1).to_numpy(), np.diff(starts))
        day = day_numbers(date)
        keys = row_key(numbers, day)
        place = np.searchsorted(self._keys, keys, side=self._side) - 1
        there = (place >= 0) & (numbers >= 0)
        place = np.maximum(place, 0)
        if len(self._keys):
            there &= self._last_seen[place] >= keys
        return pl.Series(np.where(there, place, -1)).replace(-1, None).cast(pl.UInt32)


def gather(columns: pl.DataFrame, place: pl.Series) -> pl.DataFrame:
    """Rows of `columns` by their places; nulls where the place is null."""
    low, high = place.min() or 0, place.max() or 0
    near = columns[low : high + 1].rechunk()  # a gather over many chunks takes four times as long
    return near.select(pl.all().gather(place - low))

"""How rows of many symbols stand in one array: symbol after symbol, by date."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl


def symbol_starts(symbols: pl.Series) -> np.ndarray:
    """First row of each symbol of a sorted column, and the number of rows."""
    first = symbols.ne_missing(symbols.shift(1)).to_numpy().copy()
    first[:1] = True
    return np.append(np.flatnonzero(first), len(symbols))


def bar_index(starts: np.ndarray) -> np.ndarray:
    """Which row of its symbol each one is, from 0, Int32.

    Args:
        starts: first row of each symbol, and the number of rows.
    """
    first = np.repeat(starts[:-1], np.diff(starts))
    return (np.arange(starts[-1]) - first).astype(np.int32)


def row_key(number: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Symbol's number and day (from 1970-01-01) in one integer, in their order."""
    return (number.astype(np.int64) << 32) + (day + 2**31)


def blocks(starts: np.ndarray, size: int) -> Iterator[tuple[int, int]]:
    """Ranges of symbols, in order, of at most `size` rows each or of a single symbol.

    Args:
        starts: first row of each symbol, and the number of rows.
        size: rows.
    """
    first = 0
    while first < len(starts) - 1:
        end = int(np.searchsorted(starts, starts[first] + size, side="right")) - 1
        end = max(end, first + 1)
        yield first, end
        first = end

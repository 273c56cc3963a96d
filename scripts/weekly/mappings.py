"""Which ETFs a symbol is held against: the CSV of `weekly.mappings`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from scripts import text_csv
from scripts.errors import DataError
from scripts.weekly.strength import EQUAL_WEIGHT, MAPPED, MARKET

COLUMNS = ("symbol", *MAPPED)
NONE = pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))


def read_mappings(path: Path) -> pl.DataFrame:
    """The mappings of a CSV as text, see `checked`.

    Raises:
        DataError: the file cannot be read, or as `checked`.
    """
    frame = text_csv.read(path, f"expected CSV in UTF-8 with the columns {', '.join(COLUMNS)}")
    return checked(frame.drop(text_csv.LINE), str(path))


def checked(frame: pl.DataFrame, place: str = "mappings") -> pl.DataFrame:
    """Mappings with exactly the columns `COLUMNS`, blanks as null.

    Args:
        frame: symbol, sector_etf, equal_weight_etf, subsector_etf; a row a symbol.
        place: where they come from, for errors.

    Raises:
        DataError: a column is missing, a symbol is blank or there twice.
    """
    if missing := [name for name in COLUMNS if name not in frame.columns]:
        raise DataError(
            f"{place}: no column {', '.join(missing)}; expected {', '.join(COLUMNS)}, got "
            f"{text_csv.shown(frame.columns)}"
        )
    text = pl.col(COLUMNS).cast(pl.String).str.strip_chars()
    frame = frame.select(text).select(pl.when(pl.col(COLUMNS) != "").then(pl.col(COLUMNS)))
    symbols = frame["symbol"]
    for row, bad in enumerate(symbols.is_null() | ~symbols.is_first_distinct(), start=2):
        if bad:
            said = "no symbol" if symbols[row - 2] is None else f"{symbols[row - 2]} a second time"
            raise DataError(f"{place}, line {row}: {said}; one line a symbol")
    return frame


def benchmarks_of(mappings: pl.DataFrame) -> list[str]:
    """All symbols that others are held against, sorted: SPY, RSP and those of the mappings."""
    named = (name for column in MAPPED for name in mappings[column].drop_nulls())
    return sorted({MARKET, EQUAL_WEIGHT, *named})


def check_benchmarks(
    mappings: pl.DataFrame, symbols: Iterable[str], *, parity: bool, place: str = "mappings"
) -> list[str]:
    """Benchmarks that are not among the symbols, sorted: what is held against them is null.

    Args:
        mappings: as `checked`; of symbols that are not there, nothing is wanted.
        symbols: all that have bars.
        parity: as the peer does it: a mapped benchmark may be unknown.
        place: where the mappings come from, for errors.

    Raises:
        DataError: a mapped benchmark is unknown, and it is not parity.
    """
    known = set(symbols)
    absent = {MARKET, EQUAL_WEIGHT} - known
    for row, (symbol, *named) in enumerate(mappings.iter_rows(), start=2):
        for column, name in zip(MAPPED, named, strict=True):
            if symbol in known and name is not None and name not in known:
                if not parity:
                    raise DataError(
                        f"{place}, line {row}: {column} {name} of {symbol} has no bars in the "
                        "input; add them, correct the name or leave it blank"
                    )
                absent.add(name)
    return sorted(absent)

"""The symbols that gold keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from scripts.lake.symbols import read_symbols


def read_universe(files: Sequence[Path]) -> list[str] | None:
    """Symbols of the universe, sorted; None: all.

    Args:
        files: none, or one CSV.

    Raises:
        DataError: as `read_symbols`.
    """
    return read_symbols(files[0]) if files else None


def among(symbols: Sequence[str] | None, column: str) -> pl.Expr:
    """Whether `column` is one of `symbols`; always for None.

    An `underlying` is the root of options: without the dot of a share's class (BRKB goes with
    BRK.B), and perhaps with the digit that marks adjusted contracts (AAPL1 goes with AAPL).
    """
    if symbols is None:
        return pl.lit(True)
    name, known = pl.col(column), list(symbols)
    if column == "underlying":
        name = name.str.strip_chars_end("0123456789")
        known = sorted({*known, *(symbol.replace(".", "") for symbol in known)})
    return name.is_in(known).fill_null(False)


def keep(frame: pl.DataFrame, symbols: Sequence[str] | None, column: str) -> pl.DataFrame:
    """Rows of `frame` whose `column` is `among` the symbols."""
    return frame.filter(among(symbols, column))

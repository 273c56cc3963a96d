"""The file of a universe: its symbols. For the plan and the jobs, so: standard library only."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from scripts.errors import DataError

COLUMN = "symbol"
SYMBOL = re.compile(r"[!-~]{1,40}")  # as in the vendor's files: printable ASCII, no blank
SHOWN = 60  # characters of a wrong value in an error


def read_symbols(path: Path) -> list[str]:
    """Symbols of a CSV with a column `symbol`, sorted: every value is text, NA is a symbol.

    Raises:
        DataError: the file cannot be read, or is no CSV; its header has not one column `symbol`; a
            row has not as many cells as the header, or a symbol that no file of the vendor could
            have; or there is none.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            rows = [(reader.line_num, row) for row in reader if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{path}: cannot read lake.universe ({reason})") from None
    if header.count(COLUMN) != 1:
        shown = ", ".join(header)[:SHOWN]
        raise DataError(
            f"{path}, line 1: cannot read lake.universe (no column {COLUMN}, or more than one: "
            f"{shown!r})"
        )
    return _checked(path, header, rows)


def _checked(path: Path, header: list[str], rows: list[tuple[int, list[str]]]) -> list[str]:
    """The symbols of rows, each with the line it ends on."""
    symbols, place = set(), header.index(COLUMN)
    for line, row in rows:
        if len(row) != len(header):
            raise DataError(
                f"{path}, line {line}: has {len(row)} cells, the header {len(header)}; quote a "
                "value that holds a comma"
            )
        symbol = row[place].strip()
        if symbol and not SYMBOL.fullmatch(symbol):
            raise DataError(
                f"{path}, line {line}, symbol {symbol[:SHOWN]!r}: is not 1 to 40 printable ASCII "
                "characters without a blank, so no file of the vendor has it; correct it"
            )
        symbols.add(symbol)
    if not (found := sorted(symbols - {""})):
        raise DataError(f"{path}: lake.universe names no symbol; null means all of the market")
    return found

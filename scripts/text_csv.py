"""CSV whose rows are all as long as its header, as text: what polars fills up is refused here."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from scripts.errors import DataError

LINE = "line"
THEIRS = "line (of the file)"  # where the file has a column of that name
LONGEST = 2**17 - 1  # characters of a cell; no more than the csv module takes by itself
SHOWN, MOST = 60, 12  # characters of a column's name, and names, in an error


def read(path: Path, hint: str) -> pl.DataFrame:
    """The rows of a file with a header as text, empty cells null, blank lines left out.

    Args:
        path: CSV in UTF-8.
        hint: what to do about a damaged file.

    Raises:
        DataError: as `frame`, or the file cannot be read.
    """
    return frame(body_of(path, hint), str(path), hint)


def body_of(path: Path, hint: str) -> bytes:
    """The bytes of a file.

    Args:
        path: the file.
        hint: what to do where it cannot be read.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); {hint}") from None


def frame(body: bytes, place: str, hint: str, columns: list[str] | None = None) -> pl.DataFrame:
    """The rows of a CSV as `read` gives them.

    Args:
        body: UTF-8.
        place: what to call it in an error.
        hint: what to do about a damaged file.
        columns: names, where it has no header; None: it has one.

    Returns:
        `line`, the line on which a row begins, and its columns; one named `line` is `THEIRS`.

    Raises:
        DataError: it is no CSV in UTF-8, has no header or one that names a column twice, or a row
            is shorter or longer than that; it names the line.
    """
    refused = f"{place}: cannot be read"
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise DataError(f"{refused} (line {line}: no UTF-8); {hint}") from None
    if (zero := text.find("\0")) >= 0:
        line = text.count("\n", 0, zero) + 1
        raise DataError(f"{refused} (line {line}: a zero byte); {hint}")
    reader, rows, lines, line = csv.reader(io.StringIO(text, newline=""), strict=True), [], [], 1
    try:
        for row in reader:
            if max(map(len, row), default=0) > LONGEST:
                raise csv.Error(f"field larger than {LONGEST} characters")
            if row and columns is None:
                columns = [THEIRS if name == LINE else name for name in row]
                _check_header(columns, place, hint)
            elif row and len(row) != len(columns):
                what = f"line {line}: {len(row)} fields, expected {len(columns)}"
                raise DataError(f"{refused} ({what}); {hint}")
            elif row:
                rows.append([cell or None for cell in row])
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{refused} (line {line}: {error}); {hint}") from None
    if columns is None:
        raise DataError(f"{refused} (it is empty); {hint}")
    found = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return found.select(pl.Series(LINE, lines, pl.UInt32), pl.all())


def _check_header(names: list[str], place: str, hint: str) -> None:
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise DataError(f"{place}: column {shown([twice])} is there twice; {hint}")


def shown(names: Sequence[str]) -> str:
    """Names of columns in an error: the first of very many, long ones cut, in one line."""
    cut = [name if len(name) <= SHOWN else f"{name[:SHOWN]}..." for name in names[:MOST]]
    told = ", ".join(name if name.isprintable() else repr(name) for name in cut)
    return told if len(names) <= MOST else f"{told}, ... ({len(names):,} in all)"

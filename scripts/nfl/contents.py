"""Whether what came is what was asked for: whole CSV, gzip, JSON or parquet, not an error page.

What another download may mend is a PassingError, what it will not is a DataError; both name the
place and what was got.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import polars as pl

from scripts.errors import DataError
from scripts.patience import PassingError
from scripts.tables import DAMAGED

SHOWN, MOST = 24, 60  # bytes of a wrong beginning, characters of a wrong value in an error
PARQUET = b"PAR1"  # at both ends of a file


class Record(NamedTuple):
    """A record of a CSV: its first line's number, its fields, its bytes."""

    line: int
    fields: list[str]
    raw: bytes


def got(body: bytes) -> str:
    """What a body looks like, in a few words."""
    start = body[:512].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return f"an HTML or XML page of {len(body)} bytes"
    return f"{len(body)} bytes that begin {body[:SHOWN]!r}"


def csv_records(body: bytes, place: str, columns: Collection[str]) -> Iterator[Record]:
    """The records of a CSV with a header, the header first, blank lines left out.

    Args:
        body: UTF-8, every record as long as the header, the last line ended.
        place: what to call it in an error.
        columns: that the header must name.

    Raises:
        PassingError: it is no text, begins as a page does, or its last line does not end.
        DataError: it is blank, a column is missing, or a record is shorter or longer than the
            header.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PassingError(f"{place}: expected CSV, got {got(body)}") from None
    if text.lstrip().startswith("<"):
        raise PassingError(f"{place}: expected CSV, got {got(body)}")
    if not text.endswith("\n"):
        raise PassingError(f"{place}: the CSV is cut off in its last line ({len(body)} bytes)")
    raw = body.splitlines(keepends=True)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line, width = 0, 0
    try:
        for fields in reader:
            if fields and not width:
                width = len(fields)
                if missing := [name for name in columns if name not in fields]:
                    raise DataError(
                        f"{place}: no column {', '.join(missing)}, got {got(body)}; is it another "
                        "file, or a new version of it?"
                    )
            if fields and len(fields) != width:
                raise DataError(
                    f"{place}: line {line + 1} has {len(fields)} fields, the header {width}; the "
                    "source is damaged: run again later"
                )
            if fields:
                yield Record(line + 1, fields, b"".join(raw[line : reader.line_num]))
            line = reader.line_num
    except csv.Error as error:
        raise DataError(f"{place}: line {line + 1}: no CSV ({error}); run again later") from None
    if not width:
        raise DataError(f"{place}: no header, got {got(body)}; is it another file?")


def parquet(
    body: bytes, place: str, columns: Collection[str], either: Collection[str] = ()
) -> pl.DataFrame:
    """The columns a parquet file must have; these and those of `either` are read to the end.

    Args:
        body: the file.
        place: what to call it in an error.
        columns: that it must have.
        either: one of these too.

    Raises:
        PassingError: it is none, or damaged.
        DataError: a column is missing.
    """
    if not (body.startswith(PARQUET) and body.endswith(PARQUET) and len(body) > 12):
        end = "that ends early" if body.startswith(PARQUET) else "file"
        raise PassingError(f"{place}: expected a parquet file, got a {end}: {got(body)}")
    try:
        there = pl.read_parquet_schema(io.BytesIO(body))
        missing = [name for name in columns if name not in there]
        missing += [" or ".join(either)] if either and not set(either) & set(there) else []
        if missing:
            raise DataError(
                f"{place}: no column {', '.join(missing)} among {len(there)}; is it another file, "
                "or a new version of it?"
            )
        wanted = dict.fromkeys([*columns, *(name for name in either if name in there)])
        return pl.read_parquet(io.BytesIO(body), columns=list(wanted)).select(columns)
    except DAMAGED as error:
        cause = str(error).splitlines()[0]
        raise PassingError(f"{place}: damaged parquet file ({cause})") from None


def unpacked(body: bytes, place: str) -> bytes:
    """The content of a gzip file, its length and checksum checked.

    Raises:
        PassingError: it is none, damaged, or ends early.
    """
    if not body.startswith(b"\x1f\x8b"):
        raise PassingError(f"{place}: expected gzip, got {got(body)}")
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        cause = "ends early" if isinstance(error, EOFError) else "is damaged"
        raise PassingError(f"{place}: the gzip {cause} ({len(body)} bytes)") from None


def json_value(body: bytes, place: str) -> Any:
    """The value of a JSON text, which has no NaN and no Infinity.

    Raises:
        PassingError: it is none.
    """
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise PassingError(f"{place}: expected JSON, got {got(body)}") from None


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def number(value: Any, low: float, high: float) -> float:
    """A JSON value that is a number within limits.

    Raises:
        ValueError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"got {shown(value)}, expected a number from {low:g} to {high:g}")
    return float(value)


def listed(value: Any) -> list:
    """A JSON value that is a list.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(value, list):
        raise TypeError(f"got {shown(value)}, expected a list")
    return value


def shown(value: Any) -> str:
    """A value in an error, cut where it is long."""
    text = value if isinstance(value, str) else repr(value)
    cut = text if len(text) <= MOST else f"{text[:MOST]}..."
    return repr(cut) if isinstance(value, str) else cut

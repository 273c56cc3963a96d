"""What all partitions share: declared columns, one schema, one way to be written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import polars as pl

from scripts.atomic import atomic
from scripts.errors import DataError


class Column(NamedTuple):
    """Type of a column, and what it means, with its unit."""

    dtype: pl.DataType | type[pl.DataType]
    meaning: str


Columns = Mapping[str, Column]  # in the order of the file
ROW_GROUP = 2**18  # a reader that wants few symbols skips the others: partitions are sorted
COMPRESSION = {"compression": "zstd", "compression_level": 1}
# What reading a damaged parquet file raises: of some, polars panics.
DAMAGED = (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException)
QUARANTINE = ("source", "line", "reason")  # beside the raw fields, as text


def schema_of(columns: Columns) -> pl.Schema:
    """The polars schema of declared columns."""
    return pl.Schema({name: column.dtype for name, column in columns.items()})


def conform(frame: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """`frame` with exactly the declared columns, in order and type.

    Raises:
        DataError: a column is missing, or a value does not fit its type.
    """
    if missing := [name for name in columns if name not in frame.columns]:
        raise DataError(f"no column {', '.join(missing)}; there are {', '.join(frame.columns)}")
    try:
        return frame.select(*columns).cast(dict(schema_of(columns)))
    except pl.exceptions.PolarsError as error:
        raise DataError(str(error).splitlines()[0]) from None


def write(frame: pl.DataFrame, out: Path) -> None:
    """Write a partition: parquet, zstd, statistics, in the order of its rows."""
    with atomic(out) as temporary:
        frame.write_parquet(temporary, row_group_size=ROW_GROUP, **COMPRESSION)


def scan(paths: Iterable[Path], columns: Columns | None = None) -> pl.LazyFrame:
    """Partitions as one lazy frame; hive keys come from the column inside, not from the path.

    Args:
        paths: partition files; none gives an empty frame, for which `columns` are needed.
        columns: the declared columns, to select and check.
    """
    files = [Path(path) for path in paths]
    if not files:
        return pl.DataFrame(schema=schema_of(columns or {})).lazy()
    frame = pl.scan_parquet(files, hive_partitioning=False, glob=False)
    return frame.select(*columns) if columns else frame


def write_json(report: object, out: Path) -> None:
    """Write a small JSON file, the same bytes for the same content."""
    with atomic(out) as temporary:
        temporary.write_text(json.dumps(report, indent=1, default=str) + "\n", encoding="utf-8")

"""Batches of symbols, and reading the rows of one of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import polars as pl

from scripts.errors import DataError
from scripts.weekly.panel import NEEDED, Panel, check_schema, panel

BASE_MIB, ROW_COPIES = 170, 2.9  # of a batch's job: libraries; how often its rows are held
VALUE_BYTES = 8


def batch_of(symbol: str, batches: int) -> int:
    """Batch of a symbol: the same however many others there are."""
    return crc32(symbol.encode()) % batches


def scan(
    sources: Sequence[Path], columns: Sequence[str] | None, adjusted: str | None
) -> pl.LazyFrame:
    """Daily bars as one lazy frame with the columns that are used.

    Args:
        sources: parquet files of the same columns.
        columns: what is kept beside `NEEDED` and the adjusted close; None: everything.
        adjusted: name of the adjusted close.

    Raises:
        DataError: a file cannot be read or has other columns, see `panel.check_schema`.
    """
    files = [Path(path) for path in sources]
    frames = []
    for path in files:
        frame = pl.scan_parquet(path, hive_partitioning=False, glob=False)
        try:
            schema = frame.collect_schema()
            check_schema(schema, adjusted)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise DataError(f"{path}: no parquet ({str(error).splitlines()[0]})") from None
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
        if columns is not None:
            wanted = [*NEEDED, *([adjusted] if adjusted in schema else []), *columns]
            if missing := [name for name in columns if name not in schema]:
                raise DataError(f"{path}: no column {missing[0]}, named in weekly.columns")
            frame = frame.select(*dict.fromkeys(wanted))
        frames.append(frame)
    first = frames[0].collect_schema()
    for path, frame in zip(files, frames, strict=True):
        differing = set(first.items()) ^ set(frame.collect_schema().items())
        if differing:
            name = min(name for name, _ in differing)
            raise DataError(
                f"{path}: column {name} is not as in {files[0]}; write both with the same columns"
            )
    return pl.concat(frame.select(*first) for frame in frames)


def rows_by_symbol(bars: pl.LazyFrame, place: str) -> dict[str, int]:
    """Symbol -> rows, sorted by symbol.

    Raises:
        DataError: there is no row, or one without symbol.
    """
    text = pl.col("symbol").cast(pl.String)
    counted = bars.group_by(text).len().collect()
    if counted.is_empty():
        raise DataError(f"{place}: no rows; expected daily bars")
    if nulls := counted.filter(pl.col("symbol").is_null())["len"].sum():
        raise DataError(f"{place}: {nulls} rows without symbol; give it or drop them")
    return dict(counted.sort("symbol").iter_rows())


def select(rows: dict[str, int], batch: int, batches: int, most: int | None) -> dict[str, int]:
    """Those of `rows` that are in a batch; of the first `most` symbols alone, None: of all."""
    kept = list(rows.items())[:most]
    return {symbol: count for symbol, count in kept if batch_of(symbol, batches) == batch}


def check_memory(rows: int, columns: int, batch: int, batches: int, limit_mb: int) -> None:
    """Whether a batch of so many rows and columns fits into the memory that a job may take.

    Raises:
        DataError: it does not; the message says how many batches would.
    """
    share = rows * columns * VALUE_BYTES * ROW_COPIES / 2**20
    if BASE_MIB + share > limit_mb:
        fit = math.ceil(batches * share / (limit_mb - BASE_MIB)) if limit_mb > BASE_MIB else 0
        fix = f"weekly.batches: {fit} would fit" if fit else "no number of batches fits, raise it"
        raise DataError(
            f"batch {batch} of {batches} holds {rows:,} rows, for which a job needs about "
            f"{BASE_MIB + share:,.0f} MiB; weekly.memory_limit_mb is {limit_mb:,}; {fix}"
        )


def read(
    sources: Sequence[Path],
    *,
    columns: Sequence[str] | None,
    adjusted: str | None,
    batch: int,
    batches: int,
    max_symbols: int | None,
    memory_limit_mb: int,
) -> Panel | None:
    """The daily bars of one batch, checked and sorted; None where it has no symbol.

    Raises:
        DataError: see `scan`, `rows_by_symbol`, `check_memory` and `panel.panel`.
    """
    place = str(sources[0]) if len(sources) == 1 else f"{len(sources)} files from {sources[0]} on"
    bars = scan(sources, columns, adjusted)
    schema = bars.collect_schema()
    own = select(rows_by_symbol(bars, place), batch, batches, max_symbols)
    if not own:
        return None
    check_memory(sum(own.values()), len(schema), batch, batches, memory_limit_mb)
    kept = pl.col("symbol").cast(pl.String).is_in(list(own))
    try:
        return panel(bars.filter(kept).collect(), adjusted)
    except DataError as error:
        raise DataError(f"{place}: {error}") from None

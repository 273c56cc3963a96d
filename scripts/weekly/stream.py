"""A parquet file written block after block, so that memory holds a few blocks of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
from polars.io.plugins import register_io_source

from scripts.atomic import atomic
from scripts.tables import COMPRESSION

ROW_GROUP, SMALLEST_GROUP = 2**16, 2**12


def write(
    blocks: Iterable[pl.DataFrame], schema: pl.Schema, out: Path, row_group: int | None = None
) -> None:
    """Write blocks in their order, as parquet, zstd, statistics.

    Args:
        blocks: frames of `schema`.
        schema: of the file.
        out: the file.
        row_group: rows of a group, which is what `read` gives at once; None: `ROW_GROUP`.
    """

    def source(
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        yield from (block for block in blocks if block.height)

    with atomic(out) as temporary:
        register_io_source(source, schema=schema).sink_parquet(
            temporary,
            row_group_size=row_group or ROW_GROUP,
            maintain_order=True,
            **COMPRESSION,
        )


def shared_group(files: int) -> int:
    """Rows of a group of each of so many files that are read side by side, a group of each held."""
    return max(SMALLEST_GROUP, min(ROW_GROUP, 4 * ROW_GROUP // files))


def read(path: Path, rows: int | None = None) -> Iterator[pl.DataFrame]:
    """A parquet file that `write` made, in blocks of its row groups, in its order.

    Args:
        path: the file.
        rows: of its groups; None: `ROW_GROUP`.
    """
    rows = rows or ROW_GROUP
    frame = pl.scan_parquet(path, hive_partitioning=False, glob=False)
    total = frame.select(pl.len()).collect().item()
    for first in range(0, total, rows):
        yield frame.slice(first, rows).collect()

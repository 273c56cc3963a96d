"""A parquet file written block after block, so that memory holds a few blocks of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
from polars.io.plugins import register_io_source

from scripts.atomic import atomic

ROW_GROUP = 2**16  # small ones: who reads many files side by side holds one of each


def write(blocks: Iterator[pl.DataFrame], schema: pl.Schema, out: Path) -> None:
    """Write blocks in their order, as parquet, zstd, statistics.

    Args:
        blocks: frames of `schema`.
        schema: of the file.
        out: the file.
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
            compression="zstd",
            compression_level=1,
            row_group_size=ROW_GROUP,
            maintain_order=True,
        )


def read(path: Path) -> Iterator[pl.DataFrame]:
    """A parquet file that `write` made, in blocks of its row groups, in its order."""
    frame = pl.scan_parquet(path, hive_partitioning=False, glob=False)
    total = frame.select(pl.len()).collect().item()
    for first in range(0, total, ROW_GROUP):
        yield frame.slice(first, ROW_GROUP).collect()

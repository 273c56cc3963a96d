"""Scores of a sweep's fills, by run and for the portfolio."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from scripts.ticks.metrics import score
from scripts.ticks.score_summary import PORTFOLIO, table_of


def score_sweep(fills: Sequence[Path], runs: Sequence[tuple[str, str]]) -> pl.DataFrame:
    """Score each run of one sweep over its securities.

    Args:
        fills: parquets of `simulate_sweep`, one per security; the file's stem is the security.
        runs: (mode, variant) of the sweep, in order.

    Returns:
        mode, variant, security (`*`: all of them, merged in time) and `metrics.METRICS`; a run
        without a fill has its row, too.
    """
    frames = {path.stem: pl.read_parquet(path, glob=False) for path in fills}
    rows = []
    for mode, variant in runs:
        mine = {
            security: frame.filter((pl.col("mode") == mode) & (pl.col("variant") == variant))
            for security, frame in frames.items()
        }
        mine[PORTFOLIO] = pl.concat(mine.values())
        labels = {"mode": mode, "variant": variant}
        rows += [{**labels, "security": name, **score(part)} for name, part in mine.items()]
    return table_of(rows)

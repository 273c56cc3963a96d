"""Many parameter sets of one strategy on one security, over one load of its events."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from scripts.atomic import atomic
from scripts.tables import Column, conform
from scripts.ticks.backtest import backtest, keep_kernels
from scripts.ticks.events import read_events
from scripts.ticks.metrics import FILLS, fills_frame

COLUMNS = {
    "mode": Column(pl.String, "parity or realistic"),
    "variant": Column(pl.String, "base, or the value that is swept: key=value"),
    "security": Column(pl.String, "the security"),
    **FILLS,
}


def simulate(
    *, parquet: Path, strategy: str, security: str, runs: Sequence[Mapping], out: Path
) -> None:
    """Replay the events of `parquet` once for each run and write all fills to one parquet.

    Args:
        parquet: events of `events.SCHEMA`.
        strategy: module in `scripts/ticks/strategies`.
        security: written into every row.
        runs: each {mode, variant, parameters}.
        out: parquet of `COLUMNS`; a run without a fill has no row.
    """
    events = read_events(parquet)
    frames = []
    for run in runs:
        fills = fills_frame(backtest(strategy, events, run["parameters"]).fills)
        labels = {"mode": run["mode"], "variant": run["variant"], "security": security}
        frames.append(fills.with_columns(pl.lit(v).alias(k) for k, v in labels.items()))
    with atomic(out) as temporary:
        conform(pl.concat(frames), COLUMNS).write_parquet(temporary)


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        keep_kernels(Path(snakemake.params.cache))  # noqa: F821
        simulate(
            parquet=Path(snakemake.input.parquet),  # noqa: F821
            strategy=snakemake.wildcards.strategy,  # noqa: F821
            security=snakemake.wildcards.security,  # noqa: F821
            runs=snakemake.params.runs,  # noqa: F821
            out=Path(snakemake.output.fills),  # noqa: F821
        )

"""Backtest of one strategy on one security: its trades, and its counts."""

from collections.abc import Mapping
from pathlib import Path

from scripts.ticks.backtest import backtest, keep_kernels, write_counts, write_trades
from scripts.ticks.events import read_events


def simulate(
    *,
    parquet: Path,
    strategy: str,
    security: str,
    parameters: Mapping,
    trades: Path,
    counts: Path,
) -> None:
    """Replay the events of `parquet` and write `trades` (CSV) and `counts` (JSON).

    Args:
        parquet: events of `events.SCHEMA`.
        strategy: module in `scripts/ticks/strategies`.
        security: written into the closing strategy's trades.
        parameters: the strategy's parameters and switches, by name.
    """
    outcome = backtest(strategy, read_events(parquet), parameters)
    write_trades(outcome.fills, security, trades)
    write_counts({"trades": len(outcome.fills), **outcome.counts}, counts)


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        keep_kernels(Path(snakemake.params.cache))  # noqa: F821
        simulate(
            parquet=Path(snakemake.input.parquet),  # noqa: F821
            strategy=snakemake.wildcards.strategy,  # noqa: F821
            security=snakemake.wildcards.security,  # noqa: F821
            parameters=snakemake.params.parameters,  # noqa: F821
            trades=Path(snakemake.output.trades),  # noqa: F821
            counts=Path(snakemake.output.counts),  # noqa: F821
        )

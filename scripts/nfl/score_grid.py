"""The grid in one table, and the configuration that its validation season chooses."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from scripts.errors import DataError
from scripts.nfl import grid_fit
from scripts.plan.grid import AXES
from scripts.tables import conform, write, write_json

VALUES = [*AXES, "rounds"]


def choose(table: pl.DataFrame) -> dict:
    """The row of the highest AUC; among equals of the lowest Brier score, then smallest values."""
    best = table.sort(
        pl.col("auc"), pl.col("brier"), *VALUES, descending=[True, False, *[False] * len(VALUES)]
    )
    return best.drop("key").row(0, named=True)


def score(
    chunks: Sequence[Path],
    rows: int,
    target: str,
    features: str,
    tests: Sequence[int],
    simulated: bool,
    out: Path,
    chosen: Path,
) -> str:
    """Write the table of all configurations, and the chosen one.

    Args:
        chunks: rows of all chunks.
        rows: how many configurations there are.
        target: what is predicted.
        features: the feature set.
        tests: test seasons, none of which was looked at.
        simulated: whether anything of it is simulated.
        out: table to write, columns `grid_fit.COLUMNS`, by value.
        chosen: JSON to write: the chosen row, target, features, tests, simulated.

    Returns:
        one line for the log.

    Raises:
        DataError: a configuration is missing or stands twice.
    """
    table = pl.concat([conform(pl.read_parquet(path), grid_fit.COLUMNS) for path in chunks])
    if table.height != rows or table.select(VALUES).is_duplicated().any():
        raise DataError(
            f"grid: {table.height} rows of {table.select(VALUES).unique().height} configurations, "
            f"expected {rows} of as many; remove nfl/grid and fit it again"
        )
    table = table.sort(VALUES)
    write(table, out)
    best = choose(table)
    told = {"target": target, "features": features, "tests": sorted(tests), "simulated": simulated}
    write_json(best | told, chosen)
    return (
        f"chosen: {best['fit']},rounds={best['rounds']}, AUC {best['auc']:.4f} on {best['n']} games"
    )


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            score(
                chunks=[Path(path) for path in snakemake.input.chunks],  # noqa: F821
                rows=snakemake.params.rows,  # noqa: F821
                target=snakemake.params.target,  # noqa: F821
                features=snakemake.params.features,  # noqa: F821
                tests=snakemake.params.tests,  # noqa: F821
                simulated=snakemake.params.simulated,  # noqa: F821
                out=Path(snakemake.output.table),  # noqa: F821
                chosen=Path(snakemake.output.chosen),  # noqa: F821
            ),
        )

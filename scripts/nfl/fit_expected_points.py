"""Expected points for a season, fitted on the plays of all earlier seasons."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from scripts.atomic import atomic
from scripts.nfl import expected_points
from scripts.nfl.columns import PLAYS
from scripts.tables import conform


def fit(earlier: Sequence[Path], seed: int, out: Path) -> str:
    """Fit expected points and write the model as UBJSON.

    Args:
        earlier: plays of the seasons before the one the model is for.
        seed: seed of the booster.
        out: model to write.

    Returns:
        one line for the log.

    Raises:
        DataError: a season's plays cannot be used.
    """
    seasons = [conform(pl.read_parquet(path), PLAYS) for path in sorted(earlier)]
    model = expected_points.fit(seasons, seed)
    with atomic(out) as temporary:
        expected_points.save(model, temporary)
    return f"fitted on {sum(season.height for season in seasons)} plays of {len(seasons)} seasons"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            fit(
                earlier=[Path(path) for path in snakemake.input.earlier],  # noqa: F821
                seed=snakemake.params.seed,  # noqa: F821
                out=Path(snakemake.output.model),  # noqa: F821
            ),
        )

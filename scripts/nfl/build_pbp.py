"""The plays of a season, checked and in one layout -> etl/pbp."""

from pathlib import Path

import polars as pl

from scripts.errors import DataError
from scripts.nfl import plays
from scripts.nfl.columns import SCHEDULES
from scripts.tables import conform, write


def build(source: Path, schedule: Path, out: Path) -> str:
    """Write the plays of a season, columns `columns.PLAYS`.

    Args:
        source: flat GameCenter plays, or nflverse's play-by-play.
        schedule: the season's schedule.
        out: partition to write.

    Returns:
        one line for the log.

    Raises:
        DataError: the plays cannot be used, or there are none.
    """
    games = conform(pl.read_parquet(schedule), SCHEDULES)
    found = plays.read(source, games)
    # Of a game whose result is not known (yet, as of the day of the plan) nothing is.
    known = games.drop_nulls("home_score")
    found = found.join(known, on="game_id", how="semi", maintain_order="left")
    if found.is_empty() and known.height:
        raise DataError(f"{source}: no plays; fetch it again")
    write(found, out)
    return f"{found.height} plays of {found['game_id'].n_unique()} of {games.height} games"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                source=Path(snakemake.input.source),  # noqa: F821
                schedule=Path(snakemake.input.schedule),  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

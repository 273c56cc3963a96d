"""The offence's players in each game of a season -> etl/player_games."""

from pathlib import Path

import polars as pl

from scripts.nfl import player_games
from scripts.nfl.columns import SCHEDULES
from scripts.tables import conform, write

SHOWN = 3  # games in the log's line


def build(source: Path, kind: str, schedule: Path, out: Path) -> str:
    """Write the players' games of a season, columns `columns.PLAYER_GAMES`.

    Args:
        source: landed box scores of GameCenter, or nflverse's play-by-play.
        kind: gamecenter or pbp.
        schedule: the season's schedule.
        out: partition to write.

    Returns:
        one line for the log: rows, games, and what was left out.

    Raises:
        DataError: see `player_games.read`.
    """
    games = conform(pl.read_parquet(schedule), SCHEDULES)
    found, unnamed, unknown = player_games.read(source, kind, games)
    write(found, out)
    named = f" ({', '.join(unknown[:SHOWN])})" if unknown else ""
    return (
        f"{found.height} rows of {found['game_id'].n_unique()} of {games['home_score'].count()} "
        f"games with a result; left out: {unnamed} entries without a player's id, {len(unknown)} "
        f"games not on the schedule{named}"
    )


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                source=Path(snakemake.input.source),  # noqa: F821
                kind=snakemake.params.kind,  # noqa: F821
                schedule=Path(snakemake.input.schedule),  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

"""The features of all seasons in one table -> features/games.parquet."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from scripts.tables import write


def build(seasons: Sequence[Path], out: Path) -> str:
    """Write the features of all games, in the order of date and game_id.

    Args:
        seasons: features of each season.
        out: table to write.

    Returns:
        one line for the log.
    """
    frames = [pl.read_parquet(path) for path in seasons]
    games = pl.concat(frames).sort("date", "game_id")
    write(games, out)
    return f"{games.height} games of {len(frames)} seasons"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                seasons=[Path(path) for path in snakemake.input.seasons],  # noqa: F821
                out=Path(snakemake.output.games),  # noqa: F821
            ),
        )

"""Class and flags of the plays of a season -> etl/play_types."""

from pathlib import Path

import polars as pl

from scripts.nfl.columns import PLAYS
from scripts.nfl.play_types import COLUMNS, classify
from scripts.tables import conform, write


def build(plays: Path, out: Path) -> str:
    """Write the class of each play, columns `play_types.COLUMNS`.

    Args:
        plays: the season's plays.
        out: partition to write.

    Returns:
        one line for the log: how many there are of each class.
    """
    found = conform(classify(conform(pl.read_parquet(plays), PLAYS)), COLUMNS)
    write(found, out)
    counts = found.group_by("play_class").len().sort("play_class").rows()
    return ", ".join(f"{count} {name}" for name, count in counts)


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                plays=Path(snakemake.input.plays),  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

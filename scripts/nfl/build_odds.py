"""Closing lines of a season, from nflverse's games.csv -> etl/odds."""

from datetime import date
from pathlib import Path

import polars as pl

from scripts.errors import DataError
from scripts.nfl import games_csv
from scripts.nfl.columns import ODDS, SCHEDULES
from scripts.tables import conform, write

LIMITS = {
    "spread_line": (-50, 50),
    "total_line": (20, 100),
    "home_moneyline": (-100_000, 100_000),
    "away_moneyline": (-100_000, 100_000),
}


def lines(
    source: Path, games: pl.DataFrame, season: int, as_of: date | None = None
) -> pl.DataFrame:
    """Closing lines of a season's games, columns `columns.ODDS`, in the schedule's order.

    Args:
        source: games.csv in nflverse's layout.
        games: the season's schedule; other games of the file are left out.
        season: the season.
        as_of: games of later days have no closing lines yet; None: all have.

    Raises:
        DataError: a line is no number, or one that cannot be (it names the line of the file).
    """
    rows = games_csv.read(source, season, games_csv.LINES)
    numbers = [
        games_csv.number(rows, source, name, *ends).alias(name) for name, ends in LIMITS.items()
    ]
    rows = rows.with_columns(numbers)
    for name in ("home_moneyline", "away_moneyline"):
        small = rows.filter(pl.col(name).abs() < 100)
        if small.height:
            row = small.row(0, named=True)
            raise DataError(
                f"{source}: line {row['line']}, column {name}: got {row[name]:g}; American odds "
                "are at least 100 in size"
            )
    found = games.select("season", "game_id", "date").join(
        rows.drop("season"), on="game_id", how="left", maintain_order="left"
    )
    if as_of is not None:
        found = found.with_columns(pl.when(pl.col("date") <= as_of).then(pl.col(list(LIMITS))))
    return conform(found.with_columns(simulated=pl.lit(value=False)), ODDS)


def build(source: Path, schedule: Path, season: int, out: Path, as_of: str | None = None) -> str:
    """Write the closing lines of a season.

    Args:
        source: games.csv in nflverse's layout.
        schedule: the season's schedule.
        season: the season.
        out: partition to write.
        as_of: last day whose lines are known, YYYY-MM-DD; None: all are.

    Returns:
        one line for the log.

    Raises:
        DataError: see `lines`.
    """
    games = conform(pl.read_parquet(schedule), SCHEDULES)
    found = lines(source, games, season, date.fromisoformat(as_of) if as_of else None)
    write(found, out)
    return f"{found.height} games, {found['spread_line'].count()} with a closing spread"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                source=Path(snakemake.input.source),  # noqa: F821
                schedule=Path(snakemake.input.schedule),  # noqa: F821
                season=int(snakemake.wildcards.season),  # noqa: F821
                as_of=snakemake.params.as_of,  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

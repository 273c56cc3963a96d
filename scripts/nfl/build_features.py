"""Features of a season's games, from all seasons up to it -> features."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from scripts.nfl import features
from scripts.nfl.build_team_epa import COLUMNS as TEAM_EPA
from scripts.nfl.columns import ODDS, SCHEDULES, STADIUMS, WEATHER
from scripts.nfl.stadiums import locate
from scripts.tables import scan, write


def table(
    schedules: Sequence[Path],
    stadiums: Sequence[Path],
    team_epa: Sequence[Path],
    odds: Sequence[Path],
    weather: Sequence[Path],
    elo: Mapping[str, float],
) -> pl.DataFrame:
    """Features of all games of the partitions, see `features.build`.

    Args:
        schedules, stadiums, team_epa: partitions of the seasons; team_epa may lack some.
        odds, weather: theirs; none: there is no such source.
        elo: settings of the ratings.
    """
    games = scan(schedules, SCHEDULES).collect()
    return features.build(
        games,
        scan(team_epa, TEAM_EPA).collect(),
        locate(games, scan(stadiums, STADIUMS).collect()),
        scan(odds, ODDS).collect() if odds else None,
        scan(weather, WEATHER).collect() if weather else None,
        elo,
    )


def build(
    season: int,
    schedules: Sequence[Path],
    stadiums: Sequence[Path],
    team_epa: Sequence[Path],
    odds: Sequence[Path],
    weather: Sequence[Path],
    elo: Mapping[str, float],
    out: Path,
) -> str:
    """Write the features of a season's games.

    Args:
        season: the season.
        schedules, stadiums, team_epa, odds, weather: partitions of all seasons up to it, see
            `table`.
        elo: settings of the ratings.
        out: partition to write.

    Returns:
        one line for the log.

    Raises:
        DataError: a partition lacks a column, or a team has two games on one day.
    """
    frame = table(schedules, stadiums, team_epa, odds, weather, elo)
    frame = frame.filter(pl.col("season") == season)
    write(frame, out)
    return f"{frame.height} games, {frame.width} columns"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                season=int(snakemake.wildcards.season),  # noqa: F821
                schedules=[Path(path) for path in snakemake.input.schedules],  # noqa: F821
                stadiums=[Path(path) for path in snakemake.input.stadiums],  # noqa: F821
                team_epa=[Path(path) for path in snakemake.input.team_epa],  # noqa: F821
                odds=[Path(path) for path in snakemake.input.odds],  # noqa: F821
                weather=[Path(path) for path in snakemake.input.weather],  # noqa: F821
                elo=dict(snakemake.params.elo),  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

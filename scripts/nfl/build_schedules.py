"""The games of a season, from a CSV in nflverse's layout -> etl/schedules."""

from datetime import date
from pathlib import Path

import polars as pl

from scripts.errors import DataError
from scripts.nfl import games_csv
from scripts.nfl.columns import SCHEDULES
from scripts.nfl.kickoffs import mended
from scripts.nfl.teams import check_teams, franchise
from scripts.tables import conform, write

BEGINS, ENDS = (8, 1), (3, 1)  # month and day between which a season is played
PLACES = ("Home", "Neutral")
ROOFS = ("outdoors", "open", "closed", "dome", "retractable")
TOLD_LATE = ("home_score", "away_score", "home_qb", "away_qb", "roof")


def schedule(source: Path, season: int, as_of: date | None = None) -> pl.DataFrame:
    """Games of a season, columns `SCHEDULES`, in the order of date and game_id.

    Args:
        source: games.csv in nflverse's layout.
        season: the season.
        as_of: results, starters and roofs of later days are not known; None: all are.

    Raises:
        DataError: a cell cannot be used (it names the line), or a game stands twice.
    """
    rows = games_csv.read(source, season, games_csv.SCHEDULE)
    for name in ("game_type", "week", "gameday", "home_team", "away_team"):
        games_csv.check(rows, source, name, pl.col(name).is_not_null(), "something")
    check_teams(pl.concat([rows["home_team"], rows["away_team"]]), str(source))
    days = rows["gameday"].str.to_date("%Y-%m-%d", strict=False)
    inside = days.is_between(date(season, *BEGINS), date(season + 1, *ENDS))
    clock = rows["gametime"].str.to_time("%H:%M", strict=False)
    usable = {
        "gameday": inside.fill_null(value=False),
        "gametime": clock.is_not_null() | rows["gametime"].is_null(),
        "game_type": rows["game_type"].is_in(games_csv.TYPES),
        "location": rows["location"].is_in(PLACES) | rows["location"].is_null(),
        "roof": rows["roof"].is_in(ROOFS) | rows["roof"].is_null(),
    }
    expected = {
        "gameday": f"a day of season {season}, YYYY-MM-DD",
        "gametime": "HH:MM",
        "game_type": ", ".join(games_csv.TYPES),
        "location": " or ".join(PLACES),
        "roof": ", ".join(ROOFS),
    }
    for name, good in usable.items():
        games_csv.check(rows, source, name, pl.lit(good), expected[name])
    limits = {"week": (1, 25), "home_score": (0, 100), "away_score": (0, 100), "div_game": (0, 1)}
    numbers = {
        n: games_csv.number(rows, source, n, *ends, whole=True) for n, ends in limits.items()
    }
    abroad = (pl.col("location") == "Neutral").fill_null(value=False)
    games = rows.with_columns(
        pl.lit(season).alias("season"),
        days.alias("date"),
        mended(pl.lit(clock.dt.strftime("%H:%M")), abroad).alias("kickoff"),
        abroad.alias("neutral"),
        pl.col("home_qb_id").alias("home_qb"),
        pl.col("away_qb_id").alias("away_qb"),
        *(values.alias(name) for name, values in numbers.items()),
    ).with_columns(pl.col("div_game") == 1)
    if as_of is not None:
        known = pl.col("date") <= as_of
        # What only the day of the game tells is not known either.
        games = games.with_columns(pl.when(known).then(pl.col(TOLD_LATE)))
    # The league numbers a game anew when its day is settled; until then numbers can be the same.
    settled = pl.col("home_score").is_not_null()
    games_csv.check_unique(games.filter(settled), source, "old_game_id")
    half = games["home_score"].is_null() != games["away_score"].is_null()
    own = games.select(franchise(pl.col("home_team")) == franchise(pl.col("away_team"))).to_series()
    for wrong, what in ((half, "one team's score only"), (own, "a team against itself")):
        if wrong.any():
            raise DataError(f"{source}: line {games.filter(wrong)['line'][0]}: {what}")
    return conform(games, SCHEDULES).sort("date", "game_id")


def build(source: Path, season: int, as_of: str | None, out: Path) -> str:
    """Write the games of a season.

    Args:
        source: games.csv in nflverse's layout.
        season: the season.
        as_of: last day whose results are known, YYYY-MM-DD; None: all are.
        out: partition to write.

    Returns:
        one line for the log.

    Raises:
        DataError: see `schedule`.
    """
    games = schedule(source, season, date.fromisoformat(as_of) if as_of else None)
    write(games, out)
    return f"{games.height} games, {games['home_score'].count()} with a result"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                source=Path(snakemake.input.source),  # noqa: F821
                season=int(snakemake.wildcards.season),  # noqa: F821
                as_of=snakemake.params.as_of,  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

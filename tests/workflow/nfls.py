"""What the NFL domain's workflow tests share: a tiny domain, its build, and a server's files."""

from __future__ import annotations

import copy
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess

import polars as pl

from scripts.nfl.teams import FRANCHISES, franchise
from tests.workflow.project import TINY, Project, copy_project

SEASONS = (2015, 2016, 2017, 2018)
TESTS = (2017, 2018)
GRID = {
    "max_depth": [2, 3],
    "learning_rate": [0.1],
    "rounds": [5, 10, 20],
    "subsample": [0.8],
    "colsample_bytree": [0.7, 0.9],
}
NFL = {
    "sources": {
        "schedules": "gamecenter",
        "pbp": "gamecenter",
        "odds": "simulator",
        "weather": "simulator",
        "players": "gamecenter",
        "player_games": "gamecenter",
    },
    "seasons": {"first": SEASONS[0], "last": SEASONS[-1]},
    "first_test": TESTS[0],
    "feature_sets": {"football": ["form", "rating"], "market": ["form", "weather", "market"]},
    "models": ["glm", "state_space"],
    "calibrations": ["none", "platt"],
    "draws": 100,
    "grid": GRID,
}
SMALLEST = {  # of the keys of NFL: one model
    "feature_sets": {"football": ["form", "efficiency"]},
    "models": ["glm"],
    "calibrations": ["none"],
    "targets": ["home_win"],
}
# nflverse's games.csv, in its order.
HEADER = (
    "game_id,season,game_type,week,gameday,weekday,gametime,away_team,away_score,home_team,"
    "home_score,location,result,total,overtime,old_game_id,gsis,nfl_detail_id,pfr,pff,espn,ftn,"
    "away_rest,home_rest,away_moneyline,home_moneyline,spread_line,away_spread_odds,"
    "home_spread_odds,total_line,under_odds,over_odds,div_game,roof,surface,temp,wind,away_qb_id,"
    "home_qb_id,away_qb_name,home_qb_name,away_coach,home_coach,referee,stadium_id,stadium"
)


def tiny(**nfl: object) -> dict:
    """The tiny domain's config, some keys replaced; those of `sources` and `grid` laid over."""
    section = copy.deepcopy(NFL)
    for key, value in nfl.items():
        laid_over = key in ("sources", "grid")
        section[key] = {**section[key], **value} if laid_over else value
    return {**TINY, "nfl": section}


def configure(project: Project, **nfl: object) -> None:
    """Give a copy of the project the tiny domain's config with some keys set."""
    project.write_config("config/config.yaml", tiny(**nfl))


@cache
def built(top: Path) -> Project:
    """The tiny domain and its grid, built once for all modules. Not to be changed: see `copied`.

    Args:
        top: pytest's folder of this session.
    """
    project = copy_project(top / "nfl", tiny())
    project.run("nfl", "grid", check=True)
    return project


def nfl_of(project: Project) -> Path:
    """The domain's folder in a copy of the project."""
    return project.results / "tiny" / "nfl"


def part(project: Project, table: str, season: int) -> pl.DataFrame:
    """A season of a table of etl/."""
    path = nfl_of(project) / f"etl/{table}/season={season}/part.parquet"
    return pl.read_parquet(path, hive_partitioning=False)


def jobs(project: Project, *results: CompletedProcess) -> Counter[str]:
    """`rule [dataset] [model] [season]`, without `nfl_`, of the jobs that runs finished."""
    found: Counter[str] = Counter()
    for result in results:
        for rule, wildcards in project.jobs_run(result):
            if "_" in rule:
                named = [wildcards.get(key) for key in ("dataset", "model", "season")]
                found[" ".join([rule.removeprefix("nfl_"), *filter(None, named)])] += 1
    return found


def of_season(season: int, *rules: str) -> dict[str, int]:
    """One job of each of these rules for a season."""
    return {f"{rule} {season}": 1 for rule in rules}


# Files as nflverse publishes them, made of what the package's real games are.


def games_csv(project: Project, seasons: Iterable[int], known_to: str | None = None) -> bytes:
    """games.csv of some seasons; results of later days than `known_to` are left out."""
    landed = [
        pl.read_csv(
            nfl_of(project) / f"raw/gamecenter/season={season}/games.csv", infer_schema=False
        )
        for season in seasons
    ]
    games = pl.concat(landed)
    outdoors = (
        pl.lit("outdoors").alias("roof"),
        pl.lit("55").alias("temp"),
        pl.lit("7").alias("wind"),
    )
    games = games.with_columns(*outdoors)
    if known_to is not None:
        known = pl.col("gameday") <= known_to
        games = games.with_columns(pl.when(known).then(pl.col("home_score", "away_score")))
    names = HEADER.split(",")
    missing = [pl.lit(None, pl.String).alias(name) for name in names if name not in games.columns]
    return games.with_columns(missing).select(names).write_csv().encode()


def play_by_play(project: Project, season: int) -> bytes:
    """play_by_play_{season}.parquet of the same plays; expected points and tries are made up."""
    games = part(project, "schedules", season).select(
        "game_id", "old_game_id", "week", "home_team", "away_team"
    )
    plays = part(project, "pbp", season).join(games, on="game_id", maintain_order="left")
    # There a touchdown has its try as the next play; the package tells of some in words only.
    defended = pl.col("points") == 2
    plays = plays.filter((pl.col("kind") != "conversion") | defended).with_row_index("row")
    tries = plays.filter(pl.col("points") == 6).with_columns(
        pl.col("play_id") + 1,
        pl.lit("conversion").alias("kind"),
        pl.lit(0, pl.Int32).alias("points"),
        pl.lit(value=False).alias("touchdown"),
        pl.col("try_points").alias("tried"),
    )
    plays = pl.concat([plays, tries], how="diagonal").sort("row", "play_id").drop("row")
    points, tried, due = pl.col("points"), pl.col("kind") == "conversion", pl.col("tried")
    kinds = {"conversion": "extra_point", "timeout": None}
    plays = plays.with_columns(
        pl.col("quarter").alias("qtr"),
        pl.col("half_seconds").alias("half_seconds_remaining"),
        pl.col("game_seconds").alias("game_seconds_remaining"),
        pl.col("kind").replace(kinds).alias("play_type"),
        pl.when(points == 6).then("scoring_team").alias("td_team"),
        pl.when(points == 3).then(pl.lit("made")).alias("field_goal_result"),
        ((points == 2) & ~tried).cast(pl.Float64).alias("safety"),
        ((points == 2) & tried).cast(pl.Float64).alias("defensive_two_point_conv"),
        pl.when(tried & (due == 1))
        .then(pl.lit("good"))
        .when(tried & (due == 0))
        .then(pl.lit("failed"))
        .alias("extra_point_result"),
        pl.when(tried & (due == 2)).then(pl.lit("success")).alias("two_point_conv_result"),
        pl.col("home_points").alias("total_home_score"),
        pl.col("away_points").alias("total_away_score"),
        (pl.col("yards_gained").fill_null(0) / 10 - 0.4).alias("epa"),
        pl.lit(0.5).alias("wp"),
        (pl.col("kind") == "qb_kneel").cast(pl.Float64).alias("qb_kneel"),
        (pl.col("kind") == "qb_spike").cast(pl.Float64).alias("qb_spike"),
    )
    body = io.BytesIO()
    flags = ("interception", "fumble_lost", "sack", "penalty", "touchdown")
    own = ("quarter", "half_seconds", "game_seconds", "kind", "points", "try_points", "tried")
    plays.with_columns(pl.col(flags).cast(pl.Float64)).drop(own).write_parquet(body)
    return body.getvalue()


def roster(project: Project, season: int) -> bytes:
    """roster_{season}.csv of the package's first players, each in some team."""
    players = part(project, "players", season).head(64)
    teams = pl.Series("team", [FRANCHISES[i % 32] for i in range(players.height)])
    return (
        players.with_columns(teams, pl.lit(season).alias("season"))
        .rename({"player_id": "gsis_id", "name": "full_name"})
        .write_csv()
        .encode()
    )


def team_stats(project: Project, season: int) -> bytes:
    """stats_team_week_{season}.csv with the expected points of the tiny domain."""
    weeks = part(project, "schedules", season).select("game_id", "week")
    ours = part(project, "team_epa", season).join(weeks, on="game_id", maintain_order="left")
    return (
        ours.select(
            "season",
            "week",
            franchise(pl.col("team")).alias("team"),
            pl.lit("REG").alias("season_type"),
            pl.col("pass_epa").alias("passing_epa"),
            pl.col("rush_epa").alias("rushing_epa"),
        )
        .write_csv()
        .encode()
    )


def nflverse(project: Project, seasons: Iterable[int]) -> Mapping[str, bytes]:
    """Path -> file of a server in nflverse's place."""
    files = {"/schedules/games.csv": games_csv(project, seasons)}
    for season in seasons:
        files[f"/pbp/play_by_play_{season}.parquet"] = play_by_play(project, season)
        files[f"/rosters/roster_{season}.csv"] = roster(project, season)
        files[f"/stats_team/stats_team_week_{season}.csv"] = team_stats(project, season)
    return files

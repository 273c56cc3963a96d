"""Where games are played, and where their teams are at home."""

from __future__ import annotations

import polars as pl

from scripts.errors import DataError
from scripts.nfl.teams import franchise

NEUTRAL_FINAL = "SB"  # neutral also where it happens to be at the home team's own place


def key(names: pl.Expr) -> pl.Expr:
    """Names of stadiums as they are compared: without case and blanks around."""
    return names.str.strip_chars().str.to_lowercase()


def locate(games: pl.DataFrame, stadiums: pl.DataFrame) -> pl.DataFrame:
    """Places of games and of their teams' homes.

    A game is where its named stadium is. Where no name is given, or one that is not in the table,
    it is at the home team's own place, unless it is neutral: then its place is null. It is null as
    well where a neutral game (but the Super Bowl) names the home team's own place: that is what a
    source says of games abroad whose stadium it does not know yet.

    Args:
        games: columns of `SCHEDULES`.
        stadiums: columns of `STADIUMS`, with the seasons of all games.

    Returns:
        in the order of games: game_id; lat, lon (degrees north, east), roof (outdoors, retractable
        or dome) and surface (grass or artificial) of the game's place; home_lat, home_lon,
        away_lat, away_lon of the two teams' homes in that season.

    Raises:
        DataError: a team has no home, or two, in a season.
    """
    place = ("lat", "lon", "roof", "surface")
    by_name = stadiums.with_columns(key(pl.col("stadium")).alias("key"))
    by_name = by_name.unique(["season", "key"], keep="first", maintain_order=True)
    homes = stadiums.drop_nulls("team")
    twice = homes.filter(pl.struct("season", "team").is_duplicated())
    if twice.height:
        season, team = twice.select("season", "team").row(0)
        raise DataError(f"stadiums: two homes of {team} in {season}; build them again")
    located = games.select(
        "game_id",
        "season",
        "neutral",
        "game_type",
        key(pl.col("stadium")).alias("key"),
        franchise(pl.col("home_team")).alias("home"),
        franchise(pl.col("away_team")).alias("away"),
    ).join(
        by_name.select("season", "key", *place),
        on=["season", "key"],
        how="left",
        maintain_order="left",
    )
    for side in ("home", "away"):
        located = located.join(
            homes.select("season", "team", pl.col(place).name.prefix(f"{side}_")),
            left_on=["season", side],
            right_on=["season", "team"],
            how="left",
            maintain_order="left",
        )
        homeless = located.filter(pl.col(f"{side}_lat").is_null())
        if homeless.height:
            season, team = homeless.select("season", side).row(0)
            raise DataError(f"stadiums: no home of {team} in {season}; add it to the table")
    elsewhere = (
        pl.col("neutral")
        & (pl.col("game_type") != NEUTRAL_FINAL)
        & (pl.col("lat") == pl.col("home_lat"))
        & (pl.col("lon") == pl.col("home_lon"))
    ).fill_null(value=False)
    named = pl.col("lat").is_not_null() & ~elsewhere
    return located.select(
        "game_id",
        *(
            pl.when(named)
            .then(name)
            .when(~pl.col("neutral") & ~elsewhere)
            .then(f"home_{name}")
            .alias(name)
            for name in place
        ),
        "home_lat",
        "home_lon",
        "away_lat",
        "away_lon",
    )

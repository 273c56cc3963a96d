"""In what state a team comes to a game: rest, place, quarterback, coach, way travelled."""

from __future__ import annotations

import polars as pl

from scripts.nfl.geography import distance_km

FIRST_REST_D = 7
SHORT_REST_D, LONG_REST_D = 6, 13  # less than, more than


def rest(games: pl.DataFrame) -> pl.DataFrame:
    """Rest and change of side of each team in each game.

    Args:
        games: a row for each team in each game on the schedule: team, date, season, at_home.

    Returns:
        team, date, rest_days (7 in a season's first game), short_rest, long_rest, venue_changed.
    """
    games = games.sort("team", "date")
    days = (pl.col("date") - pl.col("date").shift(1)).dt.total_days().over("team", "season")
    games = games.with_columns(rest_days=days.fill_null(FIRST_REST_D).cast(pl.Float64))
    before = pl.col("at_home").shift(1).over("team")
    return games.select(
        "team",
        "date",
        "rest_days",
        short_rest=(pl.col("rest_days") < SHORT_REST_D).cast(pl.Float64),
        long_rest=(pl.col("rest_days") > LONG_REST_D).cast(pl.Float64),
        venue_changed=(pl.col("at_home") != before).cast(pl.Float64),
    )


def tenure(games: pl.DataFrame, who: str, name: str) -> pl.DataFrame:
    """Whether someone is new, and for how many games in a row he was there before.

    Args:
        games: a row for each team in each game: team, date, known, and the column `who`.
        who: column of the person; null: not known.
        name: what the columns are called by.

    Returns:
        team, date, `{name}_changed` (null where he, or everyone before, is unknown) and
        `{name}_tenure` (null where he is unknown).
    """
    rows = []
    last: dict[str, str] = {}  # the one who was last known
    run: dict[str, tuple[str | None, int]] = {}  # the one of the last game, and his games in a row
    for team, day, known, person in (
        games.sort("team", "date").select("team", "date", "known", who).iter_rows()
    ):
        before, count = run.get(team, (None, 0))
        changed = None if person is None or team not in last else float(person != last[team])
        served = None if person is None else float(count if person == before else 0)
        rows.append((team, day, changed, served))
        if known:
            run[team] = (person, (count if person == before else 0) + 1)
            if person is not None:
                last[team] = person
    columns = {f"{name}_changed": pl.Float64, f"{name}_tenure": pl.Float64}
    return pl.DataFrame(rows, schema={"team": pl.String, "date": pl.Date, **columns}, orient="row")


def places(games: pl.DataFrame, located: pl.DataFrame) -> pl.DataFrame:
    """What the place of each game means.

    Args:
        games: columns `columns.SCHEDULES`.
        located: game_id, lat, lon, roof, surface, home_lat, home_lon, away_lat, away_lon.

    Returns:
        game_id, home_travel_km, away_travel_km, indoors, grass; null where unknown. The schedule's
        own roof and surface come before those of the stadium.
    """
    built = located.rename({"roof": "built_roof", "surface": "laid"})
    found = games.select("game_id", "roof", "surface").join(
        built, on="game_id", how="left", maintain_order="left"
    )
    roof = pl.coalesce("roof", "built_roof").str.strip_chars()
    surface = pl.coalesce(pl.col("surface").str.strip_chars().replace("", None), "laid")
    at = {name: found[name].to_numpy() for name in ("lat", "lon")}
    ways = {
        f"{side}_travel_km": distance_km(
            found[f"{side}_lat"].to_numpy(), found[f"{side}_lon"].to_numpy(), at["lat"], at["lon"]
        )
        for side in ("home", "away")
    }
    return found.select(
        "game_id",
        *(pl.Series(name, values).fill_nan(None) for name, values in ways.items()),
        indoors=pl.when(roof != "retractable").then(
            roof.is_in(["dome", "closed"]).cast(pl.Float64)
        ),
        grass=(surface.str.starts_with("grass") | (surface == "dessograss")).cast(pl.Float64),
    )

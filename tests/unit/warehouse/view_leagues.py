"""Small random leagues with all that is hard for the views, as the warehouse's tables."""

from __future__ import annotations

import random
from datetime import date, timedelta

import polars as pl

from scripts.nfl.columns import ODDS, PLAYER_GAMES, PLAYERS, PLAYS, SCHEDULES, WEATHER
from scripts.nfl.play_types import COLUMNS as PLAY_TYPES
from scripts.tables import Columns, schema_of

TEAMS = ("BUF", "DEN", "KC", "LAC", "LV", "NE")
SEASONS = (2018, 2019, 2020)
SIDES = ("home", "away")
STATISTICS = [*PLAYER_GAMES][5:]
Row = dict[str, object]
Frames = dict[str, pl.DataFrame | None]


def code(team: str, season: int) -> str:
    """Code of a franchise in a season."""
    return "OAK" if team == "LV" and season < 2020 else team


def today(team: str) -> str:
    """Franchise of a code."""
    return "LV" if team == "OAK" else team


def frame(rows: list[Row], columns: Columns) -> pl.DataFrame:
    """Rows as a table; a value that is not there is null."""
    full = [{name: row.get(name) for name in columns} for row in rows]
    return pl.DataFrame(full, schema=schema_of(columns))


def league(seed: int) -> Frames:
    """A random league: the warehouse's tables by their names."""
    rng = random.Random(seed)

    def maybe(value: object, share: float = 0.8) -> object:
        return value if rng.random() < share else None

    games = [
        game
        for season in SEASONS
        for week in range(1, 11)
        for game in week_of(rng, season, week)
        if rng.random() < 0.95
    ]
    ids = [{"season": game["season"], "game_id": game["game_id"]} for game in games]
    plays = [play for game in games if rng.random() < 0.9 for play in plays_of(rng, game)]
    odds = [
        key
        | {
            "spread_line": maybe(float(rng.choice((-3, -1, 0, 3, 4)))),
            "total_line": maybe(float(rng.choice((6, 9, 10, 13)))),
            "home_moneyline": maybe(float(rng.choice((-150, 100, 130)))),
            "away_moneyline": maybe(float(rng.choice((-110, 120, 200)))),
        }
        for key in ids
        if rng.random() < 0.9
    ]
    weather = [
        key
        | {
            "temp_c": maybe(rng.uniform(-10, 30)),
            "wind_kmh": maybe(rng.uniform(0, 40)),
            "precip_mm": maybe(rng.uniform(0, 3)),
        }
        for key in ids
        if rng.random() < 0.9
    ]
    players = [
        {
            "season": season,
            "player_id": f"00-{number}",
            "name": f"Player {number} in {season}",
            "position": maybe("QB"),
            "birth_date": maybe(date(1990, 1, number + 1)),
        }
        for season in (2017, *SEASONS)
        for number in range(6)  # the last two of the eight below are in no list
        if rng.random() < 0.5
    ]
    rng.shuffle(players)
    player_games = [
        {
            "season": game["season"],
            "game_id": game["game_id"],
            "player_id": f"00-{number}",
            "name": f"P{number}{rng.choice('abc')}",
            "team": game[f"{rng.choice(SIDES)}_team"],
            **{name: rng.randint(0, 9) for name in STATISTICS},
            "targets": maybe(rng.randint(0, 9), 0.3),
        }
        for game in games
        for number in range(8)
        if rng.random() < (0.25 if number < 6 else 0.8)  # those without a list: twice a day too
    ]
    rng.shuffle(player_games)
    rng.shuffle(games)
    return {
        "games": frame(games, SCHEDULES),
        "plays": frame(plays, {**PLAYS, **PLAY_TYPES}),
        "odds": frame(odds, ODDS),
        "weather": frame(weather, WEATHER),
        "players": frame(players, PLAYERS),
        "player_games": frame(player_games, PLAYER_GAMES),
    }


def week_of(rng: random.Random, season: int, week: int) -> list[Row]:
    """Games of a week: some not played, some postponed, some at one place on one day."""
    teams = rng.sample(TEAMS, len(TEAMS))
    abroad = rng.random() < 0.3  # two games of the week in one stadium, mostly on one day
    games = []
    for number in range(3):
        home, away = teams[2 * number], teams[2 * number + 1]
        day = date(season, 9, 1) + timedelta(7 * week + rng.choice((0, 0, 3)))
        if rng.random() < 0.1:  # postponed, to a weekday that no other game has
            day += timedelta(15)
        points = [rng.choice((0, 3, 3, 6, 7, 10)) for _ in range(2)]
        if rng.random() < 0.15:
            points[rng.randrange(2)] = None
        if rng.random() < 0.1:
            points = [None, None]
        stadium = rng.choice((None, f"Field of {home}", f"Field of {home}", "Shared Park"))
        games.append(
            {
                "season": season,
                "game_id": f"{season}_{week:02}_{code(away, season)}_{code(home, season)}",
                "game_type": "REG" if week < 9 else "DIV",
                "week": week,
                "date": day,
                "home_team": code(home, season),
                "away_team": code(away, season),
                "home_score": points[0],
                "away_score": points[1],
                "neutral": abroad or rng.random() < 0.2,
                "stadium": "Abroad" if abroad and number < 2 else stadium,
            }
        )
    return games


def plays_of(rng: random.Random, game: Row) -> list[Row]:
    """Plays of a game, with expected points or, now and then, without any."""
    share = rng.choice((0, 0.7, 0.9))
    return [
        {
            "season": game["season"],
            "game_id": game["game_id"],
            "play_id": number,
            "posteam": rng.choice((game["home_team"], game["home_team"], game["away_team"], None)),
            "play_class": rng.choice(("pass", "run", "run", "kick", "kneel", "spike", "penalty")),
            "explosive": rng.random() < 0.3,
            "interception": rng.random() < 0.2,
            "fumble_lost": rng.random() < 0.2,
            "epa": rng.choice((rng.uniform(-3, 3), 0.0)) if rng.random() < share else None,
        }
        for number in range(rng.randint(1, 16))
    ]

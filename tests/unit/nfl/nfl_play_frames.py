"""Schedules and plays by hand and by chance, for tests of what is made of plays."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from scripts.nfl.columns import PLAYS, SCHEDULES
from scripts.tables import conform, schema_of

Row = dict[str, Any]
FLAGS = ("interception", "fumble_lost", "sack", "penalty", "touchdown")
GAME = {
    "season": 2015,
    "game_id": "2015_01_NE_BUF",
    "game_type": "REG",
    "week": 1,
    "date": date(2015, 9, 13),
    "home_team": "BUF",
    "away_team": "NE",
    "neutral": False,
}
PLAY = {
    "season": 2015,
    "game_id": "2015_01_NE_BUF",
    "quarter": 1,
    "half_seconds": 1800,
    "game_seconds": 3600,
    "posteam": "BUF",
    "defteam": "NE",
    "down": 1,
    "ydstogo": 10,
    "yardline_100": 75,
    "kind": "run",
    **dict.fromkeys(FLAGS, False),
    "points": 0,
    "try_points": 0,
    "home_points": 0,
    "away_points": 0,
}
KINDS = (
    *("pass", "run", "punt", "field_goal", "kickoff", "conversion"),
    *("qb_kneel", "qb_spike", "no_play", "timeout"),
)


def games(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """A schedule; what a row does not say is that of `GAME`, or null."""
    empty = dict.fromkeys(SCHEDULES)
    return pl.DataFrame([empty | GAME | row for row in rows], schema=schema_of(SCHEDULES))


def plays(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Plays, numbered; what a row does not say is that of `PLAY`, or null."""
    empty = dict.fromkeys(PLAYS)
    numbered = [empty | PLAY | {"play_id": n} | row for n, row in enumerate(rows, 1)]
    return pl.DataFrame(numbered, schema=schema_of(PLAYS))


def random_plays(seed: int, number: int = 60, season: int = 2015) -> pl.DataFrame:
    """Two games of any plays whatever, scores of both teams and overtime among them."""
    return plays(*_random_rows(random.Random(seed), number, season))


def _random_rows(rng: random.Random, number: int, season: int) -> Iterator[Row]:
    for home, away in (("BUF", "NE"), ("KC", "LV")):
        quarters = sorted(rng.choices(range(1, 7), (9, 9, 9, 9, 2, 1), k=number))
        for place, quarter in enumerate(quarters):
            team = rng.choice((home, away, away, None))
            state = rng.random() < 0.8
            points = rng.choices((0, 6, 3, 2), (80, 8, 8, 4))[0]
            left = rng.randint(0, 900)
            yield {
                "season": season,
                "game_id": f"{season}_01_{away}_{home}",
                "play_id": 10 * place + 1,
                "quarter": quarter,
                "half_seconds": left + 900 * (quarter in (1, 3)),
                "game_seconds": max(0, left + 900 * (4 - quarter)),
                "posteam": team,
                "defteam": {home: away, away: home}.get(team),
                "down": rng.randint(1, 4) if state else None,
                "ydstogo": rng.randint(1, 15) if state else None,
                "yardline_100": rng.randint(1, 99) if state else None,
                "kind": rng.choice(KINDS),
                "yards_gained": rng.choice((None, rng.randint(-12, 60))),
                **{name: rng.random() < 0.1 for name in FLAGS},
                "penalty_team": rng.choice((None, None, home, away)),
                "points": points,
                "scoring_team": rng.choice((home, away)) if points else None,
                "try_points": rng.choice((0, 1, 2, None)) if points == 6 else 0,
                "home_points": rng.randint(0, 40),
                "away_points": rng.randint(0, 40),
            }


# Simulated halves: the team with the ball scores a touchdown next with a chance that falls with the
# distance to the goal, else the other team kicks a field goal, or nobody scores.
FIELD_GOAL = 0.3  # chance of one, without a touchdown


def touchdown_chance(yards: ArrayLike) -> np.ndarray:
    """Chance of a touchdown from so many yards away."""
    return 0.9 - 0.008 * np.asarray(yards)


def simulated_season(season: int, seed: int = 1, a_yard: int = 150) -> pl.DataFrame:
    """Plays of halves, `a_yard` from each place, in which one state is followed by its score."""
    rng = np.random.default_rng(seed)
    yards = np.repeat(np.arange(1, 100), a_yard)
    number = len(yards)
    touchdown = rng.random(number) < touchdown_chance(yards)
    kicked = ~touchdown & (rng.random(number) < FIELD_GOAL)
    base = plays({}).drop("game_id", "season", "play_id")
    ids = [f"{season}_{n:06}" for n in range(number)]
    halves = pl.DataFrame({"game_id": ids, "season": season}).join(base, how="cross")
    states = halves.with_columns(
        pl.Series("yardline_100", yards),
        pl.Series("down", rng.integers(1, 5, number)),
        pl.Series("ydstogo", rng.integers(1, 11, number)),
        pl.Series("half_seconds", rng.integers(600, 1801, number)),
        play_id=1,
    )
    scores = halves.with_columns(
        pl.Series("points", np.select([touchdown, kicked], [6, 3], 0)),
        pl.Series("scoring_team", np.where(touchdown, "BUF", "NE")),
        play_id=2,
        down=None,
    )
    both = [conform(frame, PLAYS) for frame in (states, scores)]
    return pl.concat(both).sort("game_id", "play_id")

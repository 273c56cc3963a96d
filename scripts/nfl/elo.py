"""Elo ratings of teams, with the margin of victory and the home edge."""

from __future__ import annotations

import math
from collections.abc import Mapping

import polars as pl

START = 1500.0


def chance(difference: float) -> float:
    """Chance of the stronger side to win by a difference of ratings (Elo 1978)."""
    return 1 / (1 + 10 ** (-difference / 400))


def moved(difference: float, margin: int, k: float) -> float:
    """Points of rating that the home team gains by a result.

    Source: the multiplier for the margin of victory is that of FiveThirtyEight's NFL ratings
    (2014), ln(|margin| + 1) * 2.2 / (.001 * difference seen from the winner + 2.2).

    Args:
        difference: rating of the home team minus that of the visitors, home edge included.
        margin: points of the home team minus those of the visitors.
        k: points of rating at stake.
    """
    if margin == 0:
        return k * math.log(2) * (0.5 - chance(difference))
    ahead = difference if margin > 0 else -difference
    size = math.log(abs(margin) + 1) * 2.2 / (0.001 * ahead + 2.2)
    return k * size * ((margin > 0) - chance(difference))


def ratings(games: pl.DataFrame, settings: Mapping[str, float]) -> pl.DataFrame:
    """Ratings before each game.

    Args:
        games: game_id, date, season, home, away (franchises), neutral, margin (null: not known).
        settings: k, home_edge (points of rating), regression (share of the way back to 1500 that a
            rating goes before the first game of another season).

    Returns:
        game_id, home_elo, away_elo, elo_prob, in the order of date and game_id. Games of one day
        are rated from the days before.
    """
    rating: dict[str, float] = {}
    played_in: dict[str, int] = {}
    rows = []
    for _, day in games.sort("date", "game_id").group_by("date", maintain_order=True):
        changes = []
        for game in day.iter_rows(named=True):
            own = []
            for team in (game["home"], game["away"]):
                before = rating.setdefault(team, START)
                if played_in.get(team, game["season"]) != game["season"]:
                    before += settings["regression"] * (START - before)
                rating[team], played_in[team] = before, game["season"]
                own.append(before)
            edge = 0.0 if game["neutral"] else settings["home_edge"]
            difference = own[0] - own[1] + edge
            rows.append((game["game_id"], *own, chance(difference)))
            if game["margin"] is not None:
                gain = moved(difference, game["margin"], settings["k"])
                changes += [(game["home"], gain), (game["away"], -gain)]
        for team, gain in changes:
            rating[team] += gain
    schema = {
        "game_id": pl.String,
        **dict.fromkeys(("home_elo", "away_elo", "elo_prob"), pl.Float64),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")

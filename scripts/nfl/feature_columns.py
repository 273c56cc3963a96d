"""Columns of the features of games: groups, types, meanings; docs/nfl.md says how each is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from scripts.nfl.columns import ODDS, SCHEDULES
from scripts.nfl.columns import WEATHER as MEASURES
from scripts.tables import Column

WINDOWS = {
    "prior": "all earlier games",
    "last3": "the last 3 earlier games",
    "last5": "the last 5 earlier games",
    "season": "earlier games of this season",
}
FORM = {
    "points_for": "points scored",
    "points_against": "points allowed",
    "margin": "points scored less allowed",
    "win": "wins, a tie counting .5",
}
EFFICIENCY = {
    "plays": "passes and runs",
    "epa": "expected points added, sum of a game's passes and runs",
    "epa_play": "expected points added by play",
    "pass_epa": "expected points added, sum of a game's passes",
    "rush_epa": "expected points added, sum of a game's runs",
    "success_rate": "share of plays that added expected points",
    "explosive_rate": "share of explosive plays (pass of 20 yards, run of 10)",
    "turnovers": "interceptions thrown and fumbles lost",
    "penalties": "penalties called on the team",
    "epa_allowed": "the opponents' expected points added, sum of a game",
    "success_allowed": "the opponents' success rate",
}
SUMS = ("points_for", "points_against", "margin", "epa", "plays")
PAST = {
    "games_prior": "number of earlier games",
    "games_season": "number of earlier games of this season",
    "prev_win": "last earlier game: won 1, tie .5, lost 0",
    "prev_margin": "last earlier game: points scored less allowed",
}
RATING = {"elo": "Elo rating before the game"}
SITUATION = {
    "rest_days": "days since the last game of this season; 7 in the first",
    "short_rest": "1 if rest_days < 6, else 0",
    "long_rest": "1 if rest_days > 13, else 0",
    "venue_changed": "1 if on the other side (home, away) than in the last game, else 0",
    "qb_changed": "1 if the starting quarterback is another than in the last game, else 0",
    "qb_tenure": "earlier games in a row with this starting quarterback",
    "coach_changed": "1 if the head coach is another than in the last game, else 0",
    "coach_tenure": "earlier games in a row with this head coach",
    "travel_km": "distance from the team's own stadium to the game's, km",
}
PLACE = {
    "neutral_site": "1 if neither team is at home, else 0",
    "div_game": "1 if both teams are of one division, else 0",
    "postseason": "1 in play-offs, else 0",
    "indoors": "1 if the roof is closed or a dome, else 0",
    "grass": "1 if the surface is grass, else 0",
    "week_number": "week of the season",
}
WEATHER = {
    name: MEASURES[name].meaning.removesuffix("; null indoors") + "; null indoors"
    for name in ("temp_c", "wind_kmh", "humidity_pct", "pressure_hpa", "precip_mm")
}
LINES = {
    "spread_line": ODDS["spread_line"].meaning,
    "total_line": ODDS["total_line"].meaning,
    "market_prob": "chance of a home win by the moneylines, the bookmaker's share taken out",
}
PRICED = {
    "prev_line": "last earlier game: closing line from the team's own side, points",
    "prev_cover": "last earlier game: margin above that line 1, equal .5, below 0",
}
TEAMS = {"home": "home team", "away": "visitors"}


def _windows(statistics: Mapping[str, str]) -> dict[str, str]:
    """Statistics over each window, and their sums."""
    found = {
        f"{name}_{window}": f"mean over {over}: {meaning}"
        for name, meaning in statistics.items()
        for window, over in WINDOWS.items()
    }
    sums = {name: meaning for name, meaning in statistics.items() if name in SUMS}
    return found | {f"{x}_prior_sum": f"sum over all earlier games: {sums[x]}" for x in sums}


def _both(found: Mapping[str, str]) -> dict[str, str]:
    """What is told of a team: home team, visitors, their difference."""
    return dict(_sides(found))


def _sides(found: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, meaning in found.items():
        for side, who in TEAMS.items():
            yield f"{side}_{name}", f"{who}: {meaning}"
        yield f"{name}_diff", f"home team less visitors: {meaning}"


_GROUPS = {
    "form": _both({**_windows(FORM), **PAST}),
    "efficiency": _both(_windows(EFFICIENCY)),
    "rating": {**_both(RATING), "elo_prob": "chance of a home win by the ratings"},
    "situation": {**_both(SITUATION), **PLACE},
    "weather": WEATHER,
    "market": {**LINES, **_both(PRICED)},
}
GROUPS: Mapping[str, list[str]] = {group: list(found) for group, found in _GROUPS.items()}
_OF_GAMES = ("season", "game_id", "game_type", "week", "date", "home_team", "away_team", "neutral")
KEYS = {name: SCHEDULES[name] for name in _OF_GAMES} | {
    f"{side}_team": Column(pl.String, f"franchise of the {who}, code of today")
    for side, who in TEAMS.items()
}
SCORES = {f"{side}_score": SCHEDULES[f"{side}_score"] for side in TEAMS}
RESULTS = {
    "home_margin": Column(pl.Int32, "points of the home team less the visitors'"),
    "total": Column(pl.Int32, "points of both teams"),
    "home_win": Column(pl.Int8, "1 if the home team won, 0 if it lost, null: tie or not played"),
    "home_cover": Column(pl.Int8, "1 if home_margin is above spread_line, 0 below, null: equal"),
    "over_hit": Column(pl.Int8, "1 if total is above total_line, 0 below, null: equal"),
}
COLUMNS = {  # what has no source is not there: weather, lines and what needs them
    **KEYS,
    **SCORES,
    **{
        name: Column(pl.Float64, meaning)
        for found in _GROUPS.values()
        for name, meaning in found.items()
    },
    **RESULTS,
}

"""GameCenter's statistics of players, play by play, added up to the offence's box score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from scripts.nfl.columns import PLAYER_GAMES, SCHEDULES
from scripts.nfl.gamecenter import FIELD_GOAL, FUMBLE_LOST, KICKOFF, PUNT, counts
from scripts.nfl.gamecenter import numbered as plays_of
from scripts.nfl.teams import CODES
from scripts.tables import Column

PASSED = ("attempts", "completions", "passing_yards")
RUN, CAUGHT = ("carries", "rushing_yards"), ("receptions", "receiving_yards")
# The league's number of a statistic -> what it adds to. Two-point tries have numbers of their own.
ADDS = {
    10: RUN,
    11: (*RUN, "rushing_tds"),
    12: ("rushing_yards",),  # after a lateral
    13: ("rushing_yards", "rushing_tds"),
    14: ("attempts",),
    15: PASSED,
    16: (*PASSED, "passing_tds"),
    17: ("passing_yards",),
    18: ("passing_yards", "passing_tds"),
    19: ("attempts", "interceptions"),
    20: ("sacks", "sack_yards"),
    21: CAUGHT,
    22: (*CAUGHT, "receiving_tds"),
    23: ("receiving_yards",),
    24: ("receiving_yards", "receiving_tds"),
    115: ("targets",),
    FUMBLE_LOST: ("fumbles_lost",),
}
KICKS = PUNT | FIELD_GOAL | KICKOFF
COUNTED = tuple(name for name, column in PLAYER_GAMES.items() if column.dtype == pl.Int32)[1:]
COLUMNS = {  # of the file that is landed
    "game_id": PLAYER_GAMES["game_id"],
    "old_game_id": SCHEDULES["old_game_id"],
    "player_id": PLAYER_GAMES["player_id"],
    "name": PLAYER_GAMES["name"],
    "team": Column(pl.String, "code of the player's team, as GameCenter has it"),
    **{name: PLAYER_GAMES[name] for name in COUNTED},
}


def of_game(game: Mapping, record: Mapping) -> list[dict]:
    """The offence's box score of a game: a row for each player and team, columns `COLUMNS`.

    Args:
        game: a game of `gamecenter.schedule`.
        record: GameCenter's record of it.
    """
    found: dict[tuple[str, str], dict] = {}
    for player, stat, adds in _statistics(record):
        key = (player, stat["clubcode"])
        if key not in found:
            keys = {"game_id": game["game_id"], "old_game_id": game["eid"], "player_id": player}
            told = {"name": None, "team": stat["clubcode"], **dict.fromkeys(COUNTED, 0)}
            found[key] = keys | told
        row = found[key]
        row["name"] = row["name"] or stat["playerName"] or None
        yards = stat["yards"] or 0
        for name in adds:
            row[name] += {"sack_yards": -yards}.get(name, yards if "yards" in name else 1)
    return list(found.values())


def _statistics(record: Mapping) -> Iterator[tuple[str, Mapping, tuple[str, ...]]]:
    """Player, statistic, and the columns that it adds to, of those that count."""
    for _, _, play in plays_of(record):
        if not counts(play):
            continue
        kicked = any(s["statId"] in KICKS for stats in play["players"].values() for s in stats)
        for player, stats in play["players"].items():
            for stat in stats:
                number = stat["statId"]
                lost = number == FUMBLE_LOST
                if number in ADDS and not (lost and (kicked or not _has_ball(stat, play))):
                    yield player, stat, ADDS[number]


def _has_ball(stat: Mapping, play: Mapping) -> bool:
    """Whether a statistic is of the team with the ball, whose code the play may write otherwise."""
    teams = [CODES.get(code, code) for code in (stat["clubcode"], play["posteam"])]
    return teams[0] == teams[1]

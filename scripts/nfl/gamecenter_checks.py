"""Whether the wheel's JSON is what its readers take it for: names, types, numbers that can be.

Its files carry no checksums. What is wrong in them raises ValueError, TypeError, KeyError or
AttributeError; the readers name the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

MOST = 60  # characters of a wrong value in an error
KINDS = ("PRE", "REG", "POST", "PRO")
SCORES = ("TD", "FG", "SAF", None)
TEXTS = ("posteam", "yrdln", "note", "desc")  # of a play; may be null
LIMITS = {"qtr": (1, 9), "down": (0, 4), "ydstogo": (0, 99)}
MOST_POINTS, MOST_YARDS, LAST_WEEK = 100, 200, 25
TEAM = re.compile(r"[A-Z]{2,3}")
CLOCK = re.compile(r"(1[0-2]|0?[1-9]):[0-5][0-9]")  # of a kickoff
LEFT = re.compile(r"(([0-9]?[0-9])?:[0-9][0-9])?")  # of a quarter


def check_game(eid: str, game: Mapping) -> None:
    """A game of the wheel's schedule.

    Raises:
        ValueError, TypeError, KeyError: it is none.
    """
    _need(game["eid"] == eid and len(eid) == 10 and eid.isdecimal(), "eid", game["eid"])
    day = datetime.strptime(eid[:8], "%Y%m%d")
    whole(game["year"], day.year - 1, day.year)  # the play-offs are in the year after
    whole(game["week"], 0, LAST_WEEK)
    _need(game["season_type"] in KINDS, "season_type", game["season_type"])
    _need(game["meridiem"] in (None, "AM", "PM"), "meridiem", game["meridiem"])
    _need(CLOCK.fullmatch(game["time"]), "time", game["time"])
    for side in ("home", "away"):
        _need(TEAM.fullmatch(game[side]), side, game[side])


def check_record(record: Mapping) -> None:
    """A game's record: scores of the teams, the summary of its scores, drives with their plays.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it is none.
    """
    for side in ("home", "away"):
        whole(record[side]["score"]["T"], 0, MOST_POINTS)
        _need(isinstance(record[side]["abbr"], str), "abbr", record[side]["abbr"])
    for number, score in record["scrsummary"].items():
        key(number)
        _need(score["type"] in SCORES, "type of a score", score["type"])
        for name in ("team", "desc"):
            _need(isinstance(score[name], str), f"{name} of a score", score[name])
    for number, drive in record["drives"].items():
        if number != "crntdrv":
            key(number)
            for name, play in drive["plays"].items():
                key(name)
                _check_play(play)


def _check_play(play: Mapping) -> None:
    for name in TEXTS:
        _need(play[name] is None or isinstance(play[name], str), name, play[name])
    for name, ends in LIMITS.items():
        whole(play[name], *ends)
    _need(LEFT.fullmatch(play["time"]), "time", play["time"])
    for stats in play["players"].values():
        _need(isinstance(stats, list), "statistics", stats)
        for stat in stats:
            club, name, yards = stat["clubcode"], stat["playerName"], stat["yards"]
            _need(type(stat["statId"]) is int, "statId", stat["statId"])
            _need(isinstance(club, str), "clubcode", club)
            _need(name is None or isinstance(name, str), "playerName", name)
            sound = type(yards) in (int, float) and abs(yards) <= MOST_YARDS and yards == int(yards)
            _need(sound, "yards", yards)


def key(text: str) -> int:
    """The number that is a key, written in the only way, so that no two keys are one.

    Raises:
        ValueError: it is none.
    """
    _need(text.isascii() and text.isdecimal() and len(text) <= 5, "number", text)
    _need(str(int(text)) == text, "number", text)
    return int(text)


def whole(value: object, low: int, high: int) -> None:
    """A whole number within limits.

    Raises:
        ValueError: it is none.
    """
    _need(type(value) is int and low <= value <= high, f"whole number from {low} to {high}", value)


def _need(good: object, what: str, got: object) -> None:
    if not good:
        text = repr(got)
        raise ValueError(f"{what}: got {text if len(text) <= MOST else text[:MOST] + '...'}")

"""Blows on the play-by-play of the NFL as nflverse publishes it: plays, box scores."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pyarrow as pa

from scripts.nfl import build_pbp, build_player_games, land_release
from scripts.nfl.columns import SCHEDULES
from scripts.nfl.play_players import COLUMNS as OF_PLAYERS
from scripts.nfl.play_players import FUMBLED, NUMBERS, WHO
from scripts.tables import schema_of
from tests.torture.mutate_more import of_one, of_parquet, parquet_of, parquet_rows
from tests.torture.reader import Bad, Files, Reader
from tests.unit.nfl.nfl_play_frames import games

# ---- nflverse's play-by-play


GAMES = (("2015_01_NE_BUF", "BUF", "NE"), ("2015_02_SD_KC", "KC", "SD"))
KINDS = ("pass", "run", "punt", "field_goal", "kickoff", "extra_point", "no_play")
FLAGS = ("interception", "fumble_lost", "sack", "penalty", "touchdown")
TEXTS = (
    *("game_id", "old_game_id", "posteam", "defteam", "play_type", "penalty_team", "td_team"),
    *("field_goal_result", "extra_point_result", "two_point_conv_result"),
    *("home_team", "away_team"),
)
LIMITS = {  # column of nflverse -> ours, from, to, whether it may be null
    "play_id": ("play_id", 0, 99_999, False),
    "qtr": ("quarter", 1, 9, False),
    "half_seconds_remaining": ("half_seconds", 0, 1800, True),
    "game_seconds_remaining": ("game_seconds", 0, 3600, True),
    "down": ("down", 1, 4, True),
    "ydstogo": ("ydstogo", 0, 99, True),
    "yardline_100": ("yardline_100", 0, 100, True),
    "yards_gained": ("yards_gained", -110, 110, True),
    "drive": ("drive", 0, 99, True),
}
WORDS = {
    "play_type": (*KINDS, "qb_kneel", "qb_spike"),
    "field_goal_result": ("made", "missed", "blocked"),
    "extra_point_result": ("good", "failed", "blocked", "aborted", "safety"),
    "two_point_conv_result": ("success", "failure", "safety", "return"),
}
PLAYER = re.compile(r"\d{2}-\d{7}", re.ASCII)


def _schedule(folder: Path) -> Path:
    rows = [
        {"game_id": name, "home_team": home, "away_team": away, "home_score": 7, "away_score": 3}
        for name, home, away in GAMES
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "schedule.parquet"
    games(*rows).cast(schema_of(SCHEDULES)).write_parquet(path)
    return path


def plays(rng: Random) -> dict[str, bytes]:
    """Two games of eight plays."""
    rows = []
    for name, home, away in GAMES:
        for n in range(8):
            kind, team = rng.choice(KINDS), rng.choice((home, away))
            row: dict[str, Any] = dict.fromkeys((*land_release.PLAYS, *OF_PLAYERS, "drive"), None)
            row |= dict.fromkeys((*FLAGS, *NUMBERS, "safety", "qb_kneel", "qb_spike"), 0.0)
            row |= {
                "game_id": name,
                "old_game_id": "2015091300",
                "season": 2015,
                "week": 1,
                "play_id": 40.0 + 20 * n,
                "qtr": 1.0 + n // 2,
                "half_seconds_remaining": 1700.0 - 90 * n,
                "game_seconds_remaining": 3500.0 - 90 * n,
                "posteam": team,
                "defteam": home if team == away else away,
                "down": rng.choice((1.0, 4.0, None)),
                "ydstogo": 10.0,
                "yardline_100": float(rng.randrange(1, 99)),
                "play_type": kind,
                "yards_gained": float(rng.randrange(-5, 20)),
                "field_goal_result": rng.choice(("made", "missed"))
                if kind == "field_goal"
                else None,
                "home_team": home,
                "away_team": away,
                "total_home_score": 0.0,
                "total_away_score": 0.0,
                "epa": rng.uniform(-3, 3),
                "wp": rng.random(),
                "drive": float(n // 3 + 1),
            }
            if kind == "run":
                row |= {"rusher_player_id": f"00-00000{n:02}", "rusher_player_name": f"R.{n}"}
                row["rushing_yards"] = row["yards_gained"]
            rows.append(row)
    texts = {*TEXTS, *(f"{w}_player_{x}" for w in WHO for x in ("id", "name"))}
    texts |= {f"{who}_team" for who in FUMBLED}
    fields = [
        (name, pa.string() if name in texts else pa.int32() if name in ("season", "week") else
         pa.float64())
        for name in rows[0]
    ]  # fmt: skip
    return {"pbp.parquet": parquet_of(pa.Table.from_pylist(rows, pa.schema(fields)))}


def take_plays(given: Path, out: Path) -> dict:
    """Plays by game and number."""
    schedule = _schedule(given.parent / "other")
    build_pbp.build(given / "pbp.parquet", schedule, out / "part.parquet")
    names = [told[0] for told in LIMITS.values()]
    found = {}
    for row in pl.read_parquet(out / "part.parquet").to_dicts():
        told = {n: row[n] for n in (*names, *FLAGS, "posteam", "kind", "points", "epa", "wp")}
        found[row["game_id"], row["play_id"]] = told
    return found


def play_rows(files: Files) -> dict:
    """The oracle of `take_plays`."""
    schema, rows = parquet_rows(files, "pbp.parquet")
    needed = (*LIMITS, *FLAGS, *WORDS, "game_id", "posteam", "td_team", "penalty_team", "epa", "wp")
    if missing := [n for n in (*needed, "safety") if n not in schema.names and n != "drive"]:
        raise Bad(f"no column {missing[0]}")
    if "drive" not in schema.names:
        raise Bad("no column drive")
    if not rows:
        raise Bad("no plays")
    sides, found = {name: (home, away) for name, home, away in GAMES}, {}
    for row in rows:
        if row["game_id"] not in sides:
            raise Bad(f"game {row['game_id']}")
        told = {}
        for name, (ours, low, high, nullable) in LIMITS.items():
            told[ours] = _limited(row[name], low, high, name, nullable=nullable, whole=True)
        for name in FLAGS:
            told[name] = _limited(row[name], 0, 1, name, whole=True) == 1
        safety = _limited(row["safety"], 0, 1, "safety", whole=True) == 1
        told["epa"], told["wp"] = (_limited(row[n], low, high, n) for n, low, high in
                                   (("epa", -20, 20), ("wp", 0, 1)))  # fmt: skip
        for name, words in WORDS.items():
            if row[name] not in (None, *words):
                raise Bad(f"{name} is {row[name]!r}")
        teams = {n: _team(row[n], sides[row["game_id"]], n) for n in ("posteam", "td_team")}
        _team(row["penalty_team"], sides[row["game_id"]], "penalty_team")
        told["posteam"] = teams["posteam"]
        kind = {"extra_point": "conversion", None: "timeout"}.get(
            row["play_type"], row["play_type"]
        )
        told["kind"] = kind if row["two_point_conv_result"] is None else "conversion"
        kicked = 3 if row["field_goal_result"] == "made" else 2 if safety else 0
        told["points"] = 6 if teams["td_team"] else kicked
        key = row["game_id"], told["play_id"]
        if key in found:
            raise Bad(f"{key} twice")
        found[key] = told
    return found


def _limited(
    value: Any, low: float, high: float, name: str, *, nullable: bool = True, whole: bool = False
) -> float | None:
    if value is None and nullable:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise Bad(f"{name} is {value!r}") from None
    if not low <= number <= high or (whole and number % 1):
        raise Bad(f"{name} is {value!r}")
    return number


def _team(value: Any, sides: tuple[str, str], name: str) -> str | None:
    if value not in (None, "", *sides, {"SD": "LAC"}.get(sides[1])):
        raise Bad(f"{name} is {value!r}")
    return {"LAC": "SD"}.get(value, value) or None


def take_box(given: Path, out: Path) -> dict:
    """Carries and yards of runners by game and player, and entries without a player."""
    schedule = _schedule(given.parent / "other")
    said = build_player_games.build(given / "pbp.parquet", "pbp", schedule, out / "part.parquet")
    rows = pl.read_parquet(out / "part.parquet").to_dicts()
    counts = [int(n) for n in re.findall(r"(\d+) entries|(\d+) games not", said) for n in n if n]
    found: dict = {"left out": counts}
    return found | {
        (r["game_id"], r["player_id"]): [r["carries"], r["rushing_yards"], r["team"]] for r in rows
    }


def box_rows(files: Files) -> dict:
    """The oracle of `take_box`."""
    schema, rows = parquet_rows(files, "pbp.parquet")
    if missing := [name for name in OF_PLAYERS if name not in schema.names]:
        raise Bad(f"no column {missing[0]}")
    sides, unknown, unnamed = {g: (home, away) for g, home, away in GAMES}, set(), 0
    found: dict[tuple, list] = {}
    for row in rows:
        numbers = {n: _limited(row[n], -200, 200, n, whole=True) or 0 for n in NUMBERS}
        if row["play_type"] not in (None, *WORDS["play_type"]):
            raise Bad(f"play_type is {row['play_type']!r}")
        if row["play_type"] == "no_play" or numbers["two_point_attempt"]:
            continue
        for who in WHO:
            name, kept = row[f"{who}_player_id"], ["rusher", "lateral_rusher"]
            if name is None or who in FUMBLED:
                continue
            if not isinstance(name, str) or not PLAYER.fullmatch(name):
                unnamed += 1
                continue
            if row["game_id"] not in sides:
                unknown.add(row["game_id"])
                continue
            team = _team(row["posteam"], sides[row["game_id"]], "posteam")
            if team is None:
                raise Bad("a player of nobody")
            own = found.setdefault((row["game_id"], name), [0, 0, team])
            if own[2] != team:
                raise Bad("a player of both teams")
            yards = numbers["rushing_yards" if who == "rusher" else "lateral_rushing_yards"]
            own[0] += who == "rusher"
            own[1] += yards if who in kept else 0
    return {"left out": [unnamed, len(unknown)], **found}


READERS = [
    Reader("plays", plays, of_one(of_parquet), take_plays, play_rows),
    Reader("box scores", plays, of_one(of_parquet), take_box, box_rows),
]

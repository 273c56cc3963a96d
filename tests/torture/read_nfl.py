"""Blows on the files of the NFL; those of games.csv, schedule, lines and weather, are here."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random

import polars as pl

from scripts.nfl import (
    build_odds,
    build_schedules,
    build_weather,
    land_release,
)
from scripts.nfl.columns import SCHEDULES
from scripts.nfl.teams import CODES
from scripts.tables import schema_of
from tests.torture import read_nfl_plays, read_nfl_served, read_nfl_tables, read_nfl_wheel
from tests.torture.mutate import HOSTILE_NAMES
from tests.torture.mutate_more import csv_rows, keyed, of_csv, of_one
from tests.torture.read_nfl_tables import SEASON, landed, landed_rows, number, text_of
from tests.torture.reader import Bad, Files, Reader, cases_of, named
from tests.torture.tally import Case
from tests.unit.nfl.nfl_play_frames import games

KIND = "malformed nfl"
GAME_ID = re.compile(rf"{SEASON}_\d\d_[A-Z]{{2,3}}_[A-Z]{{2,3}}", re.ASCII)
GAMES_HEADER = land_release.SCHEDULES
PAIRS = (("NE", "BUF"), ("MIA", "NYJ"), ("KC", "DEN"), ("STL", "SEA"))
ROOFS = ("outdoors", "dome", "closed", "open")


# ---- games.csv


def games_csv(rng: Random) -> dict[str, bytes]:
    """Four games of the season, two of another."""
    rows = []
    for n, (away, home) in enumerate((*PAIRS, *PAIRS[:2])):
        season = SEASON if n < 4 else SEASON - 1
        day = dt.date(season, 9, 13) + dt.timedelta(7 * n)
        row = {
            "game_id": f"{season}_{n + 1:02}_{away}_{home}",
            "season": season,
            "game_type": "REG",
            "week": n + 1,
            "gameday": day,
            "gametime": rng.choice(("13:00", "09:30", "21:30", "")),
            "away_team": away,
            "home_team": home,
            "away_score": rng.randrange(50),
            "home_score": rng.randrange(50),
            "location": rng.choice(("Home", "Neutral")),
            "old_game_id": f"{day:%Y%m%d}{n:02}",
            "div_game": rng.randrange(2),
            "roof": rng.choice(("outdoors", "dome", "")),
            "surface": "grass ",
            "stadium": f"Stadium {n}",
            "home_qb_id": f"00-000000{n}",
            "home_coach": "A Coach",
            "spread_line": rng.choice((3.5, -7, "")),
            "total_line": 44.5,
            "home_moneyline": -170,
            "away_moneyline": 150,
            "temp": rng.choice((55, "NA", "")),
            "wind": 7,
        }
        rows.append(row)
    return {"games.csv": text_of(GAMES_HEADER, rows)}


def season_rows(files: Files, columns: tuple[str, ...]) -> list[dict[str, str | None]]:
    """Rows of the season, stripped, empty cells none."""
    body = files["games.csv"]
    if not body.endswith(b"\n"):
        raise Bad("its last line does not end")
    found = []
    for row in csv_rows(body, ("game_id", "season", *columns)):
        row = {name: cell.strip() for name, cell in row.items()}
        row = {name: None if cell in ("", "NA") else cell for name, cell in row.items()}
        if not re.fullmatch(r"\d{4}", row["season"] or "", re.ASCII):
            raise Bad(f"season is {row['season']}")
        if row["season"] == str(SEASON):
            if not GAME_ID.fullmatch(row["game_id"] or ""):
                raise Bad(f"game_id is {row['game_id']}")
            found.append(row)
    if not found:
        raise Bad("no game of the season")
    keyed(found, "game_id")
    return found


def take_schedule(given: Path, out: Path) -> dict:
    """The schedule by game."""
    build_schedules.build(given / "games.csv", SEASON, None, out / "part.parquet")
    return {row["game_id"]: row for row in pl.read_parquet(out / "part.parquet").to_dicts()}


def schedule_rows(files: Files) -> dict:
    """The oracle of `take_schedule`."""
    found, numbers = {}, []
    for row in season_rows(files, build_schedules.games_csv.SCHEDULE):
        if lacking := [n for n in ("game_type", "week", "gameday") if row[n] is None]:
            raise Bad(f"no {lacking[0]}")
        home, away = row["home_team"], row["away_team"]
        if home not in CODES or away not in CODES or CODES[home] == CODES[away]:
            raise Bad(f"{away} at {home}")
        try:
            day = dt.datetime.strptime(row["gameday"], "%Y-%m-%d").date()
            if row["gametime"]:
                dt.datetime.strptime(row["gametime"], "%H:%M")
        except ValueError as error:
            raise Bad(str(error)) from None
        if not dt.date(SEASON, 8, 1) <= day <= dt.date(SEASON + 1, 3, 1):
            raise Bad(f"{day} is not of the season")
        if row["game_type"] not in ("REG", "WC", "DIV", "CON", "SB"):
            raise Bad(f"game_type is {row['game_type']}")
        if row["location"] not in ("Home", "Neutral", None):
            raise Bad(f"location is {row['location']}")
        if row["roof"] not in (*ROOFS, "retractable", None):
            raise Bad(f"roof is {row['roof']}")
        scores = [number(row[f"{side}_score"], 0, 100, whole=True) for side in ("home", "away")]
        if (scores[0] is None) != (scores[1] is None):
            raise Bad("one score only")
        division = number(row["div_game"], 0, 1, whole=True)
        clock, neutral = row["gametime"], row["location"] == "Neutral"
        clock = clock and f"{dt.datetime.strptime(clock, '%H:%M'):%H:%M}"
        clock = "21:00" if clock == "09:00" else clock
        clock = "09:30" if clock == "21:30" and neutral else clock
        numbers += [row["old_game_id"]] if row["old_game_id"] and scores[0] is not None else []
        same = ("game_id", "old_game_id", "game_type", "home_team", "away_team", "roof", "surface",
                "stadium", "home_coach", "away_coach")  # fmt: skip
        found[row["game_id"]] = {name: row[name] for name in same} | {
            "season": SEASON,
            "week": number(row["week"], 1, 25, whole=True),
            "date": day,
            "kickoff": clock,
            "home_score": scores[0],
            "away_score": scores[1],
            "neutral": neutral,
            "div_game": None if division is None else division == 1,
            "home_qb": row["home_qb_id"],
            "away_qb": row["away_qb_id"],
        }
    if len(set(numbers)) < len(numbers):
        raise Bad("old_game_id twice")
    return found


def _schedule(folder: Path) -> Path:
    """The schedule of `games_csv`, one game of it indoors."""
    rows = [
        {
            "season": SEASON,
            "game_id": f"{SEASON}_{n + 1:02}_{away}_{home}",
            "old_game_id": f"{dt.date(SEASON, 9, 13) + dt.timedelta(7 * n):%Y%m%d}{n:02}",
            "home_team": home,
            "away_team": away,
            "roof": "dome" if n == 1 else None,
        }
        for n, (away, home) in enumerate(PAIRS)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "schedule.parquet"
    games(*rows).cast(schema_of(SCHEDULES)).write_parquet(path)
    return path


IDS = [f"{SEASON}_{n + 1:02}_{away}_{home}" for n, (away, home) in enumerate(PAIRS)]
LINES = {
    "spread_line": (-50, 50),
    "total_line": (20, 100),
    "home_moneyline": (-100_000, 100_000),
    "away_moneyline": (-100_000, 100_000),
}


def take_odds(given: Path, out: Path) -> dict:
    """Closing lines by game."""
    path = _schedule(given.parent / "other")
    build_odds.build(given / "games.csv", path, SEASON, out / "part.parquet")
    rows = pl.read_parquet(out / "part.parquet").to_dicts()
    return {row["game_id"]: [row[name] for name in LINES] for row in one_each(rows)}


def one_each(rows: list[dict]) -> list[dict]:
    """Rows, of each game one."""
    if twice := [game for game, count in Counter(r["game_id"] for r in rows).items() if count > 1]:
        raise AssertionError(f"{twice[0]} comes out twice")
    return rows


def odds_rows(files: Files) -> dict:
    """The oracle of `take_odds`."""
    rows = {row["game_id"]: row for row in season_rows(files, tuple(LINES))}
    found = {
        name: [number(row[n], *ends) for n, ends in LINES.items()] for name, row in rows.items()
    }
    if any(v is not None and abs(v) < 100 for lines in found.values() for v in lines[2:]):
        raise Bad("no American odds")
    return {name: found.get(name, [None] * 4) for name in IDS}


def take_weather(given: Path, out: Path) -> dict:
    """Temperature and wind by game."""
    path = _schedule(given.parent / "other")
    build_weather.build("schedules", given / "games.csv", path, SEASON, out / "part.parquet")
    rows = pl.read_parquet(out / "part.parquet").to_dicts()
    return {row["game_id"]: [row["temp_c"], row["wind_kmh"]] for row in one_each(rows)}


def weather_rows(files: Files) -> dict:
    """The oracle of `take_weather`."""
    found: dict[str, list] = {}
    for row in season_rows(files, ("temp", "wind")):
        temp, wind = number(row["temp"], -40, 130), number(row["wind"], 0, 100)
        found[row["game_id"]] = [
            None if temp is None else (temp - 32) / 1.8,
            None if wind is None else wind * 1.609344,
        ]
    return {n: found.get(n, [None] * 2) if n != IDS[1] else [None] * 2 for n in IDS}


READERS = [
    Reader("schedules", games_csv, of_one(of_csv), take_schedule, schedule_rows),
    Reader("odds", games_csv, of_one(of_csv), take_odds, odds_rows),
    Reader("weather", games_csv, of_one(of_csv), take_weather, weather_rows),
    Reader(
        "games as landed",
        games_csv,
        of_one(of_csv),
        partial(landed, "schedules", "games.csv"),
        partial(landed_rows, "schedules", "games.csv", True),
    ),
    *read_nfl_tables.READERS,
    *read_nfl_plays.READERS,
    *read_nfl_wheel.READERS,
    *read_nfl_served.READERS,
]


def cases(seed: int, count: int) -> list[Case]:
    """So many blows on the files of the NFL."""
    return cases_of(KIND, READERS, seed, count)


def _named(name: str, column: str, rng: Random) -> dict[str, bytes]:
    body = games_csv(rng)["games.csv"].decode()
    first = body.split("\n")[1].split(",")
    first[GAMES_HEADER.index(column)] = '"' + name.replace('"', '""') + '"'
    lines = [*body.split("\n")[:1], ",".join(first), *body.split("\n")[2:]]
    return {"games.csv": "\n".join(lines).encode("utf-8", "surrogatepass")}


def hostile_names(seed: int) -> list[Case]:
    """Hostile names of stadiums, coaches and teams, and of columns."""
    rng, made = Random(seed), []
    for name in HOSTILE_NAMES:
        for column in ("stadium", "home_coach", "home_team", "game_id"):
            told, make = f"nfl: {column} {name[:20]!r}", partial(_named, name, column)
            made.append(named(told, make, "games.csv", take_schedule, schedule_rows, rng))
    return made

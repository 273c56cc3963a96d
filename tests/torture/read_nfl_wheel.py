"""Blows on the wheel of the league's GameCenter: schedule, records of games, list of players."""

from __future__ import annotations

import datetime as dt
import functools
import gzip
import json
import re
import zlib
from pathlib import Path
from random import Random
from typing import Any

import polars as pl

from scripts.nfl import build_players, gamecenter
from scripts.nfl.land_gamecenter import land
from tests.torture.mutate_bytes import GZIP, recompressed
from tests.torture.mutate_more import of_json, of_one
from tests.torture.reader import Bad, Files, Reader

PLAYER = re.compile(r"\d{2}-\d{7}", re.ASCII)


@functools.cache
def _wheel() -> tuple[list, dict[str, dict]]:
    """Two games of the wheel's schedule, one of another season, and the records cut short."""
    folder = gamecenter.package()
    whole = json.loads((folder / "schedule.json").read_bytes())["games"]
    of = [g for g in whole if g[1]["year"] == 2013 and g[1]["season_type"] == "REG"][:2]
    other = [g for g in whole if g[1]["year"] == 2012 and g[1]["season_type"] == "REG"][:1]
    records = {}
    for name, _ in of:
        packed = (folder / "gamecenter-json" / f"{name}.json.gz").read_bytes()
        record = json.loads(gzip.decompress(packed))[name]
        record["drives"] = {n: record["drives"][n] for n in ("1", "2", "3")} | {"crntdrv": 3}
        kept = ("home", "away", "drives", "scrsummary")
        record = {key: record[key] for key in kept}
        for side in ("home", "away"):
            record[side] = {"score": record[side]["score"], "abbr": record[side]["abbr"]}
        records[name] = record
    return [*of, *other], records


def wheel(_rng: Random) -> dict[str, bytes]:
    """Its files."""
    listed, records = _wheel()
    files = {"schedule.json": json.dumps({"games": listed}).encode()}
    for name, record in records.items():
        packed = gzip.compress(json.dumps({name: record}).encode(), 1, mtime=0)
        files[f"gamecenter-json/{name}.json.gz"] = packed
    return files


def strike_wheel(rng: Random, files: dict[str, bytes]) -> tuple[dict[str, bytes], str, str]:
    """A blow on one of its files."""
    name = rng.choice(sorted(files))
    blow = of_json
    if name.endswith(".gz"):
        blow = rng.choice(GZIP) if rng.random() < 0.2 else recompressed(of_json)
    content, what = blow(rng, files[name])
    return {**files, name: content}, what, name


SAME = ("qtr", "down", "ydstogo")


def take_wheel(given: Path, out: Path) -> dict:
    """Games and plays."""
    names = ("games.csv", "plays.parquet", "player_games.parquet")
    land(2013, given, *(out / name for name in names))
    listed = pl.read_csv(out / "games.csv", infer_schema=False).to_dicts()
    found: dict = {g["game_id"]: [g["gameday"], g["home_score"], g["away_score"]] for g in listed}
    for row in pl.read_parquet(out / "plays.parquet").to_dicts():
        key = row["game_id"], row["play_id"]
        found[key] = [row["drive"], row["posteam"], row["time"], *(row[name] for name in SAME)]
    return found


def wheel_rows(files: Files) -> dict:
    """The oracle of `take_wheel`."""
    try:
        return _wheel_rows(files)
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OSError,
        EOFError,
        zlib.error,
    ) as error:
        raise Bad(f"{type(error).__name__} {error}") from None
    except RecursionError:
        raise Bad("too deep") from None


def _wheel_rows(files: Files) -> dict:
    found: dict = {}
    for name, game in json.loads(files["schedule.json"])["games"]:
        day = dt.datetime.strptime(name[:8], "%Y%m%d").date()
        sound = type(game["year"]) is int and type(game["week"]) is int and name == game["eid"]
        sound &= game["season_type"] in ("PRE", "REG", "POST", "PRO")
        sound &= bool(re.fullmatch(r"\d{1,2}:\d\d", game["time"], re.ASCII))
        sound &= game["meridiem"] in (None, "AM", "PM") and 0 <= game["week"] <= 25
        sound &= (1 <= int(game["time"].split(":")[0]) <= 12) and int(game["time"][-2:]) < 60
        sound &= all(re.fullmatch(r"[A-Z]{2,3}", game[side]) for side in ("home", "away"))
        if not sound or len(name) != 10 or not 0 <= day.year - game["year"] <= 1:
            raise Bad(f"game {game}")
        if game["year"] != 2013 or game["season_type"] in ("PRE", "PRO"):
            continue
        own = f"2013_{game['week']:02}_{game['away']}_{game['home']}"
        packed = files.get(f"gamecenter-json/{name}.json.gz")
        if own in found:
            raise Bad(f"{own} twice")
        record = packed and json.loads(gzip.decompress(packed))[name]
        scores = [_whole(record[side]["score"]["T"], 0, 100) if record else None
                  for side in ("home", "away")]  # fmt: skip
        found[own] = [str(day), *(None if score is None else str(score) for score in scores)]
        if record:
            _plays_of(record, own, found)
    if not found:
        raise Bad("no game")
    return found


def _plays_of(record: dict, own: str, found: dict) -> None:
    for side in ("home", "away"):
        if not isinstance(record[side]["abbr"], str):
            raise Bad("a team is no text")
    for number, score in record["scrsummary"].items():
        _key(number)
        sound = score["type"] in ("TD", "FG", "SAF", None) and isinstance(score["desc"], str)
        if not sound or not isinstance(score["team"], str):
            raise Bad(f"score {score}")
    for drive, told in record["drives"].items():
        if drive == "crntdrv":
            continue
        for number, play in told["plays"].items():
            for name in ("posteam", "yrdln", "note", "desc"):
                if not isinstance(play[name], str | None):
                    raise Bad(f"{name} is {play[name]}")
            if not re.fullmatch(r"((\d?\d)?:\d\d)?", play["time"], re.ASCII):
                raise Bad(f"time is {play['time'][:20]}")
            numbers = [
                _whole(play[n], *ends)
                for n, ends in zip(SAME, ((1, 9), (0, 4), (0, 99)), strict=True)
            ]
            for stats in play["players"].values():
                if not isinstance(stats, list):
                    raise Bad("statistics are no list")
                for stat in stats:
                    sound = type(stat["statId"]) is int and isinstance(stat["clubcode"], str)
                    sound &= isinstance(stat["playerName"], str | None)
                    sound &= type(stat["yards"]) in (int, float) and abs(stat["yards"]) <= 200
                    if not sound or stat["yards"] % 1:
                        raise Bad(f"statistic {stat}")
            key = own, _key(number)
            if key not in found or found[key][0] > _key(drive):
                found[key] = [_key(drive), play["posteam"] or None, play["time"] or None, *numbers]


def _key(text: str) -> int:
    if str(int(text)) != text or int(text) > 99_999:
        raise Bad(f"number {text!r}")
    return int(text)


def _whole(value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise Bad(f"{value!r} is no whole number from {low} to {high}")
    return value


def people(rng: Random) -> dict[str, bytes]:
    """The wheel's list of players."""
    listed = {
        f"00-00000{n:02}": {
            "gsis_id": f"00-00000{n:02}",
            "full_name": f"Player {n}",
            "team": rng.choice(("NE", "BUF")),
            "position": "QB",
            "birthdate": rng.choice(("5/18/1975", "//")),
        }
        for n in range(5)
    }
    return {"players.json": json.dumps(listed).encode()}


def take_people(given: Path, out: Path) -> dict:
    """Players by id, and how many were refused."""
    said = build_players.build([given / "players.json"], 2013, out / "part.parquet")
    rows = pl.read_parquet(out / "part.parquet").to_dicts()
    counts = re.findall(r"(\d+) no|(\d+) unknown", said.partition("refused rows:")[2])
    refused = sum(int(one or other) for one, other in counts)
    return {"refused": refused} | {row["player_id"]: list(row.values()) for row in rows}


def people_rows(files: Files) -> dict:
    """The oracle of `take_people`: teams are those of another season."""
    try:
        records = json.loads(files["players.json"])
    except (ValueError, RecursionError):
        raise Bad("it is no JSON") from None
    if not isinstance(records, dict) or not all(isinstance(r, dict) for r in records.values()):
        raise Bad("it is no object of objects")
    found: dict = {"refused": 0}
    for record in records.values():
        cells = [record.get(n) for n in ("gsis_id", "full_name", "position", "birthdate", "team")]
        if not all(isinstance(cell, str | None) for cell in cells):
            raise Bad("a cell is no text")
        if re.search("[\ud800-\udfff]", "".join(filter(None, cells))):
            raise Bad("a cell is text that UTF-8 cannot hold")
        name, full, place, born, _ = (
            None if c is None or c.strip() in ("", "NA") else c.strip() for c in cells
        )
        try:
            day = None if born in (None, "//") else _day(born)
        except ValueError:
            found["refused"] += 1
            continue
        if full is None or not PLAYER.fullmatch(name or ""):
            found["refused"] += 1
            continue
        found[name] = [2013, name, full, None, place, day]
    if len(found) == 1:
        raise Bad("no player")
    return found


def _day(text: str) -> dt.date:
    form = "%m/%d/%Y" if "/" in text else "%Y-%m-%d"
    return dt.datetime.strptime(text, form).date()


READERS = [
    Reader("gamecenter", wheel, strike_wheel, take_wheel, wheel_rows),
    Reader("players of the wheel", people, of_one(of_json), take_people, people_rows),
]

"""Blows on what the NFL's web services answer: stations and hours of weather, bookmakers' odds."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import re
import statistics
import zlib
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from scripts.errors import DataError
from scripts.nfl import build_weather, meteostat, odds_api
from scripts.nfl.teams import NAMES
from scripts.patience import PassingError
from tests.torture.mutate_bytes import GZIP, recompressed
from tests.torture.mutate_more import csv_rows, of_csv, of_json, of_one
from tests.torture.reader import Bad, Files, Reader
from tests.unit.nfl.nfl_play_frames import games

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
HOUR = dt.datetime(2024, 9, 8, 15)


def _gzipped(rng: Random, content: bytes, inside: Any) -> tuple[bytes, str]:
    if rng.random() < 0.3:
        return rng.choice(GZIP)(rng, content)
    return recompressed(inside)(rng, content)


def _unpacked(body: bytes) -> bytes:
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        raise Bad("it is no whole gzip") from None


def _json(body: bytes) -> Any:
    def refuse(word: str) -> None:
        raise Bad(f"{word} is no JSON")

    try:
        return json.loads(body, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise Bad("it is no JSON") from None


def _final(read: Any, given: Path, name: str) -> Any:
    """What a reader gives; what another try might mend is refused in the end."""
    try:
        return read((given / name).read_bytes(), name)
    except PassingError as error:
        raise DataError(str(error)) from None


def stations(rng: Random) -> dict[str, bytes]:
    """A list of stations, one without hourly data."""
    listed = [
        {
            "id": f"7{n:03}A",
            "name": {"en": f"Station {n}"},
            "location": {"latitude": round(rng.uniform(25, 48), 3), "longitude": -75.5},
            "inventory": {
                "hourly": {
                    "start": "1973-01-01" if n != 2 else None,
                    "end": "2026-01-01" if n != 2 else None,
                }
            },
        }
        for n in range(4)
    ]
    return {"lite.json.gz": gzip.compress(json.dumps(listed).encode(), mtime=0)}


def take_stations(given: Path, _out: Path) -> list:
    """Stations with hourly data."""
    return [list(row) for row in _final(meteostat.stations, given, "lite.json.gz").rows()]


def station_rows(files: Files) -> list:
    """The oracle of `take_stations`."""
    found = []
    listed = _json(_unpacked(files["lite.json.gz"]))
    if not isinstance(listed, list):
        raise Bad("it is no list")
    for entry in listed:
        try:
            hourly, name = entry["inventory"]["hourly"], entry["id"]
            if hourly["start"] is None or hourly["end"] is None:
                continue
            ends = [hourly["start"], hourly["end"]]
            place = entry["location"]
            first, last = map(dt.date.fromisoformat, ends)
            lat, lon = place["latitude"], place["longitude"]
            sound = (
                all(type(x) in (int, float) for x in (lat, lon)) and abs(lat) <= 90 >= abs(lon) / 2
            )
            if not sound or not re.fullmatch(r"[\w-][\w.-]*", name, re.ASCII):
                raise Bad(f"station {entry}")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Bad(f"station {len(found) + 1}: {error}") from None
        found.append([name, float(lat), float(lon), first, last])
    if not found:
        raise Bad("no station")
    return found


def hours(rng: Random, headed: bool) -> dict[str, bytes]:
    """Hours of a station."""
    lines = []
    for n in range(6):
        when, temp, wind = HOUR + dt.timedelta(hours=n), rng.randrange(-20, 40), rng.randrange(60)
        if headed:
            lines.append(
                f"{when:%Y},{when.month},{when.day},{when.hour},{temp},55,0.5,{wind},1013.2"
            )
        else:
            lines.append(f"{when:%Y-%m-%d},{when.hour},{temp},12.0,55,0.5,,250,{wind},,1013.2,,7")
    head = ["year,month,day,hour,temp,rhum,prcp,wspd,pres"] if headed else []
    return {"7000A.csv.gz": gzip.compress(("\n".join([*head, *lines]) + "\n").encode(), mtime=0)}


def take_hours(given: Path, _out: Path) -> dict:
    """The weather of each hour, as far as it is whole and plausible."""
    found = _final(meteostat.hours, given, "7000A.csv.gz")
    asked = [HOUR + dt.timedelta(hours=n) for n in range(-2, 9)]
    told = {str(hour): meteostat.at(found, hour.replace(tzinfo=dt.UTC)) for hour in asked}
    return {hour: values for hour, values in told.items() if values is not None}


def hour_rows(files: Files) -> dict:
    """The oracle of `take_hours`."""
    body = _unpacked(files["7000A.csv.gz"])
    if not body.removeprefix(b"\xef\xbb\xbf").startswith(b"year,month,day,hour"):
        try:
            rows = [
                row for row in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")) if row
            ]
        except (ValueError, csv.Error):
            raise Bad("it is no CSV") from None
        if not rows or any(len(row) != len(meteostat.BARE) for row in rows):
            raise Bad("another number of columns")
        rows = [dict(zip(meteostat.BARE, row, strict=True)) for row in rows]
    else:
        rows = csv_rows(body, meteostat.CLOCK)
    found: dict[str, dict | None] = {}
    for row in rows:
        try:
            if "date" in row and "year" not in row:
                day = dt.datetime.strptime(row["date"], "%Y-%m-%d")
            else:
                day = dt.datetime(*(_whole(row[name]) for name in meteostat.CLOCK[:3]))
            hour = _whole(row["hour"])
            if not 0 <= hour < 24:
                raise Bad(f"hour is {hour}")
        except (ValueError, OverflowError) as error:
            raise Bad(str(error)) from None
        values, plausible = {}, True
        for name, (source, low, high) in meteostat.QUANTITIES.items():
            cell = row.get(source, "")
            if cell and cell.lower() not in ("nan", "inf", "-inf") and not NUMBER.fullmatch(cell):
                raise Bad(f"{source} is {cell[:20]}")
            values[name] = float(cell) if cell else None
            plausible &= not cell or low <= float(cell) <= high
        plausible &= None not in (values["temp_c"], values["wind_kmh"])
        found.setdefault(str(day + dt.timedelta(hours=hour)), values if plausible else None)
    asked = {str(HOUR + dt.timedelta(hours=n)) for n in range(-2, 9)}
    return {hour: found[hour] for hour in asked & set(found) if found[hour] is not None}


def _whole(cell: str) -> int:
    if not re.fullmatch(r"[+-]?\d+", cell, re.ASCII):
        raise Bad(f"{cell[:20]!r} is no whole number")
    return int(cell)


MEASURES = {
    "Temperature": (-60, 140),
    "Humidity": (0, 100),
    "WindSpeed": (0, 150),
    "Pressure": (15, 33),
    "Precipitation": (0, 20),
}
PLAYED = ("2015091300", "2015091301", "2015092000")


def measures(rng: Random) -> dict[str, bytes]:
    """Measures of three games, and their starts; one is on no schedule."""
    hourly = [",".join(build_weather.HOURLY)]
    starts = [",".join(build_weather.STARTS)]
    for game in (*PLAYED[:2], "1999091200"):
        starts.append(f"{game},9/13/2015 13:00")
        hourly += [
            f"{game},9/13/2015 {hour}:00,{rng.randrange(30, 90)},50,{rng.randrange(20)},29.9,0"
            for hour in (12, 13, 14)
        ]
    return {
        "hours.csv": ("\n".join(hourly) + "\n").encode(),
        "starts.csv": ("\n".join(starts) + "\n").encode(),
    }


def take_measures(given: Path, _out: Path) -> dict:
    """The measure at each kickoff."""
    schedule = games(*({"game_id": f"2015_0{n}_NE_BUF", "old_game_id": eid}
                       for n, eid in enumerate(PLAYED)))  # fmt: skip
    found = build_weather.of_hours(given / "hours.csv", given / "starts.csv", schedule)
    return {row["game_id"]: row["temp_c"] for row in found.to_dicts()}


def measure_rows(files: Files) -> dict:
    """The oracle of `take_measures`."""
    told = {}
    for name, columns in (
        ("starts.csv", build_weather.STARTS),
        ("hours.csv", build_weather.HOURLY),
    ):
        told[name] = csv_rows(files[name], columns)
        if odd := [r for r in told[name] if not re.fullmatch(r"\d{10}", r["game_id"], re.ASCII)]:
            raise Bad(f"game_id is {odd[0]['game_id'][:20]!r}")
    known = {game: f"2015_0{n}_NE_BUF" for n, game in enumerate(PLAYED)}
    starts: dict[str, dt.datetime] = {}
    for row in (row for row in told["starts.csv"] if row["game_id"] in known):
        if starts.setdefault(row["game_id"], _clock(row["TimeStartGame"])) != _clock(
            row["TimeStartGame"]
        ):
            raise Bad("two starts of a game")
    best: dict[str, tuple] = {}
    for place, row in enumerate(row for row in told["hours.csv"] if row["game_id"] in known):
        for name, (low, high) in MEASURES.items():
            cell = row[name].strip()
            sound = cell in ("", "NA") or (NUMBER.fullmatch(cell) and low <= float(cell) <= high)
            if not sound:
                raise Bad(f"{name} is {cell[:20]}")
        measured, start = _clock(row["TimeMeasure"]), starts.get(row["game_id"])
        if start is None or abs(measured - start) > dt.timedelta(hours=1):
            continue
        order = (measured > start, abs(measured - start), place)
        cell = row["Temperature"].strip()
        temp = None if cell in ("", "NA") else (float(cell) - 32) / 1.8
        best[row["game_id"]] = min(best.get(row["game_id"], (order, temp)), (order, temp),
                                   key=lambda pair: pair[0])  # fmt: skip
    return {known[game]: temp for game, (_, temp) in best.items()}


def _clock(cell: str) -> dt.datetime:
    try:
        return dt.datetime.strptime(cell, "%m/%d/%Y %H:%M")
    except ValueError as error:
        raise Bad(str(error)) from None


# ---- The Odds API


SUNDAY, TAKEN = dt.datetime(2024, 9, 8, 17, tzinfo=dt.UTC), "2024-09-08T16:55:38Z"
MATCHES = (("PHI", "DAL"), ("KC", "NE"))  # home, away
FULL = {"PHI": "Philadelphia Eagles", "DAL": "Dallas Cowboys", "KC": "Kansas City Chiefs"}
FULL |= {"NE": "New England Patriots"}


def odds(rng: Random) -> dict[str, bytes]:
    """A snapshot of two games with three bookmakers each."""

    def bookmaker(home: str, away: str) -> dict:
        point, price = rng.choice((-3.5, -3, 2.5)), rng.choice((-180, 150))
        markets = {
            "h2h": [{"name": home, "price": price}, {"name": away, "price": -price}],
            "spreads": [{"name": home, "point": point}, {"name": away, "point": -point}],
            "totals": [{"name": "Over", "point": 44.5}, {"name": "Under", "point": 44.5}],
        }
        outcomes = {key: [{"price": -110, **o} for o in told] for key, told in markets.items()}
        return {"key": "b", "markets": [{"key": k, "outcomes": o} for k, o in outcomes.items()]}

    events = [
        {
            "commence_time": odds_api.iso(SUNDAY),
            "home_team": FULL[home],
            "away_team": FULL[away],
            "bookmakers": [bookmaker(FULL[home], FULL[away]) for _ in range(3)],
        }
        for home, away in MATCHES
    ]
    return {"odds.json": json.dumps({"timestamp": TAKEN, "data": events}).encode()}


def take_lines(given: Path, _out: Path) -> dict:
    """The lines of the two games; none where they are missing, which the account tells."""
    found = _final(odds_api.snapshot, given, "odds.json")
    lines = {m: odds_api.consensus(found, *m, SUNDAY, "odds.json") for m in MATCHES}
    return {match: list(told or [None] * 4) for match, told in lines.items()}


def line_rows(files: Files) -> dict:
    """The oracle of `take_lines`."""
    told = _json(files["odds.json"])
    try:
        taken, events = _moment(told["timestamp"]), _listed(told["data"])
        known = [
            ({NAMES.get(e["home_team"]), NAMES.get(e["away_team"])}, _moment(e["commence_time"]),
             [[(m["key"], _listed(m["outcomes"])) for m in _listed(b["markets"])]
              for b in _listed(e["bookmakers"])], (_text(e["home_team"]), _text(e["away_team"])))
            for e in events
        ]  # fmt: skip
        return _found(taken, known)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Bad(f"{type(error).__name__} {error}") from None


def _found(taken: dt.datetime, known: list[tuple]) -> dict:
    """The lines of the two games."""
    found = {}
    for home, away in MATCHES:
        own = [(b, names) for teams, begins, b, names in known if teams == {home, away}
               and abs(begins - SUNDAY) <= dt.timedelta(hours=12) and begins > taken]  # fmt: skip
        if len(own) > 1:
            raise Bad("a game twice")
        markets = [_markets(b, own[0][1]) for b in own[0][0]] if own else []
        found[home, away] = _lines(markets, home, away)
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Bad("a name is no text")
    return value


def _listed(value: Any) -> list:
    if not isinstance(value, list):
        raise Bad(f"{str(value)[:20]} in place of a list")
    return value


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise Bad("a time without a zone")
    return moment


def _markets(bookmaker: list[tuple], names: tuple[str, str]) -> dict[str, dict]:
    """Market -> franchise, Over or Under -> price or point."""
    limits, found = {"spreads": (-50, 50), "totals": (20, 100)}, {}
    for key, outcomes in dict(bookmaker).items():
        if key not in ("h2h", "spreads", "totals"):
            continue
        allowed = ("Over", "Under") if key == "totals" else names
        if any(o["name"] not in allowed for o in outcomes):
            raise Bad("an outcome of nobody")
        if len({o["name"] for o in outcomes}) < len(outcomes):
            raise Bad("an outcome twice")
        values = {o["name"]: o["price" if key == "h2h" else "point"] for o in outcomes}
        low, high = limits.get(key, (-100_000, 100_000))
        for value in values.values():
            sound = type(value) in (int, float) and low <= value <= high
            if not sound or (key == "h2h" and abs(value) < 100):
                raise Bad(f"{key} is {str(value)[:20]}")
        found[key] = {NAMES.get(name, name): value for name, value in values.items()}
    return found


def _lines(bookmakers: list[dict], home: str, away: str) -> list[float | None]:
    spreads = [-m["spreads"][home] for m in bookmakers if home in m.get("spreads", {})]
    totals = [m["totals"]["Over"] for m in bookmakers if "Over" in m.get("totals", {})]
    pairs = [m["h2h"] for m in bookmakers if {home, away} <= m.get("h2h", {}).keys()]
    prices = [_price([pair[team] for pair in pairs]) for team in (home, away)]
    medians = [float(statistics.median(v)) if v else None for v in (spreads, totals)]
    return [*medians, *prices]


def _price(prices: list[float]) -> float | None:
    if not prices:
        return None
    decimal = statistics.median(1 + (p / 100 if p > 0 else -100 / p) for p in prices)
    american = (decimal - 1) * 100 if decimal >= 2 else -100 / (decimal - 1)
    return round(american, 6)


READERS = [
    Reader("stations", stations, of_one(partial(_gzipped, inside=of_json)), take_stations,
           station_rows),
    *(
        Reader(f"hours, {'a header' if headed else 'none'}", partial(hours, headed=headed),
               of_one(partial(_gzipped, inside=of_csv)), take_hours, hour_rows)
        for headed in (True, False)
    ),
    Reader("measures", measures, of_one(of_csv), take_measures, measure_rows),
    Reader("odds as served", odds, of_one(of_json), take_lines, line_rows),
]  # fmt: skip

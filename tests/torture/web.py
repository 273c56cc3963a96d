"""Small files in the place of nflverse's, The Odds API's and Meteostat's."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from scripts.nfl import land_release, odds_api
from scripts.nfl.columns import SCHEDULES, STADIUMS
from scripts.nfl.meteostat import BARE
from scripts.nfl.teams import FRANCHISES, NAMES
from scripts.tables import schema_of
from tests.servers import Reply, Request

SEASON, DAY = 2024, date(2024, 9, 8)
KEY = "planted0odds0key"
LAT, LON = 40.0, -75.0
GAMES = (("PHI", "DAL", "13:00"), ("NYJ", "BUF", "13:00"), ("LV", "KC", "16:25"))
WIDE = 400  # bytes of a cell: a file is more than one piece


class Site(NamedTuple):
    """Files by their paths, what a job is asked beside the address, its environment."""

    files: dict[str, bytes | Callable[[Request], Reply]]
    asked: Mapping[str, object]
    environment: Mapping[str, str] = {}


def release(rng: random.Random, folder: Path) -> Site:
    """A file of one of nflverse's releases."""
    dataset = rng.choice(sorted(land_release.DATASETS))
    path, columns, _ = land_release.DATASETS[dataset]
    if dataset == "pbp":
        names = (*columns, *land_release.DRIVES)
        frame = pl.DataFrame({name: [rng.random() for _ in range(500)] for name in names})
        file = io.BytesIO()
        frame.with_columns(season=pl.lit(SEASON, pl.Int32)).write_parquet(file)
        body = file.getvalue()
    else:
        seasons = [SEASON] if dataset != "schedules" else [SEASON - 1, SEASON, SEASON + 1]
        body = table(columns, [season for season in seasons for _ in range(20)])
    asked = {"dataset": dataset, "season": SEASON}
    return Site({f"/{path.format(season=SEASON)}": body}, asked)


def table(columns: tuple[str, ...], seasons: list[int]) -> bytes:
    """A CSV with a line for each season, and quotes in it."""
    file = io.StringIO()
    writer = csv.DictWriter(file, [*columns, "extra"], restval='"q", r', lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {"season": season, "extra": f"{n}{'x' * WIDE}"} for n, season in enumerate(seasons)
    )
    return file.getvalue().encode()


def schedule(folder: Path) -> Path:
    """The schedule of some games."""
    usual = {"season": SEASON, "date": DAY, "neutral": False, "roof": "outdoors"}
    games = [
        {**usual, "game_id": f"{home}", "home_team": home, "away_team": away, "kickoff": kickoff}
        for home, away, kickoff in GAMES
    ]
    path = folder / "schedule.parquet"
    pl.DataFrame(games, schema=schema_of(SCHEDULES)).write_parquet(path)
    return path


def odds(rng: random.Random, folder: Path) -> Site:
    """Snapshots of The Odds API, which wants its key in the query."""
    named = {code: name for name, code in NAMES.items()}
    points = {home: rng.choice([-3.5, 2.5, 7.0]) for home, _, _ in GAMES}

    def answer(request: Request) -> Reply:
        if request.query.get("apiKey") != KEY:
            return Reply(401, {}, b'{"message": "no such key"}')
        asked = datetime.fromisoformat(request.query["date"])
        events = [_event(named[h], named[a], clock, points[h]) for h, a, clock in GAMES]
        taken = odds_api.iso(asked - timedelta(minutes=3))
        return Reply(200, {}, json.dumps({"timestamp": taken, "data": events}).encode())

    return Site({odds_api.PATH: answer}, {"schedule": str(schedule(folder))}, {odds_api.KEY: KEY})


def _event(home: str, away: str, clock: str, point: float) -> dict:
    start = datetime.combine(DAY, datetime.strptime(clock, "%H:%M").time(), UTC)
    spreads = [{"name": home, "price": -110, "point": point}]
    markets = [{"key": "spreads", "outcomes": spreads}]
    return {
        "commence_time": odds_api.iso(start + timedelta(hours=4)),
        "home_team": home,
        "away_team": away,
        "bookmakers": [{"key": "b", "markets": markets}],
    }


def weather(rng: random.Random, folder: Path) -> Site:
    """Stations near the stadium of all, of which the nearest has no file of the year."""
    stations = [_station("AWAY", 0.05), *(_station(f"S{n}", 0.1 * n) for n in (1, 2))]
    files = {"/stations.json.gz": _packed(json.dumps(stations))}
    for n in (1, 2):
        lines = [_hour(hour, rng.randrange(-5, 25)) for hour in range(24) if n == 2 or hour < 19]
        files[f"/hourly/{SEASON}/S{n}.csv.gz"] = _packed("\n".join(lines) + "\n")
    rows = [
        {"season": SEASON, "team": team, "stadium": f"Home of {team}", "roof": "outdoors"}
        | {"lat": LAT, "lon": LON, "surface": "grass"}
        for team in FRANCHISES
    ]
    stadiums = folder / "stadiums.parquet"
    pl.DataFrame(rows, schema=schema_of(STADIUMS)).write_parquet(stadiums)
    return Site(files, {"schedule": str(schedule(folder)), "stadiums": str(stadiums)})


def _station(name: str, north: float) -> dict:
    hourly = {"start": "1973-01-01", "end": "2026-01-01"}
    place = {"latitude": LAT + north, "longitude": LON}
    return {"id": name, "location": place, "inventory": {"hourly": hourly}}


def _hour(hour: int, temp: int) -> str:
    cells = dict.fromkeys(BARE, "") | {"date": f"{DAY}", "hour": str(hour)}
    cells |= {"temp": str(temp), "wspd": "11.2", "rhum": "55"}
    return ",".join(cells.values())


def _packed(text: str) -> bytes:
    return gzip.compress(text.encode(), mtime=0)

"""What tests of the warehouse share: a small seeded league, databases, a server of the user's."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from socket import socket

import polars as pl
import psycopg

from scripts.nfl.build_team_epa import team_games
from scripts.nfl.play_types import classify
from scripts.tables import conform, schema_of
from scripts.warehouse import loading, programs
from scripts.warehouse.server import Server

ROOT = Path(__file__).resolve().parents[1]
MIGRATIONS = ROOT / "warehouse" / "migrations"
SCHEMA = ROOT / "warehouse" / "schema.yaml"
QUERIES = ROOT / "warehouse" / "queries"
TEAMS = ("BUF", "MIA", "OAK", "KC")
PASSWORD = "s3cret/word@1"  # of the user's server, made for one test session
SEASONS = (2018, 2019)


def league(seasons: tuple[int, ...] = SEASONS, seed: int = 7) -> dict[int, dict]:
    """Season -> table -> frame, as `loading.read_season` gives; the last week is not played."""
    drawn = random.Random(seed)
    return {season: _season(season, drawn) for season in seasons}


def _season(season: int, drawn: random.Random) -> dict[str, pl.DataFrame]:
    teams = ["LV" if team == "OAK" and season >= 2020 else team for team in TEAMS]
    rounds = [((0, 1), (2, 3)), ((1, 2), (3, 0)), ((0, 2), (1, 3)), ((1, 0), (3, 2))]
    games, plays, players, odds, weather = [], [], [], [], []
    for week, pairs in enumerate(rounds, 1):
        day = date(season, 9, 1) + timedelta(days=7 * week)
        for home, away in ((teams[h], teams[a]) for h, a in pairs):
            key = {"season": season, "game_id": f"{season}_{week:02}_{away}_{home}"}
            known = week < len(rounds)
            scores = (drawn.randrange(40), drawn.choice([3, 17, 20])) if known else (None, None)
            games.append(
                key
                | dict.fromkeys(schema_of(loading.SCHEDULES), None)
                | key
                | {"game_type": "REG", "week": week, "date": day, "neutral": week == 3}
                | {"home_team": home, "away_team": away, "kickoff": "13:00"}
                | {"home_score": scores[0], "away_score": scores[1], "stadium": 'O\'Neil "Fïeld"'}
            )
            lines = {"spread_line": float(drawn.randrange(-7, 8)), "total_line": 44.5}
            prices = {"home_moneyline": -110.0, "away_moneyline": 105.0}
            odds.append(key | lines | prices | {"simulated": True})
            measured = {"temp_c": round(drawn.uniform(-10, 30), 1), "wind_kmh": 12.5}
            rest = dict.fromkeys(("humidity_pct", "pressure_hpa", "precip_mm"))
            weather.append(key | rest | measured | {"simulated": True})
            if known:
                plays += [_play(key, number, (home, away), drawn) for number in range(1, 31)]
                players += [_player(key, home, 1, drawn), _player(key, away, 2, drawn)]
    frame = conform(pl.DataFrame(plays, infer_schema_length=None), loading.PLAYS)
    types = classify(frame)
    return {
        "games": conform(pl.DataFrame(games, infer_schema_length=None), loading.SCHEDULES),
        "plays": loading.with_classes(frame, types),
        "player_games": conform(pl.DataFrame(players), loading.PLAYER_GAMES),
        "odds": conform(pl.DataFrame(odds), loading.ODDS),
        "weather": conform(pl.DataFrame(weather), loading.WEATHER),
        "team_epa": team_games(frame, types),
    }


def _play(key: Mapping, number: int, sides: tuple[str, str], drawn: random.Random) -> dict:
    own, other = sides if number % 2 else sides[::-1]
    plain = dict.fromkeys(schema_of(loading.PLAYS), None)
    flags = dict.fromkeys(("fumble_lost", "sack", "penalty", "touchdown"), False)
    counts = dict.fromkeys(("points", "try_points", "home_points", "away_points"), 0)
    return (
        plain
        | key
        | {"play_id": number * 10, "drive": 1, "quarter": 1 + number // 8, "game_seconds": 100}
        | {"posteam": own, "defteam": other, "down": 1 + number % 4, "ydstogo": 10}
        | {"yardline_100": 50, "half_seconds": 100, "kind": drawn.choice(["pass", "run", "punt"])}
        | {"yards_gained": drawn.randrange(-5, 40), "interception": number == 9}
        | {"epa": None if number == 3 else round(drawn.gauss(0, 1), 3)}
        | flags
        | counts
    )


def _player(key: Mapping, team: str, number: int, drawn: random.Random) -> dict:
    plain = dict.fromkeys(schema_of(loading.PLAYER_GAMES), 0)
    who = {"player_id": f"00-000000{number}", "name": f"N.{number}", "team": team}
    return plain | dict(key) | who | {"passing_yards": drawn.randrange(300), "targets": None}


def player_frames() -> dict[str, pl.DataFrame]:
    """Players and rosters, as `loading.read_players` gives them."""
    known = {"name": ["Zoë, \\N"], "position": [None], "birth_date": [date(1990, 2, 28)]}
    players = pl.DataFrame({"player_id": ["00-0000001"], **known, "last_season": [2019]})
    roster = {"season": [2019], "player_id": ["00-0000001"], "team": ["BUF"], "position": ["QB"]}
    return {"players": players, "rosters": pl.DataFrame(roster)}


def write_partitions(frames: Mapping[str, pl.DataFrame], folder: Path) -> dict[str, Path]:
    """Frames of a season as partitions, plays and their types apart; the sources of a load."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = dict(frames)
    parts["play_types"] = parts["plays"].select(
        "season", "game_id", "play_id", "posteam", *loading.CLASSES
    )
    parts["plays"] = parts["plays"].drop(loading.CLASSES)
    sources = {}
    for name, frame in parts.items():
        sources[name] = folder / f"{name}.parquet"
        frame.write_parquet(sources[name])
    return sources


def rows(connection: psycopg.Connection, query: str) -> pl.DataFrame:
    """What a query gives, as a frame."""
    cursor = connection.execute(query)
    names = [column.name for column in cursor.description]
    return pl.DataFrame(cursor.fetchall(), schema=names, orient="row", infer_schema_length=None)


def server_processes(folder: Path) -> list[int]:
    """Processes of the server whose data stand below a folder, and of its keeper."""
    found = subprocess.run(
        ["pgrep", "--full", str(folder.resolve())], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in found.stdout.split() if int(pid) != os.getpid()]


@contextmanager
def users_server(folder: Path) -> Iterator[dict[str, str]]:
    """A server that wants a password, on a port of this machine, as a user's own would.

    Yields:
        host, port, user, password, dbname.
    """
    user = programs.account()
    place = Path(tempfile.mkdtemp(prefix="almanac-users-"))
    os.chown(place, user.uid, user.gid)
    binaries = programs.home(folder).programs
    secret = place / "password"
    secret.write_text(PASSWORD)
    os.chown(secret, user.uid, user.gid)
    with closing(socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = place / "data"
    initdb = [binaries / "initdb", "-D", data, "-U", "owner", "--auth=scram-sha-256"]
    initdb += [f"--pwfile={secret}", "--no-sync", "--encoding=UTF8", "--locale=C"]
    subprocess.run(initdb, check=True, capture_output=True, **user.options())
    command = [binaries / "postgres", "-D", data, "-p", str(port), "-k", place]
    command += ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    with (
        (place / "log").open("w") as log,
        subprocess.Popen(command, stdout=log, stderr=log, **user.options()) as server,
    ):
        address = {"host": "127.0.0.1", "port": str(port), "user": "owner", "password": PASSWORD}
        try:
            for _ in range(200):
                try:
                    psycopg.connect(**address, dbname="postgres", autocommit=True).close()
                    break
                except psycopg.OperationalError:
                    time.sleep(0.05)
            with psycopg.connect(**address, dbname="postgres", autocommit=True) as connection:
                connection.execute("CREATE DATABASE lab")
            yield {**address, "dbname": "lab"}
        finally:
            server.terminate()
            server.wait(30)
            subprocess.run(["rm", "-rf", place], check=True)


def dsn(address: Mapping[str, str], **other: str) -> str:
    """A connection string of key=value."""
    return " ".join(f"{key}='{value}'" for key, value in {**address, **other}.items())


def database_of(address: Mapping[str, str], name: str = "the server") -> Server:
    """A server by its address."""
    return Server(dict(address), name)

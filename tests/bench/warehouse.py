"""`make bench`: COPY beside INSERT, and three environments in parallel beside one after another.

Plays of one season by three ways, rows compared; the test of a good migration on three
environments, whole runs of Snakemake with one core and with three.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

import polars as pl

from scripts.warehouse import catalog, loading, migrations, programs, server, stopping
from scripts.warehouse.migrations import Limits
from scripts.warehouse.server import Server
from tests.warehouses import MIGRATIONS
from tests.workflow.nfls import tiny
from tests.workflow.project import copy_project

SEASON = 2017
SEASONS = {"first": 2012, "last": 2019}
CANDIDATE = "-- An index more.\nCREATE INDEX plays_kind ON plays (kind);\n"


def config() -> dict:
    """Real games and plays of eight seasons, with the warehouse and its three environments."""
    found = tiny(seasons=SEASONS, first_test=2019, sources={"player_games": "gamecenter"})
    return {**found, "warehouse": {}}


def with_database(folder: Path, name: str) -> Server:
    """An empty database at the last migration."""
    place = server.embedded(folder, os.getpid()).at(name)
    server.ensure_database(place)
    with server.connect(place, autocommit=True) as connection:
        migrations.bring_forward(connection, migrations.read(MIGRATIONS), Limits(), name)
    return place


def insert(place: Server, frame: pl.DataFrame, *, at_once: bool) -> float:
    """Rows by INSERT, one by one or all by executemany, in one transaction; seconds."""
    names = ", ".join(frame.columns)
    command = f"INSERT INTO plays ({names}) VALUES ({', '.join(['%s'] * frame.width)})"
    rows = frame.rows()
    start = time.perf_counter()
    with server.connect(place) as connection, connection.cursor() as cursor:
        if at_once:
            cursor.executemany(command, rows)
        else:
            for row in rows:
                cursor.execute(command, row)
    return time.perf_counter() - start


def copy(place: Server, frame: pl.DataFrame) -> float:
    """Rows as the workflow loads them; seconds."""
    start = time.perf_counter()
    with server.connect(place, autocommit=True) as connection:
        loading.load(connection, {"plays": frame}, SEASON)
    return time.perf_counter() - start


def rows_by_second(results: Path) -> None:
    """COPY beside INSERT."""
    etl = results / "nfl" / "etl"
    sources = {
        name: etl / dataset / f"season={SEASON}" / "part.parquet"
        for name, dataset in (("games", "schedules"), ("plays", "pbp"), ("play_types",) * 2)
    }
    frames = loading.read_season(sources, None)
    plays = frames["plays"]
    ways = {
        "INSERT, row by row": lambda place: insert(place, plays, at_once=False),
        "INSERT, executemany": lambda place: insert(place, plays, at_once=True),
        "COPY": lambda place: copy(place, plays),
    }
    with tempfile.TemporaryDirectory(prefix="almanac-bench-") as top:
        folder = Path(top) / "server"
        programs.initialise(folder)
        try:
            found, first = [], None
            for number, (way, load) in enumerate(ways.items()):
                place = with_database(folder, f"bench_{number}")
                with server.connect(place, autocommit=True) as connection:
                    loading.load(connection, {"games": frames["games"]}, SEASON)
                seconds = load(place)
                with server.connect(place) as connection:
                    found.append(catalog.sums(connection)["plays"])
                first = first or seconds
                rate = plays.height / seconds
                print(f"{way:<22} {seconds:7.2f} s {rate:9,.0f} rows/s {first / seconds:6.1f}x")
            assert found[0] == found[1] == found[2]
        finally:
            stopping.stop(folder)
            if (folder / "data").is_symlink():
                shutil.rmtree((folder / "data").resolve().parent)


def environments(top: Path) -> Path:
    """Three environments in parallel beside one after another; the results of the project."""
    project = copy_project(top, config())
    (project.folder / "warehouse/migrations/009_good.sql").write_text(CANDIDATE)
    started = project.run("--", "warehouse", check=True, timeout=1200)
    assert started.returncode == 0
    results = project.results / "tiny"
    first = None
    for cores in (1, 3):
        shutil.rmtree(results / "warehouse/migration_test", ignore_errors=True)
        target = "results/tiny/warehouse/migration_test/009_good/verdict.json"
        seeds = [
            f"results/tiny/warehouse/environments/{e}/009.json" for e in ("dev", "staging", "prod")
        ]
        project.run("--", *seeds, check=True, timeout=600)
        start = time.perf_counter()
        limits = ["--resources", f"db={cores}", "mem_mb=8000"]
        project.run(*limits, "--", target, cores=cores, check=True, timeout=600)
        seconds = time.perf_counter() - start
        first = first or seconds
        how = "one after another" if cores == 1 else "in parallel"
        print(f"3 environments {how:<18} {seconds:7.2f} s {first / seconds:6.2f}x")
    return results


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="almanac-bench-", dir="/var/tmp") as top:
        Path(top).chmod(0o755)
        rows_by_second(environments(Path(top)))


if __name__ == "__main__":
    main()

"""The warehouse on real games, lines, weather and plays: every view column equals the features."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from scripts.nfl import build_odds, build_pbp, build_play_types, build_schedules, build_team_epa
from scripts.nfl import fit_expected_points as points
from scripts.warehouse import (
    check_consistency,
    consistency,
    loading,
    migrations,
    programs,
    server,
    stopping,
    views,
)
from scripts.warehouse.migrations import Limits
from tests import warehouses

SEASONS = (2016, 2017)


@pytest.fixture(scope="module")
def tables(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple]:
    """Season -> (partitions by table, model of expected points): the etl of real files."""
    top, folder = tmp_path_factory.mktemp("etl"), real_data / "nfl"
    found = {}
    for season in SEASONS:
        at = {
            name: top / name / f"{season}.parquet"
            for name in ("games", "plays", "play_types", "odds", "team_epa")
        }
        build_schedules.build(folder / "games.csv", season, None, at["games"])
        build_odds.build(folder / "games.csv", at["games"], season, at["odds"])
        source = folder / "pbp" / f"pbp_nflgame_{season}.csv.gz"
        build_pbp.build(source, at["games"], at["plays"])
        build_play_types.build(at["plays"], at["play_types"])
        model = None
        if season > SEASONS[0]:
            model = top / "model.ubj"
            points.fit([top / "plays" / f"{SEASONS[0]}.parquet"], 1, model)
        build_team_epa.build(at["plays"], at["play_types"], model, at["team_epa"])
        found[season] = (at, model)
    return found


@pytest.fixture(scope="module")
def place(tables: dict, tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Server]:
    """The database, loaded and refreshed."""
    folder = tmp_path_factory.mktemp("warehouse") / "server"
    programs.initialise(folder)
    found = server.embedded(folder, os.getpid())
    server.ensure_database(found)
    with server.connect(found, autocommit=True) as connection:
        every = migrations.read(warehouses.MIGRATIONS)
        migrations.bring_forward(connection, every, Limits(), "real")
        for season, sources in tables.items():
            loading.load(connection, loading.read_season(*sources), season)
        views.refresh(connection)
    yield found
    assert stopping.stop(folder)
    if (folder / "data").is_symlink():
        shutil.rmtree((folder / "data").resolve().parent)


def test_every_view_column_equals_the_features(tables: dict, place: server.Server) -> None:
    frames, players = check_consistency.frames_of(tables, [])
    inputs = check_consistency.inputs(frames, players)
    with server.connect(place, autocommit=True) as connection:
        found = list(consistency.views(connection, inputs))
        spread = connection.execute(
            "SELECT count(*), avg(home_cover)::float8, stddev_samp(cover_margin)::float8 "
            "FROM betting_features WHERE home_margin IS NOT NULL"
        ).fetchone()
    assert [one for one in found if not one["pass"]] == []
    assert len(found) > 100
    assert max(one["n"] for one in found) == 2 * 534
    # Of all games 2004 to 2024: 48.7 % cover, 13.2 points (spec/nfl.md); these are two seasons.
    assert spread[0] == 534
    assert abs(spread[1] - 0.487) < 0.05
    assert abs(spread[2] - 13.21) < 1


def test_views_are_refreshed_while_a_reader_asks(place: server.Server) -> None:
    waits, counts, over = [], set(), threading.Event()

    def read() -> None:
        with server.connect(place, autocommit=True) as connection:
            while not over.is_set():
                start = time.perf_counter()
                counts.add(connection.execute("SELECT count(*) FROM team_rolling_stats").fetchone())
                waits.append(time.perf_counter() - start)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with server.connect(place, autocommit=True) as connection:
            start = time.perf_counter()
            done = views.refresh(connection)
            seconds = time.perf_counter() - start
    finally:
        over.set()
        reader.join()
    assert all(view["concurrently"] for view in done)
    assert len(done) == 6
    assert counts == {(2 * 534,)}
    assert len(waits) > 10
    assert max(waits) < max(0.5, seconds / 2)


def test_a_season_alone_leaves_the_other(tables: dict, place: server.Server) -> None:
    query = "SELECT sum(hashtext(plays::text)) FROM plays WHERE season = %s"

    def known(connection: psycopg.Connection, season: int) -> object:
        return connection.execute(query, [season]).fetchone()

    with server.connect(place, autocommit=True) as connection:
        before = [known(connection, season) for season in SEASONS]
        loading.load(connection, loading.read_season(*tables[2017]), 2017)
        assert [known(connection, season) for season in SEASONS] == before

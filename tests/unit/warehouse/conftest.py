"""One embedded server for all tests of a process, and a fresh database for each test."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from scripts.warehouse import copies, loading, migrations, programs, server, stopping, views
from scripts.warehouse.migrations import Limits
from scripts.warehouse.server import Server
from tests import warehouses

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of a server, which runs when it is asked for."""
    folder = tmp_path_factory.mktemp("warehouse") / "server"
    programs.initialise(folder)
    with (folder / "data" / "postgresql.conf").open("a") as settings:
        settings.write("fsync = off\nfull_page_writes = off\n")  # these tests pull no plug
    yield folder
    assert stopping.stop(folder)
    if (folder / "data").is_symlink():
        shutil.rmtree((folder / "data").resolve().parent)


@pytest.fixture(scope="session")
def embedded(home: Path) -> Server:
    """The server."""
    return server.embedded(home, os.getpid())


@pytest.fixture(scope="session")
def loaded(embedded: Server) -> Server:
    """A database with the league and refreshed views, to be copied and left alone."""
    place = embedded.at("league")
    server.ensure_database(place)
    with server.connect(place, autocommit=True) as connection:
        found = migrations.read(warehouses.MIGRATIONS)
        migrations.bring_forward(connection, found, Limits(), "league")
        for season, frames in warehouses.league().items():
            loading.load(connection, frames, season)
        loading.load(connection, warehouses.player_frames(), loading.ALL_SEASONS)
        views.refresh(connection)
    return place


@pytest.fixture
def place(embedded: Server, loaded: Server) -> Iterator[Server]:
    """A copy of the league's database."""
    copy = embedded.at(f"test_{next(NUMBERS)}")
    copies.copy(loaded, copy, same_server=True)
    yield copy
    copies.drop(copy)


@pytest.fixture
def empty(embedded: Server) -> Iterator[Server]:
    """An empty database."""
    made = embedded.at(f"test_{next(NUMBERS)}")
    server.ensure_database(made)
    yield made
    copies.drop(made)


@pytest.fixture
def connection(place: Server) -> Iterator[psycopg.Connection]:
    """A connection to the copy."""
    with server.connect(place, autocommit=True) as made:
        yield made

"""Backups: of one moment, proven, kept so many deep, and looked at again."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from scripts.errors import DataError
from scripts.plan.warehouse import suspects
from scripts.warehouse import catalog, check_backups, loading, server
from scripts.warehouse.backup_database import MANIFEST, backup, dump, restore
from scripts.warehouse.server import Server
from tests import warehouses


@pytest.fixture
def scratch(embedded: Server) -> Server:
    """Database to restore into; no test leaves it behind."""
    return embedded.at("scratch_test")


def names(place: Server) -> list[str]:
    """Databases of the server."""
    with server.connect(place.at("postgres")) as connection:
        return [n for (n,) in connection.execute("SELECT datname FROM pg_database")]


def test_it_is_proven_and_the_oldest_goes(place: Server, scratch: Server, tmp_path: Path) -> None:
    folder, out = tmp_path / "backups", tmp_path / "backups" / "latest.json"
    made = [json.loads(backup(place, scratch, folder, 2, 2, out))["backup"] for _ in range(4)]
    assert sorted(p.name for p in folder.iterdir() if p.is_dir()) == made[2:]
    report = json.loads(out.read_text())
    assert report["backup"] == made[3]
    assert report["restored"] is True
    assert report["rows"]["games"] == 16
    assert out.resolve() == (folder / made[3] / MANIFEST).resolve()
    assert "scratch_test" not in names(place)
    with server.connect(place, autocommit=True) as connection:
        sums = catalog.sums(connection)
    assert report["sums"]["plays"] == json.loads(json.dumps(sums["plays"]))
    line = check_backups.check(folder, tmp_path / "check.json")
    assert line == "2 backups whole"
    assert suspects(folder) == []


def test_a_dump_while_a_load_runs_is_of_one_moment(
    place: Server, scratch: Server, tmp_path: Path
) -> None:
    """A season is loaded again and again, with other points each time, while dumps are taken."""
    leagues = [warehouses.league(seed=seed)[2019] for seed in (7, 8)]
    over = threading.Event()
    loads = []

    def go_on() -> None:
        with server.connect(place, autocommit=True) as connection:
            while not over.is_set():
                loading.load(connection, leagues[len(loads) % 2], 2019)
                loads.append(1)

    loader = threading.Thread(target=go_on)
    loader.start()
    try:
        for number in range(3):
            sums = dump(place, tmp_path / str(number), 2)
            assert catalog.differences(sums, restore(tmp_path / str(number), scratch, 2)) == []
    finally:
        over.set()
        loader.join()
    assert len(loads) > 3
    known = []
    for frames in leagues:
        with server.connect(place, autocommit=True) as connection:
            loading.load(connection, frames, 2019)
            known.append(catalog.sums(connection)["plays"])
    assert sums["plays"] in known


def damage_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (damage_byte, "has other bytes than it had"),
        (lambda path: os.truncate(path, 10), "has 10 bytes, had"),
        (Path.unlink, "is missing"),
        (lambda path: path.with_name("extra").touch(), "extra was not part of the dump"),
        (lambda path: (path.parent / MANIFEST).write_text("{"), r"manifest.json: cannot be read"),
    ],
)
def test_a_damaged_dump_is_found(
    place: Server, scratch: Server, tmp_path: Path, damage: object, said: str
) -> None:
    folder = tmp_path / "backups"
    backup(place, scratch, folder, 2, 1, folder / "latest.json")
    largest = max(folder.glob("2*/*.gz"), key=lambda path: path.stat().st_size)
    damage(largest)
    assert suspects(folder)  # so a plan runs the check
    with pytest.raises(DataError, match=f"1 of 1 backups damaged: .*{said}.*; remove .* run again"):
        check_backups.check(folder, tmp_path / "check.json")
    assert not (tmp_path / "check.json").exists()


def test_what_cannot_be_restored_is_no_backup(
    place: Server, scratch: Server, tmp_path: Path
) -> None:
    dump(place, tmp_path / "dump", 1)
    largest = max((tmp_path / "dump").glob("*.gz"), key=lambda path: path.stat().st_size)
    os.truncate(largest, 100)
    with pytest.raises(DataError, match="cannot be restored: pg_restore"):
        restore(tmp_path / "dump", scratch, 1)
    assert "scratch_test" not in names(place)


def test_a_failed_dump_leaves_the_earlier_ones(
    place: Server, scratch: Server, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    backup(place, scratch, folder, 1, 1, folder / "latest.json")
    before = sorted(folder.rglob("*"))
    with pytest.raises(DataError, match="no such database"):
        backup(place.at("nowhere"), scratch, folder, 1, 1, folder / "latest.json")
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("table", ["games", "loads"])
def test_a_backup_does_not_wait_for_a_lock_for_ever(
    place: Server, scratch: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    monkeypatch.setattr(server, "LOCK_S", 0.2)
    folder = tmp_path / "backups"
    with server.connect(place) as holder:
        holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(
            DataError, match=r"failed: another session has held a lock for 0\.2 s; end it"
        ):
            backup(place, scratch, folder, 2, 1, folder / "latest.json")
    assert list(folder.iterdir()) == []

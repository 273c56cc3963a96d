"""`make clean-<domain>` takes out one domain of one run, and nothing else."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import psutil
import pytest

from scripts.control.clean import DOMAINS, clean, main
from scripts.errors import DataError
from scripts.warehouse.programs import shelter_of

FILES = (
    "results/demo/nfl/raw/a.csv", "results/demo/nfl/grid/results.parquet",
    "results/demo/logs/nfl/nfl_fit_grid/a.log", "results/demo/logs/nfl/nfl_fit_model/a.log",
    "results/demo/benchmarks/nfl/nfl_score_grid.tsv", "results/demo/benchmarks/nfl/x.tsv",
    "results/demo/ticks/summary.csv", "results/demo/logs/ticks/a.log",
    "results/demo/events/x.jsonl", "results/other/nfl/raw/a.csv",
)  # fmt: skip


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A project's folder with results of two runs."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x" * 100_000)
    return tmp_path


def left(top: Path) -> set[str]:
    """Files that are there."""
    return {p.relative_to(top).as_posix() for p in (top / "results").rglob("*") if p.is_file()}


def test_a_domain_goes_with_its_logs_and_benchmarks(top: Path) -> None:
    line = clean("nfl", "demo", top)
    assert line == "removed 6 files (0.6 MB): results/demo/nfl, its logs and benchmarks"
    assert left(top) == {name for name in FILES if "demo" not in name or "/nfl/" not in name}
    assert clean("nfl", "demo", top).startswith("removed 0 files")


def test_the_grid_is_a_part_of_nfl(top: Path) -> None:
    clean("grid", "demo", top)
    assert set(FILES) - left(top) == {name for name in FILES if "grid" in name}


@pytest.mark.parametrize(
    ("domain", "run"), [("events", "demo"), ("../nfl", "demo"), ("nfl", "../demo"), ("nfl", "")]
)
def test_what_is_no_domain_or_no_run_is_an_error(top: Path, domain: str, run: str) -> None:
    with pytest.raises(DataError):
        clean(domain, run, top)
    assert left(top) == set(FILES)


def test_every_domain_can_be_cleaned(top: Path) -> None:
    for domain in DOMAINS:
        clean(domain, "demo", top)
    assert left(top) == {"results/demo/events/x.jsonl", "results/other/nfl/raw/a.csv"}


def test_data_that_stand_elsewhere_go_too(top: Path) -> None:
    server, own = top / "results/demo/warehouse/server", top / "own" / "data"
    for place in (server, own, shelter_of(server) / "data"):
        place.mkdir(parents=True)
    (server / "data").symlink_to(shelter_of(server) / "data")
    clean("warehouse", "demo", top)
    assert not server.exists()
    assert not shelter_of(server).exists()
    server.mkdir(parents=True)
    (server / "data").symlink_to(own)
    clean("warehouse", "demo", top)
    assert not server.exists()
    assert own.is_dir(), "what the user linked is his"


def test_backups_stay_and_a_linked_folder_loses_its_link(top: Path) -> None:
    (top / "results/demo/warehouse/backups/a").mkdir(parents=True)
    (top / "results/demo/warehouse/backups/a/dump").touch()
    (top / "results/demo/warehouse/views.json").touch()
    assert clean("warehouse", "demo", top).endswith("results/demo/warehouse/backups is kept")
    assert "results/demo/warehouse/backups/a/dump" in left(top)
    assert "results/demo/warehouse/views.json" not in left(top)
    (top / "disk").mkdir()
    (top / "disk/kept").touch()
    (top / "results/demo/weekly").symlink_to(top / "disk")
    clean("weekly", "demo", top)
    assert not (top / "results/demo/weekly").exists()
    assert (top / "disk/kept").exists()


def test_not_while_a_run_works_here(top: Path, monkeypatch, capsys) -> None:
    (top / ".snakemake/locks").mkdir(parents=True)
    (top / ".snakemake/locks/0.input.lock").touch()
    own = {"pid": os.getpid(), "create_time": psutil.Process().create_time()}
    record = {**own, "host": socket.gethostname(), "started": "2026-11-27T10:00:00Z"}
    (top / ".snakemake/almanac-run.json").write_text(json.dumps(record))
    monkeypatch.chdir(top)
    assert main(["nfl", "demo"]) == 1
    assert capsys.readouterr().err.startswith("error: locked: another run")
    assert left(top) == set(FILES)

"""Real runs as a whole: bounded by resources, killed at any moment, one core or two."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.workflow.project import Project, copied, copy_project, half_written, tail
from tests.workflow.test_reruns import SMALL

KILLS = 4
SEED = int(os.environ.get("ALMANAC_KILL_SEED", "20261122"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A run on one core that nothing interrupted."""
    project = copy_project(tmp_path_factory.mktemp("undisturbed"), SMALL)
    project.run(check=True, cores=1)
    return project


@pytest.fixture(scope="module")
def undisturbed(whole: Project) -> dict[str, str]:
    """Its digests."""
    return whole.digests()


def spans(result: subprocess.CompletedProcess) -> list[tuple[float, float]]:
    """(start, end) of every finished job, from the events."""
    lines = [json.loads(line) for f in result.event_files for line in f.read_text().splitlines()]
    started, done = {}, []
    for event in lines:
        moment = datetime.fromisoformat(event["time"]).timestamp()
        if event["event"] == "job_started":
            started |= dict.fromkeys(event["jobids"], moment)
        elif event["event"] == "job_finished":
            done.append((started[event["jobid"]], moment))
    return done


def most_at_once(jobs: list[tuple[float, float]]) -> int:
    """Largest number of jobs that ran at the same moment."""
    return max(sum(a <= start < b for a, b in jobs) for start, _ in jobs)


@pytest.mark.parametrize(("mem_mb", "at_once"), [(999, 1), (2000, 2)])
def test_memory_limit_bounds_what_runs_at_once(tmp_path: Path, mem_mb: int, at_once: int) -> None:
    project = copy_project(tmp_path, SMALL)
    trades = [
        f"results/small/ticks/trades/parity/{strategy}/base/{security}.csv"
        for strategy in SMALL["ticks"]["strategies"]
        for security in ("MODON", "PARKIN")
    ]
    result = project.run("--resources", f"mem_mb={mem_mb}", "--", *trades, check=True)
    assert most_at_once(spans(result)) == at_once


def make(project: Project, *args: str) -> subprocess.CompletedProcess[str]:
    """Run make in a copy of the project, in the virtual environment of this test."""
    venv = project.folder / ".venv"
    if not venv.exists():
        venv.symlink_to(Path(sys.prefix))
    command = ["make", "--old-file", ".venv/installed", *args]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ALMANAC", "MAKE"))}
    environment.pop("NUMBA_CACHE_DIR", None)
    return subprocess.run(
        command, cwd=project.folder, env=environment, capture_output=True, text=True, timeout=300
    )


def test_killed_at_random_moments_make_ends_with_the_same_bytes(
    tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    project, moments = copy_project(tmp_path, SMALL), random.Random(SEED)
    for _ in range(KILLS):
        with project.start(own_group=True) as process:
            time.sleep(moments.uniform(2.0, 9.0))
            os.killpg(process.pid, signal.SIGKILL)
        make(project, "unlock")
    result = make(project)
    assert result.returncode == 0, tail(result)
    assert project.digests() == undisturbed
    assert half_written(project.folder) == []
    assert "Nothing to be done" in project.run(check=True).stdout


def test_plain_snakemake_after_a_kill_names_unlock_in_its_last_line(tmp_path: Path) -> None:
    project = copy_project(tmp_path, SMALL)
    process = project.start()
    locks = project.folder / ".snakemake/locks"
    deadline = time.monotonic() + 60
    while not (locks.is_dir() and any(locks.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    refused = project.run(check=False)
    assert "snakemake --unlock" in refused.stdout.strip().splitlines()[-1]
    assert make(project, "unlock").returncode == 0
    project.run("--until", "ticks_simulate_workbook", check=True)


def test_deleted_results_come_back_with_the_same_bytes(
    tmp_path: Path, whole: Project, undisturbed: dict[str, str]
) -> None:
    project = copied(whole, tmp_path)
    shutil.rmtree(project.results / "small/ticks/trades")
    project.run(check=True)
    assert project.digests() == undisturbed


def test_the_small_real_workbook_gives_the_peers_bytes_through_the_graph(
    tmp_path: Path, real_data: Path
) -> None:
    project = copy_project(tmp_path)
    workbook = real_data / "ticks/workbooks/TickData_Small.xlsx"
    overlay = project.write_config("my.yaml", {"ticks": {"workbook": str(workbook)}})
    trades = "results/demo/ticks/trades/parity/v1_baseline/base/EMAAR.csv"
    result = project.run(trades, "--configfile", overlay, check=True)
    rules = {rule for rule, _ in project.jobs_run(result)}
    assert rules == {"ticks_build_parquet", "ticks_compile_kernel", "ticks_simulate_trades"}
    expected = real_data / "ticks/expected/v1_small_workbook/EMAAR.csv"
    assert (project.folder / trades).read_bytes() == expected.read_bytes()


def test_a_folder_that_jobs_cannot_be_started_from_is_told_at_once(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "two words", SMALL)
    venv = project.folder / ".venv"
    venv.symlink_to(Path(sys.prefix))
    command = [venv / "bin/python", "-m", "snakemake", "--dry-run"]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True)
    assert done.returncode != 0
    last = (done.stdout + done.stderr).strip().splitlines()[-1]
    assert last.startswith("error: Snakemake cannot start jobs with")
    assert "without one" in last

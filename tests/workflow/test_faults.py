"""What a machine does to a run: full and read-only disks, broken files, killed processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from tests.workflow.project import TINY, Project, copy_project, half_written, tail

WORKBOOK = "results/tiny/ticks/source/workbook.xlsx"
ONE = {"prices": {"MODON": 2.7}}
SLOW = {**ONE, "sessions": 40, "rows_per_session": 2500}  # a job of seconds
ORPHAN_SECONDS = 5.0


def with_simulator(**simulator: object) -> dict:
    """TINY with another simulated market."""
    return {**TINY, "ticks": {**TINY["ticks"], "simulator": simulator}}


def last(result: subprocess.CompletedProcess, lines: int = 10) -> list[str]:
    """The last lines of a failed run."""
    assert result.returncode == 1, tail(result)
    return [line for line in result.stdout.splitlines() if line.strip()][-lines:]


def causes(result: subprocess.CompletedProcess) -> list[str]:
    """The causes told at the end of a failed run."""
    told = "\n".join(last(result, 100)).partition("What failed:")[2].splitlines()
    return [line.partition("cause: ")[2] for line in told if "cause: " in line]


def wait_for(what: Callable[[], object], seconds: float = 60) -> object:
    """What `what` returns as soon as it is true."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def job_of(pid: int, script: str) -> psutil.Process | None:
    """The job below a Snakemake process that runs `script`."""
    for process in psutil.Process(pid).children(recursive=True):
        command = process.cmdline()
        if command and "python" in command[0] and command[-1].endswith(script):
            return process
    return None


@pytest.fixture
def disk() -> Iterator[Callable[[Path, str], None]]:
    """Put a small disk at a folder (again, with other options); skip where that is not allowed."""
    mounted: set[Path] = set()

    def mount(folder: Path, options: str) -> None:
        again = "remount," if folder in mounted else ""
        folder.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", again + options, "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            pytest.skip(str(error))
        if done.returncode:
            pytest.skip(done.stderr.strip())
        mounted.add(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, str]]:
    """A finished run, and what it wrote."""
    project = copy_project(tmp_path_factory.mktemp("built"), TINY)
    project.run(check=True)
    return project, project.digests()


def test_a_full_disk_is_named_and_a_larger_one_completes(tmp_path: Path, disk) -> None:
    project = copy_project(tmp_path, with_simulator(**ONE, sessions=3, rows_per_session=3000))
    disk(project.results, "size=64k")
    result = project.run(WORKBOOK)
    assert any("No space left on device" in cause for cause in causes(result)), tail(result)
    assert not (project.folder / WORKBOOK).exists()
    assert not half_written(project.results)
    disk(project.results, "size=20m")
    again = project.run(WORKBOOK, check=True)
    assert project.jobs_run(again) == [("ticks_simulate_workbook", {})]


def test_a_disk_too_full_for_the_log_is_named_too(tmp_path: Path, disk) -> None:
    project = copy_project(tmp_path, TINY)
    disk(project.results, "size=64k")
    try:
        (project.results / "filler").write_bytes(bytes(2**20))
    except OSError as error:
        assert error.strerror == "No space left on device"
    result = project.run(WORKBOOK)
    assert causes(result)
    assert all("No space left on device" in cause for cause in causes(result))


def test_read_only_results_are_named(tmp_path: Path, disk) -> None:
    project = copy_project(tmp_path, TINY)
    disk(project.results, "ro,size=64k")
    result = project.run(WORKBOOK)
    assert any("Read-only file system" in line and "results" in line for line in last(result))


def test_a_file_in_the_place_of_the_results_is_named(tmp_path: Path) -> None:
    project = copy_project(tmp_path, TINY)
    project.results.write_text("in the way")
    result = project.run(WORKBOOK)
    assert any("Not a directory" in line and "results" in line for line in last(result))
    assert project.results.read_text() == "in the way"


def cut(content: bytes) -> bytes:
    """The first half."""
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    """One bit of the data changed, which no reader of parquet notices."""
    return content[:200] + bytes([content[200] ^ 1]) + content[201:]


BROKEN = [  # file, what becomes of it, the job that stumbles over it and the one that made it
    ("ticks/parquet/MODON.parquet", cut, "ticks_simulate_trades", "ticks_build_parquet"),
    ("ticks/parquet/MODON.parquet", flipped, "ticks_simulate_trades", "ticks_build_parquet"),
    ("ticks/source/workbook.xlsx", cut, "ticks_build_parquet", "ticks_simulate_workbook"),
]


class Broken(NamedTuple):
    """A finished project after one of its files was damaged, and two runs after that."""

    project: Project
    path: Path
    reader: str
    maker: str
    runs: list[subprocess.CompletedProcess]
    want: dict[str, str]

    def rebuild(self) -> None:
        """Do what a reader of the error does."""
        self.path.unlink(missing_ok=True)
        self.project.run(check=True)


@pytest.fixture(scope="module", params=BROKEN)
def broken(request, built: tuple[Project, dict[str, str]]) -> Iterator[Broken]:
    """Damage a file of the finished project; leave it rebuilt."""
    project, want = built
    name, change, reader, maker = request.param
    path = project.results / "tiny" / name
    path.write_bytes(change(path.read_bytes()))
    case = Broken(project, path, reader, maker, [project.run(), project.run()], want)
    yield case
    if project.digests() != want:
        case.rebuild()


def test_a_broken_file_fails_its_readers(broken: Broken) -> None:
    assert any(line.startswith(f"  {broken.reader}") for line in last(broken.runs[0], 40))
    assert not half_written(broken.project.results)


def test_the_next_run_fails_again(broken: Broken) -> None:
    assert sorted(causes(broken.runs[1])) == sorted(causes(broken.runs[0]))


def test_a_broken_file_is_named_with_the_fix(broken: Broken) -> None:
    name = str(broken.path.relative_to(broken.project.folder))
    fix = f"delete it, and the next run makes it again by {broken.maker}"
    assert all(name in cause and fix in cause for cause in causes(broken.runs[0]))


def test_a_broken_file_is_rebuilt_once_it_is_removed(broken: Broken) -> None:
    broken.rebuild()
    assert broken.project.digests() == broken.want


def test_deleted_results_are_rebuilt_the_same(built: tuple[Project, dict[str, str]]) -> None:
    project, want = built
    shutil.rmtree(project.results)
    project.run(check=True)
    assert project.digests() == want


def test_files_of_the_future_hold_up_nothing(built: tuple[Project, dict[str, str]]) -> None:
    project, want = built
    ahead = time.time() + 3 * 86400
    for path in project.results.rglob("*"):
        os.utime(path, (ahead, ahead))
    assert "Nothing to be done" in project.run(check=True).stdout
    shutil.rmtree(project.results / "tiny/ticks/trades")
    project.run(check=True)
    assert project.digests() == want


def test_a_killed_job_is_named(tmp_path: Path) -> None:
    project = copy_project(tmp_path, with_simulator(**SLOW))
    process = project.start(WORKBOOK)
    wait_for(lambda: job_of(process.pid, "simulate_workbook.py")).kill()
    out, _ = process.communicate(timeout=60)
    result = subprocess.CompletedProcess(process.args, process.returncode, out)
    assert "  ticks_simulate_workbook" in last(result)
    assert causes(result) == ["killed (no message in the log; out of memory or kill -9?)"]
    assert not (project.folder / WORKBOOK).exists()


def test_jobs_end_with_their_run_and_write_nothing_more(tmp_path: Path) -> None:
    project = copy_project(tmp_path, with_simulator(**SLOW))
    workbook = project.folder / WORKBOOK
    process = project.start(WORKBOOK)
    wait_for(lambda: list(workbook.parent.glob(".*.tmp")))  # in the middle of writing
    jobs = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    assert jobs
    assert not psutil.wait_procs(jobs, timeout=ORPHAN_SECONDS)[1]
    assert not workbook.exists()

    project.write_config("config/config.yaml", TINY)
    locked = last(project.run(WORKBOOK), 1)[0]
    assert locked.startswith("locked: ")
    assert "snakemake --unlock" in locked
    project.run("--unlock", check=True)
    project.run(WORKBOOK, check=True)
    assert workbook.is_file()
    assert not half_written(project.results)

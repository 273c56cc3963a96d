"""Atomic writes: the old file or the whole new one, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import psutil
import pytest

from scripts import atomic as module
from scripts import tables
from scripts.atomic import OrphanedError, atomic, is_alive, mark, serve
from scripts.errors import DataError
from tests.workflow.labs import disk

NAMES = [
    "plain.csv",
    "zwölf Ünïts.csv",
    "a b\tc.csv",
    "[a-z]*?.csv",
    "{x},y=1.csv",
    "no_suffix",
    ".dot",
]


@pytest.fixture
def child() -> Iterator[subprocess.Popen]:
    """A process that lives until it is killed."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


@pytest.fixture(autouse=True)
def nobody_is_served() -> Iterator[None]:
    yield
    serve(None)


def dead_pid() -> int:
    """The pid of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def mark_of(pid: int) -> str:
    """The mark of a process of this machine."""
    return f"{mark().rpartition('-')[0]}-{pid}"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_the_file_appears_whole_at_a_clean_exit_and_not_before(tmp_path: Path, name: str) -> None:
    with atomic(tmp_path / name) as temporary:
        temporary.write_text("new")
        assert not (tmp_path / name).exists()
        assert temporary.parent == tmp_path
    assert (tmp_path / name).read_text() == "new"
    assert names(tmp_path) == [name]


def test_an_old_file_is_replaced_only_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    with atomic(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("written", [True, False])
def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path, error, written) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(error), atomic(path) as temporary:
        if written:
            temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["x"]


def test_a_body_that_writes_nothing_is_an_error_and_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic(tmp_path / "x"):
        pass
    assert names(tmp_path) == []


def test_missing_folders_are_made(tmp_path: Path) -> None:
    with atomic(tmp_path / "a" / "b" / "x") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "a" / "b" / "x").read_text() == "new"


def test_the_same_path_may_be_written_again(tmp_path: Path) -> None:
    for text in ("one", "two"):
        with atomic(tmp_path / "x") as temporary:
            temporary.write_text(text)
    assert (tmp_path / "x").read_text() == "two"


# What killed processes left


@pytest.mark.parametrize("name", NAMES)
def test_a_half_file_of_a_dead_process_is_swept(tmp_path: Path, name: str) -> None:
    (tmp_path / f".{name}.{mark_of(dead_pid())}.tmp").write_text("half")
    with atomic(tmp_path / name) as temporary:
        temporary.write_text("new")
    assert names(tmp_path) == [name]


def test_a_half_file_of_a_living_process_stays(tmp_path: Path, child: subprocess.Popen) -> None:
    other = tmp_path / f".x.{mark_of(child.pid)}.tmp"
    other.write_text("still being written")
    with atomic(tmp_path / "x") as temporary:
        temporary.write_text("new")
    assert other.read_text() == "still being written"


@pytest.mark.parametrize(
    "left",
    [".y.{mark}.tmp", "x.{mark}.tmp", ".x.{mark}", ".x.{pid}.tmp", ".x.other-{pid}.tmp", "[x].tmp"],
)
def test_files_that_are_no_half_file_of_this_path_stay(tmp_path: Path, left: str) -> None:
    other = tmp_path / left.format(pid=dead_pid(), mark=mark_of(dead_pid()))
    other.touch()
    with atomic(tmp_path / "x") as temporary:
        temporary.write_text("new")
    assert names(tmp_path) == sorted([other.name, "x"])


def test_a_name_with_glob_characters_sweeps_no_other_name(tmp_path: Path) -> None:
    other = tmp_path / f".ab.{mark_of(dead_pid())}.tmp"
    other.touch()
    with atomic(tmp_path / "a*") as temporary:
        temporary.write_text("new")
    assert other.exists()


def test_after_a_kill_the_old_file_stands_and_the_next_writer_cleans_up(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    code = (
        "import os, sys; from pathlib import Path; from scripts.atomic import atomic\n"
        "with atomic(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    root = Path(__file__).parents[2]
    killed = subprocess.run([sys.executable, "-c", code, str(path)], cwd=root, check=False)
    assert killed.returncode == -9
    assert path.read_text() == "old"
    assert len(names(tmp_path)) == 2
    with atomic(path) as temporary:
        temporary.write_text("new")
    assert (names(tmp_path), path.read_text()) == (["x"], "new")


# The owner


def test_with_a_living_owner_the_file_is_written(tmp_path, child: subprocess.Popen) -> None:
    serve(psutil.Process(child.pid))
    with atomic(tmp_path / "x") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "x").exists()


@pytest.mark.parametrize("reaped", [True, False], ids=["gone", "zombie"])
def test_when_the_owner_is_killed_meanwhile_the_old_file_stays(tmp_path, child, reaped) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    serve(psutil.Process(child.pid))
    with pytest.raises(OrphanedError, match="x not replaced"), atomic(path) as temporary:
        temporary.write_text("new")
        child.kill()
        if reaped:
            child.wait()
        else:
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, but not yet reaped
    assert path.read_text() == "old"
    assert names(tmp_path) == ["x"]


def test_another_error_is_not_hidden_by_the_owners_end(tmp_path, child: subprocess.Popen) -> None:
    serve(psutil.Process(child.pid))
    child.kill()
    child.wait()
    with pytest.raises(ZeroDivisionError), atomic(tmp_path / "x"):
        raise ZeroDivisionError


def test_a_pid_given_to_another_process_is_not_the_owner(child: subprocess.Popen) -> None:
    owner = psutil.Process(child.pid)
    assert is_alive(owner)
    owner._ident = (owner.pid, 1.0)  # as if the pid had been that of a process of 1970
    assert not is_alive(owner)


def test_nobody_is_served_at_first() -> None:
    assert module._owner is None


def test_a_full_disk_is_named_whatever_the_writer_makes_of_it(tmp_path: Path) -> None:
    with disk(tmp_path / "small", "2m") as resize:
        path = tmp_path / "small" / "a.parquet"

        def write(error: Exception) -> None:
            with atomic(path) as temporary:
                temporary.write_bytes(bytes(3 * 2**19))
                raise error

        with pytest.raises(OSError, match=r"No space left on device: '.*a\.parquet'"):
            write(RuntimeError("transport error"))
        with pytest.raises(DataError, match="a bad row"):
            write(DataError("a bad row"))
        assert list(path.parent.iterdir()) == []
        resize("9m")
        with pytest.raises(RuntimeError, match="transport error"):
            write(RuntimeError("transport error"))


@pytest.mark.parametrize("room", [0, 4, 40, 100])
def test_of_a_partition_that_fits_nowhere_the_disk_is_told(tmp_path: Path, room: int) -> None:
    frame = pl.DataFrame({f"c{n}": pl.Series(range(5000)).shuffle(n) for n in range(20)})
    with disk(tmp_path / "small", f"{512 + room}k"):
        (tmp_path / "small" / "other").write_bytes(bytes(2**19))
        with pytest.raises(OSError, match="No space left on device"):
            tables.write(frame, tmp_path / "small" / "a.parquet")

"""A rule's script as Snakemake runs it: in a process of its own, seen from outside."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from scripts.atomic import is_alive
from scripts.errors import DataError
from scripts.job import measure, one_line, started

ROOT = Path(__file__).parents[2]
PROLOGUE = """
import ctypes, logging, os, subprocess, sys, time
from pathlib import Path
from types import SimpleNamespace
from scripts.atomic import atomic
from scripts.errors import DataError
from scripts.job import job
snakemake = SimpleNamespace(
    log=[sys.argv[1]], rule="ticks_build", wildcards={"security": "MODON", "mode": "parity"}
)
with job(snakemake) as log:
"""
MEASURE = re.compile(r"done: wall \d+\.\d\d s, cpu \d+\.\d\d s, peak memory \d+ MiB, on \S+")


class Ended(NamedTuple):
    status: int
    log: list[str]
    out: str
    err: str


def start(log: Path, body: str, **environment: str) -> subprocess.Popen:
    """Start a job with `body` in it; by default it has no owner."""
    unwanted = ("ALMANAC_MAIN_PID", "PYTHONUNBUFFERED")
    inherited = {k: v for k, v in os.environ.items() if k not in unwanted}
    return subprocess.Popen(
        [sys.executable, "-c", PROLOGUE + textwrap.indent(textwrap.dedent(body), "    "), str(log)],
        cwd=ROOT,
        env=inherited | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "ticks" / "job.log"


@pytest.fixture
def run(log: Path):
    """A function that runs a job to its end."""

    def end(body: str, **environment: str) -> Ended:
        process = start(log, body, **environment)
        out, err = process.communicate(timeout=60)
        return Ended(process.returncode, log.read_text().splitlines(), out, err)

    return end


# A job that succeeds


def test_a_clean_job_is_silent_and_ends_its_log_with_what_it_took(run) -> None:
    ended = run("log.info('%d rows', 7)")
    assert (ended.status, ended.out, ended.err) == (0, "", "")
    assert ended.log[0] == "7 rows"
    assert MEASURE.fullmatch(ended.log[-1])
    assert len(ended.log) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "print('heard')",
        "print('heard', file=sys.stderr)",
        "os.write(1, b'heard\\n')",
        "os.write(2, b'heard\\n')",
        "ctypes.CDLL(None).puts(b'heard'); ctypes.CDLL(None).fflush(None)",
        "subprocess.run(['echo', 'heard'])",
        "logging.getLogger('a.library').warning('heard')",
        "sys.stdout.write('heard')",
    ],
)
def test_all_that_is_printed_lands_in_the_log_before_the_measures(run, statement: str) -> None:
    ended = run(statement)
    assert (ended.status, ended.out, ended.err) == (0, "", "")
    assert "".join(ended.log).startswith("heard")
    assert MEASURE.search(ended.log[-1])


def test_a_second_run_begins_its_log_anew(run) -> None:
    run("print('first')")
    assert "first" not in " ".join(run("print('second')").log)


def test_the_measures_count_children_too() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-c", burn], check=True)
    assert float(re.search(r"cpu (\S+) s", measure(1.5))[1]) >= 0.3
    assert measure(1.5).startswith("done: wall 1.50 s, ")


def test_the_peak_is_the_jobs_own_not_that_of_the_process_that_started_it(
    log: Path, tmp_path: Path
) -> None:
    code = """
        import subprocess, sys
        held = bytearray(400 << 20)
        held[::4096] = b"x" * len(held[::4096])
        subprocess.run([sys.executable, "-c", sys.argv[1], sys.argv[2]], check=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), PROLOGUE + "    pass", str(log)]
    subprocess.run(command, cwd=ROOT, check=True)
    peak = int(re.search(r"peak memory (\d+) MiB", log.read_text())[1])
    assert peak < (400 if sys.platform == "linux" else 10**6)
    held = PROLOGUE + "    held = bytearray(300 << 20); held[::4096] = b'x' * len(held[::4096])"
    subprocess.run([sys.executable, "-c", held, str(log)], cwd=ROOT, check=True)
    assert int(re.search(r"peak memory (\d+) MiB", log.read_text())[1]) > 300


def test_nothing_is_begun_once_a_critical_rule_has_failed(log: Path, tmp_path: Path) -> None:
    note = tmp_path / ".snakemake" / "almanac-stopped.json"
    note.parent.mkdir()

    def run(text: str) -> subprocess.CompletedProcess:
        note.write_text(text)
        body = PROLOGUE + "    Path('begun').touch()"
        return subprocess.run(
            [sys.executable, "-c", body, str(log)],
            cwd=tmp_path,
            env={**os.environ, "ALMANAC_STARTED": "7.5", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    stopped = run('{"run": "7.5", "rule": "nfl_check_leaks"}')
    assert (stopped.returncode, (tmp_path / "begun").exists()) == (1, False)
    assert "not begun: nfl_check_leaks is critical in the config, and has failed" in stopped.stderr
    for other in ('{"run": "6.5", "rule": "nfl_check_leaks"}', "{}", "half a no"):
        assert run(other).returncode == 0, "of an earlier run, or unreadable"
        (tmp_path / "begun").unlink()


# A job that fails

FAILURES = {
    "DataError('book.xlsx, line 4: no price')": "book.xlsx, line 4: no price",
    "DataError('two\\n  lines')": "two lines",
    "ValueError('wrong')": "ValueError: wrong",
    "KeyError('exchange')": "KeyError: 'exchange'",
    "ValueError()": "ValueError",
    "KeyboardInterrupt()": "KeyboardInterrupt",
    "SystemExit(3)": "SystemExit: 3",
    "MemoryError('a\\nb')": "MemoryError: a b",
    "DataError('Größe 5 €')": "Größe 5 €",
}


@pytest.mark.parametrize("raised", FAILURES)
def test_a_failure_ends_log_and_screen_with_its_cause(run, log: Path, raised: str) -> None:
    ended = run(f"log.info('so far')\nraise {raised}")
    cause = FAILURES[raised]
    assert ended.status == 1
    assert ended.log[0] == "so far"
    assert "Traceback (most recent call last):" in ended.log
    assert ended.log[-1] == f"error: {cause}"
    assert ended.out == ""
    assert ended.err == f"error: ticks_build mode=parity security=MODON: {cause} (log: {log})\n"


def test_what_was_printed_stands_before_the_cause(run) -> None:
    ended = run("print('so far')\nraise ValueError('wrong')")
    assert ended.log[0] == "so far"
    assert ended.log[-1] == "error: ValueError: wrong"


def test_a_failed_job_has_no_measures(run) -> None:
    assert not any(map(MEASURE.search, run("raise ValueError").log))


def test_a_rule_without_wildcards_is_named_alone(run, log: Path) -> None:
    ended = run("snakemake.wildcards = {}\nraise DataError('bad')")
    assert ended.err == f"error: ticks_build: bad (log: {log})\n"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DataError("a\n\tb"), "a b"),
        (OSError(2, "No such file", "x.csv"), "FileNotFoundError: [Errno 2] No such file: 'x.csv'"),
        (RuntimeError(""), "RuntimeError"),
        (ValueError("ends in a colon: "), "ValueError: ends in a colon"),
    ],
)
def test_a_cause_is_one_line(error: BaseException, line: str) -> None:
    assert one_line(error) == line


# The owner


@pytest.fixture
def owner() -> Iterator[subprocess.Popen]:
    """A process to work for, which lives until it is killed."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def wait_for(path: Path) -> None:
    """Wait until a file is there; a minute at most."""
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} does not appear"
        time.sleep(0.02)


def test_a_job_with_a_living_owner_ends_well(run, owner: subprocess.Popen, tmp_path: Path) -> None:
    body = f"""
        with atomic(Path({str(tmp_path / "x")!r})) as temporary:
            temporary.write_text("new")
    """
    assert run(body, ALMANAC_MAIN_PID=str(owner.pid)).status == 0
    assert (tmp_path / "x").read_text() == "new"


@pytest.mark.parametrize("work", ["time.sleep(300)", "while True: pass"])
def test_a_job_ends_by_itself_when_its_owner_is_killed(tmp_path, log, owner, work) -> None:
    body = f"Path({str(tmp_path / 'started')!r}).touch()\n{work}"
    process = start(log, body, ALMANAC_MAIN_PID=str(owner.pid))
    try:
        wait_for(tmp_path / "started")
        assert process.poll() is None
        owner.kill()  # and not reaped: a zombie is as good as gone
        assert process.wait(timeout=60) == 1
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()


def test_the_children_of_a_job_end_with_it(tmp_path, log, owner) -> None:
    note = tmp_path / "child"
    body = f"""
        with subprocess.Popen(["sleep", "300"]) as child:
            with atomic(Path({str(note)!r})) as temporary:
                temporary.write_text(str(child.pid))
    """
    process = start(log, body, ALMANAC_MAIN_PID=str(owner.pid))
    wait_for(note)
    child = psutil.Process(int(note.read_text()))
    try:
        owner.kill()
        process.communicate(timeout=60)
        psutil.wait_procs([child], timeout=1)
        assert not is_alive(child)
    finally:
        process.kill()
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def test_a_file_half_written_when_the_owner_dies_does_not_appear(tmp_path, log, owner) -> None:
    body = f"""
        with atomic(Path({str(tmp_path / "x")!r})) as temporary:
            temporary.write_text("new")
            Path({str(tmp_path / "started")!r}).touch()
            time.sleep(300)
    """
    process = start(log, body, ALMANAC_MAIN_PID=str(owner.pid))
    try:
        wait_for(tmp_path / "started")
        owner.kill()
        owner.wait()
        process.wait(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert not (tmp_path / "x").exists()


def test_a_job_whose_owner_is_gone_already_does_nothing(run, owner, tmp_path: Path) -> None:
    owner.kill()
    owner.wait()
    body = f"Path({str(tmp_path / 'started')!r}).touch()"
    assert run(body, ALMANAC_MAIN_PID=str(owner.pid)).status == 1
    assert not (tmp_path / "started").exists()


def test_a_job_knows_when_its_run_began(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALMANAC_STARTED", "1764244800.5")
    assert started() == 1764244800.5
    monkeypatch.delenv("ALMANAC_STARTED")
    assert started() == 0.0

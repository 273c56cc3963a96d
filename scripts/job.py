"""The one place where a Snakemake job meets the outside: its log, its measures, its last word."""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from scripts import atomic, manifests
from scripts.errors import DataError

OWNER_VARIABLE = "ALMANAC_MAIN_PID"
RESULTS_VARIABLE = "ALMANAC_RESULTS"
STARTED_VARIABLE = "ALMANAC_STARTED"
STOPPED = Path(".snakemake", "almanac-stopped.json")
WATCH_INTERVAL_S = 0.5


@contextmanager
def job(snakemake: Any) -> Iterator[logging.Logger]:
    """Run the body of a rule's script.

    Everything the job prints goes to the rule's log (the file descriptors themselves, so that
    compiled libraries are heard too) and not to the screen, which belongs to the progress of the
    whole run. The log ends with wall time, CPU time and peak memory, or, after a failure, with the
    traceback and one line `error: <cause>`. That line is repeated on the screen with the rule, its
    wildcards and the log's path, and the process ends with status 1.

    Inputs that an earlier job wrote are first held against their manifests, and what this one
    writes gets its own (see `manifests`). A job whose Snakemake process is gone stops by itself.

    Args:
        snakemake: the object Snakemake gives to a script.

    Yields:
        a logger whose records go to the log.
    """
    log_path = Path(snakemake.log[0])
    log_path.parent.mkdir(parents=True, exist_ok=True)
    screen = os.dup(2)
    with log_path.open("w") as log_file:
        os.dup2(log_file.fileno(), 1)
        os.dup2(log_file.fileno(), 2)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s", force=True)
    _watch_owner()
    start = time.perf_counter()
    try:
        _stop_if_critical_failed()
        with _manifests(snakemake):
            yield logging.getLogger("almanac")
    except BaseException as error:
        cause = one_line(error)
        with suppress(OSError):
            sys.stdout.flush()
            traceback.print_exc()
            print(f"error: {cause}", file=sys.stderr, flush=True)
        place = " ".join(f"{k}={v}" for k, v in sorted(snakemake.wildcards.items()))
        line = (
            f"error: {' '.join(filter(None, [snakemake.rule, place]))}: {cause} (log: {log_path})\n"
        )
        os.write(screen, line.encode(errors="backslashreplace"))
        raise SystemExit(1) from None
    finally:
        sys.stdout.flush()
    logging.info("%s", measure(time.perf_counter() - start))


@contextmanager
def _manifests(snakemake: Any) -> Iterator[None]:
    """Check what the job reads, and keep the manifests of what it writes."""
    inputs, outputs = (
        [Path(path) for path in getattr(snakemake, kind, ())] for kind in ("input", "output")
    )
    manifests.check(inputs)
    _bring_to_now(inputs)
    top = os.environ.get(RESULTS_VARIABLE)
    if not top:
        yield
        return
    kept = [file for file in outputs if file.is_file()]
    keeper = manifests.Keeper(Path(top), snakemake.rule, snakemake.wildcards, kept)
    for file in outputs:
        if file not in kept:
            keeper.forget(file)
    atomic.tell(keeper)
    yield
    keeper.note_others(outputs)
    _bring_to_now(inputs)  # the clock may have been put back meanwhile


def _bring_to_now(files: Iterable[Path]) -> None:
    """Give results and files of the project that are of the future the time of now.

    A clock that was ahead wrote them, and Snakemake fails a job whose outputs are older than an
    input; what is in a file counts here. Files of others, elsewhere, are left as they are.
    """
    for file in files:
        with suppress(OSError):
            ours = manifests.place_of(file) or file.resolve().is_relative_to(Path.cwd())
            if ours and file.stat().st_mtime > time.time():
                os.utime(file)


def environment() -> Mapping[str, str]:
    """The environment variables of this process: for what must not stand in a file, as a key."""
    return os.environ


def owner() -> int:
    """Process id of the Snakemake that this job works for; without one its own."""
    return int(os.environ.get(OWNER_VARIABLE) or os.getpid())


def started() -> float:
    """When the run that this job belongs to began, seconds since the epoch; 0: nobody says."""
    return float(os.environ.get(STARTED_VARIABLE) or 0)


def one_line(error: BaseException) -> str:
    """The cause as one line: the message alone for a DataError, with its class for any other."""
    text = " ".join(str(error).split())
    return text if isinstance(error, DataError) else f"{type(error).__name__}: {text}".rstrip(": ")


def _stop_if_critical_failed() -> None:
    """Begin nothing after the failure of a critical rule: the logger plugin leaves a note of it.

    Raises:
        DataError: this run was stopped.
    """
    note: dict = {}
    with suppress(OSError, ValueError):
        note = json.loads(STOPPED.read_text(encoding="utf-8"))
    if note and note.get("run") == os.environ.get(STARTED_VARIABLE):
        raise DataError(f"not begun: {note['rule']} is critical in the config, and has failed")


def measure(wall_s: float) -> str:
    """One line: wall and CPU seconds (children included), peak of the largest process, machine."""
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    cpu = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes on macOS, KiB on Linux
    peak = max(_own_peak() or own.ru_maxrss * unit, children.ru_maxrss * unit)
    cost = f"wall {wall_s:.2f} s, cpu {cpu:.2f} s, peak memory {peak / 2**20:.0f} MiB"
    return f"done: {cost}, on {os.uname().nodename}"


def _own_peak() -> int:
    """Peak memory of this process in bytes, where Linux tells it; else 0.

    The ru_maxrss of a process is at least that of the one that started it, here all of Snakemake.
    """
    with suppress(OSError), Path("/proc/self/status").open() as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _watch_owner() -> None:
    """End this process soon after the Snakemake process it works for has ended."""
    pid = os.environ.get(OWNER_VARIABLE)
    if not pid:
        return
    try:
        owner = psutil.Process(int(pid))
    except psutil.NoSuchProcess:
        os._exit(1)
    atomic.serve(owner)

    def watch() -> None:
        while atomic.is_alive(owner):
            time.sleep(WATCH_INTERVAL_S)
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

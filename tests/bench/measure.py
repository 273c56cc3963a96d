"""Run a piece of Python in a process of its own and measure the whole of it."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

ROOT = Path(__file__).resolve().parents[2]
SAMPLE_S = 0.01


class Cost(NamedTuple):
    """Of one process and its children: wall seconds, CPU seconds, peak memory of the largest."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def run(command: list[str], env: dict[str, str] | None = None, cwd: Path = ROOT) -> Cost:
    """Run `command` quietly; raises with its output when it fails.

    Memory is sampled: what the system reports at the end is at least the starter's own.
    """
    start, peak = time.perf_counter(), 0
    with tempfile.TemporaryFile("w+") as output:
        process = psutil.Popen(
            command, cwd=cwd, env={**os.environ, **(env or {})}, stdout=output, stderr=output
        )
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            with suppress(psutil.Error):
                peak = max(peak, process.memory_info().rss)
            time.sleep(SAMPLE_S)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            output.seek(0)
            raise RuntimeError(f"{' '.join(command)} failed:\n{output.read()[-3000:]}")
    wall = time.perf_counter() - start
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak / 2**20)


def python(code: str, *arguments: object, env: dict[str, str] | None = None) -> Cost:
    """Run `code` in a fresh interpreter with `arguments` as sys.argv[1:]."""
    return run([sys.executable, "-c", code, *map(str, arguments)], env)


def best(times: int, call) -> Cost:
    """The run with the least CPU time of several: machines are shared and noisy."""
    return min((call() for _ in range(times)), key=lambda cost: cost.cpu_s)

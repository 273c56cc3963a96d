"""Run a piece of Python in a process of its own and measure the whole of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Cost(NamedTuple):
    """Of one process and its children: wall seconds, CPU seconds, peak memory of the largest."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def run(command: list[str], env: dict[str, str] | None = None, cwd: Path = ROOT) -> Cost:
    """Run `command` quietly; raises with its output when it fails."""
    start = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{output[-3000:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 2**20)


def python(code: str, *arguments: object, env: dict[str, str] | None = None) -> Cost:
    """Run `code` in a fresh interpreter with `arguments` as sys.argv[1:]."""
    return run([sys.executable, "-c", code, *map(str, arguments)], env)


def best(times: int, call) -> Cost:
    """The run with the least CPU time of several: machines are shared and noisy."""
    return min((call() for _ in range(times)), key=lambda cost: cost.cpu_s)

"""Snakemake's own cost: many jobs that do nothing but make their output, on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench.measure import ROOT

MIB = 2**20
SAMPLE_S = 0.05
# As files, as a database. 20,000 would take more than 15 minutes: docs/scale.md computes them.
SIZES = ([100, 1000, 2000, 5000], [1000])
PROFILE = ROOT / "profiles" / "default"
WORKFLOW = """
N = int(config["cells"])

rule all:
    input: expand("out/{n}.txt", n=range(N))

rule cell:
    output: "out/{n}.txt"
    log: "logs/cell/{n}.log"
    benchmark: "benchmarks/cell/{n}.tsv"
    threads: 1
    resources: mem_mb=500, runtime=30, s3=int(config.get("s3", 0))
    params: code="0123456789abcdef"
    message: "Cell {wildcards.n}"
    shell: ": > {output} 2> {log}"
"""


@dataclass(frozen=True)
class Watched:
    """A finished process: CPU of its own and of its children, peak memory of its own."""

    wall_s: float
    own_cpu_s: float
    children_cpu_s: float
    peak_mib: float
    ended: bool
    status: int
    output: str

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the process and of its children."""
        return self.own_cpu_s + self.children_cpu_s


def watch(
    command: list[str],
    cwd: Path,
    env: dict[str, str] | None = None,
    limit_s: float = 3600,
    may_fail: bool = False,
) -> Watched:
    """Run `command`; after `limit_s` it and its children are killed and it counts as not ended.

    Unless it `may_fail`, raises with its output when it fails.
    """
    start, peak, ended = time.perf_counter(), 0, True
    with tempfile.TemporaryFile("w+") as output:
        process = psutil.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )
        own = 0.0
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            with suppress(psutil.Error):
                peak = max(peak, process.memory_info().rss)
                times = process.cpu_times()
                own = times.user + times.system
            if time.perf_counter() - start > limit_s and ended:
                ended = False
                _kill(process)
            time.sleep(SAMPLE_S)
        _, status, usage = os.wait4(process.pid, 0)
        output.seek(0)
        text = output.read()
    if status and ended and not may_fail:
        raise RuntimeError(f"{' '.join(command)} failed:\n{text[-3000:]}")
    wall, cpu = time.perf_counter() - start, usage.ru_utime + usage.ru_stime
    return Watched(wall, own, max(0.0, cpu - own), peak / MIB, ended, status, text)


def _kill(process: psutil.Process) -> None:
    """Kill a process and its descendants."""
    for child in [*process.children(recursive=True), process]:
        with suppress(psutil.Error):
            child.kill()


def snakemake(python: str, folder: Path, n: int, *options: str) -> list[str]:
    """Command that builds `n` cells in `folder`."""
    (folder / "Snakefile").write_text(WORKFLOW)
    return [python, "-m", "snakemake", "--config", f"cells={n}", *options]


def files(folder: Path) -> tuple[int, int, int]:
    """Number of files below `folder`, their bytes, and the bytes of the disk blocks they take."""
    found = [path.stat() for path in folder.rglob("*") if path.is_file()]
    return (
        len(found),
        sum(stat.st_size for stat in found),
        sum(stat.st_blocks for stat in found) * 512,
    )


def measure(n: int, backend: str = "file") -> dict[str, object]:
    """Build `n` cells, plan them again, and count what was left behind."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = {"ALMANAC_EVENTS": "events", "ALMANAC_MAIN_PID": ""}
        options = ["--workflow-profile", str(PROFILE), "--persistence-backend", backend]
        command = snakemake(sys.executable, folder, n, *options)
        ran = watch(command, folder, env)
        again = watch([*command, "--dry-run"], folder, env)
        if "Nothing to be done" not in again.output:
            raise RuntimeError(f"the plan of {n} finished cells is not empty:\n{again.output}")
        kept = folder / ".snakemake"
        metadata = files(kept / "metadata")
        database = sum(path.stat().st_size for path in kept.glob("metadata.db*"))
        return {
            "jobs": n,
            "backend": backend,
            "wall_s": ran.wall_s,
            "cpu_s": ran.cpu_s,
            "own_cpu_s": ran.own_cpu_s,
            "peak_mib": ran.peak_mib,
            "metadata_files": metadata[0],
            "metadata_bytes": metadata[1] + database,
            "metadata_disk_bytes": metadata[2] + database,
            "snakemake_files": files(kept)[0],
            "logs": files(folder / "logs")[0],
            "benchmarks": files(folder / "benchmarks")[0],
            "benchmark_bytes": files(folder / "benchmarks")[1],
            "events_bytes": files(folder / "events")[1],
            "screen_bytes": files(kept / "log")[1],
            "done_wall_s": again.wall_s,
            "done_cpu_s": again.cpu_s,
            "done_peak_mib": again.peak_mib,
        }


def rows(sizes: list[int], databases: list[int]) -> Iterator[dict[str, object]]:
    """Measured runs: `sizes` with one metadata file an output, `databases` with a database."""
    for n in sizes:
        yield measure(n)
    for n in databases:
        yield measure(n, "db")

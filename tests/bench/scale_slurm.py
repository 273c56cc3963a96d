"""The Slurm executor plugin against a simulated Slurm: who is called how often, at what cost.

The plugin is the real one. Behind it stand programs that note each call and say of a job, some
seconds after it came, that it is done: nothing runs, its files are made when it is submitted.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.bench.scale_run import Watched, files, snakemake, watch

SIMULATOR = Path(__file__).with_name("slurm_simulator.py")
PROGRAMS = ("sbatch", "sacct", "squeue", "scontrol", "sinfo", "scancel", "sacctmgr")
SIZES = [100, 1000, 5000]
JOB_S = 5
POLL_S = 10
GROUP = 50
ARRAY = 50  # of 1,000 the plugin would put up to 999 in a submission that no shell can run
PLUGIN = "snakemake_executor_plugin_slurm"
KINDS = {
    "one by one": [],
    f"arrays of {ARRAY}": ["--slurm-array-jobs", "all", "--slurm-array-limit", str(ARRAY)],
    f"groups of {GROUP}": ["--groups", "cell=cells", "--group-components", f"cells={GROUP}"],
}


def python() -> str | None:
    """Interpreter that has the plugin: this one, or $ALMANAC_SLURM_PYTHON."""
    if importlib.util.find_spec(PLUGIN):
        return sys.executable
    return os.environ.get("ALMANAC_SLURM_PYTHON")


def simulate(
    interpreter: str,
    n: int,
    options: list[str],
    jobs: int = 100_000,
    config: tuple[str, ...] = (),
    limit_s: float = 900,
    may_fail: bool = False,
) -> tuple[Watched, list[dict[str, object]], int]:
    """Build `n` cells on the simulated Slurm: the process, the calls, the metadata files left."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tools, state, work = (folder / part for part in ("bin", "state", "work"))
        for part in (tools, state, work):
            part.mkdir()
        for program in PROGRAMS:
            shutil.copy(SIMULATOR, tools / program)
            (tools / program).chmod(0o755)
        env = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "SIMULATED_SLURM": str(state),
            "SIMULATED_JOB_S": str(JOB_S),
        }
        command = snakemake(interpreter, work, n, *config)
        command += ["--executor", "slurm", "--jobs", str(jobs), "--slurm-no-account"]
        command += ["--default-resources", "slurm_partition=batch"]
        command += ["--slurm-init-seconds-before-status-checks", str(POLL_S)]
        command += ["--scheduler", "greedy", "--local-cores", "1", *options]
        ran = watch(command, work, env, limit_s, may_fail)
        log = state / "calls.jsonl"
        calls = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return ran, calls, files(work / ".snakemake" / "metadata")[0]


def measure(interpreter: str, kind: str, n: int) -> dict[str, object]:
    """One row: `n` jobs of a kind of submission."""
    ran, calls, metadata = simulate(interpreter, n, KINDS[kind])
    programs = Counter(call["program"] for call in calls)
    seconds = Counter(int(call["time"]) for call in calls)
    sent = [call for call in calls if call["program"] == "sbatch"]
    polls = [call for call in calls if call["program"] in ("sacct", "squeue")]
    memory = [int(mem) for call in sent for mem in re.findall(r"--mem (\d+)", str(call["line"]))]
    first, last = (pick(call["time"] for call in sent) for pick in (min, max))
    return {
        "kind": kind,
        "jobs": n,
        "wall_s": ran.wall_s,
        "own_cpu_s": ran.own_cpu_s,
        "peak_mib": ran.peak_mib,
        "submissions": programs["sbatch"],
        "submitting_s": last - first,
        "polls": len(polls),
        "poll_rows": sum(call["rows"] for call in polls),
        "other_calls": len(calls) - len(sent) - len(polls),
        "calls_in_the_fullest_second": max(seconds.values()),
        "largest_submission_bytes": max(call["bytes"] for call in sent),
        "least_mem_mb": min(memory, default=0),
        "most_mem_mb": max(memory, default=0),
        "metadata_files": metadata,
    }


def array(
    interpreter: str, ready: int, places: int, size: int, limit_s: float, s3: bool = False
) -> dict[str, object]:
    """Arrays of up to `size` when `ready` jobs wait for `places`: how many are ever submitted?"""
    options, config = ["--slurm-array-jobs", "all", "--slurm-array-limit", str(size)], ()
    if s3:
        options, config = [*options, "--resources", f"s3={places}"], ("s3=1",)
    began = time.time()
    ran, calls, _ = simulate(
        interpreter, ready, options, 100_000 if s3 else places, config, limit_s, may_fail=True
    )
    sent = [call for call in calls if call["program"] == "sbatch"]
    return {
        "ready": ready,
        "limit": f"`s3={places}`" if s3 else f"`--jobs {places}`",
        "array": size,
        "ended": ran.ended,
        "failed": bool(ran.status) and ran.ended,
        "wall_s": ran.wall_s,
        "submitted": sum(call["tasks"] for call in sent),
        "made": sum(call["cells"] for call in sent),
        "largest_submission_bytes": max((call["bytes"] for call in sent), default=0),
        "last_submission_s": max((call["time"] for call in sent), default=began) - began,
        "option_alone": any(call["option_alone"] for call in sent),
        "as_script": sum("/dev/stdin" in call["line"] for call in sent),
    }

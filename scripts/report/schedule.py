"""How a run used its cores: lanes, the critical path, the least time it could have taken."""

import heapq
import math
from collections.abc import Mapping, Sequence

from scripts.report.history import Job, Run


def lanes(jobs: Sequence[Job]) -> tuple[dict[int, int], list[str]]:
    """Lanes of a chart in which no two jobs of a lane overlap, the fewest possible on each machine.

    A job that has not ended holds its lane to the end. One whose machine is not known (it failed,
    or goes on) stands with the others where all of those ran on one.

    Returns:
        job -> its lane, and the machine of each lane (empty: unknown).
    """
    found: dict[int, int] = {}
    machines: list[str] = []
    hosts = {job.host for job in jobs if job.host}
    unknown = hosts.pop() if len(hosts) == 1 else ""
    host_of = {job.id: job.host or unknown for job in jobs}
    for host in sorted(set(host_of.values())):
        packed = _pack([job for job in jobs if host_of[job.id] == host])
        found |= {job: len(machines) + lane for job, lane in packed.items()}
        machines += [host] * (1 + max(packed.values()))
    return found, machines


def _pack(jobs: Sequence[Job]) -> dict[int, int]:
    free: list[int] = []  # lanes
    busy: list[tuple[float, int]] = []  # (end, lane)
    found: dict[int, int] = {}
    for job in sorted(jobs, key=lambda job: (job.start, job.id)):
        while busy and busy[0][0] <= job.start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        lane = heapq.heappop(free) if free else len(busy)
        heapq.heappush(busy, (job.start + (math.inf if job.seconds is None else job.seconds), lane))
        found[job.id] = lane
    return found


def critical_path(jobs: Sequence[Job]) -> list[int]:
    """The chain of jobs, each needing the one before, that takes longest, first job first.

    Jobs that did not end count nothing. A job's `after` names jobs that ended before it began.
    """
    known = {job.id: job for job in jobs}
    longest: dict[int, float] = {}
    before: dict[int, int | None] = {}
    for job in sorted(jobs, key=lambda job: (job.start + (job.seconds or 0.0), job.id)):
        needed = [other for other in job.after if other in longest]
        last = max(needed, key=lambda other: (longest[other], -other), default=None)
        before[job.id] = last
        longest[job.id] = _seconds(known[job.id]) + (0.0 if last is None else longest[last])
    at = max(longest, key=lambda job: (longest[job], -job), default=None)
    path = []
    while at is not None:
        path.append(at)
        at = before[at]
    return path[::-1]


def figures(run: Run) -> dict[str, float | int | None]:
    """What a run took and what it must at least have taken.

    Returns:
        {wall_s, work_s, cpu_s, critical_s, bound_s, peak_mib, mem_mb}: wall time from the start of
        the workflow, seconds of all jobs' processes times their threads, CPU seconds of those,
        seconds of the critical path, the larger of that and of work / cores, the largest peak, and
        the limit of memory. None where unknown: what jobs needed was not recorded always.
    """
    cores = run.cores
    known: Mapping[int, Job] = {job.id: job for job in run.jobs}
    work = sum(_seconds(job) * min(job.threads, cores or job.threads) for job in run.jobs)
    critical = sum(_seconds(known[job]) for job in critical_path(run.jobs)) if run.traced else None
    return {
        "wall_s": run.seconds or max((j.start + (j.seconds or 0) for j in run.jobs), default=None),
        "work_s": work,
        "cpu_s": sum(job.cpu_s or 0.0 for job in run.jobs) or None,
        "critical_s": critical,
        "bound_s": critical if critical is None or not cores else max(critical, work / cores),
        "peak_mib": max((job.peak_mib for job in run.jobs if job.peak_mib), default=None),
        "mem_mb": run.resources.get("mem_mb"),
    }


def _seconds(job: Job) -> float:
    """Of its own processes where that was measured, without what Snakemake did before and after."""
    return (job.run_s or job.seconds or 0.0) if job.state == "done" else 0.0

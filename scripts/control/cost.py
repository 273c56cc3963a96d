"""What a plan would cost, by what its rules took in recorded runs."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from scripts.control.dry_run import Plan, PlannedJob
from scripts.report.history import Job, Run
from scripts.report.trends import undated


@dataclass(frozen=True)
class Cost:
    """An estimate; seconds of jobs that were never recorded count as 0."""

    runs: int  # that it rests on
    work_s: float  # wall seconds of all jobs, one after another
    cpu_s: float | None  # None: CPU time is known of no rule
    wall_s: float  # on so many cores
    cores: int
    path: list[int]  # jobs of the critical path, in order
    path_s: float
    rules: dict[str, tuple[int, float]]  # rule -> jobs, seconds; the dearest first
    unknown: dict[str, int]  # rule that was never recorded -> jobs


class Record:
    """What jobs took in recorded runs: by rule and wildcards but for dates, else by rule alone."""

    def __init__(self, runs: Iterable[Run]) -> None:
        """Take over the jobs that ended well."""
        self._seconds: dict[object, list[float]] = defaultdict(list)
        self._cpu: dict[object, list[float]] = defaultdict(list)
        for run in runs:
            for job in run.done:
                for key in (job.rule, _key(job)):
                    self._seconds[key].append(job.seconds or 0.0)
                    if job.cpu_s is not None:
                        self._cpu[key].append(job.cpu_s)

    def seconds(self, job: PlannedJob) -> float | None:
        """Median wall seconds of jobs like this one; None: there was none."""
        return self._median(self._seconds, job)

    def cpu(self, job: PlannedJob) -> float | None:
        """Median CPU seconds of jobs like this one; None: unknown."""
        return self._median(self._cpu, job)

    @staticmethod
    def _median(known: Mapping[object, list[float]], job: PlannedJob) -> float | None:
        found = known.get(_key(job)) or known.get(job.rule)
        return median(found) if found else None


def estimate(plan: Plan, runs: Sequence[Run], cores: int) -> Cost:
    """Estimate a plan's cost.

    Args:
        plan: of a dry run.
        runs: recorded ones.
        cores: that the jobs may take together.
    """
    record = Record(runs)
    jobs = [job for job in plan.jobs if job.output]  # the others are targets
    took = {job.id: record.seconds(job) for job in jobs}
    seconds = {job.id: took.get(job.id) or 0.0 for job in plan.jobs}
    cpu = [value for job in jobs if (value := record.cpu(job)) is not None]
    rules: dict[str, tuple[int, float]] = {}
    for job in jobs:
        count, total = rules.get(job.rule, (0, 0.0))
        rules[job.rule] = (count + 1, total + seconds[job.id])
    below = longest(plan, seconds)
    path = critical_path(plan, below)
    return Cost(
        runs=len(runs),
        work_s=sum(seconds.values()),
        cpu_s=sum(cpu) if cpu else None,
        wall_s=schedule(plan, seconds, below, cores),
        cores=cores,
        path=path,
        path_s=below[path[0]] if path else 0.0,
        rules=dict(sorted(rules.items(), key=lambda item: -item[1][1])),
        unknown=dict(Counter(job.rule for job in jobs if took[job.id] is None)),
    )


def longest(plan: Plan, seconds: Mapping[int, float]) -> dict[int, float]:
    """Job -> seconds of the longest way from its start to the end of the plan."""
    left = {job.id: len(plan.after.get(job.id, ())) for job in plan.jobs}
    ready = [job for job, readers in left.items() if not readers]
    below: dict[int, float] = {}
    while ready:
        job = ready.pop()
        readers = plan.after.get(job, ())
        below[job] = seconds[job] + max((below[reader] for reader in readers), default=0.0)
        for earlier in plan.before[job]:
            left[earlier] -= 1
            if not left[earlier]:
                ready.append(earlier)
    return below


def critical_path(plan: Plan, below: Mapping[int, float]) -> list[int]:
    """The jobs of the longest way, in order; without those that end it and make nothing."""
    if not below:
        return []
    starts = [job.id for job in plan.jobs if not plan.before[job.id]]
    path = [max(starts, key=below.__getitem__)]
    while readers := plan.after.get(path[-1]):
        path.append(max(readers, key=below.__getitem__))
    return [job for job in path if plan.by_id[job].output]


def schedule(
    plan: Plan, seconds: Mapping[int, float], below: Mapping[int, float], cores: int
) -> float:
    """Seconds until all jobs are done, when of those that can begin the longest way goes first."""
    needed = {job: len(makers) for job, makers in plan.before.items()}
    ready = [(-below[job], job) for job, count in needed.items() if not count]
    heapq.heapify(ready)
    running: list[tuple[float, int, int]] = []
    now, free = 0.0, cores
    while ready or running:
        waiting = []
        while ready and free:
            entry = heapq.heappop(ready)
            threads = min(plan.by_id[entry[1]].threads, cores)
            if threads > free:
                waiting.append(entry)
                continue
            free -= threads
            heapq.heappush(running, (now + seconds[entry[1]], entry[1], threads))
        for entry in waiting:
            heapq.heappush(ready, entry)
        now, done, threads = heapq.heappop(running)
        free += threads
        for reader in plan.after.get(done, ()):
            needed[reader] -= 1
            if not needed[reader]:
                heapq.heappush(ready, (-below[reader], reader))
    return now


def _key(job: Job | PlannedJob) -> tuple:
    return job.rule, *undated(job.wildcards)

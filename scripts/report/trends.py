"""What rules cost over recorded runs, and which became slower than in earlier ones."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from scripts.report.history import Job, Run

MB_PER_MIB = 1.048576
LEAST_EARLIER = 3  # jobs to compare with; of fewer nothing is said
SLOWER = 1.25  # times as long
LEAST_S = 0.5  # a smaller difference is noise, whatever its ratio
PERIODS = frozenset({"date", "week", "month", "quarter", "year", "mm", "season"})  # wildcards

Key = tuple[int, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Change:
    """The newest run of a rule held against earlier ones, by jobs that can be compared."""

    before_s: float  # median
    now_s: float  # median
    jobs: int  # earlier ones
    runs: int  # earlier ones

    @property
    def ratio(self) -> float | None:
        """How many times as long the newest jobs took."""
        return self.now_s / self.before_s if self.before_s > 0 else None

    @property
    def trend(self) -> str:
        """slower, faster or steady."""
        if abs(self.now_s - self.before_s) <= LEAST_S:
            return "steady"
        if self.now_s > self.before_s * SLOWER:
            return "slower"
        return "faster" if self.now_s * SLOWER < self.before_s else "steady"


def compare(runs: Sequence[Run]) -> list[dict]:
    """What each rule cost, for each device it ran on; the dearest first.

    Args:
        runs: oldest first.

    Returns:
        a row each: rule, device; of the jobs that ended well in all runs: jobs, median_s, total_s,
        max_s (wall, as Snakemake saw it), run_s and cpu_s (sums, of those measured), cpu_use (CPU
        seconds by wall seconds times threads, 0..1 and more), threads; peak_mib and mem_mb (of the
        job that came nearest to what it asked for), mem_ratio (asked by peak); failed (jobs);
        change, trend (slower, faster, steady; None: too little to compare), before_s, now_s,
        earlier_jobs, earlier_runs (what that rests on); history: {run, jobs, median_s, total_s,
        peak_mib} of each run, oldest first. A number that is unknown is None.
    """
    groups: dict[tuple[str, str], dict[str, list[Job]]] = defaultdict(lambda: defaultdict(list))
    failed: dict[tuple[str, str], int] = defaultdict(int)
    for run in runs:
        for job in run.jobs:
            if job.state == "done" and job.seconds is not None and job.output:
                groups[job.rule, job.device][run.id].append(job)
            failed[job.rule, job.device] += job.state == "failed"
    keys = [*groups, *(key for key, count in failed.items() if count and key not in groups)]
    rows = [_row(*key, groups[key], failed[key]) for key in keys]
    return sorted(rows, key=lambda row: (-row["total_s"], row["rule"], row["device"]))


def change(by_run: dict[str, list[Job]]) -> Change | None:
    """The jobs of the newest run against earlier ones of the same rule.

    Those with the same wildcards are compared; where they are too few (a new day), those that
    differ in dates alone. Jobs with another number of threads never are.

    Args:
        by_run: run -> its finished jobs of one rule, oldest first.

    Returns:
        None: fewer than LEAST_EARLIER earlier jobs can be compared.
    """
    *earlier, newest = by_run.values() if by_run else [[]]
    for key in (_exact, _undated):
        found = _change(newest, earlier, key)
        if found is not None:
            return found
    return None


def _change(
    newest: list[Job], earlier: list[list[Job]], key: Callable[[Job], Key]
) -> Change | None:
    now, before = _times(newest, key), [_times(jobs, key) for jobs in earlier]
    both = [k for k in now if any(k in times for times in before)]
    known = [[t for k in both for t in times.get(k, [])] for times in before]
    if sum(map(len, known)) < LEAST_EARLIER:
        return None
    usual = [median([t for times in before for t in times.get(k, [])]) for k in both]
    jobs, count = sum(map(len, known)), sum(map(bool, known))
    return Change(median(usual), median([median(now[k]) for k in both]), jobs, count)


def _times(jobs: Iterable[Job], key: Callable[[Job], Key]) -> dict[Key, list[float]]:
    times: dict[Key, list[float]] = defaultdict(list)
    for job in jobs:
        times[key(job)].append(job.seconds or 0.0)
    return times


def _exact(job: Job) -> Key:
    return job.threads, tuple(sorted(job.wildcards.items()))


def _undated(job: Job) -> Key:
    return job.threads, undated(job.wildcards)


def undated(wildcards: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What is left of wildcards without dates, in order: the same for jobs of other days."""
    return tuple(sorted((k, v) for k, v in wildcards.items() if k not in PERIODS))


def _row(rule: str, device: str, by_run: dict[str, list[Job]], failed: int) -> dict:
    """A rule's row, see `compare`."""
    jobs = [job for found in by_run.values() for job in found]
    seconds = [job.seconds or 0.0 for job in jobs]
    measured = [job for job in jobs if job.cpu_s is not None]
    able = sum((job.run_s or job.seconds or 0.0) * job.threads for job in measured)
    cpu_s = sum(job.cpu_s or 0.0 for job in measured)
    found = change(by_run)
    return {
        "rule": rule,
        "device": device,
        "jobs": len(jobs),
        "median_s": median(seconds) if seconds else None,
        "total_s": sum(seconds),
        "max_s": max(seconds, default=None),
        "run_s": _sum(job.run_s for job in jobs),
        "cpu_s": cpu_s if measured else None,
        "cpu_use": cpu_s / able if able else None,
        "threads": max((job.threads for job in jobs), default=None),
        **_memory(jobs),
        "failed": failed,
        "change": found.ratio if found else None,
        "trend": found.trend if found else None,
        "before_s": found.before_s if found else None,
        "now_s": found.now_s if found else None,
        "earlier_jobs": found.jobs if found else 0,
        "earlier_runs": found.runs if found else 0,
        "history": [_history(run, found) for run, found in by_run.items()],
    }


def _memory(jobs: Sequence[Job]) -> dict[str, float | None]:
    """Peak and request of the job that came nearest to what it asked for."""
    known = [job for job in jobs if job.peak_mib and job.mem_mb]
    if known:
        tight = min(known, key=_spare)
        return {"peak_mib": tight.peak_mib, "mem_mb": tight.mem_mb, "mem_ratio": _spare(tight)}
    peak = max((job.peak_mib for job in jobs if job.peak_mib), default=None)
    asked = max((job.mem_mb for job in jobs if job.mem_mb), default=None)
    return {"peak_mib": peak, "mem_mb": asked, "mem_ratio": None}


def _spare(job: Job) -> float:
    return (job.mem_mb or 0.0) / ((job.peak_mib or 1.0) * MB_PER_MIB)


def _history(run: str, jobs: Sequence[Job]) -> dict:
    seconds = [job.seconds or 0.0 for job in jobs]
    return {
        "run": run,
        "jobs": len(jobs),
        "median_s": median(seconds),
        "total_s": sum(seconds),
        "peak_mib": max((job.peak_mib for job in jobs if job.peak_mib), default=None),
    }


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None

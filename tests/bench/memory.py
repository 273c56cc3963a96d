"""`make bench`: whether each rule asks for the memory that it needs, on input of full size.

    python -m tests.bench.memory                 lake, ticks, weekly, nfl, warehouse and the demo
    python -m tests.bench.memory weekly book     only these; book is the demo's book

Asked and needed are `mem_mb` and `peak_mib` of a job as the run's events have them: the peak is the
larger of what Snakemake sampled (a job and its children together) and of what the job's log ends
with (exact, the largest single process). It is MiB and mem_mb is MB, so a peak counts 1.048576
times. A job is to ask for one to two times its need; one that asks for the floor of 500 MB may
need less.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from scripts.report.history import read_run
from tests.bench.full_size import SIZES, servers_gone
from tests.bench.measure import ROOT

FLOOR_MB = 500  # as rules/common.smk has it
MB_A_MIB = 2**20 / 10**6
MOST = 2.0  # times the need
FINE = ("ok", "floor")
BOOK = {"book": "demo"}  # what stands for itself in another's run
RULE = re.compile(r"^ *(?:use rule \w+ as|rule) ((?!_)\w+_\w+)(?::| with:)$", re.MULTILINE)


class Job(NamedTuple):
    """A finished job: what it asked for (MB) and its peak (MiB)."""

    rule: str
    asked_mb: int
    peak_mib: float


class Row(NamedTuple):
    """A rule: its largest job (asked MB, peak MiB), least and most ratio of all, the verdict."""

    rule: str
    jobs: int
    asked_mb: int
    peak_mib: float
    least: float
    most: float
    verdict: str


def ratio(job: Job) -> float:
    """How many times its need a job asked for."""
    return job.asked_mb / (job.peak_mib * MB_A_MIB)


def verdict(job: Job) -> str:
    """`ok`, `floor` (it asked for no more than every job does), `asks too little` or `too much`."""
    if ratio(job) < 1:
        return "asks too little"
    if job.asked_mb <= FLOOR_MB:
        return "floor"
    return "asks too much" if ratio(job) > MOST else "ok"


def row(rule: str, jobs: Sequence[Job]) -> Row:
    """What the jobs of a rule say together: a fault of one is the rule's."""
    largest = max(jobs, key=lambda job: job.peak_mib)
    ratios, verdicts = [ratio(job) for job in jobs], {verdict(job) for job in jobs}
    order = ("asks too little", "asks too much", "ok", "floor")
    worst = next(name for name in order if name in verdicts)
    least, most = min(ratios), max(ratios)
    return Row(rule, len(jobs), largest.asked_mb, largest.peak_mib, least, most, worst)


def rows(jobs: Iterable[Job]) -> list[Row]:
    """A row for each rule, by name."""
    ordered = sorted(jobs, key=lambda job: job.rule)
    return [row(rule, list(found)) for rule, found in groupby(ordered, lambda job: job.rule)]


def table(found: Sequence[Row], absent: Sequence[str] = ()) -> list[str]:
    """Lines: the rules that were run, those that were not, and the counts of verdicts."""
    head = (
        f"{'rule':44}{'jobs':>5}{'asked MB':>10}{'peak MiB':>10}{'ratio':>7}  of all jobs   verdict"
    )
    lines = [head]
    for r in found:
        own = ratio(Job(r.rule, r.asked_mb, r.peak_mib))
        lines.append(
            f"{r.rule:44}{r.jobs:5}{r.asked_mb:10,}{r.peak_mib:10,.0f}{own:7.2f}"
            f"  {r.least:.2f} .. {r.most:<5.2f} {r.verdict}"
        )
    lines += [f"{rule:44}    -  not run at full size" for rule in absent]
    return lines


def counts(found: Iterable[Row]) -> str:
    """How many rules have which verdict."""
    verdicts = [r.verdict for r in found]
    names = ("ok", "floor", "asks too little", "asks too much")
    return ", ".join(f"{verdicts.count(name)} {name}" for name in names)


def measured(events: Iterable[Path]) -> list[Job]:
    """The finished jobs of recorded runs.

    Raises:
        RuntimeError: a job of a rule has no peak, so that nothing can be said of it.
    """
    done = [job for file in events for job in read_run(file).done]
    if unknown := {job.rule for job in done if not job.peak_mib or job.mem_mb is None}:
        raise RuntimeError(f"no peak memory is known of {', '.join(sorted(unknown))}")
    return [Job(job.rule, int(job.mem_mb), job.peak_mib) for job in done]


def absent(domain: str, found: Iterable[Row]) -> list[str]:
    """Rules of a domain that no job ran of; a document's rule is one of `book_build_outputs`."""
    names = [
        name
        for file in sorted((ROOT / "rules").glob(f"{domain}*.smk"))
        for name in RULE.findall(file.read_text(encoding="utf-8"))
    ]
    ran = [r.rule for r in found]
    return [name for name in names if not any(rule.startswith(name) for rule in ran)]


def measure(domain: str) -> list[Row]:
    """Run a domain at full size; its rules, or all of the demo's."""
    with tempfile.TemporaryDirectory(prefix="almanac-bench-") as name:
        top = Path(name)
        top.chmod(0o755)  # the database's own account looks in
        with servers_gone(top):
            project = SIZES[BOOK.get(domain, domain)](top)
            jobs = measured(project.event_files())
    own = [job for job in jobs if domain == "demo" or job.rule.startswith(f"{domain}_")]
    return rows(own)


def main(domains: Sequence[str]) -> int:
    """Print a table for each domain and the counts of all; the exit status."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    print(f"memory: {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}")
    every: list[Row] = []
    for domain in domains or SIZES:
        found = measure(domain)
        print(f"\n{domain}", *table(found, absent(domain, found)), sep="\n", flush=True)
        every += found
    print(f"\n{counts(every)}")
    return int(any(r.verdict not in FINE for r in every))


if __name__ == "__main__":
    if unknown := [name for name in sys.argv[1:] if name not in {*SIZES, *BOOK}]:
        sys.exit(f"no domain {unknown[0]}; there are {', '.join([*SIZES, *BOOK])}")
    sys.exit(main(sys.argv[1:]))

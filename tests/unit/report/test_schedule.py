"""Lanes, the critical path and the least time, against slow ways to find them."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from scripts.report.history import Job, Run
from scripts.report.schedule import critical_path, figures, lanes


@st.composite
def schedules(draw: st.DrawFn) -> list[Job]:
    """Jobs in the order of their ends; each may need some of those that ended before it began."""
    spans = draw(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)), max_size=14))
    jobs: list[Job] = []
    for start, seconds in sorted(spans, key=lambda span: sum(span)):
        before = [job.id for job in jobs if job.start + job.seconds <= start]
        after = draw(st.lists(st.sampled_from(before), unique=True)) if before else []
        host = draw(st.sampled_from(["", "a", "b"]))
        state = draw(st.sampled_from(["done", "done", "failed"]))
        job = Job(len(jobs), "r", {}, start, float(seconds), host=host, state=state, after=after)
        jobs.append(job)
    for start in draw(st.lists(st.integers(0, 50), max_size=3)):  # go on, or were killed
        jobs.append(Job(len(jobs), "r", {}, start))
    return jobs


def end(job: Job) -> float:
    """When a job leaves its lane."""
    return math.inf if job.seconds is None else job.start + job.seconds


@given(schedules())
def test_no_two_jobs_of_a_lane_overlap_and_no_lane_is_too_many(jobs: list[Job]) -> None:
    found, machines = lanes(jobs)
    assert found.keys() == {job.id for job in jobs}
    for lane, host in enumerate(machines):
        own = sorted((job.start, end(job)) for job in jobs if found[job.id] == lane)
        assert own
        assert {job.host for job in jobs if found[job.id] == lane} <= {host, ""}
        assert all(first[1] <= second[0] for first, second in pairwise(own))
    for host in set(machines):
        own = [j for j in jobs if machines[found[j.id]] == host and end(j) > j.start]
        at_once = [sum(o.start <= j.start < end(o) for o in own) for j in own]
        used = {found[job.id] for job in own}
        assert len(used) == max(at_once, default=0)
    assert len({job.host for job in jobs} - {""}) != 1 or "" not in machines


def longest(jobs: dict[int, Job], job: Job) -> float:
    """Seconds of the longest chain that ends with a job."""
    own = (job.seconds or 0.0) if job.state == "done" else 0.0
    return own + max((longest(jobs, jobs[other]) for other in job.after), default=0.0)


@given(schedules())
def test_the_critical_path_is_a_chain_and_none_is_longer(jobs: list[Job]) -> None:
    known = {job.id: job for job in jobs}
    path = critical_path(jobs)
    assert all(first in known[second].after for first, second in pairwise(path))
    seconds = sum(known[job].seconds for job in path if known[job].state == "done")
    assert seconds == max((longest(known, job) for job in jobs), default=0.0)


def test_no_run_can_take_less_than_its_longest_chain_or_its_shared_work() -> None:
    def job(number: int, start: float, seconds: float, **more: object) -> Job:
        return Job(number, "r", {}, start, seconds, state="done", **more)

    chain = [job(0, 0, 4, cpu_s=3, peak_mib=80), job(1, 4, 6, after=[0], cpu_s=2), job(2, 0, 3)]
    run = Run("x", cores=2, seconds=11.5, resources={"mem_mb": 4000}, jobs=chain)
    assert figures(run) == {
        "wall_s": 11.5, "work_s": 13, "cpu_s": 5, "critical_s": 10, "bound_s": 10,
        "peak_mib": 80, "mem_mb": 4000,
    }  # fmt: skip
    wide = Run("x", cores=2, jobs=[job(0, 0, 9, threads=4), job(1, 9, 5)])
    assert figures(wide)["bound_s"] == (9 * 2 + 5) / 2, "threads shrink to the cores"
    assert figures(wide)["wall_s"] == 14
    assert figures(Run("x"))["wall_s"] is None
    untraced = figures(Run("x", cores=2, jobs=chain, traced=False))
    assert (untraced["critical_s"], untraced["bound_s"]) == (None, None)

"""Causes, chains and costs of made-up plans."""

from __future__ import annotations

import itertools

import pytest
from snakemake_logger_plugin_almanac.run import plain

from scripts.control.cost import estimate
from scripts.control.dry_run import Plan, PlannedJob
from scripts.control.origins import causes, chains, find, groups, link
from scripts.control.plan import cores, events_of, split
from scripts.errors import DataError
from scripts.report.history import Job, Run

MISSING = "Missing output files: {}"
FOLLOWS = "Input files updated by another job: {}"


def planned(name: str, reads: str, reason: str, threads: int = 1) -> PlannedJob:
    """A job `rule/id` that makes results/r/<id> and reads those of other ids."""
    rule, number = name.split("/")
    files = [f"results/r/{x}" for x in reads.split()]
    return PlannedJob(int(number), rule, {}, threads, files, [f"results/r/{number}"], reason)


@pytest.fixture
def plan() -> Plan:
    """1 and 2 are causes; 3 follows from 1; 4 from 2 and 3; 5 waits for 4 and is its own cause."""
    jobs = [
        planned("a_land/1", "", MISSING.format("results/r/1")),
        planned("b_land/2", "x", "Updated input files: results/r/x"),
        planned("c_build/3", "1", FOLLOWS.format("results/r/1")),
        planned("c_build/4", "2 3", FOLLOWS.format("results/r/2, results/r/3")),
        planned("d_plot/5", "4", "Forced execution"),
    ]
    all_ = PlannedJob(0, "all", {}, 1, ["results/r/5"], [], FOLLOWS.format("results/r/5"))
    return Plan([*jobs, all_])


def test_causes_and_what_follows_from_them(plan: Plan) -> None:
    found = {str(g.cause): (g.rules, g.follow) for g in groups(plan, causes(plan, lambda _: None))}
    assert found == {
        "output is not there yet": ({"a_land": 1}, 2),
        "input changed: results/r/x": ({"b_land": 1}, 1),
        "forced": ({"d_plot": 1}, 1),
    }
    gone = causes(plan, lambda _: None, frozenset(["results/r/1"]))
    assert gone[1].kind == "output is gone"


def test_the_way_back(plan: Plan) -> None:
    why = causes(plan, lambda _: None)
    assert chains(plan, why, 4) == [[4, 2], [4, 3, 1]]
    assert chains(plan, why, 5) == [[5]]  # it only waits for 4
    assert link(plan, 4, 3) == "results/r/3"
    assert [job.id for job in find(plan, "c_build")] == [3, 4]
    assert [job.id for job in find(plan, "./results/r/4")] == [4]
    assert [job.id for job in find(plan, "r/4")] == [4]
    assert find(plan, "4.csv") == []


def recorded(seconds: float, rule: str, **fields: object) -> Job:
    """A finished job of an earlier run."""
    return Job(0, rule, fields.pop("wildcards", {}), 0.0, seconds, state="done", **fields)


def test_the_cost_of_a_plan(plan: Plan) -> None:
    rules = {"a_land": 1.0, "b_land": 5.0, "c_build": 2.0}
    jobs = [recorded(s, rule, cpu_s=s / 2) for rule, s in rules.items()]
    runs = [Run("1", jobs=jobs), Run("2", jobs=[recorded(3.0, "a_land"), recorded(5.0, "a_land")])]
    cost = estimate(plan, runs, cores=2)
    assert cost.work_s == 3 + 5 + 2 + 2
    assert cost.cpu_s == 0.5 + 2.5 + 1 + 1
    assert cost.path == [1, 3, 4, 5]
    assert cost.path_s == 3 + 2 + 2
    assert cost.wall_s == 7
    assert estimate(plan, runs, cores=1).wall_s == cost.work_s
    assert cost.unknown == {"d_plot": 1}  # a target is no job
    assert next(iter(cost.rules.items())) == ("b_land", (1, 5.0))
    assert (cost.runs, estimate(plan, [], 2).work_s) == (2, 0.0)


def test_jobs_like_it_count_before_others_of_the_rule() -> None:
    job = planned("a_land/1", "", "Forced execution")
    job.wildcards = {"dataset": "big", "date": "2025-09-09"}
    old = [
        recorded(9.0, "a_land", wildcards={"dataset": "big", "date": "2025-09-08"}),
        *[recorded(1.0, "a_land", wildcards={"dataset": "small"}) for _ in range(5)],
    ]
    assert estimate(Plan([job]), [Run("1", jobs=old)], 1).work_s == 9.0


def test_threads_hold_cores() -> None:
    jobs = [planned(f"a_fit/{i}", "", "Forced execution", threads=2) for i in (1, 2)]
    runs = [Run("1", jobs=[recorded(4.0, "a_fit")])]
    walls = {n: estimate(Plan(jobs), runs, n).wall_s for n in (1, 2, 3, 4)}
    assert walls == {1: 8.0, 2: 8.0, 3: 8.0, 4: 4.0}


def test_a_plan_of_many_jobs_is_laid_out_within_its_bounds() -> None:
    jobs, seconds = [], {f"r{k}_x": 1.0 + k for k in range(5)}
    for i in range(2000):
        reads = " ".join(str(j) for j in (i - 7, i - 50) if j >= 0)
        jobs.append(planned(f"r{i % 5}_x/{i}", reads, "Forced execution"))
    runs = [Run("1", jobs=[recorded(s, rule) for rule, s in seconds.items()])]
    costs = [estimate(Plan(jobs), runs, n) for n in (1, 2, 8, 10_000)]
    for less, more in itertools.pairwise(costs):
        assert more.wall_s <= less.wall_s
    for cost in costs:
        assert max(cost.path_s, cost.work_s / cost.cores) - 1e-6 <= cost.wall_s <= cost.work_s
    assert costs[-1].wall_s == costs[-1].path_s


def test_names_without_snakemakes_notes() -> None:
    named = ["a/b.json (update)", "a/b (access: sequential)", "a/b (1).csv", "a/b (copy)"]
    assert plain(named) == ["a/b.json", "a/b", "a/b (1).csv", "a/b (copy)"]


def test_our_options_and_snakemakes() -> None:
    own, rest = split(["--why", "x.csv", "--config", "a=1", "--last=3", "--", "lake"])
    assert (own, rest) == ({"--why": "x.csv", "--last": "3"}, ["--config", "a=1", "--", "lake"])
    with pytest.raises(DataError, match="--why needs a value"):
        split(["--why"])
    assert cores(["--cores", "3", "--config", "x=--cores"]) == 3
    assert cores(["-c1"]) == 1
    assert cores(["--cores", "all"]) == cores(["--", "-c", "7"])


def test_the_run_of_a_plan(plan: Plan) -> None:
    assert events_of(plan).as_posix() == "results/r/events"
    assert events_of(Plan([])).as_posix() == "results/events"

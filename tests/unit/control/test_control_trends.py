"""What rules cost over recorded runs, and what counts as slower."""

from __future__ import annotations

import pytest

from scripts.report.history import Job, Run
from scripts.report.trends import compare


def job(rule: str = "ticks_fit_model", seconds: float = 1.0, **fields: object) -> Job:
    """A finished job."""
    fields = {"wildcards": {}, "start": 0.0, "state": "done", "output": ["x"], **fields}
    return Job(id=0, rule=rule, seconds=seconds, **fields)


def runs(*jobs: list[Job]) -> list[Run]:
    """Runs with these jobs, oldest first."""
    return [Run(f"run{i}", jobs=found) for i, found in enumerate(jobs)]


def of(*jobs: list[Job]) -> dict:
    """The only row."""
    (row,) = compare(runs(*jobs))
    return row


def test_a_rule_that_takes_longer_than_in_three_earlier_runs_is_slower() -> None:
    row = of([job(seconds=2.0)], [job(seconds=2.1)], [job(seconds=2.2)], [job(seconds=3.8)])
    assert (row["trend"], row["earlier_runs"], row["earlier_jobs"]) == ("slower", 3, 3)
    assert (row["before_s"], row["now_s"]) == (2.1, 3.8)
    assert row["change"] == pytest.approx(3.8 / 2.1)


@pytest.mark.parametrize(
    ("before", "now", "trend"),
    [
        (2.0, 2.4, "steady"),  # a fifth
        (2.0, 2.51, "slower"),
        (0.2, 0.6, "steady"),  # three times, but less than half a second
        (2.0, 1.3, "faster"),
        (2.0, 1.7, "steady"),
        (0.0, 1.0, "slower"),
    ],
)
def test_what_counts_as_slower(before: float, now: float, trend: str) -> None:
    row = of(*[[job(seconds=before)] for _ in range(3)], [job(seconds=now)])
    assert row["trend"] == trend
    assert (row["change"] is None) == (before == 0)


def test_of_two_earlier_jobs_nothing_is_said() -> None:
    row = of([job(seconds=1)], [job(seconds=1)], [job(seconds=9)])
    assert (row["trend"], row["change"], row["earlier_jobs"]) == (None, None, 0)


def test_one_outlier_among_earlier_runs_does_not_hide_a_slower_one() -> None:
    row = of(*[[job(seconds=s)] for s in (2, 30, 2, 2, 4)])
    assert (row["trend"], row["before_s"]) == ("slower", 2)


def test_only_jobs_with_the_same_wildcards_are_compared() -> None:
    def pair(small: float, large: float) -> list[Job]:
        return [job(seconds=small, wildcards={"x": "s"}), job(seconds=large, wildcards={"x": "l"})]

    large_alone = [job(seconds=10, wildcards={"x": "l"})]
    row = of(pair(1, 10), pair(1, 10), pair(1, 10), large_alone)
    assert (row["trend"], row["before_s"], row["earlier_jobs"]) == ("steady", 10, 3)
    new = [job(seconds=10, wildcards={"x": "new"})]
    assert of(pair(1, 10), pair(1, 10), pair(1, 10), new)["trend"] is None


def test_a_new_day_is_compared_with_earlier_days_of_the_same_dataset() -> None:
    def day(date: str, dataset: str, seconds: float) -> Job:
        return job(seconds=seconds, wildcards={"date": date, "dataset": dataset})

    earlier = [[day(f"2025-09-0{i}", "a", 1.0), day(f"2025-09-0{i}", "b", 9.0)] for i in (1, 2, 3)]
    row = of(*earlier, [day("2025-09-04", "a", 2.0)])
    assert (row["trend"], row["before_s"]) == ("slower", 1.0)


def test_jobs_with_another_number_of_threads_are_not_compared() -> None:
    earlier = [[job(seconds=1, threads=4)] for _ in range(3)]
    assert of(*earlier, [job(seconds=4, threads=1)])["trend"] is None


def test_devices_are_told_apart() -> None:
    rows = compare(runs([job(seconds=1, gpu=1), job(seconds=5)]))
    assert [(row["device"], row["jobs"]) for row in rows] == [("cpu", 1), ("gpu", 1)]


def test_cpu_use_and_memory() -> None:
    measured = job(seconds=12, run_s=10.0, cpu_s=15.0, threads=2, peak_mib=500.0, mem_mb=1048.576)
    roomy = job(seconds=10, run_s=10.0, cpu_s=5.0, threads=2, peak_mib=10.0, mem_mb=2000.0)
    row = of([measured, roomy])
    assert row["cpu_use"] == pytest.approx(20 / 40)
    assert row["mem_ratio"] == pytest.approx(2.0)  # asked in MB, measured in MiB
    assert (row["peak_mib"], row["mem_mb"]) == (500.0, 1048.576)
    assert (row["median_s"], row["total_s"], row["max_s"], row["run_s"]) == (11, 22, 12, 20)


def test_runs_that_recorded_less() -> None:
    row = of([job(seconds=3)], [job("ticks_fit_model", 1.0, state="failed")])
    names = ("cpu_s", "cpu_use", "peak_mib", "mem_ratio", "run_s", "change")
    assert [row[name] for name in names] == [None] * 6
    assert (row["jobs"], row["failed"], len(row["history"])) == (1, 1, 1)
    only_failed = of([job(state="failed")])
    assert (only_failed["jobs"], only_failed["failed"], only_failed["median_s"]) == (0, 1, None)
    assert compare([]) == []


def test_targets_are_no_rules() -> None:
    assert compare(runs([job("all", output=[]), job("migration_test", output=[])])) == []

"""What the benches of memory and of cores judge by; nothing is timed here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import cores, full_size, memory
from tests.bench.cores import Timed, differing, earlier, line, without_times
from tests.bench.memory import Job, absent, counts, measured, ratio, row, rows, table, verdict
from tests.unit.report.test_history import EVENTS, lines, write
from tests.workflow.project import Project

MIB = 2**20 / 10**6  # in MB


def words(text: str) -> str:
    """A line without its columns."""
    return " ".join(text.split())


def test_mem_mb_is_decimal_and_a_peak_binary() -> None:
    assert ratio(Job("a", 1000, 1000 / MIB)) == pytest.approx(1)
    assert verdict(Job("a", 1000, 954)) == "asks too little"  # 954 MiB are 1000.3 MB
    assert verdict(Job("a", 1000, 953)) == "ok"


@pytest.mark.parametrize(
    ("asked", "need_mb", "expected"),
    [
        (500, 20, "floor"),
        (500, 499, "floor"),
        (500, 501, "asks too little"),
        (501, 20, "asks too much"),
        (501, 251, "ok"),
        (2000, 1001, "ok"),
        (2000, 999, "asks too much"),
        (2000, 2001, "asks too little"),
    ],
)
def test_a_job_is_to_ask_for_one_to_two_times_its_need(
    asked: int, need_mb: float, expected: str
) -> None:
    assert verdict(Job("a", asked, need_mb / MIB)) == expected


def test_a_rule_is_judged_by_its_worst_job_and_shown_by_its_largest() -> None:
    fine, small, greedy = Job("a", 1200, 1000), Job("a", 500, 10), Job("a", 1000, 100)
    assert row("a", [small]).verdict == "floor"
    assert row("a", [fine, small]).verdict == "ok"
    assert row("a", [fine, greedy, small]).verdict == "asks too much"
    short = row("a", [fine, greedy, small, Job("a", 500, 600)])
    assert short.verdict == "asks too little"
    assert (short.jobs, short.asked_mb, short.peak_mib) == (4, 1200, 1000)
    assert short.least == pytest.approx(500 / 600 / MIB)
    assert short.most == pytest.approx(500 / 10 / MIB)


def test_rules_are_told_apart_in_whatever_order_their_jobs_ended() -> None:
    found = rows([Job("b", 500, 100), Job("a", 500, 600), Job("b", 500, 200)])
    assert [(r.rule, r.jobs, r.peak_mib) for r in found] == [("a", 1, 600), ("b", 2, 200)]
    assert counts(found) == "0 ok, 1 floor, 1 asks too little, 0 asks too much"
    head, *lines = table(found, ["c"])
    assert words(head) == "rule jobs asked MB peak MiB ratio of all jobs verdict"
    assert words(lines[0]) == "a 1 500 600 0.79 0.79 .. 0.79 asks too little"
    assert words(lines[1]) == "b 2 500 200 2.38 2.38 .. 4.77 floor"
    assert words(lines[2]) == "c - not run at full size"


def test_jobs_are_those_that_ended_with_what_they_asked_for_and_took(tmp_path: Path) -> None:
    path = write(tmp_path, "20261127T100000Z-1", lines(EVENTS))
    assert measured([path]) == [Job("nfl_fit_model", 800, 300.5)]
    told = [(s, {**e, "peak_mib": None} if "peak_mib" in e else e) for s, e in EVENTS]
    write(tmp_path, "20261127T100000Z-1", lines(told))
    with pytest.raises(RuntimeError, match="no peak memory is known of nfl_fit_model"):
        measured([path])


def test_rules_that_did_not_run_are_named() -> None:
    ran = rows([Job("nfl_fit_model", 500, 1), Job("nfl_build_pbp", 500, 1)])
    names = absent("nfl", ran)
    assert {"nfl_fit_model_json", "nfl_land_odds"} <= set(names)
    assert not {"nfl_fit_model", "nfl_build_pbp"} & set(names)
    documents = rows([Job("book_build_outputs_preface", 900, 400)])
    assert "book_build_outputs" not in absent("book", documents)
    assert "book_compile_main" in absent("book", documents)


def test_the_floor_is_the_rules_own(root: Path) -> None:
    assert f"FLOOR_MB = {memory.FLOOR_MB}\n" in (root / "rules/common.smk").read_text()


def test_every_domain_has_its_size_and_its_cores() -> None:
    assert {*full_size.SIZES, "book"} == {*cores.NEEDS, "demo"}
    order = list(cores.NEEDS)
    assert all(order.index(n) < order.index(d) for d, needs in cores.NEEDS.items() for n in needs)
    assert earlier(["book", "nfl"]) == {"ticks", "lake", "weekly"}
    assert earlier(["ticks"]) == set()


def test_a_time_is_no_difference_and_anything_else_is(tmp_path: Path) -> None:
    project = Project(tmp_path)
    paths = {
        name: tmp_path / "results/demo" / name
        for name in ("warehouse/views.json", "warehouse/server/log", "book/report.json", "a/b.csv")
    }
    for path in paths.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"rows": 1, "of": [{"seconds": 1}]}')
    before = cores.digests(project)
    assert set(before) == {"a/b.csv", "warehouse/views.json"}
    for path in paths.values():
        path.write_text('{"rows": 1, "of": [{"seconds": 2}]}')
    assert differing(before, cores.digests(project)) == ["a/b.csv"]
    paths["warehouse/views.json"].write_text('{"rows": 2, "of": [{"seconds": 2}]}')
    assert differing(before, cores.digests(project)) == ["a/b.csv", "warehouse/views.json"]
    assert without_times([{"seconds": 1, "second": 1}, 2]) == [{"second": 1}, 2]


def test_a_line_names_some_of_the_files_that_differ() -> None:
    one = {"nfl/a": "1", "nfl/b": "1", "lake/c": "1"}
    assert differing(one, {"nfl/a": "1", "nfl/d": "1", "lake/c": "1"}) == ["nfl/b", "nfl/d"]
    told = line("nfl", Timed(30.0, 7, one), Timed(20.0, 7, one))
    assert words(told) == "nfl 30.0 20.0 1.50 7 equal (2 files)"
    other = {f"nfl/{n}": "2" for n in range(cores.SHOWN + 2)}
    assert "differ: nfl/0, " in line("nfl", Timed(1.0, 7, {}), Timed(1.0, 7, other))
    assert line("nfl", Timed(1.0, 7, {}), Timed(1.0, 7, other)).endswith("nfl/4 and 2 more")

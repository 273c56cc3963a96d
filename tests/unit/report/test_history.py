"""Runs read from their events, whole, cut off and hostile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.plan.runs import newest_run
from scripts.report.history import read_run, read_runs

INFO = {
    "event": "job_info",
    "rule": "nfl_fit_model",
    "wildcards": {"season": "2019"},
    "threads": 2,
    "resources": {"mem_mb": 800, "gpu": 1, "runtime": 30},
    "inputs": 3,
    "output": ["results/x/a.json"],
    "log": ["results/x/a.log"],
    "benchmark": None,
    "reason": "Missing output files: a",
}
EVENTS = [
    (0, {"event": "workflow_started", "host": "vm"}),
    (1, {"event": "rulegraph", "rules": ["all", "nfl_fit_model"],
         "links": [["nfl_fit_model", "all"]]}),
    (1, {"event": "resources_info", "cores": 2}),
    (1, {"event": "resources_info", "resources": {"mem_mb": 4000}}),
    (1, {"event": "run_info", "rules": {"nfl_fit_model": 3, "all": 1}, "total": 4}),
    (2, {**INFO, "jobid": 1}),
    (2, {**INFO, "jobid": 2}),
    (5, {"event": "job_finished", "jobid": 1, "rule": "nfl_fit_model", "seconds": 3.0, "after": [],
         "run_s": 2.5, "cpu_s": 4.0, "peak_mib": 300.5, "host": "node1"}),
    (6, {"event": "job_error", "jobid": 2, "rule": "nfl_fit_model", "wildcards": {"season": "2019"},
         "cause": "bad", "log": ["l"], "attempt": 1}),
    (7, {**INFO, "jobid": 2}),
    (9, {"event": "job_error", "jobid": 2, "rule": "nfl_fit_model", "wildcards": {"season": "2019"},
         "cause": "worse", "log": ["l"], "attempt": 2}),
    (9, {**INFO, "jobid": 3}),
    (11, {"event": "run_finished", "status": "failed", "done": 1, "total": 4, "seconds": 11.0,
          "critical": "nfl_fit_model"}),
]  # fmt: skip


def lines(events: list[tuple[int, dict]]) -> list[str]:
    """Events as the plugin writes them."""
    return [
        json.dumps({"time": f"2026-11-27T10:00:{s:02}.000Z", **event}, ensure_ascii=False)
        for s, event in events
    ]


def write(folder: Path, name: str, texts: list[str]) -> Path:
    """A file of events."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.jsonl"
    path.write_text("\n".join(texts) + "\n")
    return path


def test_a_run_is_what_its_events_tell(tmp_path: Path) -> None:
    run = read_run(write(tmp_path, "20261127T100000Z-1", lines(EVENTS)))
    assert (run.status, run.seconds, run.cores, run.host) == ("failed", 11.0, 2, "vm")
    assert (run.total, run.critical, run.resources) == (3, "nfl_fit_model", {"mem_mb": 4000})
    assert run.links == [("nfl_fit_model", "all")]
    done, failed, left = run.jobs
    assert (done.state, done.start, done.seconds, done.run_s) == ("done", 2.0, 3.0, 2.5)
    assert (done.cpu_s, done.peak_mib, done.host, done.mem_mb) == (4.0, 300.5, "node1", 800)
    assert (done.label, done.device, done.threads) == ("season=2019", "gpu", 2)
    assert (failed.state, failed.attempts, failed.cause) == ("failed", 2, "worse")
    assert (failed.start, failed.seconds) == (7.0, 2.0)
    assert (left.state, left.seconds) == ("unfinished", None)


def test_events_of_earlier_versions_lack_measures(tmp_path: Path) -> None:
    old = [(s, {k: v for k, v in e.items() if k not in ("after", "run_s", "cpu_s", "peak_mib",
            "host", "critical")}) for s, e in EVENTS if e["event"] != "rulegraph"]  # fmt: skip
    run = read_run(write(tmp_path, "x", lines(old)))
    assert (run.jobs[0].after, run.jobs[0].peak_mib, run.jobs[0].host) == ([], None, "")
    assert (run.unreadable, run.traced) == (0, False)


def test_words_of_any_alphabet_end_no_line(tmp_path: Path) -> None:
    odd = {"sheet": "a\u0085b\u2028c\x0bd"}
    told = [(s, {**e, "wildcards": odd} if "wildcards" in e else e) for s, e in EVENTS]
    run = read_run(write(tmp_path, "x", lines(told)))
    assert (run.unreadable, run.jobs[0].wildcards) == (0, odd)


def test_without_its_first_line_a_run_began_when_its_id_says(tmp_path: Path) -> None:
    run = read_run(write(tmp_path, "20261127T100000Z-1", lines(EVENTS[1:])))
    assert (run.started, run.jobs[0].start) == (1_795_773_600.0, 2.0)


@pytest.mark.parametrize("field", ["wildcards", "threads", "resources", "output", "log"])
def test_a_job_told_wrongly_is_unreadable(tmp_path: Path, field: str) -> None:
    told = [(s, {**e, field: None} if e["event"] == "job_info" else e) for s, e in EVENTS[:8]]
    run = read_run(write(tmp_path, "x", lines(told)))
    assert run.jobs == [] if field != "log" else len(run.jobs) == 2
    assert run.unreadable == (3 if field != "log" else 0)


@pytest.mark.parametrize(
    "spoilt", ['{"time": "2026-11-27T10:00', "[]", "null", '{"event": "job_finished"}', "\ufffd",
               '{"time": "never", "event": "run_info"}',
               '{"time": "2026-11-27T10:00:00.000Z", "event": "job_finished", "jobid": 99}']
)  # fmt: skip
def test_a_line_that_cannot_be_read_costs_that_line(tmp_path: Path, spoilt: str) -> None:
    texts = lines(EVENTS)
    texts.insert(8, spoilt)
    run = read_run(write(tmp_path, "x", texts))
    assert (run.unreadable, len(run.jobs), run.status) == (1, 3, "failed")


def test_a_killed_run_is_unfinished(tmp_path: Path) -> None:
    texts = lines(EVENTS[:-1])
    run = read_run(write(tmp_path, "x", [*texts[:-1], texts[-1][:30]]))
    assert (run.status, run.seconds, run.unreadable) == ("unfinished", None, 1)


def test_runs_are_the_newest_that_began_a_job_oldest_first(tmp_path: Path) -> None:
    for day in (3, 1, 2):
        write(tmp_path, f"2026112{day}T100000Z-7", lines(EVENTS))
    write(tmp_path, "20261129T100000Z-7", lines(EVENTS[:5]))
    own = {**INFO, "jobid": 1, "rule": "report_build_page"}
    target = {**INFO, "jobid": 2, "rule": "report", "output": []}
    write(tmp_path, "20261130T100000Z-7", lines([*EVENTS[:5], (6, own), (7, target)]))
    assert [run.id[7] for run in read_runs(tmp_path, 2)] == ["2", "3"]
    assert [run.id[7] for run in read_runs(tmp_path)] == ["1", "2", "3"]
    assert read_runs(tmp_path / "absent", 5) == []


def test_the_newest_run_is_one_that_ended_a_job_not_the_pages_own(tmp_path: Path) -> None:
    assert newest_run(tmp_path / "absent") is None
    write(tmp_path, "20261127T100000Z-1", lines(EVENTS))
    own = {"event": "job_finished", "jobid": 1, "rule": "report_build_page", "seconds": 1.0}
    write(tmp_path, "20261128T100000Z-1", [*lines([(1, own)]), '{"half "job_finished"'])
    write(tmp_path, "20261129T100000Z-1", lines(EVENTS[:5]))
    assert newest_run(tmp_path) == "20261127T100000Z-1"
    write(tmp_path, "20261130T100000Z-1", lines(EVENTS[8:9]))
    assert newest_run(tmp_path) == "20261130T100000Z-1"

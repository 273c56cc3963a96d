"""`make perf` on made-up events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.control.perf import main


def event(second: int, name: str, **fields: object) -> str:
    """A line of events."""
    return json.dumps({"time": f"2025-09-08T06:00:{second:02d}.000Z", "event": name, **fields})


def record(folder: Path, day: int, seconds: float, *, new: bool = True, gpu: int = 0) -> None:
    """A run of one job."""
    info = {
        "jobid": 1,
        "rule": "nfl_fit_model",
        "wildcards": {"season": "2017"},
        "threads": 2,
        "resources": {"mem_mb": 500, "gpu": gpu},
        "inputs": 1,
        "output": ["results/x/model.ubj (update)"],
        "log": ["l.log"],
        "benchmark": None,
        "reason": "Forced execution",
    }
    measured = {"after": [], "run_s": seconds, "cpu_s": seconds, "peak_mib": 600.0} if new else {}
    lines = [
        event(0, "workflow_started", host="h"),
        event(1, "job_info", **info),
        event(9, "job_finished", jobid=1, rule="nfl_fit_model", seconds=seconds, **measured),
        event(9, "run_finished", status="ok", done=1, total=1, seconds=9.0, critical=None),
        '{"time": "2025-09-08T06:0',
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"202509{day:02d}T060000Z-1.jsonl").write_text("\n".join(lines))


def test_a_slower_rule_is_said_last_with_its_numbers(tmp_path: Path, capsys: object) -> None:
    events = tmp_path / "results/x/events"
    for day, seconds in enumerate((2.1, 2.0, 2.2, 3.8), 1):
        record(events, day, seconds, new=day > 2)
    assert main([str(events), "--last", "10"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("4 runs in ")
    assert lines[0].endswith("4 lines cannot be read")
    assert lines[-2:] == [
        "memory: nfl_fit_model took 600 MiB and asks for 500 MB",
        "slower: nfl_fit_model 1.8x (2.1 s -> 3.8 s, 3 earlier runs)",
    ]
    row = next(line for line in lines if line.startswith("nfl_fit_model"))
    assert row.split() == [
        *("nfl_fit_model", "cpu", "4", "2.2", "s", "10", "s", "50%", "600", "500", "(0.8x)")
    ]
    assert err == ""
    assert main([str(events), "--last", "2", "--rule", "nfl_fit_model"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1].startswith("no rule got slower (1 of 1 have fewer than 3 earlier")
    assert out.count("nfl_fit_model (cpu), ") == 2


def test_cards_are_told_apart(tmp_path: Path, capsys: object) -> None:
    for day in range(1, 5):
        record(tmp_path, day, 9.0 if day == 4 else 1.0, gpu=1)
    assert main([str(tmp_path)]) == 0
    assert "slower: nfl_fit_model on gpu 9.0x (1.0 s -> 9.0 s, 3 earlier runs)" in (
        capsys.readouterr().out
    )


def test_nothing_recorded_is_one_line(
    tmp_path: Path, capsys: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["results/nosuch/events"]) == 1
    assert capsys.readouterr().err == (
        "error: results/nosuch/events: no run is recorded there; run make first\n"
    )
    record(tmp_path / "results/mine/events", 1, 1.0)
    assert main(["results/nosuch/events"]) == 1
    assert "recorded: mine (RUN=...)" in capsys.readouterr().err
    assert main(["results/mine/events", "--rule", "nfl_fit_modle"]) == 1
    assert capsys.readouterr() == (
        "",
        "error: no run has a rule nfl_fit_modle; did you mean nfl_fit_model?\n",
    )
    with pytest.raises(SystemExit):
        main(["results/mine/events", "--last", "0"])


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        ({}, "1.12 times the least possible (work / 2 cores 6.0 s, critical path 8.0 s)"),
        (
            {"run_s": 3.0, "cpu_s": 2.0},
            "1.50 times the least possible "
            "(work / 2 cores 4.5 s, of it CPU 3.0 s, critical path 6.0 s)",
        ),
    ],
)
def test_the_newest_run_is_held_against_the_least_it_could_take(
    tmp_path: Path, capsys: object, measured: dict, said: str
) -> None:
    lines = [
        event(0, "workflow_started", host="h"),
        event(0, "resources_info", cores=2, resources={}),
    ]
    for number, after in ((1, []), (2, []), (3, [1])):
        info = {"jobid": number, "rule": "lake_a", "wildcards": {}, "threads": 1, "resources": {}}
        rest = {"inputs": 0, "output": [], "log": [], "benchmark": None, "reason": ""}
        end = {"jobid": number, "rule": "lake_a", "seconds": 4.0, "after": after}
        end |= measured
        lines += [event(number, "job_info", **info, **rest), event(9, "job_finished", **end)]
    lines.append(event(9, "run_finished", status="ok", done=3, total=3, seconds=9.0, critical=None))
    (tmp_path / "20250901T060000Z-1.jsonl").write_text("\n".join(lines))
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[1] == (f"newest run: 3 jobs in 9.0 s, {said}")

"""The logger plugin `almanac`, on real runs of Snakemake with toy workflows."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from tests.workflow.labs import disk

PLUGIN = Path(__file__).parents[2] / "plugin"
RECORD = Path(".snakemake/almanac-run.json")
SECRET = "hunter2-do-not-tell"
KILLED = "killed (no message in the log; out of memory or kill -9?)"
EARLIER = (
    'locked: an earlier run was killed here; run "snakemake --unlock" (or "make unlock"), '
    "then start again"
)

FAILING = """
rule all:
    input: expand("out/toy_score_summary_{x}.txt", x=range(3)), "out/toy_plot_summary.txt"
rule toy_land_bars:
    output: "out/toy_land_bars_{x}.txt"
    log: "logs/toy_land_bars_{x}.log"
    shell: "(echo reading; if [ {wildcards.x} != 2 ]; then echo 'error: {wildcards.x} is bad';"
           " exit 3; fi; touch {output}) > {log}"
rule toy_score_summary:
    input: rules.toy_land_bars.output
    output: "out/toy_score_summary_{x}.txt"
    shell: "touch {output}"
rule toy_plot_summary:
    input: expand(rules.toy_score_summary.output, x=range(3))
    output: "out/toy_plot_summary.txt"
    shell: "touch {output}"
"""
FAILED = [
    "What failed:",
    "  toy_land_bars x=0",
    "    cause: 0 is bad",
    "    log:   logs/toy_land_bars_0.log",
    "  toy_land_bars x=1",
    "    cause: 1 is bad",
    "    log:   logs/toy_land_bars_1.log",
    "What waited for it: 2 toy_score_summary, 1 toy_plot_summary (3 jobs not run)",
]
SLEEPING = """
rule all:
    input: expand("out/{x}.txt", x=range(5))
rule toy_build_nothing:
    output: "out/{x}.txt"
    log: "logs/{x}.log"
    shell: "touch started_{wildcards.x}; sleep 60; touch {output}"
"""


def environment(**extra: str) -> dict[str, str]:
    """Return an environment in which Snakemake finds the plugin, and nothing else of ours."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ALMANAC", "SNAKEMAKE"))}
    return {**kept, "PYTHONPATH": str(PLUGIN), **extra}


def command(*options: str, logger: str = "almanac") -> list[str]:
    """Return the command line of Snakemake."""
    base = [sys.executable, "-m", "snakemake", "--logger", *logger.split()]
    return [*base, "--cores", "2", "--latency-wait", "0", *options]


def run(folder: Path, text: str, *options: str, logger: str = "almanac") -> SimpleNamespace:
    """Run Snakemake on the workflow `text` in `folder`."""
    (folder / "Snakefile").write_text(text)
    done = subprocess.run(
        command(*options, logger=logger),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return SimpleNamespace(status=done.returncode, out=done.stdout, lines=lines)


def unlock(folder: Path, *options: str) -> tuple[int, str, str]:
    """Run the unlock module in `folder`; return its exit status and output."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake_logger_plugin_almanac.unlock", *options],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def events(folder: Path) -> list[dict[str, Any]]:
    """Return the events of the only run in `folder`."""
    (path,) = (folder / "events").glob("*.jsonl")
    assert re.fullmatch(r"\d{8}T\d{6}Z-\d+\.jsonl", path.name)
    return [json.loads(line) for line in path.read_text().splitlines()]


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def sleeping(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a run that holds the lock of `tmp_path` while its first jobs sleep."""
    (tmp_path / "Snakefile").write_text(SLEEPING)
    with (tmp_path / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            command(), cwd=tmp_path, env=environment(), stderr=stderr, start_new_session=True
        )
        wait_for(
            lambda: len(list(tmp_path.glob("started_*"))) == 2 and (tmp_path / RECORD).exists()
        )
        yield process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the plugin importable in this process."""
    monkeypatch.syspath_prepend(str(PLUGIN))


# ---- what failed


@pytest.mark.parametrize("logger", ["almanac", "rich almanac"])
def test_failures_stand_last_with_cause_log_and_what_waited(tmp_path: Path, logger: str) -> None:
    done = run(tmp_path, FAILING, "--keep-going", "--show-failed-logs", logger=logger)
    assert done.status == 1
    told = done.lines[-len(FAILED) :]
    assert [sorted(told[1:7]), told[0], told[7]] == [sorted(FAILED[1:7]), FAILED[0], FAILED[7]]
    before = done.lines[: -len(FAILED)]
    assert "At least one job did not complete successfully." in before
    assert "error: 0 is bad" in before, "the failed log itself, rich without a terminal too"
    assert not any("What failed" in line for line in before)


def test_without_keep_going_the_others_are_counted(tmp_path: Path) -> None:
    text = FAILING.replace("range(3)", "range(9)").replace("!= 2", "!= 99")
    done = run(tmp_path, text, "--quiet", "progress")
    assert "What failed:" in done.lines
    waited, other = done.lines[-2:]
    assert re.match(r"What waited for it: 9 toy_score_summary, 1 toy_plot_summary \(10 ", waited)
    started = sum(line.startswith("  toy_land_bars") for line in done.lines)
    assert other == f"Not run: {9 - started} jobs"


def test_killed_jobs_are_named(tmp_path: Path) -> None:
    text = """
rule all:
    input: "self.txt", "child.txt", "stale.txt"
rule toy_build_self:
    output: "self.txt"
    log: "self.log"
    shell: "kill -9 $$"
rule toy_build_child:
    output: "child.txt"
    log: "child.log"
    shell: "echo working > {log}; sh -c 'kill -9 $$'; touch {output}"
rule toy_build_stale:
    output: "stale.txt"
    log: "stale.log"
    shell: "exit 4"
"""
    (tmp_path / "stale.log").write_text("error: of an earlier run\n")
    os.utime(tmp_path / "stale.log", (1e9, 1e9))
    lines = run(tmp_path, text, "--keep-going", "--quiet", "all").lines
    assert lines.index("What failed:") <= 1, "quiet hides all but the list and the shell's own word"
    assert lines[lines.index("  toy_build_self") + 1] == f"    cause: {KILLED}"
    assert lines[lines.index("  toy_build_child") + 1] == f"    cause: {KILLED}"
    assert "exit status 4" in lines[lines.index("  toy_build_stale") + 1]
    assert not lines[-1].startswith("What waited"), "only `all` waited"


def test_retried_jobs(tmp_path: Path) -> None:
    text = """
rule all:
    input: "flaky.txt", "never.txt"
rule toy_land_flaky:
    output: "flaky.txt"
    log: "flaky.log"
    retries: 1
    shell: "[ -e tried ] || (touch tried; echo 'error: try again' > {log}; exit 1); touch {output}"
rule toy_land_never:
    output: "never.txt"
    log: "never.log"
    retries: 2
    shell: "echo 'error: never' > {log}; exit 1"
"""
    text = f"import os\nos.environ['ALMANAC_EVENTS'] = 'events'\n{text}"
    done = run(tmp_path, text, "--keep-going")
    assert (tmp_path / "flaky.txt").exists()
    assert done.lines[-4:] == [
        "What failed:",
        "  toy_land_never (3 attempts)",
        "    cause: never",
        "    log:   never.log",
    ]
    errors = [e for e in events(tmp_path) if e["event"] == "job_error"]
    assert [e["attempt"] for e in errors if e["rule"] == "toy_land_never"] == [1, 2, 3]
    last = events(tmp_path)[-1]
    assert (last["status"], last["done"], last["total"]) == ("failed", 1, 3)


SOURCES = """
def find(wildcards):
    raise KeyError("no source for " + wildcards.x)
def count(wildcards, input):
    return open(input[0]).read()[99]
rule all:
    input: "silent_1.txt"
rule toy_build_silent:
    output: "silent_{x}.txt"
    shell: "true"
rule toy_build_missing:
    input: "nowhere/{x}.csv", "nowhere/{x}.json"
    output: "missing_{x}.txt"
    shell: "touch {output}"
rule toy_build_found:
    input: find
    output: "found_{x}.txt"
    shell: "touch {output}"
rule toy_land_source:
    output: "source.txt"
    shell: "touch {output}"
rule toy_build_counted:
    input: "source.txt"
    output: "counted_{x}.txt"
    params: n=count
    shell: "touch {output}"
"""


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("silent_1.txt", ["  toy_build_silent x=1", "    cause: missing output: silent_1.txt"]),
        (
            "missing_1.txt",
            ["What failed: toy_build_missing x=1: Missing input files: nowhere/1.csv and 1 more"],
        ),
        ("found_1.txt", ["What failed: toy_build_found x=1: KeyError: 'no source for 1'"]),
        (
            "counted_1.txt",
            ["  toy_build_counted x=1", "    cause: IndexError: string index out of range"],
        ),
        ("unknown", None),
    ],
)
def test_failures_without_a_job_error(
    tmp_path: Path, target: str, expected: list[str] | None
) -> None:
    done = run(tmp_path, SOURCES, target)
    assert done.status == 1
    if expected is None:
        assert done.lines[-1].startswith("No rule to produce unknown"), "Snakemake's own, once"
    else:
        assert done.lines[-len(expected) :] == expected


def test_ctrl_c_is_no_failure(tmp_path: Path, sleeping: subprocess.Popen[bytes]) -> None:
    os.killpg(sleeping.pid, signal.SIGINT)
    assert sleeping.wait(30) == 1
    lines = (tmp_path / "stderr").read_text().splitlines()
    assert lines[-1] == "Not run: 5 jobs (interrupted)"
    assert "What failed:" not in lines
    assert not (tmp_path / RECORD).exists()


# ---- the locked folder


def test_killed_run_leaves_a_lock_that_unlock_removes(
    tmp_path: Path, sleeping: subprocess.Popen[bytes], plugin: None
) -> None:
    from snakemake_logger_plugin_almanac.lock import recorded_run_alive

    assert recorded_run_alive(tmp_path) is True
    os.killpg(sleeping.pid, signal.SIGKILL)
    wait_for(lambda: psutil.Process(sleeping.pid).status() == psutil.STATUS_ZOMBIE)
    assert recorded_run_alive(tmp_path) is False
    sleeping.wait()
    assert recorded_run_alive(tmp_path) is False

    done = run(tmp_path, SLEEPING)
    assert (done.status, done.lines[-1]) == (1, EARLIER)
    assert done.lines.count(EARLIER) == 1
    gone = f"unlocked: the run with pid {sleeping.pid} that held this folder is gone"
    assert unlock(tmp_path) == (0, gone, "")
    assert not list(tmp_path.glob(".snakemake/locks/*"))
    assert recorded_run_alive(tmp_path) is None
    done = run(tmp_path, SLEEPING.replace("sleep 60", "true"), "--rerun-incomplete")
    assert done.status == 0


def test_living_run_keeps_its_lock(tmp_path: Path, sleeping: subprocess.Popen[bytes]) -> None:
    record = json.loads((tmp_path / RECORD).read_text())
    assert record["pid"] == sleeping.pid
    assert record["create_time"] == psutil.Process(sleeping.pid).create_time()
    assert record["run_id"].endswith(f"Z-{sleeping.pid}")
    line = (
        rf"locked: another run \(pid {sleeping.pid} on {re.escape(os.uname().nodename)}, "
        r"since \d\d:\d\d:\d\d\) is working in this folder; wait for it or stop it"
    )
    done = run(tmp_path, SLEEPING, logger="rich almanac")
    assert done.status == 1
    assert re.fullmatch(line, done.lines[-1])
    for options in ((), ("--force",)):
        status, out, err = unlock(tmp_path, *options)
        assert (status, out) == (1, "")
        assert re.fullmatch(line, err)
    assert json.loads((tmp_path / RECORD).read_text()) == record


def test_unlock_without_locks_is_silent_and_light(tmp_path: Path) -> None:
    assert unlock(tmp_path) == (0, "", "")
    code = (
        "import sys; from snakemake_logger_plugin_almanac.unlock import main; main([]);"
        "print([m for m in ('snakemake', 'snakemake_interface_logger_plugins', 'psutil', 'typing')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({str(PLUGIN)!r}); {code}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_unlock_without_a_record_needs_force(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SLEEPING)
    locks = tmp_path / ".snakemake/locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("out/0.txt\n")
    status, out, err = unlock(tmp_path)
    assert (status, out) == (1, "")
    assert "snakemake --unlock" in err
    assert len(err.splitlines()) == 1
    assert unlock(tmp_path, "--force") == (0, "unlocked: no run was recorded in this folder", "")
    assert not list(locks.glob("*"))


@pytest.mark.parametrize("has_slurm", [True, False])
def test_what_a_dead_run_left_in_slurms_queue_is_cancelled_or_named(
    tmp_path: Path, plugin: None, monkeypatch: pytest.MonkeyPatch, has_slurm: bool
) -> None:
    """(tests/slurm does the same with a real Slurm.)"""
    from snakemake_logger_plugin_almanac import record as run_record

    (tmp_path / "Snakefile").write_text(SLEEPING)
    (tmp_path / ".snakemake").mkdir()
    run_record.claim(tmp_path, "mine", "now")
    run_record.note_slurm(tmp_path, "an-id")
    record = json.loads((tmp_path / RECORD).read_text())
    (tmp_path / RECORD).write_text(json.dumps(record | {"create_time": 1.0}))
    tools = tmp_path / "tools"
    tools.mkdir()
    if has_slurm:
        (tools / "scancel").write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/cancelled\n')
        (tools / "scancel").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}")
    status, out, _ = unlock(tmp_path, "--force")
    assert status == 0
    assert ("scancel --name an-id" in out) is not has_slurm
    if has_slurm:
        assert (tmp_path / "cancelled").read_text() == "--name an-id\n"


@pytest.mark.parametrize(
    ("change", "alive"),
    [
        ({}, True),
        ({"create_time": 1.0}, False),  # the pid was given to another process
        ({"pid": 2**22 + 1}, False),
        ({"host": "elsewhere"}, True),
        ({"pid": "no"}, False),
        (None, None),
    ],
)
def test_recorded_run_alive(
    tmp_path: Path, plugin: None, change: dict[str, Any] | None, alive: bool | None
) -> None:
    from snakemake_logger_plugin_almanac.lock import recorded_run_alive

    me = psutil.Process()
    record = {"pid": me.pid, "create_time": me.create_time(), "host": os.uname().nodename}
    (tmp_path / ".snakemake").mkdir()
    text = "{half a rec" if change is None else json.dumps(record | change)
    (tmp_path / RECORD).write_text(text)
    assert recorded_run_alive(tmp_path) is alive


def test_record_of_a_living_process_is_not_overwritten(tmp_path: Path, plugin: None) -> None:
    from snakemake_logger_plugin_almanac import record as run_record

    (tmp_path / ".snakemake").mkdir()
    other = psutil.Process(os.getppid())
    record = {"pid": other.pid, "create_time": other.create_time(), "host": os.uname().nodename}
    (tmp_path / RECORD).write_text(json.dumps(record))
    run_record.claim(tmp_path, "mine", "now")
    run_record.release(tmp_path)
    assert json.loads((tmp_path / RECORD).read_text()) == record

    (tmp_path / RECORD).write_text(json.dumps(record | {"create_time": 1.0}))
    run_record.claim(tmp_path, "mine", "now")
    assert json.loads((tmp_path / RECORD).read_text())["run_id"] == "mine"
    run_record.release(tmp_path)
    assert not list((tmp_path / ".snakemake").iterdir())


# ---- the events

TOLD = f"""
import os
os.environ["ALMANAC_EVENTS"] = "events"
os.environ["TOY_KEY"] = "{SECRET}-environment"
rule all:
    input: "b.txt"
rule toy_build_a:
    output: "a_{{x}}.txt"
    log: "a_{{x}}.log"
    benchmark: "a_{{x}}.tsv"
    params: key=lambda w: "{SECRET}-param" + config.get("more", "")
    threads: 2
    resources: mem_mb=123, runtime=7
    shell: "echo {{params.key}} > /dev/null; touch {{output}};"
           "echo 'done: wall 0.10 s, cpu 0.25 s, peak memory 321 MiB, on vm' > {{log}}"
rule toy_build_b:
    input: "a_1.txt"
    output: "b.txt"
    shell: "{SECRET}-command || exit 5"
"""


def test_events_are_whole_and_tell_no_secrets(tmp_path: Path) -> None:
    assert run(tmp_path, TOLD, "--config", f"token={SECRET}-option").status == 1
    check_events_of_failed_run(tmp_path)
    shutil.rmtree(tmp_path / "events")
    assert run(tmp_path, TOLD, "a_1.txt", "--config", "more=changed").status == 0
    told = events(tmp_path)
    assert SECRET not in json.dumps(told)
    (job,) = (event for event in told if event["event"] == "job_info")
    assert job["reason"] == "Params have changed since last execution"
    assert told[-1]["status"] == "ok"


def check_events_of_failed_run(tmp_path: Path) -> None:
    """Check the kinds, the order, the fields, and that nothing secret is among them."""
    told = events(tmp_path)
    assert not re.search(f"{SECRET}|touch|set -e", json.dumps(told))
    names = [event["event"] for event in told]
    assert names[0] == "workflow_started"
    assert set(names) == {
        "workflow_started", "resources_info", "run_info", "job_started", "job_info",
        "job_finished", "job_error", "error", "run_finished", "rulegraph",
    }  # fmt: skip
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", e["time"]) for e in told)
    by_name = {event["event"]: event for event in reversed(told)}
    assert not {"cmd", "user"} & by_name["workflow_started"].keys()
    assert by_name["resources_info"]["cores"] == 2
    assert by_name["run_info"]["rules"] == {"toy_build_a": 1, "toy_build_b": 1, "all": 1}
    job = by_name["job_info"]
    assert {key: job[key] for key in job.keys() - {"time", "event"}} == {
        "jobid": job["jobid"],
        "rule": "toy_build_a",
        "wildcards": {"x": "1"},
        "threads": 2,
        "resources": {"mem_mb": 123, "mem_mib": 118, "runtime": 7},
        "inputs": 0,
        "output": ["a_1.txt"],
        "log": ["a_1.log"],
        "benchmark": "a_1.tsv",
        "reason": "Missing output files: a_1.txt",
    }
    finished = by_name["job_finished"]
    assert (finished["jobid"], finished["rule"]) == (job["jobid"], "toy_build_a")
    assert 0 <= finished["seconds"] < 30
    assert (finished["after"], finished["cpu_s"]) == ([], 0.25)
    assert (finished["peak_mib"], 0 <= finished["run_s"] < 30) == (321, True)
    assert by_name["rulegraph"]["rules"] == ["all", "toy_build_a", "toy_build_b"]
    assert [list(link) for link in by_name["rulegraph"]["links"]] == [
        ["toy_build_a", "toy_build_b"], ["toy_build_b", "all"],
    ]  # fmt: skip
    failed = by_name["job_error"]
    assert (failed["rule"], failed["attempt"]) == ("toy_build_b", 1)
    assert failed["cause"] == "exit status 5 (the rule has no log)"
    assert {k: told[-1][k] for k in ("event", "status", "done", "total")} == {
        "event": "run_finished", "status": "failed", "done": 1, "total": 3,
    }  # fmt: skip


CHAIN = """
import os
os.environ["ALMANAC_EVENTS"] = "events"
rule all:
    input: "joined.txt"
rule toy_build_part:
    output: update("{x}.txt")
    wildcard_constraints: x="[ab]"
    shell: "touch {output}"
rule toy_build_joined:
    input: "a.txt", "b.txt", "Snakefile"
    output: "joined.txt"
    shell: "touch {output}"
"""


def test_events_tell_which_jobs_a_job_needed(tmp_path: Path) -> None:
    assert run(tmp_path, CHAIN).status == 0
    told = events(tmp_path)
    jobs = {e["jobid"]: e for e in told if e["event"] == "job_info"}
    after = {jobs[e["jobid"]]["rule"]: e["after"] for e in told if e["event"] == "job_finished"}
    parts = sorted(n for n, job in jobs.items() if job["rule"] == "toy_build_part")
    assert after["toy_build_joined"] == parts
    assert after["toy_build_part"] == []
    ended = [e for e in told if e["event"] == "job_finished"]
    assert {(e["run_s"], e["cpu_s"], e["peak_mib"]) for e in ended} == {(None, None, None)}


def test_a_reason_names_three_files_of_each_kind(plugin: None) -> None:
    from snakemake_logger_plugin_almanac.run import _brief

    files = ", ".join(f"{n}.txt" for n in range(9))
    reason = f"Missing output files: {files}; Input files updated by another job: x.csv, y.csv"
    assert _brief(reason) == (
        "Missing output files: 0.txt, 1.txt, 2.txt, and 6 more; "
        "Input files updated by another job: x.csv, y.csv"
    )


def test_measures_of_an_earlier_run_are_not_taken(plugin: None, tmp_path: Path) -> None:
    from snakemake_logger_plugin_almanac.measures import measures
    from snakemake_logger_plugin_almanac.start import Start

    benchmark, log = tmp_path / "b.tsv", tmp_path / "job.log"
    benchmark.write_text("s\th:m:s\tmax_rss\tcpu_time\n2.5\t0:00:02\t120.50\t1.75\n")
    log.write_text("words\ndone: wall 2.40 s, cpu 1.80 s, peak memory 140 MiB, on node1\n")
    now = time.time()
    full = {"run_s": 2.5, "cpu_s": 1.8, "peak_mib": 140, "host": "node1"}
    assert measures(str(benchmark), [str(log)], Start(now - 5)) == full
    assert measures(None, [str(log)], Start(now - 5)) == {**full, "run_s": None}
    sampled = {"run_s": 2.5, "cpu_s": 1.75, "peak_mib": 120.5, "host": None}
    assert measures(str(benchmark), [], Start(now - 5)) == sampled
    nothing = dict.fromkeys(full)
    os.utime(benchmark, (now - 99, now - 99))
    os.utime(log, (now - 99, now - 99))
    assert measures(str(benchmark), [str(log)], Start(now - 5)) == nothing
    benchmark.write_text("s\tmax_rss\tcpu_time\n0.1\tNA\t-\n")
    assert measures(str(benchmark), [], Start(now - 5)) == {**nothing, "run_s": 0.1}
    benchmark.write_text("")
    assert measures(str(benchmark), ["absent.log"], Start(now - 5)) == nothing


def test_what_a_job_wrote_by_another_clock_is_its_own(plugin: None, tmp_path: Path) -> None:
    from snakemake_logger_plugin_almanac.cause import tail
    from snakemake_logger_plugin_almanac.start import Start

    log, absent = tmp_path / "old.log", tmp_path / "new.log"
    log.write_text("error: of an earlier run\n")
    start = Start.of(time.time() + 9999, [str(log), str(absent)])
    assert tail(str(log), start) == tail(str(absent), start) == []
    log.write_text("error: of this run\n")
    absent.write_text("error: of this run\n")
    assert tail(str(log), start) == tail(str(absent), start) == ["error: of this run"]


CRITICAL = """
import os
os.environ["ALMANAC_EVENTS"] = "events"
os.environ["ALMANAC_CRITICAL"] = "toy_land_flaky=1,toy_check_sum=0"
rule all:
    input: expand("late_{x}.txt", x=range(8)), expand("{kind}.txt", kind=["flaky", "plain", "sum"])
rule toy_land_flaky:
    output: "flaky.txt"
    priority: 9
    retries: 1
    shell: "[ -e tried ] || (touch tried; exit 1); touch {output}"
rule toy_build_plain:
    output: "plain.txt"
    priority: 8
    shell: "exit 1"
rule toy_check_sum:
    input: "flaky.txt"
    output: "sum.txt"
    log: "sum.log"
    priority: 7
    shell: "until ls late_*.txt 2> /dev/null; do sleep 0.05; done;"
           "echo 'error: 3 is not 4' > {log}; exit 1"
rule toy_build_late:
    output: "late_{x}.txt"
    shell: "sleep 1; touch {output}"
"""


def test_a_critical_rule_stops_new_jobs_and_others_do_not(tmp_path: Path) -> None:
    done = run(tmp_path, CRITICAL, "--keep-going")
    assert done.status == 1
    assert (tmp_path / "flaky.txt").exists(), "tried again, although critical"
    assert "    cause: 3 is not 4" in done.lines
    begun = [e for e in events(tmp_path) if e["event"] == "job_info" and "late" in e["rule"]]
    ended = sorted(path.name for path in tmp_path.glob("late_*.txt"))
    assert len(begun) == len(ended), "what ran was waited for"
    assert 1 <= len(ended) <= 4
    last = done.lines[-1]
    assert re.fullmatch(
        rf"Not run: {8 - len(ended)} jobs \(toy_check_sum is critical in the config: "
        r"after its failure none is begun\)",
        last,
    ), last
    assert events(tmp_path)[-1]["critical"] == "toy_check_sum"


def test_a_dry_run_writes_its_plan_where_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(CHAIN)
    subprocess.run(
        command("--dry-run"),
        cwd=tmp_path,
        env=environment(ALMANAC_PLAN="plan.json"),
        capture_output=True,
        check=True,
        timeout=60,
    )
    jobs = json.loads((tmp_path / "plan.json").read_text())["jobs"]
    joined = next(job for job in jobs if job["rule"] == "toy_build_joined")
    assert joined["input"] == ["a.txt", "b.txt", "Snakefile"]
    assert joined["output"] == ["joined.txt"]
    assert joined["reason"].startswith("Missing output files: joined.txt")
    assert not (tmp_path / "events").exists()


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, TOLD, "--dry-run")
    assert done.status == 0
    assert not (tmp_path / "events").exists()
    assert not (tmp_path / RECORD).exists()


def test_nothing_to_do_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "b.txt").touch()
    (tmp_path / "a_1.txt").touch()
    os.utime(tmp_path / "a_1.txt", (1e9, 1e9))
    assert run(tmp_path, TOLD, "--rerun-triggers", "mtime").status == 0
    assert not (tmp_path / "events").exists()
    assert not (tmp_path / RECORD).exists()


def test_unwritable_events_do_not_harm_the_run(tmp_path: Path) -> None:
    (tmp_path / "events").write_text("a file, not a folder")
    done = run(tmp_path, TOLD, "a_1.txt")
    assert done.status == 0
    assert done.lines[-1].startswith("almanac logger: FileExistsError")
    assert sum("almanac logger" in line for line in done.lines) == 1


def test_full_disk_ends_the_writing(plugin: None) -> None:
    from snakemake_logger_plugin_almanac.events import EventFile

    file = EventFile()
    file.add(0.0, "kept_back", {})
    file.open(Path("/dev/full"))
    file.add(1.0, "lost", {})
    file.close()
    assert isinstance(file.error, OSError)


# ---- the handler on its own


def test_trouble_inside_is_told_once(
    plugin: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from snakemake_interface_logger_plugins.common import LogEvent
    from snakemake_interface_logger_plugins.tests import MockOutputSettings
    from snakemake_logger_plugin_almanac import LogHandler

    monkeypatch.chdir(tmp_path)
    handler = LogHandler(MockOutputSettings(), None)
    record = logging.LogRecord("snakemake", logging.INFO, "", 0, "", (), None)
    record.event = LogEvent.JOB_INFO  # none of the fields it should have
    handler.emit(record)
    handler.emit(record)
    handler.close()
    handler.close()
    said = capsys.readouterr().err.splitlines()
    assert said == ["almanac logger: KeyError: 'log' (the run itself is not affected)"]


def test_cause_of_a_cluster_job(plugin: None, tmp_path: Path) -> None:
    from snakemake_logger_plugin_almanac.cause import find_cause
    from snakemake_logger_plugin_almanac.start import Start

    own, slurm = tmp_path / "own.log", tmp_path / "slurm.log"
    own.write_text("reading\n")
    note = "SLURM-job '7' failed, SLURM status is: 'TIMEOUT'. For further error details see ..."
    logs = [str(own), str(slurm)]
    assert find_cause(logs, Start(0), "", note).text == note
    slurm.write_text("Command 'secret' returned non-zero exit status 137.\n")
    assert find_cause(logs, Start(0), "", note.replace("TIMEOUT", "FAILED")).text == KILLED
    own.write_text("")
    slurm.write_text("Traceback\n  File 'x'\n\nAttributeError: no keys\n\nsrun: error: node2\n")
    assert find_cause(logs, Start(0), "", note.replace("TIMEOUT", "FAILED")).text == (
        "AttributeError: no keys"
    )
    own.write_text("reading\nerror: bars of 2025-09-25: 3 rows too few\n")
    assert find_cause(logs, Start(0), "", note).text == "bars of 2025-09-25: 3 rows too few"


def test_of_a_log_that_a_full_disk_cut_off_the_disk_is_told(plugin: None, tmp_path: Path) -> None:
    from snakemake_logger_plugin_almanac.cause import find_cause
    from snakemake_logger_plugin_almanac.start import Start

    message = "Command 'secret' returned non-zero exit status 1."
    log = tmp_path / "small" / "own.log"
    with disk(log.parent, "64k") as resize:
        log.write_text("HTTP Request: GET /a\n")
        full = find_cause([str(log)], Start(0), message).text
        assert full == f"exit status 1 (No space left on device: {log.parent})"
        resize("1m")
        assert find_cause([str(log)], Start(0), message).text == "HTTP Request: GET /a"


def test_rules_that_waited_come_in_order(plugin: None) -> None:
    from snakemake_logger_plugin_almanac.run import Run
    from snakemake_logger_plugin_almanac.summary import descendants, topological

    links = {("b_x", "c_x"), ("a_x", "b_x"), ("a_x", "c_x"), ("c_x", "all"), ("d_x", "all")}
    state = Run(planned=dict.fromkeys(["all", "c_x", "d_x", "b_x", "a_x"], 1), links=links)
    assert topological(state) == ["d_x", "a_x", "b_x", "c_x", "all"]
    assert descendants({"b_x"}, links) == {"c_x", "all"}
    state.links |= {("c_x", "a_x")}  # rules may form a loop that jobs do not
    assert set(topological(state)) == {"all", "a_x", "b_x", "c_x", "d_x"}

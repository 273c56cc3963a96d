"""`make plan`, `make check`, `make perf` and `make nightly`, as real processes in real copies."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.workflow.lakes import small
from tests.workflow.project import FOREIGN, ROOT, TINY, Project, copied, copy_project
from tests.workflow.test_reruns import append, set_leaf

SECRET = "hunter2-do-not-tell"
SECRETS = ("MASSIVE_API_KEY", "AWS_SECRET_ACCESS_KEY", "ODDS_API_KEY", "PGPASSWORD")
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
VERIFY = shutil.which("systemd-analyze")
PARQUET = "results/tiny/ticks/parquet/MODON.parquet"
TRADES = "results/tiny/ticks/trades/parity/v1_baseline/base/MODON.csv"
REPORT = "Report:      results/tiny/report/index.html"
WAITING = """if __name__ == "__main__":
    import pathlib, time

    pathlib.Path("begun").touch()
    while not pathlib.Path("go").exists():
        time.sleep(0.05)
"""


def variables(**more: str) -> dict[str, str]:
    """An environment without ours, with secrets that nobody may tell."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith((*FOREIGN, "MAKE", "MFLAGS"))}
    return {**kept, **dict.fromkeys(SECRETS, SECRET), **more}


def start(project: Project, command: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a command of the control room."""
    return subprocess.Popen(
        [".venv/bin/python", "-m", f"scripts.control.{command}", *arguments],
        cwd=project.folder,
        env=variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def control(project: Project, command: str, *arguments: str, status: int = 0) -> tuple[str, str]:
    """Run a command of the control room to its end; what it said on stdout and stderr."""
    process = start(project, command, *arguments)
    out, err = process.communicate(timeout=300)
    assert process.returncode == status, f"{out}\n{err}"
    assert SECRET not in out + err
    return out, err


def plan(project: Project, *arguments: str) -> str:
    """What `make plan` says."""
    out, err = control(project, "plan", *arguments)
    assert err == ""
    return out


def logs(project: Project, run: str = "tiny") -> list[Path]:
    """Logs of nights, oldest first."""
    return sorted((project.results / run / "logs/nightly").glob("*.log"))


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until `condition` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def with_python(project: Project) -> Project:
    """Give a copy this test's Python."""
    (project.folder / ".venv").symlink_to(Path(sys.prefix))
    return project


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project with everything built."""
    project = with_python(copy_project(tmp_path_factory.mktemp("control"), TINY))
    project.run(check=True)
    return project


@pytest.fixture
def project(built: Project, tmp_path: Path) -> Project:
    """A copy of the built copy, for one test to change."""
    return copied(built, tmp_path)


# -- plan ------------------------------------------------------------------------------------------


def test_the_plan_of_what_is_built_is_nothing_also_after_touching_it(project: Project) -> None:
    for file in (project.results / "tiny/ticks").rglob("*.*"):
        os.utime(file)
    assert plan(project) == "nothing to do: all that was asked for is there and up to date\n"


def test_a_plan_tells_a_changed_value_what_follows_and_the_cost(project: Project) -> None:
    set_leaf(project, "ticks.strategies.v1_baseline.refill_interval_sec", 181)
    out = plan(project)
    assert out.startswith("8 jobs of 8 rules, 3 with a cause of its own\n")
    assert (
        "\nparams changed: refill_interval_sec: 180 -> 181 (2 jobs, 5 jobs follow)\n"
        "  1 ticks_simulate_sweep, 1 ticks_simulate_trades\n"
    ) in out
    assert "\ncode or config changed, by its hash (1 job, 1 job follows)\n" in out
    cost = out[out.index("cost: ") :]
    assert re.match(r"cost: \d+(\.\d)? s on \d+ cores? \(estimate, from 1 run: medians;", cost)
    assert "critical path: " in cost
    assert "ticks_simulate_trades -> ticks_" in cost
    assert "never recorded" not in cost
    why = plan(project, "--why", "ticks/summary.csv")
    assert why.splitlines()[0] == "ticks/summary.csv: ticks_score_summary"
    assert why.splitlines()[2] == "params changed: refill_interval_sec: 180 -> 181"
    assert why.splitlines()[3].startswith("  ticks_simulate_trades mode=parity")
    assert why.splitlines()[4].startswith("    ticks_score_summary  (reads results/tiny/ticks/t")


def test_a_plan_tells_changed_code_from_changed_config(project: Project) -> None:
    append(project.folder / "scripts/ticks/plot_security.py", "ADDED = 1")
    assert "\ncode of the script changed (1 job, 1 job follows)\n" in plan(project)
    shutil.rmtree(project.folder / ".snakemake/metadata")
    (project.results / "tiny/ticks/summary.csv").unlink()
    out = plan(project)
    assert "code of the script changed" not in out
    assert re.search(r"\nof \d+ jobs Snakemake has no metadata: whether code or params ", out)


def test_a_plan_tells_what_is_gone_what_was_changed_and_what_is_forced(project: Project) -> None:
    (project.results / "tiny/ticks/parquet/MODON.parquet").unlink()
    out = plan(project)
    assert "\noutput is gone (1 job, 7 jobs follow)\n  1 ticks_build_parquet\n" in out
    stays = plan(project, "--why", "workbook.xlsx")
    assert stays == (
        "workbook.xlsx: no job of the plan makes it or is of such a rule, so it stays as it is\n"
    )
    table = project.folder / "config/universe/securities.csv"
    table.write_text(table.read_text() + "\n")
    out = plan(project, "--forcerun", "ticks_compile_kernel")
    assert "\ninput changed: config/universe/securities.csv (1 job, 1 job follows)\n" in out
    assert "\nforced (1 job, 7 jobs follow)\n  1 ticks_compile_kernel\n" in out


def test_a_plan_without_records_says_so(tmp_path: Path) -> None:
    fresh = with_python(copy_project(tmp_path, TINY))
    out = plan(fresh)
    assert "\noutput is not there yet (10 jobs, 1 job follows)\n" in out
    assert out.endswith("cost: unknown, no run is recorded in results/tiny/events\n")
    assert not (fresh.folder / "results").exists()


def test_a_dry_run_that_fails_speaks_for_itself(project: Project) -> None:
    out, _ = control(project, "plan", "nosuch", status=1)
    assert "MissingRuleException:\nNo rule to produce nosuch" in out
    _, err = control(project, "plan", "--config", "ticks={sweps: {}}", status=1)
    assert err.splitlines()[-1].startswith("error: config: ticks.sweps is not a known key; did you")
    _, err = control(project, "plan", "--nosuch", status=2)
    assert "unrecognized arguments: --nosuch" in err
    assert control(project, "plan", "--last", "x", status=1)[1].startswith("error: --last: got x")


def test_check_and_perf_in_a_built_copy(project: Project) -> None:
    out, _ = control(project, "check")
    assert out.splitlines()[-1] == "this machine can run the configured workflow (run tiny)"
    assert "present" in out
    out, _ = control(project, "perf", "results/tiny/events")
    assert out.startswith("1 run in results/tiny/events, ")
    row = next(line for line in out.splitlines() if line.startswith("ticks_compile_kernel")).split()
    assert row[1:3] == ["cpu", "1"]
    assert "-" not in row  # all was measured
    assert control(project, "perf", "results/mine/events", status=1) == (
        "",
        "error: results/mine/events: no run is recorded there; recorded: tiny (RUN=...)\n",
    )


def test_the_targets_of_make_and_a_good_night_says_nothing(project: Project) -> None:
    env = variables(MAKEFLAGS="--old-file=.venv/installed")

    def make(*words: str) -> str:
        done = subprocess.run(
            ["make", *words], cwd=project.folder, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "1 run in results/tiny/events" in make("perf", "RUN=tiny", "LAST=3")
    assert "ticks_plot_pnl (cpu), " in make("perf", "RUN=tiny", "RULE=ticks_plot_pnl")
    words = ("TARGETS=ticks", "ARGS=--why ticks_plot_pnl --config ticks='{max_securities: 9}'")
    assert "ticks_plot_pnl: no job of the plan" in make("plan", *words)
    assert "run other" in make("check", "ARGS=--config run=other")
    assert make("nightly", f"TARGETS={PARQUET}") == ""
    (log,) = logs(project)
    assert "Nothing to be done" in log.read_text()
    assert SECRET not in log.read_text()
    assert "</html>" in (project.results / "tiny/report/index.html").read_text()
    good = json.loads((log.parent / "good.json").read_text())
    assert good["counts"]["ticks/ticks/MODON"]["quarantined"] == 0


# -- nightly ---------------------------------------------------------------------------------------


@pytest.fixture
def waiting(project: Project) -> Iterator[Project]:
    """A copy in which the job that checks ticks says `begun` and waits for the file `go`."""
    script = project.folder / "scripts/ticks/build_parquet.py"
    text = script.read_text()
    script.write_text(text.replace('if __name__ == "__main__":\n', WAITING))
    yield project
    (project.folder / "go").touch()
    for process in psutil.process_iter(["cwd"]):
        if process.info["cwd"] == str(project.folder):
            process.kill()


def begun(project: Project) -> None:
    """Wait for that job."""
    wait_for((project.folder / "begun").exists)


def test_a_bad_night_says_what_failed_what_grew_and_what_to_do(project: Project) -> None:
    vendor, whole = project.folder / "vendor", project.folder / PARQUET
    shutil.copytree(whole.parent, vendor)
    (vendor / "PARKIN.parquet").write_bytes(whole.read_bytes()[:1000])
    good = project.results / "tiny/logs/nightly/good.json"
    good.parent.mkdir()
    counts = {"ticks/ticks/MODON": {"rows_in": 600, "quarantined": -2, "reasons": {}}}
    told = json.dumps({"time": "2025-09-08 03:00", "counts": counts})  # two more are refused now
    good.write_text(told)
    target = TRADES.replace("MODON", "PARKIN")
    given = ("--", "--config", "ticks={parquet_dir: vendor}", "--", target)
    out, err = control(project, "nightly", *given, status=1)
    lines = out.splitlines()
    assert err == ""
    assert re.fullmatch(r"Night of .+: run tiny FAILED \(exit status 1, .+ s\)", lines[0])
    start = lines.index("What failed (build):")
    assert lines[start + 1] == "  ticks_build_parquet security=PARKIN"
    assert lines[start + 2].startswith("    cause: vendor/PARKIN.parquet: not a readable parquet")
    assert "    log:   results/tiny/logs/ticks/ticks_build_parquet/PARKIN.log" in lines
    assert "What waited for it: 1 ticks_simulate_trades (1 job not run)" in lines
    assert "Refused rows grew since the last good night (2025-09-08 03:00):" in lines
    assert "  ticks/ticks/MODON: -2 -> 0 of 600 rows" in lines
    assert lines[-1] == f"Full output: {logs(project)[-1].relative_to(project.folder)}"
    assert good.read_text() == told  # it was no good night
    first, last = lines.index("Run again:") + 1, lines.index(REPORT)
    again = "\n".join(lines[first:last])
    shutil.copy(vendor / "MODON.parquet", vendor / "PARKIN.parquet")
    done = subprocess.run(
        ["sh", "-c", again], cwd=project.folder, env=variables(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (project.folder / target).is_file()


def test_a_config_that_is_not_valid_is_one_line(project: Project) -> None:
    out, err = control(project, "nightly", "--", "--config", "ticks={sweps: {}}", status=1)
    assert (out, err.count("\n")) == ("", 1)
    assert "did you mean sweeps" in err


def test_a_night_while_another_is_going_on_is_skipped(waiting: Project) -> None:
    first = start(waiting, "nightly", "--", "--", PARQUET)
    begun(waiting)
    out, _ = control(waiting, "nightly", status=75)
    assert re.fullmatch(
        r"last night's run is still going since \d{4}-\d\d-\d\d \d\d:\d\d: tonight's is skipped\n",
        out,
    )
    (waiting.folder / "go").touch()
    assert first.communicate(timeout=120) == ("", "")
    assert first.returncode == 0


def test_after_a_killed_night_the_next_one_unlocks(waiting: Project) -> None:
    first = start(waiting, "nightly", "--", "--", PARQUET)
    begun(waiting)
    first.kill()  # -9: Snakemake and its job go on
    first.wait()
    out, _ = control(waiting, "nightly", status=75)
    assert re.fullmatch(r"a run is still going here since .{16}: tonight's is skipped\n", out)
    record = json.loads((waiting.folder / ".snakemake/almanac-run.json").read_text())
    os.kill(record["pid"], signal.SIGKILL)
    wait_for(lambda: not psutil.pid_exists(record["pid"]))
    (waiting.folder / "go").touch()
    assert control(waiting, "nightly", "--", "--", PARQUET) == ("", "")
    text = logs(waiting)[-1].read_text()
    assert f"unlocked: the run with pid {record['pid']} that held this folder is gone" in text


def test_a_night_while_somebody_works_here_is_skipped_and_a_stopped_one_tells(
    waiting: Project,
) -> None:
    daytime = waiting.start(PARQUET)
    begun(waiting)
    out, _ = control(waiting, "nightly", status=75)
    assert out.startswith("a run is still going here since ")
    (waiting.folder / "go").touch()
    daytime.communicate(timeout=120)
    assert daytime.returncode == 0
    (waiting.folder / "go").unlink()
    (waiting.folder / "begun").unlink()
    stopped = start(waiting, "nightly", "--", "--forcerun", "ticks_build_parquet", "--", TRADES)
    begun(waiting)
    stopped.terminate()  # as systemd stops it: it is the night alone that hears of it
    time.sleep(0.5)
    (waiting.folder / "go").touch()
    out, err = stopped.communicate(timeout=120)
    assert (stopped.returncode, err) == (1, "")
    assert "FAILED, stopped by SIGTERM (exit status 1" in out.splitlines()[0]
    assert any("(interrupted)" in line for line in out.splitlines())
    assert "Report:      not made" in out
    assert (waiting.folder / PARQUET).stat().st_mtime > (
        waiting.folder / "begun"
    ).stat().st_mtime  # it was waited for


# -- the lines of the docs -------------------------------------------------------------------------


DAYS = ("2025-09-02", "2025-09-03")
FOLDER = "/srv/almanac"


def blocks(language: str) -> list[str]:
    """Blocks of a language in docs/operations.md."""
    return re.findall(rf"```{language}\n(.*?)```", OPERATIONS, re.S)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project with a small lake and a `date` that stands still."""
    config = small(datasets=["stocks_daily"], days_back=0, as_of="2025-08-29")
    project = with_python(copy_project(tmp_path_factory.mktemp("night"), config))
    (project.folder / "bin").mkdir()
    return project


def at(project: Project, day: str) -> dict[str, str]:
    """An environment in which it is the day after `day`, for whoever asks for yesterday."""
    stub = project.folder / "bin/date"
    stub.write_text(f'#!/bin/sh\n[ "$*" = "-d yesterday +%F" ] && echo {day}\n')
    stub.chmod(0o755)
    return variables(PATH=f"{stub.parent}:{os.environ['PATH']}")


def landed(project: Project) -> list[str]:
    """Days that the lake has."""
    files = (project.results / "small/lake/landing").rglob("*.csv.gz")
    return sorted(path.name.removesuffix(".csv.gz") for path in files)


def test_the_line_for_cron_makes_the_lake_of_yesterday(lake: Project) -> None:
    (line,) = blocks("cron")
    schedule, command = re.fullmatch(r"((?:\S+ ){5})(.+)\n", line).groups()
    assert schedule == "30 17 * * * "
    assert FOLDER in command
    done = subprocess.run(
        ["sh", "-c", command.replace(FOLDER, str(lake.folder)).replace(r"\%", "%")],  # as cron does
        env=at(lake, DAYS[0]),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert landed(lake) == [DAYS[0]]
    assert (lake.results / "small/lake/revisions.json").is_file()
    text = logs(lake, "small")[-1].read_text()
    assert text.count(f"lake={{as_of: {DAYS[0]}}}") >= 3  # probe, build and report


def test_a_plan_of_a_new_day_says_what_it_would_cost(lake: Project) -> None:
    if not landed(lake):
        pytest.skip("the night before has not been")
    made = sorted((lake.results / "small").rglob("*"))
    out, _ = control(lake, "plan", "--config", f"lake={{as_of: {DAYS[1]}}}", "--", "lake")
    assert re.search(r"\noutput is not there yet \(\d+ jobs", out)
    assert re.search(r"1 lake_land_flatfile", out)
    assert re.search(r"\ncost: .* \(estimate, from \d runs?: medians", out)
    assert sorted((lake.results / "small").rglob("*")) == made


def test_the_units_for_systemd_make_the_lake_of_the_next_day(lake: Project, tmp_path: Path) -> None:
    service, timer = blocks("ini")
    units = {"almanac-nightly.service": service, "almanac-nightly.timer": timer}
    for name, text in units.items():
        (tmp_path / name).write_text(text)
    if VERIFY:
        verified = subprocess.run(
            [VERIFY, "verify", *(str(tmp_path / name) for name in units)],
            capture_output=True,
            text=True,
        )
        assert (verified.returncode, verified.stderr.strip()) == (0, "")
    assert f"WorkingDirectory={FOLDER}\n" in service
    line = re.search(r"^ExecStart=(.+)$", service, re.M)[1]
    command = [word.replace("$$", "$").replace("%%", "%") for word in shlex.split(line)]
    done = subprocess.run(
        command,
        cwd=lake.folder,
        env=at(lake, DAYS[1]),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert DAYS[1] in landed(lake)

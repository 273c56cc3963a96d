"""The profile on a real Slurm: what is asked for, retried, cancelled, moved, and the same bytes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from subprocess import CompletedProcess

import psutil
import pytest

from tests.workflow.nfls import built, tiny
from tests.workflow.project import TINY, Project, copied, copy_project, tail
from tests.workflow.test_nfl_grid import Card

TICKS = "results/tiny/ticks/parquet/MODON.parquet"  # the second job of two
CLUSTER = Path(__file__).with_name("cluster.sh")
PROFILE = ("--workflow-profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", 2)
ABSENT = [name for name in ("slurmd", "slurmdbd", "mariadbd", "munged") if not shutil.which(name)]
pytestmark = pytest.mark.skipif(
    bool(ABSENT), reason=f"no Slurm here ({', '.join(ABSENT)}); make test-slurm installs it"
)


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """Three nodes with accounting, for the tests of this module."""
    subprocess.run([CLUSTER, "up"], check=True)
    yield
    subprocess.run([CLUSTER, "down"], check=True)


def accounted(result: CompletedProcess | str) -> list[dict[str, str]]:
    """What Slurm's accounting holds of a run's jobs, one row a job or array task."""
    text = result if isinstance(result, str) else result.stdout
    name = re.search(r"SLURM run ID: (\S+)", text)[1]
    fields = ["JobID", "State", "Partition", "ReqMem", "TimelimitRaw", "AllocTRES", "NodeList"]
    fields += ["Start", "End", "Account"]
    command = ["sacct", "-X", "-P", "-n", "-D", "--name", name, "--format", ",".join(fields)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [dict(zip(fields, line.split("|"), strict=True)) for line in lines]


def queue() -> list[tuple[str, str, str]]:
    """(job, state, node) of all jobs that Slurm has."""
    command = ["squeue", "-h", "-o", "%i|%T|%N"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [tuple(line.split("|")) for line in lines]


def wait_for(condition: Callable[[], object], seconds: float = 180) -> object:
    """The first true value of `condition`; fails after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.2)
    raise AssertionError(f"not in {seconds} s: {condition}")


def running() -> list[tuple[str, str, str]]:
    """The jobs that run."""
    return [job for job in queue() if job[1] == "RUNNING"]


def last_words(result: CompletedProcess) -> str:
    """What stands last when something failed."""
    return result.stdout[result.stdout.rindex("What failed:") :].rstrip()


def put_first(project: Project, script: str, statement: str) -> None:
    """Have a script's adapter begin with a statement."""
    path = project.folder / script
    text, times = re.subn(
        r"( +)(with job\(snakemake\).*:.*\n)", rf"\1\2\1    {statement}\n", path.read_text()
    )
    assert times == 1
    path.write_text(text)


def sleeping_once(tmp_path: Path) -> tuple[Project, Path]:
    """A project whose first job sleeps for long the first time; the file that tells it began."""
    project, once = copy_project(tmp_path, TINY), tmp_path / "once"
    statement = f"p = Path({str(once)!r}); f = p.exists(); p.touch(); f or __import__('time').sleep"
    put_first(project, "scripts/ticks/simulate_workbook.py", f"{statement}(600)")
    return project, once


def test_the_cluster_gives_the_bytes_of_one_machine_and_what_rules_ask_for(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    local = built(tmp_path_factory.getbasetemp())
    project = copy_project(tmp_path, tiny())
    result = project.run(*PROFILE, "--", "nfl", "grid", check=True, timeout=1200)
    (used,) = (project.results / "slurm").iterdir()
    assert "nfl_build_games" in used.read_text()
    shutil.rmtree(used.parent)
    assert project.digests() == local.digests()
    jobs = accounted(result)
    assert {job["State"] for job in jobs} == {"COMPLETED"}
    assert {job["Account"] for job in jobs} == {"lab"}
    assert {job["Partition"] for job in jobs} == {"cpu"}
    assert all(500 <= int(job["ReqMem"].rstrip("M")) <= 8000 for job in jobs)
    assert all(3 <= int(job["TimelimitRaw"]) <= 60 for job in jobs)
    arrays = [job for job in jobs if "_" in job["JobID"]]
    assert len(arrays) == 4  # two models, two seasons
    assert {job["ReqMem"] for job in arrays} <= {"950M", "951M"}  # 1 for the array's own commands
    assert len(jobs) < 40 < len(project.jobs_run(result))
    again = project.run(*PROFILE, "--", "nfl", "grid", check=True)
    assert "Nothing to be done" in again.stdout


def test_cards_are_asked_for_and_never_shared(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    project = copied(built(tmp_path_factory.getbasetemp()), tmp_path)
    shutil.rmtree(project.results / "tiny/nfl/grid")
    project.write_config("config/config.yaml", tiny(grid={"devices": {"cuda": 3, "cpu": 1}}))
    card = Card(tmp_path, 1.0)
    modules = [card.environment["PYTHONPATH"], os.environ.get("PYTHONPATH", "")]
    environment = {**card.environment, "PYTHONPATH": ":".join(filter(None, modules))}
    result = project.run(*PROFILE, "--", "grid", check=True, env=environment, timeout=600)
    jobs = accounted(result)
    on_card = [job for job in jobs if job["Partition"] == "gpu"]
    assert len(on_card) == 2
    assert all("gres/gpu=1" in job["AllocTRES"] and job["NodeList"] == "gpu1" for job in on_card)
    assert all("gpu" not in job["AllocTRES"] for job in jobs if job not in on_card)
    assert len(card.fits("cuda")) == 3
    assert card.overlaps("cuda", "cuda") == 0
    first, second = sorted(on_card, key=lambda job: job["Start"])
    assert first["End"] <= second["Start"]


def test_what_fails_is_tried_again_and_named_with_its_cause(tmp_path: Path) -> None:
    project = copy_project(tmp_path, TINY)
    put_first(project, "scripts/ticks/build_parquet.py", 'raise RuntimeError("broken on purpose")')
    result = project.run(*PROFILE, "--", "ticks", check=False)
    end = tail(result, 12)
    assert "What failed:\n  ticks_build_parquet security=MODON (2 attempts)\n" in end, end
    assert "    cause: RuntimeError: broken on purpose\n" in end
    assert "1 ticks_simulate_trades" in end.partition("What waited for it:")[2]
    states = [job["State"] for job in accounted(result)]
    assert states.count("FAILED") == 2
    here = project.run("--", "ticks", check=False)
    assert last_words(here) == last_words(result).replace(" (2 attempts)", "")
    # Slurm's log of the member, shown where it happened.
    assert (
        "error: ticks_build_parquet security=MODON: RuntimeError: broken on purpose"
        in result.stdout
    )


def test_ctrl_c_cancels_what_runs_and_what_waits(tmp_path: Path) -> None:
    project = copy_project(tmp_path, TINY)
    put_first(project, "scripts/ticks/simulate_workbook.py", "__import__('time').sleep(300)")
    with project.start(*PROFILE, "--", "ticks", own_group=True) as process:
        wait_for(running)
        time.sleep(5)  # past the submission: Snakemake knows the job
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    wait_for(lambda: not queue(), 30)
    assert {job["State"].split()[0] for job in accounted(out)} <= {"CANCELLED", "COMPLETED"}
    assert not [p for p in psutil.process_iter(["cmdline"]) if "simulate_workbook" in str(p.info)]


def test_what_a_killed_run_left_is_cancelled_by_unlock(tmp_path: Path) -> None:
    project, once = sleeping_once(tmp_path)
    with project.start(*PROFILE, "--", TICKS) as process:
        wait_for(once.exists)
        process.kill()
        process.communicate()
    assert running()
    command = [sys.executable, "-m", "snakemake_logger_plugin_almanac.unlock", "--force"]
    done = subprocess.run(command, cwd=project.folder, check=True, capture_output=True, text=True)
    assert "unlocked: " in done.stdout and "scancel" not in done.stdout
    wait_for(lambda: not queue(), 30)
    project.run(*PROFILE, "--", TICKS, check=True)


def test_a_job_of_a_lost_node_ends_on_another(tmp_path: Path) -> None:
    project, once = sleeping_once(tmp_path)
    with project.start(*PROFILE, "--", TICKS) as process:
        wait_for(once.exists)
        node = running()[0][2]
        lose(node)
        try:
            out, _ = process.communicate(timeout=600)
        finally:
            subprocess.run([CLUSTER, "node", node], check=True)
    assert process.returncode == 0, out[-3000:]
    jobs = accounted(out)
    lost = [job for job in jobs if job["State"] == "NODE_FAIL"]
    assert {job["NodeList"] for job in lost} == {node}
    later = [job for job in jobs if job["Start"] > lost[0]["End"]]
    assert len(later) > len(lost)
    assert {(job["State"], job["NodeList"] == node) for job in later} == {("COMPLETED", False)}
    wait_for(lambda: "idle" in subprocess.getoutput(f"sinfo -h -n {node} -o %T"), 60)


def lose(node: str) -> None:
    """Kill a node's daemon, and all that runs under it, as a loss of power does."""
    folder = Path(os.environ.get("ALMANAC_SLURM", "/tmp/almanac-slurm-test"))
    daemon = psutil.Process(int((folder / f"run/slurmd.{node}.pid").read_text()))
    steps = [p for p in psutil.process_iter(["name"]) if p.info["name"] == "slurmstepd"]
    # Parents first: a step that saw its job die would still tell the controller so.
    below = [child for step in steps for child in step.children(recursive=True)]
    for process in [daemon, *steps, *below]:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def test_without_accounting_of_states_squeue_serves(tmp_path: Path) -> None:
    project = copy_project(tmp_path, TINY)
    told = tmp_path / "started"
    statement = f"Path({str(told)!r}).write_text(__import__('os').environ['ALMANAC_STARTED'])"
    put_first(project, "scripts/ticks/build_parquet.py", statement)
    result = project.run(*PROFILE, "--slurm-status-command", "squeue", "--", TICKS, check=True)
    # Jobs on nodes know when the run began, not only when their own Snakemake did.
    first = min(datetime.fromisoformat(job["Start"]) for job in accounted(result))
    assert float(told.read_text()) < first.timestamp() + 1
    assert len(project.jobs_run(result)) == 2

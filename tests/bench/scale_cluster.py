"""The same small NFL on a real Slurm of this machine, submitted in different ways.

Needs root, `make slurm`, and the programs that `make test-slurm` installs. Each way is a copy of
profiles/slurm without its groups, or its arrays; programs of Slurm are called through a line of
shell that counts the calls.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.bench.measure import ROOT
from tests.bench.scale_slurm import PLUGIN
from tests.workflow.nfls import tiny
from tests.workflow.project import Project, copy_project

CLUSTER = ROOT / "tests" / "slurm" / "cluster.sh"
NEEDED = ("slurmd", "slurmdbd", "mariadbd", "munged")
COUNTED = ("sbatch", "sacct")
CONFIG = tiny(
    seasons={"first": 2015, "last": 2019},
    first_test=2018,
    models=["glm", "skellam", "state_space"],
)
WAYS = {  # what a way leaves out of the profile
    "one by one": ("groups", "group-components", "slurm-array-jobs", "slurm-array-limit"),
    "arrays": ("groups", "group-components"),
    "groups": ("slurm-array-jobs", "slurm-array-limit"),
    "groups and arrays: the profile": (),
}


def is_possible() -> bool:
    """Whether a Slurm can be started here, and the plugin is installed."""
    return importlib.util.find_spec(PLUGIN) is not None and all(map(shutil.which, NEEDED))


def rows() -> Iterator[dict[str, object]]:
    """A row for this machine alone, then one for each way, on a fresh cluster each."""
    with made() as project:
        yield {"way": "no cluster, `--cores 2`", **measured(project, [], {})}
    for way, dropped in WAYS.items():
        with made() as project, cluster(), counting() as (env, calls):
            profile = project.folder / "profiles" / "slurm" / "config.yaml"
            settings = yaml.safe_load(profile.read_text())
            kept = {key: value for key, value in settings.items() if key not in dropped}
            profile.write_text(yaml.safe_dump(kept))
            row = measured(project, ["--workflow-profile", "profiles/slurm"], env)
            numbers = Counter(calls.read_text().split())
            yield {"way": way, **row, "submissions": numbers["sbatch"], "polls": numbers["sacct"]}


@contextmanager
def made() -> Iterator[Project]:
    """A copy of the project with nothing built."""
    with tempfile.TemporaryDirectory() as folder:
        yield copy_project(Path(folder), CONFIG)


@contextmanager
def cluster() -> Iterator[None]:
    """A real Slurm."""
    subprocess.run([CLUSTER, "up"], check=True)
    try:
        yield
    finally:
        subprocess.run([CLUSTER, "down"], check=True)


@contextmanager
def counting() -> Iterator[tuple[dict[str, str], Path]]:
    """Programs that note their name and do what they always do: variables, and the notes."""
    with tempfile.TemporaryDirectory() as folder:
        calls = Path(folder) / "calls"
        for name in COUNTED:
            program = Path(folder) / name
            program.write_text(
                f'#!/bin/sh\necho {name} >>{calls}\nexec {shutil.which(name)} "$@"\n'
            )
            program.chmod(0o755)
        yield {"PATH": f"{folder}:{os.environ['PATH']}"}, calls


def measured(project: Project, options: list[str], env: dict[str, str]) -> dict[str, object]:
    """Build the NFL from nothing: jobs of Snakemake and of Slurm, seconds."""
    began = time.monotonic()
    result = project.run(
        *options, "--", "nfl", check=True, env=env, cores=4 if env else 2, timeout=1800
    )
    wall_s = time.monotonic() - began
    row: dict[str, object] = {"jobs": len(project.jobs_run(result)), "wall_s": wall_s}
    if found := re.search(r"SLURM run ID: (\S+)", result.stdout):
        command = ["sacct", "-X", "-P", "-n", "--name", found[1], "--format", "JobID,Elapsed"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        row["slurm_jobs"] = len(done.stdout.splitlines())
    return row

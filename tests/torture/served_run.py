"""A whole run of the lake from servers that have a bad day."""

from __future__ import annotations

import random
import shutil
import tempfile
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess

from tests import servers
from tests.torture.faults import Chaos
from tests.torture.network import SECRETS, need_cause, need_same
from tests.torture.tally import Lost, Silent
from tests.workflow.lakes import SESSIONS, lake_of, small
from tests.workflow.project import Project, copy_project, half_written, tail

SEED = 20250825
ASKED = {"datasets": ["stocks_daily", "actions"], "days_back": 1}
# Jobs wait as long as a user's would: what takes minutes to be overcome is left to single jobs.
SLOW = ("drips", "slow", "outage")
LIMIT_S = 240


def play(seed: int, folder: Path) -> str:
    """Run a small lake from a bucket and a REST API with faults, and once more without.

    Raises:
        Lost, Silent: see `tally`.
    """
    rng = random.Random(seed)
    project = copy_project(folder, small(vendor="massive", seed=SEED, **ASKED))
    files = servers.flat_files(SEED, SESSIONS, ["stocks_daily"])
    with (
        servers.s3_server(files) as s3,
        servers.rest_server(servers.simulated(SEED, SESSIONS[-1])) as rest,
    ):
        met: list[str] = []
        for server in (s3, rest):
            server.chaos = Chaos(rng, without=SLOW, met=met)
        environment = {**s3.environment, **rest.environment}
        result = project.run("bronze", env=environment, timeout=LIMIT_S)
        need_no_secret(project, result)
        if result.returncode:
            for cause in causes_of(result):
                need_cause(cause, r"\w/\w")
            s3.heal()
            rest.heal()
            result = project.run("bronze", env=environment, timeout=LIMIT_S)
            if result.returncode:
                raise Lost(f"cannot be ended: {tail(result)}")
        need_same(made_by(project), undisturbed(), f"after {'; '.join(met)}")
        return f"same bytes through {len(met)} faults of a whole run"


@cache
def undisturbed() -> dict[str, bytes]:
    """What the simulator gives."""
    folder = Path(tempfile.mkdtemp(prefix="almanac-torture-"))
    project = copy_project(folder, small(seed=SEED, **ASKED))
    project.run("bronze", check=True)
    found = made_by(project)
    shutil.rmtree(folder)
    return found


def made_by(project: Project) -> dict[str, bytes]:
    """Digests of a lake's files; manifests of landed files tell of times."""
    found = project.digests(lake_of(project))
    return {
        name: digest.encode()
        for name, digest in found.items()
        if not (name.startswith("landing/") and name.endswith(".json"))
    }


def causes_of(result: CompletedProcess) -> list[str]:
    """The causes that a failed run tells at its end.

    Raises:
        Silent: it tells none.
    """
    told = result.stdout.partition("What failed:")[2].splitlines()
    found = [line.partition("cause: ")[2] for line in told if "cause: " in line]
    if not found:
        raise Silent(f"no cause: {tail(result)}")
    return found


def need_no_secret(project: Project, result: CompletedProcess) -> None:
    """See that a run told no secret and left no half a file.

    Raises:
        Silent, Lost: it did.
    """
    if left := half_written(project.results):
        raise Lost(f"half a file is left: {left[0]}")
    files = [path for path in project.results.rglob("*") if path.is_file()]
    held = [result.stdout.encode(), *(path.read_bytes() for path in files)]
    for secret in SECRETS:
        if any(secret.encode() in content for content in held):
            raise Silent(f"tells the secret {secret!r}")

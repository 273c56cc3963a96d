"""`make bench`: each domain of the demo with one core and with all; whether the bytes are equal.

    python -m tests.bench.cores                  all domains, one after the other
    python -m tests.bench.cores weekly book      only these

What a domain reads of others is built before, so only the domain itself is timed; both runs begin
from copies of the same folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench.full_size import servers_gone
from tests.workflow.project import Project, copy_project

TARGETS = {"nfl": ("nfl", "grid")}  # else what the domain is called
# The warehouse last: its database stays behind in no folder that others are copied from.
NEEDS: dict[str, tuple[str, ...]] = {
    "ticks": (),
    "lake": (),
    "weekly": (),
    "nfl": (),
    "book": ("ticks", "lake", "weekly", "nfl"),
    "warehouse": ("nfl",),
}
LIMIT_S = 1800
TIMED = ("report/", "book/report.", "warehouse/server/")  # below a run: when and how it was made
SHOWN = 5  # files that differ


class Timed(NamedTuple):
    """A domain's run: wall seconds, jobs that were run, {file: digest}."""

    seconds: float
    jobs: int
    digests: Mapping[str, str]


def targets(domain: str) -> tuple[str, ...]:
    """What Snakemake is asked for."""
    return TARGETS.get(domain, (domain,))


def earlier(domains: Iterable[str]) -> set[str]:
    """Domains that others of these read, but that are not among them."""
    wanted = set(domains)
    return {name for domain in wanted for name in NEEDS[domain]} - wanted


def without_times(told: object) -> object:
    """What JSON holds, without how many seconds something took."""
    if isinstance(told, dict):
        return {key: without_times(value) for key, value in told.items() if key != "seconds"}
    return [without_times(value) for value in told] if isinstance(told, list) else told


def digests(project: Project) -> dict[str, str]:
    """{path below results/<run>: digest} of all files that do not hold times.

    The warehouse tells how long it took to load: its JSON counts without that.
    """
    found = {}
    for name, digest in project.digests().items():
        run, _, below = name.partition("/")
        if below.startswith(TIMED):
            continue
        if below.startswith("warehouse/") and below.endswith(".json"):
            told = without_times(json.loads((project.results / run / below).read_text()))
            digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
        found[below] = digest
    return found


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Files that only one has, or that are not the same in both, sorted."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def line(domain: str, one: Timed, every: Timed) -> str:
    """Wall seconds with one core and with all, the ratio, the jobs, and what differs."""
    found = differing(one.digests, every.digests)
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    own = sum(name.startswith(f"{domain}/") for name in one.digests)
    same = f"equal ({own:,} files)"
    told = f"differ: {', '.join(found[:SHOWN])}{more}" if found else same
    ratio = one.seconds / every.seconds
    return f"{domain:10}{one.seconds:8.1f}{every.seconds:8.1f}{ratio:7.2f}{one.jobs:6}  {told}"


def copied(project: Project, folder: Path) -> Project:
    """A copy with its times of files: Snakemake compares those of large ones."""
    subprocess.run(["cp", "-a", project.folder, folder], check=True)
    return Project(folder)


def timed(project: Project, domain: str, cores: int) -> Timed:
    """Build a domain; raises with the end of the output when that fails."""
    start = time.perf_counter()
    result = project.run("--", *targets(domain), cores=cores, check=True, timeout=LIMIT_S)
    seconds = time.perf_counter() - start
    jobs = sum("_" in rule for rule, _ in project.jobs_run(result))
    return Timed(seconds, jobs, digests(project))


def main(domains: Sequence[str]) -> int:
    """Print a line for each domain; the exit status: 1 where bytes differ."""
    wanted = [name for name in NEEDS if name in (domains or NEEDS)]
    before, cores, status = earlier(wanted), os.cpu_count() or 1, 0
    print(f"cores: {cores} of them, Python {platform.python_version()}, the demo")
    print(f"{'domain':10}{'1 core':>8}{f'{cores}':>8}{'ratio':>7}{'jobs':>6}  outputs")
    with tempfile.TemporaryDirectory(prefix="almanac-bench-") as name:
        top = Path(name)
        top.chmod(0o755)  # the database's own account looks in
        with servers_gone(top):
            project = copy_project(top)
            for domain in [name for name in NEEDS if name in {*wanted, *before}]:
                if domain in before:
                    project.run("--", *targets(domain), cores=cores, check=True, timeout=LIMIT_S)
                    continue
                one, every = (copied(project, top / f"{domain}-{n}") for n in ("one", "all"))
                found = [timed(one, domain, 1), timed(every, domain, cores)]
                print(line(domain, *found), flush=True)
                status |= bool(differing(found[0].digests, found[1].digests))
                project = every  # what later ones read
    return status


if __name__ == "__main__":
    if unknown := [name for name in sys.argv[1:] if name not in NEEDS]:
        sys.exit(f"no domain {unknown[0]}; there are {', '.join(NEEDS)}")
    sys.exit(main(sys.argv[1:]))

"""What Snakemake would run, from a dry run with the logger plugin (ALMANAC_PLAN)."""

import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from scripts.control.reasons import FOLLOWS, parts
from scripts.errors import DataError

VARIABLE = "ALMANAC_PLAN"
QUIET = ("--quiet", "all", "rules", "progress", "reason", "host", "--logger", "almanac")
_UNTRACED = re.compile(r"^(\d+) jobs have missing provenance", re.MULTILINE)


@dataclass
class PlannedJob:
    """A job that would run, with files as they are named on disk."""

    id: int
    rule: str
    wildcards: dict[str, str]
    threads: int
    input: list[str]
    output: list[str]
    reason: str

    @property
    def label(self) -> str:
        """The rule with its wildcards, as people write them."""
        return " ".join([self.rule, *(f"{k}={v}" for k, v in self.wildcards.items())])


@dataclass
class Plan:
    """The jobs of a dry run, in the order that Snakemake announced them."""

    jobs: list[PlannedJob]
    untraced: int = 0  # jobs of which Snakemake does not know how they were made
    notes: list[str] = field(default_factory=list)  # what the project said while it was planned

    @cached_property
    def by_id(self) -> dict[int, PlannedJob]:
        """id -> job."""
        return {job.id: job for job in self.jobs}

    @cached_property
    def maker(self) -> dict[str, int]:
        """File -> the job that makes it."""
        return {path: job.id for job in self.jobs for path in job.output}

    @cached_property
    def before(self) -> dict[int, list[int]]:
        """Job -> jobs that make what it reads, in their order."""
        needed = {job.id: (self.maker.get(path) for path in job.input) for job in self.jobs}
        return {
            job: list(dict.fromkeys(m for m in makers if m is not None and m != job))
            for job, makers in needed.items()
        }

    @cached_property
    def stirring(self) -> dict[int, list[int]]:
        """Job -> jobs that it runs because of; not those of which it only waits for the output."""
        found = {}
        for job in self.jobs:
            told = set(parts(job.reason).get(FOLLOWS, "").split(", "))
            makers = (self.maker[p] for p in job.input if p in self.maker and p in told)
            found[job.id] = list(dict.fromkeys(makers))
        return found

    @cached_property
    def stirred(self) -> dict[int, list[int]]:
        """Job -> jobs that run because of it."""
        return _turned(self.stirring)

    @cached_property
    def after(self) -> dict[int, list[int]]:
        """Job -> jobs that read what it makes."""
        return _turned(self.before)


class DryRunError(Exception):
    """Snakemake cannot plan: its exit status, and what it wrote to stdout and stderr."""

    def __init__(self, status: int, out: str, err: str) -> None:
        """Take over what Snakemake said."""
        super().__init__(err)
        self.status, self.out, self.err = status, out, err


def dry_run(arguments: Sequence[str], environment: Mapping[str, str]) -> Plan:
    """Ask Snakemake what it would do.

    Args:
        arguments: of snakemake.
        environment: variables of this process.

    Raises:
        DryRunError: it failed.
        DataError: the plugin that is installed writes no plan.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plan.json")
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", *QUIET, "--dry-run", *arguments],
            env={**environment, VARIABLE: str(path)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise DryRunError(done.returncode, done.stdout, done.stderr)
        try:
            jobs = json.loads(path.read_text(encoding="utf-8"))["jobs"]
        except FileNotFoundError:
            raise DataError(
                "the logger plugin wrote no plan: it is an older one; run make venv"
            ) from None
    found = _UNTRACED.search(done.stdout)
    notes = [line for line in done.stderr.splitlines() if not line.startswith("Using ")]
    return Plan([_job(job) for job in jobs], int(found[1]) if found else 0, notes)


def _turned(links: Mapping[int, Sequence[int]]) -> dict[int, list[int]]:
    turned: dict[int, list[int]] = defaultdict(list)
    for job, others in links.items():
        for other in others:
            turned[other].append(job)
    return turned


def _job(fields: Mapping) -> PlannedJob:
    return PlannedJob(
        id=fields["jobid"],
        rule=fields["rule"],
        wildcards=fields["wildcards"],
        threads=fields["threads"],
        input=fields["input"],
        output=fields["output"],
        reason=fields["reason"],
    )

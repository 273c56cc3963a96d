"""Runs as the logger plugin recorded them: events/<run_id>.jsonl, one JSON object a line."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from scripts.plan.runs import OWN


@dataclass
class Job:
    """A job that was begun; times in seconds, memory as asked in MB and as measured in MiB."""

    id: int
    rule: str
    wildcards: dict[str, str]
    start: float  # after the run's
    seconds: float | None = None  # as Snakemake saw it, its own part included
    run_s: float | None = None  # of the job's own processes
    cpu_s: float | None = None
    peak_mib: float | None = None
    host: str = ""  # the machine it ran on, where its log tells
    threads: int = 1
    mem_mb: float | None = None
    gpu: float = 0
    state: str = "unfinished"  # done, failed, or neither
    attempts: int = 0
    after: list[int] = field(default_factory=list)
    reason: str = ""
    log: str = ""
    output: list[str] = field(default_factory=list)
    cause: str = ""

    @property
    def label(self) -> str:
        """The wildcards, as people write them."""
        return " ".join(f"{name}={value}" for name, value in self.wildcards.items())

    @property
    def device(self) -> str:
        """`gpu` for a job that asked for the card, else `cpu`."""
        return "gpu" if self.gpu else "cpu"


@dataclass
class Run:
    """A run of Snakemake; `unfinished`: it goes on, or it was killed."""

    id: str
    started: float = 0.0  # seconds since the epoch
    seconds: float | None = None
    status: str = "unfinished"
    cores: int | None = None
    host: str = ""
    resources: dict[str, float] = field(default_factory=dict)
    planned: dict[str, int] = field(default_factory=dict)
    links: list[tuple[str, str]] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    critical: str | None = None
    jobs: list[Job] = field(default_factory=list)
    unreadable: int = 0  # lines
    traced: bool = True  # whether it tells which jobs a job needed

    @property
    def total(self) -> int:
        """Jobs that were planned, without targets, which make nothing, and the page's own."""
        return sum(count for rule, count in self.planned.items() if counts(rule))

    @property
    def done(self) -> list[Job]:
        """Jobs that ended well, but for targets and the page's own."""
        return [job for job in self.jobs if job.state == "done" and counts(job.rule)]

    @property
    def failed(self) -> list[Job]:
        """Jobs whose last attempt failed."""
        return [job for job in self.jobs if job.state == "failed"]


def domain_of(rule: str) -> str:
    """The domain of a rule `<domain>_<verb>_<noun>`; a public target is of `other`."""
    domain, underscore, _ = rule.partition("_")
    return domain if underscore and domain != "migration" else "other"


def counts(rule: str) -> bool:
    """Whether a rule's jobs are what a run is about: no target, and not the control room itself."""
    return rule != OWN and domain_of(rule) != "other"


def seconds_of(time: str) -> float:
    """Seconds since the epoch of an event's time (`2025-09-08T06:00:00.000Z`)."""
    return datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp()


def read_run(path: Path) -> Run:
    """Read a run's events; lines that cannot be read (a killed writer, a full disk) are counted."""
    run, jobs = Run(path.stem, _began(path.stem)), {}
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        if not line:
            continue
        try:
            event = json.loads(line)
            _take(run, jobs, event["event"], seconds_of(event["time"]), event)
        except (ValueError, KeyError, TypeError, AttributeError):
            run.unreadable += 1
    run.jobs = list(jobs.values())
    return run


def read_runs(folder: Path, last: int | None = None) -> list[Run]:
    """The last runs that began a job other than the control room's own, oldest first.

    Args:
        folder: with the files of events; it may be absent.
        last: how many; None: all.
    """
    found: list[Run] = []
    for path in _newest_first(folder):
        run = read_run(path)
        if any(counts(job.rule) for job in run.jobs):
            found.append(run)
        if len(found) == last:
            break
    return found[::-1]


def _newest_first(folder: Path) -> Iterator[Path]:
    """Files of events; their names begin with the start in UTC."""
    yield from sorted(folder.glob("*.jsonl"), key=lambda path: path.name, reverse=True)


def _began(run_id: str) -> float:
    """Seconds since the epoch of the start that a run's id begins with; 0: of another form."""
    try:
        stamp = datetime.strptime(run_id.partition("-")[0], "%Y%m%dT%H%M%SZ")
    except ValueError:
        return 0.0
    return stamp.replace(tzinfo=UTC).timestamp()


def _take(run: Run, jobs: dict[int, Job], event: str, time: float, fields: Mapping) -> None:
    match event:
        case "workflow_started":
            run.started, run.host = time, fields.get("host", "")
        case "rulegraph":
            run.rules = list(fields["rules"])
            run.links = [(a, b) for a, b in fields["links"]]
        case "resources_info":
            run.cores = fields.get("cores", run.cores)
            run.resources = fields.get("resources", run.resources)
        case "run_info":
            run.planned = dict(fields["rules"])
        case "job_info":
            _announce(run, jobs, time, fields)
        case "job_finished":
            job = jobs[fields["jobid"]]
            job.state, job.seconds = "done", fields["seconds"]
            for name in ("run_s", "cpu_s", "peak_mib"):
                setattr(job, name, fields.get(name))
            job.host = fields.get("host") or ""
            job.after = list(fields.get("after", []))
            run.traced &= "after" in fields
        case "job_error":
            job = jobs.setdefault(
                fields["jobid"],
                Job(fields["jobid"], fields["rule"], fields["wildcards"], time - run.started),
            )
            job.state, job.cause = "failed", fields["cause"]
            job.attempts, job.seconds = fields["attempt"], time - run.started - job.start
        case "run_finished":
            run.status, run.seconds = fields["status"], fields["seconds"]
            run.critical = fields.get("critical")


def _announce(run: Run, jobs: dict[int, Job], time: float, fields: Mapping) -> None:
    """A job begins, or is tried again."""
    asked, logs = fields["resources"], fields["log"]
    jobs[fields["jobid"]] = Job(
        fields["jobid"],
        fields["rule"],
        dict(fields["wildcards"]),
        time - run.started,
        threads=int(fields["threads"]),
        mem_mb=asked.get("mem_mb"),
        gpu=asked.get("gpu", 0),
        reason=fields["reason"],
        log=logs[0] if logs else "",
        output=list(fields["output"]),
    )

"""What is known of a run, gathered from Snakemake's log records, one method per event."""

from __future__ import annotations

import re
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from logging import LogRecord
from typing import Any, Literal

from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_almanac.cause import (
    STOPPED,
    Cause,
    Origin,
    Progress,
    explain,
    find_cause,
    progress,
)
from snakemake_logger_plugin_almanac.critical import NOT_BEGUN, first_final
from snakemake_logger_plugin_almanac.measures import measures
from snakemake_logger_plugin_almanac.start import Start

Fields = dict[str, Any]
# undone: another job of its group failed, or a critical rule had before it began
State = Literal["running", "failed", "finished", "undone"]

_FLAG = re.compile(r" \((?:pipe|service|nodelocal|update|before update|cached|access: [^()]*)\)$")
# Snakemake says these in words only; not seen, a run counts as one that kept going.
_CTRL_C = "Terminating processes on user request"
_SIGTERM = "Will exit after finishing currently running jobs"
_SHUTDOWN = "Shutting down, this might take some time"


@dataclass
class Job:
    """One job that was started."""

    rule: str
    wildcards: dict[str, str]
    logs: list[str]
    start: Start
    state: State = "running"
    attempts: int = 0
    cause: Cause = field(default=Cause(""))
    inputs: list[str] = field(default_factory=list)
    benchmark: str | None = None


@dataclass
class Run:
    """The state of one run of Snakemake."""

    planned: dict[str, int] = field(default_factory=dict)
    links: set[tuple[str, str]] = field(default_factory=set)
    jobs: dict[int, Job] = field(default_factory=dict)
    orphans: list[Origin] = field(default_factory=list)
    started: float | None = None
    has_rulegraph: bool = False
    ctrl_c: bool = False
    interrupted: bool = False
    stopped_early: bool = False
    lock_refused: bool = False
    errors: dict[int | None, str] = field(default_factory=dict)  # by thread, not yet a job's
    makers: dict[str, int] = field(default_factory=dict)  # output -> job
    critical: dict[str, int] = field(default_factory=dict)  # rule -> retries

    def note(self, record: LogRecord) -> Iterator[tuple[str, Fields]]:
        """Take in one record; yield the events to keep of it."""
        event = getattr(record, "event", None)
        if event is None:
            self._message(record.getMessage())
        elif method := _METHODS.get(event):
            yield from method(self, record)

    @property
    def failed(self) -> dict[int, Job]:
        """Jobs whose last attempt failed, without those that the user stopped."""
        return {
            jobid: job
            for jobid, job in self.jobs.items()
            if job.state == "failed" and not (self.interrupted and job.cause.signal in STOPPED)
        }

    @property
    def stopped_for(self) -> str | None:
        """The critical rule whose failure ended the run, if one did."""
        if not self.critical:  # asked at every record
            return None
        return first_final(((j.rule, j.attempts) for j in self.failed.values()), self.critical)

    @property
    def done(self) -> int:
        """Number of finished jobs; with `quiet: progress` Snakemake does not report them."""
        states = Counter(job.state for job in self.jobs.values())
        silent = not states["finished"] and not self.interrupted
        return states["running"] if silent else states["finished"]

    @property
    def ok(self) -> bool:
        """True when nothing failed and no error stands that no job explains."""
        return not self.failed and not self.errors and not self.orphans

    def not_started(self) -> dict[str, int]:
        """Per rule, the planned jobs that were never started, or were stopped by the user."""
        failed = self.failed
        begun = Counter(
            job.rule
            for jobid, job in self.jobs.items()
            if job.state in ("running", "finished") or jobid in failed
        )
        begun.update(str(origin.rule) for origin in self.orphans)
        left = {rule: count - begun[rule] for rule, count in self.planned.items()}
        return {rule: count for rule, count in left.items() if count > 0}

    def _message(self, text: str) -> None:
        self.ctrl_c |= text.startswith(_CTRL_C)
        self.interrupted |= text.startswith((_CTRL_C, _SIGTERM))
        self.stopped_early |= text.startswith((_CTRL_C, _SIGTERM, _SHUTDOWN))

    def _workflow_started(self, record: LogRecord) -> Iterator[tuple[str, Fields]]:
        self.started = record.created
        names = ("snakemake_version", "python_version", "platform", "host", "snakefile_main")
        yield "workflow_started", {name: str(getattr(record, name, "")) for name in names}

    def _rulegraph(self, record: LogRecord) -> Iterator[tuple[str, Fields]]:
        self.has_rulegraph = True
        graph = record.__dict__["rulegraph"]
        self.links = {(link["sourcerule"], link["targetrule"]) for link in graph["links"]}
        rules = sorted({node["rule"] for node in graph["nodes"]})
        yield "rulegraph", {"rules": rules, "links": sorted(self.links)}

    def _run_info(self, record: LogRecord) -> Iterator[tuple[str, Fields]]:
        stats = dict(record.__dict__["stats"])
        total = stats.pop("total", sum(stats.values()))
        self.planned = stats
        yield "run_info", {"rules": stats, "total": total}

    def _resources_info(self, record: LogRecord) -> Iterator[tuple[str, Fields]]:
        found = {name: getattr(record, name, None) for name in ("cores", "nodes")}
        fields: Fields = {name: value for name, value in found.items() if value is not None}
        if provided := getattr(record, "provided_resources", None):
            fields["resources"] = _numbers(provided)
        if fields:
            yield "resources_info", fields

    def _job_info(self, record: LogRecord) -> Iterator[tuple[str, Fields]]:
        job = self._job(record)
        fields = record.__dict__
        job.state, job.wildcards = "running", wildcards(record)
        job.inputs, output = (plain(fields[files]) for files in ("input", "output"))
        job.benchmark = fields["benchmark"]
        job.start = Start.of(record.created, filter(None, [*job.logs, job.benchmark]))
        self.makers.update((path, fields["jobid"]) for path in output)
        yield (
            "job_info",
            {
                "jobid": fields["jobid"],
                "rule": job.rule,
                "wildcards": job.wildcards,
                "threads": fields["threads"],
                "resources": _numbers(fields["resources"]),
                "inputs": len(job.inputs),
                "output": output,
                "log": job.logs,
                "benchmark": job.benchmark,
                "reason": _brief(fields["reason"]),
            },
        )

    def _job_started(self, record: LogRecord) -> Iterator[tuple[str, Fields]]:
        yield "job_started", {"jobids": list(record.__dict__["jobs"])}

    def _job_finished(self, record: LogRecord) -> Iterator[tuple[str, Fields]]:
        jobid = record.__dict__["job_id"]
        if job := self.jobs.get(jobid):
            job.state = "finished"
            fields = {
                "jobid": jobid,
                "rule": job.rule,
                "seconds": round(record.created - job.start.time, 3),
                # the members of a group are announced in any order, so not before the end
                "after": sorted({self.makers[p] for p in job.inputs if p in self.makers}),
            }
            yield "job_finished", {**fields, **measures(job.benchmark, job.logs, job.start)}

    def _job_error(self, record: LogRecord) -> Iterator[tuple[str, Fields]]:
        job = self._job(record)
        if job.state != "running":
            return  # a member of a group that failed
        job.logs = [str(path) for path in record.__dict__["log"]] or job.logs
        message = self.errors.pop(record.thread, "")  # the same thread reports both, in this order
        note = str(record.__dict__.get("rule_msg") or "")
        cause = find_cause(job.logs, job.start, message, note)
        if self.stopped_for and cause.text.startswith(NOT_BEGUN):
            job.state = "undone"
            return
        yield from self._fail(record.__dict__["jobid"], job, cause)

    def _group_error(self, record: LogRecord) -> Iterator[tuple[str, Fields]]:
        """Blame the members of a group that failed; Snakemake reports every one of them next."""
        aux = [str(path) for path in getattr(record, "aux_logs", None) or []]
        members = [info["jobid"] for info in record.__dict__["job_error_info"]]
        started = {jobid: self.jobs[jobid] for jobid in members if jobid in self.jobs}
        running = {jobid: job for jobid, job in started.items() if job.state == "running"}
        for jobid in to_blame({i: progress(job.logs, job.start) for i, job in running.items()}):
            job = running.pop(jobid)
            yield from self._fail(jobid, job, find_cause([*job.logs, *aux], job.start, ""))
        for job in running.values():
            job.state = "undone"

    def _error(self, record: LogRecord) -> Iterator[tuple[str, Fields]]:
        text, exception = record.getMessage(), str(getattr(record, "exception", ""))
        lines = [line for line in text.splitlines() if line.strip(" :.") not in ("", exception)]
        first = next((line for line in lines if not line.startswith("Command '")), "")
        yield "error", {"exception": exception, "message": first}
        self.lock_refused |= exception == "LockException"
        origin = explain(text)
        if (jobid := self._find(origin)) is not None:
            yield from self._fail(jobid, self.jobs[jobid], Cause(origin.cause))
        elif origin.rule:
            self.orphans.append(origin)
        else:
            self.errors[record.thread] = text

    def _job(self, record: LogRecord) -> Job:
        """Return the record's job, new when it was not announced (a member of a group)."""
        fields = record.__dict__
        logs = [str(path) for path in fields["log"]]
        return self.jobs.setdefault(
            fields["jobid"],
            Job(fields["rule_name"], wildcards(record), logs, Start(record.created)),
        )

    def _find(self, origin: Origin) -> int | None:
        """Return the job an exception speaks of: by its id, else the running one that fits."""
        if origin.jobid in self.jobs:
            return origin.jobid
        if origin.rule is None:  # most errors: their job's own record follows
            return None
        for jobid, job in self.jobs.items():
            fits = job.rule == origin.rule and job.wildcards == origin.wildcards
            if fits and job.state == "running":
                return jobid
        return None

    def _fail(self, jobid: int, job: Job, cause: Cause) -> Iterator[tuple[str, Fields]]:
        """Count a failed attempt, once: some failures are reported twice."""
        if job.state != "running":
            return
        if self.ctrl_c and cause.signal is None:
            cause = Cause(cause.text, signal.SIGINT)  # it reached the job as well
        job.state, job.cause, job.attempts = "failed", cause, job.attempts + 1
        yield (
            "job_error",
            {
                "jobid": jobid,
                "rule": job.rule,
                "wildcards": job.wildcards,
                "cause": cause.text,
                "log": job.logs,
                "attempt": job.attempts,
            },
        )


_METHODS = {
    LogEvent.WORKFLOW_STARTED: Run._workflow_started,
    LogEvent.RULEGRAPH: Run._rulegraph,
    LogEvent.RUN_INFO: Run._run_info,
    LogEvent.RESOURCES_INFO: Run._resources_info,
    LogEvent.JOB_INFO: Run._job_info,
    LogEvent.JOB_STARTED: Run._job_started,
    LogEvent.JOB_FINISHED: Run._job_finished,
    LogEvent.JOB_ERROR: Run._job_error,
    LogEvent.GROUP_ERROR: Run._group_error,
    LogEvent.ERROR: Run._error,
}


def to_blame(progress: Mapping[int, Progress]) -> list[int]:
    """Return the members of a failed group that failed: those that say so, else those that ran.

    When not one began (no place on the cluster, a node that is lost), the first stands for all.
    """
    for state in ("failed", "begun"):
        if found := [jobid for jobid, reached in progress.items() if reached == state]:
            return found
    return [jobid for jobid, reached in progress.items() if reached != "done"][:1]


def _brief(reason: str) -> str:
    """The reason with three files of each kind, and without what Snakemake spells out of params."""
    reason = re.sub(r"(?s)(Params have changed[^:]*):.*", r"\1", reason)
    return "; ".join(map(_three, reason.split("; ")))


def _three(part: str) -> str:
    kind, colon, files = part.partition(": ")
    names = files.split(", ")
    more = [f"and {len(names) - 3} more"] if len(names) > 3 else []
    return kind + colon + ", ".join([*names[:3], *more])


def plain(files: Iterable[Any]) -> list[str]:
    """Return paths without what Snakemake notes beside them: `x.json (update)` is x.json."""
    return [_FLAG.sub("", str(path)) for path in files]


def wildcards(record: LogRecord) -> dict[str, str]:
    """Return the record's wildcards as plain text."""
    wildcards = getattr(record, "wildcards", None) or {}
    return {str(name): str(value) for name, value in wildcards.items()}


def _numbers(resources: Mapping[str, Any]) -> dict[str, int | float]:
    """Keep the resources that are plain numbers, without Snakemake's own (_cores, _nodes)."""
    values = {name: getattr(value, "value", value) for name, value in resources.items()}
    return {
        name: value
        for name, value in values.items()
        if type(value) in (int, float) and not name.startswith("_")
    }

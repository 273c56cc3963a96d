"""The handler Snakemake calls: passes its records on, prints the last lines."""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from logging import LogRecord
from pathlib import Path
from typing import TypeVar

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_almanac import plan
from snakemake_logger_plugin_almanac import record as run_record
from snakemake_logger_plugin_almanac.critical import critical_rules, stop_new_jobs
from snakemake_logger_plugin_almanac.events import EventFile, timestamp
from snakemake_logger_plugin_almanac.lock import has_locks, locked_line
from snakemake_logger_plugin_almanac.run import Run
from snakemake_logger_plugin_almanac.summary import what_failed

T = TypeVar("T")
SLURM_NAME = re.compile(r"SLURM run ID: ([\w-]+)$")  # what its executor says once; a job's name


class LogHandler(LogHandlerBase):
    """Watches a run; whatever goes wrong in here must never harm it."""

    def __post_init__(self) -> None:
        """Begin with an empty run."""
        self._run = Run()
        self._events = None if self.common_settings.dryrun else EventFile()
        wanted = os.environ.get(plan.VARIABLE) if self.common_settings.dryrun else None
        self._plan = plan.PlanFile(wanted) if wanted else None
        self._stopped = False
        self._folder = Path.cwd()
        self._holds_lock = False
        self._closed = False
        self._trouble: Exception | None = None

    def emit(self, record: LogRecord) -> None:
        """Take in one record."""
        self._guard(self._take, record)

    def close(self) -> None:
        """Print the last lines; Snakemake calls this after its own, and again at exit."""
        if not self._closed:
            self._closed = True
            self._guard(self._end_files)
            if self._plan:
                self._guard(self._plan.write)
            lines = self._guard(self._last_lines) or []
            if error := self._trouble or (self._events and self._events.error):
                what = f"{type(error).__name__}: {error}".splitlines()[0]
                lines.insert(0, f"almanac logger: {what} (the run itself is not affected)")
            if lines:
                print(*lines, sep="\n", file=sys.stderr, flush=True)
        super().close()

    def _guard(self, action: Callable[..., T], *arguments: LogRecord) -> T | None:
        """Do `action`; keep its first exception, which would end Snakemake's logging thread."""
        try:
            return action(*arguments)
        except Exception as error:
            self._trouble = self._trouble or error
            return None

    def _take(self, record: LogRecord) -> None:
        """Note the record, and what it tells of the lock."""
        event = getattr(record, "event", None)
        if self._plan:
            self._plan.note(record)
        if self.common_settings.dryrun and event is not LogEvent.ERROR:
            return  # nothing runs, and nothing is written
        if event is LogEvent.WORKFLOW_STARTED:
            # parsing is over: the workdir and the critical rules are settled
            self._folder = Path.cwd()
            self._run.critical = critical_rules(os.environ)
            if not has_locks(self._folder):
                run_record.drop_dead(self._folder)
        elif self._is_after_lock(record):
            self._holds_lock = True
            started = timestamp(self._run.started or 0.0)
            run_record.claim(self._folder, self._run_id, started)
        if self._holds_lock and event is None and (found := SLURM_NAME.match(record.getMessage())):
            run_record.note_slurm(self._folder, found[1])
        if event in (LogEvent.RESOURCES_INFO, LogEvent.RUN_INFO) and self._holds_lock:
            self._open_events()
        for name, fields in self._run.note(record):
            if self._events is not None:
                self._events.add(record.created, name, fields)
        if not self._stopped and (rule := self._run.stopped_for):
            self._stopped = True
            stop_new_jobs(rule, self._folder)

    def _is_after_lock(self, record: LogRecord) -> bool:
        """True at the first record that a real run sends with its lock held.

        Between the rule graph and the lock Snakemake says nothing, if it gets it. Only a run has
        a start (no --unlock, --lint, --summary); a dry-run takes no lock.
        """
        planned = self._run.started is not None and self._run.has_rulegraph
        return planned and not self._holds_lock and record.levelno == logging.INFO

    def _open_events(self) -> None:
        """Open the event file, if the Snakefile named a folder while it was parsed."""
        folder = os.environ.get("ALMANAC_EVENTS")
        if not folder:
            self._events = None
        elif self._events is not None and not self._events.is_open:
            self._events.open(self._folder / folder / f"{self._run_id}.jsonl")

    @property
    def _run_id(self) -> str:
        """The start in UTC and the process id."""
        start = datetime.fromtimestamp(self._run.started or 0.0, UTC)
        return f"{start:%Y%m%dT%H%M%SZ}-{os.getpid()}"

    def _end_files(self) -> None:
        """End the event file, and the record of the run."""
        now, run = time.time(), self._run
        if self._events is not None and self._events.is_open:
            fields = {
                "status": "ok" if run.ok else "failed",
                "done": run.done,
                "total": sum(run.planned.values()),
                "seconds": round(now - (run.started or now), 3),
                "critical": run.stopped_for,
            }
            self._events.add(now, "run_finished", fields)
            self._events.close()
        if self._holds_lock:
            run_record.release(self._folder)

    def _last_lines(self) -> list[str]:
        """Return what to say at the end."""
        return [locked_line(self._folder)] if self._run.lock_refused else what_failed(self._run)

    @property
    def writes_to_stream(self) -> bool:
        """Not while Snakemake runs: rich, or Snakemake's own handler, does."""
        return False

    @property
    def writes_to_file(self) -> bool:
        """No file that Snakemake should name or tail: the events are our own."""
        return False

    @property
    def has_filter(self) -> bool:
        """Yes, none: everything is wanted, with quiet too."""
        return True

    @property
    def has_formatter(self) -> bool:
        """Yes, none: nothing is printed as it comes."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """The rules' links tell what waited for a failure."""
        return True

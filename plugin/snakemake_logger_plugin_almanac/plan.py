"""What a dry run would do, as JSON, where ALMANAC_PLAN names a file: for `make plan`."""

from __future__ import annotations

import json
from logging import LogRecord
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_almanac.run import plain, wildcards

VARIABLE = "ALMANAC_PLAN"


class PlanFile:
    """Gathers the jobs of a dry run."""

    def __init__(self, path: str) -> None:
        """Write to `path` at the end."""
        self._path = Path(path)
        self._jobs: list[dict[str, Any]] = []

    def note(self, record: LogRecord) -> None:
        """Take in one record."""
        if getattr(record, "event", None) is not LogEvent.JOB_INFO:
            return
        fields = record.__dict__
        self._jobs.append(
            {
                "jobid": fields["jobid"],
                "rule": fields["rule_name"],
                "wildcards": wildcards(record),
                "threads": fields["threads"],
                "input": plain(fields["input"]),
                "output": plain(fields["output"]),
                "reason": fields["reason"],
            }
        )

    def write(self) -> None:
        """Write {jobs: [{jobid, rule, wildcards, threads, input, output, reason}]}."""
        self._path.write_text(json.dumps({"jobs": self._jobs}), encoding="utf-8")

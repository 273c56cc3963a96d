"""What a finished job cost, from the files it left: its benchmark and the end of its log."""

from __future__ import annotations

import contextlib
import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snakemake_logger_plugin_almanac.cause import tail
from snakemake_logger_plugin_almanac.start import Start

_DONE = re.compile(r"done: wall \S+ s, cpu (\S+) s, peak memory (\d+) MiB, on (\S+)")


def measures(benchmark: str | None, logs: Sequence[str], start: Start) -> dict[str, Any]:
    """Return {run_s, cpu_s, peak_mib, host} of a job that began at `start`, None where unknown.

    Snakemake samples the memory of a job's processes (their sum), the job itself tells the peak
    of its largest one exactly: the larger of both counts.
    """
    found: dict[str, Any] = dict.fromkeys(("run_s", "cpu_s", "peak_mib", "host"))
    with contextlib.suppress(OSError, ValueError, StopIteration, KeyError):
        if benchmark and start.precedes(benchmark):
            with Path(benchmark).open(newline="") as file:
                row = next(csv.DictReader(file, delimiter="\t"))
            columns = (("run_s", "s"), ("cpu_s", "cpu_time"), ("peak_mib", "max_rss"))
            found.update({name: _number(row[column]) for name, column in columns})
    lines = tail(logs[0], start) if logs else []
    told = next(filter(None, map(_DONE.fullmatch, reversed(lines))), None)
    if told:
        found["cpu_s"] = max(found["cpu_s"] or 0.0, float(told[1]))
        found["peak_mib"] = max(found["peak_mib"] or 0.0, float(told[2]))
        found["host"] = told[3]
    return found


def _number(text: str) -> float | None:
    """A benchmark's number: a job too short to be sampled has `NA`, or `-`."""
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None

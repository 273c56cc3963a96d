"""The newest run in which something was built, found without reading all that was recorded."""

from __future__ import annotations

import json
from pathlib import Path

OWN = "report_build_page"  # its run alone makes no page out of date


def newest_run(events: Path) -> str | None:
    """Id of the newest run that ended a job other than the page's own.

    Args:
        events: folder with <run_id>.jsonl, whose names sort by the start of the run; may be absent.
    """
    for path in sorted(events.glob("*.jsonl"), key=lambda path: path.name, reverse=True):
        with path.open(encoding="utf-8", errors="replace") as file:
            if any(_ends_a_job(line) for line in file):
                return path.stem
    return None


def _ends_a_job(line: str) -> bool:
    if '"job_finished"' not in line and '"job_error"' not in line:
        return False
    try:
        event = json.loads(line)
    except ValueError:
        return False
    return event.get("event") in ("job_finished", "job_error") and event.get("rule") != OWN

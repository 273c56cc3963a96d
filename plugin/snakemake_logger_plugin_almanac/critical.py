"""Rules that stop a run: when a job of theirs has failed for good, none is begun any more.

Snakemake is asked by SIGTERM, its own way to stop so. Its handler takes a lock that the scheduler
holds while it works (9.27), so the signal waits for a moment at which the scheduler waits. What
Snakemake begins until then ends at once: a job of this project looks for the note left here.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

VARIABLE = "ALMANAC_CRITICAL"  # rule=retries, joined by commas; written by the Snakefile
RUN_VARIABLE = "ALMANAC_STARTED"  # tells this run's note from another's
NOTE = Path(".snakemake", "almanac-stopped.json")
NOT_BEGUN = "not begun: "  # the cause of a job that found the note
SAMPLES, PAUSE_S, PATIENCE_S = 3, 0.01, 60.0


def critical_rules(environment: Mapping[str, str]) -> dict[str, int]:
    """Return {rule: times it is tried again after a failure}."""
    pairs = (part.split("=") for part in environment.get(VARIABLE, "").split(",") if part)
    return {rule: int(retries) for rule, retries in pairs}


def first_final(failed: Iterable[tuple[str, int]], rules: Mapping[str, int]) -> str | None:
    """Return the first critical rule of `failed` (rule, attempts) that is not tried again."""
    final = (rule for rule, attempts in failed if attempts > rules.get(rule, attempts))
    return next(final, None)


def stop_new_jobs(rule: str, folder: Path) -> None:
    """Leave the note in `folder`, and have Snakemake, this process, begin nothing more."""
    note = {"run": os.environ.get(RUN_VARIABLE, ""), "rule": rule}
    try:
        (folder / NOTE).write_text(json.dumps(note) + "\n", encoding="utf-8")
    finally:
        threading.Thread(target=_ask, daemon=True).start()


def _ask() -> None:
    """Send the signal when the scheduler waits for jobs; after a minute in any case."""
    waited, deadline = 0, time.monotonic() + PATIENCE_S
    while waited < SAMPLES and time.monotonic() < deadline:
        waited = waited + 1 if _is_waiting() else 0
        time.sleep(PAUSE_S)
    os.kill(os.getpid(), signal.SIGTERM)


def _is_waiting() -> bool:
    """True when the main thread stands in the standard library's threading module: it waits."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    return frame is not None and frame.f_code.co_filename == threading.__file__

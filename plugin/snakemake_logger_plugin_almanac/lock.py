"""Who holds the folder: Snakemake's lock files and the record of the run that made them."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RECORD = Path(".snakemake", "almanac-run.json")
LOCKS = Path(".snakemake", "locks")
CLOCK_STEP = 2.0  # seconds a create_time may move when the machine's clock is set

KILLED = (
    'locked: an earlier run was killed here; run "snakemake --unlock" (or "make unlock"), '
    "then start again"
)


def has_locks(folder: Path) -> bool:
    """True when Snakemake's lock files (files backend) lie in `folder`."""
    try:
        return any(path.suffix == ".lock" for path in (folder / LOCKS).iterdir())
    except OSError:
        return False


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return the record of the last run in `folder`, None when absent or unreadable."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return record if {"pid", "create_time", "host"} <= record.keys() else None
    except (OSError, ValueError, AttributeError):
        return None


def is_alive(record: dict[str, Any]) -> bool:
    """True when the recorded process still runs; another host's process cannot be seen: True."""
    import psutil  # 30 ms: not for the make that finds no lock

    if record["host"] != os.uname().nodename:
        return True
    try:
        process = psutil.Process(record["pid"])
        same = abs(process.create_time() - record["create_time"]) < CLOCK_STEP
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.AccessDenied:
        return True
    except (psutil.NoSuchProcess, TypeError, ValueError):
        return False


def recorded_run_alive(folder: Path) -> bool | None:
    """True: the recorded run is alive, False: it is dead, None: no record, or unreadable."""
    record = read_record(folder)
    return None if record is None else is_alive(record)


def cancel(record: dict[str, Any]) -> bool:
    """Cancel what a killed run left in Slurm's queue; False: Slurm cannot be told from here."""
    import subprocess

    if not (name := record.get("slurm")):
        return True
    command = ["scancel", "--name", name]
    try:
        return not subprocess.run(command, capture_output=True, timeout=60, check=False).returncode
    except (OSError, subprocess.TimeoutExpired):
        return False


def locked_line(folder: Path) -> str:
    """Say in one line why `folder` is locked and what to do about it."""
    record = read_record(folder)
    if record is None or not is_alive(record):
        return KILLED
    return (
        f"locked: another run (pid {record['pid']} on {record['host']}, since {_since(record)}) "
        "is working in this folder; wait for it or stop it"
    )


def _since(record: dict[str, Any]) -> str:
    """Return the record's start in local time, with the date unless it is today."""
    try:
        started = datetime.fromisoformat(record["started"]).astimezone()
    except (KeyError, TypeError, ValueError):
        return "an unknown time"
    today = started.date() == datetime.now().astimezone().date()
    return started.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S")

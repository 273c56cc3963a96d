"""The run record `.snakemake/almanac-run.json`: written once the lock is held, gone at the end."""

from __future__ import annotations

import json
import os
from pathlib import Path

import psutil

from snakemake_logger_plugin_almanac.lock import RECORD, cancel, is_alive, read_record


def claim(folder: Path, run_id: str, started: str) -> None:
    """Write this process's record, unless a living process of this host has its own there."""
    host = os.uname().nodename
    old = read_record(folder)
    if old is not None and not is_own(old) and old["host"] == host and is_alive(old):
        return  # Snakemake locks files, not folders: two runs with disjoint outputs may share one
    record = {
        "pid": os.getpid(),
        "create_time": psutil.Process().create_time(),
        "host": host,
        "started": started,
        "run_id": run_id,
    }
    _write(folder, record)


def note_slurm(folder: Path, name: str) -> None:
    """Add the name that all Slurm jobs of this run have, for whoever finds it killed."""
    record = read_record(folder)
    if record is not None and is_own(record):
        _write(folder, {**record, "slurm": name})


def _write(folder: Path, record: dict[str, object]) -> None:
    partial = folder / RECORD.with_name(f"{RECORD.name}.{os.getpid()}")
    partial.write_text(json.dumps(record) + "\n", encoding="utf-8")
    partial.replace(folder / RECORD)


def release(folder: Path) -> None:
    """Remove the record when it is ours."""
    record = read_record(folder)
    if record is not None and is_own(record):
        (folder / RECORD).unlink(missing_ok=True)


def drop_dead(folder: Path) -> None:
    """Remove a dead run's record: left after a manual unlock, it would belie the next lock."""
    record = read_record(folder)
    if record is not None and not is_alive(record):
        cancel(record)
        (folder / RECORD).unlink(missing_ok=True)


def is_own(record: dict[str, object]) -> bool:
    """True when `record` names this process."""
    return record["pid"] == os.getpid() and record["host"] == os.uname().nodename

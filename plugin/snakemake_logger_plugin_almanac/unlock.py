"""Unlock a folder whose run is gone: `python -m snakemake_logger_plugin_almanac.unlock [--force]`.

Run by every `make`, in the folder itself: without lock files it says nothing and is quick. With
`--force` (`make unlock`) it unlocks unless the recorded run is alive. Other arguments go to
`snakemake --unlock`. Snakemake's db backend keeps locks in a table, no files: only --force unlocks.
"""

from __future__ import annotations

import sys
from pathlib import Path

from snakemake_logger_plugin_almanac.lock import (
    RECORD,
    cancel,
    has_locks,
    locked_line,
    read_record,
    recorded_run_alive,
)


def main(arguments: list[str]) -> int:
    """Unlock the working directory if nothing speaks against it; return the exit status."""
    folder = Path.cwd()
    force = "--force" in arguments
    if not force and not has_locks(folder):
        return 0
    alive = recorded_run_alive(folder)
    if alive:
        print(locked_line(folder), file=sys.stderr)
        return 1
    if alive is None and not force:
        print(
            "locked: nothing tells which run holds this folder; if none is working here, "
            'run "snakemake --unlock" (or "make unlock")',
            file=sys.stderr,
        )
        return 1
    return _unlock(folder, [word for word in arguments if word != "--force"])


def _unlock(folder: Path, extra: list[str]) -> int:
    """Let Snakemake remove its locks, then the dead run's record; return the exit status."""
    import subprocess

    record = read_record(folder)
    command = [sys.executable, "-m", "snakemake", "--unlock", *extra]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout + done.stderr, end="", file=sys.stderr)
        return done.returncode
    (folder / RECORD).unlink(missing_ok=True)
    if record is None:
        print("unlocked: no run was recorded in this folder")
    else:
        print(f"unlocked: the run with pid {record['pid']} that held this folder is gone")
        if not cancel(record):
            print(f"its Slurm jobs may still run: scancel --name {record['slurm']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Who keeps the embedded server, and how to end it; standard library only: the plan imports it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

STATE, LOCK = "keeper.json", "keeper.lock"
COPIES = "copies"  # a file for each copy of an environment that is there
LEFT = "keeper.left.json"  # what a keeper that was killed had written
PATIENCE_S = 90  # a server that ends writes all it has in memory to disk
PAUSE_S = 0.02
LEAVE_S = 5


def state(folder: Path, name: str = STATE) -> dict:
    """What the keeper of the server in `folder` has written of itself; {} where nothing is."""
    try:
        return json.loads((folder / name).read_text())
    except (OSError, ValueError):
        return {}


def is_kept(folder: Path) -> bool:
    """Whether a keeper lives; its lock goes with its process."""
    try:
        with (folder / LOCK).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock, waiting for it."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def wait_for_end(folder: Path, patience_s: float = PATIENCE_S) -> bool:
    """Wait until no keeper lives; whether that is so."""
    deadline = time.monotonic() + patience_s
    while is_kept(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_S)
    return True


def forget_copies(folder: Path) -> None:
    """Remove the files that tell which copies of environments are there: those go with a server."""
    for marker in (folder / COPIES).glob("*"):
        marker.unlink(missing_ok=True)


def forget_lost(folder: Path) -> None:
    """Remove a link to data that were lost with the temporary folder: a new cluster is made."""
    data = folder / "data"
    if data.is_symlink() and not data.exists():
        data.unlink()


def stop(folder: Path) -> bool:
    """End the server in `folder` and wait for it; at once where none runs.

    Returns:
        whether none runs now.
    """
    if not is_kept(folder):
        return True
    keeper = state(folder).get("keeper")
    if keeper:
        with suppress(ProcessLookupError):
            os.kill(keeper, signal.SIGTERM)
    ended = wait_for_end(folder)
    deadline = time.monotonic() + LEAVE_S  # its lock is gone, the process is about to be
    while keeper and _is_there(keeper) and time.monotonic() < deadline:
        time.sleep(PAUSE_S)
    return ended


def _is_there(pid: int) -> bool:
    """Whether a process is there; a child of this one that has ended is taken off the list."""
    with suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

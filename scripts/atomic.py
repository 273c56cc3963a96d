"""Atomic file writes: a reader sees the old file or the whole new one, never half of it."""

from __future__ import annotations

import errno
import glob
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import psutil

from scripts.errors import DataError

PROBE = 2**20  # bytes; a disk with less room is full
_owner: psutil.Process | None = None
_witness: Witness | None = None


class Witness(Protocol):
    """Who is told of each file that is replaced."""

    def forget(self, file: Path) -> None:
        """`file` is about to be replaced."""

    def note(self, file: Path) -> None:
        """`file` was replaced."""


class OrphanedError(RuntimeError):
    """The Snakemake process that started this job is gone, so its result is not wanted any more."""


def serve(owner: psutil.Process | None) -> None:
    """Bind every later `atomic` of this process to the life of `owner` (None: to nobody's)."""
    global _owner
    _owner = owner


def tell(witness: Witness | None) -> None:
    """Tell `witness` of the files that every later `atomic` of this process replaces."""
    global _witness
    _witness = witness


def is_alive(process: psutil.Process) -> bool:
    """Whether `process` still runs: not ended, not a zombie, and its pid not given to another."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def mark() -> str:
    """`machine-pid`: this process among those of all machines that share a file system."""
    return f"{_machine()}-{os.getpid()}"


def is_gone(mark: str) -> bool:
    """Whether the process with that mark ran on this machine and does no more."""
    machine, _, pid = mark.rpartition("-")
    return machine == _machine() and pid.isdigit() and not psutil.pid_exists(int(pid))


def _machine() -> str:
    return re.sub(r"[^\w-]", "_", socket.gethostname())


def _sweep(path: Path) -> None:
    """Remove what killed processes left half-written beside `path`."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        if is_gone(left.name.rsplit(".", 2)[1]):
            left.unlink(missing_ok=True)


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path in the folder of `path`; sync and rename it to `path` at a clean exit.

    The folder is made when missing. After an exception, or a kill, `path` is what it was before.

    Raises:
        OSError: the disk is full, whatever the writer made of it.
        OrphanedError: at the end, when the owner set by `serve` no longer lives. A later run may
            already be writing the same file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    temporary = path.with_name(f".{path.name}.{mark()}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        if _owner is not None and not is_alive(_owner):
            raise OrphanedError(f"{path} not replaced: the Snakemake process is gone")
        if _witness:
            _witness.forget(path)
        temporary.replace(path)
        if _witness:
            _witness.note(path)
    except (OSError, DataError, OrphanedError):
        raise
    except Exception as error:
        if number := _full(temporary):
            raise OSError(number, os.strerror(number), str(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _full(temporary: Path) -> int | None:
    """The number of the error if a file's disk is full: polars may call that a transport error."""
    try:
        with temporary.open("ab") as probe:
            probe.write(bytes(PROBE))
    except OSError as error:
        return error.errno if error.errno in (errno.ENOSPC, errno.EDQUOT) else None
    return None

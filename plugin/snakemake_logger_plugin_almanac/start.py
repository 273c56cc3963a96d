"""When a job began, and how its files were then: what an earlier run left is not its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

STALE_SECONDS = 2.0
Stamp = tuple[int, int, int]  # inode, size, mtime (ns)


class Start(NamedTuple):
    """Seconds since the epoch, and the stamps of files as they were: None, not there."""

    time: float
    stamps: Mapping[str, Stamp | None] = {}

    @classmethod
    def of(cls, time: float, files: Iterable[str]) -> Start:
        """The start at `time`, which is now, of a job that is to write `files`."""
        return cls(time, {file: stamp(file) for file in files})

    def precedes(self, file: str) -> bool:
        """Whether a file was written after the start.

        A file older than the start by this machine's clock may still be, by another one (of a file
        server, or before a change of this): then it counts when it is another than it was.
        """
        if (now := stamp(file)) is None:
            return False
        young = now[2] / 1e9 >= self.time - STALE_SECONDS
        return young or self.stamps.get(file, now) != now


def stamp(file: str) -> Stamp | None:
    """What changes when a file is written; None: it is not there."""
    with suppress(OSError):
        found = Path(file).stat()
        return found.st_ino, found.st_size, found.st_mtime_ns
    return None

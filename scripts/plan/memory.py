"""What parsing the project's code gave, kept between starts of Snakemake by the content of files.

A start parses some 150 files else, a second of CPU; on a cluster each job starts twice.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path


class Memory:
    """Name of a file -> the hash of its content, and what that content gave; one entry a name."""

    def __init__(self, maker: Path) -> None:
        """Empty, and only of this process until `keep`.

        Args:
            maker: module that makes the entries: what another version of it made is forgotten.
        """
        self._maker = maker
        self._entries: dict[str, list] = {}
        self._file: Path | None = None
        self._is_new = False

    def keep(self, file: Path) -> None:
        """Take over what `file` holds, if it is whole, and write it at the end of the process."""
        if self._file is None:
            atexit.register(self._save)
        self._file = file.absolute()
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(self._file.read_bytes())
            if kept["maker"] == self._version():
                self._entries = kept["files"]

    def get(self, name: str, content: bytes) -> object | None:
        """What this content of a file gave; None: it is not known."""
        known, value = self._entries.get(name, (None, None))
        return value if known == _hash(content) else None

    def put(self, name: str, content: bytes, value: object) -> None:
        """Remember what a content gave: what JSON gives back as it was."""
        self._entries[name] = [_hash(content), value]
        self._is_new = True

    def _version(self) -> str:
        return _hash(self._maker.read_bytes())

    def _save(self) -> None:
        """Replace the file as a whole; a folder that is missing or closed is no trouble."""
        if not self._is_new:
            return
        partial = self._file.with_name(f"{self._file.name}.{os.uname().nodename}-{os.getpid()}")
        with suppress(OSError):
            partial.write_text(json.dumps({"maker": self._version(), "files": self._entries}))
            partial.replace(self._file)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

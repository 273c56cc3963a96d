"""Hashes of files, by which a file that was replaced is known; standard library only."""

from __future__ import annotations

import hashlib
from pathlib import Path

WHOLE, PART = 64 * 2**20, 2**20


def file_content(path: Path) -> str:
    """Hash of a parquet file; of one above `WHOLE` bytes: of its size, beginning and end.

    The end holds the sizes and statistics of every column chunk.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= WHOLE:
            return digest(file.read())
        head = file.read(PART)
        file.seek(size - PART)
        return digest(b"%d" % size, head, file.read())


def digest(*parts: bytes) -> str:
    """Hash of parts put together, 16 digits."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()[:16]

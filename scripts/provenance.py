"""Where a domain's results come from: version, config, sources with their checksums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from scripts.atomic import atomic


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def source(path: Path) -> dict:
    """{path, sha256} of a file."""
    return {"path": str(path), "sha256": sha256(path)}


def note(
    *, sources: Iterable[Mapping], version: str, config_hash: str, simulated: bool, out: Path
) -> None:
    """Write {version, config_hash, sources: [{path, sha256, ...}], simulated} as JSON."""
    listed = sorted(sources, key=lambda source: source["path"])
    report = {"version": version, "config_hash": config_hash, "sources": listed}
    with atomic(out) as temporary:
        temporary.write_text(json.dumps({**report, "simulated": simulated}, indent=1) + "\n")

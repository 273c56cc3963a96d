"""Where a domain's results come from: version, config, sources with their checksums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
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
    *,
    sources: Iterable[Mapping],
    products: Sequence[str],
    version: str,
    config_hash: str,
    simulated: bool,
    out: Path,
) -> None:
    """Write where results come from as JSON; it holds no time and no path of a machine.

    Args:
        sources: each {path, sha256, ...}.
        products: patterns of the files that it stands for, below results/<run>/: tables, partitions
            and pictures that cannot say it themselves. The same for every config, so that a new
            file of a kind makes nothing run again.
        version: of the project.
        config_hash: of the domain's section of the config.
        simulated: whether anything of it is simulated.
        out: {version, config_hash, sources, simulated, products}.
    """
    report = {
        "version": version,
        "config_hash": config_hash,
        "sources": sorted(sources, key=lambda source: source["path"]),
        "simulated": simulated,
        "products": list(products),
    }
    with atomic(out) as temporary:
        temporary.write_text(json.dumps(report, indent=1) + "\n")

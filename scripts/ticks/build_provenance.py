"""Where a domain's results come from: version, config, sources with their checksums."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from scripts.atomic import atomic


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def note(
    *, sources: Sequence[Path], version: str, config_hash: str, simulated: bool, out: Path
) -> None:
    """Write {version, config_hash, sources: [{path, sha256}], simulated} as JSON."""
    files = [{"path": str(path), "sha256": sha256(path)} for path in sorted(set(sources))]
    report = {"version": version, "config_hash": config_hash, "sources": files}
    with atomic(out) as temporary:
        temporary.write_text(json.dumps({**report, "simulated": simulated}, indent=1) + "\n")


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        note(
            sources=[Path(path) for path in snakemake.input],  # noqa: F821
            version=snakemake.params.version,  # noqa: F821
            config_hash=snakemake.params.config_hash,  # noqa: F821
            simulated=snakemake.params.simulated,  # noqa: F821
            out=Path(snakemake.output.provenance),  # noqa: F821
        )

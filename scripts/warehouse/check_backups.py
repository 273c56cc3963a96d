"""All kept dumps, held against the checksums of when they were proven -> backups/check.json."""

import json
from pathlib import Path

from scripts.errors import DataError
from scripts.provenance import sha256
from scripts.tables import write_json
from scripts.warehouse.backup_database import MANIFEST


def faults(folder: Path) -> list[str]:
    """What is wrong with a dump; a line each."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        files = {file["path"]: file for file in manifest["files"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"{folder / MANIFEST}: cannot be read ({error})"]
    lines = []
    for name, file in files.items():
        path = folder / name
        if not path.is_file():
            lines.append(f"{path} is missing")
        elif (size := path.stat().st_size) != file["bytes"]:
            lines.append(f"{path} has {size} bytes, had {file['bytes']}")
        elif (got := sha256(path)) != file["sha256"]:
            lines.append(f"{path} has other bytes than it had (sha256 {got[:12]})")
    extra = sorted(p.name for p in folder.iterdir() if p.name not in (MANIFEST, *files))
    return lines + [f"{folder / name} was not part of the dump" for name in extra]


def check(folder: Path, out: Path) -> str:
    """Look at every byte of every dump.

    Args:
        folder: of all backups.
        out: {backups: {name: {files, bytes}}}.

    Returns:
        one line for the log.

    Raises:
        DataError: a dump is damaged.
    """
    dumps = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    found = {dump.name: faults(dump) for dump in dumps}
    damaged = {name: lines for name, lines in found.items() if lines}
    if damaged:
        name, lines = next(iter(damaged.items()))
        more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
        raise DataError(
            f"{len(damaged)} of {len(found)} backups damaged: {lines[0]}{more}; remove "
            f"{folder / name} and run again"
        )
    told = {}
    for dump in dumps:
        files = json.loads((dump / MANIFEST).read_text())["files"]
        told[dump.name] = {"files": len(files), "bytes": sum(file["bytes"] for file in files)}
    write_json({"backups": told}, out)
    return f"{len(told)} backups whole"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            check(
                folder=Path(snakemake.params.backups),  # noqa: F821
                out=Path(snakemake.output.report),  # noqa: F821
            ),
        )

"""What a job wrote, by its SHA-256: the next reader knows whether the file is still that.

A file's manifest {path, sha256, rows, bytes, rule, wildcards} stands below logs/manifests/ of the
run's results, at the file's own path with .json after it. Standard library only.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from scripts.atomic import atomic
from scripts.errors import DataError
from scripts.provenance import sha256

FOLDER = Path("logs", "manifests")
SHOWN = 12  # digits of a SHA-256 in an error
LISTED = 3  # files in an error


class Written(NamedTuple):
    """What a manifest says of a file; rows: of a parquet file, else None."""

    path: str
    sha256: str
    rows: int | None
    bytes: int
    rule: str
    wildcards: Mapping[str, str]

    @property
    def maker(self) -> str:
        """The rule and its wildcards."""
        return " ".join([self.rule, *(f"{k}={v}" for k, v in sorted(self.wildcards.items()))])


class Keeper:
    """Keeps the manifests of what one job writes."""

    def __init__(
        self, top: Path, rule: str, wildcards: Mapping[str, str], kept: Iterable[Path] = ()
    ) -> None:
        """Keep those of files below `top`, the results of a run, for the job of `rule`.

        Args:
            kept: outputs that are there before the job, which continues them. If it fails,
                Snakemake puts them back: so they are noted at its end, not before.
        """
        self._top, self._rule, self._wildcards = top, rule, dict(wildcards)
        self._kept = {file: identity(file) for file in kept}
        self._noted: set[Path] = set()

    def forget(self, file: Path) -> None:
        """Before `file` is replaced: a kill in between must not leave the old one's manifest."""
        if place := self._place(file):
            place.unlink(missing_ok=True)

    def note(self, file: Path) -> None:
        """Write the manifest of a file that was just written; of one elsewhere, none."""
        if file not in self._kept:
            self._note(file)

    def _note(self, file: Path) -> None:
        if place := self._place(file):
            name = file.relative_to(self._top).as_posix()
            size, rows = file.stat().st_size, _rows(file)
            told = Written(name, sha256(file), rows, size, self._rule, self._wildcards)
            with atomic(place) as temporary:
                temporary.write_text(json.dumps(told._asdict(), indent=1) + "\n", encoding="utf-8")
            self._noted.add(file)

    def note_others(self, files: Iterable[Path]) -> None:
        """At a job's end, note those of its outputs that it continued or another process wrote."""
        for file in files:
            if not file.is_file() or file in self._noted:
                continue
            if self._kept.get(file) != identity(file):  # else it is not the job's work
                self._note(file)

    def _place(self, file: Path) -> Path | None:
        inside = file.is_relative_to(self._top) and not file.is_relative_to(self._top / "logs")
        return _below(self._top, file) if inside else None


def identity(file: Path) -> tuple[int, int, int]:
    """What changes when a file is replaced or written to."""
    found = file.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def place_of(file: Path) -> Path | None:
    """Where the manifest of a file is, if it has one."""
    return next((p for top in file.parents if (p := _below(top, file)).is_file()), None)


def read(place: Path) -> Written:
    """A manifest.

    Raises:
        DataError: it is damaged.
    """
    try:
        told = Written(**json.loads(place.read_text(encoding="utf-8")))
        if isinstance(told.sha256, str) and isinstance(told.wildcards, dict):
            return told
        reason = "sha256 or wildcards is of a wrong type"
    except (OSError, ValueError, TypeError) as error:
        reason = str(error)
    raise DataError(f"{place}: not a manifest ({reason}); delete it and the file it tells of")


def difference(file: Path, told: Written) -> str:
    """How a file is not byte for byte what its manifest tells of; "" if it is."""
    try:
        if (size := file.stat().st_size) != told.bytes:
            return f"it has {size} bytes, its manifest says {told.bytes}"
        if (digest := sha256(file)) != told.sha256:
            return f"its SHA-256 is {digest[:SHOWN]}, its manifest says {told.sha256[:SHOWN]}"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return ""


def check(files: Iterable[Path]) -> None:
    """Pass files that are as they were written, and those that no job of ours wrote.

    Raises:
        DataError: some are not. It names them, and the rule that makes the first one again.
    """
    wrong: list[tuple[Path, Written, str]] = []
    for file in files:
        if file.is_file() and (place := place_of(file)):
            told = read(place)
            if how := difference(file, told):
                wrong.append((file, told, how))
    if not wrong:
        return
    (file, told, how), others = wrong[0], [str(file) for file, *_ in wrong[1:LISTED]]
    others += [f"{len(wrong) - LISTED} more"] * (len(wrong) > LISTED)
    also = f" (also {', '.join(others)})" if others else ""
    raise DataError(
        f"{file}: damaged or edited after {told.maker} wrote it: {how}{also}; delete it, and the "
        f"next run makes it again by {told.rule}"
    )


def _below(top: Path, file: Path) -> Path:
    return top / FOLDER / f"{file.relative_to(top)}.json"


def _rows(file: Path) -> int | None:
    """Rows of a parquet file; who writes one has polars in memory."""
    if file.suffix != ".parquet" or not (polars := sys.modules.get("polars")):
        return None
    return polars.scan_parquet(file, glob=False).select(polars.len()).collect().item()

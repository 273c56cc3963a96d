"""`make verify`: whether every file of a run is still, byte for byte, what a job wrote."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from scripts import manifests
from scripts.errors import DataError


class Found(NamedTuple):
    """What holding a run's files against their manifests gave."""

    good: int  # files
    size: int  # bytes of those
    wrong: list[tuple[Path, str]]  # file, who made it; or manifest, why it is none
    gone: int  # files that are no longer there


def verify(results: Path) -> Found:
    """Hold all files of a run against their manifests.

    Args:
        results: `results/<run>`.

    Raises:
        DataError: there is no manifest.
    """
    good = size = gone = 0
    wrong = []
    folder = results / manifests.FOLDER
    for place in sorted(folder.rglob("*.json")):
        file = results / place.relative_to(folder).with_suffix("")
        if not file.is_file():
            gone += 1
            continue
        try:
            told = manifests.read(place)
        except DataError as error:
            wrong += [(place, str(error)), (file, "its manifest is damaged")]
            continue
        if how := manifests.difference(file, told):
            wrong.append((file, f"made by {told.maker}; {how}"))
        else:
            good, size = good + 1, size + told.bytes
    if not (good or gone or wrong):
        raise DataError(f"{folder}: no manifests; run make first, or name the run: RUN=...")
    return Found(good, size, wrong, gone)


def main(arguments: list[str]) -> int:
    """Verify `run`; print what was found and what to do; return the exit status."""
    (run,) = arguments
    try:
        found = verify(Path("results") / run)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    gone = f"; {found.gone} are no longer there" if found.gone else ""
    print(f"{run}: {found.good} files ({found.size / 1e6:.1f} MB) are as they were written{gone}")
    if not found.wrong:
        return 0
    print(f"{len(found.wrong)} are not:")
    for file, why in found.wrong:
        print(f"  {file}: {why}")
    names = " ".join(quote(str(file)) for file, _ in found.wrong)
    print(f"delete them, and make builds them and what follows again:\n  rm {names} && make")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

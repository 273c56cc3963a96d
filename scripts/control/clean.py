"""`make clean-<domain>`: take out what one domain has made in one run's results, with its logs."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from snakemake_logger_plugin_almanac.lock import has_locks, locked_line, recorded_run_alive

from scripts.errors import DataError
from scripts.manifests import FOLDER
from scripts.warehouse import programs, stopping

DOMAINS = ("lake", "ticks", "weekly", "nfl", "grid", "book", "warehouse", "report")
BACKUPS = "backups"  # of databases that may be gone: they stay
PLACES = {
    "grid": ("nfl/grid", ("nfl/nfl_fit_grid", "nfl/nfl_score_grid", "nfl/nfl_check_selection"))
}


def folders(domain: str, results: Path) -> list[Path]:
    """What belongs to a domain in the results of a run: its files, their logs and benchmarks.

    Raises:
        DataError: there is no such domain.
    """
    if domain not in DOMAINS:
        raise DataError(f"clean-{domain}: no such domain; one of {', '.join(DOMAINS)}")
    place, stems = PLACES.get(domain, (domain, (domain,)))
    times = [
        found
        for kind in ("logs", "benchmarks")
        for stem in stems
        for found in sorted((results / kind / stem).parent.glob(f"{Path(stem).name}*"))
        if found.name.split(".")[0] == Path(stem).name
    ]
    times.append(results / FOLDER / place)
    own = [results / place]
    if domain == "warehouse" and own[0].is_dir() and not own[0].is_symlink():
        own = [path for path in sorted(own[0].iterdir()) if path.name != BACKUPS]
    return [path for path in (*own, *times) if path.is_symlink() or path.exists()]


def clean(domain: str, run: str, top: Path) -> str:
    """Remove them.

    Args:
        domain: one of `DOMAINS`.
        run: the name of the run, as in the config.
        top: the project's folder.

    Returns:
        a line that says what was removed.

    Raises:
        DataError: no such domain, no possible name of a run, or a run is working here.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", run):
        raise DataError(f"RUN={run}: not the name of a run (letters, digits, _ and -)")
    if has_locks(top) and recorded_run_alive(top) is not False:
        raise DataError(locked_line(top))
    results = top / "results" / run
    found = folders(domain, results)
    files = [file for path in found for file in _files(path)]
    megabytes = sum(file.lstat().st_size for file in files) / 1e6
    if domain == "warehouse":
        _end_server(results / "warehouse" / "server")
    for path in found:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    where = f"results/{run}/{PLACES.get(domain, (domain,))[0]}"
    kept = f"; {where}/{BACKUPS} is kept" if (results / domain / BACKUPS).is_dir() else ""
    size = f"{len(files)} files ({megabytes:.1f} MB)"
    return f"removed {size}: {where}, its logs and benchmarks{kept}"


def _files(path: Path) -> list[Path]:
    if path.is_symlink() or not path.is_dir():
        return [path]
    return [file for file in path.rglob("*") if not file.is_dir()]


def _end_server(folder: Path) -> None:
    """End the database server whose data are about to go; they may stand elsewhere, linked."""
    if not stopping.stop(folder):
        raise DataError(f"the server in {folder} does not end; end it, then clean again")
    shelter = programs.shelter_of(folder)
    if (folder / "data").is_symlink() and (folder / "data").resolve().parent == shelter:
        shutil.rmtree(shelter, ignore_errors=True)


def main(arguments: list[str]) -> int:
    """Clean `domain run`; return the exit status."""
    try:
        print(clean(*arguments, Path()))
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

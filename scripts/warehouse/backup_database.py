"""A dump of the warehouse, proven by restoring it -> backups/{time}/, backups/latest.json."""

import json
import os
import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from scripts.errors import DataError
from scripts.provenance import sha256
from scripts.tables import write_json
from scripts.warehouse import catalog, copies, programs, server
from scripts.warehouse.server import Server

MANIFEST = "manifest.json"
UNFINISHED = ".unfinished"


def _tables(sums: dict[str, dict], connection: psycopg.Connection) -> dict[str, dict]:
    """Sums of tables alone: a restored view is made anew."""
    tables = catalog.describe(connection)["tables"]
    return {name: found for name, found in sums.items() if name in tables}


def dump(place: Server, folder: Path, jobs: int) -> dict[str, dict]:
    """Dump a database in parallel, all of it as of one moment, whatever is loaded meanwhile.

    Args:
        place: the database.
        folder: to make; of pg_dump's directory format.
        jobs: tables dumped at once.

    Returns:
        what the rows of that moment are known by, see `catalog.sums`.

    Raises:
        DataError: pg_dump failed.
    """
    command = [str(programs.client("pg_dump")), "--format=directory", f"--file={folder}"]
    command += [f"--jobs={jobs}", "--compress=gzip:1", "--no-password"]
    command += [f"--lock-wait-timeout={round(server.LOCK_S * 1000)}"]
    with server.connect(place) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        server.limit_waits(connection)
        moment = connection.execute("SELECT pg_export_snapshot()").fetchone()[0]
        done = subprocess.run(
            [*command, f"--snapshot={moment}"],
            check=False,
            capture_output=True,
            env=copies.environment(place),
        )
        if done.returncode:
            cause = copies.last_line(done.stderr)
            if "statement timeout" in cause:  # what --lock-wait-timeout sets
                cause = f"another session has held a lock for {server.LOCK_S} s; end it"
            raise DataError(f"{place.name}: pg_dump failed: {cause}; run again")
        return _tables(catalog.sums(connection), connection)


def restore(folder: Path, scratch: Server, jobs: int) -> dict[str, dict]:
    """Restore a dump into a database made for it, give what its rows are known by, and drop it.

    Raises:
        DataError: it cannot be restored.
    """
    copies.drop(scratch)
    server.ensure_database(scratch)
    try:
        command = [str(programs.client("pg_restore")), "--exit-on-error", "--no-owner"]
        command += ["--no-privileges", "--no-password", f"--jobs={jobs}"]
        command += [f"--dbname={scratch.options['dbname']}", str(folder)]
        done = subprocess.run(
            command, check=False, capture_output=True, env=copies.environment(scratch)
        )
        if done.returncode:
            raise DataError(
                f"{folder}: cannot be restored: {copies.last_line(done.stderr)}; run again"
            )
        with server.connect(scratch, autocommit=True) as connection:
            return _tables(catalog.sums(connection), connection)
    finally:
        copies.drop(scratch)


def files_of(folder: Path) -> list[dict]:
    """{path, sha256, bytes, mtime_ns} of a dump; a plan looks at no more than the last two."""
    return [
        {
            "path": path.name,
            "sha256": sha256(path),
            "bytes": path.stat().st_size,
            "mtime_ns": path.stat().st_mtime_ns,
        }
        for path in sorted(folder.iterdir())
        if path.name != MANIFEST
    ]


def _sync(folder: Path) -> None:
    """See that files are on the disk."""
    for path in (*folder.iterdir(), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def backup(place: Server, scratch: Server, folder: Path, keep: int, jobs: int, out: Path) -> str:
    """Dump, restore and compare; then forget the oldest dumps.

    Args:
        place: the warehouse.
        scratch: database to restore into, on the embedded server.
        folder: of all backups.
        keep: how many stay, this one among them.
        jobs: tables at once.
        out: link to the manifest of the dump, {backup, server, files, rows, restored, seconds,
            sums}.

    Returns:
        one line for the log.

    Raises:
        DataError: a program failed, or what was restored differs. The dump is then removed, and all
            earlier ones stay.
    """
    start = time.perf_counter()
    name = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    unfinished = folder / f"{UNFINISHED}.{name}"
    for left in folder.glob(f"{UNFINISHED}.*"):
        shutil.rmtree(left)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        sums = dump(place, unfinished, jobs)
        dumped = time.perf_counter() - start
        differing = catalog.differences(sums, restore(unfinished, scratch, jobs))
        if differing:
            raise DataError(f"the dump restores to something else: {'; '.join(differing)}")
        report = {"backup": name, "server": place.name, "files": files_of(unfinished)}
        rows = {table: found["rows"] for table, found in sums.items()}
        seconds = {"dump": round(dumped, 3), "all": round(time.perf_counter() - start, 3)}
        report = {**report, "rows": rows, "restored": True, "seconds": seconds, "sums": sums}
        write_json(report, unfinished / MANIFEST)
        _sync(unfinished)
        unfinished.rename(folder / name)
    except psycopg.Error as error:
        raise server.fault(error, place) from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    kept = sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))
    for old in kept[:-keep]:
        shutil.rmtree(old)
    link = out.with_name(f".{out.name}.{name}")
    link.symlink_to(Path(name) / MANIFEST)  # it is gone when the dump is: then a new one is made
    link.replace(out)
    return json.dumps({"backup": name, "rows": sum(rows.values()), "kept": len(kept[-keep:])})


if __name__ == "__main__":
    from scripts.job import environment, job, owner

    with job(snakemake) as log:  # noqa: F821
        home = Path(snakemake.params.folder)  # noqa: F821
        log.info(
            "%s",
            backup(
                place=server.warehouse(
                    home,
                    environment(),
                    owner(),
                    own=snakemake.params.server != "embedded",  # noqa: F821
                ),
                scratch=server.embedded(home, owner()).at("scratch_backup"),
                folder=Path(snakemake.params.backups),  # noqa: F821
                keep=snakemake.params.keep,  # noqa: F821
                jobs=snakemake.threads,  # noqa: F821
                out=Path(snakemake.output.latest),  # noqa: F821
            ),
        )

"""Jobs that fetch, each in a process of its own that ends as a job of Snakemake does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
LOCK_S = 2  # that a job of the warehouse waits for a lock
LIMIT_S = 90  # a job's own patience ends long before, on a busy machine too
STORE = {"attempts": 3, "total_s": 10, "timeout_s": 2, "wait_s": 0.02}
PATIENCE = {"attempts": 4, "total_s": 10, "timeout_s": 2, "wait_s": 0.02}


class Outcome(NamedTuple):
    """How a job ended: its status, None when it hung; what it said on the screen; its log."""

    status: int | None
    said: str
    log: str


def flat_file(folder: Path, environment: Mapping[str, str], **asked: str) -> None:
    """Land a flat file."""
    from scripts.lake import land_flatfile
    from scripts.lake.store import S3Store

    land_flatfile.land(
        store=S3Store(**STORE),
        adopted=None,
        revision=None,
        out=folder / "file.csv.gz",
        manifest=folder / "file.json",
        **asked,
    )


def revisions(folder: Path, environment: Mapping[str, str], landed: list[list[str]]) -> None:
    """Look for flat files that were replaced."""
    from scripts.lake import check_revisions
    from scripts.lake.store import S3Store

    check_revisions.check(
        store=S3Store(**STORE),
        landed=[(dataset, day, str(folder / name)) for dataset, day, name in landed],
        revisions=folder / "revisions.json",
    )


def rest(folder: Path, environment: Mapping[str, str], module: str, **asked: object) -> None:
    """Land a partition of the vendor's REST API."""
    from importlib import import_module

    from scripts.lake.rest import Api

    api = Api(base=environment["MASSIVE_API_BASE"], key=environment["MASSIVE_API_KEY"], **PATIENCE)
    names = ["balance_sheets", "cash_flow", "income_statements"]
    names = names if module == "land_financials" else ["partition"]
    outs = {name: folder / f"{name}.parquet" for name in (*names, "quarantine")}
    land = import_module(f"scripts.lake.{module}").land
    land(api=api, **asked, **outs, reconcile=folder / "reconcile.json")


def release(folder: Path, environment: Mapping[str, str], **asked: object) -> None:
    """Land a season of nflverse's."""
    from scripts.nfl import land_release

    out, manifest = folder / "file", folder / "file.json"
    land_release.land(**asked, as_of=None, out=out, manifest=manifest, **PATIENCE)


def odds(folder: Path, environment: Mapping[str, str], schedule: str, base: str) -> None:
    """Land a season's closing lines."""
    from scripts.nfl import land_odds

    land_odds.land(
        schedule=Path(schedule),
        base=base,
        as_of=None,
        environment=environment,
        out=folder / "part.parquet",
        account=folder / "account.json",
        **PATIENCE,
    )


def weather(
    folder: Path, environment: Mapping[str, str], schedule: str, stadiums: str, base: str
) -> None:
    """Land a season's weather."""
    from scripts.nfl import land_weather

    land_weather.land(
        schedule=Path(schedule),
        stadiums=Path(stadiums),
        stations=f"{base}/stations.json.gz",
        hourly=f"{base}/hourly",
        as_of=None,
        out=folder / "part.parquet",
        account=folder / "account.json",
        **PATIENCE,
    )


def migrate(folder: Path, environment: Mapping[str, str], **asked: object) -> None:
    """Apply all migrations to a database."""
    from scripts.warehouse import apply_migrations, server
    from scripts.warehouse.migrations import Limits

    facts = {"run": "torture", "version": "1", "config_hash": "0", "simulated": True}
    apply_migrations.apply(
        server.named(environment),
        ROOT / "warehouse" / "migrations",
        Limits(LOCK_S, 30, 2),
        facts,
        folder / "schema.json",
    )


def season(
    folder: Path, environment: Mapping[str, str], season: int, sources: Mapping[str, str]
) -> None:
    """Load a season."""
    from scripts.warehouse import load_season, server

    paths = {table: Path(path) for table, path in sources.items()}
    load_season.load(server.named(environment), season, paths, None, folder / "receipt.json")


def views(folder: Path, environment: Mapping[str, str], receipts: Sequence[str]) -> None:
    """Refresh the views."""
    from scripts.warehouse import build_views, server

    paths = [Path(path) for path in receipts]
    build_views.build(server.named(environment), paths, folder / "views.json", {})


def backup(folder: Path, environment: Mapping[str, str], scratch: str) -> None:
    """Dump the warehouse, and restore it for a proof."""
    from scripts.warehouse import backup_database, server

    place, home = server.named(environment), folder / "backups"
    backup_database.backup(place, place.at(scratch), home, 2, 1, home / "latest.json")


FETCHING = (flat_file, revisions, rest, release, odds, weather)
STORING = (migrate, season, views, backup)
JOBS = {job.__name__: job for job in (*FETCHING, *STORING)}


def run(
    name: str, asked: Mapping, folder: Path, environment: Mapping[str, str], log: Path
) -> Outcome:
    """Run a job in a process, for `LIMIT_S` at the most.

    Args:
        name: of `JOBS`.
        asked: its arguments.
        folder: of its outputs.
        environment: variables added to those of this process.
        log: to write.
    """
    own = {k: v for k, v in os.environ.items() if not k.startswith(("ALMANAC_", "AWS_"))}
    own |= {"PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": "1", **environment}
    command = [sys.executable, "-m", __name__, name, json.dumps(asked), str(folder), str(log)]
    try:
        done = subprocess.run(
            command, env=own, cwd=ROOT, capture_output=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Outcome(None, "", log.read_text(errors="replace") if log.exists() else "")
    said = (done.stdout + done.stderr).decode(errors="replace")
    return Outcome(done.returncode, said, log.read_text(errors="replace"))


def main(name: str, asked: str, folder: str, log: str) -> None:
    """Be the job."""
    from scripts.job import environment, job
    from scripts.patience import log_retries

    log_retries()
    if JOBS[name] in STORING:
        from scripts.warehouse import server

        server.LOCK_S = LOCK_S
    with job(SimpleNamespace(log=[log], rule=name, wildcards={})):
        JOBS[name](Path(folder), environment(), **json.loads(asked))


if __name__ == "__main__":
    main(*sys.argv[1:])

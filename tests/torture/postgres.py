"""PostgreSQL breaks off at any byte, or is locked: a table is what it was, or what it is to be.

for case in cases(seed=1, count=12):
    case.play(folder)
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from scripts.warehouse import catalog, check_backups, loading, migrations, server, views
from scripts.warehouse.migrations import Limits
from scripts.warehouse.server import Server
from tests import warehouses
from tests.torture import cluster, jobs
from tests.torture.network import cause_of, run
from tests.torture.proxy import Proxy, proxied
from tests.torture.tally import Case, Lost
from tests.warehouses import MIGRATIONS, SEASONS

PLACE = r"the server of ALMANAC_DSN|^\d{3}_\w+\.sql|season \d{4}"
KIND = "PostgreSQL faults"
NUMBERS = itertools.count()
TRIES = 8  # blows of a case until one strikes
LOOK_S = 0.02  # between looks at who waits for a lock
HALF = 4  # migrations of a database that lacks the others
STARTS = {  # job -> databases that it begins with
    "migrate": ("empty", "half"),
    "season": ("old",),
    "views": ("stale",),
    "backup": ("old",),
}
BLOWS = (
    "reset",
    "end of the connection",
    "outage",
    "stall",
    "terminated",
    "killed backend",
    "killed server",
    "stopped server",
    "crashed server",
    "lock for a while",
    "lock",
)
LOCKED = ("games", "plays", "odds", "loads", "schema_migrations", "warehouse")
SIGNALS = {
    "killed server": signal.SIGKILL,
    "stopped server": signal.SIGINT,
    "crashed server": signal.SIGQUIT,
}


class State(NamedTuple):
    """What a database is known by: its migrations, how it is built, sums of its rows."""

    applied: tuple[str, ...]
    described: dict
    sums: dict


class Undisturbed(NamedTuple):
    """What a job leaves when nothing happens, and how many bytes it takes."""

    state: State
    length: int


def cases(seed: int, count: int) -> list[Case]:
    """Blows at PostgreSQL, `count` of them."""
    seeds = [random.Random(f"{seed} PostgreSQL {n}").randrange(2**32) for n in range(count)]
    return [case_of(KIND, f"database {number}", own) for number, own in enumerate(seeds)]


def case_of(kind: str, name: str, seed: int) -> Case:
    """A blow by what a table told of it."""
    return Case(kind, name, seed, partial(play, seed))


def play(seed: int, folder: Path) -> str:
    """Run a job of the warehouse, strike at a random byte of what it says and hears, run it again.

    Raises:
        Lost, Silent: see `tally`.
    """
    for number in range(TRIES):
        rng = random.Random(f"{seed} again {number}" if number else seed)
        if told := _struck(rng, folder / str(number)):
            return told
    raise Lost(f"nothing was struck by any of {TRIES} blows")


def _struck(rng: random.Random, folder: Path) -> str:
    """How one blow was survived; "": it struck nothing.

    Raises:
        Lost, Silent: see `play`.
    """
    job = rng.choice(list(STARTS))
    start, blow = rng.choice(STARTS[job]), rng.choice(BLOWS)
    known = undisturbed(job, start)
    home, name = cluster.running(), f"case_{os.getpid()}_{next(NUMBERS)}"
    out, at = folder / "out", rng.randrange(known.length)
    out.mkdir(parents=True)
    home.start()
    home.copy(start, name)
    asked = asked_of(job, folder, f"scratch_{name}")
    what = f"{job} from {start}, {blow} at byte {at} of {known.length}"
    with proxied(("127.0.0.1", home.port)) as proxy:
        environment = environment_of(name, proxy)
        before = state_of(name)
        with striking(blow, at, name, proxy, rng) as has_struck:
            ended = run(job, asked, environment, out, folder / "job.log")
        proxy.disarm()
        home.start()
        told = "went through"
        if ended.status != 0:
            told = cause_of(ended, PLACE)
            need_whole(job, state_of(name), before, known.state, f"{what}: {told}")
            need_no_receipt(out, f"{what}: {told}")
            again = run(job, asked, environment, out, folder / "again.log")
            if again.status != 0:
                raise Lost(f"{what}: cannot be ended: {again.said} after {told}")
        found = state_of(name)
        if found != known.state:
            raise Lost(f"{what}: {told}: {differences(known.state, found)}")
        need_proven(job, out, found, what)
    home.drop(f"scratch_{name}")
    home.drop(name)
    if not has_struck():
        return ""
    return f"{blow}: " + ("same rows" if ended.status == 0 else "refused, then same rows")


@contextmanager
def striking(
    blow: str, at: int, name: str, proxy: Proxy, rng: random.Random
) -> Iterator[Callable[[], bool]]:
    """See that a blow falls while the body runs, and is over when that is; gives whether it has."""
    home, wait_s, comes_back = cluster.running(), rng.uniform(0.2, 1.5), rng.random() < 0.5
    timer = threading.Timer(wait_s, home.start)

    def stop_server() -> None:
        home.stop(SIGNALS[blow])
        if comes_back:
            timer.start()

    def refuse() -> None:
        proxy.cut(reset=True)
        proxy.refuse(wait_s)

    strikes = {
        "reset": partial(proxy.cut, reset=True),
        "end of the connection": partial(proxy.cut, reset=False),
        "outage": refuse,
        "stall": partial(time.sleep, wait_s),
        "terminated": partial(home.terminate, name),
        "killed backend": partial(home.kill_backend, name),
        **dict.fromkeys(SIGNALS, stop_server),
    }
    if blow in strikes:
        proxy.arm(at, strikes[blow])
        yield lambda: proxy.struck
        if timer.is_alive():
            timer.join()
        return
    locked, met, over = threading.Event(), threading.Event(), threading.Event()
    table = rng.choice(LOCKED)
    lasts_s = wait_s if blow == "lock for a while" else jobs.LIMIT_S
    holder = threading.Thread(
        target=hold, args=(name, table, lasts_s, locked, met, over), daemon=True
    )
    holder.start()
    locked.wait(jobs.LIMIT_S)
    yield met.is_set
    over.set()
    holder.join()


def hold(
    name: str,
    table: str,
    seconds: float,
    locked: threading.Event,
    met: threading.Event,
    over: threading.Event,
) -> None:
    """Hold a lock on a table, if it is there, until it is over, or a while after one met it."""
    with cluster.running().connect(name) as holder, holder.transaction():
        if there := bool(loading.columns_in(holder, table)):
            holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        locked.set()
        while not over.wait(LOOK_S):
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
            if there and holder.execute(waiting, [table]).fetchone()[0]:
                met.set()
                over.wait(seconds)
                return


# What is there, and what ought to be


def database(name: str) -> Server:
    """A database of the cluster, past all proxies."""
    return warehouses.database_of({**cluster.running().options, "dbname": name})


def environment_of(name: str, proxy: Proxy | None = None) -> dict[str, str]:
    """What a user has in the environment."""
    address = {**cluster.running().options, "dbname": name}
    address |= {"port": str(proxy.address[1])} if proxy else {}
    return {server.DSN: warehouses.dsn(address)}


def state_of(name: str) -> State:
    """What a database is known by."""
    with server.connect(database(name), autocommit=True) as connection:
        done = tuple(name for name, _ in migrations.applied(connection).values())
        described = catalog.describe(connection)
        # Its record is made with the first migration.
        described["tables"].pop("schema_migrations", None)
        return State(done, described, catalog.sums(connection))


@cache
def begun(start: str) -> str:
    """Make a database that jobs begin with; its name."""
    if start == "stale":
        begun("old")
        cluster.running().copy("old", "stale")
    else:
        server.ensure_database(database(start))
    with server.connect(database(start), autocommit=True) as connection:
        found = migrations.read(MIGRATIONS)[: HALF if start == "half" else None]
        if start in ("half", "old"):
            migrations.bring_forward(connection, found, Limits(), start)
        if start in ("old", "stale"):
            for season, frames in warehouses.league(seed=8 if start == "old" else 7).items():
                loading.load(connection, frames, season)
        if start == "old":
            loading.load(connection, warehouses.player_frames(), loading.ALL_SEASONS)
            views.refresh(connection)
    return start


@cache
def undisturbed(job: str, start: str) -> Undisturbed:
    """Run a job on a copy of a database, with nothing happening."""
    home, name = cluster.running(), f"undisturbed_{job}_{start}"
    home.start()
    home.copy(begun(start), name)
    folder = Path(home.scratch, name)
    (folder / "out").mkdir(parents=True)
    asked = asked_of(job, folder, f"scratch_{name}")
    with proxied(("127.0.0.1", home.port)) as proxy:
        jobs.JOBS[job](folder / "out", environment_of(name, proxy), **asked)
        length = proxy.passed
    return Undisturbed(state_of(name), length)


@cache
def steps() -> list[dict]:
    """How a database is built after each migration, from none."""
    home = cluster.running()
    server.ensure_database(database("steps"))
    found = [state_of("steps").described]
    with server.connect(database("steps"), autocommit=True) as connection:
        for migration in migrations.read(MIGRATIONS):
            migrations.run(connection, migration, Limits())
            found.append(state_of("steps").described)
    home.drop("steps")
    return found


def asked_of(job: str, folder: Path, scratch: str) -> dict[str, object]:
    """What a job is asked."""
    if job == "season":
        sources = warehouses.write_partitions(warehouses.league()[SEASONS[-1]], folder / "parts")
        return {"season": SEASONS[-1], "sources": {t: str(p) for t, p in sources.items()}}
    if job == "views":
        (folder / "receipts").mkdir(exist_ok=True)
        paths = [folder / "receipts" / f"season={season}.json" for season in SEASONS]
        for season, path in zip(SEASONS, paths, strict=True):
            path.write_text(json.dumps({"season": season, "tables": {}, "seconds": 0}))
        return {"receipts": [str(path) for path in paths]}
    return {"scratch": scratch} if job == "backup" else {}


def need_whole(job: str, found: State, before: State, after: State, what: str) -> None:
    """See that a job that failed left what was before, or all of what was to be.

    Raises:
        Lost: it did not.
    """
    if job == "migrate":
        if found.described != steps()[len(found.applied)]:
            raise Lost(f"{what}: not what {len(found.applied)} migrations make")
        return
    for table, sums in found.sums.items():  # views are refreshed one by one
        if sums not in (before.sums.get(table), after.sums.get(table)):
            raise Lost(f"{what}: {table} is neither what it was nor what it is to be")
    if job == "season" and found.sums not in (before.sums, after.sums):
        raise Lost(f"{what}: some tables are loaded and others are not")


def need_no_receipt(out: Path, what: str) -> None:
    """See that a job that failed left nothing that tells of success, nor half a dump.

    Raises:
        Lost: it did.
    """
    if left := [path.name for path in out.rglob("*") if path.name != "backups"]:
        raise Lost(f"{what}: {left} is left")


def need_proven(job: str, out: Path, found: State, what: str) -> None:
    """See that a job's receipt is there, and a backup is of the rows that are there.

    Raises:
        Lost: it is not.
    """
    if not any(path.is_file() for path in out.rglob("*.json")):
        raise Lost(f"{what}: no receipt")
    if job == "backup":
        told = json.loads((out / "backups" / "latest.json").read_text())
        rows = {table: found.sums[table]["rows"] for table in told["rows"]}
        if told["rows"] != rows or not told["restored"]:
            raise Lost(f"{what}: the backup has {told['rows']}")
        check_backups.check(out / "backups", out / "check.json")


def differences(wanted: State, found: State) -> str:
    """How a database is not what it should be."""
    if wanted.applied != found.applied:
        return f"migrations {found.applied}"
    if wanted.described != found.described:
        return f"built otherwise: {catalog.behaves_otherwise(wanted.described, found.described)}"
    lines: Mapping = {"wanted": wanted.sums, "found": found.sums}
    return "; ".join(catalog.differences(lines["wanted"], lines["found"])) or "other sums"

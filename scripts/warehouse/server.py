"""Where the warehouse stands: the server that comes with this project, or one of the user's."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from scripts.errors import DataError
from scripts.warehouse import programs, stopping

DSN = "ALMANAC_DSN"
DATABASE = "almanac"
ROOT = Path(__file__).parents[2]
FAULT = re.compile(
    r"(PANIC|FATAL|ERROR|LOG|WARNING):.*\b(could not|invalid|contains|failed|No space).*"
)
KEEPER = "import sys; from scripts.warehouse import keeper; sys.exit(keeper.main(*sys.argv[1:]))"
CONNECT_S = 10
LOCK_S = 120  # that a job waits for a lock of another session
SHOWN = {
    "host": re.compile(r"[\w.:/-]+"),
    "port": re.compile(r"\d+"),
    "dbname": re.compile(r"[\w-]+"),
}
AFTERWARDS = {  # beginning of an SQLSTATE -> what to do about it
    "08": "run again",
    "40": "run again",
    "53": "free what the server lacks and run again",
    "55P03": "another session holds the lock: end it and run again",
    "57P": "run again",
}
START_S = 300  # a server that was killed reads its log first
KNOWN = (  # what libpq says -> what it means, and the fix
    ("password authentication failed", "wrong user or password; set PGPASSWORD or ~/.pgpass"),
    ("no password supplied", "the server wants a password; set PGPASSWORD or ~/.pgpass"),
    ("no pg_hba.conf entry", "the server admits no such user from here; see its pg_hba.conf"),
    (r"database .* does not exist", "no such database; make it (createdb)"),
    (r"role .* does not exist", "no such user of the server; set PGUSER"),
    ("could not translate host name|Name or service not known", "no such host; write @ : / % in a "
     "password of a URI as %40 %3A %2F %25"),
    ("Connection refused|No such file or directory", "no server answers there; start it"),
    ("timeout expired|timed out", f"no answer within {CONNECT_S} s; is the server up?"),
    ("too many (clients|connections)|remaining connection slots", "wait and run again"),
    ("closed the connection|Connection reset", "the server ended the connection; run again"),
    ("starting up|shutting down|recovery mode", "the server is not ready; run again"),
    ("certificate|SSL", "no secure connection; see PGSSLMODE and the certificates"),
)  # fmt: skip


class UnreachableError(DataError):
    """There is no connection to a database, for whatever reason."""


class Server(NamedTuple):
    """Where to connect: what libpq wants, and a name without secrets."""

    options: Mapping[str, str]
    name: str
    log: Path | None = None  # of the embedded server
    inherited: Mapping[str, str] = MappingProxyType({})  # variables that libpq looks at

    def __repr__(self) -> str:
        """The name alone: the options may hold a password."""
        return f"Server({self.name})"

    def at(self, database: str) -> Server:
        """Another database of the same server."""
        return self._replace(options={**self.options, "dbname": database})

    def environment(self) -> dict[str, str]:
        """Variables by which libpq's programs find it: a password stands on no command line."""
        names = {"host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "user": "PGUSER"}
        names |= {"password": "PGPASSWORD", "dbname": "PGDATABASE", "passfile": "PGPASSFILE"}
        names |= {f"ssl{x}": f"PGSSL{x.upper()}" for x in ("mode", "cert", "key", "rootcert")}
        names |= {"options": "PGOPTIONS", "service": "PGSERVICE"}
        known = {*names, "connect_timeout", "application_name", *programs.ADDRESS}
        unknown = sorted(set(self.options) - known)
        if unknown:
            raise DataError(
                f"{self.name}: {', '.join(unknown)} of the connection string cannot be handed to "
                "pg_dump; set it by libpq's environment variables"
            )
        return {names[key]: str(value) for key, value in self.options.items() if key in names}


def embedded(folder: Path, owner: int) -> Server:
    """The embedded server, started when it is not running.

    Args:
        folder: its place below results, in which `programs.initialise` made a cluster.
        owner: process for which it runs; when that ends, so does the server.

    Raises:
        DataError: there is no cluster, or the server does not start (it names the log).
    """
    if not (folder / "data" / "PG_VERSION").is_file():
        raise DataError(f"{folder}: no PostgreSQL cluster; run again, the first job makes it")
    name = f"the embedded server of {folder}"
    deadline = time.monotonic() + START_S
    with stopping.locked(folder / "start.lock"):
        if stopping.state(folder).get("owner") != owner and not stopping.wait_for_end(folder):
            raise DataError(f"{folder}: another run uses its server; wait for it")
        started = None
        while not (stopping.is_kept(folder) and stopping.state(folder).get("ready")):
            if not stopping.is_kept(folder) and (started is None or started.poll() is not None):
                if started is not None:
                    raise DataError(
                        f"{name} does not start: {last_words(folder / 'log')} ({folder}/log)"
                    )
                started = _start_keeper(folder, owner)
            if time.monotonic() > deadline:
                raise DataError(f"{name} is not ready after {START_S} s; see {folder}/log")
            time.sleep(stopping.PAUSE_S)
    address = {"host": stopping.state(folder)["socket"], "dbname": DATABASE}
    return Server({**programs.ADDRESS, **address}, name, folder / "log")


def _start_keeper(folder: Path, owner: int) -> subprocess.Popen:
    """The keeper, in a session of its own: an interrupt of the run does not reach it."""
    with suppress(FileNotFoundError):  # what a killed one said is not to be taken for its words
        (folder / stopping.STATE).replace(folder / stopping.LEFT)
    with (folder / "keeper.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-c", KEEPER, str(folder.absolute()), str(owner)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=ROOT,
            start_new_session=True,
        )


def last_words(log: Path) -> str:
    """The lines of a server's log that tell of a fault: the last, and what led to it."""
    lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
    told = [FAULT.search(line) for line in lines]
    said = list(dict.fromkeys(found[0] for found in told if found))
    return "; ".join(said[-2:]) or "it says nothing"


def named(environment: Mapping[str, str], variable: str = DSN) -> Server:
    """A server of the user's, by a connection string in a variable of the environment.

    Args:
        environment: variables of this process; those of libpq give what the string lacks, and all
            where there is no string.
        variable: of postgresql://user@host:port/database, or host=... dbname=...

    Raises:
        DataError: it is no connection string. The text, which may hold a password, is not shown.
    """
    text = environment.get(variable, "")
    inherited = {k: v for k, v in environment.items() if k.startswith("PG") or k == "HOME"}
    try:
        options = {key: str(value) for key, value in conninfo_to_dict(text).items()}
    except psycopg.ProgrammingError:
        raise DataError(
            f"{variable} is no connection string (not shown, it may hold a password); give "
            "postgresql://user@host:5432/database or host=... dbname=..."
        ) from None
    # A password that was not written as it should be can stand in any of them.
    shown = [f"{k} {options[k]}" for k in SHOWN if SHOWN[k].fullmatch(options.get(k, ""))]
    shown = [] if len(shown) < len(SHOWN.keys() & options.keys()) else shown
    place = ", ".join(shown) or "libpq's environment"
    where = variable if text else "PGHOST"
    return Server(options, f"the server of {where} ({place})", inherited=inherited)


def warehouse(folder: Path, environment: Mapping[str, str], owner: int, *, own: bool) -> Server:
    """The server of the warehouse.

    Args:
        folder: of the embedded one.
        environment: variables of this process.
        owner: process for which the embedded one runs.
        own: whether it is one of the user's, as the plan found.

    Raises:
        DataError: see `embedded` and `named`.
    """
    return named(environment) if own else embedded(folder, owner)


def connect(server: Server, **options: object) -> psycopg.Connection:
    """A connection, or one line that says why there is none.

    Args:
        server: where to.
        options: of psycopg.connect, such as autocommit.

    Raises:
        UnreachableError: no connection; cause and fix, without a password.
    """
    told = {"connect_timeout": CONNECT_S, "application_name": "almanac", **server.options}
    told["prepare_threshold"] = None  # prepared statements do not outlive DISCARD, or a pooler
    try:
        return psycopg.connect(**{**told, **options})
    except (psycopg.OperationalError, psycopg.ProgrammingError, UnicodeError) as error:
        raise UnreachableError(f"{server.name}: {_cause(error)}") from None


def _cause(error: Exception) -> str:
    """What a failed connection means; unknown faults by what the server itself said."""
    text = " ".join(str(error).split())
    for pattern, meaning in KNOWN:
        if re.search(pattern, text, re.IGNORECASE):
            return meaning
    said = re.search(r"FATAL: .*", text)
    return f"no connection ({said[0] if said else type(error).__name__}); check its address"


def exists(server: Server) -> bool:
    """Whether its database is there; for the embedded server."""
    with connect(server.at("postgres"), autocommit=True) as connection:
        name = server.options["dbname"]
        try:
            there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        except psycopg.Error as error:
            raise fault(error, server) from None
        return there.fetchone() is not None


def ensure_database(server: Server) -> None:
    """Make the server's database, if it is not there; for the embedded server."""
    if not exists(server):
        with connect(server.at("postgres"), autocommit=True) as connection:
            name = sql.Identifier(server.options["dbname"])
            try:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
            except psycopg.Error as error:
                raise fault(error, server) from None


def limit_waits(connection: psycopg.Connection) -> None:
    """Let later statements of a session fail that wait too long for another session's lock."""
    connection.execute(f"SET lock_timeout = '{round(LOCK_S * 1000)}'")


def broken(error: psycopg.Error) -> str:
    """What a client says of a connection that broke."""
    return f"the connection broke ({' '.join(str(error).split()).split(' This probably')[0]})"


def fault(error: psycopg.Error, server: Server) -> DataError:
    """What the server said, in one line; of a connection that broke, its last words."""
    diagnosis = error.diag
    if diagnosis.message_primary is None:
        words = f": {last_words(server.log)}" if server.log else ""
        return DataError(f"{server.name}: {broken(error)}{words}; run again")
    parts = [diagnosis.message_primary]
    parts += [text for text in (diagnosis.message_detail, diagnosis.message_hint) if text]
    parts += [fix for code, fix in AFTERWARDS.items() if (error.sqlstate or "").startswith(code)]
    return DataError(f"{server.name}: {'; '.join(' '.join(part.split()) for part in parts)}")

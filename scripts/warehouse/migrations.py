"""Migrations: numbered files of SQL, applied in order, each in one transaction, never edited."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql

from scripts.errors import DataError
from scripts.warehouse import server

NAME = re.compile(r"(?P<number>[0-9]{3})_[a-z0-9_]+")
HEADER = re.compile(r"\A(?:[ \t]*(?:--[^\n]*)?\r?\n)*")  # comments above the first statement
ANNOUNCED = r"^[ \t]*--[ \t]*{}:(?P<names>[^\r\n]+)"
RECORD = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seconds double precision NOT NULL
)
"""


class Migration(NamedTuple):
    """A file of SQL."""

    number: int
    name: str  # NNN_what
    text: str
    sha256: str

    @property
    def changes(self) -> list[str]:
        """What its header says it changes on purpose: `-- changes: table, table.column`."""
        return self._announced("changes")

    @property
    def removes(self) -> list[str]:
        """What its header says loses rows, columns or all: `-- removes: table, table.column`."""
        return self._announced("removes")

    def _announced(self, word: str) -> list[str]:
        header = HEADER.match(self.text + "\n")[0]
        lines = re.findall(ANNOUNCED.format(word), header, re.MULTILINE | re.IGNORECASE)
        return sorted({name.strip() for names in lines for name in names.split(",")})


class Limits(NamedTuple):
    """How long a migration may take."""

    lock_s: float = 5  # waiting for one lock
    statement_s: float = 600  # for the whole of it
    margin_s: float = 10  # after which the client ends what the server did not


def read(folder: Path) -> list[Migration]:
    """All migrations of a folder, in order.

    Raises:
        DataError: see `listed`; or a number is missing or given twice.
    """
    found = listed(folder)
    check_numbers(found, folder)
    return found


def listed(folder: Path) -> list[Migration]:
    """All migrations of a folder by name, whatever their numbers.

    Raises:
        DataError: there are none, a name is not NNN_what.sql, or a file is not UTF-8, or
            holds a zero byte.
    """
    files = sorted(folder.glob("*.sql"))
    if not files:
        raise DataError(f"{folder}: no migrations; the first is 001_name.sql")
    found = []
    for path in files:
        match = NAME.fullmatch(path.stem)
        if match is None:
            raise DataError(f"{path}: rename it NNN_what.sql, in small letters, digits and _")
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: cannot be read as UTF-8 ({error})") from None
        if (zero := text.find("\0")) >= 0:
            line = text.count("\n", 0, zero) + 1
            raise DataError(f"{path}: line {line}: a zero byte; the file is damaged, restore it")
        digest = hashlib.sha256(text.encode()).hexdigest()
        found.append(Migration(int(match["number"]), path.stem, text, digest))
    return found


def named(folder: Path, name: str) -> Migration:
    """One migration of a folder, whatever the numbers of the others.

    Raises:
        DataError: see `listed`.
    """
    return next(migration for migration in listed(folder) if migration.name == name)


def check_numbers(found: Sequence[Migration], folder: Path) -> None:
    """See that migrations are numbered 1, 2, 3, ...

    Raises:
        DataError: a number is 0, missing or given twice.
    """
    numbers = Counter(migration.number for migration in found)
    if (first := min(numbers)) < 1:
        raise DataError(f"{folder}: number {first:03}: the first is 001; renumber it")
    for number, count in sorted(numbers.items()):
        if count > 1:
            names = " and ".join(m.name for m in found if m.number == number)
            free = max(numbers) + 1
            raise DataError(
                f"{folder}: number {number:03} is given twice, to {names}; renumber the newer one "
                f"{free:03}"
            )
    for number in range(1, max(numbers) + 1):
        if number not in numbers:
            raise DataError(
                f"{folder}: there is no migration {number:03} below {max(numbers):03}; restore or "
                "renumber"
            )


def applied(connection: psycopg.Connection) -> dict[int, tuple[str, str]]:
    """Migrations that a database has: number -> (name, sha256)."""
    if connection.execute("SELECT to_regclass('schema_migrations')").fetchone()[0] is None:
        return {}
    rows = connection.execute("SELECT number, name, sha256 FROM schema_migrations ORDER BY number")
    return {number: (name, sha256) for number, name, sha256 in rows}


def check_history(
    migrations: Sequence[Migration], history: Mapping[int, tuple[str, str]], place: str
) -> None:
    """See that what was applied is what the files say.

    Args:
        migrations: of the folder.
        history: as `applied` gives it.
        place: whose history it is.

    Raises:
        DataError: a migration was edited, renamed or removed after it was applied.
    """
    files = {migration.number: migration for migration in migrations}
    for number, (name, sha256) in sorted(history.items()):
        if number not in files:
            raise DataError(
                f"migration {name} was applied to {place} and its file is gone; restore it"
            )
        file = files[number]
        if file.sha256 != sha256:
            what = "edited" if file.name == name else f"replaced by {file.name}"
            raise DataError(
                f"migration {name} was {what} after it was applied to {place} (sha256 "
                f"{sha256[:12]}, now {file.sha256[:12]}); restore it and write a new migration"
            )


def run(connection: psycopg.Connection, migration: Migration, limits: Limits) -> float:
    """Apply one migration and record it, in one transaction.

    The text is executed inside the server as the body of a block: there it cannot end the
    transaction. What it may wait for a lock, and take in all, has limits; should it lift them
    itself, the client ends it.

    Args:
        connection: outside a transaction, autocommit.
        migration: the next one.
        limits: of time.

    Returns:
        seconds.

    Raises:
        DataError: it failed, and nothing of it is left.
    """
    start = time.perf_counter()
    before = applied(connection)
    body = f"BEGIN EXECUTE {sql.Literal(migration.text).as_string(connection)}; END"
    try:
        with (
            _ended_after(connection, limits.statement_s + limits.margin_s),
            connection.transaction(),
        ):
            for name, seconds in (("lock", limits.lock_s), ("statement", limits.statement_s)):
                connection.execute(f"SET LOCAL {name}_timeout = {round(seconds * 1000)}")
            connection.execute(RECORD)
            if migration.text.strip():
                connection.execute(sql.SQL("DO {}").format(sql.Literal(body)))
            # What it has set is not to outlive it.
            connection.execute("SET LOCAL search_path = public")
            seconds = time.perf_counter() - start
            if applied(connection) != before:
                raise DataError(f"{migration.name}.sql changes schema_migrations; leave that to us")
            connection.execute(
                "INSERT INTO schema_migrations (number, name, sha256, seconds) "
                "VALUES (%s, %s, %s, %s)",
                [migration.number, migration.name, migration.sha256, seconds],
            )
    except psycopg.Error as error:
        raise DataError(f"{migration.name}.sql{_cause(error, migration, limits)}") from None
    finally:
        with suppress(psycopg.Error):
            connection.execute("DISCARD ALL")
    return time.perf_counter() - start


@contextmanager
def _ended_after(connection: psycopg.Connection, seconds: float) -> Iterator[None]:
    """Cancel what a connection does after a time, again and again until it stops."""
    over = threading.Event()

    def watch() -> None:
        if over.wait(seconds):
            return
        while not over.wait(1):
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=5)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _cause(error: psycopg.Error, migration: Migration, limits: Limits) -> str:
    """Where and why a migration failed."""
    told = error.diag
    if told.message_primary is None:
        return f": {server.broken(error)}; run again"
    text = " ".join(told.message_primary.split())
    line = ""
    if told.internal_position and told.internal_query == migration.text:
        line = f" line {migration.text[: int(told.internal_position) - 1].count(chr(10)) + 1}"
    meaning = {
        "55P03": f"it waited more than {limits.lock_s:g} s for a lock that another session holds; "
        "end it and run again",
        "57014": f"it took more than {limits.statement_s:g} s",
        "0A000": "it begins or ends a transaction; remove that, it runs in one"
        if "transaction" in text
        else "",
        "25001": "such a statement cannot run in a transaction, which every migration does",
    }.get(error.sqlstate or "", "")
    if (error.sqlstate or "").startswith("57P"):  # the server ends, or somebody ended the session
        meaning = "run again"
    more = [" ".join(told.message_detail.split())] if told.message_detail else []
    return f"{line}: {'; '.join([text, *filter(None, [meaning]), *more])}"


def bring_forward(
    connection: psycopg.Connection, migrations: Sequence[Migration], limits: Limits, place: str
) -> list[str]:
    """Apply what a database lacks, in order.

    Args:
        connection: outside a transaction, autocommit.
        migrations: all of them, or the first ones.
        limits: of time, for each.
        place: the database, for messages.

    Returns:
        names of what was applied.

    Raises:
        DataError: see `check_history` and `run`; what was applied before a failure stays.
    """
    history = applied(connection)
    check_history(migrations, history, place)
    fresh = [migration for migration in migrations if migration.number not in history]
    for migration in fresh:
        run(connection, migration, limits)
    return [migration.name for migration in fresh]

"""Copies of databases: by template on one server; while it is in use, by dump and restore."""

from __future__ import annotations

import subprocess
from contextlib import suppress

import psycopg
from psycopg import sql

from scripts.errors import DataError
from scripts.warehouse import programs, server
from scripts.warehouse.server import Server

DUMP_S = 3600
IN_USE = "55006"
OWNER = "candidate"  # owns copies, and nothing else: what is tried harms no other database
OWNED = """
SELECT format('ALTER %%s %%I OWNER TO %%I', CASE relkind WHEN 'm' THEN 'MATERIALIZED VIEW'
    WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, relname, %s::text)
FROM pg_class AS c
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'm', 'v', 'S')
    AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = c.oid AND deptype IN ('a', 'i'))
ORDER BY relkind DESC
"""


def copy(source: Server, target: Server, *, same_server: bool) -> str:
    """Make `target` a copy of `source`, which is only read; a target that is there is replaced.

    Returns:
        how: template, or dump.

    Raises:
        DataError: it cannot be read or made.
    """
    name, origin = (sql.Identifier(s.options.get("dbname", "")) for s in (target, source))
    with server.connect(target.at("postgres"), autocommit=True) as connection:
        try:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            if same_server:
                try:
                    connection.execute(
                        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, origin)
                    )
                    return "template"
                except psycopg.Error as error:
                    if error.sqlstate != IN_USE:
                        raise
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
        except psycopg.Error as error:
            raise server.fault(error, target) from None
    _pipe(source, target)
    with server.connect(target, autocommit=True) as connection:
        connection.execute("ANALYZE")
    return "dump"


def hand_over(copy: Server) -> None:
    """Make a fresh copy, and all that is in it, the property of a user without rights elsewhere."""
    role = sql.Identifier(OWNER)
    with server.connect(copy, autocommit=True) as connection:
        with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
        name = sql.Identifier(copy.options["dbname"])
        connection.execute(sql.SQL("GRANT ALL ON DATABASE {} TO {}").format(name, role))
        connection.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(role))
        for (statement,) in connection.execute(OWNED, [OWNER]).fetchall():
            connection.execute(statement)


def as_owner(copy: Server) -> Server:
    """A copy that was handed over, as its owner sees it."""
    return copy._replace(options={**copy.options, "user": OWNER})


def drop(database: Server) -> bool:
    """Drop a database, whoever uses it; whether it was there."""
    found = server.exists(database)
    with server.connect(database.at("postgres"), autocommit=True) as connection:
        name = sql.Identifier(database.options["dbname"])
        try:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        except psycopg.Error as error:
            raise server.fault(error, database) from None
    return found


def _pipe(source: Server, target: Server) -> None:
    """pg_dump | pg_restore."""
    dump = [str(programs.client("pg_dump")), "--format=custom", "--compress=0", "--no-owner"]
    dump += ["--no-privileges", "--no-password"]
    restore = [str(programs.client("pg_restore")), "--exit-on-error", "--no-owner"]
    restore += ["--no-privileges", "--no-password", "--single-transaction"]
    restore += [f"--dbname={target.options['dbname']}"]
    with (
        subprocess.Popen(
            dump, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(source)
        ) as reader,
        subprocess.Popen(
            restore, stdin=reader.stdout, stderr=subprocess.PIPE, env=environment(target)
        ) as writer,
    ):
        reader.stdout.close()
        _, told = writer.communicate(timeout=DUMP_S)
        said = reader.stderr.read()
        reader.wait(timeout=DUMP_S)
    if reader.returncode:
        raise DataError(f"{source.name}: pg_dump failed: {last_line(said)}; run again")
    if writer.returncode:
        raise DataError(f"{target.name}: pg_restore failed: {last_line(told)}; run again")


def environment(database: Server) -> dict[str, str]:
    """What a program of PostgreSQL is given: libpq's variables and where the home is."""
    own = {"PGCONNECT_TIMEOUT": str(server.CONNECT_S), "PGAPPNAME": "almanac", "LC_ALL": "C"}
    return {**database.inherited, **own, **database.environment()}


def last_line(said: bytes) -> str:
    """The last line of a program that tells of an error."""
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    told = [line for line in lines if "error" in line.lower()]
    return " ".join((told or lines or ["it says nothing"])[-1].split())

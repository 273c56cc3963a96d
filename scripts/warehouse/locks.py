"""Locks that a migration holds: how long readers and writers of a table would wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from scripts.warehouse import server
from scripts.warehouse.server import Server

POLL_S = 0.02
BLOCKING = {  # mode -> whom it keeps waiting
    "AccessExclusiveLock": "readers and writers",
    "ExclusiveLock": "writers",
    "ShareRowExclusiveLock": "writers",
    "ShareLock": "writers",
}
HELD = """
SELECT c.relname, l.mode FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
WHERE l.pid = %s AND l.granted AND l.mode = ANY(%s) AND l.database =
    (SELECT oid FROM pg_database WHERE datname = current_database())
    AND c.relkind IN ('r', 'p', 'm')
"""


@contextmanager
def watched(database: Server, connection: psycopg.Connection) -> Iterator[dict]:
    """Watch a connection's strong locks on tables that another session can see.

    Yields:
        (table, mode) -> seconds from when the lock was first seen to when it was last; filled while
        the body runs. Tables that the transaction itself makes are not seen from outside.
    """
    held: dict[tuple[str, str], float] = {}
    first: dict[tuple[str, str], float] = {}
    over = threading.Event()
    pid = connection.info.backend_pid

    def watch() -> None:
        with server.connect(database, autocommit=True) as looking:
            while not over.wait(POLL_S):
                now = time.perf_counter()
                for found in looking.execute(HELD, [pid, list(BLOCKING)]):
                    held[found] = now - first.setdefault(found, now)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield held
    finally:
        over.set()
        watcher.join()

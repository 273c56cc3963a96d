"""Materialised views: which there are, in the order in which they read each other; refreshing."""

from __future__ import annotations

import time

import psycopg
from psycopg import sql

# A view comes after all that it reads: levels of the tree of what depends on what.
ORDER = """
WITH RECURSIVE reads AS (
    SELECT DISTINCT r.ev_class AS reader, d.refobjid AS read
    FROM pg_depend AS d
    JOIN pg_rewrite AS r ON r.oid = d.objid
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
        AND d.refobjid <> r.ev_class
),
levels AS (
    SELECT oid AS view, 0 AS level FROM pg_class
    WHERE relkind IN ('m', 'v') AND relnamespace = 'public'::regnamespace
    UNION
    SELECT reads.reader, levels.level + 1 FROM levels JOIN reads ON reads.read = levels.view
)
SELECT c.relname, c.relispopulated
FROM levels JOIN pg_class AS c ON c.oid = levels.view
WHERE c.relkind = 'm'
GROUP BY c.relname, c.relispopulated
ORDER BY max(level), c.relname
"""


def refresh(connection: psycopg.Connection) -> list[dict]:
    """Refresh all materialised views, each in a transaction of its own, readers not kept waiting.

    A view that has rows is refreshed concurrently, which its unique index allows.

    Args:
        connection: autocommit, outside a transaction.

    Returns:
        {view, rows, seconds, concurrently} of each, in the order of refreshing.
    """
    done = []
    for name, populated in connection.execute(ORDER).fetchall():
        start = time.perf_counter()
        how = sql.SQL("CONCURRENTLY ") if populated else sql.SQL("")
        view = sql.Identifier(name)
        connection.execute(sql.SQL("REFRESH MATERIALIZED VIEW {}{}").format(how, view))
        connection.execute(sql.SQL("ANALYZE {}").format(view))
        count = sql.SQL("SELECT count(*) FROM {}").format(view)
        rows = connection.execute(count).fetchone()[0]
        seconds = time.perf_counter() - start
        connection.execute(
            "INSERT INTO refresh_log (view, seconds, rows, was_concurrent) VALUES (%s, %s, %s, %s)",
            [name, seconds, rows, populated],
        )
        done.append({"view": name, "rows": rows, "seconds": seconds, "concurrently": populated})
    return done

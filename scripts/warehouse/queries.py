"""The queries of warehouse/queries: what they give, how fast, which tables they read whole."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg

from scripts.errors import DataError

REPEATS = 3
DIGITS = 9  # significant ones: sums of floats move in the last, with the order of adding


def read(folder: Path) -> dict[str, str]:
    """Queries by name.

    Raises:
        DataError: there are none, or one cannot be read.
    """
    try:
        found = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.sql")}
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{folder}: a query cannot be read ({error})") from None
    if not found:
        raise DataError(f"{folder}: no queries (*.sql)")
    return dict(sorted(found.items()))


def measure(connection: psycopg.Connection, queries: Mapping[str, str]) -> dict[str, dict]:
    """Run each query, in transactions that only read.

    Args:
        connection: autocommit.
        queries: name -> text.

    Returns:
        name -> {rows, sha256 of the result, seconds (least of some runs), scans: {relation: rows
        read one after another}}, or {error}.
    """
    connection.execute("SET default_transaction_read_only = on")
    found = {}
    for name, text in queries.items():
        try:
            rows, seconds = None, float("inf")
            for _ in range(REPEATS):
                start = time.perf_counter()
                rows = connection.execute(text).fetchall()
                seconds = min(seconds, time.perf_counter() - start)
            plan = connection.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {text}")
            scans = _scans(plan.fetchone()[0][0]["Plan"])
        except psycopg.Error as error:
            found[name] = {"error": " ".join(str(error).split())}
            continue
        shown = json.dumps([[_shown(value) for value in row] for row in rows])
        found[name] = {
            "rows": len(rows),
            "sha256": hashlib.sha256(shown.encode()).hexdigest(),
            "seconds": round(seconds, 5),
            "scans": scans,
        }
    connection.execute("RESET default_transaction_read_only")
    return found


def _shown(value: object) -> str | None:
    """A value as text; numbers to so many digits that rounding is not seen."""
    if value is None:
        return None
    try:
        return f"{float(value):.{DIGITS}g}"
    except (TypeError, ValueError):
        return str(value)


def _scans(plan: Mapping) -> dict[str, int]:
    """Relations that a plan reads row by row, with the rows read (of all loops)."""
    found: dict[str, int] = {}
    for node in _nodes(plan):
        if node["Node Type"] == "Seq Scan":
            read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            name = node["Relation Name"]
            found[name] = found.get(name, 0) + round(read * node["Actual Loops"])
    return found


def _nodes(plan: Mapping) -> Iterator[Mapping]:
    yield plan
    for part in plan.get("Plans", []):
        yield from _nodes(part)


def changed(before: Mapping[str, Mapping], after: Mapping[str, Mapping]) -> list[str]:
    """Queries that fail now or give something else; a line each."""
    lines = []
    for name, old in before.items():
        new = after[name]
        if "error" in old:
            continue
        if "error" in new:
            lines.append(f"query {name} fails: {new['error']}")
        elif new["sha256"] != old["sha256"]:
            lines.append(
                f"query {name} gives another result ({old['rows']} rows before, {new['rows']} now)"
            )
    return lines


def slower(
    before: Mapping[str, Mapping],
    after: Mapping[str, Mapping],
    times: float,
    at_least_s: float,
    scan_rows: int,
) -> list[str]:
    """Queries that take many times longer, or read a long table whole that they did not before.

    Args:
        before, after: of `measure`.
        times: how much longer.
        at_least_s: queries below that are never slow.
        scan_rows: rows that may be read one after another.
    """
    lines = []
    for name, old in before.items():
        new = after[name]
        if "error" in old or "error" in new:
            continue
        if new["seconds"] > max(times * old["seconds"], at_least_s):
            lines.append(
                f"query {name} takes {new['seconds']:.3f} s, {old['seconds']:.3f} s before (limit "
                f"{times:g} times)"
            )
        for relation, rows in new["scans"].items():
            if rows > scan_rows and old["scans"].get(relation, 0) <= scan_rows:
                lines.append(
                    f"query {name} now reads {rows} rows of {relation} one after another (limit "
                    f"{scan_rows}); is an index missing?"
                )
    return lines

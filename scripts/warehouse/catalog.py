"""What a database holds, from pg_catalog: its objects, and sums by which rows are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

BOOKKEEPING = ("schema_migrations", "refresh_log", "loads", "warehouse")
COLUMNS = """
SELECT c.relname, c.relkind, a.attname,
    format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'm', 'v')
    AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""
INDEXES = """
SELECT t.relname, i.relname, x.indisunique, x.indisvalid AND x.indisready, x.indpred IS NULL,
    (SELECT string_agg(pg_get_indexdef(x.indexrelid, n, true), ', ' ORDER BY n)
     FROM generate_series(1, x.indnkeyatts) AS n)
FROM pg_index AS x
JOIN pg_class AS t ON t.oid = x.indrelid
JOIN pg_class AS i ON i.oid = x.indexrelid
WHERE t.relnamespace = 'public'::regnamespace
ORDER BY t.relname, i.relname
"""
CONSTRAINTS = """
SELECT t.relname, k.conname, k.convalidated, pg_get_constraintdef(k.oid, true)
FROM pg_constraint AS k
JOIN pg_class AS t ON t.oid = k.conrelid
WHERE t.relnamespace = 'public'::regnamespace AND k.contype <> 'n'
ORDER BY t.relname, k.conname
"""
FLOAT = "double precision"
WHOLE = "(rows as a whole)"  # stands for a column, where there is no key
BEHAVIOUR = """
SELECT c.relname, 'definition', pg_get_viewdef(c.oid) FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('v', 'm')
UNION ALL
SELECT c.relname, 'default of ' || a.attname, pg_get_expr(d.adbin, d.adrelid)
FROM pg_attrdef AS d JOIN pg_class AS c ON c.oid = d.adrelid
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.adnum
WHERE c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT c.relname, 'trigger ' || t.tgname,
    pg_get_triggerdef(t.oid) || ' (' || t.tgenabled::text || ')'
FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'public'::regnamespace AND (NOT t.tgisinternal OR t.tgenabled <> 'O')
UNION ALL
SELECT c.relname, 'rule ' || r.rulename, pg_get_ruledef(r.oid)
FROM pg_rewrite AS r JOIN pg_class AS c ON c.oid = r.ev_class
WHERE c.relnamespace = 'public'::regnamespace AND r.rulename <> '_RETURN'
UNION ALL
SELECT c.relname, 'index ' || i.relname, pg_get_indexdef(i.oid)
FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indrelid
JOIN pg_class AS i ON i.oid = x.indexrelid
WHERE c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT c.relname, 'row security', 'on' FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND (c.relrowsecurity OR c.relforcerowsecurity)
UNION ALL
SELECT c.relname, 'logging', 'off' FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relpersistence = 'u'
"""
KINDS = {"r": "tables", "p": "tables", "m": "materialised_views", "v": "views"}


def describe(connection: psycopg.Connection) -> dict[str, dict]:
    """Tables and views with columns, indexes and constraints, in words that can be compared.

    Returns:
        {tables | materialised_views | views: {name: {columns: {name: type}, indexes: {name: text},
        constraints: {name: text}, behaviour: {what: text}}}}. An index or constraint that is not
        valid says so; behaviour is what columns and constraints do not tell: definitions of views,
        defaults, triggers, rules, the text of indexes, row security, tables without a log.
    """
    found: dict[str, dict] = {"tables": {}, "materialised_views": {}, "views": {}}
    where = {}
    for relation, kind, column, text in connection.execute(COLUMNS):
        entry = found[KINDS[kind]].setdefault(relation, {"columns": {}})
        entry["columns"][column] = text
        where[relation] = entry
    for relation, name, unique, valid, whole, columns in connection.execute(INDEXES):
        if relation not in where:  # a kind of table that nothing is said of here
            continue
        text = ("unique " if unique else "") + columns
        text += ("" if whole else " (partial)") + ("" if valid else " (not valid)")
        where[relation].setdefault("indexes", {})[name] = text
    for relation, name, valid, text in connection.execute(CONSTRAINTS):
        if relation not in where:
            continue
        # NOT VALID stands in the text of those that are not; said once, in our words.
        text = text.removesuffix(" NOT VALID") + ("" if valid else " (not valid)")
        where[relation].setdefault("constraints", {})[name] = text
    for relation, what, text in connection.execute(BEHAVIOUR):
        if relation in where:
            where[relation].setdefault("behaviour", {})[what] = text
    return found


def behaves_otherwise(before: Mapping[str, Mapping], after: Mapping[str, Mapping]) -> list[str]:
    """How relations of before behave otherwise than then; a line each: relation: what.

    A default of a new column and a new index are no other behaviour; a lost index is told by the
    declaration.
    """
    lines = []
    for kind, relations in before.items():
        for name, old in relations.items():
            new = after[kind].get(name)
            if new is None:
                continue
            was, now = old.get("behaviour", {}), new.get("behaviour", {})
            for what in sorted(was.keys() | now.keys()):
                fresh = what.startswith("index ") or (
                    what.startswith("default of ")
                    and what.removeprefix("default of ") not in old["columns"]
                )
                gone = what not in now and what.startswith("index ")
                if was.get(what) == now.get(what) or gone or (fresh and what not in was):
                    continue
                text = " ".join((now.get(what) or "gone").split())
                lines.append(f"{name}: {what} is now {text[:200]}")
    return lines


def keys(connection: psycopg.Connection) -> dict[str, list[str]]:
    """Relation -> columns of its primary key, or of its first unique index; [] without any."""
    rows = connection.execute(
        "SELECT DISTINCT ON (c.relname) c.relname, "
        "array(SELECT a.attname::text FROM unnest(x.indkey::int[]) AS n "
        "JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = n) "
        "FROM pg_class AS c LEFT JOIN pg_index AS x ON x.indrelid = c.oid AND x.indisunique "
        "AND x.indisvalid AND x.indpred IS NULL AND 0 <> ALL (x.indkey::int[]) "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'm') "
        "ORDER BY c.relname, x.indisprimary DESC NULLS LAST, x.indexrelid"
    )
    return {name: sorted(columns or []) for name, columns in rows}


def sums(
    connection: psycopg.Connection, known: Mapping[str, Mapping] | None = None
) -> dict[str, dict]:
    """What the rows of all tables and materialised views are known by.

    The sum of a column moves when any of its values changes or changes its row: it is made of
    hashes of value and key. A column that keeps its values under another type keeps its sum.

    Args:
        connection: to the database.
        known: earlier sums; only relations and columns that they have are looked at, by the keys
            of then. None: all but bookkeeping.

    Returns:
        relation -> {rows, key: [columns], columns: {name: [values that are not null, sum]}}.
    """
    described = describe(connection)
    by_key = keys(connection)
    found = {}
    for kind in ("tables", "materialised_views"):
        for name, entry in described[kind].items():
            columns = entry["columns"]
            if name in BOOKKEEPING or (known is not None and name not in known):
                continue
            key = by_key[name] if known is None else known[name]["key"]
            key = key if set(key) <= set(columns) else []
            if known is not None:
                columns = {c: columns[c] for c in columns if c in known[name]["columns"]}
            # A view is made of sums, which differ in their last digits with the order of adding.
            rounded = kind == "materialised_views"
            found[name] = {"key": key, **_sums_of(connection, name, columns, key, rounded)}
    return found


def _sums_of(
    connection: psycopg.Connection,
    name: str,
    columns: Mapping[str, str],
    key: Sequence[str],
    rounded: bool,
) -> dict[str, object]:
    """Rows, and of each column the values that are not null with their sum."""
    parts = [sql.SQL("count(*)")]
    for column, kind in columns.items():
        value = sql.SQL("r.{}").format(sql.Identifier(column))
        parts.append(sql.SQL("count({})").format(value))
        if rounded and kind.startswith(FLOAT):
            value = sql.SQL("round({}::numeric, 9)").format(value)
        parts.append(sql.SQL("sum(hashtextextended({}::text, h.known)::numeric)").format(value))
    if not key:  # then values may be swapped between rows
        every = sql.SQL(", ").join(sql.SQL("r.{}").format(sql.Identifier(c)) for c in columns)
        parts.append(sql.SQL("count(*)"))
        parts.append(sql.SQL("sum(hashtextextended(ROW({})::text, 0)::numeric)").format(every))
    of_key = sql.SQL(", ").join(sql.SQL("r.{}").format(sql.Identifier(column)) for column in key)
    query = sql.SQL(
        "SELECT {} FROM {} AS r CROSS JOIN LATERAL "
        "(SELECT hashtextextended(ROW({})::text, 0) AS known OFFSET 0) AS h"
    ).format(sql.SQL(", ").join(parts), sql.Identifier(name), of_key)
    rows, *rest = connection.execute(query).fetchone()
    columns = [*columns, *([] if key else [WHOLE])]
    pairs = zip(rest[::2], rest[1::2], strict=True)
    return {
        "rows": rows,
        "columns": {c: [n, str(total)] for c, (n, total) in zip(columns, pairs, strict=True)},
    }


def differences(before: Mapping[str, Mapping], after: Mapping[str, Mapping]) -> list[str]:
    """What of the earlier sums is not so any more; a line each: table.column: what happened."""
    lines = []
    for name, old in sorted(before.items()):
        new = after.get(name)
        if new is None:
            lines.append(f"{name}: gone, with its {old['rows']} rows")
            continue
        if new["rows"] != old["rows"]:
            lines.append(f"{name}: {old['rows']} rows before, {new['rows']} after")
        told = len(lines)
        for column, (count, total) in old["columns"].items():
            if column == WHOLE and (
                len(lines) > told or new["columns"].keys() != old["columns"].keys()
            ):
                continue  # a column has told of it
            now = new["columns"].get(column)
            if now is None:
                lines.append(f"{name}.{column}: gone, with its {count} values")
            elif now[0] != count:
                lines.append(f"{name}.{column}: {count} values before, {now[0]} after")
            elif now[1] != total and new["rows"] == old["rows"]:
                lines.append(f"{name}.{column}: other values than before")
    return lines

"""Whether a database holds what the parquet says, and its views what polars makes of that."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

import polars as pl
import psycopg
from psycopg import sql

from scripts.warehouse import catalog, features, loading

TOLERANCE = 1e-9  # of floats, relative to 1 or to what is greater: the order of adding differs
GAME, TEAM, PLAYER = ("games", "game_id"), ("teams", "code"), ("players", "player_id")
REFERENCES = (  # of the tables; the database's own constraints are not believed
    ("games", "home_team", *TEAM),
    ("games", "away_team", *TEAM),
    *((table, "game_id", *GAME) for table in ("plays", "player_games", "odds", "weather")),
    ("team_epa", "game_id", *GAME),
    ("plays", "posteam", *TEAM),
    ("plays", "defteam", *TEAM),
    ("player_games", "team", *TEAM),
    ("team_epa", "team", *TEAM),
    ("rosters", "team", *TEAM),
    ("rosters", "player_id", *PLAYER),
)
KEYS = {
    "games": ["game_id"],
    "plays": ["game_id", "play_id"],
    "player_games": ["game_id", "player_id"],
    "odds": ["game_id"],
    "weather": ["game_id"],
    "team_epa": ["game_id", "team"],
    "players": ["player_id"],
    "rosters": ["season", "player_id"],
}


def check(name: str, got: float, limit: float, n: int, note: str = "") -> dict:
    """A check as the house writes it: it passes where `got` is at most `limit`."""
    passed = got is not None and got <= limit
    return {"check": name, "got": got, "limit": limit, "n": n, "pass": passed, "note": note}


def orphans(connection: psycopg.Connection, there: Container[str] | None = None) -> Iterator[dict]:
    """Rows that refer to a row that is not there; of all tables, or of those that are there."""
    query = (
        "SELECT count(*), count(*) FILTER (WHERE c.{column} IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM {target} AS t WHERE t.{key} = c.{column})) FROM {table} AS c"
    )
    for table, column, target, key in REFERENCES:
        if there is not None and not (table in there and target in there):
            continue
        names = {"table": table, "column": column, "target": target, "key": key}
        parts = {part: sql.Identifier(name) for part, name in names.items()}
        n, found = connection.execute(sql.SQL(query).format(**parts)).fetchone()
        yield check(f"orphans {table}.{column}", found, 0, n, f"not in {target}")


def seasons_apart(connection: psycopg.Connection) -> Iterator[dict]:
    """Rows of another season than their game's."""
    for table in loading.SEASONAL:
        if table == "games":
            continue
        query = "SELECT count(*), count(*) FILTER (WHERE c.season <> g.season) FROM {} AS c"
        joined = sql.SQL(query + " JOIN games AS g USING (game_id)").format(sql.Identifier(table))
        n, found = connection.execute(joined).fetchone()
        yield check(f"season {table}", found, 0, n, "another season than the game's")


def keys(connection: psycopg.Connection) -> Iterator[dict]:
    """Keys that are null, or that stand more than once."""
    for table, columns in KEYS.items():
        names = [sql.Identifier(column) for column in columns]
        parts = {"table": sql.Identifier(table), "key": sql.SQL(", ").join(names)}
        parts["null"] = sql.SQL(" OR ").join(sql.SQL("{} IS NULL").format(name) for name in names)
        query = (
            "SELECT (SELECT count(*) FROM {table}), "
            "(SELECT count(*) FROM {table} WHERE {null}), "
            "(SELECT coalesce(sum(n - 1), 0)::bigint FROM "
            "(SELECT count(*) AS n FROM {table} GROUP BY {key} HAVING count(*) > 1) AS twice)"
        )
        n, nulls, twice = connection.execute(sql.SQL(query).format(**parts)).fetchone()
        yield check(f"null keys {table}", nulls, 0, n, ", ".join(columns))
        yield check(f"duplicates {table}", twice, 0, n, ", ".join(columns))


def rows(connection: psycopg.Connection, frames: Mapping[str, pl.DataFrame]) -> Iterator[dict]:
    """Rows of each table, season by season, against those of the parquet."""
    for table, frame in frames.items():
        if "season" in frame.columns:
            expected = dict(frame["season"].value_counts().iter_rows())
            query = "SELECT season, count(*) FROM {} GROUP BY season"
        else:
            expected = {0: frame.height} if frame.height else {}
            query = "SELECT 0, count(*) FROM {} HAVING count(*) > 0"
        got = dict(connection.execute(sql.SQL(query).format(sql.Identifier(table))).fetchall())
        wrong = sorted(s for s in expected.keys() | got.keys() if expected.get(s) != got.get(s))
        told = ", ".join(f"{s}: {got.get(s, 0)} of {expected.get(s, 0)}" for s in wrong[:3])
        yield check(f"rows {table}", len(wrong), 0, frame.height, told or "all seasons equal")


def read(connection: psycopg.Connection, relation: str, like: pl.DataFrame) -> pl.DataFrame:
    """A view's rows as a frame of the types of another; columns in its own order."""
    cursor = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(relation)))
    names = [column.name for column in cursor.description]
    schema = {name: like.schema.get(name, pl.String) for name in names}
    return pl.DataFrame(cursor.fetchall(), schema=schema, orient="row")


def compare(name: str, key: Sequence[str], got: pl.DataFrame, expected: pl.DataFrame) -> list[dict]:
    """A check for each column of a view: how far it is from the frame at most.

    A row, column or null that only one has is infinitely far; so are values that are no numbers
    and differ.
    """
    columns = sorted(set(got.columns) ^ set(expected.columns))
    found = [check(f"columns {name}", len(columns), 0, expected.width, ", ".join(columns))]
    both = got.join(expected, on=list(key), how="inner", suffix="_expected")
    apart = got.height + expected.height - 2 * both.height
    found.append(check(f"rows {name}", apart, 0, expected.height, "keys that only one has"))
    for column in got.columns:
        if column in key or column not in expected.columns:
            continue
        one, other = both[column], both[f"{column}_expected"]
        if expected.schema[column].is_numeric():
            pair = pl.DataFrame({"a": one.cast(pl.Float64), "b": other.cast(pl.Float64)})
            distance = pair.select(_distance(pl.col("a"), pl.col("b")).max()).item()
            limit = TOLERANCE if expected.schema[column].is_float() else 0
        else:
            same = one.eq_missing(other)
            distance, limit = float((~same).sum()), 0
        found.append(check(f"{name}.{column}", distance or 0.0, limit, both.height))
    return found


def _distance(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """How far two numbers are apart, relative to 1 or to what is greater."""
    far = (a - b).abs() / pl.max_horizontal(1.0, b.abs())
    # In polars NaN equals NaN.
    return (
        pl.when(a.eq_missing(b)).then(0.0).when(far.is_finite()).then(far).otherwise(float("inf"))
    )


def views(connection: psycopg.Connection, frames: Mapping[str, pl.DataFrame]) -> Iterator[dict]:
    """Every column of every view against polars."""
    made = dict(frames)
    for name, view in features.VIEWS.items():
        made[name] = view.make(*(made.get(frame) for frame in view.frames))
        yield from compare(name, view.key, read(connection, name, made[name]), made[name])


def populated(connection: psycopg.Connection) -> dict:
    """Materialised views that nothing is known of here."""
    found = catalog.describe(connection)["materialised_views"]
    unknown = sorted(found.keys() - features.VIEWS.keys())
    return check("views known", len(unknown), 0, len(found), ", ".join(unknown))

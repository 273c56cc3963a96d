"""Rows of the graph's parquet into tables: a season in one transaction, the same every time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl
import psycopg
from psycopg import sql

from scripts.errors import DataError
from scripts.nfl.build_team_epa import COLUMNS as TEAM_EPA
from scripts.nfl.build_team_epa import with_epa
from scripts.nfl.columns import ODDS, PLAYER_GAMES, PLAYERS, PLAYS, SCHEDULES, WEATHER
from scripts.nfl.play_types import COLUMNS as PLAY_TYPES
from scripts.tables import DAMAGED, Columns, conform, schema_of
from scripts.warehouse import server

SEASONAL = {  # table -> columns of its partitions, in the order of loading
    "games": SCHEDULES,
    "plays": PLAYS,
    "player_games": PLAYER_GAMES,
    "odds": ODDS,
    "weather": WEATHER,
    "team_epa": TEAM_EPA,
}
OF_ALL = ("players", "rosters")
ALL_SEASONS = 0  # the season of such a table in `loads`
REFUSALS = (
    psycopg.IntegrityError,
    psycopg.DataError,
    psycopg.errors.CardinalityViolation,
    psycopg.errors.LockNotAvailable,
)
CLASSES = ("play_class", "explosive", "early_down", "red_zone", "garbage_time")


def sources_of(given: tuple[Mapping[str, str], str | None]) -> tuple[dict[str, Path], Path | None]:
    """What `read_season` takes, from paths as text: (table -> partition, model or none)."""
    tables, model = given
    return {table: Path(path) for table, path in tables.items()}, Path(model) if model else None


def read_season(sources: Mapping[str, Path], model: Path | None) -> dict[str, pl.DataFrame]:
    """The frames of a season.

    Args:
        sources: table -> its partition, as far as there is one; with plays also play_types.
        model: expected points of plays whose source has none; None: they stay unknown.

    Raises:
        DataError: a partition cannot be read, or lacks a column.
    """
    frames = {
        table: _partition(sources[table], columns)
        for table, columns in SEASONAL.items()
        if table in sources
    }
    if "plays" in frames:
        types = _partition(sources["play_types"], PLAY_TYPES, ("game_id", "play_id"))
        frames["plays"] = with_classes(with_epa(frames["plays"], model), types)
    return frames


def _partition(path: Path, columns: Columns, key: Sequence[str] = ()) -> pl.DataFrame:
    """A partition; where a key is given, each of its rows has one of its own."""
    try:
        raw = pl.read_parquet(path)
        for name, kind in raw.schema.items():  # true would be cast to 1
            if kind == pl.Boolean and name in columns and columns[name].dtype != pl.Boolean:
                raise DataError(f"column {name} is {kind}, expected {columns[name].dtype}")
        frame = conform(raw, columns)
        again = frame.filter(~pl.struct(key).is_first_distinct()) if key else frame.clear()
        if again.height:
            raise DataError(f"{' '.join(map(str, again.select(key).row(0)))} stands twice")
        if empty := [name for name in key if frame[name].null_count()]:
            raise DataError(f"a row without {empty[0]}")
        return frame
    except (*DAMAGED, DataError) as error:
        cause = str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be loaded ({cause}); remove it and run again") from None


def complete(frames: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Frames of all tables of a season: those without a source have no rows."""
    columns = {**SEASONAL, "plays": {**PLAYS, **{name: PLAY_TYPES[name] for name in CLASSES}}}
    empty = {table: pl.DataFrame(schema=schema_of(of)) for table, of in columns.items()}
    return {**empty, **frames}


def with_classes(plays: pl.DataFrame, types: pl.DataFrame) -> pl.DataFrame:
    """Plays with their classes and flags."""
    keys = ["game_id", "play_id"]
    return plays.join(types.select(*keys, *CLASSES), on=keys, how="left", maintain_order="left")


def read_players(partitions: Iterable[Path]) -> dict[str, pl.DataFrame]:
    """Players as the latest season has them, and rosters: who was known to be of a team.

    Args:
        partitions: of all seasons; none: there is no such source.

    Raises:
        DataError: one cannot be read, lacks a column, or has a player twice in a season.
    """
    frames = [_partition(path, PLAYERS, ("season", "player_id")) for path in partitions]
    seasons = pl.concat([pl.DataFrame(schema=schema_of(PLAYERS)), *frames])
    seasons = seasons.sort("player_id", "season")
    latest = seasons.group_by("player_id", maintain_order=True).last()
    players = latest.select("player_id", "name", "position", "birth_date", last_season="season")
    rosters = seasons.drop_nulls("team").select("season", "player_id", "team", "position")
    return {"players": players, "rosters": rosters.sort("season", "player_id")}


def columns_in(connection: psycopg.Connection, table: str) -> list[str]:
    """Columns of a table in their order; none where there is no such table."""
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 "
        "AND NOT attisdropped ORDER BY attnum",
        [table],
    )
    return [name for (name,) in rows]


def as_csv(frame: pl.DataFrame) -> bytes:
    """Rows as COPY takes them: text always quoted, nothing for null."""
    return frame.write_csv(None, include_header=False, quote_style="non_numeric").encode()


def _copy(connection: psycopg.Connection, table: str, frame: pl.DataFrame, rows: bytes) -> None:
    command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    )
    with connection.cursor().copy(command) as copy:
        copy.write(rows)


def _upsert(
    connection: psycopg.Connection,
    table: str,
    key: Sequence[str],
    frame: pl.DataFrame,
    rows: bytes,
    season: int,
) -> None:
    """Make a table's rows (of a season; 0: all) those of the frame, unchanged ones left alone.

    What refers to a row that stays is not deleted with it, as it would be by DELETE and COPY.
    """
    name, fresh = sql.Identifier(table), sql.Identifier(f"fresh_{table}")
    columns = [sql.Identifier(column) for column in frame.columns]
    others = [sql.Identifier(column) for column in frame.columns if column not in key]
    parts = {
        "table": name,
        "fresh": fresh,
        "columns": sql.SQL(", ").join(columns),
        "key": sql.SQL(", ").join(map(sql.Identifier, key)),
        "news": sql.SQL(", ").join(sql.SQL("excluded.{}").format(column) for column in others),
        "olds": sql.SQL(", ").join(sql.SQL("{}.{}").format(name, column) for column in others),
        "others": sql.SQL(", ").join(others),
    }
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {fresh}").format(**parts))
    connection.execute(
        sql.SQL(
            "CREATE TEMP TABLE {fresh} ON COMMIT DROP AS SELECT {columns} FROM {table} LIMIT 0"
        ).format(**parts)
    )
    _copy(connection, f"fresh_{table}", frame, rows)
    gone = "DELETE FROM {table} WHERE ({key}) NOT IN (SELECT {key} FROM {fresh})"
    gone += " AND season = {season}" if season else ""
    connection.execute(sql.SQL(gone).format(**parts, season=sql.Literal(season)))
    connection.execute(
        sql.SQL(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM {fresh} "
            "ON CONFLICT ({key}) DO UPDATE SET ({others}) = ROW ({news}) "
            "WHERE ROW ({olds}) IS DISTINCT FROM ROW ({news})"
        ).format(**parts)
    )


def load(
    connection: psycopg.Connection,
    frames: Mapping[str, pl.DataFrame],
    season: int,
    *,
    lenient: bool = False,
) -> dict[str, dict]:
    """Put frames into their tables, in one transaction: all of a season's rows, or none.

    Args:
        connection: outside a transaction.
        frames: of `read_season`, or of `read_players`.
        season: whose rows they are; `ALL_SEASONS`: the tables' only rows.
        lenient: leave out tables and columns that the database does not have yet.

    Returns:
        table -> {rows, sha256 of what was sent}.

    Raises:
        DataError: the database lacks a table or column, or refuses a row.
    """
    receipts = {}
    with connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = '{round(server.LOCK_S * 1000)}'")
        for table, frame in frames.items():
            there = columns_in(connection, table)
            missing = [name for name in frame.columns if name not in there]
            if missing and not lenient:
                what = f"column {', '.join(missing)} in table" if there else "table"
                raise DataError(
                    f"the warehouse has no {what} {table}; a migration must make it, see "
                    "warehouse/migrations"
                )
            if not there:
                continue
            if season and not (frame["season"] == season).all():
                other = frame.filter(pl.col("season").ne_missing(season))["season"][0]
                raise DataError(f"{table}, season {season}: a row of season {other}; build it anew")
            kept = frame.drop(missing)
            rows = as_csv(kept)
            try:
                _replace(connection, table, kept, rows, season)
            except REFUSALS as error:
                raise DataError(_refusal(table, season, error)) from None
            receipts[table] = {"rows": kept.height, "sha256": hashlib.sha256(rows).hexdigest()}
        _log(connection, receipts, season)
    return receipts


def _replace(
    connection: psycopg.Connection, table: str, frame: pl.DataFrame, rows: bytes, season: int
) -> None:
    keys = {"games": ["game_id"], "players": ["player_id"], "rosters": ["season", "player_id"]}
    if table in keys:
        _upsert(connection, table, keys[table], frame, rows, season)
        return
    connection.execute(
        sql.SQL("DELETE FROM {} WHERE season = %s").format(sql.Identifier(table)), [season]
    )
    _copy(connection, table, frame, rows)


def _refusal(table: str, season: int, error: psycopg.Error) -> str:
    """Which rule of the table a row breaks, or who keeps it locked."""
    told = error.diag
    place = f"{table}, season {season}" if season else table
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return (
            f"{place}: another session has held a lock for {server.LOCK_S} s; end it and run again"
        )
    if isinstance(error, psycopg.errors.CardinalityViolation):
        return f"{place}: a key stands twice; correct the source of that row"
    if told.message_primary is None:  # what psycopg itself does not send
        return f"{place}: {' '.join(str(error).split())}; correct the source of that row"
    detail = f" ({' '.join(told.message_detail.split())[:200]})" if told.message_detail else ""
    return f"{place}: {told.message_primary}{detail}; correct the source of that row"


def _log(connection: psycopg.Connection, receipts: Mapping[str, dict], season: int) -> None:
    if not columns_in(connection, "loads"):
        return
    for table, receipt in receipts.items():
        connection.execute(
            "INSERT INTO loads (table_name, season, rows, sha256) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (table_name, season) DO UPDATE SET rows = excluded.rows, "
            "sha256 = excluded.sha256, loaded_at = clock_timestamp()",
            [table, season, receipt["rows"], receipt["sha256"]],
        )

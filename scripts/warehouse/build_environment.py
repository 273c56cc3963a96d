"""A seeded environment: the schema before a migration, some seasons -> environments."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg

from scripts.errors import DataError
from scripts.tables import write_json
from scripts.warehouse import copies, loading, migrations, server, views
from scripts.warehouse.migrations import Limits
from scripts.warehouse.server import Server


def build(
    database: Server,
    folder: Path,
    number: int,
    seasons: Mapping[int, tuple[Mapping[str, Path], Path | None]],
    players: Sequence[Path],
    limits: Limits,
    out: Path,
) -> str:
    """Make an environment as it is before a migration. One that is there was migrated by the files
    of then: if these were edited since, it stays, and the report says so.

    Args:
        database: of the environment, on the embedded server.
        folder: of the migrations.
        number: of the migration that it is for; those below it are applied.
        seasons: season -> (partitions by table, model of expected points).
        players: partitions of players.
        limits: of time, for each migration.
        out: {database, ok, causes, seconds, rows: {table: rows}}.

    Returns:
        one line for the log.

    Raises:
        DataError: an input cannot be read; a fault of the migrations stands in the report.
    """
    start = time.perf_counter()
    frames = {season: loading.read_season(*sources) for season, sources in seasons.items()}
    of_players = loading.read_players(players)
    causes: list[str] = []
    rows: dict[str, int] = {}
    try:
        below = [m for m in migrations.listed(folder) if m.number < number]
        first = {m.number: m for m in reversed(below)}  # a number given twice is told later
        _see_history(database, list(first.values()))
        copies.drop(database)
        server.ensure_database(database)
        with server.connect(database, autocommit=True) as connection:
            ordered = [first[n] for n in sorted(first)]
            migrations.bring_forward(connection, ordered, limits, database.name)
            for season, tables in frames.items():
                _count(rows, loading.load(connection, tables, season, lenient=True))
            every = loading.ALL_SEASONS
            _count(rows, loading.load(connection, of_players, every, lenient=True))
            connection.execute("ANALYZE")
            if loading.columns_in(connection, "refresh_log"):
                views.refresh(connection)
    except DataError as error:
        causes = [str(error)]
    except psycopg.Error as error:
        causes = [str(server.fault(error, database))]
    report = {"database": database.options["dbname"], "ok": not causes, "causes": causes}
    seconds = round(time.perf_counter() - start, 3)
    write_json({**report, "seconds": seconds, "rows": rows}, out)
    return "; ".join(causes) or f"{sum(rows.values())} rows of {len(frames)} seasons"


def _see_history(database: Server, below: Sequence[migrations.Migration]) -> None:
    """Hold an environment that is there against the files."""
    if not server.exists(database):
        return
    with server.connect(database, autocommit=True) as connection:
        history = migrations.applied(connection)
    main = database.at(server.DATABASE)
    if server.exists(main):  # what the warehouse does not have may still be edited
        with server.connect(main, autocommit=True) as connection:
            history = {n: history[n] for n in migrations.applied(connection) if n in history}
    name = database.options["dbname"]
    migrations.check_history(below, history, f"environment {name}")


def _count(rows: dict[str, int], receipts: Mapping[str, Mapping]) -> None:
    for table, receipt in receipts.items():
        rows[table] = rows.get(table, 0) + receipt["rows"]


if __name__ == "__main__":
    from scripts.job import job, owner

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                database=server.embedded(
                    Path(snakemake.params.folder),  # noqa: F821
                    owner(),
                ).at(snakemake.params.database),  # noqa: F821
                folder=Path(snakemake.params.migrations),  # noqa: F821
                number=int(snakemake.wildcards.number),  # noqa: F821
                seasons={
                    season: loading.sources_of(sources)
                    for season, sources in snakemake.params.sources  # noqa: F821
                },
                players=[Path(path) for path in snakemake.input.players],  # noqa: F821
                limits=Limits(*snakemake.params.limits),  # noqa: F821
                out=Path(snakemake.output.receipt),  # noqa: F821
            ),
        )

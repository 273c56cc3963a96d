"""Materialised views, refreshed after all loads -> views.json and a receipt of each table."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from scripts.tables import write_json
from scripts.warehouse import loading, server, views
from scripts.warehouse.server import Server


def gather(seasons: Sequence[Mapping], table: str) -> dict:
    """The receipt of a table, from those of its seasons: {table, rows, seconds, seasons}.

    The seconds are those of the transactions, in which the other tables of the season came too.
    """
    of_table = {
        str(receipt["season"]): receipt["tables"][table]
        for receipt in seasons
        if table in receipt["tables"]
    }
    rows = sum(part["rows"] for part in of_table.values())
    seconds = sum(r["seconds"] for r in seasons if table in r["tables"])
    return {"table": table, "rows": rows, "seconds": round(seconds, 3), "seasons": of_table}


def forget(connection: psycopg.Connection, folder: Path, receipts: Sequence[Path]) -> None:
    """Delete rows of seasons that the config no longer names, and the receipts that tell of them.

    Args:
        connection: autocommit.
        folder: of all receipts.
        receipts: of the seasons that it names.
    """
    named = [int(path.stem.removeprefix("season=")) for path in receipts]
    for path in set(folder.glob("season=*.json")) - set(receipts):
        path.unlink()  # first: should that season be named again, it is loaded again
    with connection.transaction():
        for table in (*reversed(loading.SEASONAL), "loads"):
            query = "DELETE FROM {} WHERE season <> ALL(%s) AND season <> %s"
            command = sql.SQL(query).format(sql.Identifier(table))
            connection.execute(command, [named, loading.ALL_SEASONS])


def build(place: Server, receipts: Sequence[Path], out: Path, tables: Mapping[str, Path]) -> str:
    """Refresh all views, and write what was done.

    Args:
        place: the warehouse.
        receipts: of the seasons.
        out: {views: [{view, rows, seconds, concurrently}]}.
        tables: table -> its receipt.

    Returns:
        one line for the log.

    Raises:
        DataError: a view cannot be refreshed.
    """
    with server.connect(place, autocommit=True) as connection:
        try:
            server.limit_waits(connection)
            forget(connection, out.parent / "receipts", receipts)
            connection.execute("ANALYZE")
            done = views.refresh(connection)
        except psycopg.Error as error:
            raise server.fault(error, place) from None
    seasons = [json.loads(path.read_text()) for path in receipts]
    for table, path in tables.items():
        write_json(gather(seasons, table), path)
    write_json({"views": [{**view, "seconds": round(view["seconds"], 3)} for view in done]}, out)
    return ", ".join(f"{view['view']} {view['rows']}" for view in done)


if __name__ == "__main__":
    from scripts.job import environment, job, owner

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                place=server.warehouse(
                    Path(snakemake.params.folder),  # noqa: F821
                    environment(),
                    owner(),
                    own=snakemake.params.server != "embedded",  # noqa: F821
                ),
                receipts=[Path(path) for path in snakemake.input.seasons],  # noqa: F821
                out=Path(snakemake.output.views),  # noqa: F821
                tables={
                    table: Path(snakemake.output[table])  # noqa: F821
                    for table in snakemake.params.tables  # noqa: F821
                },
            ),
        )

"""A season of all tables, from parquet into the warehouse -> receipts/season=*.json."""

import time
from collections.abc import Mapping
from pathlib import Path

import psycopg

from scripts.tables import write_json
from scripts.warehouse import loading, server
from scripts.warehouse.server import Server


def load(
    place: Server, season: int, sources: Mapping[str, Path], model: Path | None, out: Path
) -> str:
    """Replace a season's rows in one transaction, and write what was loaded.

    Args:
        place: the warehouse.
        season: the season.
        sources: table -> partition, as far as there is one.
        model: expected points of its plays; None: the source's own, or none.
        out: {season, seconds, tables: {table: {rows, sha256}}}.

    Returns:
        one line for the log.

    Raises:
        DataError: a partition cannot be read, or the warehouse refuses a row or breaks off; its
            rows are then what they were before.
    """
    frames = loading.complete(loading.read_season(sources, model))
    start = time.perf_counter()
    with server.connect(place, autocommit=True) as connection:
        try:
            tables = loading.load(connection, frames, season)
        except psycopg.Error as error:
            raise server.fault(error, place) from None
    seconds = time.perf_counter() - start
    write_json({"season": season, "seconds": round(seconds, 3), "tables": tables}, out)
    rows = sum(receipt["rows"] for receipt in tables.values())
    return f"{rows} rows in {seconds:.2f} s"


if __name__ == "__main__":
    from scripts.job import environment, job, owner

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            load(
                place=server.warehouse(
                    Path(snakemake.params.folder),  # noqa: F821
                    environment(),
                    owner(),
                    own=snakemake.params.server != "embedded",  # noqa: F821
                ),
                season=int(snakemake.wildcards.season),  # noqa: F821
                sources={
                    table: Path(*snakemake.input[table])  # noqa: F821
                    for table in snakemake.params.tables  # noqa: F821
                },
                model=next(map(Path, snakemake.input.model), None),  # noqa: F821
                out=Path(snakemake.output.receipt),  # noqa: F821
            ),
        )

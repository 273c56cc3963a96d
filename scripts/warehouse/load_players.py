"""Players and rosters of all seasons, into the warehouse -> receipts/{players,rosters}.json."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg

from scripts.tables import write_json
from scripts.warehouse import loading, server
from scripts.warehouse.server import Server


def load(place: Server, partitions: Sequence[Path], out: Mapping[str, Path]) -> str:
    """Make the tables players and rosters what the partitions say, in one transaction.

    Args:
        place: the warehouse.
        partitions: etl/players of all seasons; none: there is no such source.
        out: table -> receipt {table, rows, sha256, seconds}.

    Returns:
        one line for the log.

    Raises:
        DataError: a partition cannot be read, or the warehouse refuses a row or breaks off; its
            rows are then what they were before.
    """
    frames = loading.read_players(partitions)
    start = time.perf_counter()
    with server.connect(place, autocommit=True) as connection:
        try:
            tables = loading.load(connection, frames, loading.ALL_SEASONS)
        except psycopg.Error as error:
            raise server.fault(error, place) from None
    seconds = round(time.perf_counter() - start, 3)
    for table, receipt in tables.items():
        write_json({"table": table, **receipt, "seconds": seconds}, out[table])
    return ", ".join(f"{receipt['rows']} {table}" for table, receipt in tables.items())


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
                partitions=[Path(path) for path in snakemake.input.partitions],  # noqa: F821
                out={table: Path(path) for table, path in snakemake.output.items()},  # noqa: F821
            ),
        )

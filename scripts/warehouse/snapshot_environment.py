"""A copy of an environment, for one migration to be tried on -> snapshot.json."""

from collections.abc import Mapping
from pathlib import Path

import psycopg

from scripts.errors import DataError
from scripts.warehouse import catalog, copies, queries, server, steps
from scripts.warehouse.server import Server


def snapshot(
    about: Mapping[str, str],
    source: Server,
    copy: Server,
    seeded: Path | None,
    asked: Path,
    marker: Path,
    out: Path,
) -> str:
    """Copy an environment and write what its rows, objects and queries are known by.

    Args:
        about: migration, environment, step.
        source: the environment; it is only read.
        copy: the database to make, on the embedded server; one of that name is replaced.
        seeded: report of a seeded environment, which is a database of that server too; None: the
            source is somewhere else.
        asked: folder of queries.
        marker: file that stands while the copy is there.
        out: report of the step.

    Returns:
        one line for the log.

    Raises:
        DataError: the queries cannot be read.
    """
    wanted = queries.read(asked)

    def action(_: Mapping) -> tuple[list[str], Mapping]:
        with reading(source) as connection:
            before = catalog.sums(connection)
            if not before:
                raise DataError(f"{source.name} has no tables")
        how = copies.copy(source, copy, same_server=seeded is not None)
        copies.hand_over(copy)
        with server.connect(copy, autocommit=True) as connection:
            schema = catalog.describe(connection)
            sums = catalog.sums(connection)
            measured = queries.measure(connection, wanted)
        told = {"database": copy.options["dbname"], "how": how, "source_sums": before}
        return [], {**told, "sums": sums, "schema": schema, "queries": measured}

    line = steps.take(about, seeded, action, out)
    marker.touch()
    return line


def reading(source: Server) -> psycopg.Connection:
    """A connection to an environment that cannot write."""
    connection = server.connect(source, autocommit=True)
    connection.execute("SET default_transaction_read_only = on")
    return connection


if __name__ == "__main__":
    from scripts.job import environment, job, owner

    with job(snakemake) as log:  # noqa: F821
        embedded = server.embedded(
            Path(snakemake.params.folder),  # noqa: F821
            owner(),
        )
        variable = snakemake.params.variable  # noqa: F821
        log.info(
            "%s",
            snapshot(
                about=dict(snakemake.params.about),  # noqa: F821
                source=server.named(environment(), variable)
                if variable
                else embedded.at(snakemake.params.source),  # noqa: F821
                copy=embedded.at(snakemake.params.database),  # noqa: F821
                seeded=next(map(Path, snakemake.input.seeded), None),  # noqa: F821
                asked=Path(snakemake.params.queries),  # noqa: F821
                marker=Path(snakemake.output.marker),  # noqa: F821
                out=Path(snakemake.output.report),  # noqa: F821
            ),
        )

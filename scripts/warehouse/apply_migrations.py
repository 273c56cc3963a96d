"""The warehouse's database, brought to the last migration -> schema.json."""

from collections.abc import Mapping
from pathlib import Path

import psycopg

from scripts.errors import DataError
from scripts.tables import write_json
from scripts.warehouse import migrations, server
from scripts.warehouse.migrations import Limits
from scripts.warehouse.server import Server


def claim(connection: psycopg.Connection, place: Server, run: str) -> None:
    """See that a database is this run's, or empty: two runs, or somebody else's tables, never mix.

    Raises:
        DataError: it is not.
    """
    if migrations.applied(connection):
        there = connection.execute("SELECT run FROM warehouse").fetchone()
        if there and there[0] != run:
            raise DataError(
                f"{place.name} holds run {there[0]}, this is run {run}; name another database"
            )
        return
    found = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') "
        "AND relnamespace = 'public'::regnamespace AND relname <> 'schema_migrations' "
        "ORDER BY relname LIMIT 1"
    ).fetchone()
    if found:
        raise DataError(
            f"{place.name} has tables of somebody else (first: {found[0]}); name an empty database"
        )


def describe(connection: psycopg.Connection, facts: Mapping) -> None:
    """Write whose results a database holds; the facts are columns of the table warehouse."""
    with connection.transaction():
        connection.execute("DELETE FROM warehouse")
        connection.execute(
            "INSERT INTO warehouse (run, version, config_hash, simulated) "
            "VALUES (%(run)s, %(version)s, %(config_hash)s, %(simulated)s)",
            facts,
        )


def apply(place: Server, folder: Path, limits: Limits, facts: Mapping, out: Path) -> str:
    """Apply the migrations that a database lacks, and write which it has.

    Args:
        place: the database; of the embedded server it is made when it is not there.
        folder: of the migrations.
        limits: of time, for each.
        facts: run, version, config_hash, simulated.
        out: {server, run, migrations: [{number, name, sha256}]}.

    Returns:
        one line for the log.

    Raises:
        DataError: the numbers are not 1, 2, 3, ..., an applied migration was edited, one failed, or
            the database is another run's.
    """
    listed = migrations.read(folder)
    if place.log is not None:
        server.ensure_database(place)
    with server.connect(place, autocommit=True) as connection:
        try:
            server.limit_waits(connection)
            claim(connection, place, facts["run"])
            fresh = migrations.bring_forward(connection, listed, limits, place.name)
            server.limit_waits(connection)  # a migration leaves nothing of a session
            describe(connection, facts)
        except psycopg.Error as error:
            raise server.fault(error, place) from None
    files = [{"number": m.number, "name": m.name, "sha256": m.sha256} for m in listed]
    write_json({"server": place.name, "run": facts["run"], "migrations": files}, out)
    return f"applied: {', '.join(fresh) or 'none'}; {len(files)} in all"


if __name__ == "__main__":
    from scripts.job import environment, job, owner

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            apply(
                place=server.warehouse(
                    Path(snakemake.params.folder),  # noqa: F821
                    environment(),
                    owner(),
                    own=snakemake.params.server != "embedded",  # noqa: F821
                ),
                folder=Path(snakemake.params.migrations),  # noqa: F821
                limits=Limits(*snakemake.params.limits),  # noqa: F821
                facts=dict(snakemake.params.facts),  # noqa: F821
                out=Path(snakemake.output.schema),  # noqa: F821
            ),
        )

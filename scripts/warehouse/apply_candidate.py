"""The migration under test, applied to the copy of an environment -> apply.json."""

from collections.abc import Mapping
from pathlib import Path

from scripts.errors import DataError
from scripts.warehouse import copies, locks, migrations, server, steps
from scripts.warehouse.migrations import Limits, Migration
from scripts.warehouse.server import Server


def apply(
    about: Mapping[str, str],
    copy: Server,
    folder: Path,
    limits: Limits,
    held_s: float,
    before: Path,
    out: Path,
) -> str:
    """Apply the migration and watch its locks.

    Args:
        about: migration, environment, step.
        copy: of the environment.
        folder: of the migrations.
        limits: of time.
        held_s: seconds for which it may keep readers or writers of a table waiting.
        before: report of the snapshot.
        out: report of the step, with locks: [{table, mode, seconds}].

    Returns:
        one line for the log.
    """

    def action(_: Mapping) -> tuple[list[str], Mapping]:
        listed = migrations.listed(folder)
        migration = next(m for m in listed if m.name == about["migration"])
        migrations.check_numbers(listed, folder)
        place = f"environment {about['environment']}"
        with server.connect(copies.as_owner(copy), autocommit=True) as connection:
            history = migrations.applied(connection)
            migrations.check_history(listed, history, place)
            migrations.check_history(listed, _warehouse(copy), "the warehouse")
            _check_turn(migration, history, place)
            with locks.watched(copy, connection) as held:
                seconds = migrations.run(connection, migration, limits)
        causes = [
            f"{migration.name}.sql keeps {locks.BLOCKING[mode]} of {table} waiting for "
            f"{longest:.1f} s ({mode}, limit {held_s:g} s); do it in smaller steps"
            for (table, mode), longest in sorted(held.items())
            if longest > held_s
        ]
        shown = [
            {"table": table, "mode": mode, "seconds": round(longest, 3)}
            for (table, mode), longest in sorted(held.items())
        ]
        return causes, {"applied_s": round(seconds, 3), "locks": shown}

    return steps.take(about, before, action, out)


def _warehouse(copy: Server) -> dict[int, tuple[str, str]]:
    """Migrations of the warehouse's own database, where the embedded server has it."""
    main = copy.at(server.DATABASE)
    if not server.exists(main):
        return {}
    with server.connect(main, autocommit=True) as connection:
        return migrations.applied(connection)


def _check_turn(migration: Migration, history: Mapping[int, tuple[str, str]], place: str) -> None:
    """See that the migration is the next one."""
    last = max(history, default=0)
    if migration.number in history:
        raise DataError(f"{place} has {migration.name} already: there is nothing to test")
    if last != migration.number - 1:
        raise DataError(
            f"{place} is at {last:03}: {last + 1:03} comes before {migration.name}; apply it first"
        )


if __name__ == "__main__":
    from scripts.job import job, owner

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            apply(
                about=dict(snakemake.params.about),  # noqa: F821
                copy=server.embedded(
                    Path(snakemake.params.folder),  # noqa: F821
                    owner(),
                ).at(snakemake.params.database),  # noqa: F821
                folder=Path(snakemake.params.migrations),  # noqa: F821
                limits=Limits(*snakemake.params.limits),  # noqa: F821
                held_s=snakemake.params.held_s,  # noqa: F821
                before=Path(snakemake.input.snapshot),  # noqa: F821
                out=Path(snakemake.output.report),  # noqa: F821
            ),
        )

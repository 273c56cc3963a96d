"""The migrated copy against the declared schema and its own rows -> validate.json."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.warehouse import catalog, declared, migrations, server, steps
from scripts.warehouse.server import Server


def unwanted(lines: Sequence[str], intended: Sequence[str]) -> list[str]:
    """Lines about rows that the migration does not say it changes.

    Args:
        lines: of `catalog.differences`, `table: ...` or `table.column: ...`.
        intended: tables or table.column of its header.
    """
    left = []
    for line in lines:
        what = line.split(":", 1)[0]
        if what not in intended and what.split(".")[0] not in intended:
            left.append(line)
    return left


def check(
    about: Mapping[str, str],
    copy: Server,
    folder: Path,
    schema: Path,
    snapshot: Path,
    before: Path,
    out: Path,
) -> str:
    """Find what is not as declared, and rows that were changed without being announced.

    Args:
        about: migration, environment, step.
        copy: of the environment, migrated.
        folder: of the migrations.
        schema: the declaration.
        snapshot: report of the snapshot: rows and objects before.
        before: report of the step before.
        out: report of the step, with new: what is there and not declared.

    Returns:
        one line for the log.

    Raises:
        DataError: the declaration cannot be read.
    """
    declaration = declared.read(schema)
    earlier = json.loads(snapshot.read_text())

    def action(_: Mapping) -> tuple[list[str], Mapping]:
        listed = migrations.listed(folder)
        migration = next(m for m in listed if m.name == about["migration"])
        expected = declared.at(declaration, migration.number)
        with server.connect(copy, autocommit=True) as connection:
            found = catalog.describe(connection)
            sums = catalog.sums(connection, earlier["sums"])
        moved = catalog.differences(earlier["sums"], sums)
        causes = list(declared.differences(expected, found))
        causes += [
            f"{line}; if it is meant, write `-- changes: {line.split(':')[0]}` at the top of "
            f"{migration.name}.sql"
            for line in unwanted(moved, migration.changes)
        ]
        told = {"new": list(declared.additions(expected, found)), "changed": moved}
        return causes, told

    return steps.take(about, before, action, out)


if __name__ == "__main__":
    from scripts.job import job, owner

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            check(
                about=dict(snakemake.params.about),  # noqa: F821
                copy=server.embedded(
                    Path(snakemake.params.folder),  # noqa: F821
                    owner(),
                ).at(snakemake.params.database),  # noqa: F821
                folder=Path(snakemake.params.migrations),  # noqa: F821
                schema=Path(snakemake.input.schema),  # noqa: F821
                snapshot=Path(snakemake.input.snapshot),  # noqa: F821
                before=Path(snakemake.input.apply),  # noqa: F821
                out=Path(snakemake.output.report),  # noqa: F821
            ),
        )

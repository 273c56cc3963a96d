"""The migrated copy against the declared schema and its own rows -> validate.json."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.warehouse import catalog, consistency, declared, migrations, server, steps
from scripts.warehouse.migrations import Migration
from scripts.warehouse.server import Server

LOST = (": gone", " rows before, ")


def unwanted(lines: Sequence[str], migration: Migration) -> list[str]:
    """What happened and was not announced in the migration's header; with what to write there.

    Args:
        lines: `table: ...` or `table.column: ...`.
        migration: with what it changes, and what it removes.
    """
    left = []
    for line in lines:
        what = line.split(":", 1)[0]
        word = "removes" if any(text in line for text in LOST) else "changes"
        announced = getattr(migration, word)
        if what not in announced and what.split(".")[0] not in announced:
            left.append(
                f"{line}; if it is meant, write `-- {word}: {what}` at the top of "
                f"{migration.name}.sql"
            )
    return left


def _unknown(migration: Migration, schema: Mapping[str, Mapping]) -> list[str]:
    """What the header announces of things that were not there."""
    there = {name: entry["columns"] for of in schema.values() for name, entry in of.items()}
    named = [*migration.changes, *migration.removes]
    return [
        f"{migration.name}.sql announces {name}, which was not there; correct its header"
        for name in named
        if name.split(".")[0] not in there
        or ("." in name and name.split(".", 1)[1] not in there[name.split(".")[0]])
    ]


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
        migration = migrations.named(folder, about["migration"])
        expected = declared.at(declaration, migration.number)
        with server.connect(copy, autocommit=True) as connection:
            found = catalog.describe(connection)
            sums = catalog.sums(connection, earlier["sums"])
            lost = list(consistency.orphans(connection, found["tables"]))
        moved = catalog.differences(earlier["sums"], sums)
        otherwise = catalog.behaves_otherwise(earlier["schema"], found)
        causes = list(declared.differences(expected, found))
        causes += unwanted([*moved, *otherwise], migration)
        causes += _unknown(migration, earlier["schema"])
        causes += [
            f"{one['check']}: {one['got']} rows are {one['note']}"
            for one in lost
            if not one["pass"]
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

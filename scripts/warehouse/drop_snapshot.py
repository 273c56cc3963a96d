"""The copy dropped, whatever happened to it, and its source unchanged -> drop.json."""

import json
from collections.abc import Mapping
from pathlib import Path

from scripts.warehouse import catalog, copies, server, steps
from scripts.warehouse.server import Server
from scripts.warehouse.snapshot_environment import reading


def drop(
    about: Mapping[str, str],
    source: Server,
    copy: Server,
    snapshot: Path,
    out: Path,
    *,
    seeded: bool,
) -> str:
    """Drop the copy.

    Args:
        about: migration, environment, step.
        source: the environment.
        copy: of it.
        snapshot: report of the snapshot: what the source's rows were.
        out: report of the step, with dropped and source_untouched.
        seeded: whether nobody else uses the source, so that no row of it may have changed.

    Returns:
        one line for the log.
    """
    earlier = json.loads(snapshot.read_text()).get("source_sums")

    def action(_: Mapping) -> tuple[list[str], Mapping]:
        dropped = copies.drop(copy)
        if earlier is None:
            return [], {"dropped": dropped, "source_untouched": None}
        with reading(source) as connection:
            moved = catalog.differences(earlier, catalog.sums(connection, earlier))
        causes = [f"the source itself changed: {line}" for line in moved] if seeded else []
        return causes, {"dropped": dropped, "source_untouched": not moved}

    return steps.take(about, None, action, out)


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
            drop(
                about=dict(snakemake.params.about),  # noqa: F821
                source=server.named(environment(), variable)
                if variable
                else embedded.at(snakemake.params.source),  # noqa: F821
                copy=embedded.at(snakemake.params.database),  # noqa: F821
                snapshot=Path(snakemake.input.snapshot),  # noqa: F821
                out=Path(snakemake.output.report),  # noqa: F821
                seeded=variable is None,
            ),
        )

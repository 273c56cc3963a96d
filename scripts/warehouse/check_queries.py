"""The migrated copy used: loading, research, or queries with a clock -> integration.json."""

import json
from collections.abc import Mapping
from pathlib import Path

from scripts.warehouse import catalog, loading, migrations, queries, server, steps, views
from scripts.warehouse.server import Server


def _loads(
    copy: Server,
    season: int,
    sources: Mapping[str, Path],
    model: Path | None,
    *,
    seeded: bool,
) -> tuple[list[str], Mapping]:
    """Load a season and refresh the views: what every run does, and what changes no row again."""
    frames = loading.read_season(sources, model)
    with server.connect(copy, autocommit=True) as connection:
        before = catalog.sums(connection)
        loaded = loading.load(connection, frames, season, lenient=True)
        if loading.columns_in(connection, "refresh_log"):
            views.refresh(connection)
        moved = catalog.differences(before, catalog.sums(connection))
    causes = [f"loading season {season} again changes {line}" for line in moved] if seeded else []
    return causes, {"season": season, "rows": {t: r["rows"] for t, r in loaded.items()}}


def check(
    about: Mapping[str, str],
    copy: Server,
    kind: str,
    season: int,
    sources: Mapping[str, Path],
    model: Path | None,
    folder: Path,
    asked: Path,
    limits: Mapping[str, float],
    snapshot: Path,
    before: Path,
    out: Path,
    *,
    seeded: bool,
) -> str:
    """Use the copy as its environment is used.

    Args:
        about: migration, environment, step.
        copy: of the environment, migrated.
        kind: etl (a season is loaded, the views are refreshed), research (all queries give what
            they gave before) or timed (that, as fast as before, and reading no more).
        season: to load.
        sources: its partitions by table.
        model: its expected points.
        folder: of the migrations.
        asked: of the queries.
        limits: slowdown (times), slow_s (queries below are never slow), scan_rows.
        snapshot: report of the snapshot: what the queries gave before.
        before: report of the step before.
        out: report of the step.
        seeded: whether the environment was loaded from these partitions.

    Returns:
        one line for the log.

    Raises:
        DataError: an input cannot be read.
    """
    wanted = queries.read(asked)
    earlier = json.loads(snapshot.read_text()).get("queries", {})

    def action(_: Mapping) -> tuple[list[str], Mapping]:
        migration = migrations.named(folder, about["migration"])
        if kind == "etl":
            same = seeded and not (migration.changes or migration.removes)
            return _loads(copy, season, sources, model, seeded=same)
        with server.connect(copy, autocommit=True) as connection:
            now = queries.measure(connection, wanted)
        causes = queries.changed(earlier, now)
        if migration.changes:  # then results may change, but not fail
            causes = [line for line in causes if " fails: " in line]
        if kind == "timed":
            causes += queries.slower(
                earlier, now, limits["slowdown"], limits["slow_s"], int(limits["scan_rows"])
            )
        return causes, {"queries": now}

    return steps.take(about, before, action, out)


if __name__ == "__main__":
    from scripts.job import job, owner

    with job(snakemake) as log:  # noqa: F821
        sources, model = loading.sources_of(snakemake.params.sources)  # noqa: F821
        log.info(
            "%s",
            check(
                about=dict(snakemake.params.about),  # noqa: F821
                copy=server.embedded(
                    Path(snakemake.params.folder),  # noqa: F821
                    owner(),
                ).at(snakemake.params.database),  # noqa: F821
                kind=snakemake.params.kind,  # noqa: F821
                season=snakemake.params.season,  # noqa: F821
                sources=sources,
                model=model,
                folder=Path(snakemake.params.migrations),  # noqa: F821
                asked=Path(snakemake.params.queries),  # noqa: F821
                limits=dict(snakemake.params.limits),  # noqa: F821
                snapshot=Path(snakemake.input.snapshot),  # noqa: F821
                before=Path(snakemake.input.apply),  # noqa: F821
                out=Path(snakemake.output.report),  # noqa: F821
                seeded=snakemake.params.variable is None,  # noqa: F821
            ),
        )

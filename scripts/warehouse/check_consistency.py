"""The warehouse against the parquet and the features -> consistency.json."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import psycopg

from scripts.errors import DataError
from scripts.nfl.columns import PLAYER_GAMES, PLAYERS, PLAYS
from scripts.nfl.play_types import COLUMNS as PLAY_TYPES
from scripts.tables import scan, schema_of, write_json
from scripts.warehouse import consistency, loading, server
from scripts.warehouse.server import Server


def frames_of(
    seasons: Mapping[int, tuple[Mapping[str, Path], Path | None]], players: Sequence[Path]
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Tables of all seasons as they are loaded, with players and rosters; and etl/players."""
    parts = [loading.read_season(*sources) for sources in seasons.values()]
    frames = {
        name: pl.concat([part[name] for part in parts if name in part])
        for name in loading.SEASONAL
        if any(name in part for part in parts)
    }
    return {**frames, **loading.read_players(players)}, scan(players, PLAYERS).collect()


def check(
    place: Server,
    seasons: Mapping[int, tuple[Mapping[str, Path], Path | None]],
    players: Sequence[Path],
    facts: Mapping,
    out: Path,
) -> str:
    """Look for orphans, duplicates, null keys, missing rows and views that say something else.

    Args:
        place: the warehouse.
        seasons: season -> (partitions by table, model of expected points).
        players: partitions of players.
        facts: run, version, config_hash, simulated.
        out: {run, version, config_hash, simulated, checks: [{check, got, limit, n, pass, note}]}.

    Returns:
        one line for the log.

    Raises:
        DataError: a check does not pass; the log tells all that do not.
    """
    frames, listed = frames_of(seasons, players)
    known = {**loading.complete(frames), **{name: frames[name] for name in loading.OF_ALL}}
    with server.connect(place, autocommit=True) as connection:
        try:
            server.limit_waits(connection)
            checks = [
                *consistency.orphans(connection),
                *consistency.seasons_apart(connection),
                *consistency.keys(connection),
                *consistency.rows(connection, known),
                consistency.populated(connection),
                *consistency.views(connection, inputs(frames, listed)),
            ]
        except psycopg.Error as error:
            raise server.fault(error, place) from None
    failed = [one for one in checks if not one["pass"]]
    for one in failed:
        print(
            f"{one['check']}: {one['got']:g} (limit {one['limit']:g}, n {one['n']}) {one['note']}"
        )
    if failed:
        worst = failed[0]
        raise DataError(
            f"{len(failed)} of {len(checks)} checks of the warehouse failed, first "
            f"{worst['check']}: got {worst['got']:g}, limit {worst['limit']:g} {worst['note']}; "
            "the log has all"
        )
    for one in checks:  # JSON knows no infinity
        assert math.isfinite(one["got"])
    write_json({**facts, "checks": checks}, out)
    return f"all {len(checks)} checks passed"


def inputs(frames: Mapping[str, pl.DataFrame], players: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """What the features are made from: empty tables where there is no source."""
    empty = {
        "plays": pl.DataFrame(schema=schema_of({**PLAYS, **PLAY_TYPES})),
        "player_games": pl.DataFrame(schema=schema_of(PLAYER_GAMES)),
    }
    return {**empty, **frames, "players": players}


if __name__ == "__main__":
    from scripts.job import environment, job, owner

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            check(
                place=server.warehouse(
                    Path(snakemake.params.folder),  # noqa: F821
                    environment(),
                    owner(),
                    own=snakemake.params.server != "embedded",  # noqa: F821
                ),
                seasons={
                    season: loading.sources_of(sources)
                    for season, sources in snakemake.params.sources  # noqa: F821
                },
                players=[Path(path) for path in snakemake.input.players],  # noqa: F821
                facts=dict(snakemake.params.facts),  # noqa: F821
                out=Path(snakemake.output.report),  # noqa: F821
            ),
        )

"""A chunk of the grid: its fits, those that are there already left as they are."""

import logging
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from scripts import manifests
from scripts.errors import DataError
from scripts.nfl import grid_fit
from scripts.nfl.features import columns_of
from scripts.tables import DAMAGED, write

LOG = logging.getLogger(__name__)


def done(store: Path, keys: Sequence[str], rounds: int) -> pl.DataFrame:
    """Rows of earlier fits that are still what a fit would give; none of a damaged store (logged).

    Args:
        store: rows of fits made before.
        keys: keys of the fits that are wanted; another key is of other games, values or code.
        rounds: rows of a whole fit.
    """
    empty = pl.DataFrame(schema={name: told.dtype for name, told in grid_fit.COLUMNS.items()})
    if not store.is_file():
        return empty
    try:
        manifests.check([store])
        rows = pl.read_parquet(store, glob=False, hive_partitioning=False)
    except (DataError, *DAMAGED) as error:
        LOG.warning("all fits are made again: %s", " ".join(str(error).split()))
        return empty
    if rows.schema != empty.schema:
        return empty
    return rows.filter(pl.col("key").is_in(list(keys)) & (pl.len().over("key") == rounds))


def fit(
    features: Sequence[Path],
    fits: Sequence[str],
    target: str,
    groups: Sequence[str],
    rounds: Sequence[int],
    validation: int,
    seed: int,
    device: str,
    code: str,
    store: Path,
    out: Path,
) -> str:
    """Fit a chunk; each fit is kept as soon as it is made, so a killed run loses one at most.

    Args:
        features: features of the seasons up to and with the validation season.
        fits: names of the fits.
        target: column of the outcome.
        groups: groups of features.
        rounds: numbers of rounds.
        validation: season to choose on.
        seed: seed of what is drawn.
        device: cpu or cuda.
        code: fingerprint of the code: fits of other code are made again.
        store: rows of the fits made so far, kept from run to run.
        out: rows of the whole chunk to write, columns `grid_fit.COLUMNS`.

    Returns:
        one line for the log.

    Raises:
        DataError: there are no games to fit on or to choose by.
    """
    games = pl.concat([pl.read_parquet(path) for path in features]).sort("date", "game_id")
    columns = columns_of(groups)
    if target not in games.columns:
        raise DataError(f"grid: no column {target} in the features; build them with closing lines")
    train, test = grid_fit.split(games, target, validation)
    told = (sorted(rounds), seed, device, code)
    keys = {name: grid_fit.key(train, test, [*columns, target], (name, *told)) for name in fits}
    rows = done(store, list(keys.values()), len(rounds))
    there = set(rows["fit"])
    for name in fits:
        if name in there:
            continue
        found = grid_fit.fit(
            name,
            train,
            test,
            target=target,
            features=columns,
            rounds=rounds,
            seed=seed,
            device=device,
        )
        rows = pl.concat([rows, grid_fit.rows(name, found, test, target, keys[name])])
        write(rows, store)
    order = {name: place for place, name in enumerate(fits)}
    rows = rows.sort(pl.col("fit").replace_strict(order, return_dtype=pl.Int32), "rounds")
    write(rows, store)
    write(rows, out)
    return f"{len(fits)} fits, {len(there)} of them there already; {rows.height} rows"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            fit(
                features=[Path(path) for path in snakemake.input.features],  # noqa: F821
                fits=snakemake.params.fits,  # noqa: F821
                target=snakemake.params.target,  # noqa: F821
                groups=snakemake.params.groups,  # noqa: F821
                rounds=snakemake.params.rounds,  # noqa: F821
                validation=snakemake.params.validation,  # noqa: F821
                seed=snakemake.params.seed,  # noqa: F821
                device=snakemake.wildcards.device,  # noqa: F821
                code=snakemake.params.code,  # noqa: F821
                store=Path(snakemake.output.store),  # noqa: F821
                out=Path(snakemake.output.rows),  # noqa: F821
            ),
        )

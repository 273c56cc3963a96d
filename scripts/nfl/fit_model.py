"""A family of models for a season: fitted on the seasons before it, tested on its games."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import polars as pl

from scripts.errors import DataError
from scripts.nfl import artifacts
from scripts.nfl.features import columns_of
from scripts.nfl.models import families


def seasons(features: Sequence[Path], season: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Games of the seasons before one, in time order, and its own games.

    Raises:
        DataError: the season, or every season before it, is missing.
    """
    games = pl.concat([pl.read_parquet(path) for path in features]).sort("date", "game_id")
    train, test = games.filter(pl.col("season") < season), games.filter(pl.col("season") == season)
    if train.is_empty() or test.is_empty():
        lacking = "earlier seasons" if test.height else f"season {season}"
        raise DataError(f"{len(features)} seasons of features: none of {lacking}; build them first")
    return train, test


def fit(
    features: Sequence[Path],
    season: int,
    model: str,
    tasks: Sequence[str],
    groups: Sequence[str],
    simulated: Sequence[str],
    calibrations: Sequence[str],
    seed: int,
    device: str,
    settings: Mapping[str, float],
    folders: Mapping[str, Path],
) -> str:
    """Fit and test a family on all targets, feature sets and calibrations.

    Args:
        features: features of the seasons up to and with the tested one.
        season: the season that is tested.
        model: the family.
        tasks: `target/features`, each.
        groups: `features/group`: what each feature set is made of.
        simulated: the tasks that rest on anything simulated.
        calibrations: kinds of calibration, `none` among them.
        seed: seed of what is drawn.
        device: cpu or cuda.
        settings: those of the family that differ from its DEFAULTS.
        folders: `target/features/calibration` -> folder of the files to write, see
            `artifacts.save`.

    Returns:
        one line for the log.

    Raises:
        DataError: a season is missing, or a family cannot be fitted on it.
    """
    train, test = seasons(features, season)
    for task in tasks:
        target, name = task.split("/")
        own = [group.partition("/")[2] for group in groups if group.startswith(f"{name}/")]
        fit_task = partial(
            families.fit,
            model,
            target=target,
            features=columns_of(own),
            seed=seed,
            device=device,
            settings=settings,
        )
        what = artifacts.Fit(model, target, name, season, task in simulated)
        artifacts.fit_and_save(fit_task, what, train, test, calibrations, folders)
    return f"{model}: {len(tasks)} tasks, {train.height} games before {season}, {test.height} in it"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            fit(
                features=[Path(path) for path in snakemake.input.features],  # noqa: F821
                season=int(snakemake.wildcards.season),  # noqa: F821
                model=snakemake.wildcards.model,  # noqa: F821
                tasks=snakemake.params.tasks,  # noqa: F821
                groups=snakemake.params.groups,  # noqa: F821
                simulated=snakemake.params.simulated,  # noqa: F821
                calibrations=snakemake.params.calibrations,  # noqa: F821
                seed=snakemake.params.seed,  # noqa: F821
                device=snakemake.params.device,  # noqa: F821
                settings=dict(snakemake.params.settings),  # noqa: F821
                folders=artifacts.folders(snakemake.output),  # noqa: F821
            ),
        )

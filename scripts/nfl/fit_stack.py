"""The stack for a season: weights of the other families, by their earlier predictions."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import polars as pl

from scripts.errors import DataError
from scripts.nfl import artifacts
from scripts.nfl.columns import PREDICTIONS
from scripts.nfl.models import families

GAME = [name for name in PREDICTIONS if name != "probability"]


def wide(predictions: pl.DataFrame, target: str) -> pl.DataFrame:
    """Predictions of one task: a row a game in time order, a column a family, the outcome.

    Args:
        predictions: columns `PREDICTIONS` and model.
        target: name that the outcome gets.
    """
    table = predictions.pivot("model", index=GAME, values="probability", sort_columns=True)
    return table.rename({"outcome": target}).sort("date", "game_id")


def fit(
    predictions: Sequence[Path],
    season: int,
    tasks: Sequence[str],
    simulated: Sequence[str],
    calibrations: Sequence[str],
    seed: int,
    folders: Mapping[str, Path],
) -> str:
    """Fit and test the stack on all targets and feature sets.

    It takes the families' probabilities as Platt calibrated them, where there are such ones: they
    are then of one scale.

    Args:
        predictions: of all families, of the seasons up to and with the tested one; each is out of
            sample.
        season: the season that is tested.
        tasks: `target/features`, each.
        simulated: the tasks that rest on anything simulated.
        calibrations: kinds of calibration, `none` among them.
        seed: seed of what is drawn.
        folders: `target/features/calibration` -> folder of the files to write.

    Returns:
        one line for the log.

    Raises:
        DataError: there are no predictions of the season, or of no earlier one.
    """
    taken = "platt" if "platt" in calibrations else "none"
    made = {task: [] for task in tasks}
    for path in map(Path, predictions):
        target, name, _, kind = path.parts[-6:-2]
        if kind == taken and f"{target}/{name}" in made:
            made[f"{target}/{name}"].append(artifacts.read_predictions(path))
    for task, frames in made.items():
        target, name = task.split("/")
        if not frames:
            raise DataError(f"stack: no predictions of {task}; build the other models first")
        games = wide(pl.concat(frames), target)
        models = sorted(set(games.columns) - set(GAME) - {target})
        train = games.filter((pl.col("season") < season) & pl.col(target).is_not_null())
        test = games.filter(pl.col("season") == season)
        if train.is_empty() or test.is_empty():
            raise DataError(f"stack: no predictions of {task} in {season} and before it")
        fit_task = partial(families.fit, "stack", target=target, features=models, seed=seed)
        what = artifacts.Fit("stack", target, name, season, task in simulated)
        artifacts.fit_and_save(fit_task, what, train, test, calibrations, folders)
    return f"stack: {len(tasks)} tasks, season {season}"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            fit(
                predictions=[Path(path) for path in snakemake.input.predictions],  # noqa: F821
                season=int(snakemake.wildcards.season),  # noqa: F821
                tasks=snakemake.params.tasks,  # noqa: F821
                simulated=snakemake.params.simulated,  # noqa: F821
                calibrations=snakemake.params.calibrations,  # noqa: F821
                seed=snakemake.params.seed,  # noqa: F821
                folders=artifacts.folders(snakemake.output),  # noqa: F821
            ),
        )

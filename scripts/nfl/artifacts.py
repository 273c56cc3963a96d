"""What is kept of a model and a season: the model, its predictions, its metrics."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from scripts.errors import DataError
from scripts.nfl.calibration import Calibration, calibrated_fit
from scripts.nfl.columns import PREDICTIONS
from scripts.nfl.evaluation import metrics
from scripts.nfl.models.base import Model
from scripts.provenance import sha256
from scripts.tables import conform, write, write_json

PREDICTED, MEASURED, CALIBRATED = "predictions.parquet", "metrics.json", "model.json"


@dataclass(frozen=True)
class Fit:
    """What a model is; simulated: whether it rests on anything that is."""

    model: str
    target: str
    features: str
    season: int
    simulated: bool
    calibration: str = "none"


def folders(files: Iterable[str]) -> dict[str, Path]:
    """`target/features/calibration` -> folder.

    Args:
        files: `.../{target}/{features}/{model}/{calibration}/season=*/{name}`.
    """
    made = {}
    for path in map(Path, files):
        target, features, _, calibration = path.parts[-6:-2]
        made[f"{target}/{features}/{calibration}"] = path.parent
    return made


def predictions(test: pl.DataFrame, target: str, probability: np.ndarray) -> pl.DataFrame:
    """Predictions of a season's games, columns `columns.PREDICTIONS`; unknown ones left out.

    Args:
        test: the season's games, columns of nfl/features/games.parquet.
        target: column of the outcome.
        probability: of outcome 1, NaN where it is not defined.
    """
    found = test.with_columns(
        pl.col(target).alias("outcome"), pl.Series("probability", probability)
    ).filter(pl.col("probability").is_not_nan())
    return conform(found, PREDICTIONS)


def fit_and_save(
    fit: Callable[[pl.DataFrame], Model],
    what: Fit,
    train: pl.DataFrame,
    test: pl.DataFrame,
    calibrations: Sequence[str],
    folders: Mapping[str, Path],
) -> None:
    """Fit a model with all its calibrations, and write each, see `save`.

    Args:
        fit: rows of training -> model.
        what: what it is; its calibration is that of each in turn.
        train: games of earlier seasons.
        test: games of the tested season.
        calibrations: kinds of calibration, `none` among them.
        folders: `target/features/calibration` -> folder of the files to write.
    """
    fitted, calibrated = calibrated_fit(fit, train, target=what.target, kinds=calibrations)
    raw = fitted.predict(test)
    known = train.filter(pl.col(what.target).is_not_null())
    task = f"{what.target}/{what.features}"
    # `none` first: its folder holds the model that the others stand on.
    for kind in sorted(calibrations, key=lambda kind: (kind != "none", kind)):
        save(
            replace(what, calibration=kind),
            fitted,
            calibrated[kind],
            raw,
            test,
            known,
            folders[f"{task}/{kind}"],
            base=folders[f"{task}/none"],
        )


def save(
    fit: Fit,
    fitted: Model,
    calibration: Calibration,
    raw: np.ndarray,
    test: pl.DataFrame,
    train: pl.DataFrame,
    folder: Path,
    base: Path,
) -> None:
    """Write a model's file, predictions.parquet and metrics.json of a season.

    Without calibration the file is the family's own; with one it is model.json: the calibration,
    and where the model is whose probabilities it takes. The metrics tell what the model was fitted
    on, taken from the very rows: number, seasons and last day.

    Args:
        fit: what it is.
        fitted: the model, fitted on `train`.
        calibration: its calibration.
        raw: probabilities of the model for `test`.
        test: the season's games.
        train: the games that it was fitted on.
        folder: folder to write to.
        base: folder of the model without calibration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if fit.calibration == "none":
        fitted.save(folder)
    else:
        own = base / fitted.FILE
        named = {"base": os.path.relpath(own, folder), "base_sha256": sha256(own)}
        write_json({**asdict(calibration), **named}, folder / CALIBRATED)
    table = predictions(test, fit.target, calibration.apply(raw))
    write(table, folder / PREDICTED)
    known = table.filter(pl.col("outcome").is_not_null())
    found = metrics(known["outcome"], known["probability"], target=fit.target)
    trained = {
        "n": train.height,
        "seasons": sorted(train["season"].unique().to_list()),
        "last_date": str(train["date"].max()),
    }
    report = {
        "model": fit.model,
        "target": fit.target,
        "features": fit.features,
        "calibration": fit.calibration,
        "season": fit.season,
        **found,
        "simulated": fit.simulated,
        "trained_on": trained,
    }
    write_json(report, folder / MEASURED)


def read_predictions(path: Path) -> pl.DataFrame:
    """Predictions with target, features, model and calibration as columns, from their path.

    Raises:
        DataError: a column is missing.
    """
    target, features, model, calibration = path.parts[-6:-2]
    try:
        found = conform(pl.read_parquet(path), PREDICTIONS)
    except DataError as error:
        raise DataError(f"{path}: {error}; build it again") from None
    names = {"target": target, "features": features, "model": model, "calibration": calibration}
    return found.with_columns(pl.lit(value).alias(name) for name, value in names.items())

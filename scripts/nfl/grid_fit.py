"""One fit of the grid: a booster up to the largest number of rounds tells all smaller ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from scripts.errors import DataError
from scripts.nfl.evaluation import metrics
from scripts.nfl.models import base, families
from scripts.plan.grid import AXES, values_of
from scripts.tables import Column

COLUMNS = {
    "fit": Column(pl.String, "depth, rate and shares of the fit, key=value"),
    "max_depth": Column(pl.Int32, "depth of trees"),
    "learning_rate": Column(pl.Float64, "learning rate"),
    "subsample": Column(pl.Float64, "share of games for each tree"),
    "colsample_bytree": Column(pl.Float64, "share of features for each tree"),
    "rounds": Column(pl.Int32, "boosting rounds"),
    "validation": Column(pl.Int32, "season that the configuration is chosen on"),
    "n": Column(pl.Int32, "games of it"),
    "auc": Column(pl.Float64, "area under the ROC curve on it"),
    "brier": Column(pl.Float64, "Brier score on it"),
    "log_loss": Column(pl.Float64, "log loss on it, natural logarithm"),
    "key": Column(pl.String, "hash of all that the fit depends on"),
}


SETTINGS = {  # axis of the grid -> setting of the family
    "max_depth": "depth",
    "learning_rate": "rate",
    "subsample": "subsample",
    "colsample_bytree": "colsample",
}


def split(games: pl.DataFrame, target: str, validation: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Games of the seasons before the validation season, and its own; known targets only.

    Raises:
        DataError: either is empty.
    """
    known = games.filter(pl.col(target).is_not_null())
    train = known.filter(pl.col("season") < validation)
    test = known.filter(pl.col("season") == validation)
    if train.is_empty() or test.is_empty():
        raise DataError(f"grid: {train.height} games before {validation}, {test.height} in it")
    return train, test


def key(train: pl.DataFrame, test: pl.DataFrame, columns: Sequence[str], told: Sequence) -> str:
    """Hash of the very numbers that a fit sees, and of what it is told; 16 digits.

    Args:
        train: games to fit on.
        test: games of the validation season.
        columns: features, and the target.
        told: rounds, seed, device and the like.
    """
    found = hashlib.sha256(repr([list(columns), *told]).encode())
    for games in (train, test):
        found.update(np.ascontiguousarray(base.matrix(games, columns)).tobytes())
    return found.hexdigest()[:16]


def fit(
    name: str,
    train: pl.DataFrame,
    test: pl.DataFrame,
    *,
    target: str,
    features: Sequence[str],
    rounds: Sequence[int],
    seed: int,
    device: str,
) -> dict[int, np.ndarray]:
    """Rounds -> probabilities on `test`, all of one fit up to the most rounds.

    The first k rounds of a booster are a booster of k rounds: what is drawn in a round depends on
    the seed and the rounds before.
    """
    values = values_of(name)
    settings = {SETTINGS[axis]: value for axis, value in values.items()} | {"rounds": max(rounds)}
    model = families.fit(
        "xgboost",
        train,
        target=target,
        features=features,
        seed=seed,
        device=device,
        settings=settings,
    )
    return {number: model.first(test, number) for number in sorted(rounds)}


def rows(
    name: str, found: Mapping[int, np.ndarray], test: pl.DataFrame, target: str, own: str
) -> pl.DataFrame:
    """Rows of a fit, one for each number of rounds, columns `COLUMNS`.

    Args:
        name: name of the fit.
        found: rounds -> probabilities on the validation season.
        test: its games, their target known.
        target: column of the outcome.
        own: key of the fit.
    """
    values, outcomes = values_of(name), test[target].to_numpy()
    made = []
    for number, chances in found.items():
        scores = metrics(outcomes, chances, target=target)
        made.append(
            {"fit": name, **{axis: values[axis] for axis in AXES}, "rounds": number}
            | {"validation": test["season"][0], "key": own}
            | {score: scores[score] for score in ("n", "auc", "brier", "log_loss")}
        )
    return pl.DataFrame(made, schema={column: told.dtype for column, told in COLUMNS.items()})

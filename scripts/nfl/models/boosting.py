"""XGBoost: gradient boosted trees on histograms, of which nulls choose their side themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import polars as pl
import xgboost

from scripts.atomic import atomic
from scripts.errors import DataError
from scripts.nfl.models import base

FILE = "model.ubj"
DEFAULTS = {
    "depth": 3,
    "rate": 0.03,
    "rounds": 100,
    "subsample": 0.8,
    "colsample": 0.8,
    "min_child": 1.0,
    "l2": 1.0,
}


@dataclass(frozen=True)
class Model(base.Model):
    """The trees; they know the names of their features."""

    FILE: ClassVar[str] = FILE
    booster: xgboost.Booster

    def _predict(self, games: pl.DataFrame) -> np.ndarray:
        return self.first(games, 0)

    def first(self, games: pl.DataFrame, rounds: int) -> np.ndarray:
        """P(outcome 1) by the first `rounds` rounds alone (0: all of them).

        It is what a fit of so many rounds and the same seed predicts.
        """
        names = self.booster.feature_names or []
        data = xgboost.DMatrix(base.matrix(games, names), feature_names=names, nthread=1)
        return self.booster.predict(data, iteration_range=(0, rounds)).astype(np.float64)

    def save(self, folder: Path) -> list[Path]:
        """Write the model below `folder`; the files written."""
        with atomic(folder / FILE) as temporary:
            temporary.write_bytes(self.booster.save_raw("ubj"))
        return [folder / FILE]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The model that was saved in `folder`."""
        booster = xgboost.Booster({"nthread": 1})
        try:
            booster.load_model(bytearray((folder / FILE).read_bytes()))
        except (OSError, xgboost.core.XGBoostError) as error:
            message = str(error).splitlines()[0]
            raise DataError(f"{folder / FILE}: {message}; fit the model again") from None
        return cls(booster)


def fit(
    train: pl.DataFrame,
    *,
    target: str,
    features: Sequence[str],
    seed: int,
    device: str,
    settings: base.Settings,
) -> Model:
    """Fit to the rows of `train` with a known target.

    Args:
        train: features and target, a row a game.
        target: 0/1 column.
        features: columns that are read.
        seed: of the samples of games and features.
        device: cpu, cuda or cuda:N.

    Raises:
        DataError: the installed package cannot use a card.
        settings: of DEFAULTS.
    """
    values = base.chosen("xgboost", DEFAULTS, settings)
    if device != "cpu" and not xgboost.build_info().get("USE_CUDA"):
        # XGBoost itself would only warn, and fit on the CPU.
        raise DataError("device cuda: this xgboost has no code for a card; docs/nfl.md: GPU")
    known, outcome = base.labelled(train, target)
    parameters = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "device": device,
        "nthread": 1,
        "seed": seed,
        "max_depth": values["depth"],
        "learning_rate": values["rate"],
        "subsample": values["subsample"],
        "colsample_bytree": values["colsample"],
        "min_child_weight": values["min_child"],
        "reg_lambda": values["l2"],
    }
    data = xgboost.DMatrix(
        base.matrix(known, features), outcome, feature_names=list(features), nthread=1
    )
    return Model(xgboost.train(parameters, data, values["rounds"]))

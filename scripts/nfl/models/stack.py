"""Stack: one probability of several models', a logistic regression on their logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import polars as pl
from scipy.optimize import minimize
from scipy.special import expit, logit

from scripts.errors import DataError
from scripts.nfl.models import base
from scripts.tables import write_json

FILE = "model.json"
DEFAULTS = {"penalty": 50.0}
CLIP = 1e-6


@dataclass(frozen=True)
class Model(base.Model):
    """Weights of the base models' logits."""

    FILE: ClassVar[str] = FILE
    models: list[str]
    weights: list[float]
    intercept: float

    def _predict(self, games: pl.DataFrame) -> np.ndarray:
        return expit(logits(games, self.models) @ np.array(self.weights) + self.intercept)

    def save(self, folder: Path) -> list[Path]:
        """Write the model below `folder`; the files written."""
        write_json(asdict(self), folder / FILE)
        return [folder / FILE]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The model that was saved in `folder`."""
        return cls(**base.read_json(folder / FILE))


def fit(
    train: pl.DataFrame,
    *,
    target: str,
    features: Sequence[str],
    seed: int,
    device: str,
    settings: base.Settings,
) -> Model:
    """Fit to out-of-sample predictions of earlier seasons; of no games: the equal-weight average.

    Minimises the log loss, summed over games, + penalty / 2 * (|weights - 1/J|^2 + intercept^2):
    few games leave the average of the logits as it is.

    Args:
        train: probabilities of the J base models, a column a model, and the outcome, a row a game.
        target: 0/1 column; null: not learned from.
        features: the base models' columns; the order does not matter.
        seed, device: not used.
        settings: of DEFAULTS.

    Raises:
        DataError: no base model, or a column is missing.
    """
    values = base.chosen("stack", DEFAULTS, settings)
    models = sorted(features)
    if not models:
        raise DataError("stack: no base models; name at least one")
    base.need(train, [target, *models])
    known = train.filter(pl.col(target).is_not_null())
    outcome = known[target].cast(pl.Float64).to_numpy()
    design = np.column_stack([logits(known, models), np.ones(len(outcome))])
    prior = np.r_[np.full(len(models), 1 / len(models)), 0.0]

    def loss(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        score, moved = design @ numbers, numbers - prior
        value = np.logaddexp(0, score).sum() - outcome @ score
        slope = (expit(score) - outcome) @ design
        return value + values["penalty"] / 2 * moved @ moved, slope + values["penalty"] * moved

    found = minimize(loss, prior, jac=True, method="BFGS", options={"gtol": 1e-6}).x.tolist()
    return Model(models, found[:-1], found[-1])


def logits(games: pl.DataFrame, models: Sequence[str]) -> np.ndarray:
    """Logits of the probabilities; an unknown one is the mean of the game's others (none: 0)."""
    values = logit(np.clip(base.matrix(games, models), CLIP, 1 - CLIP))
    known = ~np.isnan(values)
    mean = np.where(known, values, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(known, values, mean[:, None])

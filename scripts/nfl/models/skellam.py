"""Points of both teams as a bivariate Poisson regression; the margin is Skellam distributed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import polars as pl
from sklearn.pipeline import Pipeline

from scripts.errors import DataError
from scripts.nfl.models import base, bivariate_poisson, estimators
from scripts.nfl.models.bivariate_poisson import Fitted

FILE = "model.skops"
# Points vary several times as much as a Poisson variable, so a game tells less than it thinks.
DEFAULTS = {"penalty": 50_000.0}
TARGETS = {"home_win": None, "home_cover": "spread_line", "over_hit": "total_line"}  # their line
RATES = (0.1, 150.0)  # points beyond which a mean is not extrapolated


@dataclass(frozen=True)
class Model(base.Model):
    """The regression, and how its inputs are made (None: of no feature)."""

    FILE: ClassVar[str] = FILE
    target: str
    features: list[str]
    inputs: Pipeline | None
    fitted: Fitted

    def _predict(self, games: pl.DataFrame) -> np.ndarray:
        """P(outcome 1 | no push); home_win: P(M > 0) + P(M = 0) / 2. NaN where no line is known."""
        a, b = self.rates(games)
        name = TARGETS[self.target]
        if name is None:
            won, tied = bivariate_poisson.above(np.zeros(len(a)), a, b)
            return won + tied / 2
        base.need(games, [name])
        line = games[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        if self.target == "home_cover":
            over, equal = bivariate_poisson.above(line, a, b)
        else:
            over, equal = bivariate_poisson.total_above(line, a, b, self.fitted.common)
        return over / (1 - equal)

    def rates(self, games: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Means of what is each side's own, home and away, in points."""
        values = _inputs(self.inputs, base.matrix(games, self.features))
        design = np.column_stack([np.ones(len(values)), values])
        low, high = np.log(RATES)
        logs = (np.clip(design @ beta, low, high) for beta in (self.fitted.home, self.fitted.away))
        return tuple(np.exp(values) for values in logs)

    def save(self, folder: Path) -> list[Path]:
        """Write the model below `folder`; the files written."""
        content = {
            "target": self.target,
            "features": self.features,
            "inputs": self.inputs,
            "fitted": self.fitted._asdict(),
        }
        return [estimators.dump(content, folder / FILE)]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The model that was saved in `folder`."""
        content = estimators.restore(folder / FILE)
        return cls(**{**content, "fitted": Fitted(**content["fitted"])})


def fit(
    train: pl.DataFrame,
    *,
    target: str,
    features: Sequence[str],
    seed: int,
    device: str,
    settings: base.Settings,
) -> Model:
    """Fit to the games of `train` with a known score, whatever their target.

    Nulls: `estimators.inputs`.

    Args:
        train: features, home_score and away_score, a row a game.
        target: key of TARGETS.
        features: columns that are read.
        seed, device: not used.
        settings: of DEFAULTS.

    Raises:
        DataError: another target, no games with scores, or scores that are no counts.
    """
    values = base.chosen("skellam", DEFAULTS, settings)
    if target not in TARGETS:
        raise DataError(f"skellam: no target {target}; there are {', '.join(TARGETS)}")
    base.need(train, ["home_score", "away_score"])
    played = train.filter(base.PLAYED)
    scores = played.select("home_score", "away_score").cast(pl.Float64).to_numpy()
    if not len(scores) or (scores < 0).any() or not scores.sum(axis=0).all():
        raise DataError(f"train: {len(scores)} games with scores; points of both sides are needed")
    used = estimators.usable(played, features)
    inputs = estimators.inputs().fit(base.matrix(played, used)) if used else None
    fitted = bivariate_poisson.fit(
        _inputs(inputs, base.matrix(played, used)), *scores.T, penalty=values["penalty"]
    )
    return Model(target, used, inputs, fitted)


def _inputs(pipeline: Pipeline | None, values: np.ndarray) -> np.ndarray:
    return values if pipeline is None else pipeline.transform(values)

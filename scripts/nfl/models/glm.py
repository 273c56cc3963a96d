"""Logistic regression on standardised differences of the teams, with an L1 penalty (lasso)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from scripts.nfl.models import base, estimators

# c: scikit-learn's C, the inverse of the penalty; 0: one of CHOICES, chosen inside training.
DEFAULTS = {"c": 0.0}
CHOICES = (0.005, 0.01, 0.02, 0.05, 0.1)
USUAL = 0.02  # where training is too short to choose
HELD = 2  # last seasons of training, which the choice is made on
LONG = 4  # seasons of training from which a choice is made
ITERATIONS = 2000
Model = estimators.Estimated


def fit(
    train: pl.DataFrame,
    *,
    target: str,
    features: Sequence[str],
    seed: int,
    device: str,
    settings: base.Settings,
) -> Model:
    """Fit to the rows of `train` with a known target. Nulls: `estimators.inputs`.

    The penalty is the one of CHOICES by which a model of the seasons before has the lowest log
    loss on the last HELD seasons of training.

    Args:
        train: features and target, a row a game.
        target: 0/1 column.
        features: columns that are read; see `differences`.
        seed, device: not used.
        settings: of DEFAULTS.
    """
    values = base.chosen("glm", DEFAULTS, settings)
    known, outcome = base.labelled(train, target)
    if not (used := estimators.usable(known, differences(features))):
        return estimators.constant(outcome)
    c = values["c"] or chosen(known, outcome, used)
    return Model(used, pipeline(c).fit(base.matrix(known, used), outcome))


def differences(features: Sequence[str]) -> list[str]:
    """`features` without home_x and away_x where x_diff is one: a linear model needs no more."""
    made = {name.removesuffix("_diff") for name in features if name.endswith("_diff")}
    twice = {f"{side}_{name}" for side in ("home", "away") for name in made}
    return [name for name in features if name not in twice]


def pipeline(c: float) -> Pipeline:
    """Imputation, standardisation and the regression."""
    steps = estimators.inputs()
    # An intercept of a large constant is hardly penalised by liblinear.
    model = LogisticRegression(
        C=c,
        l1_ratio=1.0,
        solver="liblinear",
        intercept_scaling=100,
        max_iter=ITERATIONS,
        random_state=0,
    )
    steps.steps.append(("model", model))
    return steps


def chosen(known: pl.DataFrame, outcome: np.ndarray, used: Sequence[str]) -> float:
    """The penalty that predicts the last seasons of training best from those before them."""
    seasons = known["season"].unique().sort()
    if len(seasons) < LONG:
        return USUAL
    late = (known["season"] >= seasons[-HELD]).to_numpy()
    if len(set(outcome[~late])) < 2:
        return USUAL
    values = base.matrix(known, used)
    # A column may be null in all early seasons: then it says nothing there.
    early = [place for place, column in enumerate(values[~late].T) if not np.isnan(column).all()]
    losses = []
    for c in CHOICES:
        model = pipeline(c).fit(values[~late][:, early], outcome[~late])
        chance = model.predict_proba(values[late][:, early])[:, 1]
        losses.append(-np.log(np.where(outcome[late] == 1, chance, 1 - chance)).mean())
    return CHOICES[int(np.argmin(losses))]

"""Logistic regression on standardised features, with an L2 penalty."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from sklearn.linear_model import LogisticRegression

from scripts.nfl.models import base, estimators

DEFAULTS = {"c": 0.005}  # scikit-learn's C: the inverse of the penalty
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

    Args:
        train: features and target, a row a game.
        target: 0/1 column.
        features: columns that are read.
        seed, device: not used.
        settings: of DEFAULTS.
    """
    values = base.chosen("glm", DEFAULTS, settings)
    known, outcome = base.labelled(train, target)
    if not (used := estimators.usable(known, features)):
        return estimators.constant(outcome)
    pipeline = estimators.inputs()
    pipeline.steps.append(("model", LogisticRegression(C=values["c"], max_iter=ITERATIONS)))
    return Model(used, pipeline.fit(base.matrix(known, used), outcome))

"""Random forest. Its trees send nulls to the side that fits training better."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from sklearn.ensemble import RandomForestClassifier

from scripts.nfl.models import base, estimators

DEFAULTS = {"trees": 300, "leaf": 50, "share": 0.5}  # share: of the games that a tree sees
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
    """Fit to the rows of `train` with a known target.

    Args:
        train: features and target, a row a game.
        target: 0/1 column.
        features: columns that are read.
        seed: of the trees' samples.
        device: not used.
        settings: of DEFAULTS.
    """
    values = base.chosen("forest", DEFAULTS, settings)
    known, outcome = base.labelled(train, target)
    if not (used := estimators.usable(known, features)):
        return estimators.constant(outcome)
    forest = RandomForestClassifier(
        values["trees"],
        min_samples_leaf=values["leaf"],
        max_samples=values["share"],
        n_jobs=1,
        random_state=seed,
    )
    return Model(used, forest.fit(base.matrix(known, used), outcome))

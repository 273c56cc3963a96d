"""Neural net of one hidden layer, stopped early on the last games of training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

from scripts.nfl.models import base, estimators

DEFAULTS = {"hidden": 16, "l2": 10.0, "rate": 0.001, "batch": 128, "epochs": 200, "patience": 10}
HELD = 0.15  # share of the games, the last ones, that decide when to stop
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
    """Fit to the earlier rows of `train`, keeping the weights of the epoch best on the last ones.

    Nulls: `estimators.inputs`, its medians and scales from the earlier rows.

    Args:
        train: features and target, a row a game, in time order.
        target: 0/1 column.
        features: columns that are read.
        seed: of the first weights and the order of batches.
        device: not used.
        settings: of DEFAULTS; hidden is the number of units, patience the epochs without a
            better one before it stops.
    """
    values = base.chosen("mlp", DEFAULTS, settings)
    known, outcome = base.labelled(train, target)
    cut = known.height - max(1, round(HELD * known.height))
    base.labelled(known[:cut], target)
    if not (used := estimators.usable(known[:cut], features)):
        return estimators.constant(outcome)
    matrix, pipeline = base.matrix(known, used), estimators.inputs()
    earlier, later = pipeline.fit_transform(matrix[:cut]), pipeline.transform(matrix[cut:])
    net = MLPClassifier(
        (values["hidden"],),
        alpha=values["l2"],
        learning_rate_init=values["rate"],
        batch_size=min(values["batch"], cut),
        random_state=seed,
    )
    _train(net, (earlier, outcome[:cut]), (later, outcome[cut:]), values)
    pipeline.steps.append(("model", net))
    return Model(used, pipeline)


Sample = tuple[np.ndarray, np.ndarray]


def _train(net: MLPClassifier, earlier: Sample, later: Sample, values: base.Settings) -> None:
    """Train epoch by epoch; leave the weights with the least log loss on `later`.

    scikit-learn's own early stopping draws its validation games at random, from all of time.
    """
    least, best, waited = np.inf, None, 0
    for _ in range(values["epochs"]):
        net.partial_fit(*earlier, classes=[0, 1])
        loss = log_loss(later[1], net.predict_proba(later[0]), labels=[0, 1])
        waited += 1
        if loss < least:
            weights = [array.copy() for array in (*net.coefs_, *net.intercepts_)]
            least, best, waited = loss, weights, 0
        if waited >= values["patience"]:
            break
    net.coefs_, net.intercepts_ = best[: len(net.coefs_)], best[len(net.coefs_) :]

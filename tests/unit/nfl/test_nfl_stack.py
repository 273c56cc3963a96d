"""The stack of base models: its optimum, and that few games leave the average."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit

from scripts.errors import DataError
from scripts.nfl.models import families, stack


def predictions(n: int, seed: int = 0) -> pl.DataFrame:
    """`good` knows the truth, `loud` exaggerates another thing, `weak` knows half."""
    rng = np.random.default_rng(seed)
    truth, other = rng.normal(0, 0.8, n), rng.normal(0, 0.8, n)
    return pl.DataFrame(
        {
            "outcome": (rng.random(n) < expit(truth)).astype(np.int8),
            "weak": expit(truth / 2),
            "good": expit(truth + rng.normal(0, 0.3, n)),
            "loud": expit(2 * other),
        }
    )


def fitted(frame: pl.DataFrame, **settings: float) -> stack.Model:
    return families.fit(
        "stack",
        frame,
        target="outcome",
        features=["weak", "good", "loud"],
        seed=0,
        settings=settings,
    )


def test_without_penalty_it_is_a_logistic_regression() -> None:
    frame = predictions(2000)
    design = logit(frame.select("good", "loud", "weak").to_numpy())
    other = sm.Logit(frame["outcome"].to_numpy(), sm.add_constant(design)).fit(disp=0, tol=1e-10)
    made = fitted(frame, penalty=0.0)
    assert made.models == ["good", "loud", "weak"]
    np.testing.assert_allclose([made.intercept, *made.weights], other.params, atol=1e-5)
    np.testing.assert_allclose(made.predict(frame), other.predict(), atol=1e-6)


def test_the_penalty_is_of_the_distance_from_the_average() -> None:
    frame = predictions(300)
    penalty = 20.0
    made = fitted(frame, penalty=penalty)
    design = np.column_stack([logit(frame.select(made.models).to_numpy()), np.ones(300)])
    moved = np.array([*made.weights, made.intercept]) - [1 / 3, 1 / 3, 1 / 3, 0]
    error = made.predict(frame) - frame["outcome"].to_numpy()
    np.testing.assert_allclose(error @ design + penalty * moved, 0, atol=1e-4)


def test_no_games_or_a_great_penalty_leave_the_average() -> None:
    frame = predictions(200)
    average = expit(logit(frame.select("good", "loud", "weak").to_numpy()).mean(axis=1))
    for made in (fitted(frame.clear()), fitted(frame, penalty=1e9)):
        np.testing.assert_allclose(made.predict(frame), average, atol=1e-5)


def test_many_games_favour_the_better_model() -> None:
    made = fitted(predictions(5000))
    good, loud, weak = made.weights
    assert good > 0.4
    assert abs(loud) < 0.1
    assert weak > loud
    test = predictions(5000, seed=1)
    outcome = test["outcome"].to_numpy()
    equal = fitted(test.clear()).predict(test)
    assert ((made.predict(test) - outcome) ** 2).mean() < ((equal - outcome) ** 2).mean()


def test_an_unknown_base_prediction_is_the_mean_of_the_others() -> None:
    frame = pl.DataFrame({"a": [0.8, None, None], "b": [0.6, 0.6, None]})
    found = stack.logits(frame, ["a", "b"])
    np.testing.assert_allclose(found, [[logit(0.8), logit(0.6)], [logit(0.6), logit(0.6)], [0, 0]])


def test_certain_base_predictions_stay_finite() -> None:
    frame = pl.DataFrame({"a": [0.0, 1.0], "b": [0.5, 1.0]})
    assert np.isfinite(stack.logits(frame, ["a", "b"])).all()


def test_bad_input_of_the_stack_is_named() -> None:
    frame = predictions(10)
    with pytest.raises(DataError, match="no base models"):
        families.fit("stack", frame, target="outcome", features=[], seed=0)
    with pytest.raises(DataError, match="no column weak"):
        fitted(frame.drop("weak"))

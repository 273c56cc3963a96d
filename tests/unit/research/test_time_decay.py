"""Exponential weights: closed forms, scikit-learn on repeated games, what walk-forward may see."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from scripts.errors import DataError
from scripts.research import time_decay
from scripts.research.time_decay import EQUAL


@pytest.mark.parametrize(("half_life", "expected"), [(3, 8.652), (4, 11.318), (5, 13.685)])
def test_effective_seasons_of_twenty_six(half_life: float, expected: float) -> None:
    assert time_decay.effective_seasons(26, half_life) == pytest.approx(expected, abs=5e-4)


@settings(max_examples=30)
@given(st.integers(1, 60), st.floats(0.05, 200))
def test_effective_seasons_are_the_geometric_series(seasons: int, half_life: float) -> None:
    r = 0.5 ** (1 / half_life)
    expected = (1 - r**seasons) * (1 + r) / ((1 - r) * (1 + r**seasons))
    found = time_decay.effective_seasons(seasons, half_life)
    assert found == pytest.approx(expected, rel=1e-9)
    assert 1 - 1e-12 <= found <= seasons + 1e-9


def test_effective_size_of_equal_weights_is_their_number() -> None:
    assert time_decay.effective_size(np.full(17, 1e-200)) == pytest.approx(17)
    assert time_decay.effective_seasons(9, EQUAL) == 9


def test_a_half_life_halves() -> None:
    np.testing.assert_allclose(time_decay.weights(np.array([0, 3, 6]), 3), [1, 0.5, 0.25])
    np.testing.assert_array_equal(time_decay.weights(np.array([0, 50]), EQUAL), [1, 1])


@pytest.mark.parametrize("half_life", [0.0, -1.0, math.nan])
def test_wrong_half_lives(half_life: float) -> None:
    with pytest.raises(DataError, match="half-life"):
        time_decay.weights(np.arange(3), half_life)


@pytest.mark.parametrize("weight", [[], [0.0, 0.0], [1.0, -1.0], [np.nan]])
def test_wrong_weights(weight: list[float]) -> None:
    with pytest.raises(DataError, match="weights"):
        time_decay.effective_size(np.array(weight))


def test_fit_is_the_maximum_of_the_weighted_likelihood() -> None:
    rng = np.random.default_rng(3)
    values = rng.standard_normal((300, 2))
    outcome = (rng.random(300) < 1 / (1 + np.exp(-values @ [0.8, -0.4]))).astype(int)
    weight, c = rng.uniform(0.1, 2, 300), 0.05
    model = time_decay.fit(values, outcome, weight, c)
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    weight = weight / weight.mean()

    def loss(b: np.ndarray) -> float:
        z = b[0] + scaled @ b[1:]
        return c * (weight * (np.logaddexp(0, z) - outcome * z)).sum() + b[1:] @ b[1:] / 2

    best = minimize(loss, np.zeros(3), tol=1e-12).x
    chance = 1 / (1 + np.exp(-(best[0] + scaled @ best[1:])))
    np.testing.assert_allclose(model.predict_proba(values)[:, 1], chance, atol=1e-5)


def test_scale_of_weights_does_not_matter() -> None:
    rng = np.random.default_rng(4)
    values, outcome = rng.standard_normal((80, 1)), rng.integers(0, 2, 80)
    weight = rng.uniform(0.5, 1, 80)
    one, other = (
        time_decay.fit(values, outcome, w, 0.1).predict_proba(values) for w in (weight, 7 * weight)
    )
    np.testing.assert_allclose(one, other, atol=1e-9)


def games(seasons: int = 5, each: int = 40, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    n = seasons * each
    x = rng.standard_normal(n)
    return pl.DataFrame(
        {
            "season": np.repeat(np.arange(2000, 2000 + seasons), each).astype(np.int32),
            "week": np.tile(np.arange(each) // 8 + 1, seasons).astype(np.int32),
            "game_id": [f"g{i}" for i in range(n)],
            "home_win": (rng.random(n) < 1 / (1 + np.exp(-x))).astype(np.int8),
            "x_diff": x,
            "home_x": x + 1,
            "away_x": np.ones(n),
        }
    )


WALK = {"target": "home_win", "features": ["home_x", "away_x", "x_diff"], "c": 1.0}


def test_predictions_use_earlier_seasons_only() -> None:
    table = games()
    later = pl.col("season") >= 2003
    changed = table.with_columns(
        home_win=pl.when(later).then(1 - pl.col("home_win")).otherwise("home_win").cast(pl.Int8)
    )
    one, other = (
        time_decay.walk_forward(frame, half_lives=[2, EQUAL], first=2002, **WALK)
        for frame in (table, changed)
    )
    early = pl.col("season") <= 2003
    assert (
        one.filter(early)["probability"].to_list() == other.filter(early)["probability"].to_list()
    )
    assert (
        one.filter(~early)["probability"].to_list() != other.filter(~early)["probability"].to_list()
    )


def test_columns_are_chosen_on_training_alone() -> None:
    rng = np.random.default_rng(8)
    table = games().with_columns(fresh_diff=pl.lit(0.0))
    later = table.with_columns(  # it begins to vary in the tested season
        fresh_diff=pl.when(pl.col("season") == 2004)
        .then(pl.Series(rng.normal(size=200)))
        .otherwise(0.0)
    )
    walk = WALK | {"features": [*WALK["features"], "home_fresh", "away_fresh", "fresh_diff"]}
    asked = []
    inner = time_decay.estimators.usable

    def watched(train: pl.DataFrame, features: list[str]) -> list[str]:
        asked.append(train["season"].max())
        return inner(train, features)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time_decay.estimators, "usable", watched)
        one, other = (
            time_decay.walk_forward(frame, half_lives=[2], first=2003, **walk)
            for frame in (table, later)
        )
    assert asked == [2002, 2003] * 2
    assert one["probability"].to_list() == other["probability"].to_list()


def test_walk_forward_is_one_fit_a_season() -> None:
    table = games()
    found = time_decay.walk_forward(table, half_lives=[2], first=2004, **WALK)
    train, test = table.filter(pl.col("season") < 2004), table.filter(pl.col("season") == 2004)
    weight = 0.5 ** ((2004 - train["season"].to_numpy()) / 2)
    model = time_decay.fit(
        train.select("x_diff").to_numpy(), train["home_win"].to_numpy(), weight, 1.0
    )
    expected = model.predict_proba(test.select("x_diff").to_numpy())[:, 1]
    np.testing.assert_allclose(found["probability"], expected, rtol=1e-12)
    assert found["game_id"].to_list() == test["game_id"].to_list()


def test_games_without_outcome_are_left_out() -> None:
    table = games().with_columns(
        home_win=pl.when(pl.col("game_id") == "g199").then(None).otherwise("home_win")
    )
    found = time_decay.walk_forward(table, half_lives=[EQUAL], first=2004, **WALK)
    assert found.height == 39


@pytest.mark.parametrize("first", [2000, 2005])
def test_seasons_on_both_sides_are_needed(first: int) -> None:
    with pytest.raises(DataError, match="seasons are needed before it and from it on"):
        time_decay.walk_forward(games(), half_lives=[EQUAL], first=first, **WALK)


def test_missing_columns_are_named() -> None:
    with pytest.raises(DataError, match="no column week"):
        time_decay.walk_forward(games().drop("week"), half_lives=[1], first=2002, **WALK)


def test_a_half_life_is_chosen_on_earlier_seasons() -> None:
    rows = []
    for season, good in ((2001, 2.0), (2002, 4.0), (2003, 4.0)):
        for half_life in (2.0, 4.0):
            p = 0.9 if half_life == good else (0.4 if season == 2001 else 0.1)
            rows.append((half_life, season, 1, p))
    table = pl.DataFrame(
        rows, schema=["half_life", "season", "outcome", "probability"], orient="row"
    )
    found = time_decay.chosen(table, 2002)
    assert dict(found.rows()) == {2002: 2.0, 2003: 4.0}


def test_a_choice_needs_a_past() -> None:
    predictions = time_decay.walk_forward(games(), half_lives=[1], first=2002, **WALK)
    with pytest.raises(DataError, match="no predictions before 2002"):
        time_decay.chosen(predictions, 2002)


def test_drifting_coefficients() -> None:
    season, x, y, p = time_decay.drifting(seasons=4, games=5000, step=0.0, seed=1, slope=0.7)
    np.testing.assert_allclose(p, 1 / (1 + np.exp(-0.7 * x)))
    assert abs((y - p).mean()) < 0.02
    assert season.max() == 3
    again = time_decay.drifting(seasons=4, games=5000, step=0.0, seed=1, slope=0.7)
    np.testing.assert_array_equal(y, again[2])

"""Stakes against closed forms, brute force and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit

from scripts.errors import DataError
from scripts.research import sizing

PROBABILITIES, ODDS = st.floats(0.02, 0.98), st.floats(1.05, 12)


def test_decimal_odds_of_american_ones():
    got = sizing.decimal_odds([-110, 100, -100, 250, -400])
    assert got == pytest.approx([1 + 100 / 110, 2, 2, 3.5, 1.25])
    assert sizing.decimal_odds(-110) == pytest.approx(sizing.SPREAD_PRICE)


def test_the_margin_is_taken_out():
    assert sizing.fair_probability(1.9, 1.9) == pytest.approx(0.5)
    home = sizing.fair_probability(1.5, 2.7)
    assert home + sizing.fair_probability(2.7, 1.5) == pytest.approx(1)
    assert 1 - home < 1 / 2.7
    assert home < 1 / 1.5


@settings(max_examples=50)
@given(PROBABILITIES, ODDS)
def test_kelly_has_the_greatest_expected_logarithm(p, d):
    shares = np.linspace(0, 0.999, 2001)
    growth = p * np.log1p(shares * (d - 1)) + (1 - p) * np.log1p(-shares)
    assert sizing.kelly(p, d) == pytest.approx(shares[growth.argmax()], abs=1e-3)


@settings(max_examples=50)
@given(PROBABILITIES, ODDS)
def test_fraction_and_cap(p, d):
    full = sizing.kelly(p, d)
    assert sizing.fractional_kelly(p, d, fraction=0.25, cap=0.05) == min(full / 4, 0.05)
    assert (full > 0) == (sizing.expected_profit(p, d) > 0)


def test_recalibration_is_the_logistic_regression():
    rng = np.random.default_rng(1)
    market = rng.uniform(0.2, 0.8, 4000)
    model = expit(logit(market) + 0.5 * rng.standard_normal(4000))
    outcome = rng.random(4000) < market
    got = sizing.recalibrate(model, market, outcome)
    design = sm.add_constant(np.column_stack([logit(model), logit(market)]))
    expected = sm.Logit(outcome.astype(float), design).fit(disp=0)
    assert got.coefficients == pytest.approx(expected.params, abs=0.01)
    assert got.covariance == pytest.approx(expected.cov_params(), abs=1e-4)


def test_the_bound_of_a_model_that_adds_nothing_is_below_the_price():
    rng = np.random.default_rng(2)
    market = rng.uniform(0.3, 0.7, 3000)
    model = expit(logit(market) + 0.4 * rng.standard_normal(3000))
    known = sizing.recalibrate(model, market, rng.random(3000) < market)
    claims = np.array([0.7]), np.array([0.5])
    assert known.probability(*claims)[0] == pytest.approx(0.5, abs=0.03)
    assert known.probability(*claims, level=0.9)[0] < 0.51
    assert known.probability(*claims, level=0.1)[0] > known.probability(*claims, level=0.9)[0]


def test_bounds_hold_the_truth_as_often_as_they_say():
    inside = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        market = rng.uniform(0.3, 0.7, 300)
        model = expit(logit(market) + 0.4 * rng.standard_normal(300))
        truth = expit((logit(model) + logit(market)) / 2)
        known = sizing.recalibrate(model, market, rng.random(300) < truth)
        bound = known.probability(np.array([0.6]), np.array([0.5]), level=0.9)[0]
        inside.append(bound <= expit(logit(0.6) / 2))
    assert 0.83 < np.mean(inside) < 0.97


def test_a_bound_is_a_quantile_of_the_linear_predictor():
    covariance = np.array([[0.04, 0.01, -0.02], [0.01, 0.09, -0.05], [-0.02, -0.05, 0.16]])
    known = sizing.Recalibration(np.array([0.1, 0.4, 0.7]), covariance)
    x = np.array([1, logit(0.7), logit(0.4)])
    error = np.sqrt(x @ covariance @ x)
    got = [known.probability(np.array([0.7]), np.array([0.4]), level=c)[0] for c in (0.5, 0.9)]
    middle = 0.1 + 0.4 * x[1] + 0.7 * x[2]
    assert got == pytest.approx([expit(middle), expit(middle - 1.2815516 * error)], abs=1e-7)


def test_recalibration_of_separable_outcomes_is_held_by_the_prior():
    """The greatest of likelihood less ridge about (0, 0, 1), as scipy finds it."""
    market = np.linspace(0.1, 0.9, 40)
    model, won = np.full(40, 0.5), market > 0.5
    known = sizing.recalibrate(model, market, won)

    def loss(b: np.ndarray) -> float:
        sign = np.where(won, 1, -1)
        likelihood = log_expit(sign * (b[0] + b[1] * logit(model) + b[2] * logit(market)))
        return 0.125 * (b[0] ** 2 + b[1] ** 2 + (b[2] - 1) ** 2) - likelihood.sum()

    best = minimize(loss, np.zeros(3), tol=1e-10).x
    assert known.coefficients == pytest.approx(best, abs=1e-4)


def test_a_budget_scales_only_slates_that_exceed_it():
    stake = np.array([0.1, 0.1, 0.2, 0.3])
    slate = np.array([0, 0, 2, 2])
    got = sizing.within_budget(stake, slate, budget=0.25)
    assert got == pytest.approx([0.1, 0.1, 0.1, 0.15])


def test_bets_needed_is_the_textbook_sample_size():
    n = sizing.bets_needed(0.02, spread=1.0, confidence=0.95, power=0.8)
    assert n == pytest.approx(6.1826 / 0.02**2, rel=1e-4)
    rng = np.random.default_rng(3)
    means = 0.2 + rng.standard_normal(4000) / np.sqrt(n / 100)
    assert (means * np.sqrt(n / 100) > 1.6449).mean() == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sizing.decimal_odds([50]), "American odds 50"),
        (lambda: sizing.kelly(1.2, 2), "probability 1.2"),
        (lambda: sizing.kelly(np.nan, 2), "probability nan"),
        (lambda: sizing.kelly(0.5, 1), "decimal odds 1"),
        (lambda: sizing.recalibrate([0.5] * 5, [0.5] * 5, [1] * 5), "5 forecasts"),
        (lambda: sizing.bets_needed(0, spread=1, confidence=0.9, power=0.8), "edge 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(DataError, match=message):
        call()

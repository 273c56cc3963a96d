"""CVaR against sorted tails, the programme against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.research import tail_risk

LOSSES = st.lists(st.floats(-5, 5), min_size=1, max_size=60).map(np.array)
LEVELS = st.sampled_from([0.5, 0.9, 0.95, 0.33])


@settings(max_examples=60)
@given(LOSSES, LEVELS)
def test_cvar_is_the_mean_of_the_worst_share(loss, level):
    left, total = (1 - level) * len(loss), 0.0
    for value in sorted(loss, reverse=True):
        part = min(1.0, left)
        total += part * value
        left -= part
        if left <= 1e-12:
            break
    got = tail_risk.conditional_value_at_risk(loss, level)
    assert got == pytest.approx(total / ((1 - level) * len(loss)), abs=1e-9)
    assert got >= tail_risk.value_at_risk(loss, level) - 1e-9


@settings(max_examples=60)
@given(LOSSES, LEVELS)
def test_cvar_is_the_minimum_over_thresholds(loss, level):
    over = [a + np.maximum(loss - a, 0).mean() / (1 - level) for a in loss]
    assert tail_risk.conditional_value_at_risk(loss, level) == pytest.approx(min(over), abs=1e-9)


def test_value_at_risk_is_the_quantile():
    loss = np.arange(1.0, 101)
    assert tail_risk.value_at_risk(loss, 0.95) == 95
    assert tail_risk.conditional_value_at_risk(loss, 0.95) == pytest.approx(98)


def test_without_a_target_nothing_is_staked():
    profit = tail_risk.scenarios(np.array([0.6, 0.55]), np.array([2.0, 2.0]), number=300, seed=1)
    found = tail_risk.least_cvar(profit, level=0.9, target=None, budget=0.5, cap=0.3)
    assert found.feasible
    assert found.stakes == pytest.approx([0, 0])
    assert found.cvar == pytest.approx(0)


def test_many_large_edges_are_staked_on_without_a_target():
    profit = tail_risk.scenarios(np.full(40, 0.75), np.full(40, 2.0), number=500, seed=1)
    found = tail_risk.least_cvar(profit, level=0.95, target=None, budget=0.25, cap=0.05)
    assert found.stakes.sum() == pytest.approx(0.25)
    assert found.cvar < 0


@pytest.mark.parametrize("share", [0.2, 0.6, 0.9])
def test_the_programme_finds_what_a_fine_grid_finds(share):
    rng = np.random.default_rng(2)
    profit = rng.normal([0.08, 0.12, 0.2], [0.5, 0.9, 1.8], (200, 3))
    mean, best = profit.mean(axis=0), np.inf
    target = share * tail_risk.most_expected(mean, budget=0.5, cap=0.3)
    found = tail_risk.least_cvar(profit, target=target, level=0.9, budget=0.5, cap=0.3)
    for stakes in itertools.product(np.linspace(0, 0.3, 31), repeat=3):
        if sum(stakes) <= 0.5 + 1e-9 and mean @ stakes >= target:
            loss = tail_risk.conditional_value_at_risk(-profit @ stakes, 0.9)
            best = min(best, loss)
    assert found.expected >= target - 1e-9
    assert found.stakes.sum() <= 0.5 + 1e-9
    assert found.stakes.max() <= 0.3 + 1e-9
    assert best - 0.02 < found.cvar <= best + 1e-9


def test_risk_rises_with_the_return_demanded():
    profit = tail_risk.scenarios(
        np.array([0.6, 0.5, 0.4]), np.array([1.9, 2.3, 3.0]), number=500, seed=3
    )
    edge = profit.mean(axis=0)
    most = tail_risk.most_expected(edge, budget=0.25, cap=0.1)
    risks = [
        tail_risk.least_cvar(profit, level=0.95, target=share * most, budget=0.25, cap=0.1).cvar
        for share in (0.2, 0.5, 0.8, 1 - 1e-9)
    ]
    assert risks == sorted(risks)


def test_most_expected_is_the_limit_of_what_is_feasible():
    rng = np.random.default_rng(4)
    profit = rng.normal(0.1, 1, (100, 4))
    edge, limits = profit.mean(axis=0), {"budget": 0.25, "cap": 0.1}
    most = tail_risk.most_expected(edge, **limits)
    assert tail_risk.least_cvar(profit, level=0.9, target=most * 0.999, **limits).feasible
    assert not tail_risk.least_cvar(profit, level=0.9, target=most * 1.001, **limits).feasible
    assert tail_risk.most_expected(np.array([-1.0, -2]), **limits) == 0


def test_without_an_edge_no_return_can_be_reached():
    fair = np.array([0.5, 0.4])
    profit = tail_risk.scenarios(fair, 0.95 / fair, number=500, seed=5)
    found = tail_risk.least_cvar(
        profit, level=0.95, target=1e-4, budget=0.25, cap=0.05, expected=np.full(2, -0.05)
    )
    assert found == tail_risk.Portfolio(None, None, None)


def test_scenarios_win_as_often_as_they_should():
    p, odds = np.array([0.3, 0.8]), np.array([3.0, 1.2])
    profit = tail_risk.scenarios(p, odds, number=20_000, seed=6)
    assert (profit > 0).mean(axis=0) == pytest.approx(p, abs=0.02)
    assert set(np.unique(profit[:, 0])) == {-1.0, 2.0}
    assert np.corrcoef(profit.T)[0, 1] == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tail_risk.value_at_risk(np.array([]), 0.9), "none, or one that is not finite"),
        (lambda: tail_risk.value_at_risk(np.ones(3), 1), "level 1"),
        (
            lambda: tail_risk.least_cvar(np.ones(3), level=0.9, target=0, budget=1, cap=1),
            r"shape \(3,\); expected scenarios x bets",
        ),
        (
            lambda: tail_risk.least_cvar(np.ones((3, 1)), level=95, target=0, budget=1, cap=1),
            "level 95",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(DataError, match=message):
        call()

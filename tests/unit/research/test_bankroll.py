"""Paths of a bankroll against loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.research import bankroll

RETURNS = st.lists(st.floats(-0.9, 2), min_size=1, max_size=30).map(np.array)


def test_bets_of_a_slate_settle_together():
    stake, profit = np.array([0.1, 0.2, 0.5]), np.array([1.0, -1.0, 0.5])
    assert bankroll.slate_returns(stake, profit, np.array([0, 0, 2])) == pytest.approx(
        [-0.1, 0, 0.25]
    )


@settings(max_examples=50)
@given(RETURNS)
def test_wealth_and_drawdown_are_those_of_a_loop(returns):
    now = peak = 1.0
    worst, path = 0.0, [1.0]
    for change in returns:
        now *= 1 + change
        peak = max(peak, now)
        worst = max(worst, 1 - now / peak)
        path.append(now)
    got = bankroll.wealth(returns)
    assert got == pytest.approx(path)
    assert bankroll.max_drawdown(got) == pytest.approx(worst, abs=1e-12)
    both = np.stack([returns, returns[::-1]])
    assert bankroll.max_drawdown(bankroll.wealth(both)).shape == (2,)


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(1, 8), st.integers(0, 99))
def test_resampled_blocks_are_runs_of_the_observed(n, block, seed):
    paths = bankroll.resampled(np.arange(float(n)), draws=3, block=block, seed=seed)
    assert paths.shape == (3, n)
    for path in paths:
        for place in range(1, n):
            if place % block:
                assert path[place] == (path[place - 1] + 1) % n


def test_growth_has_its_maximum_at_kelly():
    p, odds = 0.55, 2.0
    wins = 5500
    returns = np.r_[np.full(wins, 0.1), np.full(10_000 - wins, -0.1)]  # Kelly's stake: 2p - 1
    multiples = np.linspace(0, 2.2, 23)
    growth = bankroll.growth_curve(returns, multiples).mean(axis=1)
    assert multiples[growth.argmax()] == pytest.approx(1)
    assert growth[0] == 0
    assert growth[10] == pytest.approx(p * np.log1p(0.1 * (odds - 1)) + (1 - p) * np.log1p(-0.1))
    assert growth[20] == pytest.approx(0, abs=1e-3)


def test_yield_is_profit_by_stake_and_its_interval_covers():
    inside = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        stake, slate = rng.uniform(0, 1, 240), np.repeat(np.arange(60), 4)
        profit = np.where(rng.random(240) < 0.55, 1.0, -1.0)
        got, low, high = bankroll.yield_interval(stake, profit, slate, draws=200, seed=seed)
        assert got == pytest.approx((stake * profit).sum() / stake.sum())
        inside.append(low <= 0.1 <= high)
    assert 0.88 <= np.mean(inside) <= 0.99


def test_the_interval_of_a_yield_is_that_of_ratios():
    """Each sample's profit is divided by that sample's own stakes."""
    stake, profit = np.array([1.0, 2, 4, 3]), np.array([1.0, -1, 0.5, -1])
    slate = np.array([0, 1, 2, 2])
    times = np.random.default_rng(3).multinomial(3, np.full(3, 1 / 3), 40)
    ratios = [
        sum(n * w for n, w in zip(count, (1, -2, -1), strict=True))
        / sum(n * s for n, s in zip(count, (1, 2, 7), strict=True))
        for count in times
    ]
    got = bankroll.yield_interval(stake, profit, slate, draws=40, seed=3, level=0.8)
    assert got == pytest.approx((-2 / 10, *np.quantile(ratios, [0.1, 0.9])))


def test_no_stakes_have_no_yield():
    found = bankroll.yield_interval(np.zeros(4), np.ones(4), np.arange(4), draws=9, seed=0)
    assert np.isnan(found).all()


def test_clusters_are_drawn_whole():
    values, cluster = np.array([1.0, 5, 1, 5, 2, 4]), np.array([0, 0, 1, 1, 2, 2])
    got = bankroll.cluster_interval(lambda rows: values[rows].mean(), cluster, draws=50, seed=1)
    assert got == pytest.approx((3, 3, 3))
    apart = bankroll.cluster_interval(
        lambda rows: values[rows].mean(), np.arange(6), draws=50, seed=1
    )
    assert apart[1] < 3 < apart[2]


def test_believed_returns_have_the_mean_and_variance_of_their_bets():
    stake, p, odds = np.array([0.1, 0.2, 0.1]), np.array([0.6, 0.5, 0.3]), np.array([2.0, 1.8, 3.0])
    found = bankroll.believed_returns(stake, p, odds, np.array([0, 0, 2]), draws=20_000, seed=1)
    assert found.shape == (20_000, 3)
    mean = stake * (p * odds - 1)
    variance = stake**2 * odds**2 * p * (1 - p)
    assert found.mean(axis=0) == pytest.approx([mean[:2].sum(), 0, mean[2]], abs=4e-3)
    assert found.var(axis=0) == pytest.approx([variance[:2].sum(), 0, variance[2]], rel=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bankroll.slate_returns(np.ones(2), np.ones(2), np.zeros(2, int)), "sum to 2.000"),
        (lambda: bankroll.resampled(np.array([]), draws=1, block=1, seed=0), "no slates"),
        (lambda: bankroll.growth_curve(np.array([-0.6]), np.array([2.0])), "would lose 120.0%"),
        (
            lambda: bankroll.believed_returns(
                *(np.ones(2),) * 3, np.array([1, 0]), draws=1, seed=0
            ),
            "out of order",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(DataError, match=message):
        call()

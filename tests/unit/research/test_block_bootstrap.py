"""The stationary bootstrap: what it draws, and how often its intervals hold the truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.research.block_bootstrap import (
    block_length,
    mean_interval,
    ratio_interval,
    resampled,
)


def by_hand(n: int, block: float, draws: int, seed: int) -> np.ndarray:
    """The same draws, one value after the other."""
    rng = np.random.default_rng(seed)
    fresh = rng.random((draws, n)) < 1 / block
    starts = rng.integers(n, size=(draws, n))
    rows = np.empty((draws, n), int)
    for i in range(draws):
        for j in range(n):
            begins = j == 0 or fresh[i, j]
            rows[i, j] = starts[i, j] if begins else (rows[i, j - 1] + 1) % n
    return rows


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 30), st.integers(1, 8), st.integers(0, 99))
def test_draws_are_those_of_the_definition(n, block, seed):
    np.testing.assert_array_equal(resampled(n, block, 5, seed), by_hand(n, block, 5, seed))


def test_blocks_have_the_mean_length_that_was_asked_for():
    rows = resampled(1000, 5, 50, 1)
    breaks = ((rows[:, 1:] - rows[:, :-1]) % 1000 != 1).mean()
    assert breaks == pytest.approx(1 / 5, abs=0.01)


def test_every_position_is_drawn_alike():
    counts = np.bincount(resampled(50, 4, 4000, 2).ravel(), minlength=50)
    assert counts / counts.mean() == pytest.approx(np.ones(50), abs=0.1)


def test_interval_of_independent_values_is_about_the_normal_one():
    values = np.random.default_rng(3).normal(2, 1, 400)
    found = mean_interval(values, level=0.95, draws=2000, seed=4)
    assert found.estimate == pytest.approx(values.mean())
    half = (found.high - found.low) / 2
    assert half == pytest.approx(1.96 * values.std() / 20, rel=0.2)


def test_dependence_widens_the_interval():
    rng, n = np.random.default_rng(5), 800
    noise, series = rng.normal(size=n), np.zeros(n)
    for i in range(1, n):
        series[i] = 0.6 * series[i - 1] + noise[i]
    wide = mean_interval(series, level=0.95, draws=1000, seed=6)
    shuffled = mean_interval(rng.permutation(series), level=0.95, draws=1000, seed=6)
    assert wide.high - wide.low > 1.4 * (shuffled.high - shuffled.low)


def test_coverage_on_many_samples():
    rng, held = np.random.default_rng(7), 0
    for seed in range(200):
        found = mean_interval(rng.normal(size=60), level=0.9, draws=200, seed=seed)
        held += found.low <= 0 <= found.high
    assert 0.8 <= held / 200 <= 0.97


def test_a_ratio_that_never_varies_has_no_width():
    size = np.array([1.0, 5.0, 2.0, 7.0])
    found = ratio_interval(3 * size, size, level=0.95, draws=100, seed=8)
    assert found == pytest.approx((3, 3, 3))


def test_days_without_a_denominator_are_left_out_of_draws():
    found = ratio_interval(
        np.array([0.0, 0.0, 2.0]), np.array([0.0, 0.0, 1.0]), level=0.9, draws=200, seed=9
    )
    assert found == pytest.approx((2, 2, 2))


def test_block_length_grows_slowly():
    assert [block_length(n) for n in (1, 8, 27, 1000)] == [1, 2, 3, 10]


@pytest.mark.parametrize(
    ("values", "level", "message"),
    [
        ([1.0], 0.95, "n 2 or more"),
        ([1.0, float("nan")], 0.95, "not finite"),
        ([1.0, 2.0], 1.0, "level 1.0"),
    ],
)
def test_what_has_no_interval(values, level, message):
    with pytest.raises(DataError, match=message):
        mean_interval(np.array(values), level=level, draws=10, seed=0)


def test_a_denominator_of_nothing():
    with pytest.raises(DataError, match="sums to 0"):
        ratio_interval(np.ones(3), np.zeros(3), level=0.9, draws=10, seed=0)


def test_no_draws():
    with pytest.raises(DataError, match="draws 0"):
        resampled(5, 2, 0, 0)

"""Windows and averages over many symbols at once, against one loop a symbol."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.weekly import windows

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=6)


def made(lengths: list[int], seed: int, holes: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Values and index of symbols of such lengths."""
    rng = np.random.default_rng(seed)
    values = rng.lognormal(0, 3, sum(lengths))
    values[rng.random(len(values)) < holes] = np.nan
    return values, np.concatenate([np.arange(length) for length in lengths])


def by_symbol(values: np.ndarray, index: np.ndarray) -> list[np.ndarray]:
    """The values of each symbol."""
    return np.split(values, np.flatnonzero(index == 0)[1:])


@settings(max_examples=60, deadline=None)
@given(lengths=LENGTHS, seed=st.integers(0, 999), width=st.integers(1, 45))
def test_means_are_those_of_each_window(lengths: list[int], seed: int, width: int) -> None:
    values, index = made(lengths, seed, 0.2)
    expected = []
    for own in by_symbol(values, index):
        for end in range(1, len(own) + 1):
            seen = own[max(0, end - width) : end]
            seen = seen[~np.isnan(seen)]
            expected.append(seen.mean() if len(seen) >= 3 else np.nan)
    np.testing.assert_allclose(windows.mean(values, index, width, 3), expected, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(lengths=LENGTHS, seed=st.integers(0, 999), decay=st.floats(0.1, 0.99))
def test_a_decayed_sum_is_the_recursion(lengths: list[int], seed: int, decay: float) -> None:
    values, index = made(lengths, seed)
    expected = []
    for own in by_symbol(values, index):
        total = 0.0
        for value in own:
            total = decay * total + value
            expected.append(total)
    np.testing.assert_allclose(windows.decayed_sum(values, index, decay), expected, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(lengths=LENGTHS, seed=st.integers(0, 999), start=st.integers(0, 5))
def test_a_seeded_average_starts_from_the_mean(lengths: list[int], seed: int, start: int) -> None:
    values, index = made(lengths, seed)
    expected = []
    for own in by_symbol(values, index):
        average = np.nan
        for place, value in enumerate(own):
            if place == start + 4:
                average = own[start : start + 5].mean()
            elif place > start + 4:
                average += 2 / 6 * (value - average)
            expected.append(average)
    got = windows.seeded_ema(values, index, 5, start)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("width", [3, 12, 20, 50, 100, 200])
def test_equal_values_have_exactly_that_mean_and_no_z(width: int) -> None:
    values = np.r_[np.random.default_rng(0).lognormal(9, 3, 300), np.full(300, 0.1)]
    index = np.arange(600)
    halted = windows.mean(values, index, width, 1)[300 + width :]
    assert (halted == 0.1).all()
    assert np.isnan(windows.z_score(values, index, width, 1)[300 + width :]).all()


def test_what_left_the_window_leaves_no_trace() -> None:
    values = np.r_[np.full(20, 1e12), 1 + np.arange(300) / 1000]
    got = windows.mean(values, np.arange(320), 20, 1)[-1]
    assert got == pytest.approx(values[-20:].mean(), rel=1e-15)


def test_infinities_stay_within_their_symbol() -> None:
    values, index = np.array([np.inf, -np.inf, 1.0, 2.0]), np.array([0, 1, 0, 1])
    assert windows.lag(values, index, 1).tolist()[3] == 1.0
    with np.errstate(invalid="ignore"):
        assert windows.decayed_sum(values, index, 0.5)[2:].tolist() == [1.0, 2.5]


def test_a_lag_beyond_the_last_bar_is_empty() -> None:
    values = np.array([1.0, 2.0])
    for bars in (2, 3, 99):
        assert np.isnan(windows.lag(values, np.arange(2), bars)).all()
    assert windows.lag(np.array([]), np.array([]), 1).size == 0

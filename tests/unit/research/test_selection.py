"""The best of many: closed forms, slow re-implementations, and what pure noise must give."""

from itertools import combinations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kstest, norm
from scipy.stats import t as student

from scripts.errors import DataError
from scripts.research import selection


@pytest.mark.parametrize(("trials", "truth"), [(2, 0.564), (10, 1.539), (100, 2.508)])
def test_expected_best_is_near_the_exact_order_statistic(trials, truth):
    x = np.linspace(-8, 8, 200_001)
    density = trials * norm.pdf(x) * norm.cdf(x) ** (trials - 1)
    exact = float((x * density).sum() * (x[1] - x[0]))
    assert exact == pytest.approx(truth, abs=0.002)
    assert selection.expected_best(trials) == pytest.approx(exact, abs=0.05)


@pytest.mark.parametrize(("days", "ratio"), [(5, 1.41), (20, 1.04), (60, 1.00)])
def test_expected_best_holds_for_some_tens_of_days(days, ratio):
    """sqrt(days) times the Sharpe ratio of normal pnl is Student's t, whose best is farther out."""
    exact = quad(lambda u: student.ppf(u ** (1 / 12), days - 1), 0, 1, limit=200)[0]
    assert exact / selection.expected_best(12) == pytest.approx(ratio, abs=0.01)


def test_one_trial_is_no_choice():
    assert selection.expected_best(1) == 0
    with pytest.raises(DataError, match="0 trials"):
        selection.expected_best(0)


def test_sharpe_of_what_does_not_vary_is_zero():
    pnl = np.array([[1.0, 5.0, 0.0], [3.0, 5.0, 0.0], [5.0, 5.0, 0.0]])
    assert selection.sharpe(pnl).tolist() == [1.5, 0, 0]


def slowly(pnl: np.ndarray, blocks: int) -> dict[str, float]:
    """`split_selection`, with lists."""
    runs = [list(run) for run in np.array_split(np.arange(len(pnl)), blocks)]
    rows = []
    for half in combinations(range(blocks), blocks // 2):
        first = [day for block in half for day in runs[block]]
        rest = [day for day in range(len(pnl)) if day not in first]
        means = [pnl[first, v].mean() for v in range(pnl.shape[1])]
        out = [pnl[rest, v].mean() for v in range(pnl.shape[1])]
        best = means.index(max(means))
        below = sum(value < out[best] for value in out)
        rows.append((means[best], out[best], np.median(out), (below + 1) / (len(out) + 1) < 0.5))
    names = ("chosen_in", "chosen_out", "median_out", "overfit")
    return dict(zip(names, np.mean(rows, axis=0), strict=True)) | {"splits": len(rows)}


def test_splits_against_the_slow_way():
    pnl = np.random.default_rng(1).normal(size=(23, 6))
    found = selection.split_selection(pnl, 6)
    assert found == pytest.approx(slowly(pnl, 6))
    assert found["splits"] == 20


def test_noise_is_chosen_in_vain_and_skill_is_not():
    rng = np.random.default_rng(2)
    shares = [selection.split_selection(rng.normal(size=(60, 9)), 6)["overfit"] for _ in range(60)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.1)
    skilled = rng.normal(size=(60, 9)) + np.eye(9)[4] * 2
    found = selection.split_selection(skilled, 6)
    assert found["overfit"] == 0 and found["chosen_out"] > 1


def test_equal_variants_are_neither_above_nor_below():
    pnl = np.repeat(np.random.default_rng(3).normal(size=(10, 1)), 5, axis=1)
    assert selection.split_selection(pnl, 2)["overfit"] == 0.5


def test_reality_check_is_uniform_without_an_effect():
    rng = np.random.default_rng(4)
    found = [
        selection.reality_check(rng.normal(size=(80, 5)), 0, draws=99, seed=seed)
        for seed in range(120)
    ]
    assert kstest(found, "uniform").pvalue > 0.005


def test_reality_check_sees_an_effect_and_not_a_worse_variant():
    rng = np.random.default_rng(5)
    pnl = rng.normal(size=(100, 4))
    better = pnl + np.array([0, 0, 1.0, 0])
    worse = pnl - np.array([0, 3.0, 3.0, 3.0])
    assert selection.reality_check(better, 0, draws=199, seed=1) <= 0.01
    assert selection.reality_check(worse, 0, draws=199, seed=1) > 0.5


def reality_slowly(pnl: np.ndarray, draws: int, seed: int) -> float:
    """`reality_check` against column 0, one day after the other; blocks of n^(1/3) on average."""
    n, k = pnl.shape
    gain = [[pnl[day, v] - pnl[day, 0] for v in range(1, k)] for day in range(n)]
    found = np.mean(gain, axis=0)
    rng = np.random.default_rng(seed)
    fresh = rng.random((draws, n)) < 1 / round(n ** (1 / 3))
    starts = rng.integers(n, size=(draws, n))
    hits = 1
    for i in range(draws):
        days = []
        for j in range(n):
            days.append(starts[i, j] if j == 0 or fresh[i, j] else (days[-1] + 1) % n)
        drawn = np.mean([gain[day] for day in days], axis=0)
        hits += max(drawn - found) >= max(found)
    return hits / (1 + draws)


@pytest.mark.parametrize("seed", [1, 2])
def test_reality_check_keeps_blocks_of_dependent_days(seed):
    pnl = np.random.default_rng(seed).normal(size=(80, 4))
    for day in range(1, len(pnl)):
        pnl[day] += 0.7 * pnl[day - 1]
    found = selection.reality_check(pnl, 0, draws=200, seed=seed)
    assert found == pytest.approx(reality_slowly(pnl, 200, seed))
    assert 0.02 < found < 0.98  # other blocks give another share


def test_effective_trials_between_one_and_all():
    rng = np.random.default_rng(6)
    alone = rng.normal(size=(5000, 4))
    assert selection.effective_trials(alone) == pytest.approx(4, abs=0.05)
    assert selection.effective_trials(alone[:, [0, 0, 0]]) == pytest.approx(1)
    assert selection.effective_trials(alone[:, [0, 0, 1, 1]]) == pytest.approx(2, abs=0.05)
    assert selection.effective_trials(np.zeros((5, 3))) == 1


def test_few_days_bound_the_effective_trials():
    few = selection.independent_trials(5, 12, draws=100, seed=7)
    assert few == pytest.approx(3.5, abs=0.1) and few <= 5 - 1
    assert selection.independent_trials(3000, 4, draws=3, seed=8) == pytest.approx(4, abs=0.02)
    with pytest.raises(DataError, match="shape"):
        selection.independent_trials(1, 4, draws=3, seed=8)


@pytest.mark.parametrize("blocks", [0, 3, 12])
def test_blocks_that_do_not_fit(blocks):
    with pytest.raises(DataError, match="expected an even number"):
        selection.split_selection(np.zeros((10, 3)), blocks)


def test_input_that_is_no_choice():
    with pytest.raises(DataError, match="shape"):
        selection.reality_check(np.zeros((10, 1)), 0, draws=9, seed=0)
    with pytest.raises(DataError, match="benchmark 3"):
        selection.reality_check(np.zeros((10, 3)), 3, draws=9, seed=0)
    with pytest.raises(DataError, match="finite"):
        selection.effective_trials(np.full((3, 2), np.nan))

"""Copulas against scipy, statsmodels-free closed forms and slow sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import kendalltau, multivariate_normal, multivariate_t, norm, rankdata
from scipy.stats import t as student

from scripts.errors import DataError
from scripts.research import copulas
from scripts.research.copulas import Fitted

PLACES = [(0.1, 0.1), (0.3, 0.8), (0.5, 0.5), (0.95, 0.02), (0.99, 0.97)]


def whole_pairs(rho: float, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs that tie, from a Gaussian copula."""
    normal = np.random.default_rng(seed).multivariate_normal([0, 0], [[1, rho], [rho, 1]], n)
    return np.round(8 * normal[:, 0]), np.round(8 * normal[:, 1])


@pytest.mark.parametrize("rho", [-0.9, -0.3, 0.0, 0.05, 0.7])
def test_gaussian_distribution_is_that_of_scipy(rho):
    u, v = np.array(PLACES).T
    expected = [
        multivariate_normal.cdf(norm.ppf(place), cov=[[1, rho], [rho, 1]]) for place in PLACES
    ]
    got = copulas.distribution(Fitted("gaussian", rho, np.inf, 0), u, v)
    assert got == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("rho", [-0.8, 0.0, 0.05, 0.9])
@pytest.mark.parametrize("nu", [2.0, 5.0, 100.0])
def test_t_distribution_is_the_integral_of_its_conditional(rho, nu):
    def conditional(s: float, b: float) -> float:
        scale = np.sqrt((1 - rho**2) * (nu + s * s) / (nu + 1))
        return student.pdf(s, nu) * student.cdf((b - rho * s) / scale, nu + 1)

    expected = [
        quad(conditional, -np.inf, student.ppf(u, nu), args=(student.ppf(v, nu),))[0]
        for u, v in PLACES
    ]
    got = copulas.distribution(Fitted("t", rho, nu, 0), *np.array(PLACES).T)
    assert got == pytest.approx(expected, abs=1e-6)


def test_cells_hold_ranks_and_the_joint_distribution_with_ties():
    x, y = whole_pairs(0.4, 60, 1)
    table = copulas.cells(x, y)
    seen = sorted(set(zip(x, y, strict=True)))
    for k, (a, b) in enumerate(seen):
        assert table.count[k] == ((x == a) & (y == b)).sum()
        assert table.below[k] == pytest.approx(((x <= a) & (y <= b)).mean())
        assert table.upper[0][k] == pytest.approx((x <= a).sum() / 61)
        assert table.mid[1][k] == pytest.approx(rankdata(y)[y == b][0] / 61)


def test_statistic_is_the_sum_over_pairs():
    x, y = whole_pairs(0.2, 80, 2)
    gaps = [
        ((x <= a) & (y <= b)).mean() - (x <= a).sum() / 81 * (y <= b).sum() / 81
        for a, b in zip(x, y, strict=True)
    ]
    got = copulas.cramer_von_mises(Fitted("independence", 0, np.inf, 0), copulas.cells(x, y))
    assert got == pytest.approx(np.sum(np.square(gaps)))


@pytest.mark.parametrize("rho", [-0.6, 0.0, 0.85])
def test_gaussian_fit_is_the_maximum_that_scipy_finds(rho):
    x, y = whole_pairs(rho, 400, 3)
    a, b = (norm.ppf(rankdata(z) / 401) for z in (x, y))

    def loss(r: float) -> float:
        joint = multivariate_normal.logpdf(np.column_stack([a, b]), cov=[[1, r], [r, 1]])
        return -(joint - norm.logpdf(a) - norm.logpdf(b)).sum()

    best = minimize_scalar(loss, bounds=(-0.99, 0.99), method="bounded", options={"xatol": 1e-9})
    got = copulas.fit("gaussian", x, y)
    assert got.rho == pytest.approx(best.x, abs=1e-6)
    assert got.log_likelihood == pytest.approx(-best.fun, abs=1e-6)


@pytest.mark.parametrize("rho", [-0.4, 0.05, 0.7])
def test_t_fit_is_the_maximum_that_scipy_finds(rho):
    draws = copulas.sample(Fitted("t", rho, 4.0, 0), 500, np.random.default_rng(4))
    x, y = draws.T
    got = copulas.fit("t", x, y)

    def loss(r: float, nu: float) -> float:
        a, b = (student.ppf(rankdata(z) / 501, nu) for z in (x, y))
        joint = multivariate_t.logpdf(np.column_stack([a, b]), shape=[[1, r], [r, 1]], df=nu)
        return -(joint - student.logpdf(a, nu) - student.logpdf(b, nu)).sum()

    found = {
        nu: minimize_scalar(loss, bounds=(-0.99, 0.99), args=(nu,), method="bounded")
        for nu in copulas.DEGREES
    }
    best = min(found, key=lambda nu: found[nu].fun)
    assert got.degrees == best
    assert got.rho == pytest.approx(found[best].x, abs=1e-4)
    assert got.log_likelihood == pytest.approx(-found[best].fun, abs=1e-5)


def test_the_likelihood_of_t_is_never_below_that_of_its_limit():
    for seed in range(5):
        x, y = whole_pairs(0.3, 400, seed)
        gaussian, t = copulas.fit("gaussian", x, y), copulas.fit("t", x, y)
        assert t.log_likelihood >= gaussian.log_likelihood
        if np.isinf(t.degrees):
            assert (t.rho, t.log_likelihood) == (gaussian.rho, gaussian.log_likelihood)


def test_t_of_infinite_degrees_is_the_gaussian():
    limit, gaussian = (Fitted(family, 0.6, np.inf, 0) for family in ("t", "gaussian"))
    u, v = np.array(PLACES).T
    assert (copulas.distribution(limit, u, v) == copulas.distribution(gaussian, u, v)).all()
    draws = [copulas.sample(f, 9, np.random.default_rng(1)) for f in (limit, gaussian)]
    assert (draws[0] == draws[1]).all()
    assert copulas.tail_dependence(limit) == 0
    near = copulas.distribution(Fitted("t", 0.6, 1e5, 0), u, v)
    assert copulas.distribution(limit, u, v) == pytest.approx(near, abs=1e-4)


def test_samples_have_the_tau_of_their_correlation():
    for family, nu in (("gaussian", np.inf), ("t", 3.0)):
        draws = copulas.sample(Fitted(family, 0.5, nu, 0), 20_000, np.random.default_rng(5))
        assert kendalltau(*draws.T).statistic == pytest.approx(2 / np.pi * np.arcsin(0.5), abs=0.02)
        assert 0 < draws.min() < draws.max() < 1


def test_bootstrap_accepts_the_true_family_and_refuses_a_wrong_one():
    x, y = whole_pairs(0.5, 300, 6)
    right = copulas.goodness_of_fit("gaussian", x, y, draws=49, seed=1)
    wrong = copulas.goodness_of_fit("independence", x, y, draws=49, seed=1)
    assert right.p > 0.05 >= wrong.p
    assert right.statistic < wrong.statistic


def test_p_values_of_a_true_hypothesis_are_spread_out():
    """With ties and an estimated parameter; the wrong bootstrap piles them up near 1 or 0."""
    p = [
        copulas.goodness_of_fit("gaussian", *whole_pairs(0.3, 100, seed), draws=39, seed=seed).p
        for seed in range(60)
    ]
    assert 0.35 < np.mean(p) < 0.65
    assert np.mean(np.array(p) <= 0.1) < 0.25


@pytest.mark.parametrize("family", copulas.FAMILIES)
def test_replicates_are_of_the_fitted_copula_fitted_again(family):
    x, y = whole_pairs(0.8, 80, 13)
    fitted, rng = copulas.fit(family, x, y), np.random.default_rng(4)
    expected = []
    for _ in range(4):
        a, b = copulas.with_margins(copulas.sample(fitted, 80, rng), x, y)
        expected.append(copulas.cramer_von_mises(copulas.fit(family, a, b), copulas.cells(a, b)))
    got = copulas.goodness_of_fit(family, x, y, draws=4, seed=4)
    assert got.replicates == pytest.approx(np.array(expected))
    assert got.p == (1 + sum(e >= got.statistic for e in expected)) / 5


def test_a_seed_gives_the_same_bootstrap():
    x, y = whole_pairs(0.1, 60, 7)
    first, second = (
        copulas.goodness_of_fit("t", x, y, draws=5, seed=3).replicates for _ in range(2)
    )
    assert (first == second).all()


def test_margins_of_samples_are_the_observed_ones():
    x, y = whole_pairs(0.1, 50, 8)
    grid = (np.arange(50) + 0.5) / 50
    a, b = copulas.with_margins(np.column_stack([grid, grid]), x, y)
    assert (a == np.sort(x)).all()
    assert (b == np.sort(y)).all()


def test_tail_dependence_of_t():
    assert copulas.tail_dependence(Fitted("t", 0.5, 4.0, 0)) == pytest.approx(0.253, abs=1e-3)
    assert copulas.tail_dependence(Fitted("gaussian", 0.9, np.inf, 0)) == 0
    far = copulas.fitted_tail_lift(Fitted("t", 0.5, 4.0, 0), 1e-5) * 1e-5
    assert far == pytest.approx(0.253, abs=0.02)


def test_lift_of_equal_series_is_that_of_certainty():
    x = np.arange(200.0)
    low, high = copulas.tail_lifts(x, x, 0.1)
    assert low == pytest.approx(10)
    assert high == pytest.approx(10)
    assert copulas.tail_lifts(x, -x, 0.1) == (0, 0)


def test_residuals_compare_cells_with_independence():
    x, y = whole_pairs(0.5, 200, 11)
    tenth = [np.minimum((rankdata(z) / 201 * 5).astype(int), 4) for z in (x, y)]
    residuals = copulas.cell_residuals(x, y, cells=5)
    for row in range(5):
        for column in range(5):
            expected = (tenth[0] == row).sum() * (tenth[1] == column).sum() / 200
            found = ((tenth[0] == row) & (tenth[1] == column)).sum()
            assert residuals[row, column] == pytest.approx((found - expected) / np.sqrt(expected))
    assert residuals[0, 0] > 0 > residuals[0, 4]


def test_gap_share_counts_all_pairings():
    x, y = whole_pairs(0.5, 70, 12)
    for width in (0, 3):
        near = [abs(a - b) <= width for a in x for b in y]
        expected = np.mean(np.abs(x - y) <= width), np.mean(near)
        assert copulas.gap_share(x, y, width=width) == pytest.approx(expected)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.sampled_from(["gaussian", "t"]))
def test_swapping_the_margins_changes_nothing(seed, family):
    x, y = whole_pairs(0.3, 60, seed)
    there, back = copulas.fit(family, x, y), copulas.fit(family, y, x)
    assert there.rho == pytest.approx(back.rho, abs=1e-6)
    assert there.degrees == back.degrees
    assert copulas.fit(family, x, -y).rho == pytest.approx(-there.rho, abs=1e-5)


def test_largest_gap_is_small_where_the_copula_is_right():
    draws = copulas.sample(Fitted("gaussian", 0.4, np.inf, 0), 3000, np.random.default_rng(9))
    fitted = copulas.fit("gaussian", *draws.T)
    assert copulas.largest_gap(fitted, *draws.T) < 0.02
    assert copulas.largest_gap(Fitted("independence", 0, np.inf, 0), *draws.T) > 0.05


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.arange(5.0), np.arange(5.0), "5 pairs; expected at least 30"),
        (np.arange(40.0), np.arange(39.0), "expected two series of one length"),
        (np.arange(40.0), np.full(40, np.nan), "not finite"),
        (np.arange(40.0), np.ones(40), "one value only"),
    ],
)
def test_bad_pairs_are_named(x, y, message):
    with pytest.raises(DataError, match=message):
        copulas.fit("gaussian", x, y)


def test_unknown_family_is_named():
    with pytest.raises(DataError, match="'clayton'; expected one of independence, gaussian, t"):
        copulas.fit("clayton", *whole_pairs(0, 50, 1))


def test_a_tail_without_values_is_named():
    x = np.array([0.0] * 30 + [1.0] * 30)
    with pytest.raises(DataError, match="no value is in it"):
        copulas.tail_lifts(x, np.arange(60.0), 0.1)

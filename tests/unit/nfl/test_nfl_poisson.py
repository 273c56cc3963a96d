"""Bivariate Poisson regression and the Skellam model, against sums and other libraries."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from nfl_model_games import FEATURES, simulated
from scipy.optimize import check_grad
from scipy.stats import poisson, skellam
from sklearn.linear_model import PoissonRegressor

from scripts.errors import DataError
from scripts.nfl.models import bivariate_poisson, families
from scripts.nfl.models.bivariate_poisson import above, fit, log_pmf, total_above

MEANS = st.floats(0.2, 40)
GAMES = simulated(3)


def pmf(x: int, y: int, a: float, b: float, c: float) -> float:
    """P(X = x, Y = y), by the definition: over all values of what is common."""
    return sum(
        poisson.pmf(k, c) * poisson.pmf(x - k, a) * poisson.pmf(y - k, b)
        for k in range(min(x, y) + 1)
    )


@settings(max_examples=60)
@given(x=st.integers(0, 60), y=st.integers(0, 60), a=MEANS, b=MEANS, c=st.floats(0, 15))
def test_the_density_is_the_sum_over_what_is_common(
    x: int, y: int, a: float, b: float, c: float
) -> None:
    expected = pmf(x, y, a, b, c)
    if expected < 1e-280:
        return
    given_ = (np.array([float(value)]) for value in (x, y, a, b))
    logs, shared = log_pmf(*given_, c)
    assert logs[0] == pytest.approx(math.log(expected), rel=1e-9, abs=1e-9)
    if c > 1e-3:
        mean = sum(
            k * poisson.pmf(k, c) * poisson.pmf(x - k, a) * poisson.pmf(y - k, b)
            for k in range(min(x, y) + 1)
        )
        assert c * shared[0] == pytest.approx(mean / expected, rel=1e-7)
    if c == 0:
        assert shared[0] == pytest.approx(x * y / (a * b))


@settings(max_examples=25)
@given(a=st.floats(0.2, 25), b=st.floats(0.2, 25), line=st.integers(-40, 40))
def test_margins_by_convolution(a: float, b: float, line: int) -> None:
    points = np.arange(120)
    joint = np.outer(poisson.pmf(points, a), poisson.pmf(points, b))
    margin = points[:, None] - points[None, :]
    for half in (0.0, 0.5):
        over, equal = above(np.array([line + half]), np.array([a]), np.array([b]))
        assert over[0] == pytest.approx(joint[margin > line + half].sum(), abs=1e-9)
        assert equal[0] == pytest.approx(joint[margin == line + half].sum(), abs=1e-9)
        assert over[0] == pytest.approx(skellam.sf(line, a, b), abs=1e-12)


@settings(max_examples=25)
@given(a=MEANS, b=MEANS, c=st.floats(0, 12), line=st.integers(0, 90))
def test_totals_by_convolution(a: float, b: float, c: float, line: int) -> None:
    twice = np.zeros(300)
    twice[::2] = poisson.pmf(np.arange(150), c)
    density = np.convolve(
        np.convolve(poisson.pmf(np.arange(300), a), twice), poisson.pmf(np.arange(300), b)
    )
    total = np.arange(len(density))
    for half in (0.0, 0.5):
        over, equal = total_above(np.array([line + half]), np.array([a]), np.array([b]), c)
        assert over[0] == pytest.approx(density[total > line + half].sum(), abs=1e-9)
        assert equal[0] == pytest.approx(density[total == line + half].sum(), abs=1e-9)


def sample(n: int, c: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs and counts of a regression with (.2, -.1, 0) and (0, .1, .2) on log 8 and log 6."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n, 3))
    a = np.exp(np.log(8) + inputs @ [0.2, -0.1, 0])
    b = np.exp(np.log(6) + inputs @ [0, 0.1, 0.2])
    common = rng.poisson(c, n)
    return inputs, rng.poisson(a) + common, rng.poisson(b) + common


def test_without_common_part_it_is_two_poisson_regressions() -> None:
    inputs, x, y = sample(800, 0)
    found = fit(inputs, x, y, penalty=0, common=False)
    assert found.common == 0
    for counts, beta in ((x, found.home), (y, found.away)):
        other = sm.GLM(counts, sm.add_constant(inputs), family=sm.families.Poisson()).fit()
        np.testing.assert_allclose(beta, other.params, atol=1e-6)


def test_the_penalty_is_scikit_learns() -> None:
    inputs, x, y = sample(800, 0)
    found = fit(inputs, x, y, penalty=2400.0, common=False)
    for counts, beta in ((x, found.home), (y, found.away)):
        other = PoissonRegressor(alpha=3.0, tol=1e-10, max_iter=1000).fit(inputs, counts)
        np.testing.assert_allclose(beta, [other.intercept_, *other.coef_], atol=1e-6)


def test_the_common_part_is_recovered() -> None:
    inputs, x, y = sample(20_000, 3.0, seed=2)
    found = fit(inputs, x, y, penalty=0)
    assert found.common == pytest.approx(3.0, abs=0.2)
    np.testing.assert_allclose(found.home, [np.log(8), 0.2, -0.1, 0], atol=0.03)
    np.testing.assert_allclose(found.away, [np.log(6), 0, 0.1, 0.2], atol=0.04)


def test_the_fit_is_the_maximum_also_in_the_common_part() -> None:
    inputs, x, y = sample(400, 2.0, seed=4)
    design = np.column_stack([np.ones(400), inputs])

    def loss(numbers: np.ndarray) -> float:
        a, b = np.exp(design @ numbers[:4]), np.exp(design @ numbers[4:8])
        squares = numbers[1:4] @ numbers[1:4] + numbers[5:8] @ numbers[5:8]
        return -log_pmf(x, y, a, b, numbers[8])[0].mean() + 0.5 * 20 / 400 * squares

    best = np.r_[tuple(fit(inputs, x, y, penalty=20.0))]
    assert check_grad(loss, lambda _: np.zeros(9), best) < 1e-5
    for place in range(9):
        for step in (-0.02, 0.02):
            assert loss(best + step * np.eye(9)[place]) > loss(best)


def test_counts_that_go_against_one_another_have_no_common_part() -> None:
    rng = np.random.default_rng(1)
    x = rng.poisson(20, 500)
    found = fit(np.empty((500, 0)), x, np.maximum(40 - x + rng.poisson(3, 500), 0), penalty=1)
    assert found.common == 0
    assert found.home[0] == pytest.approx(np.log(x.mean()))


def test_probabilities_of_the_three_targets_by_enumeration() -> None:
    points = np.arange(110)
    for target in ("home_win", "home_cover", "over_hit"):
        made = families.fit("skellam", GAMES, target=target, features=FEATURES, seed=1)
        games = GAMES.tail(6).with_columns(
            spread_line=pl.Series([3.0, -3.5, 0.0, 7.0, None, 1.5]),
            total_line=pl.Series([44.0, 43.5, 40.0, 51.0, None, 47.5]),
        )
        found = made.predict(games)
        for place, (a, b) in enumerate(zip(*made.rates(games), strict=True)):
            grid = log_pmf(
                *(axis.ravel().astype(float) for axis in np.meshgrid(points, points)),
                *np.full((2, 110 * 110), [[a], [b]]),
                made.fitted.common,
            )[0]
            joint = np.exp(grid).reshape(110, 110).T
            assert joint.sum() == pytest.approx(1, abs=1e-9)
            margin, total = points[:, None] - points, points[:, None] + points
            line = games["total_line" if target == "over_hit" else "spread_line"][place]
            value = total if target == "over_hit" else margin
            if target == "home_win":
                expected = joint[margin > 0].sum() + joint[margin == 0].sum() / 2
            elif line is None:
                assert np.isnan(found[place])
                continue
            else:
                expected = joint[value > line].sum() / joint[value != line].sum()
            assert found[place] == pytest.approx(expected, abs=1e-9)


def test_bad_input_of_skellam_is_named() -> None:
    def model(games: pl.DataFrame, target: str = "over_hit") -> families.Model:
        return families.fit("skellam", games, target=target, features=FEATURES, seed=1)

    with pytest.raises(DataError, match="no target spread; there are home_win, home_cover"):
        model(GAMES, "spread")
    with pytest.raises(DataError, match="0 games with scores"):
        model(GAMES.with_columns(home_score=pl.lit(None, pl.Int32)))
    with pytest.raises(DataError, match="no column total_line"):
        model(GAMES).predict(GAMES.drop("total_line"))


def test_extreme_inputs_do_not_explode() -> None:
    made = families.fit("skellam", GAMES, target="home_win", features=FEATURES, seed=1)
    far = GAMES.head(2).with_columns(strength_diff=pl.Series([1e6, -1e6]))
    home, away = made.rates(far)
    assert max(home.max(), away.max()) <= 150
    assert min(home.min(), away.min()) >= 0.1
    assert np.isfinite(made.predict(far)).all()
    assert bivariate_poisson.REST < 1e-12

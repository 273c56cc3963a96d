"""Margins given lines: scipy's Skellam, convolutions by loops, moments, weights by likelihood."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, nbinom, poisson, skellam

from scripts.errors import DataError
from scripts.research import score_distribution as distribution
from scripts.research.score_distribution import MARGINS, POINTS

LINES = st.tuples(st.floats(-20, 20), st.floats(30, 60))


@settings(max_examples=20)
@given(LINES)
def test_skellam_has_the_mean_and_variance_of_the_lines(lines: tuple[float, float]) -> None:
    spread, total = (np.array([line]) for line in lines)
    pmf = distribution.skellam_margins(spread, total)[0]
    assert pmf.sum() == pytest.approx(1)
    assert pmf @ MARGINS == pytest.approx(spread[0], abs=1e-6)
    assert pmf @ (MARGINS - spread[0]) ** 2 == pytest.approx(total[0], abs=1e-3)
    assert pmf[MARGINS == 3][0] == pytest.approx(
        skellam.pmf(3, (total + spread) / 2, (total - spread) / 2)[0], rel=1e-9
    )


@settings(max_examples=20)
@given(LINES, st.floats(1.2, 6))
def test_wide_margins_have_a_multiple_of_the_variance(
    lines: tuple[float, float], phi: float
) -> None:
    spread, total = (np.array([line]) for line in lines)
    pmf = distribution.wide_margins(spread, total, phi)[0]
    assert pmf @ MARGINS == pytest.approx(spread[0], abs=0.15)
    variance = pmf @ (MARGINS - pmf @ MARGINS) ** 2
    assert variance == pytest.approx(phi * total[0], rel=0.03)  # nothing beyond 80 points


def test_poisson_points_make_the_skellam() -> None:
    spread, total = np.array([-6.5, 3.0]), np.array([41.0, 52.5])
    np.testing.assert_allclose(
        distribution.wide_margins(spread, total, 1.0),
        distribution.skellam_margins(spread, total),
        atol=1e-12,
    )


def test_difference_is_the_double_sum() -> None:
    home, away = (
        distribution.points_pmf(np.array([mean]), phi)[0] for mean, phi in ((25, 4), (18, 2))
    )
    expected = np.zeros(len(MARGINS))
    for x, p in enumerate(home):
        for y, q in enumerate(away):
            if abs(x - y) <= MARGINS[-1]:
                expected[x - y - MARGINS[0]] += p * q
    found = distribution.difference(home[None], away[None])[0]
    np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-12)


def test_points_are_negative_binomial() -> None:
    pmf = distribution.points_pmf(np.array([24.0]), 3.0)[0]
    np.testing.assert_allclose(pmf, nbinom.pmf(POINTS, 12, 1 / 3), atol=1e-9)
    assert pmf @ POINTS == pytest.approx(24, abs=1e-4)
    np.testing.assert_allclose(
        distribution.points_pmf(np.array([24.0]), 1.0)[0], poisson.pmf(POINTS, 24), atol=1e-12
    )


def simulated(n: int, phi: float, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    spread, total = rng.normal(2, 6, n).round(), rng.normal(44, 4, n).round()
    means = (total + spread) / 2, (total - spread) / 2
    home, away = (rng.negative_binomial(m / (phi - 1), 1 / phi) for m in means)
    return pl.DataFrame(
        {"home_score": home, "away_score": away, "spread_line": spread, "total_line": total}
    )


def test_dispersion_is_found() -> None:
    found = distribution.dispersion(simulated(20_000, 4.0, 1))
    assert found.margin == pytest.approx(4, rel=0.03)
    assert found.points == pytest.approx(4, rel=0.03)
    exact = pl.DataFrame(
        {"home_score": [24], "away_score": [20], "spread_line": [4.0], "total_line": [44.0]}
    )
    assert distribution.dispersion(exact) == (1.0, 1.0)


def test_reweighting_meets_what_was_observed() -> None:
    games = simulated(800, 4.0, 2)
    margin = (games["home_score"] - games["away_score"]).to_numpy()
    margin = np.where(np.abs(margin) == 4, 3, margin)  # threes are made frequent
    pmf = distribution.wide_margins(*games.select("spread_line", "total_line").to_numpy().T, 4.0)
    weight = distribution.reweighting(margin, pmf, prior=0)
    expected = distribution.reweighted(pmf, weight).sum(axis=0)
    for size in (0, 3, 4, 7):
        both = np.abs(MARGINS) == size
        assert expected[both].sum() == pytest.approx((np.abs(margin) == size).sum(), abs=1e-2)


def test_reweighting_has_the_greatest_likelihood() -> None:
    games = simulated(400, 4.0, 3)
    margin = (games["home_score"] - games["away_score"]).to_numpy()
    pmf = distribution.wide_margins(*games.select("spread_line", "total_line").to_numpy().T, 4.0)
    weight = distribution.reweighting(margin, pmf, prior=0)
    best = distribution.log_scores(margin, distribution.reweighted(pmf, weight)).sum()
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = np.maximum(weight, 1e-3) * np.exp(rng.normal(0, 0.1, len(weight)))
        assert distribution.log_scores(margin, distribution.reweighted(pmf, other)).sum() > best


def learned(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Margins of `n` games, and the distributions that they came from."""
    games = simulated(n, 4.0, seed)
    margin = (games["home_score"] - games["away_score"]).to_numpy()
    return margin, distribution.wide_margins(
        *games.select("spread_line", "total_line").to_numpy().T, 4.0
    )


def test_a_prior_is_one_after_any_number_of_rounds() -> None:
    margin, pmf = learned(400, 4)
    weight = distribution.reweighting(margin, pmf, prior=20)
    size = np.abs(MARGINS)
    expected = np.bincount(size, distribution.reweighted(pmf, weight).sum(axis=0))
    observed = np.bincount(np.abs(margin), minlength=len(weight))
    np.testing.assert_allclose(observed + 20, expected + 20 * weight, rtol=1e-5)
    unseen = weight[observed == 0]
    assert unseen.size
    assert ((unseen > 0.5) & (unseen <= 1)).all()


def test_a_prior_makes_the_mode_of_likelihood_and_gamma() -> None:
    margin, pmf = learned(200, 5)
    weight = distribution.reweighting(margin, pmf, prior=7)

    def density(w: np.ndarray) -> float:
        score = distribution.log_scores(margin, distribution.reweighted(pmf, w)).sum()
        return -score + 7 * (np.log(w) - w).sum()

    rng = np.random.default_rng(0)
    for _ in range(20):
        assert density(weight * np.exp(rng.normal(0, 0.05, len(weight)))) < density(weight)


def test_weights_that_do_not_settle_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distribution, "ROUNDS", 3)
    with pytest.raises(DataError, match="after 3 rounds with prior 1"):
        distribution.reweighting(*learned(100, 4), prior=1)


def test_the_prior_is_chosen_on_the_last_season_by_hand() -> None:
    margin, pmf = learned(300, 6)
    season = np.repeat([2001, 2002, 2003], 100)
    scores = []
    for prior in distribution.PRIORS:
        weight = distribution.reweighting(margin[:200], pmf[:200], prior)
        told = distribution.reweighted(pmf[200:], weight)
        scores.append(distribution.log_scores(margin[200:], told).mean())
    found = distribution.margin_prior(margin, pmf, season)
    assert found == distribution.PRIORS[int(np.argmin(scores))]
    assert distribution.margin_prior(margin, pmf, np.zeros(300)) == distribution.PRIORS[-1]


def test_the_prior_is_small_where_there_is_much_to_learn() -> None:
    margin, pmf = learned(3000, 7)
    season = np.repeat([1, 2], 1500)
    noise = distribution.margin_prior(margin, pmf, season)
    lumps = np.where(np.isin(np.abs(margin), [4, 5]), 3, margin)
    assert distribution.margin_prior(lumps, pmf, season) < noise


def test_key_numbers_by_hand() -> None:
    pmf = np.full((4, len(MARGINS)), 1 / len(MARGINS))
    found = distribution.key_numbers(np.array([3, 3, -3, 7]), pmf, keys=(3, 7))
    expected = 4 / len(MARGINS)
    assert found.table["observed"].to_list() == [2, 1]
    assert found.table["expected"].to_list() == pytest.approx([expected, expected])
    by_hand = ((2 - expected) ** 2 + (1 - expected) ** 2) / expected
    assert found.chi_squared == pytest.approx(by_hand)
    assert found.p == pytest.approx(chi2.sf(by_hand, 2), rel=1e-6, abs=0)
    fitted = distribution.key_numbers(np.array([3, 3, -3, 7]), pmf, keys=(3, 7), learned=0.5)
    assert fitted.chi_squared == found.chi_squared
    assert fitted.p == pytest.approx(chi2.sf(by_hand / 1.5, 2), rel=1e-6, abs=0)


def test_the_error_of_weights_is_in_the_p_value() -> None:
    rng = np.random.default_rng(8)
    n = 300
    pmf = distribution.wide_margins(np.full(2 * n, 2.0), np.full(2 * n, 44.0), 4.0)
    refused = []
    for _ in range(150):
        margin = rng.choice(MARGINS, 2 * n, p=pmf[0])
        weight = distribution.reweighting(margin[:n], pmf[:n], prior=1)
        told = distribution.reweighted(pmf[n:], weight)
        found = (distribution.key_numbers(margin[n:], told, learned=x).p for x in (0, 1))
        refused.append([p < 0.05 for p in found])
    without, with_ = np.mean(refused, axis=0)
    assert with_ <= 0.09
    assert without > with_ + 0.05


def test_key_numbers_do_not_refuse_their_own_distribution() -> None:
    rng = np.random.default_rng(7)
    spread, total = rng.normal(2, 6, 500).round(), np.full(500, 44.0)
    pmf = distribution.skellam_margins(spread, total)
    home, away = (total + spread) / 2, (total - spread) / 2
    p = [distribution.key_numbers(rng.poisson(home) - rng.poisson(away), pmf).p for _ in range(200)]
    assert np.mean(np.array(p) < 0.05) <= 0.08


def test_log_scores_and_above() -> None:
    pmf = distribution.skellam_margins(np.array([3.0]), np.array([44.0]))
    score = distribution.log_scores(np.array([7]), pmf)[0]
    assert score == pytest.approx(-skellam.logpmf(7, 23.5, 20.5))
    over, equal = distribution.above(pmf, np.array([3.0]))
    assert over[0] == pytest.approx(skellam.sf(3, 23.5, 20.5))
    assert equal[0] == pytest.approx(skellam.pmf(3, 23.5, 20.5))
    assert distribution.above(pmf, np.array([2.5]))[1][0] == 0


@pytest.mark.parametrize(("spread", "total"), [(50, 40), (-45, 44), (np.nan, 44), (0, 0)])
def test_lines_by_which_nobody_scores(spread: float, total: float) -> None:
    with pytest.raises(DataError, match="both sides score"):
        distribution.rates(np.array([3.0, spread]), np.array([44.0, total]))


def test_bad_input() -> None:
    pmf = distribution.skellam_margins(np.array([3.0]), np.array([44.0]))
    with pytest.raises(DataError, match=r"margin 2\.5"):
        distribution.key_numbers(np.array([2.5]), pmf)
    with pytest.raises(DataError, match="margin 99"):
        distribution.log_scores(np.array([99]), pmf)
    with pytest.raises(DataError, match="no margins"):
        distribution.reweighting(np.array([]), pmf, prior=1)
    with pytest.raises(DataError, match=r"dispersion 0\.5"):
        distribution.points_pmf(np.array([20.0]), 0.5)

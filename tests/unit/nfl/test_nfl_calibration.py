"""Calibrations, and that they are fitted on games the model had not seen."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from nfl_model_games import simulated
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from scripts.errors import DataError
from scripts.nfl.calibration import KINDS, Calibration, calibrated_fit, fit_calibration, split


def sample(n: int, a: float = 0.5, b: float = -0.3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and outcomes whose logit is a logit p + b."""
    rng = np.random.default_rng(seed)
    p = expit(rng.normal(0, 1.2, n))
    return p, (rng.random(n) < expit(a * logit(p) + b)).astype(float)


def test_platt_is_the_binomial_regression_of_smoothed_outcomes() -> None:
    p, y = sample(300)
    ones, zeros = y.sum(), (1 - y).sum()
    smoothed = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    other = sm.GLM(smoothed, sm.add_constant(logit(p)), family=sm.families.Binomial()).fit()
    made = fit_calibration("platt", p, y)
    np.testing.assert_allclose(made.x, other.params[::-1], atol=1e-6)
    np.testing.assert_allclose(made.apply(p), other.predict(), atol=1e-7)


def test_platt_recovers_what_distorted() -> None:
    made = fit_calibration("platt", *sample(40_000))
    np.testing.assert_allclose(made.x, [0.5, -0.3], atol=0.03)


def test_platt_of_a_model_that_is_wrong_way_round_is_the_base_rate() -> None:
    p, y = sample(500, a=-1)
    made = fit_calibration("platt", p, y)
    assert made.x[0] == 0
    np.testing.assert_allclose(made.apply([0.1, 0.9]), y.mean(), atol=2e-3)


def test_isotonic_is_scikit_learns() -> None:
    p, y = sample(400)
    other = IsotonicRegression(y_min=1 / 402, y_max=401 / 402, out_of_bounds="clip").fit(p, y)
    grid = np.linspace(0.001, 0.999, 500)
    made = fit_calibration("isotonic", p, y)
    np.testing.assert_allclose(made.apply(grid), other.predict(grid), atol=1e-12)


def test_isotonic_by_hand() -> None:
    made = fit_calibration("isotonic", [0.1, 0.2, 0.3, 0.4, 0.6], [0, 1, 0, 1, 1])
    found = made.apply([0.05, 0.1, 0.15, 0.25, 0.35, 0.4, 0.9])
    least, most = 1 / 7, 6 / 7
    between = [(least + 0.5) / 2, 0.5, (0.5 + most) / 2]
    np.testing.assert_allclose(found, [least, least, *between, most, most])


@settings(max_examples=60)
@given(
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 999),
    n=st.integers(1, 60),
    a=st.floats(-2, 3),
)
def test_every_calibration_is_monotone_and_clipped(kind: str, seed: int, n: int, a: float) -> None:
    made = fit_calibration(kind, *sample(n, a=a, seed=seed))
    found = made.apply(np.linspace(0, 1, 200))
    assert (np.diff(found) >= -1e-12).all()
    assert found.min() >= 1e-6
    assert found.max() <= 1 - 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_calibration_is_the_same(kind: str, tmp_path: Path) -> None:
    p, y = sample(100)
    made = fit_calibration(kind, p, y)
    made.save(tmp_path / "calibration.json")
    assert Calibration.load(tmp_path / "calibration.json") == made


def test_unknown_games_are_left_out_and_stay_unknown() -> None:
    p, y = sample(100)
    longer, outcomes = np.r_[p, np.nan, 0.99], np.r_[y, 1.0, np.nan]
    for kind in KINDS:
        assert fit_calibration(kind, longer, outcomes) == fit_calibration(kind, p, y)
        assert np.isnan(fit_calibration(kind, p, y).apply(longer)).tolist() == [
            *[False] * 100,
            True,
            False,
        ]


def test_bad_input_of_a_calibration_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no calibration plat; there are none, platt, isotonic"):
        fit_calibration("plat", [0.5], [1])
    with pytest.raises(DataError, match="no game with probability and outcome"):
        fit_calibration("platt", [0.5], [np.nan])
    with pytest.raises(DataError, match="fit the model again"):
        Calibration.load(tmp_path / "nothing.json")


@pytest.mark.parametrize(("seasons", "held", "later"), [(6, 2, 2), (3, 2, 2), (3, 5, 2), (2, 2, 1)])
def test_the_last_seasons_are_held(seasons: int, held: int, later: int) -> None:
    games = simulated(seasons, weeks=2)
    before, after = split(games, held)
    assert after["season"].unique().sort().to_list() == [
        *range(2001 + seasons - later, 2001 + seasons)
    ]
    assert before.height + after.height == games.height
    assert before["season"].max() < after["season"].min()


@given(counts=st.lists(st.integers(1, 9), min_size=2, max_size=12))
def test_of_one_season_the_last_third_is_held(counts: list[int]) -> None:
    days = [date(2001, 9, 1) + timedelta(k) for k, n in enumerate(counts) for _ in range(n)]
    games = pl.DataFrame({"season": 2001, "date": days})
    before, after = split(games)
    assert before.height
    assert after.height
    assert before.height + after.height == len(days)
    assert before["date"].max() < after["date"].min()
    assert before.height <= max(-(-2 * len(days) // 3), counts[0])
    assert after.height < len(days) / 3 + max(counts) + 1


def test_games_of_one_day_cannot_be_split() -> None:
    games = pl.DataFrame({"season": [2001] * 3, "date": [date(2001, 9, 9)] * 3})
    with pytest.raises(DataError, match="3 games of one day"):
        split(games)
    with pytest.raises(DataError, match="held is 0"):
        split(games, 0)


class Recorder:
    """A model that remembers what it was fitted on, and predicts the strength of it."""

    def __init__(self, train: pl.DataFrame) -> None:
        self.train = train

    def predict(self, games: pl.DataFrame) -> np.ndarray:
        return expit(games["strength_diff"].to_numpy() / 3)


def test_calibrations_are_fitted_on_seasons_the_model_has_not_seen() -> None:
    games = simulated(5)
    fits: list[Recorder] = []

    def fit(train: pl.DataFrame) -> Recorder:
        fits.append(Recorder(train))
        return fits[-1]

    made, calibrations = calibrated_fit(fit, games, target="home_win")
    assert [sorted(set(model.train["season"])) for model in fits] == [
        [2001, 2002, 2003],
        [2001, 2002, 2003, 2004, 2005],
    ]
    assert made is fits[1]
    held = games.filter(pl.col("season") > 2003).drop_nulls("home_win")
    for kind in KINDS:
        assert calibrations[kind] == fit_calibration(kind, made.predict(held), held["home_win"])
    fits.clear()
    assert list(calibrated_fit(fit, games, target="home_win", kinds=["none"])[1]) == ["none"]
    assert len(fits) == 1

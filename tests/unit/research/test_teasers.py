"""Teasers: every leg by hand, Wilson's interval by its formula, values against simulation."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.research import teasers
from scripts.research.score_distribution import MARGINS, skellam_margins


@pytest.mark.parametrize(
    ("margin", "spread", "side", "expected"),
    [
        (-5, 0, "home", 1),  # home gets 6, loses by 5
        (-7, 0, "home", 0),
        (-6, 0, "home", None),  # a push
        (2, 7, "home", 1),  # a favourite that gives 7 gives 1
        (1, 7, "home", None),
        (0, 7, "home", 0),
        (5, 0, "away", 1),
        (7, 0, "away", 0),
        (6, 0, "away", None),
        (8, 3, "away", 1),  # the visitors get 3, and 6 more
        (9, 3, "away", None),
        (10, 3, "away", 0),
    ],
)
def test_legs_by_hand(margin: float, spread: float, side: str, expected: float | None) -> None:
    found = teasers.won(np.array([margin]), np.array([spread]), 6, side)[0]
    assert np.isnan(found) if expected is None else found == expected


def test_without_points_one_of_both_sides_wins() -> None:
    margin, spread = np.arange(-20, 21), np.full(41, 2.5)
    home, away = (teasers.won(margin, spread, 0, side) for side in ("home", "away"))
    np.testing.assert_array_equal(home + away, 1)


def test_pushes_are_no_wins() -> None:
    found = teasers.legs(np.array([1, 1, 0, np.nan]))
    assert found[:3] == (3, 1, 2 / 3)


def test_wilson_interval() -> None:
    found = teasers.legs(np.r_[np.ones(69), np.zeros(31)])
    z, n, p = 1.959963984540054, 100, 0.69
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half))


def test_known_values() -> None:
    assert teasers.decimal(-110) == pytest.approx(1.90909, abs=1e-5)
    assert teasers.decimal(150) == 2.5
    assert teasers.expected_value(0.687, 2, -110) == pytest.approx(-0.0990, abs=5e-4)
    assert teasers.break_even(2, -110) == pytest.approx(0.72375, abs=1e-5)
    assert teasers.break_even(2, -120) == pytest.approx(0.73855, abs=1e-5)


@settings(max_examples=30)
@given(st.integers(1, 6), st.sampled_from([-300, -130, -110, 100, 180]))
def test_break_even_is_worth_nothing(number: int, american: int) -> None:
    rate = teasers.break_even(number, american)
    assert teasers.expected_value(rate, number, american) == pytest.approx(0, abs=1e-12)


def test_expected_value_by_simulation() -> None:
    rng = np.random.default_rng(1)
    both = (rng.random((200_000, 2)) < 0.7).all(axis=1)
    profit = np.where(both, 100 / 120, -1.0)
    assert teasers.expected_value(0.7, 2, -120) == pytest.approx(profit.mean(), abs=0.01)


def test_pairs_of_a_week() -> None:
    weeks = pl.DataFrame({"season": [1, 1, 1, 1, 2], "week": [1, 1, 1, 2, 1]})
    # pairs within week 1 of season 1: (1,1), (1,0), (1,0); the others are alone
    found = teasers.pairs(np.array([1, 1, 0, 1, 1.0]), weeks, draws=9, seed=1)
    assert found.rate == pytest.approx((1 / 3, 1 / 3, 1 / 3))  # one week: no other to draw
    assert found.excess.mean == pytest.approx(1 / 3 - (2 / 3) ** 2)
    assert teasers.pairs(np.array([1, 1, np.nan, 1, 1.0]), weeks, draws=9, seed=1).rate.mean == 1
    with pytest.raises(DataError, match="no two decided"):
        teasers.pairs(np.array([1, np.nan, np.nan, 1, 1]), weeks, draws=9, seed=1)


def test_intervals_of_pairs_draw_whole_weeks() -> None:
    rng = np.random.default_rng(3)
    weeks = pl.DataFrame({"season": np.ones(24, int), "week": np.repeat(range(6), 4)})
    won = rng.integers(0, 2, 24).astype(float)
    wins = won.reshape(6, 4).sum(axis=1)
    again = np.random.default_rng(5)
    rates, apart = [], []
    for _ in range(400):
        drawn = wins[again.integers(0, 6, 6)]
        rates.append((drawn * (drawn - 1)).sum() / (6 * 4 * 3))
        apart.append(rates[-1] - (drawn.sum() / 24) ** 2)
    found = teasers.pairs(won, weeks, draws=400, seed=5)
    assert found.rate[1:] == pytest.approx(np.quantile(rates, [0.025, 0.975]))
    assert found.excess[1:] == pytest.approx(np.quantile(apart, [0.025, 0.975]))


def test_dependence_within_weeks_is_seen() -> None:
    rng = np.random.default_rng(4)
    weeks = pl.DataFrame({"season": np.ones(4000, int), "week": np.repeat(range(400), 10)})
    luck = np.repeat(rng.choice([0.5, 0.9], 400), 10)
    shared, alone = ((rng.random(4000) < chance).astype(float) for chance in (luck, 0.7))
    assert teasers.pairs(shared, weeks, draws=300, seed=1).excess.low > 0
    found = teasers.pairs(alone, weeks, draws=300, seed=1).excess
    assert found.low < 0 < found.high


def test_an_implied_rate_weighs_games_by_their_decided_share() -> None:
    pmf = np.zeros((2, len(MARGINS)))
    pmf[0, [80 + 1, 80 - 6, 80 - 9]] = [0.1, 0.8, 0.1]  # level line: 6 points push at -6
    pmf[1, [80 + 1, 80 - 9]] = [0.9, 0.1]
    assert teasers.implied(pmf, np.zeros(2), 6, "home") == pytest.approx((0.1 + 0.9) / (0.2 + 1))


@pytest.mark.parametrize("side", ["home", "away"])
def test_implied_rates_are_those_of_the_distribution(side: str) -> None:
    rng = np.random.default_rng(2)
    spread, total = np.array([3.0, -7.0, 2.5]), np.array([44.0, 50.0, 38.5])
    margin = rng.poisson((total + spread) / 2, (60_000, 3))
    margin = margin - rng.poisson((total - spread) / 2, (60_000, 3))
    legs = teasers.legs(teasers.won(margin, spread, 6, side).ravel())
    found = teasers.implied(skellam_margins(spread, total), spread, 6, side)
    assert found == pytest.approx(legs.rate, abs=0.004)


def test_kinds_are_told_by_the_side_of_the_line() -> None:
    spread = np.array([-2.0, 2.0, 8.0, -8.0, 3.0, -1.0])
    found = {kind: np.flatnonzero(has).tolist() for (kind, _), has in teasers.kinds(spread).items()}
    assert found == {
        "home, all": [0, 1, 2, 3, 4, 5],
        "away, all": [0, 1, 2, 3, 4, 5],
        "home, gets 1.5 to 2.5": [0],
        "away, gets 1.5 to 2.5": [1],
        "home, gives 7.5 to 8.5": [2],
        "away, gives 7.5 to 8.5": [3],
    }


def test_bad_input() -> None:
    with pytest.raises(DataError, match="side 'visitors'"):
        teasers.won(np.zeros(1), np.zeros(1), 6, "visitors")
    with pytest.raises(DataError, match="none decided"):
        teasers.legs(np.array([np.nan]))
    with pytest.raises(DataError, match="American odds 50"):
        teasers.decimal(50)
    with pytest.raises(DataError, match=r"rate 1\.2"):
        teasers.expected_value(1.2, 2, -110)

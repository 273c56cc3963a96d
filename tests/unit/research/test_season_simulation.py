"""Simulated seasons: their distribution by the joint sum, a judge that knows right from wrong."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import skellam, t

from scripts.errors import DataError
from scripts.research import season_simulation as simulation
from scripts.research.score_distribution import (
    KEYS,
    MARGINS,
    POINTS,
    PRIORS,
    Dispersion,
    difference,
    points_pmf,
    rates,
    reweighted,
)
from scripts.research.season_simulation import Scores, Simulator


def lines(seasons: int, weeks: int = 10, each: int = 12, first: int = 2000) -> pl.DataFrame:
    rng = np.random.default_rng(first)
    n = seasons * weeks * each
    return pl.DataFrame(
        {
            "season": np.repeat(np.arange(first, first + seasons), weeks * each),
            "week": np.tile(np.repeat(np.arange(1, weeks + 1), each), seasons),
            "spread_line": rng.normal(2, 6, n).round(),
            "total_line": rng.normal(44, 4, n).round(),
        }
    )


def real(games: pl.DataFrame, simulator: Simulator, seed: int) -> pl.DataFrame:
    scores = simulation.simulate(simulator, games, draws=1, seed=seed)
    return games.with_columns(
        home_score=pl.Series(scores.home[0]), away_score=pl.Series(scores.away[0])
    )


WIDE = simulation.overdispersed(Dispersion(4.0, 4.0))


def test_poisson_margins_are_skellam() -> None:
    game = pl.DataFrame({"spread_line": [3.0], "total_line": [44.0]})
    scores = simulation.simulate(simulation.poisson(), game, draws=40_000, seed=1)
    margin = (scores.home - scores.away)[:, 0]
    for k in (-5, 0, 3, 10):
        expected = skellam.pmf(k, 23.5, 20.5)
        assert (margin == k).mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / 40_000))


def test_weights_make_the_joint_distribution_that_is_declared() -> None:
    points = np.ones(len(POINTS))
    points[[3, 7, 10]] = [2.0, 3.0, 0.5]
    margins = np.ones(MARGINS[-1] + 1)
    margins[[0, 3]] = [0.1, 2.5]
    game = pl.DataFrame({"spread_line": [0.0], "total_line": [12.0]})
    scores = simulation.simulate(Simulator(2.0, points, margins), game, draws=60_000, seed=2)
    f = points_pmf(np.array([6.0]), 2.0)[0] * points
    apart = np.abs(POINTS[:, None] - POINTS[None, :])
    joint = np.outer(f, f) * margins[np.minimum(apart, MARGINS[-1])]
    joint /= joint.sum()
    for x, y in ((3, 3), (7, 4), (10, 7), (6, 6), (0, 3)):
        share = ((scores.home == x) & (scores.away == y)).mean()
        assert share == pytest.approx(joint[x, y], abs=4 * np.sqrt(joint[x, y] / 60_000))


def test_draws_are_those_of_the_seed() -> None:
    games = lines(1)
    one, same, other = (
        simulation.simulate(WIDE, games, draws=2, seed=seed).home for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_lattice_learns_the_scores_of_training() -> None:
    games = real(lines(6), WIDE, 3)
    games = games.with_columns(
        pl.when(pl.col(name).is_between(18, 21)).then(20).otherwise(name).alias(name)
        for name in ("home_score", "away_score")
    )
    made = simulation.lattice(games, Dispersion(4.0, 4.0)).simulator
    again = simulation.simulate(made, games, draws=4, seed=4)
    points = np.concatenate([again.home.ravel(), again.away.ravel()])
    was = np.concatenate([games["home_score"].to_numpy(), games["away_score"].to_numpy()])
    assert (points == 20).mean() == pytest.approx((was == 20).mean(), rel=0.1)
    assert (points == 19).mean() < 0.1 * (points == 20).mean()


def test_lattice_learns_the_margins_of_training() -> None:
    games = real(lines(6), WIDE, 3)
    up = (pl.col("home_score") - pl.col("away_score")).is_in(
        [0, 1, 2]
    )  # played on to a margin of 3
    games = games.with_columns(
        home_score=pl.when(up).then(pl.col("away_score") + 3).otherwise("home_score")
    )
    found = simulation.lattice(games, Dispersion(4.0, 4.0))
    made = found.simulator
    assert {found.points_prior, found.margin_prior} <= set(PRIORS)
    means = rates(games["spread_line"].to_numpy(), games["total_line"].to_numpy())
    sides = []
    for mean in means:
        pmf = points_pmf(mean, 4.0) * made.points
        sides.append(pmf / pmf.sum(axis=1, keepdims=True))
    joint = reweighted(difference(*sides), made.margins).sum(axis=0)
    margin = (games["home_score"] - games["away_score"]).abs().to_numpy()
    for size in (0, 3, 7):
        expected, observed = joint[np.abs(MARGINS) == size].sum(), (margin == size).sum()
        prior = found.margin_prior
        assert observed + prior == pytest.approx(expected + prior * made.margins[size], rel=1e-4)
    assert made.margins[0] < 0.5
    assert made.margins[3] > 1.5


def test_scalars_by_hand() -> None:
    home, away = np.array([20, 10, 17, 24]), np.array([17, 17, 17, 10])
    found = simulation.scalars(home, away, np.array([1, 1, 2, 2]))
    assert found["home_win_rate"] == 0.625
    assert found["key_mass"] == 0.5
    assert found["total_mean"] == 33
    assert found["margin_sd"] == pytest.approx(np.std([3, -7, 0, 14]))
    # week 1: 1 + 0 - 1.25 = -.25, week 2: .5 + 1 - 1.25 = .25; each squared over 2 games
    assert found["weekly_sd"] == pytest.approx(np.sqrt(0.0625 / 2))
    # pairs: three with the same away score are tied; (20, 10), (10, 10), (17, 10): 24 > all: -3
    assert found["score_tau"] == pytest.approx(-3 / np.sqrt(6 * 3))


def test_distance_is_the_area_between_cumulated_shares() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.integers(-20, 20, 300), rng.integers(-10, 30, 5000)
    grid = np.arange(-20, 31)
    below = [(sample[:, None] <= grid).mean(axis=0) for sample in (one, other)]
    assert simulation.distance(one, other) == pytest.approx(np.abs(below[0] - below[1]).sum())
    assert simulation.distance(one, one + 2) == pytest.approx(2)


def test_a_wrong_simulator_is_refused() -> None:
    history, tested = real(lines(8), WIDE, 1), real(lines(3, first=2008), WIDE, 2)
    scores = simulation.simulate(simulation.poisson(), tested, draws=10, seed=3)
    found = simulation.judge(history, tested, scores)
    assert not found.passed
    failed = found.table.filter(~pl.col("passed"))["criterion"].to_list()
    assert {"margin_sd", "margin_distance"} <= set(failed)


def test_a_right_simulator_is_seldom_refused() -> None:
    history, tested = lines(8), lines(3, first=2008)
    assert simulation.refused(WIDE, history, tested, runs=40, seed=1) <= 0.15


def test_wrong_simulators_are_refused_more_often() -> None:
    history, tested = lines(5), lines(3, first=2008)
    keyed = np.ones(MARGINS[-1] + 1)
    keyed[list(KEYS)] = 4.0
    truth = Simulator(4.0, np.ones(len(POINTS)), keyed)
    plain = simulation.plain_keys(truth)
    assert (plain.margins == 1).all()
    assert keyed[3] == 4
    right, wrong = (
        simulation.refused(truth, history, tested, runs=8, seed=1, judged=one)
        for one in (None, plain)
    )
    assert right < 0.5 < wrong


def test_bands_of_distances_by_hand() -> None:
    history, tested = real(lines(5), WIDE, 1), real(lines(2, first=2005), WIDE, 2)
    scores = simulation.simulate(WIDE, tested, draws=4, seed=3)
    found = simulation.judge(history, tested, scores).table
    row = found.row(by_predicate=pl.col("criterion") == "margin_distance", named=True)
    margin = (history["home_score"] - history["away_score"]).to_numpy()
    season = history["season"].to_numpy()
    apart = [
        simulation.distance(margin[season == year], margin[season != year])
        for year in range(2000, 2005)
    ]
    width = t.ppf(1 - 0.05 / 8 / 2, 4) * np.std(apart, ddof=1) * np.sqrt(1 / 2 + 1 / 5)
    assert (row["low"], row["high"]) == pytest.approx((0, np.mean(apart) + width))
    now = (tested["home_score"] - tested["away_score"]).to_numpy()
    made = scores.home - scores.away
    assert row["simulated"] == pytest.approx(
        np.mean(
            [
                simulation.distance(now[tested["season"].to_numpy() == year], made)
                for year in (2005, 2006)
            ]
        )
    )


def test_bands_by_hand() -> None:
    history, tested = real(lines(5), WIDE, 1), real(lines(2, first=2005), WIDE, 2)
    scores = simulation.simulate(WIDE, tested, draws=4, seed=3)
    found = simulation.judge(history, tested, scores).table
    row = found.row(by_predicate=pl.col("criterion") == "total_mean", named=True)
    total = pl.col("home_score") + pl.col("away_score")
    past, now = (
        frame.group_by("season").agg(total.mean())["home_score"].to_numpy()
        for frame in (history, tested)
    )
    width = t.ppf(1 - 0.05 / 8 / 2, 4) * past.std(ddof=1) * np.sqrt((1 + 1 / 4) / 2)
    assert row["history"] == pytest.approx(now.mean())
    assert (row["low"], row["high"]) == pytest.approx((now.mean() - width, now.mean() + width))
    assert row["simulated"] == pytest.approx((scores.home + scores.away).mean())


def test_bad_input() -> None:
    games = real(lines(4), WIDE, 1)
    scores = simulation.simulate(WIDE, games, draws=2, seed=1)
    with pytest.raises(DataError, match="2 seasons of history"):
        simulation.judge(games.filter(pl.col("season") < 2002), games, scores)
    with pytest.raises(DataError, match="scores of 5 games, tested are 480"):
        simulation.judge(games, games, Scores(scores.home[:, :5], scores.away[:, :5]))
    wrong = games.with_columns(home_score=pl.lit(-1))
    with pytest.raises(DataError, match="score -1"):
        simulation.lattice(wrong, Dispersion(4.0, 4.0))

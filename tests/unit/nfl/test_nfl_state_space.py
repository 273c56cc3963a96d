"""The ratings' Kalman filter, against one dense Gaussian over all games."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nfl_model_games import sign, simulated
from scipy.stats import multivariate_normal, norm

from scripts.errors import DataError
from scripts.nfl.models import families, kalman, state_space
from scripts.nfl.models.kalman import Games, Parameters

TRUE = Parameters(0.6, 0.7, 30.0, 2.0, 90.0, 3.0, 5.0)
GAMES = simulated(4)
TRAIN, TEST = GAMES.filter(pl.col("season") < 2004), GAMES.filter(pl.col("season") == 2004)


def schedule(rng: np.random.Generator, seasons: int, days: int, teams: int = 6) -> Games:
    """Some games a day between random teams, values to be filled in."""
    rows = []
    for season in range(seasons):
        day = 400 * season
        for _ in range(days):
            day += int(rng.integers(1, 12))
            pairs = rng.permutation(teams).reshape(-1, 2)
            for home, away in pairs[: rng.integers(1, len(pairs) + 1)].tolist():
                rows.append((season * 2, day, home, away, float(rng.random() < 0.8)))
    season, day, home, away, at_home = map(np.array, zip(*rows, strict=True))
    nothing = np.full(len(rows), np.nan)
    return Games(season, day, home, away, at_home, nothing, nothing)


def dense(games: Games, teams: int, known: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """Prior mean and covariance of (margins, lines), with no recursion over games.

    cov(strength at i, at j) of one team: the variance at the earlier game times the carry between.
    """
    n = len(games.day)
    prior = np.zeros(n)  # variance of any team's strength on the day of each game
    for i in range(1, n):
        gone = games.season[i] - games.season[i - 1]
        carry = known.carry**gone
        walked = known.process * (games.day[i] - games.day[i - 1]) / 7 if gone == 0 else 0.0
        prior[i] = carry**2 * prior[i - 1] + walked  # above `prior`, which the seasons keep
    prior += known.prior * np.array([1.0] * n)
    sides = np.zeros((n, teams))
    sides[np.arange(n), games.home] += 1
    sides[np.arange(n), games.away] -= 1
    between = known.carry ** np.abs(games.season[:, None] - games.season[None, :])
    earlier = np.minimum(np.arange(n)[:, None], np.arange(n)[None, :])
    strengths = between * prior[earlier] * (sides @ sides.T)
    effect = np.eye(n) * known.effect
    shared = strengths + effect
    covariance = np.block(
        [
            [shared + np.eye(n) * known.noise, shared],
            [shared, shared + np.eye(n) * known.line_noise],
        ]
    )
    return np.tile(known.edge * games.at_home, 2), covariance


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), lines=st.booleans())
def test_filter_is_the_dense_gaussian(seed: int, lines: bool) -> None:
    rng = np.random.default_rng(seed)
    games = schedule(rng, 3, 4)
    n = len(games.day)
    mean, covariance = dense(games, 6, TRUE)
    values = rng.multivariate_normal(mean, covariance)
    margin, line = values[:n], values[n:]
    margin[rng.random(n) < 0.2] = np.nan
    line[(rng.random(n) < 0.3) | (not lines)] = np.nan
    games = games._replace(margin=margin, line=line)
    start = kalman.initial(6, TRUE)
    (loglik, expected, variance), _ = kalman.run(games, start, TRUE)

    values = np.r_[margin, line]
    seen = ~np.isnan(values)
    whole = multivariate_normal(mean[seen], covariance[np.ix_(seen, seen)])
    assert loglik == pytest.approx(whole.logpdf(values[seen]), rel=1e-9)
    for game in range(n):
        before = np.tile(games.day < games.day[game], 2)
        before[n + game] = True
        given_ = np.flatnonzero(before & seen)
        gain = np.linalg.solve(covariance[np.ix_(given_, given_)], covariance[given_, game])
        assert expected[game] == pytest.approx(
            mean[game] + gain @ (values - mean)[given_], abs=1e-8
        )
        left = covariance[game, game] - gain @ covariance[given_, game]
        assert variance[game] == pytest.approx(left, rel=1e-9)

    cut = int(np.searchsorted(games.day, games.day[n // 2]))  # going on is filtering it all
    _, state = kalman.run(Games(*(column[:cut] for column in games)), start, TRUE)
    (_, rest, _), _ = kalman.run(Games(*(column[cut:] for column in games)), state, TRUE)
    np.testing.assert_allclose(rest, expected[cut:], atol=1e-9)


def test_two_teams_are_a_normal_update() -> None:
    known = Parameters(0.0, 1.0, 20.0, 3.0, 150.0, 1.0, 0.0)
    margins = np.array([10.0, -4.0, 17.0])
    games = Games(
        np.zeros(3, int),
        np.arange(3) * 7,
        np.zeros(3, int),
        np.ones(3, int),
        np.ones(3),
        np.full(3, np.nan),
        margins,
    )
    (_, expected, variance), _ = kalman.run(games, kalman.initial(2, known), known)
    for game in range(3):  # gap ~ N(0, 40); each margin is gap + 3 + N(0, 150)
        precision = 1 / 40 + game / 150
        mean = (margins[:game] - 3).sum() / 150 / precision
        assert expected[game] == pytest.approx(mean + 3)
        assert variance[game] == pytest.approx(1 / precision + 150)


def test_parameters_are_recovered() -> None:
    rng = np.random.default_rng(8)
    games = schedule(rng, 10, 16, teams=12)
    n = len(games.day)
    values = rng.multivariate_normal(*dense(games, 12, TRUE))
    games = games._replace(margin=values[:n], line=values[n:])
    found = state_space.estimate(games, 12, lines=True)
    assert found.edge == pytest.approx(TRUE.edge, abs=0.6)
    assert found.carry == pytest.approx(TRUE.carry, abs=0.15)
    assert found.noise == pytest.approx(TRUE.noise, rel=0.15)
    assert found.prior == pytest.approx(TRUE.prior, rel=0.35)
    assert found.effect + found.line_noise == pytest.approx(8, rel=0.25)


@pytest.mark.parametrize("lines", [False, True])
def test_the_estimate_is_a_maximum(lines: bool) -> None:
    games = state_space.observed(TRAIN, sorted({*TRAIN["home_team"]}), lines=lines)

    def loglik(tried: Parameters) -> float:
        return kalman.run(games, kalman.initial(8, tried), tried)[0][0]

    found = state_space.estimate(games, 8, lines=lines)
    best = loglik(found)
    for name in Parameters._fields:
        if lines or name not in state_space.NO_LINE:
            for factor in (0.9, 1.1):
                moved = found._replace(**{name: getattr(found, name) * factor})
                assert loglik(moved) < best + 1e-4


def model(target: str = "home_win", features: tuple[str, ...] = ()) -> state_space.Model:
    return families.fit("state_space", TRAIN, target=target, features=features, seed=1)


def test_targets_are_tails_of_the_margin() -> None:
    lined = TEST.with_columns(spread_line=pl.when(pl.col("week") > 1).then("spread_line"))
    won, covered = model(), model("home_cover")
    expected, variance = won.margins(lined)
    np.testing.assert_allclose(won.predict(lined), norm.sf(0, expected, np.sqrt(variance)))
    line = lined["spread_line"].fill_null(np.nan).to_numpy()
    found = covered.predict(lined)
    np.testing.assert_allclose(found, norm.sf(line, expected, np.sqrt(variance)))
    assert np.isnan(found[: lined.filter(pl.col("week") == 1).height]).all()


@pytest.mark.parametrize("features", [(), ("spread_line", "noise")])
def test_only_earlier_dates_are_used(features: tuple[str, ...]) -> None:
    made = model(features=features)
    before = made.predict(TEST)
    day = TEST["date"].unique().sort()[5]
    late = pl.col("date") >= day
    changed = TEST.with_columns(
        home_score=pl.when(late).then(99).otherwise("home_score"),
        away_score=pl.when(late & (pl.col("week") < 6)).then(None).otherwise("away_score"),
        spread_line=pl.when(pl.col("date") > day).then(20.0).otherwise("spread_line"),
    )
    after = made.predict(changed)
    known = (TEST["date"] <= day).to_numpy()
    np.testing.assert_array_equal(after[known], before[known])
    assert (after[~known] != before[~known]).any()
    np.testing.assert_array_equal(made.predict(TEST.filter(known)), before[known])


def test_its_own_line_moves_a_prediction() -> None:
    higher = TEST.with_columns(pl.col("spread_line") + 3 * (pl.int_range(pl.len()) == 0))
    made = model(features=("spread_line",))
    moved = made.predict(higher) - made.predict(TEST)
    assert moved[0] > 0.02
    assert moved[1] == 0  # of the same day
    unread = model(features=("noise",))
    np.testing.assert_array_equal(unread.predict(higher), unread.predict(TEST))


def test_neutral_places_have_no_edge_and_unknown_teams_the_prior() -> None:
    made = model()
    row = TEST.head(1).with_columns(home_team=pl.lit("NEW"), away_team=pl.lit("NEWER"))
    both = pl.concat([row, row.with_columns(neutral=pl.lit(1.0))])
    expected, variance = made.margins(both)
    assert expected.tolist() == [made.parameters.edge, 0]
    np.testing.assert_allclose(variance, 2 * made.parameters.prior + made.parameters.noise)


def test_rows_without_outcome_still_teach_the_ratings() -> None:
    tied = TRAIN.with_columns(home_win=pl.lit(None, pl.Int8))
    other = families.fit("state_space", tied, target="home_win", features=(), seed=1)
    np.testing.assert_array_equal(other.predict(TEST), model().predict(TEST))


def test_bad_input_of_ratings_is_named() -> None:
    with pytest.raises(DataError, match="no target over_hit; it knows margins: home_win"):
        model("over_hit")
    with pytest.raises(DataError, match="no column neutral"):
        families.fit("state_space", TRAIN.drop("neutral"), target="home_win", features=(), seed=1)
    with pytest.raises(DataError, match="training goes to 2003"):
        model().predict(TRAIN)
    with pytest.raises(DataError, match="no column spread_line"):
        model("home_cover").predict(TEST.drop("spread_line"))
    with pytest.raises(DataError, match="no game with a score"):
        families.fit(
            "state_space",
            TRAIN.with_columns(home_score=pl.lit(None, pl.Int64)),
            target="home_win",
            features=(),
            seed=1,
        )


def test_real_games(real_data: Path) -> None:
    raw = pl.read_csv(
        real_data / "nfl/games.csv", null_values=["NA"], infer_schema_length=10_000
    ).filter(pl.col("season") < 2020)
    old = {"STL": "LA", "SD": "LAC", "OAK": "LV"}
    games = raw.with_columns(
        pl.col("home_team", "away_team").replace(old),
        date=pl.col("gameday").str.to_date(),
        neutral=pl.col("location") == "Neutral",
        home_win=sign(pl.col("result")),
    ).sort("date", "game_id")
    train, test = games.filter(pl.col("season") < 2010), games.filter(pl.col("season") >= 2010)
    scores = {}
    for features in ((), ("spread_line",)):
        made = families.fit("state_space", train, target="home_win", features=features, seed=1)
        found = pl.Series(made.predict(test))
        scores[features] = ((found - test["home_win"]) ** 2).mean()
    line = pl.Series(norm.cdf(test["spread_line"].to_numpy() / 13.5))
    market = ((line - test["home_win"]) ** 2).mean()
    assert 0.21 < scores[()] < 0.225
    assert market - 0.002 < scores["spread_line",] < scores[()] - 0.004
    assert made.state.day == date(2010, 2, 7).toordinal()

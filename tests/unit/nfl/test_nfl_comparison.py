"""The comparison of models: tests and intervals, against statsmodels and slow loops."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy.special import expit
from scipy.stats import norm, ttest_1samp
from statsmodels.stats.multitest import multipletests

from scripts.errors import DataError
from scripts.multiplicity import holm
from scripts.nfl import comparison, evaluation
from scripts.nfl.comparison import bootstrap, compare, diebold_mariano, references


def played(seasons: int = 4, weeks: int = 15, games: int = 14, seed: int = 0) -> pl.DataFrame:
    """Games whose true logit of home_win is `truth`, with a good line."""
    rng = np.random.default_rng(seed)
    n = seasons * weeks * games
    number = np.arange(n)
    season, week = 2001 + number // (weeks * games), 1 + number // games % weeks
    truth = rng.normal(0.3, 1, n)
    return pl.DataFrame(
        {
            "game_id": [f"g{k:05}" for k in number],
            "season": season.astype(np.int32),
            "week": week.astype(np.int32),
            "date": [
                date(int(s), 9, 1) + timedelta(7 * int(w))
                for s, w in zip(season, week, strict=True)
            ],
            "home_win": (rng.random(n) < expit(truth)).astype(np.int8),
            "home_cover": rng.integers(0, 2, n).astype(np.int8),
            "truth": truth,
            "spread_line": 13.5 * norm.ppf(expit(truth + rng.normal(0, 0.8, n))),
        }
    )


def predicted(games: pl.DataFrame, probability: np.ndarray, model: str) -> pl.DataFrame:
    """Predictions of one model."""
    return games.select(
        target=pl.lit("home_win"),
        features=pl.lit("all"),
        model=pl.lit(model),
        calibration=pl.lit("none"),
        **{name: pl.col(name) for name in comparison.GAME[:4]},
        outcome=pl.col("home_win"),
        probability=pl.Series(probability),
    )


@pytest.mark.parametrize("lags", [0, 1, 5, 16])
def test_diebold_mariano_is_the_regression_on_a_constant(lags: int) -> None:
    rng = np.random.default_rng(lags)
    d = np.convolve(rng.normal(0.05, 1, 400), np.ones(4), "valid")
    n = len(d)
    other = sm.OLS(d, np.ones(n)).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    found = diebold_mariano(d, lags=lags)
    assert found.difference == pytest.approx(d.mean())
    assert found.statistic == pytest.approx(other.tvalues[0] * np.sqrt((n - 1) / n))


def test_without_lags_it_is_the_t_test() -> None:
    d = np.random.default_rng(1).normal(0.2, 1, 50)
    other = ttest_1samp(d, 0)
    # Student's variance divides by n - 1, which is the correction for one step ahead.
    assert diebold_mariano(d, lags=0)[1:] == pytest.approx((other.statistic, other.pvalue))


def test_the_correction_for_the_horizon() -> None:
    d = np.random.default_rng(2).normal(0.2, 1, 60)
    plain, corrected = diebold_mariano(d, lags=3), diebold_mariano(d, lags=3, horizon=4)
    ratio = ((60 + 1 - 8 + 4 * 3 / 60) / 60) / ((60 - 1) / 60)
    assert corrected.statistic == pytest.approx(plain.statistic * np.sqrt(ratio))


@pytest.mark.parametrize("d", [np.zeros(9), np.full(9, 0.3), np.ones(1), np.empty(0)])
def test_no_variance_gives_no_test(d: np.ndarray) -> None:
    assert np.isnan(diebold_mariano(d).p)


def test_the_test_keeps_its_level_with_dependent_games() -> None:
    rng = np.random.default_rng(3)
    p = [
        diebold_mariano(np.convolve(rng.normal(size=1003), np.ones(4), "valid")).p
        for _ in range(400)
    ]
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.10


@pytest.mark.parametrize("seed", range(12))
def test_holm_is_statsmodels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.random(seed).round(1) ** 3  # with ties
    p[rng.random(seed) < 0.2] = np.nan
    found, known = holm(p), ~np.isnan(p)
    assert np.isnan(found[~known]).all()
    if known.any():
        np.testing.assert_allclose(found[known], multipletests(p[known], method="holm")[1])


@pytest.mark.parametrize("ties", [False, True])
def test_bootstrap_is_the_slow_one(ties: bool) -> None:
    games = played(2, 5, 6).with_columns(outcome="home_cover", probability=expit(pl.col("truth")))
    if ties:
        games = games.with_columns(pl.col("probability").round(1))
    found = bootstrap(games, "home_cover", draws=70, seed=4)
    times = np.random.default_rng(4).multinomial(10, np.full(10, 0.1), 70)
    weeks = games.partition_by("season", "week", maintain_order=True)
    for draw in range(70):
        sample = pl.concat([weeks[k] for k in range(10) for _ in range(times[draw, k])])
        slow = evaluation.metrics(sample["outcome"], sample["probability"], target="home_cover")
        for name in evaluation.METRICS:
            assert found[name][draw] == pytest.approx(slow[name], abs=1e-12), name


def test_bootstrap_intervals_cover() -> None:
    covered = 0
    for seed in range(100):
        games = played(2, 10, 8, seed=seed).with_columns(
            outcome="home_win", probability=expit(pl.col("truth"))
        )
        draws = bootstrap(games, "home_win", draws=200, seed=seed)["brier"]
        low, high = np.quantile(draws, [0.025, 0.975])
        p = games["probability"].to_numpy()
        covered += low < (p * (1 - p)).mean() < high
    assert 84 <= covered <= 100


def test_references_by_hand() -> None:
    games = pl.DataFrame(
        {
            "game_id": list("abcdef"),
            "season": [2001, 2001, 2002, 2002, 2003, 2003],
            "week": 1,
            "date": date(2001, 9, 1),
            "home_win": pl.Series([1, 0, 1, None, 0, None], dtype=pl.Int8),
            "spread_line": [0.0, 13.5, -13.5, None, 3.0, 0.0],
        }
    )
    found = references(games, "home_win")
    line = found.filter(pl.col("model") == "closing_line")["probability"].to_list()
    rate = found.filter(pl.col("model") == "base_rate")["probability"].to_list()
    high = norm.cdf(1)
    assert line == pytest.approx([0.5, high, 1 - high, None, norm.cdf(3 / 13.5), 0.5])
    assert rate == pytest.approx([None, None, 0.5, 0.5, 2 / 3, 2 / 3])
    covers = references(games.rename({"home_win": "home_cover"}).drop("spread_line"), "home_cover")
    assert covers.filter(pl.col("model") == "closing_line")["probability"].to_list() == [0.5] * 6


GAMES = played(9)
TRUTH = GAMES["truth"].to_numpy()
RNG = np.random.default_rng(9)
MODELS = {
    "knows": expit(TRUTH),
    "line": norm.cdf(GAMES["spread_line"].to_numpy() / 13.5),
    "guesses": expit(RNG.normal(0.3, 1, GAMES.height)),
    "nearly": expit(TRUTH + RNG.normal(0, 0.8, GAMES.height)),
}


def table(games: pl.DataFrame = GAMES, **settings: int) -> pl.DataFrame:
    """Comparison of MODELS, predicting from the second season on."""
    made = [
        predicted(GAMES, values, name).filter(pl.col("season") > 2001)
        for name, values in MODELS.items()
    ]
    return compare(
        pl.concat([*made, references(games, "home_win")]), seed=1, **{"draws": 200, **settings}
    )


def test_the_table_finds_the_better_and_the_worse() -> None:
    found = table()
    assert found["model"].to_list() == [
        "guesses",
        "knows",
        "line",
        "nearly",
        "base_rate",
        "closing_line",
    ]
    rows = {row["model"]: row for row in found.iter_rows(named=True)}
    assert rows["knows"]["closing_line_verdict"] == "better"
    assert rows["guesses"]["closing_line_verdict"] == "worse"
    assert rows["nearly"]["closing_line_verdict"] == "no difference"
    assert rows["line"]["closing_line_difference"] == 0
    assert rows["line"]["closing_line_verdict"] is None
    assert (
        rows["knows"]["base_rate_verdict"] == rows["closing_line"]["base_rate_verdict"] == "better"
    )
    assert rows["base_rate"]["base_rate_p"] is None
    later = GAMES.filter(pl.col("season") > 2001)
    for name in ("knows", "guesses"):
        p = MODELS[name][GAMES["season"].to_numpy() > 2001]
        slow = evaluation.metrics(later["home_win"], p, target="home_win")
        assert {key: rows[name][key] for key in slow} == pytest.approx(slow)
        q = MODELS["line"][GAMES["season"].to_numpy() > 2001]
        y = later["home_win"].to_numpy()
        test = diebold_mariano((p - y) ** 2 - (q - y) ** 2)
        assert rows[name]["closing_line_p"] == pytest.approx(test.p)
        assert rows[name]["closing_line_n"] == later.height
        low, high = (
            rows[name]["closing_line_difference_low"],
            rows[name]["closing_line_difference_high"],
        )
        assert low < test.difference < high
        assert rows[name]["brier_low"] < rows[name]["brier"] < rows[name]["brier_high"]
        assert rows[name]["auc_low"] < rows[name]["auc"] < rows[name]["auc_high"]
    tested = found.filter(pl.col("features") == "all", pl.col("closing_line_p").is_not_null())
    adjusted = multipletests(tested["closing_line_p"], method="holm")[1]
    np.testing.assert_allclose(tested["closing_line_p_holm"], adjusted)


def test_the_order_of_rows_does_not_matter_and_the_seed_does() -> None:
    made = predicted(GAMES, MODELS["knows"], "knows")
    both = pl.concat([made, references(GAMES, "home_win")])
    first = compare(both, draws=50, seed=1)
    assert compare(both.sample(fraction=1, shuffle=True, seed=2), draws=50, seed=1).equals(first)
    assert not compare(both, draws=50, seed=2).equals(first)


def test_only_common_games_are_compared() -> None:
    lines = GAMES.with_columns(spread_line=pl.when(pl.col("season") > 2002).then("spread_line"))
    row = table(lines).row(1, named=True)
    assert row["n"] == GAMES.filter(pl.col("season") > 2001).height
    assert row["closing_line_n"] == GAMES.filter(pl.col("season") > 2002).height
    assert row["base_rate_n"] == row["n"]


def test_without_references_there_are_only_scores() -> None:
    found = compare(predicted(GAMES, MODELS["knows"], "knows"), draws=20, seed=1)
    assert found.height == 1
    assert found["base_rate_verdict"].to_list() == [None]


def test_bad_predictions_cannot_be_compared() -> None:
    made = predicted(GAMES, MODELS["knows"], "knows")
    with pytest.raises(DataError, match="no column outcome"):
        compare(made.drop("outcome"), seed=1)
    with pytest.raises(DataError, match="home_win/all/knows/none has game g00003 twice"):
        compare(pl.concat([made, made[3:4]]), seed=1)
    other = made.with_columns(model=pl.lit("x"), outcome=(1 - pl.col("outcome")).cast(pl.Int8))
    with pytest.raises(DataError, match="game g00000 has two outcomes of home_win"):
        compare(pl.concat([made, other]), seed=1)

"""Dependence of scores and prices of real seasons: what is known of them must come out.

`-s` prints what was got beside what was expected.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from scripts.research import bets, copulas, sizing


def show(what: str, got: object, expected: object) -> None:
    print(f"\n{what:46} got {got!s:>12}  expected {expected}", end="")


@pytest.fixture(scope="module")
def games(real_data: Path) -> pl.DataFrame:
    """Games of 1999 to 2024 with a result."""
    columns = ["season", "week", "game_id", "gameday", "home_score", "away_score", "spread_line"]
    columns += ["total_line", "home_moneyline", "away_moneyline"]
    table = pl.read_csv(
        real_data / "nfl/games.csv",
        columns=columns,
        null_values=["NA", ""],
        infer_schema_length=None,
    )
    known = table.filter(pl.col("home_score").is_not_null(), pl.col("season") < 2025)
    return known.with_columns(
        margin=pl.col("home_score") - pl.col("away_score"),
        total=pl.col("home_score") + pl.col("away_score"),
    )


def test_scores_are_nearly_independent(games):
    for x, y in (("home_score", "away_score"), ("margin", "total")):
        tau = copulas.kendall(games[x], games[y])
        show(f"tau of {x} and {y}, n {games.height}", f"{tau:+.4f}", "within .03")
        assert abs(tau) < 0.03
        gaussian = copulas.fit("gaussian", games[x], games[y])
        assert abs(gaussian.rho) < 0.05
        t = copulas.fit("t", games[x], games[y])
        show(
            "log likelihood of t",
            f"{t.log_likelihood:.2f}",
            f"from {gaussian.log_likelihood:.2f} on",
        )
        assert t.log_likelihood >= gaussian.log_likelihood
        assert copulas.tail_dependence(t) < 0.02
        assert copulas.largest_gap(gaussian, games[x], games[y]) < 0.025


def test_equal_scores_are_missing_and_no_smooth_copula_knows_it(games):
    scores = games["home_score"], games["away_score"]
    equal, expected = copulas.gap_share(*scores, width=0)
    show("share of ties", f"{equal:.4f}", f"far below {expected:.4f}, by independence")
    assert equal < expected / 5
    close, expected = copulas.gap_share(*scores, width=3)
    show("share within three points", f"{close:.4f}", f"above {expected:.4f}, by independence")
    assert close > expected
    found = copulas.goodness_of_fit(
        "gaussian", games["home_score"], games["away_score"], draws=39, seed=1
    )
    show("p of the Gaussian copula", found.p, "1/40, the smallest")
    assert found.p == pytest.approx(1 / 40)


def test_closing_moneylines_are_fair_but_for_their_margin(games):
    priced = bets.priced(
        games.drop_nulls("home_moneyline")
        .filter(pl.col("margin") != 0)
        .drop("home_moneyline", "away_moneyline"),
        games,
    )
    home, away = priced["home_odds"].to_numpy(), priced["away_odds"].to_numpy()
    margin = (1 / home + 1 / away).mean() - 1
    won = priced["margin"].to_numpy() > 0
    blind = np.concatenate([np.where(won, home - 1, -1), np.where(won, -1, away - 1)]).mean()
    show(f"bookmaker's margin, n {priced.height}", f"{margin:.4f}", ".02 to .05")
    show("yield of betting on everything", f"{blind:+.4f}", "a loss, about the margin")
    assert 0.02 < margin < 0.05
    assert -0.06 < blind < 0
    fair = sizing.fair_probability(home, away)
    known = sizing.recalibrate(np.full(len(fair), 0.5), fair, won)
    show("slope of outcomes on prices", f"{known.coefficients[2]:.3f}", "1 within .12")
    assert known.coefficients[2] == pytest.approx(1, abs=0.12)


def test_a_tie_with_the_market_is_no_bet(games):
    """Whoever believes the market's fair probabilities has nothing to bet on."""
    known = games.drop_nulls("home_moneyline").filter(pl.col("margin") != 0)
    priced = bets.priced(known.drop("home_moneyline", "away_moneyline"), known)
    overround = 1 / priced["home_odds"] + 1 / priced["away_odds"]
    show("prices that sum to less than 1", int((overround < 1).sum()), "a few slips of the source")
    assert (overround < 1).mean() < 0.01
    priced = priced.filter(overround >= 1)
    fair = sizing.fair_probability(priced["home_odds"], priced["away_odds"])
    assert sizing.kelly(fair, priced["home_odds"].to_numpy()).max() < 1e-9
    assert sizing.kelly(1 - fair, priced["away_odds"].to_numpy()).max() < 1e-9

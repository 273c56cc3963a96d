"""Bets of a few games, worked by hand."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from scripts.errors import DataError
from scripts.research import bets, sizing

ODDS = pl.DataFrame(
    {
        "game_id": ["a", "b", "c", "d"],
        "home_moneyline": [-150.0, 120.0, None, 100.0],
        "away_moneyline": [130.0, -140.0, None, 100.0],
    }
)


def predictions(**changed: list) -> pl.DataFrame:
    columns = {
        "season": [2020, 2020, 2020, 2021],
        "week": [1, 1, 2, 1],
        "game_id": ["a", "b", "c", "d"],
        "date": [date(2020, 9, 1), date(2020, 9, 2), date(2020, 9, 9), date(2021, 9, 1)],
        "outcome": [1, 0, 1, None],
        "probability": [0.5, 0.6, 0.7, 0.5],
    }
    return pl.DataFrame(columns | changed)


def test_games_without_outcome_or_price_are_no_bets():
    games = bets.settled(predictions())
    assert games["game_id"].to_list() == ["a", "b", "c"]
    assert games["slate"].to_list() == [0, 0, 1]
    assert bets.priced(games, ODDS)["game_id"].to_list() == ["a", "b"]


def test_the_better_side_is_taken_and_paid_at_its_odds():
    found = bets.moneyline_bets(bets.settled(predictions()), ODDS, level=0.9)
    first, second = found.rows(named=True)
    # a: home .5 at 1.667 is -.167, away .5 at 2.3 is +.15, and the home team won.
    assert (first["home"], first["probability"], first["profit"]) == (False, 0.5, -1)
    assert first["odds"] == pytest.approx(2.3)
    assert first["expected"] == pytest.approx(0.15)
    # b: home .6 at 2.2 is +.32; the visitors won.
    assert (second["home"], second["profit"]) == (True, -1)
    assert second["fair"] == pytest.approx((1 / 2.2) / (1 / 2.2 + 140 / 240))


def test_away_bets_win_where_the_home_team_loses():
    games = bets.settled(predictions(outcome=[0, 1, 1, 1]))
    found = bets.moneyline_bets(games, ODDS, level=0.9)
    assert found["profit"].to_list() == pytest.approx([1.3, 1.2, 1.0])


def test_spread_bets_are_at_minus_110():
    found = bets.spread_bets(bets.settled(predictions(probability=[0.4, 0.6, 0.5, 0.5])), level=0.9)
    assert found["odds"].unique().to_list() == pytest.approx([sizing.SPREAD_PRICE])
    assert found["home"].to_list() == [False, True, True]
    assert found["fair"].to_list() == pytest.approx([0.5] * 3)
    assert found["profit"].to_list() == pytest.approx([-1, -1, 100 / 110])


def many(seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    n = 600
    return pl.DataFrame(
        {
            "season": np.repeat([2018, 2019, 2020], n // 3).tolist(),
            "week": np.tile(np.repeat(np.arange(1, 11), 20), 3).tolist(),
            "game_id": [f"g{k:03}" for k in range(n)],
            "date": [date(2018, 9, 1) + timedelta(days=k) for k in range(n)],
            "outcome": (rng.random(n) < 0.5).astype(int).tolist(),
            "probability": rng.uniform(0.3, 0.7, n).tolist(),
        }
    )


def test_bounds_are_of_earlier_seasons_only():
    games = many(1).with_columns(home_odds=1.9, away_odds=1.9)
    found = bets.bounded(games, level=0.9)
    assert found.filter(pl.col("season") == 2018)["home_low"].null_count() == 200
    assert found.filter(pl.col("season") > 2018)["home_low"].null_count() == 0
    # Outcomes of the last season change no bound.
    turned = games.with_columns(
        outcome=pl.when(pl.col("season") == 2020).then(1 - pl.col("outcome")).otherwise("outcome")
    )
    again = bets.bounded(turned, level=0.9)
    assert again.select("home_low", "home_high").equals(found.select("home_low", "home_high"))
    assert (found["home_low"] < found["home_high"]).drop_nulls().all()


def test_low_is_the_bound_of_the_side_taken():
    games = bets.settled(many(2))
    whole = bets.bounded(games.with_columns(home_odds=1.9, away_odds=1.9), level=0.9)
    found = bets.spread_bets(games, level=0.9)
    expected = [
        low if home else (None if high is None else 1 - high)
        for home, low, high in zip(
            found["home"], whole["home_low"], whole["home_high"], strict=True
        )
    ]
    assert found["low"].to_list() == pytest.approx(expected, abs=1e-12)


def test_bad_predictions_are_named():
    with pytest.raises(DataError, match="no column probability"):
        bets.settled(predictions().drop("probability"))
    with pytest.raises(DataError, match="a game twice"):
        bets.settled(pl.concat([predictions(), predictions()]))
    with pytest.raises(DataError, match="no game with an outcome"):
        bets.settled(predictions().with_columns(outcome=pl.lit(None, pl.Int8)))

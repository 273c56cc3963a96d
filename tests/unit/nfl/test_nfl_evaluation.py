"""Scores of predictions, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from scripts.errors import DataError
from scripts.nfl import evaluation
from scripts.nfl.evaluation import metrics, reliability
from scripts.tables import schema_of

GAMES = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.01, 0.2, 0.35, 0.5, 0.51, 0.8, 0.99])),
    min_size=2,
    max_size=60,
)


@given(games=GAMES)
def test_scores_are_scikit_learns(games: list[tuple[int, float]]) -> None:
    y, p = map(np.array, zip(*games, strict=True))
    found = metrics(y, p, target="home_win")
    assert found["n"] == len(y)
    assert found["base_rate"] == pytest.approx(y.mean())
    assert found["brier"] == pytest.approx(((p - y) ** 2).mean())
    assert found["log_loss"] == pytest.approx(sk.log_loss(y, p, labels=[0, 1]))
    certain = p != 0.5
    right = sk.accuracy_score(y[certain], p[certain] > 0.5, normalize=False) if certain.any() else 0
    assert found["accuracy"] == pytest.approx((right + (~certain).sum() / 2) / len(y))
    if y.min() == y.max():
        assert found["auc"] is None
    else:
        assert found["brier"] == pytest.approx(sk.brier_score_loss(y, p))
        assert found["auc"] == pytest.approx(sk.roc_auc_score(y, p))


def test_scores_by_hand() -> None:
    outcome = pl.Series([1, 0, 1, None, 1, 0], dtype=pl.Int8)
    probability = pl.Series([0.62, 0.55, 0.41, 0.9, 0.5, None])
    found = metrics(outcome, probability, target="home_cover")
    assert found["n"] == 4
    assert found["base_rate"] == 0.75
    assert found["roi"] == pytest.approx((100 / 110 - 1 - 1) / 3)
    assert found["accuracy"] == pytest.approx(1.5 / 4)
    # bins [.4, .5): 1 - .41; [.5, .6): 1 + 0 - .55 - .5; [.6, .7): 1 - .62
    assert found["ece"] == pytest.approx((0.59 + 0.05 + 0.38) / 4)
    assert found["auc"] == pytest.approx(1 / 3)
    assert found["log_loss"] == pytest.approx(-np.log([0.62, 0.45, 0.41, 0.5]).mean())


def test_a_bet_at_110_breaks_even_at_its_share() -> None:
    outcome = np.r_[np.ones(11), np.zeros(10)]
    assert metrics(outcome, np.full(21, 0.6), target="over_hit")["roi"] == pytest.approx(0)
    assert metrics(1 - outcome, np.full(21, 0.4), target="over_hit")["roi"] == pytest.approx(0)
    assert metrics(outcome, np.full(21, 0.6), target="home_win")["roi"] is None
    assert metrics(outcome, np.full(21, 0.5), target="over_hit")["roi"] is None


def test_no_game_gives_no_score() -> None:
    found = metrics([np.nan], [0.5], target="home_win")
    assert found == {"n": 0, **dict.fromkeys(evaluation.METRICS)}
    assert list(found) == list(metrics([1, 0], [0.5, 0.6], target="home_win"))


def test_certain_errors_cost_a_finite_log_loss() -> None:
    assert metrics([1, 0], [0.0, 0.0], target="home_win")["log_loss"] == pytest.approx(
        -np.log(1e-6) / 2, rel=1e-5
    )


def test_bad_predictions_are_named() -> None:
    with pytest.raises(DataError, match="outcome 2; outcomes are 0, 1 or null"):
        metrics([2, 0], [0.5, 0.5], target="home_win")
    with pytest.raises(DataError, match=r"probability 1.5 is not in \[0, 1\]"):
        metrics([1, 0], [0.5, 1.5], target="home_win")


def test_bins_are_closed_below() -> None:
    edges = np.arange(11) / 10
    assert evaluation.bins(edges).tolist() == [*range(10), 9]
    assert evaluation.bins(edges[1:] - 1e-9).tolist() == [*range(10)]


def test_reliability_by_hand_and_by_season() -> None:
    outcome = [1, 0, 1, None, 1]
    probability = [0.62, 0.65, 0.05, 0.3, 1.0]
    found = reliability(
        pl.Series(outcome), pl.Series(probability), season=[2001, 2002, 2001, 2001, 2002]
    )
    assert found.schema == schema_of(evaluation.RELIABILITY)
    rows = found.rows()
    whole = [row for row in rows if row[0] is None]
    assert whole == [
        (None, 0, 0.0, 0.1, 1, 0.05, 1.0),
        (None, 6, 0.6, 0.7, 2, pytest.approx(0.635), 0.5),
        (None, 9, 0.9, 1.0, 1, 1.0, 1.0),
    ]
    assert [row[:2] for row in rows[3:]] == [(2001, 0), (2001, 6), (2002, 6), (2002, 9)]
    assert reliability(pl.Series(outcome), pl.Series(probability)).rows() == whole


@given(games=GAMES, number=st.integers(1, 20))
def test_reliability_counts_every_game(games: list[tuple[int, float]], number: int) -> None:
    y, p = map(np.array, zip(*games, strict=True))
    found = reliability(y, p, number=number)
    assert found["n"].sum() == len(y)
    assert (found["n"] * found["outcome"]).sum() == pytest.approx(y.sum())
    inside = found["probability"].is_between(found["lower"] - 1e-12, found["upper"] + 1e-12)
    assert inside.all()
    gap = (found["n"] * (found["outcome"] - found["probability"]).abs()).sum() / len(y)
    if number == evaluation.BINS:
        assert metrics(y, p, target="home_win")["ece"] == pytest.approx(gap)

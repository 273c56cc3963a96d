"""Bootstrap over weeks, against one that draws weeks by hand and against the normal interval."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from scripts.errors import DataError
from scripts.research.paired import Interval, by_weeks


def weeks(number: int, each: int) -> pl.DataFrame:
    return pl.DataFrame({"season": [2000] * number * each, "week": np.repeat(range(number), each)})


def test_interval_is_that_of_the_mean() -> None:
    values = np.random.default_rng(0).normal(0.3, 1, 4000)
    found = by_weeks(values, weeks(1000, 4), draws=4000, seed=1)
    half = 1.96 * values.std() / np.sqrt(4000)
    assert found.mean == values.mean()
    assert found.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_games_of_a_week_are_drawn_together() -> None:
    shared = np.repeat(np.random.default_rng(2).normal(size=200), 16)
    alone = by_weeks(shared, weeks(200 * 16, 1), draws=1000, seed=1)
    together = by_weeks(shared, weeks(200, 16), draws=1000, seed=1)
    ratio = (together.high - together.low) / (alone.high - alone.low)
    assert ratio == pytest.approx(4, rel=0.2)


def test_weeks_of_other_seasons_are_other_weeks() -> None:
    rng = np.random.default_rng(5)
    table = pl.DataFrame({"season": [1, 1, 2, 2, 2], "week": [1, 1, 1, 2, 2]})
    values = rng.normal(size=5)
    drawn = np.random.default_rng(9).multinomial(3, np.full(3, 1 / 3), 500)
    groups = [values[:2], values[2:3], values[3:]]
    means = [np.concatenate([np.tile(g, t) for g, t in zip(groups, row)]).mean() for row in drawn]  # noqa: B905
    found = by_weeks(values, table, draws=500, seed=9)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((-1, -2, -0.1), "better"),
        ((1, 0.1, 2), "worse"),
        ((0, 0, 0), "no difference"),
        ((-1, -2, 0.5), "no difference"),
    ],
)
def test_verdicts_of_losses(interval: tuple, verdict: str) -> None:
    assert Interval(*interval).verdict == verdict


def test_bad_input() -> None:
    with pytest.raises(DataError, match="0 differences of 0 games"):
        by_weeks(np.array([]), weeks(0, 1), draws=10, seed=1)
    with pytest.raises(DataError, match="2 differences of 3 games"):
        by_weeks(np.zeros(2), weeks(3, 1), draws=10, seed=1)
    with pytest.raises(DataError, match="not finite"):
        by_weeks(np.array([1, np.nan]), weeks(2, 1), draws=10, seed=1)

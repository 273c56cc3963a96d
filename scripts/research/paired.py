"""Mean of a difference between two ways to predict the same games, with an interval over weeks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from scripts.errors import DataError
from scripts.nfl.week_samples import sampled

LEVEL = 0.95


class Interval(NamedTuple):
    """A mean with the ends of its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Of a difference of losses: better, worse, or no difference where 0 is within."""
        return "better" if self.high < 0 else "worse" if self.low > 0 else "no difference"


def by_weeks(difference: np.ndarray, weeks: pl.DataFrame, *, draws: int, seed: int) -> Interval:
    """Mean of `difference` with a percentile interval, from draws of whole weeks with replacement.

    Games of a week share news, weather and a market, so weeks are drawn and not games (cluster
    bootstrap, Davison and Hinkley 1997, section 3.8).

    Args:
        difference: a value a game.
        weeks: season and week of the same games.
        draws: number of draws.
        seed: of the draws.

    Raises:
        DataError: no game, other numbers of games, or a value that is not finite.
    """
    if not len(difference) or len(difference) != weeks.height:
        raise DataError(f"{len(difference)} differences of {weeks.height} games; expected as many")
    if not np.isfinite(difference).all():
        raise DataError("a difference is not finite; leave the game out")
    week, times = sampled(weeks, draws, seed)
    number = np.bincount(week).astype(np.float64)
    total = np.bincount(week, difference)
    with threadpool_limits(1):  # sums of other thread counts differ in their last digits
        means = (times @ total) / (times @ number)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(np.mean(difference)), float(low), float(high))

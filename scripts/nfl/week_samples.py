"""Samples of whole weeks with replacement: games of a week share weather and a market."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import polars as pl


def sampled(games: pl.DataFrame, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Number of each game's week, and how often each draw has each week (draws x weeks).

    Args:
        games: season and week, at least a row.
        draws: samples.
        seed: of the samples; games of the same number of weeks have the same.
    """
    week = games.select(pl.struct("season", "week").rank("dense")).to_series().to_numpy() - 1
    return week, _times(int(week.max()) + 1, draws, seed)


@lru_cache(maxsize=4)  # models of the same games have the same draws
def _times(weeks: int, draws: int, seed: int) -> np.ndarray:
    """How often each of `draws` samples of `weeks` weeks has each of them."""
    rng = np.random.default_rng(seed)
    times = rng.multinomial(weeks, np.full(weeks, 1 / weeks), draws).astype(np.float64)
    times.flags.writeable = False
    return times

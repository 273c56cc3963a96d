"""Intervals for means of series with dependent neighbours: the stationary bootstrap."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scripts.errors import DataError


class Interval(NamedTuple):
    """An estimate and the ends of its interval, in the units of the series."""

    estimate: float
    low: float
    high: float


def block_length(n: int) -> int:
    """Mean block for a series of n values: n^(1/3), the best rate for a mean; at least 1."""
    return max(1, round(n ** (1 / 3)))


def resampled(n: int, block: float, draws: int, seed: int) -> np.ndarray:
    """Rows of resampled series (Politis and Romano 1994, stationary bootstrap).

    Blocks begin anywhere, wrap around and have geometric lengths, so every draw is stationary.

    Args:
        n: length of the series.
        block: mean length of a block; 1 resamples single values.
        draws: number of series.
        seed: of the generator.

    Returns:
        int64, (draws, n): positions in the series.

    Raises:
        DataError: n, block or draws is below 1.
    """
    if min(n, block, draws) < 1:
        raise DataError(f"n {n}, block {block}, draws {draws}: expected at least 1 each")
    rng = np.random.default_rng(seed)
    fresh = rng.random((draws, n)) < 1 / block
    fresh[:, 0] = True
    starts = rng.integers(n, size=(draws, n))
    place = np.arange(n)
    begun = np.maximum.accumulate(np.where(fresh, place, 0), axis=1)
    return (np.take_along_axis(starts, begun, axis=1) + place - begun) % n


def mean_interval(values: np.ndarray, *, level: float, draws: int, seed: int) -> Interval:
    """Mean of a series with its percentile interval.

    Args:
        values: (n,), finite, in time order.
        level: share of the interval, as 0.95.
        draws: resampled series.
        seed: of the generator.

    Raises:
        DataError: fewer than two values, a value that is not finite, or a level outside (0, 1).
    """
    return ratio_interval(values, np.ones(len(values)), level=level, draws=draws, seed=seed)


def ratio_interval(
    numerator: np.ndarray, denominator: np.ndarray, *, level: float, draws: int, seed: int
) -> Interval:
    """Ratio of two sums over the same days, with its percentile interval: days are resampled whole.

    Args:
        numerator, denominator: (n,), finite, one value a day, in time order.
        level, draws, seed: as in `mean_interval`. Draws whose denominator is 0 are left out.

    Raises:
        DataError: as `mean_interval`, or the denominator sums to 0.
    """
    top, bottom = np.asarray(numerator, float), np.asarray(denominator, float)
    if top.ndim != 1 or top.shape != bottom.shape or len(top) < 2:
        raise DataError(f"shapes {top.shape} and {bottom.shape}: expected twice (n,), n 2 or more")
    if not (np.isfinite(top).all() and np.isfinite(bottom).all()):
        raise DataError("a value of the series is not finite; expected finite numbers only")
    if not 0 < level < 1:
        raise DataError(f"level {level}: expected a share between 0 and 1")
    if bottom.sum() == 0:
        raise DataError("the denominator sums to 0; expected another sum")
    chosen = resampled(len(top), block_length(len(top)), draws, seed)
    below = bottom[chosen].sum(axis=1)
    ratios = top[chosen].sum(axis=1)[below != 0] / below[below != 0]
    low, high = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(top.sum() / bottom.sum()), float(low), float(high))

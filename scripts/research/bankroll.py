"""What becomes of a bankroll: its path, its drawdown, and how both vary over samples of weeks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scripts.errors import DataError


def slate_returns(stake: np.ndarray, profit: np.ndarray, slate: np.ndarray) -> np.ndarray:
    """Return of the bankroll over each slate, whose bets settle together.

    Args:
        stake: share of the bankroll of each bet, at the start of its slate.
        profit: of 1 staked: decimal odds - 1 if won, -1 if lost, 0 if void.
        slate: number from 0, in the order of time.

    Raises:
        DataError: a slate that can lose the whole bankroll.
    """
    if (wrong := np.bincount(slate, stake)[np.bincount(slate, stake) >= 1]).size:
        raise DataError(f"stakes of a slate sum to {wrong[0]:.3f}; expected less than 1")
    return np.bincount(slate, stake * profit)


def wealth(returns: np.ndarray) -> np.ndarray:
    """Bankroll after each slate, from 1; along the last axis, one longer than `returns`."""
    grown = np.cumprod(1 + returns, axis=-1)
    return np.concatenate([np.ones((*grown.shape[:-1], 1)), grown], axis=-1)


def max_drawdown(path: np.ndarray) -> np.ndarray:
    """Greatest fall from an earlier peak, as a share of it, along the last axis."""
    return (1 - path / np.maximum.accumulate(path, axis=-1)).max(axis=-1)


def resampled(returns: np.ndarray, *, draws: int, block: int, seed: int) -> np.ndarray:
    """Paths of returns, draws x slates: circular blocks of the observed ones (Politis, Romano).

    Args:
        returns: observed returns in the order of time.
        draws: number of paths.
        block: slates of a block, so that runs of them stay together.
        seed: of the blocks' starts.
    """
    n = len(returns)
    if not n:
        raise DataError("no slates to resample; expected at least one")
    starts = np.random.default_rng(seed).integers(0, n, (draws, -(-n // block)))
    place = (starts[:, :, None] + np.arange(block)) % n
    return returns[place.reshape(draws, -1)[:, :n]]


def growth_curve(returns: np.ndarray, multiples: np.ndarray) -> np.ndarray:
    """Mean log growth by slate where all stakes are multiplied, multiples x slates.

    Args:
        returns: of each slate at multiple 1; multiplied they must stay above -1.
        multiples: from 0 on.

    Raises:
        DataError: a multiple that loses the whole bankroll.
    """
    scaled = multiples[:, None] * returns
    if scaled.size and scaled.min() <= -1:
        raise DataError(
            f"a slate would lose {-scaled.min():.1%} of the bankroll; take smaller stakes"
        )
    return np.log1p(scaled)


def yield_interval(
    stake: np.ndarray,
    profit: np.ndarray,
    slate: np.ndarray,
    *,
    draws: int,
    seed: int,
    level: float = 0.95,
) -> tuple[float, float, float]:
    """Profit by unit staked, and its interval from samples of whole slates (percentiles).

    Returns:
        estimate, low, high: all NaN where nothing is staked.
    """
    won, staked = np.bincount(slate, stake * profit), np.bincount(slate, stake)
    if not staked.sum() > 0:
        return np.nan, np.nan, np.nan
    n = len(staked)
    times = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), draws)
    total = times @ staked
    ratio = (times @ won)[total > 0] / total[total > 0]
    low, high = np.quantile(ratio, [(1 - level) / 2, (1 + level) / 2])
    return float(won.sum() / staked.sum()), float(low), float(high)


def cluster_interval(
    statistic: Callable[[np.ndarray], float],
    cluster: np.ndarray,
    *,
    draws: int,
    seed: int,
    level: float = 0.95,
) -> tuple[float, float, float]:
    """A statistic, and its percentile interval from samples of whole clusters with replacement.

    Args:
        statistic: numbers of rows (with repeats) -> a number.
        cluster: of each row, a number from 0.
        draws: samples.
        seed: of the samples.
        level: of the interval.

    Returns:
        estimate, low, high.
    """
    order = np.argsort(cluster, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(cluster))[:-1])
    rng = np.random.default_rng(seed)
    found = [
        statistic(np.concatenate([rows[k] for k in rng.integers(0, len(rows), len(rows))]))
        for _ in range(draws)
    ]
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(statistic(np.arange(len(cluster)))), float(low), float(high)


def believed_returns(
    stake: np.ndarray,
    probability: np.ndarray,
    odds: np.ndarray,
    slate: np.ndarray,
    *,
    draws: int,
    seed: int,
) -> np.ndarray:
    """Returns of slates where bets win with the probabilities believed, draws x slates.

    Args:
        stake: share of the bankroll of each bet.
        probability: that it wins, independent of the others.
        odds: decimal.
        slate: number from 0, not falling: bets in the order of time.
        draws: number of paths.
        seed: of the outcomes.

    Raises:
        DataError: slates that are not in order.
    """
    edges = np.flatnonzero(np.diff(slate, prepend=-1))
    if (np.diff(slate) < 0).any():
        raise DataError("slates out of order; sort the bets by time")
    rng = np.random.default_rng(seed)
    returns = np.zeros((draws, int(slate.max()) + 1))
    for draw in range(draws):
        gain = stake * np.where(rng.random(len(stake)) < probability, odds - 1, -1.0)
        returns[draw, slate[edges]] = np.add.reduceat(gain, edges)
    return returns

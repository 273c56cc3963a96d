"""The best of many backtests on the same days: how much of its result is the choice itself."""

from __future__ import annotations

from itertools import combinations
from math import e, exp

import numpy as np
from scipy.special import ndtri

from scripts.errors import DataError
from scripts.research.block_bootstrap import block_length, resampled


def expected_best(trials: int) -> float:
    """Expected largest of so many independent standard normal numbers, in standard deviations.

    (1 - g) Q(1 - 1/N) + g Q(1 - 1/(N e)), with the normal quantile Q and Euler's constant g
    (Bailey and López de Prado 2014, from extreme value theory; 0 for one trial). Sharpe ratios of D
    days are such numbers, in units of sqrt(1 / D), for D of some tens or more: on fewer days they
    have the longer tails of Student's t, and the best of many is larger than this.

    Raises:
        DataError: fewer than one trial.
    """
    if trials < 1:
        raise DataError(f"{trials} trials: expected 1 or more")
    if trials == 1:
        return 0.0
    gamma = float(np.euler_gamma)
    return float((1 - gamma) * ndtri(1 - 1 / trials) + gamma * ndtri(1 - 1 / (trials * e)))


def sharpe(pnl: np.ndarray) -> np.ndarray:
    """Mean / sample standard deviation of each column, by day; 0 where nothing varies.

    Args:
        pnl: (days, variants), currency.
    """
    deviation = pnl.std(axis=0, ddof=1)
    flat = deviation <= 1e-12 * np.abs(pnl).max(initial=0.0)
    return np.where(flat, 0.0, pnl.mean(axis=0) / np.where(flat, 1.0, deviation))


def split_selection(pnl: np.ndarray, blocks: int) -> dict[str, float | int]:
    """Choose on half of the days, look at the rest: combinatorially symmetric cross-validation.

    The days are cut into `blocks` runs; every half of them is once the place of choice, by mean
    pnl, and the rest the place of trial (Bailey, Borwein, López de Prado and Zhu 2017).

    Args:
        pnl: (days, variants), currency a day, days in order.
        blocks: even number of runs, at least 2.

    Returns:
        splits; chosen_in, chosen_out: mean daily pnl of the chosen variant where it was chosen and
        in the other half; median_out: that of the median variant there; overfit: share of splits in
        which the chosen one is in the lower half out of sample (rank logit <= 0; ties count half).

    Raises:
        DataError: fewer than two variants, blocks odd or fewer than 2, or fewer days than blocks.
    """
    days, variants = _checked(pnl)
    if blocks < 2 or blocks % 2 or days < blocks:
        raise DataError(f"{blocks} blocks of {days} days: expected an even number up to the days")
    runs = np.array_split(np.arange(days), blocks)
    inside, outside, median, low = [], [], [], []
    for half in combinations(range(blocks), blocks // 2):
        chosen_days = np.concatenate([runs[i] for i in half])
        first = pnl[chosen_days].mean(axis=0)
        rest = np.delete(pnl, chosen_days, axis=0).mean(axis=0)
        best = int(np.argmax(first))
        rank = (rest < rest[best]).sum() + 0.5 * ((rest == rest[best]).sum() - 1)
        share = (rank + 1) / (variants + 1)
        inside.append(first[best])
        outside.append(rest[best])
        median.append(np.median(rest))
        low.append(1.0 if share < 0.5 else 0.5 if share == 0.5 else 0.0)
    means = map(float, (np.mean(x) for x in (inside, outside, median, low)))
    names = ("chosen_in", "chosen_out", "median_out", "overfit")
    return {"splits": len(low), **dict(zip(names, means, strict=True))}


def reality_check(pnl: np.ndarray, benchmark: int, *, draws: int, seed: int) -> float:
    """p-value of: no variant has a higher mean daily pnl than the benchmark (White 2000).

    max over variants of sqrt(n) * mean difference against its distribution under the stationary
    bootstrap, each difference recentred at 0.

    Args:
        pnl: (days, variants), currency a day, days in order.
        benchmark: column of the variant that was there before the search.
        draws: resampled series.
        seed: of the generator.

    Returns:
        share of draws at least as large as what was found, (1 + hits) / (1 + draws).

    Raises:
        DataError: fewer than two variants or days, or no such column.
    """
    days, variants = _checked(pnl)
    if not 0 <= benchmark < variants:
        raise DataError(f"benchmark {benchmark}: expected a column from 0 to {variants - 1}")
    gain = np.delete(pnl - pnl[:, [benchmark]], benchmark, axis=1)
    found = gain.mean(axis=0)
    chosen = resampled(days, block_length(days), draws, seed)
    drawn = np.stack([gain[rows].mean(axis=0) for rows in chosen])
    hits = int(((drawn - found).max(axis=1) >= found.max()).sum())
    return (1 + hits) / (1 + draws)


def effective_trials(pnl: np.ndarray) -> float:
    """How many independent variants the correlated ones are worth.

    exp of the entropy of the correlation matrix's eigenvalues as shares (Roy and Vetterli 2007): 1
    where all are alike, the number of variants where none is correlated. At most days - 1, so on
    few days it says nothing of the variants; for what it can reach, see `independent_trials`.

    Raises:
        DataError: fewer than two variants or days.
    """
    _checked(pnl)
    moving = pnl[:, pnl.std(axis=0) > 1e-12 * np.abs(pnl).max(initial=1e-300)]
    if moving.shape[1] < 2:
        return 1.0
    values = np.clip(np.linalg.eigvalsh(np.corrcoef(moving, rowvar=False)), 0, None)
    shares = values[values > 1e-12] / values.sum()
    return exp(-float((shares * np.log(shares)).sum()))


def independent_trials(days: int, variants: int, *, draws: int, seed: int) -> float:
    """Mean `effective_trials` of independent normal series: what that many days let it reach.

    Args:
        days, variants: 2 or more each.
        draws: simulated runs.
        seed: of the generator.

    Raises:
        DataError: fewer than two variants or days.
    """
    rng = np.random.default_rng(seed)
    shape = (days, variants)
    return float(np.mean([effective_trials(rng.standard_normal(shape)) for _ in range(draws)]))


def _checked(pnl: np.ndarray) -> tuple[int, int]:
    if pnl.ndim != 2 or min(pnl.shape) < 2 or not np.isfinite(pnl).all():
        raise DataError(
            f"pnl of shape {pnl.shape}: expected finite (days, variants), 2 or more each"
        )
    return pnl.shape

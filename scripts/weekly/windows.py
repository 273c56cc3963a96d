"""Windows and averages over the bars of many symbols at once, without a loop over symbols or bars.

The values of all symbols stand in one array, symbol after symbol; `index` says which bar of its
symbol each one is, from 0. Sums over a window are made by doubling: sums of 1, 2, 4, ... values, of
which the window's length is put together. Nothing is ever subtracted, so a price that falls from
1e9 to 1e-3 leaves no trace, and a value depends on its own past alone, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

Join = Callable[[np.ndarray, np.ndarray], np.ndarray]


def lag(values: np.ndarray, index: np.ndarray, bars: int, fill: float = np.nan) -> np.ndarray:
    """The value so many bars before, within the symbol; `fill` where there is none."""
    out = np.full_like(values, fill)
    if 0 <= bars < len(values):
        end = len(values) - bars
        np.copyto(out[bars:], values[:end], where=index[bars:] >= bars)
    return out


def doubled(
    values: np.ndarray, index: np.ndarray, widths: Iterable[int], join: Join, neutral: float
) -> dict[int, np.ndarray]:
    """Width -> `values` of the last so many bars put together by `join`, fewer at the start.

    Args:
        values: without NaN, unless `join` passes over them.
        index: as the module says.
        widths: numbers of bars.
        join: np.add, np.fmax or np.fmin.
        neutral: what `join` leaves a value unchanged by.
    """
    widths = sorted(set(widths))
    found: dict[int, np.ndarray] = {}
    power, block = 1, values
    while power <= widths[-1]:
        for width in widths:
            if width & power:
                before = found.get(width)
                rest = None if before is None else lag(before, index, power, neutral)
                found[width] = block if rest is None else join(block, rest)
        power *= 2
        if power <= widths[-1]:
            block = join(block, lag(block, index, power // 2, neutral))
    return found


class Window(NamedTuple):
    """What the last so many bars hold, NaN passed over: fewer bars at a symbol's start."""

    mean: np.ndarray  # of equal values exactly that value
    count: np.ndarray
    equal: np.ndarray  # whether all values are the same


def windows(values: np.ndarray, index: np.ndarray, widths: Iterable[int]) -> dict[int, Window]:
    """Width -> the window of that many bars that ends at each bar."""
    widths = set(widths)
    known = ~np.isnan(values)
    if known.all():
        counts = {width: np.minimum(index + 1.0, width) for width in widths}
        sums = doubled(values, index, widths, np.add, 0.0)
    else:
        counts = doubled(known.astype(float), index, widths, np.add, 0.0)
        sums = doubled(np.where(known, values, 0.0), index, widths, np.add, 0.0)
    least, most = (doubled(values, index, widths, join, np.nan) for join in (np.fmin, np.fmax))
    found = {}
    for width in widths:
        equal = least[width] == most[width]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(equal, least[width], sums[width] / counts[width])
        found[width] = Window(mean, counts[width], equal)
    return found


def mean(values: np.ndarray, index: np.ndarray, width: int, least: int) -> np.ndarray:
    """Mean of the last `width` values, NaN passed over; NaN where fewer than `least` are known."""
    window = windows(values, index, [width])[width]
    return np.where(window.count >= least, window.mean, np.nan)


def z_score(values: np.ndarray, index: np.ndarray, width: int, least: int) -> np.ndarray:
    """Distance from the window's mean in its standard deviations (ddof 0), NaN passed over.

    NaN where fewer than `least` values are known or all are equal.
    """
    window = windows(values, index, [width])[width]
    squares = np.zeros_like(values)
    for back in range(width):
        away = lag(values, index, back) - window.mean
        away *= away
        np.add(squares, away, out=squares, where=~np.isnan(away))
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = np.sqrt(squares / window.count)
        scored = (window.count >= least) & ~window.equal & (deviation > 0)
        return np.where(scored, (values - window.mean) / deviation, np.nan)


def decayed_sum(values: np.ndarray, index: np.ndarray, decay: float) -> np.ndarray:
    """Sum over all bars so far of decay**age * value: the recursion s = decay * s + value.

    Args:
        values: without NaN.
        index: as the module says.
        decay: below 1.
    """
    total, age, weight = values, 1, decay
    longest = int(index.max(initial=0))
    while age <= longest and weight > 0:
        total = total + weight * lag(total, index, age, 0.0)
        age, weight = age * 2, weight * weight
    return total


def ema(values: np.ndarray, index: np.ndarray, decay: float, first: int) -> np.ndarray:
    """Exponential average e = decay * e + (1 - decay) * value, from e = value of bar `first` on.

    Args:
        values: the first average at bar `first`, then the values; what is before is not used.
        index: as the module says.
        decay: below 1.
        first: index of the bar at which the average starts; NaN before.
    """
    steps = np.where(index > first, (1 - decay) * values, 0.0)
    steps = np.where(index == first, values, steps)
    return np.where(index < first, np.nan, decayed_sum(steps, index, decay))


def seeded_ema(values: np.ndarray, index: np.ndarray, span: int, start: int = 0) -> np.ndarray:
    """EMA of `span`, of decay 1 - 2/(span+1), seeded with the mean of the first `span` values.

    Args:
        values: of bars from `start` on; what is before is not used.
        index: as the module says.
        span: k; the first average is at bar start + k - 1.
        start: index of the first bar that has a value.
    """
    first = start + span - 1
    known = np.where(index < start, np.nan, values)
    seeds = windows(known, index, [span])[span].mean
    return ema(np.where(index == first, seeds, values), index, 1 - 2 / (span + 1), first)

"""Triple-barrier targets: which barrier a long trade meets first, and how unique the trade is.

Sources: M. Lopez de Prado, Advances in Financial Machine Learning (2018), 3.4 (the triple-barrier
method) and 4.4 (average uniqueness); J. W. Wilder, New Concepts in Technical Trading Systems
(1978).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scripts.weekly import windows
from scripts.weekly.windows import lag

ATR_BARS, ABOVE, BELOW, HORIZON = 14, 3.0, 1.5, 20


class Ohlc(NamedTuple):
    """Bars of many symbols, symbol after symbol; prices all in the same units, without NaN."""

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray


class Labels(NamedTuple):
    """One value a bar. `held` is 0 and the others NaN where no barrier is known to be met."""

    atr: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    target: np.ndarray
    held: np.ndarray
    gain: np.ndarray
    weight: np.ndarray
    complete: np.ndarray


def lead(values: np.ndarray, left: np.ndarray, bars: int, fill: float = np.nan) -> np.ndarray:
    """The value so many bars later, within the symbol; `fill` where there is none.

    Args:
        values: symbol after symbol.
        left: how many bars of its symbol follow each.
        bars: from 0.
        fill: for what is beyond the last bar.
    """
    return lag(values[::-1], left[::-1], bars, fill)[::-1]


def average_true_range(bars: Ohlc, index: np.ndarray) -> np.ndarray:
    """Wilder's average of the true range over 14 bars, in units of the price; NaN before bar 14."""
    before = lag(bars.close, index, 1)
    ranges = np.maximum(bars.high - bars.low, np.abs(bars.high - before))
    ranges = np.where(index > 0, np.maximum(ranges, np.abs(bars.low - before)), np.nan)
    seeds = windows.windows(ranges, index, [ATR_BARS])[ATR_BARS].mean
    values = np.where(index == ATR_BARS, seeds, ranges)
    return windows.ema(values, index, 1 - 1 / ATR_BARS, ATR_BARS)


def label(bars: Ohlc, index: np.ndarray, left: np.ndarray) -> Labels:
    """Label every bar by a long trade entered at its close.

    The trade ends at the first bar that touches close + 3 ATR (target 1) or close - 1.5 ATR (-1),
    both in one bar counting as the lower, or with the close of the 20th bar (0). It leaves at the
    barrier, or at the open of a bar that opens beyond it. A bar without ATR, or with one that
    does not move the price, has no target; one that is followed by fewer than 20 bars has a
    target only once a barrier is touched.

    Args:
        bars: daily bars.
        index: which bar of its symbol each is, from 0.
        left: how many bars of its symbol follow each.
    """
    atr = average_true_range(bars, index)
    upper, lower = bars.close + ABOVE * atr, bars.close - BELOW * atr
    open_trade = (upper > bars.close) & (lower < bars.close)
    upper, lower = (np.where(open_trade, barrier, np.nan) for barrier in (upper, lower))
    held = np.zeros(len(index), np.int16)
    target, leaves = np.full_like(atr, np.nan), np.full_like(atr, np.nan)
    for step in range(1, HORIZON + 1):
        start, low, high = (lead(part, left, step) for part in (bars.open, bars.low, bars.high))
        waiting = open_trade & (held == 0)
        lost = waiting & (low <= lower)
        won = waiting & (high >= upper) & ~lost
        for met, value, price in (
            (lost, -1.0, np.minimum(lower, start)),
            (won, 1.0, np.maximum(upper, start)),
        ):
            np.copyto(target, value, where=met)
            np.copyto(leaves, price, where=met)
            np.copyto(held, step, where=met)
    complete = left >= HORIZON
    ended = open_trade & (held == 0) & complete
    target = np.where(ended, 0.0, target)
    leaves = np.where(ended, lead(bars.close, left, HORIZON), leaves)
    held[ended] = HORIZON
    with np.errstate(all="ignore"):
        gain = leaves / bars.close - 1
    weight = uniqueness(held, index, left)
    return Labels(atr, upper, lower, target, held, gain, weight, complete)


def uniqueness(held: np.ndarray, index: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Average uniqueness of each trade: mean over its bars of 1 / trades open in that bar.

    Args:
        held: bars that a trade is held, those after the entry; 0: no trade, whose result is NaN.
        index: which bar of its symbol each is, from 0.
        left: how many bars of its symbol follow each.
    """
    trades = np.zeros(len(held))
    for step in range(1, HORIZON + 1):
        trades += lag(held, index, step, 0) >= step
    with np.errstate(all="ignore"):
        share = 1 / trades
        total = np.zeros(len(held))
        for step in range(1, HORIZON + 1):
            total += np.where(held >= step, lead(share, left, step, 0.0), 0.0)
        return np.where(held > 0, total / held, np.nan)

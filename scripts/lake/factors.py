"""The 158 factors of Qlib's Alpha158 on daily bars, in numpy, many rows at once.

Formulas and order: `Alpha158DL.get_feature_config` and `qlib/data/ops.py` of pyqlib 0.9.7. A
window of d bars holds the bar itself and the d - 1 before it, fewer at the start of a symbol; a
value of d bars ago is missing there. One difference: a window counts the bars a symbol has; Qlib
counts sessions of its calendar, also those without a bar of that symbol. The two agree for symbols
that trade every session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

WINDOWS = (5, 10, 20, 30, 60)
LONGEST = WINDOWS[-1]
CHUNK = 4096  # rows at once: their windows stay in the processor's cache
GUARD = 1e-12  # Qlib's, against a division by zero
FLAT = 2e-5  # Qlib: a standard deviation up to this counts as zero
NAN = float("nan")

BAR_FACTORS = {
    "KMID": "(close - open) / open",
    "KLEN": "(high - low) / open",
    "KMID2": "(close - open) / (high - low)",
    "KUP": "(high - max(open, close)) / open",
    "KUP2": "(high - max(open, close)) / (high - low)",
    "KLOW": "(min(open, close) - low) / open",
    "KLOW2": "(min(open, close) - low) / (high - low)",
    "KSFT": "(2 close - high - low) / open",
    "KSFT2": "(2 close - high - low) / (high - low)",
    "OPEN0": "open / close",
    "HIGH0": "high / close",
    "LOW0": "low / close",
    "VWAP0": "vwap / close; null without vwap",
}
WINDOW_FACTORS = {
    "ROC": "close {d} bars ago / close",
    "MA": "mean of close over {d} bars / close",
    "STD": "standard deviation of close over {d} bars / close",
    "BETA": "slope of close against time over {d} bars (least squares) / close",
    "RSQR": "R squared of that regression over {d} bars; null where close is flat",
    "RESI": "residual of the bar in that regression over {d} bars / close",
    "MAX": "maximum of high over {d} bars / close",
    "MIN": "minimum of low over {d} bars / close",
    "QTLU": "80 % quantile of close over {d} bars / close",
    "QTLD": "20 % quantile of close over {d} bars / close",
    "RANK": "rank of close among those of {d} bars, 1 is the highest",
    "RSV": "(close - minimum of low) / (maximum of high - minimum of low) over {d} bars",
    "IMAX": "place of the highest high in the window of {d} bars (1 is the oldest) / {d}",
    "IMIN": "place of the lowest low in the window of {d} bars (1 is the oldest) / {d}",
    "IMXD": "IMAX{d} - IMIN{d}",
    "CORR": "correlation of close and log(volume + 1) over {d} bars; null where one is flat",
    "CORD": "correlation of close and log(volume + 1) as ratios to the bar before, over {d} bars",
    "CNTP": "share of {d} bars on which close rose",
    "CNTN": "share of {d} bars on which close fell",
    "CNTD": "CNTP{d} - CNTN{d}",
    "SUMP": "sum of rises of close / sum of its absolute changes, over {d} bars",
    "SUMN": "sum of falls of close / sum of its absolute changes, over {d} bars",
    "SUMD": "SUMP{d} - SUMN{d}",
    "VMA": "mean of volume over {d} bars / volume",
    "VSTD": "standard deviation of volume over {d} bars / volume",
    "WVMA": "standard deviation / mean of abs(return) * volume over {d} bars",
    "VSUMP": "sum of rises of volume / sum of its absolute changes, over {d} bars",
    "VSUMN": "sum of falls of volume / sum of its absolute changes, over {d} bars",
    "VSUMD": "VSUMP{d} - VSUMN{d}",
}
MEANINGS = BAR_FACTORS | {
    f"{name}{d}": meaning.format(d=d) for name, meaning in WINDOW_FACTORS.items() for d in WINDOWS
}
"""Name of each factor, in Qlib's order, and its formula."""


class Bars(NamedTuple):
    """Daily bars sorted by symbol and date, split-adjusted, as float32: the store's precision.

    Qlib computes from float32, and so do we: otherwise two prices that are equal there could differ
    here in their last digits, and rank and place in a window would too.
    """

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray  # shares
    vwap: np.ndarray  # NaN where there is none
    first: np.ndarray  # of each row: row number of the first bar of its symbol


class _Series(NamedTuple):
    """What windows are taken of: one float64 value per bar, NaN where there is none."""

    close: np.ndarray
    high: np.ndarray
    low: np.ndarray
    volume: np.ndarray
    log_volume: np.ndarray
    close_ratio: np.ndarray
    log_volume_ratio: np.ndarray
    weighted_return: np.ndarray  # abs(return) * volume
    close_change: np.ndarray
    volume_change: np.ndarray


def alpha158(bars: Bars, rows: np.ndarray) -> np.ndarray:
    """The factors of some rows, one line per factor in the order of `MEANINGS`, as float32.

    Args:
        bars: bars of whole symbols, or at least the `LONGEST` bars before each of `rows`.
        rows: row numbers, ascending.

    Returns:
        array (158, rows), NaN where Qlib has NaN, infinite where it divides by zero.
    """
    found = np.empty((len(MEANINGS), rows.size), np.float32)
    with np.errstate(all="ignore"):
        series = _series(bars)
        for start in range(0, rows.size, CHUNK):
            chunk = rows[start : start + CHUNK]
            factors = _bar_factors(bars, chunk) | _window_factors(series, bars.first, chunk)
            for line, name in zip(found, MEANINGS, strict=True):
                line[start : start + CHUNK] = factors[name]
    return found


def _series(bars: Bars) -> _Series:
    close, high, low, volume = (
        x.astype(np.float64) for x in (bars.close, bars.high, bars.low, bars.volume)
    )
    starts = bars.first == np.arange(bars.first.size)

    def before(x: np.ndarray) -> np.ndarray:
        return np.where(starts, NAN, np.roll(x, 1))

    close_ratio = close / before(close)
    return _Series(
        close=close,
        high=high,
        low=low,
        volume=volume,
        log_volume=np.log(volume + 1),
        close_ratio=close_ratio,
        log_volume_ratio=np.log(volume / before(volume) + 1),
        weighted_return=np.abs(close_ratio - 1) * volume,
        close_change=close - before(close),
        volume_change=volume - before(volume),
    )


def _bar_factors(bars: Bars, rows: np.ndarray) -> dict[str, np.ndarray]:
    opening, high, low, close, vwap = (
        x[rows].astype(np.float64) for x in (bars.open, bars.high, bars.low, bars.close, bars.vwap)
    )
    body, upper = close - opening, high - np.maximum(opening, close)
    lower, shift = np.minimum(opening, close) - low, 2 * close - high - low
    extent = high - low + GUARD
    return {
        "KMID": body / opening,
        "KLEN": (high - low) / opening,
        "KMID2": body / extent,
        "KUP": upper / opening,
        "KUP2": upper / extent,
        "KLOW": lower / opening,
        "KLOW2": lower / extent,
        "KSFT": shift / opening,
        "KSFT2": shift / extent,
        "OPEN0": opening / close,
        "HIGH0": high / close,
        "LOW0": low / close,
        "VWAP0": vwap / close,
    }


def _window_factors(series: _Series, first: np.ndarray, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Windows as matrices (lag, row): line k holds the values of k bars ago."""
    lags = np.arange(LONGEST)[:, None]
    history = rows - first[rows] + 1  # bars a symbol has, this one included
    inside = lags < history
    places = np.maximum(rows - lags, 0)

    def window(name: str) -> np.ndarray:
        return getattr(series, name)[places]

    sizes = [np.minimum(history, d) for d in WINDOWS]
    close, volume = window("close"), window("volume")
    trend = _trend(close, inside, sizes)
    level = _Sums.of(volume, inside)
    weighted = _Sums.of(window("weighted_return"), inside)
    factors = {
        "ROC": _before(series.close, rows, history),
        "MA": trend.mean,
        "STD": trend.std,
        "BETA": trend.slope,
        "RSQR": trend.r_squared,
        "RESI": trend.residual,
        "VMA": level.mean(),
        "VSTD": level.std(),
        "WVMA": [std / (mean + GUARD) for std, mean in _pairs(weighted.std(), weighted.mean())],
        "CORR": _correlation(close, window("log_volume"), inside),
        "CORD": _correlation(window("close_ratio"), window("log_volume_ratio"), inside),
    }
    factors |= _order(close, inside, sizes)
    factors |= _extremes(window("high"), window("low"), close[0], inside, sizes)
    factors |= _moves(window("close_change"), inside, "SUM")
    factors |= _moves(window("volume_change"), inside, "VSUM")
    factors |= _counts(window("close_change"), inside, sizes)
    for name in ("ROC", "MA", "STD", "BETA", "RESI", "MAX", "MIN", "QTLU", "QTLD"):
        factors[name] = [values / close[0] for values in factors[name]]
    for name in ("VMA", "VSTD"):
        factors[name] = [values / (volume[0] + GUARD) for values in factors[name]]
    return {
        f"{name}{d}": values
        for name, all_values in factors.items()
        for d, values in zip(WINDOWS, all_values, strict=True)
    }


def _pairs(left: Iterable, right: Iterable) -> Iterable[tuple]:
    return zip(left, right, strict=True)


def _before(close: np.ndarray, rows: np.ndarray, history: np.ndarray) -> list[np.ndarray]:
    """The close of d bars ago, NaN where the symbol has no such bar."""
    return [np.where(history > d, close[np.maximum(rows - d, 0)], NAN) for d in WINDOWS]


def _over(windows: np.ndarray, add: Callable = np.add) -> list[np.ndarray]:
    """Sums over each window length (or what another ufunc accumulates)."""
    parts = [add.reduce(windows[a:b], axis=0) for a, b in pairwise((0, *WINDOWS))]
    found = parts[:1]
    for part in parts[1:]:
        found.append(add(found[-1], part))
    return found


class _Sums(NamedTuple):
    """Sums over each window of deviations from a value near its own: no digits cancel."""

    origin: np.ndarray
    size: list[np.ndarray]
    first: list[np.ndarray]
    second: list[np.ndarray]

    @classmethod
    def of(cls, windows: np.ndarray, inside: np.ndarray) -> _Sums:
        """Of the finite values; pandas leaves NaN and infinities out of a window too."""
        used = inside & np.isfinite(windows)
        origin = np.where(used[0], windows[0], 0)
        deviation = np.where(used, windows - origin, 0)
        return cls(origin, _over(used.astype(float)), _over(deviation), _over(deviation**2))

    def mean(self) -> list[np.ndarray]:
        return [self.origin + s / n for n, s in _pairs(self.size, self.first)]

    def std(self) -> list[np.ndarray]:
        """The sample standard deviation (n - 1), NaN below two values."""
        squares = zip(self.size, self.first, self.second, strict=True)
        return [np.sqrt(np.maximum(ss - s * s / n, 0) / (n - 1)) for n, s, ss in squares]


class _Trend(NamedTuple):
    mean: list[np.ndarray]
    std: list[np.ndarray]
    slope: list[np.ndarray]
    r_squared: list[np.ndarray]
    residual: list[np.ndarray]


def _trend(close: np.ndarray, inside: np.ndarray, sizes: list[np.ndarray]) -> _Trend:
    """Mean and standard deviation of close; its least-squares line over time -lag."""
    sums = _Sums.of(close, inside)
    times = np.arange(LONGEST)[:, None]
    products = _over(np.where(inside, -times * (close - close[0]), 0))
    std = sums.std()
    slope, r_squared, residual = [], [], []
    for n, y, yy, xy, spread in zip(sizes, sums.first, sums.second, products, std, strict=True):
        x, xx = -n * (n - 1) / 2, (n - 1) * n * (2 * n - 1) / 6
        joint, own = n * xy - x * y, n * xx - x * x
        slope.append(joint / own)
        r_squared.append(np.where(spread <= FLAT, NAN, joint**2 / (own * (n * yy - y * y))))
        residual.append((slope[-1] * x - y) / n)
    return _Trend(sums.mean(), std, slope, r_squared, residual)


def _correlation(x: np.ndarray, y: np.ndarray, inside: np.ndarray) -> list[np.ndarray]:
    """Pearson's correlation, NaN where one side is flat."""
    both = inside & np.isfinite(x) & np.isfinite(y)
    left, right = _Sums.of(x, both), _Sums.of(y, both)
    products = _over(np.where(both, (x - left.origin) * (y - right.origin), 0))
    flat = [
        (a <= FLAT) | (b <= FLAT)
        for a, b in _pairs(_Sums.of(x, inside).std(), _Sums.of(y, inside).std())
    ]
    found = []
    for i, n in enumerate(left.size):
        joint = n * products[i] - left.first[i] * right.first[i]
        own = [n * side.second[i] - side.first[i] ** 2 for side in (left, right)]
        found.append(np.where(flat[i], NAN, joint / np.sqrt(own[0] * own[1])))
    return found


def _order(
    close: np.ndarray, inside: np.ndarray, sizes: list[np.ndarray]
) -> dict[str, list[np.ndarray]]:
    """Quantiles (linear) and the rank of the bar itself (mean of equals)."""
    below = _over((inside & (close < close[0])).astype(float))
    equal = _over((inside & (close == close[0])).astype(float))
    rank = [(b + (e + 1) / 2) / n for b, e, n in zip(below, equal, sizes, strict=True)]
    values = np.ascontiguousarray(np.where(inside, close, np.inf).T, np.float32)  # exact
    upper, lower = [], []
    for d, n in _pairs(WINDOWS, sizes):
        ordered = np.sort(values[:, :d], axis=1).astype(np.float64)
        for share, found in ((0.8, upper), (0.2, lower)):
            place = share * (n - 1)
            whole = place.astype(np.intp)
            pair = np.stack([whole, np.minimum(whole + 1, n - 1)], axis=1)
            low, high = np.take_along_axis(ordered, pair, axis=1).T
            found.append(low + (high - low) * (place - whole))
    return {"QTLU": upper, "QTLD": lower, "RANK": rank}


def _extremes(
    high: np.ndarray,
    low: np.ndarray,
    close: np.ndarray,
    inside: np.ndarray,
    sizes: list[np.ndarray],
) -> dict[str, list[np.ndarray]]:
    """Highest high and lowest low of each window, where they stand, and close between them."""
    top, since_top = _furthest(np.where(inside, high, -np.inf), inside)
    bottom, since_bottom = _furthest(np.where(inside, -low, -np.inf), inside)
    bottom = [-values for values in bottom]
    span = zip(top, bottom, strict=True)
    return {
        "MAX": top,
        "MIN": bottom,
        "RSV": [(close - lowest) / (highest - lowest + GUARD) for highest, lowest in span],
        "IMAX": [(n - k) / d for d, n, k in zip(WINDOWS, sizes, since_top, strict=True)],
        "IMIN": [(n - k) / d for d, n, k in zip(WINDOWS, sizes, since_bottom, strict=True)],
        "IMXD": [(b - t) / d for d, b, t in zip(WINDOWS, since_bottom, since_top, strict=True)],
    }


def _furthest(values: np.ndarray, inside: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The maximum over each window, and how many bars ago it was, the oldest of equal ones."""
    best, since = values[0].copy(), np.zeros(values.shape[1])
    bests, sinces = [], []
    for lag, line in enumerate(values):
        np.copyto(since, lag, where=(line >= best) & inside[lag])
        np.maximum(best, line, out=best)
        if lag + 1 in WINDOWS:
            bests.append(best.copy())
            sinces.append(since.copy())
    return bests, sinces


def _moves(change: np.ndarray, inside: np.ndarray, name: str) -> dict[str, list[np.ndarray]]:
    """Rises, falls and their difference, as shares of all movement; NaN without any change."""
    used = inside & np.isfinite(change)
    rises = _over(np.where(used, np.maximum(change, 0), 0))
    falls = _over(np.where(used, np.maximum(-change, 0), 0))
    known = _over(used, np.logical_or)
    all_moves = [
        np.where(some, rise + fall + GUARD, NAN)
        for rise, fall, some in zip(rises, falls, known, strict=True)
    ]
    return {
        f"{name}P": [rise / moves for rise, moves in _pairs(rises, all_moves)],
        f"{name}N": [fall / moves for fall, moves in _pairs(falls, all_moves)],
        f"{name}D": [
            (rise - fall) / moves for rise, fall, moves in zip(rises, falls, all_moves, strict=True)
        ],
    }


def _counts(
    change: np.ndarray, inside: np.ndarray, sizes: list[np.ndarray]
) -> dict[str, list[np.ndarray]]:
    """Shares of bars on which close rose and fell; a first bar did neither."""
    up, down = (
        [hits / n for hits, n in _pairs(_over((inside & moved).astype(float)), sizes)]
        for moved in (change > 0, change < 0)
    )
    return {"CNTP": up, "CNTN": down, "CNTD": [a - b for a, b in _pairs(up, down)]}

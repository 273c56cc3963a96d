"""Distribution of a game's margin given its closing lines: Skellam, overdispersed, reweighted.

With `s` the spread (points by which home is favoured) and `t` the total, the lines say that home is
expected to score (t + s) / 2 points and the visitors (t - s) / 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.stats import chi2, nbinom, poisson, skellam

from scripts.errors import DataError

MARGINS = np.arange(-80, 81)  # every margin that is thought of, in points
POINTS = np.arange(0, 121)  # points of one side that are thought of
KEYS = (3, 6, 7, 10)
PRIOR = 20.0  # games of doubt about each weight
ROUNDS = 200
EXACT = 1e-6  # largest log step of the last round


class KeyNumbers(NamedTuple):
    """Observed and expected wins of home by exactly a key number, and a test of all at once."""

    table: pl.DataFrame  # key, observed, expected, ratio, contribution
    chi_squared: float  # sum of (observed - expected)^2 / expected over the keys
    p: float  # of it, against chi squared with a degree of freedom a key


class Dispersion(NamedTuple):
    """How wide margins and points are about the lines, as multiples of a Poisson variance."""

    margin: float
    points: float


def rates(spread: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expected points of home and visitors, from the closing lines in points.

    Raises:
        DataError: a line is missing, or says that a side scores nothing.
    """
    spread, total = (np.asarray(line, dtype=np.float64) for line in (spread, total))
    home, away = (total + spread) / 2, (total - spread) / 2
    if wrong := np.flatnonzero(~((home > 0) & (away > 0))).tolist():
        place = wrong[0]
        raise DataError(
            f"spread {spread[place]:g} with total {total[place]:g} (row {place}); "
            "expected lines by which both sides score"
        )
    return home, away


def skellam_margins(spread: np.ndarray, total: np.ndarray) -> np.ndarray:
    """P(margin = k) for k in MARGINS if both sides' points are Poisson; games x margins.

    Home less away is then Skellam distributed (Skellam 1946), with mean s and variance t.
    """
    home, away = rates(spread, total)
    return _normed(skellam.pmf(MARGINS, home[:, None], away[:, None]))


def points_pmf(mean: np.ndarray, dispersion: float) -> np.ndarray:
    """P(points = j) for j in POINTS, of the given means and variance dispersion * mean.

    Negative binomial with size mean / (dispersion - 1); Poisson where dispersion is 1.

    Args:
        mean: n means > 0.
        dispersion: 1 or more.

    Returns:
        n x len(POINTS), rows summing to 1.
    """
    if not dispersion >= 1:
        raise DataError(f"dispersion {dispersion:g}; expected 1 (Poisson) or more")
    mean = np.asarray(mean, dtype=np.float64)[:, None]
    if dispersion == 1:
        return _normed(poisson.pmf(POINTS, mean))
    return _normed(nbinom.pmf(POINTS, mean / (dispersion - 1), 1 / dispersion))


def difference(home: np.ndarray, away: np.ndarray) -> np.ndarray:
    """P(margin = k) for k in MARGINS of independent points: the cross-correlation, row by row.

    Args:
        home, away: n x len(POINTS), of `points_pmf`.
    """
    size = 2 * len(POINTS)
    spectrum = np.fft.rfft(home, size) * np.conj(np.fft.rfft(away, size))
    return _normed(np.clip(np.fft.irfft(spectrum, size)[:, MARGINS % size], 0.0, None))


def wide_margins(spread: np.ndarray, total: np.ndarray, dispersion: float) -> np.ndarray:
    """P(margin = k) for k in MARGINS if both sides' points are negative binomial."""
    return difference(*(points_pmf(mean, dispersion) for mean in rates(spread, total)))


def dispersion(games: pl.DataFrame) -> Dispersion:
    """Variance of the margin about the spread, by that of a Skellam; and of points about theirs.

    Margins: sum (margin - s)^2 / sum t. Points: sum (points - mean)^2 / sum mean, both sides. Of
    independent sides both would be the same number. Neither is below 1.

    Args:
        games: home_score, away_score, spread_line, total_line.
    """
    spread, total = (games[name].to_numpy() for name in ("spread_line", "total_line"))
    home, away = (games[name].to_numpy() for name in ("home_score", "away_score"))
    means = rates(spread, total)
    margins = ((home - away - spread) ** 2).sum() / total.sum()
    points = ((home - means[0]) ** 2).sum() + ((away - means[1]) ** 2).sum()
    return Dispersion(float(max(margins, 1.0)), float(max(points / total.sum(), 1.0)))


def reweighting(margin: np.ndarray, pmf: np.ndarray, prior: float = PRIOR) -> np.ndarray:
    """Weight of each |margin|, such that reweighted expectations meet what was observed.

    P'(k) is proportional to w(|k|) P(k) in each game. Weights of greatest likelihood equate the
    expected with the observed number of every |k| (iterative scaling, Darroch and Ratcliff 1972).
    A prior of some games' worth of what was expected holds rare margins near 1.

    Args:
        margin: of the games of training, whole points within MARGINS.
        pmf: games x margins, of the same games.
        prior: games added to observed and expected of each |k|; 0: none.

    Returns:
        a weight for 0, 1, ... MARGINS[-1], finite and > 0.
    """
    place = _places(margin)
    size = np.abs(MARGINS)
    observed = np.bincount(size[place], minlength=size.max() + 1) + prior
    weight = np.ones(size.max() + 1)
    for _ in range(ROUNDS):
        expected = np.bincount(size, reweighted(pmf, weight).sum(axis=0)) + prior
        step = np.log(np.maximum(observed, EXACT)) - np.log(np.maximum(expected, EXACT))
        weight *= np.exp(step)
        if np.abs(step).max() < EXACT:
            break
    return weight


def reweighted(pmf: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The distributions with each |margin| weighted, rows summing to 1; games x margins."""
    return _normed(pmf * weight[np.abs(MARGINS)])


def key_numbers(margin: np.ndarray, pmf: np.ndarray, keys: Sequence[int] = KEYS) -> KeyNumbers:
    """Wins of home by exactly 3, 6, 7, 10 points, against what the distributions expect.

    The statistic has no cell for all other margins. Games differ, so that each count varies less
    than a Poisson one, and the p-value is on the safe side.

    Args:
        margin: whole points, home less visitors.
        pmf: games x margins, of the same games.
        keys: margins that are counted.
    """
    place = _places(margin)
    columns = [int(np.searchsorted(MARGINS, key)) for key in keys]
    observed = np.array([(place == column).sum() for column in columns])
    expected = pmf[:, columns].sum(axis=0)
    if not (expected > 0).all():
        raise DataError(f"expected counts {expected.tolist()}; a key number has no probability")
    terms = (observed - expected) ** 2 / expected
    table = pl.DataFrame(
        {
            "key": list(keys),
            "observed": observed,
            "expected": expected,
            "ratio": observed / expected,
            "contribution": terms,
        }
    )
    return KeyNumbers(table, float(terms.sum()), float(chi2.sf(terms.sum(), len(keys))))


def log_scores(margin: np.ndarray, pmf: np.ndarray) -> np.ndarray:
    """-log P of the margin that came, in nats, a value a game; lower is better."""
    place = _places(margin)
    chance = pmf[np.arange(len(place)), place]
    if not (chance > 0).all():
        raise DataError(f"margin {MARGINS[place[chance <= 0][0]]} came and has no probability")
    return -np.log(chance)


def above(pmf: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P(margin > line) and P(margin = line) of each game."""
    line = np.asarray(line, dtype=np.float64)[:, None]
    return (pmf * (line < MARGINS)).sum(axis=1), (pmf * (line == MARGINS)).sum(axis=1)


def _places(margin: np.ndarray) -> np.ndarray:
    """Column of each margin in MARGINS."""
    margin = np.asarray(margin, dtype=np.float64)
    wrong = margin[~((margin == np.floor(margin)) & (np.abs(margin) <= MARGINS[-1]))]
    if not margin.size or wrong.size:
        got = f"margin {wrong[0]:g}" if wrong.size else "no margins"
        raise DataError(f"{got}; expected whole points, at most {MARGINS[-1]}")
    return margin.astype(np.int64) - MARGINS[0]


def _normed(pmf: np.ndarray) -> np.ndarray:
    return pmf / pmf.sum(axis=1, keepdims=True)

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
PRIORS = (
    1.0,
    2.0,
    5.0,
    10.0,
    20.0,
    50.0,
    100.0,
)  # games of doubt about each weight, to choose from
ROUNDS = 20_000
EXACT = 1e-6  # largest log step of the last round


class KeyNumbers(NamedTuple):
    """Observed and expected wins of home by exactly a key number, and a test of all at once."""

    table: pl.DataFrame  # key, observed, expected, ratio, contribution
    chi_squared: float  # sum of (observed - expected)^2 / expected over the keys
    p: float  # of it, divided by 1 + learned, against chi squared with a degree of freedom a key


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


def scaling(observed: np.ndarray, pmf: np.ndarray, kind: np.ndarray, prior: float) -> np.ndarray:
    """Weights of kinds of outcomes, such that reweighted expectations meet what was observed.

    P'(j) is proportional to w(kind j) P(j) in each row. Weights of greatest likelihood equate the
    expected with the observed number of every kind (iterative scaling, Darroch and Ratcliff 1972).
    Here they are the mode under a Gamma prior of each weight with shape prior + 1 and rate prior,
    whose own mode is 1: the derivative by log w is zero where observed + prior is
    expected + prior * w. So a kind that never came keeps 1 - expected / prior.

    Args:
        observed: times that each kind came.
        pmf: rows x outcomes, of the same observations.
        kind: of each outcome, from 0; all kinds come up.
        prior: observations of doubt about each weight; 0: none.

    Returns:
        a weight for each kind, finite and > 0.

    Raises:
        DataError: weights that have not settled after ROUNDS steps.
    """
    rows, times = np.unique(pmf, axis=0, return_counts=True)  # many games have the same lines
    weight = np.ones(len(observed))
    for _ in range(ROUNDS):
        made = _normed(rows * weight[kind])
        expected = np.bincount(kind, (made * times[:, None]).sum(axis=0)) + prior * weight
        step = np.log(np.maximum(observed + prior, EXACT)) - np.log(np.maximum(expected, EXACT))
        weight *= np.exp(step)
        if np.abs(step).max() < EXACT:
            return weight
    raise DataError(
        f"weights still move by {np.abs(step).max():.1e} after {ROUNDS} rounds with prior "
        f"{prior:g}; a larger prior settles sooner"
    )


def chosen_prior(came: np.ndarray, pmf: np.ndarray, kind: np.ndarray, season: np.ndarray) -> float:
    """Of PRIORS, the one whose weights of the seasons before give the last one the best log score.

    With one season there is nothing to hold out: the largest, which changes least.

    Args:
        came: column of `pmf` that came in each row.
        pmf, kind: as in `scaling`.
        season: of each row.
    """
    held = season == season.max()
    if held.all():
        return PRIORS[-1]
    observed = np.bincount(kind[came[~held]], minlength=kind.max() + 1)
    chance = pmf[held]
    scores = []
    for prior in PRIORS:
        weight = scaling(observed, pmf[~held], kind, prior)
        made = _normed(chance * weight[kind])[np.arange(held.sum()), came[held]]
        scores.append(-np.log(made).mean())
    return PRIORS[int(np.argmin(scores))]


def margin_prior(margin: np.ndarray, pmf: np.ndarray, season: np.ndarray) -> float:
    """`chosen_prior` of weights of |margin|, for `reweighting`.

    Args:
        margin, pmf: as in `reweighting`.
        season: of the same games.
    """
    return chosen_prior(_places(margin), pmf, np.abs(MARGINS), season)


def reweighting(margin: np.ndarray, pmf: np.ndarray, prior: float) -> np.ndarray:
    """Weight of each |margin|, by `scaling`: P'(k) is proportional to w(|k|) P(k) in each game.

    Args:
        margin: of the games of training, whole points within MARGINS.
        pmf: games x margins, of the same games.
        prior: games of doubt about each weight; 0: none.

    Returns:
        a weight for 0, 1, ... MARGINS[-1], finite and > 0.
    """
    size = np.abs(MARGINS)
    observed = np.bincount(size[_places(margin)], minlength=size.max() + 1)
    return scaling(observed, pmf, size, prior)


def reweighted(pmf: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The distributions with each |margin| weighted, rows summing to 1; games x margins."""
    return _normed(pmf * weight[np.abs(MARGINS)])


def key_numbers(
    margin: np.ndarray, pmf: np.ndarray, keys: Sequence[int] = KEYS, learned: float = 0.0
) -> KeyNumbers:
    """Wins of home by exactly 3, 6, 7, 10 points, against what the distributions expect.

    The statistic has no cell for all other margins. Games differ, so that each count varies less
    than a Poisson one, and the p-value is on the safe side: where nothing was fitted to counts.
    Expected numbers that rest on counts of m other games err themselves, and with n games counted
    here the variance of observed less expected is about 1 + n / m times as large.

    Args:
        margin: whole points, home less visitors.
        pmf: games x margins, of the same games.
        keys: margins that are counted.
        learned: n / m; 0 of distributions whose counts were not fitted.
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
    found = float(terms.sum())
    return KeyNumbers(table, found, float(chi2.sf(found / (1 + learned), len(keys))))


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

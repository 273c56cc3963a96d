"""How much to stake: Kelly's fraction, and what is made of it where probabilities are estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtri

from scripts.errors import DataError

CLIP = 1e-6  # of probabilities before their logit
SPREAD_PRICE = 1 + 100 / 110  # decimal odds of -110


def decimal_odds(american: ArrayLike) -> np.ndarray:
    """Decimal odds (payout for 1 staked, the stake included) of American ones.

    Raises:
        DataError: odds between -100 and 100.
    """
    odds = np.asarray(american, np.float64)
    if (wrong := odds[np.abs(odds) < 100]).size:
        raise DataError(f"American odds {wrong[0]:g}; expected at most -100, or at least 100")
    return 1 + np.where(odds > 0, odds / 100, 100 / np.maximum(np.abs(odds), 100))


def fair_probability(home: ArrayLike, away: ArrayLike) -> np.ndarray:
    """Probability of the home side by both decimal odds, the margin taken out in proportion."""
    home, away = np.asarray(home, np.float64), np.asarray(away, np.float64)
    return (1 / home) / (1 / home + 1 / away)


def expected_profit(probability: ArrayLike, odds: ArrayLike) -> np.ndarray:
    """Of 1 staked at decimal odds."""
    return np.asarray(probability, np.float64) * np.asarray(odds, np.float64) - 1


def kelly(probability: ArrayLike, odds: ArrayLike) -> np.ndarray:
    """Share of the bankroll with the greatest expected logarithm (Kelly 1956), never negative.

    Args:
        probability: of winning, in [0, 1].
        odds: decimal, above 1.

    Raises:
        DataError: a probability outside [0, 1], odds of 1 or less.
    """
    p, d = np.asarray(probability, np.float64), np.asarray(odds, np.float64)
    if (wrong := p[~((p >= 0) & (p <= 1))]).size:
        raise DataError(f"probability {wrong[0]:g}; expected one in [0, 1]")
    if (wrong := d[~(d > 1)]).size:
        raise DataError(f"decimal odds {wrong[0]:g}; expected more than 1")
    return np.maximum((p * d - 1) / (d - 1), 0)


def fractional_kelly(
    probability: ArrayLike, odds: ArrayLike, *, fraction: float, cap: float
) -> np.ndarray:
    """A fraction of Kelly's stake, at most `cap` of the bankroll on one bet."""
    return np.minimum(fraction * kelly(probability, odds), cap)


@dataclass(frozen=True)
class Recalibration:
    """logit(Pr) = b0 + b1 logit(model) + b2 logit(market), fitted; covariance of b, 3 x 3."""

    coefficients: np.ndarray
    covariance: np.ndarray

    def probability(self, model: ArrayLike, market: ArrayLike, *, level: float = 0.5) -> np.ndarray:
        """Lower confidence bound of the probability, one-sided; at level .5 the estimate itself."""
        x = _design(model, market)
        error = np.sqrt(np.einsum("ij,jk,ik->i", x, self.covariance, x))
        return expit(x @ self.coefficients - ndtri(level) * error)


def recalibrate(model: ArrayLike, market: ArrayLike, outcome: ArrayLike) -> Recalibration:
    """Logistic regression of outcomes on earlier out-of-sample predictions AND on the prices.

    A model may be calibrated and still be wrong wherever it disagrees with the price. What counts
    for a bet is what it adds, b1 (recalibration: Cox 1958). Newton's method; a ridge of about one
    game towards the market, (0, 0, 1), so that it always ends.

    Raises:
        DataError: fewer than 20 games, or series of different lengths.
    """
    x, y = _design(model, market), np.asarray(outcome, np.float64)
    if len(y) < 20 or len(x) != len(y):
        raise DataError(
            f"recalibration: {len(x)} forecasts, {len(y)} outcomes; expected 20 or more"
        )
    prior, ridge = np.array([0.0, 0.0, 1.0]), 0.25 * np.eye(3)
    beta = prior
    for _ in range(50):
        mean = expit(x @ beta)
        information = (x * (mean * (1 - mean))[:, None]).T @ x + ridge
        step = np.linalg.solve(information, x.T @ (y - mean) - ridge @ (beta - prior))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    return Recalibration(beta, np.linalg.inv(information))


def _design(model: ArrayLike, market: ArrayLike) -> np.ndarray:
    """Rows (1, logit model, logit market)."""
    both = np.column_stack([np.asarray(model, np.float64), np.asarray(market, np.float64)])
    return np.column_stack([np.ones(len(both)), logit(np.clip(both, CLIP, 1 - CLIP))])


def within_budget(stake: np.ndarray, slate: np.ndarray, *, budget: float) -> np.ndarray:
    """Stakes of bets that run at once, scaled down together where they exceed the budget.

    Args:
        stake: share of the bankroll of each bet.
        slate: number from 0 of the group each bet is in; its bets settle together.
        budget: largest sum of a slate's stakes, share of the bankroll.
    """
    total = np.bincount(slate, stake)
    scale = budget / np.maximum(total, budget)
    return stake * scale[slate]


def bets_needed(edge: float, *, spread: float, confidence: float, power: float) -> float:
    """Bets until a true edge is told from none: ((z_confidence + z_power) spread / edge)^2.

    Args:
        edge: expected profit of 1 staked.
        spread: standard deviation of the profit of 1 staked.
        confidence: one-sided, of the test.
        power: chance that it finds the edge.

    Raises:
        DataError: an edge that is not positive.
    """
    if not edge > 0:
        raise DataError(f"edge {edge:g}; expected a positive one")
    return float(((ndtri(confidence) + ndtri(power)) * spread / edge) ** 2)

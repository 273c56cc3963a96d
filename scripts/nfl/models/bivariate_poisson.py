"""Bivariate Poisson distribution and regression (Karlis and Ntzoufras 2003).

X = A + C and Y = B + C with independent Poisson A, B, C of means a, b, c. X - Y is Skellam(a, b)
whatever c is, and X + Y = (A + B) + 2C.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln
from scipy.stats import poisson, skellam

REST = 1e-15  # probability of C that may be left out


class Fitted(NamedTuple):
    """Regression of log a and log b, and the common mean c."""

    home: np.ndarray  # intercept, then one coefficient an input
    away: np.ndarray
    common: float


def log_pmf(
    x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray, c: float
) -> tuple[np.ndarray, np.ndarray]:
    """log P(X = x, Y = y), and E[C | x, y] / c, which has a limit at c = 0.

    Args:
        x, y: counts.
        a, b: means > 0 of what is their own.
        c: mean >= 0 of what is common.
    """
    ratio = c / (a * b)
    term, total, common = np.ones_like(a), np.ones_like(a), np.zeros_like(a)
    for k in range(int(np.minimum(x, y).max(initial=0))):
        ways = term * (x - k) * (y - k)
        common += ways
        term = ways * ratio / (k + 1)
        total += term
    own = x * np.log(a) + y * np.log(b) - gammaln(x + 1) - gammaln(y + 1)
    return own - a - b - c + np.log(total), common / total / (a * b)


def fit(
    inputs: np.ndarray, x: np.ndarray, y: np.ndarray, *, penalty: float, common: bool = True
) -> Fitted:
    """Maximum penalised likelihood: less penalty / 2 times the sum of squared coefficients.

    Args:
        inputs: n x p, standardised.
        x, y: n counts.
        penalty: >= 0; intercepts are free of it.
        common: False: c = 0, which makes it two Poisson regressions.
    """
    n = len(x)
    design = np.column_stack([np.ones(n), inputs])
    width = design.shape[1]
    penalised = np.r_[0.0, np.full(width - 1, penalty / n)]
    penalised = np.r_[penalised, penalised]

    def loss(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        beta, c = numbers[:-1], numbers[-1]
        a, b = np.exp(design @ beta[:width]), np.exp(design @ beta[width:])
        logs, shared = log_pmf(x, y, a, b, c)
        slope = np.r_[(x - c * shared - a) @ design, (y - c * shared - b) @ design] / n
        value = -logs.mean() + 0.5 * (penalised * beta) @ beta
        return value, np.r_[penalised * beta - slope, 1 - shared.mean()]

    start = np.zeros(2 * width + 1)
    start[0], start[width] = np.log(x.mean()), np.log(y.mean())
    greatest = 0.9 * min(x.mean(), y.mean()) if common else 0.0
    start[-1] = np.clip(np.cov(x, y)[0, 1], 0.0, greatest / 2)
    start[[0, width]] = np.log([x.mean() - start[-1], y.mean() - start[-1]])
    found = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None)] * (2 * width) + [(0.0, greatest)],
        options={"ftol": 1e-14, "gtol": 1e-7, "maxiter": 2000, "maxcor": 30},
    )
    return Fitted(found.x[:width], found.x[width:-1], float(found.x[-1]))


def above(line: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P(X - Y > line) and P(X - Y = line); NaN where the line is."""
    return skellam.sf(np.floor(line), a, b), skellam.pmf(line, a, b)


def total_above(
    line: np.ndarray, a: np.ndarray, b: np.ndarray, c: float
) -> tuple[np.ndarray, np.ndarray]:
    """P(X + Y > line) and P(X + Y = line); NaN where the line is."""
    over, equal = np.zeros(len(a)), np.zeros(len(a))
    for k in range(int(poisson.isf(REST, c)) + 1 if c > 0 else 1):
        weight, rest = poisson.pmf(k, c), line - 2 * k
        over += weight * poisson.sf(np.floor(rest), a + b)
        equal += weight * np.where(rest == np.floor(rest), poisson.pmf(rest, a + b), 0.0)
    unknown = np.isnan(line)
    return np.where(unknown, np.nan, over), np.where(unknown, np.nan, equal)

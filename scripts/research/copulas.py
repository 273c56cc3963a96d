"""Copulas of two scores: fits by pseudo-likelihood, and a test of the fit that knows of ties.

Scores are whole numbers, so ranks tie. The pseudo-likelihood takes mid-ranks (Genest, Ghoudi and
Rivest 1995); the test compares distribution functions at the observed points, where a copula says
H(x, y) = C(F(x), G(y)) even with atoms; and the bootstrap draws from the fitted copula with the
observed margins, so that its samples tie as the data do (Kojadinovic 2017). As the margins have
few distinct values, all work is done on the cells of their table, not on the games.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, ndtr, ndtri, stdtr, stdtrit
from scipy.stats import kendalltau, rankdata

from scripts.errors import DataError

FAMILIES = ("independence", "gaussian", "t")
# Degrees of freedom a t copula may have; the last are its limit, the Gaussian.
DEGREES = np.array([2.0, 3, 4, 6, 8, 10, 15, 20, 30, 50, np.inf])
BOUND = 0.995  # of the correlation's absolute value
SMALLEST = 30  # pairs
_RULE = np.polynomial.legendre.leggauss(48)
_SMOOTH_RULE = np.polynomial.legendre.leggauss(16)  # of Gaussian copulas


@dataclass(frozen=True)
class Fitted:
    """A copula; degrees: of freedom, infinite but for t. `log_likelihood` is 0 at independence.

    A t copula with infinite degrees is the Gaussian one.
    """

    family: str
    rho: float
    degrees: float
    log_likelihood: float


@dataclass(frozen=True)
class Goodness:
    """A fit, its Cramer-von Mises statistic, those of the bootstrap, and the p-value."""

    fitted: Fitted
    statistic: float
    replicates: np.ndarray
    p: float


@dataclass(frozen=True)
class Cells:
    """Distinct pairs: how often, mid- and upper ranks by n + 1, share of pairs at or below."""

    count: np.ndarray
    mid: tuple[np.ndarray, np.ndarray]
    upper: tuple[np.ndarray, np.ndarray]
    below: np.ndarray


def pairs(x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64, checked.

    Raises:
        DataError: unequal lengths, fewer than SMALLEST pairs, a value that is not finite, or a
            margin that is constant.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise DataError(
            f"copula: shapes {x.shape} and {y.shape}; expected two series of one length"
        )
    if len(x) < SMALLEST:
        raise DataError(f"copula: {len(x)} pairs; expected at least {SMALLEST}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise DataError("copula: a value that is not finite; leave pairs without both scores out")
    if x.min() == x.max() or y.min() == y.max():
        raise DataError("copula: a margin has one value only; expected at least two")
    return x, y


def cells(x: np.ndarray, y: np.ndarray) -> Cells:
    """The table of distinct pairs; time and memory go with the product of the margins' sizes."""
    return _cells(*_codes(x, y))


def _codes(*margins: np.ndarray) -> list[np.ndarray]:
    """Each margin as numbers from 0 in the order of its values."""
    return [np.unique(margin, return_inverse=True)[1] for margin in margins]


def _cells(x: np.ndarray, y: np.ndarray) -> Cells:
    """`cells` of codes, of which some may not occur; no sorting, as the bootstrap needs many."""
    n, axes, places = len(x), [], []
    for codes in (x, y):
        count = np.bincount(codes)
        seen = count > 0
        places.append((np.cumsum(seen) - 1)[codes])
        count = count[seen]
        top = np.cumsum(count)
        axes.append(((top - (count - 1) / 2) / (n + 1), top / (n + 1)))
    shape = tuple(len(axis[0]) for axis in axes)
    table = np.bincount(places[0] * shape[1] + places[1], minlength=shape[0] * shape[1])
    table = table.reshape(shape)
    row, column = np.nonzero(table)
    below = table.cumsum(axis=0).cumsum(axis=1)[row, column] / n
    mid, upper = ((axes[0][k][row], axes[1][k][column]) for k in (0, 1))
    return Cells(table[row, column], mid, upper, below)


def fit(family: str, x: ArrayLike, y: ArrayLike) -> Fitted:
    """The copula of greatest pseudo-likelihood; degrees of freedom are one of DEGREES.

    Args:
        family: of FAMILIES.
        x, y: the pairs.

    Raises:
        DataError: see `pairs`; another family.
    """
    return _fit(family, cells(*pairs(x, y)))


def _fit(family: str, table: Cells) -> Fitted:
    if family == "independence":
        return Fitted(family, 0.0, np.inf, 0.0)
    if family == "gaussian":
        return _fit_gaussian(table)
    if family == "t":
        return _fit_t(table)
    raise DataError(f"copula {family!r}; expected one of {', '.join(FAMILIES)}")


def _fit_gaussian(table: Cells) -> Fitted:
    """The score's zeros are those of a cubic in the correlation."""
    a, b = map(ndtri, table.mid)
    n, cross = table.count.sum(), float(table.count @ (a * b))
    squares = float(table.count @ (a * a + b * b))
    roots = np.roots([-n, cross, n - squares, cross])
    found = roots.real[(abs(roots.imag) < 1e-9) & (abs(roots.real) < BOUND)]
    rho = np.append(found, [-BOUND, BOUND])
    left = 1 - rho**2
    likelihood = -n / 2 * np.log(left) - (rho**2 * squares - 2 * rho * cross) / (2 * left)
    best = int(likelihood.argmax())
    return Fitted("gaussian", float(rho[best]), np.inf, float(likelihood[best]))


def _fit_t(table: Cells) -> Fitted:
    """Fisher scoring in rho for all DEGREES at once (information: Lange, Little, Taylor 1989).

    After a step the three of greatest likelihood go on. The likelihood of infinite degrees is
    the Gaussian one; they win a tie.
    """
    limit = _fit_gaussian(table)
    nu, a, b = DEGREES[:-1, None], *(_quantiles(margin) for margin in table.mid)
    rho = np.full(nu.shape, np.clip(limit.rho, -0.95, 0.95))
    for place in range(30):
        step = _fisher_step(rho, nu, a, b, table.count)
        rho = np.clip(rho + step, -BOUND, BOUND)
        if place == 0:
            best = np.argsort(_t_density(a, b, rho, nu) @ table.count)[-3:]
            nu, a, b, rho = nu[best], a[best], b[best], rho[best]
        elif np.abs(step).max() < 1e-6:
            break
    likelihood = _t_density(a, b, rho, nu) @ table.count
    best = int(likelihood.argmax())
    if likelihood[best] <= limit.log_likelihood:
        return Fitted("t", limit.rho, np.inf, limit.log_likelihood)
    return Fitted("t", float(rho[best, 0]), float(nu[best, 0]), float(likelihood[best]))


def _fisher_step(
    rho: np.ndarray, nu: np.ndarray, a: np.ndarray, b: np.ndarray, count: np.ndarray
) -> np.ndarray:
    """Score of rho by its information, degrees x 1."""
    n, product, squares = count.sum(), a * b, a * a + b * b
    left = 1 - rho**2
    form = squares - 2 * rho * product
    slope = (2 * rho * form - 2 * product * left) / left**2
    score = n * rho / left - ((nu + 2) / 2 * slope / (nu + form / left)) @ count[:, None]
    information = n * ((nu + 2) * (1 + rho**2) - 2 * rho**2) / ((nu + 4) * left**2)
    return score / information


def _quantiles(margin: np.ndarray) -> np.ndarray:
    """Student quantiles, finite DEGREES x cells; each distinct value once."""
    values, place = np.unique(margin, return_inverse=True)
    return stdtrit(DEGREES[:-1, None], values)[:, place]


def _t_density(a: np.ndarray, b: np.ndarray, rho: np.ndarray, nu: np.ndarray) -> np.ndarray:
    """Log density of the t copula at Student quantiles a, b (Demarta and McNeil 2005)."""
    left = 1 - rho**2
    joint = (nu + 2) / 2 * np.log1p((a * a + b * b - 2 * rho * a * b) / (nu * left))
    margins = (nu + 1) / 2 * (np.log1p(a * a / nu) + np.log1p(b * b / nu))
    at_zero = gammaln((nu + 1) / 2) - gammaln(nu / 2) - np.log(nu * np.pi) / 2
    return -np.log(2 * np.pi) - 2 * at_zero - np.log(left) / 2 - joint + margins


def distribution(fitted: Fitted, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """C(u, v) of u, v inside (0, 1); absolute error below 1e-4.

    The derivative by rho is elementary (Plackett; Genz 2004), and is integrated over arcsin(rho):
    of the Gaussian from independence on, of t from countermonotonicity on.
    """
    if fitted.family == "independence":
        return u * v
    end, nu, smooth = float(np.arcsin(fitted.rho)), fitted.degrees, np.isinf(fitted.degrees)
    nodes, weights = _SMOOTH_RULE if smooth else _RULE
    start = 0.0 if smooth else -np.pi / 2
    angle = start + (end - start) * (nodes[:, None] + 1) / 2
    weight = weights * (end - start) / (4 * np.pi)
    sine, left = np.sin(angle), np.cos(angle) ** 2
    if smooth:
        a, b = ndtri(u), ndtri(v)
        return u * v + weight @ np.exp(-(a * a + b * b - 2 * sine * a * b) / (2 * left))
    a, b = stdtrit(nu, u), stdtrit(nu, v)
    form = (a * a + b * b - 2 * sine * a * b) / left
    return np.maximum(u + v - 1, 0) + weight @ np.exp(-nu / 2 * np.log1p(form / nu))


def sample(fitted: Fitted, n: int, rng: np.random.Generator) -> np.ndarray:
    """n draws from a copula, n x 2 in (0, 1)."""
    normal = rng.standard_normal((n, 2))
    normal[:, 1] = fitted.rho * normal[:, 0] + np.sqrt(1 - fitted.rho**2) * normal[:, 1]
    if np.isinf(fitted.degrees):
        return ndtr(normal)
    shrink = np.sqrt(rng.chisquare(fitted.degrees, (n, 1)) / fitted.degrees)
    return stdtr(fitted.degrees, normal / shrink)


def with_margins(draws: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draws of a copula as pairs with the empirical distributions of x and y."""
    n = len(x)
    place = np.minimum((draws * n).astype(np.int64), n - 1)
    return np.sort(x)[place[:, 0]], np.sort(y)[place[:, 1]]


def cramer_von_mises(fitted: Fitted, table: Cells) -> float:
    """Sum over the pairs of (empirical joint distribution - C(F, G))^2 (Genest et al. 2009)."""
    gap = table.below - distribution(fitted, *table.upper)
    return float(table.count @ gap**2)


def largest_gap(fitted: Fitted, x: ArrayLike, y: ArrayLike) -> float:
    """Greatest distance of the empirical joint distribution from C(F, G): a probability."""
    table = cells(*pairs(x, y))
    return float(np.abs(table.below - distribution(fitted, *table.upper)).max())


def goodness_of_fit(family: str, x: ArrayLike, y: ArrayLike, *, draws: int, seed: int) -> Goodness:
    """Test that the pairs' copula is of a family, by parametric bootstrap of the FITTED copula.

    Each sample comes from the copula that was fitted, with the observed margins, and is fitted
    again: the p-value then knows that the parameter was estimated, and that scores tie.

    Args:
        family: of FAMILIES; of independence nothing is fitted.
        x, y: the pairs.
        draws: bootstrap samples.
        seed: of the samples.

    Returns:
        p = (1 + samples with a statistic at least as great) / (1 + draws).
    """
    x, y = _codes(*pairs(x, y))
    table = _cells(x, y)
    fitted = _fit(family, table)
    statistic = cramer_von_mises(fitted, table)
    rng = np.random.default_rng(seed)
    replicates = np.empty(draws)
    for draw in range(draws):
        again = _cells(*with_margins(sample(fitted, len(x), rng), x, y))
        replicates[draw] = cramer_von_mises(_fit(family, again), again)
    p = (1 + int((replicates >= statistic).sum())) / (1 + draws)
    return Goodness(fitted, statistic, replicates, p)


def kendall(x: ArrayLike, y: ArrayLike) -> float:
    """Kendall's tau-b: ties of either margin are taken out of the denominator."""
    return float(kendalltau(*pairs(x, y)).statistic)


def tail_dependence(fitted: Fitted) -> float:
    """Limit of Pr(V > q | U > q) as q -> 1: 0 but for t (Demarta and McNeil 2005)."""
    if np.isinf(fitted.degrees):
        return 0.0
    nu, rho = fitted.degrees, fitted.rho
    return float(2 * stdtr(nu + 1, -np.sqrt((nu + 1) * (1 - rho) / (1 + rho))))


def tail_lifts(x: ArrayLike, y: ArrayLike, q: float) -> tuple[float, float]:
    """How often both are in their lower (upper) share q, relative to independence: 1.

    Mid-ranks decide who is in the tail; with ties it holds a little more or less than q, which the
    observed sizes of both tails take out.

    Raises:
        DataError: a tail that no value is in.
    """
    u, v = (rankdata(values) / (len(values) + 1) for values in pairs(x, y))
    lifts = []
    for first, second in ((u <= q, v <= q), (u >= 1 - q, v >= 1 - q)):
        expected = first.mean() * second.mean()
        if not expected:
            raise DataError(f"tail of {q:g}: no value is in it, so many tie; take a larger tail")
        lifts.append(float((first & second).mean() / expected))
    return lifts[0], lifts[1]


def fitted_tail_lift(fitted: Fitted, q: float) -> float:
    """C(q, q) / q^2, of either tail: the copulas here are radially symmetric."""
    edge = np.array([q])
    return float(distribution(fitted, edge, edge)[0] / q**2)


def cell_residuals(x: ArrayLike, y: ArrayLike, *, cells: int) -> np.ndarray:
    """(observed - expected) / sqrt(expected) by equal shares of both ranks, cells x cells.

    Expected: independence with the observed numbers of each row and column (ties make them
    unequal); 0 in a row or column that ties leave empty.
    """
    places = [
        np.minimum((rankdata(values) / (len(values) + 1) * cells).astype(np.int64), cells - 1)
        for values in pairs(x, y)
    ]
    found = np.bincount(places[0] * cells + places[1], minlength=cells**2).reshape(cells, cells)
    expected = np.outer(found.sum(axis=1), found.sum(axis=0)) / found.sum()
    return (found - expected) / np.sqrt(np.where(expected > 0, expected, 1))


def gap_share(x: ArrayLike, y: ArrayLike, *, width: float) -> tuple[float, float]:
    """Share of pairs that differ by at most `width`, and the share if they were independent.

    Independence with the observed margins: the share of all n^2 pairings of an x with a y.
    """
    x, y = pairs(x, y)
    values = np.sort(y)
    near = np.searchsorted(values, x + width, "right") - np.searchsorted(values, x - width, "left")
    return float((np.abs(x - y) <= width).mean()), float(near.mean() / len(y))

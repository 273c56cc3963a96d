"""Whether weekly factors order next returns: rank information coefficients and their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from scripts.errors import DataError


class Coefficient(NamedTuple):
    """A mean with its Newey-West standard error, interval and two-sided p-value; n values."""

    mean: float
    error: float
    low: float
    high: float
    p_value: float
    n: int


class Chance(NamedTuple):
    """What random outcomes leave, a value for each draw."""

    outside: np.ndarray  # int64: factors whose interval does not hold zero
    largest: np.ndarray  # float64: largest |mean / standard error| of all factors


def decision_panel(
    daily: pl.DataFrame, factors: Sequence[str], horizons: Sequence[int], *, price: str
) -> pl.DataFrame:
    """One row for each symbol and week: what was known, and what a purchase then returned.

    A decision is taken at the close of the first session of a week: by then the week before is
    known, whether its bar is seen on Friday evening or from the next day on.

    Args:
        daily: symbol, date, `price`, factors; one row for each symbol and day.
        factors: columns to take.
        horizons: weeks until the sale, at the close of that week's first session.
        price: column of the (adjusted) close.

    Returns:
        symbol, date, factors, return_{h}w: price of h weeks later / price - 1; null where the
        symbol has no price on that day. By date and symbol.

    Raises:
        DataError: a column is missing.
    """
    needed = ["symbol", "date", price, *factors]
    if missing := [name for name in needed if name not in daily.columns]:
        raise DataError(f"no column {', '.join(missing)}; expected {', '.join(needed)}")
    days = daily.select("date").unique().sort("date")
    first = days.group_by(week=pl.col("date").dt.truncate("1w")).agg(pl.col("date").min())
    first = first.sort("week").select("date", pl.int_range(pl.len()).alias("step"))
    panel = daily.select(needed).join(first, on="date")
    for horizon in horizons:
        later = panel.select("symbol", pl.col("step") - horizon, later=price)
        gain = pl.when((pl.col(price) > 0) & (pl.col("later") > 0)).then(
            pl.col("later") / pl.col(price) - 1
        )
        panel = panel.join(later, on=["symbol", "step"], how="left")
        panel = panel.with_columns(gain.alias(f"return_{horizon}w")).drop("later")
    return panel.drop("step", price).sort("date", "symbol")


def rank_coefficients(
    panel: pl.DataFrame, factors: Sequence[str], outcome: str, *, names: int
) -> pl.DataFrame:
    """Spearman's rank correlation of each factor with the outcome, across symbols, week by week.

    Args:
        panel: date, factors, outcome; null is unknown.
        factors: columns.
        outcome: column.
        names: fewest symbols in a week.

    Returns:
        date and a column for each factor; null in weeks with fewer symbols, or where either is the
        same for all of them.

    Raises:
        DataError: names below 3.
    """
    if names < 3:
        raise DataError(f"names {names}: expected 3 or more, a correlation of two is 1 or -1")
    columns = []
    for factor in factors:
        usable = pl.col(factor).is_finite() & pl.col(outcome).is_finite()
        x, y = (pl.col(c).filter(usable).rank() for c in (factor, outcome))
        enough = (usable.sum() >= names) & (x.n_unique() > 1) & (y.n_unique() > 1)
        columns.append(pl.when(enough).then(pl.corr(x, y)).alias(factor))
    return panel.group_by("date").agg(columns).sort("date")


def automatic_lags(n: int, horizon: int = 1) -> int:
    """Lags for a series of n: floor(4 (n / 100)^(2/9)) (Newey and West 1994), at least horizon - 1.

    Returns over h weeks that begin every week overlap: their first h - 1 autocorrelations are real.
    """
    return min(max(int(4 * (n / 100) ** (2 / 9)), horizon - 1), max(n - 1, 0))


def newey_west(values: np.ndarray, *, lags: int, level: float) -> Coefficient:
    """Mean of a series with a standard error that allows for autocorrelation.

    Variance of the mean = (g0 + 2 sum over l of (1 - l / (lags + 1)) g_l) / n, with autocovariances
    g about the mean (Newey and West 1987). The interval is normal.

    Args:
        values: (n,), finite, in time order.
        lags: autocovariances used, 0 to n - 1.
        level: of the interval, as 0.95.

    Raises:
        DataError: fewer than two values, one that is not finite, or lags out of range.
    """
    series = np.asarray(values, float)
    if series.ndim != 1 or len(series) < 2 or not np.isfinite(series).all():
        raise DataError(f"a series of shape {series.shape}: expected two finite values or more")
    if not 0 <= lags < len(series):
        raise DataError(f"{lags} lags: expected 0 to {len(series) - 1}")
    mean, error = float(series.mean()), float(_errors(series[:, None], lags)[0])
    reach = float(ndtri((1 + level) / 2)) * error
    p_value = float(2 * ndtr(-abs(mean) / error)) if error > 0 else float(mean == 0)
    return Coefficient(mean, error, mean - reach, mean + reach, p_value, len(series))


def _errors(series: np.ndarray, lags: int) -> np.ndarray:
    """Newey-West standard errors of the column means of (n, k)."""
    n, apart = len(series), series - series.mean(axis=0)
    total = (apart**2).sum(axis=0)
    for lag in range(1, lags + 1):
        weight = 1 - lag / (lags + 1)
        total = total + 2 * weight * (apart[lag:] * apart[:-lag]).sum(axis=0)
    return np.sqrt(np.maximum(total, 0)) / n


def shuffled(
    panel: pl.DataFrame,
    factors: Sequence[str],
    outcome: str,
    *,
    names: int,
    lags: int,
    level: float,
    draws: int,
    seed: int,
) -> Chance:
    """How far factors' coefficients get from zero when outcomes are dealt to symbols at random.

    Within each week the outcomes are permuted, the same way for all factors: what links factors to
    each other stays, what links them to outcomes goes (as in Westfall and Young 1993).

    Args:
        panel, factors, outcome, names: as `rank_coefficients`; of symbols that have all of it.
        lags, level: as `newey_west`.
        draws: permutations.
        seed: of the generator.

    Returns:
        `Chance`, arrays of length `draws`.

    Raises:
        DataError: fewer than two weeks with enough symbols.
    """
    rng = np.random.default_rng(seed)
    whole = panel.filter(pl.all_horizontal(pl.col(*factors, outcome).is_finite()))
    weeks = []
    for part in whole.sort("date").partition_by("date", maintain_order=True):
        if part.height < names:
            continue
        known = _standard(rankdata(part.select(factors).to_numpy(), axis=0))
        result = _standard(rankdata(part[outcome].to_numpy())[:, None])
        dealt = rng.permuted(np.repeat(result, draws, axis=1), axis=0)
        weeks.append(known.T @ dealt)
    if len(weeks) < 2:
        raise DataError(f"{len(weeks)} weeks with {names} symbols or more: expected 2 or more")
    series = np.stack(weeks).reshape(len(weeks), -1)
    errors = _errors(series, min(lags, len(weeks) - 1))
    scores = np.abs(series.mean(axis=0)) / np.where(errors > 0, errors, np.inf)
    scores = scores.reshape(len(factors), draws)
    return Chance((scores > ndtri((1 + level) / 2)).sum(axis=0), scores.max(axis=0))


def _standard(ranks: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and length 1; 0 where all are alike."""
    apart = ranks - ranks.mean(axis=0)
    length = np.sqrt((apart**2).sum(axis=0))
    return apart / np.where(length > 0, length, 1)


def persistence(panel: pl.DataFrame, factors: Sequence[str], *, names: int) -> dict[str, float]:
    """Mean rank correlation of a factor's order with that of the week before; NaN: never known."""
    dates = panel.select("date").unique().sort("date").with_row_index("step")
    stepped = panel.select("symbol", "date", *factors).join(dates, on="date")
    before = stepped.select(
        "symbol", pl.col("step") + 1, *(pl.col(f).alias(f"{f}/") for f in factors)
    )
    both = stepped.join(before, on=["symbol", "step"])
    found = {}
    for factor in factors:
        pairs = rank_coefficients(both, [factor], f"{factor}/", names=names)
        mean = pairs[factor].mean()
        found[factor] = float("nan") if mean is None else float(mean)
    return found


def turnover(
    panel: pl.DataFrame, factors: Sequence[str], *, share: float, names: int
) -> dict[str, float]:
    """Mean part of a long-short portfolio that is exchanged from one week to the next.

    Long the top `share` of symbols by factor (at least one), short the bottom, equal weights, 1 on
    each side; exchanged is half the sum of absolute changes of weight, as a share of the 2 in all:
    0 nothing moves, 1 all of it. NaN: never two weeks in a row.

    Raises:
        DataError: share outside (0, 0.5].
    """
    if not 0 < share <= 0.5:
        raise DataError(f"share {share}: expected above 0 and at most 0.5")
    dates = panel["date"].unique().sort()
    found = {}
    for factor in factors:
        usable = panel.filter(pl.col(factor).is_finite()).sort("date", "symbol")
        held: dict[object, Mapping[str, float]] = {}
        for (day,), part in usable.group_by("date", maintain_order=True):
            if part.height >= names:
                held[day] = _weights(part["symbol"].to_list(), part[factor].to_numpy(), share)
        moves = [
            sum(abs(held[b].get(s, 0) - held[a].get(s, 0)) for s in {*held[a], *held[b]}) / 4
            for a, b in pairwise(dates)
            if a in held and b in held
        ]
        found[factor] = float(np.mean(moves)) if moves else float("nan")
    return found


def _weights(symbols: Sequence[str], values: np.ndarray, share: float) -> dict[str, float]:
    size = max(1, int(len(symbols) * share))
    order = np.argsort(values, kind="stable")
    short, long = order[:size], order[-size:]
    return {symbols[i]: -1 / size for i in short} | {symbols[i]: 1 / size for i in long}


def factor_correlation(panel: pl.DataFrame, factors: Sequence[str], *, names: int) -> np.ndarray:
    """Mean over weeks of the factors' rank correlations across symbols: (factors, factors).

    NaN where a pair is never known in a week with `names` symbols or more.
    """
    matrix = np.eye(len(factors))
    for i, one in enumerate(factors):
        for j, other in enumerate(factors[:i]):
            mean = rank_coefficients(panel, [one], other, names=names)[one].mean()
            matrix[i, j] = matrix[j, i] = float("nan") if mean is None else float(mean)
    return matrix

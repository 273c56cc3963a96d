"""Old seasons that count less: exponential weights, what they cost, and whether they pay."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from scripts.errors import DataError
from scripts.nfl.models import base, estimators, glm

EQUAL = math.inf  # the half-life with which every season counts the same


def weights(age: np.ndarray, half_life: float) -> np.ndarray:
    """Weight .5 ** (age / half_life) of what is `age` seasons old; with EQUAL 1.

    Raises:
        DataError: the half-life is not above 0.
    """
    if not half_life > 0:
        raise DataError(f"half-life {half_life}; expected seasons above 0, or EQUAL")
    return 0.5 ** (np.asarray(age, dtype=np.float64) / half_life)


def effective_size(weight: np.ndarray) -> float:
    """Number of equally weighted items whose mean is as precise: (sum w)^2 / sum w^2 (Kish 1965).

    Raises:
        DataError: no weight, one below 0, or all 0.
    """
    weight = np.asarray(weight, dtype=np.float64)
    if not weight.size or not np.isfinite(weight).all() or (weight < 0).any() or not weight.sum():
        raise DataError(f"{weight.size} weights; expected finite ones >= 0, one of them above 0")
    weight = weight / weight.max()  # the square of a tiny weight is 0
    return float(weight.sum() ** 2 / (weight**2).sum())


def effective_seasons(seasons: int, half_life: float) -> float:
    """`effective_size` of the weights of `seasons` seasons in a row, the youngest any age."""
    if seasons < 1:
        raise DataError(f"{seasons} seasons; expected 1 or more")
    return effective_size(weights(np.arange(seasons), half_life))


def fit(values: np.ndarray, outcome: np.ndarray, weight: np.ndarray, c: float) -> Pipeline:
    """Logistic regression by weighted likelihood, with a ridge penalty.

    The weights are scaled to mean 1, so that decay changes what is learned from, and not the
    balance between games and penalty. Nulls, scale: as in the families of scripts/nfl/models.

    Args:
        values: games x features, NaN is null.
        outcome: 0 or 1 a game.
        weight: >= 0 a game.
        c: inverse of the penalty, as scikit-learn's C.
    """
    steps = estimators.inputs()
    steps.steps.append(("model", LogisticRegression(C=c, solver="lbfgs", max_iter=2000, tol=1e-8)))
    with threadpool_limits(1):  # sums of other thread counts differ in their last digits
        return steps.fit(values, outcome, model__sample_weight=weight / weight.mean())


def walk_forward(
    games: pl.DataFrame,
    *,
    target: str,
    features: Sequence[str],
    half_lives: Sequence[float],
    first: int,
    c: float,
) -> pl.DataFrame:
    """Predictions of each season from `first` on, by models of the seasons before it.

    A game that is a - b seasons older than the predicted one has the weight of that age.

    Args:
        games: season, week, game_id, target and features, a row a game.
        target: 0/1 column, null where not known.
        features: columns that are read; differences of the teams where there are any.
        half_lives: seasons; EQUAL weighs all alike.
        first: first predicted season.
        c: see `fit`.

    Returns:
        half_life, season, week, game_id, outcome (0 or 1), probability, in the order of half-lives
        and games; games without outcome are left out.

    Raises:
        DataError: no season before `first`, none from it on, or a column is missing.
    """
    base.need(games, ["season", "week", "game_id", target])
    known, outcome = base.labelled(games, target)
    season = known["season"].to_numpy()
    tested = sorted({int(year) for year in season if year >= first})
    if not tested or season.min() >= first:
        raise DataError(
            f"games of {season.min()} to {season.max()} with first test {first}; "
            "seasons are needed before it and from it on"
        )
    parts = []
    for year in tested:
        past, now = season < year, season == year
        train = known.filter(pl.Series(past))
        used = estimators.usable(train, glm.differences(features))
        values = base.matrix(known, used)
        for half_life in half_lives:
            weight = weights(year - season[past], half_life)
            model = fit(values[past], outcome[past], weight, c)
            with threadpool_limits(1):
                probability = model.predict_proba(values[now])[:, 1]
            parts.append(
                known.filter(pl.Series(now)).select(
                    pl.lit(float(half_life)).alias("half_life"),
                    *("season", "week", "game_id"),
                    outcome=pl.Series(outcome[now], dtype=pl.Int8),
                    probability=pl.Series(probability),
                )
            )
    return pl.concat(parts).sort("half_life", maintain_order=True)


def chosen(predictions: pl.DataFrame, first: int) -> pl.DataFrame:
    """The half-life that did best on earlier seasons, for each season from `first` on.

    Args:
        predictions: of `walk_forward`; from `first` on each season needs a predicted one before it.
        first: first season a half-life is chosen for.

    Returns:
        season, half_life: that of the lowest mean Brier score over all predicted seasons before.

    Raises:
        DataError: no predicted season before `first`.
    """
    scores = predictions.with_columns(brier=(pl.col("probability") - pl.col("outcome")) ** 2)
    rows = []
    for year in sorted(scores["season"].unique().to_list()):
        if year < first:
            continue
        past = scores.filter(pl.col("season") < year)
        if past.is_empty():
            raise DataError(f"no predictions before {first}; a half-life is chosen on such")
        means = past.group_by("half_life").agg(pl.col("brier").mean()).sort("brier", "half_life")
        rows.append((year, means["half_life"][0]))
    return pl.DataFrame(rows, schema={"season": pl.Int32, "half_life": pl.Float64}, orient="row")


def drifting(
    *, seasons: int, games: int, step: float, seed: int, slope: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Outcomes of one feature whose coefficient walks: where decay has something to find.

    Args:
        seasons, games: number of seasons, and of games in each.
        step: standard deviation of the coefficient's change from one season to the next.
        seed: of the draws.
        slope: coefficient of the first season.

    Returns:
        season from 0, feature (standard normal), outcome (0 or 1), its true probability; a value a
        game.
    """
    rng = np.random.default_rng(seed)
    slopes = slope + np.r_[0.0, rng.normal(0.0, step, seasons - 1).cumsum()]
    season = np.repeat(np.arange(seasons), games)
    feature = rng.standard_normal(len(season))
    probability = expit(slopes[season] * feature)
    outcome = rng.random(len(season)) < probability
    return season, feature, outcome.astype(np.int64), probability

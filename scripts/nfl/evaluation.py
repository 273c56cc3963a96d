"""Scores of predicted probabilities."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from scripts.errors import DataError
from scripts.tables import Column

BINS = 10
CLIP = 1e-6
ODDS = 100 / 110  # profit per unit staked of a bet won at -110
BETS = ("home_cover", "over_hit")  # targets that are priced at -110
MEANS = ("base_rate", "brier", "log_loss", "accuracy")
MEANINGS = {  # of the scores
    "base_rate": "mean outcome",
    "brier": "mean squared error of the probability",
    "log_loss": f"mean log loss, natural logarithm, clipped at {CLIP:g}",
    "auc": "area under the ROC curve; null: one outcome only",
    "ece": f"expected calibration error over {BINS} bins of probability",
    "accuracy": "share of games on the right side of .5, one at .5 counting half",
    "roi": "profit by unit staked, bets at -110; null: no such bet on this target",
}
METRICS = tuple(MEANINGS)
SCORES = {name: Column(pl.Float64, meaning) for name, meaning in MEANINGS.items()}
RELIABILITY = {
    "season": Column(pl.Int32, "season of the games; null: all seasons"),
    "bin": Column(pl.Int32, "number of the bin of probability, from 0"),
    "lower": Column(pl.Float64, "lower bound of the bin"),
    "upper": Column(pl.Float64, "upper bound of the bin"),
    "n": Column(pl.UInt32, "games in the bin"),
    "probability": Column(pl.Float64, "mean predicted probability"),
    "outcome": Column(pl.Float64, "mean outcome"),
}


def scored(outcome: ArrayLike, probability: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes and probabilities of the games where both are known, as float64.

    Raises:
        DataError: an outcome is not 0 or 1, or a probability outside [0, 1].
    """
    y, p = _numbers(outcome), _numbers(probability)
    known = ~(np.isnan(y) | np.isnan(p))
    y, p = y[known], p[known]
    if wrong := sorted(set(y[(y != 0) & (y != 1)].tolist())):
        raise DataError(f"outcome {wrong[0]:g}; outcomes are 0, 1 or null")
    if wrong := sorted(set(p[(p < 0) | (p > 1)].tolist())):
        raise DataError(f"probability {wrong[0]:g} is not in [0, 1]; fit the model again")
    return y, p


def _numbers(values: ArrayLike) -> np.ndarray:
    """float64, null is NaN."""
    if isinstance(values, pl.Series):
        return values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.asarray(values, dtype=np.float64)


def losses(y: np.ndarray, p: np.ndarray) -> dict[str, np.ndarray]:
    """What the MEANS are means of, a value a game.

    A probability of .5 is half right; log loss clips at 1e-6.
    """
    clipped = np.clip(p, CLIP, 1 - CLIP)
    return {
        "base_rate": y,
        "brier": (p - y) ** 2,
        "log_loss": -np.log(np.where(y == 1, clipped, 1 - clipped)),
        "accuracy": np.where(p == 0.5, 0.5, (p > 0.5) == (y == 1)),
    }


def stakes(y: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Profit and stake of each game: one unit at -110 on the side above .5, none at .5."""
    staked = (p != 0.5).astype(np.float64)
    return np.where((p > 0.5) == (y == 1), ODDS, -1.0) * staked, staked


def bins(p: np.ndarray, number: int = BINS) -> np.ndarray:
    """Bin of equal width, from 0, of each probability; [lower, upper), the last one closed."""
    edges = np.arange(1, number) / number
    return np.searchsorted(edges, p, side="right")


def auc(y: np.ndarray, p: np.ndarray) -> float | None:
    """Area under the ROC curve by ranks, ties half; None where all outcomes are the same."""
    ones, zeros = int((y == 1).sum()), int((y == 0).sum())
    if not ones or not zeros:
        return None
    ranks = rankdata(p)[y == 1].sum()
    return float((ranks - ones * (ones + 1) / 2) / (ones * zeros))


def metrics(
    outcome: ArrayLike, probability: ArrayLike, *, target: str
) -> Mapping[str, float | int | None]:
    """{n, base_rate, brier, log_loss, auc, ece, accuracy, roi} of the games with an outcome.

    ece: mean over games of |mean outcome - mean probability| of its bin, BINS of equal width.
    accuracy: at a threshold of .5, .5 itself being half right. roi: profit per unit staked at -110
    (`stakes`) of the targets BETS; None for others, and without bets. All None where n is 0.

    Args:
        outcome: 0, 1 or null (NaN).
        probability: of outcome 1; null (NaN) is left out too.
        target: name of the target.
    """
    y, p = scored(outcome, probability)
    if not len(y):
        return {"n": 0, **dict.fromkeys(METRICS)}
    found = {name: float(values.mean()) for name, values in losses(y, p).items()}
    gaps = np.bincount(bins(p), p - y, BINS)
    profit, staked = stakes(y, p)
    bets = target in BETS and staked.any()
    found["auc"] = auc(y, p)
    found["ece"] = float(np.abs(gaps).sum() / len(y))
    found["roi"] = float(profit.sum() / staked.sum()) if bets else None
    return {"n": len(y), **{name: found[name] for name in METRICS}}


def reliability(
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    number: int = BINS,
    season: ArrayLike | None = None,
) -> pl.DataFrame:
    """Mean outcome against mean probability by bins of equal width; empty bins have no row.

    Args:
        outcome, probability: as in `metrics`.
        number: of bins.
        season: of each game: the bins of each season, after those of all (season null).

    Returns:
        RELIABILITY: bin from 0, its bounds, games, mean probability and mean outcome.
    """
    y, p = _numbers(outcome), _numbers(probability)
    known = ~(np.isnan(y) | np.isnan(p))
    scored(y, p)
    years = np.zeros(len(y), np.int32) if season is None else np.asarray(season, np.int32)
    games = pl.DataFrame({"season": years, "probability": p, "outcome": y}).filter(known)
    games = games.with_columns(bin=pl.Series(bins(games["probability"].to_numpy(), number)))
    all_seasons = games.with_columns(season=pl.lit(None, pl.Int32))
    edges = pl.Series(np.arange(number + 1) / number)
    both = all_seasons if season is None else pl.concat([all_seasons, games])
    return (
        both.group_by("season", "bin")
        .agg(pl.len().alias("n"), pl.col("probability", "outcome").mean())
        .with_columns(
            lower=pl.lit(edges).gather(pl.col("bin")), upper=pl.lit(edges).gather(pl.col("bin") + 1)
        )
        .sort("season", "bin", nulls_last=False)
        .select(pl.col(name).cast(column.dtype) for name, column in RELIABILITY.items())
    )

"""Calibration of probabilities, and how to fit it without seeing the games to be predicted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from scripts.errors import DataError
from scripts.nfl.models import base
from scripts.tables import write_json

KINDS = ("none", "platt", "isotonic")
CLIP = 1e-6


@dataclass(frozen=True)
class Calibration:
    """A monotone function of a probability.

    Args:
        kind: of KINDS.
        x: platt: slope and intercept on the logit; isotonic: probabilities of the knots.
        y: isotonic: what they become.
    """

    kind: str
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()

    def apply(self, probability: ArrayLike) -> np.ndarray:
        """Calibrated probabilities, within [CLIP, 1 - CLIP]; NaN stays."""
        values = np.clip(np.asarray(probability, dtype=np.float64), CLIP, 1 - CLIP)
        if self.kind == "platt":
            values = expit(self.x[0] * logit(values) + self.x[1])
        elif self.kind == "isotonic":
            values = np.interp(values, self.x, self.y)
        return np.clip(values, CLIP, 1 - CLIP)

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        write_json(asdict(self), path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` wrote."""
        content = base.read_json(path)
        return cls(content["kind"], tuple(content["x"]), tuple(content["y"]))


def fit_calibration(kind: str, probability: ArrayLike, outcome: ArrayLike) -> Calibration:
    """Fit a calibration; games without outcome or probability (NaN) are left out.

    platt: P = 1 / (1 + exp(-(a logit p + b))), a >= 0, by maximum likelihood of Platt's (1999)
    smoothed outcomes, (n1 + 1) / (n1 + 2) and 1 / (n0 + 2). isotonic: least squares by pooling
    adjacent violators, within [1 / (n + 2), (n + 1) / (n + 2)], since no n games prove a certainty;
    linear between the knots.

    Args:
        kind: of KINDS.
        probability: uncalibrated, out of sample.
        outcome: 0, 1 or NaN.

    Raises:
        DataError: no such kind, or no game to fit on.
    """
    if kind not in KINDS:
        raise DataError(f"no calibration {kind}; there are {', '.join(KINDS)}")
    if kind == "none":
        return Calibration(kind)
    p, y = (np.asarray(given, dtype=np.float64) for given in (probability, outcome))
    known = ~(np.isnan(p) | np.isnan(y))
    p, y = np.clip(p[known], CLIP, 1 - CLIP), y[known]
    if not len(p):
        raise DataError(f"calibration {kind}: no game with probability and outcome to fit on")
    return Calibration(kind, *(_platt(p, y) if kind == "platt" else _isotonic(p, y)))


def _platt(p: np.ndarray, y: np.ndarray) -> tuple[tuple[float, ...]]:
    ones = y.sum()
    smoothed = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (len(y) - ones + 2))
    design = np.column_stack([logit(p), np.ones(len(p))])

    def loss(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        score = design @ numbers
        value = np.logaddexp(0, score).mean() - (smoothed * score).mean()
        return value, (expit(score) - smoothed) @ design / len(p)

    found = minimize(
        loss,
        [1.0, 0.0],
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None), (None, None)],
        options={"ftol": 1e-15, "gtol": 1e-9},
    )
    return (tuple(found.x.tolist()),)


def _isotonic(p: np.ndarray, y: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    bounds = {"y_min": 1 / (len(p) + 2), "y_max": (len(p) + 1) / (len(p) + 2)}
    found = IsotonicRegression(**bounds).fit(p, y)
    return tuple(found.X_thresholds_.tolist()), tuple(found.y_thresholds_.tolist())


def calibrated_fit(
    fit: Callable[[pl.DataFrame], base.Model],
    train: pl.DataFrame,
    *,
    target: str,
    kinds: Sequence[str] = KINDS,
    held: int = 2,
) -> tuple[base.Model, dict[str, Calibration]]:
    """Fit a model on all of `train`, and calibrations on its last games.

    Those are predicted by a model fitted on the games before them (`split`), so that a calibration
    corrects out-of-sample probabilities. One such model serves all kinds.

    Args:
        fit: rows of training -> model.
        train: season, date, target and what `fit` reads, in time order.
        target: 0/1 column, null unknown.
        kinds: of KINDS.
        held: seasons to calibrate on.

    Returns:
        the model of all of `train`, and kind -> calibration.
    """
    if set(kinds) <= {"none"}:
        return fit(train), {kind: fit_calibration(kind, [], []) for kind in kinds}
    earlier, later = split(train, held)
    probability = fit(earlier).predict(later)
    outcome = later[target].cast(pl.Float64).fill_null(np.nan).to_numpy()
    calibrations = {kind: fit_calibration(kind, probability, outcome) for kind in kinds}
    return fit(train), calibrations


def split(train: pl.DataFrame, held: int = 2) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`train` before, and in, its last `held` seasons.

    Of two seasons the last one is held, of one season the last third of its games; the games of a
    day stay together.

    Raises:
        DataError: held < 1, or all games are of one day.
    """
    if held < 1:
        raise DataError(f"held is {held} seasons; at least 1 is needed to calibrate on")
    seasons = train["season"].unique().sort()
    if len(seasons) > 1:
        first = seasons[-min(held, len(seasons) - 1 if len(seasons) > 2 else 1)]
        later = pl.col("season") >= first
    elif train.height and train["date"].min() < train["date"].max():
        days = train["date"].sort()
        start = days[min(-(-2 * len(days) // 3), len(days) - 1)]
        later = pl.col("date") >= (start if start > days[0] else days.filter(days > start).min())
    else:
        raise DataError(f"train: {train.height} games of one day; none are left to calibrate on")
    return train.filter(~later), train.filter(later)

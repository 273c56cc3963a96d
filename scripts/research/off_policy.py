"""What a policy would have earned, from the log of another one.

Every estimator here is a ratio of two means over events, numerator and denominator, so one
bootstrap serves them all. Weights are target / behaviour probability of the logged action.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scripts.errors import DataError
from scripts.research.bandit import Log

ESTIMATORS = ("IPS", "SNIPS", "clipped IPS", "shrunk IPS", "direct", "DR", "shrunk DR")


class Terms(NamedTuple):
    """Numerator and denominator of an estimator, a value an event each."""

    top: np.ndarray
    bottom: np.ndarray

    @property
    def estimate(self) -> float:
        """The ratio of their sums; NaN where the denominator is 0."""
        total = self.bottom.sum()
        return float(self.top.sum() / total) if total else np.nan


@dataclass(frozen=True)
class Verdict:
    """Gain over the behaviour, its lower bound, effective share of events, and the outcome."""

    gain: float
    lower: float
    effective: float
    accepted: bool


def weights(log: Log, target: np.ndarray) -> np.ndarray:
    """Target over behaviour probability of each logged action.

    Args:
        log: the log.
        target: probabilities of the target policy at the log's events, events x actions.

    Raises:
        DataError: another shape, or an action that the behaviour says it never takes.
    """
    if target.shape != log.propensity.shape:
        raise DataError(f"target policy of shape {target.shape}; expected {log.propensity.shape}")
    event = np.arange(len(log.action))
    taken = log.propensity[event, log.action]
    if not (taken > 0).all():
        raise DataError("log: an action with propensity 0; it cannot have been taken")
    return target[event, log.action] / taken


def unsupported(log: Log, target: np.ndarray) -> float:
    """Mean probability the target gives to actions that the behaviour never takes: 0 is needed."""
    return float((target * (log.propensity <= 0)).sum(axis=1).mean())


def effective_sample_size(weight: np.ndarray) -> float:
    """(sum w)^2 / sum w^2 (Kong 1992); 0 where all weights are."""
    squares = float(weight @ weight)
    return float(weight.sum() ** 2 / squares) if squares else 0.0


def reward_model(log: Log, *, folds: int, ridge: float) -> np.ndarray:
    """Expected reward of each action at each event, events x actions, by linear ridge regression.

    Cross-fitted: an event's own reward, and those of the other events of its game, are not in the
    fit that predicts it, or the doubly robust interval would be too short.

    Args:
        log: the log; its contexts are standardised here.
        folds: games are dealt to folds by their number.
        ridge: penalty of the slopes, in events; the intercept has none.
    """
    spread = log.context.std(axis=0)
    scaled = (log.context - log.context.mean(axis=0)) / np.where(spread > 0, spread, 1)
    x = np.column_stack([np.ones(len(scaled)), scaled])
    penalty = ridge * np.diag([0.0] + [1.0] * scaled.shape[1])
    fold = log.row % folds
    predicted = np.zeros(log.propensity.shape)
    for number in range(folds):
        for action in range(predicted.shape[1]):
            train = (fold != number) & (log.action == action)
            if not train.any():
                continue
            known = x[train]
            beta = np.linalg.lstsq(known.T @ known + penalty, known.T @ log.reward[train])[0]
            predicted[fold == number, action] = x[fold == number] @ beta
    return predicted


def terms(
    log: Log, target: np.ndarray, model: np.ndarray, *, clip: float, shrinkage: float
) -> dict[str, Terms]:
    """All ESTIMATORS of the target's value.

    IPS (Horvitz, Thompson 1952); SNIPS (Swaminathan, Joachims 2015); weights clipped at `clip`
    (Ionides 2008); weights shrunk to shrinkage w / (w^2 + shrinkage) (Su et al. 2020); the direct
    method, the model alone; DR (Dudik, Langford, Li 2011), and with shrunk weights.

    Args:
        log: the log.
        target: events x actions.
        model: `reward_model`, events x actions.
        clip: largest weight.
        shrinkage: weights well above its root are drawn towards 0.
    """
    w, one = weights(log, target), np.ones(len(log.reward))
    shrunk = shrinkage * w / (w * w + shrinkage)
    direct = (target * model).sum(axis=1)
    rest = log.reward - model[np.arange(len(log.action)), log.action]
    return {
        "IPS": Terms(w * log.reward, one),
        "SNIPS": Terms(w * log.reward, w),
        "clipped IPS": Terms(np.minimum(w, clip) * log.reward, one),
        "shrunk IPS": Terms(shrunk * log.reward, one),
        "direct": Terms(direct, one),
        "DR": Terms(direct + w * rest, one),
        "shrunk DR": Terms(direct + shrunk * rest, one),
    }


def bootstrap_times(events: int, *, draws: int, seed: int) -> np.ndarray:
    """How often each of `draws` samples with replacement has each event, draws x events."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(events, np.full(events, 1 / events), draws).astype(np.float64)


def bootstrap(found: Sequence[Terms], times: np.ndarray) -> np.ndarray:
    """Estimators on each sample, draws x estimators; NaN where a denominator is 0.

    Args:
        found: of one log.
        times: `bootstrap_times`.
    """
    events = times.sum(axis=1)
    top = times @ np.column_stack([term.top for term in found])
    bottom = np.column_stack(
        [events if (term.bottom == 1).all() else times @ term.bottom for term in found]
    )
    ratio = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=ratio, where=bottom > 0)
    return ratio


def intervals(found: Sequence[Terms], times: np.ndarray, *, level: float) -> np.ndarray:
    """Two-sided percentile intervals, (low, high) x estimators; NaN where a sample has none."""
    return np.quantile(bootstrap(found, times), [(1 - level) / 2, (1 + level) / 2], axis=0)


def gate(
    log: Log,
    targets: Mapping[str, np.ndarray],
    model: np.ndarray,
    times: np.ndarray,
    *,
    level: float,
    share: float,
) -> dict[str, Verdict]:
    """Accept a policy only if a bound says that it beats the behaviour, on enough events.

    The gain is DR less the logged reward, event by event, so that what both share cancels. The
    level of a percentile bound is nominal, and holds for many events.

    Args:
        log, model: as in `terms`.
        targets: name -> probabilities of a policy, events x actions.
        times: `bootstrap_times`; their number times 1 - level should be some tens.
        level: one-sided confidence of the lower bound, Bonferroni's where several are judged.
        share: smallest effective sample size, as a share of events.
    """
    gains, sizes = [], []
    for target in targets.values():
        w = weights(log, target)
        rest = log.reward - model[np.arange(len(log.action)), log.action]
        doubly = (target * model).sum(axis=1) + w * rest
        gains.append(Terms(doubly - log.reward, np.ones(len(w))))
        sizes.append(effective_sample_size(w) / len(w))
    lowers = np.quantile(bootstrap(gains, times), 1 - level, axis=0, method="lower")
    return {
        name: Verdict(gain.estimate, float(lower), size, bool(lower > 0 and size >= share))
        for name, gain, lower, size in zip(targets, gains, lowers, sizes, strict=True)
    }

"""Many logs of one bandit: how estimators and the gate do where the truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from scripts.research.bandit import Log, draw_log, true_value
from scripts.research.off_policy import (
    bootstrap_times,
    effective_sample_size,
    gate,
    intervals,
    reward_model,
    terms,
    weights,
)


@dataclass(frozen=True)
class Settings:
    """Of estimators and gate, see `off_policy`; draws of the bootstrap, level of its intervals.

    gate_draws: of the gate's bound, which lies further out than the intervals.
    """

    folds: int
    ridge: float
    clip: float
    shrinkage: float
    draws: int
    level: float
    gate_draws: int
    gate_level: float
    gate_share: float


def estimates(
    log: Log,
    policies: Mapping[str, np.ndarray],
    model: np.ndarray,
    times: np.ndarray,
    settings: Settings,
) -> pl.DataFrame:
    """Every estimator of every policy from one log.

    Args:
        log: the log.
        policies: name -> probabilities, games x actions.
        model: `reward_model` of the log.
        times: `bootstrap_times` of the log's length.
        settings: of the estimators.

    Returns:
        policy, estimator, estimate, effective (share of events), largest (weight), low, high.
    """
    rows, all_terms = [], []
    for name, policy in policies.items():
        target = policy[log.row]
        w = weights(log, target)
        found = terms(log, target, model, clip=settings.clip, shrinkage=settings.shrinkage)
        size = {"effective": effective_sample_size(w) / len(w), "largest": float(w.max())}
        for estimator, term in found.items():
            all_terms.append(term)
            rows.append({"policy": name, "estimator": estimator, "estimate": term.estimate} | size)
    ends = intervals(all_terms, times, level=settings.level)
    return pl.DataFrame(rows).with_columns(low=pl.Series(ends[0]), high=pl.Series(ends[1]))


def repeated(
    context: np.ndarray,
    rewards: np.ndarray,
    behaviour: np.ndarray,
    policies: Mapping[str, np.ndarray],
    settings: Settings,
    *,
    events: int,
    logs: int,
    seed: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Estimates and verdicts of the gate from many independent logs.

    The bootstrap's counts are drawn once and serve all logs, which are independent of them.

    Args:
        context, rewards, behaviour, policies: as in `bandit`, a row a game.
        settings: of estimators and gate.
        events: length of each log.
        logs: their number.
        seed: of everything drawn.

    Returns:
        `estimates` with columns log, truth; and log, policy, true_gain (over the behaviour), gain,
        lower, effective, accepted.
    """
    rng = np.random.default_rng(seed)
    times = bootstrap_times(events, draws=settings.draws, seed=seed)
    gate_times = bootstrap_times(events, draws=settings.gate_draws, seed=seed)
    base = true_value(behaviour, rewards)
    truths = {name: true_value(policy, rewards) for name, policy in policies.items()}
    found, verdicts = [], []
    for number in range(logs):
        log = draw_log(context, rewards, behaviour, events=events, rng=rng)
        model = reward_model(log, folds=settings.folds, ridge=settings.ridge)
        one = estimates(log, policies, model, times, settings)
        found.append(one.with_columns(log=pl.lit(number)))
        targets = {name: policy[log.row] for name, policy in policies.items()}
        limits = {"level": settings.gate_level, "share": settings.gate_share}
        for name, verdict in gate(log, targets, model, gate_times, **limits).items():
            gained = {"log": number, "policy": name, "true_gain": truths[name] - base}
            verdicts.append(gained | vars(verdict))
    truth = pl.DataFrame({"policy": list(truths), "truth": list(truths.values())})
    joined = pl.concat(found).join(truth, on="policy", maintain_order="left")
    return joined, pl.DataFrame(verdicts)


def errors(found: pl.DataFrame) -> pl.DataFrame:
    """By policy and estimator: bias, sd, rmse, coverage and mean width of the intervals.

    Args:
        found: policy, estimator, truth, estimate, low, high: a row a log.
    """
    gap = pl.col("estimate") - pl.col("truth")
    inside = (pl.col("low") <= pl.col("truth")) & (pl.col("truth") <= pl.col("high"))
    return found.group_by("policy", "estimator", maintain_order=True).agg(
        truth=pl.col("truth").first(),
        bias=gap.mean(),
        sd=pl.col("estimate").std(),
        rmse=(gap**2).mean().sqrt(),
        coverage=inside.mean(),
        width=(pl.col("high") - pl.col("low")).mean(),
        logs=pl.len(),
    )

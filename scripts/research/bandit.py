"""A logged bandit over games whose results are known for every action, so that the truth is too.

Contexts and rewards are real; only the choices are simulated. A log is a sample of games with
replacement, with an action drawn for each by a behaviour policy that gives every action a chance:
the value of any policy is then a plain mean over all games, and an estimate can be held against it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scripts.errors import DataError


@dataclass(frozen=True)
class Log:
    """What a behaviour policy left behind.

    row: of each event, its game; context: events x features; action: from 0; reward: of the action
    taken; propensity: the behaviour's probabilities of all actions, events x actions.
    """

    row: np.ndarray
    context: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    propensity: np.ndarray


def soft(scores: np.ndarray, *, temperature: float, floor: float) -> np.ndarray:
    """Probabilities of actions: a softmax of their scores, mixed with a uniform choice.

    Args:
        scores: rows x actions, in any unit.
        temperature: in the unit of the scores; the smaller, the greedier.
        floor: share of the uniform choice; every action has at least floor / actions.
    """
    shifted = (scores - scores.max(axis=1, keepdims=True)) / temperature
    weight = np.exp(shifted)
    return (1 - floor) * weight / weight.sum(axis=1, keepdims=True) + floor / scores.shape[1]


def greedy(scores: np.ndarray) -> np.ndarray:
    """Probability 1 on the best action of each row, the first one of equals."""
    return np.eye(scores.shape[1])[scores.argmax(axis=1)]


def always(action: int, rows: int, actions: int) -> np.ndarray:
    """Probability 1 on one action in every row."""
    return np.tile(np.eye(actions)[action], (rows, 1))


def checked(policy: np.ndarray) -> np.ndarray:
    """The policy.

    Raises:
        DataError: not rows x actions, a negative probability, or rows that do not sum to 1.
    """
    if policy.ndim != 2:
        raise DataError(f"policy of shape {policy.shape}; expected rows x actions")
    if not ((policy >= 0).all() and np.allclose(policy.sum(axis=1), 1, atol=1e-9)):
        raise DataError("policy: a row whose probabilities are negative or do not sum to 1")
    return policy


def true_value(policy: np.ndarray, rewards: np.ndarray) -> float:
    """Expected reward of a policy over all games.

    Args:
        policy, rewards: games x actions.
    """
    return float((checked(policy) * rewards).sum(axis=1).mean())


def draw_log(
    context: np.ndarray,
    rewards: np.ndarray,
    behaviour: np.ndarray,
    *,
    events: int,
    rng: np.random.Generator,
) -> Log:
    """A log of `events` games, drawn with replacement, with an action for each.

    Args:
        context: games x features.
        rewards: games x actions; only that of the chosen action gets into the log.
        behaviour: games x actions, probabilities of the choice.
        events: length of the log.
        rng: draws games, then actions.
    """
    row = rng.integers(0, len(rewards), events)
    propensity = checked(behaviour)[row]
    edge = np.cumsum(propensity, axis=1)
    action = (rng.random((events, 1)) >= edge[:, :-1]).sum(axis=1)
    return Log(row, context[row], action, rewards[row, action], propensity)

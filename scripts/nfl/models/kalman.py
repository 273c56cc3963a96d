"""Kalman filter of team strengths that games, and the lines before them, observe."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit


class Parameters(NamedTuple):
    """Parameters, in points and their squares.

    Strengths s start as N(0, prior). They walk by N(0, process) a week (7 days) within a season;
    from one season to the next they become carry * s + N(0, (1 - carry^2) * prior). A game's
    expected margin is d = s_home - s_away + edge (0 at a neutral place) + N(0, effect), the last
    being what the game has of its own: injuries, weather. Its margin is d + N(0, noise), its line
    d + N(0, line_noise).
    """

    process: float
    carry: float
    prior: float
    edge: float
    noise: float
    line_noise: float
    effect: float


class Games(NamedTuple):
    """Games in the order of days, one entry a game."""

    season: np.ndarray  # int64
    day: np.ndarray  # int64
    home: np.ndarray  # int64: number of the team
    away: np.ndarray
    at_home: np.ndarray  # float64: 1, or 0 at a neutral place
    line: np.ndarray  # float64: closing line, NaN unknown
    margin: np.ndarray  # float64: home - away points, NaN unknown


class State(NamedTuple):
    """What is known of the strengths after the games of a day."""

    mean: np.ndarray
    covariance: np.ndarray
    season: int  # of the last game; -1 before the first
    day: int


def run(games: Games, state: State, parameters: Parameters) -> tuple[tuple, State]:
    """Filter on from `state` through `games`.

    Returns:
        (log-likelihood of the lines and margins, expected margin and its variance for each game),
        and the state after them. The expectation uses the games of earlier days and the game's
        own line; then the day's lines and margins are learned.
    """
    mean, covariance = state.mean.copy(), state.covariance.copy()
    found = _filter(games, mean, covariance, state.season, state.day, parameters)
    last = (int(games.season[-1]), int(games.day[-1])) if len(games.day) else state[2:]
    return found, State(mean, covariance, *last)


def initial(teams: int, parameters: Parameters) -> State:
    """Before the first game."""
    return State(np.zeros(teams), np.eye(teams) * parameters.prior, -1, 0)


@njit(cache=True)
def _filter(games, mean, covariance, season, day, parameters):
    number = len(games.day)
    expected, variance = np.empty(number), np.empty(number)
    loglik, first = 0.0, 0
    while first < number:
        last = first
        while last < number and games.day[last] == games.day[first]:
            last += 1
        if season >= 0:
            _advance(
                mean, covariance, games.season[first] - season, games.day[first] - day, parameters
            )
        season, day = games.season[first], games.day[first]
        for game in range(first, last):
            expected[game], variance[game] = _expect(games, game, mean, covariance, parameters)
        for game in range(first, last):
            loglik += _learn(games, game, mean, covariance, parameters)
        first = last
    return loglik, expected, variance


@njit(cache=True)
def _advance(mean, covariance, seasons, days, parameters):
    if seasons > 0:
        carry = parameters.carry**seasons
        mean *= carry
        covariance *= carry * carry
        added = (1 - carry * carry) * parameters.prior
    else:
        added = parameters.process * days / 7
    for team in range(len(mean)):
        covariance[team, team] += added


@njit(cache=True)
def _expect(games, game, mean, covariance, parameters):
    home, away = games.home[game], games.away[game]
    expected = mean[home] - mean[away] + parameters.edge * games.at_home[game]
    shared = covariance[home, home] + covariance[away, away] - 2 * covariance[home, away]
    shared += parameters.effect
    if math.isnan(games.line[game]):
        return expected, shared + parameters.noise
    gain = shared / (shared + parameters.line_noise)
    expected += gain * (games.line[game] - expected)
    return expected, shared * (1 - gain) + parameters.noise


@njit(cache=True)
def _learn(games, game, mean, covariance, parameters):
    """Learn a game's line and margin; their log density.

    The effect is in both. Less its share of the line the margin has an error of its own.
    """
    home, away = games.home[game], games.away[game]
    edge = parameters.edge * games.at_home[game]
    line, margin = games.line[game], games.margin[game]
    loglik, share = 0.0, 0.0
    noise = parameters.effect + parameters.noise
    if not math.isnan(line):
        error = parameters.effect + parameters.line_noise
        loglik += _update(mean, covariance, home, away, 1.0, line - edge, error)
        share = parameters.effect / error
        noise = parameters.noise + share * parameters.line_noise
    if not math.isnan(margin):
        rest = margin - edge - share * (0.0 if math.isnan(line) else line - edge)
        loglik += _update(mean, covariance, home, away, 1 - share, rest, noise)
    return loglik


@njit(cache=True)
def _update(mean, covariance, home, away, weight, observed, noise):
    """Learn `observed` = weight * (s_home - s_away) + N(0, noise); its log density."""
    teams = len(mean)
    direction = np.empty(teams)
    for team in range(teams):
        direction[team] = weight * (covariance[team, home] - covariance[team, away])
    variance = weight * (direction[home] - direction[away]) + noise
    surprise = observed - weight * (mean[home] - mean[away])
    for team in range(teams):
        mean[team] += direction[team] * surprise / variance
        for other in range(teams):
            covariance[team, other] -= direction[team] * direction[other] / variance
    return -0.5 * (math.log(2 * math.pi * variance) + surprise * surprise / variance)

"""Seasons simulated week by week from closing lines, and whether they pass for real ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.stats import kendalltau, t, wasserstein_distance

from scripts.errors import DataError
from scripts.research.score_distribution import (
    KEYS,
    MARGINS,
    POINTS,
    Dispersion,
    chosen_prior,
    difference,
    margin_prior,
    points_pmf,
    rates,
    reweighting,
    scaling,
)

LEVEL = 0.95
DRAWS = 10  # simulated seasons of each season, where only the verdict counts
DISTANCES = ("margin_distance", "total_distance")
SCALARS = ("home_win_rate", "key_mass", "total_mean", "margin_sd", "score_tau", "weekly_sd")


class Simulator(NamedTuple):
    """Scores given lines: P(x, y) is proportional to f(x) f(y) w(x) w(y) v(|x - y|)."""

    dispersion: float  # of the negative binomial f; 1: Poisson
    points: np.ndarray  # w, a weight for each of POINTS
    margins: np.ndarray  # v, a weight for each |margin| of MARGINS


class Lattice(NamedTuple):
    """A simulator, and how many sides' or games' worth of doubt its weights were learned with."""

    simulator: Simulator
    points_prior: float
    margin_prior: float


class Scores(NamedTuple):
    """Simulated points, draws x games."""

    home: np.ndarray
    away: np.ndarray


class Accepted(NamedTuple):
    """Criteria, and whether all of them hold."""

    table: pl.DataFrame  # criterion, history, simulated, low, high, passed
    passed: bool


def poisson() -> Simulator:
    """Both sides' points are Poisson: what the lines say and nothing else."""
    return Simulator(1.0, np.ones(len(POINTS)), np.ones(MARGINS[-1] + 1))


def overdispersed(found: Dispersion) -> Simulator:
    """Negative binomial points, as wide as the margins of training are."""
    return Simulator(found.margin, np.ones(len(POINTS)), np.ones(MARGINS[-1] + 1))


def lattice(games: pl.DataFrame, found: Dispersion) -> Lattice:
    """As `overdispersed`, on the scores that football has: 17 and 20 are usual, 18 is not.

    First the weights of each side's points by iterative scaling, then those of the margins of the
    weighted points (ties are played on, and late play is for the margin). The prior of both is
    chosen on the last season of training, see `score_distribution.chosen_prior`.

    Args:
        games: of training, with season, scores and lines.
        found: their dispersion.
    """
    means = rates(games["spread_line"].to_numpy(), games["total_line"].to_numpy())
    home, away = (points_pmf(mean, found.margin) for mean in means)
    season = games["season"].to_numpy()
    scores = np.concatenate([games["home_score"].to_numpy(), games["away_score"].to_numpy()])
    if (wrong := scores[(scores < 0) | (scores > POINTS[-1])]).size:
        raise DataError(f"score {wrong[0]}; expected 0 to {POINTS[-1]}")
    both = np.concatenate([home, away])
    points = chosen_prior(scores, both, POINTS, np.concatenate([season, season]))
    weight = scaling(np.bincount(scores, minlength=len(POINTS)), both, POINTS, points)
    margin = games["home_score"].to_numpy() - games["away_score"].to_numpy()
    joint = difference(_weighted(home, weight), _weighted(away, weight))
    prior = margin_prior(margin, joint, season)
    return Lattice(
        Simulator(found.margin, weight, reweighting(margin, joint, prior)), points, prior
    )


def simulate(simulator: Simulator, games: pl.DataFrame, *, draws: int, seed: int) -> Scores:
    """Draw the scores of all games `draws` times, each independently given its lines.

    Points are drawn side by side and kept with probability v(|x - y|) / max v; what is refused is
    drawn again.

    Args:
        simulator: whose scores.
        games: spread_line and total_line of each.
        draws: number of draws of each game.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    means = rates(games["spread_line"].to_numpy(), games["total_line"].to_numpy())
    below = [
        np.cumsum(_weighted(points_pmf(mean, simulator.dispersion), simulator.points), axis=1)
        for mean in means
    ]
    keep = simulator.margins / simulator.margins.max()
    home, away = (np.zeros((draws, games.height), np.int64) for _ in range(2))
    open_ = np.arange(home.size)
    while len(open_):
        game = open_ % games.height
        x, y = (_drawn(table, game, rng.random(len(game))) for table in below)
        size = np.minimum(np.abs(x - y), len(keep) - 1)
        kept = rng.random(len(game)) < keep[size]
        home.flat[open_[kept]], away.flat[open_[kept]] = x[kept], y[kept]
        open_ = open_[~kept]
    return Scores(home, away)


def scalars(home: np.ndarray, away: np.ndarray, week: np.ndarray) -> dict[str, float]:
    """Numbers that describe one season.

    Args:
        home, away: points of its games.
        week: number of each game's week.

    Returns:
        home_win_rate (ties half), key_mass (share of games won by 3, 6, 7 or 10 points, by either
        side), total_mean and margin_sd (points), score_tau (Kendall's tau-b of both sides' points),
        weekly_sd (between weeks, of the home teams' wins less their mean, over the root of games).
    """
    margin = home - away
    wins = np.where(margin == 0, 0.5, margin > 0)
    _, place = np.unique(week, return_inverse=True)
    number, total = np.bincount(place), np.bincount(place, wins - wins.mean())
    return {
        "home_win_rate": float(wins.mean()),
        "key_mass": float(np.isin(np.abs(margin), KEYS).mean()),
        "total_mean": float((home + away).mean()),
        "margin_sd": float(margin.std()),
        "score_tau": float(kendalltau(home, away).statistic),
        "weekly_sd": float(np.sqrt((total**2 / number).mean())),
    }


def distance(values: np.ndarray, others: np.ndarray) -> float:
    """Earth mover's distance between two samples, in their unit: the area between their CDFs.

    (Of whole numbers, which are counted first: samples of many draws have few different ones.)
    """
    (one, n), (other, m) = (np.unique(sample, return_counts=True) for sample in (values, others))
    return float(wasserstein_distance(one, other, n, m))


def judge(
    history: pl.DataFrame, tested: pl.DataFrame, scores: Scores, level: float = LEVEL
) -> Accepted:
    """Accept or refuse simulated seasons, by how much real seasons differ from one another.

    Scalars: the mean over the tested seasons of simulated less real value, against 0 +-
    q SD sqrt((1 + 1 / draws) / k): SD is that between the K seasons of history, k the number of
    tested ones, q the quantile of t(K - 1). Distances: the mean distance of the tested seasons'
    games to all simulated ones, against the mean distance of a season of history to all others,
    plus q SD sqrt(1 / k + 1 / K). Levels are divided by the number of criteria (Bonferroni).

    Args:
        history: season, week, home_score, away_score of training; 3 seasons or more.
        tested: the same of the tested seasons.
        scores: simulated ones of `tested`, in its order.
        level: of all criteria together.

    Returns:
        a row a criterion: history (of scalars: the real value of the tested seasons), simulated,
        low and high (between which simulated has to lie; low of a distance is 0), passed.

    Raises:
        DataError: too few seasons of history, or scores of other games.
    """
    years = history["season"].unique().sort().to_list()
    if len(years) < 3:
        raise DataError(f"{len(years)} seasons of history; a spread between them needs 3 or more")
    if scores.home.shape[1] != tested.height:
        raise DataError(f"scores of {scores.home.shape[1]} games, tested are {tested.height}")
    criteria = len(SCALARS) + len(DISTANCES)
    quantile = float(t.ppf(1 - (1 - level) / criteria / 2, len(years) - 1))
    k = tested["season"].n_unique()
    was_scored, is_scored = _columns(history), _columns(tested)
    before, after = _seasons(history), _seasons(tested)
    past = [scalars(*(column[own] for column in was_scored)) for own in before]
    real = [scalars(*(column[own] for column in is_scored)) for own in after]
    made = [_simulated(is_scored[2][own], scores, own) for own in after]
    noise = np.sqrt((1 + 1 / len(scores.home)) / k)  # of the simulated mean, too
    rows = []
    for name in SCALARS:
        width = quantile * np.std([one[name] for one in past], ddof=1) * noise
        was, now = (float(np.mean([one[name] for one in some])) for some in (real, made))
        rows.append((name, was, now, was - width, was + width))
    for name, of in zip(DISTANCES, (np.subtract, np.add), strict=True):
        apart = _distances(before, of(*was_scored[:2]), None)
        usual, now = (
            np.mean(apart),
            np.mean(_distances(after, of(*is_scored[:2]), of(*scores))),
        )
        width = quantile * np.std(apart, ddof=1) * np.sqrt(1 / k + 1 / len(years))
        rows.append((name, float(usual), float(now), 0.0, float(usual + width)))
    table = pl.DataFrame(
        rows, schema=["criterion", "history", "simulated", "low", "high"], orient="row"
    ).with_columns(passed=pl.col("simulated").is_between("low", "high"))
    return Accepted(table, bool(table["passed"].all()))


def refused(
    simulator: Simulator,
    history: pl.DataFrame,
    tested: pl.DataFrame,
    *,
    runs: int,
    seed: int,
    judged: Simulator | None = None,
) -> float:
    """How often `judge` refuses a simulator where `simulator` made history and tested seasons.

    Of the right simulator it should be about 1 - LEVEL or less (the size of the rule); of a wrong
    one it is the power. Each run simulates all seasons once as the real ones, and DRAWS more of
    the tested ones to be judged. Nothing is fitted again to the simulated history.

    Args:
        simulator: which one is right.
        history, tested: season, week and lines of the games.
        runs: number of runs.
        seed: of the draws.
        judged: which one is judged; None: the right one.
    """
    past = simulate(simulator, history, draws=runs, seed=seed)
    real = simulate(simulator, tested, draws=runs, seed=seed + 1)
    made = simulate(judged or simulator, tested, draws=runs * DRAWS, seed=seed + 2)
    wrong = 0
    for run in range(runs):
        mine = slice(run * DRAWS, (run + 1) * DRAWS)
        found = judge(
            _scored(history, past.home[run], past.away[run]),
            _scored(tested, real.home[run], real.away[run]),
            Scores(made.home[mine], made.away[mine]),
        )
        wrong += not found.passed
    return wrong / runs


def plain_keys(simulator: Simulator) -> Simulator:
    """The simulator with weight 1 of the key margins: one that has not learned them."""
    margins = simulator.margins.copy()
    margins[list(KEYS)] = 1.0
    return simulator._replace(margins=margins)


def _scored(games: pl.DataFrame, home: np.ndarray, away: np.ndarray) -> pl.DataFrame:
    return games.with_columns(home_score=pl.Series(home), away_score=pl.Series(away))


def _seasons(games: pl.DataFrame) -> list[np.ndarray]:
    """Where the games of each season are, in the order of seasons."""
    seasons = games["season"].to_numpy()
    return [seasons == year for year in np.unique(seasons)]


def _columns(games: pl.DataFrame) -> Sequence[np.ndarray]:
    return [games[name].to_numpy() for name in ("home_score", "away_score", "week")]


def _simulated(week: np.ndarray, scores: Scores, own: np.ndarray) -> dict[str, float]:
    """Mean over the draws of a season's scalars; its games are the columns `own`."""
    found = [
        scalars(home, away, week)
        for home, away in zip(scores.home[:, own], scores.away[:, own], strict=True)
    ]
    return {name: float(np.mean([one[name] for one in found])) for name in SCALARS}


def _distances(
    seasons: Sequence[np.ndarray], values: np.ndarray, others: np.ndarray | None
) -> list[float]:
    """Distance of each season's values to `others`; None: to those of all other seasons."""
    return [distance(values[own], values[~own] if others is None else others) for own in seasons]


def _weighted(pmf: np.ndarray, weight: np.ndarray) -> np.ndarray:
    made = pmf * weight
    return made / made.sum(axis=1, keepdims=True)


def _drawn(below: np.ndarray, game: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Points by the inverse of each game's distribution function, found by bisection.

    Args:
        below: games x POINTS, cumulated.
        game: row of each draw.
        uniform: in [0, 1), a number a draw.
    """
    low, high = np.zeros(len(game), np.int64), np.full(len(game), below.shape[1] - 1)
    while (low < high).any():
        middle = (low + high) // 2
        past = below[game, middle] > uniform
        high = np.where(past, middle, high)
        low = np.where(past, low, np.minimum(middle + 1, high))
    return low

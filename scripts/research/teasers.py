"""Teasers: bets on several games at once, each line moved a few points in the bettor's favour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.stats import binomtest

from scripts.errors import DataError
from scripts.research import bankroll
from scripts.research.paired import Interval
from scripts.research.score_distribution import above
from scripts.research.sizing import decimal_odds

LEVEL = 0.95


class Legs(NamedTuple):
    """Legs of one kind: how many were decided, how often they won, without pushes."""

    decided: int
    pushes: int
    rate: float
    low: float  # ends of the 95 % Wilson interval of the rate
    high: float


class Pairs(NamedTuple):
    """How often two legs of a week both won, with intervals over weeks."""

    rate: Interval
    excess: Interval  # rate less the square of the rate of one leg: 0 if legs are independent


def won(margin: np.ndarray, spread: np.ndarray, points: float, side: str) -> np.ndarray:
    """Whether the leg of each game won: 1, 0, or NaN for a push, which cancels the leg.

    Home with `points` wins where margin + points > spread (nflverse's sign: spread > 0, home gives
    points); the visitors with them where margin - points < spread.

    Args:
        margin: home less visitors, points.
        spread: points by which home is favoured.
        points: what the teaser adds.
        side: home or away.
    """
    if side not in ("home", "away"):
        raise DataError(f"side {side!r}; expected home or away")
    sign = 1.0 if side == "home" else -1.0
    ahead = sign * (np.asarray(margin, np.float64) - np.asarray(spread, np.float64)) + points
    return np.where(ahead == 0, np.nan, (ahead > 0).astype(np.float64))


def legs(won: np.ndarray) -> Legs:
    """Share of the decided legs that won, of `won`, with Wilson's interval (Wilson 1927).

    Raises:
        DataError: none was decided.
    """
    decided = won[~np.isnan(won)]
    if not len(decided):
        raise DataError(f"{len(won)} legs, none decided")
    wins = int(decided.sum())
    found = binomtest(wins, len(decided)).proportion_ci(LEVEL, method="wilson")
    pushes = len(won) - len(decided)
    return Legs(len(decided), pushes, wins / len(decided), float(found.low), float(found.high))


def decimal(american: float) -> float:
    """What a unit pays in all if won, of American odds: -110 gives 1.909."""
    return float(decimal_odds(american))


def expected_value(rate: float, number: int, american: float) -> float:
    """Expected profit of a unit on `number` independent legs, all of which must win.

    rate^number * decimal odds - 1: the stake is lost with all other outcomes.

    Args:
        rate: probability that a decided leg wins.
        number: legs.
        american: price of the teaser.
    """
    if not (0 <= rate <= 1 and number >= 1):
        raise DataError(f"rate {rate:g} of {number} legs; expected a probability and 1 or more")
    return rate**number * decimal(american) - 1


def break_even(number: int, american: float) -> float:
    """Leg rate at which the expected value is zero."""
    return decimal(american) ** (-1 / number)


def pairs(won: np.ndarray, weeks: pl.DataFrame, *, draws: int, seed: int) -> Pairs:
    """Share of pairs of decided legs of the same week that both won, against independence.

    Legs that are independent, with the same rate in all weeks, have its square. Intervals are
    percentiles over whole weeks drawn with replacement; a week drawn twice is two weeks.

    Args:
        won: 1, 0 or NaN, a value a game.
        weeks: season and week of the same games.
        draws: number of draws.
        seed: of the draws.

    Raises:
        DataError: no week has two decided legs.
    """
    table = weeks.select("season", "week").with_columns(won=pl.Series(won).fill_nan(None))
    found = (
        table.drop_nulls("won")
        .group_by("season", "week", maintain_order=True)
        .agg(pl.len().alias("n"), pl.sum("won"))
        .filter(pl.col("n") > 1)
    )
    if found.is_empty():
        raise DataError(f"{len(won)} legs, no two decided in a week")
    n, wins = (found[name].cast(pl.Float64).to_numpy() for name in ("n", "won"))

    def rate(week: np.ndarray) -> float:
        return (wins[week] * (wins[week] - 1)).sum() / (n[week] * (n[week] - 1)).sum()

    def excess(week: np.ndarray) -> float:
        return rate(week) - (wins[week].sum() / n[week].sum()) ** 2

    each = np.arange(len(n))
    both = (bankroll.cluster_interval(of, each, draws=draws, seed=seed) for of in (rate, excess))
    return Pairs(*(Interval(*one) for one in both))


def implied(pmf: np.ndarray, spread: np.ndarray, points: float, side: str) -> float:
    """Leg rate that distributions of the margin imply: P(win) over P(no push), summed over games.

    Args:
        pmf: games x MARGINS.
        spread, points, side: as in `won`.
    """
    sign = 1.0 if side == "home" else -1.0
    over, push = above(pmf, np.asarray(spread, np.float64) - sign * points)
    wins = over if side == "home" else 1 - over - push
    return float(wins.sum() / (1 - push).sum())


def kinds(spread: np.ndarray) -> Mapping[tuple[str, str], np.ndarray]:
    """(kind of leg, side) -> whether the game has one. Six points cross both 3 and 7 in two kinds.

    They are underdogs that get 1.5 to 2.5 points, and favourites that give 7.5 to 8.5 (Wong 2001).
    """
    spread = np.asarray(spread, np.float64)
    gives = {"home": spread, "away": -spread}
    found = {}
    for side, line in gives.items():
        found[f"{side}, all", side] = np.ones(len(line), bool)
    for side, line in gives.items():
        found[f"{side}, gets 1.5 to 2.5", side] = (line <= -1.5) & (line >= -2.5)
        found[f"{side}, gives 7.5 to 8.5", side] = (line >= 7.5) & (line <= 8.5)
    return found

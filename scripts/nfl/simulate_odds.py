"""Closing lines of a market that only knows earlier results, for sources that have no lines.

Every franchise has a margin rating and a rating of the points in its games. They start at zero,
move after each day towards its results, and shrink between seasons. A line is the expectation
before the day plus a small noise: the lines are public information only, with an error of their
own, so a model can be compared with them but not judged by them.
"""

import math
import zlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.special import ndtr

from scripts.errors import DataError
from scripts.nfl.columns import ODDS, SCHEDULES
from scripts.nfl.teams import franchise
from scripts.tables import conform, scan, write

HOME_EDGE = 2.5  # points
MEAN_TOTAL = 44.0  # points of both teams, before any game is known
NOISE = 1.5  # points, standard deviation of spread and total around the expectation
MARGIN_RATE, TOTAL_RATE, MEAN_RATE = 0.07, 0.03, 0.005  # share of a surprise that is believed
KEPT = 0.65  # share of a rating that outlives the off-season
BLOWOUT = 24.0  # points; a larger surprise counts as this
MAX_SPREAD, TOTALS = 24.0, (30.0, 65.0)  # points, what is ever offered
MARGIN_SD = 13.5  # points, of the margin around the spread
OVERROUND = 1.045  # sum of both implied probabilities
MAX_PROBABILITY = 0.94  # of a favourite, before the overround


class Lines(NamedTuple):
    """Expectations of a game before its day, in points."""

    game_id: str
    spread: float
    total: float


def expectations(games: pl.DataFrame, season: int) -> list[Lines]:
    """Expected home margin and total of a season's games, each from games of earlier dates only.

    Args:
        games: columns of `SCHEDULES`, of the season and those before it, in any order.
        season: the season.
    """
    rows = (
        games.filter(pl.col("season") <= season)
        .sort("date", "game_id")
        .select(
            "game_id",
            "season",
            "date",
            "neutral",
            "home_score",
            "away_score",
            franchise(pl.col("home_team")).alias("home"),
            franchise(pl.col("away_team")).alias("away"),
        )
    )
    margin: defaultdict[str, float] = defaultdict(float)
    points: defaultdict[str, float] = defaultdict(float)
    mean, year, found = MEAN_TOTAL, None, []
    for day in rows.partition_by("date", maintain_order=True):
        today = list(day.iter_rows(named=True))
        if year is not None and today[0]["season"] > year:
            for rating in (margin, points):
                for team in rating:
                    rating[team] *= KEPT
        year = today[0]["season"]
        expected = []
        for game in today:
            edge = 0.0 if game["neutral"] else HOME_EDGE
            spread = edge + margin[game["home"]] - margin[game["away"]]
            total = mean + points[game["home"]] + points[game["away"]]
            expected.append((game, Lines(game["game_id"], spread, total)))
        found += [lines for game, lines in expected if game["season"] == season]
        for game, lines in expected:
            if game["home_score"] is None or game["away_score"] is None:
                continue
            surprise = game["home_score"] - game["away_score"] - lines.spread
            surprise = max(-BLOWOUT, min(BLOWOUT, surprise))
            margin[game["home"]] += MARGIN_RATE * surprise
            margin[game["away"]] -= MARGIN_RATE * surprise
            surprise = game["home_score"] + game["away_score"] - lines.total
            surprise = max(-BLOWOUT, min(BLOWOUT, surprise))
            points[game["home"]] += TOTAL_RATE * surprise
            points[game["away"]] += TOTAL_RATE * surprise
            mean += MEAN_RATE * surprise
    return found


def american(probability: float) -> int:
    """American odds that imply a probability: -110 wins 100 for 110, +110 wins 110 for 100."""
    if probability >= 0.5:
        return -round(100 * probability / (1 - probability))
    return round(100 * (1 - probability) / probability)


def offered(lines: Lines, seed: int) -> dict:
    """What the market offers for a game; its noise depends on the seed and the game's id only.

    Moneylines: the home team wins with the probability Phi(spread / MARGIN_SD).
    """
    rng = np.random.default_rng([seed, zlib.crc32(f"odds {lines.game_id}".encode())])
    shifts = NOISE * rng.standard_normal(2)
    spread = max(-MAX_SPREAD, min(MAX_SPREAD, lines.spread + shifts[0]))
    total = max(TOTALS[0], min(TOTALS[1], lines.total + shifts[1]))
    spread, total = (math.floor(2 * value + 0.5) / 2 for value in (spread, total))
    home = float(np.clip(ndtr(spread / MARGIN_SD), 1 - MAX_PROBABILITY, MAX_PROBABILITY))
    return {
        "game_id": lines.game_id,
        "spread_line": spread,
        "total_line": total,
        "home_moneyline": american(OVERROUND * home),
        "away_moneyline": american(OVERROUND * (1 - home)),
    }


def simulate(games: pl.DataFrame, season: int, seed: int) -> pl.DataFrame:
    """Closing lines of a season, columns `ODDS`, in the order of date and game_id.

    Args:
        games: columns of `SCHEDULES`, of the season and those before it, in any order.
        season: the season.
        seed: of the noise, not negative.

    Raises:
        DataError: the season has no game.
    """
    lines = expectations(games, season)
    if not lines:
        raise DataError(f"schedules: no game of season {season}; build that season")
    frame = pl.DataFrame([offered(line, seed) for line in lines])
    marks = {"season": pl.lit(season), "simulated": pl.lit(True)}
    return conform(frame.with_columns(**marks), ODDS)


def build(schedules: Sequence[Path], season: int, seed: int, out: Path) -> str:
    """Write the simulated closing lines of a season.

    Args:
        schedules: partitions of the season and of those before it.
        season: the season.
        seed: of the noise.
        out: partition to write.

    Returns:
        one line for the log.

    Raises:
        DataError: see `simulate`.
    """
    odds = simulate(scan(schedules, SCHEDULES).collect(), season, seed)
    write(odds, out)
    return f"lines of {odds.height} games, mean spread {odds['spread_line'].mean():.2f}"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                schedules=[Path(path) for path in snakemake.input.schedules],  # noqa: F821
                season=int(snakemake.wildcards.season),  # noqa: F821
                seed=snakemake.params.seed,  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

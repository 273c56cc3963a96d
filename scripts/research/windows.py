"""Which seasons a study learns from, and which it is tested on, by what the data hold."""

from __future__ import annotations

import polars as pl

from scripts.errors import DataError

WHOLE = 0.9  # share of a season's games with a result, from which it counts as played


def played(games: pl.DataFrame) -> pl.DataFrame:
    """Games with a result and both closing lines, of the seasons that have been played.

    A season still going on would be tested on its first weeks only.

    Args:
        games: columns of nfl/features/games.parquet; season, home_margin, spread_line, total_line.

    Raises:
        DataError: no such game.
    """
    done = pl.col("home_margin").is_not_null()
    whole = games.filter(done.mean().over("season") >= WHOLE)
    found = whole.filter(
        done & pl.all_horizontal(pl.col("spread_line", "total_line").is_not_null())
    )
    if found.is_empty():
        raise DataError(f"{games.height} games, none of a played season with result and lines")
    return found


def split(games: pl.DataFrame, last: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Games of all seasons but the `last` ones, and of those.

    Where there are fewer than twice as many seasons, a third of them is tested.

    Raises:
        DataError: games of fewer than two seasons, or `last` below 1.
    """
    seasons = games["season"].unique().sort()
    if len(seasons) < 2 or last < 1:
        raise DataError(f"{len(seasons)} seasons, the last {last} to be tested; expected 2 and 1")
    tested = last if len(seasons) >= 2 * last else max(1, len(seasons) // 3)
    first = seasons[-tested]
    return games.filter(pl.col("season") < first), games.filter(pl.col("season") >= first)

"""What a team's earlier games say: means and sums that were known before each of its games."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

LAST = (3, 5)  # games of the short windows
KEY = ["team", "date"]


def known_before(
    games: pl.DataFrame,
    statistics: Sequence[str],
    sums: Sequence[str],
    last: Sequence[int] = LAST,
) -> pl.DataFrame:
    """Statistics of each team over its earlier games.

    For each statistic x: `x_prior` (mean over all earlier games), `x_last3`, `x_last5` (mean over
    the last games, at least one), `x_season` (mean over those of this season), and for `sums`
    `x_prior_sum`; `games_prior` and `games_season` count them. A game counts when its result is
    known (column `known`); a null statistic counts in no mean, but takes its place in x_last3 and
    x_last5.

    Args:
        games: a row for each team in each game: team, date, season, known and the statistics. A
            team plays at most once a day.
        statistics: their columns.
        sums: those of them that are also summed up.
        last: games of the short windows; each k makes its `x_last<k>`.

    Returns:
        team, date and the columns above, a row for each row of `games`, sorted by team and date.
    """
    games = games.sort(KEY)
    played = games.filter("known")
    ever = _after(played, statistics, sums, last)
    season = _after_in_season(played, statistics)
    before = {"on": "date", "strategy": "backward", "allow_exact_matches": False}
    found = games.select("team", "date", "season")
    # Sorted by team and date: join_asof by group wants each group in order, which it is.
    found = found.join_asof(ever, by="team", check_sortedness=False, **before)
    found = found.join_asof(season, by=["team", "season"], check_sortedness=False, **before)
    counts = pl.col("games_prior", "games_season").fill_null(0).cast(pl.Float64)
    return found.drop("season").with_columns(counts)


def _after(
    played: pl.DataFrame, statistics: Sequence[str], sums: Sequence[str], last: Sequence[int]
) -> pl.DataFrame:
    """The state after each game, over all of a team's games up to it."""
    made = [pl.int_range(1, pl.len() + 1).over("team").alias("games_prior")]
    for name in statistics:
        value, there = pl.col(name).cast(pl.Float64), pl.col(name).is_not_null()
        total, count = value.fill_null(0).cum_sum().over("team"), there.cum_sum().over("team")
        made.append(_ratio(total, count).alias(f"{name}_prior"))
        if name in sums:
            made.append(pl.when(count > 0).then(total).alias(f"{name}_prior_sum"))
        for games in last:
            # Sums of shifted columns, not running ones: what left the window leaves no trace.
            window = [value.shift(back).over("team") for back in range(games)]
            number = pl.sum_horizontal(shifted.is_not_null() for shifted in window)
            made.append(_ratio(pl.sum_horizontal(window), number).alias(f"{name}_last{games}"))
    return played.select("team", "date", *made)


def _after_in_season(played: pl.DataFrame, statistics: Sequence[str]) -> pl.DataFrame:
    """The state after each game, over a team's games of the season up to it."""
    group = ["team", "season"]
    made = [pl.int_range(1, pl.len() + 1).over(group).alias("games_season")]
    for name in statistics:
        total = pl.col(name).cast(pl.Float64).fill_null(0).cum_sum().over(group)
        count = pl.col(name).is_not_null().cum_sum().over(group)
        made.append(_ratio(total, count).alias(f"{name}_season"))
    return played.select("team", "season", "date", *made)


def _ratio(total: pl.Expr, count: pl.Expr) -> pl.Expr:
    """A mean; of nothing it is null."""
    return pl.when(count > 0).then(total / count)


def last_known(games: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Values of a team's last earlier game whose result is known, as `prev_<column>`.

    Args:
        games: a row for each team in each game: team, date, known and the columns.
        columns: their names.

    Returns:
        team, date and the values, null before the first game, sorted by team and date.
    """
    games = games.sort(KEY)
    played = games.filter("known").select(
        "team", "date", *(pl.col(name).alias(f"prev_{name}") for name in columns)
    )
    return games.select(KEY).join_asof(
        played,
        on="date",
        by="team",
        strategy="backward",
        allow_exact_matches=False,
        check_sortedness=False,
    )

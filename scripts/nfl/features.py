"""Features of games that were known before their kickoff; docs/nfl.md says what each one means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from scripts.errors import DataError
from scripts.nfl import asof, elo, situation
from scripts.nfl import feature_columns as told
from scripts.nfl.feature_columns import GROUPS
from scripts.nfl.teams import franchise
from scripts.tables import conform

FORM, EFFICIENCY = tuple(told.FORM), tuple(told.EFFICIENCY)
SUMS, WEATHER = told.SUMS, tuple(told.WEATHER)
KEYS, SCORES = tuple(told.KEYS), tuple(told.SCORES)
TARGETS = ("home_win", "home_cover", "over_hit")
SIDES = tuple(told.TEAMS)


def columns_of(groups: Iterable[str]) -> list[str]:
    """Feature columns of groups, in the order of the table.

    Raises:
        DataError: there is no such group.
    """
    wanted = set(groups)
    if unknown := sorted(wanted - set(GROUPS)):
        raise DataError(f"no feature group {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    return [column for group, columns in GROUPS.items() if group in wanted for column in columns]


def team_games(games: pl.DataFrame, statistics: pl.DataFrame) -> pl.DataFrame:
    """One row for each team in each game: what it did there, null while it is not known.

    Args:
        games: columns `columns.SCHEDULES`.
        statistics: columns of `build_team_epa.COLUMNS`.

    Returns:
        game_id, season, date, team, opponent (franchises), at_home, known, qb, coach, `FORM`,
        `EFFICIENCY`.
    """
    made = statistics.select(
        "game_id",
        franchise(pl.col("team")).alias("team"),
        "plays",
        "pass_epa",
        "rush_epa",
        "success_rate",
        "explosive_rate",
        "turnovers",
        "penalties",
        epa="epa_sum",
        epa_play="epa_mean",
    )
    allowed = made.select("game_id", "team", epa_allowed="epa", success_allowed="success_rate")
    sides = []
    for own, other in (SIDES, SIDES[::-1]):
        points, against = pl.col(f"{own}_score"), pl.col(f"{other}_score")
        margin = points - against
        sides.append(
            games.select(
                "game_id",
                "season",
                "date",
                franchise(pl.col(f"{own}_team")).alias("team"),
                franchise(pl.col(f"{other}_team")).alias("opponent"),
                pl.lit(own == "home").alias("at_home"),
                margin.is_not_null().alias("known"),
                pl.col(f"{own}_qb").alias("qb"),
                pl.col(f"{own}_coach").alias("coach"),
                points_for=points,
                points_against=against,
                margin=margin,
                win=(margin.sign() + 1) / 2,
            )
        )
    return (
        pl.concat(sides)
        .join(made, on=["game_id", "team"], how="left")
        .join(allowed, left_on=["game_id", "opponent"], right_on=["game_id", "team"], how="left")
    )


def build(
    games: pl.DataFrame,
    statistics: pl.DataFrame,
    located: pl.DataFrame,
    odds: pl.DataFrame | None,
    weather: pl.DataFrame | None,
    settings: Mapping[str, float],
) -> pl.DataFrame:
    """Features and targets of all games, in the order of date and game_id.

    Args:
        games: schedule of all seasons, columns `columns.SCHEDULES`.
        statistics: columns of `build_team_epa.COLUMNS`; a game may lack them.
        located: places of the games, from `stadiums.locate`.
        odds: columns `columns.ODDS`; None: no closing lines, and no targets that need them.
        weather: columns `columns.WEATHER`; None: no weather.
        settings: of the Elo ratings: k, home_edge, regression.

    Returns:
        columns `feature_columns.COLUMNS`; without odds or weather less what needs them.

    Raises:
        DataError: a team has two games on one day.
    """
    games = games.sort("date", "game_id")
    sides = team_games(games, statistics)
    check_days(sides)
    state = asof.known_before(sides, [*FORM, *EFFICIENCY], SUMS)
    parts = [
        asof.last_known(sides, ["win", "margin"]),
        situation.rest(sides),
        situation.tenure(sides, "qb", "qb"),
        situation.tenure(sides, "coach", "coach"),
    ]
    if odds is not None:
        parts.append(_previous_line(sides, odds))
    for part in parts:
        state = state.join(part, on=["team", "date"], how="left")
    frame = games.with_columns(franchise(pl.col("home_team", "away_team")))
    frame = _by_side(frame, state)
    margin = pl.col("home_score") - pl.col("away_score")
    rated = frame.select(
        "game_id", "date", "season", "neutral", home="home_team", away="away_team", margin=margin
    )
    for part in (elo.ratings(rated, settings), situation.places(games, located)):
        frame = frame.join(part, on="game_id", how="left")
    frame = frame.with_columns(
        pl.col("neutral").cast(pl.Float64).alias("neutral_site"),
        pl.col("div_game").cast(pl.Float64),
        pl.col("week").cast(pl.Float64).alias("week_number"),
        (pl.col("game_type") != "REG").cast(pl.Float64).alias("postseason"),
        margin.alias("home_margin"),
        (pl.col("home_score") + pl.col("away_score")).alias("total"),
    )
    frame = _with_outside(frame, odds, weather)
    return _ordered(frame)


def check_days(sides: pl.DataFrame) -> None:
    """Check that no team plays twice a day: what was known before a game could not be told.

    Args:
        sides: a row for each team in each game: game_id, date, team.

    Raises:
        DataError: a team has two games on one day.
    """
    twice = sides.filter(pl.struct("team", "date").is_duplicated()).sort("date", "team")
    if twice.height:
        row = twice.row(0, named=True)
        raise DataError(
            f"schedule: {row['team']} has two games on {row['date']} ({twice['game_id'][0]}, "
            f"{twice['game_id'][1]}); correct it"
        )


def _previous_line(sides: pl.DataFrame, odds: pl.DataFrame) -> pl.DataFrame:
    """Line of each team's last earlier game, from its own side, and how it did against it."""
    lines = sides.join(odds.select("game_id", "spread_line"), on="game_id", how="left")
    line = pl.when("at_home").then("spread_line").otherwise(-pl.col("spread_line"))
    cover = ((pl.col("margin") - line).sign() + 1) / 2
    return asof.last_known(lines.with_columns(line=line, cover=cover), ["line", "cover"])


def _by_side(frame: pl.DataFrame, state: pl.DataFrame) -> pl.DataFrame:
    """Games with the state of both teams."""
    for side in SIDES:
        named = state.rename({name: f"{side}_{name}" for name in state.columns if name != "date"})
        frame = frame.join(named, on=[f"{side}_team", "date"], how="left")
    return frame


def _with_outside(
    frame: pl.DataFrame, odds: pl.DataFrame | None, weather: pl.DataFrame | None
) -> pl.DataFrame:
    """Games with what comes from outside: closing lines and weather, as far as there are any."""
    if weather is not None:
        frame = frame.join(weather.select("game_id", *WEATHER), on="game_id", how="left")
        outside = pl.col("indoors").ne_missing(1.0)
        frame = frame.with_columns(pl.when(outside).then(pl.col(WEATHER)))
    margin = pl.col("home_margin")
    frame = frame.with_columns(outcome(margin, 0).alias("home_win"))
    if odds is None:
        return frame
    frame = frame.join(odds.drop("season", "simulated"), on="game_id", how="left")
    home, away = (implied(pl.col(f"{side}_moneyline")) for side in SIDES)
    return frame.with_columns(
        market_prob=home / (home + away),
        home_cover=outcome(margin, pl.col("spread_line")),
        over_hit=outcome(pl.col("total"), pl.col("total_line")),
    )


def outcome(value: pl.Expr, line: pl.Expr | int) -> pl.Expr:
    """1 above the line, 0 below, null on it or where either is unknown."""
    return pl.when(value != line).then((value > line).cast(pl.Int8))


def implied(moneyline: pl.Expr) -> pl.Expr:
    """One over the decimal odds: what a price says of the chance, the bookmaker's share in it."""
    return (
        pl.when(moneyline < 0)
        .then(-moneyline / (100 - moneyline))
        .otherwise(100 / (100 + moneyline))
    )


def _ordered(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns in their order, differences made, floats throughout."""
    names = [name for name in columns_of(GROUPS) if not name.endswith("_diff")]
    diffs = [name for name in columns_of(GROUPS) if name.endswith("_diff")]
    there = [name for name in names if name in frame.columns]
    frame = frame.with_columns(pl.col(there).cast(pl.Float64)).with_columns(
        (pl.col(f"home_{name[:-5]}") - pl.col(f"away_{name[:-5]}")).alias(name)
        for name in diffs
        if f"home_{name[:-5]}" in there
    )
    made = {name: column for name, column in told.COLUMNS.items() if name in frame.columns}
    return conform(frame, made).sort("date", "game_id")

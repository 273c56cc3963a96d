"""The warehouse's views as polars makes them from the same tables: what its SQL is checked by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import polars as pl

from scripts.nfl import asof
from scripts.nfl.build_team_epa import team_games
from scripts.nfl.columns import ODDS, PLAYER_GAMES, WEATHER
from scripts.nfl.features import FORM, SIDES, check_days, implied, outcome
from scripts.nfl.features import team_games as with_statistics
from scripts.nfl.teams import franchise
from scripts.tables import schema_of

LAST = (3, 5, 10)  # games of the short windows
LINES = 10  # games over which a team's record against the lines is taken
ROLLING = (
    *FORM,
    *("plays", "epa", "epa_play", "success_rate", "explosive_rate", "turnovers"),
    *("epa_allowed", "success_allowed"),
)
COUNTED = [*PLAYER_GAMES][[*PLAYER_GAMES].index("team") + 1 :]  # a player's statistics


class View(NamedTuple):
    """How to make a view: its key, the function, and the frames it takes, in order.

    Frames are tables by the warehouse's names, or views that stand before it in `VIEWS`.
    """

    key: tuple[str, ...]
    make: Callable[..., pl.DataFrame]
    frames: tuple[str, ...]


def game_aggregates(games: pl.DataFrame, plays: pl.DataFrame) -> pl.DataFrame:
    """What each team's passes and runs came to in each game.

    Args:
        games: columns `columns.SCHEDULES`.
        plays: columns `columns.PLAYS` and `play_types.COLUMNS`.

    Returns:
        season, game_id, team, opponent (codes of the time), at_home; plays, epa (their sum),
        epa_play, pass_epa, rush_epa, success_rate, explosive_passes, explosive_runs,
        explosive_rate, turnovers as in `build_team_epa.COLUMNS`; sorted by game_id and team.
    """
    types = plays.select("game_id", "play_id", "play_class", "explosive")
    found = team_games(plays.drop("play_class", "explosive"), types)
    at_home = pl.col("team") == pl.col("home_team")
    found = found.join(games.select("game_id", "home_team", "away_team"), on="game_id")
    return found.select(
        *("season", "game_id", "team"),
        pl.when(at_home).then("away_team").otherwise("home_team").alias("opponent"),
        at_home.alias("at_home"),
        "plays",
        pl.col("epa_sum").alias("epa"),
        pl.col("epa_mean").alias("epa_play"),
        *("pass_epa", "rush_epa", "success_rate"),
        *("explosive_passes", "explosive_runs", "explosive_rate", "turnovers"),
    ).sort("game_id", "team")


def team_rolling_stats(games: pl.DataFrame, aggregates: pl.DataFrame) -> pl.DataFrame:
    """What was known of each team before each game, from its earlier games.

    Args:
        games: columns `columns.SCHEDULES`.
        aggregates: `game_aggregates` of them; a game may lack them.

    Returns:
        two rows for each game: season, game_id, date, team, opponent (franchises), at_home,
        games_prior, games_season (known earlier games, ever and in the season), and for each x of
        `ROLLING` x_last3, x_last5, x_last10, x_season (means, see `asof.known_before`); sorted by
        game_id and team.

    Raises:
        DataError: a team has two games on one day.
    """
    statistics = aggregates.rename({"epa": "epa_sum", "epa_play": "epa_mean"})
    # No view tells of penalties, which the NFL domain's features have.
    statistics = statistics.with_columns(penalties=pl.lit(None, pl.Int32))
    sides = with_statistics(games, statistics)
    check_days(sides)
    state = asof.known_before(sides, ROLLING, sums=(), last=LAST)
    windows = [*(f"last{number}" for number in LAST), "season"]
    return (
        sides.select("season", "game_id", "date", "team", "opponent", "at_home")
        .join(state, on=["team", "date"])
        .select(
            *("season", "game_id", "date", "team", "opponent", "at_home"),
            pl.col("games_prior", "games_season").cast(pl.Int32),
            *(f"{name}_{window}" for name in ROLLING for window in windows),
        )
        .sort("game_id", "team")
    )


def team_matchup_history(games: pl.DataFrame) -> pl.DataFrame:
    """What was known before each game of the earlier games between its two franchises.

    Args:
        games: columns `columns.SCHEDULES`.

    Returns:
        a row for each game, sorted by game_id: season, game_id, date, home_team, away_team
        (franchises), meetings, home_wins, away_wins (of today's home team and visitors, on
        whichever side they were), ties, home_margin_mean, last_date, last_home_margin (margins as
        today's home team sees them; null without meetings).

    Raises:
        DataError: a team has two games on one day.
    """
    pairs = _today(games)
    # A pair of franchises plays as a team does, seen from the one that is first in the alphabet.
    home_first = pl.col("home_team") < pl.col("away_team")
    sign = pl.when(home_first).then(1).otherwise(-1)
    margin = (pl.col("home_score") - pl.col("away_score")) * sign
    pairs = pairs.with_columns(
        pl.concat_str(
            pl.min_horizontal("home_team", "away_team"),
            pl.max_horizontal("home_team", "away_team"),
            separator=" and ",
        ).alias("team"),
        margin.is_not_null().alias("known"),
        margin.alias("margin"),
        (margin > 0).alias("first"),
        (margin < 0).alias("second"),
        (margin == 0).alias("tie"),
    )
    check_days(pairs)
    results = ("first", "second", "tie")
    before = asof.known_before(pairs, ["margin", *results], results, last=())
    last = asof.last_known(pairs, ["date", "margin"])
    first, second, ties = (
        pl.col(f"{result}_prior_sum").fill_null(0).cast(pl.Int32) for result in results
    )
    return (
        pairs.join(before, on=["team", "date"])
        .join(last, on=["team", "date"])
        .select(
            *("season", "game_id", "date", "home_team", "away_team"),
            pl.col("games_prior").cast(pl.Int32).alias("meetings"),
            pl.when(home_first).then(first).otherwise(second).alias("home_wins"),
            pl.when(home_first).then(second).otherwise(first).alias("away_wins"),
            ties.alias("ties"),
            (pl.col("margin_prior") * sign).alias("home_margin_mean"),
            pl.col("prev_date").alias("last_date"),
            (pl.col("prev_margin") * sign).alias("last_home_margin"),
        )
        .sort("game_id")
    )


def player_season_stats(
    games: pl.DataFrame, player_games: pl.DataFrame, players: pl.DataFrame
) -> pl.DataFrame:
    """What each player did in each season, play-offs too.

    Args:
        games: columns `columns.SCHEDULES`.
        player_games: columns `columns.PLAYER_GAMES`; may be empty.
        players: columns `columns.PLAYERS`; a player may be missing.

    Returns:
        season, player_id, name, position, birth_date (of the latest season that lists the player;
        the name of one who is in none is that of his latest game of the season), teams
        (franchises, joined by ", "), games, and the sum of each statistic, null where no game has
        it; sorted by season and player_id.
    """
    days = games.select("game_id", "date")
    counted = player_games.join(days, on="game_id", how="left").sort("date", "game_id")
    total = pl.col(COUNTED)
    seasons = counted.group_by("season", "player_id").agg(
        pl.col("name").last().alias("own_name"),
        franchise(pl.col("team")).unique().sort().str.join(", ").alias("teams"),
        pl.len().cast(pl.Int32).alias("games"),
        pl.when(total.count() > 0).then(total.sum()).name.keep(),
    )
    listed = players.sort("season").unique("player_id", keep="last", maintain_order=True)
    listed = listed.select("player_id", "name", "position", "birth_date")
    return (
        seasons.join(listed, on="player_id", how="left")
        .with_columns(pl.coalesce("name", "own_name"))
        .select(
            *("season", "player_id", "name", "position", "birth_date", "teams", "games"), *COUNTED
        )
        .sort("season", "player_id")
    )


def betting_features(games: pl.DataFrame, odds: pl.DataFrame | None) -> pl.DataFrame:
    """Each game against its closing lines, and both teams' earlier games against theirs.

    Args:
        games: columns `columns.SCHEDULES`.
        odds: columns `columns.ODDS`, a game may lack them; None: there are no lines.

    Returns:
        a row for each game, sorted by game_id: season, game_id, date, home_team, away_team
        (franchises), spread_line, total_line, home_margin, total, cover_margin, total_margin
        (points above the line), home_cover, over_hit (1 or 0; null for a push), market_prob, and
        home_cover_last10, away_cover_last10, home_over_last10, away_over_last10: shares of the
        team's last ten known games in which it beat the spread and its games went over the total.

    Raises:
        DataError: a team has two games on one day.
    """
    odds = pl.DataFrame(schema=schema_of(ODDS)) if odds is None else odds
    margin, total = (pl.col(name) for name in ("home_margin", "total"))
    home, away = (implied(pl.col(f"{side}_moneyline")) for side in SIDES)
    lines = (
        _today(games)
        .with_columns(
            home_margin=pl.col("home_score") - pl.col("away_score"),
            total=pl.col("home_score") + pl.col("away_score"),
        )
        .join(odds.drop("season", "simulated"), on="game_id", how="left")
        .with_columns(
            cover_margin=margin - pl.col("spread_line"),
            total_margin=total - pl.col("total_line"),
            home_cover=outcome(margin, pl.col("spread_line")),
            over_hit=outcome(total, pl.col("total_line")),
            market_prob=home / (home + away),
        )
    )
    before = _against_lines(lines)
    for side in SIDES:
        named = before.rename({x: f"{side}_{x}" for x in before.columns if x != "date"})
        lines = lines.join(named, on=[f"{side}_team", "date"])
    return lines.select(
        *("season", "game_id", "date", "home_team", "away_team", "spread_line", "total_line"),
        *("home_margin", "total", "cover_margin", "total_margin"),
        *("home_cover", "over_hit", "market_prob"),
        *(f"{side}_{name}_last{LINES}" for name in ("cover", "over") for side in SIDES),
    ).sort("game_id")


def _against_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """Of each team before each of its games: team, date, cover_last10, over_last10."""
    cover = {"home": pl.col("home_cover"), "away": 1 - pl.col("home_cover")}
    sides = pl.concat(
        lines.select(
            *("season", "game_id", "date"),
            pl.col(f"{side}_team").alias("team"),
            pl.col("home_margin").is_not_null().alias("known"),
            cover[side].alias("cover"),
            pl.col("over_hit").alias("over"),
        )
        for side in SIDES
    )
    check_days(sides)
    state = asof.known_before(sides, ["cover", "over"], sums=(), last=[LINES])
    return state.select("team", "date", f"cover_last{LINES}", f"over_last{LINES}")


def venue_weather_features(games: pl.DataFrame, weather: pl.DataFrame | None) -> pl.DataFrame:
    """Each game's weather, and what was known before of the points and weather at its venue.

    Args:
        games: columns `columns.SCHEDULES`.
        weather: columns `columns.WEATHER`, a game may lack it; None: there is none.

    Returns:
        a row for each game, sorted by game_id: season, game_id, date, venue (the stadium, where
        it is unknown the home franchise unless the ground is neutral), temp_c, wind_kmh,
        precip_mm, venue_games (known games there before that day), venue_total_mean,
        venue_temp_c_mean, venue_wind_kmh_mean (of those with a measure), temp_c_diff (from it).
    """
    weather = pl.DataFrame(schema=schema_of(WEATHER)) if weather is None else weather
    at_home = pl.when(~pl.col("neutral")).then(franchise(pl.col("home_team")))
    frame = games.select(
        *("season", "game_id", "date"),
        pl.coalesce("stadium", at_home).alias("venue"),
        (pl.col("home_score") + pl.col("away_score")).alias("total"),
    ).join(weather.select("game_id", "temp_c", "wind_kmh", "precip_mm"), on="game_id", how="left")
    measures, known = ("total", "temp_c", "wind_kmh"), pl.col("total").is_not_null()
    # By days, not by games: two games at a venue on one day do not see each other.
    days = (
        frame.group_by("venue", "date")
        .agg(
            known.sum().cast(pl.Int32).alias("venue_games"),
            *(pl.col(x).filter(known).sum().cast(pl.Float64).alias(f"{x}_sum") for x in measures),
            *(pl.col(x).filter(known).count().cast(pl.Int64).alias(f"{x}_n") for x in measures),
        )
        .sort("venue", "date")
    )
    sums = pl.exclude("venue", "date").cum_sum().shift(1, fill_value=0).over("venue")
    means = [
        pl.when(pl.col(f"{x}_n") > 0)
        .then(pl.col(f"{x}_sum") / pl.col(f"{x}_n"))
        .alias(f"venue_{x}_mean")
        for x in measures
    ]
    before = days.with_columns(sums).select("venue", "date", "venue_games", *means)
    return (
        frame.join(before, on=["venue", "date"], how="left")
        .select(
            *("season", "game_id", "date", "venue", "temp_c", "wind_kmh", "precip_mm"),
            pl.col("venue_games").fill_null(0),
            *(f"venue_{x}_mean" for x in measures),
            (pl.col("temp_c") - pl.col("venue_temp_c_mean")).alias("temp_c_diff"),
        )
        .sort("game_id")
    )


def _today(games: pl.DataFrame) -> pl.DataFrame:
    """Games with their teams' codes of today."""
    columns = ("season", "game_id", "date", "home_team", "away_team", "home_score", "away_score")
    return games.select(columns).with_columns(franchise(pl.col("home_team", "away_team")))


VIEWS: Mapping[str, View] = {  # view -> how to make it, those that others need before them
    "game_aggregates": View(("game_id", "team"), game_aggregates, ("games", "plays")),
    "team_rolling_stats": View(
        ("game_id", "team"), team_rolling_stats, ("games", "game_aggregates")
    ),
    "team_matchup_history": View(("game_id",), team_matchup_history, ("games",)),
    "player_season_stats": View(
        ("season", "player_id"), player_season_stats, ("games", "player_games", "players")
    ),
    "betting_features": View(("game_id",), betting_features, ("games", "odds")),
    "venue_weather_features": View(("game_id",), venue_weather_features, ("games", "weather")),
}

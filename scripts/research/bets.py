"""Bets that a model's out-of-sample predictions suggest at closing prices, and what they paid."""

from __future__ import annotations

import polars as pl

from scripts.errors import DataError
from scripts.research.sizing import (
    SPREAD_PRICE,
    decimal_odds,
    expected_profit,
    fair_probability,
    recalibrate,
)

NEEDED = ("season", "week", "game_id", "date", "outcome", "probability")
FEWEST = 100  # earlier games that bounds are fitted on


def settled(predictions: pl.DataFrame) -> pl.DataFrame:
    """Predictions with an outcome, in the order of time.

    Pushes and ties have no outcome: their stakes are returned, so they are no bets.

    Args:
        predictions: NEEDED, of one model and several seasons.

    Returns:
        NEEDED, and slate: number of the week from 0.

    Raises:
        DataError: no column, a game twice, or nothing settled.
    """
    if missing := [name for name in NEEDED if name not in predictions.columns]:
        raise DataError(f"predictions: no column {', '.join(missing)}")
    known = predictions.select(NEEDED).drop_nulls().sort("date", "game_id")
    if known["game_id"].is_duplicated().any():
        raise DataError("predictions: a game twice; give one model at a time")
    if known.is_empty():
        raise DataError("predictions: no game with an outcome; expected at least one")
    slate = pl.struct("season", "week").rank("dense").cast(pl.Int64) - 1
    return known.with_columns(slate=slate)


def priced(games: pl.DataFrame, odds: pl.DataFrame) -> pl.DataFrame:
    """Games with both closing moneylines as decimal odds, home_odds and away_odds; others are out.

    Args:
        games: game_id, and any other columns.
        odds: game_id, home_moneyline, away_moneyline (American).
    """
    prices = odds.select("game_id", "home_moneyline", "away_moneyline").drop_nulls()
    found = games.join(prices, on="game_id", maintain_order="left")
    home, away = (decimal_odds(found[f"{side}_moneyline"]) for side in ("home", "away"))
    return found.drop("home_moneyline", "away_moneyline").with_columns(
        home_odds=pl.Series(home), away_odds=pl.Series(away)
    )


def moneyline_bets(games: pl.DataFrame, odds: pl.DataFrame, *, level: float) -> pl.DataFrame:
    """The side of each game that the model thinks the better bet at the closing moneylines.

    Args:
        games: `settled` predictions of home_win.
        odds: see `priced`.
        level: one-sided confidence of `low`.

    Returns:
        season, week, slate, game_id, home (whether the bet is on the home side), probability (of
        winning the bet, by the model), low (its lower bound, see `bounded`), fair (by the market),
        odds (decimal), expected (profit of 1 staked, by the model), profit (of 1 staked).
    """
    return _sides(bounded(priced(games, odds), level=level))


def spread_bets(games: pl.DataFrame, *, level: float) -> pl.DataFrame:
    """The side of each closing spread that the model thinks the likelier one, at -110.

    Args:
        games: `settled` predictions of home_cover.
        level: one-sided confidence of `low`.

    Returns:
        As `moneyline_bets`.
    """
    price = pl.lit(SPREAD_PRICE)
    return _sides(bounded(games.with_columns(home_odds=price, away_odds=price), level=level))


def bounded(games: pl.DataFrame, *, level: float) -> pl.DataFrame:
    """With home_fair, the market's probability, and bounds of the probability of outcome 1.

    They come from `sizing.recalibrate` on EARLIER seasons' games, whose predictions were out of
    sample; null in the first season, or with too few games before.

    Args:
        games: `priced`, in the order of time.
        level: one-sided confidence of each of home_low and home_high.
    """
    fair = pl.Series(fair_probability(games["home_odds"], games["away_odds"]))
    games, parts = games.with_columns(home_fair=fair), []
    for (season,), part in games.group_by("season", maintain_order=True):
        earlier = games.filter(pl.col("season") < season)
        low = high = pl.lit(None, pl.Float64)
        if earlier.height >= FEWEST:
            known = recalibrate(*(earlier[c] for c in ("probability", "home_fair", "outcome")))
            both = part["probability"], part["home_fair"]
            low = pl.Series(known.probability(*both, level=level))
            high = pl.Series(known.probability(*both, level=1 - level))
        parts.append(part.with_columns(home_low=low, home_high=high))
    return pl.concat(parts)


def _sides(games: pl.DataFrame) -> pl.DataFrame:
    """The better side of each game that is `bounded`."""
    p = games["probability"]
    home = expected_profit(p, games["home_odds"]) >= expected_profit(1 - p, games["away_odds"])

    def side(home: pl.Expr, away: pl.Expr) -> pl.Expr:
        return pl.when("home").then(home).otherwise(away)

    return (
        games.with_columns(home=pl.Series(home))
        .with_columns(
            probability=side(pl.col("probability"), 1 - pl.col("probability")),
            low=side(pl.col("home_low"), 1 - pl.col("home_high")),
            fair=side(pl.col("home_fair"), 1 - pl.col("home_fair")),
            odds=side(pl.col("home_odds"), pl.col("away_odds")),
            won=pl.col("home") == (pl.col("outcome") == 1),
        )
        .with_columns(
            expected=pl.col("probability") * pl.col("odds") - 1,
            profit=pl.when("won").then(pl.col("odds") - 1).otherwise(-1.0),
        )
        .select(
            *("season", "week", "slate", "game_id", "home", "probability", "low", "fair"),
            *("odds", "expected", "profit"),
        )
    )

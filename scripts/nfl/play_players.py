"""What nflverse's plays add to the box score of the offence's players."""

from __future__ import annotations

import polars as pl

FUMBLED = ("fumbled_1", "fumbled_2")
WHO = ("passer", "rusher", "receiver", "lateral_rusher", "lateral_receiver", *FUMBLED)
NUMBERS = (  # of nflverse's plays; empty ones are 0
    *("complete_pass", "interception", "sack", "fumble_lost", "two_point_attempt"),
    *("passing_yards", "rushing_yards", "receiving_yards", "yards_gained"),
    *("pass_touchdown", "rush_touchdown", "lateral_rushing_yards", "lateral_receiving_yards"),
)
LIMITS = dict.fromkeys(NUMBERS, (-200, 200)) | dict.fromkeys(NUMBERS[:5], (0, 1))
COLUMNS = (
    *("game_id", "play_type", "posteam"),
    *(f"{who}_player_{what}" for who in WHO for what in ("id", "name")),
    *NUMBERS,
    *(f"{who}_team" for who in FUMBLED),
)
ANNULLED = "no_play"
SCRIMMAGE = ("pass", "run", "qb_kneel", "qb_spike")


def _td(name: str, lateral: str) -> pl.Expr:
    """A touchdown of a run or pass whose ball was not handed on: it is of who had it last."""
    return pl.when(pl.col(f"{lateral}_player_id").is_null()).then(name).otherwise(0)


ONE = pl.lit(1, pl.Int32)
ADDS = {  # player of a play -> what it adds to him
    "passer": {
        "attempts": 1 - pl.col("sack"),
        "completions": "complete_pass",
        "passing_yards": "passing_yards",
        "passing_tds": "pass_touchdown",
        "interceptions": "interception",
        "sacks": "sack",
        "sack_yards": -pl.col("sack") * pl.col("yards_gained"),
    },
    "rusher": {
        "carries": ONE,
        "rushing_yards": "rushing_yards",
        "rushing_tds": _td("rush_touchdown", "lateral_rusher"),
    },
    "lateral_rusher": {
        "rushing_yards": "lateral_rushing_yards",
        "rushing_tds": "rush_touchdown",
    },
    "receiver": {
        "targets": ONE,
        "receptions": "complete_pass",
        "receiving_yards": "receiving_yards",
        "receiving_tds": _td("pass_touchdown", "lateral_receiver"),
    },
    "lateral_receiver": {
        "receiving_yards": "lateral_receiving_yards",
        "receiving_tds": "pass_touchdown",
    },
    "fumbled_1": {"fumbles_lost": ONE},
    "fumbled_2": {"fumbles_lost": ONE},
}


def of_plays(raw: pl.DataFrame) -> pl.DataFrame:
    """What each play adds to each of its players; the team is that with the ball.

    Args:
        raw: nflverse's plays, with `COLUMNS`.

    Returns:
        game_id, old_game_id (null where there is none), player_id, name, team and counts.
    """
    number = raw["old_game_id"] if "old_game_id" in raw.columns else pl.lit(None)
    plays = (
        raw.select(COLUMNS)
        .with_columns(
            pl.col(NUMBERS).cast(pl.Float64).fill_null(0).cast(pl.Int32),
            pl.col(r"^.*_player_(id|name)$").cast(pl.String),
            number.cast(pl.String).alias("old_game_id"),
        )
        .filter(pl.col("play_type").ne_missing(ANNULLED), pl.col("two_point_attempt") == 0)
    )
    lost = (pl.col("fumble_lost") == 1) & pl.col("play_type").is_in(SCRIMMAGE)
    first, second = (pl.col(f"{who}_team") == pl.col("posteam") for who in FUMBLED)
    losing = {"fumbled_1": lost & first, "fumbled_2": lost & second & ~first.fill_null(value=False)}
    found = []
    for who, adds in ADDS.items():
        there = pl.col(f"{who}_player_id").is_not_null() & losing.get(who, pl.lit(value=True))
        keys = {"player_id": f"{who}_player_id", "name": f"{who}_player_name", "team": "posteam"}
        found.append(plays.filter(there).select("game_id", "old_game_id", **keys, **adds))
    return pl.concat(found, how="diagonal")

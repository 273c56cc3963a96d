"""What a play was: its class, and the flags by which plays are counted."""

from __future__ import annotations

import polars as pl

from scripts.nfl.columns import KEYS, PLAYS
from scripts.tables import Column

CLASSES = {  # kind in the source -> class
    "pass": "pass",
    "run": "run",
    "kickoff": "kick",
    "conversion": "kick",
    "punt": "punt",
    "field_goal": "field_goal",
    "qb_kneel": "kneel",
    "qb_spike": "spike",
}
EXPLOSIVE_PASS_YD, EXPLOSIVE_RUN_YD = 20, 10
RED_ZONE_YD = 20
EARLY_DOWNS = (1, 2)
GARBAGE_WP = 0.05  # win probability below which, or above one minus which, a game is decided
# Without win probabilities: points by which a game is decided, by seconds left in it.
GARBAGE_LEAD = ((900, 17), (1800, 25), (2700, 31), (3600, 39))
COLUMNS = {
    **KEYS,
    "play_id": PLAYS["play_id"],
    "posteam": PLAYS["posteam"],
    "play_class": Column(
        pl.String, "pass, run, kick, punt, field_goal, kneel, spike, penalty or other"
    ),
    "explosive": Column(pl.Boolean, "pass of 20 yards or more, run of 10 or more"),
    "early_down": Column(pl.Boolean, "first or second down; null without a down"),
    "red_zone": Column(pl.Boolean, "20 yards or less to the goal; null where the place is unknown"),
    "garbage_time": Column(pl.Boolean, "the game is decided, by win probability or score and time"),
}


def classify(plays: pl.DataFrame) -> pl.DataFrame:
    """Class and flags of plays.

    A play that a penalty annulled is a penalty; a run or pass with a penalty that was played on
    stays what it was. Garbage time: win probability outside [.05, .95]; without one, a lead that
    the time left does not make good (`GARBAGE_LEAD`: 17 points in the last quarter, 25 in the
    second half, and so on).

    Args:
        plays: columns `PLAYS`.

    Returns:
        columns `COLUMNS`, a row for each play, in their order.
    """
    kind, gained = pl.col("kind"), pl.col("yards_gained")
    penalty = (kind == "no_play") & pl.col("penalty")
    play_class = (
        pl.when(penalty)
        .then(pl.lit("penalty"))
        .otherwise(kind.replace_strict(CLASSES, default="other", return_dtype=pl.String))
    )
    explosive = ((kind == "pass") & (gained >= EXPLOSIVE_PASS_YD)) | (
        (kind == "run") & (gained >= EXPLOSIVE_RUN_YD)
    )
    lead = (pl.col("home_points") - pl.col("away_points")).abs()
    decided = pl.lit(value=False)
    for seconds, points in reversed(GARBAGE_LEAD):
        decided = pl.when(pl.col("game_seconds") <= seconds).then(lead >= points).otherwise(decided)
    by_wp = ~pl.col("wp").is_between(GARBAGE_WP, 1 - GARBAGE_WP)
    return plays.select(
        *KEYS,
        "play_id",
        "posteam",
        play_class.alias("play_class"),
        explosive.fill_null(value=False).alias("explosive"),
        pl.col("down").is_in(EARLY_DOWNS).alias("early_down"),
        (pl.col("yardline_100") <= RED_ZONE_YD).alias("red_zone"),
        pl.coalesce(by_wp, decided).alias("garbage_time"),
    )

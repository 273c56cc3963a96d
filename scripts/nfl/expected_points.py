"""Expected points: what the next score of a half is worth, seen from the team with the ball.

The next score in the half (touchdown 7, field goal 3, safety 2, none 0; negative where the other
team scores) is predicted from down, distance, yards to the goal and seconds left in the half, as by
Carter & Machol (1971), Romer (2006), and Yurko, Ventura & Horowitz (2019, nflscrapR), here by
gradient-boosted class probabilities. Expected points are their mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import xgboost

from scripts.errors import DataError

VALUES = (-7, -3, -2, 0, 2, 3, 7)
SCORE_VALUES = {6: 7, 3: 3, 2: 2}  # points of the play -> value: a touchdown with the try it earns
STATE = ("down", "ydstogo", "yardline_100", "half_seconds")
ROUNDS = 40
BOOSTER = {
    "objective": "multi:softprob",
    "num_class": len(VALUES),
    "tree_method": "hist",
    "max_depth": 5,
    "eta": 0.3,
    "min_child_weight": 50,
    "nthread": 1,
    "verbosity": 1,
}


# Number of the half: 1, 2, and each period of overtime after them.
HALF = ((pl.col("quarter") + 1) // 2).clip(upper_bound=2) + (pl.col("quarter") - 4).clip(0)


def next_score(plays: pl.DataFrame) -> pl.Series:
    """Value of the next score in the half, seen from posteam; 0: nobody scores any more.

    A score on the play itself is the next one. Null where nobody has the ball.

    Args:
        plays: columns `PLAYS`, each game's in order.
    """
    value = pl.col("points").replace_strict(SCORE_VALUES, default=None, return_dtype=pl.Int32)
    ahead = plays.select(
        "posteam",
        pl.when(value.is_not_null())
        .then("scoring_team")
        .backward_fill()
        .over("game_id", HALF)
        .alias("team"),
        value.backward_fill().over("game_id", HALF).alias("value"),
    )
    own = pl.col("team") == pl.col("posteam")
    return ahead.select(
        pl.when(pl.col("posteam").is_null())
        .then(None)
        .when(pl.col("value").is_null())
        .then(0)
        .otherwise(pl.when(own).then("value").otherwise(-pl.col("value")))
        .alias("next_score")
    )["next_score"]


def snaps(plays: pl.DataFrame) -> pl.Series:
    """Which plays have a state: a down, a distance and a place on the field."""
    return plays.select(
        pl.all_horizontal(pl.col(STATE).is_not_null(), pl.col("posteam").is_not_null())
    ).to_series()


def fit(seasons: Sequence[pl.DataFrame], seed: int) -> xgboost.Booster:
    """Fit the probabilities of the next score on the plays of whole seasons.

    Args:
        seasons: plays of each season, columns `PLAYS`.
        seed: seed of the booster.

    Raises:
        DataError: there is no play with a state.
    """
    states, labels = [], []
    for plays in seasons:
        used = snaps(plays) & (plays["kind"] != "conversion")
        states.append(plays.filter(used).select(STATE).to_numpy().astype(np.float32))
        scores = next_score(plays).filter(used).to_numpy()
        labels.append(np.searchsorted(VALUES, scores))
    if not sum(map(len, labels)):
        raise DataError("expected points: no play with down, distance and place to fit on")
    data = xgboost.QuantileDMatrix(np.concatenate(states), np.concatenate(labels), nthread=1)
    return xgboost.train(BOOSTER | {"seed": seed}, data, ROUNDS)


def expected_points(model: xgboost.Booster, plays: pl.DataFrame) -> pl.Series:
    """Expected points of posteam before each play; null without a state.

    Args:
        model: from `fit`.
        plays: columns `PLAYS`.
    """
    used = snaps(plays)
    states = plays.filter(used).select(STATE).to_numpy().astype(np.float32)
    values = np.full(plays.height, np.nan)
    if len(states):
        chances = model.inplace_predict(states)
        values[used.to_numpy()] = chances @ np.array(VALUES, dtype=np.float64)
    return pl.Series("ep", values).fill_nan(None)


def added(plays: pl.DataFrame, ep: pl.Series) -> pl.Series:
    """Expected points added by each play: EP after it minus EP before it, seen from posteam.

    After a score: its value (touchdown 7). After any other play: the EP of the next play with a
    state in the half, with the sign turned when the other team has the ball there; after the last
    one of the half 0. Kickoffs, timeouts and tries have no EP, nor are they what comes after.

    Args:
        plays: columns `PLAYS`, each game's in order.
        ep: expected points before each play.
    """
    known = pl.when(pl.col("ep").is_not_null())
    group = ["game_id", HALF]
    frame = plays.with_columns(ep).with_columns(
        later_ep=known.then("ep").backward_fill().shift(-1).over(*group),
        later_team=known.then("posteam").backward_fill().shift(-1).over(*group),
    )
    value = pl.col("points").replace_strict(SCORE_VALUES, default=None, return_dtype=pl.Float64)
    own = pl.col("scoring_team") == pl.col("posteam")
    after = (
        pl.when(value.is_not_null())
        .then(pl.when(own).then(value).otherwise(-value))
        .when(pl.col("later_ep").is_null())
        .then(0.0)
        .when(pl.col("later_team") == pl.col("posteam"))
        .then("later_ep")
        .otherwise(-pl.col("later_ep"))
    )
    return frame.select((after - pl.col("ep")).alias("epa"))["epa"]


def save(model: xgboost.Booster, out: Path) -> None:
    """Write a model as UBJSON."""
    out.write_bytes(model.save_raw("ubj"))


def load(path: Path) -> xgboost.Booster:
    """Read a model.

    Raises:
        DataError: the file is no model.
    """
    try:
        return xgboost.Booster(model_file=str(path))
    except xgboost.core.XGBoostError as error:
        raise DataError(f"{path}: no model ({str(error).splitlines()[0]}); fit it again") from None

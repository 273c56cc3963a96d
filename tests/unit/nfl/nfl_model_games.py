"""Simulated seasons of games with features, to fit models to."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

FEATURES = ["strength_diff", "noise", "sometimes", "later"]
TEAMS = 8


def sign(value: pl.Expr) -> pl.Expr:
    """1 above 0, 0 below, null at 0."""
    return pl.when(value > 0).then(1).when(value < 0).then(0).cast(pl.Int8)


def simulated(seasons: int = 5, weeks: int = 12, seed: int = 0, first: int = 2001) -> pl.DataFrame:
    """`seasons` of `weeks` x TEAMS / 2 games, two days a week; `later` is null but in the last."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(0, 7, TEAMS)
    rows = []
    for season in range(first, first + seasons):
        strength = 0.7 * strength + rng.normal(0, 5, TEAMS)
        for week in range(1, weeks + 1):
            pairs = rng.permutation(TEAMS).reshape(-1, 2)
            for place, (home, away) in enumerate(pairs.tolist()):
                gap = strength[home] - strength[away] + 2.5
                scores = np.maximum(rng.normal([22 + gap / 2, 22 - gap / 2], 7), 0).round()
                day = date(season, 9, 1) + timedelta(7 * week + place % 2)
                rows.append(
                    {
                        "game_id": f"{season}_{week:02}_T{away}_T{home}",
                        "season": season,
                        "week": week,
                        "date": day,
                        "home_team": f"T{home}",
                        "away_team": f"T{away}",
                        "home_score": int(scores[0]),
                        "away_score": int(scores[1]),
                        "neutral": 0.0,
                        "spread_line": round(gap + rng.normal(0, 2)) / 1.0,
                        "total_line": 44.0,
                        "strength_diff": gap + rng.normal(0, 4),
                        "noise": rng.normal() + 100,
                        "sometimes": gap if rng.random() < 0.5 else None,
                        "later": 1e3 + rng.normal() if season == first + seasons - 1 else None,
                    }
                )
    frame = pl.DataFrame(rows, infer_schema_length=None).cast(
        {"season": pl.Int32, "week": pl.Int32}
    )
    margin = pl.col("home_score") - pl.col("away_score")
    total = pl.col("home_score") + pl.col("away_score")
    return frame.with_columns(
        home_win=sign(margin),
        home_cover=sign(margin - pl.col("spread_line")),
        over_hit=sign(total - pl.col("total_line")),
    ).sort("date", "game_id")

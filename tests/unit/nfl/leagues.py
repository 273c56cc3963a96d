"""Random leagues of the oracle as the tables that the features are built from."""

from __future__ import annotations

import polars as pl

from scripts.nfl import features
from scripts.nfl.build_team_epa import COLUMNS as TEAM_EPA
from tests.oracles import nfl as oracle

ELO = {"k": 20.0, "home_edge": 55.0, "regression": 0.33}
RENAMED = {"neutral": "neutral_site", "week": "week_number"}  # of the oracle -> ours


def statistics_of(team_games: pl.DataFrame) -> pl.DataFrame:
    """Team-games of the oracle in our table's columns."""
    other = {name: pl.lit(None, told.dtype) for name, told in TEAM_EPA.items()}
    named = team_games.rename({"epa": "epa_sum", "epa_play": "epa_mean"})
    missing = {name: value for name, value in other.items() if name not in named.columns}
    return named.with_columns(**missing)


def build(league: oracle.League, *, lines: bool = True, weather: bool = True) -> pl.DataFrame:
    """Our features of a random league."""
    return features.build(
        league.schedules,
        statistics_of(league.team_games),
        league.stadiums,
        league.odds if lines else None,
        league.weather if weather else None,
        ELO,
    )

"""Codes, names and divisions of the teams."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from scripts.errors import DataError
from scripts.nfl.teams import CODES, DIVISIONS, FIRST_SEASONS, FRANCHISES, NAMES, check_teams
from scripts.nfl.teams import franchise as franchise_of


def today(*codes: str | None) -> list[str | None]:
    frame = pl.DataFrame({"code": codes}, schema={"code": pl.String})
    return frame.select(franchise_of(pl.col("code")))["code"].to_list()


def test_there_are_32_franchises_in_8_divisions_of_4() -> None:
    assert len(FRANCHISES) == len(set(FRANCHISES)) == 32
    assert Counter(DIVISIONS.values()) == {
        f"{conference} {side}": 4
        for conference in ("AFC", "NFC")
        for side in ("East", "North", "South", "West")
    }


def test_codes_of_any_time_are_of_a_franchise_and_those_of_today_of_themselves() -> None:
    assert set(CODES.values()) == set(FRANCHISES)
    assert all(CODES[team] == team for team in FRANCHISES)
    assert today("STL", "SD", "OAK", "JAC", None, "LA", "GB") == [
        "LA",
        "LAC",
        "LV",
        "JAX",
        None,
        "LA",
        "GB",
    ]


def test_names_of_any_time_are_of_a_franchise() -> None:
    assert set(NAMES.values()) == set(FRANCHISES)
    old = ("St. Louis Rams", "San Diego Chargers", "Oakland Raiders", "Washington Redskins")
    assert [NAMES[name] for name in old] == ["LA", "LAC", "LV", "WAS"]


def test_an_unknown_code_is_told() -> None:
    check_teams(pl.Series(["STL", None, "BUF"]), "games.csv")
    check_teams(pl.Series([None, None]), "games.csv")
    with pytest.raises(DataError, match=r"^games\.csv: no team 'XYZ'; known codes: ARI, .*WSH$"):
        check_teams(pl.Series(["STL", "XYZ"]), "games.csv")
    with pytest.raises(pl.exceptions.PolarsError):
        today("XYZ")


def test_real_schedules_have_these_teams_and_divisions(real_data: Path) -> None:
    games = pl.read_csv(real_data / "nfl/games.csv", infer_schema_length=None)
    check_teams(pl.concat([games["home_team"], games["away_team"]]), "games.csv")
    sides = [franchise_of(pl.col(name)) for name in ("home_team", "away_team")]
    games = games.with_columns(sides)
    for season, own in games.group_by("season"):
        joined = {team for team, first in FIRST_SEASONS.items() if first > season[0]}
        assert set(own["home_team"]) == set(FRANCHISES) - joined
    since = games.filter(pl.col("season") >= 2002)
    home, away = (pl.col(name).replace_strict(DIVISIONS) for name in ("home_team", "away_team"))
    same = since.select((home == away).cast(pl.Int64).alias("same"))["same"]
    assert same.equals(since["div_game"], check_names=False)

"""Played seasons and the split of them."""

from __future__ import annotations

import polars as pl
import pytest

from scripts.errors import DataError
from scripts.research import windows


def games(**played: int) -> pl.DataFrame:
    rows = [
        (int(name[1:]), 3 if game < known else None, 1.0, 44.0)
        for name, known in played.items()
        for game in range(10)
    ]
    return pl.DataFrame(
        rows, schema=["season", "home_margin", "spread_line", "total_line"], orient="row"
    )


def test_seasons_that_go_on_are_left_out() -> None:
    found = windows.played(games(s2001=10, s2002=9, s2003=8))
    assert found["season"].unique().sort().to_list() == [2001, 2002]
    assert found.height == 19


def test_nine_tenths_of_a_season_are_enough_and_less_is_not() -> None:
    table = pl.concat([games(s2001=9), games(s2001=10), games(s2002=9), games(s2002=8)])
    found = windows.played(table)  # 19 of 20, 17 of 20
    assert found["season"].unique().to_list() == [2001]


def test_games_without_lines_are_left_out() -> None:
    table = games(s2001=10).with_columns(
        total_line=pl.when(pl.int_range(pl.len()) == 4).then(None).otherwise("total_line")
    )
    assert windows.played(table).height == 9
    with pytest.raises(DataError, match="10 games, none"):
        windows.played(table.with_columns(spread_line=pl.lit(None, pl.Float64)))


@pytest.mark.parametrize(
    ("seasons", "last", "tested"), [(10, 5, 5), (9, 5, 3), (4, 2, 2), (3, 2, 1), (2, 5, 1)]
)
def test_split(seasons: int, last: int, tested: int) -> None:
    table = games(**{f"s{2000 + i}": 10 for i in range(seasons)})
    before, after = windows.split(table, last)
    assert after["season"].n_unique() == tested
    assert before["season"].max() < after["season"].min()
    assert before.height + after.height == table.height


@pytest.mark.parametrize(("seasons", "last"), [(1, 1), (5, 0)])
def test_nothing_to_split(seasons: int, last: int) -> None:
    with pytest.raises(DataError, match="to be tested"):
        windows.split(games(**{f"s{2000 + i}": 10 for i in range(seasons)}), last)

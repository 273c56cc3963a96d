"""The views of the warehouse in polars against loops over rows, on small random leagues."""

from __future__ import annotations

import math

import polars as pl
import pytest

from scripts.errors import DataError
from scripts.warehouse.features import VIEWS, betting_features, venue_weather_features
from tests.unit.warehouse.view_leagues import Frames, Row, league
from tests.unit.warehouse.view_loops import SLOW, slow_betting, slow_venues

SEEDS = range(6)


def views(frames: Frames) -> Frames:
    """All views, made in their order."""
    made = dict(frames)
    for name, view in VIEWS.items():
        made[name] = view.make(*(made[frame] for frame in view.frames))
    return made


def assert_equal(name: str, got: pl.DataFrame, expected: list[Row]) -> None:
    """Check columns, order of rows and each value of a view."""
    key = VIEWS[name].key
    expected = sorted(expected, key=lambda row: tuple(row[column] for column in key))
    rows = got.to_dicts()
    assert [[row[c] for c in key] for row in rows] == [[row[c] for c in key] for row in expected]
    for row, told in zip(rows, expected, strict=True):
        assert list(row) == list(told)
        for column, value in told.items():
            place = f"{name}.{column} of {[row[c] for c in key]}: {row[column]}, not {value}"
            if isinstance(row[column], float) and value is not None:
                assert math.isclose(row[column], value, rel_tol=1e-9, abs_tol=1e-9), place
            else:
                assert row[column] == value, place


def test_every_view_has_its_loop() -> None:
    assert set(VIEWS) == set(SLOW)


@pytest.mark.parametrize("seed", SEEDS)
def test_league_has_what_is_hard(seed: int) -> None:
    made = views(league(seed))
    games, odds = made["games"], made["betting_features"]
    assert {"OAK", "LV"} <= set(games["home_team"])
    assert games["home_score"].null_count() and odds["spread_line"].null_count()
    assert (odds["cover_margin"] == 0).any() and (odds["total_margin"] == 0).any()
    assert (odds["home_margin"] == 0).any() and (games["game_type"] != "REG").any()
    assert (
        games.select("stadium", "date").filter(pl.col("stadium") == "Abroad").is_duplicated().any()
    )
    assert made["venue_weather_features"]["venue"].null_count()
    assert made["game_aggregates"]["epa"].null_count()
    by_name, by_day = (games.sort(*order) for order in (["season", "week"], ["date"]))
    assert by_name["week"].to_list() != by_day["week"].to_list()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", VIEWS)
def test_view_is_what_loops_over_rows_find(name: str, seed: int) -> None:
    made = views(league(seed))
    assert_equal(name, made[name], SLOW[name](*(made[frame] for frame in VIEWS[name].frames)))


@pytest.mark.parametrize("name", VIEWS)
def test_order_of_the_rows_that_come_in_does_not_matter(name: str) -> None:
    frames = league(1)
    mixed = {table: rows.sample(fraction=1, shuffle=True, seed=7) for table, rows in frames.items()}
    got, expected = views(mixed)[name], views(frames)[name]
    assert got.schema == expected.schema
    assert_equal(name, got, expected.to_dicts())


def test_no_lines_and_no_weather_leave_nulls_of_the_same_types() -> None:
    frames = league(2)
    made = views(frames)
    for name, make, slow in (
        ("betting_features", betting_features, slow_betting),
        ("venue_weather_features", venue_weather_features, slow_venues),
    ):
        got = make(frames["games"], None)
        assert got.schema == made[name].schema
        assert_equal(name, got, slow(frames["games"], None))


@pytest.mark.parametrize("name", VIEWS)
def test_empty_tables_give_the_same_columns(name: str) -> None:
    frames = league(0)
    empty = {table: rows.clear() for table, rows in frames.items()}
    got, full = views(empty)[name], views(frames)[name]
    assert got.height == 0
    assert got.schema == full.schema


def test_no_player_games_and_no_players() -> None:
    frames = league(3)
    assert views(frames | {"player_games": frames["player_games"].clear()})[
        "player_season_stats"
    ].is_empty()
    got = views(frames | {"players": frames["players"].clear()})["player_season_stats"]
    assert got["birth_date"].null_count() == got.height > 0
    assert not got["name"].null_count()


@pytest.mark.parametrize("seed", SEEDS)
def test_no_result_of_a_day_is_seen_up_to_that_day(seed: int) -> None:
    frames = league(seed)
    day = frames["games"]["date"].sort()[frames["games"].height // 2]
    late = frames["games"].filter(pl.col("date") >= day)["game_id"].to_list()
    changed = pl.col("game_id").is_in(late)

    def other(*columns: str) -> list[pl.Expr]:
        return [pl.when(changed).then(17 + 3 * pl.col(c)).otherwise(c).alias(c) for c in columns]

    after = frames | {
        "games": frames["games"].with_columns(
            pl.when(changed)
            .then(pl.col("away_score") * 2 + 31)
            .otherwise("home_score")
            .alias("home_score")
        ),
        "plays": frames["plays"].with_columns(
            other("epa"), explosive=changed | pl.col("explosive")
        ),
        "odds": frames["odds"].with_columns(other("spread_line", "total_line")),
        "weather": frames["weather"].with_columns(other("temp_c", "wind_kmh")),
    }
    before, now = views(frames), views(after)
    of_the_day = {"temp_c", "wind_kmh", "temp_c_diff"}
    for name, columns in (
        ("team_rolling_stats", before["team_rolling_stats"].columns),
        ("team_matchup_history", before["team_matchup_history"].columns),
        ("venue_weather_features", [*before["venue_weather_features"].columns]),
        ("betting_features", [c for c in before["betting_features"].columns if "last10" in c]),
    ):
        kept = [column for column in columns if column not in of_the_day]
        upto = pl.col("date") <= day
        assert now[name].filter(upto).select(kept).equals(before[name].filter(upto).select(kept))
        assert not now[name].select(kept).equals(before[name].select(kept)), "the change is seen"


def test_two_games_of_a_team_on_a_day_are_refused() -> None:
    frames = league(4)
    first = frames["games"].head(1)
    twice = pl.concat([frames["games"], first.with_columns(game_id=pl.lit("2018_99_A_B"))])
    for name in ("team_rolling_stats", "team_matchup_history", "betting_features"):
        with pytest.raises(DataError, match=r"two games on .*2018_99_A_B"):
            VIEWS[name].make(*((views(frames) | {"games": twice})[x] for x in VIEWS[name].frames))

"""Features against the oracle, and what must not change them."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from scripts.errors import DataError
from scripts.nfl import elo, features
from tests.oracles import nfl as oracle
from tests.unit.nfl import leagues

RTOL = 1e-9


def compare(league: oracle.League, *, lines: bool = True, weather: bool = True) -> None:
    """Our features and the oracle's: the same columns, rows, nulls and, within RTOL, values."""
    ours = leagues.build(league, lines=lines, weather=weather)
    expected = oracle.features(
        league.schedules,
        league.team_games,
        league.odds if lines else None,
        league.weather if weather else None,
        league.stadiums,
        elo=leagues.ELO | {"start": 1500.0},
    ).rename(leagues.RENAMED)
    values = [name for name in expected.columns if name not in ("season", "date", "game_id")]
    assert set(values) <= set(ours.columns)
    assert set(ours.columns) - set(expected.columns) == {
        *(set(features.KEYS) - {"season", "date", "game_id"}),
        *features.SCORES,
    }
    got = ours.select("game_id", pl.col(values).cast(pl.Float64)).sort("game_id")
    wanted = expected.select("game_id", *values).sort("game_id")
    assert_frame_equal(got, wanted, rel_tol=RTOL, abs_tol=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_all_features_equal_the_oracles(seed: int) -> None:
    compare(oracle.random_league(seed, n_teams=4 + 2 * (seed % 5), n_seasons=2 + seed % 3))


@pytest.mark.parametrize("seed", range(100, 104))
@pytest.mark.parametrize(("lines", "weather"), [(False, True), (True, False), (False, False)])
def test_without_lines_or_weather_their_columns_are_absent(
    seed: int, lines: bool, weather: bool
) -> None:
    compare(oracle.random_league(seed), lines=lines, weather=weather)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), share=st.floats(0.05, 0.95))
def test_deleting_later_games_changes_no_bit_of_earlier_rows(seed: int, share: float) -> None:
    league = oracle.random_league(seed)
    days = league.schedules["date"].unique().sort()
    last = days[int(share * (len(days) - 1))]
    kept = league.schedules.filter(pl.col("date") <= last)
    early = oracle.League(
        *(
            table if table is league.schedules else table.join(kept, on="game_id", how="semi")
            for table in league
        )
    )._replace(schedules=kept)
    whole = leagues.build(league).filter(pl.col("date") <= last)
    assert whole.equals(leagues.build(early))


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), pick=st.integers(0, 10_000), points=st.integers(0, 70))
def test_a_games_own_result_is_in_none_of_its_features(seed: int, pick: int, points: int) -> None:
    league = oracle.random_league(seed)
    game = league.schedules["game_id"].sort()[pick % league.schedules.height]
    own = pl.col("game_id") == game
    edited = league._replace(
        schedules=league.schedules.with_columns(
            home_score=pl.when(own).then(points).otherwise("home_score").cast(pl.Int32),
            away_score=pl.when(own).then(7).otherwise("away_score").cast(pl.Int32),
        ),
        team_games=league.team_games.with_columns(
            pl.when(own).then(99.0).otherwise("epa").alias("epa")
        ),
    )
    results = [*features.SCORES, "home_margin", "total", *features.TARGETS]
    before, after = (leagues.build(one).filter(own).drop(results) for one in (league, edited))
    assert before.equals(after)


def test_the_order_of_rows_changes_nothing() -> None:
    league = oracle.random_league(5)
    turned = oracle.League(*(table.reverse() for table in league))
    assert leagues.build(league).equals(leagues.build(turned))


def test_unplayed_games_have_features_and_no_targets() -> None:
    games = leagues.build(oracle.random_league(3)).filter(pl.col("home_score").is_null())
    assert games.height
    assert games.select(pl.col("home_margin", *features.TARGETS).count()).row(0) == (0, 0, 0, 0)
    assert games["home_elo"].null_count() == 0


def test_two_games_of_a_team_on_a_day_are_an_error_that_names_them() -> None:
    league = oracle.random_league(1)
    first = league.schedules.sort("date").row(0, named=True)
    again = pl.DataFrame([first | {"game_id": "again"}], schema=league.schedules.schema)
    doubled = league._replace(schedules=pl.concat([league.schedules, again]))
    with pytest.raises(DataError, match=f"two games on {first['date']} .*again"):
        leagues.build(doubled)


def test_an_unknown_group_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(DataError, match=r"no feature group wether; there are form, efficiency"):
        features.columns_of(["form", "wether"])


def test_every_feature_stands_in_one_group() -> None:
    columns = [name for group in features.GROUPS.values() for name in group]
    assert len(columns) == len(set(columns))
    built = leagues.build(oracle.random_league(2))
    assert set(columns) <= set(built.columns)


def test_elo_by_hand() -> None:
    """The favourite by 100 points wins by 7: numbers of the published formula."""
    expected = 20 * 2.0794415416798357 * (2.2 / (0.1 + 2.2)) * (1 - 0.6400649998028851)
    assert elo.moved(100, 7, 20) == pytest.approx(expected)
    assert elo.moved(-100, -7, 20) == pytest.approx(-expected)
    assert elo.moved(50, 0, 20) < 0 < elo.moved(-50, 0, 20)


def test_elo_of_a_day_rests_on_the_days_before() -> None:
    day = date(2020, 9, 13)
    games = pl.DataFrame(
        {
            "game_id": ["a", "b"],
            "date": [day, day],
            "season": [2020, 2020],
            "home": ["KC", "LV"],
            "away": ["LV", "NE"],  # cannot be, but shows the order
            "neutral": [False, True],
            "margin": [30, 3],
        }
    )
    found = elo.ratings(games, leagues.ELO)
    assert found["away_elo"][0] == found["home_elo"][1] == elo.START
    assert found["elo_prob"][1] == 0.5

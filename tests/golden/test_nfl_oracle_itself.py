"""The oracle of the NFL features against a league worked by hand, closed forms and symmetries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from scripts.nfl import columns
from scripts.tables import schema_of
from tests.oracles import nfl
from tests.oracles.nfl import League, features, random_league

PLACE = {"roof": None, "surface": None} | dict.fromkeys(
    ("lat", "lon", "home_lat", "home_lon", "away_lat", "away_lon")
)
SEEDS = st.integers(0, 10_000)


def close_to(value: Any) -> Any:
    """The value within what 64 bits hold after some sums."""
    return pytest.approx(value, rel=1e-12, abs=1e-12)


def game(game_id: str, day: date, score: tuple = (None, None), **other: Any) -> dict[str, Any]:
    """A row of schedules; score (home, away)."""
    season, week, away, home = game_id.split("_")
    row = dict.fromkeys(nfl.SCHEMAS["schedules"])
    row |= {"season": int(season), "game_id": game_id, "week": int(week), "date": day}
    row |= {"home_team": home, "away_team": away, "home_score": score[0], "away_score": score[1]}
    return row | {"game_type": "REG", "neutral": False} | other


def stats(game_id: str, team: str, *numbers: float | None) -> dict[str, Any]:
    """A row of team_games, the numbers in the order of PLAYED."""
    return {"game_id": game_id, "team": team, **dict(zip(nfl.PLAYED, numbers, strict=True))}


def line(game_id: str, *numbers: float | None) -> dict[str, Any]:
    """A row of odds."""
    names = ("spread_line", "total_line", "home_moneyline", "away_moneyline")
    return {"game_id": game_id, **dict(zip(names, numbers, strict=True))}


G1, G2, G3 = "2015_01_KC_STL", "2015_02_STL_KC", "2016_02_KC_LA"
G4, G5 = "2016_01_LA_KC", "2016_03_KC_LA"  # G4 was moved behind G3, and then cancelled
HAND = {
    "schedules": [
        game(
            *(G1, date(2015, 9, 13), (24, 17)),
            div_game=False,
            roof="dome",
            surface="a_turf",
            home_qb="q1",
            away_qb="q9",
            home_coach="c1",
            away_coach="c9",
        ),
        game(
            *(G2, date(2015, 9, 17), (20, 20)),
            div_game=None,
            roof="outdoors",
            surface="grass ",
            home_qb="q8",
            away_qb=None,
            home_coach="c9",
            away_coach="c2",
        ),
        game(
            *(G3, date(2016, 9, 11), (10, 13)),
            neutral=True,
            div_game=True,
            game_type="SB",
            surface="dessograss",
            home_qb="q1",
            away_qb="q8",
            home_coach="c2",
            away_coach="c9",
        ),
        game(
            *(G4, date(2016, 9, 26)),
            game_type="WC",
            home_qb="q9",
            away_qb="q7",
            home_coach="c9",
            away_coach="c2",
        ),
        game(
            *(G5, date(2016, 10, 2), (31, 3)),
            home_qb="q1",
            away_qb="q9",
            home_coach="c2",
            away_coach=None,
        ),
    ],
    "team_games": [  # G2 has no row of KC, G3 no plays of LA
        stats(G1, "LA", 60, 6.0, 0.1, 4.0, 2.0, 0.5, 0.1, 1, 5),
        stats(G1, "KC", 50, -5.0, -0.1, -3.0, -2.0, 0.4, 0.06, 2, 7),
        stats(G2, "LA", 70, 3.5, 0.05, 5.5, -2.0, 0.45, 0.2, 0, None),
        stats(G3, "LA", None, None, None, None, None, None, None, None, 4),
        stats(G3, "KC", 64, 1.6, 0.025, 0.0, 1.6, 0.42, 0.125, 3, 2),
        stats(G5, "LA", 99, 99.0, 1.0, 99.0, 0.0, 1.0, 1.0, 99, 99),  # of the game itself
    ],
    "odds": [
        line(G1, 3.0, 41.5, -150.0, 130.0),
        line(G2, 0.0, 40.0, None, 130.0),
        line(G3, -2.5, 23.5, 100.0, -100.0),
        line(G5, 28.0, None, -400.0, 300.0),
    ],
    "weather": [
        {"game_id": g, "temp_c": 20.0, "wind_kmh": 9.0, "humidity_pct": None}
        | {"pressure_hpa": 1e3, "precip_mm": 0.0}
        for g in (G1, G2, G4)
    ],
    "stadiums": [
        PLACE | {"game_id": G1, "roof": "outdoors", "surface": "grass"},
        PLACE
        | {"game_id": G2, "lat": 0.0, "lon": 0.0, "home_lat": 0.0, "home_lon": 0.0}
        # an eighth of the equator away
        | {"away_lat": 0.0, "away_lon": -45.0},
        PLACE
        | {"game_id": G3, "lat": 90.0, "lon": 7.0, "roof": "retractable"}
        | {"home_lat": 0.0, "home_lon": 9.0, "away_lat": 45.0, "away_lon": None},
        PLACE | {"game_id": G5, "roof": "dome", "surface": "artificial"},
    ],
}
EIGHTH = 6371.0088 * math.pi / 4
# Elo with 34 digits, by bc
G1_P, G2_P, G3_P = 0.578496752344742752721, 0.529891384229292208837, 0.533728078681801266864
G4_P, G5_P = 0.587513197723452420334, 0.569427659309134265372
EXPECTED = {
    G1: {"home_elo": 1500, "away_elo": 1500, "elo_prob": G1_P, "week": 1}
    | dict.fromkeys(("home_margin_prior", "home_epa_prior_sum", "away_win_season"))
    | dict.fromkeys(("home_games_prior", "away_games_season", "games_prior_diff"), 0)
    | {"home_rest_days": 7, "home_short_rest": 0, "home_long_rest": 0, "rest_days_diff": 0}
    | dict.fromkeys(("home_venue_changed", "home_qb_changed", "away_coach_changed"))
    | dict.fromkeys(("home_prev_win", "home_prev_margin", "home_prev_line", "home_prev_cover"))
    | {"home_qb_tenure": 0, "away_coach_tenure": 0, "home_travel_km": None}
    | {"neutral": 0, "div_game": 0, "postseason": 0, "indoors": 1, "grass": 0}
    | dict.fromkeys(("temp_c", "wind_kmh", "pressure_hpa"))  # under a roof
    | {"spread_line": 3, "total_line": 41.5, "market_prob": 0.6 / (0.6 + 100 / 230)}
    | {"home_margin": 7, "total": 41, "home_win": 1, "home_cover": 1, "over_hit": 0},
    G2: {"home_elo": 1482.897729499955008416312, "away_elo": 1517.102270500044991583688}
    | {"elo_prob": G2_P, "elo_diff": -34.204541000089983167376, "week": 2}
    | {"home_margin_prior": -7, "away_margin_prior": 7, "margin_prior_diff": -14}
    | {"home_win_last3": 0, "away_win_season": 1, "away_points_for_prior_sum": 24}
    | {"home_plays_prior": 50, "home_epa_prior_sum": -5, "away_epa_allowed_last5": -5}
    | {"home_success_allowed_prior": 0.5, "away_penalties_season": 5, "penalties_season_diff": 2}
    | {"home_turnovers_prior": 2, "home_explosive_rate_last3": 0.06, "home_rush_epa_prior": -2}
    | {"home_rest_days": 4, "home_short_rest": 1, "home_long_rest": 0, "home_games_season": 1}
    | {"home_venue_changed": 1, "away_venue_changed": 1, "venue_changed_diff": 0}
    | {"home_qb_changed": 1, "home_qb_tenure": 0, "away_qb_changed": None, "away_qb_tenure": None}
    | {"home_coach_changed": 0, "home_coach_tenure": 1, "away_coach_changed": 1}
    | {"away_coach_tenure": 0, "coach_tenure_diff": 1, "qb_tenure_diff": None}
    | {"home_prev_win": 0, "away_prev_win": 1, "home_prev_margin": -7, "prev_margin_diff": -14}
    | {"home_prev_line": -3, "away_prev_line": 3, "home_prev_cover": 0, "away_prev_cover": 1}
    | {"home_travel_km": 0, "away_travel_km": EIGHTH, "travel_km_diff": -EIGHTH}
    | {"div_game": None, "indoors": 0, "grass": 1, "temp_c": 20, "humidity_pct": None}
    | {"precip_mm": 0, "spread_line": 0, "market_prob": None}
    | {"home_margin": 0, "total": 40, "home_win": None, "home_cover": None, "over_hit": None},
    G3: {"home_elo": 1511.736157559631154332861, "away_elo": 1488.263842440368845667139}
    | {"elo_prob": G3_P, "week": 2, "neutral": 1, "postseason": 1, "div_game": 1}
    | {"home_margin_prior": 3.5, "home_margin_last3": 3.5, "home_margin_season": None}
    | {"home_win_prior": 0.75, "away_win_prior": 0.25, "win_season_diff": None}
    | {"home_games_prior": 2, "home_games_season": 0, "home_rest_days": 7}
    | {"home_penalties_prior": 5, "away_penalties_last3": 7, "home_plays_prior_sum": 130}
    | {"home_pass_epa_prior": 4.75, "home_rush_epa_prior": 0, "away_epa_allowed_prior": 4.75}
    | {"home_epa_allowed_prior": -5, "home_success_allowed_prior": 0.4}
    | {"home_epa_play_prior": 0.075, "away_epa_play_prior": -0.1, "home_epa_play_season": None}
    | {"home_venue_changed": 1, "away_venue_changed": 1, "indoors": None, "grass": 1}
    | {"home_qb_changed": 0, "home_qb_tenure": 0, "away_qb_changed": 0, "away_qb_tenure": 1}
    | {"home_coach_changed": 0, "home_coach_tenure": 1, "away_coach_tenure": 2}
    | {"home_prev_win": 0.5, "home_prev_margin": 0, "home_prev_line": 0, "home_prev_cover": 0.5}
    | {"home_travel_km": 2 * EIGHTH, "away_travel_km": None, "travel_km_diff": None}
    | {"temp_c": None, "market_prob": 0.5}
    | {"home_margin": -3, "total": 23, "home_win": 0, "home_cover": 0, "over_hit": 0},
    G4: {"home_elo": 1503.221513855925868545498, "away_elo": 1496.778486144074131454502}
    | {"elo_prob": G4_P, "week": 1, "postseason": 1, "home_rest_days": 15, "home_long_rest": 1}
    | {"home_short_rest": 0, "away_long_rest": 1, "home_games_season": 1, "home_games_prior": 3}
    | {"home_venue_changed": 1, "away_venue_changed": 1, "div_game": None}
    | {"home_qb_changed": 1, "home_qb_tenure": 0, "away_qb_changed": 1, "away_coach_tenure": 2}
    | {"home_prev_line": 2.5, "away_prev_line": -2.5, "home_prev_cover": 1, "away_prev_cover": 0}
    | {"indoors": None, "grass": None, "temp_c": 20, "spread_line": None, "total_line": None}
    | dict.fromkeys(("home_margin", "total", "home_win", "home_cover", "over_hit")),
    G5: {"home_elo": 1496.778486144074131454502, "away_elo": 1503.221513855925868545498}
    | {"elo_prob": G5_P, "week": 3, "postseason": 0, "home_rest_days": 6, "home_short_rest": 0}
    | {"home_long_rest": 0, "home_venue_changed": 1, "away_venue_changed": 1}
    | {"home_games_prior": 3, "home_games_season": 1, "home_points_for_prior": 18}
    | {"home_points_against_prior": 50 / 3, "home_margin_prior": 4 / 3, "home_margin_season": -3}
    | {"home_points_for_prior_sum": 54, "away_points_against_prior_sum": 54, "home_win_prior": 0.5}
    | {"home_margin_prior_sum": 4, "away_margin_prior_sum": -4, "away_win_season": 1}
    | {"home_epa_prior": 4.75, "home_epa_last3": 4.75, "home_epa_season": None}
    | {"home_epa_prior_sum": 9.5, "away_epa_prior_sum": -3.4, "epa_prior_sum_diff": 12.9}
    | {"home_epa_allowed_prior": -1.7, "home_epa_allowed_season": 1.6, "home_penalties_prior": 4.5}
    | {"away_epa_allowed_prior": 4.75, "away_epa_allowed_season": None, "away_plays_season": 64}
    | {"home_success_rate_prior": 0.475, "home_success_allowed_prior": 0.41}
    | {"away_turnovers_last5": 2.5, "home_turnovers_prior": 0.5, "turnovers_prior_diff": -2}
    | {"home_qb_changed": 0, "home_qb_tenure": 1, "away_qb_changed": 1, "away_qb_tenure": 0}
    | {"home_coach_changed": 0, "home_coach_tenure": 2, "away_coach_changed": None}
    | {"away_coach_tenure": None, "home_prev_margin": -3, "away_prev_win": 1}
    | {"home_prev_line": -2.5, "away_prev_line": 2.5, "home_prev_cover": 0, "away_prev_cover": 1}
    | {"indoors": 1, "grass": 0, "spread_line": 28, "total_line": None}
    | {"market_prob": 0.8 / (0.8 + 0.25)}
    | {"home_margin": 28, "total": 34, "home_win": 1, "home_cover": None, "over_hit": None},
}


def by_id(frame: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """game_id -> its row."""
    return {row["game_id"]: row for row in frame.to_dicts()}


def test_hand_is_in_the_order_of_date():
    assert features(**HAND)["game_id"].to_list() == [G1, G2, G3, G4, G5]


@pytest.mark.parametrize("game_id", EXPECTED)
def test_by_hand(game_id: str):
    row, expected = by_id(features(**HAND))[game_id], EXPECTED[game_id]
    assert {name: row[name] for name in expected} == {
        name: value if value is None else close_to(value) for name, value in expected.items()
    }


def test_columns_and_types():
    out = features(*random_league(1))
    assert dict(out.schema) == nfl.schema()
    team = sum(map(len, nfl.TEAM.values()))
    # 4 and 11 statistics of 4 features, 3 and 2 sums
    assert team == (4 * 4 + 3 + 4) + (11 * 4 + 2) + 1 + 9 + 2
    assert len(out.columns) == 3 + 3 * team + sum(map(len, nfl.GAME.values())) + 5
    bare = features(HAND["schedules"], [], None, None, {}, elo=nfl.ELO)
    absent = {*nfl.GAME["market"], *nfl.GAME["weather"], *nfl.LINE_TARGETS}
    absent |= {f"{s}{n}" for n in nfl.TEAM["market"] for s in ("home_", "away_")}
    absent |= {f"{n}_diff" for n in nfl.TEAM["market"]}
    assert [name for name in out.columns if name not in absent] == bare.columns
    assert bare["home_epa_prior_sum"].to_list() == [None] * 5
    assert by_id(bare)[G5]["home_margin_prior"] == close_to(4 / 3)


SERIES: Sequence[float | None] = (1, None, 4, None, None, 16, 32, None, None, None, 64)
# before the game after the first n: prior, last3, last5, sum
WINDOWS = {
    0: (None, None, None, None),
    1: (1, 1, 1, 1),
    2: (1, 1, 1, 1),
    3: (2.5, 2.5, 2.5, 5),
    5: (2.5, 4, 2.5, 5),
    6: (7, 16, 10, 21),
    7: (13.25, 24, 52 / 3, 53),
    9: (13.25, 32, 24, 53),
    10: (13.25, None, 24, 53),
    11: (23.4, 64, 48, 117),
}


def test_windows_give_nulls_a_place():
    games = [
        game(f"2015_{n + 1:02d}_KC_SF", date(2015, 9, 1) + timedelta(7 * n), (n, 0))
        for n in range(len(SERIES) + 1)
    ]
    numbers = [
        {"game_id": g["game_id"], "team": "SF", "epa": x}
        for g, x in zip(games, SERIES, strict=False)
    ]
    out = features(games, numbers, None, None, {})
    for n, (prior, last3, last5, total) in WINDOWS.items():
        row = out.row(n, named=True)
        got = [row[f"home_epa_{x}"] for x in ("prior", "last3", "last5", "prior_sum", "season")]
        assert got == [prior, last3, last5, total, prior], n
        assert [row[f"away_epa_allowed_{x}"] for x in ("prior", "last3")] == [prior, last3], n
    assert out["home_points_for_last3"].to_list()[:6] == [None, 0, 0.5, 1, 2, 3]
    assert out["home_points_for_last5"].to_list()[5:7] == [2, 3]


def test_edges_of_rest():
    days = [date(2015, 9, 1) + timedelta(n) for n in (0, 5, 11, 24, 38)]
    games = [game(f"2015_{n + 1:02d}_KC_SF", day) for n, day in enumerate(days)]
    out = features(games, [], None, None, {})
    assert out["home_rest_days"].to_list() == [7, 5, 6, 13, 14]
    assert out["home_short_rest"].to_list() == [0, 1, 0, 0, 0]
    assert out["away_long_rest"].to_list() == [0, 0, 0, 0, 1]


def test_a_starter_is_counted_back_from_the_last_game():
    starters = ["a", "a", None, "a", "a", "b", "a", None, "a", "c"]
    known = [True, True, True, True, False, True, True, True, True, True]
    games = [
        game(
            *(f"2015_{n + 1:02d}_KC_SF", date(2015, 9, 1) + timedelta(7 * n)),
            (7, 3) if score else (None, None),
            home_qb=qb,
        )
        for n, (qb, score) in enumerate(zip(starters, known, strict=True))
    ]
    out = features(games, [], None, None, {})
    assert out["home_qb_tenure"].to_list() == [0, 1, None, 0, 1, 0, 0, None, 0, 0]
    assert out["home_qb_changed"].to_list() == [None, 0, None, 0, 0, 1, 1, None, 0, 1]


def test_a_team_that_sat_out_a_season_moves_to_the_start_once():
    games = [
        game("2015_01_KC_SF", date(2015, 9, 1), (30, 0)),
        game("2016_01_NE_KC", date(2016, 9, 1)),
        game("2016_02_KC_NE", date(2016, 9, 8)),
        game("2017_01_KC_SF", date(2017, 9, 1)),
    ]
    elo = {"k": 20.0, "home_edge": 0.0, "regression": 0.25, "start": 1000}
    out = features(games, [], None, None, {}, elo=elo)
    gain = 10 * math.log(31)
    assert out["home_elo"].to_list() == close_to(
        [1000, 1000 - 0.75 * gain, 1000, 1000 + 0.75 * gain]
    )
    assert out["away_elo"].to_list() == close_to(
        [1000, 1000, 1000 - 0.75 * gain, 1000 - 0.75**2 * gain]
    )


@pytest.mark.parametrize(
    ("margin", "advantage", "expected"),
    [
        (0, 500, 0.6931471805599453),
        (1, 0, 0.6931471805599453),
        (7, 55, 2.0287234552974005),  # ln 8 * 2.2 / 2.255
        (-7, 55, 2.1327605555690624),  # ln 8 * 2.2 / 2.145
        (-7, -55, 2.0287234552974005),
    ],
)
def test_margin_multiplier(margin: int, advantage: float, expected: float):
    assert nfl.multiplier(margin, advantage) == close_to(expected)


def test_distances():
    half = math.pi * 6371.0088
    assert nfl.great_circle((0, 0), (0, 180)) == close_to(half)
    assert nfl.great_circle((90, 3), (-90, 77)) == close_to(half)
    assert nfl.great_circle((0, 179.5), (0, -179.5)) == close_to(half / 180)
    assert nfl.great_circle((39.0489, -94.4839), (39.0489, -94.4839)) == 0
    assert nfl.great_circle((40, -90), (41, -90)) == close_to(half / 180)
    assert nfl.great_circle((40, None), (41, -90)) is None


GRASS = {"grass": 1, " grass ": 1, "grass_x": 1, "dessograss": 1, "astrograss": 0, "fieldturf": 0}
GRASS |= {"artificial": 0, "": None, "  ": None, None: None}


@pytest.mark.parametrize(("value", "expected"), GRASS.items())
def test_grass(value: str | None, expected: int | None):
    assert nfl.grass(value) == expected


def test_american_odds():
    assert [nfl.payout(x) for x in (-150, 130, 100, -100)] == close_to([5 / 3, 2.3, 2, 2])


# The league of random games


def cut(league: League, keep: pl.Expr) -> League:
    """The league with only the games for which `keep` of the schedules is true."""
    games = league.schedules.filter(keep)
    rest = [t.join(games, on="game_id", how="semi") for t in league[1:]]
    return League(games, *rest)


def test_league_is_what_the_tables_say():
    league = random_league(3)
    for frame, declared in zip(
        (league.schedules, league.odds, league.weather),
        (columns.SCHEDULES, columns.ODDS, columns.WEATHER),
        strict=True,
    ):
        assert frame.schema == schema_of(declared)
    for a, b in zip(league, random_league(3), strict=True):
        assert_frame_equal(a, b)
    assert not league.schedules.equals(random_league(4).schedules)


def test_league_has_every_nasty_case():
    leagues = [random_league(seed, 8, 4, 8) for seed in range(20)]
    games, numbers, lines, air, places = (pl.concat(t) for t in zip(*leagues, strict=True))
    out = pl.concat(features(*league) for league in leagues)
    codes = set(games["home_team"])
    assert {"STL", "LA", "SD", "LAC", "OAK", "LV", "JAC", "JAX", "KC"} <= codes
    unknown = games["home_score"].is_null()
    assert unknown.equals(games["away_score"].is_null())
    assert 20 < unknown.sum() < games.height / 3
    assert games.filter(pl.col("home_score") == pl.col("away_score")).height > 20  # ties
    spreads = games.join(lines, on="game_id")  # seeds share ids: that does no harm here
    assert spreads.height > 100
    assert lines.filter(pl.col("spread_line").is_null()).height > 20
    assert lines.filter(pl.col("home_moneyline").is_null()).height > 20
    assert max(lines.height, air.height) < games.height == places.height  # rows that lack
    assert games.height < numbers.height < 2 * games.height
    assert out.filter(pl.col("home_margin") == pl.col("spread_line")).height > 20  # pushes
    assert out.filter(pl.col("total") == pl.col("total_line")).height > 20
    assert out.filter(pl.col("season") < pl.col("date").dt.year()).height > 20
    for league in leagues:
        mine = league.schedules.sort("date", "game_id")
        assert not mine.equals(league.schedules)  # not in order
        assert mine["date"].n_unique() < mine.height  # games of one day
        assert (mine.select(pl.col("week").diff().over("season") < 0).to_series()).any()
        cancelled = mine.filter(pl.col("home_score").is_null()).select("game_id")
        played = mine.filter(pl.col("home_score").is_not_null())
        if cancelled.height:  # some of them have plays, and there are games after them
            assert mine.filter(pl.col("home_score").is_null())["date"].min() < played["date"].max()
        seasons = league.team_games.group_by("season").agg(pl.col("plays", "penalties").count())
        assert seasons["plays"].min() == seasons["penalties"].min() == 0 < seasons["plays"].max()
    assert any(
        not league.schedules.filter(pl.col("home_score").is_null())
        .join(league.team_games, on="game_id", how="semi")
        .is_empty()
        for league in leagues
    )


def test_features_of_the_league_take_every_value():
    out = pl.concat(features(*random_league(seed, 8, 4, 8)) for seed in range(20))
    for side in ("home", "away"):
        assert {3, 4, 5, 6, 7, 13, 14} <= set(out[f"{side}_rest_days"])  # both sides of the edges
        for name in ("venue_changed", "qb_changed", "coach_changed"):
            assert set(out[f"{side}_{name}"]) == {0, 1, None}
        for name in ("short_rest", "long_rest"):
            assert set(out[f"{side}_{name}"]) == {0, 1}
        for name in ("prev_win", "prev_cover"):
            assert set(out[f"{side}_{name}"]) == {0, 0.5, 1, None}
        assert {0, 1, 2, 3, 4, None} <= set(out[f"{side}_qb_tenure"])
    for name in ("neutral", "postseason"):
        assert set(out[name]) == {0, 1}
    for name in ("div_game", "indoors", "grass", "home_win", "home_cover", "over_hit"):
        assert set(out[name]) == {0, 1, None}
    for name in out.columns[3:]:
        assert out[name].n_unique() > 1, name
        assert not out[name].cast(pl.Float64).is_nan().any(), name
    gone = {n for n in out.columns if n.endswith(("_prior", "_last3", "_last5", "_season", "_sum"))}
    gone = {n for n in gone if "games" not in n}
    assert len(gone) == 2 * (4 * 4 + 3 + 11 * 4 + 2)
    assert all(0 < out[n].null_count() < out.height for n in gone)


@given(SEEDS, st.integers(2, 7), st.integers(1, 3), st.integers(1, 6))
@settings(max_examples=25)
def test_truncation_and_order_change_nothing(seed: int, teams: int, seasons: int, weeks: int):
    league = random_league(seed, teams, seasons, weeks)
    full = features(*league)
    assert (
        full["game_id"].to_list() == league.schedules.sort("date", "game_id")["game_id"].to_list()
    )
    last = full["date"][full.height // 2]
    assert_frame_equal(
        features(*cut(league, pl.col("date") <= last)), full.filter(pl.col("date") <= last)
    )
    mixed = [table.sample(fraction=1, shuffle=True, seed=seed) for table in league]
    assert_frame_equal(features(*mixed), full)
    listed = [table.to_dicts() for table in league[:4]]
    places = {row.pop("game_id"): row for row in league.stadiums.to_dicts()}
    assert_frame_equal(features(*listed, places), full)


@given(SEEDS)
@settings(max_examples=15)
def test_what_happens_in_a_game_is_seen_only_by_the_two_teams_later(seed: int):
    league = random_league(seed, 6, 2, 5)
    full = features(*league)
    edited = full.filter(pl.col("home_margin").is_not_null())[0, "game_id"]
    here = pl.col("game_id") == edited
    other = league._replace(
        schedules=league.schedules.with_columns(
            pl.when(here)
            .then(pl.col("home_score") + 40)
            .otherwise("home_score")
            .alias("home_score")
        ),
        team_games=league.team_games.with_columns(
            pl.when(here).then(pl.col(name) + 1).otherwise(name).alias(name) for name in nfl.PLAYED
        ),
    )
    after = features(*other)
    day = full.filter(here)[0, "date"]
    same = pl.col("date") <= day
    inputs = [n for n in full.columns if n not in (*nfl.TARGETS, *nfl.LINE_TARGETS)]
    assert_frame_equal(after.filter(same).select(inputs), full.filter(same).select(inputs))
    game_row = league.schedules.filter(here).row(0, named=True)
    for side in ("home", "away"):
        team = game_row[f"{side}_team"]
        later = (pl.col("home_team") == team) & (pl.col("date") > day)
        season = pl.col("season") == game_row["season"]
        ids = league.schedules.filter(later & season)["game_id"].to_list()
        for game_id in ids:
            a, b = by_id(after)[game_id], by_id(full)[game_id]
            gain = a["home_points_for_prior_sum"] - b["home_points_for_prior_sum"]
            assert gain == (40 if side == "home" else 0)
            assert a["home_elo"] != b["home_elo"]


@given(SEEDS)
@settings(max_examples=15)
def test_at_neutral_places_home_is_only_a_name(seed: int):
    league = random_league(seed, 5, 3, 5)
    league = league._replace(schedules=league.schedules.with_columns(neutral=pl.lit(True)))
    swap = {
        name: name.replace("home_", "_").replace("away_", "home_").replace("_", "away_", 1)
        if name.startswith("home_")
        else name.replace("away_", "home_", 1)
        for table in league
        for name in table.columns
        if name.startswith(("home_", "away_"))
    }
    turned = [t.rename({a: b for a, b in swap.items() if a in t.columns}) for t in league]
    turned[2] = turned[2].with_columns(-pl.col("spread_line"))
    assert {"home_qb": "away_qb", "away_score": "home_score"}.items() <= swap.items()
    full, other = features(*league), features(*turned)
    for names in nfl.TEAM.values():
        for name in names:
            pairs = (f"home_{name}", f"away_{name}"), (f"away_{name}", f"home_{name}")
            for a, b in pairs:
                assert_frame_equal(other.select(a), full.select(pl.col(b).alias(a)))
            back = full.select(-pl.col(f"{name}_diff"))
            assert_frame_equal(other.select(f"{name}_diff"), back)
    for name in ("elo_prob", "market_prob", "home_win", "home_cover"):
        assert_frame_equal(other.select(name), full.select((1 - pl.col(name)).alias(name)))
    for name in ("total", "over_hit", "indoors", "week"):
        assert_frame_equal(other.select(name), full.select(name))


@given(SEEDS)
@settings(max_examples=15)
def test_ratings_move_but_their_sum_stays(seed: int):
    """What one gains the other loses: with no return to the start the sum is the teams' starts."""
    league = random_league(seed, 6, 3, 5)
    elo = nfl.ELO | {"regression": 0.0}
    out = features(*league, elo=elo)
    day = out["date"].max() + timedelta(1)
    teams = sorted(
        {nfl.FRANCHISE.get(t, t) for s in ("home", "away") for t in league.schedules[f"{s}_team"]}
    )
    extra = [
        game(f"{day.year}_99_X{n}_{team}", day) | {"game_type": "REG"}
        for n, team in enumerate(teams)
    ]
    asked = [*league.schedules.to_dicts(), *extra]
    final = features(asked, league.team_games, None, None, {}, elo=elo).tail(len(extra))
    assert final["home_elo"].sum() == close_to(1500 * len(teams))
    assert final["away_elo"].unique().to_list() == [1500]
    assert final["home_elo"].n_unique() > 1


def test_rest_of_real_seasons(real_data: Path):
    """nflverse counts the days of rest itself; in these seasons also after its games were moved."""
    raw = pl.read_csv(real_data / "nfl/games.csv", infer_schema_length=None)
    raw = raw.filter(pl.col("season").is_in([2020, 2023, 2024]))
    games = raw.select(
        pl.col(n).alias(n) if n in raw.columns else pl.lit(None).alias(n)
        for n in nfl.SCHEMAS["schedules"]
    ).with_columns(date=raw["gameday"].str.to_date(), neutral=raw["location"] == "Neutral")
    out = features(games, [], raw, None, {}).join(raw, on="game_id", suffix="_source")
    assert out.height == 269 + 285 + 285
    for side in ("home", "away"):
        assert out[f"{side}_rest_days"].to_list() == out[f"{side}_rest"].to_list()
    for name in ("spread_line", "total_line", "div_game", "week", "total"):
        assert out[name].to_list() == out[f"{name}_source"].to_list()
    assert out["home_margin"].to_list() == out["result"].to_list()

"""Simulated lines and weather: repeatable, of the past only, and like the real ones."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import brier_score_loss, roc_auc_score

from scripts.errors import DataError
from scripts.nfl import simulate_odds, simulate_weather
from scripts.nfl.build_stadiums import of_season, read
from scripts.nfl.columns import ODDS, SCHEDULES, WEATHER
from scripts.nfl.simulate_odds import Lines, american, expectations, offered
from scripts.nfl.simulate_weather import climate_c, weather_of
from scripts.nfl.stadiums import locate
from scripts.nfl.teams import CODES
from scripts.tables import conform, schema_of

TABLE = Path(__file__).parents[3] / "config/universe/nfl_stadiums.csv"
TEAMS = ("BUF", "STL", "OAK", "GB")


def league(*seasons: int, seed: int = 1) -> pl.DataFrame:
    """Twelve weeks a season of four teams, two games a day; some games have no result."""
    rng = np.random.default_rng(seed)
    rows = []
    for season in seasons:
        for week in range(1, 13):
            order = rng.permutation(TEAMS)
            for home, away in (order[:2], order[2:]):
                known = rng.random() > 0.1
                home_score, away_score = rng.poisson(22 + 30 * (home == "GB")), rng.poisson(21)
                rows.append(
                    dict.fromkeys(SCHEDULES)
                    | {
                        "season": season,
                        "game_id": f"{season}_{week:02}_{away}_{home}",
                        "game_type": "REG",
                        "week": week,
                        "date": date(season, 9, 8) + timedelta(weeks=week),
                        "kickoff": "13:00",
                        "home_team": str(home),
                        "away_team": str(away),
                        "home_score": int(home_score) if known else None,
                        "away_score": int(away_score) if known else None,
                        "neutral": bool(rng.random() < 0.1),
                    }
                )
    return pl.DataFrame(rows, schema=schema_of(SCHEDULES))


def slow_expectations(games: pl.DataFrame, game_id: str) -> tuple[float, float]:
    """Spread and total of one game, from all results of earlier dates one after the other.

    Only for leagues where no team plays twice a day, and for all of a day's games at once.
    """
    rows = sorted(games.to_dicts(), key=lambda g: (g["date"], g["game_id"]))
    this = next(g for g in rows if g["game_id"] == game_id)
    strength, scoring, mean = defaultdict(float), defaultdict(float), 44.0
    day_mean, year, day = mean, rows[0]["season"], None
    for row in [g for g in rows if g["date"] < this["date"]] + [this]:
        while year < row["season"]:
            for ratings in (strength, scoring):
                ratings.update({team: 0.65 * value for team, value in ratings.items()})
            year = row["season"]
        if row["date"] != day:
            day, day_mean = row["date"], mean
        h, a = CODES[row["home_team"]], CODES[row["away_team"]]
        spread = strength[h] - strength[a] + (0 if row["neutral"] else 2.5)
        total = day_mean + scoring[h] + scoring[a]
        if row is this:
            return spread, total
        if row["home_score"] is not None:
            off = np.clip(row["home_score"] - row["away_score"] - spread, -24, 24)
            strength[h], strength[a] = strength[h] + 0.07 * off, strength[a] - 0.07 * off
            off = np.clip(row["home_score"] + row["away_score"] - total, -24, 24)
            scoring[h], scoring[a] = scoring[h] + 0.03 * off, scoring[a] + 0.03 * off
            mean += 0.005 * off
    raise AssertionError


def test_expectations_are_those_of_one_game_at_a_time() -> None:
    games = league(2010, 2011, 2012)
    for lines in expectations(games.sample(fraction=1, shuffle=True, seed=2), 2012):
        assert lines[1:] == pytest.approx(slow_expectations(games, lines.game_id))


def test_lines_use_earlier_dates_only() -> None:
    games = league(2010, 2011)
    lines = simulate_odds.simulate(games, 2011, 5)
    assert lines.schema == schema_of(ODDS) and lines.height == 24
    assert lines["simulated"].all() and set(lines["season"]) == {2011}
    for cut in games.filter(season=2011)["date"].unique():
        kept = simulate_odds.simulate(games.filter(pl.col("date") <= cut), 2011, 5)
        assert kept.equals(lines[: kept.height])
        own = pl.col("date") >= cut
        changed = simulate_odds.simulate(
            games.with_columns(
                home_score=pl.when(own).then(99).otherwise("home_score").cast(pl.Int32),
                away_score=pl.when(own).then(0).otherwise("away_score").cast(pl.Int32),
            ),
            2011,
            5,
        )
        assert changed[: kept.height].equals(kept)
        if changed.height > kept.height:
            assert not changed.equals(lines)  # later lines do see the edited scores
    later = pl.concat([games, league(2012, 2013)])
    assert simulate_odds.simulate(later, 2011, 5).equals(lines)


def test_the_seed_moves_lines_but_not_far() -> None:
    games = league(2010)
    one, two = (simulate_odds.simulate(games, 2010, seed) for seed in (1, 2))
    assert simulate_odds.simulate(games, 2010, 1).equals(one)
    assert not one.equals(two)
    exact = np.array([line.spread for line in expectations(games, 2010)])
    noise = np.concatenate([frame["spread_line"].to_numpy() - exact for frame in (one, two)])
    assert 0.9 < noise.std() < 2.2 and abs(noise.mean()) < 0.8


def test_a_season_without_games_is_told() -> None:
    with pytest.raises(DataError, match=r"^schedules: no game of season 2011; build that season$"):
        simulate_odds.simulate(league(2010), 2011, 1)


def test_american_odds() -> None:
    """A bet at fair odds neither wins nor loses on average."""
    assert [american(p) for p in (0.5, 110 / 210, 0.25, 0.8)] == [-100, -110, 300, -400]
    for probability in (0.03, 0.2, 0.4999, 0.51, 0.7, 0.95):
        odds = american(probability)
        profit = odds / 100 if odds > 0 else 100 / -odds
        assert probability * profit - (1 - probability) == pytest.approx(0, abs=0.003)


def implied(odds: float) -> float:
    return 100 / (odds + 100) if odds > 0 else -odds / (100 - odds)


@given(st.floats(-80, 80), st.floats(0, 200), st.integers(0, 2**31))
def test_what_is_offered(spread: float, total: float, seed: int) -> None:
    game = offered(Lines("2010_01_NE_BUF", spread, total), seed)
    line, both = game["spread_line"], game["total_line"]
    assert (2 * line).is_integer() and (2 * both).is_integer()
    assert abs(line) <= 24 and 30 <= both <= 65
    odds = game["home_moneyline"], game["away_moneyline"]
    assert all(abs(price) >= 100 for price in odds)
    home, away = (implied(price) for price in odds)
    assert home + away == pytest.approx(1.045, abs=0.004)
    if abs(line) < 20:
        assert home / (home + away) == pytest.approx(norm.cdf(line / 13.5), abs=0.003)


def test_odds_of_files(tmp_path: Path) -> None:
    games = league(2010, 2011)
    paths = []
    for season in (2010, 2011):
        paths.append(tmp_path / f"{season}.parquet")
        games.filter(season=season).write_parquet(paths[-1])
    simulate_odds.build(paths, 2011, 5, tmp_path / "odds.parquet")
    built = pl.read_parquet(tmp_path / "odds.parquet")
    assert built.equals(simulate_odds.simulate(games, 2011, 5))


def real_games(real_data: Path) -> pl.DataFrame:
    """All real games, columns `SCHEDULES` and the real lines and weather."""
    raw = pl.read_csv(real_data / "nfl/games.csv", infer_schema_length=None)
    other = raw.select("game_id", real="spread_line", real_total="total_line", f="temp", mph="wind")
    games = raw.with_columns(
        pl.col("gameday").str.to_date().alias("date"),
        pl.col("gametime").alias("kickoff"),
        pl.col("home_qb_id").alias("home_qb"),
        pl.col("away_qb_id").alias("away_qb"),
        pl.col("div_game") == 1,
        neutral=pl.col("location") == "Neutral",
    )
    return conform(games, SCHEDULES).join(other, on="game_id")


def test_lines_of_real_seasons_are_like_real_lines(real_data: Path) -> None:
    games = real_games(real_data).filter(pl.col("season") >= 2009)
    odds = [simulate_odds.simulate(games, season, 7) for season in range(2009, 2020)]
    both = pl.concat(odds).join(games, on="game_id").drop_nulls("home_score")
    both = both.with_columns(
        margin=pl.col("home_score") - pl.col("away_score"),
        total=pl.col("home_score") + pl.col("away_score"),
    )
    decided = both.filter(pl.col("margin") != 0)
    wins = (decided["margin"] > 0).to_numpy()
    chances = norm.cdf(decided["spread_line"].to_numpy() / 13.5)
    assert len(wins) == 2929
    assert 0.66 < roc_auc_score(wins, chances) < 0.70
    assert 0.21 < brier_score_loss(wins, chances) < 0.225
    covers = both.filter(pl.col("margin") != pl.col("spread_line"))
    assert 0.46 < (covers["margin"] > covers["spread_line"]).mean() < 0.54
    overs = both.filter(pl.col("total") != pl.col("total_line"))
    assert 0.46 < (overs["total"] > overs["total_line"]).mean() < 0.54
    assert np.corrcoef(both["spread_line"], both["real"])[0, 1] > 0.8
    assert np.corrcoef(both["total_line"], both["real_total"])[0, 1] > 0.65
    assert 4.5 < both["spread_line"].std() < 6.5


def games_of_places(*places: dict) -> pl.DataFrame:
    rows = [
        {
            "season": 2015,
            "game_id": f"2015_{number:05}_NE_BUF",
            "date": date(2015, 12, 6),
            "kickoff": "13:00",
            "lat": 42.8,
            "lon": -78.8,
            "roof": "outdoors",
            **place,
        }
        for number, place in enumerate(places)
    ]
    schema = {"season": pl.Int32, "lat": pl.Float64, "lon": pl.Float64, "roof": pl.String}
    return pl.DataFrame(rows, schema_overrides=schema | {"kickoff": pl.String})


def test_there_is_no_weather_indoors_or_nowhere() -> None:
    roofs = ["dome", "closed", "retractable", "open", "outdoors", None]
    games = games_of_places(*({"roof": roof} for roof in roofs), {"lat": None, "lon": None})
    found = simulate_weather.simulate(games, 1)
    assert found.schema == schema_of(WEATHER) and found["simulated"].all()
    known = [True, True, True, False, False, False, True]
    for name in ("temp_c", "humidity_pct", "wind_kmh", "pressure_hpa", "precip_mm"):
        assert found[name].is_null().to_list() == known


def test_weather_is_of_seed_and_game_only() -> None:
    games = games_of_places(*[{}] * 30, {"kickoff": None})
    found = simulate_weather.simulate(games, 4)
    turned = simulate_weather.simulate(games.reverse()[:11], 4)
    assert turned.equals(found.reverse()[:11])
    assert found["temp_c"].n_unique() > 20
    assert not simulate_weather.simulate(games, 5).equals(found)
    again = simulate_weather.simulate(games[-1:].with_columns(kickoff=pl.lit("13:00")), 4)
    assert again.equals(found[-1:])  # an unknown kickoff is at one


def test_weather_is_plausible() -> None:
    rng = np.random.default_rng(3)
    places = [
        {
            "lat": float(rng.uniform(25, 55)),
            "date": date(2015, 9, 1) + timedelta(days=int(rng.integers(160))),
            "kickoff": f"{rng.integers(13, 21)}:{rng.integers(60):02}",
        }
        for _ in range(4000)
    ]
    found = simulate_weather.simulate(games_of_places(*places), 9)
    limits = {
        "temp_c": (-40, 50),
        "humidity_pct": (10, 100),
        "wind_kmh": (0, 70),
        "pressure_hpa": (970, 1055),
        "precip_mm": (0, 30),
    }
    for name, (low, high) in limits.items():
        assert found[name].is_between(low, high).all(), name
    assert 0.06 < (found["precip_mm"] > 0).mean() < 0.10
    assert found["wind_kmh"].mean() == pytest.approx(12 * math.exp(0.5**2 / 2), rel=0.05)
    assert found["pressure_hpa"].mean() == pytest.approx(1016 - 0.08 * 6, abs=0.5)
    wet = found.filter(pl.col("precip_mm") > 0)
    assert wet["humidity_pct"].mean() > found["humidity_pct"].mean() + 10


def test_climate_follows_seasons_hours_and_latitudes() -> None:
    summer, winter = date(2015, 7, 24), date(2015, 1, 24)
    for lat in (26.0, 35.0, 45.0, 55.0):
        assert climate_c(lat, summer, 15) > climate_c(lat + 3, summer, 15) - 3
        assert climate_c(lat, winter, 15) > climate_c(lat + 3, winter, 15)
        assert climate_c(lat, summer, 15) == climate_c(lat, summer, 3) + 8
        assert climate_c(lat, summer, 15) > climate_c(lat, date(2015, 10, 24), 15)
        assert climate_c(-lat, winter, 15) == pytest.approx(climate_c(lat, summer, 15), abs=0.1)
    # Sao Paulo, Mexico City: no frost and no great heat at any time.
    days = [date(2015, 1, 1) + timedelta(days=d) for d in range(365)]
    for lat in (-23.5, 19.3):
        temperatures = [climate_c(lat, day, 12) for day in days]
        assert 17 < min(temperatures) < max(temperatures) < 35


def test_kickoffs_are_of_new_york_and_the_sun_is_local() -> None:
    """A game at 16:00 in New York is at one on the Pacific coast, where the day is warmer."""
    game = {"game_id": "a", "date": date(2015, 10, 4), "lat": 40.0}
    east = weather_of(game | {"kickoff": "20:00", "lon": -75.0}, 1)["temp_c"]
    west = weather_of(game | {"kickoff": "20:00", "lon": -120.0}, 1)["temp_c"]
    same = weather_of(game | {"kickoff": "17:00", "lon": -75.0}, 1)["temp_c"]
    assert west == same > east


def test_weather_of_files_takes_the_roof_of_the_schedule_then_of_the_place(tmp_path: Path) -> None:
    games = league(2010).with_columns(
        roof=pl.when(pl.col("home_team") == "STL").then(pl.lit("open"))
    )
    domed = games.with_columns(roof=pl.lit(None, pl.String))
    of_season(read(TABLE), 2010, TABLE).write_parquet(tmp_path / "stadiums.parquet")
    known = []
    for number, frame in enumerate((games, domed)):
        frame.with_columns(neutral=False).write_parquet(tmp_path / "games.parquet")
        out = tmp_path / f"{number}.parquet"
        simulate_weather.build(tmp_path / "games.parquet", tmp_path / "stadiums.parquet", 3, out)
        weather = pl.read_parquet(out)
        assert weather["game_id"].equals(games["game_id"])
        known.append(set(games.filter(weather["temp_c"].is_not_null())["home_team"]))
    assert known == [set(TEAMS), set(TEAMS) - {"STL"}]


def test_weather_of_real_games_is_like_the_real_one(real_data: Path) -> None:
    games = real_games(real_data)
    rows = read(TABLE)
    stadiums = pl.concat([of_season(rows, season, TABLE) for season in range(1999, 2026)])
    places = locate(games, stadiums).select("game_id", "lat", "lon")
    both = simulate_weather.simulate(games.join(places, on="game_id"), 3).join(games, on="game_id")
    both = both.drop_nulls(["f", "temp_c"]).with_columns(real_c=(pl.col("f") - 32) / 1.8)
    assert both.height > 4500
    assert np.corrcoef(both["temp_c"], both["real_c"])[0, 1] > 0.65
    assert both["temp_c"].mean() == pytest.approx(both["real_c"].mean(), abs=1)
    assert both["temp_c"].std() == pytest.approx(both["real_c"].std(), rel=0.1)
    assert both["wind_kmh"].mean() == pytest.approx(both["mph"].mean() * 1.609344, rel=0.1)
    monthly = both.filter(pl.col("date").dt.month() != 2).group_by(pl.col("date").dt.month())
    means = monthly.agg(pl.col("temp_c", "real_c").mean())
    assert (means["temp_c"] - means["real_c"]).abs().max() < 2

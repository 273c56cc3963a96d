"""Real seasons through the real code: published constants, official figures, other people's files.

`-s` prints what was got beside what was expected.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from scripts.nfl import (
    build_features,
    build_odds,
    build_pbp,
    build_play_types,
    build_schedules,
    build_stadiums,
    build_team_epa,
    build_weather,
    features,
    fit_expected_points,
    gamecenter,
    plays,
    score_integrity,
    score_leaks,
    score_points,
)
from scripts.nfl.columns import ODDS, PREDICTIONS, SCHEDULES, STADIUMS, WEATHER
from scripts.nfl.land_gamecenter import land
from scripts.nfl.models import families
from scripts.nfl.play_types import classify
from scripts.nfl.score_market import of_covers, of_lines
from scripts.nfl.teams import CODES
from scripts.tables import conform, scan, schema_of

Paths = dict[str, dict[int, Path]]
SEASONS, CLOSED = range(1999, 2026), range(1999, 2025)
GAMECENTER = range(2009, 2020)
GATE = (2016, 2017)
STADIUM_TABLE = Path(__file__).parents[2] / "config/universe/nfl_stadiums.csv"
ELO = {"k": 20.0, "home_edge": 55.0, "regression": 0.33}
# Plays of a season in which the other flattening differs: column -> (most, what differs).
OTHERWISE = {
    "play_type": (140, "plays that a timeout followed are plays, kickoffs are, annulled ones not"),
    "yards_gained": (10, "of plays that a penalty annulled"),
    "penalty": (4, "penalties without a player"),
    "touchdown": (12, "returns of blocked kicks are touchdowns, what was reversed is none"),
    "score_type": (4, "two points of the defence, a safety that is called a touchdown"),
}
CUT_SHORT = {  # games whose record misses a score, or the play that it was made on
    "2011_05_OAK_HOU",
    "2013_14_MIA_PIT",
    "2014_12_TEN_PHI",
    "2016_12_CIN_BAL",
    "2017_16_JAX_SF",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("real")


def show(what: str, got: object, expected: object) -> None:
    print(f"\n{what:46} got {got!s:>12}  expected {expected}", end="")


# Lines and features of 1999 to 2025.


@pytest.fixture(scope="module")
def etl(folder: Path, real_data: Path) -> Paths:
    """Partitions of all seasons, from games.csv."""
    source = real_data / "nfl/games.csv"
    made: Paths = {name: {} for name in ("schedules", "stadiums", "odds", "weather")}
    for season in SEASONS:
        for name, paths in made.items():
            paths[season] = folder / name / f"season={season}/part.parquet"
        out = {name: paths[season] for name, paths in made.items()}
        build_schedules.build(source, season, None, out["schedules"])
        build_stadiums.build(STADIUM_TABLE, season, out["stadiums"])
        build_odds.build(source, out["schedules"], season, out["odds"])
        build_weather.build("schedules", source, out["schedules"], season, out["weather"])
    return made


@pytest.fixture(scope="module")
def table(etl: Paths) -> pl.DataFrame:
    files = {name: list(paths.values()) for name, paths in etl.items()}
    return build_features.table(**files, team_epa=[], elo=ELO)


@pytest.fixture(scope="module")
def inputs(etl: Paths) -> dict[str, pl.DataFrame]:
    """The tables that the features are made of."""
    tables = {"games": SCHEDULES, "stadiums": STADIUMS, "odds": ODDS, "weather": WEATHER}
    read = {
        name: scan(etl["schedules" if name == "games" else name].values(), columns).collect()
        for name, columns in tables.items()
    }
    return read | {"statistics": pl.DataFrame(schema=schema_of(build_team_epa.COLUMNS))}


@pytest.mark.parametrize(
    ("name", "expected", "digits", "n"),
    [
        ("line_brier", 0.21125, 5e-5, 5667),
        ("line_log_loss", 0.61039, 5e-5, 5667),
        ("line_auc", 0.72128, 5e-5, 5667),
        ("cover_rate", 0.4871, 5e-5, 5529),
        ("residual_sd", 13.2, 0.05, 5680),
    ],
)
def test_constants_of_real_lines(
    table: pl.DataFrame, name: str, expected: float, digits: float, n: int
) -> None:
    found = {one["check"]: one for one in of_lines(table)}[name]
    show(f"{name} (n {found['n']})", f"{found['got']:.5f}", f"{expected} (n {n})")
    assert found["got"] == pytest.approx(expected, abs=digits)
    assert (found["n"], found["pass"]) == (n, True)


@pytest.fixture(scope="module")
def turned(inputs: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Features made with the published error: the sign of the spread turned."""
    odds = inputs["odds"].with_columns(-pl.col("spread_line"))
    return score_leaks.rebuilt(inputs | {"odds": odds}, ELO)


def covers(games: pl.DataFrame) -> pl.DataFrame:
    """Predictions of home_cover of 2014 to 2024 by the GLM of the years before."""
    known = games.drop_nulls("home_cover").filter(pl.col("season") < 2025)
    train, test = known.filter(pl.col("season") < 2014), known.filter(pl.col("season") >= 2014)
    columns = features.columns_of(["form", "market", "rating"])
    model = families.fit("glm", train, target="home_cover", features=columns, seed=1)
    made = test.with_columns(
        outcome=pl.col("home_cover"), probability=pl.Series(model.predict(test))
    )
    names = {"target": "home_cover", "features": "market", "model": "glm", "calibration": "none"}
    return conform(made, PREDICTIONS).with_columns(**{k: pl.lit(v) for k, v in names.items()})


def test_the_wrong_sign_fails_the_gates(table: pl.DataFrame, turned: pl.DataFrame) -> None:
    wrong = {one["check"]: one for one in of_lines(turned)}
    show("cover_rate, wrong sign", f"{wrong['cover_rate']['got']:.4f}", "0.59")
    assert wrong["cover_rate"]["got"] == pytest.approx(0.59, abs=0.01)
    assert wrong["cover_rate"]["n"] == 5569
    assert not any(one["pass"] for one in wrong.values())
    for name, games, passes in (("right", table, True), ("wrong", turned, False)):
        auc, brier = of_covers(covers(games))
        got = f"{auc['got']:.3f} {brier['got']:.3f}"
        show(f"cover AUC and Brier, {name} sign", got, "<= 0.55, >= 0.245" if passes else "beyond")
        assert (auc["pass"], brier["pass"]) == (passes, passes)
        assert auc["n"] >= 2000


def test_games_teams_and_scores_of_26_seasons(inputs: dict[str, pl.DataFrame]) -> None:
    games = inputs["games"]
    found = [
        *score_integrity.of_games(games, list(CLOSED)),
        *score_integrity.of_odds(games, inputs["odds"], simulated=False),
    ]
    assert {one["check"]: one["got"] for one in found if not one["pass"]} == {}
    regular = games.filter(pl.col("game_type") == "REG")["season"].value_counts().sort("season")
    counts = dict(regular.rows())
    expected = dict.fromkeys(range(2002, 2021), 256) | {2021: 272, 2022: 271, 2023: 272}
    assert {season: counts[season] for season in expected} == expected
    assert games.height == 7263


def test_days_of_rest_are_those_between_the_dates(table: pl.DataFrame, real_data: Path) -> None:
    """Also nflverse's own, but for games that were moved, or first games after a free week."""
    raw = pl.read_csv(real_data / "nfl/games.csv", infer_schema_length=None)
    last: dict[tuple[int, str], date] = {}
    slow = {}
    for game in raw.sort("gameday").iter_rows(named=True):
        day = date.fromisoformat(game["gameday"])
        for side in ("home", "away"):
            team = (game["season"], CODES[game[f"{side}_team"]])
            slow[game["game_id"], side] = (day - last[team]).days if team in last else 7
            last[team] = day
    both = table.join(raw.select("game_id", "home_rest", "away_rest"), on="game_id")
    for side in ("home", "away"):
        expected = [slow[game, side] for game in both["game_id"]]
        assert both[f"{side}_rest_days"].to_list() == expected
    other = both.filter(
        (pl.col("home_rest_days") != pl.col("home_rest"))
        | (pl.col("away_rest_days") != pl.col("away_rest"))
    )
    show("games with other days of rest than nflverse's", other.height, "46 at most")
    assert other.height <= 46
    assert set(other["season"]) <= {1999, 2000, 2001, 2017, 2019, 2021, 2022, 2025}


def test_real_features_pass_the_checks_against_leaks(
    table: pl.DataFrame, inputs: dict[str, pl.DataFrame]
) -> None:
    days = [date(2003, 11, 16), date(2015, 1, 4), date(2020, 10, 13)]
    edited = ["2001_05_OAK_IND", "2016_21_NE_ATL", "2024_10_PHI_DAL"]
    found = [
        score_leaks.truncation(table, inputs, ELO, days),
        score_leaks.own_score(table, inputs, ELO, edited),
    ]
    assert [one["got"] for one in found] == [0, 0], found
    assert found[0]["n"] > 9000


def test_hourly_weather_is_like_that_of_the_games(etl: Paths, real_data: Path) -> None:
    """Two sources of one kickoff: another station, another observer."""
    source = real_data / "nfl/weather/games_weather.csv"
    both = []
    for season in (2003, 2010, 2019):
        games = conform(pl.read_parquet(etl["schedules"][season]), SCHEDULES)
        hourly = build_weather.weather(
            games, build_weather.of_hours(source, source.with_name("games.csv"), games)
        )
        theirs = pl.read_parquet(etl["weather"][season])
        both.append(hourly.join(theirs, on="game_id", suffix="_theirs"))
    rows = pl.concat(both).drop_nulls(["temp_c", "temp_c_theirs"])
    off = (rows["temp_c"] - rows["temp_c_theirs"]).abs().median()
    wind = rows.select(pl.corr("wind_kmh", "wind_kmh_theirs")).item()
    show("temperature, median difference in degrees C", f"{off:.2f}", "< 2")
    show("wind, correlation", f"{wind:.2f}", "> .5")
    assert rows.height > 300
    assert off < 2
    assert wind > 0.5
    assert rows["pressure_hpa"].drop_nulls().is_between(820, 1060).all()


# Plays of 2009 to 2019.


@pytest.fixture(scope="module", params=GAMECENTER)
def landed(request: pytest.FixtureRequest, folder: Path) -> tuple[int, pl.DataFrame, Path]:
    """A season, its schedule, and the file of its plays, landed from the wheel."""
    season = request.param
    paths = folder / f"games{season}.csv", folder / f"plays{season}.parquet"
    land(season, gamecenter.package(), *paths, folder / f"players{season}.parquet")
    return season, build_schedules.schedule(paths[0], season), paths[1]


def test_the_other_flattening_has_the_same_plays(landed: tuple, real_data: Path) -> None:
    """Against files that others made of the same records (nfl/PROVENANCE.md)."""
    season, _, path = landed
    ours = pl.read_parquet(path)
    theirs = pl.read_csv(real_data / f"nfl/pbp/pbp_nflgame_{season}.csv.gz", infer_schema=False)
    same = [name for name in gamecenter.PLAYS if name in theirs.columns]
    assert set(gamecenter.PLAYS) - set(same) == {"penalty_team", "try_points"}
    theirs = theirs.select(
        pl.col(name).cast(pl.Float64).cast(gamecenter.PLAYS[name].dtype)
        if gamecenter.PLAYS[name].dtype == pl.Int32
        else pl.col(name)
        for name in same
    ).with_columns(pl.col("note").fill_null(""))
    assert ours.select("game_id", "play_id").equals(theirs.select("game_id", "play_id"))
    for name in same:
        differ = int(ours[name].ne_missing(theirs[name]).sum())
        most, what = OTHERWISE.get(name, (0, "nothing"))
        assert differ <= most, f"{name}: {differ} plays differ, expected {most}: {what}"


def test_games_are_those_of_nflverse(landed: tuple, real_data: Path) -> None:
    season, ours, _ = landed
    theirs = build_schedules.schedule(real_data / "nfl/games.csv", season)
    assert ours["game_id"].sort().equals(theirs["game_id"].sort())
    both = ours.join(theirs, on="game_id", suffix="_theirs")
    off = {
        name: set(both.filter(pl.col(name) != pl.col(f"{name}_theirs"))["game_id"])
        for name in ours.columns
        if name not in ("season", "game_id", "kickoff", "neutral", "home_qb", "away_qb")
    }
    # Moved to Detroit and to Monday for the snow; the record ends before the last safety.
    known = {"date": {"2014_12_NYJ_BUF"}, "away_score": {"2016_12_CIN_BAL"}}
    assert all(games <= known.get(name, set()) for name, games in off.items()), off
    clocks = [pl.col(n).str.to_time("%H:%M").cast(pl.Int64) for n in ("kickoff", "kickoff_theirs")]
    late = both.filter((clocks[0] - clocks[1]).abs() > 3600 * 10**9)["game_id"]
    assert set(late) <= {"2016_02_TB_ARI"}  # 13:00 in theirs: 10 in the morning in Arizona
    for side in ("home", "away"):  # a runner or a receiver threw first, a starter never did
        assert both.filter(pl.col(f"{side}_qb") != pl.col(f"{side}_qb_theirs")).height <= 5


def test_scores_of_the_plays_add_up(landed: tuple, etl: Paths) -> None:
    """To nflverse's final scores, but for games whose record misses one."""
    season, _, path = landed
    games = pl.read_parquet(etl["schedules"][season])
    read = plays.read(path, games)
    found = {one["check"]: one for one in score_integrity.of_plays(games, read, classify(read))}
    wrong = set(found["play_scores"]["note"].partition(": ")[2].split(", ")) - {""}
    assert wrong <= CUT_SHORT
    assert found["orphan_plays"]["pass"]
    assert found["plays_per_game"]["pass"]
    assert found["play_scores"]["n"] == games.height - (11 if season == 2018 else 0)


@pytest.fixture(scope="module")
def flat(folder: Path, etl: Paths, real_data: Path) -> dict[int, Path]:
    """Plays of the flattened files, read by the job."""
    made = {}
    for season in range(GAMECENTER[0], GATE[-1] + 1):
        made[season] = folder / f"pbp/season={season}/part.parquet"
        source = real_data / f"nfl/pbp/pbp_nflgame_{season}.csv.gz"
        build_pbp.build(source, etl["schedules"][season], made[season])
    return made


@pytest.mark.parametrize("season", GATE)
def test_points_added_are_like_the_official_ones(
    folder: Path, etl: Paths, flat: dict[int, Path], real_data: Path, season: int
) -> None:
    """By a model of the seasons before, from files that do not tell tries and penalties."""
    top = folder / f"points{season}"
    earlier = [path for other, path in flat.items() if other < season]
    fit_expected_points.fit(earlier, 1, top / "model.ubj")
    build_play_types.build(flat[season], top / "types.parquet")
    sums = top / "team_epa.parquet"
    build_team_epa.build(flat[season], top / "types.parquet", top / "model.ubj", sums)
    score_points.score(
        team_epa=[sums],
        schedules=[etl["schedules"][season]],
        official_files=[real_data / f"nfl/stats_team_week_{season}.csv"],
        names=["epa_correlation"],
        outs=[top / "epa_correlation.json"],
    )
    found = json.loads((top / "epa_correlation.json").read_text())
    show(f"EPA {season}, correlation by team-game", f"{found['got']:.4f}", ">= 0.95")
    assert found["pass"]
    assert found["n"] == 534
    assert found["got"] > 0.97

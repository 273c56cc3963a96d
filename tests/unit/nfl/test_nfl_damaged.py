"""Files of the NFL as torture found them: damaged in one place, and once taken without a word."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from scripts.errors import DataError
from scripts.nfl import (
    build_odds,
    build_pbp,
    build_player_games,
    build_players,
    build_schedules,
    build_weather,
    gamecenter,
    land_release,
    meteostat,
    odds_api,
    score_points,
)
from scripts.nfl.land_gamecenter import land
from scripts.patience import PassingError
from tests.torture import (
    read_nfl,
    read_nfl_plays,
    read_nfl_served,
    read_nfl_tables,
    read_nfl_wheel,
)
from tests.unit.nfl.nfl_play_frames import games

SEASON = read_nfl.SEASON


def one_line(caught: pytest.ExceptionInfo, path: object, said: str) -> None:
    """The error names the file and says so, in one line."""
    message = str(caught.value)
    assert str(path) in message
    assert said in message
    assert "\n" not in message


# games.csv


def struck(folder: Path, column: str, cell: str, *, twice: bool = False) -> Path:
    """A games.csv with a cell of its first row changed, or that row twice."""
    header, first, *others = read_nfl.games_csv(Random(1))["games.csv"].decode().splitlines()
    cells = first.split(",")
    cells[header.split(",").index(column)] = cell
    path = folder / "games.csv"
    rows = [header, ",".join(cells), *([",".join(cells)] if twice else []), *others]
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("season", "2O15", "line 2, column season: got '2O15', expected a year"),
        ("season", "", "line 2: no season"),
        ("season", "2015.0", "expected a year"),
        ("game_id", "2014_01_NE_BUF", "column game_id: got '2014_01_NE_BUF', expected 2015_WEEK"),
        ("week", "1.5", "column week: got '1.5', expected a whole number from 1 to 25"),
        ("home_score", "17.5", "expected a whole number"),
        ("location", "nowhere", "expected Home or Neutral"),
        ("roof", "x" * 99, f"got '{'x' * 60}...', expected outdoors"),
    ],
)
def test_a_cell_of_the_schedule_is_told(tmp_path: Path, column: str, cell: str, said: str) -> None:
    path = struck(tmp_path, column, cell)
    with pytest.raises(DataError) as caught:
        build_schedules.schedule(path, SEASON)
    one_line(caught, path, said)


@pytest.mark.parametrize("reader", ["odds", "weather"])
def test_a_game_that_stands_twice_comes_not_out_twice(tmp_path: Path, reader: str) -> None:
    path = struck(tmp_path, "spread_line", "3", twice=True)
    with pytest.raises(DataError) as caught:
        if reader == "odds":
            build_odds.lines(path, games(), SEASON)
        else:
            build_weather.of_games(path, SEASON)
    one_line(caught, path, f"game_id {read_nfl.IDS[0]} stands on lines 2 and 3; remove one")


def test_a_line_of_no_season_is_not_left_out_when_landed(tmp_path: Path) -> None:
    body = struck(tmp_path, "season", "201").read_bytes()
    with pytest.raises(DataError) as caught:
        land_release.season_of_all(body, "games.csv", SEASON, ("season",))
    one_line(caught, "games.csv", "line 2, column season: got '201', expected a year")


def test_a_blank_line_at_the_end_is_no_damage_when_landed(tmp_path: Path) -> None:
    body = read_nfl.games_csv(Random(1))["games.csv"]
    how = ("games.csv", SEASON, ("season",))
    assert land_release.season_of_all(body + b"\n", *how) == land_release.season_of_all(body, *how)
    of_season = land_release.season_of_all(body, *how) + b"\r\n"
    assert land_release.csv_of_season(of_season, *how) == of_season
    wrong = of_season + of_season.splitlines(keepends=True)[1].replace(b"2015", b"2014")
    line = len(wrong.splitlines())
    with pytest.raises(DataError, match=f"games.csv: line {line}: season '2014', expected 2015"):
        land_release.csv_of_season(wrong, *how)


def test_a_row_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "games.csv"
    header, first, *_ = read_nfl.games_csv(Random(1))["games.csv"].decode().splitlines()
    path.write_text(f"{header}\n{first.rpartition(',')[0]}\n")
    with pytest.raises(DataError) as caught:
        build_schedules.schedule(path, SEASON)
    one_line(caught, path, "line 2: 25 fields, expected 26")


# Players, team figures


def test_a_player_of_no_season_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    body = read_nfl_tables.rosters(Random(1))["roster.csv"].decode()
    path.write_text(body.replace(f"{SEASON},", "x,", 1))
    assert build_players.players(path, SEASON)[1]["no season"] == 1


@pytest.mark.parametrize("cell", [True, 1.5, ["a"], {"a": [None]}, "\ud800"])
def test_a_player_of_the_wheel_that_is_no_text(tmp_path: Path, cell: Any) -> None:
    path = tmp_path / "players.json"
    listed = json.loads(read_nfl_wheel.people(Random(1))["players.json"])
    listed["00-0000001"]["full_name"] = cell
    path.write_text(json.dumps(listed))
    with pytest.raises(DataError) as caught:
        build_players.players(path, 2013)
    one_line(caught, path, "no list of players")


def test_a_list_of_players_that_is_too_deep(tmp_path: Path) -> None:
    path = tmp_path / "players.json"
    path.write_text("[" * 100_000)
    with pytest.raises(DataError, match="no list of players"):
        build_players.players(path, 2013)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",2,NE", ",1,NE", "line 3: NE a second time in that week"),
        ("NE", "1_000", "no team '1_000'"),
        ("2015,1,", "2015,,", "line 2: no week"),
        ("2015,1,", "2015,1.5,", "whole number"),
    ],
)
def test_official_points(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "stats.csv"
    body = read_nfl_tables.team_figures(Random(1))["stats.csv"].decode()
    path.write_text(body.replace(old, new, 1))
    with pytest.raises(DataError) as caught:
        score_points.official([path])
    one_line(caught, path, said)


# Weather and odds as they are served


def stations_with(key: str, value: object) -> bytes:
    listed = json.loads(gzip.decompress(read_nfl_served.stations(Random(1))["lite.json.gz"]))
    (listed[0]["location"] if key == "latitude" else listed[0])[key] = value
    return gzip.compress(json.dumps(listed).encode())


@pytest.mark.parametrize(
    ("key", "value"),
    [("latitude", "NaN"), ("latitude", True), ("latitude", 91), ("id", "../x"), ("id", ["a"])],
)
def test_a_station_that_cannot_be(key: str, value: object) -> None:
    with pytest.raises(DataError) as caught:
        meteostat.stations(stations_with(key, value), "lite.json.gz")
    one_line(caught, "lite.json.gz", "station 1 with hourly data")


def test_json_has_no_nan() -> None:
    with pytest.raises(PassingError, match="expected JSON"):
        meteostat.stations(stations_with("latitude", float("nan")), "f")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["bookmakers"], {}),
        (["bookmakers", 0, "markets"], ""),
        (["bookmakers", 0, "markets", 0, "outcomes"], {}),
        (["bookmakers", 0, "markets", 0, "outcomes", 0, "name"], "Nobody"),
        (["bookmakers", 0, "markets", 0, "outcomes", 0, "price"], 1e300),
        (["bookmakers", 0, "markets", 1, "outcomes", 0, "point"], "NaN"),
        (["bookmakers", 0, "markets", 1, "outcomes", 0, "point"], True),
        (["bookmakers", 0, "markets", 2, "outcomes", 0, "point"], 1000),
        (["home_team"], None),
    ],
)
def test_odds_that_cannot_be(path: list, value: object) -> None:
    told = json.loads(read_nfl_served.odds(Random(1))["odds.json"])
    place = told["data"][0]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    kickoff = datetime(2024, 9, 8, 17, tzinfo=UTC)
    with pytest.raises(DataError) as caught:
        found = odds_api.snapshot(json.dumps(told).encode(), "odds")
        odds_api.consensus(found, "PHI", "DAL", kickoff, "odds")
    one_line(caught, "odds", "another shape")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("hours.csv", "2015091300,", "game,", "line 2, column game_id: got 'game'"),
        ("starts.csv", "2015091301,9/13/2015 13", "2015091300,9/13/2015 14", "two times"),
    ],
)
def test_measures(tmp_path: Path, file: str, old: str, new: str, said: str) -> None:
    for name, body in read_nfl_served.measures(Random(1)).items():
        text = body.decode()
        (tmp_path / name).write_text(text.replace(old, new, 1) if name == file else text)
    schedule = games({"old_game_id": "2015091300"})
    with pytest.raises(DataError) as caught:
        build_weather.of_hours(tmp_path / "hours.csv", tmp_path / "starts.csv", schedule)
    one_line(caught, tmp_path / file, said)


# Plays


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("fumble_lost", -1.0),
        ("sack", 5e-324),
        ("down", 1.5),
        ("down", 0.0),
        ("epa", 1e308),
        ("wp", float("nan")),
        ("play_id", None),
        ("play_type", "inf"),
        ("field_goal_result", "NA"),
        ("two_point_conv_result", "#"),
        ("td_team", "007"),
    ],
)
def test_a_play_that_cannot_be(tmp_path: Path, column: str, value: object) -> None:
    path = tmp_path / "pbp.parquet"
    path.write_bytes(read_nfl_plays.plays(Random(1))["pbp.parquet"])
    frame = pl.read_parquet(path)
    cells = frame[column].to_list()
    cells[3] = value
    frame.with_columns(pl.Series(column, cells, frame.schema[column])).write_parquet(path)
    schedule = read_nfl_plays._schedule(tmp_path)
    with pytest.raises(DataError) as caught:
        build_pbp.build(path, schedule, tmp_path / "out.parquet")
    one_line(caught, path, "play ")
    if column == "play_type":
        with pytest.raises(DataError, match="play 100"):
            build_player_games.build(path, "pbp", schedule, tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


def wheel(folder: Path, change: Any, *, of_schedule: bool = False) -> Path:
    """The wheel's files cut short, one of them changed; that one."""
    files = read_nfl_wheel.wheel(Random(1))
    names = [name for name in sorted(files) if (name == "schedule.json") == of_schedule]
    packed = gzip.decompress(files[names[0]]) if not of_schedule else files[names[0]]
    document = json.loads(packed)
    change(document)
    body = json.dumps(document).encode()
    files[names[0]] = body if of_schedule else gzip.compress(body)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder / names[0]


def first_play(document: dict) -> dict:
    record = next(iter(document.values()))
    return next(iter(record["drives"]["1"]["plays"].values()))


def first_stat(document: dict) -> dict:
    return next(iter(first_play(document)["players"].values()))[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda d: first_play(d).pop("qtr"),
        lambda d: first_play(d).update(qtr="abc"),
        lambda d: first_play(d).update(down=-1),
        lambda d: first_play(d).update(time="../x"),
        lambda d: first_play(d).update(posteam=True),
        lambda d: first_stat(d).update(statId={}),
        lambda d: first_stat(d).update(yards=True),
        lambda d: first_stat(d).pop("clubcode"),
        lambda d: next(iter(d.values())).update(drives=None),
        lambda d: next(iter(d.values()))["home"]["score"].update(T=[]),
        # Two keys of one number: the second would take the place of the first.
        lambda d: next(iter(d.values()))["drives"].update({"01": {"plays": {}}}),
    ],
)
def test_a_damaged_record_is_told(tmp_path: Path, change: Any) -> None:
    path = wheel(tmp_path, change)
    with pytest.raises(DataError) as caught:
        gamecenter.read(tmp_path, path.name.partition(".")[0])
    one_line(caught, path, "no GameCenter record")
    outs = [tmp_path / "out" / name for name in ("games", "plays", "players")]
    with pytest.raises(DataError):
        land(2013, tmp_path, *outs)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["games"][0][1].update(year="2013"),
        lambda d: d["games"][0][1].pop("week"),
        lambda d: d["games"][0].pop(),
        lambda d: d["games"].append(d["games"][0]),
        lambda d: d.update(games={"a": 1}),
        lambda d: d["games"][0][1].update(time="25:00"),
    ],
)
def test_a_damaged_schedule_of_the_wheel_is_told(tmp_path: Path, change: Any) -> None:
    path = wheel(tmp_path, change, of_schedule=True)
    with pytest.raises(DataError) as caught:
        gamecenter.schedule(tmp_path, 2013)
    one_line(caught, path, "")

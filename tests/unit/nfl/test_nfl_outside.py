"""Closing lines and weather: units, hours, what is null, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.nfl import build_odds, build_weather
from scripts.nfl.columns import ODDS, WEATHER
from scripts.tables import schema_of
from tests.unit.nfl.nfl_play_frames import games

ONE, TWO = "2015_01_NE_BUF", "2015_01_MIA_NYJ"
LINES = ("spread_line", "total_line", "home_moneyline", "away_moneyline")
MEASURES = ("Temperature", "Humidity", "WindSpeed", "Pressure", "Precipitation")
MILD = (50, 60, 10, 30, 0.1)
KICKOFF = datetime(2015, 9, 13, 13, 0)


def table(path: Path, header: Sequence[str], *rows: Sequence[object]) -> Path:
    """A CSV."""
    lines = [header, *(["" if cell is None else str(cell) for cell in row] for row in rows)]
    path.write_text("".join(",".join(line) + "\n" for line in lines))
    return path


def schedule(**of_first: Any) -> pl.DataFrame:
    """Two games, in another order than the files have them."""
    first = {"game_id": ONE, "old_game_id": "2015091300", "home_team": "BUF", "away_team": "NE"}
    second = {"game_id": TWO, "old_game_id": "2015091301", "home_team": "NYJ", "away_team": "MIA"}
    return games(second, first | of_first)


# Closing lines.


def odds(folder: Path, *cells: object, season: int = 2015) -> pl.DataFrame:
    """Lines of game ONE."""
    source = table(
        folder / "games.csv",
        ("game_id", "season", *LINES),
        (ONE, 2015, *cells),
        ("2015_19_NO_SE", 2015, -1, 44, -110, -110),  # not on the schedule
        ("2014_01_NE_BUF", 2014, "x", "x", "x", "x"),
    )
    return build_odds.lines(source, schedule(), season)


def test_lines_of_the_schedules_games_in_its_order(tmp_path: Path) -> None:
    found = odds(tmp_path, 3.5, 47, -170, 150)
    assert found.schema == schema_of(ODDS)
    assert found.rows() == [
        (2015, TWO, None, None, None, None, False),
        (2015, ONE, 3.5, 47.0, -170.0, 150.0, False),
    ]
    assert odds(tmp_path, "NA", "", " ", None).row(1)[2:6] == (None, None, None, None)


@pytest.mark.parametrize(
    "cells", [(-50, 20, -100, 100), (50, 100, 100_000, -100_000), (0, 44.5, 100, -100)]
)
def test_lines_at_their_limits(tmp_path: Path, cells: tuple) -> None:
    assert odds(tmp_path, *cells).row(1)[2:6] == cells


@pytest.mark.parametrize(
    ("place", "cell", "message"),
    [
        (0, 60, "column spread_line: got '60', expected a number from -50 to 50"),
        (0, "-50.5", "column spread_line: got '-50.5'"),
        (0, "pk", "column spread_line: got 'pk'"),
        (1, 19.5, "column total_line: got '19.5', expected a number from 20 to 100"),
        (1, 101, "column total_line: got '101'"),
        (2, 99, "column home_moneyline: got 99; American odds are at least 100 in size"),
        (2, -99.9, "column home_moneyline: got -99.9; American"),
        (2, 0, "column home_moneyline: got 0; American"),
        (3, 1.9, "column away_moneyline: got 1.9; American"),  # decimal odds
        (3, 100_001, "column away_moneyline: got '100001'"),
        (3, "inf", "column away_moneyline: got 'inf'"),
    ],
)
def test_lines_that_cannot_be_are_refused(
    tmp_path: Path, place: int, cell: object, message: str
) -> None:
    cells = [3, 44, -110, 110]
    cells[place] = cell
    with pytest.raises(DataError) as caught:
        odds(tmp_path, *cells)
    assert f"games.csv: line 2, {message}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_job_of_lines(tmp_path: Path) -> None:
    expected = odds(tmp_path, 3, 44, -110, -110)
    schedule().write_parquet(tmp_path / "schedule.parquet")
    paths = (tmp_path / "games.csv", tmp_path / "schedule.parquet")
    line = build_odds.build(*paths, 2015, tmp_path / "out.parquet")
    assert line == "2 games, 1 with a closing spread"
    assert pl.read_parquet(tmp_path / "out.parquet").equals(expected)


# Weather of games.csv.


def outside(folder: Path, temp: object, wind: object, **of_first: Any) -> tuple:
    """Weather of game ONE: temperature, humidity, wind, pressure, precipitation."""
    header = ("game_id", "season", "temp", "wind")
    source = table(folder / "games.csv", header, (ONE, 2015, temp, wind))
    found = build_weather.weather(schedule(**of_first), build_weather.of_games(source, 2015))
    assert found.schema == schema_of(WEATHER)
    assert found["game_id"].to_list() == [TWO, ONE]
    assert found.row(0) == (2015, TWO, None, None, None, None, None, False)
    return found.row(1)[2:7]


@pytest.mark.parametrize(
    ("fahrenheit", "celsius"), [(32, 0), (122, 50), (-40, -40), (98.6, 37), (50, 10), ("", None)]
)
def test_degrees(tmp_path: Path, fahrenheit: object, celsius: float | None) -> None:
    temp, *others = outside(tmp_path, fahrenheit, "")
    assert temp == (None if celsius is None else pytest.approx(celsius))
    assert others == [None] * 4


@pytest.mark.parametrize("fahrenheit", [-41, 131, "warm"])
def test_degrees_that_cannot_be_are_refused(tmp_path: Path, fahrenheit: object) -> None:
    with pytest.raises(DataError, match=f"line 2, column temp: got '{fahrenheit}', expected"):
        outside(tmp_path, fahrenheit, 0)


def test_winds(tmp_path: Path) -> None:
    assert outside(tmp_path, "", 10)[2] == pytest.approx(16.09344)
    assert outside(tmp_path, "", 0)[2] == 0
    for wrong in (-1, 101, "calm"):
        with pytest.raises(DataError, match=f"line 2, column wind: got '{wrong}'"):
            outside(tmp_path, "", wrong)


@pytest.mark.parametrize("roof", ["dome", "closed"])
def test_weather_is_null_indoors(tmp_path: Path, roof: str) -> None:
    assert outside(tmp_path, 72, 5, roof=roof) == (None,) * 5


@pytest.mark.parametrize("roof", ["outdoors", "open", None])
def test_weather_stays_under_the_sky_and_where_the_roof_is_unknown(
    tmp_path: Path, roof: str | None
) -> None:
    assert outside(tmp_path, 50, 10, roof=roof)[0] == pytest.approx(10)


# Weather by the hour.


def told(time: datetime) -> str:
    return f"{time.month}/{time.day}/{time.year} {time.hour}:{time.minute:02}"


def hours(folder: Path, *rows: Sequence[object], start: str | None = None) -> pl.DataFrame:
    """Measures by game_id, from rows (time or minutes after the kickoff, *MEASURES) of ONE."""
    table(
        folder / "games.csv",
        ("game_id", "Season", "TimeStartGame"),
        ("2015091300", 2015, told(KICKOFF) if start is None else start),
        ("1999091300", 1999, "not of this season"),
    )
    measured = [
        (
            "2015091300",
            told(KICKOFF + timedelta(minutes=row[0])) if isinstance(row[0], int) else row[0],
            *row[1:],
        )
        for row in rows
    ]
    source = table(
        folder / "weather.csv",
        ("game_id", "TimeMeasure", *MEASURES),
        *measured,
        ("1999091300", "never", *["x"] * 5),
    )
    return build_weather.of_hours(source, source.with_name("games.csv"), schedule())


def test_units_of_hourly_measures(tmp_path: Path) -> None:
    found = hours(tmp_path, (0, 68, 55, 10, 29.92, 0.25)).row(0, named=True)
    assert found == {
        "game_id": ONE,
        "temp_c": pytest.approx(20),
        "humidity_pct": 55,
        "wind_kmh": pytest.approx(16.09344),
        "pressure_hpa": pytest.approx(1013.25, abs=0.1),  # the standard atmosphere is 29.92 inHg
        "precip_mm": pytest.approx(6.35),
    }
    assert hours(tmp_path, (0, *[None] * 5)).row(0)[1:] == (None,) * 5


@pytest.mark.parametrize(
    ("minutes", "chosen"),
    [
        ((-60, 0, 60), 0),
        ((-59, 1), -59),
        ((-10, -40, 5), -10),
        ((5, 60), 5),
        ((60,), 60),
        ((-60,), -60),
        ((-61, 61), None),
        ((-120, 30), 30),
    ],
)
def test_the_measure_is_the_last_one_up_to_kickoff_or_the_first_after(
    tmp_path: Path, minutes: tuple[int, ...], chosen: int | None
) -> None:
    for order in (minutes, minutes[::-1]):
        found = hours(tmp_path, *((m, 50 + m / 10, *MILD[1:]) for m in order))
        expected = [] if chosen is None else [pytest.approx((50 + chosen / 10 - 32) / 1.8)]
        assert found["temp_c"].to_list() == expected


@given(minutes=st.lists(st.integers(-90, 90), min_size=1, max_size=8, unique=True))
def test_the_choice_is_that_of_a_loop(
    minutes: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("hours")
    found = hours(folder, *((m, *MILD[:1], 50 + m / 10, *MILD[2:]) for m in minutes))
    best = None
    for m in minutes:
        if abs(m) > 60:
            continue
        nearer = best is None or abs(m) < abs(best)
        if best is None or (m <= 0 < best) or ((m <= 0) == (best <= 0) and nearer):
            best = m
    got = found["humidity_pct"].to_list()
    assert got == ([] if best is None else [pytest.approx(50 + best / 10)])


def test_of_two_measures_of_a_minute_the_first_in_the_file_counts(tmp_path: Path) -> None:
    found = hours(tmp_path, (0, 50, *MILD[1:]), (0, 68, *MILD[1:]))
    assert found["temp_c"].to_list() == [pytest.approx(10)]


@pytest.mark.parametrize(
    ("place", "cell"),
    [(0, 141), (0, "warm"), (1, 101), (2, 151), (3, 1013), (3, 14.9), (4, -0.1), (4, 21)],
)
def test_measures_that_cannot_be_are_refused(tmp_path: Path, place: int, cell: object) -> None:
    cells: list[object] = list(MILD)
    cells[place] = cell
    message = f"weather.csv: line 3, column {MEASURES[place]}: got '{cell}', expected a number"
    with pytest.raises(DataError, match=message) as caught:
        hours(tmp_path, (0, *MILD), (5, *cells))
    assert "\n" not in str(caught.value)


def test_times_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"weather\.csv: line 2, column TimeMeasure: got 'noon'"):
        hours(tmp_path, ("noon", *MILD))
    with pytest.raises(DataError, match=r"games\.csv: line 2, column TimeStartGame: got '1 pm'"):
        hours(tmp_path, (0, *MILD), start="1 pm")


def test_files_that_are_none_or_lack_a_column_are_one_line(tmp_path: Path) -> None:
    source = tmp_path / "weather.csv"
    with pytest.raises(DataError, match=r"games\.csv: cannot be read .*; fetch it again"):
        build_weather.of_hours(source, source.with_name("games.csv"), schedule())
    hours(tmp_path, (0, *MILD))
    whole = pl.read_csv(source, infer_schema=False)
    whole.drop("Pressure", "Humidity").write_csv(source)
    with pytest.raises(DataError, match=r"weather\.csv: no column Humidity, Pressure"):
        build_weather.of_hours(source, source.with_name("games.csv"), schedule())


@pytest.mark.parametrize("kind", ["schedules", "files"])
def test_the_job_of_weather(tmp_path: Path, kind: str) -> None:
    schedule(roof="dome").write_parquet(tmp_path / "domed.parquet")
    schedule().write_parquet(tmp_path / "open.parquet")
    if kind == "files":
        hours(tmp_path, (0, *MILD))
        source = tmp_path / "weather.csv"
    else:
        header = ("game_id", "season", "temp", "wind")
        source = table(tmp_path / "games.csv", header, (ONE, 2015, 50, 10))
    out = tmp_path / "out.parquet"
    for name, known in (("open", 1), ("domed", 0)):
        line = build_weather.build(
            kind,
            source,
            tmp_path / f"{name}.parquet",
            2015,
            out,
            starts=tmp_path / "games.csv" if kind == "files" else None,
        )
        assert line == f"2 games, {known} with a temperature"
        made = pl.read_parquet(out)
        assert made["temp_c"].count() == known
        assert made["simulated"].to_list() == [False, False]

"""Distances, kickoffs, Meteostat's files of both layouts, the weather of games from a server."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.nfl import meteostat
from scripts.nfl.columns import SCHEDULES, STADIUMS, WEATHER
from scripts.nfl.geography import RADIUS_KM, distance_km
from scripts.nfl.kickoffs import kickoff_utc, mended
from scripts.nfl.land_weather import land, places
from scripts.nfl.teams import FRANCHISES
from scripts.patience import PassingError
from scripts.tables import schema_of
from tests.servers import Fault, Server, file_server

QUICK = {"attempts": 2, "total_s": 20, "timeout_s": 5, "wait_s": 0.01}
HEADER = (
    "year,month,day,hour,temp,temp_source,rhum,rhum_source,prcp,prcp_source,wdir,wdir_source,"
    "wspd,wspd_source,pres,pres_source,coco,coco_source"
)
LAT, LON = 40.0, -75.0  # of the stadium
KM = 180 / (math.pi * RADIUS_KM)  # degrees of latitude
ANGLES = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


# Distances


def by_vectors(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """The same by the angle between two vectors, from their cross and dot product."""
    one, two = (
        np.array(
            [
                math.cos(math.radians(lat)) * math.cos(math.radians(lon)),
                math.cos(math.radians(lat)) * math.sin(math.radians(lon)),
                math.sin(math.radians(lat)),
            ]
        )
        for lat, lon in ((lat1, lon1), (lat2, lon2))
    )
    return 6371.0088 * math.atan2(float(np.linalg.norm(np.cross(one, two))), float(one @ two))


@given(ANGLES, ANGLES)
def test_distances_are_those_of_vectors(one: tuple, two: tuple) -> None:
    # Opposite places are where the haversine loses digits: half of them.
    assert float(distance_km(*one, *two)) == pytest.approx(by_vectors(*one, *two), abs=2e-4)
    assert distance_km(*one, *two) == distance_km(*two, *one)
    assert distance_km(*one, *one) == 0


def test_distances_of_known_places() -> None:
    assert distance_km(0, 0, 0, 180) == pytest.approx(math.pi * 6371.0088)
    assert distance_km(90, 0, -90, 50) == pytest.approx(math.pi * 6371.0088)
    assert distance_km(0, 10, 0, 11) == pytest.approx(math.pi * 6371.0088 / 180)
    assert distance_km(10, 179.5, 10, -179.5) == pytest.approx(distance_km(10, 0, 10, 1))
    near = distance_km(40, -75, 40 + 1e-6, -75)  # 11 cm
    assert near == pytest.approx(1e-6 / KM, rel=1e-6)
    # Frankfurt and JFK airports, 6,184 km by the usual tables on a sphere.
    assert distance_km(50.0264, 8.5431, 40.6398, -73.7789) == pytest.approx(6184, abs=4)


def test_distances_of_many_places() -> None:
    lats = pl.Series([0.0, 10.0, None])
    found = distance_km(lats, pl.Series([0.0, 0.0, 0.0]), 0.0, 0.0)
    assert found[:2] == pytest.approx([0, 10 / KM])
    assert np.isnan(found[2])


# Kickoffs


@pytest.mark.parametrize(
    ("day", "kickoff", "utc"),
    [
        (date(2024, 9, 8), "13:00", "2024-09-08T17:00"),  # summer time
        (date(2024, 11, 2), "20:15", "2024-11-03T00:15"),
        (date(2024, 11, 3), "13:00", "2024-11-03T18:00"),  # winter time since that morning
        (date(2024, 10, 13), "09:30", "2024-10-13T13:30"),  # London
        (date(2023, 12, 31), "20:20", "2024-01-01T01:20"),
        (date(1999, 9, 12), None, "1999-09-12T17:00"),
    ],
)
def test_kickoffs_are_in_new_york(day: date, kickoff: str | None, utc: str) -> None:
    assert kickoff_utc(day, kickoff) == datetime.fromisoformat(f"{utc}+00:00")


def test_a_clock_that_is_half_a_day_off_is_mended() -> None:
    told = ["09:00", "09:30", "13:00", "21:00", "21:30", "21:30", None]
    frame = pl.DataFrame({"k": told, "n": [False, True, True, False, False, True, True]})
    found = frame.select(mended(pl.col("k"), pl.col("n"))).to_series().to_list()
    assert found == ["21:00", "09:30", "13:00", "21:00", "21:30", "09:30", None]


@pytest.mark.parametrize("kickoff", ["", "25:00", "1 pm", "13:00:00", "13"])
def test_a_kickoff_that_is_none_is_one_line(kickoff: str) -> None:
    with pytest.raises(DataError, match=r"^kickoff '.*' on 2024-09-08: expected HH:MM in New York"):
        kickoff_utc(date(2024, 9, 8), kickoff)


# Files


def station(
    name: str, km: float, start: str | None = "1973-01-01", end: str = "2026-01-01"
) -> dict:
    """A station `km` north of the stadium, as Meteostat lists it."""
    return {
        "id": name,
        "name": {"en": f"Station {name}"},
        "location": {"latitude": LAT + km * KM, "longitude": LON, "elevation": 9},
        "inventory": {"hourly": {"start": start, "end": end if start else None}},
    }


def packed(value: object) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value)
    return gzip.compress(text.encode(), mtime=0)


def hour(when: str, temp: object = 20.1, wspd: object = 11.2, *, headed: bool = False) -> str:
    """A line of a station's file: humidity 55, rain .5, pressure 1013.2."""
    time = datetime.fromisoformat(when)
    if headed:
        sourced = f"{temp},isd_lite,55,isd_lite,0.5,metar,250,metar,{wspd},metar,1013.2,dwd,7,model"
        return f"{time.year},{time.month},{time.day},{time.hour},{sourced}"
    return f"{time:%Y-%m-%d},{time.hour},{temp},12.0,55,0.5,,250,{wspd},,1013.2,,7"


def test_stations_with_hourly_data_are_listed() -> None:
    listed = [station("A", 1), station("B", 2, start=None), station("C", 3, "2020-05-01")]
    found = meteostat.stations(packed(listed), "f")
    assert found["id"].to_list() == ["A", "C"]
    assert found["lat"][1] == LAT + 3 * KM
    assert found["first"].to_list() == [date(1973, 1, 1), date(2020, 5, 1)]


@pytest.mark.parametrize(
    ("body", "error", "line"),
    [
        (b"<html>", PassingError, "^f: expected gzip, got an HTML"),
        (packed("<html>"), PassingError, "^f: expected JSON, got an HTML"),
        (packed({"a": 1}), DataError, "^f: station 1 with hourly data: TypeError"),
        (packed([station("A", 1), {}]), DataError, "^f: station 2 with hourly data: KeyError 'in"),
        (packed([station("A", 1, start="soon")]), DataError, "^f: station 1 .*ValueError"),
        (packed([]), DataError, "^f: no station with hourly data"),
    ],
)
def test_a_list_of_stations_that_is_none(body: bytes, error: type, line: str) -> None:
    with pytest.raises(error, match=line):
        meteostat.stations(body, "f")


@pytest.mark.parametrize("headed", [False, True])
def test_hours_of_both_layouts_are_the_same(headed: bool) -> None:
    lines = [hour(f"2024-09-08 {n:02}:00", temp=n, headed=headed) for n in range(24)]
    lines[5] = hour("2024-09-08 05:00", temp="", wspd="", headed=headed)
    lines.append(hour("2024-09-08 04:00", temp=99, headed=headed))  # the first one counts
    text = "\n".join([HEADER, *lines] if headed else lines)
    for end in ("", "\n"):
        found = meteostat.hours(packed(text + end), "f")
        assert found.columns == ["time", *meteostat.QUANTITIES]
        assert found["time"].to_list() == [datetime(2024, 9, 8, n) for n in range(24)]
        assert found["temp_c"].to_list() == [*map(float, range(5)), None, *map(float, range(6, 24))]
        row = {"temp_c": 7, "humidity_pct": 55, "wind_kmh": 11.2}
        row |= {"pressure_hpa": 1013.2, "precip_mm": 0.5}
        assert meteostat.at(found, datetime(2024, 9, 8, 7, tzinfo=UTC)) == row
        assert meteostat.at(found, datetime(2024, 9, 8, 5, tzinfo=UTC)) is None
        assert meteostat.at(found, datetime(2024, 9, 9, 7, tzinfo=UTC)) is None


@pytest.mark.parametrize("headed", [False, True])
def test_hours_may_begin_with_a_byte_order_mark(headed: bool) -> None:
    line = hour("2024-09-08 07:00", headed=headed)
    text = f"{HEADER}\n{line}\n" if headed else f"{line}\n"
    marked = meteostat.hours(packed(f"\ufeff{text}"), "f")
    assert marked.equals(meteostat.hours(packed(text), "f"))


def test_a_file_may_lack_quantities() -> None:
    text = "year,month,day,hour,temp,temp_source,wspd,wspd_source\n2024,9,8,7,1.5,a,2,b\n"
    found = meteostat.at(meteostat.hours(packed(text), "f"), datetime(2024, 9, 8, 7, tzinfo=UTC))
    rest = dict.fromkeys(("humidity_pct", "pressure_hpa", "precip_mm"))
    assert found == {"temp_c": 1.5, "wind_kmh": 2.0, **rest}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "^f: line 1: 1 columns without a header, expected 13"),
        ("2024-09-08,7,1,2\n", "^f: line 1: 4 columns without a header, expected 13"),
        ("<html>", "^f: line 1: 1 columns .*HTML"),
        (f"{HEADER}\n2024,13,8,7{',' * 14}\n", "^f: (line 2, time|a time cannot be read)"),
        (f"{HEADER}\n2024,,8,7{',' * 14}\n", "^f: line 2, time"),
        (
            hour("2024-09-08 07:00") + "\n" + hour("2024-09-08 08:00", "mild"),
            "^f: line 2, temp_c: g",
        ),
        (
            hour("2024-09-08 07:00").replace("2024-09-08", "8.9.24"),
            "^f: line 1, time: got '8.9.24 7'",
        ),
    ],
)
def test_hours_that_cannot_be_read_are_one_line(text: str, line: str) -> None:
    with pytest.raises(DataError, match=line) as caught:
        meteostat.hours(packed(text), "f")
    assert "\n" not in str(caught.value)


# Which station


def test_the_nearest_stations_come_first() -> None:
    listed = [station(f"S{km}", km) for km in (59.9, 60.1, 30, 5, 20, 40, 500)]
    listed += [station("too-late", 1, "2024-09-09"), station("over", 2, end="2023-12-31")]
    found = meteostat.nearest(meteostat.stations(packed(listed), "f"), LAT, LON, date(2024, 9, 8))
    assert found == ["S5", "S20", "S30", "S40"]
    few = meteostat.stations(packed(listed[:2]), "f")
    assert meteostat.nearest(few, LAT, LON, date(2024, 9, 8)) == ["S59.9"]
    assert meteostat.nearest(few, -LAT, LON, date(2024, 9, 8)) == []
    # A list that is some weeks old does not know yet of this autumn's hours.
    old = meteostat.stations(packed([station("A", 1, end="2024-08-01")]), "f")
    assert meteostat.nearest(old, LAT, LON, date(2024, 9, 8)) == ["A"]


@given(
    st.lists(st.tuples(st.floats(39, 41), st.floats(-76, -74)), min_size=1, max_size=30),
)
def test_nearest_is_what_a_slow_search_finds(spots: list[tuple[float, float]]) -> None:
    listed = pl.DataFrame(
        {
            "id": [f"{n:02}" for n in range(len(spots))],
            "lat": [lat for lat, _ in spots],
            "lon": [lon for _, lon in spots],
            "first": [date(2000, 1, 1)] * len(spots),
            "last": [date(2025, 1, 1)] * len(spots),
        }
    )
    away = {f"{n:02}": by_vectors(LAT, LON, *spot) for n, spot in enumerate(spots)}
    found = meteostat.nearest(listed, LAT, LON, date(2024, 9, 8))
    within = [km for km in away.values() if km <= 60]
    assert len(found) == min(4, len(within))
    assert [away[name] for name in found] == pytest.approx(sorted(within)[:4], abs=1e-6)


# Weather of games


def schedule(*rows: dict) -> pl.DataFrame:
    usual = {"season": 2023, "home_team": "PHI", "away_team": "DAL", "neutral": False}
    usual |= {"date": date(2023, 9, 10), "kickoff": "13:00", "game_type": "REG"}
    return pl.DataFrame([usual | row for row in rows], schema=schema_of(SCHEDULES))


STADIUM_ROWS = [
    {"season": 2023, "team": team, "stadium": f"Home of {team}", "roof": "outdoors"}
    | {"lat": LAT if team == "PHI" else 30.0, "lon": LON, "surface": "grass"}
    | ({"roof": "retractable"} if team == "ARI" else {"roof": "dome"} if team == "MIN" else {})
    for team in FRANCHISES
]
STADIUM_FRAME = pl.DataFrame(STADIUM_ROWS, schema=schema_of(STADIUMS))


def test_places_of_games() -> None:
    games = schedule(
        {"game_id": "a", "roof": "outdoors"},
        {"game_id": "b", "roof": "closed", "home_team": "ARI"},
        {"game_id": "c", "roof": "open", "home_team": "ARI"},
        {"game_id": "d", "home_team": "ARI"},  # nobody knows
        {"game_id": "e", "home_team": "MIN"},
        {"game_id": "f"},
        {"game_id": "g", "neutral": True, "stadium": "On the moon"},
        {"game_id": "h", "roof": "dome"},
    )
    found = places(games, STADIUM_FRAME)
    assert found["game_id"].to_list() == list("abcdefgh")
    assert found["indoors"].to_list() == [False, True, False, True, True, False, False, True]
    assert found["lat"].to_list() == [LAT, 30, 30, 30, 30, LAT, None, LAT]


class Sky:
    """A local Meteostat: stations, and hours by station and year."""

    def __init__(self, listed: list[dict], headed: bool) -> None:
        self.headed = headed
        self.files = {"/v2/stations/lite.json.gz": packed(listed)}

    def add(self, name: str, year: int, *lines: str) -> bytes:
        text = "\n".join([HEADER, *lines] if self.headed else lines) + "\n"
        self.files[f"/hourly/{year}/{name}.csv.gz"] = packed(text)
        return self.files[f"/hourly/{year}/{name}.csv.gz"]


def run(server: Server, folder: Path, games: pl.DataFrame, as_of: str | None = None) -> dict:
    games.write_parquet(folder / "schedule.parquet")
    STADIUM_FRAME.write_parquet(folder / "stadiums.parquet")
    return land(
        folder / "schedule.parquet",
        folder / "stadiums.parquet",
        f"{server.address}/v2/stations/lite.json.gz?k=planted",
        f"{server.address}/hourly/",
        as_of,
        folder / "out/part.parquet",
        folder / "out/account.json",
        **QUICK,
    )


@pytest.mark.parametrize("headed", [False, True])
def test_the_weather_of_a_season(tmp_path: Path, headed: bool) -> None:
    sky = Sky([station(f"S{km}", km) for km in (10, 20, 30, 40, 50)], headed)

    def line(when: str, temp: object, wspd: object = 10) -> str:
        return hour(when, temp, wspd, headed=headed)

    near = sky.add(
        "S10",
        2023,
        line("2023-09-10 16:00", 1),
        line("2023-09-10 17:00", 21.5),  # 13:00 in New York
        line("2023-09-17 17:00", ""),  # no temperature
        line("2023-09-24 20:00", 24, 9),
        line("2023-10-01 17:00", 140),  # degrees Fahrenheit?
    )
    sky.add("S20", 2023, line("2023-09-17 17:00", 14, ""), line("2023-10-01 17:00", 17))
    sky.add("S30", 2023, line("2023-09-17 17:00", 15))
    sky.add("S50", 2023, line("2023-10-08 17:00", 18))  # the fifth one: not asked
    sky.add("S10", 2024, line("2024-01-01 01:00", -2.5))
    games = schedule(
        {"game_id": "first"},
        {"game_id": "third station", "date": date(2023, 9, 17)},
        {"game_id": "16:25", "date": date(2023, 9, 24), "kickoff": "16:25"},
        {"game_id": "no time", "date": date(2023, 10, 1), "kickoff": None},
        {"game_id": "nowhere", "date": date(2023, 10, 8)},
        {"game_id": "dome", "home_team": "MIN"},
        {"game_id": "no place", "neutral": True, "stadium": "On the moon"},
        {"game_id": "no station", "home_team": "DAL"},
        {"game_id": "new year", "date": date(2023, 12, 31), "kickoff": "20:20"},
        {"game_id": "later", "date": date(2024, 1, 7)},
    )
    with file_server(sky.files) as server:
        server.fail("S10", Fault(status=503))
        report = run(server, tmp_path, games, as_of="2024-01-06")
        paths = [request.path for request in server.requests]
    found = pl.read_parquet(tmp_path / "out/part.parquet")
    assert found.schema == schema_of(WEATHER)
    assert found["game_id"].to_list() == games["game_id"].to_list()
    assert found["season"].to_list() == [2023] * 10
    temps = [21.5, 15, 24, 17, None, None, None, None, -2.5, None]
    assert found["temp_c"].to_list() == temps
    assert found["wind_kmh"].to_list()[:4] == [10, 10, 9, 10]
    for name, value in (("humidity_pct", 55), ("pressure_hpa", 1013.2), ("precip_mm", 0.5)):
        assert found[name].to_list() == [None if t is None else value for t in temps]
    assert found["simulated"].to_list() == [False] * 10
    assert json.loads((tmp_path / "out/account.json").read_text()) == report
    counts = ("games", "indoors", "later", "found", "missing")
    assert [report[name] for name in counts] == [10, 1, 1, 5, 3]
    assert report["missing_games"] == ["nowhere", "no place", "no station"]
    listed = sky.files["/v2/stations/lite.json.gz"]
    assert report["station_list"] == {
        "url": f"{server.address}/v2/stations/lite.json.gz",
        "sha256": hashlib.sha256(listed).hexdigest(),
    }
    assert list(report["stations"]) == ["S10/2023", "S10/2024", "S20/2023", "S30/2023", "S40/2023"]
    assert report["stations"]["S10/2023"] == hashlib.sha256(near).hexdigest()
    assert report["stations"]["S40/2023"] is None
    # Each file once, and once more after the fault or the 404; of stations that lack an hour, no
    # more than 4.
    assert sorted(paths[1:]) == sorted(
        ["/hourly/2023/S10.csv.gz"] * 2
        + [f"/hourly/2023/S{n}0.csv.gz" for n in (2, 3, 4, 4)]
        + ["/hourly/2024/S10.csv.gz"]
    )


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (Fault(status=500), "S10.csv.gz: 127.0.0.1 answers 500 (attempt 2"),
        (Fault(status=403), "S10.csv.gz: 127.0.0.1 answers 403"),
        (Fault(body=b"<html>Sorry"), "S10.csv.gz: expected gzip, got an HTML or XML page of 11"),
        (Fault(body=packed("a,b\n")), "S10.csv.gz: line 1: 2 columns without a header"),
        (Fault(cut=True), "S10.csv.gz: http://127.0.0.1:"),
    ],
)
def test_a_station_that_fails_leaves_no_file(tmp_path: Path, fault: Fault, line: str) -> None:
    sky = Sky([station("S10", 10), station("S20", 20)], headed=True)
    sky.add("S10", 2023, hour("2023-09-10 17:00", headed=True))
    with file_server(sky.files) as server:
        server.fail("S10", fault, always=True)
        with pytest.raises(DataError) as caught:
            run(server, tmp_path, schedule({"game_id": "a"}))
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


# Real data


def test_real_kickoffs_are_those_of_another_list(real_data: Path) -> None:
    """Kickoffs of games.csv in New York's time, against the stadiums' own clocks and offsets."""
    games = pl.read_csv(real_data / "nfl/games.csv", infer_schema=False).drop_nulls("gametime")
    clocks = pl.read_csv(real_data / "nfl/weather/games.csv", schema_overrides={"game_id": str})
    both = games.join(clocks, left_on="old_game_id", right_on="game_id").with_columns(
        mended=mended(pl.col("gametime"), pl.col("location") == "Neutral")
    )
    assert both.height == 5593
    off = {"gametime": 0, "mended": 0}
    for row in both.iter_rows(named=True):
        local = datetime.strptime(row["TimeStartGame"], "%m/%d/%Y %H:%M").replace(tzinfo=UTC)
        theirs = local - timedelta(hours=row["TZOffset"])
        for name in off:
            ours = kickoff_utc(date.fromisoformat(row["gameday"]), row[name])
            off[name] += abs(ours - theirs) > timedelta(minutes=15)
    # Those left are of their list, which has Arizona on the wrong side of summer time.
    assert off == {"gametime": 148, "mended": 42}

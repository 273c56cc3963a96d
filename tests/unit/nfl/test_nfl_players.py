"""Players from the wheel and from nflverse's rosters."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from scripts.errors import DataError
from scripts.nfl import build_players
from scripts.nfl.build_players import WHEEL_SEASON, players
from scripts.nfl.columns import PLAYERS
from scripts.nfl.gamecenter import package
from scripts.nfl.teams import FRANCHISES
from scripts.tables import schema_of

BRADY = {
    "birthdate": "8/3/1977",
    "full_name": "Tom Brady",
    "gsis_id": "00-0019596",
    "position": "QB",
    "team": "TB",
}
ADAMS = {"birthdate": "//", "full_name": " Flozell Adams ", "gsis_id": "00-0000045"}
CARR = BRADY | {"full_name": "Derek Carr", "gsis_id": "00-0031280", "team": "OAK"}
HEADER = "season,team,position,depth,full_name,birth_date,gsis_id"


def wheel(folder: Path, *records: dict) -> Path:
    path = folder / "players.json"
    path.write_text(json.dumps({str(number): record for number, record in enumerate(records)}))
    return path


def rosters(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "roster.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_the_wheels_players_have_teams_in_its_own_season_only(tmp_path: Path) -> None:
    source = wheel(tmp_path, BRADY, ADAMS, CARR)
    then, refused = players(source, WHEEL_SEASON)
    assert then.schema == schema_of(PLAYERS) and refused == {}
    assert then.rows() == [
        (WHEEL_SEASON, "00-0000045", "Flozell Adams", None, None, None),
        (WHEEL_SEASON, "00-0019596", "Tom Brady", "TB", "QB", date(1977, 8, 3)),
        (WHEEL_SEASON, "00-0031280", "Derek Carr", "LV", "QB", date(1977, 8, 3)),
    ]
    before, _ = players(source, 2010)
    assert before["team"].null_count() == before.height == 3
    assert before.drop("season", "team").equals(then.drop("season", "team"))


def test_bad_rows_are_refused_and_counted_and_the_last_row_of_a_player_counts(
    tmp_path: Path,
) -> None:
    source = wheel(
        tmp_path,
        BRADY | {"team": "NE"},
        BRADY,
        BRADY | {"gsis_id": "19596"},
        CARR | {"gsis_id": None},
        CARR | {"full_name": " "},
        CARR | {"team": "XYZ"},
        CARR | {"birthdate": "13/32/1977"},
    )
    out = tmp_path / "part.parquet"
    said = build_players.build([source], WHEEL_SEASON, out)
    assert said == (
        "1 players; refused rows: 2 no GSIS id, 1 no date of birth, 1 no name, 1 unknown team"
    )
    assert pl.read_parquet(out).select("name", "team").rows() == [("Tom Brady", "TB")]


def test_rosters_are_of_their_season(tmp_path: Path) -> None:
    source = rosters(
        tmp_path,
        "2018,OAK,QB,1,Derek Carr,1991-03-28,00-0031280",
        "2018,OAK,C,1,Rodney Hudson,,00-0027704",
        "2018,OAK,C,1,Nobody,1990-01-01,",
        "2019,LV,QB,1,Derek Carr,1991-03-28,00-0031280",
    )
    found, refused = players(source, 2018)
    assert found.rows() == [
        (2018, "00-0027704", "Rodney Hudson", "LV", "C", None),
        (2018, "00-0031280", "Derek Carr", "LV", "QB", date(1991, 3, 28)),
    ]
    assert refused == {"no GSIS id": 1}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("roster.csv", HEADER + "\n2018,,,,,,\n", r"no player of season 2019 in 0 rows; fetch"),
        ("roster.csv", HEADER + "\n2019,,,,X,,\n", r"no player of season 2019 in 1 rows; fetch"),
        ("roster.csv", "season,team\n", r"no column gsis_id, full_name, position, birth_date; is"),
        ("roster.csv", "", r"cannot be read"),
        ("players.json", "{", r"no list of players"),
        ("players.json", "[1]", r"no list of players"),
        ("players.json", '{"a": 1}', r"no list of players"),
        ("players.json", "{}", r"no player of season 2019 in 0 rows"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=f"^{re.escape(str(tmp_path / name))}: {message}") as error:
        build_players.build([tmp_path / name], 2019, tmp_path / "out")
    assert "\n" not in str(error.value) and not (tmp_path / "out").exists()


def test_the_installed_wheel(tmp_path: Path) -> None:
    source = package() / "players.json"
    records = json.loads(source.read_bytes())
    found, refused = players(source, WHEEL_SEASON)
    assert refused == {} and found.height == len(records) > 8000
    assert found["player_id"].is_unique().all()
    assert set(found["team"].drop_nulls()) == set(FRANCHISES)
    build_players.build([], WHEEL_SEASON, tmp_path / "part.parquet")
    assert pl.read_parquet(tmp_path / "part.parquet").equals(found)
    for player in found.sample(200, seed=1).iter_rows(named=True):
        record = records[player["player_id"]]
        month, day, year = (record.get("birthdate") or "//").split("/")
        born = date(int(year), int(month), int(day)) if year else None
        assert (player["name"], player["birth_date"]) == (record["full_name"].strip(), born)
        assert player["position"] == record.get("position")

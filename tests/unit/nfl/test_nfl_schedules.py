"""Schedules from games.csv: how cells are written, and those that cannot be used."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.nfl import build_schedules, games_csv
from scripts.nfl.columns import SCHEDULES
from scripts.nfl.kickoffs import mended
from scripts.tables import schema_of

Row = dict[str, str]
FIRST = {
    "game_id": "2015_01_NE_BUF",
    "season": "2015",
    "game_type": "REG",
    "week": "1",
    "gameday": "2015-09-13",
    "gametime": "13:00",
    "away_team": "NE",
    "away_score": "20",
    "home_team": "BUF",
    "home_score": "17",
    "location": "Home",
    "old_game_id": "2015091300",
    "div_game": "1",
    "roof": "outdoors",
    "surface": "grass ",
    "stadium": "Ralph Wilson Stadium",
    "away_qb_id": "00-1",
    "home_qb_id": "00-2",
    "away_coach": "Bill Belichick",
    "home_coach": "Rex Ryan",
}
SECOND = FIRST | {
    "game_id": "2015_02_BUF_MIA",
    "week": "2",
    "gameday": "2015-09-20",
    "away_team": "BUF",
    "home_team": "MIA",
    "old_game_id": "2015092000",
}
OTHER = FIRST | {"game_id": "2014_01_NE_BUF", "season": "2014", "old_game_id": "2014090700"}
HEADER = list(FIRST)


def write(path: Path, *rows: Row, end: str = "\n", bom: str = "") -> Path:
    """A games.csv with these rows."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes((bom + text.getvalue()).encode())
    return path


def read(path: Path, *rows: Row, as_of: date | None = None, **how: str) -> pl.DataFrame:
    return build_schedules.schedule(write(path / "games.csv", *rows, **how), 2015, as_of)


def refused(path: Path, *rows: Row) -> str:
    """The message of a file that is refused; it is one line that names the file."""
    with pytest.raises(DataError) as caught:
        read(path, *rows)
    message = str(caught.value)
    assert message.startswith(f"{path / 'games.csv'}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path / 'games.csv'}: ")


def test_a_game_by_hand(tmp_path: Path) -> None:
    frame = read(tmp_path, OTHER, SECOND, FIRST)
    assert frame.schema == schema_of(SCHEDULES)
    assert frame["game_id"].to_list() == [FIRST["game_id"], SECOND["game_id"]]
    assert frame.row(0, named=True) == {
        "season": 2015,
        "game_id": "2015_01_NE_BUF",
        "old_game_id": "2015091300",
        "game_type": "REG",
        "week": 1,
        "date": date(2015, 9, 13),
        "kickoff": "13:00",
        "home_team": "BUF",
        "away_team": "NE",
        "home_score": 17,
        "away_score": 20,
        "neutral": False,
        "div_game": True,
        "roof": "outdoors",
        "surface": "grass",
        "stadium": "Ralph Wilson Stadium",
        "home_qb": "00-2",
        "away_qb": "00-1",
        "home_coach": "Rex Ryan",
        "away_coach": "Bill Belichick",
    }


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_line_ends_byte_order_mark_quotes_and_other_scripts(
    tmp_path: Path, end: str, bom: str
) -> None:
    names = {
        "stadium": 'The "Big, Old" Bowl',
        "home_coach": "José Ñandú 山田",
        "away_coach": " A,B ",
    }
    frame = read(tmp_path, FIRST | names, SECOND, end=end, bom=bom)
    row = frame.row(0, named=True)
    assert row["stadium"] == 'The "Big, Old" Bowl'
    assert (row["home_coach"], row["away_coach"]) == ("José Ñandú 山田", "A,B")
    assert frame["away_coach"][1] == "Bill Belichick"


@given(
    texts=st.lists(
        st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=12),
        min_size=2,
        max_size=2,
    )
)
def test_any_text_is_read_as_it_is_but_for_blanks_around(
    texts: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("games")
    frame = read(folder, FIRST | dict(zip(("stadium", "home_coach"), texts, strict=True)))
    expected = [None if text.strip() in ("", "NA") else text.strip() for text in texts]
    assert list(frame.select("stadium", "home_coach").row(0)) == expected


OPTIONAL = {
    "away_score": "away_score",
    "home_score": "home_score",
    "old_game_id": "old_game_id",
    "div_game": "div_game",
    "roof": "roof",
    "surface": "surface",
    "stadium": "stadium",
    "away_qb_id": "away_qb",
    "home_qb_id": "home_qb",
    "away_coach": "away_coach",
    "home_coach": "home_coach",
    "gametime": "kickoff",
}


@pytest.mark.parametrize("nothing", ["", " ", "NA", " NA "])
def test_blanks_and_na_are_null(tmp_path: Path, nothing: str) -> None:
    row = read(tmp_path, FIRST | dict.fromkeys(OPTIONAL, nothing)).row(0, named=True)
    assert {name: row[name] for name in OPTIONAL.values()} == dict.fromkeys(OPTIONAL.values())
    assert row["neutral"] is False
    assert read(tmp_path, FIRST | {"location": nothing})["neutral"].to_list() == [False]
    assert read(tmp_path, FIRST | {"location": "Neutral"})["neutral"].to_list() == [True]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            {"home_score": "x"},
            r"line 3, column home_score: got 'x', expected a whole number from 0 to",
        ),
        ({"home_score": "101"}, r"line 3, column home_score: got '101', .*100, or nothing"),
        ({"away_score": "-1"}, "line 3, column away_score: got '-1'"),
        ({"away_score": "NaN"}, "line 3, column away_score: got 'NaN'"),
        ({"week": "99"}, "line 3, column week: got '99', expected a whole number from 1 to 25"),
        ({"week": "0"}, "line 3, column week: got '0'"),
        ({"week": ""}, "line 3: no week; correct the file"),
        ({"div_game": "2"}, "line 3, column div_game: got '2'"),
        ({"gameday": "2020-13-01"}, "line 3, column gameday: got '2020-13-01'"),
        ({"gameday": "13/09/2015"}, "line 3, column gameday: got '13/09/2015'"),
        ({"gameday": ""}, "line 3: no gameday; correct the file"),
        ({"game_type": "PRE"}, "line 3, column game_type: got 'PRE'"),
        ({"game_id": "NA"}, "line 3: no game_id; correct the file"),
        ({"home_team": " "}, "line 3: no home_team; correct the file"),
        ({"home_team": "XYZ"}, "no team 'XYZ'; known codes: ARI"),
        ({"home_team": "BUF"}, "line 3: a team against itself"),
        ({"home_score": ""}, "line 3: one team's score only"),
        ({"away_score": "NA"}, "line 3: one team's score only"),
        ({"game_id": FIRST["game_id"]}, "game_id 2015_01_NE_BUF stands on lines 2 and 3; remove"),
        ({"old_game_id": "2015091300"}, "old_game_id 2015091300 stands on lines 2 and 3; remove"),
        ({"gametime": "quarter past"}, "line 3, column gametime: got 'quarter past'"),
        ({"gametime": "25:00"}, "line 3, column gametime: got '25:00'"),
    ],
)
def test_a_cell_that_cannot_be_used_is_named(tmp_path: Path, cells: Row, message: str) -> None:
    assert re.search(message, refused(tmp_path, FIRST, SECOND | cells))


def test_a_team_against_itself_by_another_code(tmp_path: Path) -> None:
    teams = {"home_team": "OAK", "away_team": "LV"}
    assert "line 3: a team against itself" in refused(tmp_path, FIRST, SECOND | teams)


def test_a_wrong_cell_of_another_season_is_of_no_concern(tmp_path: Path) -> None:
    assert read(tmp_path, OTHER | {"home_score": "x", "gameday": "never"}, FIRST).height == 1


def test_unplayed_games_may_share_the_leagues_number_but_no_id(tmp_path: Path) -> None:
    unplayed = {"home_score": "", "away_score": "", "old_game_id": "2015092799"}
    games = (FIRST | unplayed, SECOND | unplayed)
    assert read(tmp_path, *games)["home_score"].to_list() == [None, None]
    twice = [game | {"game_id": "2015_01_NO_ATL"} for game in games]
    assert "game_id 2015_01_NO_ATL stands on lines 2 and 3" in refused(tmp_path, *twice)


@pytest.mark.parametrize(
    ("as_of", "known"),
    [("2015-09-12", [None, None]), ("2015-09-13", [17, None]), ("2015-09-20", [17, 17])],
)
def test_as_of_hides_the_results_of_later_days(
    tmp_path: Path, as_of: str, known: list[int | None]
) -> None:
    frame = read(tmp_path, FIRST, SECOND, as_of=date.fromisoformat(as_of))
    assert frame["home_score"].to_list() == known
    assert frame["away_score"].to_list() == [score and 20 for score in known]
    assert frame["game_id"].to_list() == [FIRST["game_id"], SECOND["game_id"]]


@pytest.mark.parametrize(
    ("clock", "place", "expected"),
    [
        ("09:00", "Home", "21:00"),
        ("09:30", "Neutral", "09:30"),
        ("21:30", "Neutral", "09:30"),
        ("21:30", "Home", "21:30"),
        ("13:00", "Neutral", "13:00"),
        ("", "Home", None),
    ],
)
def test_kickoffs_half_a_day_off_are_mended(
    tmp_path: Path, clock: str, place: str, expected: str | None
) -> None:
    assert read(tmp_path, FIRST | {"gametime": clock, "location": place})["kickoff"][0] == expected
    neutral = pl.lit(place == "Neutral")
    alone = pl.select(mended(pl.lit(clock or None, pl.String), neutral)).item()
    assert alone == expected


def test_a_file_that_is_none_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "games.csv"
    with pytest.raises(DataError, match=r"games\.csv: cannot be read .*; fetch it again"):
        build_schedules.schedule(path, 2015)
    for content in (b"", b"game_id\n\xff\xfe\x00\n"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"games\.csv: (cannot be read|no column)") as caught:
            build_schedules.schedule(path, 2015)
        assert "\n" not in str(caught.value)
    write(path, FIRST)
    with pytest.raises(DataError, match=r"games\.csv: no game of season 2016"):
        build_schedules.schedule(path, 2016)


def test_games_are_read_from_the_disk_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, reads, once = write(tmp_path / "games.csv", FIRST), [], Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: reads.append(self) or once(self))
    assert games_csv.read(path, 2015, ("week",)).height == 1
    assert reads == [path]
    path.write_bytes(once(path).rstrip(b"\n"))
    with pytest.raises(DataError, match=r"games\.csv: cut off, its last line does not end"):
        games_csv.read(path, 2015, ("week",))


@pytest.mark.parametrize("name", games_csv.SCHEDULE)
def test_a_column_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "games.csv"
    write(path, FIRST)
    pl.read_csv(path, infer_schema=False).drop(name).write_csv(path)
    with pytest.raises(DataError, match=f"no column {name}; is it nflverse's games.csv"):
        build_schedules.schedule(path, 2015)


def test_the_job_writes_what_is_known_by_a_day(tmp_path: Path) -> None:
    source, out = write(tmp_path / "games.csv", FIRST, SECOND), tmp_path / "out/part.parquet"
    assert build_schedules.build(source, 2015, "2015-09-14", out) == "2 games, 1 with a result"
    assert build_schedules.build(source, 2015, None, out) == "2 games, 2 with a result"
    assert pl.read_parquet(out).equals(build_schedules.schedule(source, 2015))


def numbers(path: Path, cell: str) -> pl.Series:
    rows = games_csv.read(write(path / "games.csv", FIRST | {"week": cell}), 2015, ("week",))
    return games_csv.number(rows, path, "week", -2, 4.5)


@pytest.mark.parametrize(
    ("cell", "expected"), [("-2", -2), ("4.5", 4.5), (" 1.25 ", 1.25), ("1e0", 1), ("", None)]
)
def test_numbers_within_their_limits(tmp_path: Path, cell: str, expected: float | None) -> None:
    assert numbers(tmp_path, cell).to_list() == [expected]


@pytest.mark.parametrize("cell", ["-2.01", "4.51", "nan", "inf", "1,5", "1 2", "-"])
def test_numbers_beyond_them_are_refused(tmp_path: Path, cell: str) -> None:
    with pytest.raises(DataError, match=f"line 2, column week: got '{cell}', .* from -2 to 4.5"):
        numbers(tmp_path, cell)

"""GameCenter's games, flattened: by hand, and by their own box scores."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from scripts.errors import DataError
from scripts.nfl import gamecenter
from scripts.nfl.build_schedules import schedule
from scripts.nfl.land_gamecenter import land
from scripts.tables import schema_of

FILES = ("games.csv", "plays.parquet", "player_games.parquet")
SEASON, FINAL = 2013, "2013_21_SEA_DEN"
# Of 534 team-games of a season: those whose plays may differ from their box score.
YARDS_OFF, PENALTIES_OFF = 10, 15


@pytest.fixture(scope="module")
def folder() -> Path:
    return gamecenter.package()


def landed(folder: Path, out: Path, season: int) -> tuple[str, pl.DataFrame, pl.DataFrame]:
    """The line, the games as text, and the plays of a season."""
    line = land(season, folder, *(out / name for name in FILES))
    games = pl.read_csv(out / "games.csv", infer_schema=False)
    return line, games, pl.read_parquet(out / "plays.parquet")


@pytest.fixture(scope="module")
def season(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple:
    return landed(folder, tmp_path_factory.mktemp("season"), SEASON)


def test_a_season_is_267_games_with_all_their_plays(season: tuple) -> None:
    line, games, plays = season
    assert line == "267 games, 267 with a record; 47109 plays"
    assert (games.height, games["game_id"].n_unique()) == (267, 267)
    counts = dict(games["game_type"].value_counts().rows())
    assert counts == {"REG": 256, "WC": 4, "DIV": 4, "CON": 2, "SB": 1}
    assert plays.schema == schema_of(gamecenter.PLAYS)
    assert plays["game_id"].unique().sort().equals(games["game_id"].sort())
    assert plays.select("game_id", "play_id").is_unique().all()


def test_the_final_by_hand(season: tuple) -> None:
    """Super Bowl XLVIII, as the papers told it."""
    _, games, plays = season
    game = games.filter(game_id=FINAL).row(0, named=True)
    told = ("old_game_id", "gameday", "gametime", "week", "location", "home_score", "away_score")
    expected = ("2014020200", "2014-02-02", "18:30", "21", "Neutral", "8", "43")
    assert tuple(game[name] for name in told) == expected
    assert (game["home_qb_id"], game["away_qb_id"]) == ("00-0010346", "00-0029263")
    own = plays.filter(game_id=FINAL)
    scores = own.filter(pl.col("score_type").is_not_null())
    columns = ("qtr", "time", "posteam", "play_type", "score_team", "score_type", "try_points")
    assert scores.select(columns).rows() == [
        (1, "14:53", "DEN", "run", "SEA", "SAF", 0),  # the snap over Manning's head
        (1, "10:25", "SEA", "field_goal", "SEA", "FG", 0),
        (1, "02:21", "SEA", "field_goal", "SEA", "FG", 0),
        (2, "12:08", "SEA", "run", "SEA", "TD", 1),
        (2, "03:36", "DEN", "pass", "SEA", "TD", 1),  # Smith's interception
        (3, "15:00", "DEN", "kickoff", "SEA", "TD", 1),  # Harvin's return
        (3, "03:11", "SEA", "pass", "SEA", "TD", 1),
        (3, "00:03", "DEN", "pass", "DEN", "TD", 2),  # and the try to Welker
        (4, "11:55", "SEA", "pass", "SEA", "TD", 1),
    ]
    counted = ("interception", "fumble_lost", "sack", "touchdown")
    assert own.select(counted).sum().row(0) == (2, 2, 1, 6)
    first = own.row(1, named=True)
    assert (first["down"], first["ydstogo"], first["yardline_100"]) == (1, 10, 86)


def box_scores(folder: Path, season: int) -> Iterator[dict[str, Any]]:
    """What GameCenter's own box scores say of each team, and its plays."""
    for game in gamecenter.schedule(folder, season):
        record = gamecenter.read(folder, game["eid"])
        plays = list(gamecenter.plays(game["game_id"], record))
        for side in ("home", "away"):
            told, team = record[side]["stats"]["team"], record[side]["abbr"]
            own = [play["yards_gained"] or 0 for play in plays if play["posteam"] == team]
            yield {
                "yards": sum(own) - told["totyds"],
                "penalties": sum(p["penalty_team"] == team for p in plays) - told["pen"],
            }


def test_plays_add_up_to_the_box_scores(folder: Path) -> None:
    found = pl.DataFrame(box_scores(folder, SEASON))
    assert found.height == 534
    assert (found["yards"] != 0).sum() <= YARDS_OFF
    assert (found["penalties"] != 0).sum() <= PENALTIES_OFF


def test_a_season_whose_play_offs_have_no_record(folder: Path, tmp_path: Path) -> None:
    line, games, plays = landed(folder, tmp_path, 2018)
    assert line == "267 games, 256 with a record; 45156 plays"
    late = games.filter(pl.col("game_type") != "REG")
    assert late.height == 11
    unknown = ("home_score", "away_score", "home_qb_id", "away_qb_id")
    assert late.select(pl.col(unknown).count()).row(0) == (0, 0, 0, 0)
    early = games.filter(pl.col("game_type") == "REG")
    assert early.select(unknown).null_count().row(0) == (0, 0, 0, 0)
    assert plays["game_id"].n_unique() == 256
    assert schedule(tmp_path / "games.csv", 2018)["home_score"].count() == 256


@pytest.mark.parametrize("season", [1999, 2008, 2020, 2030])
def test_a_season_without_games_is_an_error(folder: Path, tmp_path: Path, season: int) -> None:
    with pytest.raises(DataError, match=f"no games of {season}; .*has 2009 to 2019"):
        land(season, folder, *(tmp_path / name for name in FILES))
    assert list(tmp_path.iterdir()) == []


GOOD = gzip.compress(b'{"2013090500": {"home": {}}}')


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"no gzip",
        GOOD[:30],
        GOOD[:-8] + b"\0" * 8,
        gzip.compress(b"no json"),
        gzip.compress(b'{"2013090501": {}}'),
        gzip.compress(b"\xff\xfe"),
    ],
)
def test_a_damaged_record_is_one_line_that_names_the_file(
    folder: Path, tmp_path: Path, damage: bytes
) -> None:
    shutil.copy(folder / "schedule.json", tmp_path)
    (tmp_path / "gamecenter-json").mkdir()
    (tmp_path / "gamecenter-json/2013090500.json.gz").write_bytes(damage)
    with pytest.raises(DataError, match=r"2013090500\.json\.gz: no GameCenter record") as caught:
        land(SEASON, tmp_path, *(tmp_path / "out" / name for name in FILES))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", [None, "", "{", "{}"])
def test_a_damaged_schedule_is_one_line(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "schedule.json").write_text(text)
    with pytest.raises(DataError, match=r"schedule\.json: no schedule .*install the wheel again"):
        gamecenter.schedule(tmp_path, SEASON)


def listed(folder: Path, *games: dict[str, Any]) -> list[dict]:
    """Games of a schedule written by hand."""
    base = {"year": 2013, "season_type": "REG", "week": 1, "home": "JAC", "away": "KC"}
    base |= {"eid": "2013090808", "time": "1:00", "meridiem": "PM"}
    whole = [[game.get("eid", "2013090808"), base | game] for game in games]
    (folder / "schedule.json").write_text(json.dumps({"games": whole}))
    return gamecenter.schedule(folder, 2013)


@pytest.mark.parametrize(
    ("time", "meridiem", "expected"),
    [
        ("1:00", "PM", "13:00"),
        ("12:30", "PM", "12:30"),
        ("8:30", None, "20:30"),
        ("9:30", "AM", "09:30"),
        ("12:30", "AM", "12:30"),  # Thanksgiving in Detroit
        ("8:00", "AM", "20:00"),
        ("9:30", "PM", "21:30"),
    ],
)
def test_kickoffs_on_a_24_hour_clock(
    tmp_path: Path, time: str, meridiem: str | None, expected: str
) -> None:
    assert listed(tmp_path, {"time": time, "meridiem": meridiem})[0]["kickoff"] == expected


def test_schedules_count_play_offs_on_and_take_codes_of_the_time(tmp_path: Path) -> None:
    post = {"season_type": "POST"}
    weeks = [post | {"week": n, "eid": f"20140101{n:02}"} for n in (4, 1, 3, 2)]
    early = {"season_type": "PRE", "eid": "2013080800"}
    found = listed(tmp_path, *weeks, {"week": 17, "eid": "2013122900"}, early)
    assert [(g["game_id"], g["game_type"]) for g in found] == [
        ("2013_17_KC_JAX", "REG"),
        ("2013_18_KC_JAX", "WC"),
        ("2013_19_KC_JAX", "DIV"),
        ("2013_20_KC_JAX", "CON"),
        ("2013_21_KC_JAX", "SB"),
    ]
    assert found[0]["date"] == "2013-12-29"
    with pytest.raises(DataError, match="season 2013: 3 play-off rounds, not 4; install"):
        listed(tmp_path, *weeks[1:])


# Records written by hand.


def stat(number: int, yards: int = 0, team: str = "JAC") -> dict[str, Any]:
    return {"statId": number, "yards": yards, "clubcode": team}


def record(*drives: dict[str, dict], scores: dict[str, dict] | None = None) -> dict[str, Any]:
    """Drives of plays: number -> what differs from a run; `stats` by the player 00-1."""
    base = {"desc": "", "note": None, "qtr": 1, "time": "15:00", "posteam": "JAC", "down": 1}
    base |= {"ydstogo": 10, "yrdln": "JAC 20", "players": {}}
    made = {
        str(n): {"plays": {number: base | play for number, play in drive.items()}}
        for n, drive in enumerate(drives, 1)
    }
    return {"drives": made | {"crntdrv": 7}, "scrsummary": scores or {}}


def flat(score: dict | None = None, **play: Any) -> dict[str, Any]:
    """One play, flattened."""
    stats = play.pop("stats", None)
    made = play | ({"players": {"00-1": stats}} if stats else {})
    scores = {"7": score} if score else {}
    return next(gamecenter.plays("game", record({"7": made}, scores=scores)))


@pytest.mark.parametrize(
    ("desc", "note", "ids", "expected"),
    [
        ("pass short left for 7 yards", None, [15], "pass"),
        ("sacked for -7 yards", None, [20], "pass"),
        ("up the middle for 3 yards", None, [10], "run"),
        ("INTERCEPTED", "INT", [19], "pass"),
        ("punts 45 yards", "PUNT", [29, 33], "punt"),
        ("punt is BLOCKED", "PUNTB", [2], "punt"),
        ("31 yard field goal is GOOD", "FG", [70], "field_goal"),
        ("kicks 65 yards, Touchback", "KICKOFF", [44, 410], "kickoff"),
        ("extra point is GOOD", "XP", [72], "conversion"),
        ("extra point is Blocked", "XPB", [74], "conversion"),
        ("TWO-POINT CONVERSION ATTEMPT. pass is complete", "2PS", [77], "conversion"),
        ("kneels to CHI 20 for -1 yards", None, [10], "qb_kneel"),
        ("spiked the ball to stop the clock", None, [14], "qb_spike"),
        ("Timeout #1 by DEN", "TIMEOUT", [], "timeout"),
        ("Timeout #1 by DEN", "Timeout", [68], "timeout"),
        ("pass for 8 yards. DET challenged, Upheld. (Timeout #1.)", "TIMEOUT", [15, 68], "pass"),
        ("pass. PENALTY on X, 5 yards - No Play.", "PENALTY", [15, 93], "no_play"),
        ("punts. PENALTY - No Play. The play was REVERSED. punts 45 yards", None, [29], "punt"),
        ("pass. The play was REVERSED. PENALTY - No Play.", None, [15], "no_play"),
        ("punts, downed by DAL. No player touched the ball", None, [29], "punt"),
        ("END QUARTER 1", None, [], "no_play"),
        (None, None, [], "no_play"),
    ],
)
def test_kind_of_a_play(desc: str | None, note: str | None, ids: list[int], expected: str) -> None:
    found = flat(desc=desc, note=note, stats=[stat(n) for n in ids])
    assert found["play_type"] == expected
    assert found["note"] == (note or "")


@pytest.mark.parametrize(
    ("try_", "points"),
    [
        ("(M.Prater kick is good) Drive: 10 plays, 80 yards in 3:58", 1),
        ("(P.Manning-W.Welker pass)", 2),
        ("(A.Luck-D.Heyward-Bey pass) Drive: 11 plays, 84 yards in 4:22", 2),
        ("(Alex Smith-M.Crabtree pass)", 2),
        ("(S.Bradford run)", 2),
        ("(pass failed)", 0),
        ("(run failed)", 0),
        ("(kick failed, wl)", 0),
        ("(kick blocked) Drive: 9 plays, 75 yards in 4:02", 0),
        ("(11-78, 4:28)  Drive: 11 plays, 78 yards in 4:28", 0),
        ("", 0),
    ],
)
@pytest.mark.parametrize("scored", ["J.Cook 1 yd. pass from S.Bradford", "A.Foster 1 yd. run"])
def test_points_of_the_try_are_in_the_summary(scored: str, try_: str, points: int) -> None:
    found = flat({"type": "TD", "team": "JAC", "desc": f"{scored} {try_}"})
    told = ("score_type", "score_team", "touchdown", "try_points")
    assert tuple(found[name] for name in told) == ("TD", "JAC", 1, points)


def test_two_points_of_the_defence_and_other_scores() -> None:
    two = {"type": None, "team": "NO", "desc": "S.Anthony defensive two point conversion"}
    found = flat(two, note="XPB")
    told = (found["score_type"], found["score_team"], found["play_type"])
    assert told == ("D2P", "NO", "conversion")
    for kind in ("SAF", "TD"):  # the summary calls one of them a touchdown
        safety = flat({"type": kind, "team": "NO", "desc": "tackled in end zone for a Safety"})
        assert (safety["score_type"], safety["touchdown"], safety["try_points"]) == ("SAF", 0, 0)
    plain = flat()
    assert (plain["score_type"], plain["score_team"], plain["try_points"]) == (None, None, 0)


def test_columns_of_a_play_by_hand() -> None:
    stats = [stat(15, 12), stat(21, 12), stat(106), stat(93, 5, "KC"), stat(93, 5)]
    found = flat(desc="PENALTY on KC", stats=stats, yrdln="KC 31", time="", down=3)
    assert found == {
        "game_id": "game",
        "drive": 1,
        "play_id": 7,
        "qtr": 1,
        "time": None,
        "posteam": "JAC",
        "down": 3,
        "ydstogo": 10,
        "yardline_100": 31,
        "note": "",
        "play_type": "pass",
        "yards_gained": 12,
        "interception": 0,
        "fumble_lost": 1,
        "sack": 0,
        "penalty": 1,
        "penalty_team": "KC",
        "touchdown": 0,
        "score_team": None,
        "score_type": None,
        "try_points": 0,
    }


@pytest.mark.parametrize(
    ("place", "expected"),
    [("JAC 20", 80), ("KC 1", 1), ("50", 50), (" 50 ", 50), ("", None), (None, None), ("KC", None)],
)
def test_yards_to_the_opponents_goal(place: str | None, expected: int | None) -> None:
    assert flat(yrdln=place)["yardline_100"] == expected
    assert flat(yrdln=place, posteam="")["yardline_100"] is None


def test_plays_are_in_the_order_of_drives_and_numbers_each_once() -> None:
    made = record({"90": {}, "100": {}, "8": {}}, {"100": {"down": 4}, "101": {}})
    made["drives"] = {"2": made["drives"]["2"], "1": made["drives"]["1"]}
    found = [(play["drive"], play["play_id"], play["down"]) for play in gamecenter.plays("g", made)]
    assert found == [(1, 8, 1), (1, 90, 1), (1, 100, 1), (2, 101, 1)]


def test_the_starter_is_who_threw_or_was_sacked_first() -> None:
    run = {"players": {"00-9": [stat(10)]}}
    other = {"players": {"00-8": [stat(15, 9, "KC")]}}
    sacked = {"players": {"00-7": [stat(20, -5)]}}
    thrown = {"players": {"00-6": [stat(15, 30)]}}
    made = record({"10": thrown, "9": other, "5": run}, {"20": sacked})
    assert gamecenter.starter(made, "JAC") == "00-6"
    assert gamecenter.starter(record({"10": sacked, "20": thrown}), "JAC") == "00-7"
    assert gamecenter.starter(made, "KC") == "00-8"
    assert gamecenter.starter(record({"1": run}), "JAC") is None
    assert gamecenter.starter(record({"1": {"players": {"0": [stat(14)]}}}), "JAC") is None

"""Players' games: records and plays by hand, hostile ones, and the box scores of the records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from scripts.errors import DataError
from scripts.nfl import box_scores, gamecenter, play_players, player_games
from scripts.nfl.build_player_games import build
from scripts.nfl.columns import PLAYER_GAMES
from scripts.tables import schema_of
from tests.unit.nfl.nfl_play_frames import games

SEASON = 2013
GAME = {"game_id": "2015_01_NE_BUF", "eid": "2015091300"}
BRADY, GRONK, EDELMAN, TYLER = "00-0019596", "00-0027656", "00-0027696", "00-0028118"
COUNTS = dict.fromkeys(box_scores.COUNTED, 0)
PLAYED = {"home_score": 20, "away_score": 40, "old_game_id": GAME["eid"]}
Stat = tuple[str, int, int]


def record(*plays: tuple[str, str | None, list[Stat]], posteam: str = "NE") -> dict:
    """A record of plays: description, note, statistics (player, number, yards) of its team."""
    made = {}
    for number, (desc, note, stats) in enumerate(plays, 1):
        players: dict[str, list] = {}
        for player, kind, yards in stats:
            stat = {"statId": kind, "yards": yards, "clubcode": "NE", "playerName": f"P{player}"}
            players.setdefault(player, []).append(stat)
        made[str(number)] = {"desc": desc, "note": note, "posteam": posteam, "players": players}
    return {"drives": {"1": {"plays": made}, "crntdrv": 1}}


def scored(*plays: tuple[str, str | None, list[Stat]], **told: str) -> dict[str, dict[str, int]]:
    """Player -> what is not 0."""
    rows = box_scores.of_game(GAME, record(*plays, **told))
    return {row["player_id"]: {n: row[n] for n in COUNTS if row[n]} for row in rows}


THROWN = {"attempts": 1}
CAUGHT = {"targets": 1, "receptions": 1}
RAN = {"carries": 1}


@pytest.mark.parametrize(
    ("desc", "note", "stats", "expected"),
    [
        (
            "pass short left to R.Gronkowski for 12 yards",
            None,
            [(BRADY, 15, 12), (BRADY, 111, 5), (GRONK, 21, 12), (GRONK, 115, 0), (GRONK, 113, 7)],
            {
                BRADY: {**THROWN, "completions": 1, "passing_yards": 12},
                GRONK: {**CAUGHT, "receiving_yards": 12},
            },
        ),
        (
            "pass deep for 30 yards, TOUCHDOWN",
            "TD",
            [(BRADY, 16, 30), (GRONK, 22, 30), (GRONK, 115, 0)],
            {
                BRADY: {**THROWN, "completions": 1, "passing_yards": 30, "passing_tds": 1},
                GRONK: {**CAUGHT, "receiving_yards": 30, "receiving_tds": 1},
            },
        ),
        (
            "pass incomplete to R.Gronkowski",
            None,
            [(BRADY, 14, 0), (GRONK, 115, 0)],
            {BRADY: THROWN, GRONK: {"targets": 1}},
        ),
        ("spiked the ball to stop the clock", None, [(BRADY, 14, 0)], {BRADY: THROWN}),
        (
            "INTERCEPTED by X",
            "INT",
            [(BRADY, 19, 0), (GRONK, 115, 0), ("00-0000001", 25, 8)],
            {BRADY: {**THROWN, "interceptions": 1}, GRONK: {"targets": 1}},
        ),
        (
            "sacked at NE 20 for -7 yards",
            None,
            [(BRADY, 20, -7), ("00-0000001", 83, -7)],
            {BRADY: {"sacks": 1, "sack_yards": 7}},
        ),
        (
            "sacked, FUMBLES, RECOVERED by BUF",
            "FUMBLE",
            [(BRADY, 20, -7), (BRADY, 52, 0), (BRADY, 106, 0)],
            {BRADY: {"sacks": 1, "sack_yards": 7, "fumbles_lost": 1}},
        ),
        ("up the middle", None, [(TYLER, 10, 3)], {TYLER: {**RAN, "rushing_yards": 3}}),
        (
            "kneels to NE 19 for -1 yards",
            None,
            [(BRADY, 10, -1)],
            {BRADY: {**RAN, "rushing_yards": -1}},
        ),
        (
            "left end, TOUCHDOWN",
            "TD",
            [(TYLER, 11, 1)],
            {TYLER: {**RAN, "rushing_yards": 1, "rushing_tds": 1}},
        ),
        (
            "pass to R.Gronkowski for 5 yards. Lateral to J.Edelman for 20 yards, TOUCHDOWN",
            "TD",
            [(BRADY, 16, 25), (GRONK, 21, 5), (GRONK, 115, 0), (EDELMAN, 24, 20)],
            {
                BRADY: {**THROWN, "completions": 1, "passing_yards": 25, "passing_tds": 1},
                GRONK: {**CAUGHT, "receiving_yards": 5},
                EDELMAN: {"receiving_yards": 20, "receiving_tds": 1},
            },
        ),
        (
            "left end for 4 yards. Lateral to J.Edelman for 6 yards",
            None,
            [(TYLER, 10, 4), (EDELMAN, 12, 6)],
            {TYLER: {**RAN, "rushing_yards": 4}, EDELMAN: {"rushing_yards": 6}},
        ),
        ("TWO-POINT CONVERSION ATTEMPT, succeeds", "2PS", [(BRADY, 77, 0), (GRONK, 104, 0)], {}),
        ("TWO-POINT CONVERSION ATTEMPT, a run", "2PR", [(TYLER, 10, 2)], {}),
        ("pass for 8 yards. PENALTY - No Play.", "PENALTY", [(BRADY, 15, 8), (GRONK, 21, 8)], {}),
        (
            "PENALTY - No Play. The play was REVERSED. pass for 8 yards",
            None,
            [(BRADY, 15, 8), (GRONK, 21, 8), (GRONK, 115, 0)],
            {
                BRADY: {**THROWN, "completions": 1, "passing_yards": 8},
                GRONK: {**CAUGHT, "receiving_yards": 8},
            },
        ),
        ("punts, returned, FUMBLES", "PUNT", [(TYLER, 29, 40), (EDELMAN, 106, 0)], {}),
        ("kicks off, returned, FUMBLES", None, [(TYLER, 41, 60), (EDELMAN, 106, 0)], {}),
        ("FUMBLES (Aborted)", "FUMBLE", [(BRADY, 106, 0)], {BRADY: {"fumbles_lost": 1}}),
        ("punt formation: pass", None, [(BRADY, 14, None)], {BRADY: THROWN}),
        ("END QUARTER 1", None, [], {}),
        (None, None, [(BRADY, 15, None)], {BRADY: {**THROWN, "completions": 1}}),
    ],
)
def test_what_a_play_adds(desc: str, note: str | None, stats: list[Stat], expected: dict) -> None:
    assert scored((desc, note, stats)) == expected


def test_a_fumble_of_the_team_without_the_ball_is_not_the_offences() -> None:
    play = ("INTERCEPTED, FUMBLES, RECOVERED by NE", "INT", [(TYLER, 106, 0)])
    assert scored(play, posteam="BUF") == {}
    old = record(play, posteam="LAC")
    old["drives"]["1"]["plays"]["1"]["players"][TYLER][0]["clubcode"] = "SD"
    assert [row["fumbles_lost"] for row in box_scores.of_game(GAME, old)] == [1]


def test_a_game_is_added_up_and_a_play_counts_once() -> None:
    ran = ("left end", None, [(TYLER, 10, 3)])
    made = record(ran, ran, ("pass", None, [(TYLER, 21, 4), (TYLER, 115, 0)]))
    made["drives"]["2"] = {"plays": {"2": made["drives"]["1"]["plays"]["2"]}}
    (row,) = box_scores.of_game(GAME, made)
    assert row == {
        "game_id": GAME["game_id"],
        "old_game_id": GAME["eid"],
        "player_id": TYLER,
        "name": f"P{TYLER}",
        "team": "NE",
        **COUNTS,
        "carries": 2,
        "rushing_yards": 6,
        "targets": 1,
        "receptions": 1,
        "receiving_yards": 4,
    }


def of_records(folder: Path) -> Iterator[tuple[str, dict, dict]]:
    """Players' games of a season: ours, and what the record's own box score says."""
    parts = {
        "passing": ("attempts att", "completions cmp", "passing_yards yds", "passing_tds tds"),
        "rushing": ("carries att", "rushing_yards yds", "rushing_tds tds"),
        "receiving": ("receptions rec", "receiving_yards yds", "receiving_tds tds"),
    }
    for game in gamecenter.schedule(folder, SEASON):
        made = gamecenter.read(folder, game["eid"])
        ours = {row["player_id"]: row for row in box_scores.of_game(game, made)}
        for part, names in parts.items():
            told = made["home"]["stats"][part] | made["away"]["stats"][part]
            for player in told:
                pairs = [name.split() for name in names]
                row = ours.get(player, COUNTS)
                yield part, {a: row[a] for a, _ in pairs}, {a: told[player][b] for a, b in pairs}


def test_plays_add_up_to_the_records_own_box_scores() -> None:
    """But for a few plays that the box score has and the plays have not, or the other way."""
    found = list(of_records(gamecenter.package()))
    off = sum(ours != told for _, ours, told in found)
    assert len(found) > 6000
    assert off / len(found) < 0.004


# The job: landed box scores and a schedule -> the table.


def landed(path: Path, *rows: dict[str, Any]) -> Path:
    """A file of landed box scores; what a row does not say is Brady's."""
    base = {"game_id": GAME["game_id"], "old_game_id": GAME["eid"], "player_id": BRADY}
    base |= {"name": "T.Brady", "team": "NE", **COUNTS}
    frame = pl.DataFrame([base | row for row in rows], schema=schema_of(box_scores.COLUMNS))
    frame.write_parquet(path)
    return path


def table(source: Path, *schedule: dict[str, Any], kind: str = "gamecenter") -> tuple:
    """The table and the log's line, by the job."""
    own, out = source.with_name("schedule.parquet"), source.with_name("out.parquet")
    games(*schedule).write_parquet(own)
    line = build(source, kind, own, out)
    return pl.read_parquet(out), line


def test_the_table_is_typed_and_sorted(tmp_path: Path) -> None:
    source = landed(
        tmp_path / "raw.parquet",
        {"player_id": GRONK, "targets": 2, "receptions": 1, "receiving_yards": -3},
        {"attempts": 2, "completions": 1, "passing_yards": -3},
        {"player_id": TYLER, "team": "BUF", "name": None, "carries": 1},
        {"player_id": "0", "carries": 1},
        {"player_id": "", "carries": 1},
        {"player_id": None, "carries": 1},
        {"game_id": "2015_02_NE_NYJ", "old_game_id": "2015092000", "attempts": 1},
        {"game_id": "2015_09_WAS_NE", "old_game_id": None, "attempts": 1},
    )
    found, line = table(source, PLAYED)
    assert found.schema == schema_of(PLAYER_GAMES)
    told = found.select("season", "team", "player_id", "name", "targets", "receiving_yards")
    assert told.rows() == [
        (2015, "BUF", TYLER, TYLER, 0, 0),
        (2015, "NE", BRADY, "T.Brady", 0, 0),
        (2015, "NE", GRONK, "T.Brady", 2, -3),
    ]
    assert line == (
        "3 rows of 1 of 1 games with a result; left out: 3 entries without a player's id, 2 games "
        "not on the schedule (2015_02_NE_NYJ, 2015_09_WAS_NE)"
    )


def test_a_game_without_a_known_result_has_no_rows(tmp_path: Path) -> None:
    source = landed(tmp_path / "raw.parquet", {"attempts": 1})
    found, line = table(source, {"old_game_id": GAME["eid"]})
    assert found.height == 0
    assert found.schema == schema_of(PLAYER_GAMES)
    assert line.startswith("0 rows of 0 of 0 games with a result; left out: 0 entries")
    assert "0 games not on the schedule" in line


def test_a_game_is_found_by_the_leagues_number_and_teams_are_those_of_the_time(
    tmp_path: Path,
) -> None:
    row = {"game_id": "2015_01_JAC_LA", "carries": 1, "team": "JAC"}
    other = {"player_id": TYLER, "game_id": "2015_01_JAC_LA", "carries": 1, "team": "LA"}
    source = landed(tmp_path / "raw.parquet", row, other)
    game = {"game_id": "2015_01_JAX_STL", "home_team": "STL", "away_team": "JAX"}
    found, _ = table(source, PLAYED | game)
    assert found.select("game_id", "team").rows() == [
        ("2015_01_JAX_STL", "JAX"),
        ("2015_01_JAX_STL", "STL"),
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"team": "NYJ"}], "00-0019596 in 2015_01_NE_BUF: NYJ does not play; take"),
        ([{"team": None}], "00-0019596 in 2015_01_NE_BUF: None does not play"),
        ([{}, {"team": "BUF"}], "00-0019596 in 2015_01_NE_BUF: of both teams; correct the file"),
        (
            [{}, {"game_id": "2015_01_NE_BUFF"}],
            "2015_01_NE_BUF and 2015_01_NE_BUFF are both 2015_01_NE_BUF on the schedule",
        ),
    ],
)
def test_what_contradicts_the_schedule_is_one_line(
    tmp_path: Path, rows: list[dict], message: str
) -> None:
    source = landed(tmp_path / "raw.parquet", *rows)
    with pytest.raises(DataError, match=message) as caught:
        table(source, PLAYED)
    assert "\n" not in str(caught.value)
    assert str(source) in str(caught.value)


def test_a_number_shared_by_games_on_the_schedule_finds_none(tmp_path: Path) -> None:
    source = landed(tmp_path / "raw.parquet", {"game_id": "2015_01_NE_BUFF"})
    _, line = table(source, PLAYED, PLAYED | {"game_id": "2015_02_NE_BUF"})
    assert "1 games not on the schedule (2015_01_NE_BUFF)" in line


@pytest.mark.parametrize(
    ("kind", "what"), [("gamecenter", "what nfl_land_gamecenter lands"), ("pbp", "nflverse's")]
)
def test_another_file_is_one_line(tmp_path: Path, kind: str, what: str) -> None:
    path = tmp_path / "raw.parquet"
    pl.DataFrame({"game_id": ["a"]}).write_parquet(path)
    with pytest.raises(DataError, match=rf"raw\.parquet: no column .*; is it {what}"):
        table(path, PLAYED, kind=kind)
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match="cannot be read as plays"):
        table(path, PLAYED, kind=kind)


def test_a_source_that_names_no_targets_but_catches_has_null(tmp_path: Path) -> None:
    thrown = {"attempts": 3, "completions": 1}
    other = {"game_id": "2015_02_BUF_NE", "old_game_id": "2015092000"}
    source = landed(
        tmp_path / "raw.parquet",
        *(thrown, thrown | other),
        {"player_id": GRONK, "receptions": 1},
        {"player_id": GRONK, "receptions": 1, "targets": 2, **other},
    )
    both = (PLAYED, PLAYED | other)
    found, _ = table(source, *both)
    assert found["targets"].to_list() == [None, None, 0, 2]


# nflverse's plays.


def pbp(path: Path, *plays: dict[str, Any]) -> Path:
    """nflverse's plays, numbers as they are there: floats; what a play does not say is null."""
    text = [n for n in play_players.COLUMNS if n.endswith(("_id", "_name", "_team"))]
    text += ["play_type", "posteam"]
    schema = {n: pl.String if n in text else pl.Float64 for n in play_players.COLUMNS}
    base = dict.fromkeys(schema) | {"game_id": GAME["game_id"], "posteam": "NE"}
    base |= {"play_type": "pass", "two_point_attempt": 0.0}
    pl.DataFrame([base | play for play in plays], schema=schema).write_parquet(path)
    return path


def who(**players: str) -> dict[str, str]:
    """Ids and names of players of a play."""
    return {f"{k}_player_id": v for k, v in players.items()} | {
        f"{k}_player_name": f"P{v}" for k, v in players.items()
    }


PASS = who(passer=BRADY, receiver=GRONK)
COMPLETE = PASS | {"complete_pass": 1.0, "passing_yards": 12.0, "receiving_yards": 12.0}
RUN = {"play_type": "run", "rushing_yards": 3.0, **who(rusher=TYLER)}
LATERAL = who(lateral_receiver=EDELMAN) | {"lateral_receiving_yards": 20.0}
LOST = {"fumble_lost": 1.0, "fumbled_1_team": "NE", **who(fumbled_1=GRONK)}


@pytest.mark.parametrize(
    ("play", "expected"),
    [
        (
            COMPLETE,
            {
                BRADY: {**THROWN, "completions": 1, "passing_yards": 12},
                GRONK: {**CAUGHT, "receiving_yards": 12},
            },
        ),
        (
            COMPLETE | LATERAL | {"pass_touchdown": 1.0, "passing_yards": 32.0},
            {
                BRADY: {**THROWN, "completions": 1, "passing_yards": 32, "passing_tds": 1},
                GRONK: {**CAUGHT, "receiving_yards": 12},
                EDELMAN: {"receiving_yards": 20, "receiving_tds": 1},
            },
        ),
        (
            PASS | {"interception": 1.0},
            {BRADY: {**THROWN, "interceptions": 1}, GRONK: {"targets": 1}},
        ),
        (
            who(passer=BRADY) | {"sack": 1.0, "yards_gained": -7.0},
            {BRADY: {"sacks": 1, "sack_yards": 7}},
        ),
        (who(passer=BRADY) | {"play_type": "qb_spike"}, {BRADY: THROWN}),
        (
            RUN | {"play_type": "qb_kneel", "rushing_yards": -1.0},
            {TYLER: {**RAN, "rushing_yards": -1}},
        ),
        (RUN | {"rush_touchdown": 1.0}, {TYLER: {**RAN, "rushing_yards": 3, "rushing_tds": 1}}),
        (
            RUN
            | {"rush_touchdown": 1.0, "lateral_rushing_yards": 6.0}
            | who(lateral_rusher=EDELMAN),
            {
                TYLER: {**RAN, "rushing_yards": 3},
                EDELMAN: {"rushing_yards": 6, "rushing_tds": 1},
            },
        ),
        (COMPLETE | {"two_point_attempt": 1.0}, {}),
        (COMPLETE | {"play_type": "no_play"}, {}),
        (
            COMPLETE | LOST,
            {
                BRADY: {**THROWN, "completions": 1, "passing_yards": 12},
                GRONK: {**CAUGHT, "receiving_yards": 12, "fumbles_lost": 1},
            },
        ),
        (LOST | {"play_type": "kickoff"}, {}),
        (
            LOST | who(fumbled_2=EDELMAN) | {"fumbled_2_team": "NE"},
            {GRONK: {"fumbles_lost": 1}},
        ),
        (
            LOST | who(fumbled_2=EDELMAN) | {"fumbled_1_team": "BUF", "fumbled_2_team": "NE"},
            {EDELMAN: {"fumbles_lost": 1}},
        ),
        (LOST | {"fumble_lost": 0.0}, {}),
    ],
)
def test_what_a_play_of_nflverse_adds(tmp_path: Path, play: dict, expected: dict) -> None:
    known = {**PASS, "pass_touchdown": None}  # an incompletion, so that targets are known
    found, _ = table(pbp(tmp_path / "pbp.parquet", play, known), PLAYED, kind="pbp")
    found = found.with_columns(
        pl.col("attempts") - (pl.col("player_id") == BRADY),
        pl.col("targets") - (pl.col("player_id") == GRONK),
    )
    told = {row["player_id"]: {n: row[n] for n in COUNTS if row[n]} for row in found.to_dicts()}
    assert {player: own for player, own in told.items() if own} == expected


def test_plays_of_nflverse_have_codes_of_today(tmp_path: Path) -> None:
    game = {"game_id": "2015_01_OAK_SD", "home_team": "SD", "away_team": "OAK"}
    plays = [{**RUN, "game_id": game["game_id"], "posteam": team} for team in ("LAC", "LV")]
    plays[1] |= who(rusher=EDELMAN)
    source = pbp(tmp_path / "pbp.parquet", *plays, {**RUN, **who(rusher="XX-0000001")})
    found, line = table(source, PLAYED | game, kind="pbp")
    assert found.select("team", "player_id").rows() == [("OAK", EDELMAN), ("SD", TYLER)]
    assert "1 entries without a player's id, 0 games not on the schedule" in line


def test_the_sources_are_those_of_the_layouts() -> None:
    assert set(player_games.LAYOUTS) == {"gamecenter", "pbp"}

"""The same plays in every layout; the running score against a loop; files that cannot be used."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from scripts.errors import DataError
from scripts.nfl import build_pbp, gamecenter, plays
from scripts.nfl.columns import PLAYS
from scripts.tables import schema_of
from tests.unit.nfl.nfl_play_frames import Row, games

FLAGS = ("interception", "fumble_lost", "sack", "penalty", "touchdown")
SCORES = {"TD": 6, "FG": 3, "SAF": 2}  # what happens -> points of the play
TRIES = {"XP": 1, "2PS": 2, "2PR": 2, "XPM": 0, "XPB": 0, "XPA": 0, "2PPF": 0, "2PRF": 0, "D2P": 0}
BUF, NE = "BUF", "NE"
OTHER = {BUF: NE, NE: BUF}
SCHEDULE = games(
    {"game_id": "2015_01_NE_BUF"},
    {"game_id": "2015_02_BUF_NE", "home_team": NE, "away_team": BUF, "week": 2},
)


def event(rng: random.Random, what: str, team: str | None, scorer: str | None = None) -> Row:
    """One play, before it is written in a layout."""
    state = what in ("run", "pass", "TD", "FG", "SAF", "missed")
    kinds = {
        "SAF": "run",
        "FG": "field_goal",
        "missed": "field_goal",
        "TD": rng.choice(("run", "pass")),
    }
    return {
        "what": what,
        "team": team,
        "scorer": scorer,
        "kind": kinds.get(what, "conversion" if what in TRIES else what),
        "down": rng.randint(1, 4) if state else None,
        "ydstogo": rng.randint(1, 20) if state else 0,
        "yardline_100": rng.randint(1, 99) if team else None,
        "yards_gained": rng.randint(-9, 40) if what in ("run", "pass") else None,
        "penalty_team": rng.choice((None, BUF, NE)),
        "epa": round(rng.gauss(0, 1), 6),
        "wp": round(rng.random(), 6),
    } | {name: int(rng.random() < 0.2) for name in FLAGS[:-1]}


def story(seed: int, *, gaps: bool) -> list[Row]:
    """Plays of two games in order; gaps: something may stand between a touchdown and its try."""
    rng, rows = random.Random(seed), []
    for number, game in enumerate(SCHEDULE["game_id"]):
        made = []
        for _ in range(rng.randint(1, 12)):
            team = rng.choice((BUF, NE))
            scorer = rng.choice((team, OTHER[team]))
            what = rng.choice(
                ("run", "pass", "TD", "TD", "FG", "SAF", "missed", "timeout", "no_play")
            )
            if what == "TD":
                made.append(event(rng, what, team, scorer))
                made += [event(rng, "no_play", scorer)] * rng.randint(0, 2 if gaps else 0)
                try_ = rng.choice(list(TRIES))
                made.append(event(rng, try_, scorer, OTHER[scorer] if try_ == "D2P" else None))
                made.append(event(rng, "kickoff", scorer))
            elif what in SCORES:
                made.append(event(rng, what, team, OTHER[team] if what == "SAF" else team))
            else:
                made.append(event(rng, what, None if what == "timeout" else team))
        quarters = sorted(rng.choices(range(1, 6), k=len(made)))
        for place, (row, quarter) in enumerate(zip(made, quarters, strict=True), 1):
            keys = {"game_id": game, "play_id": 20 * place, "drive": 1 + place // 4}
            left = rng.randint(0, 600 if quarter == 5 else 900)
            rows.append(row | keys | {"quarter": quarter, "left": left, "number": number})
    return rows


def gamecenter_layout(rows: list[Row]) -> pl.DataFrame:
    """As the wheel's plays are written."""
    made = []
    for place, row in enumerate(rows):
        what, minutes = row["what"], row["left"] // 60
        scored = what in SCORES or what == "D2P"
        made.append(
            {
                **{name: row[name] for name in gamecenter.PLAYS if name in row},
                "qtr": row["quarter"],
                "time": f"{minutes:02}:{row['left'] % 60:02}" if minutes else f":{row['left']:02}",
                "posteam": row["team"],
                "down": row["down"] or 0,
                "note": {"D2P": "XPB"}.get(what, what if what in (*SCORES, *TRIES) else ""),
                "play_type": row["kind"],
                "touchdown": int(what == "TD"),
                "score_team": row["scorer"] if scored else None,
                "score_type": what if scored else None,
                "try_points": try_after(rows, place) if what == "TD" else 0,
            }
        )
    return pl.DataFrame(made, schema=schema_of(gamecenter.PLAYS))


def try_after(rows: list[Row], place: int) -> int:
    """Points of the next try."""
    return TRIES[next(row["what"] for row in rows[place:] if row["what"] in TRIES)]


def nflverse_layout(rows: list[Row]) -> pl.DataFrame:
    """As nflverse publishes plays: numbers are floats, names and flags its own."""
    made, score = [], {BUF: 0, NE: 0}
    for place, row in enumerate(rows):
        what, quarter = row["what"], row["quarter"]
        score = score if place and rows[place - 1]["number"] == row["number"] else {BUF: 0, NE: 0}
        own = {"XP": "good", "XPM": "failed", "XPB": "blocked", "XPA": "aborted", "D2P": "blocked"}
        two = {"2PS": "success", "2PR": "success", "2PPF": "failure", "2PRF": "failure"}
        kind = "extra_point" if what in own else "run" if what in two else row["kind"]
        points = SCORES[what] if what in SCORES else TRIES.get(what, 0)
        if what == "D2P":
            points = 2
        if points:
            score[row["scorer"] or row["team"]] += points
        home = SCHEDULE.filter(game_id=row["game_id"])["home_team"][0]
        made.append(
            {
                **{n: row[n] for n in ("game_id", "penalty_team", "epa", "wp")},
                **{
                    n: None if row[n] is None else float(row[n])
                    for n in ("play_id", "down", "ydstogo", "yardline_100", "yards_gained")
                },
                **{n: float(row[n]) if row["team"] else None for n in FLAGS[:-1]},
                "season": 2015,
                "home_team": "as it likes",
                "fixed_drive": float(row["drive"]),
                "qtr": float(quarter),
                "posteam": row["team"],
                "half_seconds_remaining": float(row["left"] + 900 * (quarter in (1, 3))),
                "game_seconds_remaining": float(max(0, row["left"] + 900 * (4 - quarter)))
                if quarter < 5
                else 0.0,
                "play_type": None if kind == "timeout" else kind,
                "touchdown": float(what == "TD"),
                "td_team": row["scorer"] if what == "TD" else None,
                "field_goal_result": {"FG": "made", "missed": "missed"}.get(what),
                "extra_point_result": own.get(what),
                "two_point_conv_result": two.get(what),
                "safety": float(what == "SAF"),
                "defensive_two_point_conv": float(what == "D2P"),
                "total_home_score": float(score[home]),
                "total_away_score": float(score[OTHER[home]]),
            }
        )
    return pl.DataFrame(made, infer_schema_length=None)


def read(
    folder: Path, frame: pl.DataFrame, name: str, schedule: pl.DataFrame = SCHEDULE
) -> pl.DataFrame:
    """Write a frame as a file of this name and read it as plays."""
    path = folder / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(frame.write_csv().encode()))
    elif name.endswith(".csv"):
        frame.write_csv(path)
    else:
        frame.write_parquet(path)
    return plays.read(path, schedule)


def slow_score(rows: list[Row]) -> list[tuple[int, int]]:
    """Points of home team and visitors before each play; a touchdown brings those of its try."""
    found = []
    for place, row in enumerate(rows):
        home = SCHEDULE.filter(game_id=row["game_id"])["home_team"][0]
        score = {BUF: 0, NE: 0}
        for before in range(place):
            if rows[before]["game_id"] == row["game_id"]:
                what = rows[before]["what"]
                if what in SCORES or what == "D2P":
                    score[rows[before]["scorer"]] += SCORES.get(what, 2)
                if what == "TD":
                    score[rows[before]["scorer"]] += try_after(rows, before)
        found.append((score[home], score[OTHER[home]]))
    return found


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_every_layout_gives_the_same_plays(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, rows = tmp_path_factory.mktemp("plays"), story(seed, gaps=False)
    flat = gamecenter_layout(rows)
    found = read(folder, flat, "plays.parquet")
    assert found.schema == schema_of(PLAYS)
    for name in ("plays.csv", "plays.csv.gz"):
        assert_frame_equal(read(folder, flat, name), found)
        # Files that do not tell the try: the next play does.
        without = read(folder, flat.drop("try_points", "penalty_team"), name)
        assert_frame_equal(without.drop("penalty_team"), found.drop("penalty_team"))
    theirs = read(folder, nflverse_layout(rows), "play_by_play.parquet")
    assert theirs["epa"].to_list() == [row["epa"] for row in rows]
    assert theirs["wp"].to_list() == [row["wp"] for row in rows]
    # A play without a team has no flags there.
    teams = pl.col("posteam").is_not_null()
    assert_frame_equal(
        theirs.drop("epa", "wp", *FLAGS), found.drop("epa", "wp", *FLAGS), check_exact=True
    )
    assert_frame_equal(theirs.filter(teams).select(FLAGS), found.filter(teams).select(FLAGS))


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_the_running_score_is_that_of_a_loop(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, rows = tmp_path_factory.mktemp("plays"), story(seed, gaps=True)
    theirs = nflverse_layout(rows)
    for frame in (theirs, gamecenter_layout(rows)):
        found = read(folder, frame, "plays.parquet")
        assert found.select("home_points", "away_points").rows() == slow_score(rows)
    # nflverse tells the score after each play: that is ours before the next one, but for a try's.
    found = read(folder, theirs, "plays.parquet")
    after = theirs.select(pl.col("total_home_score", "total_away_score").cast(pl.Int32)).rows()
    for place, row in enumerate(rows[:-1]):
        if rows[place + 1]["game_id"] == row["game_id"] and row["what"] in (*TRIES, "FG", "SAF"):
            before = found.row(place + 1, named=True)
            assert (before["home_points"], before["away_points"]) == after[place]


def test_columns_of_a_play_by_hand(tmp_path: Path) -> None:
    text = (
        ",".join(gamecenter.PLAYS)
        + "\n2015_01_NE_BUF,3,77,3,04:05,NE,2,7,31,,pass,12.0,0,1,0,1,BUF,0,,,0\n"
        + "2015_01_NE_BUF,3,99,5,,,0,0,,TIMEOUT,timeout,,0,0,0,0,,0,,,0\n"
    )
    (tmp_path / "plays.csv").write_text(text)
    first, second = plays.read(tmp_path / "plays.csv", SCHEDULE).rows(named=True)
    expected = dict.fromkeys(PLAYS) | dict.fromkeys(FLAGS, False)
    expected |= dict.fromkeys(("points", "try_points", "home_points", "away_points"), 0)
    expected |= {"season": 2015, "game_id": "2015_01_NE_BUF", "play_id": 77, "drive": 3}
    expected |= {"quarter": 3, "half_seconds": 1145, "game_seconds": 1145, "posteam": "NE"}
    expected |= {"defteam": "BUF", "down": 2, "ydstogo": 7, "yardline_100": 31, "kind": "pass"}
    expected |= {"yards_gained": 12, "fumble_lost": True, "penalty": True, "penalty_team": "BUF"}
    assert first == expected
    assert (second["posteam"], second["defteam"], second["down"]) == (None, None, None)
    assert (second["half_seconds"], second["game_seconds"]) == (900, 0)


def three_runs() -> list[Row]:
    """Three runs of a drive."""
    keys = {"game_id": "2015_01_NE_BUF", "drive": 1, "quarter": 1, "left": 60, "number": 0}
    return [event(random.Random(n), "run", BUF) | keys | {"play_id": n} for n in (1, 2, 3)]


def test_a_play_without_a_clock_has_that_of_the_play_before_in_its_quarter(tmp_path: Path) -> None:
    frame = gamecenter_layout(three_runs()).with_columns(
        qtr=pl.Series([1, 1, 2], dtype=pl.Int32),
        time=pl.Series(["10:00", None, ""], dtype=pl.String),
    )
    found = read(tmp_path, frame, "plays.parquet")
    assert found["half_seconds"].to_list() == [1500, 1500, 900]


def test_an_unknown_try_counts_one(tmp_path: Path) -> None:
    frame = gamecenter_layout(three_runs()).drop("try_points")
    scored = pl.DataFrame({"score_type": ["TD", None, None], "score_team": [NE, None, None]})
    found = read(tmp_path, frame.with_columns(scored.get_columns()), "plays.csv")
    assert found["try_points"].to_list() == [None, 0, 0]
    assert found["away_points"].to_list() == [0, 7, 7]


@pytest.mark.parametrize("layout", [gamecenter_layout, nflverse_layout])
def test_codes_are_those_of_the_schedule(
    tmp_path: Path, layout: Callable[[list[Row]], pl.DataFrame]
) -> None:
    """GameCenter writes JAC, nflverse LV for games in which the schedule still has OAK."""
    schedule = games(
        {"game_id": "2015_01_NE_BUF", "home_team": "OAK", "away_team": "JAX"},
        {"game_id": "2015_02_BUF_NE", "home_team": "JAX", "away_team": "OAK", "week": 2},
    )
    rows = story(7, gaps=False)
    frame, codes = layout(rows), {BUF: "LV", NE: "JAC"}
    names = [n for n in ("posteam", "score_team", "td_team", "penalty_team") if n in frame.columns]
    renamed = read(
        tmp_path, frame.with_columns(pl.col(names).replace(codes)), "plays.parquet", schedule
    )
    found = read(tmp_path, frame, "plays.parquet")
    teams = ["posteam", "defteam", "penalty_team", "scoring_team"]
    expected = found.with_columns(pl.col(teams).replace({BUF: "OAK", NE: "JAX"}))
    assert_frame_equal(renamed, expected)
    blank = frame.with_columns(pl.col(names).fill_null(""))
    assert_frame_equal(read(tmp_path, blank, "plays.parquet").select(teams[:3]), found[teams[:3]])


def test_games_come_in_the_order_of_the_schedule(tmp_path: Path) -> None:
    frame = gamecenter_layout(story(3, gaps=False))
    found = read(tmp_path, frame, "plays.parquet")
    shuffled = read(tmp_path, frame.sample(fraction=1, shuffle=True, seed=1), "plays.parquet")
    columns = ["game_id", "play_id", "points", "home_points", "try_points"]
    assert_frame_equal(shuffled.select(columns), found.select(columns))
    turned = read(tmp_path, frame, "plays.parquet", SCHEDULE.reverse())
    assert (
        turned["game_id"].unique(maintain_order=True).to_list()
        == SCHEDULE["game_id"].to_list()[::-1]
    )


def changed(**columns: Any) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """The last row has other values."""

    def change(frame: pl.DataFrame) -> pl.DataFrame:
        last = pl.int_range(pl.len()) == pl.len() - 1
        return frame.with_columns(
            pl.when(last).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
            for name, value in columns.items()
        )

    return change


ERRORS = {
    "orphan": (changed(game_id="2015_09_NE_KC"), r"1 plays of games not on .*\(2015_09_NE_KC\)"),
    "team": (changed(posteam="KC"), "play .* of 2015_02_BUF_NE: KC does not play"),
    "twice": (
        lambda frame: pl.concat([frame, frame[:1]]),
        "play 20 of 2015_01_NE_BUF stands twice",
    ),
    "column": (lambda frame: frame.drop("ydstogo", "down"), "no column down, ydstogo; is it"),
    "flag": (lambda frame: frame.drop("interception"), "interception"),
}


@pytest.mark.parametrize("layout", [gamecenter_layout, nflverse_layout])
@pytest.mark.parametrize("case", ERRORS)
def test_plays_that_cannot_be_used_are_one_line(
    tmp_path: Path, layout: Callable[[list[Row]], pl.DataFrame], case: str
) -> None:
    change, message = ERRORS[case]
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, change(layout(story(2, gaps=False))), "plays.parquet")
    assert str(caught.value).startswith(str(tmp_path / "plays.parquet"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("layout", [gamecenter_layout, nflverse_layout])
@pytest.mark.parametrize("name", ["down", "play_id", "yards_gained", "sack"])
def test_what_is_no_number_is_one_line_with_column_and_value(
    tmp_path: Path, layout: Callable[[list[Row]], pl.DataFrame], name: str
) -> None:
    frame = layout(story(2, gaps=False)).with_columns(pl.col(name).cast(pl.String))
    with pytest.raises(DataError, match=f"{name}.*eleven.*; correct the file") as caught:
        read(tmp_path, changed(**{name: "eleven"})(frame), "plays.parquet")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "kept"),
    [("plays.csv", 0)]
    + [(name, kept) for name in ("plays.csv.gz", "plays.parquet") for kept in (0, 0.5, 0.98)],
)
def test_a_file_cut_short_is_one_line(tmp_path: Path, name: str, kept: float) -> None:
    frame = gamecenter_layout(story(2, gaps=False))
    read(tmp_path, frame, name)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    message = f"{name}: cannot be read as plays .*; fetch it again"
    with pytest.raises(DataError, match=message) as caught:
        plays.read(path, SCHEDULE)
    assert "\n" not in str(caught.value)
    path.unlink()
    with pytest.raises(DataError, match=message):
        plays.read(path, SCHEDULE)


def test_the_job_writes_plays_of_games_with_a_result_and_refuses_none(tmp_path: Path) -> None:
    frame = gamecenter_layout(story(2, gaps=False))
    found = read(tmp_path, frame, "plays.csv")
    job = (tmp_path / "plays.csv", tmp_path / "schedule.parquet", tmp_path / "out/part.parquet")
    first = pl.int_range(pl.len()) == 0
    for known, number in ((first, 1), (pl.lit(value=True), 2), (pl.lit(value=False), 0)):
        games_known = SCHEDULE.with_columns(pl.when(known).then(20).alias("home_score"))
        games_known.write_parquet(job[1])
        kept = found.join(SCHEDULE[:number], on="game_id", how="semi")
        assert build_pbp.build(*job) == f"{kept.height} plays of {number} of 2 games"
        assert pl.read_parquet(job[2]).equals(kept)
    job[0].write_text(",".join(gamecenter.PLAYS) + "\n")
    SCHEDULE.with_columns(home_score=20).write_parquet(job[1])
    job[2].unlink()
    with pytest.raises(DataError, match=r"plays\.csv: no plays; fetch it again"):
        build_pbp.build(*job)
    assert not job[2].exists()

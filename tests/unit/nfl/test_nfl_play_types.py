"""Classes of plays, and the borders of their flags."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.nfl import build_play_types, play_types
from scripts.nfl.play_types import classify
from scripts.tables import schema_of
from tests.unit.nfl.nfl_play_frames import Row, plays, random_plays


def of(column: str, **play: object) -> object:
    """One column of one play."""
    return classify(plays(play))[column][0]


@pytest.mark.parametrize(
    ("kind", "penalty", "expected"),
    [
        ("pass", False, "pass"),
        ("pass", True, "pass"),
        ("run", False, "run"),
        ("run", True, "run"),
        ("kickoff", False, "kick"),
        ("conversion", False, "kick"),
        ("punt", True, "punt"),
        ("field_goal", False, "field_goal"),
        ("qb_kneel", False, "kneel"),
        ("qb_spike", False, "spike"),
        ("no_play", True, "penalty"),
        ("no_play", False, "other"),
        ("timeout", False, "other"),
        ("something_new", False, "other"),
        (None, False, "other"),
    ],
)
def test_class_of_each_kind(kind: str | None, penalty: bool, expected: str) -> None:
    assert of("play_class", kind=kind, penalty=penalty) == expected


@pytest.mark.parametrize(
    ("kind", "yards", "expected"),
    [
        ("pass", 19, False),
        ("pass", 20, True),
        ("run", 9, False),
        ("run", 10, True),
        ("run", 19, True),
        ("pass", None, False),
        ("run", None, False),
        ("punt", 60, False),
        ("no_play", 60, False),
        ("qb_kneel", 60, False),
    ],
)
def test_explosive_from_20_yards_passed_or_10_run(
    kind: str, yards: int | None, expected: bool
) -> None:
    assert of("explosive", kind=kind, yards_gained=yards) is expected


@pytest.mark.parametrize(("down", "early"), [(1, True), (2, True), (3, False), (4, False)])
def test_early_downs(down: int, early: bool) -> None:
    assert of("early_down", down=down) is early


@pytest.mark.parametrize(("yards", "red"), [(1, True), (20, True), (21, False), (99, False)])
def test_red_zone_begins_at_20_yards(yards: int, red: bool) -> None:
    assert of("red_zone", yardline_100=yards) is red


def test_flags_of_what_is_unknown_are_null() -> None:
    assert of("early_down", down=None) is None
    assert of("red_zone", yardline_100=None) is None


@pytest.mark.parametrize(
    ("wp", "expected"),
    [(0.049, True), (0.05, False), (0.5, False), (0.95, False), (0.951, True)],
)
def test_garbage_time_by_win_probability(wp: float, expected: bool) -> None:
    assert of("garbage_time", wp=wp, home_points=14, away_points=0) is expected
    # It goes before score and time.
    assert of("garbage_time", wp=wp, home_points=60, away_points=0, game_seconds=1) is expected


@pytest.mark.parametrize(
    ("seconds", "lead", "expected"),
    [
        (0, 17, True),
        (900, 16, False),
        (900, 17, True),
        (901, 24, False),
        (901, 25, True),
        (1800, 25, True),
        (1801, 30, False),
        (1801, 31, True),
        (2700, 31, True),
        (2701, 38, False),
        (2701, 39, True),
        (3600, 39, True),
    ],
)
@pytest.mark.parametrize("trailing", [0, 7])
def test_garbage_time_by_score_and_time(
    seconds: int, lead: int, expected: bool, trailing: int
) -> None:
    """Whichever team leads."""
    for leader, other in (("home", "away"), ("away", "home")):
        points = {f"{leader}_points": lead + trailing, f"{other}_points": trailing}
        assert of("garbage_time", game_seconds=seconds, **points) is expected


LEADS = {1: 39, 2: 31, 3: 25, 4: 17}


def slow(row: Row) -> Row:
    """Class and flags of a play, by a chain of questions."""
    kinds = {"kickoff": "kick", "conversion": "kick", "qb_kneel": "kneel", "qb_spike": "spike"}
    kinds |= {"no_play": "penalty" if row["penalty"] else "other", "timeout": "other"}
    needed = {"pass": 20, "run": 10}.get(row["kind"])
    quarter = 4 - min(3, max(0, (row["game_seconds"] - 1) // 900))
    place = row["yardline_100"]
    return {
        "season": row["season"],
        "game_id": row["game_id"],
        "play_id": row["play_id"],
        "posteam": row["posteam"],
        "play_class": kinds.get(row["kind"], row["kind"]),
        "explosive": None not in (needed, row["yards_gained"]) and row["yards_gained"] >= needed,
        "early_down": None if row["down"] is None else row["down"] < 3,
        "red_zone": None if place is None else place <= 20,
        "garbage_time": abs(row["home_points"] - row["away_points"]) >= LEADS[quarter],
    }


@given(seed=st.integers(0, 10**6))
def test_classes_and_flags_of_any_plays_are_those_of_a_chain_of_questions(seed: int) -> None:
    frame = random_plays(seed)
    assert classify(frame).rows(named=True) == [slow(row) for row in frame.rows(named=True)]


def test_the_job_writes_them_and_tells_how_many(tmp_path: Path) -> None:
    frame = random_plays(3)
    frame.write_parquet(tmp_path / "plays.parquet")
    line = build_play_types.build(tmp_path / "plays.parquet", tmp_path / "types.parquet")
    made = pl.read_parquet(tmp_path / "types.parquet")
    assert made.schema == schema_of(play_types.COLUMNS)
    assert made.equals(classify(frame))
    counts = sorted(made["play_class"].value_counts().rows())
    assert line == ", ".join(f"{count} {name}" for name, count in counts)

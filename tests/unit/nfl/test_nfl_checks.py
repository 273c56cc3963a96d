"""Each check of integrity and of expected points passes on good data, fails on a planted fault."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from scripts.errors import DataError
from scripts.nfl import build_team_epa, check_passed, score_integrity, score_points
from scripts.nfl.checks import check, write_all
from scripts.nfl.columns import ODDS, WEATHER
from scripts.nfl.play_types import classify
from scripts.nfl.score_integrity import of_games, of_odds, of_plays, regular_games
from scripts.tables import schema_of
from tests.unit.nfl.nfl_play_frames import Row, games, plays

# Limits and their files.


@pytest.mark.parametrize(
    ("got", "limit", "passes"),
    [
        (0, 0, True),
        (1, 0, False),
        (-1, 0, False),
        (0.5, [0.5, 1], True),
        (1, [0.5, 1], True),
        (0.49, [0.5, 1], False),
        (1.01, [0.5, 1], False),
        (99, [0.5, None], True),
        (0.4, [0.5, None], False),
        (-99, [None, 1], True),
        (1.1, [None, 1], False),
        (None, [None, None], False),
        (None, 0, False),
        (float("nan"), [0, 1], False),
        (float("nan"), [None, 1], False),
        (float("nan"), 0, False),
    ],
)
def test_what_is_within_its_limit_passes(got: float | None, limit: Any, passes: bool) -> None:
    found = check("name", got, limit, 7, simulated=True, note="why")
    assert found["pass"] is passes
    assert list(found) == ["check", "got", "limit", "n", "pass", "simulated", "note"]
    assert [found[n] for n in ("check", "n", "simulated", "note")] == ["name", 7, True, "why"]


def test_checks_are_written_each_in_its_file_and_one_not_made_is_an_error(tmp_path: Path) -> None:
    made = [check("a", 0, 0, 1), check("b", 1, 0, 1), check("c", 0, 0, 1)]
    outs = [tmp_path / f"{name}.json" for name in "ba"]
    assert write_all(made, ["a", "b"], outs) == "2 checks, failed: b"
    assert json.loads(outs[0].read_text()) == made[1]
    assert json.loads(outs[1].read_text()) == made[0]
    assert write_all(made, ["a"], outs) == "1 checks"
    with pytest.raises(DataError, match="checks not made: d, e"):
        write_all(made, ["a", "e", "d"], outs)


# Games.


def regular(season: int = 2015, number: int = 256) -> list[Row]:
    """Games of a season, by number."""
    return [{"game_id": f"{season}_{n}", "season": season, "week": 1} for n in range(number)]


def by_name(found: Any) -> dict[str, dict]:
    return {one["check"]: one for one in found}


def failed(found: Any) -> set[str]:
    return {name for name, one in by_name(found).items() if not one["pass"]}


def test_good_games_pass() -> None:
    final = {"game_type": "SB", "game_id": "final", "home_score": 0, "away_score": 100}
    found = by_name(of_games(games(*regular(), final), [2015]))
    assert set(found) == {"game_ids", "game_teams", "scores", "games_per_season"}
    assert failed(found.values()) == set()
    assert (found["game_ids"]["n"], found["scores"]["n"]) == (257, 2)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"game_id": "2015_7"}, "game_ids"),
        ({"home_team": "NE"}, "game_teams"),
        ({"home_score": 101}, "scores"),
        ({"away_score": -1}, "scores"),
        ({"game_type": "WC"}, "games_per_season"),
        ({"season": 2016}, "games_per_season"),
    ],
)
def test_a_planted_game_fails_its_check_alone(change: Row, name: str) -> None:
    rows = regular()
    rows[3] |= change
    found = by_name(of_games(games(*rows), [2015]))
    assert failed(found.values()) == {name}
    assert found[name]["got"] == 1


def test_seasons_that_are_open_may_have_any_number_of_games() -> None:
    rows = games(*regular(), *regular(2016, 12))
    assert failed(of_games(rows, [2015])) == set()
    found = by_name(of_games(rows, [2015, 2016, 2017]))["games_per_season"]
    assert (found["pass"], found["got"], found["n"]) == (False, 2, 3)
    assert found["note"].endswith(": {2016: 12, 2017: 0}")


def test_regular_games_of_all_seasons() -> None:
    numbers = {**dict.fromkeys(range(1999, 2002), 248), **dict.fromkeys(range(2002, 2021), 256)}
    numbers |= dict.fromkeys(range(2021, 2026), 272) | {2022: 271}
    assert {season: regular_games(season) for season in numbers} == numbers


# Plays.


def game_plays(game: str, number: int = 120, points: tuple[int, ...] = (), **of_all: Any) -> list:
    """Plays of a game in which BUF scores."""
    rows = [{"game_id": game, "play_id": n, **of_all} for n in range(1, number + 1)]
    for row, made in zip(rows, points, strict=False):
        row |= {"points": made, "scoring_team": "BUF", "try_points": 1 if made == 6 else 0}
    return rows


def finals(number: int = 2, home_score: int = 10) -> pl.DataFrame:
    """Games that BUF won by 10 to 0."""
    return games(
        *(game | {"home_score": home_score, "away_score": 0} for game in regular(2015, number))
    )


def checked(rows: list[Row], schedule: pl.DataFrame) -> dict[str, dict]:
    frame = plays(*rows)
    return by_name(of_plays(schedule, frame, classify(frame)))


def test_good_plays_pass() -> None:
    rows = game_plays("2015_0", 80, (6, 3)) + game_plays("2015_1", 220, (3, 6))
    found = checked(rows, finals())
    assert set(found) == {
        *("orphan_plays", "play_scores", "plays_per_game", "games_without_plays"),
    }
    assert failed(found.values()) == set()
    assert [found[n]["n"] for n in found] == [300, 2, 2, 2]
    assert found["plays_per_game"]["note"].endswith("outside 100 to 200: 2")


def test_half_a_season_without_plays_fails() -> None:
    found = checked(game_plays("2015_0", 80, (6, 3)), finals(2))["games_without_plays"]
    assert (found["pass"], found["got"], found["limit"]) == (False, 0.5, [0, 0.05])


def test_plays_and_classes_of_no_game_fail() -> None:
    rows = game_plays("2015_0", points=(6, 3)) + game_plays("2015_9", 3)
    found = checked(rows, finals(1))
    assert (found["orphan_plays"]["got"], found["orphan_plays"]["pass"]) == (3, False)
    frame = plays(*rows[:120])
    types = pl.concat([classify(frame), classify(plays({"game_id": "2015_0", "play_id": 999}))])
    found = by_name(of_plays(finals(1), frame, types))
    assert (found["orphan_plays"]["got"], found["orphan_plays"]["pass"]) == (1, False)


@pytest.mark.parametrize("points", [(6,), (6, 3, 3), (3, 6, 2), ()])
def test_plays_that_do_not_add_up_to_the_score_fail(points: tuple[int, ...]) -> None:
    rows = game_plays("2015_0", points=points) + game_plays("2015_1", points=(6, 3))
    found = checked(rows, finals())["play_scores"]
    assert (found["pass"], found["got"], found["limit"]) == (False, 0.5, [0, 0.03])
    assert found["note"].endswith("1 of 2: 2015_0")


def test_points_of_the_wrong_team_fail() -> None:
    rows = game_plays("2015_0", points=(6, 3), posteam="NE")
    rows[1]["scoring_team"] = "NE"
    assert not checked(rows, finals(1))["play_scores"]["pass"]


@pytest.mark.parametrize(
    ("home_score", "passes"), [(8, False), (9, True), (10, True), (11, True), (12, False)]
)
def test_an_unknown_try_may_be_any_by_one_point(home_score: int, passes: bool) -> None:
    """It counts 1; what it was is 0, 1 or 2."""
    rows = game_plays("2015_0", points=(6, 3))
    rows[0]["try_points"] = None
    assert checked(rows, finals(1, home_score))["play_scores"]["pass"] is passes


def test_three_games_of_a_hundred_may_miss_a_score_four_may_not() -> None:
    rows = [row for n in range(100) for row in game_plays(f"2015_{n}", 80, (6, 3))]
    for wrong, passes in ((3, True), (4, False)):
        missing = [row for row in rows if row["game_id"] not in [f"2015_{n}" for n in range(wrong)]]
        kept = [row for n in range(wrong) for row in game_plays(f"2015_{n}", 80, (6,))]
        found = checked(missing + kept, finals(100))["play_scores"]
        assert (found["pass"], found["got"]) == (passes, wrong / 100)


@pytest.mark.parametrize("number", [79, 221])
def test_games_of_too_few_or_too_many_plays_fail(number: int) -> None:
    found = checked(game_plays("2015_0", number, (6, 3)), finals(1))["plays_per_game"]
    assert (found["pass"], found["got"]) == (False, 1)


def test_timeouts_and_tries_are_not_counted_as_plays() -> None:
    rows = game_plays("2015_0", 80, (6, 3))
    others = game_plays("2015_0", 200, kind="timeout") + game_plays("2015_0", 99, kind="conversion")
    for n, row in enumerate(others, 1000):
        row["play_id"] = n
    assert checked(rows + others, finals(1))["plays_per_game"]["pass"]


# Lines and weather.


def lines(*rows: Row) -> pl.DataFrame:
    base = dict.fromkeys(ODDS) | {"season": 2015, "simulated": False}
    return pl.DataFrame([base | row for row in rows], schema=schema_of(ODDS))


GOOD_LINES = [
    {"game_id": "2015_0", "spread_line": -50.0, "total_line": 20.0},
    {"game_id": "2015_1", "spread_line": 50.0, "total_line": 100.0},
    {"game_id": "2015_2"},
]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, set()),
        ({"game_id": "2015_9"}, {"orphan_odds"}),
        ({"game_id": "2015_1"}, {"orphan_odds"}),
        ({"spread_line": 50.5}, {"line_range"}),
        ({"spread_line": -51.0}, {"line_range"}),
        ({"total_line": 19.5}, {"line_range"}),
        ({"total_line": 100.5}, {"line_range"}),
    ],
)
@pytest.mark.parametrize("simulated", [True, False])
def test_lines(row: Row, expected: set[str], simulated: bool) -> None:
    rows = [*GOOD_LINES[1:], GOOD_LINES[0] | row]
    found = by_name(of_odds(games(*regular(2015, 3)), lines(*rows), simulated))
    assert failed(found.values()) == expected
    assert [found[n]["got"] for n in expected] == [1] * len(expected)
    assert {one["simulated"] for one in found.values()} == {simulated}


def write(folder: Path, name: str, frame: pl.DataFrame) -> list[Path]:
    frame.write_parquet(folder / f"{name}.parquet")
    return [folder / f"{name}.parquet"]


def air(*ids: str, simulated: bool) -> pl.DataFrame:
    base = dict.fromkeys(WEATHER) | {"season": 2015, "simulated": simulated}
    return pl.DataFrame([base | {"game_id": n} for n in ids], schema=schema_of(WEATHER))


@pytest.mark.parametrize(
    ("ids", "got"), [(("2015_0", "2015_1"), 0), (("2015_0", "2015_0"), 1), (("2015_0", "x"), 1)]
)
def test_the_job_writes_what_is_asked_for(tmp_path: Path, ids: tuple[str, ...], got: int) -> None:
    frame = plays(*game_plays("2015_0", points=(6, 3)), *game_plays("2015_1", points=(6, 3)))
    names = ["game_ids", "orphan_odds", "orphan_weather", "play_scores"]
    line = score_integrity.score(
        schedules=write(tmp_path, "games", finals()),
        pbp=write(tmp_path, "plays", frame),
        play_types=write(tmp_path, "types", classify(frame)),
        odds=write(tmp_path, "odds", lines(*GOOD_LINES[:2])),
        weather=write(tmp_path, "air", air(*ids, simulated=True)),
        names=names,
        closed=[],
        simulated=False,
        outs=[tmp_path / f"checks/{name}.json" for name in names],
    )
    assert line == "4 checks" + (", failed: orphan_weather" if got else "")
    found = {name: json.loads((tmp_path / f"checks/{name}.json").read_text()) for name in names}
    assert (found["orphan_weather"]["got"], found["orphan_weather"]["simulated"]) == (got, True)
    assert found["orphan_odds"]["simulated"] is False


# Expected points against official ones.


def points_files(folder: Path, noise: float, *, turned: bool = False) -> dict[str, list[Path]]:
    """Team-games of STL (today LA) and NE in 40 weeks, and what is official of them."""
    rng = np.random.default_rng(1)
    schedule, ours, theirs = [], [], []
    for week in range(1, 21):
        game = f"2015_{week:02}_NE_STL"
        schedule.append({"game_id": game, "week": week, "home_team": "STL"})
        for team, today in (("STL", "LA"), ("NE", "NE")):
            passes, runs, spikes, kneels = rng.normal(0, 6, 4).tolist()
            row = dict.fromkeys(build_team_epa.COLUMNS) | {"season": 2015, "game_id": game}
            row |= {"team": team, "plays": 60, "epa_sum": passes + runs, "pass_epa": passes}
            ours.append(row | {"rush_epa": runs, "spike_epa": spikes, "kneel_epa": kneels})
            off = rng.normal(0, noise, 2)
            made = [passes + spikes + off[0], runs + kneels + off[1]]
            theirs.append([2015, week, today, *(-x if turned else x for x in made)])
    (folder / "official.csv").write_text(
        "season,week,team,passing_epa,rushing_epa\n"
        + "".join(",".join(map(str, row)) + "\n" for row in theirs)
    )
    frame = pl.DataFrame(ours, schema=schema_of(build_team_epa.COLUMNS))
    return {
        "team_epa": write(folder, "ours", frame),
        "schedules": write(folder, "schedule", games(*schedule)),
        "official_files": [folder / "official.csv"],
    }


def points_check(folder: Path, files: dict[str, list[Path]]) -> dict:
    outs = [folder / "epa_correlation.json"]
    score_points.score(**files, names=["epa_correlation"], outs=outs)
    return json.loads(outs[0].read_text())


def test_points_like_the_official_ones_pass_under_codes_of_the_time(tmp_path: Path) -> None:
    found = points_check(tmp_path, points_files(tmp_path, 0))
    assert (found["pass"], found["n"]) == (True, 40)
    assert found["got"] == pytest.approx(1)
    assert "ours are higher by 0.00 (passes)" in found["note"].replace("-0.00", "0.00")


@pytest.mark.parametrize(("noise", "turned"), [(6.0, False), (0.0, True)])
def test_other_points_fail(tmp_path: Path, noise: float, turned: bool) -> None:
    found = points_check(tmp_path, points_files(tmp_path, noise, turned=turned))
    assert (found["pass"], found["limit"]) == (False, [0.95, None])
    assert found["got"] < 0.95


def test_no_team_game_in_common_fails(tmp_path: Path) -> None:
    files = points_files(tmp_path, 0)
    text = files["official_files"][0].read_text().replace("2015,", "2014,")
    files["official_files"][0].write_text(text)
    found = points_check(tmp_path, files)
    assert (found["pass"], found["got"], found["n"]) == (False, None, 0)


@pytest.mark.parametrize(
    "text",
    ["season,week,team\n2015,1,NE\n", "season,week,team,passing_epa,rushing_epa\n2,1,NE,x,1\n", ""],
)
def test_official_points_that_cannot_be_read_are_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "official.csv").write_text(text)
    with pytest.raises(DataError, match=r"official\.csv: .*expected ") as caught:
        score_points.official([tmp_path / "official.csv"])
    assert "\n" not in str(caught.value)


# The gate.


def confirm(folder: Path, *made: dict) -> str:
    paths = []
    for one in made:
        paths.append(folder / f"{one['check']}.json")
        paths[-1].write_text(json.dumps(one))
    return check_passed.confirm(paths, folder / "passed.json")


def test_the_build_goes_on_where_all_checks_passed(tmp_path: Path) -> None:
    made = [check("b", 0, 0, 1), check("a", 0.5, [0, 1], 1, simulated=True)]
    assert confirm(tmp_path, *made) == "all 2 checks passed"
    told = json.loads((tmp_path / "passed.json").read_text())
    assert told == {"passed": ["a", "b"], "simulated": ["a"]}


def test_the_build_ends_with_all_that_failed(tmp_path: Path) -> None:
    made = [
        check("good", 0, 0, 1),
        check("auc", 0.6123, [None, 0.55], 2000, note="highest AUC: glm"),
        check("rate", 0.589, [0.48, 0.5], 5000, note="share"),
        check("brier", None, [0.245, None], 0, note="lowest"),
        check("ids", 3, 0, 9, note="twice"),
    ]
    with pytest.raises(DataError) as caught:
        confirm(tmp_path, *made)
    assert str(caught.value) == (
        "4 of 5 checks failed: auc: got 0.6123, allowed at most 0.55 (highest AUC: glm); "
        "brier: got nothing, allowed at least 0.245 (lowest); ids: got 3, allowed 0 (twice); "
        "rate: got 0.589, allowed 0.48 to 0.5 (share)"
    )
    assert not (tmp_path / "passed.json").exists()

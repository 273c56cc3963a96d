"""Each check against leaks holds for honest features and models, and fails for a planted leak."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from scripts.nfl import (
    artifacts,
    build_features,
    build_games,
    build_stadiums,
    features,
    fit_model,
    score_leaks,
)
from scripts.nfl.build_team_epa import COLUMNS as TEAM_EPA
from scripts.nfl.columns import ODDS, SCHEDULES, WEATHER
from scripts.nfl.score_leaks import Build, Inputs, cut, own_score, rebuilt, time_order, truncation
from scripts.tables import conform
from tests.oracles import nfl as oracle
from tests.unit.nfl.leagues import ELO, statistics_of
from tests.unit.nfl.nfl_model_games import simulated

ROOT = Path(__file__).parents[3]
STADIUMS = ROOT / "config/universe/nfl_stadiums.csv"
LINES = ["spread_line", "total_line"]


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    """A random league, all of it played, as the tables that the features are built from."""
    league = oracle.random_league(11, n_teams=8, weeks=9, unplayed=0)
    places = build_stadiums.read(STADIUMS)
    seasons = league.schedules["season"].unique().sort()
    return {
        "games": conform(league.schedules, SCHEDULES),
        "statistics": conform(
            statistics_of(league.team_games).with_columns(pl.col("plays").fill_null(50)), TEAM_EPA
        ),
        "stadiums": pl.concat([build_stadiums.of_season(places, s, STADIUMS) for s in seasons]),
        "odds": conform(league.odds, ODDS),
        "weather": conform(league.weather, WEATHER),
    }


def middle(inputs: Inputs) -> list[date]:
    days = inputs["games"]["date"].unique().sort()
    return [days[len(days) // 3], days[len(days) // 2], days[-2]]


def played(inputs: Inputs) -> list[str]:
    """Games whose teams both have statistics, from the middle on."""
    whole = inputs["statistics"].drop_nulls("epa_sum").group_by("game_id").len()
    return whole.filter(pl.col("len") == 2)["game_id"].sort()[::4].to_list()


def checked(inputs: Inputs, build: Build) -> dict[str, dict]:
    """Both checks of features that are built in some way."""
    table = rebuilt(inputs, ELO, build)
    return {
        "truncation": truncation(table, inputs, ELO, middle(inputs), build),
        "own_score": own_score(table, inputs, ELO, played(inputs), build),
    }


def test_honest_features_pass(inputs: Inputs) -> None:
    found = checked(inputs, features.build)
    assert [check["pass"] for check in found.values()] == [True, True]
    assert found["truncation"]["got"] == found["own_score"]["got"] == 0
    assert found["truncation"]["n"] > 100
    assert found["own_score"]["n"] == len(played(inputs)) > 5


def leaking(change: Callable[..., pl.DataFrame]) -> Build:
    """A way of building features with a leak: `change` gets the features and statistics."""

    def build(games: pl.DataFrame, statistics: pl.DataFrame, *others: object) -> pl.DataFrame:
        return change(features.build(games, statistics, *others), statistics)

    return build


def with_own(name: str) -> Callable[..., pl.DataFrame]:
    """A statistic of the game itself is added to a feature."""

    def change(frame: pl.DataFrame, statistics: pl.DataFrame) -> pl.DataFrame:
        own = statistics.group_by("game_id").agg(pl.col(name).sum().cast(pl.Float64).alias("own"))
        joined = frame.join(own, on="game_id", how="left", maintain_order="left")
        leak = pl.col("own").fill_null(0.0)
        return joined.with_columns(pl.col("home_elo") + leak).drop("own")

    return change


def with_score(frame: pl.DataFrame, _: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(elo_diff=pl.col("elo_diff") + 0.001 * pl.col("home_margin"))


def normalised(frame: pl.DataFrame, _: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("home_elo") - pl.col("home_elo").mean())


def looked_ahead(frame: pl.DataFrame, _: pl.DataFrame) -> pl.DataFrame:
    later = pl.col("home_margin").shift(-1).over("home_team").fill_null(0)
    return frame.with_columns(home_elo=pl.col("home_elo") + later)


def ranked(frame: pl.DataFrame, _: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("home_elo").rank() / pl.len())


@pytest.mark.parametrize(
    ("change", "column", "failing"),
    [
        # A game keeps its own row when later ones are deleted: only the edited result shows these.
        (with_score, "elo_diff", {"own_score"}),
        *((with_own(name), "home_elo", {"own_score"}) for name in ("epa_sum", "turnovers")),
        *((with_own(name), "home_elo", {"own_score"}) for name in ("plays", "success_rate")),
        # A mean of all history moves with every result but the last ones.
        (normalised, "home_elo", {"truncation", "own_score"}),
        (ranked, "home_elo", {"truncation", "own_score"}),
        (looked_ahead, "home_elo", {"truncation"}),
    ],
)
def test_a_planted_leak_fails(
    inputs: Inputs, change: Callable, column: str, failing: set[str]
) -> None:
    found = checked(inputs, leaking(change))
    failed = {name for name, check in found.items() if not check["pass"]}
    assert failed == failing
    for name in failing:
        assert found[name]["got"] == 1
        assert found[name]["note"].endswith(f": {column}")


def test_cut_leaves_nothing_later(inputs: Inputs) -> None:
    day = middle(inputs)[0]
    kept = cut(inputs, day)
    assert kept["games"]["date"].max() == day
    ids = set(kept["games"]["game_id"])
    for name in ("statistics", "odds", "weather"):
        rows = kept[name]
        assert 0 < rows.height < inputs[name].height
        assert set(rows["game_id"]) <= ids
    assert cut(dict(inputs) | {"odds": None}, day)["odds"] is None


# Models.


def football(first: int = 2001) -> pl.DataFrame:
    """Games with features of the group rating."""
    gap = pl.col("strength_diff")
    return simulated(4, first=first).with_columns(
        home_elo=1500 + gap, away_elo=1500 - gap, elo_diff=2 * gap, elo_prob=1 / (1 + (-gap).exp())
    )


def metrics_of(folder: Path, season: int = 2004) -> list[dict]:
    """Fit the family glm as the job does; its metrics."""
    games, files = football(), []
    for year in range(2001, 2005):
        files.append(folder / f"{year}.parquet")
        games.filter(pl.col("season") == year).write_parquet(files[-1])
    top = folder / "home_win/football/glm/none" / f"season={season}"
    fit_model.fit(
        features=files,
        season=season,
        model="glm",
        tasks=["home_win/football"],
        groups=["football/rating"],
        simulated=[],
        calibrations=["none"],
        seed=1,
        device="cpu",
        settings={},
        folders={"home_win/football/none": top},
    )
    return [json.loads((top / artifacts.MEASURED).read_text())]


def test_models_of_earlier_seasons_pass(tmp_path: Path) -> None:
    found = time_order(football(), metrics_of(tmp_path))
    assert (found["pass"], found["got"], found["n"]) == (True, 0, 1)


def shuffled(features: list[Path], season: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Games split at random, as if they were not in time."""
    games = pl.concat([pl.read_parquet(path) for path in features])
    games = games.sample(fraction=1.0, shuffle=True, seed=season).with_row_index("drawn")
    split = games.height // 4
    return games.filter(pl.col("drawn") >= split), games.filter(pl.col("drawn") < split)


def day_too_many(features: list[Path], season: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The first day of the tested season is learned from."""
    games = pl.concat([pl.read_parquet(path) for path in features]).sort("date", "game_id")
    test = games.filter(pl.col("season") == season)
    return games.filter(pl.col("date") <= test["date"].min()), test


def other_season(features: list[Path], season: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of the tested season that pass for earlier days."""
    train, test = fit_model_seasons(features, season)
    early = test.head(3).with_columns(date=train["date"][0])
    return pl.concat([train, early]).sort("date", "game_id"), test


fit_model_seasons = fit_model.seasons


@pytest.mark.parametrize("split", [shuffled, day_too_many, other_season])
def test_a_model_that_learned_from_the_season_it_is_tested_on_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: Callable
) -> None:
    monkeypatch.setattr(fit_model, "seasons", split)
    found = time_order(football(), metrics_of(tmp_path))
    assert (found["pass"], found["got"]) == (False, 1)
    assert found["note"].endswith(": home_win/football/glm 2004")


@pytest.mark.parametrize(
    ("last_date", "seasons", "passes"),
    [
        ("2004-09-07", [2002, 2003], True),
        ("2004-09-08", [2002, 2003], False),
        ("2003-09-08", [2002, 2004], False),
        ("2003-09-08", [2002, 2005], False),
    ],
)
def test_the_first_day_and_the_season_itself_are_too_late(
    last_date: str, seasons: list[int], passes: bool
) -> None:
    games = football()
    assert games.filter(pl.col("season") == 2004)["date"].min() == date(2004, 9, 8)
    told = {"season": 2004, "target": "home_win", "features": "football", "model": "glm"}
    trained = {"last_date": last_date, "seasons": seasons}
    assert time_order(games, [told | {"trained_on": trained}])["pass"] is passes


# The job.


def write(folder: Path, inputs: Inputs, table: pl.DataFrame) -> dict:
    """Its inputs as files."""
    paths: dict = {}
    names = {"games": "schedules", "statistics": "team_epa"}
    for name, frame in inputs.items():
        paths[names.get(name, name)] = [folder / f"{name}.parquet"]
        frame.write_parquet(folder / f"{name}.parquet")
    table.write_parquet(folder / "table.parquet")
    return paths | {"games": folder / "table.parquet"}


def run(folder: Path, inputs: Inputs, table: pl.DataFrame, seed: int = 1) -> dict[str, dict]:
    metrics = [{"season": 2015, "target": "home_win", "features": "football", "model": "glm"}]
    metrics[0]["trained_on"] = {"last_date": "2014-12-30", "seasons": [2013, 2014]}
    (folder / "metrics.json").write_text(json.dumps(metrics[0]))
    names = ["own_score", "time_order", "truncation"]
    score_leaks.score(
        **write(folder, inputs, table),
        metrics=[folder / "metrics.json"],
        names=names,
        elo=ELO,
        seed=seed,
        simulated=True,
        outs=[folder / f"checks/{name}.json" for name in names],
    )
    return {name: json.loads((folder / f"checks/{name}.json").read_text()) for name in names}


def test_the_job_passes_what_was_built_and_fails_a_table_that_was_not(
    inputs: Inputs, tmp_path: Path
) -> None:
    table = rebuilt(inputs, ELO)
    day_before = inputs["games"]["date"].max() - timedelta(days=1)
    for seed in (1, 2):
        found = run(tmp_path, inputs, table, seed)
        assert all(check["pass"] and check["simulated"] for check in found.values())
        assert found["own_score"]["n"] == score_leaks.EDITED
        # The latest results are always among what is deleted, the other days are drawn.
        assert f"{day_before} are deleted" in found["truncation"]["note"]
    other = table.with_columns(home_elo=pl.col("home_elo") + 1e-9)
    found = run(tmp_path, inputs, other)
    assert [found[n]["pass"] for n in ("own_score", "truncation")] == [False, False]
    assert (found["truncation"]["got"], found["time_order"]["pass"]) == (1, True)


def test_partitions_of_seasons_up_to_each_make_the_same_table(
    inputs: Inputs, tmp_path: Path
) -> None:
    """The jobs build a season from it and earlier ones; all together are the table of them all."""
    names = {"schedules": "games", "team_epa": "statistics"}
    seasons, made = inputs["games"]["season"].unique().sort().to_list(), []
    files: dict[str, list[Path]] = {name: [] for name in (*names, "stadiums", "odds", "weather")}
    for season in seasons:
        for name, paths in files.items():
            paths.append(tmp_path / f"{name}{season}.parquet")
            inputs[names.get(name, name)].filter(season=season).write_parquet(paths[-1])
        made.append(tmp_path / f"features{season}.parquet")
        line = build_features.build(season, **files, elo=ELO, out=made[-1])
        assert line.startswith(f"{inputs['games'].filter(season=season).height} games, ")
    out = tmp_path / "games.parquet"
    assert build_games.build(made[::-1], out).endswith(f"games of {len(seasons)} seasons")
    assert pl.read_parquet(out).equals(rebuilt(inputs, ELO))

"""The jobs around the models: fit and test, stack, tables, pictures, grid, provenance."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from sklearn.metrics import brier_score_loss, roc_auc_score

from scripts.errors import DataError
from scripts.nfl import (
    artifacts,
    build_provenance,
    check_selection,
    fit_grid,
    fit_model,
    fit_stack,
    grid_fit,
    plot_reliability,
    plot_seasons,
    score_grid,
    score_models,
)
from scripts.nfl.calibration import Calibration
from scripts.nfl.models import families
from scripts.plan import grid
from scripts.plan.nfl import MODEL_FILES
from tests.unit.nfl.nfl_model_games import simulated

SEASONS = range(2001, 2006)
GROUPS = ["football/rating", "market/rating", "market/market"]
TASKS = ["home_cover/market", "home_win/football"]
KINDS = ["isotonic", "none", "platt"]


def table() -> pl.DataFrame:
    """Simulated games with the columns of the groups rating and market, two of them null."""
    games = simulated(len(SEASONS), first=SEASONS[0])
    gap, null = pl.col("strength_diff"), pl.lit(None, pl.Float64)
    sides = [f"{side}{name}" for side in ("home_", "away_") for name in ("prev_line", "prev_cover")]
    return games.with_columns(
        home_elo=1500 + gap,
        away_elo=1500 - gap,
        elo_diff=2 * gap,
        elo_prob=1 / (1 + (-gap / 10).exp()),
        market_prob=null,
        prev_line_diff=null,
        prev_cover_diff=null,
        **dict.fromkeys(sides, null),
    )


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Features of each season in a file."""
    folder = tmp_path_factory.mktemp("features")
    games, files = table(), {}
    for season in SEASONS:
        files[season] = folder / f"{season}.parquet"
        games.filter(pl.col("season") == season).write_parquet(files[season])
    return files


def outputs(top: Path, model: str, season: int, tasks: list[str] = TASKS) -> list[str]:
    """Paths of a family's files of a season."""
    return [
        f"{top}/{task}/{model}/{kind}/season={season}/{name}"
        for task in tasks
        for kind in KINDS
        for name in (
            MODEL_FILES[model] if kind == "none" else artifacts.CALIBRATED,
            artifacts.PREDICTED,
            artifacts.MEASURED,
        )
    ]


def fit(top: Path, features: dict[int, Path], model: str, season: int) -> list[Path]:
    """Run the job of a family and season; the files it wrote."""
    paths = outputs(top, model, season)
    fit_model.fit(
        features=[features[s] for s in SEASONS if s <= season],
        season=season,
        model=model,
        tasks=TASKS,
        groups=GROUPS,
        simulated=["home_cover/market"],
        calibrations=KINDS,
        seed=1,
        device="cpu",
        settings={},
        folders=artifacts.folders(paths),
    )
    return list(map(Path, paths))


@pytest.fixture(scope="module")
def fitted(features: dict[int, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two families tested on three seasons."""
    top = tmp_path_factory.mktemp("models")
    for season in (2003, 2004, 2005):
        for model in ("glm", "state_space"):
            fit(top, features, model, season)
    return top


def test_names_of_model_files_are_those_of_the_families() -> None:
    assert families.FILES == MODEL_FILES


@pytest.mark.parametrize("model", ["glm", "state_space", "xgboost"])
def test_a_job_writes_all_its_files_and_the_same_bytes_again(
    features: dict[int, Path], tmp_path: Path, model: str
) -> None:
    first = fit(tmp_path / "a", features, model, 2003)
    again = fit(tmp_path / "b", features, model, 2003)
    assert all(path.is_file() for path in first)
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes(), one


def test_predictions_are_those_of_a_model_of_earlier_seasons(
    features: dict[int, Path], fitted: Path
) -> None:
    games = table()
    train = games.filter((pl.col("season") < 2004) & pl.col("home_win").is_not_null())
    columns = ["home_elo", "away_elo", "elo_diff", "elo_prob"]
    model = families.fit("glm", train, target="home_win", features=columns, seed=1)
    test = games.filter(pl.col("season") == 2004)
    found = artifacts.read_predictions(
        fitted / "home_win/football/glm/none/season=2004/predictions.parquet"
    )
    assert found["game_id"].to_list() == test["game_id"].to_list()
    np.testing.assert_allclose(found["probability"], model.predict(test), rtol=1e-12)
    assert found["outcome"].equals(test["home_win"].alias("outcome"))


def test_a_later_season_changes_nothing_of_an_earlier_test(
    features: dict[int, Path], tmp_path: Path
) -> None:
    paths = outputs(tmp_path, "glm", 2003)
    fit_model.fit(
        features=list(features.values()),
        season=2003,
        model="glm",
        tasks=TASKS,
        groups=GROUPS,
        simulated=["home_cover/market"],
        calibrations=KINDS,
        seed=1,
        device="cpu",
        settings={},
        folders=artifacts.folders(paths),
    )
    own = fit(tmp_path / "own", features, "glm", 2003)
    for one, other in zip(map(Path, paths), own, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_metrics_tell_what_they_are_of_and_what_was_trained_on(fitted: Path) -> None:
    folder = fitted / "home_cover/market/glm/platt/season=2005"
    told = json.loads((folder / "metrics.json").read_text())
    known = artifacts.read_predictions(folder / "predictions.parquet").drop_nulls("outcome")
    assert told["brier"] == pytest.approx(brier_score_loss(known["outcome"], known["probability"]))
    assert told["auc"] == pytest.approx(roc_auc_score(known["outcome"], known["probability"]))
    assert (told["model"], told["target"], told["features"]) == ("glm", "home_cover", "market")
    assert (told["season"], told["n"], told["simulated"]) == (2005, known.height, True)
    assert told["trained_on"]["seasons"] == [2001, 2002, 2003, 2004]
    assert told["trained_on"]["last_date"] < "2005"
    other = fitted / "home_win/football/glm/none/season=2005/metrics.json"
    assert json.loads(other.read_text())["simulated"] is False


def test_a_calibrated_model_names_the_one_it_stands_on(fitted: Path) -> None:
    folder = fitted / "home_win/football/glm/platt/season=2004"
    told = json.loads((folder / "model.json").read_text())
    base = (folder / told["base"]).resolve()
    assert base == (fitted / "home_win/football/glm/none/season=2004/model.skops").resolve()
    raw = families.load("glm", base.parent).predict(table().filter(pl.col("season") == 2004))
    calibration = Calibration(told["kind"], tuple(told["x"]), tuple(told["y"]))
    found = artifacts.read_predictions(folder / "predictions.parquet")
    np.testing.assert_allclose(found["probability"], calibration.apply(raw), rtol=1e-12)


def test_without_earlier_seasons_there_is_nothing_to_fit(
    features: dict[int, Path], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="none of earlier seasons"):
        fit(tmp_path, features, "glm", 2001)


def stack(top: Path, fitted: Path, season: int) -> Path:
    """Run the stack's job; the folder of its home_win models."""
    predictions = sorted(fitted.glob("*/*/*/*/season=*/predictions.parquet"))
    fit_stack.fit(
        predictions=[path for path in predictions if int(path.parent.name[-4:]) <= season],
        season=season,
        tasks=TASKS,
        simulated=["home_cover/market"],
        calibrations=KINDS,
        seed=1,
        folders=artifacts.folders(outputs(top, "stack", season)),
    )
    return top / "home_win/football/stack"


def test_the_stack_learns_from_earlier_seasons_only(fitted: Path, tmp_path: Path) -> None:
    folder = stack(tmp_path, fitted, 2005)
    frames = {
        model: artifacts.read_predictions(path)
        for model in ("glm", "state_space")
        for path in fitted.glob(f"home_win/football/{model}/platt/season=200[34]/*.parquet")
        for model in [f"{model} {path.parent.name}"]
    }
    train = pl.concat(
        [frame.with_columns(model=pl.lit(name.split()[0])) for name, frame in frames.items()]
    )
    wide = fit_stack.wide(train, "home_win").drop_nulls("home_win")
    assert wide["season"].unique().to_list() == [2003, 2004]
    model = families.fit("stack", wide, target="home_win", features=["glm", "state_space"], seed=1)
    saved = json.loads((folder / "none/season=2005/model.json").read_text())
    np.testing.assert_allclose(saved["weights"], model.weights, rtol=1e-9)
    told = json.loads((folder / "none/season=2005/metrics.json").read_text())
    assert told["trained_on"]["seasons"] == [2003, 2004]


def test_the_stack_without_earlier_predictions_is_an_error(fitted: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no predictions of home_cover/market in 2003"):
        stack(tmp_path, fitted, 2003)


@pytest.fixture(scope="module")
def tables(fitted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of the fitted models."""
    folder = tmp_path_factory.mktemp("tables")
    table().write_parquet(folder / "games.parquet")
    score_models.score(
        predictions=sorted(fitted.glob("*/*/*/*/season=*/predictions.parquet")),
        games=folder / "games.parquet",
        draws=100,
        seed=1,
        simulated=["home_cover/market"],
        lines_simulated=True,
        models=folder / "models.csv",
        reliable=folder / "reliability.csv",
        seasons=folder / "seasons.csv",
        concluded=folder / "conclusion.md",
    )
    return folder


def test_the_table_has_every_model_and_both_references(tables: Path) -> None:
    found = pl.read_csv(tables / "models.csv")
    names = found.select("target", "features", "model", "calibration").rows()
    assert len(names) == len(set(names)) == 2 * (2 * 3 + 2)
    simulated_rows = found.filter("simulated").select("target", "model").unique().rows()
    assert set(simulated_rows) == {
        *(("home_cover", m) for m in ("glm", "state_space", "closing_line", "base_rate")),
        ("home_win", "closing_line"),
    }
    inside = found.filter(pl.col("brier").is_between("brier_low", "brier_high"))
    assert inside.height == found.height


def test_the_conclusion_says_what_beats_what_and_that_lines_are_simulated(tables: Path) -> None:
    text = (tables / "conclusion.md").read_text()
    assert "**The closing lines are simulated.**" in text
    assert text.count("Against the closing line") == text.count("Against the base rate") == 2
    found = pl.read_csv(tables / "models.csv")
    for target in ("home_cover", "home_win"):
        counts = found.filter(
            (pl.col("target") == target)
            & pl.col("model").is_in(["glm", "state_space"])
            & (pl.col("base_rate_verdict") == "better")
        ).height
        part = text.split(f"## {target}")[1].split("Most below")[0].split("the base rate")[1]
        assert f" {counts} better" in part


def test_seasons_and_bins_add_up(tables: Path) -> None:
    seasons = pl.read_csv(tables / "seasons.csv")
    bins = pl.read_csv(tables / "reliability.csv")
    keys = ["target", "features", "model", "calibration"]
    whole = bins.filter(pl.col("season").is_null()).group_by(keys).agg(pl.col("n").sum())
    each = bins.filter(pl.col("season").is_not_null()).group_by(keys).agg(pl.col("n").sum())
    scored = seasons.group_by(keys).agg(pl.col("n").sum())
    assert whole.sort(keys).equals(each.sort(keys))
    assert whole.sort(keys).equals(scored.sort(keys))


def test_without_lines_the_table_knows_the_base_rate_alone(fitted: Path) -> None:
    path = fitted / "home_win/football/glm/none/season=2005/predictions.parquet"
    made = score_models.with_references(
        artifacts.read_predictions(path), table().drop("spread_line")
    )
    assert set(made["model"]) == {"glm", "base_rate"}


@pytest.mark.parametrize("target", ["home_cover", "home_win"])
def test_pictures_are_drawn_and_the_same_bytes_again(
    tables: Path, tmp_path: Path, target: str
) -> None:
    for number in (1, 2):
        outs = [tmp_path / f"{number}.{kind}" for kind in ("png", "svg")]
        plot_reliability.draw(tables / "reliability.csv", target, outs)
        plot_seasons.draw(tables / "seasons.csv", target, [p.with_stem(f"s{number}") for p in outs])
    for kind in ("png", "svg"):
        for name in ("", "s"):
            one, other = (tmp_path / f"{name}{number}.{kind}" for number in (1, 2))
            assert one.read_bytes() == other.read_bytes()
    assert Image.open(tmp_path / "1.png").size > (600, 300)
    assert ("simulated" in (tmp_path / "s1.svg").read_text()) is True


# The grid

GRID = {
    "max_depth": [2, 3],
    "learning_rate": [0.1],
    "rounds": [5, 10, 20],
    "subsample": [0.7],
    "colsample_bytree": [0.5, 1.0],
    "devices": {},
}


def run_grid(features: dict[int, Path], folder: Path, values: dict, name: str) -> str:
    """Run the job of one chunk; its line for the log."""
    chunk = next(chunk for chunk in grid.chunks(values, "cpu") if chunk.name == name)
    return fit_grid.fit(
        features=[features[season] for season in (2001, 2002, 2003)],
        fits=chunk.fits,
        target="home_win",
        groups=["rating"],
        rounds=values["rounds"],
        validation=2003,
        seed=3,
        device="cpu",
        code="c0de",
        store=folder / name / "fits.parquet",
        out=folder / name / "part.parquet",
    )


def test_rounds_of_one_fit_are_exactly_those_of_separate_fits() -> None:
    train, test = grid_fit.split(table(), "home_win", 2004)
    columns = ["home_elo", "away_elo", "elo_diff", "elo_prob"]
    for name in grid.fits(GRID):
        told = {"target": "home_win", "features": columns, "seed": 3, "device": "cpu"}
        shared = grid_fit.fit(name, train, test, rounds=GRID["rounds"], **told)
        for rounds in GRID["rounds"]:
            alone = grid_fit.fit(name, train, test, rounds=[rounds], **told)[rounds]
            assert np.array_equal(shared[rounds], alone)
        assert not np.array_equal(shared[5], shared[20])


def test_a_chunk_keeps_its_fits_and_makes_only_what_is_missing(
    features: dict[int, Path], tmp_path: Path
) -> None:
    name = "max_depth=2/learning_rate=0.1"
    assert "0 of them there already; 6 rows" in run_grid(features, tmp_path, GRID, name)
    whole = (tmp_path / name / "part.parquet").read_bytes()
    more = GRID | {"colsample_bytree": [0.5, 0.8, 1.0]}
    assert "3 fits, 2 of them there already; 9 rows" in run_grid(features, tmp_path, more, name)
    assert "2 fits, 2 of them there already; 6 rows" in run_grid(features, tmp_path, GRID, name)
    assert (tmp_path / name / "part.parquet").read_bytes() == whole
    (tmp_path / name / "fits.parquet").write_bytes(b"PAR1 damaged")
    assert "0 of them there already" in run_grid(features, tmp_path, GRID, name)
    assert (tmp_path / name / "part.parquet").read_bytes() == whole


def test_a_fit_of_other_games_values_or_code_is_another_fit() -> None:
    train, test = grid_fit.split(table(), "home_win", 2004)
    columns = ["home_elo", "home_win"]
    key = grid_fit.key(train, test, columns, ("a", [5], 1, "cpu"))
    edited = train.with_columns(
        home_elo=pl.when(pl.int_range(pl.len()) == 7).then(1.0).otherwise("home_elo")
    )
    assert key == grid_fit.key(train, test, columns, ("a", [5], 1, "cpu"))
    others = {
        grid_fit.key(edited, test, columns, ("a", [5], 1, "cpu")),
        grid_fit.key(train, test.head(9), columns, ("a", [5], 1, "cpu")),
        grid_fit.key(train, test, columns[::-1], ("a", [5], 1, "cpu")),
        grid_fit.key(train, test, columns, ("b", [5], 1, "cpu")),
        grid_fit.key(train, test, columns, ("a", [5], 1, "cuda")),
    }
    assert len(others | {key}) == 6


def choice(features: dict[int, Path], folder: Path) -> tuple[Path, Path]:
    """The whole grid fitted and chosen from: its table and its choice."""
    names = [chunk.name for chunk in grid.chunks(GRID, "cpu")]
    for name in names:
        run_grid(features, folder, GRID, name)
    out, chosen = folder / "results.parquet", folder / "chosen.json"
    score_grid.score(
        chunks=[folder / name / "part.parquet" for name in names],
        rows=12,
        target="home_win",
        features="football",
        tests=[2004, 2005],
        simulated=False,
        out=out,
        chosen=chosen,
    )
    return out, chosen


def test_the_choice_is_the_best_of_the_validation_season(
    features: dict[int, Path], tmp_path: Path
) -> None:
    out, chosen = choice(features, tmp_path)
    table_, told = pl.read_parquet(out), json.loads(chosen.read_text())
    assert table_.height == 12
    assert told["auc"] == table_["auc"].max()
    assert set(table_["validation"]) == {2003}
    check_selection.confirm(out, chosen, [2004, 2005], tmp_path / "check.json")
    assert json.loads((tmp_path / "check.json").read_text())["pass"]


def test_a_choice_that_looked_at_a_test_season_is_caught(
    features: dict[int, Path], tmp_path: Path
) -> None:
    out, chosen = choice(features, tmp_path)
    told = json.loads(chosen.read_text())
    worse = pl.read_parquet(out).sort("auc").row(0, named=True)
    planted = told | {k: v for k, v in worse.items() if k in told}
    chosen.write_text(json.dumps(planted))
    with pytest.raises(DataError, match=r"grid_selection: .* chosen .*auc"):
        check_selection.confirm(out, chosen, [2004, 2005], tmp_path / "check.json")
    assert not (tmp_path / "check.json").exists()
    chosen.write_text(json.dumps(told))
    with pytest.raises(DataError, match=r"test seasons not after 2003: \[2003\]"):
        check_selection.confirm(out, chosen, [2003, 2004], tmp_path / "check.json")
    other = pl.col("rounds") == 5
    pl.read_parquet(out).with_columns(
        validation=pl.when(other).then(2004).otherwise("validation").cast(pl.Int32)
    ).write_parquet(out)
    with pytest.raises(DataError, match="4 rows scored on other seasons"):
        check_selection.confirm(out, chosen, [2004, 2005], tmp_path / "check.json")


def test_a_configuration_that_is_missing_is_an_error(
    features: dict[int, Path], tmp_path: Path
) -> None:
    run_grid(features, tmp_path, GRID, "max_depth=2/learning_rate=0.1")
    part = tmp_path / "max_depth=2/learning_rate=0.1/part.parquet"
    with pytest.raises(DataError, match="grid: 6 rows of 6 configurations, expected 12"):
        score_grid.score([part], 12, "home_win", "f", [], False, part, part.with_suffix(".json"))


def test_provenance_names_every_source(tmp_path: Path) -> None:
    source = tmp_path / "games.csv"
    source.write_text("x\n")
    build_provenance.build(
        sources=[source, source],
        version="1",
        config_hash="c",
        simulated=True,
        out=tmp_path / "p.json",
    )
    told = json.loads((tmp_path / "p.json").read_text())
    assert [one["path"] for one in told["sources"]] == [str(source)]
    assert told["simulated"] is True

"""The comparison as readers see it, from tables that the comparison itself made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from scripts.errors import DataError
from scripts.nfl import comparison
from scripts.nfl.models import families
from scripts.nfl.score_models import marked
from scripts.research import model_tables


@pytest.fixture(scope="module")
def models() -> pl.DataFrame:
    """Of three families on a feature set, with both references."""
    rng = np.random.default_rng(1)
    n = 160
    strength = rng.normal(0, 6, n)
    games = pl.DataFrame(
        {
            "game_id": [f"g{i}" for i in range(n)],
            "season": np.repeat([2001, 2002], n // 2),
            "week": np.tile(np.arange(n // 2) // 8, 2),
            "date": np.arange(n),
            "home_win": (rng.normal(strength, 13) > 0).astype(np.int8),
            "spread_line": strength,
        }
    ).cast({"date": pl.Date})
    parts = [comparison.references(games, "home_win")]
    for model, calibration, noise in (
        ("glm", "none", 0.05),
        ("glm", "platt", 0.04),
        ("mlp", "none", 0.1),
    ):
        parts.append(
            games.select(
                target=pl.lit("home_win"),
                features=pl.lit("football"),
                model=pl.lit(model),
                calibration=pl.lit(calibration),
                **{name: pl.col(name) for name in ("game_id", "season", "week", "date")},
                outcome=pl.col("home_win"),
                probability=pl.Series(
                    np.clip(0.5 + strength / 40 + rng.normal(0, noise, n), 0.01, 0.99)
                ),
            )
        )
    table = comparison.compare(pl.concat(parts), draws=100, seed=1)
    return marked(table, ["home_win/football"], True)


def test_models_come_first_and_keep_their_numbers(models: pl.DataFrame) -> None:
    found = model_tables.of_target(models, "home_win", "football")
    assert found["model"].to_list() == ["GLM", "neural net", "base rate", "closing line"]
    was = models.filter((pl.col("model") == "glm") & (pl.col("calibration") == "none"))
    row = was.row(0, named=True)
    shown = found.row(0, named=True)
    assert shown["brier"] == row["brier"]
    assert shown["difference"] == row["closing_line_difference"]
    assert shown["brier_interval"] == f"[{row['brier_low']:.4f}, {row['brier_high']:.4f}]"
    assert found["difference"][-1] is None
    assert found["difference_interval"][-1] == "\u2013"


def test_rows_follow_the_shown_names(models: pl.DataFrame) -> None:
    other = models.with_columns(pl.col("model").replace({"mlp": "xgboost"}))
    found = model_tables.of_target(other, "home_win", "football")
    assert found["model"].to_list() == ["boosted trees", "GLM", "base rate", "closing line"]
    found = model_tables.calibrations(other, "home_win", "football")
    assert found["model"].to_list() == ["boosted trees", "GLM"]


def test_one_row_or_an_error(models: pl.DataFrame) -> None:
    plain = models.filter(pl.col("calibration") == "none")
    assert model_tables.row(plain, "glm", "football")["calibration"] == "none"
    for wrong, features, n in (("forest", "football", 0), ("glm", "football", 2)):
        with pytest.raises(DataError, match=f"{n} rows of {wrong}"):
            model_tables.row(models, wrong, features)


def saved(folder: Path, features: str, columns: list[str], season: int = 2002) -> Path:
    """A GLM of `columns`, where the graph would keep it."""
    rng = np.random.default_rng(1)
    n = 60
    table = pl.DataFrame(
        {
            "season": np.repeat([2000, 2001], n // 2),
            "week": np.tile(np.arange(n // 2), 2),
            "game_id": [f"g{i}" for i in range(n)],
            "date": np.arange(n),
            "home_win": rng.integers(0, 2, n),
            "spread_line": rng.normal(size=n),
            "elo_diff": rng.normal(size=n),
        }
    ).cast({"date": pl.Date})
    place = folder / f"home_win/{features}/glm/none/season={season}"
    place.mkdir(parents=True)
    model = families.fit("glm", table, target="home_win", features=columns, seed=1)
    return model.save(place)[0]


def test_sets_are_told_by_what_they_hold_and_not_by_name(tmp_path: Path) -> None:
    paths = [
        saved(tmp_path, "alpha", ["elo_diff", "spread_line"]),
        saved(tmp_path, "beta", ["elo_diff"]),
        saved(tmp_path, "gamma", ["elo_diff"]),
    ]
    assert model_tables.sets(paths) == ("beta", "alpha")
    with pytest.raises(DataError, match="alpha: none without spread_line"):
        model_tables.sets(paths[:1])
    with pytest.raises(DataError, match="beta, gamma: none with spread_line"):
        model_tables.sets(paths[1:])


def test_moneylines_by_hand() -> None:
    games = pl.DataFrame(
        {
            "season": [2001] * 4,
            "week": [1, 1, 2, 2],
            "home_win": [1, 0, 1, None],
            "spread_line": [0.0, 13.5, -13.5, 3.0],
            "market_prob": [0.6, 0.8, 0.3, 0.5],
        }
    )
    found = model_tables.moneyline(games, draws=50, seed=1)
    up, down = norm.cdf(1), norm.cdf(-1)
    prices = ((0.6 - 1) ** 2 + 0.8**2 + (0.3 - 1) ** 2) / 3
    lines = (0.5**2 + up**2 + (down - 1) ** 2) / 3
    assert found.moneyline["brier"] == pytest.approx(prices)
    assert found.line["brier"] == pytest.approx(lines)
    assert found.difference.mean == pytest.approx(prices - lines)
    assert found.line["n"] == found.moneyline["n"] == 3
    with pytest.raises(DataError, match="4 games, none with outcome"):
        model_tables.moneyline(games.with_columns(market_prob=None), draws=5, seed=1)


def test_families_that_move_together() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(6, 3))
    rows = [(2000 + i, f"m{j}", values[i, j]) for i in range(6) for j in range(3)]
    table = pl.DataFrame(rows, schema=["season", "model", "apart"], orient="row")
    pairs = [np.corrcoef(values[:, i], values[:, j])[0, 1] for i, j in ((0, 1), (0, 2), (1, 2))]
    assert model_tables.together(table) == pytest.approx(np.mean(pairs))
    assert model_tables.together(table.filter(pl.col("season") < 2002)) is None


def test_a_comparison_with_simulated_lines_is_simulated(models: pl.DataFrame) -> None:
    real = models.with_columns(simulated=pl.lit(False))
    assert model_tables.of_target(real, "home_win", "football")["simulated"].any()
    real = real.with_columns(closing_line_simulated=pl.lit(False))
    assert not model_tables.of_target(real, "home_win", "football")["simulated"].any()


def test_calibrations_stand_side_by_side(models: pl.DataFrame) -> None:
    found = model_tables.calibrations(models, "home_win", "football")
    assert found.columns == ["model", "ece_none", "ece_platt", "brier_none", "brier_platt"]
    assert found["model"].to_list() == ["GLM", "neural net"]
    assert found["brier_platt"][1] is None


def test_verdicts_are_counted(models: pl.DataFrame) -> None:
    counts = [
        int(part.split()[0])
        for part in model_tables.verdicts(models, "home_win", "base_rate").split(", ")
    ]
    assert sum(counts) == 3
    worse = models.with_columns(closing_line_verdict=pl.lit("worse"))
    assert model_tables.verdicts(worse, "home_win", "closing_line") == (
        "0 better, 0 no difference, 3 worse"
    )


def test_a_table_survives_the_file(models: pl.DataFrame, tmp_path: Path) -> None:
    models.sort("brier", descending=True).write_csv(tmp_path / "models.csv")
    again = model_tables.read(tmp_path / "models.csv")
    assert model_tables.of_target(again, "home_win", "football").equals(
        model_tables.of_target(models, "home_win", "football")
    )


def test_intervals_have_a_real_minus() -> None:
    assert model_tables.interval(-0.5, 0.25, "+.2f") == "[\u22120.50, +0.25]"
    assert model_tables.interval(None, 0.25, "+.2f") == "\u2013"


def check(folder: Path, name: str, got: float, limit: object) -> Path:
    path = folder / f"{name}.json"
    content = {"check": name, "got": got, "limit": limit, "n": 5, "pass": True, "simulated": False}
    path.write_text(json.dumps(content | {"note": "what"}))
    return path


def test_checks_of_leaks_come_first_and_others_not_at_all(tmp_path: Path) -> None:
    paths = [
        check(tmp_path, "line_range", 0, 0),
        check(tmp_path, "cover_auc", 0.5123456, [None, 0.55]),
        check(tmp_path, "cover_brier", 0.2513, [0.245, None]),
        check(tmp_path, "residual_sd", 13.2, [12.7, 13.7]),
        check(tmp_path, "time_order", 0, 0),
        check(tmp_path, "truncation", 0, 0),
    ]
    found = model_tables.checks(paths)
    assert found["check"].to_list() == [
        *("truncation", "time order", "cover auc", "cover brier", "residual sd")
    ]
    assert found["limit"].to_list() == ["0", "0", "at most 0.55", "at least 0.245", "12.7 to 13.7"]
    assert found["got"][2] == "0.5123"


def test_bad_input(models: pl.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no model of over_hit on football"):
        model_tables.of_target(models, "over_hit", "football")
    with pytest.raises(DataError, match="no model of home_win on market"):
        model_tables.calibrations(models, "home_win", "market")
    with pytest.raises(DataError, match="1 checks, none against leaks"):
        model_tables.checks([check(tmp_path, "game_ids", 0, 0)])

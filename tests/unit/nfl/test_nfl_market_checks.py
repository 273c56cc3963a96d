"""Checks against the market on simulated lines: honest models pass, what is too good fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from scripts.nfl import score_market
from scripts.nfl.columns import PREDICTIONS
from scripts.nfl.score_market import CONSTANTS, DIGITS, of_bands, of_covers, of_lines, of_wins
from scripts.tables import conform
from tests.unit.nfl.nfl_model_games import sign

SEASONS = range(2004, 2025)
A_SEASON = 256
EDGE = -0.35  # points by which home teams fall short of the line, as the real ones do


def market(seed: int = 1, *, turned: bool = False, sd: float = 13.2) -> pl.DataFrame:
    """Games whose margins spread around the closing line; turned: the line has the wrong sign."""
    rng = np.random.default_rng(seed)
    number = len(SEASONS) * A_SEASON
    line = np.round(rng.normal(2.2, 6, number) * 2) / 2
    margin = np.round(line + EDGE + rng.normal(0, sd, number)).astype(int)
    frame = pl.DataFrame(
        {
            "game_id": [f"g{n}" for n in range(number)],
            "season": np.repeat(np.array(SEASONS, np.int32), A_SEASON),
            "week": 1,
            "home_margin": margin,
            "spread_line": -line if turned else line,
        }
    ).with_columns(date=pl.date(pl.col("season"), 9, 10))
    return frame.with_columns(
        home_win=sign(pl.col("home_margin")),
        home_cover=sign(pl.col("home_margin") - pl.col("spread_line")),
    )


def by_name(found: Any) -> dict[str, dict]:
    return {one["check"]: one for one in found}


def failed(found: Any) -> set[str]:
    return {name for name, one in by_name(found).items() if not one["pass"]}


def test_scores_of_the_line_are_those_of_scikit_learn() -> None:
    games = market()
    found = by_name(of_lines(games))
    won = games.drop_nulls("home_win")
    chance = norm.cdf(won["spread_line"] / 13.5)
    expected = {
        "line_brier": brier_score_loss(won["home_win"], chance),
        "line_log_loss": log_loss(won["home_win"], chance),
        "line_auc": roc_auc_score(won["home_win"], chance),
    }
    for name, value in expected.items():
        assert found[name]["got"] == pytest.approx(value)
        assert found[name]["n"] == won.height
        constant = CONSTANTS[name.removeprefix("line_")]
        assert found[name]["limit"] == [constant - DIGITS, constant + DIGITS]
        assert not found[name]["pass"]  # simulated lines have other scores
    covers = games["home_cover"].drop_nulls()
    assert (found["cover_rate"]["n"], found["cover_rate"]["got"]) == (len(covers), covers.mean())
    assert {"cover_rate", "residual_sd"} & failed(found.values()) == set()


def test_lines_of_the_wrong_sign_fail() -> None:
    found = by_name(of_lines(market(turned=True)))
    assert found["cover_rate"]["got"] > 0.55
    assert found["residual_sd"]["got"] > 16
    assert found["line_auc"]["got"] < 0.35
    assert failed(found.values()) == set(found)


@pytest.mark.parametrize(("sd", "passes"), [(12.4, False), (13.2, True), (14.1, False)])
def test_margins_too_near_or_too_far_from_the_line_fail(sd: float, passes: bool) -> None:
    assert by_name(of_lines(market(sd=sd)))["residual_sd"]["pass"] is passes


def test_lines_of_other_seasons_are_left_out_where_those_of_the_constants_are_there() -> None:
    games = market()
    early = games.filter(pl.col("season") == 2004).with_columns(
        pl.lit(1999, pl.Int32).alias("season"),
        home_cover=pl.lit(1, pl.Int8),
        home_margin=pl.lit(99, pl.Int64),
    )
    assert by_name(of_lines(pl.concat([early, games]))) == by_name(of_lines(games))
    # Without one of them there are no constants to hold to, and all games count for the others.
    fewer = by_name(of_lines(games.filter(pl.col("season") > 2004)))
    assert set(fewer) == {"cover_rate", "residual_sd"}
    assert fewer["residual_sd"]["n"] == 20 * A_SEASON


def predicted(
    games: pl.DataFrame,
    target: str,
    chance: np.ndarray,
    *,
    model: str = "glm",
    sets: str = "market",
) -> pl.DataFrame:
    """Predictions as `artifacts.read_predictions` gives them."""
    made = games.with_columns(pl.Series("probability", chance), outcome=pl.col(target))
    return conform(made, PREDICTIONS).with_columns(
        target=pl.lit(target),
        features=pl.lit(sets),
        model=pl.lit(model),
        calibration=pl.lit("none"),
    )


def learned(games: pl.DataFrame, target: str, *columns: str) -> np.ndarray:
    """Chances that a regression on the columns gives."""
    known = games.drop_nulls(target)
    fitted = LogisticRegression().fit(known.select(columns), known[target])
    return fitted.predict_proba(games.select(columns))[:, 1]


def test_honest_models_of_covers_pass() -> None:
    games = market()
    chance = learned(games, "home_cover", "spread_line")
    found = by_name(of_covers(predicted(games, "home_cover", chance)))
    assert failed(found.values()) == set()
    assert found["cover_auc"]["got"] < 0.55
    assert found["cover_auc"]["n"] == games["home_cover"].count()


def test_models_of_covers_made_with_the_wrong_sign_fail_both() -> None:
    """The published 70 %: the line itself tells whether a cover of the wrong sign holds."""
    games = market(turned=True)
    chance = learned(games, "home_cover", "spread_line")
    honest = market()
    both = [
        predicted(games, "home_cover", chance, model="forest"),
        predicted(honest, "home_cover", learned(honest, "home_cover", "spread_line")),
    ]
    found = by_name(of_covers(pl.concat(both)))
    assert failed(found.values()) == {"cover_auc", "cover_brier"}
    for one in found.values():
        assert one["note"].endswith(": home_cover/market/forest/none")
        assert one["n"] == games["home_cover"].count()
    known = games.drop_nulls("home_cover")
    right = chance[games["home_cover"].is_not_null().to_numpy()]
    assert found["cover_auc"]["got"] == pytest.approx(roc_auc_score(known["home_cover"], right))
    assert found["cover_brier"]["got"] == pytest.approx(
        brier_score_loss(known["home_cover"], right)
    )


def leak(games: pl.DataFrame, share: float, seed: int = 2) -> np.ndarray:
    """Chances that know the outcome in part."""
    rng = np.random.default_rng(seed)
    known = games["home_cover"].fill_null(0).to_numpy() - 0.5
    return 0.5 + np.clip(share * known + rng.normal(0, 0.05, len(known)), -0.4, 0.4)


def test_a_small_leak_into_covers_fails_the_auc() -> None:
    games = market()
    found = by_name(of_covers(predicted(games, "home_cover", leak(games, 0.02))))
    assert not found["cover_auc"]["pass"]
    assert 0.55 < found["cover_auc"]["got"] < 0.65


@pytest.mark.parametrize(("number", "seen"), [(1999, False), (2000, True)])
def test_models_of_few_games_are_not_judged(number: int, seen: bool) -> None:
    games = market().drop_nulls("home_cover").head(number)
    found = by_name(of_covers(predicted(games, "home_cover", leak(games, 0.5))))
    assert (found["cover_auc"]["got"] is not None) is seen
    # A check without anything to judge does not pass: the plan leaves it out.
    assert failed(found.values()) == {"cover_auc", "cover_brier"}


def chances(games: pl.DataFrame, noise: float, seed: int = 3) -> np.ndarray:
    """Chances of a win from a noisy view of the line; negative noise: of the margin itself."""
    rng = np.random.default_rng(seed)
    seen = games["spread_line" if noise >= 0 else "home_margin"].to_numpy()
    return norm.cdf((seen + rng.normal(0, abs(noise), games.height)) / 13.5)


@pytest.mark.parametrize(
    ("noise", "sets", "passes"),
    [
        (0.0, "football", True),  # as good as the line
        (6.0, "football", True),
        (-20.0, "football", False),  # a leak of the result
        (-20.0, "market", True),  # it knows the line: another check's business
    ],
)
def test_models_that_know_no_line_stay_below_it(noise: float, sets: str, passes: bool) -> None:
    games = market()
    made = pl.concat(
        [
            predicted(games, "home_win", chances(games, 9.0), model="xgboost", sets="football"),
            predicted(games, "home_win", chances(games, noise), sets=sets),
        ]
    )
    found = by_name(of_wins(made, games, ["football"]))["win_below_line"]
    assert (found["pass"], found["limit"]) == (passes, [None, 0.01])
    worst = "home_win/football/glm/none" if sets == "football" else "xgboost/none"
    assert found["note"].endswith(worst)
    if sets == "football":
        won = games.drop_nulls("home_win")
        known = games["home_win"].is_not_null().to_numpy()
        ours = roc_auc_score(won["home_win"], chances(games, noise)[known])
        line = roc_auc_score(won["home_win"], won["spread_line"])
        assert found["got"] == pytest.approx(ours - line)


def test_games_without_a_line_are_not_compared() -> None:
    games = market()
    blind = pl.when(pl.col("season") > 2010).then("spread_line")
    made = predicted(games, "home_win", chances(games, 6.0), sets="football")
    found = by_name(of_wins(made, games.with_columns(spread_line=blind), ["football"]))
    expected = games.filter(pl.col("season") > 2010)["home_win"].count()
    assert found["win_below_line"]["n"] == expected


def rated(brier_sd: float) -> tuple[pl.DataFrame, np.ndarray]:
    """Games won with the very chances that are predicted, which spread by so much."""
    rng = np.random.default_rng(4)
    games = market()
    chance = np.clip(rng.normal(0.56, brier_sd, games.height), 0.02, 0.98)
    won = (rng.random(games.height) < chance).astype(np.int8)
    return games.with_columns(home_win=pl.Series(won)), chance


@pytest.mark.parametrize(("spread", "passes"), [(0.155, True), (0.26, False), (0.05, False)])
def test_bands_hold_the_glm_to_what_it_scored_before(spread: float, passes: bool) -> None:
    games, chance = rated(spread)
    found = by_name(of_bands(predicted(games, "home_win", chance, sets="football")))
    for name, score in (("brier", brier_score_loss), ("auc", roc_auc_score)):
        one = found[f"band_home_win_football_{name}"]
        assert one["pass"] is passes
        assert one["got"] == pytest.approx(score(games["home_win"], chance))
    assert len(found) == 6
    # What there is no GLM for does not pass: the plan leaves it out.
    assert all(found[name]["got"] is None for name in found if "football" not in name)


def test_bands_are_of_the_uncalibrated_glm_in_their_seasons() -> None:
    games, chance = rated(0.155)
    honest = predicted(games, "home_win", chance, sets="football")
    others = [
        honest.with_columns(model=pl.lit("forest"), probability=1 - pl.col("probability")),
        honest.with_columns(calibration=pl.lit("platt"), probability=1 - pl.col("probability")),
        honest.with_columns(season=pl.lit(2025, pl.Int32), probability=1 - pl.col("probability")),
    ]
    assert by_name(of_bands(pl.concat([honest, *others]))) == by_name(of_bands(honest))


def test_the_job_reads_predictions_by_their_path(tmp_path: Path) -> None:
    games = market()
    games.write_parquet(tmp_path / "games.parquet")
    made = {
        "home_cover/market": learned(games, "home_cover", "spread_line"),
        "home_win/football": chances(games, -20.0),
        "home_win/market": chances(games, -5.0),
    }
    paths = []
    for task, chance in made.items():
        target, sets = task.split("/")
        frame = predicted(games, target, chance, sets=sets)
        for season in SEASONS:
            folder = tmp_path / task / "glm/none" / f"season={season}"
            folder.mkdir(parents=True)
            paths.append(folder / "predictions.parquet")
            conform(frame.filter(pl.col("season") == season), PREDICTIONS).write_parquet(paths[-1])
    names = ["cover_auc", "cover_brier", "cover_rate", "win_below_line"]
    line = score_market.score(
        games=tmp_path / "games.parquet",
        predictions=paths,
        names=names,
        groups=["football/rating", "market/market", "market/rating"],
        outs=[tmp_path / f"checks/{name}.json" for name in names],
    )
    assert line == "4 checks, failed: win_below_line"
    told = json.loads((tmp_path / "checks/win_below_line.json").read_text())
    assert told["note"].endswith("home_win/football/glm/none")

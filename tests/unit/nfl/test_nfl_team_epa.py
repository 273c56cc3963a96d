"""Points added by team and game against a loop over all plays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.nfl import build_team_epa, expected_points
from scripts.nfl.build_team_epa import COLUMNS, team_games, with_epa
from scripts.nfl.play_types import classify
from scripts.tables import schema_of
from tests.unit.nfl.nfl_play_frames import Row, plays, random_plays, simulated_season

NE = {"posteam": "NE", "defteam": "BUF"}


def mean(values: list) -> float | None:
    return sum(values) / len(values) if values else None


def slow(rows: list[Row]) -> list[Row]:
    """Sums of each team and game, collected anew for each from all plays."""
    teams = {
        (row["game_id"], row["posteam"])
        for row in rows
        if row["kind"] in ("pass", "run") and row["posteam"]
    }
    found = []
    for game, team in sorted(teams):
        in_game = [row for row in rows if row["game_id"] == game]
        own = [row for row in in_game if row["posteam"] == team]
        snaps = [row for row in own if row["kind"] in ("pass", "run")]

        def total(
            kinds: tuple[str, ...], own: list[Row] = own, snaps: list[Row] = snaps
        ) -> float | None:
            made = [row["epa"] for row in own if row["kind"] in kinds and row["epa"] is not None]
            known = made or any(row["epa"] is not None for row in snaps)
            return sum(made) if known else None

        passes = [r for r in snaps if r["kind"] == "pass" and (r["yards_gained"] or 0) >= 20]
        runs = [r for r in snaps if r["kind"] == "run" and (r["yards_gained"] or 0) >= 10]
        epa = [row["epa"] for row in snaps if row["epa"] is not None]
        named = any(row["penalty_team"] for row in rows)
        found.append(
            {
                "season": 2015,
                "game_id": game,
                "team": team,
                "plays": len(snaps),
                "epa_sum": sum(epa) if epa else None,
                "epa_mean": mean(epa),
                "pass_epa": total(("pass",)),
                "rush_epa": total(("run",)),
                "spike_epa": total(("qb_spike",)),
                "kneel_epa": total(("qb_kneel",)),
                "success_rate": mean([value > 0 for value in epa]),
                "explosive_passes": len(passes),
                "explosive_runs": len(runs),
                "explosive_rate": (len(passes) + len(runs)) / len(snaps),
                "turnovers": sum(r["interception"] or r["fumble_lost"] for r in snaps),
                "penalties": sum(r["penalty_team"] == team for r in in_game) if named else None,
            }
        )
    return found


def drawn(seed: int, known: float) -> pl.DataFrame:
    """Random plays with random points added, some of them null."""
    frame = random_plays(seed, 50)
    rng = np.random.default_rng(seed)
    epa = [x if rng.random() < known else None for x in rng.normal(0, 1, frame.height).tolist()]
    return frame.with_columns(pl.Series("epa", epa, pl.Float64))


@given(seed=st.integers(0, 10**6), known=st.sampled_from((0.0, 0.1, 0.9, 1.0)))
def test_sums_are_those_of_a_loop(seed: int, known: float) -> None:
    frame = drawn(seed, known)
    found = team_games(frame, classify(frame))
    assert found.schema == schema_of(COLUMNS)
    expected = slow(frame.rows(named=True))
    assert found.height == len(expected)
    for row, wanted in zip(found.rows(named=True), expected, strict=True):
        assert row == {
            name: pytest.approx(value, abs=1e-12) if isinstance(value, float) else value
            for name, value in wanted.items()
        }


def test_success_is_of_the_teams_own_plays() -> None:
    rows = [{"epa": 1.0}, {"epa": -0.5}, {"epa": 0.0}, {"epa": 0.1}]
    against = [NE | {"epa": -1.0}, NE | {"epa": 2.0}, NE | {"epa": 3.0}]
    frame = plays(*rows, *against)
    found = team_games(frame, classify(frame)).select("team", "success_rate", "plays").rows()
    assert found == [("BUF", 0.5, 4), ("NE", pytest.approx(2 / 3), 3)]


def test_what_is_no_pass_or_run_counts_in_no_sum() -> None:
    others = [
        {"kind": kind, "epa": 9.0, "yards_gained": 50, "interception": True}
        for kind in ("punt", "field_goal", "kickoff", "conversion", "no_play", "timeout")
    ]
    frame = plays({"epa": 1.0}, *others, {"posteam": None, "epa": 9.0})
    row = team_games(frame, classify(frame)).row(0, named=True)
    assert (row["plays"], row["epa_sum"], row["turnovers"], row["explosive_rate"]) == (1, 1.0, 0, 0)


def test_a_turnover_of_both_kinds_on_one_play_counts_once() -> None:
    frame = plays({"interception": True, "fumble_lost": True}, {"fumble_lost": True}, {})
    assert team_games(frame, classify(frame))["turnovers"].to_list() == [2]


def test_penalties_are_null_where_no_play_names_a_team() -> None:
    frame = plays({"penalty": True}, NE)
    assert team_games(frame, classify(frame))["penalties"].to_list() == [None, None]
    named = plays({"penalty": True}, NE, {"penalty_team": "NE", "kind": "kickoff"})
    assert team_games(named, classify(named))["penalties"].to_list() == [0, 1]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("points") / "model.ubj"
    expected_points.save(expected_points.fit([simulated_season(2014, a_yard=10)], 1), path)
    return path


def test_points_added_are_the_models_where_the_source_has_none(model: Path) -> None:
    frame = plays({"yardline_100": 60}, {"yardline_100": 20}, NE | {"yardline_100": 40})
    near, close, turned = expected_points.expected_points(expected_points.load(model), frame)
    expected = [close - near, -turned - close, 0 - turned]
    assert with_epa(frame, model)["epa"].to_list() == pytest.approx(expected)


def test_points_added_of_the_source_go_before_the_models(model: Path) -> None:
    frame = plays({"epa": 0.25}, {"epa": None}, {"epa": -0.5})
    assert with_epa(frame, model).equals(frame)
    assert with_epa(frame.with_columns(epa=None), None)["epa"].null_count() == 3


def write(folder: Path, frame: pl.DataFrame) -> tuple[Path, Path]:
    frame.write_parquet(folder / "plays.parquet")
    classify(frame).write_parquet(folder / "types.parquet")
    return folder / "plays.parquet", folder / "types.parquet"


@pytest.mark.parametrize("fitted", [True, False])
def test_the_job_writes_a_row_for_each_team_and_game(
    model: Path, tmp_path: Path, fitted: bool
) -> None:
    frame = random_plays(4)
    given_model = model if fitted else None
    line = build_team_epa.build(*write(tmp_path, frame), given_model, tmp_path / "out.parquet")
    made = pl.read_parquet(tmp_path / "out.parquet")
    assert made.equals(team_games(with_epa(frame, given_model), classify(frame)))
    assert line == f"4 team-games, {4 if fitted else 0} with expected points"
    assert made["epa_sum"].count() == (4 if fitted else 0)


def test_a_damaged_model_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "model.ubj").write_bytes(b"none")
    with pytest.raises(DataError, match=r"model\.ubj: no model"):
        build_team_epa.build(
            *write(tmp_path, random_plays(4)), tmp_path / "model.ubj", tmp_path / "out.parquet"
        )

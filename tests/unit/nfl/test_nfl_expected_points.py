"""Expected points: next score and points added against loops, the fit against a closed form."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.nfl import expected_points, fit_expected_points
from scripts.nfl.columns import PLAYS
from scripts.plan import settings
from scripts.plan.nfl import NflPlan
from scripts.tables import schema_of
from tests.plans import ROOT, SCHEMA
from tests.unit.nfl.nfl_play_frames import (
    FIELD_GOAL,
    Row,
    plays,
    random_plays,
    simulated_season,
    touchdown_chance,
)

SEEDS = st.integers(0, 10**6)
HALVES = {1: "first", 2: "first", 3: "second", 4: "second"}  # each period of overtime is its own
WORTH = {6: 7.0, 3: 3.0, 2: 2.0}


def together(row: Row) -> tuple:
    """The game and half of a play."""
    return row["game_id"], HALVES.get(row["quarter"], row["quarter"])


def slow_next(rows: list[Row]) -> list[float | None]:
    """Next score of each play, by looking at all that follow."""
    found = []
    for place, row in enumerate(rows):
        value = 0.0
        for later in rows[place:]:
            if together(later) == together(row) and later["points"]:
                sign = 1 if later["scoring_team"] == row["posteam"] else -1
                value = sign * WORTH[later["points"]]
                break
        found.append(value if row["posteam"] else None)
    return found


def slow_added(rows: list[Row], before: list[float | None]) -> list[float | None]:
    """Points added by each play, by looking for the next state of the half."""
    found = []
    for place, row in enumerate(rows):
        if before[place] is None:
            found.append(None)
            continue
        after = 0.0
        if row["points"]:
            after = WORTH[row["points"]] * (1 if row["scoring_team"] == row["posteam"] else -1)
        else:
            for later, ep in zip(rows[place + 1 :], before[place + 1 :], strict=True):
                if together(later) == together(row) and ep is not None:
                    after = ep if later["posteam"] == row["posteam"] else -ep
                    break
        found.append(after - before[place])
    return found


@given(seed=SEEDS, number=st.integers(1, 60))
def test_next_score_is_that_of_a_loop(seed: int, number: int) -> None:
    frame = random_plays(seed, number)
    assert expected_points.next_score(frame).to_list() == slow_next(frame.rows(named=True))


@given(seed=SEEDS, number=st.integers(1, 60))
def test_points_added_are_those_of_a_loop(seed: int, number: int) -> None:
    frame = random_plays(seed, number)
    rng = np.random.default_rng(seed)
    drawn = zip(rng.normal(0, 3, frame.height).tolist(), expected_points.snaps(frame), strict=True)
    before = [value if state else None for value, state in drawn]
    found = expected_points.added(frame, pl.Series("ep", before, pl.Float64))
    assert found.to_list() == pytest.approx(slow_added(frame.rows(named=True), before))


BUF, NE = {"posteam": "BUF", "defteam": "NE"}, {"posteam": "NE", "defteam": "BUF"}
NOBODY = {"posteam": None, "defteam": None, "down": None}
SECOND = {"quarter": 3}
TOUCHDOWN = {"points": 6, "touchdown": True}


@pytest.mark.parametrize(
    ("rows", "ep", "expected"),
    [
        pytest.param([BUF, BUF], [1.0, 2.5], [1.5, -2.5], id="gain, then the half ends"),
        pytest.param([BUF, NE], [1.0, 2.0], [-3.0, -2.0], id="ball lost"),
        pytest.param([BUF, BUF | SECOND], [1.0, 2.0], [-1.0, -2.0], id="half-time in between"),
        pytest.param([BUF | TOUCHDOWN | {"scoring_team": "BUF"}], [4.0], [3.0], id="touchdown"),
        pytest.param([BUF | TOUCHDOWN | {"scoring_team": "NE"}], [4.0], [-11.0], id="pick six"),
        pytest.param([BUF | {"points": 3, "scoring_team": "BUF"}], [2.0], [1.0], id="field goal"),
        pytest.param([NE | {"points": 2, "scoring_team": "BUF"}], [-1.0], [-1.0], id="safety"),
        pytest.param([BUF, NOBODY, BUF], [1.0, None, 3.0], [2.0, None, -3.0], id="timeout between"),
        pytest.param([BUF, BUF], [None, 3.0], [None, -3.0], id="no state"),
        pytest.param(
            [BUF | TOUCHDOWN | {"scoring_team": "BUF"}, NE],
            [4.0, 1.0],
            [3.0, -1.0],
            id="kicked off",
        ),
    ],
)
def test_points_added_by_hand(rows: list[Row], ep: list, expected: list) -> None:
    found = expected_points.added(plays(*rows), pl.Series("ep", ep, pl.Float64))
    assert found.to_list() == expected


def test_next_score_by_hand() -> None:
    frame = plays(
        BUF,
        NE,
        NE | {"points": 3, "scoring_team": "NE"},
        BUF,
        NOBODY,
        BUF | {"points": 2, "scoring_team": "NE"},
        NE,  # the half ends
        BUF | SECOND | TOUCHDOWN | {"scoring_team": "BUF"},
    )
    assert expected_points.next_score(frame).to_list() == [-3, 3, 3, -2, None, -2, 0, 7]


def true_points(yards: int) -> float:
    """The closed form of what the simulation makes of a place."""
    touchdown = touchdown_chance(yards)
    return 7 * touchdown - 3 * (1 - touchdown) * FIELD_GOAL


@pytest.fixture(scope="module")
def season() -> pl.DataFrame:
    return simulated_season(2015)


def test_expected_points_are_those_of_the_closed_form_and_fall_with_the_distance(
    season: pl.DataFrame,
) -> None:
    model = expected_points.fit([season], seed=1)
    places = np.arange(2, 99, 2)
    states = plays(
        *({"yardline_100": int(y), "down": 2, "ydstogo": 5, "half_seconds": 1200} for y in places)
    )
    found = expected_points.expected_points(model, states).to_numpy()
    expected = np.array([true_points(y) for y in places])
    assert np.abs(found - expected).mean() < 0.35
    tens = found.reshape(7, -1).mean(axis=1)
    assert (np.diff(tens) < 0).all()
    assert tens[0] - tens[-1] == pytest.approx(expected[:7].mean() - expected[-7:].mean(), abs=0.6)


def test_a_play_without_a_state_has_no_expected_points(season: pl.DataFrame) -> None:
    model = expected_points.fit([season], seed=1)
    frame = plays({}, {"down": None}, {"yardline_100": None}, {"posteam": None}, {"ydstogo": None})
    found = expected_points.expected_points(model, frame)
    assert found.is_not_null().to_list() == [True, False, False, False, False]
    assert expected_points.expected_points(model, frame[1:]).null_count() == 4


def test_tries_teach_nothing() -> None:
    """Conversions stand at two yards: were they learned from, they would lower what is there."""
    season = simulated_season(2015, a_yard=20)
    tries = season.filter(pl.col("play_id") == 1).with_columns(
        pl.lit("conversion").alias("kind"),
        pl.lit(3, pl.Int32).alias("play_id"),
        pl.lit(2, pl.Int32).alias("yardline_100"),
    )
    one, other = (
        expected_points.fit([frame], seed=1) for frame in (season, pl.concat([season, tries]))
    )
    assert one.save_raw("ubj") == other.save_raw("ubj")


def write(folder: Path, season: int, frame: pl.DataFrame) -> Path:
    path = folder / f"season={season}" / "part.parquet"
    path.parent.mkdir(parents=True)
    frame.write_parquet(path)
    return path


def test_a_fit_gives_the_same_bytes_whatever_the_order_of_its_seasons(tmp_path: Path) -> None:
    seasons = {s: simulated_season(s, seed=s, a_yard=60) for s in (2013, 2014)}
    paths = [write(tmp_path, s, frame) for s, frame in seasons.items()]
    for name, some in (("a", paths), ("b", paths), ("c", paths[::-1])):
        line = fit_expected_points.fit(some, 7, tmp_path / name / "model.ubj")
        assert line == f"fitted on {2 * 2 * 5940} plays of 2 seasons"
    made = [(tmp_path / name / "model.ubj").read_bytes() for name in "abc"]
    assert made[0] == made[1] == made[2]
    direct = expected_points.fit(list(seasons.values()), 7)
    frame = seasons[2014]
    loaded = expected_points.load(tmp_path / "a/model.ubj")
    assert expected_points.expected_points(loaded, frame).equals(
        expected_points.expected_points(direct, frame)
    )
    expected_points.save(loaded, tmp_path / "again.ubj")
    assert (tmp_path / "again.ubj").read_bytes() == made[0]


def test_a_season_is_not_among_those_its_model_is_fitted_on() -> None:
    sources = dict.fromkeys(("schedules", "pbp"), "gamecenter")
    section = settings.complete({"nfl": {"sources": sources}}, SCHEMA)["nfl"]
    plan = NflPlan(section | {"stadiums": str(ROOT / section["stadiums"])}, date(2024, 6, 1))
    assert plan.seasons == list(range(2009, 2020))
    for season in range(2010, 2020):
        assert plan.fits_points(season)
        assert plan.earlier_pbp(season) == list(range(2009, season))
    assert not plan.fits_points(2009)


def test_nothing_to_fit_on_is_an_error(tmp_path: Path) -> None:
    nothing = pl.DataFrame(schema=schema_of(PLAYS))
    path = write(tmp_path, 2015, pl.concat([nothing, plays(NOBODY)]))
    with pytest.raises(DataError, match="no play with down, distance and place to fit on"):
        fit_expected_points.fit([path], 1, tmp_path / "model.ubj")
    assert not (tmp_path / "model.ubj").exists()


def test_no_model_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "model.ubj").write_bytes(b"no model")
    for path in (tmp_path / "model.ubj", tmp_path / "none.ubj"):
        with pytest.raises(DataError, match=f"{path.name}: no model .*; fit it again") as caught:
            expected_points.load(path)
        assert "\n" not in str(caught.value)

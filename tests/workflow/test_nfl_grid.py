"""The grid of XGBoost fits: killed and enlarged, shared out over devices, and one row a fit."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import polars as pl
import psutil
import pytest
from polars.testing import assert_frame_equal

from scripts import manifests
from scripts.nfl import grid_fit
from scripts.nfl.evaluation import metrics
from scripts.nfl.models import families
from scripts.plan import grid as plan
from tests.unit.nfl.nfl_model_games import FEATURES, simulated
from tests.workflow.nfls import SMALLEST, TESTS, built, configure, jobs, nfl_of
from tests.workflow.project import ROOT, Project, copied, disown, tail
from tests.workflow.test_faults import job_of, wait_for

ROUNDS = [1, 4, 9, 20]
CHOICE = {"score_grid": 1, "check_selection": 1}


@pytest.fixture
def project(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Project:
    """A copy of the tiny domain with its grid, for one test to change."""
    return copied(built(tmp_path_factory.getbasetemp()), tmp_path)


class Card:
    """The card's stand-in (tests/gpu), and what it noted."""

    def __init__(self, folder: Path, seconds: float) -> None:
        """Note fits in a file of `folder`; each takes at least so many seconds."""
        self.record = folder / "fits.jsonl"
        self.environment = {
            "PYTHONPATH": str(ROOT / "tests/gpu"),
            "ALMANAC_GPU_RECORD": str(self.record),
            "ALMANAC_GPU_SECONDS": str(seconds),
        }

    def fits(self, device: str | None = None) -> list[dict]:
        """The fits of a device, or all, in the order of their ends."""
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        found = list(map(json.loads, lines))
        return [fit for fit in found if device in (None, fit["device"])]

    def overlaps(self, one: str, other: str) -> int:
        """How many fits on the two devices ran at the same time, in two processes."""
        return sum(
            a["start"] < b["end"] and b["start"] < a["end"]
            for a in self.fits(one)
            for b in self.fits(other)
            if a["pid"] != b["pid"]
        )


@pytest.fixture
def card(tmp_path: Path) -> Card:
    """A card whose fits take a second."""
    return Card(tmp_path, 1.0)


def scores(project: Project) -> pl.DataFrame:
    """The grid's table but for the keys, which name the device."""
    return pl.read_parquet(nfl_of(project) / "grid/results.parquet").drop("key")


def stored(project: Project) -> int:
    """How many fits are kept in the chunks' stores."""
    found = (nfl_of(project) / "grid").rglob("fits.parquet")
    return sum(pl.read_parquet(path)["fit"].n_unique() for path in found)


def remove_grid(project: Project) -> None:
    """Take all files of the grid away."""
    for path in sorted((nfl_of(project) / "grid").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (nfl_of(project) / "checks/grid_selection.json").unlink()


def test_killed_in_the_middle_of_chunks_it_fits_only_the_rest(project: Project, card: Card) -> None:
    undisturbed = project.digests(nfl_of(project))
    remove_grid(project)
    with project.start("grid", env=card.environment, own_group=True) as process:
        children: list[psutil.Process] = []
        end = time.monotonic() + 60
        while not stored(project):
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.02)
        children = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGKILL)
    psutil.wait_procs(children, timeout=20)
    before = stored(project)
    assert 1 <= before < 4
    card.record.unlink()
    project.run("--unlock", check=True)
    again = project.run("grid", env=card.environment, check=True)
    assert len(card.fits()) == 4 - before
    assert jobs(project, again)["score_grid"] == 1
    assert project.digests(nfl_of(project)) == undisturbed


def test_a_job_that_is_killed_alone_loses_no_earlier_fit(project: Project, card: Card) -> None:
    before = stored(project)
    configure(project, grid={"subsample": [0.6, 0.8]})
    with project.start("grid", cores=1, env=card.environment) as process:
        wait_for(lambda: stored(project) > before)
        job_of(process.pid, "fit_grid.py").kill()  # then Snakemake puts its old store back
        process.communicate()
    assert process.returncode != 0
    manifests.check((nfl_of(project) / "grid").rglob("fits.parquet"))
    kept = stored(project)
    assert before <= kept < 2 * before
    card.record.unlink()
    project.run("grid", env=card.environment, check=True)
    assert len(card.fits()) == 2 * before - kept
    assert stored(project) == 2 * before


def test_a_new_value_fits_only_itself(project: Project, tmp_path: Path) -> None:
    before = scores(project)
    card = Card(tmp_path, 0.0)
    configure(project, grid={"max_depth": [2, 3, 4]})
    result = project.run("grid", env=card.environment, check=True)
    assert jobs(project, result) == {"fit_grid": 1, **CHOICE}
    assert [fit["max_depth"] for fit in card.fits()] == [4, 4]
    deeper = scores(project)
    assert_frame_equal(deeper.filter(pl.col("max_depth") < 4), before)
    card.record.unlink()
    configure(project, grid={"max_depth": [2, 3, 4], "subsample": [0.6, 0.8]})
    result = project.run("grid", env=card.environment, check=True)
    assert jobs(project, result) == {"fit_grid": 3, **CHOICE}
    assert sorted(fit["max_depth"] for fit in card.fits()) == [2, 2, 3, 3, 4, 4]
    assert_frame_equal(scores(project).filter(pl.col("subsample") == 0.8), deeper)
    assert scores(project).height == 2 * deeper.height == 36
    # A value less: its rows are gone, nothing is fitted. A value back: neither.
    card.record.unlink()
    configure(project, grid={"subsample": [0.8]})
    project.run("grid", env=card.environment, check=True)
    assert card.fits() == []
    assert_frame_equal(scores(project), before)


def test_devices_share_the_grid_and_one_card_takes_one_chunk(project: Project, card: Card) -> None:
    on_cpu = scores(project)
    remove_grid(project)  # else the fits of the CPU are there already
    configure(project, grid={"devices": {"cuda": 3, "cpu": 1}})
    result = project.run("grid", env=card.environment, check=True)
    assert jobs(project, result) == {"fit_grid": 3, **CHOICE}
    assert [len(card.fits("cuda")), len(card.fits("cpu"))] == [3, 1]
    assert len({fit["pid"] for fit in card.fits("cuda")}) == 2
    assert card.overlaps("cuda", "cuda") == 0
    assert card.overlaps("cuda", "cpu") > 0
    assert_frame_equal(scores(project), on_cpu, check_exact=False, rel_tol=0, abs_tol=1e-9)
    # Two cards take both chunks at once.
    remove_grid(project)
    card.record.unlink()
    limits = ("gpu=2", "mem_mb=8000", "s3=4", "api=8", "http=4", "db=2")
    project.run("grid", "--resources", *limits, cores=3, env=card.environment, check=True)
    assert card.overlaps("cuda", "cuda") > 0
    assert_frame_equal(scores(project), on_cpu, check_exact=False, rel_tol=0, abs_tol=1e-9)


def test_models_on_the_card_wait_for_one_another(project: Project, card: Card) -> None:
    smallest = {**SMALLEST, "feature_sets": {"football": ["form", "rating"]}}
    folder = "results/tiny/nfl/models/home_win/football/xgboost/none"
    wanted = [f"{folder}/season={season}/metrics.json" for season in TESTS]
    of_device, found = {}, {}
    for device in ("cuda", "cpu"):
        configure(project, **{**smallest, "models": ["xgboost"], "device": device})
        result = project.run(*wanted, env=card.environment, check=True)
        assert jobs(project, result) == {f"fit_model_ubj xgboost {season}": 1 for season in TESTS}
        of_device[device] = card.overlaps(device, device)
        found[device] = project.digests(folder)
    assert len(card.fits("cuda")) == len(card.fits("cpu")) == 2
    assert of_device["cuda"] == 0
    assert of_device["cpu"] > 0
    assert found["cuda"] == found["cpu"]  # the stand-in is the CPU


def failure(result: CompletedProcess) -> str:
    """What failed, as the end of the run tells it."""
    return tail(result, 60).partition("What failed:")[2]


def test_a_choice_that_is_not_the_validation_seasons_is_refused(project: Project) -> None:
    path = nfl_of(project) / "grid/chosen.json"
    table = pl.read_parquet(nfl_of(project) / "grid/results.parquet")
    chosen = json.loads(path.read_text())
    assert chosen["auc"] == table["auc"].max()
    assert (chosen["validation"], chosen["tests"]) == (2016, list(TESTS))
    other = table.sort("auc").drop("key").row(0, named=True)
    disown(path).write_text(json.dumps(chosen | other | {"validation": TESTS[0]}))
    told = failure(project.run("grid", check=False))
    assert "nfl_check_selection" in told
    assert f"{table.height} rows scored on other seasons" in told
    assert f"test seasons not after {TESTS[0]}" in told
    assert f"auc {other['auc']:g}, not {chosen['auc']:g}" in told


def test_a_validation_season_that_is_tested_is_one_line(project: Project) -> None:
    configure(project, grid={"validation": TESTS[0]})
    result = project.run("grid", "--dry-run", check=False)
    last = result.stdout.strip().splitlines()[-1]
    assert "config: nfl.grid.validation: 2017 is a test season; choose on one before 2017" in last


@pytest.mark.parametrize("target", ["home_win", "home_cover"])
def test_rows_of_shared_fits_are_those_of_fits_of_their_own(target: str) -> None:
    games = simulated(seasons=4, seed=3)
    train, test = grid_fit.split(games, target, 2004)
    values = {"max_depth": [2, 4], "learning_rate": [0.3], "subsample": [0.7]}
    names = plan.fits({**values, "colsample_bytree": [0.5, 1.0]})
    rows, apart = [], []
    for name in names:
        told = {"target": target, "features": FEATURES, "seed": 5, "device": "cpu"}
        shared = grid_fit.fit(name, train, test, rounds=ROUNDS, **told)
        rows.append(grid_fit.rows(name, shared, test, target, "key"))
        one = plan.values_of(name)
        for number in ROUNDS:
            settings = {
                "depth": one["max_depth"],
                "rate": one["learning_rate"],
                "subsample": one["subsample"],
                "colsample": one["colsample_bytree"],
                "rounds": number,
            }
            model = families.fit("xgboost", train, **told, settings=settings)
            assert model.booster.num_boosted_rounds() == number
            probability = model.predict(test)
            assert np.array_equal(shared[number], probability)
            found = metrics(test[target].to_numpy(), probability, target=target)
            scored = {n: found[n] for n in ("n", "auc", "brier", "log_loss")}
            apart.append(one | {"rounds": number} | scored)
    table = pl.concat(rows)
    assert table.height == len(names) * len(ROUNDS) == 16
    assert table["auc"].n_unique() > 4
    names = list(apart[0])
    expected = pl.DataFrame(apart).cast(dict(table.select(names).schema))
    assert_frame_equal(table.select(names), expected, check_exact=True)

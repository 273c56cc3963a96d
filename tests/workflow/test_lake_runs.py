"""The lake as a whole: built twice, day by day, killed, by layer, from what is there."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from scripts.plan.lake import FLAT
from tests.workflow.lakes import SESSIONS, keys_run, lake_of, ran, read, small
from tests.workflow.project import Project, copied, copy_project, half_written, tail

SEED = int(os.environ.get("ALMANAC_KILL_SEED", "20250903"))
WEEKLY = {"related", "ticker_types", "tickers"}
PRODUCTS = ("bronze", "silver", "gold", "quarantine", "reconcile")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small lake, built at once on two cores."""
    project = copy_project(tmp_path_factory.mktemp("lake"), small())
    project.run("lake", check=True)
    return project


@pytest.fixture
def project(built: Project, tmp_path: Path) -> Project:
    """A copy of the built lake, for one test to change."""
    return copied(built, tmp_path)


def contents(project: Project) -> dict[str, str]:
    """Digests of the layers from bronze on, and of the current Qlib version.

    Without the reference data: they are a snapshot of the week that looks.
    """
    lake = lake_of(project)
    found = {f"{top}/{k}": v for top in PRODUCTS for k, v in project.digests(lake / top).items()}
    found = {k: v for k, v in found.items() if not WEEKLY & set(Path(k).parts)}
    return found | {f"qlib/{k}": v for k, v in project.digests(lake / "qlib/current").items()}


def test_a_second_run_does_nothing_and_a_forced_one_changes_no_byte(project: Project) -> None:
    before = project.digests()
    again = project.run("lake", check=True)
    assert "Nothing to be done" in again.stdout
    project.run("--forceall", "lake", check=True, cores=1)
    assert project.digests() == before


def test_day_by_day_and_at_once_give_the_same_bytes(tmp_path: Path, built: Project) -> None:
    project = copy_project(tmp_path, small(days_back=0))
    for day in SESSIONS:
        project.write_config("config/config.yaml", small(days_back=0, as_of=day))
        project.run("lake", check=True)
    assert contents(project) == contents(built)


def test_a_backfill_gives_the_bytes_of_the_window_at_once(tmp_path: Path, built: Project) -> None:
    project = copy_project(tmp_path, small(days_back=1))
    project.run("lake", check=True)
    project.write_config("config/config.yaml", small())
    result = project.run("lake", check=True)
    assert contents(project) == contents(built)
    landed = keys_run(project, result, "lake_land_flatfile")
    assert landed == sorted(f"{dataset} {SESSIONS[0]}" for dataset in FLAT)
    assert keys_run(project, result, "lake_build_minute_bars") == [
        f"options_minute {SESSIONS[0]}",
        f"stocks_minute {SESSIONS[0]}",
    ]


def test_killed_at_random_moments_the_lake_ends_with_the_same_bytes(
    tmp_path: Path, built: Project
) -> None:
    project, moments = copy_project(tmp_path, small()), random.Random(SEED)
    for _ in range(3):
        with project.start("lake", own_group=True) as process:
            time.sleep(moments.uniform(3.0, 12.0))
            os.killpg(process.pid, signal.SIGKILL)
        project.run("--unlock")
    project.run("lake", check=True)
    assert project.digests() == built.digests()
    assert half_written(project.folder) == []


def test_each_layer_is_a_target(tmp_path: Path) -> None:
    project = copy_project(tmp_path, small(datasets=["stocks_daily"], start=SESSIONS[-1]))
    layers = {
        "landing": {"lake_land_flatfile"},
        "bronze": {"lake_build_daily_bars"},
        "silver": {"lake_build_adjustments"},
        "gold": {"lake_build_stocks_daily", "lake_build_alpha158", "lake_check_session"},
        "qlib": {"lake_export_qlib", "lake_build_provenance"},
    }
    for layer, rules in layers.items():
        assert set(ran(project, project.run(layer, check=True))) == rules


def test_skipped_layers_use_the_files_that_are_there(project: Project) -> None:
    lake = lake_of(project)
    before = read(project, "gold/stocks_daily")
    shutil.rmtree(lake / "gold")
    shutil.rmtree(lake / "landing")
    project.write_config("config/config.yaml", small(skip=["landing", "bronze", "silver"]))
    result = project.run("gold", check=True)
    assert not [rule for rule in ran(project, result) if "land" in rule or "bars" in rule]
    assert_frame_equal(read(project, "gold/stocks_daily"), before)


def test_a_landing_folder_is_adopted_without_the_vendor(tmp_path: Path, built: Project) -> None:
    shutil.copytree(lake_of(built) / "landing", tmp_path / "old")
    cut = tmp_path / "old/stocks_daily/2025/09/2025-09-03.csv.gz"
    whole = cut.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    project = copy_project(tmp_path, small(adopt=str(tmp_path / "old")))
    project.run("landing", check=True)
    landing = lake_of(project) / "landing"
    assert project.digests(landing).items() >= {
        (name, digest)
        for name, digest in built.digests(lake_of(built) / "landing").items()
        if name.endswith(".gz")
    }
    log = project.results / "small/logs/lake/lake_land_flatfile/stocks_daily/2025/09/2025-09-03.log"
    assert "gzip" in log.read_text() or "truncated" in log.read_text()
    adopted = (landing / "stocks_daily/2025/09/2025-09-02.json").read_text()
    assert '"adopted": true' in adopted


def test_returns_cross_the_month_for_every_symbol(built: Project) -> None:
    gold = read(built, "gold/stocks_daily").sort("symbol", "date")
    first = gold.filter(pl.col("date") == pl.col("date").min().over("symbol"))
    assert first["returns_1d"].null_count() == first.height
    rest = gold.join(first.select("symbol", "date"), on=["symbol", "date"], how="anti")
    assert rest.height > 20
    assert rest["returns_1d"].null_count() == 0


def test_sums_of_volume_survive_every_layer(built: Project) -> None:
    import json

    for day in SESSIONS:
        path = lake_of(built) / f"reconcile/sessions/{day}.json"
        report = json.loads(path.read_text())
        assert report["date"] == day
        assert set(report["datasets"]) == {
            "options_daily", "options_minute", "stocks_daily", "stocks_minute",
        }  # fmt: skip
        for counts in report["datasets"].values():
            assert counts["rows_in"] == counts["good"] + counts["quarantined"]
            assert counts["rows_in"] > 0


def test_only_an_older_as_of_looks_back(project: Project) -> None:
    project.write_config("config/config.yaml", small(as_of="2025-09-02"))
    result = project.run("lake", check=True)
    assert "2025-09-03" not in " ".join(keys_run(project, result, "lake_build_minute_bars")), tail(
        result
    )
    gold = read(project, "gold/stocks_daily").filter(pl.col("date") > pl.date(2025, 9, 2))
    assert gold.is_empty()

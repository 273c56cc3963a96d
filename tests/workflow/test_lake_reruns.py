"""What of the lake is made again: a next day, a closed month, a library, a value of the config."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.workflow.lakes import keys_run, lake_of, ran, read, small
from tests.workflow.project import Project, copied, copy_project
from tests.workflow.test_reruns import OLD, append, planned

NEXT = "2025-09-04"
# As by default, but August closes with its last day.
CLOSED = {"revision_days": {"rest": 0, "news": 0, "flatfiles": 10}}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small lake, built."""
    project = copy_project(tmp_path_factory.mktemp("lake"), small(**CLOSED))
    project.run("lake", check=True)
    return project


@pytest.fixture
def project(built: Project, tmp_path: Path) -> Project:
    """A copy of the built lake, for one test to change."""
    return copied(built, tmp_path)


def test_the_next_day_touches_only_what_can_have_changed(project: Project) -> None:
    project.write_config("config/config.yaml", small(**CLOSED, as_of=NEXT, days_back=0))
    before = project.digests(lake_of(project))
    result = project.run("lake", check=True)
    assert keys_run(project, result, "lake_land_flatfile") == [
        f"{dataset} {NEXT}"
        for dataset in ("options_daily", "options_minute", "stocks_daily", "stocks_minute")
    ]
    assert keys_run(project, result, "lake_build_minute_bars") == [
        f"options_minute {NEXT}",
        f"stocks_minute {NEXT}",
    ]
    assert keys_run(project, result, "lake_build_daily_bars") == [
        "options_daily 2025-09",
        "stocks_daily 2025-09",
    ]
    # Open months only: August is closed. A new day of news; those before it are closed too.
    assert keys_run(project, result, "lake_land_actions") == [
        "dividends 2025-09", "ipos 2025-09", "splits 2025-09",
    ]  # fmt: skip
    assert keys_run(project, result, "lake_land_financials") == ["2025-09"]
    assert keys_run(project, result, "lake_land_news") == [NEXT]
    assert "lake_land_reference" not in ran(project, result)
    assert keys_run(project, result, "lake_build_stocks_minute") == [NEXT]
    assert keys_run(project, result, "lake_build_options_daily") == ["2025-09"]
    after = project.digests(lake_of(project))
    changed = {name for name in before if after.get(name) != before[name]}
    closed = {name for name in changed if "2025-08" in name and not name.startswith("gold/")}
    assert closed == set()
    assert {name for name in changed if name.startswith("landing/")} == set()


def test_touching_sources_and_results_reruns_nothing(project: Project) -> None:
    now = time.time()
    for top in ("scripts", "rules", "config", "results"):
        for i, file in enumerate(sorted((project.folder / top).rglob("*.*"))):
            if file.is_file():
                os.utime(file, (now + 7919 * i % 613, now + 7919 * i % 613))
    assert planned(project, "lake") == {}


@pytest.mark.parametrize(
    ("module", "rules"),
    [
        ("scripts/lake/occ.py", {"lake_build_minute_bars", "lake_build_daily_bars"}),
        ("scripts/lake/factors.py", {"lake_build_alpha158"}),
        ("scripts/lake/export_qlib.py", {"lake_export_qlib"}),
        ("scripts/lake/land_news.py", {"lake_land_news"}),
        ("scripts/lake/build_calculated_ratios.py", {"lake_build_calculated_ratios"}),
    ],
)
def test_a_library_module_reruns_what_imports_it(
    project: Project, module: str, rules: set[str]
) -> None:
    append(project.folder / module, "ADDED = 1")
    plan = planned(project, "lake")
    assert rules <= set(plan)
    landed = {"lake_land_flatfile", "lake_land_actions", "lake_land_reference"}
    assert not landed & set(plan)


def test_a_universe_replaced_by_an_older_file_reruns_gold_only(project: Project) -> None:
    universe = project.folder / "config/universe/tickers.csv"
    lines = universe.read_text().splitlines()
    kept = [line for line in lines if line != "XOM"]
    assert len(kept) == len(lines) - 1
    universe.write_text("\n".join(kept) + "\n")
    os.utime(universe, (OLD, OLD))
    project.write_config(
        "config/config.yaml", small(**CLOSED, fundamental_tickers=sorted(lines[1:]))
    )
    plan = planned(project, "lake")
    assert {rule for rule in plan if "_" in rule} == {
        "lake_build_stocks_minute",
        "lake_build_stocks_daily",
        "lake_build_options_daily",
        "lake_build_alpha158",
        "lake_check_session",
        "lake_export_qlib",
        "lake_build_provenance",  # it tells the config
    }


def test_any_deleted_product_is_made_again(project: Project) -> None:
    top, one_of_each = lake_of(project), {}
    for path in sorted(path for path in top.rglob("*") if path.is_file()):
        place = path.relative_to(top)
        if place.parts[:2] != ("qlib", "versions"):
            one_of_each[place.parts[:2], path.suffix] = path
    assert len(one_of_each) > 40
    kept = {}
    for number, file in enumerate(one_of_each.values()):
        kept[file] = file.rename(project.folder / f"kept{number}")
    plan = planned(project, "lake")
    made_by_one = {"lake_export_qlib", "lake_build_adjustments", "lake_build_provenance"}
    assert made_by_one <= set(plan)
    for file, copy in kept.items():
        copy.rename(file)
    assert planned(project, "lake") == {}


def test_an_unknown_key_of_the_lake_is_an_error(project: Project) -> None:
    config = small(univers="x.csv")
    project.write_config("config/config.yaml", config)
    result = project.run("lake", "--dry-run", check=False)
    last = result.stdout.strip().splitlines()[-1]
    assert "lake.univers is not a known key; did you mean universe?" in last


def test_a_window_without_sessions_is_an_error(project: Project) -> None:
    shutil.rmtree(lake_of(project))
    project.write_config("config/config.yaml", small(start="2025-08-30", end="2025-09-01"))
    result = project.run("lake", "--dry-run", check=False)
    last = result.stdout.strip().splitlines()[-1]
    assert "no session of stocks_daily from 2025-08-30 to 2025-09-01" in last


def test_a_pruned_landing_folder_takes_no_row_out_of_its_month(project: Project) -> None:
    landed = lake_of(project) / "landing/stocks_daily/2025/09/2025-09-02.csv.gz"
    landed.unlink()
    project.write_config("config/config.yaml", small(**CLOSED, start="2025-09-03"))
    before = read(project, "gold/stocks_daily")
    result = project.run("lake", check=True)
    assert keys_run(project, result, "lake_land_flatfile") == ["stocks_daily 2025-09-02"]
    assert_frame_equal(read(project, "gold/stocks_daily"), before)


def test_a_qlib_version_that_is_gone_is_exported_again(project: Project) -> None:
    qlib = lake_of(project) / "qlib"
    before = project.digests(qlib / "current")
    shutil.rmtree(qlib / "versions")
    result = project.run("lake", check=True)
    assert ran(project, result) == {"lake_export_qlib": 1}
    assert project.digests(qlib / "current") == before


def test_actions_of_a_gap_between_landed_days_are_fetched(tmp_path: Path) -> None:
    early = small(datasets=["stocks_daily", "actions"], start="2025-05-28", end="2025-05-29")
    project = copy_project(tmp_path, early)
    project.run("gold", check=True)
    late = small(datasets=["stocks_daily", "actions"])
    project.write_config("config/config.yaml", late)
    result = project.run("gold", check=True)
    assert "are not there" in result.stdout
    gold = read(project, "gold/stocks_daily").filter(pl.col("symbol") == "TINY")
    factors = dict(gold.select(pl.col("date").cast(pl.String), "split_factor").rows())
    assert factors["2025-05-28"] == factors["2025-05-29"] != 1.0  # 10:1 on 2025-08-28, at least
    assert factors["2025-08-29"] == 1.0


def test_without_its_folder_what_was_adopted_stays(project: Project, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.move(lake_of(project) / "landing", old)
    project.write_config("config/config.yaml", small(**CLOSED, adopt=str(old)))
    result = project.run("landing", check=True)
    assert ran(project, result) == {"lake_land_flatfile": 12}
    shutil.rmtree(old)
    project.write_config("config/config.yaml", small(**CLOSED))
    assert planned(project, "landing") == {}

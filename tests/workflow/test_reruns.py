"""What runs again: nothing without a change of content, and exactly what depends on a change."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.workflow.project import Project, copied, copy_project

V1, CLOSING = "v1_baseline", "closing_strategy"
SMALL = {
    "run": "small",
    "lake": {"datasets": []},
    "ticks": {
        "strategies": {
            V1: {"refill_interval_sec": 60},
            CLOSING: {
                "spread_vwap_pct": 0.5,
                "stop_loss_threshold_pct": 2.0,
                "trend_filter_buy_enabled": False,
                "trend_filter_buy_threshold_bps_hr": 10.0,
                "trend_filter_sell_enabled": True,
                "trend_filter_sell_threshold_bps_hr": 10.0,
                "vwap_preclose_period_min": 15,
            },
        },
        "sweeps": {V1: {"refill_interval_sec": [5, 60]}},
        "simulator": {
            "sessions": 2,
            "rows_per_session": 300,
            "prices": {"MODON": 2.7, "PARKIN": 4.8},
        },
    },
}
TABLES = {"ticks_score_summary": 1, "ticks_plot_pnl": 1, "ticks_plot_security": 2, "all": 1}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project with everything built."""
    project = copy_project(tmp_path_factory.mktemp("reruns"), SMALL)
    project.run(check=True)
    return project


@pytest.fixture
def project(built: Project, tmp_path: Path) -> Project:
    """A copy of the built copy, for one test to change."""
    return copied(built, tmp_path)


def planned(project: Project, *args: object) -> dict[str, int]:
    """Rule -> number of jobs that a dry run announces."""
    out = project.run(*args, "--logger", "almanac", "--dry-run", check=True).stdout
    if "Nothing to be done" in out:
        return {}
    table = out.split("Job stats:", 1)[1].split("total", 1)[0]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


def append(file: Path, text: str) -> None:
    """Add text to the end of a source file, before its adapter."""
    source = file.read_text()
    mark = '\n\nif __name__ == "__main__":'
    body, adapter, rest = source.partition(mark)
    file.write_text(f"{body}\n\n{text}\n{adapter}{rest}")


def set_leaf(project: Project, path: str, value: object) -> None:
    """Change one leaf of the config."""
    file = project.folder / "config/config.yaml"
    config = section = yaml.safe_load(file.read_text())
    *parents, leaf = path.split(".")
    for key in parents:
        section = section.setdefault(key, {})
    section[leaf] = value
    file.write_text(yaml.safe_dump(config))


def test_second_run_does_nothing(project: Project) -> None:
    before = project.digests()
    result = project.run(check=True)
    assert "Nothing to be done" in result.stdout
    assert project.jobs_run(result) == []
    assert project.digests() == before


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    fresh = copy_project(tmp_path, SMALL)
    before = set(fresh.folder.rglob("*"))
    fresh.run("--dry-run", check=True)
    own = {".snakemake", "__pycache__"}  # Snakemake's cache of file times, and Python's
    added = set(fresh.folder.rglob("*")) - before
    assert [path for path in added if not own & set(path.parts)] == []
    for name in ("log", "locks", "metadata"):
        folder = fresh.folder / ".snakemake" / name
        assert not folder.exists() or not any(folder.iterdir())


def test_touching_every_source_and_result_reruns_nothing(project: Project) -> None:
    now = time.time()
    for top in ("scripts", "rules", "config", "results"):
        for i, file in enumerate(sorted((project.folder / top).rglob("*.*"))):
            os.utime(file, (now + 7919 * i % 613, now + 7919 * i % 613))
    assert planned(project) == {}


def test_comments_docstrings_and_layout_rerun_nothing(project: Project) -> None:
    for file in (project.folder / "scripts").rglob("*.py"):
        text = file.read_text()
        file.write_text(text.replace('"""', '"""Reworded. ', 1) + "\n# a comment\n")
    assert planned(project) == {}


def test_the_job_adapter_reruns_nothing(project: Project) -> None:
    append(project.folder / "scripts/job.py", "ADDED = 1")
    assert planned(project) == {}


def test_a_library_module_reruns_what_imports_it(project: Project) -> None:
    append(project.folder / "scripts/ticks/market_making.py", "ADDED = 1")
    result = project.run(check=True)
    jobs = Counter(rule for rule, _ in project.jobs_run(result))
    assert jobs == {
        "ticks_compile_kernel": 1,  # of v1 alone: the closing strategy does not import it
        "ticks_simulate_trades": 2 * 2,  # modes x securities
        "ticks_simulate_sweep": 2 * 2,  # (refill interval, fixes) x securities
        "ticks_score_sweeps": 1,
        "ticks_plot_sweep": 1,
        "ticks_score_fixes": 1,
        **TABLES,
    }
    strategies = {w["strategy"] for _, w in project.jobs_run(result) if "strategy" in w}
    assert strategies == {V1}


def test_a_change_is_seen_though_a_producer_before_it_must_run_too(project: Project) -> None:
    append(project.folder / "scripts/ticks/closing.py", "ADDED = 1")
    append(project.folder / "scripts/ticks/plot_sweep.py", "ADDED = 1")
    plan = planned(project)
    assert plan["ticks_compile_kernel"] == 1
    assert plan["ticks_plot_sweep"] == 1


def test_a_plot_script_reruns_its_plots_only(project: Project) -> None:
    append(project.folder / "scripts/ticks/plot_security.py", "ADDED = 1")
    assert planned(project) == {"ticks_plot_security": 2, "all": 1}


@pytest.mark.parametrize(
    ("leaf", "value", "jobs"),
    [
        (
            f"ticks.strategies.{V1}.refill_interval_sec",
            61,
            # Not the sweep over this very parameter: its values are its own.
            {"ticks_simulate_trades": 4, "ticks_simulate_sweep": 2, "ticks_score_fixes": 1},
        ),
        (
            "ticks.realistic.stop_depth_once",
            False,
            {"ticks_simulate_trades": 2, "ticks_simulate_sweep": 2, "ticks_score_fixes": 1},
        ),
        (
            f"ticks.sweeps.{V1}.refill_interval_sec",
            [5, 60, 600],
            {"ticks_simulate_sweep": 2, "ticks_score_sweeps": 1, "ticks_plot_sweep": 1},
        ),
    ],
)
def test_one_config_leaf_reruns_its_descendants(
    project: Project, leaf: str, value: object, jobs: dict[str, int]
) -> None:
    set_leaf(project, leaf, value)
    expected = {**jobs, "ticks_build_provenance": 1, "all": 1}
    if "ticks_simulate_trades" in jobs:
        expected |= TABLES
    assert planned(project) == expected


def test_one_cell_of_the_securities_table_reruns_its_security(project: Project) -> None:
    table = project.folder / "config/universe/securities.csv"
    table.write_text(table.read_text().replace("117464", "117465"))
    plan = planned(project)
    assert plan["ticks_simulate_trades"] == 2  # closing on PARKIN, in both modes
    assert plan["ticks_simulate_sweep"] == 1
    assert "ticks_build_parquet" not in plan


def test_a_variant_is_built_by_its_path_alone(project: Project) -> None:
    path = f"results/small/ticks/trades/parity/{CLOSING}/trend_filter_sell_enabled=false/MODON.csv"
    assert planned(project, path) == {"ticks_simulate_trades": 1}
    project.run(path, check=True)
    assert (project.folder / path).read_text().startswith("timestamp,side,price,quantity")


OLD = 1_000_000_000  # seconds since the epoch, long before any result


def test_a_source_replaced_by_an_older_file_reruns_what_it_changed(project: Project) -> None:
    made, folder = project.results / "small/ticks/parquet", project.folder / "vendor"
    shutil.copytree(made, folder)
    overlay = project.write_config("my.yaml", {"ticks": {"parquet_dir": "vendor"}})
    project.run("--configfile", overlay, check=True)
    assert planned(project, "--configfile", overlay) == {}
    shutil.copy(folder / "PARKIN.parquet", folder / "MODON.parquet")
    os.utime(folder / "MODON.parquet", (OLD, OLD))
    plan = planned(project, "--configfile", overlay)
    assert plan["ticks_build_parquet"] == 1
    assert plan["ticks_build_provenance"] == 1


def test_any_deleted_product_is_made_again(project: Project) -> None:
    top, one_of_each = project.results / "small/ticks", {}
    for path in sorted(path for path in top.rglob("*") if path.is_file()):
        place = path.relative_to(top)
        one_of_each[place.parts[0], len(place.parts), place.suffix] = path
    assert len(one_of_each) > 12
    for file in one_of_each.values():
        kept = file.rename(project.folder / "kept")
        assert planned(project) != {}, f"{file} is not missed"
        kept.rename(file)


def test_an_edited_helper_of_a_strategy_asked_for_by_path_is_compiled_anew(tmp_path: Path) -> None:
    config = {**SMALL, "ticks": {**SMALL["ticks"], "strategies": {V1: {}}, "sweeps": {}}}
    config["ticks"]["simulator"] = {**SMALL["ticks"]["simulator"], "rows_per_session": 2500}
    project = copy_project(tmp_path, config)
    parameters = SMALL["ticks"]["strategies"][CLOSING]
    variant = ",".join(f"{k}={str(v).lower()}" for k, v in sorted(parameters.items()))
    variant = variant.replace("2.0", "2").replace("10.0", "10")
    path = f"results/small/ticks/trades/parity/{CLOSING}/{variant}/MODON.csv"
    project.run(path, check=True)
    before = (project.folder / path).read_text()
    helper = project.folder / "scripts/ticks/closing.py"
    helper.write_text(helper.read_text().replace("AUCTION_SHARE = 0.10", "AUCTION_SHARE = 0.01"))
    project.run(path, check=True)
    after = (project.folder / path).read_text()
    assert before.count("\n") > 1
    assert after != before


def test_max_securities_runs_the_first_ones(project: Project) -> None:
    plan = planned(project, "--forceall", "--config", "ticks={max_securities: 1}")
    assert plan["ticks_build_parquet"] == 1
    assert plan["ticks_simulate_trades"] == 4

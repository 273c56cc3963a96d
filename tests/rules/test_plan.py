"""The workflow as Snakemake sees it: format, lint, what parsing imports, how many jobs it plans."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rules.graph import ROOT, SOURCES

CELLS = "book_build_outputs_"  # one rule for each document


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a tool of this environment in the project."""
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, timeout=300
    )


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "format", "--check", "."),
        ("ruff", "check", "."),
        ("snakefmt", "--check", *map(str, SOURCES)),
        ("snakemake", "--lint"),
    ],
    ids=" ".join,
)
def test_format_and_lint(command: tuple[str, ...]) -> None:
    done = run(*command)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def imported(folder: Path, *command: str) -> set[str]:
    """Top-level modules that Python imports for `command` in `folder`."""
    command = [sys.executable, "-X", "importtime", *command]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    names = re.findall(r"^import time:.*\|\s+([\w.]+)$", done.stderr, re.M)
    return {name.split(".")[0] for name in names}


def test_parsing_imports_nothing_heavy(tmp_path: Path) -> None:
    # With a param and a script: Snakemake itself then looks for notebooks.
    trivial = 'from snakemake.utils import min_version\nmin_version("9.27")\n'
    trivial += 'rule all:\n    output: "a"\n    params: code=1\n    script: "a.py"\n'
    (tmp_path / "Snakefile").write_text(trivial)
    (tmp_path / "a.py").touch()
    plan = ("-m", "snakemake", "--dry-run", "--cores", "1", "--workflow-profile", "none")
    # All forced: results that are there would have Snakemake compare params, and import pandas.
    added = (
        imported(ROOT, *plan, "--forceall")
        - set(sys.stdlib_module_names)
        - imported(tmp_path, *plan)
    )
    assert "scripts" in added
    added -= imported(tmp_path, "-c", "import jsonschema, yaml")
    assert added == {"scripts"}


def planned(*targets: str) -> dict[str, int]:
    """Rule -> jobs that a dry run of everything below `targets` announces."""
    done = run("snakemake", "--forceall", "--logger", "almanac", "--dry-run", "--", *targets)
    assert done.returncode == 0, done.stderr[-2000:]
    table = (done.stdout + done.stderr).split("Job stats:", 1)[1].split("total", 1)[0]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.M)}


def test_number_of_jobs_planned_per_target() -> None:
    securities, strategies, modes = 4, 5, 2
    parameters = 5  # swept, over all strategies: v1 1, v2 1, v2.1 1, closing 2
    ticks = {
        "ticks_simulate_workbook": 1,
        "ticks_build_parquet": securities,
        "ticks_compile_kernel": strategies,
        "ticks_simulate_trades": modes * strategies * securities,
        "ticks_simulate_sweep": (parameters + strategies) * securities,
        "ticks_score_summary": 1,
        "ticks_score_sweeps": 4,
        "ticks_score_fixes": 1,
        "ticks_plot_pnl": 1,
        "ticks_plot_security": securities,
        "ticks_plot_sweep": 4,
        "ticks_build_provenance": 1,
    }
    sessions, months, flat = 7, 2, 4
    quarters, filed = 5, 15  # of the 400 days that financials look back
    lake = {
        "lake_land_flatfile": flat * sessions,
        "lake_build_minute_bars": 2 * sessions,
        "lake_build_daily_bars": 2 * months,
        "lake_land_actions": 3 * months,
        "lake_land_ticker_events": months,
        "lake_land_financials": filed,
        "lake_land_ratios": 3,
        "lake_land_shorts": 2 * 3,
        "lake_land_news": 12,  # days of the window, a weekend and a holiday too
        "lake_land_reference": 3,
        "lake_build_calculated_ratios": quarters,
        "lake_build_financial_ratios": quarters,
        "lake_build_fundamentals_wide": quarters,
        "lake_build_corporate_actions": 4,
        "lake_build_adjustments": 1,
        "lake_build_stocks_minute": sessions,
        "lake_build_stocks_daily": months,
        "lake_build_options_daily": months,
        "lake_build_alpha158": months,
        "lake_check_session": sessions,
        "lake_build_provenance": 1,
        "lake_export_qlib": 1,
    }
    batches = 2
    weekly = {
        "weekly_simulate_daily": 1,
        "weekly_build_benchmarks": 1,
        "weekly_build_bars": batches,
        "weekly_build_features": batches,
        "weekly_build_daily": batches,
        "weekly_build_targets": batches,
        "weekly_export_features": 1,
        "weekly_plot_visibility": 1,
        "weekly_build_provenance": 1,
    }
    seasons, tested, families = 9, 3, 6
    nfl = {
        "nfl_land_gamecenter": seasons,
        "nfl_build_schedules": seasons,
        "nfl_build_stadiums": seasons,
        "nfl_build_players": seasons,
        "nfl_build_pbp": seasons,
        "nfl_simulate_odds": seasons,
        "nfl_simulate_weather": seasons,
        "nfl_build_play_types": seasons,
        "nfl_build_player_games": seasons,
        "nfl_fit_expected_points": seasons - 1,
        "nfl_build_team_epa": seasons,
        "nfl_build_features": seasons,
        "nfl_build_games": 1,
        "nfl_fit_model": 4 * tested,  # forest, glm, mlp, skellam
        "nfl_fit_model_json": tested,  # state_space
        "nfl_fit_model_ubj": tested,  # xgboost
        "nfl_fit_stack": tested - 2,
        "nfl_score_integrity": 1,
        "nfl_score_leaks": 1,
        "nfl_check_passed": 1,
        "nfl_score_models": 1,
        "nfl_plot_reliability": 2,
        "nfl_plot_seasons": 2,
        "nfl_build_provenance": 1,
    }
    warehouse = {
        "warehouse_build_server": 1,
        "warehouse_apply_migrations": 1,
        "warehouse_load_season": seasons,
        "warehouse_load_players": 1,
        "warehouse_build_views": 1,
        "warehouse_check_consistency": 1,
    }
    notebooks, chapters = 11, 7
    book = {
        "book_build_manifest": 1,
        "book_build_xref": 1,
        "book_check_tables": notebooks + 1,  # of the chapters one makes tables itself
        "book_render_notebook": notebooks,
        "book_render_chapter": chapters,
        "book_compile_chapter": chapters,
        "book_compile_main": 1,
        "book_build_report": 1,
    }
    assert sum(count for rule, count in nfl.items() if "_fit_model" in rule) == families * tested
    grid = {"nfl_fit_grid": 2, "nfl_score_grid": 1, "nfl_check_selection": 1}
    assert planned("nfl") == {**nfl, "nfl": 1}
    before = seasons - 3  # seasons up to the validation season
    assert planned("grid").items() >= {**grid, "nfl_build_features": before, "grid": 1}.items()
    assert planned("lake") == {**lake, "lake": 1}
    assert planned("warehouse").items() >= {**warehouse, "warehouse": 1}.items()
    assert planned("ticks") == {**ticks, "ticks": 1}
    assert planned("weekly") == {**weekly, "weekly": 1}
    whole = planned()
    cells = {rule: whole.pop(rule) for rule in list(whole) if rule.startswith(CELLS)}
    assert list(cells.values()) == [1] * (notebooks + chapters)
    assert whole == {**lake, **ticks, **weekly, **nfl, **grid, **warehouse, **book, "all": 1}
    asked = planned("book")
    assert asked.items() >= {**book, **cells, "book": 1}.items()

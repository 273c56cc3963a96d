"""The tables over many backtests: summary, sweeps, fixes. Small inputs, numbers made by hand."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from scripts.ticks.metrics import METRICS
from scripts.ticks.score_fixes import markdown, measure
from scripts.ticks.score_summary import COLUMNS, PORTFOLIO, summarise
from scripts.ticks.score_sweeps import group, tabulate
from scripts.ticks.sweeps import score_sweep

TEN = datetime(2025, 4, 14, 10)
SWEEP_SCHEMA = {
    "mode": pl.String,
    "variant": pl.String,
    "security": pl.String,
    "timestamp": pl.Datetime("ns"),
    "quantity": pl.Int64,
    "realized_pnl": pl.Float64,
    "closes": pl.Boolean,
}


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


# Summary


def backtest_files(
    folder: Path, name: str, gains: list[float], counts: dict, minute: int
) -> tuple[Path, Path]:
    """Trades that open ten shares, then close them with a gain, over and over; and their counts."""
    lines, time = ["timestamp,side,fill_price,fill_qty,realized_pnl,position,pnl"], TEN
    time += timedelta(minutes=minute)
    for gain in gains:
        lines += [f"{time},buy,4.0,10,0.0,10,0.0", f"{time},sell,4.0,10,{gain!r},0,{gain!r}"]
        time += timedelta(minutes=10)
    folder.mkdir(exist_ok=True)
    trades, numbers = folder / f"{name}.csv", folder / f"{name}.json"
    trades.write_text("\n".join(lines) + "\n")
    numbers.write_text(json.dumps({"trades": len(lines) - 1, **counts}))
    return trades, numbers


def run_of(mode: str, security: str) -> dict[str, str]:
    return {"mode": mode, "strategy": "v1_baseline", "variant": "base", "security": security}


def counts_of(position: int) -> dict:
    dates = {"market_dates": 5, "strategy_dates": 4}
    return {"position": position, "unrealized_pnl": position / 2, **dates}


@pytest.fixture
def summary(tmp_path: Path) -> tuple[pl.DataFrame, Path]:
    files = [
        backtest_files(tmp_path / "p", "BBB", [100.0, 100.0], counts_of(10), 0),
        backtest_files(tmp_path / "p", "AAA", [-60.0, -60.0], counts_of(-4), 5),
        backtest_files(tmp_path / "r", "AAA", [], counts_of(0), 0),
    ]
    runs = [run_of("parity", "BBB"), run_of("parity", "AAA"), run_of("realistic", "AAA")]
    out = tmp_path / "summary.csv"
    trades, counts = zip(*files, strict=True)
    return summarise(runs=runs, trades=trades, counts=counts, simulated=True, out=out), out


def row_of(table: pl.DataFrame, mode: str, security: str) -> dict:
    found = table.filter((pl.col("mode") == mode) & (pl.col("security") == security))
    return found.row(0, named=True)


def test_the_summary_has_a_row_per_run_and_per_portfolio_with_modes_side_by_side(summary) -> None:
    table, out = summary
    keys = [("*", "parity"), ("*", "realistic"), ("AAA", "parity"), ("AAA", "realistic")]
    assert table.select("security", "mode").rows() == [*keys, ("BBB", "parity")]
    assert tuple(cells(out)[0]) == tuple(COLUMNS)
    assert [row["security"] for row in cells(out)] == table["security"].to_list()


def test_a_runs_row_holds_its_metrics_and_counts(summary) -> None:
    row = row_of(summary[0], "parity", "BBB")
    assert (row["trades"], row["volume"], row["realized_pnl"], row["days"]) == (4, 40, 200.0, 1)
    assert (row["position"], row["unrealized_pnl"]) == (10, 5.0)
    assert (row["market_dates"], row["strategy_dates"], row["simulated"]) == (5, 4, True)


def test_a_portfolio_row_is_merged_in_time_and_sums_positions(summary) -> None:
    row = row_of(summary[0], "parity", PORTFOLIO)
    assert (row["trades"], row["realized_pnl"]) == (8, 80.0)
    assert row["max_drawdown"] == 60.0  # joined end to end it would be 120
    assert (row["position"], row["unrealized_pnl"]) == (6, 3.0)
    assert (row["market_dates"], row["strategy_dates"]) == (None, None)


def test_a_run_without_trades_has_its_row_with_empty_ratios(summary) -> None:
    table, out = summary
    row = row_of(table, "realistic", "AAA")
    assert (row["trades"], row["realized_pnl"], row["sharpe"]) == (0, 0.0, None)
    written = next(r for r in cells(out) if (r["security"], r["mode"]) == ("AAA", "realistic"))
    assert (written["sharpe"], written["win_rate_pct"], written["trades"]) == ("", "", "0")


def test_a_summary_of_runs_without_trades_still_has_typed_columns(tmp_path: Path) -> None:
    trades, counts = backtest_files(tmp_path, "AAA", [], counts_of(0), 0)
    table = summarise(
        runs=[run_of("parity", "AAA")],
        trades=[trades],
        counts=[counts],
        simulated=False,
        out=tmp_path / "summary.csv",
    )
    assert table.schema["sharpe"] == pl.Float64
    assert table.schema["trades"] == pl.Int64


# Sweeps


def sweep_file(path: Path, *rows: tuple[str, str, float]) -> Path:
    """Fills of one security: (mode, variant, gain) each, a minute apart, each closes a position."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fills = [
        (mode, variant, path.stem, TEN + timedelta(minutes=i), 10, gain, True)
        for i, (mode, variant, gain) in enumerate(rows)
    ]
    pl.DataFrame(fills, SWEEP_SCHEMA, orient="row").write_parquet(path)
    return path


RUNS = [("parity", "spread=1"), ("parity", "spread=2")]


@pytest.fixture
def sweep_files(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "s1" / "spread"
    return [
        sweep_file(
            folder / "AAA.parquet", ("parity", "spread=1", 5.0), ("parity", "spread=2", 7.0)
        ),
        sweep_file(folder / "BBB.parquet", ("parity", "spread=1", -1.0)),
    ]


def test_a_sweep_scores_each_run_on_each_security_and_their_portfolio(sweep_files) -> None:
    table = score_sweep(sweep_files, RUNS)
    assert table.columns == ["mode", "variant", "security", *METRICS]
    assert table.select("variant", "security", "trades", "realized_pnl").rows() == [
        ("spread=1", "AAA", 1, 5.0),
        ("spread=1", "BBB", 1, -1.0),
        ("spread=1", "*", 2, 4.0),
        ("spread=2", "AAA", 1, 7.0),
        ("spread=2", "BBB", 0, 0.0),  # a run without a fill has its row
        ("spread=2", "*", 1, 7.0),
    ]


def test_modes_of_one_variant_are_kept_apart(tmp_path: Path) -> None:
    rows = [("parity", "base", 1.0), ("realistic", "base", 2.0)]
    path = sweep_file(tmp_path / "AAA.parquet", *rows)
    table = score_sweep([path], [("parity", "base"), ("realistic", "base")])
    portfolio = table.filter(pl.col("security") == "*")
    assert portfolio.select("mode", "realized_pnl").rows() == [("parity", 1.0), ("realistic", 2.0)]


def test_the_sweep_table_names_parameter_and_value(sweep_files, tmp_path: Path) -> None:
    other = sweep_file(tmp_path / "s1" / "period" / "AAA.parquet", ("parity", "period=0.5", 3.0))
    runs = {"spread": RUNS, "period": [("parity", "period=0.5")]}
    sweeps = group(["spread", "period"], [*sweep_files, other], runs)
    table = tabulate(sweeps=sweeps, simulated=True, out=tmp_path / "s1.csv")
    values = table.filter(pl.col("security") == "*").select("parameter", "value", "realized_pnl")
    assert values.rows() == [("spread", "1", 4.0), ("spread", "2", 7.0), ("period", "0.5", 3.0)]
    assert table.columns[:5] == ["parameter", "value", "mode", "variant", "security"]
    assert {row["simulated"] for row in cells(tmp_path / "s1.csv")} == {"true"}


def test_group_gives_each_parameter_the_files_of_its_folder() -> None:
    files = [Path("x/spread/AAA.parquet"), Path("x/period/AAA.parquet")]
    found = group(["period"], files, {"period": ["p"], "spread": ["s"]})
    assert found == {"period": {"fills": [files[1]], "runs": ["p"]}}


# Fixes

FIX_RUNS = {
    "v1": [
        ("parity", "base"),
        ("parity", "share_volume=true"),
        ("realistic", "base"),
        ("realistic", "share_volume=false"),
    ]
}


@pytest.fixture
def fixes(tmp_path: Path) -> tuple[pl.DataFrame, Path]:
    path = sweep_file(
        tmp_path / "v1" / "fixes" / "AAA.parquet",
        *(("parity", "base", gain) for gain in (1000.0, 500.0)),
        ("parity", "share_volume=true", 1200.0),
        ("realistic", "base", -300.0),
        *(("realistic", "share_volume=false", gain) for gain in (-100.0, 50.0)),
    )
    table = measure(
        fills=[path],
        runs=FIX_RUNS,
        simulated=False,
        out=tmp_path / "fixes.csv",
        text=tmp_path / "fixes.md",
    )
    return table, tmp_path


def test_each_switched_run_is_compared_with_the_base_of_its_mode(fixes) -> None:
    table, folder = fixes
    changes = table.select("fix", "mode", "trades", "trades_change", "pnl_change").rows()
    assert changes == [
        ("base", "parity", 2, 0, 0.0),
        ("share_volume", "parity", 1, -1, -300.0),
        ("base", "realistic", 1, 0, 0.0),
        ("share_volume", "realistic", 2, 1, 250.0),
    ]
    assert [row["pnl_change"] for row in cells(folder / "fixes.csv")] == [
        "0.0",
        "-300.0",
        "0.0",
        "250.0",
    ]


def test_the_markdown_shows_both_bases_and_each_fix_alone_and_missing(fixes) -> None:
    text = (fixes[1] / "fixes.md").read_text()
    assert text.splitlines()[2:] == [
        "| v1 | **parity** | **2** | **1,500** | |",
        "| v1 | **realistic, all fixes** | **1** | **-300** | |",
        "| v1 | share_volume | -1 | -300 | +250 |",
    ]


def test_without_the_realistic_mode_the_last_column_is_empty(fixes) -> None:
    lines = markdown(fixes[0].filter(pl.col("mode") == "parity")).splitlines()
    assert lines[2:] == [
        "| v1 | **parity** | **2** | **1,500** | |",
        "| v1 | share_volume | -1 | -300 |  |",
    ]


def test_without_the_parity_mode_each_fix_still_has_its_line(fixes) -> None:
    text = markdown(fixes[0].filter(pl.col("mode") == "realistic"))
    assert "share_volume" in text
    assert "+250" in text

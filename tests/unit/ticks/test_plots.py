"""Plots: the data behind them, their files, and the same bytes every time."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure

from scripts.ticks import plot_pnl, plot_security, plot_sweep
from scripts.ticks.backtest import write_trades
from scripts.ticks.engine import DAY, FILLS, HOUR

MONDAY = int(np.datetime64("2025-04-14", "ns").astype(int))
RUNS = [
    {"mode": mode, "strategy": strategy, "variant": "base", "security": "MODON"}
    for mode in ("parity", "realistic")
    for strategy in ("v1_baseline", "no_fill")
]


@pytest.fixture
def trades(tmp_path: Path) -> list[Path]:
    """A trades file for each of RUNS: a buy and a sale on each of two days, or none at all."""
    paths = []
    for number, run in enumerate(RUNS):
        fills = np.zeros(4 if run["strategy"] == "v1_baseline" else 0, FILLS)
        if len(fills):
            fills["timestamp"] = [MONDAY + h * HOUR for h in (11, 12, 35, 36)]
            fills["side"] = [1, -1, 1, -1]
            fills["price"] = [2.0, 2.1, 2.0, 1.9]
            fills["quantity"] = 100
            fills["position"] = [100, 0, 100, 0]
            fills["realized_pnl"] = [0.0, 10.0, 0.0, -4.0]
        paths.append(tmp_path / f"{number}.csv")
        write_trades(fills, "MODON", paths[-1])
    return paths


def is_drawn(path: Path) -> bool:
    """Whether a picture file has the format of its suffix, and something in it."""
    head = path.read_bytes()
    return len(head) > 5000 and head.startswith(b"\x89PNG" if path.suffix == ".png" else b"<?xml")


def test_daily_pnl_sums_fills_and_days() -> None:
    stamps = [datetime(2025, 4, 14, 11), datetime(2025, 4, 14, 12), datetime(2025, 4, 15, 11)]
    frame = pl.DataFrame({"timestamp": stamps, "realized_pnl": [1.0, 2.0, -4.0]})
    daily = plot_pnl.daily_pnl([frame, frame])
    assert daily.rows() == [(date(2025, 4, 14), 6.0, 6.0), (date(2025, 4, 15), -8.0, -2.0)]


def test_pnl_and_security_plots_are_the_same_bytes_twice(
    trades: list[Path], tmp_path: Path
) -> None:
    made = []
    for turn in ("first", "second"):
        outs = [tmp_path / turn / f"pnl.{kind}" for kind in ("png", "svg")]
        plot_pnl.draw(runs=RUNS, trades=trades, simulated=True, outs=outs)
        more = [tmp_path / turn / f"security.{kind}" for kind in ("png", "svg")]
        plot_security.draw(runs=RUNS, trades=trades, security="MODON", simulated=True, outs=more)
        assert all(map(is_drawn, outs + more))
        made.append([path.read_bytes() for path in outs + more])
    assert made[0] == made[1]


def test_simulated_data_are_called_so(trades: list[Path], tmp_path: Path) -> None:
    for simulated in (True, False):
        out = tmp_path / f"{simulated}.svg"
        plot_pnl.draw(runs=RUNS, trades=trades, simulated=simulated, outs=[out])
        assert ("simulated" in out.read_text()) is simulated


def test_session_time_gives_every_day_the_same_width() -> None:
    days = pl.Series([date(2025, 4, 14), date(2025, 4, 16)])
    stamps = pl.Series(
        [datetime(2025, 4, 14, 10), datetime(2025, 4, 14, 12, 30), datetime(2025, 4, 16, 10)]
    )
    assert plot_security.session_time(stamps, days).tolist() == [0.0, 0.5, 1.0]


def test_a_band_holds_the_position_through_days_without_a_fill() -> None:
    days = pl.Series([date(2025, 4, 14), date(2025, 4, 15), date(2025, 4, 16)])
    stamps = [datetime(2025, 4, 14, 11), datetime(2025, 4, 14, 12), datetime(2025, 4, 16, 11)]
    fills = pl.DataFrame({"timestamp": stamps, "position": [10, 30, 0]})
    panel = Figure().subplots()
    plot_security.band(panel, fills, days, {"color": "black"})
    assert panel.lines[0].get_ydata().tolist() == [20.0, 30.0, 0.0]


def test_a_long_history_is_drawn_by_day(tmp_path: Path) -> None:
    fills = np.zeros(80, FILLS)
    fills["timestamp"] = MONDAY + np.arange(80) * DAY // 2 + 11 * HOUR
    fills["side"] = np.tile([1, -1], 40)
    fills["quantity"] = 5
    path = tmp_path / "t.csv"
    write_trades(fills, "X", path)
    out = tmp_path / "long.svg"
    plot_security.draw(runs=RUNS[:1], trades=[path], security="X", simulated=False, outs=[out])
    assert is_drawn(out)


def test_a_heat_map_has_a_cell_for_every_security_and_value(tmp_path: Path) -> None:
    table = pl.DataFrame(
        [
            {
                "parameter": "refill_interval_sec",
                "value": value,
                "mode": "parity",
                "variant": f"refill_interval_sec={value}",
                "security": security,
                "realized_pnl": pnl,
            }
            for value, pnl in (("5", 1000.0), ("60", -2500.0))
            for security in ("NA", "MODON", "*")
        ]
    )
    panel = Figure().subplots()
    plot_sweep.heat_map(panel, table.filter(pl.col("security") != "*"), "refill_interval_sec")
    assert [text.get_text() for text in panel.texts] == ["1.0", "-2.5", "1.0", "-2.5"]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["MODON", "NA"]
    assert panel.get_xlabel() == "refill interval (s)"
    source, out = tmp_path / "sweep.csv", tmp_path / "sweep.png"
    table.write_csv(source)
    plot_sweep.draw(table=source, strategy="v1_baseline", simulated=True, outs=[out])
    assert is_drawn(out)

"""Metrics against a slow re-implementation that reads like the definitions."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.ticks import closing, engine
from scripts.ticks.backtest import write_trades
from scripts.ticks.metrics import METRICS, closes, fills_frame, read_trades, score

START = datetime(2025, 4, 14, 10)
Fill = tuple[datetime, int, float, bool]  # time, quantity, realised pnl, closes a position
SCHEMA = {
    "timestamp": pl.Datetime("ns"),
    "quantity": pl.Int64,
    "realized_pnl": pl.Float64,
    "closes": pl.Boolean,
}


def frame(fills: Sequence[Fill]) -> pl.DataFrame:
    return pl.DataFrame(list(fills), schema=SCHEMA, orient="row")


def slow_score(fills: Sequence[Fill]) -> dict[str, float | int | None]:
    """The metrics, one plain loop each; None where a formula divides by zero or by nothing."""
    fills = sorted(fills, key=lambda fill: fill[0])
    pnl = [fill[2] for fill in fills]
    by_day: dict[object, float] = {}
    for time, _, gain, _ in fills:
        by_day[time.date()] = by_day.get(time.date(), 0.0) + gain
    daily = list(by_day.values())
    total = peak = drawdown = peak_of_drawdown = 0.0
    for gain in pnl:
        total += gain
        peak = max(peak, total)
        if peak - total > drawdown:
            drawdown, peak_of_drawdown = peak - total, peak
    deviation = statistics.stdev(daily) if len(daily) > 1 else 0.0
    closing_gains = [gain for _, _, gain, closes in fills if closes]
    losses = -sum(gain for gain in pnl if gain < 0)

    def over(numerator: float, denominator: float) -> float | None:
        return numerator / denominator if denominator else None

    return {
        "trades": len(fills),
        "volume": sum(fill[1] for fill in fills),
        "realized_pnl": math.fsum(pnl),
        "days": len(daily),
        "sharpe": over(statistics.fmean(daily) * math.sqrt(252), deviation) if daily else None,
        "max_drawdown": drawdown,
        "max_drawdown_pct": over(100 * drawdown, peak_of_drawdown),
        "calmar": over(statistics.fmean(daily) * 252, drawdown) if daily else None,
        "win_rate_pct": over(100 * sum(gain > 0 for gain in closing_gains), len(closing_gains)),
        "profit_factor": over(sum(gain for gain in pnl if gain > 0), losses),
        "avg_trade_pnl": over(math.fsum(pnl), len(fills)),
    }


def at(day: int, second: int = 0) -> datetime:
    return START + timedelta(days=day, seconds=second)


CASES = {
    "no fills": [],
    "one fill that opens": [(at(0), 10, 0.0, False)],
    "one day": [(at(0), 10, 0.0, False), (at(0, 1), 10, 4.0, True), (at(0, 2), 5, -1.0, True)],
    "all gains": [(at(d), 1, 1.0 + d, True) for d in range(4)],
    "all losses, so the drawdown starts at 0": [(at(d), 1, -1.0 - d, True) for d in range(4)],
    "the same pnl every day": [(at(d), 1, 0.25, True) for d in range(3)],
    "two equal drawdowns from other peaks": [
        (at(0, s), 1, gain, True) for s, gain in enumerate([4.0, -2.0, 6.0, -2.0])
    ],
    "fills out of time order": [(at(1), 1, -5.0, True), (at(0), 1, 8.0, True)],
    "a day of two halves": [
        (at(0), 1, 3.0, True),
        (at(0, 9000), 1, -1.0, True),
        (at(3), 1, 5.0, True),
    ],
}


@pytest.mark.parametrize("name", CASES)
def test_metrics_are_those_of_the_slow_loop(name: str) -> None:
    assert score(frame(CASES[name])) == pytest.approx(slow_score(CASES[name]))


@given(
    st.lists(
        st.tuples(
            st.builds(at, st.integers(0, 6), st.integers(0, 5)),
            st.integers(1, 10_000),
            st.integers(-4000, 4000).map(lambda quarters: quarters / 4),  # sums are exact
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_metrics_of_any_fills_are_those_of_the_slow_loop(fills: list[Fill]) -> None:
    assert score(frame(fills)) == pytest.approx(slow_score(fills))


def test_the_same_pnl_every_day_has_no_sharpe_even_where_its_mean_is_rounded() -> None:
    assert score(frame([(at(d), 1, 0.1, True) for d in range(3)]))["sharpe"] is None


def test_every_metric_is_named_once_and_in_order() -> None:
    assert tuple(score(frame([]))) == METRICS


def test_a_portfolio_is_merged_in_time_not_joined_end_to_end() -> None:
    one = [(at(0, 0), 1, 100.0, True), (at(0, 20), 1, 100.0, True)]
    other = [(at(0, 10), 1, -60.0, True), (at(0, 30), 1, -60.0, True)]
    merged = score(pl.concat([frame(one), frame(other)]))
    assert merged["max_drawdown"] == 60.0  # end to end it would be 120
    assert merged["max_drawdown_pct"] == pytest.approx(60.0)


@pytest.mark.parametrize(("first", "drawdown"), [(50.0, 50.0), (-50.0, 50.0)])
def test_fills_of_one_moment_stay_in_the_order_they_are_given(first, drawdown) -> None:
    fills = [(at(0), 1, first, True), (at(0), 1, -first, True)]
    found = score(frame(fills))
    assert found["max_drawdown"] == drawdown
    assert found["max_drawdown_pct"] == (100.0 if first > 0 else None)  # from a peak of 50, or of 0


def test_a_win_needs_a_closing_fill() -> None:
    fills = [(at(0), 1, -0.5, False), (at(0, 1), 1, 2.0, True), (at(0, 2), 1, -2.0, True)]
    assert score(frame(fills))["win_rate_pct"] == 50.0


@pytest.mark.parametrize(
    ("sign", "quantity", "position", "expected"),
    [
        (1, 10, 10, False),  # opens
        (1, 10, 30, False),  # adds to a long position
        (-1, 10, -30, False),  # adds to a short one
        (-1, 10, 20, True),  # reduces
        (-1, 10, 0, True),  # closes all
        (1, 10, 4, True),  # turns a short position into a long one
    ],
)
def test_a_fill_closes_when_it_was_made_against_the_position(sign, quantity, position, expected):
    row = pl.DataFrame({"sign": [sign], "quantity": [quantity], "position": [position]})
    assert row.select(closes()).item() is expected


def quoting_fills(stamp: int) -> np.ndarray:
    rows = [
        (stamp, 1, 4.37, 100, 0.0, 100, 0.0),
        (stamp, -1, 16.740000000000002, 150, 1e-05, -50, 1e-05),
        (stamp + 10**9, 1, 0.1, 50, -3.5, 0, -3.49999),
    ]
    return np.array(rows, engine.FILLS)


def closing_fills(stamp: int) -> np.ndarray:
    rows = [
        (stamp, -1, 2.5, 40, 0.0, closing.AUCTION_ENTRY, 2.49, -40),
        (stamp + 10**9, 1, 2.4, 15, 1.5, closing.VWAP_EXIT, 2.45, -25),
        (stamp + 2 * 10**9, 1, 2.6, 25, -2.5, closing.STOP_LOSS, 2.5, 0),
    ]
    return np.array(rows, closing.FILLS)


@pytest.mark.parametrize("make", [quoting_fills, closing_fills])
@pytest.mark.parametrize("part_of_second", [0, 250_000_000])
def test_a_trades_csv_reads_back_as_the_fills_it_was_written_from(
    tmp_path: Path, make, part_of_second: int
) -> None:
    fills = make(20_192 * 86_400 * 10**9 + 36_000 * 10**9 + part_of_second)
    write_trades(fills, "X", tmp_path / "trades.csv")
    read = read_trades(tmp_path / "trades.csv")
    expected = fills_frame(fills)
    assert read.select(sorted(read.columns)).equals(expected.select(sorted(expected.columns)))


@pytest.mark.parametrize("make", [quoting_fills, closing_fills])
def test_a_trades_csv_without_fills_scores_as_no_trade(tmp_path: Path, make) -> None:
    write_trades(make(0)[:0], "X", tmp_path / "trades.csv")
    assert score(read_trades(tmp_path / "trades.csv")) == score(frame([]))

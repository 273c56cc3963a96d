"""Ticks of the exchanges, and the notional of a security without a configured one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.ticks.closing import round_tick, tick_size
from scripts.ticks.engine import AUCTION, CLOSE, DAY, TRADE
from scripts.ticks.events import Events
from scripts.ticks.strategies.closing_strategy import default_notional
from tests.unit.ticks import streams

ADX, DFM = False, True
TABLES = {
    ADX: ((1, 0.001), (10, 0.01), (50, 0.02), (100, 0.05), (float("inf"), 0.1)),
    DFM: ((1, 0.001), (10, 0.01), (float("inf"), 0.05)),
}


def table_tick(price: float, exchange: bool) -> float:
    return next(tick for below, tick in TABLES[exchange] if price < below)


@pytest.mark.parametrize(
    ("price", "adx", "dfm"),
    [
        (0.001, 0.001, 0.001),
        (0.999, 0.001, 0.001),
        (1.0, 0.01, 0.01),
        (9.99, 0.01, 0.01),
        (10.0, 0.02, 0.05),
        (49.98, 0.02, 0.05),
        (50.0, 0.05, 0.05),
        (99.95, 0.05, 0.05),
        (100.0, 0.1, 0.05),
        (5000.0, 0.1, 0.05),
    ],
)
def test_the_tick_changes_at_the_borders_of_each_exchange(price, adx, dfm) -> None:
    assert (tick_size(price, ADX), tick_size(price, DFM)) == (adx, dfm)


@pytest.mark.parametrize("exchange", [ADX, DFM])
@pytest.mark.parametrize("border", [1.0, 10.0, 50.0, 100.0])
def test_the_largest_price_below_a_border_still_has_the_lower_tick(border, exchange) -> None:
    below = float(np.nextafter(border, 0.0))
    assert tick_size(below, exchange) == table_tick(below, exchange)


@pytest.mark.parametrize(
    ("price", "exchange", "rounded"),
    [
        (16.74, ADX, 16.740000000000002),  # 837 * 0.02, without decimal clean-up
        (16.731, ADX, 16.740000000000002),
        (16.74, DFM, 16.75),
        (0.0005, ADX, 0.0),  # a tie goes to the even multiple
        (0.0015, ADX, 0.002),
        (0.0025, ADX, 0.002),
        (9.999, ADX, 10.0),  # the tick is that of the price before rounding
    ],
)
def test_a_price_is_rounded_to_the_nearest_multiple(price, exchange, rounded) -> None:
    assert round_tick(price, exchange) == rounded


@given(st.floats(0.0001, 1000.0), st.sampled_from([ADX, DFM]))
def test_rounding_has_the_bits_of_pythons_formula(price: float, exchange: bool) -> None:
    tick = table_tick(price, exchange)
    assert round_tick(price, exchange) == round(price / tick) * tick


def pandas_notional(events: Events) -> int:
    """Spec 2: int(0.20 * median daily volume * median daily mean price) of the late trades."""
    frame = pd.DataFrame(events._asdict())
    clock = frame["timestamp"] % DAY
    late = frame[(frame["kind"] == TRADE) & (clock >= AUCTION) & (clock < CLOSE + DAY // 96)]
    days = late.groupby(late["timestamp"] // DAY)
    return int(0.20 * days["volume"].sum().median() * days["price"].mean().median())


@pytest.mark.parametrize("seed", range(8))
def test_the_default_notional_is_that_of_pandas(seed: int) -> None:
    phases = streams.CLOSING_PHASES
    events = streams.arrays(streams.stream([4, seed], days=9, rows=100, phases=phases))
    assert default_notional(events) == pandas_notional(events) > 0


def late_trades(*rows: tuple[int, str, float, int]) -> Events:
    """Trades from (day, time, price, volume)."""
    return streams.arrays(
        [
            (streams.FIRST_DAY + day * DAY + streams.clock(time) * streams.SECOND, "TRADE", *rest)
            for day, time, *rest in rows
        ]
    )


def test_the_default_notional_counts_trades_from_1455_to_before_1500() -> None:
    inside = [(0, "14:55:00", 2.0, 100), (0, "14:59:59", 4.0, 300)]
    outside = [(0, "14:54:59", 90.0, 9000), (0, "15:00:00", 90.0, 9000)]
    assert default_notional(late_trades(*inside, *outside)) == int(0.20 * 400 * 3.0)


def test_days_without_late_trades_do_not_lower_the_medians() -> None:
    rows = [(0, "14:56:00", 10.0, 100), (1, "12:00:00", 10.0, 100), (2, "14:56:00", 10.0, 300)]
    assert default_notional(late_trades(*rows)) == int(0.20 * 200 * 10.0)


@pytest.mark.parametrize("rows", [[], [(0, "12:00:00", 10.0, 100)]])
def test_without_late_trades_the_default_notional_is_zero(rows) -> None:
    assert default_notional(late_trades(*rows)) == 0


def test_quotes_do_not_count_towards_the_default_notional() -> None:
    trade = late_trades((0, "14:56:00", 10.0, 100))
    quote = trade._replace(kind=np.zeros(1, np.uint8), volume=trade.volume * 50)
    both = Events(*(np.concatenate(pair) for pair in zip(trade, quote, strict=True)))
    assert default_notional(both) == default_notional(trade) == 200

"""Hand-made days: what a rule of the spec, or one fix, does to a handful of events."""

from __future__ import annotations

import pytest

from tests.unit.ticks.against_oracle import CLOSING, run_both
from tests.unit.ticks.streams import DAY, FIRST_DAY, SECOND, Event, clock

V1, V2, V21, V3 = (
    "v1_baseline",
    "v2_price_follow_qty_cooldown",
    "v2_1_stop_loss",
    "v3_liquidity_monitor",
)
QUOTING = {
    "max_notional": None,
    "max_position": 1000,
    "min_local_currency_before_quote": 0,
    "quote_size": 100,
    "refill_interval_sec": 60,
    "stop_loss_threshold_pct": 2.0,
}
AUCTION = {
    "exchange": "DFM",
    "peer_exchange": "ADX",
    "max_notional": None,
    "order_notional": 1000.0,
    "spread_vwap_pct": 0.0,
    "stop_loss_threshold_pct": 2.0,
    "vwap_preclose_period_min": 15,
} | {
    f"trend_filter_{side}_{what}": value
    for side in ("buy", "sell")
    for what, value in (("enabled", False), ("threshold_bps_hr", 10.0))
}


def events(text: str) -> list[Event]:
    """Events from lines `[day+]HH:MM:SS KIND price volume`; no day: that of the line before."""
    found, day = [], 0
    for line in filter(None, map(str.strip, text.splitlines())):
        time, kind, price, volume = line.split()
        if "+" in time:
            number, time = time.split("+")
            day = int(number)
        stamp = FIRST_DAY + day * DAY + clock(time) * SECOND
        found.append((stamp, kind, float(price), int(volume)))
    return found


def fills(strategy: str, text: str, *fixes: str, latency_ticks: int = 0, **changed: object) -> list:
    """(time of day, +1 or -1 times shares, price) of each fill; the oracle agrees."""
    parameters = {**(AUCTION if strategy == CLOSING else QUOTING), **changed}
    found = run_both(
        strategy, events(text), parameters, fixes=fixes, latency_ticks=latency_ticks
    ).fills
    rows = []
    for fill in found:
        seconds = int(fill["timestamp"] % DAY // SECOND)
        time = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        rows.append((time, int(fill["side"] * fill["quantity"]), float(fill["price"])))
    return rows


BOOK = """
    10:06:00 BID 10.0 50
    10:06:00 ASK 10.2 50
"""


@pytest.mark.parametrize("strategy", [V1, V2, V21])
def test_shares_ahead_in_the_queue_trade_first(strategy: str) -> None:
    assert fills(strategy, BOOK + "10:06:01 TRADE 10.0 50") == []
    assert fills(strategy, BOOK + "10:06:01 TRADE 10.0 80") == [("10:06:01", 30, 10.0)]


@pytest.mark.parametrize("strategy", [V1, V2, V21, V3])
@pytest.mark.parametrize(("minimum", "quotes"), [(500, True), (500.01, False)])
def test_a_side_is_quoted_from_the_minimum_value_on(strategy, minimum, quotes) -> None:
    found = fills(
        strategy, BOOK + "10:06:01 TRADE 10.0 80", min_local_currency_before_quote=minimum
    )
    assert bool(found) is quotes


@pytest.mark.parametrize("strategy", [V1, V2, V21, V3])
def test_a_day_counts_when_a_side_was_quoted_even_at_yesterdays_price(strategy) -> None:
    days = "0+11:00:00 BID 10.0 50\n1+11:00:00 BID 10.0 50\n2+11:00:00 TRADE 11.0 50"
    counts = run_both(strategy, events(days), QUOTING).counts
    assert (counts["strategy_dates"], counts["market_dates"]) == (2, 1)


def test_v3_goes_to_the_end_of_the_queue_on_every_event() -> None:
    twice = BOOK + "10:06:01 TRADE 10.0 50\n10:06:02 TRADE 10.0 60"
    assert fills(V3, twice) == [("10:06:02", 10, 10.0)]
    assert fills(V2, twice) == [("10:06:02", 60, 10.0)]


@pytest.mark.parametrize(("strategy", "quotes"), [(V1, True), (V2, True), (V21, True), (V3, False)])
def test_only_v3_is_silent_until_1005(strategy: str, quotes: bool) -> None:
    early = "10:00:00 BID 10.0 50\n10:04:59 TRADE 10.0 80"
    assert bool(fills(strategy, early)) is quotes


@pytest.mark.parametrize(("fix", "price"), [((), 9.9), (("fill_at_quote",), 10.0)])
def test_a_fill_is_at_the_trade_price_or_with_the_fix_at_our_quote(fix, price) -> None:
    assert fills(V1, BOOK + "10:06:01 TRADE 9.9 80", *fix) == [("10:06:01", 30, price)]


CROSSED = """
    10:06:00 BID 10.2 10
    10:06:01 BID 0.0 0
    10:06:02 ASK 10.0 10
    10:06:03 TRADE 10.1 60
"""


def test_a_crossed_pair_uses_a_trades_volume_twice_and_the_ask_first() -> None:
    assert fills(V1, CROSSED) == [("10:06:03", -50, 10.1), ("10:06:03", 50, 10.1)]


def test_shared_volume_goes_to_the_ask_and_its_rest_to_the_bid() -> None:
    assert fills(V1, CROSSED, "share_volume") == [("10:06:03", -50, 10.1)]
    more = CROSSED.replace("TRADE 10.1 60", "TRADE 10.1 140")
    expected = [("10:06:03", -100, 10.1), ("10:06:03", 20, 10.1)]
    assert fills(V1, more, "share_volume") == expected


def test_of_a_crossed_pair_the_older_quote_is_withdrawn() -> None:
    assert fills(V1, CROSSED, "no_self_cross") == [("10:06:03", -50, 10.1)]


OVERNIGHT = """
    0+14:00:00 BID 10.0 50
    1+10:30:00 TRADE 9.0 500
"""


@pytest.mark.parametrize(("fix", "expected"), [((), [450]), (("reset_daily",), [])])
def test_a_quote_outlives_the_day_unless_it_is_reset(fix, expected) -> None:
    assert [shares for _, shares, _ in fills(V1, OVERNIGHT, *fix, quote_size=450)] == expected


@pytest.mark.parametrize(("fix", "expected"), [((), []), (("reset_daily",), ["10:30:01"])])
def test_a_timer_outlives_the_day_unless_it_is_reset(fix, expected) -> None:
    """On the first day the order fills, on the second the side waits for its timer."""
    two_days = """
        0+10:00:00 BID 10.0 10
        10:00:01 TRADE 10.0 500
        14:55:00 TRADE 10.0 1
        1+10:30:00 BID 10.0 10
        10:30:01 TRADE 10.0 500
    """
    found = fills(V1, two_days, *fix, refill_interval_sec=10 * 86_400)
    assert [time for time, shares, _ in found[2:] if shares > 0] == expected


def test_the_position_is_flattened_at_the_first_trade_from_1455_on() -> None:
    day = (
        BOOK
        + "10:06:01 TRADE 10.0 80\n14:54:59 TRADE 9.0 5\n14:55:00 BID 1.0 5\n15:00:20 TRADE 8.0 0"
    )
    assert fills(V1, day) == [("10:06:01", 30, 10.0), ("15:00:20", -30, 8.0)]


def test_a_print_without_volume_flattens_nothing_with_the_fix() -> None:
    day = BOOK + "10:06:01 TRADE 10.0 80\n14:55:00 TRADE 9.0 0\n14:55:09 TRADE 8.0 1"
    assert fills(V1, day)[-1] == ("14:55:00", -30, 9.0)
    assert fills(V1, day, "ignore_zero_prints")[-1] == ("14:55:09", -30, 8.0)


def test_latency_keeps_a_new_quote_from_the_next_events() -> None:
    day = (
        "10:06:00 BID 10.0 0\n10:06:00 BID 10.0 10\n10:06:01 TRADE 10.0 30\n10:06:02 TRADE 10.0 30"
    )
    assert fills(V1, day) == [("10:06:01", 20, 10.0), ("10:06:02", 30, 10.0)]
    assert fills(V1, day, latency_ticks=2) == [("10:06:02", 20, 10.0)]


@pytest.mark.parametrize(
    ("strategy", "fix", "limit"),
    [(V1, (), 20), (V2, (), 100), (V2, ("enforce_max_notional",), 20)],
)
def test_max_notional_limits_v1_and_with_the_fix_all(strategy, fix, limit) -> None:
    day = "10:06:00 BID 10.0 10\n10:06:01 TRADE 10.0 500"
    assert fills(strategy, day, *fix, max_notional=209.0) == [("10:06:01", limit, 10.0)]


STOPPED = """
    10:06:00 BID 10.0 10
    10:06:00 ASK 10.1 900
    10:06:01 TRADE 10.0 110
    10:07:00 BID 9.0 30
    10:07:01 ASK 10.1 900
    10:07:02 ASK 10.1 900
    10:07:03 ASK 10.1 900
"""


def test_a_stop_loss_takes_the_same_shown_depth_on_every_event() -> None:
    sold = [("10:07:00", -30, 9.0), ("10:07:01", -30, 9.0), ("10:07:02", -30, 9.0)]
    assert fills(V21, STOPPED)[1:] == [*sold, ("10:07:03", -10, 9.0)]


def test_a_stop_loss_takes_shown_depth_once_with_the_fix() -> None:
    assert fills(V21, STOPPED, "stop_depth_once")[1:] == [("10:07:00", -30, 9.0)]


@pytest.mark.parametrize(("threshold", "stops"), [(2.0, True), (5.0, False)])
def test_a_stop_loss_starts_below_its_threshold(threshold: float, stops: bool) -> None:
    found = fills(V21, STOPPED, stop_loss_threshold_pct=threshold)  # the mid lost 4.5 %
    assert (len(found) > 1) is stops


STILL_STOPPING = """
    0+10:06:00 BID 10.0 10
    10:06:00 ASK 10.1 900
    10:06:01 TRADE 10.0 110
    10:07:00 BID 9.0 30
    14:55:00 TRADE 9.5 1
    1+10:00:00 BID 9.2 50
    10:00:01 BID 9.2 50
"""


def test_a_running_stop_loss_outlives_the_flatten_and_sells_short_next_morning() -> None:
    first_day = [("10:06:01", 100, 10.0), ("10:07:00", -30, 9.0), ("14:55:00", -70, 9.5)]
    next_day = [("10:00:00", -50, 9.2), ("10:00:01", -20, 9.2)]
    assert fills(V21, STILL_STOPPING) == first_day + next_day
    assert fills(V21, STILL_STOPPING, "reset_daily") == first_day


# The closing auction: VWAP 10.03, so both orders are at 10.02 (ADX) or 10.05 (DFM).
CROSS = """
    0+14:40:00 TRADE 10.03 500
    14:50:00 BID 10.0 5
    14:55:00 TRADE 10.0 0
    14:55:01 TRADE 10.0 300
    14:59:00 TRADE 10.0 400
    1+10:30:00 BID 9.0 40
    10:30:01 BID 9.0 40
    11:00:00 TRADE 10.05 20
    14:55:00 TRADE 9.9 100
    2+10:00:00 BID 9.0 1
"""
NO_STOP = {"stop_loss_threshold_pct": 50.0}


@pytest.mark.parametrize(
    ("fixes", "shares", "time"),
    [
        ((), 70, "14:55:00"),  # a tenth of all volume from 14:55 on
        (("cross_volume",), 0, None),  # the print without volume is the cross
        (("ignore_zero_prints",), 70, "14:55:01"),
        (("cross_volume", "ignore_zero_prints"), 30, "14:55:01"),
    ],
)
def test_auction_fills_are_limited_by_the_volume(fixes, shares, time) -> None:
    entries = [(time, shares, 10.0)] if shares else []
    assert fills(CLOSING, CROSS, *fixes, **NO_STOP)[:1] == entries


def test_the_position_leaves_at_the_vwap_and_the_rest_at_the_next_close() -> None:
    found = fills(CLOSING, CROSS, **NO_STOP)
    assert found[1:] == [("11:00:00", -20, 10.05), ("14:55:00", -50, 9.9)]


@pytest.mark.parametrize(
    ("fixes", "price"),
    [((), 10.05), (("fill_at_quote",), 501 * 0.02), (("fill_at_quote", "true_exchange"), 10.05)],
)
def test_an_exit_is_at_the_trade_or_at_our_price_on_the_exchanges_grid(fixes, price) -> None:
    assert fills(CLOSING, CROSS, *fixes, **NO_STOP)[1] == ("11:00:00", -20, price)


@pytest.mark.parametrize(
    ("fixes", "sold"),
    [((), [-70]), (("stop_depth_once",), [-40, -30])],
)
def test_a_closing_stop_loss_leaves_at_the_bid_or_takes_its_depth_once(fixes, sold) -> None:
    stopped = [shares for time, shares, _ in fills(CLOSING, CROSS, *fixes) if time < "10:31:00"]
    assert stopped == sold


@pytest.mark.parametrize(
    ("trades", "threshold", "filtered"),
    [(10, 10.0, 1), (10, 1e9, 0), (9, 10.0, 0)],  # below ten trades there is no trend
)
def test_a_sell_order_is_not_placed_against_a_rising_trend(trades, threshold, filtered) -> None:
    rising = [f"0+13:{minute:02}:00 TRADE {9 + minute / 60:.2f} 10" for minute in range(trades - 1)]
    changed = {"trend_filter_sell_enabled": True, "trend_filter_sell_threshold_bps_hr": threshold}
    found = run_both(CLOSING, events("\n".join(rising) + CROSS), {**AUCTION, **changed})
    assert found.counts["filtered_sell"] == filtered


def unrealized(strategy: str, text: str, **changed: object) -> float:
    parameters = {**(AUCTION if strategy == CLOSING else QUOTING), **changed}
    return run_both(strategy, events(text), parameters).counts["unrealized_pnl"]


def test_the_open_position_is_valued_at_the_last_trade_inside_trading_hours() -> None:
    day = BOOK + "10:06:01 TRADE 10.0 80\n14:44:59 TRADE 10.5 0\n14:45:00 TRADE 99.0 5"
    assert unrealized(V1, day) == pytest.approx(30 * 0.5)
    assert unrealized(V1, BOOK) == 0.0


def test_the_open_position_of_the_closing_strategy_is_valued_at_any_last_trade() -> None:
    day_one = CROSS.split("1+")[0] + "1+09:00:00 TRADE 10.5 5"
    assert unrealized(CLOSING, day_one) == pytest.approx(70 * 0.5)

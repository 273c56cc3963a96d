"""v2.1: v2, and a position that loses more than a threshold is sold into the book first."""

from __future__ import annotations

from collections.abc import Mapping

from scripts.ticks import market_making
from scripts.ticks.engine import (
    FILLS_PER_EVENT,
    TRADE,
    begin,
    check_quotes,
    compiled,
    fill,
    inlined,
    match,
)
from scripts.ticks.events import Events, Outcome
from scripts.ticks.strategies.v2_price_follow_qty_cooldown import follow

PARAMETERS = (
    "max_notional",
    "max_position",
    "min_local_currency_before_quote",
    "quote_size",
    "quote_size_ask",
    "quote_size_bid",
    "refill_interval_sec",
    "stop_loss_threshold_pct",
)
FIXES = (
    "enforce_max_notional",
    "fill_at_quote",
    "ignore_zero_prints",
    "no_self_cross",
    "reset_daily",
    "share_volume",
    "stable_order",
    "stop_depth_once",
)
COSTS = ("fee_bps", "latency_ticks")


def simulate(events: Events, parameters: Mapping) -> Outcome:
    """Replay `events` with `parameters`; see `market_making.simulate`."""
    return market_making.simulate(run, events, parameters)


@inlined
def losing(s, b, a, p):
    """Whether the open position, marked at the mid, has lost more than the threshold."""
    if s.position == 0 or b.depth <= 0 or a.depth <= 0:
        return False
    cost = abs(s.cost)
    if cost < 1e-6:
        return False
    gain = ((b.best + a.best) / 2.0 - s.average_cost) * s.position
    if gain * 100.0 > -0.999 * p.stop_loss_pct * cost:  # far off: spare the division
        return False
    return gain / cost * 100.0 < -p.stop_loss_pct


@compiled
def liquidate(s, b, a, ts, p, fills):
    """Go on with the stop-loss at the best price of the book. Returns whether all is traded."""
    level, own = (b, a) if s.stop_sells else (a, b)
    available = level.depth - level.taken if p.stop_depth_once else level.depth
    if available <= 0:
        return False
    quantity = min(s.stopping, available)
    fill(s, own, level.best, quantity, ts, p, fills)
    level.taken += quantity
    s.stopping -= quantity
    return s.stopping == 0


@compiled
def run(timestamp, kind, price, volume, p, s, b, a, fills):
    """Replay the events from `s.next` on; stop early when `fills` may not hold one event more."""
    for i in range(s.next, len(timestamp)):
        if s.trades + FILLS_PER_EVENT > len(fills):
            s.next = i
            return
        ts = timestamp[i]
        if begin(s, b, a, ts, kind[i], price[i], volume[i], p, fills):
            if s.stopping == 0 and losing(s, b, a, p):
                s.stopping, s.stop_sells = abs(s.position), s.position > 0
            if s.stopping != 0 and not liquidate(s, b, a, ts, p, fills):
                continue
            follow(s, b, b, a, ts, p)
            follow(s, a, b, a, ts, p)
            check_quotes(b, a, p)
            if kind[i] == TRADE:
                match(s, b, a, ts, price[i], volume[i], p, fills)
    s.next = len(timestamp)

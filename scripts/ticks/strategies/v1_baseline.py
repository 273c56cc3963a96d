"""v1: quote at the best price of each side and stay there until the refill timer runs out."""

from __future__ import annotations

from collections.abc import Mapping

from scripts.ticks import market_making
from scripts.ticks.engine import (
    FILLS_PER_EVENT,
    TRADE,
    begin,
    check_quotes,
    compiled,
    match,
    place,
    position_limit,
    stand_aside,
)
from scripts.ticks.events import Events, Outcome

PARAMETERS = (
    "max_notional",
    "max_position",
    "min_local_currency_before_quote",
    "quote_size",
    "quote_size_ask",
    "quote_size_bid",
    "refill_interval_sec",
)
FIXES = (
    "fill_at_quote",
    "ignore_zero_prints",
    "no_self_cross",
    "reset_daily",
    "share_volume",
    "stable_order",
)
COSTS = ("fee_bps", "latency_ticks")


def simulate(events: Events, parameters: Mapping) -> Outcome:
    """Replay `events` with `parameters`; see `market_making.simulate`."""
    return market_making.simulate(run, events, parameters)


@compiled
def refill(s, side, b, a, ts, p):
    """Place a fresh order on a side whose timer has run out. A refusal leaves the timer alone."""
    size = min(side.quote_size, position_limit(s, b, a, p) - side.sign * s.position)
    if side.best * side.depth >= p.min_local_currency and size > 0:
        place(s, side, size)
        side.timer = ts
    else:
        stand_aside(side, side.depth)


@compiled
def run(timestamp, kind, price, volume, p, s, b, a, fills):
    """Replay the events from `s.next` on; stop early when `fills` may not hold one event more."""
    for i in range(s.next, len(timestamp)):
        if s.trades + FILLS_PER_EVENT > len(fills):
            s.next = i
            return
        ts = timestamp[i]
        if begin(s, b, a, ts, kind[i], price[i], volume[i], p, fills):
            if b.depth > 0 and ts - b.timer >= p.interval:
                refill(s, b, b, a, ts, p)
            if a.depth > 0 and ts - a.timer >= p.interval:
                refill(s, a, b, a, ts, p)
            check_quotes(b, a, p)
            if kind[i] == TRADE:
                match(s, b, a, ts, price[i], volume[i], p, fills)
    s.next = len(timestamp)

"""v3: v2 that quotes only from 10:05 on and gives up its place in the queue on every event.

Its author abandoned it; it is kept because its results are compared with.
"""

from __future__ import annotations

from collections.abc import Mapping

from scripts.ticks import market_making
from scripts.ticks.engine import (
    FILLS_PER_EVENT,
    MINUTE,
    OPEN,
    TRADE,
    begin,
    check_quotes,
    compiled,
    inlined,
    match,
    place,
    stand_aside,
)
from scripts.ticks.events import Events, Outcome
from scripts.ticks.strategies.v2_price_follow_qty_cooldown import order_size

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
    "enforce_max_notional",
    "fill_at_quote",
    "ignore_zero_prints",
    "no_self_cross",
    "reset_daily",
    "share_volume",
    "stable_order",
)
COSTS = ("fee_bps", "latency_ticks")
QUIET = OPEN + 5 * MINUTE


def simulate(events: Events, parameters: Mapping) -> Outcome:
    """Replay `events` with `parameters`; see `market_making.simulate`."""
    return market_making.simulate(run, events, parameters)


@inlined
def monitor(s, side, b, a, ts, p):
    """Quote one side where it is liquid enough, always at the end of the queue."""
    if side.depth > 0:
        size = order_size(s, side, b, a, ts, p)
        liquid = side.best * side.depth >= p.min_local_currency
        if liquid and size > 0 and ts - s.day >= QUIET:
            placed = side.placed if side.quote == side.best else s.event
            place(s, side, size)
            side.placed = placed
        else:
            stand_aside(side, 0)


@compiled
def run(timestamp, kind, price, volume, p, s, b, a, fills):
    """Replay the events from `s.next` on; stop early when `fills` may not hold one event more."""
    for i in range(s.next, len(timestamp)):
        if s.trades + FILLS_PER_EVENT > len(fills):
            s.next = i
            return
        ts = timestamp[i]
        if begin(s, b, a, ts, kind[i], price[i], volume[i], p, fills):
            monitor(s, b, b, a, ts, p)
            monitor(s, a, b, a, ts, p)
            check_quotes(b, a, p)
            if kind[i] == TRADE:
                match(s, b, a, ts, price[i], volume[i], p, fills)
    s.next = len(timestamp)

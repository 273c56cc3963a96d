"""v2: follow the best price on every event; after a fill only the rest is quoted for a while."""

from __future__ import annotations

from collections.abc import Mapping

from scripts.ticks import market_making
from scripts.ticks.engine import (
    FILLS_PER_EVENT,
    TRADE,
    begin,
    check_quotes,
    compiled,
    count_day,
    inlined,
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
    "enforce_max_notional",
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


@inlined
def order_size(s, side, b, a, ts, p):
    """Shares to quote: the full size, in the cool-down after a fill the rest, within the limit.

    The peer computes a limit by notional and ignores it; the realistic mode enforces it.
    """
    wanted = side.rem if ts - side.timer < p.interval else side.quote_size
    limit = position_limit(s, b, a, p) if p.enforce_max_notional else p.max_position
    return min(wanted, limit - side.sign * s.position)


@inlined
def follow(s, side, b, a, ts, p):
    """Quote one side at its best price; at an unchanged price the place in the queue is kept."""
    if side.depth > 0:
        size = order_size(s, side, b, a, ts, p)
        if side.best * side.depth >= p.min_local_currency and size > 0:
            if side.order != side.best:
                place(s, side, size)
            else:
                if side.quote == 0.0:
                    side.placed = s.event
                side.quote, side.rem = side.best, size
                count_day(s)
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
            follow(s, b, b, a, ts, p)
            follow(s, a, b, a, ts, p)
            check_quotes(b, a, p)
            if kind[i] == TRADE:
                match(s, b, a, ts, price[i], volume[i], p, fills)
    s.next = len(timestamp)

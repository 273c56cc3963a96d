"""Closing auction: enter at the cross around the late VWAP, leave at the VWAP on the next day."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scripts.ticks import closing
from scripts.ticks.closing import (
    FILLS_PER_EVENT,
    STOP_FROM,
    STOP_TO,
    VWAP_EXIT,
    add_trend,
    close_auction,
    leave,
    place_orders,
    settle,
    stop_loss,
)
from scripts.ticks.engine import (
    AUCTION,
    CLOSE,
    DAY,
    MINUTE,
    NEVER,
    OPEN,
    TRADE,
    compiled,
)
from scripts.ticks.events import Events, Outcome, grow

PARAMETERS = (
    "exchange",
    "max_notional",
    "order_notional",
    "peer_exchange",
    "spread_vwap_pct",
    "stop_loss_threshold_pct",
    "trend_filter_buy_enabled",
    "trend_filter_buy_threshold_bps_hr",
    "trend_filter_sell_enabled",
    "trend_filter_sell_threshold_bps_hr",
    "vwap_preclose_period_min",
)
FIXES = (
    "cross_volume",
    "enforce_max_notional",
    "fill_at_quote",
    "ignore_zero_prints",
    "reset_daily",
    "stable_order",
    "stop_depth_once",
    "true_exchange",
)
COSTS = ("fee_bps",)


def simulate(events: Events, parameters: Mapping) -> Outcome:
    """Replay `events`, sorted by time, through the strategy.

    Args:
        events: in file order, rows of price 0 included.
        parameters: `PARAMETERS`, `fee_bps` and the fixes that are on (`fill_at_quote: True`, ...).
            An `order_notional` of None means `default_notional`.

    Returns:
        fills in execution order (`closing.FILLS`) and the run's counts.
    """
    notional, limit = parameters["order_notional"], parameters["max_notional"]
    if notional is None:
        notional = default_notional(events)
    if parameters.get("enforce_max_notional") and limit is not None:
        notional = min(notional, limit)
    p = np.zeros(1, closing.PARAMETERS)
    p["vwap_period"] = round(parameters["vwap_preclose_period_min"] * MINUTE)
    p["spread_pct"] = parameters["spread_vwap_pct"]
    p["notional"] = notional
    p["stop_loss_pct"] = parameters["stop_loss_threshold_pct"]
    for side in ("buy", "sell"):
        p[f"filter_{side}"] = parameters[f"trend_filter_{side}_enabled"]
        p[f"filter_{side}_bps_hr"] = parameters[f"trend_filter_{side}_threshold_bps_hr"]
    exchange = parameters["exchange" if parameters.get("true_exchange") else "peer_exchange"]
    p["dfm_ticks"] = {"ADX": False, "DFM": True}[exchange]
    p["fee"] = parameters.get("fee_bps", 0.0) / 10_000
    for name in (
        "fill_at_quote",
        "reset_daily",
        "ignore_zero_prints",
        "stop_depth_once",
        "cross_volume",
    ):
        p[name] = parameters.get(name, False)
    events = events.sorted("stable" if parameters.get("stable_order") else "quicksort")

    state = np.zeros(1, closing.STATE)
    state["day"] = state["market_day"] = state["strategy_day"] = state["close_time"] = NEVER
    if len(events.timestamp):
        state["last_day"] = events.timestamp[-1] - events.timestamp[-1] % DAY
    s = state[0]
    fills = grow(run, events, (p[0], s), np.empty(1 << 12, closing.FILLS))
    counts = {
        "position": int(s["position"]),
        "market_dates": int(s["market_days"]),
        "strategy_dates": int(s["strategy_days"]),
        "unrealized_pnl": float((s["last_price"] - s["entry"]) * s["position"]) + 0.0,
        "filtered_sell": int(s["filtered_sell"]),
        "filtered_buy": int(s["filtered_buy"]),
    }
    return Outcome(fills, counts)


def default_notional(events: Events) -> int:
    """The peer's order notional for a security without one (spec 2), in currency.

    A fifth of the median daily closing-auction volume (trades in [14:55, 15:00)) at the median
    daily mean price of those trades, over the days that have one; 0 without any.
    """
    clock = events.timestamp % DAY
    late = (events.kind == TRADE) & (clock >= AUCTION) & (clock < CLOSE + 15 * MINUTE)
    days, day = np.unique(events.timestamp[late] // DAY, return_inverse=True)
    if not len(days):
        return 0
    volume = np.bincount(day, events.volume[late])
    price = np.bincount(day, events.price[late]) / np.bincount(day)
    return int(0.20 * np.median(volume) * np.median(price))


@compiled
def start_day(s, ts, p, fills):
    """Settle the day before and forget its sums and auction orders; the exit order stays."""
    if s.close_time != NEVER:
        settle(s, p, fills)
    s.close_time = NEVER
    s.placed = False
    s.buy_quantity = s.sell_quantity = 0
    s.sum_pv = s.sx = s.sy = s.sxy = s.sxx = 0.0
    s.sum_v = s.n = s.auction_volume = s.cross_volume = 0
    if p.reset_daily:
        for k in range(2):
            s.best[k] = 0.0
            s.depth[k] = s.taken[k] = 0
    s.day = ts - ts % DAY


@compiled
def run(timestamp, kind, price, volume, p, s, fills):
    """Replay the events from `s.next` on; stop early when `fills` may not hold one event more."""
    for i in range(s.next, len(timestamp)):
        if s.trades + 2 * FILLS_PER_EVENT > len(fills):
            s.next = i
            return
        ts, px, size = timestamp[i], price[i], volume[i]
        traded = kind[i] == TRADE
        if ts < s.day or ts - s.day >= DAY:
            start_day(s, ts, p, fills)
        clock = ts - s.day
        regular = OPEN <= clock < CLOSE
        if px > 0.0:
            if not traded:
                s.best[kind[i]], s.depth[kind[i]], s.taken[kind[i]] = px, size, 0
            else:
                s.last_price = px
                if s.market_day != s.day:
                    s.market_day = s.day
                    s.market_days += 1
        if traded and regular:
            add_trend(s, clock, px)
        if STOP_FROM <= clock < STOP_TO and s.position != 0 and s.entry > 0.0:
            stop_loss(s, ts, p, fills)
        if traded and regular and s.exit_left > 0 and s.day >= s.exit_day:
            reached = px >= s.exit_price if s.exit_sign < 0 else px <= s.exit_price
            quantity = min(s.exit_left, size)
            if reached and quantity > 0:
                at = s.exit_price if p.fill_at_quote else px
                leave(s, ts, at, quantity, VWAP_EXIT, p, fills)
        in_vwap = CLOSE - p.vwap_period <= clock < CLOSE
        if traded and in_vwap and not s.placed and size > 0 and px > 0.0:
            s.sum_pv += px * size
            s.sum_v += size
        may_place = CLOSE <= clock < AUCTION and not s.placed and s.day != s.last_day
        if may_place and s.exit_left == 0 and s.sum_v > 0:
            place_orders(s, ts, p)
        if traded and clock >= AUCTION:
            close_auction(s, ts, px, size, p)
    if s.close_time != NEVER:
        settle(s, p, fills)
        s.close_time = NEVER
    s.next = len(timestamp)

"""The compiled market-making engine that every quoting strategy shares.

A strategy owns its event loop (`scripts/ticks/strategies/*.py`) and calls, in this order: `begin`
(calendar, end of day, hours, book), its own quoting rule, `check_quotes`, `match`. The order of the
floating point operations is part of the contract: in parity mode every trade equals the peer's to
the last bit. Each departure of the realistic mode hangs on one switch of `PARAMETERS`.

Prices are float64 in the security's currency, volumes int64 in shares, times int64 nanoseconds
since the epoch in the exchange's local time. `s` is a `STATE` record, `b` and `a` are the `SIDE`
records of bid and ask, `p` is a `PARAMETERS` record, `fills` an array of `FILLS`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

BID, ASK, TRADE = 0, 1, 2
NEVER = -(2**62)  # a time so early that any waiting time since then is over
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
OPEN, CLOSE, AUCTION = 10 * HOUR, 14 * HOUR + 45 * MINUTE, 14 * HOUR + 55 * MINUTE

PARAMETERS = np.dtype(
    [
        ("interval", np.int64),
        ("max_position", np.int64),
        ("max_notional", np.float64),
        ("min_local_currency", np.float64),
        ("stop_loss_pct", np.float64),
        ("fee", np.float64),
        ("latency", np.int64),
        ("fill_at_quote", np.bool_),
        ("reset_daily", np.bool_),
        ("share_volume", np.bool_),
        ("no_self_cross", np.bool_),
        ("ignore_zero_prints", np.bool_),
        ("stop_depth_once", np.bool_),
        ("enforce_max_notional", np.bool_),
    ]
)

SIDE = np.dtype(
    [
        ("sign", np.int64),  # +1 bid: our fills buy, -1 ask: they sell
        ("quote_size", np.int64),
        ("best", np.float64),  # best price of the book
        ("depth", np.int64),  # shares shown there; 0: this side of the book is empty
        ("taken", np.int64),  # of them, already taken by our stop-loss
        ("quote", np.float64),  # our live quote; 0: none
        ("order", np.float64),  # price our order was placed at; 0: none
        ("ahead", np.int64),  # shares queueing before us
        ("rem", np.int64),  # shares of our order left
        ("timer", np.int64),  # time of our last fill (v1: or placement) on this side
        ("placed", np.int64),  # number of the event on which the order was placed
    ]
)

STATE = np.dtype(
    [
        ("next", np.int64),  # index of the next event, when the loop stopped for room
        ("trades", np.int64),  # rows of `fills` in use
        ("event", np.int64),  # number of the event among those the strategy sees
        ("day", np.int64),
        ("market_day", np.int64),
        ("market_days", np.int64),
        ("strategy_day", np.int64),
        ("strategy_days", np.int64),
        ("position", np.int64),
        ("entry", np.float64),
        ("pnl", np.float64),
        ("last_price", np.float64),
        ("closed", np.bool_),
        ("pending", np.bool_),
        ("cost", np.float64),
        ("average_cost", np.float64),
        ("stopping", np.int64),  # shares our stop-loss still has to trade; 0: none runs
        ("stop_sells", np.bool_),
    ]
)

FILLS = np.dtype(
    [
        ("timestamp", np.int64),
        ("side", np.int64),  # +1 bought, -1 sold
        ("price", np.float64),
        ("quantity", np.int64),
        ("realized_pnl", np.float64),
        ("position", np.int64),
        ("pnl", np.float64),
    ]
)
FILLS_PER_EVENT = 3  # a stop-loss and a match on each side

compiled = njit(nogil=True, cache=True, error_model="numpy")
# An array argument of a call that is not inlined costs atomic operations: too dear on the hot path.
inlined = njit(nogil=True, cache=True, error_model="numpy", inline="always")


@compiled
def fill(s, side, price, quantity, ts, p, fills):
    """Book one fill of our order on `side`: position, entry, realised pnl, cost basis, timer."""
    if quantity == 0:
        return
    old, left, realized = s.position, quantity, 0.0
    if s.position * side.sign < 0:
        closing = min(left, abs(s.position))
        move = s.entry - price if side.sign > 0 else price - s.entry
        realized += move * closing
        s.position += side.sign * closing
        left -= closing
    if p.fee != 0.0:
        realized -= p.fee * price * quantity
    s.pnl += realized
    if left > 0:
        if s.position == 0:
            s.entry = price
            s.position = side.sign * left
        else:
            total = s.entry * abs(s.position) + price * left
            s.position += side.sign * left
            s.entry = total / abs(s.position)
    update_cost(s, old, price)
    row = fills[s.trades]
    row.timestamp, row.side, row.price, row.quantity = ts, side.sign, price, quantity
    row.realized_pnl, row.position, row.pnl = realized, s.position, s.pnl
    s.trades += 1
    side.timer = ts
    count_day(s)


@compiled
def update_cost(s, old, price):
    """Cost basis of the position after it went from `old` shares to `s.position` at `price`."""
    new = s.position
    if new == 0:
        s.cost = s.average_cost = 0.0
        return
    if old * new <= 0:
        s.cost = price * abs(new)
    elif abs(new) > abs(old):
        s.cost += price * (abs(new) - abs(old))
    else:
        s.cost *= abs(new) / abs(old)
    s.average_cost = abs(s.cost) / abs(new)


@compiled
def count_day(s):
    """Count the day, once, among those on which the strategy quoted or traded."""
    if s.strategy_day != s.day:
        s.strategy_day = s.day
        s.strategy_days += 1


@compiled
def start_day(s, b, a, ts, p):
    """Cross midnight: empty the book, lift the end-of-day latch; realistic: withdraw our orders."""
    b.depth = a.depth = b.taken = a.taken = 0
    if p.reset_daily:
        withdraw(b)
        withdraw(a)
        b.timer = a.timer = NEVER
        s.stopping = 0
    s.closed = s.pending = False
    s.day = ts - ts % DAY


@compiled
def withdraw(side):
    """Take our order off this side altogether."""
    side.quote = side.order = 0.0
    side.ahead = side.rem = 0


@compiled
def flatten(s, b, a, ts, kind, price, volume, p, fills):
    """Close the position at the first trade from 14:55 on. Returns whether the event is used up."""
    if ts - s.day >= AUCTION and not s.closed:
        s.closed = True
        s.pending = s.position != 0
    if not s.pending:
        return False
    if kind == TRADE and (volume > 0 or not p.ignore_zero_prints):
        if s.position > 0:
            fill(s, a, price, s.position, ts, p, fills)
        else:
            fill(s, b, price, -s.position, ts, p, fills)
        s.pending = False
    return True


@inlined
def begin(s, b, a, ts, kind, price, volume, p, fills):
    """Take one event into calendar and book. Returns whether the strategy sees it."""
    if not price > 0.0:
        return False
    if ts < s.day or ts - s.day >= DAY:
        start_day(s, b, a, ts, p)
    clock = ts - s.day
    if kind == TRADE and s.market_day != s.day:
        s.market_day = s.day
        s.market_days += 1
    late = s.pending or clock >= AUCTION
    if late and flatten(s, b, a, ts, kind, price, volume, p, fills):
        return False
    if clock < OPEN or clock >= CLOSE:
        return False
    if kind == TRADE:
        s.last_price = price
    elif kind == BID:
        b.best, b.depth, b.taken = price, volume, 0
    else:
        a.best, a.depth, a.taken = price, volume, 0
    s.event += 1
    return True


@compiled
def position_limit(s, b, a, p):
    """Largest position in shares: by count, and by notional at the mid (or the one best price)."""
    if p.max_notional == np.inf:
        return p.max_position
    if b.depth > 0 and a.depth > 0:
        mid = (b.best + a.best) / 2
    elif b.depth > 0:
        mid = b.best
    else:
        mid = a.best
    return min(p.max_position, int(p.max_notional / mid))


@compiled
def place(s, side, size):
    """Put an order of `size` shares at the best price, behind all that is shown there."""
    side.quote = side.order = side.best
    side.ahead, side.rem, side.placed = side.depth, size, s.event
    count_day(s)


@compiled
def stand_aside(side, ahead):
    """Note the best price, without a live quote there."""
    side.quote, side.order, side.ahead, side.rem = 0.0, side.best, ahead, 0


@inlined
def check_quotes(b, a, p):
    """Realistic: our quotes never cross. The older one goes; both, if of the same event."""
    if p.no_self_cross and b.quote > 0.0 and a.quote > 0.0 and b.quote >= a.quote:
        bid_placed, ask_placed = b.placed, a.placed
        if bid_placed <= ask_placed:
            withdraw(b)
        if ask_placed <= bid_placed:
            withdraw(a)


@inlined
def match(s, b, a, ts, price, volume, p, fills):
    """Let a trade of the market meet our quotes, the ask first."""
    bid, ask = b.quote, a.quote
    left = volume
    if ask > 0.0 and price >= ask and s.event >= a.placed + p.latency:
        left = match_side(s, a, ts, price, volume, p, fills)
    if bid > 0.0 and price <= bid and s.event >= b.placed + p.latency:
        match_side(s, b, ts, price, left if p.share_volume else volume, p, fills)


@compiled
def match_side(s, side, ts, price, volume, p, fills):
    """Give `volume` shares to the queue ahead of us, then to our order. Returns what is left."""
    queue = min(side.ahead, volume)
    side.ahead -= queue
    left = volume - queue
    if left > 0 and side.rem > 0:
        quantity = min(side.rem, left)
        side.rem -= quantity
        fill(s, side, side.quote if p.fill_at_quote else price, quantity, ts, p, fills)
        if side.rem == 0:
            side.quote = 0.0
        left -= quantity
    return left

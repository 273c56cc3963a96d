"""The compiled rules of the closing-auction strategy (spec 3.6): records, sums, and settlement.

Orders rest around the day's late VWAP, fill in the closing auction, and leave at the VWAP on the
next day. As in `engine`, the order of the floating point operations is part of the contract. `s`
is a `STATE` record, `p` a `PARAMETERS` record, `fills` an array of `FILLS`.
"""

from __future__ import annotations

import numpy as np

from scripts.ticks.engine import AUCTION, BID, CLOSE, DAY, HOUR, MINUTE, OPEN, SECOND, compiled

STOP_FROM, STOP_TO = OPEN + 10 * MINUTE, CLOSE - MINUTE
MIN_TREND_POINTS = 10
AUCTION_SHARE = 0.10
AUCTION_ENTRY, VWAP_EXIT, STOP_LOSS, EOD_FLATTEN = range(4)  # index into backtest.TRADE_TYPES

PARAMETERS = np.dtype(
    [
        ("vwap_period", np.int64),
        ("spread_pct", np.float64),
        ("notional", np.float64),
        ("stop_loss_pct", np.float64),
        ("filter_sell", np.bool_),
        ("filter_sell_bps_hr", np.float64),
        ("filter_buy", np.bool_),
        ("filter_buy_bps_hr", np.float64),
        ("dfm_ticks", np.bool_),
        ("fee", np.float64),
        ("fill_at_quote", np.bool_),
        ("reset_daily", np.bool_),
        ("ignore_zero_prints", np.bool_),
        ("stop_depth_once", np.bool_),
        ("cross_volume", np.bool_),
    ]
)

STATE = np.dtype(
    [
        ("next", np.int64),
        ("trades", np.int64),
        ("day", np.int64),
        ("last_day", np.int64),
        ("market_day", np.int64),
        ("market_days", np.int64),
        ("strategy_day", np.int64),
        ("strategy_days", np.int64),
        ("position", np.int64),
        ("entry", np.float64),
        ("last_price", np.float64),
        ("best", np.float64, (2,)),  # bid, ask; 0: none yet
        ("depth", np.int64, (2,)),
        ("taken", np.int64, (2,)),
        # the exit order: sign +1 buys, -1 sells; left 0: none
        ("exit_sign", np.int64),
        ("exit_price", np.float64),
        ("exit_entry", np.float64),
        ("exit_left", np.int64),
        ("exit_day", np.int64),
        # today's auction orders; quantity 0: none
        ("placed", np.bool_),
        ("vwap", np.float64),
        ("buy_price", np.float64),
        ("buy_quantity", np.int64),
        ("sell_price", np.float64),
        ("sell_quantity", np.int64),
        ("filtered_sell", np.int64),
        ("filtered_buy", np.int64),
        # today's sums
        ("sum_pv", np.float64),
        ("sum_v", np.int64),
        ("n", np.int64),
        ("sx", np.float64),
        ("sy", np.float64),
        ("sxy", np.float64),
        ("sxx", np.float64),
        ("auction_volume", np.int64),
        ("cross_volume", np.int64),
        # the closing print; time NEVER: none yet
        ("close_price", np.float64),
        ("close_time", np.int64),
    ]
)

FILLS = np.dtype(
    [
        ("timestamp", np.int64),
        ("side", np.int64),  # +1 bought, -1 sold
        ("price", np.float64),
        ("quantity", np.int64),
        ("realized_pnl", np.float64),
        ("trade_type", np.int64),
        ("vwap_reference", np.float64),
        ("position", np.int64),
    ]
)
FILLS_PER_EVENT = 5  # a settlement's two entries and flatten, a stop-loss, an exit


@compiled
def tick_size(price, dfm):
    """Tick of the exchange at `price` (AED): DFM's table, else ADX's."""
    if price < 1.0:
        return 0.001
    if price < 10.0:
        return 0.01
    if dfm:
        return 0.05
    if price < 50.0:
        return 0.02
    return 0.05 if price < 100.0 else 0.1


@compiled
def round_tick(price, dfm):
    """Nearest multiple of the tick, ties to even, without decimal clean-up."""
    tick = tick_size(price, dfm)
    return np.rint(price / tick) * tick


@compiled
def trade(s, ts, sign, price, quantity, gain, kind, reference, p, fills):
    """Book one fill that moves the position by `sign * quantity` and realises `gain`."""
    if p.fee != 0.0:
        gain -= p.fee * price * quantity
    s.position += sign * quantity
    row = fills[s.trades]
    row.timestamp, row.side, row.price, row.quantity = ts, sign, price, quantity
    row.realized_pnl, row.trade_type, row.vwap_reference = gain, kind, reference
    row.position = s.position
    s.trades += 1
    count_day(s, ts)


@compiled
def count_day(s, ts):
    """Count the day, once, among those on which the strategy placed orders or traded."""
    day = ts - ts % DAY
    if s.strategy_day != day:
        s.strategy_day = day
        s.strategy_days += 1


@compiled
def settle(s, p, fills):
    """Fill today's auction orders at the closing price, and close an exit order that is due."""
    price, ts = s.close_price, s.close_time
    day = ts - ts % DAY
    cap = int((s.cross_volume if p.cross_volume else s.auction_volume) * AUCTION_SHARE)
    if s.buy_quantity > 0 and price <= s.buy_price:
        enter(s, ts, 1, price, min(s.buy_quantity, cap), day, p, fills)
    if s.sell_quantity > 0 and price >= s.sell_price:
        enter(s, ts, -1, price, min(s.sell_quantity, cap), day, p, fills)
    if s.exit_left > 0 and s.exit_day <= day:
        leave(s, ts, price, s.exit_left, EOD_FLATTEN, p, fills)


@compiled
def enter(s, ts, sign, price, quantity, day, p, fills):
    """Open at the auction, with an exit order at the VWAP from the next calendar day on."""
    if quantity <= 0:
        return
    s.entry = price
    trade(s, ts, sign, price, quantity, 0.0, AUCTION_ENTRY, s.vwap, p, fills)
    s.exit_sign, s.exit_price, s.exit_entry = -sign, round_tick(s.vwap, p.dfm_ticks), price
    s.exit_left, s.exit_day = quantity, day + DAY


@compiled
def leave(s, ts, price, quantity, kind, p, fills):
    """Trade `quantity` of the exit order at `price`."""
    move = price - s.exit_entry if s.exit_sign < 0 else s.exit_entry - price
    s.exit_left -= quantity
    trade(s, ts, s.exit_sign, price, quantity, move * quantity, kind, s.exit_price, p, fills)


@compiled
def stop_loss(s, ts, p, fills):
    """Leave at the best price when the position has lost more than the threshold."""
    k = BID if s.position > 0 else BID + 1
    mark = s.best[k]
    if not mark > 0.0:
        return
    move = mark - s.entry if s.position > 0 else s.entry - mark
    if not move / s.entry * 100 < -p.stop_loss_pct:
        return
    quantity = abs(s.position)
    if p.stop_depth_once:
        quantity = min(quantity, s.depth[k] - s.taken[k])
        if quantity <= 0:
            return
        s.taken[k] += quantity
    sign = -1 if s.position > 0 else 1
    trade(s, ts, sign, mark, quantity, move * quantity, STOP_LOSS, s.entry, p, fills)
    s.exit_left = min(s.exit_left, abs(s.position))
    if s.position == 0:
        s.entry = 0.0
        s.exit_left = 0


@compiled
def add_trend(s, clock, price):
    """Add one trade to the sums of the day's regression of price on time (hours since 10:00)."""
    seconds = clock // SECOND
    hour, minute, second = seconds // 3600, seconds // 60 % 60, seconds % 60
    x = (hour - OPEN // HOUR) + minute / 60.0 + second / 3600.0
    s.n += 1
    s.sx += x
    s.sy += price
    s.sxy += x * price
    s.sxx += x * x


@compiled
def trend(s):
    """Slope of the day's prices, in basis points of their mean per hour; 0 below ten trades."""
    spread = s.n * s.sxx - s.sx * s.sx
    if s.n < MIN_TREND_POINTS or spread == 0.0:
        return 0.0
    return (s.n * s.sxy - s.sx * s.sy) / spread / (s.sy / s.n) * 10000


@compiled
def place_orders(s, ts, p):
    """Put the day's auction orders at VWAP less and plus the spread, not against a trend."""
    s.vwap = s.sum_pv / s.sum_v
    share = p.spread_pct / 100
    quantity = int(np.rint(p.notional / s.vwap))
    slope = trend(s)
    s.placed = True
    if p.filter_buy and slope < -p.filter_buy_bps_hr:
        s.filtered_buy += 1
    else:
        s.buy_price = round_tick(s.vwap * (1 - share), p.dfm_ticks)
        s.buy_quantity = quantity
    if p.filter_sell and slope > p.filter_sell_bps_hr:
        s.filtered_sell += 1
    else:
        s.sell_price = round_tick(s.vwap * (1 + share), p.dfm_ticks)
        s.sell_quantity = quantity
    if s.buy_quantity > 0 or s.sell_quantity > 0:
        count_day(s, ts)


@compiled
def close_auction(s, ts, price, volume, p):
    """Count a print from 14:55 on; the first one is the closing print."""
    s.auction_volume += volume
    if s.close_time < 0 and (volume > 0 or not p.ignore_zero_prints):
        s.close_price, s.close_time = price, ts
    if ts == s.close_time and price == s.close_price:
        s.cross_volume += volume


assert AUCTION > CLOSE > STOP_TO  # the windows below follow one another

"""Oracle of the five tick strategies: slow, obvious, plain Python, one event after the other.

Written only from the text of the tick specification (section 3: rules, section 4: CSV) and the
list of "realistic" fixes, to test an independent fast implementation; it shares nothing with it.
`simulate` runs one security, `to_csv` writes its trades; without fixes, fee and latency: parity.
Comments name the specification's steps; "fix" marks a realistic fix.
"""

from datetime import datetime, timedelta

import numpy as np

SEC = 1_000_000_000
MINUTE, HOUR, DAY = 60 * SEC, 3600 * SEC, 86_400 * SEC
T1000, T1445, T1455 = 10 * HOUR, 14 * HOUR + 45 * MINUTE, 14 * HOUR + 55 * MINUTE
CLOSING = "closing_strategy"
MM = ["v1_baseline", "v2_price_follow_qty_cooldown", "v2_1_stop_loss", "v3_liquidity_monitor"]
FIXES = (  # true_exchange is the caller's matter: accepted, without effect here
    "fill_at_quote reset_daily share_volume no_self_cross ignore_zero_prints stop_depth_once "
    "stable_order cross_volume enforce_max_notional true_exchange"
)
MM_COLUMNS = ["timestamp", "side", "fill_price", "fill_qty", "realized_pnl", "position", "pnl"]
CLOSING_COLUMNS = ["timestamp", "side", "price", "quantity", "realized_pnl", "trade_type"]
CLOSING_COLUMNS += ["vwap_reference"]


class Side:
    """One side of one security: the book level, our quote and order, the timer."""

    def __init__(self):
        self.level = None  # best (price, quantity) or None when empty
        self.taken = 0  # fix stop_depth_once: shown depth our stop-loss already took
        self.timer = None  # v1: refill timer, v2 family: cooldown timer
        self.placed = float("-inf")  # event on which the order was placed; -inf: never was
        self.withdraw()

    def withdraw(self):
        self.quote, self.price, self.ahead, self.rem = None, None, 0, 0


class MarketMaker:
    def __init__(self, strategy, params, fixes, fee_bps, latency):
        self.strategy, self.fixes, self.fee_bps, self.latency = strategy, fixes, fee_bps, latency
        self.p = {"max_notional": None, "stop_loss_threshold_pct": 2.0, **params}
        self.interval = self.p["refill_interval_sec"] * SEC
        self.bid_quote_size = self.p.get("quote_size_bid", self.p["quote_size"])
        self.ask_quote_size = self.p.get("quote_size_ask", self.p["quote_size"])
        self.bid, self.ask = Side(), Side()
        self.pos, self.entry, self.pnl = 0, 0.0, 0.0
        self.closed, self.last_flatten_date, self.pending, self.last_date = False, None, False, None
        self.cost, self.cqty, self.sl = 0.0, 0, None  # v2.1; sl: {side, left}
        self.number = -1  # of the event, counting those that reach the strategy block
        self.trades, self.strategy_dates, self.filtered = [], set(), {"sell": 0, "buy": 0}

    def event(self, ts, kind, px, vol):
        d, t = ts // DAY, ts % DAY
        if self.last_date is not None and self.last_date != d:
            for side in (self.bid, self.ask):
                side.level, side.taken = None, 0  # parity: quotes, orders and timers survive
                if "reset_daily" in self.fixes:  # fix
                    side.withdraw()
                    side.timer, self.sl = None, None
        self.last_date = d
        if self.last_flatten_date is not None and self.last_flatten_date != d:
            self.closed, self.pending = False, False
        flattens = kind == "TRADE" and not ("ignore_zero_prints" in self.fixes and vol <= 0)  # fix
        at_end = t >= T1455 and not self.closed  # EOD flatten
        if at_end:
            self.closed, self.last_flatten_date = True, d
        if (at_end and self.pos != 0) or self.pending:
            if flattens:
                self.fill("sell" if self.pos > 0 else "buy", px, abs(self.pos), ts)
                self.cost, self.cqty = 0.0, 0
            self.pending = not flattens
            return
        if t < T1000 or t >= T1445:
            return
        if kind in ("BID", "ASK"):  # update book
            side = self.bid if kind == "BID" else self.ask
            side.level = (px, vol) if vol > 0 else None
            side.taken = 0
        self.number += 1  # strategy block, then MATCH
        if self.strategy == "v2_1_stop_loss" and not self.stop_loss(ts):
            return
        if self.bid.level or self.ask.level:
            self.quote_v1(ts) if self.strategy == "v1_baseline" else self.quote_v2(ts)
        self.no_self_cross()
        if kind == "TRADE":
            left = self.match("sell", self.ask, px, int(vol), ts)
            self.match("buy", self.bid, px, left if "share_volume" in self.fixes else int(vol), ts)

    def position_limit(self):
        """mp of section 3.1; the v2 family has it only with the fix."""
        bid, ask, mp = self.bid.level, self.ask.level, self.p["max_position"]
        mid = (bid[0] + ask[0]) / 2 if bid and ask else (bid or ask)[0]
        enforced = self.strategy == "v1_baseline" or "enforce_max_notional" in self.fixes  # fix
        if enforced and self.p["max_notional"] is not None and mid > 0:
            mp = min(mp, int(self.p["max_notional"] / mid))
        return mp

    def set_order(self, side, ahead, rem, active, new, ts):
        """order={p, ahead, rem} at the level's price; quote=p if active; new: counts as placed."""
        side.price, side.ahead, side.rem = side.level[0], ahead, rem if active else 0
        side.quote = side.price if active else None
        if active:
            self.strategy_dates.add(ts // DAY)
        side.placed = self.number if active and new else side.placed

    def quote_v1(self, ts):
        mp = self.position_limit()
        bid_size = max(0, min(self.bid_quote_size, int(mp - self.pos)))
        ask_size = max(0, min(self.ask_quote_size, int(mp + self.pos)))
        for side, size in ((self.bid, bid_size), (self.ask, ask_size)):
            if side.level and (side.timer is None or ts - side.timer >= self.interval):
                p, qty = side.level
                active = p * qty >= self.p["min_local_currency_before_quote"] and size > 0
                self.set_order(side, int(qty), size, active, True, ts)
                side.timer = ts if active else side.timer

    def quote_v2(self, ts):
        """v2, v2.1 and v3; both sizes are computed before any order changes."""
        v3, mp = self.strategy == "v3_liquidity_monitor", self.position_limit()

        def size_of(side, quote_size, room):
            cooling = side.timer is not None and ts - side.timer < self.interval
            return max(0, int(min(side.rem if cooling else quote_size, room)))

        bid_size = size_of(self.bid, self.bid_quote_size, mp - self.pos)
        ask_size = size_of(self.ask, self.ask_quote_size, mp + self.pos)
        for side, size in ((self.bid, bid_size), (self.ask, ask_size)):
            if side.level:
                p, qty = side.level
                active = p * qty >= self.p["min_local_currency_before_quote"] and size > 0
                active = active and (not v3 or ts % DAY >= T1000 + 5 * MINUTE)
                new = side.quote is None or side.price != p  # else the old placement counts
                ahead = 0 if v3 and not active else int(qty)
                if active and side.price == p and not v3:
                    ahead = side.ahead
                self.set_order(side, ahead, size, active, new, ts)

    def stop_loss(self, ts):
        """v2.1; False: skip the rest of the event."""
        bid, ask = self.bid.level, self.ask.level
        if bid and ask and self.pos != 0 and self.sl is None:  # A
            mid, pct = (bid[0] + ask[0]) / 2.0, 0.0
            if abs(self.cost) >= 1e-6:
                average = abs(self.cost) / self.cqty if self.cqty != 0 else 0.0
                pct = (((mid - average) * self.pos) / abs(self.cost)) * 100.0
            if pct < -self.p["stop_loss_threshold_pct"]:
                self.sl = {"side": "sell" if self.pos > 0 else "buy", "left": abs(self.pos)}
        if self.sl is None:  # B
            return True
        side = self.bid if self.sl["side"] == "sell" else self.ask
        if side.level is None:
            return False
        price, qty = side.level
        available = qty - side.taken if "stop_depth_once" in self.fixes else qty  # fix
        f = min(self.sl["left"], available)
        if f <= 0:
            return False
        side.taken += f
        self.fill(self.sl["side"], price, f, ts)
        self.sl["left"] -= f
        if self.sl["left"] <= 0:
            self.sl = None
        return self.sl is None

    def no_self_cross(self):
        """Fix: own bid >= own ask: the earlier placed order goes, both when of the same event."""
        bid, ask = self.bid, self.ask
        both = bid.quote is not None and ask.quote is not None
        if "no_self_cross" in self.fixes and both and bid.quote >= ask.quote:
            for side in [s for s in (bid, ask) if s.placed == min(bid.placed, ask.placed)]:
                side.withdraw()

    def match(self, action, side, px, volume, ts):
        """One side of MATCH; returns the volume it left over."""
        live = side.quote is not None and self.number >= side.placed + self.latency
        if not live or (px < side.quote if action == "sell" else px > side.quote):
            return volume
        c = min(side.ahead, volume)
        side.ahead -= c
        r = volume - c
        if r > 0 and side.rem > 0:
            f = min(side.rem, r)
            side.rem -= f
            r -= f
            self.fill(action, side.price if "fill_at_quote" in self.fixes else px, f, ts)  # fix
            if side.rem == 0:
                side.quote = None
        return r

    def fill(self, action, px, q, ts):
        if q == 0:
            return
        q0, r, old, sign = q, 0.0, self.pos, 1 if action == "buy" else -1
        if self.pos * sign < 0:  # against the position: close first
            c = min(q, abs(self.pos))
            r += (self.entry - px if action == "buy" else px - self.entry) * c
            self.pos += sign * c
            q -= c
        if q > 0:
            if self.pos == 0:
                self.entry, self.pos = px, sign * q
            else:
                total = self.entry * abs(self.pos) + px * q
                self.pos += sign * q
                self.entry = total / abs(self.pos)
        if self.fee_bps != 0:
            r -= self.fee_bps / 10000 * px * q0
        self.pnl += r  # 0.0 when nothing was closed (and no fee)
        values = (ts, action, px, q0, r, self.pos, self.pnl)
        self.trades.append(dict(zip(MM_COLUMNS, values, strict=True)))
        (self.bid if action == "buy" else self.ask).timer = ts
        self.strategy_dates.add(ts // DAY)
        new = self.pos  # v2.1 cost basis
        if new == 0:
            self.cost = 0.0
        elif old * new <= 0:  # opened or flipped
            self.cost = px * abs(new)
        elif abs(new) > abs(old):
            self.cost += px * (abs(new) - abs(old))
        else:
            self.cost *= abs(new) / abs(old)
        self.cqty = abs(new)


class Closing:
    def __init__(self, params, exchange, fixes, fee_bps, events):
        if exchange not in ("ADX", "DFM"):
            raise ValueError(f"unknown exchange {exchange!r}")
        self.params, self.exchange, self.fixes, self.fee_bps = params, exchange, fixes, fee_bps
        self.last_day = max((event[0] // DAY for event in events), default=None)
        self.notional = params["order_notional"]
        if "enforce_max_notional" in fixes and params.get("max_notional") is not None:  # fix
            self.notional = min(self.notional, params["max_notional"])
        self.pos, self.entry, self.exit = 0, 0.0, None  # exit order, only while left > 0
        self.quotes = {"BID": None, "ASK": None}  # best_bid, best_ask: {price, shown, taken}
        self.day, self.closing = None, None  # closing: (price, timestamp)
        self.trades, self.strategy_dates, self.filtered = [], set(), {"sell": 0, "buy": 0}
        self.reset_day()

    def reset_day(self):
        self.sum_pv, self.sum_v, self.vwap, self.trend = 0.0, 0, None, []
        self.orders, self.placed, self.auction_vol, self.cross_vol = {}, False, 0, 0

    def event(self, ts, kind, px, vol):
        d, t, trade = ts // DAY, ts % DAY, kind == "TRADE"
        regular = T1000 <= t < T1445
        if self.day is not None and d != self.day:  # step 1
            self.settle()
            self.reset_day()
            if "reset_daily" in self.fixes:  # fix
                self.quotes = {"BID": None, "ASK": None}
        self.day = d
        if not trade and px > 0:  # step 2
            self.quotes[kind] = {"price": px, "shown": vol, "taken": 0}
        if trade and regular:  # step 3
            hour, minute, second = t // HOUR, t // MINUTE % 60, t // SEC % 60
            self.trend.append(((hour - 10) + minute / 60.0 + second / 3600.0, px))
        window = T1000 + 10 * MINUTE <= t < T1445 - MINUTE
        if window and self.pos != 0 and self.entry > 0:  # step 4
            self.stop_loss(ts)
        e = self.exit
        if trade and regular and e and d >= e["target"] and e["left"] > 0:  # step 5
            f = min(e["left"], vol)
            if (px >= e["price"] if e["side"] == "sell" else px <= e["price"]) and f > 0:
                at = e["price"] if "fill_at_quote" in self.fixes else px  # fix
                self.fill(ts, e["side"], at, f, e["entry"], "vwap_exit", e["price"])
                e["left"] -= f
                self.exit = e if e["left"] > 0 else None
        window = T1445 - self.params["vwap_preclose_period_min"] * MINUTE <= t < T1445
        if trade and window and not self.placed and vol > 0 and px > 0:  # step 6
            self.sum_pv, self.sum_v = self.sum_pv + px * vol, self.sum_v + vol
        window = T1445 <= t < T1455 and d != self.last_day
        if window and not self.placed and self.exit is None and self.sum_v > 0:  # step 7
            self.place(d)
        if trade and t >= T1455:  # step 8
            self.auction_vol += vol
            no_print = "ignore_zero_prints" in self.fixes and vol <= 0  # fix
            if self.closing is None and not no_print:
                self.closing = (px, ts)
            if self.closing == (px, ts):  # fix cross_volume
                self.cross_vol += vol

    def stop_loss(self, ts):
        quote, entry, f = self.quotes["BID" if self.pos > 0 else "ASK"], self.entry, abs(self.pos)
        if quote is None:
            return
        mark = quote["price"]
        u = ((mark - entry) / entry if self.pos > 0 else (entry - mark) / entry) * 100
        if "stop_depth_once" in self.fixes:  # fix
            f = min(f, quote["shown"] - quote["taken"])
        if u < -self.params["stop_loss_threshold_pct"] and f > 0:
            quote["taken"] += f
            self.fill(ts, "sell" if self.pos > 0 else "buy", mark, f, entry, "stop_loss", entry)
            if self.pos == 0:
                self.entry, self.exit = 0.0, None
            elif self.exit:
                self.exit["left"] = min(self.exit["left"], abs(self.pos))

    def place(self, d):
        p, vwap, s = self.params, self.sum_pv / self.sum_v, self.params["spread_vwap_pct"] / 100
        qty, slope = round(self.notional / vwap), self.slope()
        prices = {"buy": self.round_tick(vwap * (1 - s)), "sell": self.round_tick(vwap * (1 + s))}
        against = {"buy": -slope, "sell": slope}
        for side in ("buy", "sell"):
            threshold = p[f"trend_filter_{side}_threshold_bps_hr"]
            if p[f"trend_filter_{side}_enabled"] and against[side] > threshold:
                self.filtered[side] += 1
            elif qty > 0:
                self.orders[side] = (prices[side], qty)
                self.strategy_dates.add(d)
        self.vwap, self.placed = vwap, True  # placed is vwap_done as well

    def slope(self):
        """OLS of the trend in bps per hour."""
        n, sx, sy, sxy, sxx = len(self.trend), 0.0, 0.0, 0.0, 0.0
        for x, y in self.trend:
            sx, sy, sxy, sxx = sx + x, sy + y, sxy + x * y, sxx + x * x
        if n < 10 or n * sxx - sx**2 == 0 or sy == 0:  # the spec names only n < 10
            return 0.0
        return (n * sxy - sx * sy) / (n * sxx - sx**2) / (sy / n) * 10000

    def round_tick(self, p):
        adx = ((1, 0.001), (10, 0.01), (50, 0.02), (100, 0.05), (float("inf"), 0.1))
        dfm = ((1, 0.001), (10, 0.01), (float("inf"), 0.05))
        tick = next(tick for below, tick in (adx if self.exchange == "ADX" else dfm) if p < below)
        return round(p / tick) * tick

    def settle(self):
        """When the next day's first event arrives, or at the end of the data."""
        if self.closing is None:
            return
        (px, cts), self.closing = self.closing, None
        volume = self.cross_vol if "cross_volume" in self.fixes else self.auction_vol  # fix
        for side, (limit, qty) in self.orders.items():  # buy, then sell
            q = min(qty, int(volume * 0.10))
            if (px <= limit if side == "buy" else px >= limit) and q > 0:
                self.fill(cts, side, px, q, px, "auction_entry", self.vwap)
                self.entry = px
                self.exit = {"price": self.round_tick(self.vwap), "left": q, "entry": px}
                self.exit["side"] = "sell" if side == "buy" else "buy"
                self.exit["target"] = cts // DAY + 1
        e = self.exit
        if e and e["left"] > 0 and e["target"] <= cts // DAY:
            self.fill(cts, e["side"], px, e["left"], e["entry"], "eod_flatten", e["price"])
            self.exit = None

    def fill(self, ts, side, px, q, entry, trade_type, reference):
        pnl = (px - entry) * q if side == "sell" else (entry - px) * q  # 0.0 when opening at entry
        if self.fee_bps != 0:
            pnl -= self.fee_bps / 10000 * px * q
        self.pos += q if side == "buy" else -q
        values = (ts, side, px, q, pnl, trade_type, reference)
        self.trades.append(dict(zip(CLOSING_COLUMNS, values, strict=True)))
        self.strategy_dates.add(ts // DAY)


def simulate(
    strategy, events, params, *, exchange="ADX", fixes=frozenset(), fee_bps=0.0, latency_ticks=0
):
    """One security; events are (ns since epoch, kind, price, volume) in file order."""
    if strategy not in (*MM, CLOSING) or not set(fixes) <= set(FIXES.split()):
        raise ValueError(f"unknown strategy {strategy!r} or fix in {sorted(fixes)}")
    events = [(int(ts), str(kind), float(px), int(vol)) for ts, kind, px, vol in events]
    times = np.array([event[0] for event in events], dtype="int64").astype("datetime64[ns]")
    if "stable_order" in fixes:  # fix
        events = sorted(events, key=lambda event: event[0])
    elif strategy == CLOSING:
        events = [events[i] for i in np.argsort(times, kind="quicksort")]
    if strategy == CLOSING:
        run = Closing(params, exchange, fixes, fee_bps, events)
    else:
        events = [event for event in events if event[2] > 0]
        run = MarketMaker(strategy, params, fixes, fee_bps, latency_ticks)
    for event in events:
        run.event(*event)
    if strategy == CLOSING:
        run.settle()
    return {
        "trades": run.trades,
        "market_dates": len({e[0] // DAY for e in events if e[1] == "TRADE" and e[2] > 0}),
        "strategy_dates": len(run.strategy_dates),
        "position": run.pos,
        "filtered_sell": run.filtered["sell"],
        "filtered_buy": run.filtered["buy"],
    }


def to_csv(strategy, trades, security):
    columns = CLOSING_COLUMNS if strategy == CLOSING else MM_COLUMNS
    lines = [",".join(columns + (["security"] if strategy == CLOSING else []))]
    for trade in trades:
        when = datetime(1970, 1, 1) + timedelta(seconds=trade["timestamp"] // SEC)
        fields = [when, *(trade[column] for column in columns[1:])]
        fields += [security] if strategy == CLOSING else []
        lines.append(",".join(map(str, fields)))  # str of a float is its repr
    return "\n".join(lines) + "\n"

"""From named parameters to the compiled engine and back: what the quoting strategies share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from scripts.errors import DataError
from scripts.ticks import engine
from scripts.ticks.events import Events, Outcome, grow

SWITCHES = [n for n in engine.PARAMETERS.names if engine.PARAMETERS[n] == np.bool_]
USED = {
    "fee_bps", "latency_ticks", "max_notional", "max_position", "min_local_currency_before_quote",
    "quote_size", "quote_size_ask", "quote_size_bid", "refill_interval_sec", "stable_order",
    "stop_loss_threshold_pct", *SWITCHES,
}  # fmt: skip


def simulate(
    run: Callable, events: Events, parameters: Mapping, own: Mapping[str, type] | None = None
) -> Outcome:
    """Replay `events` through the compiled loop `run` of one strategy.

    Args:
        run: `run(timestamp, kind, price, volume, p, s, b, a, fills)`, see `engine`.
        events: in event order.
        parameters: the strategy's parameters, `fee_bps`, `latency_ticks` and the fixes that are on
            (`fill_at_quote: True`, ...). `max_notional` may be None; `quote_size_bid` and
            `quote_size_ask` default to `quote_size`.
        own: parameters of this strategy alone and their numpy types: fields of `p` by name.

    Returns:
        fills in execution order (`engine.FILLS`) and the run's counts. Unrealised pnl is that of
        the open position at the last trade inside trading hours.

    Raises:
        DataError: a parameter that neither the engine nor `own` knows.
    """
    own = own or {}
    if unused := sorted(set(parameters) - USED - set(own)):
        raise DataError(f"parameters that nothing uses: {', '.join(unused)}; pass them as `own`")
    p = np.zeros(1, [*engine.PARAMETERS.descr, *own.items()])
    for name in own:
        p[name] = parameters[name]
    p["interval"] = round(parameters["refill_interval_sec"] * engine.SECOND)
    p["max_position"] = parameters["max_position"]
    p["max_notional"] = np.inf if parameters["max_notional"] is None else parameters["max_notional"]
    p["min_local_currency"] = parameters["min_local_currency_before_quote"]
    p["stop_loss_pct"] = parameters.get("stop_loss_threshold_pct", np.inf)
    p["fee"] = parameters.get("fee_bps", 0.0) / 10_000
    p["latency"] = parameters.get("latency_ticks", 0)
    for name in SWITCHES:
        p[name] = parameters.get(name, False)
    if parameters.get("stable_order"):
        events = events.sorted("stable")

    state, sides = np.zeros(1, engine.STATE), np.zeros(2, engine.SIDE)
    state["day"] = state["market_day"] = state["strategy_day"] = engine.NEVER
    sides["timer"] = engine.NEVER
    sides["sign"] = 1, -1
    default = parameters["quote_size"]
    sides["quote_size"] = (
        parameters.get("quote_size_bid", default),
        parameters.get("quote_size_ask", default),
    )
    s = state[0]
    fills = grow(run, events, (p[0], s, sides[0], sides[1]), np.empty(1 << 16, engine.FILLS))
    counts = {
        "position": int(s["position"]),
        "market_dates": int(s["market_days"]),
        "strategy_dates": int(s["strategy_days"]),
        "unrealized_pnl": float((s["last_price"] - s["entry"]) * s["position"]) + 0.0,
    }
    return Outcome(fills, counts)

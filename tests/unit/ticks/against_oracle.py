"""One run of the fast implementation and of the oracle on the same events, compared bit for bit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from importlib import import_module

import numpy as np

from scripts.ticks import closing, engine
from scripts.ticks.backtest import TRADE_TYPES, backtest
from scripts.ticks.events import Outcome
from tests.oracles import ticks as oracle
from tests.unit.ticks.streams import Event, arrays

CLOSING = oracle.CLOSING
STRATEGIES = (*oracle.MM, CLOSING)
SWITCHES = {name: import_module(f"scripts.ticks.strategies.{name}").FIXES for name in STRATEGIES}


def oracle_fills(strategy: str, trades: Sequence[Mapping]) -> np.ndarray:
    """The oracle's trades in the record type of the fast implementation."""
    signs = {"buy": 1, "sell": -1}
    if strategy != CLOSING:
        rows = [(t["timestamp"], signs[t["side"]], *list(t.values())[2:]) for t in trades]
        return np.array(rows, engine.FILLS)
    fills, position = np.zeros(len(trades), closing.FILLS), 0
    for row, trade in zip(fills, trades, strict=True):
        position += signs[trade["side"]] * trade["quantity"]
        for name in ("timestamp", "price", "quantity", "realized_pnl", "vwap_reference"):
            row[name] = trade[name]
        row["side"], row["position"] = signs[trade["side"]], position
        row["trade_type"] = TRADE_TYPES.index(trade["trade_type"])
    return fills


def run_both(
    strategy: str,
    events: Sequence[Event],
    parameters: Mapping,
    *,
    fixes: Collection[str] = (),
    fee_bps: float = 0.0,
    latency_ticks: int = 0,
) -> Outcome:
    """Assert that both give the same fills and counts; returns those of the fast implementation.

    Every field has the same bits; with a fee, pnl agrees to 1e-12 of its value.
    """
    switches = dict.fromkeys(fixes, True)
    costs = {"fee_bps": fee_bps, "latency_ticks": latency_ticks}
    fast = backtest(strategy, arrays(events), {**parameters, **switches, **costs})
    exchange = "exchange" if "true_exchange" in fixes else "peer_exchange"
    slow = oracle.simulate(
        strategy,
        events,
        parameters,
        exchange=parameters.get(exchange, "ADX"),
        fixes=frozenset(fixes),
        **costs,
    )
    what = f"{strategy} {dict(parameters)} {sorted(fixes)} {costs}"
    same_fills(fast.fills, oracle_fills(strategy, slow["trades"]), fee_bps > 0, what)
    counted = ["position", "market_dates", "strategy_dates"]
    counted += ["filtered_sell", "filtered_buy"] if strategy == CLOSING else []
    assert {k: fast.counts[k] for k in counted} == {k: slow[k] for k in counted}, what
    return fast


def same_fills(fast: np.ndarray, slow: np.ndarray, with_fee: bool, what: str) -> None:
    """Assert that two arrays of fills are equal; the message shows the first row that is not."""
    assert fast.dtype == slow.dtype
    for i, (one, other) in enumerate(zip(fast, slow, strict=False)):
        if one.tobytes() != other.tobytes():
            for name in fast.dtype.names:
                close = with_fee and name in ("realized_pnl", "pnl")
                if close and abs(one[name] - other[name]) <= 1e-12 * abs(other[name]):
                    continue
                assert one[name].tobytes() == other[name].tobytes(), (
                    f"{what}: fill {i}, {name}: {one} is not the oracle's {other}"
                )
    assert len(fast) == len(slow), f"{what}: {len(fast)} fills, the oracle has {len(slow)}"

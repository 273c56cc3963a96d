"""Event streams made to hurt: crossed quotes, zero sizes, price 0, window borders, missing phases.

Used by tests that compare an implementation with another one. An event is (ns since the epoch,
kind, price, volume), as the oracle takes it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scripts.ticks.events import Events

Event = tuple[int, str, float, int]
KINDS = ("BID", "ASK", "TRADE")
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
FIRST_DAY = 20_192 * DAY  # 2025-04-14


def clock(text: str) -> int:
    """Seconds since midnight of `HH:MM:SS`."""
    hours, minutes, seconds = map(int, text.split(":"))
    return hours * 3600 + minutes * 60 + seconds


# Both sides of each border of the spec's windows.
BORDERS = tuple(
    clock(border) + step
    for border in (
        "10:00:00",
        "10:05:00",
        "10:10:00",
        "14:30:00",
        "14:44:00",
        "14:45:00",
        "14:55:00",
    )
    for step in (-1, 0, 1)
)
# Name -> first second, last second, share of a day's rows, share of trades among them.
MAKING_PHASES = {
    "before": (clock("08:00:00"), clock("09:59:59"), 0.05, 0.3),
    "regular": (clock("10:00:00"), clock("14:44:59"), 0.85, 0.35),
    "call": (clock("14:45:00"), clock("14:54:59"), 0.04, 0.2),
    "close": (clock("14:55:00"), clock("15:05:00"), 0.06, 0.5),
}
CLOSING_PHASES = {
    "before": (clock("08:00:00"), clock("09:59:59"), 0.05, 0.3),
    "regular": (clock("10:00:00"), clock("14:19:59"), 0.4, 0.5),
    "late": (clock("14:20:00"), clock("14:44:59"), 0.25, 0.7),
    "call": (clock("14:45:00"), clock("14:54:59"), 0.1, 0.2),
    "close": (clock("14:55:00"), clock("15:05:00"), 0.2, 0.7),
}


def day_clocks(rng: np.random.Generator, rows: int, phases: dict) -> list[tuple[int, float]]:
    """(second, share of trades) of a day's rows: bunched, on borders, sometimes going backward."""
    found = []
    for name, (first, last, share, trades) in phases.items():
        if name in ("call", "close") and rng.random() < 0.12:
            continue  # a day without this phase
        count = max(1, round(rows * share))
        seconds = np.sort(rng.integers(first, last + 1, count))
        seconds -= seconds % rng.choice([1, 1, 20])  # many rows in one second
        seconds = np.maximum(seconds, first)
        found += [(int(second), trades) for second in seconds]
    found += [(int(second), 0.4) for second in rng.choice(BORDERS, 6)]
    found.sort(key=lambda row: row[0])
    for i in rng.integers(1, len(found), len(found) // 40):
        found[i] = (found[i][0] - int(rng.integers(1, 3)), found[i][1])
    return found


def stream(
    seed: int | Sequence[int], *, days: int, rows: int, phases: dict = MAKING_PHASES
) -> list[Event]:
    """`days` days of about `rows` events each; the same arguments give the same events."""
    rng = np.random.default_rng(seed)
    tick = float(rng.choice([0.001, 0.01, 0.05]))
    level = int(rng.choice([0.98, 1.02, 2.5, 9.9, 16.7, 49.5, 99.5]) / tick)
    largest = int(rng.choice([20, 300, 5000]))
    events, day = [], 0
    for _ in range(days):
        quoteless, drift = rng.random() < 0.08, int(rng.integers(-2, 3))
        for second, trades in day_clocks(rng, rows, phases):
            level = max(level + int(rng.integers(-2, 3)) + drift * (rng.random() < 0.1), 5)
            kind = 2 if quoteless or rng.random() < trades else int(rng.integers(0, 2))
            # a bid around the middle less one, an ask around it plus one, so that quotes cross
            away = int(rng.integers(-3, 2)) * (1, -1, 0)[kind] if kind < 2 else rng.integers(-3, 4)
            price = 0.0 if rng.random() < 0.02 else (level + int(away)) * tick
            volume = 0 if rng.random() < 0.06 else int(rng.integers(1, largest))
            stamp = FIRST_DAY + day * DAY + second * SECOND
            events.append((stamp, KINDS[kind], price, volume))
        level = max(level + int(rng.integers(-30, 31)), 5)
        day += int(rng.choice([1, 1, 1, 3]))
    return events


def arrays(events: Sequence[Event]) -> Events:
    """The events as the project holds them."""
    columns = list(zip(*events, strict=True)) or [[]] * 4
    kinds = [KINDS.index(kind) for kind in columns[1]]
    return Events.of(columns[0], kinds, columns[2], columns[3])


def parameters(seed: int | Sequence[int], closing: bool) -> dict:
    """Random parameters under which the limits of a strategy bind on a `stream`."""
    rng = np.random.default_rng(seed)

    def one_of(*values: object) -> object:
        return values[rng.integers(len(values))]

    if closing:
        filters = {
            f"trend_filter_{side}_{what}": value
            for side in ("buy", "sell")
            for what, value in (
                ("enabled", one_of(True, False)),
                ("threshold_bps_hr", one_of(0.0, 10.0, 100.0)),
            )
        }
        return {
            "exchange": one_of("ADX", "DFM"),
            "peer_exchange": one_of("ADX", "DFM"),
            "max_notional": one_of(None, 300.0, 1e5),
            "order_notional": one_of(100.0, 5000.0, 1e6),
            "spread_vwap_pct": one_of(0.0, 0.1, 0.5),
            "stop_loss_threshold_pct": one_of(0.05, 0.5, 3.0),
            "vwap_preclose_period_min": one_of(1, 15, 60),
            **filters,
        }
    size = one_of(5, 50, 400)
    sides = {"quote_size_bid": size * 2, "quote_size_ask": size + 3} if rng.random() < 0.3 else {}
    return {
        "max_notional": one_of(None, 50.0, 1000.0, 20_000.0),
        "max_position": int(size * one_of(0.5, 1, 2, 10)),
        "min_local_currency_before_quote": one_of(0.0, 20.0, 1000.0),
        "quote_size": size,
        "refill_interval_sec": one_of(0, 1, 30, 180, 600.5),
        "stop_loss_threshold_pct": one_of(0.0, 0.05, 0.3, 2.0),
        **sides,
    }

"""Values that the parameters of the tick strategies can have."""

from __future__ import annotations

from typing import NamedTuple

EXCHANGES = ("ADX", "DFM")


class Range(NamedTuple):
    """A number: whole or not, from `least` (itself only if `closed`) to `most`, or none."""

    whole: bool = False
    least: float = 0
    closed: bool = True
    most: float = float("inf")
    optional: bool = False


MOST_WHOLE = 2**53  # above, a float no longer holds every whole number, nor an integer of 64 bits
RANGES = {
    "fee_bps": Range(),
    "latency_ticks": Range(whole=True),
    "max_notional": Range(closed=False, optional=True),
    "max_position": Range(whole=True),
    "min_local_currency_before_quote": Range(),
    "order_notional": Range(closed=False, optional=True),
    "quote_size": Range(whole=True, closed=False),
    "quote_size_ask": Range(whole=True),
    "quote_size_bid": Range(whole=True),
    "refill_interval_sec": Range(),
    "spread_vwap_pct": Range(most=100),
    "stop_loss_threshold_pct": Range(),
    "trend_filter_buy_threshold_bps_hr": Range(),
    "trend_filter_sell_threshold_bps_hr": Range(),
    "vwap_preclose_period_min": Range(closed=False, most=285),
}
SWITCHES = ("trend_filter_buy_enabled", "trend_filter_sell_enabled")


def wrong_value(name: str, value: object) -> str | None:
    """What was expected of a parameter when `value` is not that; None: it is, or is unknown."""
    if name in SWITCHES:
        return None if isinstance(value, bool) else "true or false"
    if name in ("exchange", "peer_exchange"):
        return None if value in EXCHANGES else " or ".join(EXCHANGES)
    if name not in RANGES or (value is None and RANGES[name].optional):
        return None
    low = RANGES[name].least
    whole, _, closed, most, _ = RANGES[name]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = number and (low <= value if closed else low < value) and value <= most
    if fits and (not whole or (value <= MOST_WHOLE and float(value).is_integer())):
        return None
    kind = "a whole number" if whole else "a number"
    top = "" if most == float("inf") else f" and at most {most}"
    return f"{kind}{' of at least' if closed else ' above'} {low}{top}"

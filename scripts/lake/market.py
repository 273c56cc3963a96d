"""The seeded market's prices, and the options on them: pure functions of the seed and the day.

Nothing depends on which days are asked for, nor on a calendar: every weekday has a price, and the
ones of holidays are nobody's. A raw price falls with a split; it does not fall with a dividend
(the walk is what remains after them).
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from scripts.lake.market_events import price_factor
from scripts.lake.market_listings import REFERENCE, generator, listings

EPOCH = date(2010, 1, 4)  # a Monday; prices walk from here, one step for each weekday
STEPS = 8000  # weekdays from EPOCH that have a price: to 2040
DAILY_VOLATILITY, DRIFT = 0.012, 0.0002  # of the log price
ILLIQUID = "SLOW"  # some days it does not trade, and its daily bar holds more than its minutes
OPTION_ROOTS = ("AAPL", "KO", "SPY", "XOM")
ADJUSTED = "XOM"  # has a contract that a corporate action has changed: its root is XOM1
NOT_OCC = ("O:XOM251399P00100000", "O:weird250101C00001000")  # no such date; lower case


class Contract(NamedTuple):
    """An option as it trades; of a symbol that is no OCC symbol the root is empty."""

    symbol: str
    root: str
    underlying: str
    strike: float
    kind: str  # C or P
    expiry: date


def weekdays(day: date) -> int:
    """Weekdays from EPOCH to `day`."""
    days = (day - EPOCH).days
    return days // 7 * 5 + min(days % 7, 5)


@lru_cache(maxsize=256)
def _walk(seed: int, company: str) -> np.ndarray:
    """Log price of every weekday from EPOCH on, relative to that of REFERENCE."""
    steps = generator(seed, "walk", company).standard_normal(STEPS) * DAILY_VOLATILITY + DRIFT
    walk = np.cumsum(steps)
    return walk - walk[weekdays(REFERENCE)]


def close(seed: int, symbol: str, day: date) -> float:
    """Raw last price of a weekday (USD, whole cents; below a dollar hundredths of them)."""
    entry = listings(seed)[symbol]
    price = entry.price * float(np.exp(_walk(seed, entry.name)[weekdays(day)]))
    price *= price_factor(seed, symbol, day)
    return max(round(price, 2 if price >= 1 else 4), 0.0001)


def trades_on(seed: int, symbol: str, day: date) -> bool:
    """Whether a symbol is listed on a day and finds a buyer."""
    entry = listings(seed)[symbol]
    idle = symbol == ILLIQUID and weekdays(day) % 9 == 4
    return entry.first <= day <= entry.last and not idle


def reaggregates(symbol: str) -> bool:
    """Whether the daily bar of a symbol is that of its minutes; not so where it has odd lots."""
    return symbol != ILLIQUID


def third_friday(day: date) -> date:
    """The next third Friday of a month, `day` itself included."""
    first = day.replace(day=1)
    friday = first + timedelta(days=(4 - first.weekday()) % 7 + 14)
    return friday if friday >= day else third_friday((first + timedelta(days=32)).replace(day=1))


@lru_cache(maxsize=64)
def contracts(seed: int, day: date) -> tuple[Contract, ...]:
    """Options that trade on a day, in the order of bytes.

    Of four underlyings, the two next monthly expiries, three strikes around the price at which the
    expiry was listed (63 days before), a call and a put; one adjusted contract; and NOT_OCC.
    """
    next_one = third_friday(day)
    expiries = (next_one, third_friday(next_one + timedelta(days=1)))
    found = [Contract(symbol, "", "", 1.0, "C", expiries[1]) for symbol in NOT_OCC]
    for underlying in OPTION_ROOTS:
        for expiry in expiries:
            price = close(seed, underlying, expiry - timedelta(days=63))
            step = 5.0 if price > 100 else 2.5
            strikes = [(round(price / step) + away) * step for away in (-1, 0, 1)]
            found += [
                contract(underlying, underlying, strike, kind, expiry)
                for strike in strikes
                for kind in "CP"
            ]
            if underlying == ADJUSTED and expiry == next_one:
                found.append(contract(f"{ADJUSTED}1", ADJUSTED, strikes[-1], "C", expiry))
    return tuple(sorted(found))


def contract(root: str, underlying: str, strike: float, kind: str, expiry: date) -> Contract:
    """A contract with its OCC symbol, `O:XOM1250919C00115000`."""
    symbol = f"O:{root}{expiry:%y%m%d}{kind}{round(strike * 1000):08d}"
    return Contract(symbol, root, underlying, strike, kind, expiry)


def premium(seed: int, option: Contract, day: date) -> float:
    """Last price of an option (USD): what it is worth at once, and more the longer it runs."""
    if not option.root:
        return 1.0
    spot = close(seed, option.underlying, day)
    gain = spot - option.strike if option.kind == "C" else option.strike - spot
    years = max((option.expiry - day).days, 1) / 365
    hope = 0.1 * spot * years**0.5 * float(np.exp(-3 * abs(spot / option.strike - 1)))
    return max(round(max(gain, 0) + hope, 2), 0.01)

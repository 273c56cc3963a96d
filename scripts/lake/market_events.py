"""Splits and cash dividends of the simulated market: some fixed in the demo's window, and seeded.

Every quarter has a split, every month a dividend, every year a special one.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from scripts.lake.market_listings import (
    REFERENCE,
    YEARS,
    event_day,
    event_days,
    generator,
    listings,
)


class Split(NamedTuple):
    """`of` shares become `to` on `day`, before it opens."""

    symbol: str
    day: date
    of: int
    to: int


class Dividend(NamedTuple):
    """Cash per share of ex-date `day` (in `currency`), so many times a year; 0 is special."""

    symbol: str
    day: date
    cash: float
    frequency: int
    currency: str = "USD"


FIXED_SPLITS = (
    Split("FORK", date(2025, 9, 3), 1, 4),
    Split("TINY", date(2025, 8, 28), 10, 1),
)
FIXED_DIVIDENDS = (
    Dividend("FORK", date(2025, 9, 3), 0.2, 4),  # on the day of its split: per new share
    Dividend("JPM", date(2025, 8, 29), 1.4, 4),
    Dividend("KO", date(2025, 9, 2), 0.51, 4),
    Dividend("MAPL", date(2025, 9, 4), 0.88, 4, "CAD"),
    Dividend("MSFT", date(2025, 9, 4), 3.0, 0),
    Dividend("XOM", date(2025, 9, 3), 0.99, 4),
)
SPLITTERS = {  # of, to; every other time the other way round
    "ABRPD": (1, 2),
    "FORK": (2, 3),
    "MAPL": (1, 3),
    "NA": (1, 5),
    "TINY": (10, 1),
    "XLE": (1, 2),
}
YIELDS = {  # quarterly payers -> dividends of a year by price
    "AAPL": 0.004,
    "XLF": 0.015,
    "KO": 0.03,
    "SPY": 0.012,
    "JPM": 0.02,
    "XLE": 0.032,
    "RSP": 0.016,
    "MSFT": 0.007,
    "MAPL": 0.022,
    "XLK": 0.008,
    "FORK": 0.002,
    "XOM": 0.035,
}
CURRENCIES = {"MAPL": "CAD"}
SPECIAL_PAYERS = ("JPM", "KO", "MSFT", "XOM")
LAST_YEAR = YEARS.stop + 1


@lru_cache(maxsize=8)
def splits(seed: int) -> tuple[Split, ...]:
    """All splits, by day."""
    found, symbols = list(FIXED_SPLITS), sorted(SPLITTERS)
    for quarter in range(4 * (LAST_YEAR - YEARS.start + 1)):
        year, number = YEARS.start + quarter // 4, quarter % 4
        if (year, number) == (2025, 2):  # has the fixed ones
            continue
        symbol, lap = symbols[quarter % len(symbols)], quarter // len(symbols)
        month, place = generator(seed, "split", quarter).integers(0, [3, 100]).tolist()
        of, to = SPLITTERS[symbol][:: -1 if lap % 2 else 1]
        found.append(Split(symbol, event_day(year, 3 * number + month + 1, place), of, to))
    return tuple(sorted(found, key=lambda split: (split.day, split.symbol)))


@lru_cache(maxsize=64)
def _splits_of(seed: int, symbol: str) -> tuple[Split, ...]:
    return tuple(split for split in splits(seed) if split.symbol == symbol)


def price_factor(seed: int, symbol: str, day: date) -> float:
    """What a raw price of `day` is by one of REFERENCE, the company's value being the same."""
    factor = 1.0
    for split in _splits_of(seed, symbol):
        if REFERENCE < split.day <= day:
            factor *= split.of / split.to
        elif day < split.day <= REFERENCE:
            factor *= split.to / split.of
    return factor


def _cash(seed: int, symbol: str, day: date, share: float) -> float:
    """A dividend of a share of the price, growing by 4 % a year, in cash per share of the day."""
    price = listings(seed)[symbol].price * price_factor(seed, symbol, day)
    return max(round(price * share * 1.04 ** (day.year - REFERENCE.year), 4), 0.0001)


@lru_cache(maxsize=8)
def dividends(seed: int) -> tuple[Dividend, ...]:
    """All dividends, by ex-date."""
    found = list(FIXED_DIVIDENDS)
    fixed = {(d.symbol, d.day.year, (d.day.month + 2) // 3) for d in FIXED_DIVIDENDS if d.frequency}
    for year in range(YEARS.start, LAST_YEAR + 1):
        for place, (symbol, share) in enumerate(YIELDS.items()):
            for month in range(1 + (place + 1) % 3, 13, 3):
                if (symbol, year, (month + 2) // 3) not in fixed:
                    days = event_days(year, month)
                    day = days[place // 3 * (len(days) - 1) // 3]
                    cash, currency = _cash(seed, symbol, day, share / 4), CURRENCIES.get(symbol)
                    found.append(Dividend(symbol, day, cash, 4, currency or "USD"))
        if year != REFERENCE.year:  # has the fixed one
            rng = generator(seed, "special", year)
            symbol = str(rng.choice(SPECIAL_PAYERS))
            day = event_day(year, *rng.integers([1, 0], [13, 100]).tolist())
            found.append(Dividend(symbol, day, _cash(seed, symbol, day, 0.02), 0))
    return tuple(sorted(found, key=lambda d: (d.day, d.symbol, d.frequency)))

"""A seeded market: listings, what happens to them, and prices, all functions of seed and date.

Nothing depends on which dates are asked for. Companies are invented in all but their tickers.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np

EPOCH = date(2010, 1, 4)  # a Monday; prices walk from here, one step for each weekday
DAILY_VOLATILITY = 0.012
ODD_LOTS = "SLOW"  # its daily bar holds trades that are in no minute


class Listing(NamedTuple):
    """A security: price (USD, in 2025), minute bars of a day, first and last session."""

    symbol: str
    name: str
    kind: str  # the vendor's code: CS common stock, ETF, PFD preferred
    price: float
    bars: int
    first: date = date(2003, 1, 1)
    last: date = date(2099, 12, 31)


LISTINGS = {
    entry.symbol: entry
    for entry in (
        Listing("AAPL", "Apfel Computer", "CS", 230.0, 150),
        Listing("ABRPD", "Arbor Plain D", "CS", 25.0, 40),
        Listing("ABRpD", "Arbor Realty Preferred D", "PFD", 18.0, 25),
        Listing("BRK.A", "Brook Holding A", "CS", 740_000.0, 20),
        Listing("DEBUT", "Debut Systems", "CS", 31.0, 90, first=date(2025, 8, 28)),
        Listing("FORK", "Fork Foods", "CS", 400.0, 100),
        Listing("GONE", "Gone Industries", "CS", 4.0, 50, last=date(2025, 9, 4)),
        Listing("JPM", "Jay Penny Bank", "CS", 300.0, 130),
        Listing("KO", "Kola", "CS", 69.0, 130),
        Listing("MAPL", "Maple Rail", "CS", 95.0, 60),
        Listing("MSFT", "Micro Softworks", "CS", 505.0, 150),
        Listing("NA", "Nano Labs", "CS", 12.0, 45),
        Listing("NEWN", "New Name", "CS", 52.0, 80, first=date(2025, 9, 3)),
        Listing("NaN", "Nan Preferred", "PFD", 7.0, 15),
        Listing("OLDN", "New Name", "CS", 52.0, 80, last=date(2025, 9, 2)),
        Listing("RSP", "Equal Weight 500", "ETF", 185.0, 110),
        Listing("SLOW", "Slow Trade Trust", "CS", 9.0, 3),
        Listing("SPY", "Market 500", "ETF", 640.0, 160),
        Listing("TINY", "Tiny Mining", "CS", 0.8, 60),
        Listing("XLE", "Energy Sector", "ETF", 88.0, 100),
        Listing("XLF", "Financial Sector", "ETF", 53.0, 100),
        Listing("XLK", "Technology Sector", "ETF", 260.0, 100),
        Listing("XOM", "Exxo Oil", "CS", 112.0, 130),
        Listing("null", "Null Preferred", "PFD", 33.0, 15),
    )
}


class Split(NamedTuple):
    """`to` shares for `of` on `day`."""

    symbol: str
    day: date
    of: int
    to: int


class Dividend(NamedTuple):
    """Cash per share on ex-date `day`; frequency 0 is special."""

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
    Dividend("KO", date(2025, 9, 2), 0.51, 4),
    Dividend("JPM", date(2025, 8, 29), 1.4, 4),
    Dividend("XOM", date(2025, 9, 3), 0.99, 4),
    Dividend("MSFT", date(2025, 9, 4), 3.0, 0),
    Dividend("MAPL", date(2025, 9, 4), 0.88, 4, "CAD"),
    Dividend("FORK", date(2025, 9, 3), 0.2, 4),
)
RENAMES = (("OLDN", "NEWN", date(2025, 9, 3)),)  # old ticker, new ticker, its first session
DIVIDEND_YIELD = {"AAPL": 0.004, "JPM": 0.02, "KO": 0.03, "MSFT": 0.007, "SPY": 0.012, "XLF": 0.015}
OPTION_ROOTS = ("AAPL", "KO", "SPY", "XOM")
ADJUSTED_ROOT = "XOM1"  # contracts that a corporate action has changed


def generator(seed: int, *parts: object) -> np.random.Generator:
    """Random numbers of their own for every use: the same for the same seed and parts."""
    words = [seed, *(zlib.crc32(str(part).encode()) for part in parts)]
    return np.random.default_rng(words)


def weekdays(day: date) -> int:
    """Weekdays from EPOCH to `day`."""
    return int(np.busday_count(EPOCH, day))


@lru_cache(maxsize=64)
def _walk(seed: int, symbol: str) -> np.ndarray:
    """Log price, relative to the listing's, of every weekday from EPOCH on; 0 in August 2025."""
    steps = generator(seed, "walk", symbol).standard_normal(7000) * DAILY_VOLATILITY
    walk = np.cumsum(steps + 0.0002)
    return walk - walk[weekdays(date(2025, 8, 25))]


def trades_on(symbol: str, day: date) -> bool:
    """Whether a symbol is listed on a day."""
    return LISTINGS[symbol].first <= day <= LISTINGS[symbol].last


def close(seed: int, symbol: str, day: date) -> float:
    """Raw close (USD, whole cents; below a dollar hundredths of them) of a weekday.

    Splits divide it. Dividends do not show: the walk already is the price after them.
    """
    kin = {new: old for old, new, _ in RENAMES}.get(symbol, symbol)  # one walk for both names
    entry = LISTINGS[symbol]
    price = entry.price * np.exp(_walk(seed, kin)[weekdays(day)])
    for split in FIXED_SPLITS:
        if split.symbol == symbol and day >= split.day:
            price *= split.of / split.to
    return float(max(round(price, 2 if price >= 1 else 4), 0.0001))


def dividends(symbol: str, first: date, last: date) -> Iterator[Dividend]:
    """Dividends with ex-dates from `first` to `last`: fixed ones, and quarterly ones of some."""
    yield from (d for d in FIXED_DIVIDENDS if d.symbol == symbol and first <= d.day <= last)
    if symbol not in DIVIDEND_YIELD:
        return
    rate = DIVIDEND_YIELD[symbol] * LISTINGS[symbol].price / 4
    fixed = {(d.day.year, d.day.month) for d in FIXED_DIVIDENDS if d.symbol == symbol}
    offset = zlib.crc32(symbol.encode())
    for year in range(first.year, last.year + 1):
        for month in (2 + offset % 2, 5 + offset % 2, 8 + offset % 2, 11 + offset % 2):
            day = date(year, month, 8 + offset % 12)
            day += timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)
            if first <= day <= last and (year, month) not in fixed:
                yield Dividend(symbol, day, round(rate, 4), 4)


def splits(first: date, last: date) -> Iterator[Split]:
    """Splits executed from `first` to `last`."""
    yield from (split for split in FIXED_SPLITS if first <= split.day <= last)


def reaggregates(symbol: str) -> bool:
    """Whether the daily bar of a stock is the sum of its minutes."""
    return symbol != ODD_LOTS


def contracts(day: date) -> list[tuple[str, str, float, str, date]]:
    """Option contracts traded on a day: (symbol, underlying, strike, C or P, expiry), sorted."""
    found = []
    third_friday = _third_friday(day)
    expiries = [third_friday, _third_friday(third_friday + timedelta(days=20))]
    for root in OPTION_ROOTS:
        price = LISTINGS[root].price
        step = 5.0 if price > 100 else 2.5
        middle = round(price / step) * step
        for expiry in expiries:
            for strike in (middle - step, middle, middle + step):
                for kind in "CP":
                    name = f"O:{root}{expiry:%y%m%d}{kind}{round(strike * 1000):08d}"
                    found.append((name, root, strike, kind, expiry))
    adjusted = f"O:{ADJUSTED_ROOT}{expiries[1]:%y%m%d}C{115000:08d}"
    found.append((adjusted, ADJUSTED_ROOT, 115.0, "C", expiries[1]))
    return sorted(found)


def _third_friday(day: date) -> date:
    """The next third Friday of a month, `day` itself included."""
    first = day.replace(day=1)
    friday = first + timedelta(days=(4 - first.weekday()) % 7 + 14)
    return friday if friday >= day else _third_friday((first + timedelta(days=32)).replace(day=1))

"""Who is listed in the simulated market, and when: fixed listings, and young companies by year.

Companies are invented in all but their tickers. Every year a young company goes public; a year on
it takes another ticker, and in the year after that it is delisted, on days that the seed decides.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np

HISTORY = date(2014, 1, 1)  # nothing is told of before
YEARS = range(2013, 2036)  # in which a young company goes public
REFERENCE = date(2025, 8, 25)  # the day of the prices below: the demo's first session
CLOSED = {date(2018, 12, 5), date(2025, 1, 9)}  # days of mourning


class Listing(NamedTuple):
    """A security: price (USD, raw, on REFERENCE), minute bars of a day, first and last session."""

    symbol: str
    name: str  # of the company: one walk of prices for all its tickers
    kind: str  # the vendor's code: CS common stock, ETF, PFD preferred
    price: float
    bars: int
    first: date = date(2003, 1, 2)
    last: date = date(2099, 12, 31)


class Rename(NamedTuple):
    """A company takes another ticker; `day` is the first of the new one."""

    old: str
    new: str
    day: date


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
        Listing("NaN", "Nano Labs Preferred", "PFD", 7.0, 15),
        Listing("OLDN", "New Name", "CS", 52.0, 80, last=date(2025, 9, 2)),
        Listing("RSP", "Equal Weight 500", "ETF", 185.0, 110),
        Listing("SLOW", "Slow Trade Trust", "CS", 9.0, 3),
        Listing("SPY", "Market 500", "ETF", 640.0, 150),
        Listing("TINY", "Tiny Mining", "CS", 0.8, 60),
        Listing("XLE", "Energy Sector", "ETF", 88.0, 100),
        Listing("XLF", "Financial Sector", "ETF", 53.0, 100),
        Listing("XLK", "Technology Sector", "ETF", 260.0, 100),
        Listing("XOM", "Exxo Oil", "CS", 112.0, 130),
        Listing("null", "Null Preferred", "PFD", 33.0, 15),
    )
}
FIXED_RENAMES = (Rename("OLDN", "NEWN", date(2025, 9, 3)),)
FIXED_IPOS = ("DEBUT",)


def young(year: int) -> tuple[str, str]:
    """First and second ticker of the company that goes public in `year`: SEEDM, GROWM in 2025."""
    letter = chr(ord("A") + year - YEARS.start)
    return f"SEED{letter}", f"GROW{letter}"


# Every ticker that is, was or will be listed, for any seed; in the order of bytes.
SYMBOLS = tuple(sorted([*LISTINGS, *(symbol for year in YEARS for symbol in young(year))]))


def generator(seed: int, *parts: object) -> np.random.Generator:
    """Random numbers of their own for every use: the same for the same seed and parts."""
    words = [seed, *(zlib.crc32(str(part).encode()) for part in parts)]
    return np.random.default_rng(words)


def event_days(year: int, month: int) -> list[date]:
    """Days of a month on which things happen: exchanges are open, Tuesday to Thursday.

    From the 2nd to the 24th, where few holidays can be; those are left out.
    """
    found = []
    for number in range(2, 25):
        day = date(year, month, number)
        holiday = (month, number) in {(6, 19), (7, 3), (7, 4)} or (month == 11 and number > 21)
        if day.weekday() in (1, 2, 3) and not holiday and day not in CLOSED:
            found.append(day)
    return found


def event_day(year: int, month: int, place: int) -> date:
    """One of the `event_days`, for every number `place`."""
    days = event_days(year, month)
    return days[place % len(days)]


@lru_cache(maxsize=8)
def _life(seed: int) -> tuple[tuple[Listing, ...], tuple[Rename, ...]]:
    """Listings of the young companies, and their renames."""
    listings, renames = [], []
    for year in YEARS:
        old, new = young(year)
        rng = generator(seed, "young", year)
        months, places = rng.integers(1, 13, 3).tolist(), rng.integers(0, 100, 3).tolist()
        first, change, last = (
            event_day(year + later, months[later], places[later]) for later in range(3)
        )
        name, price = f"Seedling {old[-1]}", round(float(rng.uniform(8, 80)), 2)
        listings += [
            Listing(old, name, "CS", price, 40, first, change - timedelta(days=1)),
            Listing(new, name, "CS", price, 40, change, last),
        ]
        renames.append(Rename(old, new, change))
    return tuple(listings), tuple(renames)


@lru_cache(maxsize=8)
def listings(seed: int) -> Mapping[str, Listing]:
    """All listings by ticker, in the order of bytes."""
    every = LISTINGS | {entry.symbol: entry for entry in _life(seed)[0]}
    return {symbol: every[symbol] for symbol in SYMBOLS}


def renames(seed: int) -> tuple[Rename, ...]:
    """All changes of a ticker, by day."""
    return tuple(sorted([*FIXED_RENAMES, *_life(seed)[1]], key=lambda change: change.day))


def ipos(seed: int) -> tuple[Listing, ...]:
    """Listings that began with an offer of shares, by day."""
    names = [*FIXED_IPOS, *(young(year)[0] for year in YEARS)]
    return tuple(sorted((listings(seed)[name] for name in names), key=lambda entry: entry.first))


def listed(seed: int, day: date) -> list[str]:
    """Tickers that are listed on a day, in the order of bytes."""
    return [entry.symbol for entry in listings(seed).values() if entry.first <= day <= entry.last]

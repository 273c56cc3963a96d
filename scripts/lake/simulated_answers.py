"""What the simulated vendor tells of the whole market: actions, news, short data, reference.

Nothing is told before it is known: dividends, splits and offers from their announcement on, short
interest 12 days after its settlement, short volume the day after. A few records are of no use.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np

from scripts.lake import market, market_events
from scripts.lake.market_listings import (
    HISTORY,
    SYMBOLS,
    Listing,
    event_day,
    generator,
    ipos,
    listed,
    listings,
    renames,
)
from scripts.lake.simulated_query import Ask

ANNOUNCED = timedelta(days=20)  # before the ex-date, execution or listing
SETTLED = timedelta(days=12)  # from the settlement of short interest to its publication
NEXT_DAY = timedelta(days=1)
BUSY_NEWS = 60  # articles of the first Wednesday of a month: more than a page
WITHOUT_ID = "PFAN"  # a ticker without bars; its dividend has no id
KINDS = {"CS": "Common Stock", "ETF": "Exchange Traded Fund", "PFD": "Preferred Stock"}
PUBLISHERS = ("The Daily Bar", "Börsen-Blatt", "Tick & Quote")


def known(day: date, as_of: date) -> bool:
    """Whether an event of `day` is announced, and late enough to be told of at all."""
    return day >= HISTORY and day - ANNOUNCED <= as_of


def dividends(ask: Ask) -> Iterator[dict]:
    """/v3/reference/dividends. Once a quarter an amount is no number; one record has no id."""
    for paid in market_events.dividends(ask.seed):
        entry = listings(ask.seed)[paid.symbol]
        if known(paid.day, ask.as_of) and entry.first <= paid.day <= entry.last:
            yield dividend_record(paid)
    for year in range(HISTORY.year, ask.as_of.year + 1):
        for month in (2, 5, 8, 11):
            wrong = {"id": f"DBAD{year}{month:02d}", "ticker": "XOM", "cash_amount": "n/a"}
            if known(date(year, month, 27), ask.as_of):
                yield {**wrong, "currency": "USD", "ex_dividend_date": f"{year}-{month:02d}-27"}
    orphan = market_events.Dividend(WITHOUT_ID, date(2025, 9, 2), 0.4, 12)
    if known(orphan.day, ask.as_of):
        yield {name: value for name, value in dividend_record(orphan).items() if name != "id"}


def dividend_record(paid: market_events.Dividend) -> dict:
    """A dividend as the vendor tells it."""
    return {
        "id": f"D{paid.symbol}{paid.day:%Y%m%d}{paid.frequency}",
        "ticker": paid.symbol,
        "cash_amount": paid.cash,
        "currency": paid.currency,
        "dividend_type": "CD" if paid.frequency else "SC",
        "declaration_date": f"{paid.day - ANNOUNCED}",
        "ex_dividend_date": f"{paid.day}",
        "record_date": f"{paid.day}",
        "pay_date": f"{paid.day + timedelta(days=15)}",
        "frequency": paid.frequency,
    }


def splits(ask: Ask) -> Iterator[dict]:
    """/v3/reference/splits. Every September one into no shares at all."""
    for split in market_events.splits(ask.seed):
        if known(split.day, ask.as_of):
            yield split_record(split)
    for year in range(HISTORY.year, ask.as_of.year + 1):
        wrong = market_events.Split("RSP", event_day(year, 9, 0), 1, 0)
        if known(wrong.day, ask.as_of):
            yield split_record(wrong)


def split_record(split: market_events.Split) -> dict:
    """A split as the vendor tells it."""
    return {
        "id": f"S{split.symbol}{split.day:%Y%m%d}",
        "ticker": split.symbol,
        "execution_date": f"{split.day}",
        "split_from": split.of,
        "split_to": split.to,
    }


def offers(ask: Ask) -> Iterator[dict]:
    """/vX/reference/ipos: pending until the shares are listed, history after."""
    for entry in ipos(ask.seed):
        if not known(entry.first, ask.as_of):
            continue
        done = entry.first <= ask.as_of
        price = round(market.close(ask.seed, entry.symbol, entry.first) / 1.1, 2)
        yield {
            "ticker": entry.symbol,
            "issuer_name": entry.name,
            "listing_date": f"{entry.first}",
            "announced_date": f"{entry.first - ANNOUNCED}",
            "last_updated": f"{entry.first if done else entry.first - ANNOUNCED}",
            "ipo_status": "history" if done else "pending",
            "security_type": entry.kind,
            "primary_exchange": exchange(entry),
            "currency_code": "USD",
            "final_issue_price": price if done else None,
            "lowest_offer_price": round(price * 0.9, 2),
            "highest_offer_price": round(price * 1.05, 2),
            "min_shares_offered": 9_000_000,
            "max_shares_offered": 10_000_000,
            "total_offer_size": round(price * 10_000_000),
            "isin": f"US{code(entry.name)}",
            "us_code": code(entry.name)[1:],
            "lot_size": 100,
        }


def code(name: str) -> str:
    """Ten digits of a company."""
    return f"{zlib.crc32(name.encode()):010d}"


def exchange(entry: Listing) -> str:
    """MIC of the exchange that a security is listed on."""
    return "ARCX" if entry.kind == "ETF" else ("XNYS", "XNAS")[len(entry.name) % 2]


def figi(entry: Listing, kind: str) -> str:
    """An identifier of the form of a FIGI; `kind` is a letter."""
    return f"BBG{kind}{code(entry.name)[2:]}"


def earliest(ask: Ask, field: str) -> date:
    """The first day of daily data; who does not ask from when on, is told of a year."""
    return HISTORY if ask.is_bounded(field) else ask.as_of - timedelta(days=365)


def news(ask: Ask) -> Iterator[dict]:
    """/v2/reference/news: a few a day, weekends too; many on the first Wednesday of a month.

    The day's last article is told twice; one of a Monday has no id.
    """
    for day in ask.days("published_utc", earliest(ask, "published_utc"), ask.as_of):
        rng = generator(ask.seed, "news", day)
        busy = day.weekday() == 2 and day.day <= 7
        count = BUSY_NEWS if busy else 3 + int(rng.integers(3))
        symbols, minutes = listed(ask.seed, day), np.sort(rng.integers(0, 1440, count)).tolist()
        for number, minute in enumerate(minutes):
            about = [symbols[place] for place in rng.integers(0, len(symbols), number % 3)]
            told = article(day, number, minute, sorted(set(about)))
            if day.weekday() == 0 and number == 1:
                told.pop("id")
            yield told
        yield article(day, number, minute, sorted(set(about)))


def article(day: date, number: int, minute: int, tickers: list[str]) -> dict:
    """An article as the vendor tells it."""
    address = f"https://example.com/{day}/{number}"
    publisher = PUBLISHERS[number % len(PUBLISHERS)]
    told = {
        "id": f"n{day:%Y%m%d}-{number:02d}",
        "publisher": {"name": publisher, "homepage_url": "https://example.com", "logo_url": None},
        "title": f"Überraschung: Märkte “bewegt” — {', '.join(tickers) or '東京'}",
        "author": "A. Simulated",
        "published_utc": f"{day}T{minute // 60:02d}:{minute % 60:02d}:00Z",
        "article_url": address,
        "image_url": f"{address}.png",
        "tickers": tickers,
        "description": f"Simulated, number {number} of its day.",
        "keywords": ["market", "simulated"][: number % 3],
    }
    if number % 2:
        told["amp_url"] = f"{address}/amp"
        told["insights"] = [{"ticker": ticker, "sentiment": "neutral"} for ticker in tickers]
    return told


def settlements(ask: Ask) -> list[date]:
    """Days of the window on which short interest settles, as far as it is published.

    By FINRA's rule: the 15th and the month's last day, or the weekday before.
    """
    found = []
    for day in ask.days("settlement_date", HISTORY, ask.as_of - SETTLED):
        following = day + timedelta(days=3 if day.weekday() == 4 else 1)
        middle = day.day <= 15 < following.day
        if day.weekday() < 5 and (middle or following.month != day.month):
            found.append(day)
    return found


def short_interest(ask: Ask) -> Iterator[dict]:
    """/stocks/v1/short-interest: twice a month."""
    for day in settlements(ask):
        volumes, helds = generator(ask.seed, "short interest", day).integers(
            [[10**4], [10**3]], [[10**7], [10**8]], (2, len(SYMBOLS))
        )
        own = dict(zip(SYMBOLS, zip(volumes.tolist(), helds.tolist(), strict=True), strict=True))
        for symbol in ask.tickers(listed(ask.seed, day)):
            volume, held = own[symbol]
            yield {
                "ticker": symbol,
                "settlement_date": f"{day}",
                "short_interest": held,
                "avg_daily_volume": volume,
                "days_to_cover": round(max(held / volume, 1), 2),
            }


def short_volume(ask: Ask) -> Iterator[dict]:
    """/stocks/v1/short-volume: every weekday. On Tuesdays one total is no number."""
    for day in ask.days("date", earliest(ask, "date"), ask.as_of - NEXT_DAY):
        if day.weekday() > 4:
            continue
        drawn = generator(ask.seed, "short volume", day).random((len(SYMBOLS), 2))
        own = dict(zip(SYMBOLS, drawn.tolist(), strict=True))
        for symbol in ask.tickers(listed(ask.seed, day)):
            total = 1000 + int(own[symbol][0] * 10**6)
            yield short_record(symbol, day, total, int(total * (0.3 + 0.3 * own[symbol][1])))
        if day.weekday() == 1:
            yield short_record("TINY", day, 1000, 400) | {"total_volume": "many"}


def short_record(symbol: str, day: date, total: int, shorted: int) -> dict[str, Any]:
    """Short volume as the vendor tells it."""
    exempt = total // 200
    return {
        "ticker": symbol,
        "date": f"{day}",
        "short_volume": shorted,
        "exempt_volume": exempt,
        "non_exempt_volume": shorted - exempt,
        "total_volume": total,
        "short_volume_ratio": round(100 * shorted / total, 2),
        "adf_short_volume": 0,
    }


def ticker_types(_: Ask) -> list[dict]:
    """/v3/reference/tickers/types."""
    return [
        {"code": kind, "description": text, "asset_class": "stocks", "locale": "us"}
        for kind, text in KINDS.items()
    ]


def tickers(ask: Ask) -> Iterator[dict]:
    """/v3/reference/tickers: those that trade, or with `active=false` those that did."""
    day = min([ask.as_of, *map(date.fromisoformat, filter(None, [ask.query.get("date")]))])
    active = ask.query.get("active", "true") == "true"
    for entry in listings(ask.seed).values():
        if entry.first > day or (entry.last >= day) != active:
            continue
        yield {
            "ticker": entry.symbol,
            "name": entry.name,
            "market": "stocks",
            "locale": "us",
            "primary_exchange": exchange(entry),
            "type": entry.kind,
            "active": active,
            "currency_name": "usd",
            "composite_figi": figi(entry, "0"),
            "share_class_figi": figi(entry, "1"),
            "last_updated_utc": f"{day}T06:00:00Z",
            **({"cik": code(entry.name)} if entry.kind == "CS" else {}),
            **({} if active else {"delisted_utc": f"{entry.last + NEXT_DAY}T00:00:00Z"}),
        }


def listed_by(ask: Ask, ticker: str) -> Listing | None:
    """The listing of a ticker, if there was one by the last day that is known."""
    entry = listings(ask.seed).get(ticker)
    return entry if entry and entry.first <= ask.as_of else None


def ticker_events(ask: Ask, ticker: str) -> dict | None:
    """/vX/reference/tickers/{ticker}/events: all tickers of the company, the latest first."""
    entry = listed_by(ask, ticker)
    if entry is None:
        return None
    chain = [(entry.first, ticker)]
    for change in renames(ask.seed):
        if ticker in (change.old, change.new):
            chain = [
                (listings(ask.seed)[change.old].first, change.old),
                (change.day, change.new),
            ]
    events = [
        {"type": "ticker_change", "date": f"{day}", "ticker_change": {"ticker": name}}
        for day, name in reversed(chain)
        if day <= ask.as_of
    ]
    company = {"name": entry.name, "composite_figi": figi(entry, "0"), "cik": code(entry.name)}
    return {**company, "events": events}


def related(ask: Ask, ticker: str) -> list[dict] | None:
    """/v1/related-companies/{ticker}: three of its neighbours."""
    if listed_by(ask, ticker) is None:
        return None
    others = [name for name in listed(ask.seed, ask.as_of) if name != ticker]
    place = zlib.crc32(ticker.encode()) % len(others)
    return [{"ticker": others[(place + step) % len(others)]} for step in range(3)]

"""REST answers of the simulated market, in the vendor's JSON, paged; and a transport for httpx.

What is dated after `as_of` is not told: filings by filing date, news by publication, dividends,
splits and listings by announcement.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from urllib.parse import parse_qsl, urlencode

import httpx

from scripts.lake import market, simulated_filings

PAGE = 50  # records of a page at the most, so that small answers page too
BASE = "https://api.massive.com"
ANNOUNCED = timedelta(days=20)  # before the ex-date, execution or listing
PER_TICKER = ("events", "related-companies")


def respond(
    seed: int, as_of: date, path: str, query: Mapping[str, str], base: str
) -> tuple[int, dict]:
    """Status and JSON of one request.

    Args:
        seed: of the market.
        as_of: nothing after it is told.
        path: `/v3/reference/splits`.
        query: its parameters; `cursor` alone continues an answer.
        base: what `next_url` starts with.
    """
    if "cursor" in query:
        query = dict(parse_qsl(base64.urlsafe_b64decode(query["cursor"]).decode()))
    offset = int(query.get("offset", 0))
    asked = {name: value for name, value in query.items() if name not in ("apiKey", "offset")}
    found = _answer(seed, as_of, path, asked)
    if found is None:
        return 404, {"status": "NOT_FOUND", "request_id": "simulated", "message": "not found"}
    content = {"status": "OK", "request_id": "simulated"}
    if isinstance(found, dict):
        return 200, {**content, "results": found}
    size = min(int(asked.get("limit", PAGE)), PAGE)
    if len(found) > offset + size:
        state = urlencode({**asked, "offset": offset + size})
        cursor = base64.urlsafe_b64encode(state.encode()).decode()
        content["next_url"] = f"{base}{path}?{urlencode({'cursor': cursor})}"
    return 200, {**content, "results": found[offset : offset + size]}


class SimulatedTransport(httpx.BaseTransport):
    """Answers requests in this process, as the vendor's server would."""

    def __init__(self, seed: int, as_of: date) -> None:
        """Take over the market's seed and the last day that is known."""
        self._seed, self._as_of = seed, as_of

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        query = dict(parse_qsl(request.url.query.decode()))
        status, content = respond(self._seed, self._as_of, request.url.path, query, BASE)
        body = json.dumps(content).encode()
        return httpx.Response(status, content=body, headers={"Content-Type": "application/json"})


def _answer(seed: int, as_of: date, path: str, query: Mapping[str, str]) -> list | dict | None:
    last = path.rpartition("/")[2]
    if path.startswith("/vX/reference/tickers/") and last == "events":
        return _events(path.split("/")[4], as_of)
    if path.startswith("/v1/related-companies/"):
        return _related(last)
    makers = {
        "/vX/reference/financials": lambda: simulated_filings.financials(seed, as_of, query),
        "/v3/reference/dividends": lambda: _window(_dividends(as_of), "ex_dividend_date", query),
        "/v3/reference/splits": lambda: _window(_splits(as_of), "execution_date", query),
        "/vX/reference/ipos": lambda: _window(_ipos(as_of), "listing_date", query),
        "/v2/reference/news": lambda: _news(seed, as_of, query),
        "/stocks/v1/short-interest": lambda: _short_interest(seed, as_of, query),
        "/stocks/v1/short-volume": lambda: _short_volume(seed, as_of, query),
        "/stocks/financials/v1/ratios": lambda: simulated_filings.ratios(seed, as_of, query),
        "/v3/reference/tickers/types": _types,
        "/v3/reference/tickers": lambda: _tickers(as_of, query),
    }
    return makers[path]() if path in makers else None


def bounds(field: str, query: Mapping[str, str]) -> tuple[str, str]:
    """First and last value of `field` that a query asks for, both included."""
    first = query.get(f"{field}.gte", "")
    last = query.get(f"{field}.lte", "9999")
    if after := query.get(f"{field}.gt"):
        first = max(first, after + "~")
    if end := query.get(f"{field}.lt"):
        last = min(last, (date.fromisoformat(end[:10]) - timedelta(days=1)).isoformat() + "~")
    if exact := query.get(field):
        first = last = exact
    return first, last


def _window(records: Iterable[dict], field: str, query: Mapping[str, str]) -> list[dict]:
    first, last = bounds(field, query)
    ticker = query.get("ticker")
    found = [
        r
        for r in records
        if first <= str(r.get(field, "")) <= last and ticker in (None, r.get("ticker"))
    ]
    return sorted(found, key=lambda r: (str(r.get(field)), str(r.get("ticker"))))


def days(first: date, last: date) -> list[date]:
    """Weekdays from `first` to `last`."""
    count = max((last - first).days + 1, 0)
    every = (first + timedelta(days=n) for n in range(count))
    return [day for day in every if day.weekday() < 5]


HISTORY = date(2014, 1, 1)  # nothing is told of before


def _dividends(as_of: date) -> list[dict]:
    found = []
    for symbol in market.LISTINGS:
        for d in market.dividends(symbol, HISTORY, as_of + timedelta(days=45)):
            if d.day - ANNOUNCED > as_of:
                continue
            found.append(
                {
                    "id": f"D{symbol}{d.day:%Y%m%d}",
                    "ticker": symbol,
                    "cash_amount": d.cash,
                    "currency": d.currency,
                    "dividend_type": "CD" if d.frequency else "SC",
                    "declaration_date": f"{d.day - ANNOUNCED}",
                    "ex_dividend_date": f"{d.day}",
                    "record_date": f"{d.day}",
                    "pay_date": f"{d.day + timedelta(days=15)}",
                    "frequency": d.frequency,
                }
            )
    no_amount = {
        "id": "DBAD",
        "ticker": "XOM",
        "cash_amount": "n/a",
        "ex_dividend_date": "2025-08-27",
    }
    no_id = {k: v for k, v in found[0].items() if k != "id"} | {
        "ticker": "PFAN",
        "ex_dividend_date": "2025-09-02",
    }
    return [*found, no_amount, no_id]


def _splits(as_of: date) -> list[dict]:
    return [
        {
            "id": f"S{s.symbol}{s.day:%Y%m%d}",
            "ticker": s.symbol,
            "execution_date": f"{s.day}",
            "split_from": s.of,
            "split_to": s.to,
        }
        for s in market.splits(HISTORY, as_of + timedelta(days=45))
        if s.day - ANNOUNCED <= as_of
    ]


def _ipos(as_of: date) -> list[dict]:
    found = []
    for entry in market.LISTINGS.values():
        if entry.symbol == "DEBUT" and entry.first - ANNOUNCED <= as_of:
            done = entry.first <= as_of
            found.append(
                {
                    "ticker": entry.symbol,
                    "issuer_name": entry.name,
                    "listing_date": f"{entry.first}",
                    "announced_date": f"{entry.first - ANNOUNCED}",
                    "last_updated": f"{min(as_of, entry.first)}",
                    "ipo_status": "history" if done else "pending",
                    "final_issue_price": 28.0 if done else None,
                    "lowest_offer_price": 25.0,
                    "highest_offer_price": 29.0,
                    "min_shares_offered": 9_000_000,
                    "max_shares_offered": 10_000_000,
                    "total_offer_size": 280_000_000,
                    "currency_code": "USD",
                    "primary_exchange": "XNAS",
                    "security_type": "CS",
                }
            )
    return found


def _events(ticker: str, as_of: date) -> dict | None:
    if ticker not in market.LISTINGS:
        return None
    chain = [(market.LISTINGS[ticker].first, ticker)]
    for old, new, day in market.RENAMES:
        if ticker in (old, new):
            chain = [(market.LISTINGS[old].first, old), (day, new)]
    events = [
        {"type": "ticker_change", "date": f"{day}", "ticker_change": {"ticker": name}}
        for day, name in reversed(chain)
        if day <= as_of
    ]
    return {"name": market.LISTINGS[ticker].name, "cik": "0000000001", "events": events}


def _related(ticker: str) -> list[dict] | None:
    if ticker not in market.LISTINGS:
        return None
    names = sorted(market.LISTINGS)
    place = names.index(ticker)
    return [{"ticker": names[(place + step) % len(names)]} for step in (1, 2, 3)]


def _types() -> list[dict]:
    kinds = {"CS": "Common Stock", "ETF": "Exchange Traded Fund", "PFD": "Preferred Stock"}
    return [
        {"code": code, "description": text, "asset_class": "stocks", "locale": "us"}
        for code, text in kinds.items()
    ]


def _tickers(as_of: date, query: Mapping[str, str]) -> list[dict]:
    day = min(as_of, date.fromisoformat(query.get("date", f"{as_of}")))
    active = query.get("active", "true") == "true"
    found = []
    for entry in sorted(market.LISTINGS.values()):
        if entry.first > day or (entry.last >= day) != active:
            continue
        record = {
            "ticker": entry.symbol,
            "name": entry.name,
            "market": "stocks",
            "locale": "us",
            "primary_exchange": "XNAS",
            "type": entry.kind,
            "active": active,
            "currency_name": "usd",
            "last_updated_utc": f"{day}T06:00:00Z",
        }
        if not active:
            record["delisted_utc"] = f"{entry.last + timedelta(days=1)}T00:00:00Z"
        found.append(record)
    return found


def _news(seed: int, as_of: date, query: Mapping[str, str]) -> list[dict]:
    first, last = bounds("published_utc", query)
    start = max(date.fromisoformat(first[:10] or f"{as_of}"), HISTORY)
    end = min(date.fromisoformat(last[:10]) if last[:4] != "9999" else as_of, as_of)
    found = []
    for offset in range(max((end - start).days + 1, 0)):
        day = start + timedelta(days=offset)
        rng = market.generator(seed, "news", day)
        for number in range(3 + int(rng.integers(3))):
            tickers = [str(rng.choice(sorted(market.LISTINGS))) for _ in range(number % 3)]
            hour, minute = int(rng.integers(24)), int(rng.integers(60))
            found.append(
                {
                    "id": f"n{day:%Y%m%d}-{number}",
                    "publisher": {"name": "The Daily Bar", "homepage_url": "https://example.com"},
                    "title": f"Überraschung: Märkte “bewegt” — {', '.join(tickers) or 'alle'}",
                    "author": "A. Simulated",
                    "published_utc": f"{day}T{hour:02d}:{minute:02d}:00Z",
                    "article_url": f"https://example.com/{day}/{number}",
                    "tickers": tickers,
                    "description": "Simulated.",
                    "keywords": ["market"],
                }
            )
        found.append(dict(found[-1]))  # told twice
    found = [r for r in found if first <= r["published_utc"] <= last]
    return sorted(found, key=lambda r: r["published_utc"], reverse=query.get("order") == "desc")


def _short_interest(seed: int, as_of: date, query: Mapping[str, str]) -> list[dict]:
    first, last = bounds("settlement_date", query)
    found = []
    for day in days(max(date.fromisoformat(first[:10] or f"{HISTORY}"), HISTORY), as_of):
        if day.day not in (15, 16, 17, 28, 29, 30) or day + timedelta(days=9) > as_of:
            continue
        if (day - timedelta(days=1)).day in (15, 16, 28, 29) and day.weekday() != 0:
            continue
        for symbol in sorted(market.LISTINGS):
            if market.trades_on(symbol, day):
                rng = market.generator(seed, "short", symbol, day)
                volume = int(rng.integers(10**4, 10**7))
                held = int(rng.integers(10**4, 10**8))
                found.append(
                    {
                        "ticker": symbol,
                        "settlement_date": f"{day}",
                        "short_interest": held,
                        "avg_daily_volume": volume,
                        "days_to_cover": round(held / volume, 2),
                    }
                )
    return [r for r in found if first <= r["settlement_date"] <= last]


def _short_volume(seed: int, as_of: date, query: Mapping[str, str]) -> list[dict]:
    first, last = bounds("date", query)
    start = max(date.fromisoformat(first[:10] or f"{as_of}"), HISTORY)
    found = []
    for day in days(start, as_of):
        if not first <= f"{day}" <= last:
            continue
        for symbol in sorted(market.LISTINGS):
            if market.trades_on(symbol, day):
                rng = market.generator(seed, "short volume", symbol, day)
                total = int(rng.integers(10**3, 10**6))
                exempt = total // 200
                shorted = int(total * (0.3 + 0.3 * rng.random()))
                found.append(
                    {
                        "ticker": symbol,
                        "date": f"{day}",
                        "short_volume": shorted,
                        "exempt_volume": exempt,
                        "non_exempt_volume": shorted - exempt,
                        "total_volume": total,
                        "short_volume_ratio": round(100 * shorted / total, 2),
                    }
                )
    return found

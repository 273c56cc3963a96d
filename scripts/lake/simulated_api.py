"""The simulated market's REST API: the vendor's JSON, paged; and a transport for httpx.

What is dated after `as_of` is not told: filings by filing date, news by publication, dividends,
splits and listings by announcement.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode

import httpx

from scripts.lake import simulated_answers, simulated_filings
from scripts.lake.simulated_query import Ask, asked, matching, ordered, paged

BASE = "https://api.massive.com"


class Endpoint(NamedTuple):
    """Who answers, the fields a query may bound (the first also orders), the order, a quirk."""

    records: Callable[[Ask], Iterable[dict]]
    fields: tuple[str, ...]
    order: str = "asc"
    repeat: int = 0  # records that a page tells again of the page before


ENDPOINTS = {
    "/vX/reference/financials": Endpoint(
        simulated_filings.financials, ("filing_date", "fiscal_year", "start_date"), "desc"
    ),
    "/v3/reference/dividends": Endpoint(
        simulated_answers.dividends, ("ex_dividend_date", "declaration_date")
    ),
    "/v3/reference/splits": Endpoint(simulated_answers.splits, ("execution_date",)),
    "/vX/reference/ipos": Endpoint(simulated_answers.offers, ("listing_date", "ipo_status")),
    "/v2/reference/news": Endpoint(simulated_answers.news, ("published_utc",), "desc", repeat=1),
    "/stocks/v1/short-interest": Endpoint(simulated_answers.short_interest, ("settlement_date",)),
    "/stocks/v1/short-volume": Endpoint(simulated_answers.short_volume, ("date",)),
    "/stocks/financials/v1/ratios": Endpoint(simulated_filings.ratios, ("date",)),
    "/v3/reference/tickers": Endpoint(simulated_answers.tickers, ("ticker", "type")),
    "/v3/reference/tickers/types": Endpoint(simulated_answers.ticker_types, ("code",)),
}
EVENTS, RELATED = ("/vX/reference/tickers/", "/events"), "/v1/related-companies/"


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
    question = Ask(seed, as_of, asked(query))
    marks = f"{zlib.crc32(repr((path, sorted(question.query.items()))).encode()):08x}"
    content = {"status": "OK", "request_id": marks}
    if path not in ENDPOINTS:
        found = _of_ticker(question, path)
        if found is None:
            return 404, {**content, "status": "NOT_FOUND", "message": "not found"}
        return 200, {**content, "results": found}
    whole = {name: value for name, value in question.query.items() if name != "offset"}
    records = _answer(seed, as_of, path, tuple(sorted(whole.items())))
    page = paged(records, question.query, ENDPOINTS[path].repeat)
    content["results"] = page.records
    if page.cursor:
        content["next_url"] = f"{base}{path}?{urlencode({'cursor': page.cursor})}"
    return 200, content


@lru_cache(maxsize=8)
def _answer(seed: int, as_of: date, path: str, query: tuple[tuple[str, str], ...]) -> list[dict]:
    """The records of all pages, kept while they are paged through; not to be changed."""
    endpoint, question = ENDPOINTS[path], Ask(seed, as_of, dict(query))
    records = matching(endpoint.records(question), question.query, endpoint.fields)
    field = question.query.get("sort", endpoint.fields[0])
    return ordered(records, field, question.query.get("order", endpoint.order))


def _of_ticker(question: Ask, path: str) -> list | dict | None:
    """Answers about one ticker, which the path names; None of any other path."""
    start, end = EVENTS
    if path.startswith(start) and path.endswith(end):
        name = unquote(path.removeprefix(start).removesuffix(end))
        return simulated_answers.ticker_events(question, name)
    if path.startswith(RELATED):
        return simulated_answers.related(question, unquote(path.removeprefix(RELATED)))
    return None


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

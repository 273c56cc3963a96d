"""What a request to the simulated REST API asks for: windows, order, pages."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from operator import eq, ge, gt, le, lt
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

PAGE = 50  # records of a page at the most, so that small answers page too


class Ask(NamedTuple):
    """A request: the market's seed, the last day that is known, the query's parameters."""

    seed: int
    as_of: date
    query: Mapping[str, str]

    def days(self, field: str, earliest: date, latest: date) -> list[date]:
        """All days that a window of `field` may hold, from `earliest` to `latest`."""
        asked_for = {
            bound: date.fromisoformat(self.query[name][:10])
            for bound in ("gte", "gt", "lte", "lt", "")
            if (name := f"{field}.{bound}".rstrip(".")) in self.query
        }
        start = max([earliest, *(asked_for[b] for b in ("gte", "gt", "") if b in asked_for)])
        end = min([latest, *(asked_for[b] for b in ("lte", "lt", "") if b in asked_for)])
        return [start + timedelta(days=n) for n in range((end - start).days + 1)]

    def is_bounded(self, field: str) -> bool:
        """Whether the query says from when on, or for which day, it asks."""
        return not {field, f"{field}.gte", f"{field}.gt"}.isdisjoint(self.query)

    def tickers(self, among: Iterable[str]) -> list[str]:
        """Those of `among` that are asked for."""
        return [name for name in among if name == self.query.get("ticker", name)]


class Page(NamedTuple):
    """A part of an answer, and the cursor of the next; None after the last."""

    records: list[dict]
    cursor: str | None


def matching(records: Iterable[dict], query: Mapping[str, str], fields: Iterable[str]) -> list:
    """Records whose `fields` lie in the query's windows, and that are of its ticker.

    Args:
        records: without a `ticker`, those are taken whose `tickers` hold the one asked for.
        query: parameters `field.gte`, `.gt`, `.lte`, `.lt` or `field` itself.
        fields: dates, times or other text; a query for any other field changes nothing.
    """
    holds = {"": eq, ".gte": ge, ".gt": gt, ".lte": le, ".lt": lt}
    tests = [
        (field, test, query[f"{field}{bound}"])
        for field in fields
        for bound, test in holds.items()
        if f"{field}{bound}" in query
    ]
    ticker = query.get("ticker")

    def is_wanted(record: dict) -> bool:
        told = [record["ticker"]] if "ticker" in record else record.get("tickers", [])
        return (ticker is None or ticker in told) and all(
            field in record and test(record[field], full(bound, record[field]))
            for field, test, bound in tests
        )

    return [record for record in records if is_wanted(record)]


def full(bound: str, value: str) -> str:
    """A bound to compare with `value`: a date stands for its midnight (UTC) among times."""
    return f"{bound}T00:00:00Z" if "T" in value and "T" not in bound else bound


def ordered(records: list[dict], field: str, order: str) -> list[dict]:
    """Records by a field and their ticker; `order` asc or desc."""
    key = ("ticker", "tickers", "id")

    def place(record: dict) -> tuple[str, ...]:
        return (str(record.get(field, "")), *(str(record.get(name, "")) for name in key))

    return sorted(records, key=place, reverse=order == "desc")


def paged(records: list[dict], query: Mapping[str, str], repeat: int) -> Page:
    """One page of an answer.

    Args:
        records: the whole answer.
        query: limit; and `offset`, where `asked` found one in a cursor.
        repeat: how many records a page tells again of the page before it.
    """
    offset, size = int(query.get("offset", 0)), max(min(int(query.get("limit", PAGE)), PAGE), 1)
    found = records[offset : offset + size]
    if offset + size >= len(records):
        return Page(found, None)
    following = {**query, "offset": offset + size - min(repeat, size - 1)}
    return Page(found, base64.urlsafe_b64encode(urlencode(following).encode()).decode())


def asked(query: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a query, or those that its cursor continues; never the key."""
    if "cursor" in query:
        query = dict(parse_qsl(base64.urlsafe_b64decode(query["cursor"]).decode()))
    return {name: value for name, value in query.items() if name != "apiKey"}

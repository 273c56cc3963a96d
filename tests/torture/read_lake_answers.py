"""The vendor's REST datasets, and what their answers say, told record by record."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from scripts.lake import (
    land_actions,
    land_financials,
    land_news,
    land_ratios,
    land_reference,
    land_shorts,
    land_ticker_events,
    records,
)
from tests.torture.reader import Bad

MONTH, DAY, WEEK = "2025-09", "2025-09-03", "2025-09-08"
AS_OF = date(2025, 10, 20)
TICKER = "NEWN"  # asked for where the vendor is asked ticker by ticker
DEEP = "[" * 250


class Asked(NamedTuple):
    """A dataset: the path that is asked, its layout, what may not be below 0, or must be above."""

    path: str
    layout: records.Layout
    not_negative: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()


def _action(name: str, not_negative: tuple[str, ...] = (), positive: tuple[str, ...] = ()) -> Asked:
    found = land_actions.DATASETS[name]
    return Asked(found.path, found.layout, not_negative, positive)


def _short(name: str, ratio: str) -> Asked:
    path, layout = land_shorts.DATASETS[name]
    counts = [n for n, c in layout.columns.items() if c.dtype == pl.Int64]
    return Asked(path, layout, (*counts, ratio))


OFFERS = (
    *("final_issue_price", "lowest_offer_price", "highest_offer_price"),
    *("min_shares_offered", "max_shares_offered", "total_offer_size"),
)
DATASETS = {
    "dividends": _action("dividends", ("cash_amount", "frequency")),
    "splits": _action("splits", positive=("split_from", "split_to")),
    "ipos": _action("ipos", OFFERS),
    "news": Asked(land_news.PATH, land_news.LAYOUT),
    "short_interest": _short("short_interest", "days_to_cover"),
    "short_volume": _short("short_volume", "short_volume_ratio"),
    "ratios": Asked(
        land_ratios.PATH, land_ratios.LAYOUT, ("price", "average_volume", "market_cap")
    ),
    "tickers": Asked("/v3/reference/tickers", land_reference.LAYOUTS["tickers"]),
    "ticker_types": Asked("/v3/reference/tickers/types", land_reference.LAYOUTS["ticker_types"]),
    "related": Asked(f"/v1/related-companies/{TICKER}", land_reference.LAYOUTS["related"]),
    "events": Asked(f"/vX/reference/tickers/{TICKER}/events", land_ticker_events.LAYOUT),
    "financials": Asked(land_financials.PATH, land_financials.LAYOUT),
}


def file_of(dataset: str) -> str:
    """The end of the path, which an error names."""
    return Path(DATASETS[dataset].path).name


def plainly(value: Any) -> Any:
    """Dates and times as ISO text."""
    return value.isoformat() if isinstance(value, date) else value


def key_of(layout: records.Layout, row: Mapping[str, Any]) -> tuple:
    """What no two rows have in common."""
    if layout.identity and row[layout.identity] is not None:
        return ("id", row[layout.identity])
    return tuple(row[name] for name in layout.key)


def canonical(text: str) -> str:
    """JSON text in one form; of deeply nested ones no more than that they are so."""
    return "deep" if DEEP in text else json.dumps(json.loads(text), sort_keys=True)


def expected(dataset: str, files: Mapping[str, bytes]) -> dict:
    """What an answer says, record by record; in a thread, whose empty stack holds deep JSON."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_expected, dataset, files[file_of(dataset)]).result()


def _expected(dataset: str, content: bytes) -> dict:
    asked, found = DATASETS[dataset], {}
    told, bad, statements = list(records_told(dataset, content)), {}, {}
    for line, record, fields in told:
        try:
            row = row_of(asked, dataset, fields)
        except (ValueError, AttributeError, TypeError):
            bad["bad", line] = "deep" if is_deep(record) else json.dumps(record, sort_keys=True)
            continue
        for name, one in statement_rows(row) if dataset == "financials" else [("part", row)]:
            statements[name, *key_of(asked.layout, one)] = one
    if len(told) >= records.FEW and len(bad) > records.MOST_REFUSED * len(told):
        raise Bad(f"{len(bad)} of {len(told)} records are bad")
    found = {**statements, **bad}
    found["account"] = {"rows_in": len(told), "quarantined": len(bad)}
    return found


def is_deep(record: Any, depth: int = 0) -> bool:
    """Whether a value is nested as deep as `canonical` says."""
    if depth > len(DEEP):
        return True
    inner = record.values() if isinstance(record, dict) else record
    return isinstance(record, dict | list) and any(is_deep(one, depth + 1) for one in inner)


def records_told(dataset: str, content: bytes) -> Iterator[tuple[int, Any, Any]]:
    """Line, record and its fields by our names; not an object where there are none."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Bad(f"no JSON: {error!r}") from None
    if not isinstance(body, dict) or body.get("status") == "ERROR":
        raise Bad("no answer")
    results = body.get("results")
    if results is None:
        if body.get("status") != "OK" or body.get("count"):
            raise Bad("no results")
        results = []
    if dataset == "events":
        yield from events_told(results)
        return
    if not isinstance(results, list):
        if dataset != "related":
            raise Bad("results is no list")
        yield 1, results, None
        return
    for line, record in enumerate(results, start=1):
        fields = record
        if isinstance(record, dict):
            if dataset == "related":
                fields = {"ticker": TICKER, "related_ticker": record.get("ticker"), "rank": line}
            elif dataset == "news":
                publisher = record.get("publisher")
                named = publisher.get("name") if isinstance(publisher, dict) else publisher
                fields = {**record, "publisher_name": named}
                if not isinstance(publisher, dict | None):
                    fields = None
            elif dataset == "financials":
                fields = filing_fields(record)
        yield line, record, fields


def filing_fields(record: dict) -> dict | None:
    """A filing in one row, None where it is not built as documented."""
    fields, parts = dict(record), record.get("financials")
    parts = None if parts == "" else parts
    if not isinstance(parts, dict | None):
        return None
    for statement in land_financials.STATEMENTS.values():
        values = (parts or {}).get(statement.name)
        values = None if values == "" else values
        if not isinstance(values, dict | None):
            return None
        fields[f"{statement.name}.there"] = bool(values)
        extra = {}
        for name, cell in (values or {}).items():
            if not isinstance(cell, dict):
                return None
            if name in statement.fields:
                fields[f"{statement.name}.{name}"] = cell.get("value")
            else:
                extra[name] = cell.get("value")
        if extra:
            try:
                text = json.dumps(extra, sort_keys=True, ensure_ascii=False, allow_nan=False)
            except ValueError:
                return None
            fields[f"{statement.name}.extra"] = text
    return fields


def statement_rows(row: dict) -> Iterator[tuple[str, dict]]:
    """The statements that a filing has, each for each of its tickers."""
    for name, (vendors, values, _) in land_financials.STATEMENTS.items():
        if row[f"{vendors}.there"]:
            own = {field: row[f"{vendors}.{field}"] for field in (*values, "extra")}
            common = {field: row[field] for field in land_financials.COMMON}
            for ticker in row["tickers"]:
                yield name, {"ticker": ticker, **common, **own}


def events_told(entity: Any) -> Iterator[tuple[int, Any, Any]]:
    """The events of a company that are of the month, or of no day."""
    if isinstance(entity, dict) and not entity.get("events"):
        return
    events = entity.get("events") if isinstance(entity, dict) else None
    if not isinstance(events, list):
        yield 1, entity, None
        return
    changes = set()
    for event in events:
        try:
            change = (as_date(event["date"]), as_text(event["ticker_change"]["ticker"]))
            if event["type"] == "ticker_change" and change[1]:
                changes.add(change)
        except (ValueError, TypeError, KeyError):
            continue
    order = sorted(changes)
    for line, event in enumerate(events, start=1):
        fields = None
        if isinstance(event, dict):
            at, change = event.get("date"), event.get("ticker_change")
            if re.fullmatch(r"\d{4}-\d\d-\d\d", str(at)) and at[:7] != MONTH and is_date(at):
                continue
            if isinstance(change, dict):
                own = (at, change.get("ticker"))
                place = order.index(own) if own in order else 0
                fields = {
                    **{name: entity.get(name) for name in ("name", "composite_figi", "cik")},
                    "ticker": TICKER,
                    "event_type": event.get("type"),
                    "date": at,
                    "old_ticker": order[place - 1][1] if place else None,
                    "new_ticker": own[1],
                }
        yield line, event, fields


def row_of(asked: Asked, dataset: str, fields: Any) -> dict:
    """The values of a record. Raises ValueError, or what a wrong type makes, where one is bad."""
    row, layout = {}, asked.layout
    for name, column in list(layout.columns.items())[:-1]:
        value = fields.get(name)
        if value is None or value == "":
            if name in layout.needed:
                raise ValueError
            row[name] = None
            continue
        kind = "year" if name == "fiscal_year" else str(column.dtype)
        value = KINDS[kind](value)
        if name in asked.not_negative and value < 0:
            raise ValueError
        if name in asked.positive and value <= 0:
            raise ValueError
        if name == "tickers" and dataset == "financials" and not (value and all(value)):
            raise ValueError
        if name == layout.window and value[: 10 if dataset == "news" else 7] != (
            DAY if dataset == "news" else MONTH
        ):
            raise ValueError
        row[name] = value
    return row


def as_text(value: Any) -> str:
    """Text that UTF-8 can hold."""
    if type(value) is not str:
        raise ValueError
    return value.encode().decode()


def as_number(value: Any) -> float:
    """A finite number."""
    if type(value) not in (int, float) or not math.isfinite(float(value)):
        raise ValueError
    return float(value)


def as_whole(bits: int, value: Any) -> int:
    """A whole number of so many bits."""
    if type(value) not in (int, float) or value % 1 or not abs(value) < 2 ** (bits - 1):
        raise ValueError
    return int(value)


def as_year(value: Any) -> int:
    """A year, as a number or as text."""
    if type(value) is str and not re.fullmatch("[0-9]{4}", value):
        raise ValueError
    value = as_whole(32, int(value) if type(value) is str else value)
    if not 1000 <= value <= 9999:
        raise ValueError
    return value


def is_date(value: str) -> bool:
    """Whether there is such a day."""
    try:
        datetime.strptime(value, "%Y-%m-%d")
    except ValueError:
        return False
    return True


def as_date(value: Any) -> str:
    """A day YYYY-MM-DD."""
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value) or not is_date(value):
        raise ValueError
    return value


def as_moment(value: Any) -> str:
    """A time with its zone, in UTC."""
    read = datetime.fromisoformat(value)
    if read.tzinfo is None:
        raise ValueError
    return read.astimezone(UTC).isoformat()


def as_flag(value: Any) -> bool:
    """True or false."""
    if type(value) is not bool:
        raise ValueError
    return value


def as_texts(value: Any) -> list[str]:
    """A list of texts."""
    if type(value) is not list:
        raise ValueError
    return [as_text(one) for one in value]


KINDS = {
    "String": as_text,
    "Float64": as_number,
    "Int32": partial(as_whole, 32),
    "Int64": partial(as_whole, 64),
    "year": as_year,
    "Date": as_date,
    "Boolean": as_flag,
    "List(String)": as_texts,
    "Datetime(time_unit='us', time_zone='UTC')": as_moment,
}

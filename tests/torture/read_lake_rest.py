"""Blows against the answers of the vendor's REST API: on documents, and on records in them."""

from __future__ import annotations

import json
import random
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
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
from scripts.lake.rest import Api
from scripts.lake.simulated_api import respond
from tests.torture import mutate
from tests.torture.read_lake_answers import (
    AS_OF,
    DATASETS,
    DAY,
    MONTH,
    TICKER,
    WEEK,
    canonical,
    expected,
    file_of,
    key_of,
    plainly,
)
from tests.torture.reader import Reader


@lru_cache(maxsize=64)
def told(dataset: str, seed: int) -> Any:
    """What the simulated market answers, its first page."""
    asked, query = DATASETS[dataset], {}
    if asked.layout.window:
        window = records.day_window(DAY) if dataset == "news" else records.month_window(MONTH)
        query = window.query(asked.layout.window)
    if dataset == "tickers":
        query = {"active": "true"}
    if dataset == "ipos":
        query = {}
    answer = respond(seed, AS_OF, asked.path, dict(parse_qsl(urlencode(query))), "https://x")
    return answer[1]["results"]


def make(dataset: str, rng: random.Random) -> dict[str, bytes]:
    """An answer of some records."""
    found = told(dataset, rng.randrange(5))
    if isinstance(found, list):
        found = rng.sample(found, min(len(found), rng.choice((2, 6, 12, 24))))
    if dataset == "related":
        found = [{"ticker": name} for name in rng.sample(("AAPL", "NA", "nan", "XOM", "KO"), 4)]
    if dataset == "splits":  # of which a month has few
        found = [*found, *({**found[0], "ticker": n, "id": f"S{n}"} for n in ("A", "NA", "nan"))]
    if dataset == "ipos":
        found = [{**one, "listing_date": f"{MONTH}-{n + 2:02}"} for n, one in enumerate(found)]
    if dataset == "financials":
        found = [{**one, "financials": thinned(rng, one["financials"])} for one in found]
        found = [{**one, "filing_date": f"{MONTH}-{n + 2:02}"} for n, one in enumerate(found)]
    body = {"status": "OK", "request_id": "a", "count": len(found), "results": found}
    return {file_of(dataset): json.dumps(body).encode()}


def thinned(rng: random.Random, parts: dict) -> dict:
    """Statements with three values each, so that a blow on them is likely."""
    return {
        name: {cell: values[cell] for cell in rng.sample(sorted(values), min(3, len(values)))}
        for name, values in parts.items()
    }


def strike(rng: random.Random, files: dict[str, bytes]) -> tuple[dict[str, bytes], str, str]:
    """Strike the document, or up to three times its records."""
    ((name, content),) = files.items()
    body = json.loads(content)
    inner = body["results"]
    if rng.random() < 0.2:
        content, what = mutate.of_document(rng, content)
        return {name: content}, what, name
    if isinstance(inner, dict) and rng.random() < 0.3:
        text, what, _ = mutate.of_record(rng, inner)
    else:
        listed = inner["events"] if isinstance(inner, dict) else inner
        struck = mutate.of_records(rng, listed)
        text, what = struck.text, struck.what
        if isinstance(inner, dict):
            text = mutate.as_object({**inner, "events": None}, events=text)
    return {name: mutate.as_object(body, results=text).encode()}, what, name


# ---- the real functions


def read(dataset: str, given: Path, out: Path) -> dict:
    """Land a dataset from the answer in a folder."""
    body = (given / file_of(dataset)).read_bytes()
    empty = b'{"status": "OK", "results": []}'

    def answer(request: httpx.Request) -> httpx.Response:
        delisted = dict(request.url.params).get("active") == "false"
        return httpx.Response(200, content=empty if delisted else body)

    api = Api(base="https://vendor", key="k", transport=httpx.MockTransport(answer), attempts=1)
    rest = {"quarantine": out / "quarantine.parquet", "reconcile": out / "reconcile.json"}
    partition = {"partition": out / "part.parquet"}
    month: dict[str, Any] = {"api": api, "month": MONTH, **rest}
    week: dict[str, Any] = {"api": api, "as_of": str(AS_OF), "week": WEEK, **rest, **partition}
    if dataset == "financials":
        outs = {name: out / f"{name}.parquet" for name in land_financials.STATEMENTS}
        land_financials.land(tickers=None, **month, **outs)
    elif dataset == "news":
        land_news.land(api=api, date=DAY, **rest, **partition)
    elif dataset == "ratios":
        land_ratios.land(tickers=None, **month, **partition)
    elif dataset == "events":
        land_ticker_events.land(tickers=[TICKER], **month, **partition)
    elif dataset in land_reference.LAYOUTS:
        tickers = [TICKER] if dataset == "related" else None
        land_reference.land(dataset=dataset, tickers=tickers, **week)
    elif dataset in land_shorts.DATASETS:
        land_shorts.land(dataset=dataset, **month, **partition)
    else:
        land_actions.land(dataset=dataset, **month, **partition)
    return found_in(out, DATASETS[dataset].layout)


def found_in(out: Path, layout: records.Layout) -> dict:
    """What was written: good rows by partition and key, refused records, the account."""
    found: dict = {}
    report = json.loads((out / "reconcile.json").read_text())
    for path in sorted(out.glob("*.parquet")):
        rows = pl.read_parquet(path, hive_partitioning=False).to_dicts()
        if path.stem == "quarantine":
            found |= {("bad", row["line"]): canonical(row["record"]) for row in rows}
            continue
        for row in rows:
            plain = {name: plainly(value) for name, value in list(row.items())[:-1]}
            key = (path.stem, *key_of(layout, plain))
            if key in found:
                raise AssertionError(f"{key} stands twice")
            found[key] = plain
    found["account"] = {name: report[name] for name in ("rows_in", "quarantined")}
    if report["good"] + report["duplicates"] + report["quarantined"] != report["rows_in"]:
        raise AssertionError(f"does not reconcile: {report}")
    return found


READERS = [
    Reader(name, partial(make, name), strike, partial(read, name), partial(expected, name))
    for name in DATASETS
]

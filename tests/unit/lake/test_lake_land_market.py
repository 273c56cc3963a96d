"""Datasets told for the whole market: actions, shorts, news."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from scripts import tables
from scripts.errors import DataError
from scripts.lake import land_actions, land_news, land_shorts
from tests.unit.lake.answers import BROKEN, api_of, outs, serve

SEPTEMBER = ("2025-09-01", "2025-10-01")
DIVIDEND = {
    "id": "E8e3",
    "ticker": "AAPL",
    "cash_amount": 0.26,
    "currency": "USD",
    "dividend_type": "CD",
    "declaration_date": "2025-08-01",
    "ex_dividend_date": "2025-09-12",
    "pay_date": "2025-09-20",
    "record_date": "2025-09-13",
    "frequency": 4,
}
SPLIT = {"id": "s1", "ticker": "NA", "execution_date": "2025-09-03", "split_from": 1, "split_to": 4}
IPO = {
    "ticker": "NEWC",
    "listing_date": "2025-09-04",
    "issuer_name": "Ny Østerbro A/S",
    "announced_date": "2025-08-20",
    "ipo_status": "new",
    "security_type": "CS",
    "primary_exchange": "XNAS",
    "currency_code": "USD",
    "final_issue_price": 17,
    "lowest_offer_price": 15.5,
    "highest_offer_price": 18,
    "min_shares_offered": 1000000,
    "max_shares_offered": 1200000,
    "total_offer_size": 20400000,
    "isin": "US0000000001",
    "us_code": "000000000",
    "last_updated": "2025-09-04",
    "lot_size": 100,
}
INTEREST = {
    "ticker": "null",
    "settlement_date": "2025-09-15",
    "short_interest": 3_000_000_000,
    "avg_daily_volume": 1000.0,
    "days_to_cover": 3000000.0,
}
VOLUME = {
    "ticker": "ABRpD",
    "date": "2025-09-02",
    "short_volume": 50,
    "exempt_volume": 1,
    "non_exempt_volume": 49,
    "total_volume": 200,
    "short_volume_ratio": 25.0,
    "adf_short_volume": 0,
}
CASES = [
    ("dividends", "/v3/reference/dividends", "ex_dividend_date", "1000", DIVIDEND),
    ("splits", "/v3/reference/splits", "execution_date", "1000", SPLIT),
    ("ipos", "/vX/reference/ipos", "listing_date", "1000", IPO),
    ("short_interest", "/stocks/v1/short-interest", "settlement_date", "100", INTEREST),
    ("short_volume", "/stocks/v1/short-volume", "date", "100", VOLUME),
]
EVERY = pytest.mark.parametrize(("dataset", "path", "window", "limit", "record"), CASES)
COLUMNS = {
    "dividends": land_actions.DIVIDENDS,
    "splits": land_actions.SPLITS,
    "ipos": land_actions.IPOS,
    "short_interest": land_shorts.SHORT_INTEREST,
    "short_volume": land_shorts.SHORT_VOLUME,
}


def land(dataset: str, path: str, pages: list[Any], folder: Path, month: str = "2025-09") -> dict:
    module = land_shorts if dataset.startswith("short") else land_actions
    with serve({path: pages}) as vendor:
        return module.land(api=api_of(vendor), dataset=dataset, month=month, **outs(folder).paths())


def partition(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(outs(folder).partition, hive_partitioning=False)


def reasons(folder: Path) -> list[str]:
    return pl.read_parquet(outs(folder).quarantine)["reason"].to_list()


@EVERY
def test_a_month_is_asked_for_as_the_vendor_documents_it(
    tmp_path: Path, dataset: str, path: str, window: str, limit: str, record: dict
) -> None:
    module = land_shorts if dataset.startswith("short") else land_actions
    with serve({path: [[record]]}) as vendor:
        module.land(api=api_of(vendor), dataset=dataset, month="2025-12", **outs(tmp_path).paths())
    query = {f"{window}.gte": "2025-12-01", f"{window}.lt": "2026-01-01", "limit": limit}
    assert vendor.requests == [(path, query)]


@EVERY
def test_a_record_becomes_a_row_with_every_declared_column(
    tmp_path: Path, dataset: str, path: str, window: str, limit: str, record: dict
) -> None:
    land(dataset, path, [[record]], tmp_path)
    frame = partition(tmp_path)
    assert frame.schema == tables.schema_of(COLUMNS[dataset])
    row = frame.row(0, named=True)
    told = record | {"month": "2025-09"}
    for name, column in COLUMNS[dataset].items():
        value = date.fromisoformat(told[name]) if column.dtype == pl.Date else told[name]
        assert row[name] == value, name


@EVERY
def test_an_answer_told_twice_is_kept_once(
    tmp_path: Path, dataset: str, path: str, window: str, limit: str, record: dict
) -> None:
    other = record | {"ticker": "ZZ", "id": "another"}
    report = land(dataset, path, [[record, other], [record], [other, record]], tmp_path / "a")
    assert (report["rows_in"], report["good"], report["duplicates"]) == (5, 2, 3)
    land(dataset, path, [[other], [record]], tmp_path / "b")
    once, twice = (outs(tmp_path / name).partition.read_bytes() for name in "ba")
    assert once == twice
    land(dataset, path, [[other], [record]], tmp_path / "b")  # again into the same place
    assert outs(tmp_path / "b").partition.read_bytes() == once


@EVERY
def test_a_record_outside_the_month_or_without_a_key_is_refused(
    tmp_path: Path, dataset: str, path: str, window: str, limit: str, record: dict
) -> None:
    found = [
        record | {window: "2025-10-01"},
        record | {window: "2025-08-31"},
        record | {window: None},
        {name: value for name, value in record.items() if name != "ticker"},
        record,
    ]
    report = land(dataset, path, [found[:2], found[2:]], tmp_path)
    assert report == {
        "rows_in": 5,
        "good": 1,
        "duplicates": 0,
        "quarantined": 4,
        "reasons": {
            f"{window} is missing": 1,
            f"{window} is outside 2025-09-01 to 2025-09-30": 2,
            "ticker is missing": 1,
        },
    }
    refused = pl.read_parquet(outs(tmp_path).quarantine)
    source = f"{path}?{window}.gte=2025-09-01&{window}.lt=2025-10-01&limit={limit}"
    assert refused.select("source", "line").rows() == [(source, n) for n in (1, 2, 3, 4)]
    assert json.loads(refused["record"][0]) == found[0]
    assert json.loads(outs(tmp_path).reconcile.read_text()) == report


@EVERY
def test_a_month_without_records_is_an_empty_partition(
    tmp_path: Path, dataset: str, path: str, window: str, limit: str, record: dict
) -> None:
    report = land(dataset, path, [[]], tmp_path)
    assert report["rows_in"] == 0
    assert partition(tmp_path).schema == tables.schema_of(COLUMNS[dataset])
    assert partition(tmp_path).is_empty()


@EVERY
def test_a_broken_page_leaves_the_old_partition(
    tmp_path: Path, dataset: str, path: str, window: str, limit: str, record: dict
) -> None:
    land(dataset, path, [[record]], tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(DataError):
        land(dataset, path, [[record | {"ticker": "X"}], BROKEN], tmp_path)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before
    assert len(before) == 3


BAD = [
    ("dividends", {"cash_amount": "0.26"}, "cash_amount '0.26' is not a finite number"),
    ("dividends", {"cash_amount": -0.26}, "cash_amount -0.26 is negative"),
    ("dividends", {"frequency": -1}, "frequency -1 is negative"),
    ("ipos", {"lowest_offer_price": -1}, "lowest_offer_price -1 is negative"),
    ("ipos", {"min_shares_offered": -1}, "min_shares_offered -1 is negative"),
    ("short_interest", {"days_to_cover": -1}, "days_to_cover -1 is negative"),
    ("short_volume", {"short_volume_ratio": -0.5}, "short_volume_ratio -0.5 is negative"),
    ("dividends", {"cash_amount": None}, "cash_amount is missing"),
    ("dividends", {"frequency": 1.5}, "frequency 1.5 is not a whole number"),
    ("dividends", {"pay_date": "soon"}, "pay_date 'soon' is not a date"),
    ("splits", {"split_from": 0}, "split_from 0 is not positive"),
    ("splits", {"split_to": -1}, "split_to -1 is not positive"),
    ("splits", {"id": 7}, "id 7 is not text"),
    ("ipos", {"final_issue_price": "TBD"}, "final_issue_price 'TBD' is not a finite number"),
    ("short_interest", {"short_interest": -1}, "short_interest -1 is negative"),
    ("short_volume", {"total_volume": 2**63}, f"total_volume {2**63} does not fit 64 bits"),
    ("short_volume", {"short_volume": "50"}, "short_volume '50' is not a whole number"),
]


@pytest.mark.parametrize(("dataset", "fault", "reason"), BAD)
def test_a_wrong_value_is_refused_and_named(
    tmp_path: Path, dataset: str, fault: dict, reason: str
) -> None:
    path, record = next((case[1], case[4]) for case in CASES if case[0] == dataset)
    report = land(dataset, path, [[record, record | fault]], tmp_path)
    assert (report["good"], report["quarantined"]) == (1, 1)
    assert reasons(tmp_path) == [reason]


def test_dividends_of_one_day_differ_by_id_or_else_by_type_and_amount(tmp_path: Path) -> None:
    nameless = {name: value for name, value in DIVIDEND.items() if name != "id"}
    found = [
        DIVIDEND,
        DIVIDEND | {"id": "other"},
        DIVIDEND | {"cash_amount": 0.27},  # the vendor mends its record: the later one stays
        nameless,
        nameless | {"dividend_type": "SC", "frequency": 0},
        nameless | {"cash_amount": 1.0},
        nameless | {"frequency": 12},
    ]
    report = land("dividends", "/v3/reference/dividends", [found], tmp_path)
    assert (report["good"], report["duplicates"]) == (5, 2)
    assert partition(tmp_path).select("id", "dividend_type", "cash_amount", "frequency").rows() == [
        (None, "CD", 0.26, 12),
        ("other", "CD", 0.26, 4),
        ("E8e3", "CD", 0.27, 4),
        (None, "CD", 1.0, 4),
        (None, "SC", 0.26, 0),
    ]


# News

ARTICLE = {
    "id": "a1",
    "publisher": {"name": "The Wire", "homepage_url": "https://wire.example"},
    "title": "Größe: 日本 \U0001f4c8",
    "author": "N. N.",
    "published_utc": "2025-09-06T13:45:00Z",
    "article_url": "https://wire.example/a1",
    "amp_url": "https://wire.example/amp/a1",
    "image_url": "https://wire.example/a1.png",
    "description": "…",
    "tickers": ["NA", "AAPL"],
    "keywords": ["earnings"],
    "insights": [{"ticker": "AAPL", "sentiment": "positive"}],
}


def news(pages: list[Any], folder: Path, day: str = "2025-09-06") -> dict:
    with serve({"/v2/reference/news": pages}) as vendor:
        report = land_news.land(api=api_of(vendor), date=day, **outs(folder).paths())
    assert vendor.requests == [
        (
            "/v2/reference/news",
            {
                "published_utc.gte": "2025-09-06",
                "published_utc.lt": "2025-09-07",
                "limit": "1000",
                "order": "desc",
                "sort": "published_utc",
            },
        )
    ]
    return report


def test_an_article_becomes_a_row(tmp_path: Path) -> None:
    news([[ARTICLE]], tmp_path)
    frame = partition(tmp_path)
    assert frame.schema == tables.schema_of(land_news.COLUMNS)
    assert frame.row(0, named=True) == {
        **{name: ARTICLE[name] for name in land_news.COLUMNS if name in ARTICLE},
        "publisher_name": "The Wire",
        "published_utc": datetime(2025, 9, 6, 13, 45, tzinfo=UTC),
        "date": date(2025, 9, 6),
    }


def test_articles_are_sorted_by_time_then_id_and_kept_once(tmp_path: Path) -> None:
    late = {"id": "a", "published_utc": "2025-09-06T23:59:59Z"}
    found = [late, ARTICLE | {"id": "b"}, ARTICLE, ARTICLE | {"title": "mended"}, late]
    report = news([found[:2], found[2:]], tmp_path)
    assert (report["good"], report["duplicates"]) == (3, 2)
    assert partition(tmp_path).select("id", "title", "tickers").rows() == [
        ("a1", "mended", ["NA", "AAPL"]),
        ("b", ARTICLE["title"], ["NA", "AAPL"]),
        ("a", None, None),
    ]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"id": None}, "id is missing"),
        ({"published_utc": "2025-09-06"}, "published_utc '2025-09-06' is not a time with its zone"),
        ({"published_utc": "2025-09-07T00:00:00Z"}, "is outside 2025-09-06 to 2025-09-06"),
        ({"published_utc": "2025-09-06T23:00:00-04:00"}, "is outside 2025-09-06 to 2025-09-06"),
        ({"publisher": "The Wire"}, "publisher 'The Wire' is not an object"),
        ({"publisher": {"name": 5}}, "publisher_name 5 is not text"),
        ({"tickers": ["AAPL", 5]}, "tickers ['AAPL', 5] is not a list of texts"),
    ],
)
def test_a_wrong_article_is_refused(tmp_path: Path, fault: dict, reason: str) -> None:
    assert news([[ARTICLE, ARTICLE | fault]], tmp_path)["quarantined"] == 1
    assert reason in reasons(tmp_path)[0]


def test_an_offset_decides_the_day_in_utc(tmp_path: Path) -> None:
    news([[ARTICLE | {"published_utc": "2025-09-05T20:30:00-04:00"}]], tmp_path)
    assert partition(tmp_path)["published_utc"].item() == datetime(2025, 9, 6, 0, 30, tzinfo=UTC)

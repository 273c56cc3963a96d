"""Datasets told ticker by ticker: ticker events, ratios, reference data."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts import tables
from scripts.errors import DataError
from scripts.lake import land_ratios, land_reference, land_ticker_events
from tests.unit.lake.answers import api_of, outs, serve


def partition(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(outs(folder).partition, hive_partitioning=False)


def reasons(folder: Path) -> list[str]:
    return pl.read_parquet(outs(folder).quarantine)["reason"].to_list()


# Ticker events


def change(day: str, ticker: str) -> dict:
    return {"type": "ticker_change", "date": day, "ticker_change": {"ticker": ticker}}


META = {
    "name": "Meta Platforms, Inc.",
    "composite_figi": "BBG000MM2P62",
    "cik": "0001326801",
    "events": [change("2022-06-09", "META"), change("2012-05-18", "FB")],
}


def events_path(ticker: str) -> str:
    return f"/vX/reference/tickers/{ticker}/events"


def events(answers: dict[str, Any], month: str, folder: Path) -> dict:
    pages = {events_path(t): [found] for t, found in answers.items() if found is not None}
    with serve(pages) as vendor:
        report = land_ticker_events.land(
            api=api_of(vendor), tickers=sorted(answers), month=month, **outs(folder).paths()
        )
    assert vendor.requests == [(events_path(ticker), {}) for ticker in sorted(answers)]
    return report


def test_a_change_knows_the_ticker_before_it(tmp_path: Path) -> None:
    report = events({"META": META}, "2022-06", tmp_path)
    frame = partition(tmp_path)
    assert frame.schema == tables.schema_of(land_ticker_events.COLUMNS)
    company = ("META", META["name"], META["composite_figi"], META["cik"])
    assert frame.rows() == [
        (*company, "ticker_change", date(2022, 6, 9), "FB", "META", "2022-06"),
    ]
    assert report == {
        "rows_in": 1,
        "good": 1,
        "duplicates": 0,
        "quarantined": 0,
        "reasons": {},
        "without_data": 0,
    }


def test_a_companys_first_ticker_has_none_before_it(tmp_path: Path) -> None:
    events({"META": META}, "2012-05", tmp_path)
    assert partition(tmp_path).select("old_ticker", "new_ticker").rows() == [(None, "FB")]


def test_unknown_tickers_and_those_without_events_are_counted(tmp_path: Path) -> None:
    answers = {"META": META, "GONE": None, "BRK.A": META | {"events": []}, "NA": {"name": "N"}}
    report = events(answers, "2022-07", tmp_path)
    assert (report["without_data"], report["rows_in"]) == (3, 0)
    assert partition(tmp_path).is_empty()


def test_a_ticker_is_escaped_in_the_path(tmp_path: Path) -> None:
    answers = {"A/B C?#": META | {"events": [change("2022-06-09", "null")]}}
    assert events(answers, "2022-06", tmp_path)["good"] == 1
    assert partition(tmp_path).select("ticker", "new_ticker").rows() == [("A/B C?#", "null")]


def test_an_event_told_twice_is_kept_once_with_the_same_ticker_before(tmp_path: Path) -> None:
    double = META | {"events": META["events"] * 2}
    report = events({"META": double}, "2022-06", tmp_path)
    assert (report["rows_in"], report["good"], report["duplicates"]) == (2, 1, 1)
    assert partition(tmp_path)["old_ticker"].to_list() == ["FB"]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (change("soon", "X"), "date 'soon' is not a date"),
        ({"type": "ticker_change", "ticker_change": {"ticker": "X"}}, "date is missing"),
        (change("2022-06-09", ""), "new_ticker is missing"),
        (change("2022-06-09", ["X"]), "new_ticker ['X'] is not text"),
        ({"type": "merger", "date": "2022-06-09"}, "ticker_change is not an object"),
        ("merger", "record 'merger' is not an object"),
    ],
)
def test_a_wrong_event_is_refused_and_the_others_stand(
    tmp_path: Path, event: Any, reason: str
) -> None:
    answer = META | {"events": [event, *META["events"]]}
    report = events({"META": answer}, "2022-06", tmp_path)
    assert (report["good"], report["quarantined"]) == (1, 1)
    assert reasons(tmp_path) == [reason]
    assert partition(tmp_path)["old_ticker"].to_list() == ["FB"]


@pytest.mark.parametrize("answer", [META | {"events": {"a": 1}}, ["x"]])
def test_an_answer_of_another_shape_is_refused_whole(tmp_path: Path, answer: Any) -> None:
    report = events({"META": answer}, "2022-06", tmp_path)
    assert (report["good"], report["quarantined"]) == (0, 1)
    refused = pl.read_parquet(outs(tmp_path).quarantine)
    assert json.loads(refused["record"].item()) == answer
    assert refused["source"].item() == events_path("META")


@given(st.lists(st.tuples(st.dates(), st.sampled_from("ABC")), max_size=8), st.randoms())
def test_the_ticker_before_is_that_of_the_last_earlier_change(changes: list, random: Any) -> None:
    told = [change(day.isoformat(), ticker) for day, ticker in changes] * 2
    random.shuffle(told)
    before = land_ticker_events.predecessors(told)
    for day, ticker in changes:
        earlier = [c for c in changes if c < (day, ticker)]
        expected = max(earlier)[1] if earlier else None
        assert before.get((day.isoformat(), ticker)) == expected


def test_ticker_events_without_tickers_name_the_setting(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"lake\.fundamental_tickers or lake\.universe$"):
        land_ticker_events.land(api=None, tickers=None, month="2022-06", **outs(tmp_path).paths())


# Ratios

RATIOS = {
    "ticker": "NA",
    "cik": "0000000001",
    "date": "2025-09-05",
    **{
        name: 1.5
        for name, column in land_ratios.COLUMNS.items()
        if column.dtype == pl.Float64
    },
}  # fmt: skip
WINDOW = {"date.gte": "2025-09-01", "date.lt": "2025-10-01"}
RATIOS_PATH = "/stocks/financials/v1/ratios"


def ratios(answers: dict[str, Any], tickers: list[str] | None, folder: Path) -> tuple:
    with serve(answers) as vendor:
        report = land_ratios.land(
            api=api_of(vendor), tickers=tickers, month="2025-09", **outs(folder).paths()
        )
    return report, vendor.requests


def test_ratios_of_the_whole_market_are_one_request(tmp_path: Path) -> None:
    pages = [[RATIOS], [RATIOS | {"ticker": "B", "current": None}]]
    report, requests = ratios({RATIOS_PATH: pages}, None, tmp_path)
    assert requests == [(RATIOS_PATH, WINDOW)]
    assert "without_data" not in report
    frame = partition(tmp_path)
    assert frame.schema == tables.schema_of(land_ratios.COLUMNS)
    assert frame.select("ticker", "current", "quick").rows() == [("B", None, 1.5), ("NA", 1.5, 1.5)]


def test_ratios_of_tickers_are_a_request_each_and_missing_ones_counted(tmp_path: Path) -> None:
    answers = {f"{RATIOS_PATH}?ticker=NA": [[RATIOS]], f"{RATIOS_PATH}?ticker=Z": [[]]}
    report, requests = ratios(answers, ["NA", "GONE", "Z"], tmp_path)
    assert requests == [(RATIOS_PATH, {"ticker": t, **WINDOW}) for t in ("NA", "GONE", "Z")]
    assert (report["good"], report["without_data"]) == (1, 2)


def test_a_market_that_the_vendor_does_not_know_fails(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"^{RATIOS_PATH}: .*404"):
        ratios({}, None, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_ratio_is_refused(tmp_path: Path) -> None:
    found = [{"current": "high"}, {"date": None}, {"price": -1}]
    answers = {RATIOS_PATH: [[RATIOS, *(RATIOS | fault for fault in found)]]}
    report, _ = ratios(answers, None, tmp_path)
    assert (report["good"], report["quarantined"]) == (1, 3)
    assert reasons(tmp_path) == [
        "current 'high' is not a finite number",
        "date is missing",
        "price -1 is negative",
    ]


# Reference

TICKER = {
    "ticker": "NULL",
    "name": "Null Inc.",
    "market": "stocks",
    "locale": "us",
    "primary_exchange": "XNYS",
    "type": "CS",
    "active": True,
    "currency_name": "usd",
    "cik": "0000000002",
    "composite_figi": "BBG1",
    "share_class_figi": "BBG2",
    "last_updated_utc": "2025-09-05T00:00:00Z",
}
TICKERS_PATH = "/v3/reference/tickers"


def reference(
    dataset: str,
    answers: dict[str, Any],
    folder: Path,
    tickers: list[str] | None = None,
    week: str = "2025-09-08",
) -> tuple:
    with serve(answers) as vendor:
        report = land_reference.land(
            api=api_of(vendor),
            dataset=dataset,
            tickers=tickers,
            as_of="2025-09-10",
            week=week,
            **outs(folder).paths(),
        )
    return report, vendor.requests


def test_tickers_are_the_active_and_the_delisted_ones(tmp_path: Path) -> None:
    gone = TICKER | {"active": False, "delisted_utc": "2024-01-31T05:00:00Z"}
    answers = {TICKERS_PATH: [[TICKER, gone], [TICKER | {"ticker": "NA", "active": None}]]}
    report, requests = reference("tickers", answers, tmp_path)
    asked = {"date": "2025-09-10", "limit": "1000"}
    assert requests == [(TICKERS_PATH, {"active": flag, **asked}) for flag in ("true", "false")]
    assert (report["good"], report["duplicates"], report["quarantined"]) == (2, 2, 2)
    frame = partition(tmp_path)
    assert frame.schema == tables.schema_of(land_reference.TICKERS)
    assert frame.select("ticker", "active", "delisted_utc", "week").rows() == [
        ("NULL", False, datetime(2024, 1, 31, 5, tzinfo=UTC), date(2025, 9, 8)),
        ("NULL", True, None, date(2025, 9, 8)),
    ]
    refused = pl.read_parquet(outs(tmp_path).quarantine)
    assert refused.select("line", "reason").rows() == [(3, "active is missing")] * 2
    assert refused["source"].to_list() == [
        f"{TICKERS_PATH}?active={flag}&date=2025-09-10&limit=1000" for flag in ("true", "false")
    ]


def test_types_of_tickers(tmp_path: Path) -> None:
    common = {"code": "CS", "description": "Common Stock", "asset_class": "stocks", "locale": "us"}
    found = [common, common | {"code": "ADRC"}, common, common | {"code": None}]
    report, requests = reference("ticker_types", {f"{TICKERS_PATH}/types": [found]}, tmp_path)
    assert requests == [(f"{TICKERS_PATH}/types", {})]
    assert (report["good"], report["duplicates"], report["quarantined"]) == (2, 1, 1)
    frame = partition(tmp_path)
    assert frame.schema == tables.schema_of(land_reference.TICKER_TYPES)
    assert frame["code"].to_list() == ["ADRC", "CS"]


def test_related_companies_are_ranked_as_they_are_told(tmp_path: Path) -> None:
    answers = {
        "/v1/related-companies/AAPL": [[{"ticker": "NA"}, {"ticker": "AMZN"}, {"ticker": ""}]],
        "/v1/related-companies/BRK.A": [[]],
        "/v1/related-companies/B": [{"ticker": "X"}],
    }
    tickers = ["AAPL", "B", "BRK.A", "GONE"]
    report, requests = reference("related", answers, tmp_path, tickers)
    assert requests == [(f"/v1/related-companies/{ticker}", {}) for ticker in tickers]
    assert report == {
        "rows_in": 4,
        "good": 2,
        "duplicates": 0,
        "quarantined": 2,
        "reasons": {"related_ticker is missing": 1, "results is not a list": 1},
        "without_data": 2,
    }
    frame = partition(tmp_path)
    assert frame.schema == tables.schema_of(land_reference.RELATED)
    assert frame.rows() == [
        ("AAPL", "NA", 1, date(2025, 9, 8)),
        ("AAPL", "AMZN", 2, date(2025, 9, 8)),
    ]


def test_a_week_that_is_no_monday_and_related_without_tickers_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="week=2025-09-10 is not a Monday"):
        reference("ticker_types", {}, tmp_path, week="2025-09-10")
    with pytest.raises(DataError, match=r"set lake\.fundamental_tickers or lake\.universe"):
        reference("related", {}, tmp_path)

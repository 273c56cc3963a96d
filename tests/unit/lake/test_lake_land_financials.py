"""Filings: one record of the vendor, three statements, three partitions."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from scripts import tables
from scripts.errors import DataError
from scripts.lake import land_financials, records, statements
from scripts.lake.vendor import open_api
from tests.servers import rest_server, simulated
from tests.unit.lake.answers import BROKEN, api_of, serve

PATH = "/vX/reference/financials"
QUERY = {
    "timeframe": "quarterly",
    "filing_date.gte": "2025-08-01",
    "filing_date.lt": "2025-09-01",
    "limit": "100",
}
NAMES = ("balance_sheets", "cash_flow", "income_statements")


def cell(value: Any) -> dict:
    return {"value": value, "unit": "USD", "label": "…", "order": 100}


def filing(**changes: Any) -> dict:
    """A filing with one value in each statement."""
    return {
        "tickers": ["NA"],
        "cik": "0000000003",
        "company_name": "Nordic Ærø",
        "filing_date": "2025-08-05",
        "start_date": "2025-04-01",
        "end_date": "2025-06-30",
        "fiscal_year": "2025",
        "fiscal_period": "Q2",
        "timeframe": "quarterly",
        "source_filing_url": "",
        "financials": {
            "balance_sheet": {"assets": cell(1000)},
            "cash_flow_statement": {"net_cash_flow": cell(-2.5)},
            "income_statement": {"revenues": cell(500)},
            "comprehensive_income": {"comprehensive_income_loss": cell(1)},
        },
        **changes,
    }


def with_statements(**parts: Any) -> dict:
    return filing(financials=filing()["financials"] | parts)


def outs(folder: Path) -> dict[str, Path]:
    files = {name: folder / f"{name}.parquet" for name in (*NAMES, "quarantine")}
    return files | {"reconcile": folder / "reconcile.json"}


def land(
    answers: dict[str, list], folder: Path, tickers: list[str] | None = None
) -> tuple[dict, list]:
    with serve(answers) as vendor:
        report = land_financials.land(
            api=api_of(vendor), tickers=tickers, month="2025-08", **outs(folder)
        )
    assert json.loads(outs(folder)["reconcile"].read_text()) == report
    return report, vendor.requests


def frame(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(outs(folder)[name], hive_partitioning=False)


def reasons(folder: Path) -> list[str]:
    return frame(folder, "quarantine")["reason"].to_list()


def test_a_filing_becomes_a_row_in_each_of_three_partitions(tmp_path: Path) -> None:
    report, requests = land({PATH: [[filing()]]}, tmp_path)
    assert requests == [(PATH, QUERY)]
    assert report == {
        "rows_in": 1,
        "good": 1,
        "duplicates": 0,
        "quarantined": 0,
        "reasons": {},
        "statements": dict.fromkeys(NAMES, 1),
    }
    common = {
        "ticker": "NA",
        "cik": "0000000003",
        "company_name": "Nordic Ærø",
        "filing_date": date(2025, 8, 5),
        "start_date": date(2025, 4, 1),
        "end_date": date(2025, 6, 30),
        "fiscal_year": 2025,
        "fiscal_period": "Q2",
        "timeframe": "quarterly",
        "source_filing_url": None,
        "extra": None,
        "month": "2025-08",
    }
    values = ({"assets": 1000.0}, {"net_cash_flow": -2.5}, {"revenues": 500.0})
    fields = (statements.BALANCE_SHEET, statements.CASH_FLOW, statements.INCOME_STATEMENT)
    for name, known, own in zip(NAMES, values, fields, strict=True):
        found = frame(tmp_path, name)
        assert found.schema == tables.schema_of(statements.bronze_columns(own))
        assert found.row(0, named=True) == common | dict.fromkeys(own) | known


def test_every_declared_value_arrives_in_its_own_column(tmp_path: Path) -> None:
    parts = {}
    for name, fields in (
        ("balance_sheet", statements.BALANCE_SHEET),
        ("cash_flow_statement", statements.CASH_FLOW),
        ("income_statement", statements.INCOME_STATEMENT),
    ):
        parts[name] = {field: cell(100 * len(name) + n) for n, field in enumerate(fields)}
    land({PATH: [[filing(financials=parts)]]}, tmp_path)
    for part, name in zip(parts.items(), NAMES, strict=True):
        row = frame(tmp_path, name).row(0, named=True)
        assert {field: row[field] for field in part[1]} == {
            field: told["value"] for field, told in part[1].items()
        }


def test_a_statement_that_is_absent_makes_no_row(tmp_path: Path) -> None:
    found = [
        filing(financials={"balance_sheet": {"assets": cell(1)}, "income_statement": {}}),
        filing(tickers=["B"], financials={"cash_flow_statement": {"net_cash_flow": cell(None)}}),
        filing(tickers=["C"], financials=None),
    ]
    report, _ = land({PATH: [found]}, tmp_path)
    assert report["good"] == 3
    assert report["statements"] == {"balance_sheets": 1, "cash_flow": 1, "income_statements": 0}
    assert frame(tmp_path, "cash_flow").select("ticker", "net_cash_flow").rows() == [("B", None)]


def test_fields_we_do_not_know_are_kept_as_json(tmp_path: Path) -> None:
    sheet = {"assets": cell(1), "zeta": cell(2.5), "alpha_ø": cell("n/a"), "beta": {"unit": "USD"}}
    land({PATH: [[with_statements(balance_sheet=sheet)]]}, tmp_path)
    text = frame(tmp_path, "balance_sheets")["extra"].item()
    assert text == '{"alpha_ø": "n/a", "beta": null, "zeta": 2.5}'


def test_tickers_are_asked_for_one_by_one_and_name_their_rows(tmp_path: Path) -> None:
    both = filing(tickers=["GOOG", "GOOGL"])
    answers = {
        f"{PATH}?ticker=GOOGL": [[both], [filing(tickers=None, fiscal_period="Q1")]],
        f"{PATH}?ticker=GOOG": [[both]],
        f"{PATH}?ticker=Z": [[]],
    }
    report, requests = land(answers, tmp_path, ["GOOG", "GOOGL", "NONE", "Z"])
    assert requests == [(PATH, {"ticker": t} | QUERY) for t in ("GOOG", "GOOGL", "NONE", "Z")]
    assert (report["rows_in"], report["good"], report["without_data"]) == (3, 3, 2)
    assert frame(tmp_path, "cash_flow").select("ticker", "fiscal_period").rows() == [
        ("GOOG", "Q2"),
        ("GOOGL", "Q1"),
        ("GOOGL", "Q2"),
    ]


def test_the_filing_of_another_company_is_refused(tmp_path: Path) -> None:
    answers = {f"{PATH}?ticker=ABRpD": [[filing(tickers=["ABRPD"])]]}
    report, _ = land(answers, tmp_path, ["ABRpD"])
    assert report["quarantined"] == 1
    assert reasons(tmp_path) == ["tickers ['ABRPD'] do not include the ticker asked for"]


def test_the_whole_market_has_a_row_for_each_ticker_of_a_filing(tmp_path: Path) -> None:
    found = [filing(tickers=["GOOGL", "GOOG"]), filing(tickers=[]), filing(tickers=["A", ""])]
    report, _ = land({PATH: [found]}, tmp_path)
    assert (report["rows_in"], report["good"], report["quarantined"]) == (4, 2, 2)
    assert report["reasons"] == {"tickers is missing": 1, "tickers is not a list of names": 1}
    for name in NAMES:
        assert frame(tmp_path, name)["ticker"].to_list() == ["GOOG", "GOOGL"]


def test_a_restatement_is_a_row_of_its_own_and_a_repeat_is_none(tmp_path: Path) -> None:
    restated = filing(filing_date="2025-08-20")
    mended = with_statements(balance_sheet={"assets": cell(1001)})
    report, _ = land({PATH: [[filing(), restated], [filing(), mended]]}, tmp_path / "a")
    assert (report["rows_in"], report["good"], report["duplicates"]) == (4, 2, 2)
    assert report["statements"] == dict.fromkeys(NAMES, 2)
    sheets = frame(tmp_path / "a", "balance_sheets")
    assert sheets.select("filing_date", "assets").rows() == [
        (date(2025, 8, 5), 1001.0),
        (date(2025, 8, 20), 1000.0),
    ]
    land({PATH: [[restated, mended]]}, tmp_path / "b")
    for name in NAMES:
        assert outs(tmp_path / "a")[name].read_bytes() == outs(tmp_path / "b")[name].read_bytes()


def test_a_repeat_without_a_statement_does_not_take_it_away(tmp_path: Path) -> None:
    short = filing(financials={"income_statement": {"revenues": cell(501)}})
    report, _ = land({PATH: [[filing(), short]]}, tmp_path)
    assert report["statements"] == dict.fromkeys(NAMES, 1)
    assert frame(tmp_path, "income_statements")["revenues"].to_list() == [501.0]
    assert frame(tmp_path, "balance_sheets")["assets"].to_list() == [1000.0]


BAD = [
    (filing(filing_date=None), "filing_date is missing"),
    (filing(filing_date="2025-09-01"), "'2025-09-01' is outside 2025-08-01 to 2025-08-31"),
    (filing(fiscal_year=None), "fiscal_year is missing"),
    (filing(fiscal_year="FY25"), "fiscal_year 'FY25' is not a year"),
    (filing(fiscal_period=""), "fiscal_period is missing"),
    (filing(tickers="NA"), "tickers 'NA' is not a list of texts"),
    (filing(end_date="June"), "end_date 'June' is not a date"),
    (filing(financials=[1]), "financials [1] is not an object"),
    (filing(financials=False), "financials False is not an object"),
    (with_statements(balance_sheet=[1]), "balance_sheet [1] is not an object"),
    (with_statements(balance_sheet=0), "balance_sheet 0 is not an object"),
    (
        with_statements(balance_sheet={"assets": 1000}),
        "balance_sheet.assets 1000 is not an object",
    ),
    (
        with_statements(income_statement={"revenues": cell("500")}),
        "income_statement.revenues '500' is not a finite number",
    ),
    (
        with_statements(cash_flow_statement={"new_field": cell(float("nan"))}),
        "cash_flow_statement.extra {'new_field': nan} holds a number that is not finite",
    ),
    (
        with_statements(cash_flow_statement={"new_field": cell("\ud800")}),
        "cash_flow_statement.extra",
    ),
]


@pytest.mark.parametrize(("record", "reason"), BAD)
def test_a_wrong_filing_is_refused_as_a_whole(tmp_path: Path, record: dict, reason: str) -> None:
    report, _ = land({PATH: [[filing(tickers=["B"]), record]]}, tmp_path)
    assert (report["good"], report["quarantined"]) == (1, 1)
    assert reason in reasons(tmp_path)[0]
    for name in NAMES:
        assert frame(tmp_path, name)["ticker"].to_list() == ["B"]
    refused = json.loads(frame(tmp_path, "quarantine")["record"].item())
    assert json.dumps(refused) == json.dumps(record)


def test_a_filing_in_text_years_equals_one_in_numbers(tmp_path: Path) -> None:
    report, _ = land({PATH: [[filing(), filing(fiscal_year=2025)]]}, tmp_path)
    assert (report["good"], report["duplicates"]) == (1, 1)


def test_a_broken_page_leaves_the_old_partitions(tmp_path: Path) -> None:
    land({PATH: [[filing()]]}, tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(DataError):
        land({PATH: [[filing(tickers=["X"])], BROKEN]}, tmp_path)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before
    assert len(before) == 5


def test_no_filing_at_all_makes_three_empty_partitions(tmp_path: Path) -> None:
    report, _ = land({}, tmp_path, ["A"])
    assert (report["rows_in"], report["without_data"]) == (0, 1)
    for name in NAMES:
        assert frame(tmp_path, name).is_empty()
        assert "assets" in frame(tmp_path, name).columns or name != "balance_sheets"
    assert frame(tmp_path, "quarantine").schema == tables.schema_of(records.QUARANTINE)


def test_the_simulated_market_tells_the_same_at_once_and_ticker_by_ticker(tmp_path: Path) -> None:
    for month in ("2025-02", "2025-08"):
        told = tmp_path / month
        with rest_server(simulated(1, "2025-09-08")) as server:
            api = open_api("massive", 0, "2025-09-08", server.environment)
            whole = land_financials.land(api=api, tickers=None, month=month, **outs(told / "a"))
            tickers = sorted({*frame(told / "a", "balance_sheets")["ticker"], "NONE"})
            each = land_financials.land(api=api, tickers=tickers, month=month, **outs(told / "b"))
        assert each["without_data"] == 1
        assert each["statements"] == whole["statements"]
        assert whole["statements"]["balance_sheets"] > 3
        for name in NAMES:
            assert outs(told / "a")[name].read_bytes() == outs(told / "b")[name].read_bytes()

"""Which version of a statement was known on a day, and the periods before it."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal, assert_series_equal

from scripts import tables
from scripts.lake.inputs import as_paths
from scripts.lake.statements import (
    BALANCE_SHEET,
    CASH_FLOW,
    FIELDS,
    GROWTH,
    INCOME_STATEMENT,
    KEY,
    as_known,
    bronze_columns,
    debt,
    earlier,
    filings_of,
    growth,
    quarter_name,
    ratio,
    read,
    trailing_year,
)
from tests.unit.lake.statement_frames import (
    Filings,
    all_keys,
    growth_of,
    key,
    quarters_back,
    random_filings,
    state,
    statements,
    written,
    year_before,
)

MAY, JUNE, JULY = date(2025, 5, 1), date(2025, 6, 2), date(2025, 7, 1)
VALUES = [f"{prefix}_{field}" for prefix, fields in FIELDS.items() for field in fields]


def known_of(filings: Filings) -> pl.DataFrame:
    """All filings with what was known on their days."""
    frames = statements(filings)
    return as_known(filings_of(frames), frames)


def test_the_fields_of_the_three_statements_are_the_contracts() -> None:
    assert (len(BALANCE_SHEET), len(CASH_FLOW), len(INCOME_STATEMENT)) == (23, 10, 18)
    assert BALANCE_SHEET[:2] == ("assets", "current_assets")
    assert CASH_FLOW[-2:] == ("capital_expenditure", "exchange_gains_losses")
    assert "interest_expense_operating" in INCOME_STATEMENT
    columns = bronze_columns(CASH_FLOW)
    assert list(columns)[:10] == [
        *("ticker", "cik", "company_name", "filing_date", "start_date", "end_date"),
        *("fiscal_year", "fiscal_period", "timeframe", "source_filing_url"),
    ]
    assert list(columns)[10:] == [*CASH_FLOW, "extra", "month"]
    assert columns["fiscal_year"].dtype == pl.Int32
    assert columns["capital_expenditure"].dtype == pl.Float64


def test_of_each_statement_the_latest_version_of_the_day_is_taken() -> None:
    filings = [
        ("bs", {**key(2025, "Q1", MAY), "assets": 100.0}),
        ("is", {**key(2025, "Q1", MAY), "revenues": 10.0}),
        ("is", {**key(2025, "Q1", JULY), "revenues": 11.0}),
        ("bs", {**key(2025, "Q1", JUNE), "assets": None, "equity": 50.0}),
    ]
    known = known_of(filings)
    assert known["filing_date"].to_list() == [MAY, JUNE, JULY]
    assert known["is_revenues"].to_list() == [10, 10, 11]
    assert known["bs_assets"].to_list() == [100, None, None]  # an amendment replaces the whole
    assert known["bs_equity"].to_list() == [None, 50, 50]
    assert known["bs_filing_date"].to_list() == [MAY, JUNE, JUNE]
    assert known["cf_filing_date"].to_list() == [None, None, None]
    frames = statements(filings)
    exact = as_known(filings_of(frames), frames, latest=False)
    assert exact["is_revenues"].to_list() == [10, None, 11]


def test_a_filing_without_a_period_is_left_out_and_joins_nothing() -> None:
    filings = [
        ("bs", {**key(2025, "Q1", MAY), "assets": 1.0}),
        ("bs", {**key(2025, "Q1", MAY), "fiscal_year": None, "assets": 2.0}),
        ("is", {**key(2025, "Q1", MAY), "fiscal_period": None, "revenues": 3.0}),
    ]
    known = known_of(filings)
    assert known["bs_assets"].to_list() == [1.0]
    assert known["is_revenues"].to_list() == [None]


@pytest.mark.parametrize(
    ("period", "back", "found"),
    [
        ("Q1", 1, "2024Q4"),
        ("Q3", 2, "2025Q1"),
        ("Q2", 4, "2024Q2"),
        ("Q4", 3, "2025Q1"),
        ("FY", 4, "2024FY"),
        ("FY", 1, None),
    ],
)
def test_earlier_periods_cross_fiscal_years(period: str, back: int, found: str | None) -> None:
    past = [(y, p) for y in (2024, 2025) for p in ("Q1", "Q2", "Q3", "Q4", "FY")]
    label = {f"{y}{p}": float(n) for n, (y, p) in enumerate(past)}
    filings = [
        ("is", {**key(y, p, MAY), "revenues": label[f"{y}{p}"]})
        for y, p in past
        if (y, p) != (2025, period)
    ]
    filings.append(("is", {**key(2025, period, JUNE), "revenues": -1.0}))
    known = known_of(filings)
    row = known.with_row_index().filter(pl.col("is_revenues") == -1)["index"].item()
    assert earlier(known, back)["is_revenues"][row] == label.get(found)


@settings(max_examples=60)
@given(random_filings())
def test_states_equal_a_search_through_all_filings(filings: Filings) -> None:
    known = known_of(filings)
    keys = all_keys(filings)
    assert known.select(KEY).rows() == keys
    wanted = [state(filings, *where) for where in keys]
    columns = [*VALUES, *(f"{prefix}_filing_date" for prefix in FIELDS)]
    assert known.select(columns).rows() == [tuple(row[n] for n in columns) for row in wanted]
    for back in (1, 4):
        rows = earlier(known, back).select(VALUES).rows()
        for where, row in zip(keys, rows, strict=True):
            ticker, year, period, frame, day = where
            place = quarters_back(year, period, back)
            past = state(filings, ticker, *place, frame, day) if place else dict.fromkeys(VALUES)
            assert row == tuple(past[name] for name in VALUES)


@settings(max_examples=60)
@given(random_filings())
def test_growth_and_trailing_sums_equal_slow_ones(filings: Filings) -> None:
    known = known_of(filings)
    total = trailing_year(known, "is_revenues").to_list()
    grown = growth(known)
    for number, where in enumerate(all_keys(filings)):
        ticker, year, period, frame, day = where
        now = state(filings, *where)
        before = year_before(filings, where)
        for name, column in GROWTH.items():
            assert grown[name][number] == growth_of(now, before, column)
        steps = [
            quarters_back(year, period, back) for back in (range(4) if period != "FY" else [0])
        ]
        parts = [state(filings, ticker, *step, frame, day)["is_revenues"] for step in steps]
        assert total[number] == (None if None in parts else sum(parts))


@settings(max_examples=30)
@given(random_filings())
def test_what_is_filed_later_changes_nothing_and_order_neither(filings: Filings) -> None:
    known = known_of(filings)
    last = date(2023, 9, 1)
    early = [item for item in filings if item[1]["filing_date"] <= last]
    assert_frame_equal(known_of(early), known.filter(pl.col("filing_date") <= last))
    assert_frame_equal(known_of(random.Random(1).sample(filings, len(filings))), known)


def test_a_whole_year_is_its_own_trailing_sum() -> None:
    filings = [("is", {**key(2025, "FY", MAY), "revenues": 7.0})]
    assert trailing_year(known_of(filings), "is_revenues").to_list() == [7.0]


def test_a_ratio_is_null_over_nothing() -> None:
    frame = pl.DataFrame({"top": [1.0, 1.0, None, 1.0], "bottom": [4.0, 0.0, 2.0, None]})
    assert frame.select(ratio(pl.col("top"), pl.col("bottom"))).to_series().to_list() == [
        *(0.25, None, None, None)
    ]


def test_debt_counts_a_missing_part_as_none_but_not_a_missing_balance_sheet() -> None:
    columns = ("bs_long_term_debt", "bs_short_term_debt", "bs_filing_date")
    rows = [(3.0, None, MAY), (None, None, MAY), (1.0, 2.0, MAY), (None, None, None)]
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    expected = pl.Series("debt", [3.0, 0.0, 3.0, None])
    assert_series_equal(frame.select(debt=debt()).to_series(), expected)


def test_the_calendar_quarter_of_a_day() -> None:
    days = pl.DataFrame({"day": [date(2025, 3, 31), date(2025, 4, 1), date(2024, 12, 31)]})
    names = days.select(quarter_name("day")).to_series()
    assert names.to_list() == ["2025Q1", "2025Q2", "2024Q4"]
    assert names.name == "quarter"


def test_files_are_read_as_one_frame_of_each_kind(tmp_path: Path) -> None:
    first = written([("bs", {**key(2025, "Q1", MAY), "assets": 1.0})], tmp_path / "a")
    second = written([("bs", {**key(2025, "Q2", JULY), "assets": 2.0})], tmp_path / "b")
    files = {"bs": [*first["balance_sheets"], *second["balance_sheets"]], "is": [], "cf": []}
    frames = read(files)
    assert frames["bs"]["assets"].to_list() == [1.0, 2.0]
    assert frames["is"].is_empty()
    assert frames["cf"].schema == tables.schema_of(bronze_columns(CASH_FLOW))


def test_an_input_may_be_absent_one_file_or_several() -> None:
    assert as_paths([]) == []
    assert as_paths("a/b.parquet") == [Path("a/b.parquet")]
    assert as_paths(["a", "b"]) == [Path("a"), Path("b")]

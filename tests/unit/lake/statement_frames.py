"""Statements for tests: bronze frames from plain records, and random filings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

import polars as pl
from hypothesis import strategies as st

from scripts import tables
from scripts.lake.statements import FIELDS, KEY, bronze_columns

FILES = {"bs": "balance_sheets", "is": "income_statements", "cf": "cash_flow"}
FIRST = date(2023, 1, 1)
USED = {  # value fields that some figure needs
    "bs": (
        "assets",
        "cash",
        "current_assets",
        "current_liabilities",
        "accounts_receivable",
        "inventory",
        "long_term_debt",
        "short_term_debt",
        "equity",
    ),
    "is": (
        "revenues",
        "cost_of_revenue",
        "gross_profit",
        "operating_income_loss",
        "interest_expense_operating",
        "net_income_loss",
        "diluted_earnings_per_share",
        "basic_average_shares",
        "diluted_average_shares",
    ),
    "cf": (
        "net_cash_flow_from_operating_activities",
        "net_cash_flow_from_investing_activities",
        "capital_expenditure",
    ),
}


def key(
    year: int, period: str, filed: date, ticker: str = "NA", timeframe: str | None = None
) -> dict:
    """The natural key of a filing; its timeframe follows from the period."""
    timeframe = timeframe or ("annual" if period == "FY" else "quarterly")
    return dict(zip(KEY, (ticker, year, period, timeframe, filed), strict=True))


def statement(prefix: str, records: Iterable[Mapping]) -> pl.DataFrame:
    """Records (a key and value fields) as the bronze frame of one statement."""
    columns = bronze_columns(FIELDS[prefix])
    rows = [dict.fromkeys(columns) | dict(record) for record in records]
    return pl.DataFrame(rows, schema=tables.schema_of(columns))


def statements(records: Iterable[tuple[str, Mapping]]) -> dict[str, pl.DataFrame]:
    """(prefix, record) as the three bronze frames."""
    listed = list(records)
    return {p: statement(p, [r for prefix, r in listed if prefix == p]) for p in FIELDS}


def written(records: Iterable[tuple[str, Mapping]], folder: Path) -> dict[str, list[Path]]:
    """The three statements as files, by the name a job gives its input."""
    paths = {}
    for prefix, frame in statements(records).items():
        path = folder / f"{FILES[prefix]}.parquet"
        tables.write(frame, path)
        paths[FILES[prefix]] = [path]
    return paths


def _record(prefix: str) -> st.SearchStrategy[tuple[str, dict]]:
    keys = st.builds(
        key,
        year=st.integers(2023, 2024),
        period=st.sampled_from(["Q1", "Q2", "Q3", "Q4", "FY"]),
        filed=st.integers(0, 12).map(lambda n: FIRST + timedelta(days=50 * n)),
        ticker=st.sampled_from(["NA", "NA", "nan"]),
    )
    amounts = st.none() | st.integers(-3, 9).map(float)
    values = st.fixed_dictionaries(dict.fromkeys(USED[prefix], amounts))
    return st.tuples(st.just(prefix), st.builds(lambda k, v: k | v, keys, values))


def random_filings(most: int = 60) -> st.SearchStrategy[list[tuple[str, dict]]]:
    """Filings of few companies and periods, so that amendments and gaps are common."""
    return st.lists(
        st.sampled_from(list(FIELDS)).flatmap(_record),
        max_size=most,
        unique_by=lambda item: (item[0], *(item[1][name] for name in KEY)),
    )


Filings = list[tuple[str, dict]]


def state(filings: Filings, ticker: str, year: int, period: str, frame: str, day: date) -> dict:
    """Slow oracle: values by `prefix_field` of a period as known on a day, latest version each."""
    found: dict = {}
    for prefix, fields in FIELDS.items():
        versions = [
            record
            for p, record in filings
            if p == prefix
            and [record[name] for name in KEY[:4]] == [ticker, year, period, frame]
            and record["filing_date"] <= day
        ]
        latest = max(versions, key=lambda record: record["filing_date"], default={})
        found |= {f"{prefix}_{field}": latest.get(field) for field in fields}
        found[f"{prefix}_filing_date"] = latest.get("filing_date")
    return found


def all_keys(filings: Filings) -> list[tuple]:
    """Slow oracle: every (ticker, year, period, timeframe, day) with a filing, sorted."""
    return sorted({tuple(record[name] for name in KEY) for _, record in filings})


def quarters_back(year: int, period: str, back: int) -> tuple[int, str] | None:
    """Slow oracle: the fiscal period `back` quarters before, step by step."""
    if period == "FY":
        return (year - back // 4, "FY") if back % 4 == 0 else None
    number = int(period[1])
    for _ in range(back):
        number -= 1
        if number == 0:
            year, number = year - 1, 4
    return year, f"Q{number}"


def year_before(filings: Filings, where: tuple) -> dict:
    """Slow oracle: the state of the same period a year before, as known at the filing `where`."""
    ticker, year, period, frame, day = where
    return state(filings, ticker, year - 1, period, frame, day)


def growth_of(now: dict, before: dict, name: str) -> float | None:
    """Slow oracle: now / before - 1."""
    a, b = now[name], before[name]
    return None if a is None or b in (None, 0) else a / b - 1

"""One flat row for each filing, Piotroski's signals by hand, one at a time."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from scripts import tables
from scripts.lake.build_fundamentals_wide import COLUMNS, SIGNALS, build, piotroski, widen
from scripts.lake.statements import FIELDS, KEY, as_known, filings_of
from tests.unit.lake.statement_frames import (
    Filings,
    all_keys,
    key,
    random_filings,
    state,
    statements,
    written,
    year_before,
)

BEFORE, NOW = date(2024, 5, 1), date(2025, 5, 1)
GOOD = {  # every signal is 1 against WEAK
    "bs": {
        "assets": 100.0,
        "current_assets": 60.0,
        "current_liabilities": 20.0,
        "long_term_debt": 10.0,
    },
    "is": {
        "revenues": 80.0,
        "cost_of_revenue": 40.0,
        "net_income_loss": 10.0,
        "basic_average_shares": 5.0,
    },
    "cf": {"net_cash_flow_from_operating_activities": 15.0},
}
WEAK = {
    "bs": {
        "assets": 100.0,
        "current_assets": 40.0,
        "current_liabilities": 20.0,
        "long_term_debt": 20.0,
    },
    "is": {
        "revenues": 70.0,
        "cost_of_revenue": 50.0,
        "net_income_loss": 5.0,
        "basic_average_shares": 5.0,
    },
    "cf": {"net_cash_flow_from_operating_activities": 1.0},
}


def filings(now: dict, before: dict | None = WEAK, period: str = "Q1") -> Filings:
    """A filing, and the same period's of the year before."""
    records = [(prefix, key(2025, period, NOW) | values) for prefix, values in now.items()]
    if before:
        records += [(p, key(2024, period, BEFORE) | values) for p, values in before.items()]
    return records


def changed(**values: float | None) -> dict:
    """GOOD with some values of it replaced: `is_revenues=1`."""
    return {
        prefix: fields | {n[3:]: v for n, v in values.items() if n[:2] == prefix}
        for prefix, fields in GOOD.items()
    }


def signals(records: Filings) -> dict:
    """The signals of the last filing."""
    frames = statements(records)
    known = as_known(filings_of(frames), frames)
    return piotroski(known).row(known.height - 1, named=True)


def test_a_company_that_improved_in_all_has_nine() -> None:
    assert signals(filings(GOOD)) == dict.fromkeys(SIGNALS, 1) | {"f_score": 9}
    assert signals(filings(GOOD, period="FY"))["f_score"] == 9


@pytest.mark.parametrize(
    ("values", "lost"),
    [
        ({"is_net_income_loss": 0.0}, {"f_roa", "f_delta_roa"}),
        ({"is_net_income_loss": 5.0}, {"f_delta_roa"}),
        (
            {"cf_net_cash_flow_from_operating_activities": 0.0},
            {"f_cfo", "f_accrual"},
        ),
        ({"cf_net_cash_flow_from_operating_activities": 10.0}, {"f_accrual"}),
        ({"bs_long_term_debt": 20.0}, {"f_delta_leverage"}),
        ({"bs_current_assets": 40.0}, {"f_delta_liquidity"}),
        ({"is_basic_average_shares": 5.5}, {"f_equity_offer"}),
        ({"is_cost_of_revenue": 70.0}, {"f_delta_margin"}),
        ({"is_revenues": 70.0, "is_cost_of_revenue": 20.0}, {"f_delta_turnover"}),
    ],
)
def test_each_signal_is_lost_by_its_own_cause(values: dict[str, float], lost: set[str]) -> None:
    found = signals(filings(changed(**values)))
    assert {name for name in SIGNALS if found[name] == 0} == lost
    assert found["f_score"] == 9 - len(lost)


@pytest.mark.parametrize(
    ("values", "unknown"),
    [
        ({"is_net_income_loss": None}, {"f_roa", "f_delta_roa", "f_accrual"}),
        ({"bs_current_liabilities": None}, {"f_delta_liquidity"}),
        ({"is_basic_average_shares": None}, {"f_equity_offer"}),
        ({"is_cost_of_revenue": None}, {"f_delta_margin"}),
    ],
)
def test_an_unknown_part_leaves_the_score_unknown(values: dict, unknown: set[str]) -> None:
    found = signals(filings(changed(**values)))
    assert {name for name in SIGNALS if found[name] is None} == unknown
    assert found["f_score"] is None


def test_without_the_year_before_changes_are_unknown() -> None:
    found = signals(filings(GOOD, before=None))
    known = {"f_roa": 1, "f_cfo": 1, "f_accrual": 1}
    assert found == dict.fromkeys([*SIGNALS, "f_score"]) | known


def test_a_filing_of_one_statement_has_only_its_own_values(tmp_path: Path) -> None:
    later = date(2025, 6, 3)
    amended = [("is", key(2025, "Q1", later) | GOOD["is"] | {"revenues": 90.0, "cik": "7"})]
    paths = written([*filings(GOOD), *amended], tmp_path)
    out = tmp_path / "part.parquet"
    assert build(**paths, quarter="2025Q2", out=out) == 2
    frame = pl.read_parquet(out)
    assert frame.schema == tables.schema_of(COLUMNS)
    first, second = frame.rows(named=True)
    assert (first["filing_date"], second["filing_date"]) == (NOW, later)
    assert (first["bs_assets"], first["is_revenues"], first["ticker"]) == (100, 80, "NA")
    assert (second["bs_assets"], second["is_revenues"], second["cik"]) == (None, 90, "7")
    assert second["f_score"] == 9
    assert (first["revenue_growth"], second["revenue_growth"]) == (80 / 70 - 1, 90 / 70 - 1)


def test_all_value_fields_stand_in_the_table() -> None:
    values = [f"{prefix}_{field}" for prefix, fields in FIELDS.items() for field in fields]
    start = list(COLUMNS).index("bs_assets")
    assert list(COLUMNS)[start : start + len(values)] == values


def slow_signals(records: Filings, where: tuple) -> dict[str, int | None]:
    """Oracle: the nine signals from two states, in plain Python."""
    now, before = state(records, *where), year_before(records, where)

    def over(top: float | None, bottom: float | None) -> float | None:
        return None if top is None or bottom in (None, 0) else top / bottom

    def measures(s: dict) -> dict[str, float | None]:
        basic, diluted = s["is_basic_average_shares"], s["is_diluted_average_shares"]
        sales, cost = s["is_revenues"], s["is_cost_of_revenue"]
        return {
            "roa": over(s["is_net_income_loss"], s["bs_assets"]),
            "leverage": over(s["bs_long_term_debt"] or 0.0, s["bs_assets"]),
            "liquidity": over(s["bs_current_assets"], s["bs_current_liabilities"]),
            "shares": diluted if basic is None else basic,
            "margin": None if None in (sales, cost) else over(sales - cost, sales),
            "turnover": over(sales, s["bs_assets"]),
        }

    a, b = measures(now), measures(before)
    flow, net = now["cf_net_cash_flow_from_operating_activities"], now["is_net_income_loss"]

    def exceeds(x: float | None, y: float | None) -> int | None:
        return None if None in (x, y) else int(x > y)

    offered = exceeds(a["shares"], b["shares"])
    found = {
        "f_roa": exceeds(a["roa"], 0.0),
        "f_cfo": exceeds(flow, 0.0),
        "f_delta_roa": exceeds(a["roa"], b["roa"]),
        "f_accrual": exceeds(flow, net),
        "f_delta_leverage": exceeds(b["leverage"], a["leverage"]),
        "f_delta_liquidity": exceeds(a["liquidity"], b["liquidity"]),
        "f_equity_offer": None if offered is None else 1 - offered,
        "f_delta_margin": exceeds(a["margin"], b["margin"]),
        "f_delta_turnover": exceeds(a["turnover"], b["turnover"]),
    }
    known = None not in found.values()
    return found | {"f_score": sum(found.values()) if known else None}


@settings(max_examples=50)
@given(random_filings())
def test_rows_equal_a_slow_full_join_with_slow_signals(records: Filings) -> None:
    frames = statements(records)
    keys = all_keys(records)
    quarters = sorted({f"{day.year}Q{(day.month + 2) // 3}" for *_, day in keys})
    empty = pl.DataFrame(schema=tables.schema_of(COLUMNS))
    found = pl.concat([empty, *(widen(frames, quarter) for quarter in quarters)]).sort(KEY)
    assert found.select(KEY).rows() == keys
    filed = {(p, *(record[name] for name in KEY)): record for p, record in records}
    for where, row in zip(keys, found.rows(named=True), strict=True):
        for prefix, fields in FIELDS.items():
            own = filed.get((prefix, *where), {})
            assert [row[f"{prefix}_{field}"] for field in fields] == [own.get(f) for f in fields]
        slow = slow_signals(records, where)
        assert {name: row[name] for name in slow} == slow


@settings(max_examples=20)
@given(random_filings())
def test_what_is_filed_later_changes_no_row_and_order_neither(records: Filings) -> None:
    last, quarter = date(2023, 8, 20), "2023Q3"
    whole = widen(statements(records), quarter)
    early = statements(r for r in records if r[1]["filing_date"] <= last)
    assert_frame_equal(widen(early, quarter), whole.filter(pl.col("filing_date") <= last))
    mixed = statements(random.Random(3).sample(records, len(records)))
    assert_frame_equal(widen(mixed, quarter), whole)

"""Ratios: the worked row, prices, trailing flows, and a slow calculation of all of them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from scripts import tables
from scripts.lake.build_calculated_ratios import COLUMNS, RATIOS, build, calculate, with_prices
from scripts.lake.statements import GROWTH, KEY, as_known, filings_of
from tests.unit.lake.statement_frames import (
    FIRST,
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

FILED = date(2025, 5, 1)
WORKED = {
    "bs": {
        "assets": 1000,
        "current_assets": 400,
        "current_liabilities": 200,
        "liabilities": 600,
        "equity": 400,
        "inventory": 50,
        "long_term_debt": 100,
    },
    "is": {
        "revenues": 500,
        "cost_of_revenue": 300,
        "operating_income_loss": 125,
        "net_income_loss": 100,
    },
    "cf": {
        "net_cash_flow_from_operating_activities": 120,
        "net_cash_flow_from_investing_activities": -30,
    },
}
NO_PRICES = pl.DataFrame(schema={"symbol": pl.String, "date": pl.Date, "close": pl.Float64})


def filing(year: int = 2025, period: str = "Q1", filed: date = FILED, **changed: float) -> Filings:
    """The worked filing, with some values of it changed or added (`is_revenues=7`)."""
    return [
        (
            prefix,
            key(year, period, filed)
            | values
            | {n[3:]: v for n, v in changed.items() if n[:2] == prefix},
        )
        for prefix, values in WORKED.items()
    ]


def ratios_of(
    filings: Filings, prices: pl.DataFrame = NO_PRICES, quarter: str = "2025Q2"
) -> pl.DataFrame:
    """Ratios of a quarter straight from records."""
    frames = statements(filings)
    return calculate(as_known(filings_of(frames), frames), prices.lazy(), quarter)


def close(*days: tuple[date, float], symbol: str = "NA") -> pl.DataFrame:
    """Daily closes of a symbol."""
    rows = [(symbol, day, price) for day, price in days]
    return pl.DataFrame(rows, schema=NO_PRICES.schema, orient="row")


def test_the_worked_row_of_the_specification(tmp_path: Path) -> None:
    out = tmp_path / "out" / "part.parquet"
    assert build(**written(filing(), tmp_path), prices=[], quarter="2025Q2", out=out) == 1
    frame = pl.read_parquet(out)
    assert frame.schema == tables.schema_of(COLUMNS)
    row = frame.row(0, named=True)
    assert row["ticker"] == "NA"
    assert row["quarter"] == "2025Q2"
    expected = {
        "gross_margin": 40,
        "operating_margin": 25,
        "net_margin": 20,
        "roa": 10,
        "roe": 25,
        "roic": 20,
        "current_ratio": 2.0,
        "quick_ratio": 1.75,
        "working_capital": 200,
        "total_debt": 100,
        "debt_to_equity": 0.25,
        "debt_to_assets": 0.1,
        "equity_multiplier": 2.5,
        "asset_turnover": 0.5,
        "inventory_turnover": 6,
        "operating_cash_flow_ratio": 0.6,
        "free_cash_flow_peer": 90,
        "cash_flow_to_debt": 1.2,
    }
    assert {name: row[name] for name in RATIOS if row[name] is not None} == expected


@pytest.mark.parametrize(("sign", "spent"), [(1, 45.0), (-1, 45.0)])
def test_capital_expenditure_is_subtracted_whatever_its_sign(sign: int, spent: float) -> None:
    row = ratios_of(filing(cf_capital_expenditure=sign * spent)).row(0, named=True)
    assert row["free_cash_flow"] == 120 - 45
    assert row["free_cash_flow_peer"] == 90


def test_receivables_and_interest() -> None:
    more = {"bs_accounts_receivable": 125.0, "is_interest_expense_operating": 50.0}
    row = ratios_of(filing(**more)).row(0, named=True)
    assert row["receivables_turnover"] == 4
    assert row["days_sales_outstanding"] == 91.25
    assert row["interest_coverage"] == 2.5


@pytest.mark.parametrize(
    ("zeroed", "nulls"),
    [
        ("is_revenues", {"gross_margin", "operating_margin", "net_margin"}),
        ("bs_assets", {"roa", "debt_to_assets", "asset_turnover"}),
        ("bs_equity", {"roe", "debt_to_equity", "equity_multiplier"}),
        (
            "bs_current_liabilities",
            {"current_ratio", "quick_ratio", "operating_cash_flow_ratio"},
        ),
        ("bs_inventory", {"inventory_turnover"}),
        ("bs_long_term_debt", {"cash_flow_to_debt"}),
    ],
)
def test_nothing_below_the_line_gives_null(zeroed: str, nulls: set[str]) -> None:
    usual = ratios_of(filing()).row(0, named=True)
    row = ratios_of(filing(**{zeroed: 0.0})).row(0, named=True)
    assert {n for n in RATIOS if usual[n] is not None and row[n] is None} == nulls


def test_growth_and_trailing_year_use_what_was_known() -> None:
    quarters = [(2024, "Q1"), (2024, "Q2"), (2024, "Q3"), (2024, "Q4")]
    past = [
        item
        for number, (year, period) in enumerate(quarters)
        for item in filing(
            year, period, date(2024, 5, 1) + timedelta(days=91 * number), is_revenues=400 + number
        )
    ]
    amended = filing(2024, "Q1", date(2025, 6, 1), is_revenues=250.0)[1:2]  # after FILED
    frame = ratios_of([*past, *amended, *filing(bs_cash=40.0, is_basic_average_shares=10.0)])
    row = frame.filter(fiscal_year=2025).row(0, named=True)
    assert row["revenue_growth"] == 500 / 400 - 1
    assert row["net_income_growth"] == 0
    assert row["revenue_ttm"] == 500 + 401 + 402 + 403
    assert row["roa_ttm"] == 40
    assert row["roe_ttm"] == 100
    again = [*past, *amended, *filing(), *filing(filed=date(2025, 6, 2))]
    later = ratios_of(again).filter(fiscal_year=2025)["revenue_growth"].to_list()
    assert later == [500 / 400 - 1, 500 / 250 - 1]


def test_price_and_multiples() -> None:
    year = [
        item
        for number, period in enumerate(["Q2", "Q3", "Q4"])
        for item in filing(2024, period, date(2024, 8, 1) + timedelta(days=91 * number))
    ]
    last = filing(bs_cash=40.0, is_basic_average_shares=10.0, is_diluted_average_shares=12.0)
    prices = close((date(2025, 4, 29), 70.0), (date(2025, 4, 30), 80.0), (date(2025, 5, 2), 99.0))
    row = ratios_of([*year, *last], prices).row(0, named=True)
    assert (row["price"], row["price_date"]) == (80, date(2025, 4, 30))
    assert (row["shares"], row["market_cap"]) == (10, 800)
    assert row["enterprise_value"] == 800 + 100 - 40
    assert row["price_to_earnings"] == 800 / 400
    assert row["price_to_book"] == 800 / 400
    assert row["price_to_sales"] == 800 / 2000
    assert row["ev_to_ebit"] == 860 / 500
    gap = [item for item in [*year, *last] if item[1]["fiscal_period"] != "Q3"]
    row = ratios_of(gap, prices).row(0, named=True)
    assert row["price_to_earnings"] is None
    assert row["price_to_book"] == 2


def test_diluted_shares_stand_in_for_basic_ones() -> None:
    row = ratios_of(filing(is_diluted_average_shares=5.0), close((FILED, 3.0))).row(0, named=True)
    assert (row["shares"], row["market_cap"], row["enterprise_value"]) == (5, 15, None)


@pytest.mark.parametrize(("age", "price"), [(0, 5.0), (10, 5.0), (11, None), (-1, None)])
def test_a_price_is_at_most_ten_days_old_and_never_later(age: int, price: float | None) -> None:
    rows = pl.DataFrame({"ticker": ["NA"], "filing_date": [FILED]})
    prices = close((FILED - timedelta(days=age), 5.0)).vstack(close((FILED, 7.0), symbol="na"))
    assert with_prices(rows, prices.lazy())["price"].to_list() == [price]


def test_no_filing_gives_an_empty_partition_of_the_same_schema(tmp_path: Path) -> None:
    files = written(filing(), tmp_path)
    out = tmp_path / "part.parquet"
    assert build(**files, prices=[], quarter="2025Q3", out=out) == 0
    assert pl.read_parquet_schema(out) == tables.schema_of(COLUMNS)
    nothing = {name: [] for name in files}
    assert build(**nothing, prices=[], quarter="2025Q2", out=out) == 0


def slow_ratio(top: float | None, bottom: float | None, times: float = 1.0) -> float | None:
    """times * top / bottom or nothing."""
    return None if top is None or bottom in (None, 0) else times * (top / bottom)


def combined(signs: str, *values: float | None) -> float | None:
    """Sum with signs, as `+-`; nothing when a part is missing."""
    if None in values:
        return None
    return sum(v if sign == "+" else -v for sign, v in zip(signs, values, strict=True))


def slow_row(filings: Filings, where: tuple, prices: dict[tuple[str, date], float]) -> dict:
    """All ratios of a filing, each from the specification's sentence, in plain Python."""
    ticker, year, period, frame, day = where
    s = state(filings, *where)
    known_sheet = s["bs_filing_date"] is not None
    d = (s["bs_long_term_debt"] or 0.0) + (s["bs_short_term_debt"] or 0.0) if known_sheet else None
    revenue, cost, net = s["is_revenues"], s["is_cost_of_revenue"], s["is_net_income_loss"]
    operating, assets, equity = s["is_operating_income_loss"], s["bs_assets"], s["bs_equity"]
    current, due = s["bs_current_assets"], s["bs_current_liabilities"]
    cfo = s["cf_net_cash_flow_from_operating_activities"]
    spent = s["cf_capital_expenditure"]
    turns = slow_ratio(revenue, s["bs_accounts_receivable"])
    row = {
        "gross_margin": slow_ratio(combined("+-", revenue, cost), revenue, 100),
        "operating_margin": slow_ratio(operating, revenue, 100),
        "net_margin": slow_ratio(net, revenue, 100),
        "roa": slow_ratio(net, assets, 100),
        "roe": slow_ratio(net, equity, 100),
        "roic": slow_ratio(net, combined("++", equity, s["bs_long_term_debt"] or 0.0), 100),
        "current_ratio": slow_ratio(current, due),
        "quick_ratio": slow_ratio(combined("+-", current, s["bs_inventory"]), due),
        "working_capital": combined("+-", current, due),
        "total_debt": d,
        "debt_to_equity": slow_ratio(d, equity),
        "debt_to_assets": slow_ratio(d, assets),
        "equity_multiplier": slow_ratio(assets, equity),
        "interest_coverage": slow_ratio(operating, s["is_interest_expense_operating"]),
        "asset_turnover": slow_ratio(revenue, assets),
        "inventory_turnover": slow_ratio(cost, s["bs_inventory"]),
        "receivables_turnover": turns,
        "days_sales_outstanding": slow_ratio(365, turns),
        "operating_cash_flow_ratio": slow_ratio(cfo, due),
        "free_cash_flow_peer": combined("++", cfo, s["cf_net_cash_flow_from_investing_activities"]),
        "free_cash_flow": combined("+-", cfo, None if spent is None else abs(spent)),
        "cash_flow_to_debt": slow_ratio(cfo, d),
    }
    before = year_before(filings, where)
    row |= {name: growth_of(s, before, column) for name, column in GROWTH.items()}

    def year_sum(name: str, size: bool = False) -> float | None:
        steps = [(year, period)]
        if period != "FY":
            steps = [quarters_back(year, period, back) for back in range(4)]
        parts = [state(filings, ticker, *step, frame, day)[name] for step in steps]
        return None if None in parts else sum(abs(p) if size else p for p in parts)

    income, sales = year_sum("is_net_income_loss"), year_sum("is_revenues")
    ebit = year_sum("is_operating_income_loss")
    flow = year_sum("cf_net_cash_flow_from_operating_activities")
    recent = [day - timedelta(days=back) for back in range(11)]
    price = next((prices[ticker, d] for d in recent if (ticker, d) in prices), None)
    basic, diluted = s["is_basic_average_shares"], s["is_diluted_average_shares"]
    shares = diluted if basic is None else basic
    cap = None if price is None or shares is None else price * shares
    value = combined("++-", cap, d, s["bs_cash"])
    return row | {
        "revenue_ttm": sales,
        "net_income_ttm": income,
        "operating_income_ttm": ebit,
        "roa_ttm": slow_ratio(income, assets, 100),
        "roe_ttm": slow_ratio(income, equity, 100),
        "free_cash_flow_ttm": combined("+-", flow, year_sum("cf_capital_expenditure", size=True)),
        "price": price,
        "shares": shares,
        "market_cap": cap,
        "enterprise_value": value,
        "price_to_earnings": slow_ratio(cap, income),
        "price_to_book": slow_ratio(cap, equity),
        "price_to_sales": slow_ratio(cap, sales),
        "ev_to_ebit": slow_ratio(value, ebit),
    }


PRICES = st.dictionaries(
    st.tuples(
        st.sampled_from(["NA", "nan"]), st.integers(-12, 610).map(lambda n: FIRST + timedelta(n))
    ),
    st.integers(1, 9).map(float),
    max_size=40,
)


@settings(max_examples=60)
@given(random_filings(), PRICES)
def test_all_ratios_equal_a_slow_calculation(
    filings: Filings, prices: dict[tuple[str, date], float]
) -> None:
    frame = pl.DataFrame(
        [(*place, price) for place, price in prices.items()], NO_PRICES.schema, orient="row"
    )
    keys = all_keys(filings)
    quarters = sorted({f"{day.year}Q{(day.month + 2) // 3}" for *_, day in keys})
    found = [ratios_of(filings, frame, quarter) for quarter in quarters]
    slow = [dict(zip(KEY, where, strict=True)) | slow_row(filings, where, prices) for where in keys]
    columns = [*KEY, *RATIOS]
    expected = pl.DataFrame(slow, schema={name: COLUMNS[name].dtype for name in columns})
    empty = pl.DataFrame(schema=tables.schema_of(COLUMNS))
    assert_frame_equal(
        pl.concat([empty, *found]).select(columns).sort(KEY), expected, rel_tol=1e-12
    )


@settings(max_examples=25)
@given(random_filings())
def test_what_is_filed_later_changes_no_row(filings: Filings) -> None:
    last, quarter = date(2023, 8, 20), "2023Q3"
    early = [item for item in filings if item[1]["filing_date"] <= last]
    whole = ratios_of(filings, quarter=quarter)
    assert_frame_equal(
        ratios_of(early, quarter=quarter), whole.filter(pl.col("filing_date") <= last)
    )

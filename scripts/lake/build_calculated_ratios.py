"""Three statements of each filing -> financial ratios, as they could be known that day."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from scripts import tables
from scripts.lake.inputs import CLOSES, as_paths
from scripts.lake.statements import (
    GROWTH_COLUMNS,
    KEY,
    as_known,
    debt,
    filings_of,
    growth,
    quarter_name,
    ratio,
    read,
    trailing_year,
)

PRICE_AGE = "10d"  # an older close is not taken for the price at the filing
TRAILING = {  # flows of the last four quarters
    "revenue_ttm": "is_revenues",
    "net_income_ttm": "is_net_income_loss",
    "operating_income_ttm": "is_operating_income_loss",
    "operating_cash_flow_ttm": "cf_net_cash_flow_from_operating_activities",
    "capital_expenditure_ttm": "cf_capital_expenditure",
}


def _float(meaning: str) -> tables.Column:
    return tables.Column(pl.Float64, meaning)


RATIOS: tables.Columns = {
    "gross_margin": _float("(revenues - cost of revenue) / revenues (percent)"),
    "operating_margin": _float("operating income / revenues (percent)"),
    "net_margin": _float("net income / revenues (percent)"),
    "roa": _float("net income of the period, not annualised / assets (percent)"),
    "roe": _float("net income of the period, not annualised / equity (percent)"),
    "roic": _float("net income of the period / (equity + long-term debt, 0 if null) (percent)"),
    "current_ratio": _float("current assets / current liabilities"),
    "quick_ratio": _float("(current assets - inventory) / current liabilities"),
    "working_capital": _float("current assets - current liabilities (currency)"),
    "total_debt": _float("long-term + short-term debt, each 0 if null (currency)"),
    "debt_to_equity": _float("total debt / equity"),
    "debt_to_assets": _float("total debt / assets"),
    "equity_multiplier": _float("assets / equity"),
    "interest_coverage": _float("operating income / interest expense"),
    "asset_turnover": _float("revenues of the period / assets"),
    "inventory_turnover": _float("cost of revenue of the period / inventory"),
    "receivables_turnover": _float("revenues of the period / accounts receivable"),
    "days_sales_outstanding": _float("365 / receivables turnover (days)"),
    "operating_cash_flow_ratio": _float("operating cash flow / current liabilities"),
    "free_cash_flow_peer": _float("operating + investing cash flow (currency)"),
    "free_cash_flow": _float("operating cash flow - |capital expenditure| (currency)"),
    "cash_flow_to_debt": _float("operating cash flow / total debt"),
    **GROWTH_COLUMNS,
    "revenue_ttm": _float("revenues of the last four quarters known (currency)"),
    "net_income_ttm": _float("net income of the last four quarters known (currency)"),
    "operating_income_ttm": _float("operating income of the last four quarters known (currency)"),
    "roa_ttm": _float("net income of the last four quarters / assets (percent)"),
    "roe_ttm": _float("net income of the last four quarters / equity (percent)"),
    "free_cash_flow_ttm": _float("free cash flow of the last four quarters (currency)"),
    "price": _float("last raw close on or before the filing, at most 10 days old (USD)"),
    "shares": _float("basic, else diluted average shares of the period, as filed (shares)"),
    "market_cap": _float("price * shares (USD)"),
    "enterprise_value": _float("market cap + total debt - cash (USD)"),
    "price_to_earnings": _float("market cap / net income of the last four quarters"),
    "price_to_book": _float("market cap / equity"),
    "price_to_sales": _float("market cap / revenues of the last four quarters"),
    "ev_to_ebit": _float("enterprise value / operating income of the last four quarters"),
}
COLUMNS: tables.Columns = {
    "ticker": tables.Column(pl.String, "ticker"),
    "fiscal_year": tables.Column(pl.Int32, "fiscal year"),
    "fiscal_period": tables.Column(pl.String, "Q1, Q2, Q3, Q4 or FY"),
    "timeframe": tables.Column(pl.String, "quarterly, annual or ttm"),
    "filing_date": tables.Column(pl.Date, "the day these figures became known"),
    "end_date": tables.Column(pl.Date, "last day of the fiscal period"),
    "balance_sheet_filing_date": tables.Column(pl.Date, "filing of the balance sheet used"),
    "income_statement_filing_date": tables.Column(pl.Date, "filing of the income statement used"),
    "cash_flow_filing_date": tables.Column(pl.Date, "filing of the cash flow statement used"),
    "price_date": tables.Column(pl.Date, "session of the price"),
    **RATIOS,
    "quarter": tables.Column(pl.String, "calendar quarter of filing_date: the partition"),
}


def with_prices(filings: pl.DataFrame, prices: pl.LazyFrame) -> pl.DataFrame:
    """`filings` with price and price_date: the last close on or before the filing's day.

    Args:
        filings: columns ticker and filing_date.
        prices: columns symbol, date, close (raw), in any order.
    """
    days = filings["filing_date"]
    reach = pl.lit(days.min()).dt.offset_by(f"-{PRICE_AGE}")
    closes = (
        prices.filter(pl.col("close").is_not_null())
        .filter(pl.col("date").is_between(reach, pl.lit(days.max())))
        .filter(pl.col("symbol").is_in(filings["ticker"].unique().implode()))
        .select("date", ticker="symbol", price_date="date", price="close")
        .collect()
        .sort("date", "ticker")
    )
    return filings.sort("filing_date", maintain_order=True).join_asof(
        closes,
        left_on="filing_date",
        right_on="date",
        by="ticker",
        tolerance=PRICE_AGE,
        check_sortedness=False,
    )


def statement_ratios() -> dict[str, pl.Expr]:
    """Ratios of one filing's own statements, from columns as `statements.as_known` names them.

    Any missing term makes a ratio null, but long-term and short-term debt, which count as 0: the
    vendor leaves out what a company has not. Vendors give capital expenditure with either sign (an
    outflow, or an amount spent): its absolute value is used.
    """
    c = pl.col
    assets, equity, debts = c("bs_assets"), c("bs_equity"), debt()
    current, due, inventory = (
        c("bs_current_assets"),
        c("bs_current_liabilities"),
        c("bs_inventory"),
    )
    revenue, cost = c("is_revenues"), c("is_cost_of_revenue")
    operating, net = c("is_operating_income_loss"), c("is_net_income_loss")
    cash_flow = c("cf_net_cash_flow_from_operating_activities")
    receivables_turnover = ratio(revenue, c("bs_accounts_receivable"))
    return {
        "gross_margin": 100 * ratio(revenue - cost, revenue),
        "operating_margin": 100 * ratio(operating, revenue),
        "net_margin": 100 * ratio(net, revenue),
        "roa": 100 * ratio(net, assets),
        "roe": 100 * ratio(net, equity),
        "roic": 100 * ratio(net, equity + c("bs_long_term_debt").fill_null(0)),
        "current_ratio": ratio(current, due),
        "quick_ratio": ratio(current - inventory, due),
        "working_capital": current - due,
        "total_debt": debts,
        "debt_to_equity": ratio(debts, equity),
        "debt_to_assets": ratio(debts, assets),
        "equity_multiplier": ratio(assets, equity),
        "interest_coverage": ratio(operating, c("is_interest_expense_operating")),
        "asset_turnover": ratio(revenue, assets),
        "inventory_turnover": ratio(cost, inventory),
        "receivables_turnover": receivables_turnover,
        "days_sales_outstanding": ratio(pl.lit(365.0), receivables_turnover),
        "operating_cash_flow_ratio": ratio(cash_flow, due),
        "free_cash_flow_peer": cash_flow + c("cf_net_cash_flow_from_investing_activities"),
        "free_cash_flow": cash_flow - c("cf_capital_expenditure").abs(),
        "cash_flow_to_debt": ratio(cash_flow, debts),
    }


def price_ratios() -> dict[str, pl.Expr]:
    """Ratios of the last four quarters and of the price, from columns of `TRAILING` and price.

    Shares are those of the filing: a split between the period and the price is not undone.
    """
    c = pl.col
    shares = pl.coalesce("is_basic_average_shares", "is_diluted_average_shares")
    value = c("price") * shares
    enterprise = value + debt() - c("bs_cash")
    return {
        "roa_ttm": 100 * ratio(c("net_income_ttm"), c("bs_assets")),
        "roe_ttm": 100 * ratio(c("net_income_ttm"), c("bs_equity")),
        "free_cash_flow_ttm": c("operating_cash_flow_ttm") - c("capital_expenditure_ttm"),
        "shares": shares,
        "market_cap": value,
        "enterprise_value": enterprise,
        "price_to_earnings": ratio(value, c("net_income_ttm")),
        "price_to_book": ratio(value, c("bs_equity")),
        "price_to_sales": ratio(value, c("revenue_ttm")),
        "ev_to_ebit": ratio(enterprise, c("operating_income_ttm")),
    }


def calculate(known: pl.DataFrame, prices: pl.LazyFrame, quarter: str) -> pl.DataFrame:
    """Ratios of the filings of one quarter.

    Args:
        known: as `statements.as_known` gives it, of the quarter and of the time before it.
        prices: columns symbol, date, close.
        quarter: calendar quarter of filing_date, as 2025Q2.

    Returns:
        `COLUMNS`, one row for each fiscal period and day of filing, sorted by it.
    """
    known = known.with_columns(pl.col("cf_capital_expenditure").abs())
    trailing = [trailing_year(known, column).alias(name) for name, column in TRAILING.items()]
    rows = (
        known.with_columns(trailing)
        .with_columns(growth(known).get_columns())
        .with_columns(quarter_name("filing_date"))
        .filter(pl.col("quarter") == quarter)
    )
    rows = with_prices(rows, prices).with_columns(
        end_date=pl.coalesce("is_end_date", "bs_end_date", "cf_end_date"),
        balance_sheet_filing_date="bs_filing_date",
        income_statement_filing_date="is_filing_date",
        cash_flow_filing_date="cf_filing_date",
        **statement_ratios(),
        **price_ratios(),
    )
    return tables.conform(rows.sort(KEY), COLUMNS)


def build(
    *,
    balance_sheets: Iterable[Path],
    cash_flow: Iterable[Path],
    income_statements: Iterable[Path],
    prices: Iterable[Path],
    quarter: str,
    out: Path,
) -> int:
    """Calculate the ratios of a quarter's filings and write the partition.

    A filing before the months given is not seen: what needs it is null.

    Args:
        balance_sheets, cash_flow, income_statements: bronze months of the quarter and before it.
        prices: bronze months of daily bars; none: ratios with a price are null.
        quarter: as 2025Q2.
        out: parquet of `COLUMNS`.

    Returns:
        number of rows.
    """
    statements = read({"bs": balance_sheets, "cf": cash_flow, "is": income_statements})
    known = as_known(filings_of(statements), statements)
    frame = calculate(known, tables.scan(prices, CLOSES), quarter)
    tables.write(frame, out)
    return frame.height


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%d rows",
            build(
                balance_sheets=as_paths(snakemake.input.get("balance_sheets", [])),  # noqa: F821
                cash_flow=as_paths(snakemake.input.get("cash_flow", [])),  # noqa: F821
                income_statements=as_paths(
                    snakemake.input.get("income_statements", [])  # noqa: F821
                ),
                prices=as_paths(snakemake.input.get("prices", [])),  # noqa: F821
                quarter=snakemake.wildcards.quarter,  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

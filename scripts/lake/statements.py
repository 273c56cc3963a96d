"""The three financial statements: value fields, and which version was known on a day.

A company files a fiscal period once and may amend it. A version is one filing of one statement of
one period. Everything here looks back only: a filing never sees what was filed after its day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from scripts import tables

BALANCE_SHEET: tuple[str, ...] = (
    "assets",
    "current_assets",
    "cash",
    "accounts_receivable",
    "inventory",
    "other_current_assets",
    "noncurrent_assets",
    "fixed_assets",
    "intangible_assets",
    "other_noncurrent_assets",
    "liabilities",
    "current_liabilities",
    "accounts_payable",
    "wages",
    "other_current_liabilities",
    "noncurrent_liabilities",
    "long_term_debt",
    "short_term_debt",
    "other_noncurrent_liabilities",
    "equity",
    "equity_attributable_to_parent",
    "equity_attributable_to_noncontrolling_interest",
    "liabilities_and_equity",
)
CASH_FLOW: tuple[str, ...] = (
    "net_cash_flow",
    "net_cash_flow_continuing",
    "net_cash_flow_from_operating_activities",
    "net_cash_flow_from_operating_activities_continuing",
    "net_cash_flow_from_investing_activities",
    "net_cash_flow_from_investing_activities_continuing",
    "net_cash_flow_from_financing_activities",
    "net_cash_flow_from_financing_activities_continuing",
    "capital_expenditure",
    "exchange_gains_losses",
)
INCOME_STATEMENT: tuple[str, ...] = (
    "revenues",
    "cost_of_revenue",
    "gross_profit",
    "operating_expenses",
    "selling_general_and_administrative_expenses",
    "research_and_development",
    "operating_income_loss",
    "interest_expense_operating",
    "nonoperating_income_loss",
    "income_loss_from_continuing_operations_before_tax",
    "income_tax_expense_benefit",
    "net_income_loss",
    "net_income_loss_attributable_to_parent",
    "basic_earnings_per_share",
    "diluted_earnings_per_share",
    "basic_average_shares",
    "diluted_average_shares",
    "preferred_stock_dividends_and_other_adjustments",
)
NOT_MONEY = {
    "basic_earnings_per_share": "currency per share",
    "diluted_earnings_per_share": "currency per share",
    "basic_average_shares": "shares",
    "diluted_average_shares": "shares",
}
FIELDS = {"bs": BALANCE_SHEET, "is": INCOME_STATEMENT, "cf": CASH_FLOW}  # by prefix when joined
PERIOD = ("ticker", "fiscal_year", "fiscal_period", "timeframe")
KEY = (*PERIOD, "filing_date")


def value_column(field: str) -> tables.Column:
    """A vendor's value field as a column."""
    unit = NOT_MONEY.get(field, "currency of the filing")
    return tables.Column(pl.Float64, f"{field.replace('_', ' ')}, as filed ({unit})")


def bronze_columns(fields: Sequence[str]) -> tables.Columns:
    """The columns of a statement in bronze.

    Args:
        fields: its value fields, one of the three constants above.
    """
    text, day = pl.String, pl.Date
    return {
        "ticker": tables.Column(text, "ticker the filing was asked for"),
        "cik": tables.Column(text, "the company's number at the SEC"),
        "company_name": tables.Column(text, "name as filed"),
        "filing_date": tables.Column(day, "the day the filing was made public"),
        "start_date": tables.Column(day, "first day of the fiscal period"),
        "end_date": tables.Column(day, "last day of the fiscal period"),
        "fiscal_year": tables.Column(pl.Int32, "fiscal year, as the vendor gives it"),
        "fiscal_period": tables.Column(text, "Q1, Q2, Q3, Q4 or FY"),
        "timeframe": tables.Column(text, "quarterly, annual or ttm"),
        "source_filing_url": tables.Column(text, "address of the filing"),
        **{field: value_column(field) for field in fields},
        "extra": tables.Column(text, "JSON of value fields not listed here; null when none"),
        "month": tables.Column(text, "month of filing_date, YYYY-MM: the partition"),
    }


def read(files: Mapping[str, Iterable[Path]]) -> dict[str, pl.DataFrame]:
    """The three statements of some bronze months.

    Args:
        files: partitions by prefix (bs, is, cf); none of one kind gives an empty frame.
    """
    return {
        prefix: tables.scan(files[prefix], bronze_columns(fields)).collect()
        for prefix, fields in FIELDS.items()
    }


def filings_of(statements: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Columns `KEY`: each day on which any statement of a period was filed, once, sorted.

    A filing without a fiscal year, period or timeframe cannot be told from others: left out.
    """
    keys = pl.concat([frame.select(KEY) for frame in statements.values()])
    return keys.drop_nulls().unique().sort(KEY)


def as_known(
    filings: pl.DataFrame, statements: Mapping[str, pl.DataFrame], *, latest: bool = True
) -> pl.DataFrame:
    """The three statements of each filing's period, side by side.

    Args:
        filings: columns `KEY`.
        statements: by prefix, columns of `bronze_columns`.
        latest: take of each statement the latest version filed on or before the filing's day;
            else only the one filed that day.

    Returns:
        the filings, and for each prefix p: p_filing_date (of the version taken; null when there is
        none), p_cik, p_company_name, p_start_date, p_end_date and p_<value field>.
    """
    found = filings.sort("filing_date", maintain_order=True)
    for prefix, fields in FIELDS.items():
        kept = ("filing_date", "cik", "company_name", "start_date", "end_date", *fields)
        versions = (
            statements[prefix]
            .drop_nulls(KEY)
            .select(*KEY, *(pl.col(name).alias(f"{prefix}_{name}") for name in kept))
            .sort("filing_date")
        )
        if latest:
            found = found.join_asof(versions, on="filing_date", by=PERIOD, check_sortedness=False)
        else:
            found = found.join(versions, on=KEY, how="left", maintain_order="left")
    return found.sort(KEY)


def earlier(known: pl.DataFrame, quarters: int) -> pl.DataFrame:
    """The state of an earlier fiscal period as it was known on the day of each filing.

    Args:
        known: as `as_known` gives it, of all filings there are.
        quarters: how far back. A period that is no quarter has only earlier years.

    Returns:
        the value columns of `known`, in its order of rows; null where nothing was known.
    """
    number = pl.col("fiscal_period").str.extract(r"^Q([1-4])$").cast(pl.Int32)
    index = pl.col("fiscal_year") * 4 + number - 1 - quarters
    years = pl.lit(quarters // 4 if quarters % 4 == 0 else None, pl.Int32)
    wanted = known.select(
        "ticker",
        "timeframe",
        "filing_date",
        fiscal_year=pl.when(number.is_not_null())
        .then(index // 4)
        .otherwise(pl.col("fiscal_year") - years),
        fiscal_period=pl.when(number.is_not_null())
        .then(pl.format("Q{}", index % 4 + 1))
        .otherwise("fiscal_period"),
    )
    return (
        wanted.with_row_index("row")
        .sort("filing_date", maintain_order=True)
        .join_asof(known.sort("filing_date"), on="filing_date", by=PERIOD, check_sortedness=False)
        .sort("row")
        .drop("row", *KEY)
    )


def trailing_year(known: pl.DataFrame, column: str) -> pl.Series:
    """Sum of a flow over the last four quarters known at each filing; null if one is missing.

    A filing of a whole year (any timeframe but quarterly) has its own value.
    """
    back = [earlier(known.select(*KEY, column), quarters)[column] for quarters in (1, 2, 3)]
    total = known[column] + back[0] + back[1] + back[2]
    quarterly = known["timeframe"] == "quarterly"
    return total.zip_with(quarterly, known[column]).alias(column)


def ratio(top: pl.Expr, bottom: pl.Expr) -> pl.Expr:
    """top / bottom, null where either is null or bottom is 0."""
    return pl.when(bottom != 0).then(top / bottom)


def debt() -> pl.Expr:
    """Long-term plus short-term debt, a missing one counted as 0; null without a balance sheet."""
    parts = pl.col("bs_long_term_debt").fill_null(0) + pl.col("bs_short_term_debt").fill_null(0)
    return pl.when(pl.col("bs_filing_date").is_not_null()).then(parts)


GROWTH = {
    "revenue_growth": "is_revenues",
    "gross_profit_growth": "is_gross_profit",
    "operating_income_growth": "is_operating_income_loss",
    "net_income_growth": "is_net_income_loss",
    "eps_growth": "is_diluted_earnings_per_share",
    "assets_growth": "bs_assets",
    "equity_growth": "bs_equity",
    "operating_cash_flow_growth": "cf_net_cash_flow_from_operating_activities",
}
GROWTH_COLUMNS: tables.Columns = {
    name: tables.Column(
        pl.Float64,
        f"{column.partition('_')[2].replace('_', ' ')} / that of the same period a year before, as "
        "known at the filing, - 1 (fraction; null when unknown or 0)",
    )
    for name, column in GROWTH.items()
}


def growth(known: pl.DataFrame) -> pl.DataFrame:
    """Columns of `GROWTH`: x / x of the same fiscal period a year before - 1, for each filing.

    The sign is the formula's: from a loss to a profit it is negative.
    """
    before = earlier(known, 4).select(pl.col(GROWTH.values()).name.prefix("before_"))
    both = pl.concat([known, before], how="horizontal")
    return both.select(
        (ratio(pl.col(column), pl.col(f"before_{column}")) - 1).alias(name)
        for name, column in GROWTH.items()
    )


def quarter_name(column: str) -> pl.Expr:
    """The calendar quarter of a date, as 2025Q2."""
    day = pl.col(column)
    return pl.format("{}Q{}", day.dt.year(), day.dt.quarter()).alias("quarter")

"""Three statements -> one flat row for each filing, with Piotroski's signals and growth."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from scripts import tables
from scripts.lake.inputs import as_paths
from scripts.lake.statements import (
    FIELDS,
    GROWTH_COLUMNS,
    as_known,
    earlier,
    filings_of,
    growth,
    quarter_name,
    ratio,
    read,
    value_column,
)

SIGNALS = {
    "f_roa": "net income / assets is positive",
    "f_cfo": "operating cash flow is positive",
    "f_delta_roa": "net income / assets rose",
    "f_accrual": "operating cash flow exceeds net income",
    "f_delta_leverage": "long-term debt (0 if null) / assets fell",
    "f_delta_liquidity": "current assets / current liabilities rose",
    "f_equity_offer": "basic, else diluted average shares did not rise",
    "f_delta_margin": "(revenues - cost of revenue) / revenues rose",
    "f_delta_turnover": "revenues / assets rose",
}
ONE_OF = ("cik", "company_name", "start_date", "end_date")  # the same on all statements of a filing
COLUMNS: tables.Columns = {
    "ticker": tables.Column(pl.String, "ticker"),
    "fiscal_year": tables.Column(pl.Int32, "fiscal year"),
    "fiscal_period": tables.Column(pl.String, "Q1, Q2, Q3, Q4 or FY"),
    "timeframe": tables.Column(pl.String, "quarterly, annual or ttm"),
    "filing_date": tables.Column(pl.Date, "the day the filing was made public"),
    "cik": tables.Column(pl.String, "the company's number at the SEC"),
    "company_name": tables.Column(pl.String, "name as filed"),
    "start_date": tables.Column(pl.Date, "first day of the fiscal period"),
    "end_date": tables.Column(pl.Date, "last day of the fiscal period"),
    **{
        f"{prefix}_{field}": value_column(field)
        for prefix, fields in FIELDS.items()
        for field in fields
    },
    **{
        name: tables.Column(pl.Int8, f"Piotroski (2000): 1 if {meaning}, else 0; null when unknown")
        for name, meaning in SIGNALS.items()
    },
    "f_score": tables.Column(pl.Int8, "sum of the nine signals, 0 to 9; null unless all are known"),
    **GROWTH_COLUMNS,
    "quarter": tables.Column(pl.String, "calendar quarter of filing_date: the partition"),
}


def _measures() -> dict[str, pl.Expr]:
    """What the signals compare, in columns as `statements.as_known` names them."""
    c = pl.col
    assets, revenue = c("bs_assets"), c("is_revenues")
    return {
        "roa": ratio(c("is_net_income_loss"), assets),
        "leverage": ratio(c("bs_long_term_debt").fill_null(0), assets),
        "liquidity": ratio(c("bs_current_assets"), c("bs_current_liabilities")),
        "shares": pl.coalesce("is_basic_average_shares", "is_diluted_average_shares"),
        "margin": ratio(revenue - c("is_cost_of_revenue"), revenue),
        "turnover": ratio(revenue, assets),
    }


def piotroski(known: pl.DataFrame) -> pl.DataFrame:
    """Piotroski's nine signals and their sum, for each row of `known` in its order.

    Piotroski, J. (2000), Value Investing, Journal of Accounting Research 38, pp. 1-41. A change is
    against the same fiscal period a year before, as known at the filing; an unchanged measure did
    not improve. Unlike his, returns, leverage and turnover are over the assets at the period's end
    (his: at the year's start, leverage their mean; that needs a third year), income is net income,
    and an issue of shares is seen by their number, so that a split counts as one.

    Args:
        known: as `statements.as_known` gives it, of all filings there are.

    Returns:
        columns of `SIGNALS` and f_score.
    """
    before = earlier(known, 4).select(**_measures()).select(pl.all().name.suffix("_before"))
    both = pl.concat([known.with_columns(**_measures()), before], how="horizontal")
    c = pl.col
    income, cash_flow = c("is_net_income_loss"), c("cf_net_cash_flow_from_operating_activities")
    tests = {
        "f_roa": c("roa") > 0,
        "f_cfo": cash_flow > 0,
        "f_delta_roa": c("roa") > c("roa_before"),
        "f_accrual": cash_flow > income,
        "f_delta_leverage": c("leverage") < c("leverage_before"),
        "f_delta_liquidity": c("liquidity") > c("liquidity_before"),
        "f_equity_offer": c("shares") <= c("shares_before"),
        "f_delta_margin": c("margin") > c("margin_before"),
        "f_delta_turnover": c("turnover") > c("turnover_before"),
    }
    signals = both.select(**{name: test.cast(pl.Int8) for name, test in tests.items()})
    score = pl.sum_horizontal(pl.all(), ignore_nulls=False).cast(pl.Int8)
    return signals.with_columns(f_score=score)


def widen(statements: dict[str, pl.DataFrame], quarter: str) -> pl.DataFrame:
    """One row for each filing of a quarter: its own statements, signals and growth.

    Signals and growth use the latest version of each statement known at the filing, so a filing
    of one amended statement has them too; bs_*, is_* and cf_* hold only what was filed that day.

    Args:
        statements: by prefix, as `statements.read` gives them, of the quarter and before it.
        quarter: calendar quarter of filing_date, as 2025Q2.

    Returns:
        `COLUMNS`, sorted by `statements.KEY`.
    """
    filings = filings_of(statements)
    known = as_known(filings, statements)
    filed = as_known(filings, statements, latest=False).with_columns(
        quarter_name("filing_date"),
        *piotroski(known).get_columns(),
        *growth(known).get_columns(),
        *(pl.coalesce(f"is_{name}", f"bs_{name}", f"cf_{name}").alias(name) for name in ONE_OF),
    )
    return tables.conform(filed.filter(pl.col("quarter") == quarter), COLUMNS)


def build(
    *,
    balance_sheets: Iterable[Path],
    cash_flow: Iterable[Path],
    income_statements: Iterable[Path],
    quarter: str,
    out: Path,
) -> int:
    """Lay the statements of a quarter side by side and write the partition.

    Args:
        balance_sheets, cash_flow, income_statements: bronze months of the quarter and before it.
        quarter: as 2025Q2.
        out: parquet of `COLUMNS`.

    Returns:
        number of rows.
    """
    frame = widen(read({"bs": balance_sheets, "is": income_statements, "cf": cash_flow}), quarter)
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
                quarter=snakemake.wildcards.quarter,  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

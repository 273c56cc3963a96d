"""The vendor's own financial ratios in a month -> bronze."""

from pathlib import Path

import polars as pl

from scripts import tables
from scripts.lake import records
from scripts.lake.readers import not_negative
from scripts.tables import Column

COLUMNS: tables.Columns = {
    "ticker": Column(pl.String, "ticker"),
    "cik": Column(pl.String, "the company's number at the SEC"),
    "date": Column(pl.Date, "the day the ratios are of"),
    "price": Column(pl.Float64, "close used (USD)"),
    "average_volume": Column(pl.Float64, "average daily volume (shares)"),
    "market_cap": Column(pl.Float64, "price x shares outstanding (USD)"),
    "earnings_per_share": Column(pl.Float64, "earnings per share, trailing (USD)"),
    "price_to_earnings": Column(pl.Float64, "price / earnings per share"),
    "price_to_book": Column(pl.Float64, "market cap / equity"),
    "price_to_sales": Column(pl.Float64, "market cap / revenue"),
    "price_to_cash_flow": Column(pl.Float64, "market cap / operating cash flow"),
    "price_to_free_cash_flow": Column(pl.Float64, "market cap / free cash flow"),
    "dividend_yield": Column(pl.Float64, "dividends per share / price (fraction)"),
    "return_on_assets": Column(pl.Float64, "net income / assets (fraction)"),
    "return_on_equity": Column(pl.Float64, "net income / equity (fraction)"),
    "debt_to_equity": Column(pl.Float64, "debt / equity"),
    "current": Column(pl.Float64, "current ratio: current assets / current liabilities"),
    "quick": Column(pl.Float64, "quick ratio: the same without inventory"),
    "cash": Column(pl.Float64, "cash ratio: cash / current liabilities"),
    "ev_to_sales": Column(pl.Float64, "enterprise value / revenue"),
    "ev_to_ebitda": Column(pl.Float64, "enterprise value / EBITDA"),
    "enterprise_value": Column(pl.Float64, "market cap + debt - cash (USD)"),
    "free_cash_flow": Column(pl.Float64, "operating cash flow - capital expenditure (USD)"),
    "month": Column(pl.String, "month of date, YYYY-MM: the partition"),
}
PATH = "/stocks/financials/v1/ratios"
KEY = ("ticker", "date")
LAYOUT = records.Layout(
    COLUMNS,
    needed=KEY,
    key=KEY,
    window="date",
    readers=dict.fromkeys(("price", "average_volume", "market_cap"), not_negative),
)


def land(
    *,
    api: records.Api,
    tickers: list[str] | None,
    month: str,
    partition: Path,
    quarantine: Path,
    reconcile: Path,
) -> dict:
    """Fetch a month of the vendor's ratios and write its partition.

    Args:
        api: the vendor.
        tickers: asked for one by one; None: the whole market at once.
        month: YYYY-MM of the ratios' date.
        partition: parquet of COLUMNS.
        quarantine: parquet of `records.QUARANTINE`.
        reconcile: JSON {rows_in, good, duplicates, quarantined, reasons}, and with tickers
            without_data: how many of them the vendor told nothing of.

    Returns:
        what was written to `reconcile`.
    """
    window = records.month_window(month)
    params = window.query("date")
    if tickers is None:
        rows, asked = records.fetch(api, PATH, params), None
    else:
        rows, asked = records.fetch_each(api, PATH, params, tickers), len(tickers)
    return records.land(rows, LAYOUT, window, partition, quarantine, reconcile, asked)


if __name__ == "__main__":
    from scripts.job import environment, job
    from scripts.lake.vendor import open_api

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            land(
                api=open_api(
                    snakemake.params.vendor,  # noqa: F821
                    snakemake.params.seed,  # noqa: F821
                    snakemake.params.as_of,  # noqa: F821
                    environment(),
                ),
                tickers=snakemake.params.tickers,  # noqa: F821
                month=snakemake.wildcards.month,  # noqa: F821
                partition=Path(snakemake.output.partition),  # noqa: F821
                quarantine=Path(snakemake.output.quarantine),  # noqa: F821
                reconcile=Path(snakemake.output.reconcile),  # noqa: F821
            ),
        )

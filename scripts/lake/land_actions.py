"""Dividends, splits or IPOs of the whole market in a month -> bronze."""

from pathlib import Path
from typing import NamedTuple

import polars as pl

from scripts import tables
from scripts.lake import records
from scripts.lake.readers import count_32, not_negative, positive
from scripts.tables import Column

MONTH = "YYYY-MM: the partition"
DIVIDENDS: tables.Columns = {
    "id": Column(pl.String, "the vendor's id of the dividend"),
    "ticker": Column(pl.String, "ticker on the ex-date"),
    "cash_amount": Column(pl.Float64, "cash per share (in `currency`), as declared"),
    "currency": Column(pl.String, "ISO code of the currency"),
    "dividend_type": Column(pl.String, "CD regular cash, SC special cash, LT and ST capital gains"),
    "declaration_date": Column(pl.Date, "the day the dividend was declared"),
    "ex_dividend_date": Column(pl.Date, "first session without the right to the dividend"),
    "pay_date": Column(pl.Date, "the day it is paid"),
    "record_date": Column(pl.Date, "holders of this day are paid"),
    "frequency": Column(pl.Int32, "times a year; 0 is a special dividend"),
    "month": Column(pl.String, f"month of ex_dividend_date, {MONTH}"),
}
SPLITS: tables.Columns = {
    "id": Column(pl.String, "the vendor's id of the split"),
    "ticker": Column(pl.String, "ticker on the execution date"),
    "execution_date": Column(pl.Date, "first session that trades after the split"),
    "split_from": Column(pl.Float64, "shares before (shares)"),
    "split_to": Column(pl.Float64, "shares that they became (shares)"),
    "month": Column(pl.String, f"month of execution_date, {MONTH}"),
}
IPOS: tables.Columns = {
    "ticker": Column(pl.String, "ticker it lists under"),
    "listing_date": Column(pl.Date, "first session, or the one expected"),
    "issuer_name": Column(pl.String, "the company"),
    "announced_date": Column(pl.Date, "the day the offer was announced"),
    "ipo_status": Column(pl.String, "pending, new, history, direct_listing_process, ..."),
    "security_type": Column(pl.String, "the vendor's code, CS common stock"),
    "primary_exchange": Column(pl.String, "MIC of the listing exchange"),
    "currency_code": Column(pl.String, "ISO code of the currency of the prices"),
    "final_issue_price": Column(pl.Float64, "price of the issue (currency per share)"),
    "lowest_offer_price": Column(pl.Float64, "low end of the range (currency per share)"),
    "highest_offer_price": Column(pl.Float64, "high end of the range (currency per share)"),
    "min_shares_offered": Column(pl.Float64, "fewest shares offered (shares)"),
    "max_shares_offered": Column(pl.Float64, "most shares offered (shares)"),
    "total_offer_size": Column(pl.Float64, "size of the offer (currency)"),
    "isin": Column(pl.String, "ISIN"),
    "us_code": Column(pl.String, "US code of the security (CUSIP)"),
    "last_updated": Column(pl.Date, "the day the vendor last changed the record"),
    "month": Column(pl.String, f"month of listing_date, {MONTH}"),
}


OFFER = (  # what no offer has below 0
    "final_issue_price",
    "lowest_offer_price",
    "highest_offer_price",
    "min_shares_offered",
    "max_shares_offered",
    "total_offer_size",
)


class Dataset(NamedTuple):
    """Where a dataset is told, and how its records become rows; asked for by `layout.window`."""

    path: str
    layout: records.Layout


DATASETS = {
    "dividends": Dataset(
        "/v3/reference/dividends",
        records.Layout(
            DIVIDENDS,
            needed=("ticker", "cash_amount", "ex_dividend_date"),
            key=("ticker", "ex_dividend_date", "dividend_type", "cash_amount"),
            identity="id",
            window="ex_dividend_date",
            readers={"cash_amount": not_negative, "frequency": count_32},
        ),
    ),
    "splits": Dataset(
        "/v3/reference/splits",
        records.Layout(
            SPLITS,
            needed=("ticker", "execution_date", "split_from", "split_to"),
            key=("ticker", "execution_date"),
            identity="id",
            window="execution_date",
            readers={"split_from": positive, "split_to": positive},
        ),
    ),
    "ipos": Dataset(
        "/vX/reference/ipos",
        records.Layout(
            IPOS,
            needed=("ticker", "listing_date"),
            key=("ticker", "listing_date"),
            window="listing_date",
            readers=dict.fromkeys(OFFER, not_negative),
        ),
    ),
}
LIMIT = "1000"  # records of a page


def land(
    *,
    api: records.Api,
    dataset: str,
    month: str,
    partition: Path,
    quarantine: Path,
    reconcile: Path,
) -> dict:
    """Fetch a month of corporate actions and write its partition.

    Args:
        api: the vendor.
        dataset: dividends, splits or ipos.
        month: YYYY-MM of the ex-date, the execution date or the listing date.
        partition: parquet of DIVIDENDS, SPLITS or IPOS.
        quarantine: parquet of `records.QUARANTINE`.
        reconcile: JSON {rows_in, good, duplicates, quarantined, reasons}.

    Returns:
        what was written to `reconcile`.
    """
    path, layout = DATASETS[dataset]
    window = records.month_window(month)
    params = {**window.query(layout.window), "limit": LIMIT}
    rows = records.fetch(api, path, params)
    return records.land(rows, layout, window, partition, quarantine, reconcile)


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
                dataset=snakemake.wildcards.dataset,  # noqa: F821
                month=snakemake.wildcards.month,  # noqa: F821
                partition=Path(snakemake.output.partition),  # noqa: F821
                quarantine=Path(snakemake.output.quarantine),  # noqa: F821
                reconcile=Path(snakemake.output.reconcile),  # noqa: F821
            ),
        )

"""Tickers, their types, or related companies, as of a week -> bronze."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl

from scripts import tables
from scripts.errors import DataError
from scripts.lake import records
from scripts.tables import Column

WEEK = Column(pl.Date, "the week's Monday: the partition")
TICKERS: tables.Columns = {
    "ticker": Column(pl.String, "ticker"),
    "name": Column(pl.String, "name of the company or fund"),
    "market": Column(pl.String, "stocks, otc, indices, fx or crypto"),
    "locale": Column(pl.String, "us or global"),
    "primary_exchange": Column(pl.String, "MIC of the listing exchange"),
    "type": Column(pl.String, "code of its type: see ticker_types"),
    "active": Column(pl.Boolean, "whether it is traded; false: delisted"),
    "currency_name": Column(pl.String, "ISO code of the currency it trades in"),
    "cik": Column(pl.String, "the company's number at the SEC"),
    "composite_figi": Column(pl.String, "FIGI of the security in its country"),
    "share_class_figi": Column(pl.String, "FIGI of the share class"),
    "last_updated_utc": Column(pl.Datetime("us", "UTC"), "last change of the record (UTC)"),
    "delisted_utc": Column(pl.Datetime("us", "UTC"), "last day it was traded (UTC)"),
    "week": WEEK,
}
TICKER_TYPES: tables.Columns = {
    "code": Column(pl.String, "the vendor's code, CS"),
    "description": Column(pl.String, "what it means, Common Stock"),
    "asset_class": Column(pl.String, "stocks, options, crypto, fx or indices"),
    "locale": Column(pl.String, "us or global"),
    "week": WEEK,
}
RELATED: tables.Columns = {
    "ticker": Column(pl.String, "ticker asked for"),
    "related_ticker": Column(pl.String, "ticker of a related company"),
    "rank": Column(pl.Int32, "its place in the vendor's answer, 1 is the most related"),
    "week": WEEK,
}
LIMIT = "1000"  # records of a page

LAYOUTS = {
    "tickers": records.Layout(
        TICKERS,
        needed=("ticker", "active"),
        key=("ticker", "active"),
    ),
    "ticker_types": records.Layout(
        TICKER_TYPES,
        needed=("code",),
        key=("code", "asset_class", "locale"),
    ),
    "related": records.Layout(
        RELATED,
        needed=("ticker", "related_ticker"),
        key=("ticker", "related_ticker"),
        order=("ticker", "rank"),
    ),
}


def ticker_rows(api: records.Api, as_of: str) -> Iterator[records.Row]:
    """All tickers as the vendor knew them on a day: the traded ones, then the delisted."""
    return chain.from_iterable(
        records.fetch(
            api, "/v3/reference/tickers", {"active": active, "date": as_of, "limit": LIMIT}
        )
        for active in ("true", "false")
    )


def related_rows(api: records.Api, tickers: list[str]) -> Iterator[records.Row]:
    """Related companies of each ticker, ranked as the vendor orders them."""
    for ticker in tickers:
        path = f"/v1/related-companies/{quote(ticker, safe='')}"
        found = api.record(path, {})
        if found is None:
            continue
        if not isinstance(found, list):
            wrong = records.Refusal("results", found, "is not a list")
            yield records.Row(path, 1, found, wrong)
            continue
        for line, company in enumerate(found, start=1):
            fields = {"ticker": ticker, "rank": line}

            def fields_of(record: dict[str, Any], fields: dict = fields) -> dict[str, Any]:
                return {**fields, "related_ticker": record.get("ticker")}

            yield records.row_of(path, line, company, fields_of)


def land(
    *,
    api: records.Api,
    dataset: str,
    tickers: list[str] | None,
    as_of: str,
    week: str,
    partition: Path,
    quarantine: Path,
    reconcile: Path,
) -> dict:
    """Fetch reference data and write the week's partition.

    Args:
        api: the vendor.
        dataset: tickers, ticker_types or related.
        tickers: asked for one by one, for related; the others are of the whole market.
        as_of: YYYY-MM-DD, the day as of which the tickers are asked for.
        week: YYYY-MM-DD, a Monday.
        partition: parquet of TICKERS, TICKER_TYPES or RELATED.
        quarantine: parquet of `records.QUARANTINE`.
        reconcile: JSON {rows_in, good, duplicates, quarantined, reasons}, and for related
            without_data: how many tickers the vendor told nothing of.

    Returns:
        what was written to `reconcile`.

    Raises:
        DataError: `week` is no Monday, or related without tickers.
    """
    window = records.week_window(week)
    asked = None
    if dataset == "tickers":
        rows = ticker_rows(api, as_of)
    elif dataset == "ticker_types":
        rows = records.fetch(api, "/v3/reference/tickers/types", {})
    elif tickers is None:
        raise DataError(
            "related companies are told ticker by ticker; set lake.fundamental_tickers or "
            "lake.universe"
        )
    else:
        rows, asked = related_rows(api, tickers), len(tickers)
    return records.land(rows, LAYOUTS[dataset], window, partition, quarantine, reconcile, asked)


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
                tickers=snakemake.params.tickers,  # noqa: F821
                as_of=snakemake.params.as_of,  # noqa: F821
                week=snakemake.wildcards.week,  # noqa: F821
                partition=Path(snakemake.output.partition),  # noqa: F821
                quarantine=Path(snakemake.output.quarantine),  # noqa: F821
                reconcile=Path(snakemake.output.reconcile),  # noqa: F821
            ),
        )

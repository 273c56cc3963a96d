"""News of a day (UTC) -> bronze."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from scripts import tables
from scripts.lake import records
from scripts.tables import Column

COLUMNS: tables.Columns = {
    "id": Column(pl.String, "the vendor's id of the article"),
    "publisher_name": Column(pl.String, "the publisher"),
    "title": Column(pl.String, "title"),
    "author": Column(pl.String, "author"),
    "published_utc": Column(pl.Datetime("us", "UTC"), "time of publication (UTC)"),
    "article_url": Column(pl.String, "address of the article"),
    "amp_url": Column(pl.String, "address of its page for mobile devices"),
    "image_url": Column(pl.String, "address of its image"),
    "description": Column(pl.String, "summary"),
    "tickers": Column(pl.List(pl.String), "tickers it is about"),
    "keywords": Column(pl.List(pl.String), "the publisher's keywords"),
    "date": Column(pl.Date, "date of published_utc in UTC: the partition"),
}
PATH = "/v2/reference/news"
ORDER = {"limit": "1000", "order": "desc", "sort": "published_utc"}
LAYOUT = records.Layout(
    COLUMNS,
    needed=("id", "published_utc"),
    key=("id",),
    order=("published_utc", "id"),
    window="published_utc",
)


def fields_of(article: dict[str, Any]) -> Mapping[str, Any] | records.Refusal:
    """Our fields of an article: its own, and its publisher's name."""
    publisher = article.get("publisher")
    if publisher is None:
        return {**article, "publisher_name": None}
    if not isinstance(publisher, dict):
        return records.Refusal("publisher", publisher, "is not an object")
    return {**article, "publisher_name": publisher.get("name")}


def land(
    *, api: records.Api, date: str, partition: Path, quarantine: Path, reconcile: Path
) -> dict:
    """Fetch the articles of a day and write its partition.

    Args:
        api: the vendor.
        date: YYYY-MM-DD, the day of publication in UTC.
        partition: parquet of COLUMNS, sorted by time and id.
        quarantine: parquet of `records.QUARANTINE`.
        reconcile: JSON {rows_in, good, duplicates, quarantined, reasons}.

    Returns:
        what was written to `reconcile`.
    """
    window = records.day_window(date)
    params = {**window.query("published_utc"), **ORDER}
    rows = records.fetch(api, PATH, params, fields_of)
    return records.land(rows, LAYOUT, window, partition, quarantine, reconcile)


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
                date=snakemake.wildcards.date,  # noqa: F821
                partition=Path(snakemake.output.partition),  # noqa: F821
                quarantine=Path(snakemake.output.quarantine),  # noqa: F821
                reconcile=Path(snakemake.output.reconcile),  # noqa: F821
            ),
        )

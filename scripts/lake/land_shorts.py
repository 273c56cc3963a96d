"""Short interest or short volume of the whole market in a month -> bronze."""

from pathlib import Path

import polars as pl

from scripts import tables
from scripts.lake import records
from scripts.lake.readers import count, not_negative
from scripts.tables import Column

SHORT_INTEREST: tables.Columns = {
    "ticker": Column(pl.String, "ticker"),
    "settlement_date": Column(pl.Date, "settlement date of FINRA's report, twice a month"),
    "short_interest": Column(pl.Int64, "shares sold short and not yet closed (shares)"),
    "avg_daily_volume": Column(pl.Int64, "average daily volume since the last report (shares)"),
    "days_to_cover": Column(pl.Float64, "short_interest / avg_daily_volume (days)"),
    "month": Column(pl.String, "month of settlement_date, YYYY-MM: the partition"),
}
SHORT_VOLUME: tables.Columns = {
    "ticker": Column(pl.String, "ticker"),
    "date": Column(pl.Date, "trading date"),
    "short_volume": Column(pl.Int64, "volume sold short off the exchanges (shares)"),
    "exempt_volume": Column(pl.Int64, "of it, exempt from Regulation SHO (shares)"),
    "non_exempt_volume": Column(pl.Int64, "of it, not exempt (shares)"),
    "total_volume": Column(pl.Int64, "all volume reported off the exchanges (shares)"),
    "short_volume_ratio": Column(pl.Float64, "short_volume / total_volume (percent)"),
    "month": Column(pl.String, "month of date, YYYY-MM: the partition"),
}


def layout_of(columns: tables.Columns, window: str, ratio: str) -> records.Layout:
    """The layout of a short dataset: a row a ticker and date, volumes of whole shares, a ratio."""
    key = ("ticker", window)
    counts = (name for name, column in columns.items() if column.dtype == pl.Int64)
    readers = {**dict.fromkeys(counts, count), ratio: not_negative}
    return records.Layout(columns, needed=key, key=key, window=window, readers=readers)


DATASETS = {
    "short_interest": (
        "/stocks/v1/short-interest",
        layout_of(SHORT_INTEREST, "settlement_date", "days_to_cover"),
    ),
    "short_volume": (
        "/stocks/v1/short-volume",
        layout_of(SHORT_VOLUME, "date", "short_volume_ratio"),
    ),
}
LIMIT = "100"  # records of a page


def land(
    *,
    api: records.Api,
    dataset: str,
    month: str,
    partition: Path,
    quarantine: Path,
    reconcile: Path,
) -> dict:
    """Fetch a month of short data of the whole market and write its partition.

    Args:
        api: the vendor.
        dataset: short_interest or short_volume.
        month: YYYY-MM of the settlement date or the trading date.
        partition: parquet of SHORT_INTEREST or SHORT_VOLUME.
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

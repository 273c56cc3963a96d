"""The landed days of one month of daily bars -> one checked partition, and what was refused."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from scripts import tables
from scripts.lake.bars import (
    MONTH,
    OPTIONS,
    STOCKS,
    account,
    day_account,
    quarantined,
    to_bronze,
    total,
)
from scripts.lake.flatfile import read

STOCKS_DAILY: tables.Columns = {**STOCKS, **MONTH}
OPTIONS_DAILY: tables.Columns = {**OPTIONS, **MONTH}


def build(
    *,
    files: Sequence[Path],
    dates: Sequence[str],
    dataset: str,
    month: str,
    max_quarantined_share: float,
    out: Path,
    quarantine: Path,
    reconcile: Path,
) -> dict:
    """Read a month's landed files, check each, write the partition and its two companions.

    A ticker has one bar a day: a second one in the same file is refused, whatever its window_start.

    Args:
        files: csv.gz in the vendor's format, one a day.
        dates: their dates, in the same order, YYYY-MM-DD.
        dataset: stocks_daily or options_daily.
        month: YYYY-MM.
        max_quarantined_share: largest share of a file's rows that may be refused, 0 to 1.
        out: parquet sorted by (symbol, timestamp), options by (ticker, timestamp).
        quarantine: parquet of refused rows: source, line, the raw fields as text, reason.
        reconcile: JSON as `bars.account`.

    Returns:
        what was written to `reconcile`.

    Raises:
        DataError: as `flatfile.read`, for any of the files.
    """
    good, bad, days = [], [], {}
    for file, date in zip(files, dates, strict=True):
        found = read(file, date, max_quarantined_share, ("ticker",))
        days[date] = day_account(found)
        bad.append(quarantined(found, file))
        good.append(found.good)
    rows = to_bronze(merge(good), dataset).with_columns(month=pl.lit(month))
    refused = pl.concat(bad)
    report = account(days, refused, total(rows["volume"]), rows)
    tables.write(refused, quarantine)
    tables.write_json(report, reconcile)
    tables.write(rows, out)
    return report


def merge(days: list[pl.DataFrame]) -> pl.DataFrame:
    """Rows of several days sorted by (ticker, timestamp). Empties the list, to spare memory."""
    rows = pl.concat(days, rechunk=False)
    days.clear()
    return rows.sort("ticker", "timestamp")


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                files=[Path(file) for file in snakemake.input.files],  # noqa: F821
                dates=snakemake.params.dates,  # noqa: F821
                dataset=snakemake.wildcards.dataset,  # noqa: F821
                month=snakemake.wildcards.month,  # noqa: F821
                max_quarantined_share=snakemake.params.max_quarantined_share,  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
                quarantine=Path(snakemake.output.quarantine),  # noqa: F821
                reconcile=Path(snakemake.output.reconcile),  # noqa: F821
            ),
        )

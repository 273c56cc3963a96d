"""A landed day of minute bars -> checked parquet, what was refused, and the account of both."""

from pathlib import Path

from scripts import tables
from scripts.lake.bars import (
    OPTIONS,
    STOCKS,
    account,
    day_account,
    quarantined,
    to_bronze,
)
from scripts.lake.flatfile import read

STOCKS_MINUTE: tables.Columns = STOCKS
OPTIONS_MINUTE: tables.Columns = OPTIONS


def build(
    *,
    file: Path,
    dataset: str,
    date: str,
    max_quarantined_share: float,
    out: Path,
    quarantine: Path,
    reconcile: Path,
) -> dict:
    """Read one landed file, check it, write the partition and its two companions.

    Args:
        file: csv.gz in the vendor's format.
        dataset: stocks_minute or options_minute.
        date: the file's date, YYYY-MM-DD.
        max_quarantined_share: largest share of refused rows that still is a success, 0 to 1.
        out: parquet sorted by (symbol, timestamp), options by (ticker, timestamp).
        quarantine: parquet of refused rows: source, line, the raw fields as text, reason.
        reconcile: JSON as `bars.account`.

    Returns:
        what was written to `reconcile`.

    Raises:
        DataError: as `flatfile.read`.
    """
    found = read(file, date, max_quarantined_share, ("ticker", "timestamp"))
    day = day_account(found)
    rows = to_bronze(found.good, dataset)
    report = account({date: day}, found.bad, day["volume"], rows)
    tables.write(quarantined(found, file), quarantine)
    tables.write_json(report, reconcile)
    tables.write(rows, out)
    return report


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                file=Path(snakemake.input.file),  # noqa: F821
                dataset=snakemake.wildcards.dataset,  # noqa: F821
                date=snakemake.wildcards.date,  # noqa: F821
                max_quarantined_share=snakemake.params.max_quarantined_share,  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
                quarantine=Path(snakemake.output.quarantine),  # noqa: F821
                reconcile=Path(snakemake.output.reconcile),  # noqa: F821
            ),
        )

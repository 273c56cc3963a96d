"""Daily bars of all symbols -> weekly closes of those that others are held against."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from scripts.tables import Column, write
from scripts.weekly import batches
from scripts.weekly.bars import resample
from scripts.weekly.mappings import NONE, benchmarks_of, check_benchmarks, read_mappings
from scripts.weekly.panel import price_column

COLUMNS = {
    "symbol": Column(pl.String, "benchmark: SPY, RSP, or an ETF of the mappings"),
    "week_end": Column(pl.Date, "the Friday that ends the week"),
    "close": Column(pl.Float64, "last close of the week (the adjusted one, where that is used)"),
}


def build(
    *,
    sources: Sequence[Path],
    mappings: Sequence[Path],
    adjusted_close: str | None,
    parity: bool,
    out: Path,
) -> dict:
    """Write the weekly closes of all benchmarks, once for all batches.

    Args:
        sources: parquet files of daily bars, see `batches.scan`.
        mappings: none, or one CSV, see `mappings.read_mappings`.
        adjusted_close: column that prices are of, where it is there; None: close.
        parity: a mapped benchmark may be unknown.
        out: parquet of `COLUMNS`, sorted by symbol, week_end.

    Returns:
        numbers of benchmarks and weeks, and the benchmarks that are absent.

    Raises:
        DataError: as `batches.scan`, `rows_by_symbol` and `checked`, `mappings.read_mappings`,
            `check_benchmarks`.
    """
    bars = batches.scan(sources, [], adjusted_close)
    wanted = read_mappings(mappings[0]) if mappings else NONE
    symbols = batches.rows_by_symbol(bars)
    table = str(mappings[0]) if mappings else "mappings"
    absent = check_benchmarks(wanted, symbols, parity=parity, place=table)
    daily = batches.checked(bars, benchmarks_of(wanted), adjusted_close)
    closes = pl.DataFrame(schema={name: column.dtype for name, column in COLUMNS.items()})
    if daily is not None:
        price = price_column(daily.frame.columns, adjusted_close)
        closes = resample(daily, price).select("symbol", "week_end", pl.col(price).alias("close"))
    write(closes, out)
    return {"benchmarks": closes["symbol"].n_unique(), "weeks": closes.height, "absent": absent}


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                sources=[Path(path) for path in snakemake.input.sources],  # noqa: F821
                mappings=[Path(path) for path in snakemake.input.get("mappings", [])],  # noqa: F821
                adjusted_close=snakemake.params.adjusted_close,  # noqa: F821
                parity=snakemake.params.parity,  # noqa: F821
                out=Path(snakemake.output.benchmarks),  # noqa: F821
            ),
        )

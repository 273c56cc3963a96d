"""Gold daily bars -> the Alpha158 factors of one month."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from scripts import tables
from scripts.errors import DataError
from scripts.lake.factors import MEANINGS, Bars, alpha158
from scripts.lake.inputs import as_paths

COLUMNS: tables.Columns = {
    "symbol": tables.Column(pl.String, "ticker, upper and lower case differ"),
    "date": tables.Column(pl.Date, "trading date in New York"),
    **{name: tables.Column(pl.Float32, meaning) for name, meaning in MEANINGS.items()},
    "month": tables.Column(pl.String, "month of `date`, YYYY-MM"),
}
PRICES = ("adj_open", "adj_high", "adj_low", "adj_close", "adj_volume")


def read(files: Iterable[Path]) -> pl.DataFrame:
    """Bars as the factors need them, sorted by symbol and date.

    Args:
        files: gold stocks_daily of the months.

    Returns:
        symbol, date, adj_* and vwap (adjusted too, null where there is none) as float32, month.

    Raises:
        DataError: a price or volume is null.
    """
    frame = (
        tables.scan(files)
        .with_columns(vwap=pl.col("vwap") * pl.col("split_factor"))
        .select("symbol", "date", pl.col(*PRICES, "vwap").cast(pl.Float32), "month")
        .sort("symbol", "date")
        .collect()
    )
    for row in frame.filter(pl.any_horizontal(pl.col(PRICES).is_null())).head(1).iter_rows():
        raise DataError(f"gold stocks_daily, {row[0]} on {row[1]}: a price is null; rebuild gold")
    return frame


def factors_of(frame: pl.DataFrame, month: str) -> pl.DataFrame:
    """The factors of the rows of `month`; NaN becomes null.

    Args:
        frame: as `read` gives it, with the 61 bars before each row where the symbol has them.
        month: YYYY-MM.

    Returns:
        the columns `COLUMNS`, sorted by symbol and date.
    """
    run = frame["symbol"].rle_id().to_numpy()
    first = np.searchsorted(run, run)
    fields = [frame[name].to_numpy() for name in (*PRICES, "vwap")]
    wanted = frame["month"] == month
    found = alpha158(Bars(*fields, first=first), np.flatnonzero(wanted.to_numpy()))
    columns = [
        pl.Series(n, line, nan_to_null=True) for n, line in zip(MEANINGS, found, strict=True)
    ]
    return frame.filter(wanted).select("symbol", "date", *columns, "month")


def build(*, bars: Iterable[Path], month: str, out: Path) -> dict:
    """Write the factors of a month.

    Args:
        bars: gold stocks_daily of the month and the four before: a symbol that trades every
            session has the 61 bars a factor needs; of one that trades less, what is further
            back counts as before its history.
        month: YYYY-MM.
        out: parquet of `COLUMNS`, sorted by symbol and date.

    Returns:
        the number of rows.

    Raises:
        DataError: as `read`.
    """
    frame = factors_of(read(bars), month)
    tables.write(tables.conform(frame, COLUMNS), out)
    return {"rows": frame.height}


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                bars=as_paths(snakemake.input.bars),  # noqa: F821
                month=snakemake.wildcards.month,  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

"""Bronze daily bars of options -> gold: returns across months, and where the underlying stood."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from scripts import tables
from scripts.atomic import atomic
from scripts.lake import returns
from scripts.lake.bars import MONTH, OPTIONS
from scripts.lake.inputs import CLOSES, as_paths
from scripts.lake.universe import among, read_universe
from scripts.tables import Column

RETURNS = (1, 5, 20)  # bars
WINDOWS = returns.window_columns("close", "volume", RETURNS)
COLUMNS: tables.Columns = {
    **OPTIONS,
    "returns_1d": WINDOWS["returns_1d"],
    "alpha_daily": Column(pl.Float64, "-returns_1d, as in stocks_daily"),
    **WINDOWS,
    **returns.SHAPE,
    "underlying_close": Column(
        pl.Float64,
        "raw close of the stock named like `underlying` on `date` (BRKB: BRK.B), dollars; null if "
        "there is none, as for the root of an adjusted contract (AAPL1)",
    ),
    "moneyness": Column(pl.Float64, "underlying_close / strike; null if strike is 0"),
    "days_to_expiry": Column(pl.Int32, "calendar days from `date` to expiration"),
    **MONTH,
}


def enrich(
    own: pl.DataFrame, earlier: Iterable[pl.DataFrame], stocks: pl.DataFrame
) -> pl.DataFrame:
    """Bars of a month with the columns `COLUMNS`, in the same order.

    Args:
        own: bronze options_daily of the month, sorted by (ticker, date), all bars of each ticker.
        earlier: columns `returns.inputs` of months before, oldest first, each sorted so.
        stocks: columns `inputs.CLOSES` of the month.

    Raises:
        DataError: as `returns.stack`.
    """
    history = returns.stack(earlier, own, "ticker")
    close, volume = (history.bars[name].to_numpy() for name in ("close", "volume"))
    found = returns.windows(close, volume, history, RETURNS)
    closes = closes_of_roots(stocks)
    days = pl.col("expiration") - pl.col("date")
    rows = (
        own.with_columns(**found, **returns.shapes(own))
        .join(closes, on=["underlying", "date"], how="left", maintain_order="left")
        .with_columns(days_to_expiry=days.dt.total_days().cast(pl.Int32))
    )
    rows = rows.with_columns(moneyness=moneyness(rows), alpha_daily=-rows["returns_1d"])
    return rows.select(*COLUMNS)


def closes_of_roots(stocks: pl.DataFrame) -> pl.DataFrame:
    """Columns underlying, date, underlying_close: stocks by the root of their options.

    A root has no dot: options of BRK.B are BRKB's. A stock that really is named so comes first.
    """
    root = pl.col("symbol").str.replace_all(".", "", literal=True)
    return (
        stocks.with_columns(underlying=root, underlying_close="close", own=pl.col("symbol") == root)
        .sort("underlying", "date", "own", "symbol")
        .unique(["underlying", "date"], keep="last", maintain_order=True)
        .select("underlying", "date", "underlying_close")
    )


def moneyness(rows: pl.DataFrame) -> pl.Series:
    """underlying_close / strike of each row, null where one is null or the strike is 0.

    In numpy: polars multiplies by the rounded inverse where it holds a column as one value (after
    some joins), so a row's last digit would depend on the rows beside it.
    """
    close, strike = (rows[name].to_numpy() for name in ("underlying_close", "strike"))
    nothing = np.full_like(close, np.nan)
    return returns.to_series(np.divide(close, strike, out=nothing, where=strike > 0))


def slices(path: Path) -> list[pl.Expr]:
    """Filters that cut bars into parts of about one row group, each ticker in one of them.

    Args:
        path: a partition sorted by ticker.
    """
    groups = pq.read_metadata(path)
    place = groups.schema.names.index("ticker")
    statistics = [
        groups.row_group(n).column(place).statistics for n in range(groups.num_row_groups - 1)
    ]
    ends = sorted({found.max for found in statistics if found and found.has_min_max})
    ticker = pl.col("ticker")
    bounds = pairwise([None, *ends, None])
    return [
        (pl.lit(True) if low is None else ticker > low)
        & (pl.lit(True) if high is None else ticker <= high)
        for low, high in bounds
    ]


def parts(
    bars: Sequence[Path], stocks: pl.DataFrame, symbols: Sequence[str] | None, month: str
) -> Iterator[pl.DataFrame]:
    """The month's bars enriched, one part after the other, in the order of tickers.

    Args:
        bars, month: as in `build`.
        stocks: as in `enrich`.
        symbols: underlyings to keep, as in `among`; None: all.
    """
    earlier, own = returns.split_months(bars, month)
    kept = among(symbols, "underlying")
    for part in slices(own):
        frame = tables.scan([own], {**OPTIONS, **MONTH}).filter(part & kept).collect()
        before = [
            tables.scan([path]).filter(part & kept).select(*returns.inputs("ticker")).collect()
            for path in earlier
        ]
        yield enrich(frame, before, stocks)


def write(frames: Iterable[pl.DataFrame], out: Path) -> int:
    """Write frames one below the other, each as a row group, as `tables.write` does with one.

    Returns:
        the number of rows.
    """
    schema = (
        pl.DataFrame(schema=tables.schema_of(COLUMNS))
        .to_arrow(compat_level=pl.CompatLevel.oldest())
        .schema
    )
    rows = 0
    with (
        atomic(out) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd", compression_level=1) as writer,
    ):
        for frame in frames:
            writer.write_table(
                frame.to_arrow(compat_level=pl.CompatLevel.oldest()), tables.ROW_GROUP
            )
            rows += frame.height
    return rows


def build(
    *,
    bars: Sequence[Path],
    stocks: Iterable[Path],
    universe: Sequence[Path],
    month: str,
    out: Path,
) -> dict:
    """Enrich the daily bars of options of one month and write their gold partition.

    Windows reach back over at most two earlier months: a contract's bar further back counts as
    none. Contracts are taken in parts, so memory does not grow with their number.

    Args:
        bars: bronze options_daily of the two months before, as far as there are, and of the month.
        stocks: bronze stocks_daily of the month; none: underlying_close is null.
        universe: none, or one file: the underlyings to keep.
        month: YYYY-MM.
        out: parquet of `COLUMNS`, sorted by (ticker, date).

    Returns:
        the number of rows.

    Raises:
        DataError: as `returns.split_months` and `returns.stack`.
    """
    closes = tables.scan(stocks, CLOSES).collect()
    rows = write(parts(bars, closes, read_universe(universe), month), out)
    return {"rows": rows}


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                bars=as_paths(snakemake.input.bars),  # noqa: F821
                stocks=as_paths(snakemake.input.get("stocks", [])),  # noqa: F821
                universe=as_paths(snakemake.input.get("universe", [])),  # noqa: F821
                month=snakemake.wildcards.month,  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

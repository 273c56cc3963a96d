"""Daily bars of a batch of symbols, checked and sorted -> weekly bars."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from scripts.tables import Column, write
from scripts.weekly import batches, stream
from scripts.weekly.bars import resample
from scripts.weekly.panel import Panel, other_columns, price_column

BATCH = Column(pl.Int32, "batch of the symbol: crc32(symbol) mod weekly.batches")
COLUMNS = {
    "symbol": Column(pl.String, "symbol, as the input has it"),
    "week_end": Column(pl.Date, "the Friday that ends the week, also where it was a holiday"),
    "open": Column(pl.Float64, "first open of the week that is known"),
    "high": Column(pl.Float64, "greatest high"),
    "low": Column(pl.Float64, "least low"),
    "close": Column(pl.Float64, "last close that is known"),
    "volume": Column(pl.Float64, "sum of the volumes, an unknown one counting 0"),
    "batch": BATCH,
}
# `<...>` stands for any number of columns, in the order of the input.
OTHERS = {  # before batch
    "<numeric column of the input>": Column(
        pl.Float64, "its last value of the week: adj_close, ..."
    ),
}
_AS_INPUT = "as the input has it"
CHECKED = {  # of the daily bars
    "symbol": Column(None, f"symbol, {_AS_INPUT}"),
    "date": Column(None, f"day of the bar, {_AS_INPUT}"),
    "<column of the input>": Column(
        None, f"open, high, low, close, volume, and the others of weekly.columns, {_AS_INPUT}"
    ),
}


def with_batch(frame: pl.DataFrame, batch: int) -> pl.DataFrame:
    """`frame` with the key of its partition."""
    return frame.with_columns(batch=pl.lit(batch, BATCH.dtype))


def build(
    *,
    sources: Sequence[Path],
    columns: Sequence[str] | None,
    adjusted_close: str | None,
    batch: int,
    batches_in_all: int,
    max_symbols: int | None,
    memory_limit_mb: int,
    checked: Path,
    out: Path,
) -> dict:
    """Write a batch's daily bars as they are, sorted, and its weekly bars.

    Args:
        sources: parquet files of daily bars, see `batches.scan`.
        columns: other columns to keep; None: all.
        adjusted_close: column that weekly prices are of, where it is there; None: close.
        batch: number of the batch, from 0.
        batches_in_all: number of batches.
        max_symbols: only the first so many symbols of the input; None: all.
        memory_limit_mb: what the job may take.
        checked: daily bars, columns `CHECKED`, sorted by symbol, date.
        out: weekly bars, `COLUMNS` and `OTHERS`.

    Returns:
        numbers of symbols, daily rows and weekly bars.

    Raises:
        DataError: as `batches.read`.
    """
    daily = batches.read(
        sources,
        columns=columns,
        adjusted=adjusted_close,
        batch=batch,
        batches=batches_in_all,
        max_symbols=max_symbols,
        memory_limit_mb=memory_limit_mb,
    )
    if daily is None:
        schema = batches.scan(sources, columns, adjusted_close).whole.collect_schema()
        daily = Panel(pl.DataFrame(schema=schema))
        weekly = empty_bars(schema)
    else:
        weekly = resample(daily, price_column(daily.frame.columns, adjusted_close))
    stream.write([daily.frame], daily.frame.schema, checked)
    write(with_batch(weekly, batch), out)
    symbols = len(daily.starts) - 1 if daily.frame.height else 0
    return {"symbols": symbols, "daily_rows": daily.frame.height, "weekly_bars": weekly.height}


def empty_bars(schema: pl.Schema) -> pl.DataFrame:
    """No weekly bars, of daily bars of a schema: the batch of no symbol."""
    own = {name: column.dtype for name, column in COLUMNS.items() if name != "batch"}
    own["symbol"] = schema["symbol"]
    (other,) = OTHERS.values()
    return pl.DataFrame(schema={**own, **dict.fromkeys(other_columns(schema), other.dtype)})


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                sources=[Path(path) for path in snakemake.input.sources],  # noqa: F821
                columns=snakemake.params.columns,  # noqa: F821
                adjusted_close=snakemake.params.adjusted_close,  # noqa: F821
                batch=int(snakemake.wildcards.batch),  # noqa: F821
                batches_in_all=snakemake.params.batches,  # noqa: F821
                max_symbols=snakemake.params.max_symbols,  # noqa: F821
                memory_limit_mb=snakemake.resources.memory_limit_mb,  # noqa: F821
                checked=Path(snakemake.output.checked),  # noqa: F821
                out=Path(snakemake.output.bars),  # noqa: F821
            ),
        )

"""Daily bars of a batch -> triple-barrier targets, to train a model on."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from scripts.tables import Column, scan, schema_of
from scripts.weekly import stream
from scripts.weekly.barriers import ABOVE, ATR_BARS, BELOW, HORIZON, Ohlc, label
from scripts.weekly.build_bars import BATCH, with_batch
from scripts.weekly.layout import bar_index, blocks, symbol_starts
from scripts.weekly.panel import price_column

BLOCK = 2**17  # rows worked on at once
PRICES = ("open", "high", "low", "close")
COLUMNS = {
    "symbol": Column(pl.String, "symbol"),
    "date": Column(pl.Date, "day at whose close the trade is entered"),
    "atr14": Column(pl.Float64, f"Wilder's average true range of {ATR_BARS} bars, price units"),
    "upper": Column(pl.Float64, f"close + {ABOVE:g} atr14; null without a range"),
    "lower": Column(pl.Float64, f"close - {BELOW:g} atr14; null without a range"),
    "target": Column(
        pl.Int8,
        f"1 upper touched first, -1 lower (or both in one bar), 0 neither in {HORIZON} bars; null: "
        "not known yet",
    ),
    "exit_date": Column(pl.Date, "day on which the trade ends"),
    "bars_held": Column(pl.Int16, f"bars from entry to exit, 1 to {HORIZON}"),
    "target_return": Column(
        pl.Float64, "exit / entry - 1; the exit is the barrier, the open beyond it, or the close"
    ),
    "weight": Column(pl.Float64, "average uniqueness: mean over the trade of 1 / trades open"),
    "horizon_complete": Column(
        pl.Boolean,
        f"whether {HORIZON} bars follow; null: no bar. Where they do not, only touches have a "
        "target, and a sample of them alone is a biased one",
    ),
    "batch": BATCH,
}


def targets(daily: pl.DataFrame, price: str = "close") -> pl.DataFrame:
    """The targets of daily rows, in their order; columns `COLUMNS` without batch.

    Args:
        daily: symbol, date, open, high, low, close and `price`, sorted by symbol, date. A row with
            a price that is unknown or not above 0 is no bar: it has no target, and
            windows pass over it.
        price: column in whose units the prices are taken: all are multiplied by price / close.
    """
    values = {name: daily[name].cast(pl.Float64).to_numpy() for name in {*PRICES, price}}
    with np.errstate(all="ignore"):  # of a close of 0
        factor = values[price] / values["close"] if price != "close" else 1.0
        scaled = np.stack([values[name] * factor for name in PRICES])
    bar = (np.isfinite(scaled) & (scaled > 0)).all(axis=0)
    rows = np.flatnonzero(bar)
    starts = symbol_starts(daily["symbol"].gather(rows))
    count = np.repeat(np.diff(starts), np.diff(starts))
    index = bar_index(starts)
    left = (count - 1 - index).astype(np.int32)
    with np.errstate(invalid="ignore"):
        found = label(Ohlc(*scaled[:, bar]), index, left)
    known = found.held > 0
    date = daily["date"].cast(pl.Date)
    exits = date.gather(rows[np.arange(len(rows)) + np.where(known, found.held, 0)])
    labels = pl.DataFrame(
        {
            "atr14": found.atr,
            "upper": found.upper,
            "lower": found.lower,
            "target": np.where(known, found.target, np.nan),
            "exit_date": exits,
            "bars_held": found.held,
            "target_return": found.gain,
            "weight": found.weight,
            "horizon_complete": found.complete,
        }
    ).with_columns(
        pl.col(pl.Float64).fill_nan(None),
        pl.when(pl.Series(known)).then(pl.col("exit_date", "bars_held")),
    )
    place = np.full(daily.height, -1)
    place[bar] = np.arange(len(rows))
    places = pl.Series(place).replace(-1, None).cast(pl.UInt32)
    schema = schema_of(COLUMNS)
    own = daily.select(pl.col("symbol").cast(pl.String), date)
    frame = own.hstack(labels.select(pl.all().gather(places)))
    return frame.cast({name: schema[name] for name in frame.columns})


def build(*, daily: Path, adjusted_close: str | None, batch: int, out: Path) -> dict:
    """Write the targets of a batch.

    Args:
        daily: checked daily bars, sorted by symbol, date.
        adjusted_close: column in whose units prices are taken, where it is there; None: close.
        batch: number of the batch.
        out: parquet of `COLUMNS`, a row for each daily row.

    Returns:
        numbers of rows and of known targets.
    """
    schema = scan([daily]).collect_schema()
    price = price_column(list(schema), adjusted_close)
    names = list(dict.fromkeys(["symbol", "date", *PRICES, price]))
    frame = scan([daily]).select(names).collect()
    known = 0

    def parts() -> Iterator[pl.DataFrame]:
        nonlocal known
        starts = symbol_starts(frame["symbol"]) if frame.height else np.zeros(1, int)
        for first, end in blocks(starts, BLOCK):
            part = targets(frame[int(starts[first]) : int(starts[end])], price)
            known += part.height - part["target"].null_count()
            yield with_batch(part, batch)

    stream.write(parts(), schema_of(COLUMNS), out)
    return {"rows": frame.height, "targets": known}


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                daily=Path(snakemake.input.daily),  # noqa: F821
                adjusted_close=snakemake.params.adjusted_close,  # noqa: F821
                batch=int(snakemake.wildcards.batch),  # noqa: F821
                out=Path(snakemake.output.targets),  # noqa: F821
            ),
        )

"""Bronze minutes of a day -> enriched minutes (gold), and each symbol's bar of the day (silver)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from scripts import tables
from scripts.lake.bars import STOCKS
from scripts.lake.flatfile import instant
from scripts.lake.inputs import as_paths
from scripts.lake.universe import keep, read_universe
from scripts.tables import Column

COLUMNS: tables.Columns = {
    **STOCKS,
    "minute_return": Column(pl.Float64, "(close - open) / open; null if open is 0"),
    "spread": Column(pl.Float64, "(high - low) / close; null if close is 0"),
    "typical_price": Column(pl.Float64, "(high + low + close) / 3, dollars"),
    "avg_trade_size": Column(pl.Float64, "volume / transactions, shares; null if there were none"),
    "session_vwap": Column(
        pl.Float64,
        "sum of typical_price * volume / sum of volume over the regular session's minutes up to "
        "this one, dollars; null outside the session and before its first volume",
    ),
    "is_premarket": Column(pl.Boolean, "from 04:00 to before 09:30 in New York"),
    "is_regular": Column(pl.Boolean, "from 09:30 to before the close (16:00, or an early one)"),
    "is_postmarket": Column(pl.Boolean, "from the close to before 20:00 in New York"),
}
SESSIONS: tables.Columns = {
    "symbol": STOCKS["symbol"],
    "open": Column(pl.Float64, "open of the day's first minute, dollars"),
    "high": Column(pl.Float64, "highest price of all minutes, dollars"),
    "low": Column(pl.Float64, "lowest price of all minutes, dollars"),
    "close": Column(pl.Float64, "close of the day's last minute, dollars"),
    "volume": Column(pl.Float64, "traded shares of all minutes"),
    "transactions": Column(pl.Int64, "trades of all minutes"),
    "vwap": Column(
        pl.Float64,
        "sum of typical price * volume / sum of volume over the regular session, dollars; null if "
        "it had no volume",
    ),
    "date": STOCKS["date"],
}
OPENS, REGULAR_OPENS, CLOSES = "04:00", "09:30", "20:00"


def flags(day: str, close: str) -> dict[str, pl.Expr]:
    """is_premarket, is_regular, is_postmarket: intervals closed at their start.

    Args:
        day: YYYY-MM-DD.
        close: HH:MM in New York, where the regular session ends.
    """
    bounds = [instant(day, clock) for clock in (OPENS, REGULAR_OPENS, close, CLOSES)]
    stamp = pl.col("timestamp").to_physical()
    names = ("is_premarket", "is_regular", "is_postmarket")
    return {
        name: stamp.is_between(start, end, closed="left")
        for name, start, end in zip(names, bounds, bounds[1:], strict=False)
    }


def enrich(bars: pl.DataFrame, day: str, close: str) -> pl.DataFrame:
    """Minutes with the columns `COLUMNS`, in the same order.

    Args:
        bars: bronze minutes of one day, sorted by (symbol, timestamp).
        day, close: as in `flags`.
    """
    price, volume = pl.col("typical_price"), pl.col("volume")
    three = (bars["high"] + bars["low"] + bars["close"]).to_numpy()
    bars = bars.with_columns(
        minute_return=_ratio(pl.col("close") - pl.col("open"), pl.col("open")),
        spread=_ratio(pl.col("high") - pl.col("low"), pl.col("close")),
        typical_price=pl.Series(three / 3),  # polars would multiply by the rounded third
        avg_trade_size=_ratio(volume, pl.col("transactions")),
        **flags(day, close),
        run=pl.col("symbol").rle_id(),  # grouping numbers is faster than grouping text
    )
    regular = pl.col("is_regular")
    value, traded = (pl.when(regular).then(x).otherwise(0.0) for x in (price * volume, volume))
    running = _ratio(value.cum_sum().over("run"), traded.cum_sum().over("run"))
    return bars.with_columns(session_vwap=pl.when(regular).then(running)).select(*COLUMNS)


def to_sessions(minutes: pl.DataFrame) -> pl.DataFrame:
    """One bar a symbol, columns `SESSIONS`, sorted by symbol.

    Args:
        minutes: as `enrich` gives them. The bar's vwap is the last of its session_vwap.
    """
    first = _first_rows(minutes)
    volume, transactions = (minutes[name].to_numpy() for name in ("volume", "transactions"))
    regular = minutes.filter("is_regular")
    vwap = regular[_last_rows(regular)].select("symbol", vwap="session_vwap")
    return (
        pl.DataFrame({
            "symbol": minutes["symbol"][first],
            "open": minutes["open"][first],
            "high": np.maximum.reduceat(minutes["high"].to_numpy(), first),
            "low": np.minimum.reduceat(minutes["low"].to_numpy(), first),
            "close": minutes["close"][_last_rows(minutes)],
            "volume": np.add.reduceat(volume, first),
            "transactions": np.add.reduceat(transactions.astype(np.int64), first),
            "date": minutes["date"][first],
        })
        .join(vwap, on="symbol", how="left", maintain_order="left")
        .select(*SESSIONS)
    )  # fmt: skip


def _ratio(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """numerator / denominator, null where the denominator is 0."""
    return pl.when(denominator != 0).then(numerator / denominator)


def _first_rows(minutes: pl.DataFrame) -> np.ndarray:
    """Index of each symbol's first row."""
    return minutes["symbol"].rle_id().is_first_distinct().arg_true().to_numpy()


def _last_rows(minutes: pl.DataFrame) -> np.ndarray:
    """Index of each symbol's last row."""
    return minutes["symbol"].rle_id().is_last_distinct().arg_true().to_numpy()


def build(
    *, bars: Path, universe: Sequence[Path], date: str, close: str, out: Path, sessions: Path
) -> dict:
    """Enrich one day, write its gold partition and its session bars.

    Args:
        bars: bronze stocks_minute of the day, sorted by (symbol, timestamp).
        universe: none, or one file; it narrows only `out`, session bars are of all symbols.
        date: YYYY-MM-DD.
        close: HH:MM in New York, where the regular session ends.
        out: gold parquet, columns `COLUMNS`, sorted by (symbol, timestamp).
        sessions: silver parquet, columns `SESSIONS`, sorted by symbol.

    Returns:
        rows and symbols written.
    """
    minutes = enrich(pl.read_parquet(bars, hive_partitioning=False), date, close)
    bar = to_sessions(minutes)
    tables.write(bar, sessions)
    minutes = keep(minutes, read_universe(universe), "symbol")
    tables.write(minutes, out)
    return {"rows": minutes.height, "session_bars": bar.height}


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                bars=Path(snakemake.input.bars),  # noqa: F821
                universe=as_paths(snakemake.input.get("universe", [])),  # noqa: F821
                date=snakemake.wildcards.date,  # noqa: F821
                close=snakemake.params.close,  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
                sessions=Path(snakemake.output.sessions),  # noqa: F821
            ),
        )

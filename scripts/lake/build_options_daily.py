"""Bronze daily bars of options -> gold: returns, underlying close, moneyness, days to expiry."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from scripts.lake import returns, tables
from scripts.lake.bars import MONTH, OPTIONS
from scripts.lake.build_stocks_daily import SHAPE, add_shape
from scripts.lake.inputs import CLOSES, as_paths
from scripts.lake.tables import Column
from scripts.lake.universe import keep, read_universe

OWN_BARS = "over the contract's own bars, across months; null where there are too few"
COLUMNS: tables.Columns = {
    **OPTIONS,
    "returns_1d": Column(pl.Float64, f"ln(close / close of the bar before), {OWN_BARS}"),
    "returns_5d": Column(pl.Float64, f"ln(close / close 5 bars before), {OWN_BARS}"),
    "volatility_20d": Column(
        pl.Float64, f"sample standard deviation of 20 returns_1d, a day, {OWN_BARS}"
    ),
    "volume_ratio_20d": Column(
        pl.Float64, f"volume / mean volume of 20 bars with this one, {OWN_BARS}"
    ),
    **SHAPE,
    "underlying_close": Column(
        pl.Float64,
        "raw close of the underlying stock that day, dollars; null where it has none (indexes, and "
        "adjusted contracts such as AAPL1)",
    ),
    "moneyness": Column(pl.Float64, "underlying_close / strike"),
    "days_to_expiry": Column(pl.Int32, "calendar days from date to expiration"),
    **MONTH,
}
NEEDED = ("ticker", "close", "volume")  # of the months before


def build(
    *,
    bars: Sequence[Path],
    stocks: Sequence[Path],
    universe: Sequence[Path],
    month: str,
    out: Path,
) -> int:
    """Enrich a month of daily bars of options and write `COLUMNS`, sorted by ticker and time.

    Args:
        bars: bronze options_daily of the month, after those of the months before it.
        stocks: bronze stocks_daily of the month; none: no underlying close.
        universe: of underlyings, see `read_universe`.
        month: YYYY-MM.

    Returns:
        number of rows.
    """
    frame = returns.load(bars, "ticker", NEEDED)
    frame = returns.add_windows(frame, "ticker", "close", "volume").filter("own")
    frame = keep(frame, read_universe(universe), "underlying")
    closes = tables.scan(stocks, CLOSES).collect()
    closes = closes.rename({"symbol": "underlying", "close": "underlying_close"})
    frame = frame.join(closes, on=["underlying", "date"], how="left", maintain_order="left")
    frame = add_shape(frame).with_columns(
        moneyness=pl.col("underlying_close") / pl.col("strike"),
        days_to_expiry=(pl.col("expiration") - pl.col("date")).dt.total_days(),
        month=pl.lit(month),
    )
    tables.write(tables.conform(frame, COLUMNS), out)
    return frame.height


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%d rows",
            build(
                bars=as_paths(snakemake.input.bars),  # noqa: F821
                stocks=as_paths(snakemake.input.get("stocks", [])),  # noqa: F821
                universe=as_paths(snakemake.input.get("universe", [])),  # noqa: F821
                month=snakemake.wildcards.month,  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

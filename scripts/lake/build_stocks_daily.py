"""Bronze daily bars -> gold: adjusted prices, returns, volatility, VWAP, point-in-time ratios."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import polars as pl

from scripts.lake import returns, tables
from scripts.lake.adjust import FACTORS, adjust
from scripts.lake.bars import MONTH, STOCKS
from scripts.lake.inputs import as_paths
from scripts.lake.tables import Column
from scripts.lake.universe import keep, read_universe

PRICES = ("open", "high", "low", "close")
STALE_DAYS = 400  # an older filing tells nothing of today
RATIOS = (
    "gross_margin",
    "operating_margin",
    "net_margin",
    "roa",
    "roe",
    "roic",
    "current_ratio",
    "quick_ratio",
    "debt_to_equity",
    "debt_to_assets",
    "asset_turnover",
    "free_cash_flow",
    "revenue_growth",
    "net_income_growth",
)
OWN_BARS = "over the symbol's own bars, across months; null where there are too few"
WINDOWS: tables.Columns = {
    "returns_1d": Column(pl.Float64, f"ln(adj_close / adj_close of the bar before), {OWN_BARS}"),
    "returns_5d": Column(pl.Float64, f"ln(adj_close / adj_close 5 bars before), {OWN_BARS}"),
    "returns_20d": Column(pl.Float64, f"ln(adj_close / adj_close 20 bars before), {OWN_BARS}"),
    "volatility_20d": Column(
        pl.Float64, f"sample standard deviation of 20 returns_1d, a day, {OWN_BARS}"
    ),
    "volume_ratio_20d": Column(
        pl.Float64, f"adj_volume / mean adj_volume of 20 bars with this one, {OWN_BARS}"
    ),
}
SHAPE: tables.Columns = {
    "price_range": Column(pl.Float64, "high - low, dollars"),
    "daily_return": Column(pl.Float64, "(close - open) / open; null if open is 0"),
    "typical_price": Column(pl.Float64, "(high + low + close) / 3, dollars"),
}
COLUMNS: tables.Columns = {
    "symbol": STOCKS["symbol"],
    "date": STOCKS["date"],
    "timestamp": STOCKS["timestamp"],
    **{name: STOCKS[name] for name in (*PRICES, "volume", "transactions")},
    **{
        f"adj_{name}": Column(pl.Float64, f"{name} * split_factor, dollars of today's shares")
        for name in PRICES
    },
    "adj_volume": Column(pl.Float64, "volume / split_factor, in today's shares"),
    "split_factor": Column(pl.Float64, "product of from / to of the splits after this session"),
    "total_return_factor": Column(
        pl.Float64, "split_factor with dividends reinvested: close * it gives total returns"
    ),
    "returns_1d": WINDOWS["returns_1d"],
    "alpha_daily": Column(pl.Float64, "-returns_1d: the peer's name, kept for comparisons"),
    **WINDOWS,
    **SHAPE,
    "vwap": Column(pl.Float64, "of the regular session's minutes, dollars; null without minutes"),
    "fundamental_filing_date": Column(
        pl.Date,
        f"filing of the ratios: the latest on or before date, at most {STALE_DAYS} days old",
    ),
    "fiscal_year": Column(pl.Int32, "fiscal year of that filing"),
    "fiscal_period": Column(pl.String, "fiscal period of that filing"),
    **{
        name: Column(pl.Float64, "as known on date, see silver financial_ratios") for name in RATIOS
    },
    **MONTH,
}
NEEDED = ("symbol", "date", "close", "volume")  # of the months before


def add_shape(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with the columns of `SHAPE`, from raw prices."""
    opened, spread = pl.col("open"), pl.col("high") - pl.col("low")
    three = (frame["high"] + frame["low"] + frame["close"]).to_numpy()
    return frame.with_columns(
        price_range=spread,
        daily_return=pl.when(opened != 0).then((pl.col("close") - opened) / opened),
        typical_price=pl.Series(three / 3),
    )


def known_ratios(files: Sequence[Path]) -> pl.DataFrame:
    """Calculated ratios of quarterly filings: symbol, filing_date, fiscal period, year, `RATIOS`.

    One row for each symbol and filing date after which another filing is the one to go by: that of
    the latest period. A filing that amends an older period changes nothing; what superseded a
    filing later is not looked at, for it was not known.
    """
    names = ("ticker", "filing_date", "fiscal_year", "fiscal_period", *RATIOS)
    ours = (pl.col("source") == "calculated") & (pl.col("timeframe") == "quarterly")
    frames = [tables.scan([file]).filter(ours).select(names).collect() for file in files]
    schema = {name: COLUMNS[name].dtype for name in ("fiscal_year", "fiscal_period", *RATIOS)}
    nothing = pl.DataFrame(schema={"ticker": pl.String, "filing_date": pl.Date, **schema})
    ratios = pl.concat([nothing, *frames]).rename({"ticker": "symbol"})
    period = pl.struct("fiscal_year", "fiscal_period").rank("dense")
    ratios = ratios.with_columns(period=period).sort("symbol", "filing_date", "period")
    ratios = ratios.unique(["symbol", "filing_date"], keep="last", maintain_order=True)
    newest = pl.col("period") == pl.col("period").cum_max().over("symbol")
    return ratios.filter(newest).drop("period")


def add_fundamentals(frame: pl.DataFrame, ratios: pl.DataFrame) -> pl.DataFrame:
    """`frame` with what was known of each symbol on each date (filing_date <= date), same order."""
    known = ratios.with_columns(fundamental_filing_date="filing_date").sort("filing_date")
    return (
        frame.with_row_index("_row")
        .sort("date", maintain_order=True)
        .join_asof(
            known,
            left_on="date",
            right_on="filing_date",
            by="symbol",
            strategy="backward",
            tolerance=timedelta(days=STALE_DAYS),
            check_sortedness=False,
        )
        .sort("_row")
        .drop("_row", "filing_date", strict=False)
    )


def build(
    *,
    bars: Sequence[Path],
    adjustments: Path,
    session_bars: Sequence[Path],
    fundamentals: Sequence[Path],
    universe: Sequence[Path],
    month: str,
    out: Path,
) -> int:
    """Enrich a month of daily bars and write `COLUMNS`, sorted by symbol and date.

    Args:
        bars: bronze stocks_daily of the month, after those of the months before it: windows reach
            back so far and no farther.
        adjustments: silver adjustments.
        session_bars: bars of the month's days rebuilt from minutes; none: no VWAP.
        fundamentals: silver financial_ratios of the quarters that may be known; none: no ratios.
        universe: see `read_universe`.
        month: YYYY-MM.

    Returns:
        number of rows.
    """
    frame = keep(returns.load(bars, "symbol", NEEDED), read_universe(universe), "symbol")
    frame = adjust(frame, pl.read_parquet(adjustments, hive_partitioning=False))
    factor = pl.col(FACTORS[0])
    frame = frame.with_columns(
        *((pl.col(name) * factor).alias(f"adj_{name}") for name in PRICES),
        adj_volume=pl.col("volume") / factor,
    )
    frame = returns.add_windows(frame, "symbol", "adj_close", "adj_volume").filter("own")
    frame = add_shape(frame).with_columns(alpha_daily=-pl.col("returns_1d"), month=pl.lit(month))
    vwaps = [tables.scan([day]).select("symbol", "date", "vwap").collect() for day in session_bars]
    nothing = pl.DataFrame(schema={n: COLUMNS[n].dtype for n in ("symbol", "date", "vwap")})
    frame = frame.join(
        pl.concat([nothing, *vwaps]), on=["symbol", "date"], how="left", maintain_order="left"
    )
    frame = add_fundamentals(frame, known_ratios(fundamentals))
    tables.write(tables.conform(frame, COLUMNS), out)
    return frame.height


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%d rows",
            build(
                bars=as_paths(snakemake.input.bars),  # noqa: F821
                adjustments=Path(snakemake.input.adjustments),  # noqa: F821
                session_bars=as_paths(snakemake.input.get("session_bars", [])),  # noqa: F821
                fundamentals=as_paths(snakemake.input.get("fundamentals", [])),  # noqa: F821
                universe=as_paths(snakemake.input.get("universe", [])),  # noqa: F821
                month=snakemake.wildcards.month,  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

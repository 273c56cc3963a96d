"""Bronze daily bars -> gold: adjusted prices, returns across months, what was known that day."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from scripts import tables
from scripts.lake import returns
from scripts.lake.adjust import FACTORS, adjust
from scripts.lake.bars import MONTH, STOCKS
from scripts.lake.inputs import as_paths
from scripts.lake.universe import among, read_universe
from scripts.tables import Column

RETURNS = (1, 5, 20)  # bars
PRICES = ("open", "high", "low", "close")
RATIOS = {  # of silver financial_ratios, those without a price in them: name -> meaning
    "gross_margin": "gross profit / revenues, percent",
    "operating_margin": "operating income / revenues, percent",
    "net_margin": "net income / revenues, percent",
    "roa": "net income of the quarter / assets, percent",
    "roe": "net income of the quarter / equity, percent",
    "roic": "net income of the quarter / (equity + long-term debt), percent",
    "current_ratio": "current assets / current liabilities",
    "quick_ratio": "(current assets - inventory) / current liabilities",
    "debt_to_equity": "debt / equity",
    "debt_to_assets": "debt / assets",
    "asset_turnover": "revenues of the quarter / assets",
    "free_cash_flow": "operating cash flow - |capital expenditure| of the quarter, currency",
    "revenue_growth": "revenues / those of the same quarter a year before - 1",
    "net_income_growth": "net income / that of the same quarter a year before - 1",
}
STALE_DAYS = 400  # a filing that old says nothing: a quarter and a late annual report are due
FUNDAMENTALS: tables.Columns = {
    "fundamental_filing_date": Column(
        pl.Date,
        "filing of the latest quarter filed on or before `date`, ours of the statements; null if "
        f"there is none or it is older than {STALE_DAYS} days",
    ),
    "fiscal_year": Column(pl.Int32, "fiscal year of that filing"),
    "fiscal_period": Column(pl.String, "Q1, Q2, Q3 or Q4 of that filing"),
    **{name: Column(pl.Float64, f"{text}, of that filing") for name, text in RATIOS.items()},
}
FILINGS: tables.Columns = {  # what is read of financial_ratios
    "ticker": Column(pl.String, "ticker"),
    "source": Column(pl.String, "calculated or vendor"),
    "timeframe": Column(pl.String, "quarterly, annual or ttm"),
    "filing_date": FUNDAMENTALS["fundamental_filing_date"],
    **{name: column for name, column in FUNDAMENTALS.items() if name != "fundamental_filing_date"},
}
SESSION: tables.Columns = {  # what is read of session_bars
    "symbol": STOCKS["symbol"],
    "date": STOCKS["date"],
    "vwap": Column(
        pl.Float64, "volume-weighted price of the regular session's minutes; null without minutes"
    ),
}
WINDOWS = returns.window_columns("adj_close", "adj_volume", RETURNS)
COLUMNS: tables.Columns = {
    "symbol": STOCKS["symbol"],
    "date": STOCKS["date"],
    **{name: column for name, column in STOCKS.items() if name not in ("symbol", "date")},
    **{f"adj_{name}": Column(pl.Float64, f"{name} * split_factor, dollars") for name in PRICES},
    "adj_volume": Column(pl.Float64, "volume / split_factor, shares"),
    "split_factor": Column(
        pl.Float64, "product of split_from / split_to over the splits after `date` (known today)"
    ),
    "total_return_factor": Column(
        pl.Float64,
        "split_factor * product of P / (P + D) over the dividends after `date`: raw close * it "
        "gives total returns",
    ),
    "returns_1d": WINDOWS["returns_1d"],
    "alpha_daily": Column(
        pl.Float64, "-returns_1d, another name of it that the peer uses; no alpha of a model"
    ),
    **WINDOWS,
    **returns.SHAPE,
    "vwap": SESSION["vwap"],
    **FUNDAMENTALS,
    **MONTH,
}


def known_filings(ratios: pl.LazyFrame) -> pl.DataFrame:
    """The filings to go by: one row a ticker and filing date, sorted.

    That is the latest quarter filed so far; a filing that amends an older quarter changes nothing.
    What later filings superseded stays, for that was known only later.

    Args:
        ratios: silver financial_ratios, columns `FILINGS`; used are our own of quarters.

    Returns:
        ticker and the columns `FUNDAMENTALS`.
    """
    ours = (pl.col("source") == "calculated") & (pl.col("timeframe") == "quarterly")
    order = ("ticker", "fundamental_filing_date", "fiscal_year", "fiscal_period")
    filings = (
        ratios.filter(ours)
        .rename({"filing_date": "fundamental_filing_date"})
        .select("ticker", *FUNDAMENTALS)
        .collect()
        .sort(order)
        .unique(order[:2], keep="last", maintain_order=True)
    )
    quarter = pl.struct("fiscal_year", "fiscal_period").rank("dense")
    latest = pl.col("quarter").cum_max().over("ticker")
    return filings.with_columns(quarter=quarter).filter(pl.col("quarter") == latest).drop("quarter")


def with_fundamentals(bars: pl.DataFrame, filings: pl.DataFrame) -> pl.DataFrame:
    """`bars` with the columns `FUNDAMENTALS` of the latest filing on or before each date.

    Args:
        bars: columns symbol, date and others, sorted by them.
        filings: as `known_filings`.
    """
    return bars.join_asof(
        filings,
        left_on="date",
        right_on="fundamental_filing_date",
        by_left="symbol",
        by_right="ticker",
        tolerance=f"{STALE_DAYS}d",
        coalesce=False,
        check_sortedness=False,  # sorted within each symbol
    )


def relevant(adjustments: pl.DataFrame, dates: pl.Series) -> pl.DataFrame:
    """The events that decide the factors of `dates`: within them, and each symbol's next one."""
    first, last = (pl.lit(day, pl.Date) for day in (dates.min(), dates.max()))
    later = adjustments.filter(pl.col("date") > last).sort("symbol", "date")
    within = adjustments.filter(pl.col("date") > first, pl.col("date") <= last)
    return pl.concat([within, later.unique("symbol", keep="first", maintain_order=True)])


def enrich(
    own: pl.DataFrame,
    earlier: Iterable[pl.DataFrame],
    adjustments: pl.DataFrame,
    sessions: pl.DataFrame,
    filings: pl.DataFrame,
) -> pl.DataFrame:
    """A month's bars with the columns `COLUMNS`, in the same order.

    Args:
        own: bronze stocks_daily of the month, sorted by (symbol, date).
        earlier: columns `returns.inputs` of months before, oldest first, each sorted so.
        adjustments: silver adjustments.
        sessions: columns `SESSION`, of the month's days.
        filings: as `known_filings`.

    Raises:
        DataError: as `returns.stack`.
    """
    history = returns.stack(earlier, own, "symbol")
    dates = history.bars.select("symbol", "date")
    factors = adjust(dates, relevant(adjustments, dates["date"])).select(FACTORS)
    split = factors["split_factor"].to_numpy()
    close, volume = (history.bars[name].to_numpy() for name in ("close", "volume"))
    close, volume = close * split, volume / split
    found = returns.windows(close, volume, history, RETURNS)
    factor = pl.col("split_factor")
    return (
        own.with_columns(factors[history.own], **found, **returns.shapes(own))
        .with_columns(
            *((pl.col(name) * factor).alias(f"adj_{name}") for name in PRICES),
            adj_volume=pl.Series(volume[history.own]),
            alpha_daily=-pl.col("returns_1d"),
        )
        .join(sessions, on=["symbol", "date"], how="left", maintain_order="left")
        .pipe(with_fundamentals, filings)
        .select(*COLUMNS)
    )


def build(
    *,
    bars: Sequence[Path],
    adjustments: Path,
    session_bars: Iterable[Path],
    fundamentals: Iterable[Path],
    universe: Sequence[Path],
    month: str,
    out: Path,
) -> dict:
    """Enrich the daily bars of one month and write its gold partition.

    Windows reach back over at most two earlier months: a symbol's bar further back counts as none.

    Args:
        bars: bronze stocks_daily of the two months before, as far as there are, and of the month.
        adjustments: silver adjustments.
        session_bars: silver session_bars of the month's days; none: vwap is null.
        fundamentals: silver financial_ratios of the quarters up to the month's; none: null.
        universe: none, or one file: the symbols to keep.
        month: YYYY-MM.
        out: parquet of `COLUMNS`, sorted by (symbol, date).

    Returns:
        the number of rows.

    Raises:
        DataError: as `returns.split_months` and `returns.stack`.
    """
    earlier, own = returns.split_months(bars, month)
    kept = among(read_universe(universe), "symbol")
    columns = returns.inputs("symbol")
    frame = enrich(
        tables.scan([own], {**STOCKS, **MONTH}).filter(kept).collect(),
        [tables.scan([path], columns).filter(kept).collect() for path in earlier],
        tables.scan([adjustments]).collect(),
        tables.scan(session_bars, SESSION).collect(),
        known_filings(tables.scan(fundamentals, FILINGS)),
    )
    tables.write(frame, out)
    return {"rows": frame.height}


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
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

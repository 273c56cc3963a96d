"""Our ratios and the vendor's -> one table by fiscal period and source, with its history."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from scripts import tables
from scripts.lake.build_calculated_ratios import RATIOS
from scripts.lake.inputs import as_paths
from scripts.lake.statements import KEY, PERIOD, quarter_name

SAME = {  # the vendor's name -> ours, where both mean the same
    "price": "price",
    "market_cap": "market_cap",
    "enterprise_value": "enterprise_value",
    "price_to_earnings": "price_to_earnings",
    "price_to_book": "price_to_book",
    "price_to_sales": "price_to_sales",
    "debt_to_equity": "debt_to_equity",
    "current": "current_ratio",
    "quick": "quick_ratio",
    "free_cash_flow": "free_cash_flow_ttm",
}
PERCENT = {"return_on_assets": "roa_ttm", "return_on_equity": "roe_ttm"}  # the vendor's: fractions
OWN = {  # only the vendor has it
    "average_volume": ("average_volume", "mean volume of the last 30 sessions (shares)"),
    "earnings_per_share": ("earnings_per_share", "of the last four quarters (USD per share)"),
    "price_to_cash_flow": ("price_to_cash_flow", "market cap / operating cash flow, if positive"),
    "price_to_free_cash_flow": (
        "price_to_free_cash_flow",
        "market cap / free cash flow, if positive",
    ),
    "dividend_yield": ("dividend_yield", "dividends of a year / price (fraction)"),
    "cash": ("cash_ratio", "cash / current liabilities"),
    "ev_to_sales": ("ev_to_sales", "enterprise value / revenues of the last four quarters"),
    "ev_to_ebitda": ("ev_to_ebitda", "enterprise value / EBITDA of the last four quarters"),
}
VENDOR: tables.Columns = {  # what is read of bronze
    "ticker": tables.Column(pl.String, "ticker"),
    "date": tables.Column(pl.Date, "session the ratios are of"),
    **{name: tables.Column(pl.Float64, "the vendor's") for name in (*SAME, *PERCENT, *OWN)},
}
COLUMNS: tables.Columns = {
    "ticker": tables.Column(pl.String, "ticker"),
    "fiscal_year": tables.Column(
        pl.Int32, "fiscal year; vendor: of the latest filing on or before filing_date, else null"
    ),
    "fiscal_period": tables.Column(pl.String, "Q1, Q2, Q3, Q4 or FY; vendor: as fiscal_year"),
    "timeframe": tables.Column(pl.String, "quarterly, annual or ttm; vendor: as fiscal_year"),
    "filing_date": tables.Column(
        pl.Date, "the day the row became known: of the filing; vendor: the session of its ratios"
    ),
    "source": tables.Column(pl.String, "calculated (ours, from statements) or vendor"),
    "superseded": tables.Column(
        pl.Boolean, "a later row of the same period and source exists; looks ahead of filing_date"
    ),
    "superseded_on": tables.Column(pl.Date, "filing_date of the next row of it; null: none yet"),
    **RATIOS,
    **{
        name: tables.Column(pl.Float64, f"vendor only: {meaning}") for name, meaning in OWN.values()
    },
    "quarter": tables.Column(pl.String, "calendar quarter of filing_date: the partition"),
}


def latest_filings(calculated: pl.DataFrame) -> pl.DataFrame:
    """The fiscal period of the last filing of each ticker and day, ordered by day.

    Of several periods filed that day it is the one that ends last, a quarter before its year.

    Args:
        calculated: columns `KEY` and end_date.
    """
    order = ["end_date", "fiscal_year", "fiscal_period", "timeframe"]
    return (
        calculated.sort("filing_date", "ticker", *order, nulls_last=False)
        .unique(["ticker", "filing_date"], keep="last", maintain_order=True)
        .select(KEY)
    )


def with_period(rows: pl.DataFrame, filings: pl.DataFrame) -> pl.DataFrame:
    """Vendor rows (ticker, date, ...) with the period of the last filing on or before the date.

    Args:
        rows: the vendor's, `date` becomes filing_date.
        filings: as `latest_filings` gives them.
    """
    return (
        rows.rename({"date": "filing_date"})
        .sort("filing_date", "ticker")
        .join_asof(filings, on="filing_date", by="ticker", check_sortedness=False)
    )


def vendor_rows(bronze: pl.DataFrame, filings: pl.DataFrame) -> pl.DataFrame:
    """The vendor's ratios under our names, in our units, with the period they belong to."""
    ours = SAME | {name: own for name, (own, _) in OWN.items()}
    return with_period(bronze, filings).select(
        *KEY,
        *(pl.col(name).alias(own) for name, own in ours.items()),
        *((100 * pl.col(name)).alias(own) for name, own in PERCENT.items()),
    )


def next_filings(rows: pl.DataFrame, later: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """`rows` with superseded_on: filing_date of the next row of the same period.

    Args:
        rows: columns `KEY` and others, all of one quarter.
        later: columns `KEY`, in steps of growing filing_date, all after the rows. One step is held
            at a time.
    """
    rows = rows.sort("filing_date").with_columns(
        superseded_on=pl.col("filing_date").shift(-1).over(PERIOD)
    )
    unknown = rows.filter(pl.col("superseded_on").is_null()).select(PERIOD)
    found = [unknown.clear().with_columns(pl.lit(None, pl.Date).alias("next"))]
    for step in later:
        first = step.group_by(PERIOD).agg(next=pl.col("filing_date").min())
        found.append(unknown.join(first, on=PERIOD, nulls_equal=True))
        unknown = unknown.join(first, on=PERIOD, how="anti", nulls_equal=True)
    after = rows.join(pl.concat(found), on=PERIOD, how="left", nulls_equal=True)
    return after.with_columns(pl.coalesce("superseded_on", "next")).drop("next")


def complete(rows: pl.DataFrame, source: str, quarter: str) -> pl.DataFrame:
    """Rows with superseded_on as `COLUMNS` of one source; what it has not is null."""
    columns = {
        "source": pl.lit(source),
        "superseded": pl.col("superseded_on").is_not_null(),
        "quarter": pl.lit(quarter),
    }
    absent = set(COLUMNS) - set(rows.columns) - set(columns)
    nothing = [pl.lit(None, column.dtype).alias(n) for n, column in COLUMNS.items() if n in absent]
    return tables.conform(rows.with_columns(*nothing, **columns), COLUMNS)


def build(*, calculated: Iterable[Path], vendor: Iterable[Path], quarter: str, out: Path) -> int:
    """Write one quarter's rows of both sources, told apart from what later rows superseded.

    Args:
        calculated: silver `calculated_ratios` of some quarters before, of this one and of all
            later ones.
        vendor: bronze `ratios` months of this quarter and all later ones; their names sort by
            month.
        quarter: calendar quarter of filing_date, as 2025Q2.
        out: parquet of `COLUMNS`, sorted by ticker, period, filing_date and source.

    Returns:
        number of rows.
    """
    key_columns: tables.Columns = {n: COLUMNS[n] for n in KEY}
    end = {"end_date": tables.Column(pl.Date, "last day of the period")}
    keys = tables.scan(calculated, {**key_columns, **end}).collect()
    filings = latest_filings(keys)
    own_quarter = quarter_name("filing_date") == quarter
    theirs = quarter_name("date")

    ours = tables.scan(calculated, {**key_columns, **RATIOS}).filter(own_quarter).collect()
    later_keys = keys.filter(quarter_name("filing_date") > quarter).select(KEY)
    ours = next_filings(ours, [later_keys])

    months = sorted(vendor)
    bronze = tables.scan(months, VENDOR).filter(theirs == quarter).collect()
    wanted = bronze["ticker"].unique().implode()
    steps = (
        tables.scan([month], {name: VENDOR[name] for name in ("ticker", "date")})
        .filter(theirs > quarter, pl.col("ticker").is_in(wanted))
        .collect()
        for month in months
    )
    rows = vendor_rows(bronze, filings)
    rows = next_filings(rows, (with_period(step, filings) for step in steps))
    parts = [complete(ours, "calculated", quarter), complete(rows, "vendor", quarter)]
    frame = pl.concat(parts).sort(*KEY, "source")
    tables.write(frame, out)
    return frame.height


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%d rows",
            build(
                calculated=as_paths(snakemake.input.get("calculated", [])),  # noqa: F821
                vendor=as_paths(snakemake.input.get("vendor", [])),  # noqa: F821
                quarter=snakemake.wildcards.quarter,  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

"""Bronze dividends, splits, IPOs or ticker events -> corporate actions in one schema."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from scripts import tables
from scripts.errors import DataError
from scripts.lake.inputs import as_paths

COLUMNS: tables.Columns = {
    "ticker": tables.Column(pl.String, "ticker; of a ticker change: the old one"),
    "event_date": tables.Column(pl.Date, "ex, execution, listing or change date"),
    "id": tables.Column(pl.String, "the vendor's; missing: TICKER_date, then TICKER_date_2, ..."),
    "cash_amount": tables.Column(pl.Float64, "dividend: cash per share (currency)"),
    "currency": tables.Column(pl.String, "dividend: currency of cash_amount"),
    "declaration_date": tables.Column(pl.Date, "dividend: day of its announcement"),
    "pay_date": tables.Column(pl.Date, "dividend: day of its payment"),
    "record_date": tables.Column(pl.Date, "dividend: day on which owners are listed"),
    "frequency": tables.Column(pl.Int32, "dividend: payments a year; 0: once"),
    "annualised_amount": tables.Column(
        pl.Float64, "dividend: cash_amount * frequency if that is 12, 4, 2 or 1, else null"
    ),
    "is_special": tables.Column(pl.Boolean, "dividend: frequency is 0"),
    "dividend_type": tables.Column(pl.String, "dividend: the vendor's type, CD, SC, LT or ST"),
    "split_from": tables.Column(pl.Float64, "split: shares before"),
    "split_to": tables.Column(pl.Float64, "split: shares after"),
    "split_ratio": tables.Column(pl.Float64, "split: split_to / split_from"),
    "is_reverse": tables.Column(pl.Boolean, "split: the ratio is below 1"),
    "issue_price": tables.Column(pl.Float64, "ipo: final price per share (currency)"),
    "max_shares": tables.Column(pl.Float64, "ipo: most shares offered (shares)"),
    "exchange": tables.Column(pl.String, "ipo: primary exchange (MIC)"),
    "ipo_status": tables.Column(pl.String, "ipo: the vendor's status"),
    "issuer_name": tables.Column(pl.String, "ipo: name of the issuer"),
    "new_ticker": tables.Column(pl.String, "ticker change: the new ticker"),
    "event_type": tables.Column(pl.String, "dividend, split, ipo or ticker_change: the partition"),
}


def dividends(bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Bronze dividends under silver's names."""
    cash, frequency = pl.col("cash_amount"), pl.col("frequency")
    return bronze.select(
        "ticker",
        "id",
        "cash_amount",
        "currency",
        "declaration_date",
        "pay_date",
        "record_date",
        "frequency",
        "dividend_type",
        event_date="ex_dividend_date",
        annualised_amount=pl.when(frequency.is_in([12, 4, 2, 1])).then(cash * frequency),
        is_special=frequency == 0,
    )


def splits(bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Bronze splits under silver's names."""
    before, after = pl.col("split_from"), pl.col("split_to")
    split_ratio = pl.when(before != 0).then(after / before)
    return bronze.select(
        "ticker",
        "id",
        "split_from",
        "split_to",
        event_date="execution_date",
        split_ratio=split_ratio,
        is_reverse=split_ratio < 1,
    )


def ipos(bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Bronze IPOs under silver's names."""
    return bronze.select(
        "ticker",
        "ipo_status",
        "issuer_name",
        event_date="listing_date",
        id=pl.lit(None, pl.String),
        issue_price="final_issue_price",
        max_shares="max_shares_offered",
        exchange="primary_exchange",
    )


def ticker_changes(bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Bronze ticker events that changed a ticker, under silver's names.

    An entity's first event has no old ticker and is none. A change found by asking for its old and
    for its new ticker is one change.
    """
    old, new = pl.col("old_ticker"), pl.col("new_ticker")
    changed = (pl.col("event_type") == "ticker_change") & (old != new)
    columns = {"ticker": old, "event_date": pl.col("date"), "new_ticker": new}
    return bronze.filter(changed).select(id=pl.lit(None, pl.String), **columns).unique()


SELECT = {
    "dividend": dividends,
    "ipo": ipos,
    "split": splits,
    "ticker_change": ticker_changes,
}


def identify(events: pl.DataFrame) -> pl.DataFrame:
    """Events in the order (event_date, ticker, id), each with an id of its own.

    The vendor's id: of rows that share one the last is kept (a date moved into another month, which
    was fetched later). No id: TICKER_date; distinct events of a ticker and day are numbered from
    the second on, in the order of their values. Events that are equal but for their id are one: a
    split told twice must not count twice.

    Args:
        events: columns `COLUMNS`, in the order they were fetched.
    """
    given = events.filter(pl.col("id").is_not_null())
    given = given.unique("id", keep="last", maintain_order=True)
    other = [name for name in COLUMNS if name != "id"]
    made = events.filter(pl.col("id").is_null()).unique().sort(other)
    number = pl.int_range(1, pl.len() + 1).over("ticker", "event_date")
    name = pl.format("{}_{}", "ticker", "event_date")
    numbered = pl.format("{}_{}", name, number)
    made = made.with_columns(id=pl.when(number == 1).then(name).otherwise(numbered))
    events = pl.concat([given.sort("id"), made]).unique(other, keep="first", maintain_order=True)
    return events.sort("event_date", "ticker", "id")


def build(*, files: Iterable[Path], event_type: str, out: Path) -> int:
    """Write the corporate actions of one type.

    Args:
        files: bronze months of the type's dataset, in order.
        event_type: dividend, split, ipo or ticker_change.
        out: parquet of `COLUMNS`, sorted by event_date, ticker and id.

    Returns:
        number of events.

    Raises:
        DataError: no such type.
    """
    if event_type not in SELECT:
        raise DataError(f"event type {event_type!r} is none of {', '.join(SELECT)}")
    paths = list(files)
    empty = [pl.lit(None, column.dtype).alias(name) for name, column in COLUMNS.items()]
    if paths:
        chosen = SELECT[event_type](tables.scan(paths)).collect()
        absent = [column for column, name in zip(empty, COLUMNS, strict=True) if name not in chosen]
        chosen = chosen.with_columns(absent).with_columns(event_type=pl.lit(event_type))
        events = identify(tables.conform(chosen, COLUMNS))
    else:
        events = pl.DataFrame(schema=tables.schema_of(COLUMNS))
    tables.write(events, out)
    return events.height


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%d events",
            build(
                files=as_paths(snakemake.input.get("files", [])),  # noqa: F821
                event_type=snakemake.wildcards.event_type,  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

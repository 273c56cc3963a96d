"""Splits, dividends and closes -> cumulative split and total-return factors."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import polars as pl

from scripts import tables
from scripts.lake import build_corporate_actions as actions
from scripts.lake.adjust import adjust
from scripts.lake.inputs import CLOSES, as_paths

COLUMNS: tables.Columns = {
    "symbol": tables.Column(pl.String, "symbol"),
    "date": tables.Column(
        pl.Date, "execution or ex date; the factors hold before it, from the event before it on"
    ),
    "split_factor": tables.Column(
        pl.Float64, "product of split_from / split_to from this event on: adjusted = raw * factor"
    ),
    "total_return_factor": tables.Column(
        pl.Float64,
        "split_factor * product of P / (P + D) from this event on: D the dividend (USD per share), "
        "P the raw close of the ex date",
    ),
}


def is_usable_split(end: date) -> pl.Expr:
    """Splits up to `end` whose numbers of shares are positive."""
    positive = (pl.col("split_from") > 0) & (pl.col("split_to") > 0)
    return positive & (pl.col("event_date") <= end)


def is_usable_dividend(end: date) -> pl.Expr:
    """Positive dividends in USD up to `end`."""
    dollars = (pl.col("currency") == "USD") & (pl.col("cash_amount") > 0)
    return dollars & (pl.col("event_date") <= end)


def split_events(usable: pl.DataFrame) -> pl.DataFrame:
    """Columns symbol, date, split (from / to): of silver actions; several of a day multiplied."""
    return _by_day(usable, pl.col("split_from") / pl.col("split_to")).agg(
        split=pl.col("value").product()
    )


def dividend_events(usable: pl.DataFrame) -> pl.DataFrame:
    """Columns symbol, date, cash (USD per share): of silver actions; several of a day added."""
    return _by_day(usable, pl.col("cash_amount")).agg(cash=pl.col("value").sum())


def _by_day(usable: pl.DataFrame, value: pl.Expr) -> pl.dataframe.group_by.GroupBy:
    events = usable.select("id", symbol="ticker", date="event_date", value=value)
    ordered = events.sort("symbol", "date", "id", "value")
    return ordered.group_by("symbol", "date", maintain_order=True)


def with_closes(dividends: pl.DataFrame, months: Iterable[Path], end: date) -> pl.DataFrame:
    """Dividends with close and close_date: of the ex date, else of the first session after it.

    One month of prices is held at a time. A dividend without any such session is left out.

    Args:
        dividends: columns symbol, date and others.
        months: daily bars in the order of time; only a positive close counts.
        end: last session to look at.
    """
    waiting, found = dividends.sort("date"), []
    for month in months:
        days = tables.scan([month], CLOSES).filter(pl.col("date") <= end, pl.col("close") > 0)
        wanted = pl.col("symbol").is_in(waiting["symbol"].unique().implode())
        closes = days.filter(wanted).with_columns(close_date="date").collect()
        if closes.is_empty():
            continue
        closes = closes.sort("date", "symbol")
        due = waiting.filter(pl.col("date") <= closes["date"].max())
        priced = due.join_asof(
            closes, on="date", by="symbol", strategy="forward", check_sortedness=False
        ).drop_nulls("close")
        found.append(priced)
        waiting = waiting.join(priced, on=["symbol", "date"], how="anti", maintain_order="left")
    nothing = dividends.clear().with_columns(close=pl.lit(None, pl.Float64), close_date="date")
    return pl.concat([nothing, *found]).sort("symbol", "date")


def dividend_factors(dividends: pl.DataFrame, splits: pl.DataFrame) -> pl.DataFrame:
    """Columns symbol, date, dividend: P / (P + D) of each ex date.

    P may be of a later session than the ex date. Then a split between them changes what a share is:
    D is brought to the shares of P. And several dividends may fall on one P: the factors of the
    earlier are such that the product of all is P / (P + sum of D).

    Args:
        dividends: columns symbol, date, cash, close, close_date.
        splits: symbol, date, split_factor, total_return_factor.
    """
    at_ex = adjust(dividends.select("symbol", "date"), splits)["split_factor"]
    at_close = adjust(dividends.select("symbol", date="close_date"), splits)["split_factor"]
    price, group = pl.col("close"), ("symbol", "close_date")
    owed = pl.col("cash").cum_sum(reverse=True).over(group)  # on this ex date and on later ones
    return (
        dividends.with_columns(cash=pl.col("cash") * (at_ex / at_close))
        .sort("symbol", "date")
        .with_columns(before=price + owed)
        .with_columns(after=pl.col("before").shift(-1).over(group).fill_null(price))
        .select("symbol", "date", dividend=pl.col("after") / pl.col("before"))
    )


def cumulate(splits: pl.DataFrame, dividends: pl.DataFrame) -> pl.DataFrame:
    """Factors that hold before each event: products over it and all later ones of its symbol.

    Args:
        splits: columns symbol, date, split.
        dividends: columns symbol, date, dividend.

    Returns:
        `COLUMNS`, sorted by symbol and date.
    """
    key = ["symbol", "date"]
    events = splits.join(dividends, on=key, how="full", coalesce=True).sort(key)
    product = pl.col("split", "dividend").fill_null(1.0).cum_prod(reverse=True).over("symbol")
    frame = events.with_columns(product).with_columns(
        split_factor="split", total_return_factor=pl.col("split") * pl.col("dividend")
    )
    return tables.conform(frame, COLUMNS)


def build(
    *,
    splits: Iterable[Path],
    dividends: Iterable[Path],
    prices: Iterable[Path],
    end: str,
    out: Path,
) -> dict[str, int]:
    """Cumulate the factors of all symbols and write them.

    Args:
        splits, dividends: silver corporate actions of that type; none: no such events.
        prices: bronze months of daily bars; their names sort by month.
        end: last session, YYYY-MM-DD: later events are left out.
        out: parquet of `COLUMNS`, one row for each symbol and day with an event.

    Returns:
        counts: rows; splits_left_out and dividends_left_out (later than `end`, not positive, or not
        in USD); dividends_without_bar (days on or after which the symbol has no bar).
    """
    last = date.fromisoformat(end)
    split_actions = tables.scan(splits, actions.COLUMNS).collect()
    dividend_actions = tables.scan(dividends, actions.COLUMNS).collect()
    usable_splits = split_actions.filter(is_usable_split(last))
    usable_dividends = dividend_actions.filter(is_usable_dividend(last))
    split_days = split_events(usable_splits)
    dividend_days = dividend_events(usable_dividends)
    nothing = split_days.clear().rename({"split": "dividend"})
    priced = with_closes(dividend_days, sorted(prices), last)
    frame = cumulate(split_days, dividend_factors(priced, cumulate(split_days, nothing)))
    tables.write(frame, out)
    return {
        "rows": frame.height,
        "splits_left_out": split_actions.height - usable_splits.height,
        "dividends_left_out": dividend_actions.height - usable_dividends.height,
        "dividends_without_bar": dividend_days.height - priced.height,
    }


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                splits=as_paths(snakemake.input.get("splits", [])),  # noqa: F821
                dividends=as_paths(snakemake.input.get("dividends", [])),  # noqa: F821
                prices=as_paths(snakemake.input.get("prices", [])),  # noqa: F821
                end=snakemake.params.end,  # noqa: F821
                out=Path(snakemake.output.adjustments),  # noqa: F821
            ),
        )

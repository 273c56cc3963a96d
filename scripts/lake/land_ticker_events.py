"""Ticker changes of a month, of the companies behind some tickers -> bronze."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl

from scripts import tables
from scripts.errors import DataError
from scripts.lake import records
from scripts.lake.readers import day, text
from scripts.tables import Column

COLUMNS: tables.Columns = {
    "ticker": Column(pl.String, "ticker the events were asked for by"),
    "name": Column(pl.String, "the company"),
    "composite_figi": Column(pl.String, "FIGI of the security"),
    "cik": Column(pl.String, "the company's number at the SEC"),
    "event_type": Column(pl.String, "ticker_change"),
    "date": Column(pl.Date, "first day under the new ticker"),
    "old_ticker": Column(pl.String, "ticker of the event before; null for the first"),
    "new_ticker": Column(pl.String, "ticker from that day on"),
    "month": Column(pl.String, "month of date, YYYY-MM: the partition"),
}
PATH = "/vX/reference/tickers/{ticker}/events"
KEY = ("ticker", "event_type", "date", "new_ticker")
LAYOUT = records.Layout(COLUMNS, needed=KEY, key=KEY)


def predecessors(events: list[Any]) -> dict[tuple[str, str], str]:
    """The ticker before each change, by its (date, new ticker); a first change has none.

    Args:
        events: of one company, in any order; a change told twice counts once. What is no readable
            change is passed over.
    """
    changes = set()
    for event in events:
        try:
            at, new = day(event["date"]).isoformat(), text(event["ticker_change"]["ticker"])
            if event["type"] == "ticker_change" and new:
                changes.add((at, new))
        except (TypeError, LookupError, ValueError):
            continue
    line = sorted(changes)
    return {later: earlier[1] for earlier, later in pairwise(line)}


def rows_of(ticker: str, entity: Any, window: records.Window) -> Iterator[records.Row]:
    """The events of one answer that lie in the window, or cannot be read.

    Args:
        ticker: asked for.
        entity: the answer's `results`: name, composite_figi, cik, events.
        window: of the partition.
    """
    source = PATH.format(ticker=quote(ticker, safe=""))
    events = entity.get("events") if isinstance(entity, dict) else None
    if not isinstance(events, list):
        wrong = records.Refusal("events", events, "is not a list")
        yield records.Row(source, 1, entity, wrong)
        return
    before = predecessors(events)
    company = {name: entity.get(name) for name in ("name", "composite_figi", "cik")}

    def fields_of(event: dict[str, Any]) -> dict[str, Any] | records.Refusal:
        change = event.get("ticker_change")
        if not isinstance(change, dict):
            return records.Refusal("ticker_change", change, "is not an object")
        at, new = event.get("date"), change.get("ticker")
        known = isinstance(at, str) and isinstance(new, str)
        return {
            **company,
            "ticker": ticker,
            "event_type": event.get("type"),
            "date": at,
            "old_ticker": before.get((at, new)) if known else None,
            "new_ticker": new,
        }

    for line, event in enumerate(events, start=1):
        row = records.row_of(source, line, event, fields_of)
        if not lies_elsewhere(event, window):
            yield row


def lies_elsewhere(event: Any, window: records.Window) -> bool:
    """Whether an event has a date outside the window: then it is another partition's."""
    try:
        return not window.first <= day(event["date"]) < window.end
    except (TypeError, LookupError, ValueError):
        return False


def land(
    *,
    api: records.Api,
    tickers: list[str],
    month: str,
    partition: Path,
    quarantine: Path,
    reconcile: Path,
) -> dict:
    """Ask for the events of each ticker and write those of a month.

    The vendor tells all events of a ticker at once; events of other months are not counted.

    Args:
        api: the vendor.
        tickers: asked for one by one.
        month: YYYY-MM of the events' date.
        partition: parquet of COLUMNS.
        quarantine: parquet of `records.QUARANTINE`.
        reconcile: JSON {rows_in, good, duplicates, quarantined, reasons, without_data};
            `without_data` counts tickers unknown to the vendor or without any event ever.

    Returns:
        what was written to `reconcile`.

    Raises:
        DataError: there are no tickers to ask for.
    """
    if tickers is None:
        raise DataError(
            "ticker_events are told ticker by ticker; set lake.fundamental_tickers or lake.universe"
        )
    window = records.month_window(month)
    rows, without_data = [], 0
    for ticker in tickers:
        entity = api.record(PATH.format(ticker=quote(ticker, safe="")), {})
        if entity is None or (isinstance(entity, dict) and not entity.get("events")):
            without_data += 1
        else:
            rows.extend(rows_of(ticker, entity, window))
    return records.land(
        rows, LAYOUT, window, partition, quarantine, reconcile, without_data=without_data
    )


if __name__ == "__main__":
    from scripts.job import environment, job
    from scripts.lake.vendor import open_api

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            land(
                api=open_api(
                    snakemake.params.vendor,  # noqa: F821
                    snakemake.params.seed,  # noqa: F821
                    snakemake.params.as_of,  # noqa: F821
                    environment(),
                ),
                tickers=snakemake.params.tickers,  # noqa: F821
                month=snakemake.wildcards.month,  # noqa: F821
                partition=Path(snakemake.output.partition),  # noqa: F821
                quarantine=Path(snakemake.output.quarantine),  # noqa: F821
                reconcile=Path(snakemake.output.reconcile),  # noqa: F821
            ),
        )

"""Bars of bronze: their columns, and the account of what was read and what was refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from scripts.lake import occ
from scripts.lake.flatfile import FIELDS, REFUSED, FlatFile
from scripts.tables import Column, Columns, conform

_BAR: Columns = {
    "timestamp": Column(pl.Datetime("ns", "UTC"), "start of the bar's window, UTC"),
    "open": Column(pl.Float64, "first price, dollars"),
    "high": Column(pl.Float64, "highest price, dollars"),
    "low": Column(pl.Float64, "lowest price, dollars"),
    "close": Column(pl.Float64, "last price, dollars"),
    "volume": Column(pl.Float64, "traded shares (options: contracts), may be fractional"),
    "transactions": Column(pl.UInt32, "number of trades"),
    "date": Column(pl.Date, "trading date in New York, that of the flat file"),
}
STOCKS: Columns = {"symbol": Column(pl.String, "ticker, upper and lower case differ"), **_BAR}
OPTIONS: Columns = {
    "ticker": Column(pl.String, "option symbol, `O:` and the OCC's"),
    "underlying": Column(pl.String, "root of the symbol; null if the symbol does not parse"),
    "expiration": Column(pl.Date, "expiry of the contract; null if the symbol does not parse"),
    "contract_type": Column(pl.String, "`call` or `put`; null if the symbol does not parse"),
    "strike": Column(pl.Float64, "strike, dollars; null if the symbol does not parse"),
    **_BAR,
}
QUARANTINE: Columns = {
    "source": Column(pl.String, "the flat file"),
    "line": Column(REFUSED["line"], "line of the file, its header being 1"),
    **{
        name: Column(REFUSED[name], f"{name} as it was, as text; null: the line is too short")
        for name in FIELDS
    },
    "reason": Column(REFUSED["reason"], "what is wrong with the row"),
}
LANDED: Columns = {  # of a flat file, as the vendor writes it
    "ticker": Column(pl.String, "ticker, upper and lower case differ; options: `O:` and the OCC's"),
    "volume": Column(pl.Float64, "traded shares (options: contracts), may be fractional"),
    "open": Column(pl.Float64, "first price, dollars"),
    "close": Column(pl.Float64, "last price, dollars"),
    "high": Column(pl.Float64, "highest price, dollars"),
    "low": Column(pl.Float64, "lowest price, dollars"),
    "window_start": Column(pl.Int64, "start of the bar's window, ns since the epoch, UTC"),
    "transactions": Column(pl.Int64, "number of trades"),
}
MONTH: Columns = {"month": Column(pl.String, "month of `date`, YYYY-MM")}


def is_options(dataset: str) -> bool:
    """Whether a flat dataset is of options: theirs have the columns `OPTIONS`."""
    return dataset.startswith("options_")


def to_bronze(good: pl.DataFrame, dataset: str) -> pl.DataFrame:
    """Rows in the columns of bronze, in the same order.

    Args:
        good: as `FlatFile.good`, sorted by ticker.
        dataset: one of the four flat datasets.
    """
    if not is_options(dataset):
        return good.rename({"ticker": "symbol"}).select(*STOCKS)
    run = good["ticker"].rle_id()  # one symbol has many rows: parse it once
    first = run.is_first_distinct()
    parts = occ.parse(good["ticker"].filter(first))[run]
    return pl.concat([good, parts], how="horizontal").select(*OPTIONS)


def total(volume: pl.Series) -> float:
    """Sum of a volume column, correctly rounded: it does not depend on the order of the rows."""
    return math.fsum(volume.to_numpy())


def account(days: Mapping[str, dict], bad: pl.DataFrame, volume: float, rows: pl.DataFrame) -> dict:
    """The account of a partition: rows_in = good + quarantined.

    Args:
        days: date -> `day_account`.
        bad: the refused rows of all of them.
        volume: `total` of the good rows.
        rows: the partition, for the symbols in it that do not parse (options).

    Returns:
        rows_in, good, quarantined, reasons, volume, unparsed_occ (rows; options only), days.
    """
    sums = {
        name: sum(day[name] for day in days.values()) for name in ("rows_in", "good", "quarantined")
    }
    unparsed = {"unparsed_occ": rows["strike"].null_count()} if "strike" in rows.columns else {}
    reasons = dict(sorted(bad["reason"].value_counts().rows()))
    return {**sums, "reasons": reasons, "volume": volume, **unparsed, "days": dict(days)}


def day_account(file: FlatFile) -> dict:
    """The account of one file: rows_in, good, quarantined, volume (of the good rows)."""
    return {
        "rows_in": file.rows,
        "good": file.good.height,
        "quarantined": file.bad.height,
        "volume": total(file.good["volume"]),
    }


def quarantined(file: FlatFile, path: Path) -> pl.DataFrame:
    """Refused rows as they are kept, columns `QUARANTINE`."""
    return conform(file.bad.with_columns(source=pl.lit(str(path))), QUARANTINE)

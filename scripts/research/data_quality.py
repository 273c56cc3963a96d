"""What the lake says of its own rows: counted, refused and why, and whether the accounts agree.

Paths are those of the graph: reconcile/{dataset}/{key}.json, quarantine/{dataset}/{key}.parquet and
reconcile/sessions/{date}.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from scripts.errors import DataError

SESSIONS = "sessions"  # the folder of accounts by session, beside those of the datasets
COUNTS = ("rows_in", "good", "duplicates", "quarantined")
ACCOUNT = ("rows_in", "good", "quarantined", "out", "outside_universe")
VOLUMES = ("volume_in", "volume_bronze", "volume_out")
BARS = ("compared", "equal", "only_minute", "only_day")


def counts(paths: Iterable[Path]) -> pl.DataFrame:
    """Rows of every partition.

    Args:
        paths: reconcile JSONs; those of sessions are passed over.

    Returns:
        dataset, key, rows_in, good, duplicates, quarantined, by dataset and key.

    Raises:
        DataError: rows_in is not good + duplicates + quarantined.
    """
    rows = []
    for path, told in _told(paths):
        row = {name: told.get(name, 0) for name in COUNTS}
        if row["rows_in"] != row["good"] + row["duplicates"] + row["quarantined"]:
            raise DataError(f"{path}: {row} does not add up, expected rows_in to be all the others")
        rows.append({"dataset": path.parent.name, "key": path.stem, **row})
    return _frame(rows, COUNTS).sort("dataset", "key")


def reasons(paths: Iterable[Path]) -> pl.DataFrame:
    """Why rows were refused: dataset, reason, rows, most first."""
    rows = [
        {"dataset": path.parent.name, "reason": reason, "rows": number}
        for path, told in _told(paths)
        for reason, number in told["reasons"].items()
    ]
    schema = {"dataset": pl.String, "reason": pl.String, "rows": pl.Int64}
    summed = (
        pl.DataFrame(rows, schema=schema).group_by("dataset", "reason").agg(pl.col("rows").sum())
    )
    return summed.sort("rows", "dataset", "reason", descending=[True, False, False])


def kept_aside(paths: Iterable[Path]) -> pl.DataFrame:
    """Rows that lie in quarantine, counted from the files themselves: dataset, key, kept."""
    rows = [
        {
            "dataset": path.parent.name,
            "key": path.stem,
            "kept": pq.ParquetFile(path).metadata.num_rows,
        }
        for path in paths
    ]
    return _frame(rows, ("kept",)).sort("dataset", "key")


def disagreements(counted: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """Partitions whose count of refused rows is not what lies in quarantine.

    Returns:
        dataset, key, quarantined (told), kept (found; null: no file), of those that differ.
    """
    both = counted.join(kept, on=["dataset", "key"], how="full", coalesce=True)
    differs = pl.col("quarantined").ne_missing(pl.col("kept"))
    return both.filter(differs).select("dataset", "key", "quarantined", "kept")


def by_dataset(counted: pl.DataFrame) -> pl.DataFrame:
    """`counts` summed: dataset, partitions, the counts, refused (share of rows_in)."""
    summed = counted.group_by("dataset").agg(pl.len().alias("partitions"), pl.col(COUNTS).sum())
    share = pl.when(pl.col("rows_in") > 0).then(pl.col("quarantined") / pl.col("rows_in"))
    return summed.with_columns(refused=share).sort("dataset")


def accounts(paths: Iterable[Path]) -> pl.DataFrame:
    """Rows and volume of every session through the layers.

    Args:
        paths: JSONs of reconcile/sessions.

    Returns:
        date, dataset, rows_in, good, quarantined, out (gold), outside_universe, volume_in,
        volume_bronze, volume_out; null where a layer does not hold the dataset.
    """
    rows = []
    for path in sorted(paths):
        told = json.loads(path.read_text(encoding="utf-8"))
        for dataset, account in told["datasets"].items():
            named = {name: account[name] for name in (*ACCOUNT, *VOLUMES)}
            rows.append({"date": date.fromisoformat(told["date"]), "dataset": dataset, **named})
    schema = {"date": pl.Date, "dataset": pl.String, **dict.fromkeys(ACCOUNT, pl.Int64)}
    return pl.DataFrame(rows, schema=schema | dict.fromkeys(VOLUMES, pl.Float64))


def coverage(accounted: pl.DataFrame) -> pl.DataFrame:
    """How many sessions each dataset has, of those that any has.

    Returns:
        dataset, sessions, missing, first, last, share, by dataset.
    """
    every = accounted["date"].n_unique()
    found = accounted.group_by("dataset").agg(
        sessions=pl.col("date").n_unique(), first=pl.col("date").min(), last=pl.col("date").max()
    )
    missing = (every - pl.col("sessions")).cast(pl.Int64)
    return (
        found.with_columns(missing=missing, share=pl.col("sessions") / every)
        .select("dataset", "sessions", "missing", "first", "last", "share")
        .sort("dataset")
    )


def layers(accounted: pl.DataFrame) -> pl.DataFrame:
    """Rows of each dataset from the vendor's files to gold.

    Returns:
        dataset, rows_in, quarantined, good (bronze), outside_universe, out (gold), unexplained:
        good - outside_universe - out; the last three null for datasets without gold.
    """
    known = [pl.when(pl.col(n).count() > 0).then(pl.col(n).sum()) for n in ACCOUNT[3:]]
    summed = accounted.group_by("dataset").agg(pl.col(ACCOUNT[:3]).sum(), *known)
    rest = pl.col("good") - pl.col("outside_universe") - pl.col("out")
    order = ("dataset", "rows_in", "quarantined", "good", "outside_universe", "out", "unexplained")
    return summed.with_columns(unexplained=rest).select(order).sort("dataset")


def bars_compared(paths: Iterable[Path]) -> pl.DataFrame:
    """Day bars rebuilt from minutes against the vendor's own, by session.

    Returns:
        date, compared, equal, only_minute, only_day (symbols); sessions without both are left out.
    """
    told = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(paths)]
    rows = [
        {"date": date.fromisoformat(one["date"]), **{name: one["bars"][name] for name in BARS}}
        for one in told
        if one["bars"]
    ]
    return pl.DataFrame(rows, schema={"date": pl.Date, **dict.fromkeys(BARS, pl.Int64)})


def split_days(daily: pl.DataFrame) -> pl.DataFrame:
    """Returns over every split, from raw and from adjusted closes.

    Args:
        daily: symbol, date, close, adj_close (currency), split_factor: adj_close = close * factor.

    Returns:
        symbol, date (first session after the split), ratio (new shares for one old), raw_return,
        adj_return (natural logarithms), by symbol and date.

    Raises:
        DataError: a column is missing, or a price is not above 0.
    """
    needed = ("symbol", "date", "close", "adj_close", "split_factor")
    if missing := [name for name in needed if name not in daily.columns]:
        raise DataError(f"no column {', '.join(missing)}; expected {', '.join(needed)}")
    if not (daily["close"].drop_nulls() > 0).all():
        raise DataError("a close that is not above 0; expected prices")
    before = [pl.col(n).shift(1).over("symbol").alias(f"{n}_before") for n in needed[2:]]
    steps = daily.select(needed).sort("symbol", "date").with_columns(before)
    turned = steps.filter(pl.col("split_factor") != pl.col("split_factor_before"))
    return turned.select(
        "symbol",
        "date",
        ratio=pl.col("split_factor") / pl.col("split_factor_before"),
        raw_return=(pl.col("close") / pl.col("close_before")).log(),
        adj_return=(pl.col("adj_close") / pl.col("adj_close_before")).log(),
    )


def _told(paths: Iterable[Path]) -> Iterable[tuple[Path, dict]]:
    """Each reconcile JSON of a dataset, parsed, by path."""
    wanted = sorted(path for path in paths if path.parent.name != SESSIONS)
    return ((path, json.loads(path.read_text(encoding="utf-8"))) for path in wanted)


def _frame(rows: list[dict], numbers: Iterable[str]) -> pl.DataFrame:
    schema = {"dataset": pl.String, "key": pl.String, **dict.fromkeys(numbers, pl.Int64)}
    return pl.DataFrame(rows, schema=schema)

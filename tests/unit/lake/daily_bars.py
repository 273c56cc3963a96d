"""Random daily bars over three months, and their windows by a slow, obvious loop."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from scripts import tables

MONTHS = ("2025-06", "2025-07", "2025-08")
SESSIONS = [d for d in (date(2025, 6, 2) + timedelta(n) for n in range(89)) if d.weekday() < 5]


def bar(key: str, symbol: str, day: date, close: float, **other: object) -> dict:
    """One bar of bronze; what is not given follows from the close."""
    return {
        key: symbol,
        "timestamp": datetime(day.year, day.month, day.day, 4, tzinfo=UTC),
        "open": close,
        "high": close + 1,
        "low": close / 2,
        "close": close,
        "volume": 100.0,
        "transactions": 7,
        "date": day,
        "month": f"{day:%Y-%m}",
        **other,
    }


def bars(key: str, symbols: Iterable[str], seed: int) -> list[dict]:
    """Bars of all `SESSIONS` with gaps, late and early symbols, and prices of zero and below."""
    rng, rows = random.Random(seed), []
    for symbol in symbols:
        chance = rng.choice([1.0, 1.0, 0.9, 0.3])
        first, last = rng.choice([(0, 99), (0, 99), (0, 50), (35, 99), (47, 99)])  # late, early
        price = rng.uniform(1, 300)
        for number, day in enumerate(SESSIONS):
            price *= math.exp(rng.gauss(0, 0.02))
            if rng.random() > chance or not first <= number < last:
                continue
            close = rng.choice([0.0, -1.0]) if rng.random() < 0.01 else round(price, 2)
            opening = 0.0 if rng.random() < 0.01 else round(price * rng.uniform(0.97, 1.03), 2)
            volume = 0.0 if rng.random() < 0.05 else float(rng.randrange(1, 10**9)) / 2
            rows.append(bar(key, symbol, day, close, open=opening, volume=volume))
    return rows


def frame(rows: Sequence[dict], columns: tables.Columns) -> pl.DataFrame:
    """Rows as bronze, sorted by (symbol, timestamp); a column no row has is null."""
    return pl.DataFrame(list(rows), schema=tables.schema_of(columns), orient="row").sort(
        next(iter(columns)), "timestamp"
    )


def write_months(rows: Sequence[dict], columns: tables.Columns, folder: Path) -> list[Path]:
    """Bronze partitions of `MONTHS` that have rows, in order."""
    found = frame(rows, columns)
    paths = []
    for month in MONTHS:
        part = found.filter(pl.col("month") == month)
        if part.height:
            paths.append(folder / f"month={month}" / "part.parquet")
            tables.write(part, paths[-1])
    return paths


def slow_windows(
    days: Sequence[date], closes: Sequence[float], volumes: Sequence[float], lengths: Sequence[int]
) -> list[dict]:
    """The window columns of one symbol's bars, oldest first, each from its definition."""

    def change(now: int, back: int) -> float | None:
        then = now - back
        if then < 0 or closes[now] <= 0 or closes[then] <= 0:
            return None
        return math.log(closes[now] / closes[then])

    rows = []
    for now, day in enumerate(days):
        row: dict = {"date": day}
        for length in lengths:
            row[f"returns_{length}d"] = change(now, length)
        last = [change(k, 1) for k in range(now - 19, now + 1)] if now >= 19 else [None]
        row["volatility_20d"] = None if None in last else statistics.stdev(last)
        mean = statistics.fmean(volumes[now - 19 : now + 1]) if now >= 19 else 0
        row["volume_ratio_20d"] = volumes[now] / mean if mean else None
        rows.append(row)
    return rows


def slow_shape(row: dict) -> dict:
    """The columns `returns.SHAPE` of one bar."""
    usable = row["open"] > 0 and row["close"] > 0
    return {
        "price_range": row["high"] - row["low"],
        "daily_return": (row["close"] - row["open"]) / row["open"] if usable else None,
        "typical_price": (row["high"] + row["low"] + row["close"]) / 3,
    }

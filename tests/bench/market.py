"""Full-size days of a made-up market in the vendor's flat-file format, for measuring.

Every function is a pure function of its arguments. Sizes are those of a typical real day.
"""

from __future__ import annotations

import gzip
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

HEADER = ("ticker", "volume", "open", "close", "high", "low", "window_start", "transactions")
SYMBOLS, MINUTE_ROWS, OPTION_ROWS = 11_000, 1_500_000, 250_000
NEW_YORK = ZoneInfo("America/New_York")
SESSION = range(4 * 60, 20 * 60)  # minutes of the New York clock with trading


def symbols(count: int = SYMBOLS) -> np.ndarray:
    """`count` tickers of one to four letters, sorted; NA and others that look null among them."""
    letters = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    numbers = np.arange(count)
    digits = [letters[numbers // 26**place % 26] for place in range(4)]
    names = ["".join(chars[: 2 + i % 3]) for i, chars in enumerate(zip(*digits, strict=True))]
    names = sorted({*names, "NA", "NaN", "nan", "null", "NULL", "None", "BRK.A", "ABRpD", "ABRPD"})
    extra = (f"Q{number:04}" for number in range(count))
    return np.array(sorted(names[:count] + [next(extra) for _ in range(count - len(names))]))


def clock(day: date, minute: np.ndarray | int) -> np.ndarray:
    """UTC nanoseconds of minutes of the New York clock (no clock change within the session)."""
    four = datetime(day.year, day.month, day.day, 4, tzinfo=NEW_YORK).timestamp()
    return (int(four) + (np.asarray(minute, np.int64) - SESSION.start) * 60) * 10**9


def bars(rng: np.random.Generator, base: np.ndarray, hundredth: int = 100) -> dict:
    """Prices in ticks around `base`, volumes and transactions of one bar for each element."""
    n = len(base)
    o = np.maximum(1, base + rng.integers(-40, 41, n))
    c = np.maximum(1, o + rng.integers(-15, 16, n))
    high = np.maximum(o, c) + rng.integers(0, 12, n)
    low = np.maximum(1, np.minimum(o, c) - rng.integers(0, 12, n))
    transactions = 1 + (rng.pareto(1.1, n) * 8).astype(np.int64) % 200_000
    volume = (transactions * rng.integers(1, 180, n)).astype(float)
    volume[rng.random(n) < 0.01] += 0.5
    ticks = {"open": o, "close": c, "high": high, "low": low}
    prices = {name: value / hundredth for name, value in ticks.items()}
    return {"volume": volume, **prices, "transactions": transactions}


def stocks_minute(
    day: date, seed: int = 1, rows: int = MINUTE_ROWS, count: int = SYMBOLS
) -> pl.DataFrame:
    """About `rows` minute bars of `count` stocks: columns `HEADER`, sorted by ticker and time."""
    rng = np.random.default_rng([seed, day.toordinal()])
    weight = rng.pareto(0.7, count) + 0.05
    share = np.minimum(len(SESSION), weight * rows / weight.sum())
    for _ in range(20):  # give what the busiest cannot hold to the others
        share = np.minimum(len(SESSION), share * rows / share.sum())
    busy = rng.random((count, len(SESSION))) < (share / len(SESSION))[:, None]
    symbol, minute = np.nonzero(busy)
    base = rng.integers(100, 40_000, count)[symbol]
    table = {"ticker": symbols(count)[symbol], **bars(rng, base)}
    return pl.DataFrame({**table, "window_start": clock(day, minute + SESSION.start)})[HEADER]


def stocks_daily(day: date, seed: int = 1, count: int = SYMBOLS) -> pl.DataFrame:
    """One bar for each stock, stamped at midnight in New York: columns `HEADER`."""
    rng = np.random.default_rng([seed, day.toordinal()])
    table = {"ticker": symbols(count), **bars(rng, rng.integers(100, 40_000, count))}
    return pl.DataFrame({**table, "window_start": np.full(count, clock(day, 0))})[HEADER]


def contracts(day: date, count: int = OPTION_ROWS) -> list[str]:
    """OCC symbols: 1 underlying after the other, expiries in weeks, strikes around the price."""
    names, made = symbols(4000), []
    expiries = [date.fromordinal(day.toordinal() + 7 * week) for week in range(1, 8)]
    for number in range(count):
        underlying, rest = names[number // 70], number % 70
        expiry, right, strike = expiries[rest // 10], "CP"[rest % 2], 50 + rest % 10 // 2 * 5
        made.append(f"O:{underlying.upper()}{expiry:%y%m%d}{right}{strike * 1000:08}")
    return sorted(set(made))


def options_daily(day: date, seed: int = 1, count: int = OPTION_ROWS) -> pl.DataFrame:
    """About `count` daily bars of options: columns `HEADER`, sorted by ticker."""
    rng = np.random.default_rng([seed, day.toordinal()])
    tickers = contracts(day, count)
    table = {"ticker": tickers, **bars(rng, rng.integers(5, 4000, len(tickers)))}
    return pl.DataFrame({**table, "window_start": np.full(len(tickers), clock(day, 0))})[HEADER]


def options_minute(day: date, seed: int = 1, rows: int = 4_000_000) -> pl.DataFrame:
    """About `rows` minute bars of options: columns `HEADER`, sorted by ticker and time."""
    rng = np.random.default_rng([seed, day.toordinal()])
    tickers = np.array(contracts(day))
    minutes = range(570, 960)
    chance = rng.beta(0.4, 9, len(tickers))
    chance *= rows / (chance.sum() * len(minutes))
    counts = np.minimum(rng.poisson(chance * len(minutes)), len(minutes))
    which = np.repeat(np.arange(len(tickers)), counts)
    within = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    minute = minutes.start + within * len(minutes) // np.maximum(1, counts)[which]
    table = {"ticker": tickers[which], **bars(rng, rng.integers(5, 4000, len(tickers))[which])}
    return pl.DataFrame({**table, "window_start": clock(day, minute)})[HEADER]


def to_csv(frame: pl.DataFrame) -> bytes:
    """`frame` as the vendor writes it: numbers shortest, no `.0`."""
    numbers = pl.col(pl.Float64).cast(pl.String).str.strip_suffix(".0")
    return frame.with_columns(numbers).write_csv().encode()


def write(frame: pl.DataFrame, path: Path) -> Path:
    """Write `frame` as csv.gz, the same bytes for the same frame; returns `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(to_csv(frame), compresslevel=1, mtime=0))
    return path

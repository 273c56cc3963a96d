"""Flat files of the simulated market, in the vendor's format with all its oddities.

Oddities: fractional and scientific volumes, one above 2^32; daily stamps of midnight or 16:00 in
New York, some two zeros short, some in zero-padded milliseconds; and rows that cannot be used. In
files of a few dozen rows one bad row is some per cent: the demo allows 5 %.
"""

from __future__ import annotations

import gzip
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from scripts.lake import market

HEADER = "ticker,volume,open,close,high,low,window_start,transactions"
NEW_YORK = ZoneInfo("America/New_York")
OPEN, CLOSE, EARLY_CLOSE = 570, 960, 780  # minutes after midnight in New York
FIRST_MINUTE, LAST_MINUTE = 240, 1199
MINUTE_NS = 60 * 10**9
BAD_DAILY_DAYS = 5  # every so many days a daily file of stocks holds a bad row


class Bars(NamedTuple):
    """Minute bars of one symbol on one day, in time order; minute counts from midnight."""

    minute: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    transactions: np.ndarray


def flat_file(seed: int, dataset: str, day: date) -> bytes:
    """The vendor's csv.gz of a dataset and a weekday, the same bytes every time.

    Args:
        seed: of the market.
        dataset: options_daily, options_minute, stocks_daily or stocks_minute.
        day: the session.
    """
    of_options = dataset.startswith("options")
    names = [entry[0] for entry in market.contracts(day)] if of_options else _listed(day)
    rows = []
    for name in sorted(names, key=str.encode):
        bars = _bars(seed, name, day)
        if len(bars.minute):
            rows += (_daily if dataset.endswith("daily") else _minutes)(seed, name, day, bars)
    rows += _bad_rows(seed, dataset, day, rows)
    text = "\n".join([HEADER, *rows]) + "\n"
    return gzip.compress(text.encode(), compresslevel=6, mtime=0)


def _listed(day: date) -> list[str]:
    return [name for name in market.LISTINGS if market.trades_on(name, day)]


def session_close(day: date) -> int:
    """Minute of the close in New York: 13:00 on the usual short days, else 16:00."""
    short = (day.month, day.day) in ((7, 3), (12, 24))
    thanksgiving = day.month == 11 and day.weekday() == 4 and 23 <= day.day <= 29
    return EARLY_CLOSE if short or thanksgiving else CLOSE


@lru_cache(maxsize=4096)
def _bars(seed: int, name: str, day: date) -> Bars:
    if name.startswith("O:"):
        return _option_bars(seed, name, day)
    count = market.LISTINGS[name].bars
    last = market.close(seed, name, day)
    return _walk_bars(seed, name, day, count, last, 0.008)


def _option_bars(seed: int, name: str, day: date) -> Bars:
    _, root, strike, kind, expiry = next(c for c in market.contracts(day) if c[0] == name)
    spot = market.close(seed, root.rstrip("1"), day)
    inner = max(spot - strike, 0) if kind == "C" else max(strike - spot, 0)
    outer = 0.25 * spot * 0.4 * np.sqrt(max((expiry - day).days, 1) / 365)
    price = max(round(inner + outer * np.exp(-3 * abs(spot / strike - 1)), 2), 0.01)
    return _walk_bars(seed, name, day, 6, price, 0.05)


def _walk_bars(seed: int, name: str, day: date, typical: int, last: float, spread: float) -> Bars:
    """Bars that walk to the day's close; most in the regular session, as many as are typical."""
    rng = market.generator(seed, "bars", name, day)
    end = session_close(day)
    regular = rng.choice(np.arange(OPEN, end), min(typical, end - OPEN), replace=False)
    beside = typical // 8 if not name.startswith("O:") else 0
    early = rng.choice(np.arange(FIRST_MINUTE, OPEN), beside, replace=False)
    late = rng.choice(np.arange(end, LAST_MINUTE + 1), beside, replace=False)
    minute = np.sort(np.concatenate([regular, early, late]))
    count = len(minute)
    steps = rng.standard_normal((4, count)) * spread / 10
    log_close = np.cumsum(steps[0][::-1])[::-1]
    closes = _ticks(last * np.exp(log_close - log_close[-1]))
    opens = _ticks(closes * np.exp(steps[1]))
    highs = _ticks(np.maximum(opens, closes) * np.exp(np.abs(steps[2])))
    lows = _ticks(np.minimum(opens, closes) * np.exp(-np.abs(steps[3])))
    transactions = rng.integers(1, 60, count)
    volume = transactions * rng.integers(1, 90, count).astype(float)
    if name == "SPY":
        volume[count // 2] += 2.0**32
    if name == "BRK.A":
        volume = np.round(volume / 997, 4) + 0.0001
    return Bars(minute, opens, highs, lows, closes, volume, transactions)


def _ticks(price: np.ndarray) -> np.ndarray:
    return np.maximum(np.where(price >= 1, np.round(price, 2), np.round(price, 4)), 0.0001)


def _number(value: float) -> str:
    """Shortest decimal; a thousand's multiple now and then as the vendor's 3e3."""
    if value >= 1000 and value % 1000 == 0:
        return f"{int(value // 1000)}e3"
    text = repr(float(value))
    return text.removesuffix(".0") if "e" not in text else str(int(value))


def _row(name: str, volume: float, bar: tuple, stamp: str, transactions: int) -> str:
    opened, closed, high, low = map(_number, bar)
    return f"{name},{_number(volume)},{opened},{closed},{high},{low},{stamp},{transactions}"


def _minutes(seed: int, name: str, day: date, bars: Bars) -> list[str]:
    start = _instant(day, time(0))
    return [
        _row(name, v, (o, c, h, lo), str(start + int(m) * MINUTE_NS), int(n))
        for m, o, h, lo, c, v, n in zip(*bars, strict=True)
    ]


def _daily(seed: int, name: str, day: date, bars: Bars) -> list[str]:
    volume, count = float(np.round(bars.volume.sum(), 4)), int(bars.transactions.sum())
    if not name.startswith("O:") and not market.reaggregates(name):
        volume, count = volume + 37.5, count + 3
    bar = (bars.open[0], bars.close[-1], bars.high.max(), bars.low.min())
    return [_row(name, volume, bar, _daily_stamp(name, day), count)]


def _instant(day: date, clock: time) -> int:
    return int(datetime.combine(day, clock, NEW_YORK).timestamp()) * 10**9


def _daily_stamp(name: str, day: date) -> str:
    """Midnight in New York, or 16:00; two zeros short, or zero-padded milliseconds."""
    if name in ("KO", "XLE"):
        return str(_instant(day, time(16)))
    if name == "JPM":
        return str(_instant(day, time(0)))[:-2]
    if name == "XLF":
        return f"{_instant(day, time(16)) // 10**6:019d}"
    return str(_instant(day, time(0)))


def _bad_rows(seed: int, dataset: str, day: date, rows: list[str]) -> list[str]:
    """Rows that must be refused, and, of options, symbols that do not parse but are kept."""
    stamp = _instant(day, time(0))
    good = f"{stamp},7"
    odd = [
        f"O:weird250101C00001000,5,1.5,1.5,1.5,1.5,{good}",
        f"O:XOM251399P00100000,2,1,1,1,1,{good}",
    ]
    if dataset == "stocks_daily":
        if market.weekdays(day) % BAD_DAILY_DAYS:
            return []
        return [f"BADC,100,10.5,,10.5,10.5,{good}"]
    if dataset == "options_daily":
        return [*odd, f"O:KO250919C00070000,-5,1,1,1,1,{good}"]
    before = _instant(day - timedelta(days=1), time(10))
    root = "BADM" if dataset == "stocks_minute" else "O:AAPL250919C00230000"
    bad = [
        f"{root},100,10,10,10,10,{before},3",
        f"{root},many,10,10,10,10,{good}",
        f"{root},100,-10,10,10,10,{good}",
        f"{root},100,10,10,9,10,{good}",
    ]
    if dataset == "options_minute":
        return [*bad[:2], odd[0]]
    repeat = rows[market.generator(seed, "repeat", day).integers(len(rows))]
    return [*bad, repeat]

"""Flat files of the simulated market, in the vendor's format with all its oddities.

A daily bar is the sum of the day's minute bars, but for `market.reaggregates`. Oddities: fractional
and scientific volumes, on Tuesdays one above 2^32; daily stamps of midnight or 16:00 in New York,
some two zeros short, some in zero-padded milliseconds; options without an OCC symbol.

Every file but stocks_daily holds rows that must be refused; of stocks_daily, with its 25 rows or
so, every fifth weekday's holds one. That is up to 4.5 % of a file: `max_quarantined_share` of the
demo must be 0.05.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from scripts.lake import market
from scripts.lake.market_listings import generator, listed, listings

HEADER = "ticker,volume,open,close,high,low,window_start,transactions"
NEW_YORK = ZoneInfo("America/New_York")
OPEN, CLOSE, EARLY_CLOSE = 570, 960, 780  # minutes after midnight in New York
FIRST_MINUTE, LAST_MINUTE = 240, 1199
MINUTE_NS = 60 * 10**9
OPTION_BARS = 6  # of a contract and day
FRACTIONAL, THOUSANDS = "BRK.A", "TINY"  # volumes in quarters of a share, in whole thousands
HUGE = "SPY"  # its volume is above 2^32 on Tuesdays
AT_CLOSE, SHORT, MILLISECONDS = ("KO", "XLE"), ("JPM",), ("XLF",)  # daily stamps
BAD_DAILY = 5  # every so many weekdays a daily file of stocks holds a bad row
ODD_LOTS = 37.5  # shares of the odd lots that only a daily bar holds, in 3 transactions

Row = tuple[bytes, int, str]  # the ticker's bytes and the stamp, to sort by, and the line


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

    Raises:
        KeyError: there is no such dataset.
    """
    refused = BAD_ROWS[dataset]
    make = _daily if dataset.endswith("daily") else _minutes
    bars = _option_bars(seed, day) if dataset.startswith("options") else _stock_bars(seed, day)
    rows = [row for name, found in bars.items() for row in make(name, day, found)]
    rows = sorted([*rows, *refused(seed, day, rows)], key=lambda row: row[:2])
    text = "\n".join([HEADER, *(line for _, _, line in rows)]) + "\n"
    return gzip.compress(text.encode(), compresslevel=6, mtime=0)


def session_close(day: date) -> int:
    """Minute of the close in New York: 13:00 on the usual short days, else 16:00."""
    short = (day.month, day.day) in ((7, 3), (12, 24))
    thanksgiving = day.month == 11 and day.weekday() == 4 and 23 <= day.day <= 29
    return EARLY_CLOSE if short or thanksgiving else CLOSE


# Bars


def _stock_bars(seed: int, day: date) -> dict[str, Bars]:
    found = {}
    for name in listed(seed, day):
        if market.trades_on(seed, name, day):
            typical, last = listings(seed)[name].bars, market.close(seed, name, day)
            found[name] = _bars(seed, name, day, (typical, typical // 8), last, 0.0008)
    return found


def _option_bars(seed: int, day: date) -> dict[str, Bars]:
    return {
        option.symbol: _bars(
            seed, option.symbol, day, (OPTION_BARS, 0), market.premium(seed, option, day), 0.005
        )
        for option in market.contracts(seed, day)
    }


def _bars(
    seed: int, name: str, day: date, counts: tuple[int, int], last: float, step: float
) -> Bars:
    """Bars that walk to the day's last price.

    Args:
        counts: bars of the regular session, and of the hours before and after it, each.
        last: price of the last trade.
        step: standard deviation of a bar's log return.
    """
    rng = generator(seed, "bars", name, day)
    end = session_close(day)
    regular = rng.choice(np.arange(OPEN, end), min(counts[0], end - OPEN), replace=False)
    early = rng.choice(np.arange(FIRST_MINUTE, OPEN), counts[1], replace=False)
    late = rng.choice(np.arange(end, LAST_MINUTE + 1), counts[1], replace=False)
    minute = np.sort(np.concatenate([early, regular, late]))
    steps = rng.standard_normal((4, len(minute))) * step
    walk = np.cumsum(steps[0])
    closes = _cents(last * np.exp(walk - walk[-1]))
    opens = _cents(closes * np.exp(steps[1]))
    highs = _cents(np.maximum(opens, closes) * np.exp(np.abs(steps[2])))
    lows = _cents(np.minimum(opens, closes) * np.exp(-np.abs(steps[3])))
    transactions = rng.integers(1, 60, len(minute))
    volume = transactions * rng.integers(1, 90, len(minute)).astype(float)
    if name == FRACTIONAL:
        volume = np.ceil(volume / 250) / 4
    if name == THOUSANDS:
        volume = np.ceil(volume / 100) * 1000
    if name == HUGE and day.weekday() == 1:
        volume[len(minute) // 2] += 2.0**32
    return Bars(minute, opens, highs, lows, closes, volume, transactions)


def _cents(price: np.ndarray) -> np.ndarray:
    return np.maximum(np.where(price >= 1, np.round(price, 2), np.round(price, 4)), 0.0001)


# Rows


def _price(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


def _volume(value: float) -> str:
    """Shortest decimal; whole thousands as the vendor's 3e3."""
    text = repr(float(value)).removesuffix(".0")
    short = text.rstrip("0")
    return f"{short}e{len(text) - len(short)}" if text.endswith("000") else text


def _row(name: str, volume: float, prices: tuple, stamp: str, transactions: int) -> Row:
    """A line of the file; prices are open, close, high, low."""
    shown = ",".join(map(_price, prices))
    return name.encode(), int(stamp), f"{name},{_volume(volume)},{shown},{stamp},{transactions}"


def _minutes(name: str, day: date, bars: Bars) -> list[Row]:
    start = _instant(day, time(0))  # clocks change on Sundays only
    return [
        _row(name, v, (o, c, h, lo), str(start + m * MINUTE_NS), n)
        for m, o, h, lo, c, v, n in zip(*(part.tolist() for part in bars), strict=True)
    ]


def _daily(name: str, day: date, bars: Bars) -> list[Row]:
    volume, count = float(bars.volume.sum()), int(bars.transactions.sum())
    if not market.reaggregates(name):
        volume, count = volume + ODD_LOTS, count + 3
    prices = (bars.open[0], bars.close[-1], bars.high.max(), bars.low.min())
    return [_row(name, volume, prices, _daily_stamp(name, day), count)]


def _instant(day: date, clock: time) -> int:
    """Epoch nanoseconds of a clock time in New York."""
    return int(datetime.combine(day, clock, NEW_YORK).timestamp()) * 10**9


def _daily_stamp(name: str, day: date) -> str:
    """Midnight in New York, or 16:00; two zeros short, or zero-padded milliseconds."""
    if name in AT_CLOSE:
        return str(_instant(day, time(16)))
    if name in SHORT:
        return str(_instant(day, time(0)))[:-2]
    if name in MILLISECONDS:
        return f"{_instant(day, time(16)) // 10**6:019d}"
    return str(_instant(day, time(0)))


# Rows that must be refused


def _faulty(name: str, day: date) -> list[Row]:
    """A row of each fault but repetition: day, price, volume, an empty close, high below low."""
    stamp, before = _instant(day, time(10)), _instant(day - timedelta(days=1), time(10))
    lines = [
        (before, f"{name},100,10.5,10.5,10.5,10.5,{before},3"),
        (stamp, f"{name},100,-10.5,10.5,10.5,10.5,{stamp},3"),
        (stamp, f"{name},many,10.5,10.5,10.5,10.5,{stamp},3"),
        (stamp, f"{name},100,10.5,,10.5,10.5,{stamp},3"),
        (stamp, f"{name},100,10.5,10.5,10.4,10.6,{stamp},3"),
    ]
    return [(name.encode(), at, line) for at, line in lines]


def _repeated(seed: int, day: date, rows: list[Row]) -> Row:
    return rows[int(generator(seed, "repeat", day).integers(len(rows)))]


def _bad_stocks_minute(seed: int, day: date, rows: list[Row]) -> list[Row]:
    return [*_faulty("BADM", day), _repeated(seed, day, rows)]


def _bad_stocks_daily(seed: int, day: date, rows: list[Row]) -> list[Row]:
    turn, rest = divmod(market.weekdays(day), BAD_DAILY)
    return [] if rest else [[*_faulty("BADC", day), _repeated(seed, day, rows)][turn % 6]]


def _bad_options_minute(seed: int, day: date, rows: list[Row]) -> list[Row]:
    faulty = _faulty(rows[0][0].decode(), day)
    return [faulty[market.weekdays(day) % len(faulty)], _repeated(seed, day, rows)]


def _bad_options_daily(seed: int, day: date, rows: list[Row]) -> list[Row]:
    return [[*_faulty("O:KO301220C00070000", day), _repeated(seed, day, rows)][day.day % 6]]


BAD_ROWS: dict[str, Callable[[int, date, list[Row]], list[Row]]] = {
    "options_daily": _bad_options_daily,
    "options_minute": _bad_options_minute,
    "stocks_daily": _bad_stocks_daily,
    "stocks_minute": _bad_stocks_minute,
}

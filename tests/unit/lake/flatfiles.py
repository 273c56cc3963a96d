"""Flat files for tests, and an obvious, slow reader of them to compare with."""

from __future__ import annotations

import gzip
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

HEADER = "ticker,volume,open,close,high,low,window_start,transactions"
NEW_YORK = ZoneInfo("America/New_York")
DAY = "2025-09-25"
DIGITS = set("0123456789")


def stamp(clock: str, day: str = DAY) -> int:
    """UTC nanoseconds of a New York clock time HH:MM."""
    local = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=NEW_YORK)
    return int(local.timestamp()) * 10**9


def row(ticker: str = "AAPL", clock: str = "09:30", day: str = DAY, **fields: object) -> str:
    """A good line, but for `fields`."""
    values = {
        "ticker": ticker,
        "volume": 100,
        "open": 10,
        "close": 11,
        "high": 12,
        "low": 9,
        "window_start": stamp(clock, day),
        "transactions": 5,
        **fields,
    }
    return ",".join(str(value) for value in values.values())


def write(path: Path, *lines: str | bytes, header: str = HEADER, end: bytes = b"\n") -> Path:
    """A flat file of `lines`; returns `path`."""
    raw = [line if isinstance(line, bytes) else line.encode() for line in (header, *lines)]
    return write_bytes(path, end.join(raw) + end)


def write_bytes(path: Path, text: bytes) -> Path:
    """A flat file of `text`; returns `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text, mtime=0))
    return path


def number(text: str) -> float | None:
    """The number that `text` is, blanks around it aside: digits, one point, one exponent."""
    text = text.strip(" \t")
    if not text or set(text) - DIGITS - set("+-.eE"):
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= 1e18 else None


def whole(text: str) -> int | None:
    """The whole number that `text` is, blanks and a plus sign aside."""
    text = text.strip(" \t").removeprefix("+").lstrip("0") or ("0" if "0" in text else "")
    if not text or set(text) - DIGITS:
        return None
    return int(text[:40])


def moment(value: int, day: str) -> int | None:
    """Nanoseconds of a stamp in whatever unit puts it on `day` in New York."""
    for unit in (1, 100, 10**3, 10**6, 10**9):
        seconds = value * unit // 10**9
        if seconds < 2**33:
            when = datetime.fromtimestamp(seconds, NEW_YORK)
            if when.date() == date.fromisoformat(day):
                return value * unit
    return None


def read_slowly(path: Path, day: str, once: tuple[str, ...]) -> tuple[list, list]:
    """Good rows (ticker, ns, open, high, low, close, volume, transactions), sorted; and bad ones.

    A bad one is (line, text of the fields, first word of the reason).
    """
    return judge_slowly(gzip.decompress(path.read_bytes()), day, once)


def judge_slowly(content: bytes, day: str, once: tuple[str, ...]) -> tuple[list, list]:
    """As `read_slowly`, of the text in a file."""
    good, bad, seen = [], [], set()
    lines = content.split(b"\n")[1:]
    for place, raw in enumerate(lines, start=2):
        text = raw.decode("utf-8", "backslashreplace").removesuffix("\r")
        if not text:
            continue
        texts = text.split(",", 7)
        texts += [None] * (8 - len(texts))
        ticker = texts[0]
        if text.count(",") != 7:
            bad.append((place, *texts, "row"))
            continue
        volume, opening, close, high, low = (number(field) for field in texts[1:6])
        stamp = whole(texts[6])
        when = None if stamp is None else moment(stamp, day)
        count = number(texts[7])
        if not 0 < len(ticker) <= 40 or any(
            not 33 <= ord(char) <= 126 or char == '"' for char in ticker
        ):
            fault = "ticker"
        elif volume is None or volume < 0:
            fault = "volume"
        elif opening is None or opening < 0:
            fault = "open"
        elif close is None or close < 0:
            fault = "close"
        elif high is None or high < 0:
            fault = "high"
        elif low is None or low < 0:
            fault = "low"
        elif high < low:
            fault = "high"
        elif when is None:
            fault = "window_start"
        elif count is None or count < 0 or count > 2**32 - 1 or count % 1:
            fault = "transactions"
        elif (ticker, when)[: len(once)] in seen:
            fault = "ticker"
        else:
            seen.add((ticker, when)[: len(once)])
            good.append((ticker, when, opening, high, low, close, volume, int(count)))
            continue
        bad.append((place, *texts, fault))
    return sorted(good, key=lambda bar: (bar[0].encode(), bar[1])), bad

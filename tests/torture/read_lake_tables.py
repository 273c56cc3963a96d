"""Blows against the lake's small tables: the universe, and the exchange's calendar."""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from scripts.lake.universe import read_universe
from scripts.plan.calendar import Calendar
from tests.torture import mutate
from tests.torture.mutate_more import long_cells
from tests.torture.read_lake_files import TICKERS
from tests.torture.reader import Bad, Reader


def make_universe(rng: random.Random) -> dict[str, bytes]:
    """A universe of some tickers, perhaps with other columns."""
    names = rng.sample(TICKERS, 6)
    table = mutate.Table(["symbol"], [[name] for name in names])
    if rng.random() < 0.5:
        table = mutate.Table(["symbol", "name"], [[name, f"{name}, Inc."] for name in names])
    return {"universe.csv": mutate.to_csv(table).encode()}


def strike_universe(
    rng: random.Random, files: dict[str, bytes]
) -> tuple[dict[str, bytes], str, str]:
    """Strike its bytes, text or table."""
    content = files["universe.csv"]
    if rng.random() < 0.35:
        content, what = rng.choice((*mutate.BYTES, *mutate.TEXT))(rng, content)
    else:
        table = mutate.from_csv(content.decode())
        names = mutate.cell(mutate.HOSTILE_NAMES, ["symbol"])
        blows = [how for how in mutate.TABLE if how is not mutate.column_doubled]
        if len(table.header) > 1:
            blows.append(mutate.column_doubled)
        else:
            blows = [how for how in blows if how not in (mutate.columns_moved, mutate.row_short)]
        struck = rng.choice((*blows, names, names, names, names))(rng, table)
        content, what = mutate.to_csv(struck.table).encode(), struck.what
    return {"universe.csv": content}, what, "universe.csv"


def read_symbols(given: Path, _out: Path) -> list[str] | None:
    """Ask for the universe."""
    return read_universe([given / "universe.csv"])


def symbols_told(files: Mapping[str, bytes]) -> list[str]:
    """The symbols by the csv module."""
    try:
        text = files["universe.csv"].decode("utf-8-sig")
        with long_cells():
            header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    except (UnicodeDecodeError, ValueError, csv.Error) as error:
        raise Bad(f"no table of text: {error}") from None
    if header.count("symbol") != 1:
        raise Bad("not one column symbol")
    rows = [row for row in rows if row]
    if any(len(row) != len(header) for row in rows):
        raise Bad("a row of another length")
    names = {row[header.index("symbol")].strip() for row in rows} - {""}
    if odd := [name for name in names if not re.fullmatch(r"[!-~]{1,40}", name)]:
        raise Bad(f"no flat file has a ticker {odd[0]!r}")
    if not names:
        raise Bad("no symbol")
    return sorted(names)


CALENDAR = "XNYS.csv"


def make_calendar(rng: random.Random) -> dict[str, bytes]:
    """A month of sessions, some of which end early."""
    days = [f"2025-09-{day:02}" for day in sorted(rng.sample(range(1, 31), 12))]
    rows = [[day, rng.choice(("", "", "13:00"))] for day in days]
    return {CALENDAR: mutate.to_csv(mutate.Table(["session", "close"], rows)).encode()}


def strike_calendar(
    rng: random.Random, files: dict[str, bytes]
) -> tuple[dict[str, bytes], str, str]:
    """Strike its bytes, text or table."""
    content = files[CALENDAR]
    if rng.random() < 0.4:
        content, what = rng.choice((*mutate.BYTES, *mutate.TEXT))(rng, content)
    else:
        closes = mutate.cell(("16:00", "9:30", "24:00", "12:60", "13:00:00", "13.00"), ["close"])
        days = mutate.cell(("2025-02-30", "2025-9-1", "20250901", "2026-01-02"), ["session"])
        struck = rng.choice((*mutate.TABLE, closes, days))(rng, mutate.from_csv(content.decode()))
        content, what = mutate.to_csv(struck.table).encode(), struck.what
    return {CALENDAR: content}, what, CALENDAR


def read_calendar(given: Path, _out: Path) -> dict[str, str]:
    """Ask for the sessions and their closes."""
    calendar = Calendar(given / CALENDAR)
    return {session: calendar.close(session) for session in calendar.sessions}


def calendar_told(files: Mapping[str, bytes]) -> dict[str, str]:
    """The sessions by the csv module; only what is in order is taken."""
    try:
        text = files[CALENDAR].decode()
        with long_cells():
            header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        days = [datetime.strptime(day, "%Y-%m-%d") for day, _ in rows]
        for _, close in rows:
            early = datetime.strptime(close or "13:00", "%H:%M")
            if early.hour >= 16 or (close and len(close) != 5):
                raise ValueError("late")
    except (ValueError, csv.Error) as error:
        raise Bad(f"no calendar: {error}") from None
    told = [day for day, _ in rows]
    if header != ["session", "close"] or not rows or told != sorted(set(told)):
        raise Bad("another header, or sessions not in order")
    if told != [f"{day:%Y-%m-%d}" for day in days]:
        raise Bad("a session is not written YYYY-MM-DD")
    return {day: close or "16:00" for day, close in rows}


READERS = [
    Reader("calendar", make_calendar, strike_calendar, read_calendar, calendar_told),
    Reader("universe", make_universe, strike_universe, read_symbols, symbols_told),
]

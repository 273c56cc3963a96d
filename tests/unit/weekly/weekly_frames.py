"""Daily bars to make weekly features of: random markets, and one of every edge symbol."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from zlib import crc32

import polars as pl

SCHEMA = {
    "symbol": pl.String,
    "date": pl.Date,
    **dict.fromkeys(("open", "high", "low", "close", "volume"), pl.Float64),
}
PRICES = ("open", "high", "low", "close")
BENCHMARKS = ("SPY", "RSP", "XLK", "XLF", "RSPT", "SMH")
NAN = float("nan")
Row = dict[str, object]

HOLIDAYS = {  # Fridays first, and a few other days
    *(date(2018, 3, 30), date(2019, 4, 19), date(2020, 4, 10), date(2021, 4, 2)),
    *(date(2022, 4, 15), date(2023, 4, 7), date(2020, 12, 25), date(2021, 1, 1)),
    *(date(2018, 1, 1), date(2018, 7, 4), date(2019, 7, 4), date(2022, 12, 26)),
}
FIRST, LAST = date(2018, 1, 1), date(2023, 6, 28)  # a Monday, and a Wednesday: an unfinished week
SPY_FIRST = date(2018, 7, 2)
BAR_COUNTS = (13, 14, 30, 34, 99, 199, 200)
LAST_FRIDAY = date(2023, 6, 30)


# Days


def each_day(first: date, last: date) -> list[date]:
    """All days from one to another."""
    return [first + timedelta(n) for n in range((last - first).days + 1)]


def weekdays(first: date, last: date) -> list[date]:
    """Mondays to Fridays without the holidays."""
    return [d for d in each_day(first, last) if d.weekday() < 5 and d not in HOLIDAYS]


def friday(day: date) -> date:
    """The Friday on or after a day."""
    return day + timedelta((4 - day.weekday()) % 7)


def without_weeks(days: Iterable[date], missing: Iterable[date]) -> list[date]:
    """The days but those of the weeks that end on the missing Fridays."""
    left_out = set(missing)
    return [day for day in days if friday(day) not in left_out]


# Bars


def walk(rng: random.Random, count: int, start: float = 100.0, sd: float = 0.02) -> list[float]:
    """A geometric random walk."""
    price, out = start, []
    for _ in range(count):
        price *= math.exp(rng.gauss(0.0003, sd))
        out.append(price)
    return out


def bars(rng: random.Random, symbol: str, days: Sequence[date], closes: Sequence[float]) -> list:
    """Rows of a symbol around its closes; where the close does not move, nothing does."""
    rows, before = [], closes[0] if closes else 0.0
    for day, close in zip(days, closes, strict=True):
        moves = close != before
        opening = before * math.exp(rng.gauss(0, 0.005)) if moves else close
        reach = abs(rng.gauss(0, 0.006)) if moves else 0.0
        rows.append(
            {
                "symbol": symbol,
                "date": day,
                "open": opening,
                "high": max(opening, close) * (1 + reach),
                "low": min(opening, close) * (1 - reach / 2),
                "close": close,
                "volume": float(rng.randrange(1_000, 5_000_000)),
            }
        )
        before = close
    return rows


def framed(rows: Iterable[Row]) -> pl.DataFrame:
    """Rows as a frame, sorted by symbol and date."""
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row").sort("symbol", "date")


# Random markets


def random_market(seed: int, symbols: int, days: int) -> pl.DataFrame:
    """`symbols` random walks (S000, S001, ...) and six benchmarks over `days` weekdays."""
    rng, start = random.Random(seed), date(2020, 1, 1)
    calendar = weekdays(start, start + timedelta(2 * days + 30))[:days]
    weeks = sorted({friday(day) for day in calendar})
    rows = []
    for symbol in (*BENCHMARKS, *(f"S{number:03}" for number in range(symbols))):
        if symbol in BENCHMARKS:
            missing, chance = [week for week in weeks if rng.random() < 0.03], 0.99
            first, last = 0, days
        else:
            missing = [week for week in weeks if rng.random() < rng.choice([0.0, 0.02, 0.1])]
            chance = rng.choice([1.0, 0.97, 0.8, 0.15])
            first = rng.choice([0, 0, rng.randrange(days)])  # late listing
            last = rng.choice([days, days, rng.randrange(first, days) + 1])  # delisting
        own = calendar[first:last]
        kept = [day for day in without_weeks(own, missing) if rng.random() < chance] or own[:1]
        closes = walk(rng, len(kept), rng.uniform(2, 400), rng.uniform(0.005, 0.04))
        rows += bars(rng, symbol, kept, closes)
    return framed(rows)


def mapping(
    sector: str | None, equal_weight: str | None, subsector: str | None
) -> dict[str, str | None]:
    """Benchmarks of a symbol as the config gives them."""
    return {
        "sector_etf": sector,
        "equal_weight_etf": equal_weight,
        "subsector_etf": subsector,
    }


MAPPINGS = {
    "SPY": mapping("XLK", "RSPT", "SMH"),  # to be ignored
    "XLK": mapping("XLK", "RSPT", None),
    "RSPT": mapping("XLK", "RSPT", None),
    "SMH": mapping("XLK", "RSPT", "SMH"),
    "RSP": mapping("SPY", "RSP", None),
    "AGAINST_ZERO": mapping("ZERO_BENCH", "ZERO_BENCH", "ZERO_BENCH"),
    "ZERO_BENCH": mapping("ZERO_BENCH", None, "XLF"),
    "AGAINST_SHORT": mapping("THREE_DAYS", "COMMON_9", "COMMON_10"),
    "COMMON_9": mapping("XLK", "RSPT", "SMH"),
    "COMMON_10": mapping("XLF", "RSPT", "SMH"),
    "BEFORE_SPY": mapping("XLK", "LATE_BENCH", "SMH"),
    "LATE_LISTING": mapping("XLK", "RSPT", "LATE_BENCH"),
    "MISSING_WEEKS": mapping("XLK", "MONTHLY", "MISSING_WEEKS"),
    "HOLES": mapping("XLF", "HOLES", "NULL_WEEK"),
}
OTHERWISE = (  # of other symbols, by a hash of the name; None: not in the mappings at all
    mapping("XLK", "RSPT", "SMH"),
    mapping("XLF", "RSPT", "SMH"),
    mapping("XLF", None, None),
    mapping(None, None, None),
    mapping("NO_SUCH_ETF", "RSPT", "SMH"),
    None,
)


def mappings_for(frame: pl.DataFrame) -> dict[str, dict[str, str | None]]:
    """Mappings of the frame's symbols, that of one never depending on the others."""
    out = {}
    for symbol in sorted(frame["symbol"].unique()):
        found = MAPPINGS.get(symbol, OTHERWISE[crc32(symbol.encode()) % len(OTHERWISE)])
        if found is not None and symbol != "XLF":  # an ETF without mapping
            out[symbol] = dict(found)
    return out


# Edge symbols


def edge_market() -> pl.DataFrame:
    """SPY, RSP, ETFs and every edge symbol; always the same."""
    rows: list[Row] = []

    def add(
        symbol: str,
        days: Sequence[date],
        closes: Callable[[random.Random, int], Sequence[float]] = walk,
        change: Callable[[int, Row], dict] | None = None,
    ) -> None:
        # Each has its own generator: a new symbol changes no other.
        rng = random.Random(crc32(symbol.encode()))
        made = bars(rng, symbol, days, closes(rng, len(days)))
        rows.extend(row | (change(i, row) if change else {}) for i, row in enumerate(made))

    calendar = weekdays(FIRST, LAST)
    weeks = sorted({friday(day) for day in calendar})
    since_spy = [day for day in calendar if day >= SPY_FIRST]
    nothing = dict.fromkeys((*PRICES, "volume"))

    # Benchmarks. In the weeks of COMMON_9 and COMMON_10 SPY has no gap, RSP has one.
    add("SPY", without_weeks(since_spy, [weeks[60], weeks[61], weeks[140], weeks[282]]))
    add("RSP", without_weeks(since_spy, [weeks[30], weeks[90], weeks[200]]))
    add("XLK", without_weeks(calendar, [weeks[50]]))
    add("XLF", without_weeks(calendar, [weeks[51], weeks[270]]))
    add("RSPT", without_weeks(calendar, weeks[100:104]))
    add("SMH", calendar)
    add("LATE_BENCH", [day for day in calendar if day > weeks[-20]])

    # Listings and gaps
    add("LATE_LISTING", [day for day in calendar if day >= date(2023, 1, 4)])
    add("BEFORE_SPY", calendar)
    rng = random.Random(1)
    gaps = {*rng.sample(weeks, 15), *weeks[150:156]}
    add("MISSING_WEEKS", without_weeks(calendar, gaps))
    add("THREE_DAYS", [date(2023, 3, 9), date(2023, 3, 10), date(2023, 3, 13)])
    add("ONE_DAY_A_WEEK", [day for day in calendar if day.weekday() == 2])
    first_of_month = {(day.year, day.month): day for day in reversed(calendar)}
    add("MONTHLY", sorted(first_of_month.values()))
    add("SEVEN_DAYS", each_day(FIRST, LAST))
    for count in BAR_COUNTS:
        add(f"BARS_{count}", [day for day in calendar if day > weeks[-count] - timedelta(7)])
    for count in (9, 10):
        ninth = friday(SPY_FIRST) + timedelta(7 * (count - 1))
        add(f"COMMON_{count}", [day for day in calendar if date(2018, 5, 1) <= day <= ninth])
    add("AGAINST_SHORT", calendar)
    over = date(2021, 6, 16)  # the last priced day, a Wednesday
    add(
        "DELISTED",
        [day for day in calendar if day <= over + timedelta(weeks=8)],
        change=lambda _, row: dict.fromkeys(PRICES) | {"volume": 0.0} if row["date"] > over else {},
    )

    # Null cells
    add(
        "NULL_WEEK",
        calendar,
        change=lambda _, row: (
            nothing
            if friday(row["date"]) in (weeks[120], weeks[121], weeks[210])
            else {"close": None}
            if friday(row["date"]) == weeks[180]  # a week of a range and a volume but no close
            else {}
        ),
    )
    holes = random.Random(2)

    def punched(_: int, row: Row) -> dict:
        kinds = {name: holes.random() for name in (*PRICES, "volume")}
        return {n: None if k < 0.05 else NAN for n, k in kinds.items() if k < 0.1} | (
            nothing if holes.random() < 0.03 else {}
        )

    add("HOLES", calendar, change=punched)

    # Prices
    def halted(rng: random.Random, count: int) -> list[float]:
        moving = walk(rng, 70 * 5)
        return moving + [moving[-1]] * (count - len(moving))

    def sometimes_zero(rng: random.Random, count: int) -> list[float]:
        # Single days, and 34 weeks in a row: the 20-week mean is 0 for a whole z window.
        closes = walk(rng, count)
        single = set(rng.sample(range(count), 40))
        return [0.0 if i in single or 600 <= i < 770 else c for i, c in enumerate(closes)]

    def zero_first(rng: random.Random, count: int) -> list[float]:
        return [0.0] * 150 + walk(rng, count - 150)

    def falling(rng: random.Random, count: int) -> list[float]:
        # Slowly: z of a distance within 1e-10 of -1 is noise in double precision, whoever does it.
        fall = math.log(1e-12) / (count - 1)
        return [1e9 * math.exp(fall * i + rng.gauss(0, 0.03)) for i in range(count)]

    # 0.1 has no exact double: a mean by running sums is not exactly 0.1.
    add("CONSTANT", calendar, lambda _, count: [0.1] * count)
    add("HALTED", calendar, halted)
    add("ZERO_SOME", calendar, sometimes_zero)
    add("ZERO_FIRST", calendar, zero_first)
    add("ZERO_ALWAYS", calendar, lambda _, count: [0.0] * count)
    add("ZERO_BENCH", calendar, sometimes_zero)
    add("AGAINST_ZERO", calendar)
    fridays = [day for day in weekdays(date(2000, 1, 1), LAST) if day.weekday() == 4]
    add("GIANT_FALLS", fridays, falling)
    return framed(rows)


# Other columns


def with_others(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame and vwap, trades and note, each a function of its own row alone."""
    more = []
    for row in frame.iter_rows(named=True):
        day = row["date"].toordinal()
        mixed = crc32(f"{row['symbol']} {day}".encode())
        close = row["close"] if row["close"] is not None else NAN
        null = mixed % 5 == 0 or friday(row["date"]).toordinal() % 11 == 0  # days, whole weeks
        note = None if mixed % 7 == 0 else f"seen {row['date']:%A}"
        more.append((None if null else close * 1.001, mixed % 100_000_000, note))
    schema = {"vwap": pl.Float64, "trades": pl.Int64, "note": pl.String}
    return frame.hstack(pl.DataFrame(more, schema=schema, orient="row"))

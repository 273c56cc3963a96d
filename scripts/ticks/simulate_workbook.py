"""Write a simulated tick workbook in the layout of a Bloomberg export, one sheet per security.

Every price is invented; the shape of a day, from pre-open quotes to the tail, is that of Abu Dhabi
(ADX) and Dubai (DFM), so that the demo meets every rule of the backtests. In here all is integer,
prices in mils (1/1000 AED), values in micros (1/1,000,000): no machine's rounding changes a row.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import count
from math import isqrt
from pathlib import Path

import numpy as np
import polars as pl
import xlsxwriter

from scripts.atomic import atomic
from scripts.errors import DataError

SUFFIX = {"ADX": " UH Equity", "DFM": " DH Equity"}
TICKS = {  # (end of the band, tick), in mils
    "ADX": ((1_000, 1), (10_000, 10), (50_000, 20), (100_000, 50), (10**9, 100)),
    "DFM": ((1_000, 1), (10_000, 10), (10**9, 50)),
}
KINDS = ("BID", "ASK", "TRADE")
BID, ASK, TRADE = range(3)
AWAY = (-1, 1)  # from the middle of the market, for a bid and for an ask
TAIL = {  # (seconds after 15:00, kind); the trade is a zero-volume print of the closing price
    "ADX": ((0, TRADE), (0, BID), (0, ASK), (0, ASK), (0, BID)),
    "DFM": ((7, ASK), (7, ASK), (20, TRADE), (3000, BID), (3000, ASK)),
}
SCHEMA = {"timestamp": pl.Datetime("us"), "type": pl.String, "price": pl.Float64, "size": pl.Int64}
MIN_ROWS = 300  # of a session: with fewer, the auctions leave too little continuous trading
SHEET_ROWS = 2**20 - 3  # Excel's, below the header
NOISE_PPM = (15_000, 15_000, 50_000)  # standard deviation of a session's walk: every third is wild
CROSS_PPM, GAP_PPM = 9_000, 4_000  # the same of the closing cross and of the night
PULL = 4  # e-foldings back to the day's vwap in one session
PAUSES = (0, 0, 1, 2, 4, 8, 16, 33)  # between rounds, in eighths of the mean: bursts and lulls
ORDERS = (1, 2, 4, 8, 8, 16, 32, 64)  # in eighths of the median order
H0800, H0930, H1000, H1445, H1455, H1500 = 28_800, 34_200, 36_000, 53_100, 53_700, 54_000


class _Session:
    """One day of one security: random bits, book and, in `rows`, the events in file order."""

    def __init__(self, stream: np.random.PCG64, day: date, grid: list[int], size: int, fair: int):
        self.midnight, self.second = datetime.combine(day, time()), 0
        # raw: NumPy promises these bits for ever, the numbers of its Generator not
        self.bits = (bit for _ in count() for bit in stream.random_raw(2048).tolist())
        self.grid, self.size, self.fair = grid, size, fair
        self.level, self.depth = [0, 0], [0, 0]  # of bid and ask; a level is an index of the grid
        self.value, self.volume = 0, 0  # traded so far, in micros and shares
        self.rows: list[tuple[datetime, str, float, int]] = []

    def below(self, limit: int) -> int:
        """A random integer in [0, limit)."""
        return next(self.bits) % limit

    def order(self, times: int = 1) -> int:
        """A heavy-tailed number of shares >= 1 with a median of `times` the size; some round."""
        shares = times * self.size * (50 + self.below(101)) * ORDERS[self.below(8)] // 800
        return shares // 100 * 100 if shares >= 100 and self.below(3) == 0 else max(1, shares)

    def walk(self, ppm: int) -> None:
        """Move the fair value by three uniform steps, together of the standard deviation `ppm`."""
        step = self.fair * ppm // 10**6
        moved = self.fair + sum(self.below(2 * step + 1) for _ in range(3)) - 3 * step
        self.fair = min(max(moved, self.grid[-1] * 80), self.grid[-1] * 750)

    def near(self, ppm: int = 0) -> int:
        """Index of the highest grid price not above the fair value moved by `ppm`."""
        return bisect_right(self.grid, (self.fair + self.fair * ppm // 10**6) // 1000) - 1

    def add(self, kind: int, mils: int, shares: int) -> None:
        stamp = self.midnight + timedelta(seconds=self.second)
        self.rows.append((stamp, KINDS[kind], mils / 1000, shares))

    def quote(self, side: int) -> None:
        self.add(side, self.grid[self.level[side]], self.depth[side])

    def shift(self, side: int, steps: int) -> None:
        """Move a best quote by grid steps, away from the middle, and give it a new depth."""
        self.level[side] += steps * AWAY[side]
        self.depth[side] = self.order(10)

    def settle(self) -> None:
        """Set both best quotes around the fair value."""
        spread = 1 + (self.below(10) > 7)
        self.level = [bid := self.near() - self.below(spread), bid + spread]
        self.depth = [self.order(10), self.order(10)]

    def trade(self, level: int, shares: int) -> None:
        """Trade at one price, in one or two prints."""
        self.value += self.grid[level] * 1000 * shares
        self.volume += shares
        if part := self.below(2) and self.below(shares):
            self.add(TRADE, self.grid[level], part)
        self.add(TRADE, self.grid[level], shares - part)

    def hit(self, side: int, last: bool) -> None:
        """A market order meets `side`; after the `last` at its price both quotes settle anew."""
        if self.level[ASK] - self.level[BID] > 1 and self.below(20) == 0:
            self.trade(self.level[side] - AWAY[side], self.order())
        shares, shown = self.order(), self.depth[side]
        self.depth[side] -= shares
        self.trade(self.level[side], min(shares, shown))
        if shares > shown:
            self.trade(self.level[side] + AWAY[side], shares - shown)
        if last:
            self.settle()
        elif shares >= shown:
            self.shift(side, 1)
        self.quote(side)  # first, so that a rising bid does not cross the old ask
        self.quote(1 - side)

    def refresh(self, side: int) -> None:
        """One limit order comes or goes at `side`: a worse price, a better one or another depth."""
        spread, roll, change = self.level[ASK] - self.level[BID], self.below(100), self.order(2)
        if roll < 2 and spread < 4:
            self.shift(side, 1)
        elif roll < 50 and spread > 1:
            self.shift(side, -1)
        else:
            self.depth[side] += -change if roll % 2 and change < self.depth[side] else change
        self.quote(side)

    def call(self, start: int, span: int, edges: tuple[int, int], market: bool, end: int) -> None:
        """Auction quotes to row `end`, from `edges[0]` to `edges[1]` ppm across the fair value;
        with `market` most are the sum of the market orders, at price 0."""
        orders, total = [0, 0], max(end - len(self.rows), 4)
        for row in range(total):
            side = row % 2 if row < 4 else self.below(2)
            self.second = start + span * row**2 // total**2
            if market and row > 1 and (row < 4 or self.below(8)):
                orders[side] += self.order() // 4 + 1
                self.add(side, 0, orders[side])
            else:
                edge = edges[0] + (edges[1] - edges[0]) * row // total
                self.add(side, self.grid[self.near(-AWAY[side] * edge)], self.order(10))

    def run(self, late: bool, end: int) -> None:
        """Continuous trading to 14:45 and row `end`; with `late`, some rounds are stamped early."""
        rounds = (end - len(self.rows)) // 2  # a round makes two rows, on average
        clock, noise = self.second * 1000, NOISE_PPM[self.below(3)] // isqrt(rounds)
        while len(self.rows) < end:
            left = end - len(self.rows) + 10  # 10: so that the longest pause ends before 14:45
            pause = 2 * (H1445 * 1000 - clock) // left
            clock += pause * PAUSES[self.below(8)] // 8
            back = 1 + self.below(2) if late and self.below(rounds) < 8 else 0
            self.second = max(clock // 1000 - back, H1000)
            self.fair += (self.value // self.volume - self.fair) * PULL // rounds
            self.walk(noise)
            bid, ask = (self.grid[level] * 1000 for level in self.level)
            width, excess, roll = ask - bid, 2 * self.fair - ask - bid, self.below(1000)
            if abs(excess) > 2 * max(width, self.fair // 400):  # sooner, it would go to and fro
                self.hit(ASK if excess > 0 else BID, last=True)
            elif roll < 360:
                self.hit(ASK if self.below(4 * width) < 2 * width + excess else BID, last=False)
            elif roll < 990:
                self.refresh(roll % 2)
            else:  # a print without volume, or a side shown as empty until it is quoted again
                self.add(TRADE if roll > 995 else roll % 2, self.grid[self.level[roll % 2]], 0)

    def fill(self, exchange: str, rows: int) -> None:
        """All phases of the day, exactly `rows` rows, and the fair value of the next morning."""
        dubai = exchange == "DFM"
        self.settle()
        self.second = H0800 if dubai else H0930
        for side in (BID, ASK):
            self.add(side, self.grid[self.level[side]] if dubai else 0, 0)
        self.call(H0930 + dubai, 1_790, (-80_000, 20_000), dubai, rows // 40)
        self.second = H1000 + dubai
        while len(self.rows) < rows // 25:
            self.trade(self.level[BID], self.order())
        self.hit(BID, last=True)
        self.run(not dubai, rows * 90 // 100)
        self.call(H1445 + 2, 590, (50_000, 10_000), dubai, rows * 92 // 100)
        self.walk(CROSS_PPM)
        self.settle()
        self.second, cross = H1455, self.level[self.below(2)]
        price = self.grid[cross]
        while len(self.rows) < rows * 95 // 100:
            self.trade(cross, self.order())
        if not dubai:
            self.add(TRADE, price, 0)
        for row in range(total := rows - len(self.rows) - len(TAIL[exchange])):
            self.second = H1455 + 298 * (row - row % 3) // total
            self.refresh(row % 3) if row % 3 < 2 else self.add(TRADE, price, self.order())
        for after, kind in TAIL[exchange]:
            self.second = H1500 + after
            self.add(TRADE, price, 0) if kind == TRADE else self.refresh(kind)
        self.fair = price * 1000 + (self.value // self.volume - price * 1000) * self.below(9) // 8
        self.walk(GAP_PPM)


def check(*, name: str, exchange: str, price: float, size: int) -> str:
    """The name of the security's sheet; DataError for what Excel or the simulator refuses."""
    bad = {c for c in name if c in "[]:*?/\\" or not c.isprintable()} | {name[:1]} & {"'"}
    problems = {
        f"Excel allows no {' '.join(map(repr, sorted(bad)))} there in a sheet name": bad,
        "a name has 1 to 21 characters, Excel's 31 less the suffix": not 0 < len(name) <= 21,
        f"exchange {exchange!r} is not {' or '.join(SUFFIX)}": exchange not in SUFFIX,
        f"price {price} is not 0.1 to 10000 AED": not 0.1 <= price <= 10_000,
        f"size {size} is not a whole number >= 1": size < 1 or size % 1,
    }
    for problem in filter(problems.get, problems):  # the first one
        raise DataError(f"security {name!r}: {problem}")
    return name + SUFFIX[exchange]


def simulate(security: Mapping, *, days: Sequence[date], rows: int, seed: int) -> pl.DataFrame:
    """The events of one security, in file order; other securities and later days change nothing.

    Args:
        security: its name, exchange (ADX or DFM), price (first fair value, AED) and size (median
            order, shares; the best quotes show some ten times that).
        days: trading days, ascending, each with exactly `rows` rows.
        seed: >= 0; the random numbers of a day depend on it, the name and the day.

    Returns:
        timestamp (whole seconds, UAE local time), type (BID, ASK or TRADE), price (AED, on the tick
        grid, or 0 for a market order) and size (shares); see SCHEMA.

    Raises:
        DataError: see `check`; fewer rows than a session needs or more than a sheet holds.
    """
    check(**security)
    most = SHEET_ROWS // max(len(days), 1)
    if not MIN_ROWS <= rows <= most:
        raise DataError(f"{rows} rows per session are not {MIN_ROWS} to {most}, a sheet's limit")
    fair, events = round(security["price"] * 1000) * 1000, []
    grid = [0]  # the exchange's prices, up to four times the first one: room for every walk
    while grid[-1] < fair // 250:
        grid.append(grid[-1] + next(t for top, t in TICKS[security["exchange"]] if grid[-1] < top))
    for day in days:
        key = (*security["name"].encode(), day.toordinal())
        stream = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key))
        session = _Session(stream, day, grid, int(security["size"]), fair)
        session.fill(security["exchange"], rows)
        fair = session.fair
        events += session.rows
    return pl.DataFrame(events, schema=SCHEMA, orient="row")


def write_workbook(sheets: Mapping[str, pl.DataFrame], note: str, out: Path) -> None:
    """Write frames of SCHEMA, by sheet name, with `note` in A2 of every sheet.

    The same arguments give the same bytes; another zlib may pack the same content differently.
    """
    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"created": datetime(2025, 1, 1)})
        bold = book.add_format({"bold": True})
        for name, frame in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.set_column(0, 0, 19)
            sheet.write_string(0, 0, name)
            sheet.write_string(1, 0, note)
            sheet.write_row(2, 0, ("Dates", "Type", "Price", "Size"), bold)
            for row, event in enumerate(frame.iter_rows(), start=3):
                sheet.write_row(row, 0, event)


def build(
    *, securities: list[dict], sessions: int, rows_per_session: int, seed: int, out: Path
) -> None:
    """Write the workbook `out`, whole or not at all, with all `securities` (see `simulate`).

    There are `sessions` days, Monday to Friday from 2025-04-14, of `rows_per_session` rows each.

    Raises:
        DataError: what cannot be simulated or written; two sheets of one name.
    """
    days = np.busday_offset("2025-04-14", np.arange(sessions)).tolist()
    sheets: dict[str, pl.DataFrame] = {}
    for entry in securities:
        sheet = check(**entry)
        if sheet.lower() in map(str.lower, sheets):
            raise DataError(f"security {entry['name']!r}: Excel allows a sheet name only once")
        sheets[sheet] = simulate(entry, days=days, rows=rows_per_session, seed=seed)
    with atomic(out) as tmp:
        write_workbook(sheets, f"SIMULATED ticks, seed {seed}: nothing here was ever traded", tmp)


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        build(
            securities=snakemake.params.securities,  # noqa: F821
            sessions=snakemake.params.sessions,  # noqa: F821
            rows_per_session=snakemake.params.rows_per_session,  # noqa: F821
            seed=snakemake.params.seed,  # noqa: F821
            out=Path(snakemake.output.workbook),  # noqa: F821
        )

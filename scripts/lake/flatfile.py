"""One flat file of bars (csv.gz) -> typed good rows, and the refused ones as they stand.

polars parses blocks of lines, turning what it cannot read into nulls. A row is taken from there
only when it is beyond doubt; every other line is judged by itself, as text, by `judge`. So the
result is that of a slow reader that judges line by line (the tests compare with one), and memory is
that of the result and one block of text, whatever the size of the file.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from scripts.errors import DataError

HEADER = "ticker,volume,open,close,high,low,window_start,transactions"
FIELDS = tuple(HEADER.split(","))
NUMBERS = ("volume", "open", "close", "high", "low")
ZONE = "America/New_York"
UNITS = (1, 100, 10**3, 10**6, 10**9)  # to ns from: ns, two zeros short, us, ms, s
BLOCK = 2**24  # bytes of text parsed at once
BLANKS = " \t"
MOST_TRANSACTIONS = 2**32 - 1
MOST_NUMBER = 1e18  # no market has it; and the sum of two larger ones might be infinite
FIX = "delete it, and lake_land_flatfile lands it again"
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
WHOLE = re.compile(r"\+?[0-9]+")
TICKER = r"^[!#-+\--~]{1,40}$"  # printable ASCII, no blank, no quote, no comma
PARSED = {
    "ticker": pl.String,
    **dict.fromkeys(NUMBERS, pl.Float64),
    **dict.fromkeys(FIELDS[-2:], pl.Int64),
}
ROW = {"line": pl.Int64, **PARSED}
REFUSED = {"line": pl.Int64, **dict.fromkeys(FIELDS, pl.String), "reason": pl.String}
# polars refuses a block for one byte that is not UTF-8, and drops \r at the end of a ticker
_PLAIN = bytes(range(128)).replace(b"\r", b"\x7f") + b"\x7f" * 128


class FlatFile(NamedTuple):
    """What one file holds.

    good: columns ticker, timestamp (datetime[ns, UTC]), open, high, low, close, volume (f64),
        transactions (u32), date; sorted by ticker, timestamp.
    bad: line (header = 1), the eight fields as text (null where the line is too short; the last
        one holds what follows it in a line too long), reason; sorted by line.
    """

    good: pl.DataFrame
    bad: pl.DataFrame

    @property
    def rows(self) -> int:
        """Rows of the file below its header; empty lines do not count."""
        return self.good.height + self.bad.height


def instant(day: str, clock: str) -> int:
    """UTC nanoseconds of a time of the clock in New York.

    Args:
        day: YYYY-MM-DD.
        clock: HH:MM, not one that daylight saving skips or repeats.
    """
    local = pl.Series([f"{day} {clock}"]).str.to_datetime("%Y-%m-%d %H:%M", time_unit="ns")
    return local.dt.replace_time_zone(ZONE).dt.timestamp("ns").item()


def day_bounds(day: str) -> tuple[int, int]:
    """First and end (excluded) UTC nanosecond of a date in New York."""
    after = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    return instant(day, "00:00"), instant(after, "00:00")


def read(path: Path, day: str, max_quarantined_share: float, once: tuple[str, ...]) -> FlatFile:
    """Read one file.

    A row is refused when: it has not eight fields; its ticker is empty, over 40 characters, quoted
    or not printable; a price or the volume is no number, negative or above 1e18; high is below low;
    window_start, in s, ms, us, ns or ns two zeros short, is not of the file's date in New York;
    transactions is no whole number of 32 bits; it repeats an earlier row. Of such repeats the first
    in the file is kept.

    Args:
        path: csv.gz in the vendor's format.
        day: the file's date, YYYY-MM-DD.
        max_quarantined_share: largest share of refused rows that still is a success, 0 to 1.
        once: what no two rows may have in common: ticker, or ticker and timestamp.

    Raises:
        DataError: not gzip, truncated, another header, no good row, or too many refused.
    """
    bounds = day_bounds(day)
    good, bad = [pl.DataFrame(schema=ROW)], [pl.DataFrame(schema=REFUSED)]
    for first, block in _blocks(path):
        taken, refused = _split(block, first, bounds)
        good.append(taken)
        bad.append(refused)
    rows = pl.concat(good, rechunk=False).rename({"window_start": "timestamp"})
    rows, repeats = _order(rows, once)
    if repeats:
        bad.append(_refuse_repeats(path, repeats, once))
    refused = pl.concat(bad).sort("line")
    if rows.is_empty() or refused.height > max_quarantined_share * (rows.height + refused.height):
        raise _too_many(path, rows.height, refused, max_quarantined_share)
    typed = rows.select(
        "ticker",
        pl.col("timestamp").cast(pl.Datetime("ns", "UTC")),
        *("open", "high", "low", "close", "volume"),
        pl.col("transactions").cast(pl.UInt32),
        date=pl.lit(date.fromisoformat(day)),
    )
    return FlatFile(typed, refused)


def judge(line: str, bounds: tuple[int, int]) -> tuple | str:
    """Values of one line (types of `PARSED`, window_start in ns), or why it is refused.

    Args:
        line: without its end.
        bounds: `day_bounds` of the file's date.
    """
    texts = line.split(",")
    if len(texts) != len(FIELDS):
        return "row has not eight fields"
    fields = dict(zip(FIELDS, texts, strict=True))
    if not re.match(TICKER, fields["ticker"]):
        return "ticker is empty, too long, quoted or not printable"
    values = {}
    for name in NUMBERS:
        text = fields[name].strip(BLANKS)
        value = float(text) if NUMBER.fullmatch(text) else float("inf")
        if value == float("inf"):
            return f"{name} is missing or not a number"
        if value < 0:
            return f"{name} is negative"
        if value > MOST_NUMBER:
            return f"{name} is above 1e18"
        values[name] = value
    if values["high"] < values["low"]:
        return "high is below low"
    stamp = fields["window_start"].strip(BLANKS)
    if not WHOLE.fullmatch(stamp):
        return "window_start is missing or not a whole number"
    digits = stamp.lstrip("+0")[:20] or "0"  # twenty digits are after every date
    times = [int(digits) * unit for unit in UNITS]
    fitting = [time for time in times if bounds[0] <= time < bounds[1]]
    if not fitting:
        return "window_start is not of the file's date in New York"
    count = fields["transactions"].strip(BLANKS)
    count = float(count) if NUMBER.fullmatch(count) else -1.0
    if not (0 <= count <= MOST_TRANSACTIONS and count.is_integer()):
        return f"transactions is missing or not a whole number from 0 to {MOST_TRANSACTIONS}"
    return (fields["ticker"], *values.values(), fitting[0], int(count))


def _blocks(path: Path) -> Iterator[tuple[int, bytes]]:
    """Blocks of whole lines below the header, each with the number of its first line."""
    line, rest = 0, b""
    try:
        with gzip.open(path) as file:
            while True:
                text = file.read(BLOCK)
                block, newline, rest = (rest + text).rpartition(b"\n")
                if len(rest) > BLOCK:
                    raise DataError(f"{path}, line {line + 1}: longer than {BLOCK} bytes; {FIX}")
                if not text:
                    block, newline, rest = rest, b"\n" if rest else b"", b""
                block += newline
                if block and not line:
                    header, _, block = block.partition(b"\n")
                    _check_header(path, header)
                    line = 1
                if block:
                    yield line + 1, block
                    line += block.count(b"\n")
                if not text:
                    break
    except EOFError:
        raise DataError(f"{path}: the gzip file is truncated; {FIX}") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: not a sound gzip file ({error}); {FIX}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); {FIX}") from None
    if not line:
        raise DataError(f"{path}: empty; {FIX}")


def _check_header(path: Path, line: bytes) -> None:
    """Raise DataError unless `line` is the vendor's header."""
    header = _text(line)
    if header != HEADER:
        raise DataError(f"{path}, line 1: header is {header[:200]!r}, expected {HEADER!r}; {FIX}")


def _text(line: bytes) -> str:
    """A line as text, without the end of line that Windows leaves."""
    return line.decode("utf-8", "backslashreplace").removesuffix("\r")


def _split(block: bytes, first: int, bounds: tuple[int, int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of a block that are good (`ROW`) and that are not (`REFUSED`), in the file's order."""
    rows = block.count(b"\n")
    plain = block.replace(b"\r\n", b"\n") if b"\r" in block else block
    if b"\r" in plain or not plain.isascii():
        plain = plain.translate(_PLAIN)
    frame = pl.read_csv(
        plain,
        has_header=False,
        schema=PARSED,
        quote_char=None,
        empty_string_is_null=False,
        ignore_errors=True,
        missing_columns="insert",
        extra_columns="ignore",
    )
    aligned = frame.height == rows
    if aligned:
        frame = frame.with_columns(_nanoseconds(bounds)).with_row_index("line", offset=first)
        sure = frame.select(_sure(_odd_tickers(frame["ticker"]))).to_series()
        if sure.all() and block.count(b",") == rows * (len(FIELDS) - 1):
            return frame.cast(ROW), pl.DataFrame(schema=REFUSED)
    good, bad = [], []
    lines = block.split(b"\n")[:-1]
    clear = sure.to_list() if aligned else [False] * len(lines)
    commas = len(FIELDS) - 1
    clear = [known and line.count(b",") == commas for known, line in zip(clear, lines, strict=True)]
    for number in (number for number, known in enumerate(clear) if not known):
        text = _text(lines[number])
        values = judge(text, bounds)
        if not isinstance(values, str):
            good.append((first + number, *values))
        elif text:
            bad.append(_refused(first + number, text, values))
    taken = pl.DataFrame(good, schema=ROW, orient="row")
    if aligned:
        taken = pl.concat([frame.filter(pl.Series(clear, dtype=pl.Boolean)).cast(ROW), taken])
    return taken.sort("line"), pl.DataFrame(bad, schema=REFUSED, orient="row")


def _nanoseconds(bounds: tuple[int, int]) -> pl.Expr:
    """window_start in ns; null where in no unit it lies within `bounds` (whole seconds)."""
    stamp, (start, end) = pl.col("window_start"), bounds
    scaled = [
        pl.when((stamp >= start // unit) & (stamp < end // unit)).then(stamp * unit)
        for unit in UNITS
    ]
    return pl.coalesce(scaled)


def _odd_tickers(tickers: pl.Series) -> list[str]:
    """Tickers that `judge` refuses."""
    names = tickers.unique()
    return names.filter(~names.str.contains(TICKER)).to_list()


def _sure(odd_tickers: list[str]) -> pl.Expr:
    """Whether a parsed row is good beyond doubt."""
    checks = [
        *(pl.col(name).is_between(0, MOST_NUMBER) for name in NUMBERS),
        pl.col("high") >= pl.col("low"),
        pl.col("window_start").is_not_null(),
        pl.col("transactions").is_between(0, MOST_TRANSACTIONS),
    ]
    if odd_tickers:
        checks.append(~pl.col("ticker").is_in(odd_tickers))
    return pl.all_horizontal(checks).fill_null(False)


def _refused(line: int, text: str, reason: str) -> tuple:
    """A row of `REFUSED`."""
    texts = text.split(",", len(FIELDS) - 1)
    return (line, *texts, *[None] * (len(FIELDS) - len(texts)), reason)


def _order(rows: pl.DataFrame, once: tuple[str, ...]) -> tuple[pl.DataFrame, list[int]]:
    """Rows sorted by ticker and timestamp, and the lines of the repeats that were left out."""
    if rows.select(_increasing(once)).item():
        return rows, []
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in once)
    rows = rows.sort(once, maintain_order=True)
    repeated = rows.select(same.fill_null(False)).to_series()
    lines = rows["line"].filter(repeated).to_list()
    return rows.filter(~repeated), lines


def _increasing(names: tuple[str, ...]) -> pl.Expr:
    """Whether every row is greater than the one before it by the columns `names`."""
    name, *others = names
    now, before = pl.col(name), pl.col(name).shift()
    greater = now > before
    if others:
        greater |= (now == before) & (pl.col(others[0]) > pl.col(others[0]).shift())
    return greater.all()  # the first row compares with null, which does not count


def _refuse_repeats(path: Path, lines: list[int], once: tuple[str, ...]) -> pl.DataFrame:
    """Rows that repeat others, as `REFUSED`; their text is read once more."""
    names = " and ".join(once).replace("timestamp", "window_start")
    reason, wanted, bad = f"{names} of an earlier row", sorted(lines, reverse=True), []
    for first, block in _blocks(path):
        end = first + block.count(b"\n")
        texts = block.split(b"\n") if wanted and wanted[-1] < end else []
        while wanted and wanted[-1] < end:
            line = wanted.pop()
            bad.append(_refused(line, _text(texts[line - first]), reason))
    return pl.DataFrame(bad, schema=REFUSED, orient="row")


def _too_many(path: Path, good: int, refused: pl.DataFrame, share: float) -> DataError:
    """The error for a file with more refused rows than allowed, naming the first of them."""
    if refused.is_empty():
        return DataError(f"{path}: no row below the header; {FIX}")
    first = refused.row(0, named=True)
    column = first["reason"].split()[0]
    value = f", {column} {first[column]!r}" if column in FIELDS else ""
    return DataError(
        f"{path}, line {first['line']}{value}: {first['reason']}; {refused.height} of "
        f"{good + refused.height} rows refused, more than lake.max_quarantined_share {share}: {FIX}"
    )

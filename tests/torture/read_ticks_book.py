"""Blows against workbooks of ticks, and what must become of their rows."""

from __future__ import annotations

import io
import json
import math
import random
import re
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import polars as pl

from scripts.errors import DataError
from scripts.ticks import build_parquet, sources
from tests.torture import mutate
from tests.torture.reader import Bad, Doubtful

SHARE = 0.2  # of the rows may be refused
HEADER = ("Dates", "Type", "Price", "Size")
BOOK = "book.xlsx"
BEFORE = "before/"  # where a file stands as it was before its bytes were struck
SHEETS = ("EMAAR UH Equity", "NA DH Equity")
TEN = datetime(2025, 4, 14, 10)
KINDS = ("BID", "ASK", "TRADE")
WRITABLE = [v for v in mutate.BAD_CELLS if "\x00" not in v and "\r" not in v]
TIMES = (
    *(45761.5, -1, True, 1e308, datetime(1900, 3, 1), datetime(2100, 1, 1), "2025-04-14"),
    *(datetime(2025, 4, 14, 23, 59, 59), datetime(2024, 4, 14), "2025-04-14 10:00:05"),
    *(" 2025-04-14 10:00:06.5", "14.04.2025 10:00"),
)
PRICES = (-0.01, 0, True, "4.5", " 4.5 ", "4,5", 1e308, "1e3", TEN, 4.123456789012345)
SIZES = (0, 7.5, -3, True, "100", "1e2", 2**53, 2**53 - 1, 1e300, TEN, "7.0")
CELLS: dict[str, list[Any]] = {  # what may stand in a cell of a column
    "Dates": [*WRITABLE, *TIMES],
    "Type": [*WRITABLE, "bid", " Ask ", "TRADES", 1, True, TEN],
    "Price": [*WRITABLE, *PRICES],
    "Size": [*WRITABLE, *SIZES],
}


# parts of a workbook that say what is in its cells
NEEDED = ("xl/workbook.xml", "xl/_rels", "xl/worksheets/sheet", "xl/styles.xml", "xl/sharedStrings")


# ---- workbooks


def make_rows(rng: random.Random, count: int) -> list[list[Any]]:
    """Events in order, as cells."""
    rows: list[list[Any]] = []
    for number in range(count):
        price = rng.choice((4, round(rng.uniform(3, 5), 3), 0))
        when = TEN + timedelta(seconds=number // 2, days=number * 2 // count)
        rows.append([when, rng.choice(KINDS), price, rng.choice((0, 100, 32300))])
    return rows


def save(sheets: Mapping[str, list[list[Any]]]) -> bytes:
    """A workbook of these cells, row by row."""
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row, start=1):
                if value is not None:
                    sheet.cell(number, column, value)
    book.save(out)
    return out.getvalue()


def make_book(rng: random.Random) -> dict[str, bytes]:
    """A workbook of two securities."""
    above: list[list[Any]] = [["title"], ["note"], list(HEADER)]
    return {BOOK: save({name: [*above, *make_rows(rng, 30)] for name in SHEETS})}


def cells_of(content: bytes) -> dict[str, list[list[Any]]]:
    """The cells of a workbook by openpyxl, which is told only the parts that have to do with them.

    It takes no sheet name that Excel would not, so the sheets are numbered for it.
    """
    out, whole = io.BytesIO(), zipfile.ZipFile(io.BytesIO(save({name: [["a"]] for name in SHEETS})))
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for part in whole.namelist():
            told = (old if part.startswith(NEEDED) else whole).read(part)
            if part == "xl/workbook.xml":
                root = ElementTree.fromstring(told)
                sheets = [element for element in root.iter() if element.tag.endswith("}sheet")]
                names = [sheet.get("name", "") for sheet in sheets]
                for number, sheet in enumerate(sheets):
                    sheet.set("name", f"sheet{number}")
                told = ElementTree.tostring(root)
            new.writestr(part, told)
    book = openpyxl.load_workbook(out, data_only=True)
    rows = ([list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book)
    return dict(zip(names, rows, strict=True))


SPELLINGS = ("Price", "PRICE ", "Qty", "time", 7)  # of columns, that mean one, or a second
HOWS = (*("cell",) * 8, *("header",) * 3, "blank", "drop", "twice", "moved", "wide")


def strike_cells(rng: random.Random, rows: list[list[Any]]) -> tuple[list[list[Any]], str]:
    """Strike the cells of a sheet whose header is on row 3."""
    rows = [list(row) for row in rows]
    place = rng.randrange(3, len(rows))
    how = rng.choice(HOWS)
    if how == "cell":
        column = rng.choice(HEADER)
        value = rng.choice(CELLS[column])
        for one in [place, *rng.sample(range(3, len(rows)), rng.choice((0, 0, 2)))]:
            rows[one][HEADER.index(column)] = value
        return rows, f"row {place + 1}, {column} is {str(value)[:20]!r}"
    if how == "header":
        names = [n for n in mutate.HOSTILE_COLUMNS if "\x00" not in n and "\x07" not in n]
        column, name = rng.randrange(5), rng.choice((*names, *SPELLINGS))
        rows[2] = [*rows[2], None]
        rows[2][column] = name
        return rows, f"column {column + 1} of the header is {str(name)[:20]!r}"
    if how == "blank":
        rows.insert(place, [None] * 4)
    elif how == "drop":
        del rows[rng.randrange(3)]
    elif how == "twice":
        rows.insert(place, rows[rng.randrange(2, len(rows))])
    elif how == "moved":
        rows[place], rows[-1] = rows[-1], rows[place]
    else:
        rows[place] = [*rows[place], "more", 1]
    return rows, f"{how}, row {place + 1}"


def rezipped(content: bytes, part: str, how: Callable[[bytes], bytes | None]) -> bytes:
    """A zip archive in which a part is another; None: is missing."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            told = how(old.read(name)) if name == part else old.read(name)
            if told is not None:
                new.writestr(name, told)
    return out.getvalue()


def strike_book(rng: random.Random, files: dict[str, bytes]) -> tuple[dict[str, bytes], str, str]:
    """Strike the bytes of a workbook, a part of it, the name of a sheet, or cells."""
    content, how = files[BOOK], rng.random()
    if how < 0.15:
        struck, what = rng.choice(mutate.BYTES)(rng, content)
        return {BOOK: struck, f"{BEFORE}{BOOK}": content}, what, BOOK
    if how < 0.25:
        parts = ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml")
        part, blow = rng.choice((*parts, "xl/styles.xml", "xl/_rels/workbook.xml.rels")), ""

        def struck(inside: bytes) -> bytes | None:
            nonlocal blow
            if rng.random() < 0.2:
                blow = "missing"
                return None
            told, blow = rng.choice((mutate.truncated, mutate.emptied, mutate.garbage))(rng, inside)
            return told

        content = rezipped(content, part, struck)
        what = f"{part}: {blow}"
    elif how < 0.4:
        name = rng.choice(mutate.HOSTILE_NAMES)
        content, what = renamed(content, name), f"sheet named {name[:20]!r}"
    else:
        sheets, told = cells_of(content), []
        for _ in range(rng.choice((1, 1, 2))):
            sheets[SHEETS[0]], blow = strike_cells(rng, sheets[SHEETS[0]])
            told.append(blow)
        content, what = save(sheets), "; ".join(told)
    return {BOOK: content}, what, BOOK


def renamed(content: bytes, name: str) -> bytes:
    """A workbook whose first sheet has a name that Excel might not allow."""
    safe = "".join(c if c.isprintable() and c not in '<&"' else f"&#{ord(c)};" for c in name)

    def struck(inside: bytes) -> bytes:
        return inside.replace(f'name="{SHEETS[0]}"'.encode(), f'name="{safe} UH Equity"'.encode())

    return rezipped(content, "xl/workbook.xml", struck)


def read_book(given: Path, out: Path) -> dict:
    """Build every security of a workbook."""
    return built(given / BOOK, sources.workbook_securities(given / BOOK), out)


def built(source: Path, securities: Iterable[str], out: Path) -> dict:
    """Build some securities of a source; the files that came out, read again."""
    found: dict = {}
    for security in securities:
        outs = {name: out / name / f"{security}.parquet" for name in ("out", "quarantine")}
        reconcile = out / f"{security}.json"
        if not all(path.resolve().is_relative_to(out.resolve()) for path in outs.values()):
            raise AssertionError(f"{security!r} leads out of the results")
        path = source / sources.folder_securities(source)[security] if source.is_dir() else source
        try:
            report = build_parquet.build(
                source=path, security=security, header_row=3, max_quarantined_share=SHARE,
                reconcile=reconcile, **outs,
            )  # fmt: skip
        except DataError:
            if not any(path.exists() for path in (reconcile, *outs.values())):
                shutil.rmtree(out, ignore_errors=True)  # of other jobs, which did not fail
            raise
        if report["rows_in"] != report["good"] + report["quarantined"]:
            raise AssertionError(f"does not reconcile: {report}")
        good = pl.read_parquet(outs["out"], glob=False).with_columns(
            pl.col("timestamp").cast(pl.String)
        )
        found[security, "good"] = good.rows()
        found[security, "bad"] = pl.read_parquet(outs["quarantine"], glob=False)["line"].to_list()
        found[security, "account"] = json.loads(reconcile.read_text())["good"]
    return found


def book_told(files: Mapping[str, bytes]) -> dict:
    """What a workbook says, by openpyxl; of struck bytes others may read more than it, or less."""
    before = files.get(f"{BEFORE}{BOOK}")
    try:
        sheets = cells_of(files[BOOK])
    except Exception as error:  # of any sort
        if before is None:
            raise Bad(f"no workbook: {error!r}") from None
        sheets = cells_of(before)
    if before is not None:
        raise Doubtful("its bytes were struck", sheets_told(sheets))
    return sheets_told(sheets)


def sheets_told(sheets: Mapping[str, list[list[Any]]]) -> dict:
    """What the cells of a workbook say."""
    found: dict = {}
    for name, rows in sheets.items():
        security = name.upper().replace(" UH EQUITY", "").replace(" DH EQUITY", "").strip()
        if not is_safe(security) or (security, "good") in found:
            raise Bad(f"{security!r} can be no file, or stands twice")
        if len(rows) < 4:
            raise Bad("no rows")
        places = columns_in([str(c) if c is not None else "" for c in rows[2]])
        table = [
            (line, [row[place] if place < len(row) else None for place in places])
            for line, row in enumerate(rows[3:], start=4)
        ]
        found |= judged(security, [(n, r) for n, r in table if any(c is not None for c in r)])
    return found


def is_safe(security: str) -> bool:
    """Whether a security can be part of a path."""
    odd = set(security) & set("/\\{}*?") or not security.isprintable()
    return bool(security) and not odd and security[0] != "." and len(security.encode()) <= 100


def columns_in(names: list[str]) -> list[int]:
    """Places of our four columns."""
    places: dict[str, list[int]] = {"Dates": [], "Type": [], "Price": [], "Size": []}
    for place, name in enumerate(names):
        name = name.strip().lower()
        if "date" in name or "time" in name:
            places["Dates"].append(place)
        elif name == "type":
            places["Type"].append(place)
        elif "price" in name:
            places["Price"].append(place)
        elif name in ("size", "vol", "volume", "qty", "quantity"):
            places["Size"].append(place)
    if any(len(there) != 1 for there in places.values()):
        raise Bad("not one column of each")
    return [there[0] for there in places.values()]


def judged(security: str, rows: list[tuple[int, list[Any]]]) -> dict:
    """What must become of rows, each with its line."""
    good, bad = [], []
    for line, (when, kind, price, size) in rows:
        try:
            row = (moment(when), str(kind).strip().upper(), number(price), number(size))
            if row[1] not in KINDS or isinstance(kind, bool) or row[2] < 0 or row[3] < 0:
                raise ValueError
            if row[3] % 1 or row[3] >= 2**53:
                raise ValueError
            good.append((f"{row[0]:%Y-%m-%d %H:%M:%S.%f}000", row[1], row[2], int(row[3])))
        except ValueError:
            bad.append(line)
    days = [row[0][:10] for row in good]
    if not good or len(bad) > SHARE * len(rows) or days != sorted(days):
        raise Bad(f"{len(good)} good, {len(bad)} bad")
    return {(security, "good"): good, (security, "bad"): bad, (security, "account"): len(good)}


def moment(value: Any) -> datetime:
    """A time, as such or as text."""
    if isinstance(value, str):
        form = "%Y-%m-%d %H:%M:%S" + (".%f" if "." in value else "")
        value = datetime.strptime(value.strip(), form)
    if not isinstance(value, datetime) or not 1990 <= value.year < 2100:
        raise ValueError
    return value


def number(value: Any) -> float:
    """A finite number, as such or as text."""
    if isinstance(value, str) and re.fullmatch(
        r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value.strip(), re.ASCII
    ):
        value = float(value)
    if type(value) not in (int, float, Decimal) or not math.isfinite(value):
        raise ValueError
    return float(value)

"""Blows against the readers of outside ticks: workbooks, parquet files, the securities table."""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scripts.plan.ticks import read_table
from scripts.ticks import sources
from tests.torture import mutate
from tests.torture.mutate_more import LONGEST_CELL, long_cells
from tests.torture.read_ticks_book import (
    BEFORE,
    BOOK,
    CELLS,
    HEADER,
    SHEETS,
    book_told,
    built,
    cells_of,
    columns_in,
    is_safe,
    judged,
    make_book,
    make_rows,
    read_book,
    renamed,
    save,
    strike_book,
)
from tests.torture.reader import Bad, Doubtful, Files, Reader, Unreadable, cases_of, play
from tests.torture.tally import Case

NAMES = ("timestamp", "type", "price", "volume")
STEMS = [n for n in mutate.HOSTILE_NAMES if n and not set(n) & set("/\0") and len(n) < 99]
SPELLINGS = ("time", "qty", "Price")
KINDS = (
    *(pa.string(), pa.float32(), pa.bool_(), pa.date32(), pa.list_(pa.int64()), pa.int8()),
    *(pa.timestamp("s", "UTC"), pa.decimal128(20, 6), pa.binary(), pa.null()),
)


def make_folder(rng: random.Random) -> dict[str, bytes]:
    """A folder of two securities."""
    return {f"ticks/{n}": parquet(make_rows(rng, 30)) for n in ("emaar.parquet", "NA.parquet")}


def parquet(
    rows: list[list[Any]], names: Iterable[str] = ("timestamp", "type", "price", "volume")
) -> bytes:
    """A parquet file of these cells; a column of several types is text."""
    arrays, out = [], io.BytesIO()
    for column in zip(*rows, strict=True):
        try:
            arrays.append(pa.array(column))
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, ValueError):
            arrays.append(pa.array([None if value is None else str(value) for value in column]))
    pq.write_table(pa.Table.from_arrays(arrays, list(names)), out, store_schema=False)
    return out.getvalue()


def strike_folder(rng: random.Random, files: dict[str, bytes]) -> tuple[dict[str, bytes], str, str]:
    """Strike the bytes of a file, its columns, its values, or its name."""
    old, how = "ticks/emaar.parquet", rng.random()
    content, name = files[old], old
    table = pq.read_table(io.BytesIO(content))
    rows, names = [list(row.values()) for row in table.to_pylist()], list(table.column_names)
    if how < 0.25:
        blows = (mutate.truncated, mutate.emptied, mutate.garbage, mutate.appended, mutate.html)
        struck, what = rng.choice((*blows, in_footer, in_footer, in_footer))(rng, content)
        return {**files, old: struck, f"{BEFORE}{old}": content}, what, old
    if how < 0.4:
        stem = rng.choice(STEMS)
        name, what = f"ticks/{stem}.parquet", f"file named {stem!r}"
    elif how < 0.55:
        place, other = rng.randrange(4), rng.choice((*mutate.HOSTILE_COLUMNS, *SPELLINGS))
        names[place] = other
        content, what = parquet(rows, names), f"column {place + 1} named {other[:20]!r}"
    elif how < 0.65:
        place = rng.randrange(4)
        column = pa.nulls(len(rows), kind := rng.choice(KINDS))
        with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
            column = table.column(place).cast(kind)
        out = io.BytesIO()
        pq.write_table(table.set_column(place, names[place], column), out, store_schema=False)
        content, what = out.getvalue(), f"{names[place]} as {kind}"
    else:
        column, place = rng.randrange(4), rng.randrange(len(rows))
        value = rng.choice([*CELLS[HEADER[column]], float("nan"), float("inf"), None])
        rows[place][column] = value
        content, what = parquet(rows), f"row {place + 1}, {names[column]} is {str(value)[:20]!r}"
    kept = {key: value for key, value in files.items() if key != old}
    return {**kept, name: content}, what, "ticks" if name != old else name


def in_footer(rng: random.Random, content: bytes) -> tuple[bytes, str]:
    """A bit of the directory at a parquet file's end; its pages have no checksum to know it by."""
    length = int.from_bytes(content[-8:-4], "little") + 8
    struck, what = mutate.flipped(rng, content[-length:])
    return content[:-length] + struck, f"footer: {what}"


def read_folder(given: Path, out: Path) -> dict:
    """Build every security of a folder."""
    return built(given / "ticks", sources.folder_securities(given / "ticks"), out)


def folder_told(files: Mapping[str, bytes]) -> dict:
    """What the files say, by pyarrow; of struck bytes others may read more than it, or less."""
    before = {n.removeprefix(BEFORE): c for n, c in files.items() if n.startswith(BEFORE)}
    if not before:
        return rows_told(files)
    try:
        told = rows_told(files)
    except Unreadable:
        told = rows_told({**files, **before})
    raise Doubtful("its bytes were struck", told)


def rows_told(files: Mapping[str, bytes]) -> dict:
    """What the files say, by pyarrow."""
    found: dict = {}
    for name, content in files.items():
        if not re.match(r"ticks/[^.]", name):
            continue
        stem = Path(name).name.removesuffix(".parquet")
        security = stem.upper().replace(" UH EQUITY", "").replace(" DH EQUITY", "").strip()
        if not is_safe(security) or (security, "good") in found:
            raise Bad(f"{security!r} can be no file, or stands twice")
        try:
            table = pq.read_table(io.BytesIO(content))
        except (pa.ArrowException, OSError) as error:
            raise Unreadable(f"no parquet file: {error!r}") from None
        try:
            columns = [table.column(place) for place in columns_in(table.column_names)]
        except Bad:
            raise
        except Exception as error:  # of any sort
            raise Bad(f"no parquet file: {error!r}") from None
        kinds = [column.type for column in columns]
        if any(pa.types.is_nested(kind) or pa.types.is_binary(kind) for kind in kinds):
            raise Bad("no plain values")
        if getattr(kinds[0], "tz", None) not in (None, "Asia/Dubai"):
            raise Bad("another zone")
        rows = list(zip(*(column.to_pylist() for column in columns), strict=True))
        told = [(n, list(row)) for n, row in enumerate(rows, start=1) if row != (None,) * 4]
        found |= judged(security, told)
    return found


# ---- the securities table


def make_table(rng: random.Random) -> dict[str, bytes]:
    """A table of three securities."""
    columns = ["security", "exchange", "quote_size", "max_position", "refill_interval_sec"]
    rows = [[n, rng.choice(("ADX", "DFM")), "100", "2000", "180"] for n in ("EMAAR", "NA", "*")]
    return {"securities.csv": mutate.to_csv(mutate.Table(columns, rows)).encode()}


def strike_table(rng: random.Random, files: dict[str, bytes]) -> tuple[dict[str, bytes], str, str]:
    """Strike its text or its cells."""
    content = files["securities.csv"]
    if rng.random() < 0.3:
        content, what = rng.choice((*mutate.TEXT, *mutate.BYTES))(rng, content)
    else:
        names = mutate.cell(mutate.HOSTILE_NAMES, ["security"])
        struck = rng.choice((*mutate.TABLE, names))(rng, mutate.from_csv(content.decode()))
        content, what = mutate.to_csv(struck.table).encode(), struck.what
    return {"securities.csv": content}, what, "securities.csv"


def read_securities(given: Path, _out: Path) -> dict:
    """Read the table."""
    return read_table(given / "securities.csv")


def table_told(files: Mapping[str, bytes]) -> dict:
    """The table by the csv module; only what is plain is taken."""
    try:
        text = files["securities.csv"].decode("utf-8-sig")
        with long_cells():
            header, *rows = csv.reader(io.StringIO(text, newline=""))
    except (UnicodeDecodeError, ValueError, csv.Error) as error:
        raise Bad(f"no table of text: {error}") from None
    known = {"security", "exchange", "quote_size", "max_position", "refill_interval_sec"}
    if len(set(header)) != len(header) or set(header) - known or "security" not in header:
        raise Bad("another header")
    found: dict = {}
    for row in filter(None, rows):
        if len(row) != len(header):
            raise Bad("a row of another length")
        if any(len(cell) > LONGEST_CELL for cell in row):
            raise Bad("a cell is too long")
        cells = {n: v.strip() for n, v in zip(header, row, strict=True) if v.strip()}
        security = cells.pop("security", "").upper()
        if not security or security in found or cells.get("exchange", "ADX") not in ("ADX", "DFM"):
            raise Bad("no security, twice the same, or another exchange")
        for name in cells.keys() - {"exchange"}:
            if not re.fullmatch(r"[\d_.]{1,15}", cells[name]):
                raise Bad(f"{name} is no whole number")
            try:
                cells[name] = int(cells[name])
            except ValueError:
                raise Bad(f"{name} is no whole number") from None
        found[security] = cells
    return found


BESIDE = ("{}#", "{}_1", "{}_right", "_{}", "{}#1")  # as readers name a column of their own


def strike_beside(rng: random.Random, files: dict[str, bytes]) -> tuple[dict[str, bytes], str, str]:
    """Put a column beside the known ones, named as a reader might name one of its own."""
    old = "ticks/emaar.parquet"
    table = pq.read_table(io.BytesIO(files[old]))
    rows, names = [list(row.values()) for row in table.to_pylist()], list(table.column_names)
    place, name = rng.choice((0, 4)), rng.choice(BESIDE).format(rng.choice((*names, *HEADER)))
    names.insert(place, name)
    for number, row in enumerate(rows):
        row.insert(place, 10**6 + number)
    struck = {old: parquet(rows, names), f"{BEFORE}{old}": files[old]}
    return {**files, **struck}, f"a column {name} beside", old


def strike_beside_in_book(
    rng: random.Random, files: dict[str, bytes]
) -> tuple[dict[str, bytes], str, str]:
    """The same in a workbook."""
    sheets = cells_of(files[BOOK])
    place, name = rng.choice((0, 4)), rng.choice(BESIDE).format(rng.choice((*NAMES, *HEADER)))
    for number, row in enumerate(sheets[SHEETS[0]][2:]):
        row.insert(place, 10**6 + number if number else name)
    return {BOOK: save(sheets), f"{BEFORE}{BOOK}": files[BOOK]}, f"a column {name} beside", BOOK


def beside_told(told: Callable[[Files], dict], files: Files) -> dict:
    """What the files said without the column; it may be refused, and never be read as another."""
    before = {n.removeprefix(BEFORE): c for n, c in files.items() if n.startswith(BEFORE)}
    own = told({n: c for n, c in {**files, **before}.items() if not n.startswith(BEFORE)})
    if not before:
        return own
    raise Doubtful("a column beside might be meant", own)


READERS = [
    Reader("workbook", make_book, strike_book, read_book, book_told),
    Reader("parquet folder", make_folder, strike_folder, read_folder, folder_told),
    Reader("securities table", make_table, strike_table, read_securities, table_told),
    Reader(
        "folder with more columns",
        make_folder,
        strike_beside,
        read_folder,
        partial(beside_told, folder_told),
    ),
    Reader(
        "workbook with more columns",
        make_book,
        strike_beside_in_book,
        read_book,
        partial(beside_told, book_told),
    ),
]


def cases(seed: int, count: int) -> list[Case]:
    """So many blows on workbooks, folders of parquet files, and the securities table."""
    return cases_of("malformed ticks", READERS, seed, count)


def hostile_names(seed: int) -> list[Case]:
    """Every hostile name as that of a sheet and, where a file can have it, of a file."""
    rng, made = random.Random(seed), []
    for name in mutate.HOSTILE_NAMES:
        blows = [(READERS[0], _sheet), *([(READERS[1], _file)] if name in STEMS else [])]
        for reader, strike in blows:
            own, told = rng.randrange(2**32), f"{reader.name}: {strike.__name__[1:]} {name[:20]!r}"
            struck = reader._replace(strike=partial(strike, name))
            made.append(Case("hostile names", told, own, partial(play, struck, own)))
    return made


def _sheet(name: str, _rng: random.Random, files: dict[str, bytes]) -> tuple[dict, str, str]:
    """A sheet has the name."""
    return {BOOK: renamed(files[BOOK], name)}, "a hostile name", BOOK


def _file(name: str, _rng: random.Random, files: dict[str, bytes]) -> tuple[dict, str, str]:
    """A file of the folder has the name."""
    struck = {f"ticks/{name}.parquet": files["ticks/emaar.parquet"]}
    return {**struck, "ticks/NA DH Equity.parquet": files["ticks/NA.parquet"]}, "a name", "ticks"

"""Seeded damage to bytes, to tables of text and to JSON: what goes in stays as it was.

Every blow takes a `random.Random` and content, and gives damaged content and what was done to it in
a few words. Those of tables and records also tell which rows of the new content are untouched
(`origins`), so that who judges a reader knows what must have come through it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

from tests.torture.mutate_bytes import (  # noqa: F401 - the mutators of bytes are had from here
    BYTES,
    GZIP,
    TEXT,
    OfBytes,
    appended,
    emptied,
    flipped,
    garbage,
    html,
    recompressed,
    truncated,
)

LONG = "x" * 300
HUGE = "9" * 2**20
HOSTILE_NAMES = (
    *("../x", "/x", "a/b", "a\\b", ".", "..", ".x", "~", "-rf", "con"),
    *("NA", "NULL", "null", "nan", "NaN", "None", "true", "1e5", "007", "inf"),
    *("Ünï", "株", "e\u0301", "A\u202eB", "\ufeffA", "A\u00a0B", "A B", " A", "A ", "A\tB"),
    *("{x}", "*", "?", "[a]", "$HOME", "%2e%2e", "a'b", 'a"b', "a,b", "a;b", "a=b", "a\nb", "a\rb"),
    *("a\x00b", "a\x07b", "#", "", LONG),
)
HOSTILE_COLUMNS = (*HOSTILE_NAMES, "index", "date", "source", "line", "reason")
# no number, or one that no reader should take without a word for a price, a count or a day
BAD_CELLS = (
    *("", " ", "NaN", "inf", "-inf", "-1", "abc", "1e308", "1e999", "0x10", "1_000", "1,5"),
    *("2020-13-45", "1999-01-01", "01/02/2025", "null", "None", '"', 'a"b', "'", "a\nb", "a\r\nb"),
    *("\x00", "\ufeff1", "٣", "½", "1.5.2", "--1", "=1+1", "#REF!", "true", "1 000"),
)  # fmt: skip


class Table(NamedTuple):
    """A table as its file says it: all is text."""

    header: list[str]
    rows: list[list[str]]


class Struck(NamedTuple):
    """A table after a blow."""

    table: Table
    what: str
    origins: list[int | None]  # of each row: which row of the old table it is; None: a touched one
    in_header: bool = False  # the blow fell on the header (the rows may have moved with it)
    column: str = ""  # name of the column in which a cell was struck
    value: str | None = None  # what then stands there


class StruckRecords(NamedTuple):
    """A list of JSON records after a blow; `text` is the list as JSON."""

    text: str
    what: str
    origins: list[int | None]  # as in `Struck`
    key: str = ""  # of the record that was struck


# ---- tables of text


def from_csv(text: str) -> Table:
    """The table in a CSV text with a header."""
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    return Table(header, rows)


def to_csv(table: Table) -> str:
    """CSV of a table, quoted where it needs to be, LF."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([table.header, *table.rows])
    return out.getvalue()


OfTable = Callable[[Random, Table], Struck]


def _all(table: Table) -> list[int | None]:
    return list(range(len(table.rows)))


def _header(table: Table, header: list[str], what: str) -> Struck:
    return Struck(Table(header, table.rows), what, _all(table), in_header=True)


def no_header(_rng: Random, table: Table) -> Struck:
    """The first row stands where the header should."""
    first, *rows = table.rows
    origins: list[int | None] = list(range(1, len(table.rows)))
    return Struck(Table(first, rows), "no header", origins, in_header=True)


def header_twice(_rng: Random, table: Table) -> Struck:
    """The header stands there once more, as a row."""
    place = len(table.rows) // 2
    rows = [*table.rows[:place], list(table.header), *table.rows[place:]]
    origins = _all(table)
    return Struck(Table(table.header, rows), "the header again as a row",
                  [*origins[:place], None, *origins[place:]])  # fmt: skip


def column_renamed(rng: Random, table: Table) -> Struck:
    """A column has a hostile name."""
    place, name = rng.randrange(len(table.header)), rng.choice(HOSTILE_COLUMNS)
    header = [*table.header[:place], name, *table.header[place + 1 :]]
    return _header(table, header, f"column {table.header[place]} named {name[:20]!r}")


def column_doubled(rng: Random, table: Table) -> Struck:
    """Two columns have one name."""
    one, other = rng.sample(range(len(table.header)), 2)
    header = list(table.header)
    header[one] = header[other]
    return _header(table, header, f"columns {one} and {other} both named {header[one]}")


def case_changed(rng: Random, table: Table) -> Struck:
    """The header in other letters."""
    change = rng.choice((str.upper, str.title, lambda name: f" {name}", lambda name: f"{name} "))
    return _header(table, [change(name) for name in table.header], "header in other letters")


def columns_moved(rng: Random, table: Table) -> Struck:
    """The columns stand in another order, with their names."""
    order = list(range(len(table.header)))
    while order == sorted(order):
        rng.shuffle(order)
    rows = [[row[place] for place in order if place < len(row)] for row in table.rows]
    moved = Table([table.header[place] for place in order], rows)
    return Struck(moved, "columns in another order", _all(table), in_header=True)


def column_dropped(rng: Random, table: Table) -> Struck:
    """A column is missing, in the header and below."""
    place = rng.randrange(len(table.header))
    rows = [[*row[:place], *row[place + 1 :]] for row in table.rows]
    header = [*table.header[:place], *table.header[place + 1 :]]
    what = f"no column {table.header[place]}"
    return Struck(Table(header, rows), what, _all(table), in_header=True)


def column_added(rng: Random, table: Table) -> Struck:
    """A column more, under a hostile name."""
    place, name = rng.randrange(len(table.header) + 1), rng.choice(HOSTILE_COLUMNS)
    rows = [[*row[:place], str(number), *row[place:]] for number, row in enumerate(table.rows)]
    header = [*table.header[:place], name, *table.header[place:]]
    what = f"a column {name[:20]!r} more"
    return Struck(Table(header, rows), what, _all(table), in_header=True)


def _row(table: Table, place: int, row: list[str], what: str) -> Struck:
    rows = [*table.rows[:place], row, *table.rows[place + 1 :]]
    origins = _all(table)
    origins[place] = None
    return Struck(Table(table.header, rows), f"row {place + 1}: {what}", origins)


def row_short(rng: Random, table: Table) -> Struck:
    """A row has too few fields."""
    place = rng.randrange(len(table.rows))
    kept = rng.randrange(1, len(table.header))
    return _row(table, place, table.rows[place][:kept], f"{kept} fields")


def row_long(rng: Random, table: Table) -> Struck:
    """A row has too many fields."""
    place = rng.randrange(len(table.rows))
    more = [rng.choice(("", "1", "x")) for _ in range(rng.choice((1, 2, 50)))]
    return _row(table, place, [*table.rows[place], *more], f"{len(more)} fields too many")


def fields_shifted(rng: Random, table: Table) -> Struck:
    """The fields of a row stand one column further on."""
    place = rng.randrange(len(table.rows))
    row = table.rows[place]
    return _row(table, place, [row[-1], *row[:-1]], "fields one column further on")


def cell(values: Sequence[str], columns: Sequence[str] | None = None) -> OfTable:
    """A blow that puts one of `values` into a cell of one of `columns` (None: of all)."""

    def struck(rng: Random, table: Table) -> Struck:
        place, value = rng.randrange(len(table.rows)), rng.choice(list(values))
        row = list(table.rows[place])
        there = table.header[: len(row)]  # a blow before may have made the row short
        name = rng.choice([name for name in columns or there if name in there] or there)
        row[there.index(name)] = value
        what = f"{name} is {value[:20]!r}{'...' if len(value) > 20 else ''}"
        return _row(table, place, row, what)._replace(column=name, value=value)

    return struck


def row_doubled(rng: Random, table: Table) -> Struck:
    """A row stands there twice; both are told as that row."""
    place, to = rng.randrange(len(table.rows)), rng.randrange(len(table.rows) + 1)
    rows, origins = list(table.rows), _all(table)
    rows.insert(to, list(table.rows[place]))
    origins.insert(to, place)
    return Struck(Table(table.header, rows), f"row {place + 1} again", origins)


def rows_shuffled(rng: Random, table: Table) -> Struck:
    """The rows stand in another order."""
    order = list(range(len(table.rows)))
    rng.shuffle(order)
    return Struck(Table(table.header, [table.rows[i] for i in order]), "rows shuffled", [*order])


def no_rows(_rng: Random, table: Table) -> Struck:
    """Nothing but the header."""
    return Struck(Table(table.header, []), "no row", [])


HEADERS: tuple[OfTable, ...] = (
    *(no_header, column_renamed, column_doubled, case_changed, columns_moved),
    *(column_dropped, column_added),
)
ROWS: tuple[OfTable, ...] = (
    *(header_twice, row_short, row_long, fields_shifted, cell(BAD_CELLS), cell(BAD_CELLS)),
    *(cell((HUGE,)), row_doubled, rows_shuffled, no_rows),
)
TABLE: tuple[OfTable, ...] = (*HEADERS, *ROWS)


# ---- JSON

_DEEP = "[" * 100_000
VALUES = (  # as JSON text, for a place that wants another type
    *("null", "true", "{}", "[]", '""', '"abc"', '" "', "-1", "1e308", "1e999", "NaN", "-Infinity"),
    *("123456789012345678901234567890", '"NaN"', '"2020-13-45"', '"1,5"', '"\\ud800"', '"\\u0000"'),
    *('{"value": 1}', "[1]", '[{"a": [null]}]', "0.1", f'"{HUGE}"', '"../x"', '"a\\nb"'),
)


NUMBERS = ("-1", "-0.5", "0", "1.5", "1e308", "1e999", "NaN", "true", '"1"', '"abc"', "null", "[1]")
TEXTS = (
    '""',
    '" "',
    '"NA"',
    "null",
    "1",
    "true",
    "[]",
    '"2025-02-30"',
    '"1999-01-01"',
    '"a\\u0000"',
)


def _other(rng: Random, value: Any) -> str:
    """JSON text to stand in the place of a value: of any type, or (rather) one of its sort."""
    alike = TEXTS if isinstance(value, str) else NUMBERS
    return rng.choice(alike if rng.random() < 0.6 else VALUES)


def _members(record: dict[str, Any]) -> list[tuple[str, str]]:
    """Keys and values of an object as JSON text, so that a blow may write what `dumps` cannot."""
    return [(json.dumps(key), json.dumps(value)) for key, value in record.items()]


def _object(members: list[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in members) + "}"


def of_record(rng: Random, record: dict[str, Any]) -> tuple[str, str, str]:
    """A blow on one flat or nested object: its JSON text, what was done, the key that was struck.

    An inner object is struck one time in two, where there is one.
    """
    key = rng.choice(list(record))
    if isinstance(record[key], dict) and record[key] and rng.random() < 0.5:
        inner, what, _ = of_record(rng, record[key])
        members = [(json.dumps(k), inner if k == key else json.dumps(v)) for k, v in record.items()]
        return _object(members), f"{key}: {what}", key
    members = _members(record)
    place = list(record).index(key)
    name, value = members[place]
    how = rng.choice(("removed", "renamed", "replaced", "replaced", "replaced", "nested", "twice"))
    if how == "removed":
        del members[place]
    elif how == "renamed":
        members[place] = (json.dumps(rng.choice(HOSTILE_COLUMNS)), value)
    elif how == "replaced":
        value = _other(rng, record[key])
        members[place] = (name, value)
        how = f"replaced by {value[:20]}"
    elif how == "nested":
        depth = rng.choice((0, 0, rng.randrange(300, 1200)))
        members[place] = (name, f'{{"value": {"[" * depth}{value}{"]" * depth}}}')
    else:
        members.append((name, _other(rng, record[key])))
    return _object(members), f"{key} {how}", key


def of_records(rng: Random, records: Sequence[dict[str, Any]]) -> StruckRecords:
    """A blow on a list of records: on one of them, on their order, or on their number."""
    texts, origins = [json.dumps(record) for record in records], [*range(len(records))]
    place = rng.randrange(len(records))
    how = rng.choice(("record", "record", "record", "record", "twice", "shuffled", "foreign"))
    kept: list[int | None] = list(origins)
    key = ""
    if how == "record":
        told = []
        for one in rng.sample(range(len(records)), min(len(records), rng.choice((1, 1, 1, 3)))):
            texts[one], what, key = of_record(rng, records[one])
            kept[one] = None
            told.append(f"record {one + 1}: {what}")
        how = "; ".join(told)
    elif how == "twice":
        texts.append(texts[place])
        kept.append(place)
        how = f"record {place + 1} again"
    elif how == "shuffled":
        rng.shuffle(origins)
        texts, kept = [texts[i] for i in origins], [*origins]
    else:
        value = rng.choice(VALUES)
        texts.insert(place, value)
        kept.insert(place, None)
        how = f"{value[:20]} among the records"
    return StruckRecords(f"[{', '.join(texts)}]", how, kept, key)


def of_document(rng: Random, content: bytes) -> tuple[bytes, str]:
    """A blow on a JSON object as a whole: its keys, its type, its text."""
    document = json.loads(content)
    how = rng.choice(("bytes", "bytes", "list", "empty", "deep", "member", "member", "text", "bom"))
    if how == "bytes":
        struck, how = rng.choice((truncated, emptied, garbage, appended, html))(rng, content)
        return struck, how
    if how == "list":
        return b"[" + content + b"]", "a list in place of the object"
    if how == "member":
        text, what, _ = of_record(rng, document)
        return text.encode(), what
    whole = {"empty": b"{}", "deep": _DEEP.encode(), "text": b'"OK"'}
    whole["bom"] = b"\xef\xbb\xbf" + content
    return whole[how], f"document: {how}"


def as_object(record: dict[str, Any], **texts: str) -> str:
    """An object as JSON text, in which some members are the texts given."""
    return _object([
        (json.dumps(key), texts.get(key) or json.dumps(value)) for key, value in record.items()
    ])  # fmt: skip

"""Records of the vendor's REST API -> a partition, what was refused of it, and how many of each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode

import polars as pl

from scripts import tables
from scripts.errors import DataError, NotFoundError
from scripts.lake.readers import READERS, Reader, day, text

CHUNK = 2**12  # records held as Python objects at a time
FEW, MOST_REFUSED = 20, 0.05  # of so many records and more, at most this share may be refused
SHOWN = 60  # characters of a refused value in a reason
QUARANTINE: tables.Columns = {
    "source": tables.Column(pl.String, "path and query of the request, without any key"),
    "line": tables.Column(pl.Int64, "number of the record in the answer, from 1, over its pages"),
    "record": tables.Column(pl.String, "the record as JSON"),
    "reason": tables.Column(pl.String, "the field, its value, and what is wrong with it"),
}


class Api(Protocol):
    """What is needed of `scripts.lake.rest.Api`."""

    def records(self, path: str, params: Mapping[str, str]) -> Iterator[Any]:
        """The records of all pages of an answer."""

    def record(self, path: str, params: Mapping[str, str]) -> Any:
        """The result of one answer; None where the vendor knows nothing (404)."""


class Window(NamedTuple):
    """The days that a partition is about: from `first` up to, not with, `end`."""

    key: str | date  # the partition's key, as it is in its column
    first: date
    end: date

    def query(self, field: str) -> dict[str, str]:
        """Parameters that ask for this window of `field`."""
        return {f"{field}.gte": self.first.isoformat(), f"{field}.lt": self.end.isoformat()}

    def __str__(self) -> str:
        return f"{self.first} to {self.end - timedelta(days=1)}"


def month_window(month: str) -> Window:
    """The window of a month, `2025-09`.

    Raises:
        DataError: it is not written so.
    """
    first = _key_date(f"{month}-01", month, "a month; write YYYY-MM")
    end = (first + timedelta(days=31)).replace(day=1)
    return Window(month, first, end)


def day_window(day: str) -> Window:
    """The window of a day, `2025-09-05`, in UTC.

    Raises:
        DataError: it is not written so.
    """
    first = _key_date(day, day, "a date; write YYYY-MM-DD")
    return Window(first, first, first + timedelta(days=1))


def week_window(week: str) -> Window:
    """The window of a week, named by its Monday, `2025-09-08`.

    Raises:
        DataError: it is not written so, or is no Monday.
    """
    first = _key_date(week, week, "a date; write YYYY-MM-DD")
    if first.weekday():
        monday = first - timedelta(days=first.weekday())
        raise DataError(f"week={week} is not a Monday; the week's partition is week={monday}")
    return Window(first, first, first + timedelta(days=7))


def _key_date(text: str, key: str, form: str) -> date:
    try:
        return day(text)
    except ValueError:
        raise DataError(f"{key!r} is not {form}") from None


def within(reader: Reader, window: Window) -> Reader:
    """`reader` of a date or time that refuses those outside `window`."""

    def read(value: Any) -> date | datetime:
        moment_or_day = reader(value)
        found = moment_or_day.date() if isinstance(moment_or_day, datetime) else moment_or_day
        if not window.first <= found < window.end:
            raise ValueError(f"is outside {window}")
        return moment_or_day

    return read


# Records


class Refusal(NamedTuple):
    """Why a record is refused: a field of it, the field's value, what is wrong with it."""

    field: str
    value: Any
    what: str

    @property
    def kind(self) -> str:
        """The reason without the value, to count by."""
        return f"{self.field} {self.what}"

    @property
    def reason(self) -> str:
        """The reason with the value, in one line."""
        shown = repr(self.value)
        shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."
        return self.kind if self.value is None else f"{self.field} {shown} {self.what}"


class Row(NamedTuple):
    """A record on its way: where it came from, as it came, and its fields by our column names."""

    source: str
    line: int
    record: Any
    fields: Mapping[str, Any] | Refusal


class Layout(NamedTuple):
    """How records become the rows of a partition."""

    columns: tables.Columns  # of the partition; its key is the last
    needed: tuple[str, ...]  # a record without one of them is refused
    key: tuple[str, ...]  # natural key
    identity: str | None = None  # alone the key of rows that have it
    order: tuple[str, ...] | None = None  # of the rows; None: key, then identity
    window: str | None = None  # the date or time that must lie in the window
    readers: Mapping[str, Reader] = {}  # where the type does not say enough


class Typed(NamedTuple):
    """Records read into columns."""

    good: pl.DataFrame  # the layout's columns without the partition's key, in the records' order
    bad: pl.DataFrame  # QUARANTINE
    reasons: Counter[str]
    answers: int  # requests that were answered with at least one record


Flatten = Callable[[dict[str, Any]], Mapping[str, Any] | Refusal]


def row_of(source: str, line: int, record: Any, flatten: Flatten | None = None) -> Row:
    """A record as a row; `flatten` makes our fields of an object, None: they are its own."""
    if not isinstance(record, dict):
        return Row(source, line, record, Refusal("record", record, "is not an object"))
    return Row(source, line, record, flatten(record) if flatten else record)


def source_of(path: str, params: Mapping[str, str]) -> str:
    """Path and query of a request, as the quarantine names it."""
    return f"{path}?{urlencode(params)}" if params else path


def fetch(
    api: Api, path: str, params: Mapping[str, str], flatten: Flatten | None = None
) -> Iterator[Row]:
    """The records of one request, all pages, as rows."""
    source = source_of(path, params)
    for line, record in enumerate(api.records(path, params), start=1):
        yield row_of(source, line, record, flatten)


def fetch_each(
    api: Api,
    path: str,
    params: Mapping[str, str],
    tickers: Iterable[str],
    flatten: Callable[[str, dict[str, Any]], Mapping[str, Any] | Refusal] | None = None,
) -> Iterator[Row]:
    """The records of one request a ticker; `flatten` is told the ticker too.

    A ticker that the vendor does not know (404) has no records.
    """
    for ticker in tickers:
        own = partial(flatten, ticker) if flatten else None
        try:
            yield from fetch(api, path, {"ticker": ticker, **params}, own)
        except NotFoundError:
            continue


def type_rows(rows: Iterable[Row], layout: Layout, window: Window) -> Typed:
    """Read rows into typed columns; a row with a value that does not fit is refused, with why.

    An absent field, null and the empty text are the same: null, or a refusal where it is needed.

    Args:
        rows: in the order of the answers; taken in chunks, so any number of them.
        layout: columns, and what a row must have.
        window: the days that `layout.window` must lie in.
    """
    names = list(layout.columns)[:-1]
    readers = {n: layout.readers.get(n) or READERS[layout.columns[n].dtype] for n in names}
    if layout.window:
        readers[layout.window] = within(readers[layout.window], window)
    schema = {name: layout.columns[name].dtype for name in names}
    good, bad = [pl.DataFrame(schema=schema)], [pl.DataFrame(schema=tables.schema_of(QUARANTINE))]
    reasons: Counter[str] = Counter()
    answers: set[str] = set()
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        answers.update({row.source for row in chunk})
        refused = {p: row.fields for p, row in enumerate(chunk) if isinstance(row.fields, Refusal)}
        fields = [{} if place in refused else row.fields for place, row in enumerate(chunk)]
        columns = {
            name: _read(name, fields, readers[name], name in layout.needed, refused)
            for name in names
        }
        frame = pl.DataFrame(columns, schema=schema)
        if refused:
            keep = pl.Series([place not in refused for place in range(len(chunk))])
            frame = frame.filter(keep)
            bad.append(_refused_frame(chunk, refused))
            reasons.update(refusal.kind for refusal in refused.values())
        good.append(frame)
    return Typed(pl.concat(good), pl.concat(bad), reasons, len(answers))


def _read(
    name: str,
    rows: list[Mapping[str, Any]],
    reader: Reader,
    needed: bool,
    refused: dict[int, Refusal],
) -> list[Any]:
    """One column's values; faults go to `refused`, where a row's first one stays."""
    values: list[Any] = []
    for place, row in enumerate(rows):
        value = row.get(name)
        read = None
        if value is None or value == "":
            if needed:
                refused.setdefault(place, Refusal(name, None, "is missing"))
        else:
            try:
                read = reader(value)
            except ValueError as wrong:
                refused.setdefault(place, Refusal(name, value, str(wrong)))
        values.append(read)
    return values


def _refused_frame(chunk: list[Row], refused: Mapping[int, Refusal]) -> pl.DataFrame:
    rows = [
        (chunk[p].source, chunk[p].line, as_json(chunk[p].record), refused[p].reason)
        for p in sorted(refused)
    ]
    return pl.DataFrame(rows, schema=tables.schema_of(QUARANTINE), orient="row")


def as_json(record: Any) -> str:
    """A record as JSON in one line; escapes only where the text is no valid Unicode."""
    written = json.dumps(record, ensure_ascii=False)
    try:
        return text(written)
    except ValueError:
        return json.dumps(record)


def distinct(rows: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """One row of each natural key, the last, in the layout's order."""
    key: list[pl.Expr] = [pl.col(name) for name in layout.key]
    order = layout.order or layout.key
    if layout.identity:
        named = pl.col(layout.identity).is_not_null()
        key = [pl.col(layout.identity), *(pl.when(~named).then(part) for part in key)]
        order = layout.order or (*layout.key, layout.identity)
    key = [part.alias(f"key_{place}") for place, part in enumerate(key)]
    return rows.filter(pl.struct(key).is_last_distinct()).sort(order, maintain_order=True)


def write_partition(
    rows: pl.DataFrame, columns: tables.Columns, key: str | date, out: Path
) -> None:
    """Write rows as a partition, with its key in the last column."""
    name = list(columns)[-1]
    frame = rows.with_columns(pl.lit(key, columns[name].dtype).alias(name))
    tables.write(tables.conform(frame, columns), out)


def write_refused(
    typed: Typed, rows: int, good: int, quarantine: Path, reconcile: Path, **counts: Any
) -> dict:
    """Write the refused records and the counts beside a partition.

    Args:
        typed: the records.
        rows: how many rows the good records made.
        good: how many of them were kept; the others were duplicates.
        counts: more entries of the report.

    Returns:
        the report: rows_in = good + duplicates + quarantined, reasons.

    Raises:
        DataError: too many are refused (`FEW`, `MOST_REFUSED`); nothing is written then.
    """
    report = {
        "rows_in": rows + typed.bad.height,
        "good": good,
        "duplicates": rows - good,
        "quarantined": typed.bad.height,
        "reasons": dict(sorted(typed.reasons.items())),
        **counts,
    }
    if report["rows_in"] >= FEW and typed.bad.height > MOST_REFUSED * report["rows_in"]:
        first = typed.bad.row(0, named=True)
        raise DataError(
            f"{first['source']}, record {first['line']}: {first['reason']}; {typed.bad.height} of "
            f"{report['rows_in']} records refused, more than {MOST_REFUSED:.0%}: the vendor's "
            "answer has changed, or is not what was asked for"
        )
    tables.write(typed.bad, quarantine)
    tables.write_json(report, reconcile)
    return report


def land(
    rows: Iterable[Row],
    layout: Layout,
    window: Window,
    partition: Path,
    quarantine: Path,
    reconcile: Path,
    asked: int | None = None,
    **counts: int,
) -> dict:
    """Read all rows, then write the partition, the refused records and the counts.

    Args:
        rows: records of all answers; when they fail half-way nothing is written.
        asked: number of tickers asked for one by one; those without a record are counted as
            `without_data`. None: the whole market was asked for.
        counts: more entries of the report.

    Returns:
        the report that is in `reconcile`.
    """
    typed = type_rows(rows, layout, window)
    kept = distinct(typed.good, layout)
    if asked is not None:
        counts["without_data"] = asked - typed.answers
    report = write_refused(typed, typed.good.height, kept.height, quarantine, reconcile, **counts)
    write_partition(kept, layout.columns, window.key, partition)
    return report

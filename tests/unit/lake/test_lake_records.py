"""From records of a REST answer to typed rows: what is read, refused, or told twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from scripts import tables
from scripts.errors import DataError
from scripts.lake import readers, records
from scripts.tables import Column

DAY = date(2025, 9, 5)
MONTH = records.month_window("2025-09")
COLUMNS: tables.Columns = {
    "ticker": Column(pl.String, "ticker"),
    "date": Column(pl.Date, "day"),
    "seen": Column(pl.Datetime("us", "UTC"), "time"),
    "price": Column(pl.Float64, "price"),
    "times": Column(pl.Int32, "count"),
    "shares": Column(pl.Int64, "count"),
    "on": Column(pl.Boolean, "flag"),
    "words": Column(pl.List(pl.String), "list"),
    "month": Column(pl.String, "partition"),
}
LAYOUT = records.Layout(COLUMNS, needed=("ticker", "date"), key=("ticker", "date"), window="date")
GOOD = {
    "ticker": "AAPL",
    "date": "2025-09-05",
    "seen": "2025-09-05T12:30:00.25Z",
    "price": 1.5,
    "times": 4,
    "shares": 2**40,
    "on": True,
    "words": ["a", "b"],
}


def rows_of(found: Iterable[Any], source: str = "/v1/x?limit=2") -> list[records.Row]:
    return [records.row_of(source, line, record) for line, record in enumerate(found, start=1)]


def read(*found: Any, layout: records.Layout = LAYOUT) -> records.Typed:
    return records.type_rows(rows_of(found), layout, MONTH)


# Windows


@pytest.mark.parametrize(
    ("window", "first", "end", "key"),
    [
        (records.month_window("2025-09"), date(2025, 9, 1), date(2025, 10, 1), "2025-09"),
        (records.month_window("2024-02"), date(2024, 2, 1), date(2024, 3, 1), "2024-02"),
        (records.month_window("2025-12"), date(2025, 12, 1), date(2026, 1, 1), "2025-12"),
        (records.day_window("2025-12-31"), date(2025, 12, 31), date(2026, 1, 1), None),
        (records.week_window("2025-09-29"), date(2025, 9, 29), date(2025, 10, 6), None),
    ],
)
def test_a_window_is_its_days(window: records.Window, first: date, end: date, key: Any) -> None:
    assert window == (key or first, first, end)
    assert window.query("d") == {"d.gte": first.isoformat(), "d.lt": end.isoformat()}


@pytest.mark.parametrize(
    ("make", "key", "message"),
    [
        (records.month_window, "2025-9", "'2025-9' is not a month; write YYYY-MM"),
        (records.month_window, "2025-13", "'2025-13' is not a month; write YYYY-MM"),
        (records.day_window, "2025-02-29", "'2025-02-29' is not a date; write YYYY-MM-DD"),
        (records.week_window, "2025-09-05", "not a Monday; .* is week=2025-09-01"),
    ],
)
def test_a_wrong_key_is_one_line(make: Callable, key: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        make(key)


# Values


def test_a_good_record_becomes_a_row_of_our_types() -> None:
    typed = read(GOOD)
    assert typed.bad.is_empty()
    assert typed.good.schema == pl.Schema(
        {name: column.dtype for name, column in COLUMNS.items() if name != "month"}
    )
    seen = datetime(2025, 9, 5, 12, 30, 0, 250_000, UTC)
    assert typed.good.rows() == [("AAPL", DAY, seen, 1.5, 4, 2**40, True, ["a", "b"])]


def test_absent_null_and_empty_optional_fields_are_null() -> None:
    only = {"ticker": "AAPL", "date": "2025-09-05"}
    optional = [name for name in COLUMNS if name not in {*only, "month"}]
    typed = read(only, only | dict.fromkeys(optional), only | dict.fromkeys(optional, ""))
    assert typed.bad.is_empty()
    assert typed.good.rows() == [("AAPL", DAY, *[None] * 6)] * 3


@pytest.mark.parametrize("ticker", ["NA", "NULL", "NaN", "nan", "None", "null", "ABRpD", " A "])
def test_every_ticker_is_text_as_it_stands(ticker: str) -> None:
    assert read(GOOD | {"ticker": ticker}).good["ticker"].to_list() == [ticker]


GOOD_VALUES = [
    ("price", 5, 5.0),
    ("price", -1e-300, -1e-300),
    ("times", 5.0, 5),
    ("times", -(2**31), -(2**31)),
    ("shares", 2**63 - 1, 2**63 - 1),
    ("shares", 3e3, 3000),
    ("seen", "2025-09-05T08:30:00-04:00", datetime(2025, 9, 5, 12, 30, tzinfo=UTC)),
    ("seen", "2025-09-05T12:30:00.123456789Z", datetime(2025, 9, 5, 12, 30, 0, 123456, UTC)),
    ("on", False, False),
    ("words", [], []),
    ("words", ["é", "日本", "\U0001f4c8"], ["é", "日本", "\U0001f4c8"]),
]


@pytest.mark.parametrize(("field", "value", "expected"), GOOD_VALUES)
def test_a_value_is_read(field: str, value: Any, expected: Any) -> None:
    typed = read(GOOD | {field: value})
    assert typed.bad.is_empty()
    assert typed.good[field].to_list() == [expected]


REFUSED = [
    ("ticker", None, "ticker is missing"),
    ("ticker", "", "ticker is missing"),
    ("ticker", 5, "ticker 5 is not text"),
    ("ticker", "A\ud800", r"ticker 'A\ud800' is not valid Unicode"),
    ("ticker", {"a": 1}, "ticker {'a': 1} is not text"),
    ("date", None, "date is missing"),
    ("date", "2025-9-5", "date '2025-9-5' is not a date"),
    ("date", "20250905", "date '20250905' is not a date"),
    ("date", "2025-W36-5", "date '2025-W36-5' is not a date"),
    ("date", "\u0662025-09-05", "is not a date"),  # an Arabic digit
    ("date", "2025-09-31", "date '2025-09-31' is not a date"),
    ("date", "2025-09-05T00:00:00Z", "date '2025-09-05T00:00:00Z' is not a date"),
    ("date", 20250905, "date 20250905 is not a date"),
    ("date", "2025-10-01", "date '2025-10-01' is outside 2025-09-01 to 2025-09-30"),
    ("date", "2025-08-31", "date '2025-08-31' is outside 2025-09-01 to 2025-09-30"),
    ("seen", "2025-09-05", "seen '2025-09-05' is not a time with its zone"),
    ("seen", "2025-09-05T12:30:00", "seen '2025-09-05T12:30:00' is not a time with its zone"),
    ("seen", 1757075400, "seen 1757075400 is not a time with its zone"),
    ("seen", "0001-01-01T00:00:00+14:00", "is not a time with its zone"),
    ("price", "12", "price '12' is not a finite number"),
    ("price", True, "price True is not a finite number"),
    ("price", float("nan"), "price nan is not a finite number"),
    ("price", float("-inf"), "price -inf is not a finite number"),
    ("price", 10**400, "is not a finite number"),
    ("price", [1.0], "price [1.0] is not a finite number"),
    ("times", 5.5, "times 5.5 is not a whole number"),
    ("times", "5", "times '5' is not a whole number"),
    ("times", True, "times True is not a whole number"),
    ("times", 2**31, "times 2147483648 does not fit 32 bits"),
    ("shares", 1e300, "shares 1e+300 does not fit 64 bits"),
    ("shares", float("inf"), "shares inf is not a whole number"),
    ("on", 1, "on 1 is not true or false"),
    ("on", "true", "on 'true' is not true or false"),
    ("words", "a,b", "words 'a,b' is not a list of texts"),
    ("words", ["a", None], "words ['a', None] is not a list of texts"),
    ("words", ["\udfff"], r"words ['\udfff'] is not a list of texts"),
]


@pytest.mark.parametrize(("field", "value", "reason"), REFUSED)
def test_a_value_that_does_not_fit_refuses_the_record(field: str, value: Any, reason: str) -> None:
    typed = read(GOOD, GOOD | {field: value}, GOOD)
    assert typed.good.height == 2
    assert typed.bad.select("source", "line").rows() == [("/v1/x?limit=2", 2)]
    assert reason in typed.bad["reason"].item()
    assert "\n" not in typed.bad["reason"].item()


@pytest.mark.parametrize("record", [None, "AAPL", 5, [GOOD], True])
def test_what_is_no_object_is_refused(record: Any) -> None:
    typed = read(record, GOOD)
    assert typed.good.height == 1
    assert typed.bad["record"].to_list() == [json.dumps(record)]
    assert typed.reasons == {"record is not an object": 1}


def test_a_refused_record_is_kept_whole_as_json() -> None:
    record = GOOD | {"price": "x\n" * 100, "title": "Ærø\u2028", "deep": {"a": [1, None]}}
    typed = read(record)
    assert json.loads(typed.bad["record"].item()) == record
    assert "Ærø" in typed.bad["record"].item()
    assert len(typed.bad["reason"].item()) < 120
    broken = GOOD | {"ticker": "A\ud800"}
    assert json.loads(read(broken).bad["record"].item()) == broken


def test_reasons_are_counted_without_the_values() -> None:
    typed = read(*(GOOD | {"price": f"{n}"} for n in range(3)), GOOD | {"ticker": None}, "x")
    assert typed.reasons == {
        "price is not a finite number": 3,
        "ticker is missing": 1,
        "record is not an object": 1,
    }


def test_a_record_with_two_faults_is_refused_once_for_the_first_column() -> None:
    typed = read(GOOD | {"price": "x", "ticker": 5})
    assert typed.bad["reason"].to_list() == ["ticker 5 is not text"]


READERS = [
    (readers.positive, [1, 0.5], [0, -1, float("nan"), "1"]),
    (readers.not_negative, [0, 0.5], [-0.5, None, "1"]),
    (readers.count, [0, 5.0], [-1, 0.5, 2**63, True]),
    (readers.year, [2025, "2025", 2025.0], ["25", 25, "20255", 2025.5, True, "\uff12025", None]),
    (readers.names, [["A"], ["A", "NA"]], [[], [""], "A", [None]]),
]


@pytest.mark.parametrize(("reader", "good", "wrong"), READERS)
def test_a_reader_takes_its_own_values_only(reader: Callable, good: list, wrong: list) -> None:
    for value in good:
        assert reader(value) == (int(value) if isinstance(value, str) else value)
    for value in wrong:
        with pytest.raises(ValueError, match=r"^(is|does)"):
            reader(value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(json_values | st.fixed_dictionaries({}, optional=dict.fromkeys(GOOD, json_values))))
@settings(max_examples=150)
def test_whatever_json_comes_every_record_is_read_or_refused(found: list) -> None:
    typed = read(*found, GOOD)
    assert typed.good.height + typed.bad.height == len(found) + 1
    assert sum(typed.reasons.values()) == typed.bad.height
    assert typed.good.height >= 1


# Many records


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [GOOD | {"ticker": f"T{n}", "price": "x" if n % 7 == 3 else n} for n in range(50)]
    whole = read(*found)
    monkeypatch.setattr(records, "CHUNK", 8)
    parts = read(*found)
    assert_frame_equal(parts.good, whole.good, rel_tol=0, abs_tol=0)
    assert_frame_equal(parts.bad, whole.bad)
    assert whole.bad["line"].to_list() == [n + 1 for n in range(50) if n % 7 == 3]


def test_no_record_at_all_makes_empty_frames_of_the_same_types() -> None:
    typed = read()
    assert typed.good.schema == read(GOOD).good.schema
    assert typed.bad.schema == tables.schema_of(records.QUARANTINE)
    assert (typed.answers, typed.reasons) == (0, {})


# Duplicates

WITH_ID = records.Layout(
    {
        "id": Column(pl.String, "id"),
        "ticker": Column(pl.String, "ticker"),
        "date": Column(pl.Date, "day"),
        "price": Column(pl.Float64, "price"),
        "month": Column(pl.String, "partition"),
    },
    needed=("ticker", "date"),
    key=("ticker", "date"),
    identity="id",
)


def test_of_one_key_the_last_record_stays() -> None:
    typed = read(GOOD | {"price": 1}, GOOD | {"price": 3}, GOOD | {"ticker": "A"}, GOOD)
    kept = records.distinct(typed.good, LAYOUT)
    assert kept.select("ticker", "price").rows() == [("A", 1.5), ("AAPL", 1.5)]


def test_an_id_is_the_key_where_there_is_one() -> None:
    found = [
        {"ticker": "A", "date": "2025-09-05", "price": price, "id": name}
        for name, price in [("x", 1), ("y", 2), (None, 3), ("x", 4), (None, 5)]
    ]
    found.append({"ticker": "B", "date": "2025-09-05", "price": 6})
    kept = records.distinct(read(*found, layout=WITH_ID).good, WITH_ID)
    assert kept.select("ticker", "id", "price").rows() == [
        ("A", None, 5.0),
        ("A", "x", 4.0),
        ("A", "y", 2.0),
        ("B", None, 6.0),
    ]


some_rows = st.lists(
    st.fixed_dictionaries(
        {
            "ticker": st.sampled_from(["NA", "null", "ABRpD", "ABRPD", "B"]),
            "date": st.dates(date(2025, 9, 1), date(2025, 9, 4)).map(date.isoformat),
            "id": st.sampled_from([None, None, "p", "q"]),
        }
    ),
    max_size=12,
)


def with_price(record: dict) -> dict:
    """The same key has the same price, whoever tells it."""
    named = record["id"] is not None
    ticker, at = ("NA", "2025-09-01") if named else (record["ticker"], record["date"])
    return {"id": record["id"], "ticker": ticker, "date": at, "price": len(ticker) + int(at[-1])}


@given(some_rows, st.data())
@settings(max_examples=60)
def test_order_and_repeats_of_records_do_not_change_the_bytes(
    tmp_path_factory: pytest.TempPathFactory, found: list[dict], data: st.DataObject
) -> None:
    found = [with_price(record) for record in found]
    shuffled = data.draw(st.permutations(found + found[: len(found) // 2]))
    written = []
    for order in (found, found, shuffled):
        folder = tmp_path_factory.mktemp("run")
        outs = [folder / name for name in ("part.parquet", "quarantine.parquet", "reconcile.json")]
        report = records.land(rows_of(order), WITH_ID, MONTH, *outs)
        written.append((folder / "part.parquet").read_bytes())
        distinct = {(r["id"],) if r["id"] else (r["ticker"], r["date"]) for r in order}
        assert report["good"] == len(distinct)
        assert report["duplicates"] == len(order) - len(distinct)
    assert written[0] == written[1] == written[2]


# Files


def test_a_partition_comes_with_what_was_refused_and_the_counts(tmp_path: Path) -> None:
    part, quarantine, reconcile = (tmp_path / name for name in ("p.parquet", "q.parquet", "r.json"))
    found = [GOOD | {"ticker": "B"}, GOOD, GOOD | {"price": "x"}, GOOD | {"times": 9}]
    report = records.land(rows_of(found), LAYOUT, MONTH, part, quarantine, reconcile, asked=3)
    assert report == {
        "rows_in": 4,
        "good": 2,
        "duplicates": 1,
        "quarantined": 1,
        "reasons": {"price is not a finite number": 1},
        "without_data": 2,
    }
    assert json.loads(reconcile.read_text()) == report
    frame = pl.read_parquet(part, hive_partitioning=False)
    assert frame.schema == tables.schema_of(COLUMNS)
    assert frame.select("ticker", "times", "month").rows() == [
        ("AAPL", 9, "2025-09"),
        ("B", 4, "2025-09"),
    ]
    refused = pl.read_parquet(quarantine)
    assert refused.schema == tables.schema_of(records.QUARANTINE)
    assert refused.select("source", "line").rows() == [("/v1/x?limit=2", 3)]


def test_nothing_is_written_when_an_answer_breaks_off(tmp_path: Path) -> None:
    old = tmp_path / "p.parquet"
    old.write_bytes(b"old")

    def breaking() -> Iterable[records.Row]:
        yield from rows_of([GOOD])
        raise ConnectionError("page 2")

    with pytest.raises(ConnectionError):
        records.land(breaking(), LAYOUT, MONTH, old, tmp_path / "q.parquet", tmp_path / "r.json")
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]
    assert old.read_bytes() == b"old"


# Too many refused


@pytest.mark.parametrize(
    ("records_in", "wrong", "fails"), [(19, 19, False), (20, 1, False), (20, 2, True)]
)
def test_a_partition_of_mostly_refused_records_is_an_error(
    tmp_path: Path, records_in: int, wrong: int, fails: bool
) -> None:
    good = [{**GOOD, "ticker": f"T{place}"} for place in range(records_in - wrong)]
    renamed = [{"symbol": f"B{place}", "date": "2025-09-05"} for place in range(wrong)]
    outs = [tmp_path / name for name in ("part.parquet", "quarantine.parquet", "reconcile.json")]
    rows = rows_of([*good, *renamed])
    if fails:
        message = f"/v1/x.*, record 19: ticker is missing; {wrong} of {records_in} records refused"
        with pytest.raises(DataError, match=message):
            records.land(rows, LAYOUT, MONTH, *outs)
        assert list(tmp_path.iterdir()) == []
    else:
        assert records.land(rows, LAYOUT, MONTH, *outs)["quarantined"] == wrong

"""From a vendor's file to checked events: columns, lines, reasons, and what stops a build."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from scripts.errors import DataError
from scripts.ticks.build_parquet import (
    build,
    check,
    check_days,
    column_of,
    read_parquet,
    read_sheet,
    select,
)
from scripts.ticks.events import SCHEMA
from tests.unit.ticks import workbooks
from tests.unit.ticks.workbooks import HEADER, ROW, TEN

SHEET = "ABC UH Equity"


def raw(*rows: tuple, **types: pl.DataType) -> pl.DataFrame:
    """Raw rows (timestamp, type, price, volume) as `check` takes them, lines from 4 on."""
    schema = {"timestamp": pl.Datetime("ms"), "type": pl.String, "price": pl.Float64}
    schema |= {"volume": pl.Float64, **types}
    return pl.DataFrame(list(rows), schema=schema, orient="row").with_row_index("line", offset=4)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("Dates", "timestamp"),
        ("  TIMESTAMP ", "timestamp"),
        ("Trade Time", "timestamp"),
        ("Type", "type"),
        ("type of trade", None),
        ("Last Price", "price"),
        *((size, "volume") for size in ("Size", "VOL", "volume", "Qty", "Quantity")),
        ("size (shares)", None),
        ("Condition", None),
        ("", None),
    ],
)
def test_a_vendors_column_is_known_by_its_name(name: str, column: str | None) -> None:
    assert column_of(name) == column


def test_good_rows_keep_order_and_lines_in_our_types() -> None:
    good, bad = check(
        raw((TEN, "ASK", 4.0, 0.0), (TEN, " bid ", 0.0, 7.0), (TEN, "Trade", 4.1, 1.0))
    )
    assert bad.is_empty()
    assert good["line"].to_list() == [4, 5, 6]
    assert good["type"].to_list() == ["ASK", "BID", "TRADE"]
    assert good["price"].to_list() == [4.0, 0.0, 4.1]  # price 0, a market order, is good
    assert good["volume"].to_list() == [0, 7, 1]
    assert good.schema["timestamp"] == pl.Datetime("ns")
    assert good.schema["volume"] == pl.Int64


REASONS = [
    ({"timestamp": None}, "timestamp is missing or not a date"),
    ({"type": None}, "type is not BID, ASK or TRADE"),
    ({"type": "BIDS"}, "type is not BID, ASK or TRADE"),
    ({"price": None}, "price is missing or not a number"),
    ({"price": float("nan")}, "price is missing or not a number"),
    ({"price": float("inf")}, "price is missing or not a number"),
    ({"price": -0.01}, "price is negative"),
    ({"volume": None}, "size is missing or not a number"),
    ({"volume": float("nan")}, "size is missing or not a number"),
    ({"volume": -1.0}, "size is negative"),
    ({"volume": 7.5}, "size is not a whole number of shares"),
    ({"volume": 2.0**53}, "size is not a whole number of shares"),
    ({"timestamp": None, "price": -1.0}, "timestamp is missing or not a date"),  # the first fault
]


@pytest.mark.parametrize(("fault", "reason"), REASONS)
def test_a_faulty_row_is_refused_with_its_reason(fault: dict, reason: str) -> None:
    row = dict(zip(("timestamp", "type", "price", "volume"), (TEN, "BID", 4.0, 1.0), strict=True))
    good, bad = check(raw(tuple((row | fault).values()), (TEN, "BID", 4.0, 1.0)))
    assert good["line"].to_list() == [5]
    assert bad.select("line", "reason").rows() == [(4, reason)]


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("timestamp", "tomorrow", "timestamp is missing or not a date"),
        ("price", "4,37", "price is missing or not a number"),
        ("price", "inf", "price is missing or not a number"),
        ("volume", "1e400", "size is missing or not a number"),
        ("volume", "12.5", "size is not a whole number of shares"),
    ],
)
def test_a_refused_text_is_kept_as_it_stands(column: str, text: str, reason: str) -> None:
    row = dict(zip(("timestamp", "type", "price", "volume"), (TEN, "BID", 4.0, 1.0), strict=True))
    _, bad = check(raw(tuple((row | {column: text}).values()), **{column: pl.String}))
    assert bad.select(column, "reason").rows() == [(text, reason)]


def test_numbers_and_dates_that_come_as_text_are_read() -> None:
    text = {"timestamp": pl.String, "price": pl.String, "volume": pl.String}
    good, _ = check(
        raw((" 2025-04-14 10:00:00.250", "BID", " 16.740000000000002 ", "100 "), **text)
    )
    expected = (4, TEN + timedelta(milliseconds=250), "BID", 16.740000000000002, 100)
    assert good.rows() == [expected]


def test_a_zoned_timestamp_keeps_its_local_clock() -> None:
    frame = raw((TEN, "BID", 4.0, 1.0))
    zoned = frame.with_columns(pl.col("timestamp").dt.replace_time_zone("Asia/Dubai"))
    assert check(zoned)[0]["timestamp"].to_list() == [TEN]


@pytest.mark.parametrize("dtype", [pl.Float64, pl.Int64, pl.Boolean])
def test_a_timestamp_column_of_another_type_is_refused(dtype) -> None:
    frame = raw((None, "BID", 4.0, 1.0), timestamp=dtype).with_columns(
        timestamp=pl.lit(1).cast(dtype)
    )
    assert check(frame)[1]["reason"].to_list() == ["timestamp is missing or not a date"]


def test_select_names_our_columns_numbers_lines_and_leaves_empty_rows_out() -> None:
    frame = pl.DataFrame(
        {"Size": [1, None, None], "Extra": [9, 9, 9], "Type": ["BID", None, "ASK"],
         "Price": [4.0, None, None], "Dates": [TEN, None, None]}
    )  # fmt: skip
    found = select(frame, "book.xlsx", first_line=4)
    assert found.columns == ["line", "timestamp", "type", "price", "volume"]
    assert found["line"].to_list() == [4, 6]


def test_select_refuses_two_columns_that_mean_the_same() -> None:
    frame = pl.DataFrame([[1]] * 5, schema=[*HEADER, "Last Price"])
    with pytest.raises(DataError, match=r"^book: columns 'Price' and 'Last Price' both mean price"):
        select(frame, "book", first_line=4)


def test_a_vendors_column_that_ends_as_ours_do_is_one_of_the_vendor() -> None:
    frame = pl.DataFrame([[2.7], [1.0], [TEN], ["BID"], [5]], [*"ab", "Dates", "Type", "Size"])
    twice = frame.rename({"a": "Price", "b": "Price#"})
    with pytest.raises(DataError, match=r"^book: columns 'Price' and 'Price#' both mean price"):
        select(twice, "book", first_line=4)
    alone = select(frame.rename({"a": "Size#", "b": "Price#"}), "book", first_line=4)
    assert alone.rows() == [(4, TEN, "BID", 1.0, 5)]  # Size# means nothing to us


@pytest.mark.parametrize("rows", [[], [None]])
def test_select_refuses_a_source_without_rows(rows: list) -> None:
    frame = pl.DataFrame(dict.fromkeys(HEADER, rows))
    with pytest.raises(DataError, match=r"^book: no row below the header"):
        select(frame, "book", first_line=4)


# Workbooks


def sheet_of(tmp_path: Path, rows: list, *, header_row: int = 3, **layout) -> pl.DataFrame:
    path = workbooks.write(tmp_path / "book.xlsx", {SHEET: rows}, **layout)
    return read_sheet(path, SHEET, header_row)


def test_text_far_down_in_a_column_of_numbers_is_not_lost(tmp_path: Path) -> None:
    rows = [ROW] * 3000 + [(TEN, "BID", "n.a. yet", 16), (TEN, "ASK", 0.000125, 7.5)]
    good, bad = check(sheet_of(tmp_path, rows))
    assert good.height == 3000
    assert bad.select("line", "price", "volume").rows() == [
        (3004, "n.a. yet", "16.0"),
        (3005, "0.000125", "7.5"),
    ]


def test_a_text_cell_does_not_change_the_other_prices(tmp_path: Path) -> None:
    good, _ = check(sheet_of(tmp_path, [(TEN, "BID", 1 / 3, 100), (TEN, "BID", "n.a. yet", 100)]))
    assert good["price"].to_list() == [1 / 3]


def test_true_is_no_price_and_no_size(tmp_path: Path) -> None:
    rows = [ROW, (TEN, "BID", True, 100), (TEN, "BID", 4.37, False), (TEN, "BID", 1 / 3, 100)]
    good, bad = check(sheet_of(tmp_path, rows))
    assert good["line"].to_list() == [4, 7]
    assert good["price"].to_list() == [4.37, 1 / 3]
    assert bad.select("line", "price", "volume").rows() == [
        (5, "true", "100"),
        (6, "4.37", "false"),
    ]


def test_a_row_after_blank_ones_keeps_its_line(tmp_path: Path) -> None:
    assert sheet_of(tmp_path, [ROW, (), (), ROW])["line"].to_list() == [4, 7]


def test_a_header_on_the_first_row_is_found_where_config_says(tmp_path: Path) -> None:
    assert sheet_of(tmp_path, [ROW], above=(), header_row=1)["line"].to_list() == [2]


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({"above": ("a", "b", "c")}, r"the header is on row 4, not 3: set ticks\.header_row: 4$"),
        (
            {"header": ("When", "Type", "Price", "Size")},
            r"row 3 is 'When \| Type \| Price \| Size'",
        ),
        (
            {"above": (), "header": ()},
            r"has 2 rows, so no header \(Dates \| Type \| Price \| Size\)",
        ),
    ],
)
def test_a_missing_header_says_what_stands_there(
    tmp_path: Path, layout: dict, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        sheet_of(tmp_path, [ROW], **layout)
    assert str(caught.value).startswith(f"{tmp_path}/book.xlsx, sheet '{SHEET}': ")


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="both mean volume"):
        sheet_of(tmp_path, [(*ROW, 5)], header=(*HEADER, "Size"))


def test_a_column_named_as_ours_are_inside_is_no_price(tmp_path: Path) -> None:
    rows = [(TEN, "BID", 2.7, 100, 1), (TEN, "BID", "n.a. yet", 100, 2)]
    with pytest.raises(DataError, match="columns 'Price' and 'Price#' both mean price"):
        sheet_of(tmp_path, rows, header=(*HEADER, "Price#"))
    ours = [(TEN, "BID", 1 / 3, "100", 1), (TEN, "BID", 4.0, "n.a. yet", 2)]
    good, _ = check(sheet_of(tmp_path, ours, header=(*HEADER, "Size#")))
    assert good.select("price", "volume").rows() == [(1 / 3, 100)]


# Parquet


def parquet(path: Path, **columns: list) -> Path:
    names = ("timestamp", "type", "price", "volume")
    pl.DataFrame({**{n: [v] for n, v in zip(names, ROW, strict=True)}, **columns}).write_parquet(
        path
    )
    return path


def test_lines_of_a_parquet_file_are_its_rows(tmp_path: Path) -> None:
    assert read_parquet(parquet(tmp_path / "abc.parquet"))["line"].to_list() == [1]


def test_a_parquet_file_with_two_prices_is_refused(tmp_path: Path) -> None:
    source = parquet(tmp_path / "abc.parquet", **{"price#": [1.0]})
    with pytest.raises(DataError, match="columns 'price' and 'price#' both mean price; remove one"):
        read_parquet(source)
    good, _ = check(read_parquet(parquet(tmp_path / "abc.parquet", **{"volume#": [1]})))
    assert good["volume"].to_list() == [ROW[3]]


def test_a_file_that_is_not_parquet_is_one_line_of_error(tmp_path: Path) -> None:
    (tmp_path / "abc.parquet").write_text("hello")
    with pytest.raises(DataError, match=r"abc\.parquet: not a readable parquet file \(.*\)$"):
        read_parquet(tmp_path / "abc.parquet")


def test_a_bit_changed_in_the_directory_of_a_parquet_file_ends_no_process(tmp_path: Path) -> None:
    whole = parquet(tmp_path / "whole.parquet").read_bytes()
    path, refused = tmp_path / "abc.parquet", 0
    for place in range(len(whole) - int.from_bytes(whole[-8:-4], "little"), len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 32]) + whole[place + 1 :])
        try:
            read_parquet(path)
        except DataError:  # and not a panic of polars, which is no Exception
            refused += 1
    assert refused


def test_true_and_times_in_a_parquet_file_are_no_prices(tmp_path: Path) -> None:
    for values in ([True], [TEN]):
        _, bad = check(read_parquet(parquet(tmp_path / "abc.parquet", price=values)))
        assert bad["reason"].to_list() == ["price is missing or not a number"]


def test_a_name_with_brackets_is_a_name_and_no_pattern(tmp_path: Path) -> None:
    assert read_parquet(parquet(tmp_path / "[a].parquet")).height == 1


def test_a_column_of_two_lines_is_named_in_one(tmp_path: Path) -> None:
    pl.DataFrame({"timestamp": [TEN], "a\nb": [1.0]}).write_parquet(tmp_path / "abc.parquet")
    with pytest.raises(DataError, match=r"^[^\n]*'a\\nb'[^\n]*$"):
        read_parquet(tmp_path / "abc.parquet")


def test_a_parquet_file_without_a_column_names_it(tmp_path: Path) -> None:
    pl.DataFrame({"timestamp": [TEN], "price": [1.0]}).write_parquet(tmp_path / "abc.parquet")
    with pytest.raises(DataError, match="no column for type, volume; has 'timestamp', 'price'"):
        read_parquet(tmp_path / "abc.parquet")


# Days


def day_frame(*days: int) -> pl.DataFrame:
    stamps = [datetime(2025, 4, day, 10) for day in days]
    return pl.DataFrame({"line": range(4, 4 + len(days)), "timestamp": stamps})


def test_a_day_after_a_later_one_is_refused_with_its_line() -> None:
    with pytest.raises(
        DataError, match=r"^book, line 6: 2025-04-14 comes after 2025-04-15 on line 5"
    ):
        check_days(day_frame(14, 15, 14), "book")


def test_time_may_run_backward_inside_a_day() -> None:
    stamps = [TEN, TEN - timedelta(seconds=2), TEN + timedelta(days=1)]
    check_days(pl.DataFrame({"line": [4, 5, 6], "timestamp": stamps}), "book")


# The whole build


def run(source: Path, folder: Path, share: float = 0.0, security: str = "ABC") -> dict:
    return build(
        source=source,
        security=security,
        header_row=3,
        max_quarantined_share=share,
        out=folder / "out.parquet",
        quarantine=folder / "quarantine.parquet",
        reconcile=folder / "reconcile.json",
    )


BAD_ROWS = [ROW, (TEN, "BID", -1, 5), ROW, (TEN, "HELLO", 4, 5), (TEN, "ASK", -2, 5), ROW, ROW]


def test_a_build_splits_good_rows_from_refused_ones_and_counts_them(tmp_path: Path) -> None:
    book = workbooks.write(tmp_path / "book.xlsx", {SHEET: BAD_ROWS})
    report = run(book, tmp_path, share=0.5)
    assert report == {
        "rows_in": 7,
        "good": 4,
        "quarantined": 3,
        "reasons": {"price is negative": 2, "type is not BID, ASK or TRADE": 1},
        "repeated": 3,
    }
    assert json.loads((tmp_path / "reconcile.json").read_text()) == report
    assert pq.read_schema(tmp_path / "out.parquet").equals(SCHEMA)
    assert pl.read_parquet(tmp_path / "out.parquet").rows() == [ROW] * 4
    refused = pl.read_parquet(tmp_path / "quarantine.parquet")
    assert refused.columns == ["source", "line", "timestamp", "type", "price", "volume", "reason"]
    assert refused["source"].unique().to_list() == [f"{book}, sheet '{SHEET}'"]
    assert refused["line"].to_list() == [5, 7, 8]


def test_a_build_from_parquet_serves_a_security_in_any_case(tmp_path: Path) -> None:
    report = run(parquet(tmp_path / "aBc.parquet"), tmp_path / "out")
    assert (report["good"], report["quarantined"], report["reasons"]) == (1, 0, {})


@pytest.mark.parametrize(("share", "fails"), [(3 / 7, False), (0.4, True)])
def test_more_refused_rows_than_allowed_fail_the_build(tmp_path, share, fails) -> None:
    book = workbooks.write(tmp_path / "book.xlsx", {SHEET: BAD_ROWS})
    if not fails:
        assert run(book, tmp_path, share)["quarantined"] == 3
        return
    with pytest.raises(DataError, match=r"line 5, price '-1\.0': price is negative; 3 of 7 rows"):
        run(book, tmp_path, share)
    assert [path.name for path in tmp_path.iterdir()] == ["book.xlsx"]


def test_an_unknown_security_names_the_nearest(tmp_path: Path) -> None:
    book = workbooks.write(tmp_path / "book.xlsx", {"MODON UH Equity": [ROW]})
    with pytest.raises(DataError, match="no sheet or file for security MODEN; did you mean MODON"):
        run(book, tmp_path, security="MODEN")


def test_a_date_without_a_time_is_midnight(tmp_path: Path) -> None:
    good, _ = check(sheet_of(tmp_path, [(date(2025, 4, 14), "BID", 4, 1)]))
    assert good["timestamp"].to_list() == [datetime(2025, 4, 14)]

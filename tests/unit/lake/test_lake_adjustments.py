"""Adjustment factors: by hand, against a holder of one share, and as other frames get them."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from scripts import tables
from scripts.lake import build_corporate_actions as actions
from scripts.lake.adjust import adjust
from scripts.lake.build_adjustments import COLUMNS, build, with_closes

START = date(2024, 12, 25)
FACTORS = ("split_factor", "total_return_factor")
Event = tuple[str, date, float]
Bar = tuple[str, date, float]


def day(number: int) -> date:
    """The calendar day so many days after START."""
    return START + timedelta(days=number)


def silver(rows: Sequence[dict], path: Path) -> list[Path]:
    """Corporate actions as a silver file."""
    full = [dict.fromkeys(actions.COLUMNS) | {"id": str(n)} | r for n, r in enumerate(rows)]
    tables.write(pl.DataFrame(full, schema=tables.schema_of(actions.COLUMNS)), path)
    return [path]


def splits_file(events: Sequence[tuple[str, date, float, float]], folder: Path) -> list[Path]:
    """Splits (symbol, date, from, to) as a silver file."""
    names = ("ticker", "event_date", "split_from", "split_to")
    rows = [dict(zip(names, event, strict=True)) for event in events]
    return silver(rows, folder / "splits.parquet")


def dividends_file(events: Sequence[Event], folder: Path, currency: str = "USD") -> list[Path]:
    """Dividends (symbol, date, cash) as a silver file."""
    names = ("ticker", "event_date", "cash_amount")
    rows = [dict(zip(names, e, strict=True)) | {"currency": currency} for e in events]
    return silver(rows, folder / "dividends.parquet")


def price_files(bars: Sequence[Bar], folder: Path) -> list[Path]:
    """Daily bars (symbol, date, close) as one file a month, given in the wrong order."""
    schema = {"symbol": pl.String, "date": pl.Date, "close": pl.Float64}
    frame = pl.DataFrame(list(bars), schema=schema, orient="row")
    paths = []
    for month in sorted({f"{row[1]:%Y-%m}" for row in bars}, reverse=True):
        path = folder / f"month={month}" / "part.parquet"
        tables.write(frame.filter(pl.col("date").dt.strftime("%Y-%m") == month), path)
        paths.append(path)
    return paths


def adjusted(bars: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
    """Bars in order of time, with factors."""
    return adjust(bars.sort("symbol", "date"), factors)


def test_a_split_and_a_dividend_by_hand(tmp_path: Path) -> None:
    splits = splits_file([("NA", day(10), 1, 4)], tmp_path)
    dividends = dividends_file([("NA", day(5), 2.0)], tmp_path)
    prices = price_files([("NA", day(4), 100.0), ("NA", day(5), 98.0)], tmp_path)
    out = tmp_path / "out" / "part.parquet"
    report = build(splits=splits, dividends=dividends, prices=prices, end=str(day(20)), out=out)
    assert report == {
        "rows": 2,
        "splits_left_out": 0,
        "dividends_left_out": 0,
        "dividends_without_bar": 0,
    }
    frame = pl.read_parquet(out)
    assert frame.schema == tables.schema_of(COLUMNS)
    assert frame.rows() == [
        ("NA", day(5), 0.25, 0.25 * (98 / 100)),
        ("NA", day(10), 0.25, 0.25),
    ]


def test_splits_multiply_backwards_for_each_symbol(tmp_path: Path) -> None:
    events = [("A", day(1), 1, 2), ("A", day(9), 10, 1), ("a", day(9), 1, 3)]
    out = tmp_path / "part.parquet"
    build(splits=splits_file(events, tmp_path), dividends=[], prices=[], end=str(day(20)), out=out)
    assert pl.read_parquet(out).rows() == [
        ("A", day(1), 5.0, 5.0),
        ("A", day(9), 10.0, 10.0),
        ("a", day(9), 1 / 3, 1 / 3),
    ]


def test_one_day_with_a_split_and_two_dividends_is_one_row(tmp_path: Path) -> None:
    splits = splits_file([("A", day(3), 1, 2)], tmp_path)
    dividends = dividends_file([("A", day(3), 0.5), ("A", day(3), 1.5)], tmp_path)
    prices = price_files([("A", day(2), 50.0), ("A", day(3), 23.0)], tmp_path)
    out = tmp_path / "part.parquet"
    build(splits=splits, dividends=dividends, prices=prices, end=str(day(3)), out=out)
    frame = pl.read_parquet(out)
    assert frame.rows() == [("A", day(3), 0.5, 0.5 * (23 / 25))]
    # a holder of one share of 50 has two of 23 and 2 * 2 in cash
    bars = pl.DataFrame({"symbol": ["A", "A"], "date": [day(2), day(3)], "close": [50.0, 23.0]})
    worth = adjust(bars, frame).select(pl.col("close") * pl.col("total_return_factor")).to_series()
    assert worth[1] / worth[0] == pytest.approx((2 * 23 + 2 * 2) / 50, rel=1e-14)


def test_what_cannot_be_used_is_left_out_and_counted(tmp_path: Path) -> None:
    splits = splits_file([("A", day(3), 0, 2), ("A", day(30), 1, 2)], tmp_path)
    rows = [
        {"ticker": "A", "event_date": day(3), "cash_amount": 1.0, "currency": "CAD"},
        {"ticker": "A", "event_date": day(3), "cash_amount": 1.0, "currency": None},
        {"ticker": "A", "event_date": day(3), "cash_amount": 0.0, "currency": "USD"},
        {"ticker": "A", "event_date": day(30), "cash_amount": 1.0, "currency": "USD"},
        {"ticker": "gone", "event_date": day(3), "cash_amount": 1.0, "currency": "USD"},
        {"ticker": "A", "event_date": day(6), "cash_amount": 1.0, "currency": "USD"},
    ]
    dividends = silver(rows, tmp_path / "dividends.parquet")
    bars = [("A", day(5), 10.0), ("gone", day(2), 10.0), ("A", day(6), 0.0), ("A", day(21), 9.0)]
    out = tmp_path / "part.parquet"
    report = build(
        splits=splits,
        dividends=dividends,
        prices=price_files(bars, tmp_path),
        end=str(day(20)),
        out=out,
    )
    assert report == {
        "rows": 0,
        "splits_left_out": 2,
        "dividends_left_out": 4,
        "dividends_without_bar": 2,  # gone; and A, whose next good bar is after the end
    }
    assert pl.read_parquet(out).is_empty()


def test_a_split_counts_without_any_bar(tmp_path: Path) -> None:
    out = tmp_path / "part.parquet"
    splits = splits_file([("NULL", day(3), 1, 2)], tmp_path)
    build(splits=splits, dividends=[], prices=[], end=str(day(3)), out=out)
    assert pl.read_parquet(out).rows() == [("NULL", day(3), 0.5, 0.5)]


def test_nothing_at_all_is_an_empty_table(tmp_path: Path) -> None:
    out = tmp_path / "part.parquet"
    assert build(splits=[], dividends=[], prices=[], end="2025-01-01", out=out)["rows"] == 0
    assert pl.read_parquet_schema(out) == tables.schema_of(COLUMNS)


def test_a_close_is_looked_for_in_later_months(tmp_path: Path) -> None:
    bars = [("A", day(0), 1.0), ("B", day(10), 2.0), ("A", day(70), 3.0), ("A", day(71), 4.0)]
    dividends = pl.DataFrame({"symbol": ["A", "B"], "date": [day(1), day(9)], "cash": [1.0, 1.0]})
    months = sorted(price_files(bars, tmp_path))
    found = with_closes(dividends, months, day(100))
    assert found.select("symbol", "close", "close_date").rows() == [
        ("A", 3.0, day(70)),
        ("B", 2.0, day(10)),
    ]
    assert with_closes(dividends, months, day(69))["symbol"].to_list() == ["B"]


SYMBOLS = st.sampled_from(["NA", "na"])
NUMBERS = st.integers(0, 40)
BARS = st.dictionaries(st.tuples(SYMBOLS, NUMBERS), st.integers(1, 50).map(float), max_size=30)
SPLITS = st.lists(
    st.tuples(SYMBOLS, NUMBERS, st.integers(1, 5), st.integers(1, 5)),
    max_size=6,
)
DIVIDENDS = st.lists(st.tuples(SYMBOLS, NUMBERS, st.integers(1, 20).map(float)), max_size=8)


def factors_of(
    bars: Sequence[Bar],
    splits: Sequence[tuple[str, date, float, float]],
    dividends: Sequence[Event],
    end: date = START + timedelta(days=100),
) -> pl.DataFrame:
    """The table of adjustments, through files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(
            splits=splits_file(splits, folder),
            dividends=dividends_file(dividends, folder),
            prices=price_files(bars, folder),
            end=str(end),
            out=folder / "part.parquet",
        )
        return pl.read_parquet(folder / "part.parquet")


@settings(max_examples=60)
@given(BARS, SPLITS, DIVIDENDS)
def test_adjusted_closes_give_the_return_of_a_holder(
    bars: dict, splits: list[tuple], dividends: list[tuple]
) -> None:
    """Oracle: hold one share from bar to bar, day by day: shares multiply, then pay."""
    splits = [(s, day(n), a, b) for s, n, a, b in splits]
    dividends = [(s, day(n), cash) for s, n, cash in dividends]
    listed = sorted((s, day(n), close) for (s, n), close in bars.items())
    frame = pl.DataFrame(
        listed, {"symbol": pl.String, "date": pl.Date, "close": pl.Float64}, orient="row"
    )
    rows = adjusted(frame, factors_of(listed, splits, dividends)).rows(named=True)
    for one, two in pairwise(rows):
        if one["symbol"] != two["symbol"]:
            continue
        shares, cash = 1.0, 0.0
        for number in range((two["date"] - one["date"]).days):
            today = one["date"] + timedelta(days=number + 1)
            for symbol, when, before, after in splits:
                if (symbol, when) == (one["symbol"], today):
                    shares *= after / before
            for symbol, when, amount in dividends:
                if (symbol, when) == (one["symbol"], today):
                    cash += shares * amount
        worth = {name: two["close"] * two[name] / (one["close"] * one[name]) for name in FACTORS}
        assert worth["split_factor"] == pytest.approx(shares * two["close"] / one["close"])
        held = (shares * two["close"] + cash) / one["close"]
        assert worth["total_return_factor"] == pytest.approx(held, rel=1e-11)
    for symbol in {row["symbol"] for row in rows}:
        last = [row for row in rows if row["symbol"] == symbol][-1]
        later = [b / a for s, when, a, b in splits if s == symbol and when > last["date"]]
        for name in FACTORS:  # a dividend after the last bar is left out, a split is not
            product = 1.0
            for number in later:
                product /= number
            assert last[name] == pytest.approx(product)


@settings(max_examples=25)
@given(BARS, SPLITS, DIVIDENDS, st.randoms(use_true_random=False))
def test_order_of_the_input_does_not_matter(
    bars: dict, splits: list[tuple], dividends: list[tuple], order: random.Random
) -> None:
    splits = [(s, day(n), a, b) for s, n, a, b in splits]
    dividends = [(s, day(n), cash) for s, n, cash in dividends]
    listed = [(s, day(n), close) for (s, n), close in bars.items()]
    whole = factors_of(listed, splits, dividends)
    assert whole.select("symbol", "date").is_unique().all()
    assert whole.equals(whole.sort("symbol", "date"))
    mixed = [order.sample(items, len(items)) for items in (listed, splits, dividends)]
    assert_frame_equal(factors_of(*mixed), whole, rel_tol=1e-14)


@settings(max_examples=25)
@given(BARS, SPLITS, DIVIDENDS)
def test_what_comes_after_the_end_changes_nothing(
    bars: dict, splits: list[tuple], dividends: list[tuple]
) -> None:
    everything = (
        [(s, day(n), close) for (s, n), close in bars.items()],
        [(s, day(n), a, b) for s, n, a, b in splits],
        [(s, day(n), cash) for s, n, cash in dividends],
    )
    end = day(20)
    early = [[event for event in events if event[1] <= end] for events in everything]
    assert_frame_equal(factors_of(*everything, end=end), factors_of(*early, end=day(99)))


@settings(max_examples=60)
@given(
    st.lists(st.tuples(SYMBOLS, NUMBERS, st.integers(0, 9)), max_size=15),
    st.dictionaries(st.tuples(SYMBOLS, NUMBERS), st.floats(0.1, 5), max_size=8),
)
def test_a_row_takes_the_first_event_strictly_after_it(
    rows: list[tuple], events: dict[tuple[str, int], float]
) -> None:
    frame = pl.DataFrame(
        [(s, day(n), v) for s, n, v in rows],
        {"symbol": pl.String, "date": pl.Date, "volume": pl.Int64},
        orient="row",
    )
    table = [(s, day(n), v, v / 2) for (s, n), v in events.items()]
    found = adjust(frame, pl.DataFrame(table, tables.schema_of(COLUMNS), orient="row"))
    assert found.columns == ["symbol", "date", "volume", *FACTORS]
    assert_frame_equal(found.select(frame.columns), frame)
    for symbol, when, _, split, total in found.rows():
        later = [(e[1], e[2], e[3]) for e in table if e[0] == symbol and e[1] > when]
        assert (split, total) == (min(later)[1:] if later else (1.0, 1.0))

"""Windows over a symbol's own bars, against a loop, and across every way to cut the months."""

from __future__ import annotations

import math
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from scripts import tables
from scripts.errors import DataError
from scripts.lake import returns
from scripts.lake.build_daily_bars import STOCKS_DAILY
from tests.unit.lake.daily_bars import MONTHS, bar, bars, frame, slow_shape, slow_windows

LENGTHS = (1, 5, 20)
NAMES = list(returns.window_columns("close", "volume", LENGTHS))
SYMBOLS = ["A", "AA", "Aa", "NA", "NaN", "None", "ZZZ", "a", "nan", "null"]
FIRST = date(2025, 1, 1)


def line(*closes: float, symbol: str = "A", first: int = 0) -> pl.DataFrame:
    """Bars of one symbol on days in a row, each of volume 100."""
    days = [FIRST + timedelta(first + n) for n in range(len(closes))]
    return frame(
        [bar("symbol", symbol, d, c) for d, c in zip(days, closes, strict=True)], STOCKS_DAILY
    )


def windows(*frames: pl.DataFrame) -> pl.DataFrame:
    """Windows of the last frame's rows, with what the frames before it hold."""
    *earlier, own = frames
    history = returns.stack(earlier, own, "symbol")
    close, volume = (history.bars[name].to_numpy() for name in ("close", "volume"))
    return own.select("symbol", "date").with_columns(
        **returns.windows(close, volume, history, LENGTHS)
    )


def loop(rows: pl.DataFrame) -> pl.DataFrame:
    """Windows of all rows, symbol by symbol."""
    found = []
    for (symbol,), part in rows.group_by("symbol", maintain_order=True):
        part = part.sort("date")
        columns = (part[name].to_list() for name in ("date", "close", "volume"))
        found += [{"symbol": symbol, **row} for row in slow_windows(*columns, LENGTHS)]
    schema = {"symbol": pl.String, "date": pl.Date, **dict.fromkeys(NAMES, pl.Float64)}
    return pl.DataFrame(found, schema=schema).sort("symbol", "date")


@pytest.mark.parametrize("seed", range(4))
def test_windows_equal_a_loop_over_each_symbol(seed: int) -> None:
    rows = frame(bars("symbol", SYMBOLS, seed), STOCKS_DAILY)
    found = windows(*(rows.filter(pl.col("month") == month) for month in MONTHS))
    expected = loop(rows).filter(pl.col("date") >= date(2025, 8, 1))
    assert found.height > 100
    for name in NAMES:
        assert 0 < found[name].null_count() < found.height
    assert_frame_equal(found, expected, rel_tol=1e-10, abs_tol=1e-13)


def test_a_return_by_hand() -> None:
    found = windows(line(50.0, 40.0), line(20.0, 30.0, first=7))
    assert found["returns_1d"].to_list() == [math.log(0.5), math.log(1.5)]


def test_windows_need_all_their_bars() -> None:
    found = windows(line(*(float(n) for n in range(1, 23))))
    known = {name: found.height - found[name].null_count() for name in NAMES}
    assert known == {
        "returns_1d": 21,
        "returns_5d": 17,
        "returns_20d": 2,
        "volatility_20d": 2,
        "volume_ratio_20d": 3,
    }


def test_a_steady_price_has_no_volatility_and_a_steady_volume_a_ratio_of_one() -> None:
    row = windows(line(*[0.1] * 21)).row(-1, named=True)
    assert (row["volatility_20d"], row["volume_ratio_20d"], row["returns_20d"]) == (0, 1, 0)


def test_a_bar_of_zero_or_negative_price_has_no_return_nor_has_the_next() -> None:
    found = windows(line(1.0, 0.0, 2.0, 4.0, -4.0, -2.0, 1.0, 1.0))
    unknown = found["returns_1d"].is_null().to_list()
    assert unknown == [True, True, True, False, True, True, True, False]


def test_a_huge_bar_that_left_the_window_leaves_no_trace() -> None:
    huge = line(*[7.0] * 30).with_columns(volume=pl.Series([1e17] + [3.0] * 29))
    assert windows(huge)["volume_ratio_20d"][20:].to_list() == [1.0] * 10


def test_a_volume_of_zero_over_the_window_has_no_ratio() -> None:
    nothing = line(*[7.0] * 20).with_columns(volume=0.0)
    assert windows(nothing)["volume_ratio_20d"].to_list() == [None] * 20


def test_symbols_that_differ_in_case_do_not_mix() -> None:
    earlier = pl.concat([line(8.0, symbol="ABC"), line(2.0, symbol="aBC")])
    own = pl.concat([line(8.0, symbol=s, first=3) for s in ("ABC", "NA", "aBC")])
    assert windows(earlier, own)["returns_1d"].to_list() == [0, None, math.log(4)]


symbol_days = st.lists(
    st.lists(st.integers(0, 89), min_size=1, max_size=45, unique=True).map(sorted),
    min_size=1,
    max_size=4,
)


@given(symbol_days, st.lists(st.integers(0, 89), min_size=2, max_size=2), st.integers(0, 99))
def test_no_cut_into_months_changes_a_bit(days: list, cuts: list, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        bar("symbol", f"S{n}", FIRST + timedelta(day), price, volume=volume)
        for n, own in enumerate(days)
        for day, price, volume in zip(
            own, rng.uniform(1, 9, len(own)), rng.uniform(0, 1e9, len(own)), strict=True
        )
    ]
    whole = frame(rows, STOCKS_DAILY)
    low, high = (FIRST + timedelta(cut) for cut in sorted(cuts))
    day = pl.col("date")
    parts = [whole.filter(day < low), whole.filter(day >= low, day < high)]
    found = windows(*parts, whole.filter(day >= high))
    assert_frame_equal(found, windows(whole).filter(day >= high), check_exact=True)


def test_only_the_last_bars_before_the_month_are_kept() -> None:
    earlier = pl.concat([line(*[1.0] * 50), line(*[1.0] * 50, symbol="B")])
    history = returns.stack([earlier], line(1.0, 2.0, first=60), "symbol")
    assert history.bars["symbol"].to_list() == ["A"] * (returns.WINDOW + 2)
    assert history.bars["date"][0] == FIRST + timedelta(50 - returns.WINDOW)
    assert history.own.tolist() == [returns.WINDOW, returns.WINDOW + 1]


def test_a_month_without_bars_gives_none() -> None:
    assert windows(line(1.0, 2.0), line()).height == 0
    assert windows(line()).columns == ["symbol", "date", *NAMES]


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([line(1.0), line(2.0)], r"symbol A, date 2025-01-01: comes after a bar of 2025-01-01"),
        ([line(1.0, first=9), line(2.0)], r"date 2025-01-01: comes after a bar of 2025-01-10"),
        ([line(1.0, 2.0).reverse()], r"date 2025-01-01: comes after a bar of 2025-01-02"),
        ([pl.concat([line(1.0, symbol="B"), line(1.0)])], r"not sorted by symbol; rebuild bronze$"),
    ],
)
def test_bars_out_of_order_are_refused(frames: list[pl.DataFrame], message: str) -> None:
    with pytest.raises(DataError, match=message):
        windows(*frames)


def test_the_shape_of_a_bar() -> None:
    rows = [
        bar("symbol", "A", FIRST, 11.0, open=10.0, high=12.0, low=8.0),
        bar("symbol", "B", FIRST, 0.1, open=0.3, high=0.7, low=0.1),
        bar("symbol", "C", FIRST, 1.0, open=0.0),
        bar("symbol", "D", FIRST, 0.0, open=1.0),
        bar("symbol", "E", FIRST, -1.0, open=-2.0),
    ]
    found = pl.DataFrame(returns.shapes(frame(rows, STOCKS_DAILY)))
    expected = pl.DataFrame([slow_shape(row) for row in rows])
    assert_frame_equal(found, expected, check_exact=True)
    assert found["daily_return"].to_list() == [0.1, (0.1 - 0.3) / 0.3, None, None, None]
    assert dict(found.schema) == dict(tables.schema_of(returns.SHAPE))


def test_the_last_partition_is_the_months_own(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.parquet", "b.parquet")]
    for path in paths:
        tables.write(line(1.0), path)
    assert returns.split_months(paths, "2025-01") == ([paths[0]], paths[1])
    with pytest.raises(DataError, match=r"b\.parquet, line 1, month '2025-01': expected '2025-02'"):
        returns.split_months(paths, "2025-02")
    tables.write(line(), paths[1])
    assert returns.split_months(paths, "2025-02") == ([paths[0]], paths[1])

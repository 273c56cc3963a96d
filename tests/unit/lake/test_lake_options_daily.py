"""Gold daily bars of options, against a loop over each contract and against hand-made cases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

from scripts import tables
from scripts.errors import DataError
from scripts.lake import occ
from scripts.lake.build_daily_bars import OPTIONS_DAILY, STOCKS_DAILY
from scripts.lake.build_options_daily import COLUMNS, build, slices
from tests.unit.lake.daily_bars import (
    MONTHS,
    bar,
    bars,
    frame,
    slow_shape,
    slow_windows,
    write_months,
)

MONTH = MONTHS[-1]
CALL, PUT = "O:A250919C00150000", "O:NA250919P00007500"
ADJUSTED, FREE, ODD = "O:A1250919C00150000", "O:A250919C00000000", "O:a-b"
TICKERS = [CALL, PUT, ADJUSTED, FREE, ODD, *(f"O:NA251219C{n:05}000" for n in range(1, 9))]
AUGUST = date(2025, 8, 1)


def contract(ticker: str, day: date, close: float = 1.0, **other: object) -> dict:
    """One bar of bronze options_daily."""
    parts = occ.parse(pl.Series([ticker])).row(0, named=True)
    return bar("ticker", ticker, day, close, **parts, **other)


def options(seed: int, tickers: Sequence[str] = TICKERS) -> list[dict]:
    """Random bars of `tickers`."""
    parts = {t: occ.parse(pl.Series([t])).row(0, named=True) for t in tickers}
    return [{**row, **parts[row["ticker"]]} for row in bars("ticker", tickers, seed)]


def stock(symbol: str, day: date, close: float) -> dict:
    """One bar of bronze stocks_daily."""
    return bar("symbol", symbol, day, close)


class Lake:
    """Files of a small lake, and a build of its gold."""

    def __init__(self, folder: Path, rows: Sequence[dict], stocks: Sequence[dict] = ()) -> None:
        self.folder = folder
        self.out = folder / "gold" / f"month={MONTH}" / "part.parquet"
        self.bars = write_months(rows, OPTIONS_DAILY, folder / "bars")
        self.stocks = write_months(stocks, STOCKS_DAILY, folder / "stocks")
        self.universe: list[Path] = []

    def write_universe(self, *lines: str) -> None:
        self.universe = [self.folder / "universe.csv"]
        self.universe[0].write_text("\n".join(["symbol", *lines]) + "\n")

    def regroup(self, rows: int) -> None:
        """Write the bars again with so many in a row group."""
        for path in self.bars:
            bars_of = pl.read_parquet(path, hive_partitioning=False)
            bars_of.write_parquet(path, row_group_size=rows)

    def build(self) -> pl.DataFrame:
        report = build(
            bars=self.bars,
            stocks=self.stocks[-1:],
            universe=self.universe,
            month=MONTH,
            out=self.out,
        )
        found = pl.read_parquet(self.out, hive_partitioning=False)
        assert report == {"rows": found.height}
        return found


def loop(rows: Sequence[dict], stocks: Sequence[dict]) -> pl.DataFrame:
    """Gold of the month, contract by contract."""
    closes, found = {(row["symbol"], row["date"]): row["close"] for row in stocks}, []
    for ticker in sorted({row["ticker"] for row in rows}):
        own = sorted((r for r in rows if r["ticker"] == ticker), key=lambda r: r["date"])
        columns = ([row[name] for row in own] for name in ("date", "close", "volume"))
        for row, window in zip(own, slow_windows(*columns, (1, 5, 20)), strict=True):
            close, parsed = closes.get((row["underlying"], row["date"])), row["strike"] is not None
            found.append({
                **row,
                **window,
                "alpha_daily": None if window["returns_1d"] is None else -window["returns_1d"],
                **slow_shape(row),
                "underlying_close": close,
                "moneyness": close / row["strike"] if close is not None and row["strike"] else None,
                "days_to_expiry": (row["expiration"] - row["date"]).days if parsed else None,
            })  # fmt: skip
    gold = pl.DataFrame(found, schema=tables.schema_of(COLUMNS))
    return gold.filter(pl.col("month") == MONTH).sort("ticker", "date")


@pytest.mark.parametrize("seed", range(3))
def test_gold_equals_a_loop_over_each_contract(seed: int, tmp_path: Path) -> None:
    rows, stocks = options(seed), bars("symbol", ["A", "NA", "a"], seed)
    expected, found = loop(rows, stocks), Lake(tmp_path, rows, stocks).build()
    for name in ("returns_5d", "volatility_20d", "volume_ratio_20d", "underlying_close"):
        assert 0 < found[name].null_count() < found.height
    assert_frame_equal(found, expected, rel_tol=1e-10, abs_tol=1e-12)


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_parts_of_any_size_give_the_same_rows(rows: int, tmp_path: Path) -> None:
    lake = Lake(tmp_path, options(4), bars("symbol", ["A", "NA"], 4))
    whole = lake.build()
    assert pq.read_metadata(lake.out).num_row_groups == 1
    lake.regroup(rows)
    assert len(slices(lake.bars[-1])) > 1
    assert_frame_equal(lake.build(), whole, check_exact=True)
    assert pq.read_metadata(lake.out).num_row_groups > 1


def test_a_file_without_statistics_is_one_part(tmp_path: Path) -> None:
    path = tmp_path / "part.parquet"
    bronze = frame(options(4), OPTIONS_DAILY)
    bronze.write_parquet(path, row_group_size=16, statistics=False)
    assert len(slices(path)) == 1
    assert pl.scan_parquet(path).filter(slices(path)[0]).collect().height == bronze.height


def test_the_columns_are_those_declared(tmp_path: Path) -> None:
    found = Lake(tmp_path, options(1)).build()
    assert list(found.schema.items()) == list(tables.schema_of(COLUMNS).items())
    assert all(column.meaning for column in COLUMNS.values())


def test_returns_cross_every_border_of_months(tmp_path: Path) -> None:
    days = [(date(2025, 6, 30), 4.0), (date(2025, 7, 31), 5.0), (AUGUST, 10.0)]
    rows = [contract(ticker, *day) for ticker in (CALL, PUT) for day in days]
    assert Lake(tmp_path / "all", rows).build()["returns_1d"].to_list() == [math.log(2)] * 2
    june = [row for row in rows if row["month"] != "2025-07"]
    assert Lake(tmp_path / "gap", june).build()["returns_1d"].to_list() == [math.log(2.5)] * 2


def test_where_the_underlying_stood(tmp_path: Path) -> None:
    rows = [contract(ticker, AUGUST) for ticker in (CALL, PUT, ADJUSTED, FREE, ODD)]
    rows.append(contract(CALL, date(2025, 8, 4)))
    stocks = [stock("A", AUGUST, 120.0), stock("NA", AUGUST, 15.0), stock("a", AUGUST, 1.0)]
    found = Lake(tmp_path, rows, stocks).build()
    columns = ["ticker", "underlying_close", "moneyness", "days_to_expiry"]
    assert found.select(columns).rows() == [
        (ADJUSTED, None, None, 49),
        (FREE, 120, None, 49),
        (CALL, 120, 0.8, 49),
        (CALL, None, None, 46),
        (PUT, 15, 2, 49),
        (ODD, None, None, None),
    ]


def test_without_stocks_there_is_no_underlying_close(tmp_path: Path) -> None:
    found = Lake(tmp_path, options(2)).build()
    assert found["underlying_close"].null_count() == found["moneyness"].null_count() == found.height
    assert found["days_to_expiry"].null_count() < found.height


def test_the_universe_is_of_underlyings_as_they_are_written(tmp_path: Path) -> None:
    lake = Lake(tmp_path, options(3), bars("symbol", ["A", "NA"], 3))
    everything = lake.build()
    lake.write_universe("NA", "a", "XYZ")
    kept = everything.filter(pl.col("underlying") == "NA")
    assert 0 < kept.height < everything.height
    assert_frame_equal(lake.build(), kept, check_exact=True)


def test_adjusted_contracts_go_with_their_underlying(tmp_path: Path) -> None:
    lake = Lake(tmp_path, [contract(ticker, AUGUST) for ticker in (CALL, PUT, ADJUSTED, ODD)])
    lake.write_universe("A")
    assert lake.build()["ticker"].to_list() == [ADJUSTED, CALL]


def test_a_universe_without_these_underlyings_gives_an_empty_partition(tmp_path: Path) -> None:
    lake = Lake(tmp_path, options(3))
    lake.regroup(50)
    lake.write_universe("XYZ")
    found = lake.build()
    assert found.schema == tables.schema_of(COLUMNS) and found.is_empty()


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    lake = Lake(tmp_path, options(5))
    lake.build()
    first = lake.out.read_bytes()
    lake.build()
    assert lake.out.read_bytes() == first


def test_two_bars_of_one_contract_and_date_are_refused_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    lake = Lake(tmp_path, [contract(CALL, AUGUST), contract(PUT, AUGUST), contract(PUT, AUGUST)])
    lake.regroup(1)
    with pytest.raises(DataError, match=rf"ticker {PUT}, date 2025-08-01: comes after a bar of"):
        lake.build()
    assert list(lake.out.parent.iterdir()) == []


def test_a_partition_of_another_month_is_refused(tmp_path: Path) -> None:
    lake = Lake(tmp_path, [contract(CALL, date(2025, 6, 30)), contract(CALL, AUGUST)])
    lake.bars[-1].write_bytes(lake.bars[0].read_bytes())
    with pytest.raises(DataError, match=r"month=2025-08/part\.parquet, line 1, month '2025-06'"):
        lake.build()


def test_a_root_without_dot_is_of_the_class_share(tmp_path: Path) -> None:
    name, other = "O:BRKB250919C00450000", "O:XY250919C00010000"
    rows = [contract(name, AUGUST), contract(other, AUGUST)]
    stocks = [stock("BRK.B", AUGUST, 495.0), stock("X.Y", AUGUST, 1.0), stock("XY", AUGUST, 8.0)]
    lake = Lake(tmp_path, rows, stocks)
    found = {row["ticker"]: row for row in lake.build().to_dicts()}
    assert found[name]["underlying_close"] == 495.0
    assert found[name]["moneyness"] == pytest.approx(1.1)
    assert found[other]["underlying_close"] == 8.0  # a stock that really has the root's name
    lake.write_universe("BRK.B")
    assert lake.build()["ticker"].to_list() == [name]

"""The factors of a month: pyqlib's own on the same bars, whatever months the bars came in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from scripts.errors import DataError
from scripts.lake.build_alpha158 import COLUMNS, build
from scripts.lake.factors import LONGEST, MEANINGS
from scripts.lake.qlib_format import name_of
from scripts.tables import schema_of
from tests.qlib import stores
from tests.qlib.stores import export, read_back, write_months

KEY = ["symbol", "date"]
# Where Qlib divides and takes logarithms in float32, we do so in float64: its last digits differ.
ROUNDED = {"CORR": 5e-6, "CORD": 5e-5, "WVMA": 1e-4}
EXACT = 1e-6


@pytest.fixture(scope="module")
def gold() -> pl.DataFrame:
    return stores.gold()


@pytest.fixture(scope="module")
def folder(gold: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with gold and the factors of each of its months, from five months at most."""
    folder = tmp_path_factory.mktemp("alpha158")
    files = write_months(gold, folder)
    for number, file in enumerate(files):
        month = file.parent.name.removeprefix("month=")
        out = folder / f"alpha158/{month}.parquet"
        build(bars=files[max(number - 4, 0) : number + 1], month=month, out=out)
    return folder


@pytest.fixture(scope="module")
def found(folder: Path) -> pl.DataFrame:
    """The factors of all months."""
    return pl.concat(map(pl.read_parquet, sorted((folder / "alpha158").iterdir()))).sort(KEY)


@pytest.fixture(scope="module")
def qlib(folder: Path, gold: pl.DataFrame) -> pl.DataFrame:
    """What pyqlib calculates from the export of the same gold; rows of bars under our tickers."""
    export(sorted((folder / "gold").rglob("*.parquet")), folder)
    reading = read_back(folder / "qlib/current")
    assert reading.fields[12:] == list(MEANINGS)
    tickers = {name_of(symbol): symbol for symbol in gold["symbol"].unique()}
    rows = reading.rows.filter(pl.col("close").is_not_nan()).drop(reading.fields[:12])
    return rows.with_columns(pl.col("symbol").replace(tickers)).sort(KEY)


def test_the_columns_are_those_declared(found: pl.DataFrame) -> None:
    assert found.schema == schema_of(COLUMNS)


def test_each_bar_of_the_month_has_a_row(folder: Path, gold: pl.DataFrame) -> None:
    may = pl.read_parquet(folder / "alpha158/2024-05.parquet")
    expected = gold.filter(pl.col("month") == "2024-05").select(*KEY, "month")
    assert_frame_equal(may.select(*KEY, "month"), expected)


def test_the_factors_are_pyqlibs_own(found: pl.DataFrame, qlib: pl.DataFrame) -> None:
    ours = found.filter(pl.col("symbol") != "GAPS").drop("month")
    theirs = qlib.filter(pl.col("symbol") != "GAPS")
    assert_frame_equal(ours.select(KEY), theirs.select(KEY))
    assert ours.height > 2300
    for name in MEANINGS:
        limit = ROUNDED.get(name.rstrip("0123456789"), EXACT)
        one, other = (frame[name].fill_null(np.nan).to_numpy() for frame in (ours, theirs))
        np.testing.assert_allclose(one, other, rtol=limit, atol=limit, err_msg=name)


def test_only_a_gap_makes_a_difference(found: pl.DataFrame, qlib: pl.DataFrame) -> None:
    """Qlib's window counts sessions, ours bars; bars 49 to 67 have a gap in their 20 sessions."""
    ours, theirs = (
        frame.filter(pl.col("symbol") == "GAPS")["MA20"].to_numpy() for frame in (found, qlib)
    )
    same = np.isclose(ours, theirs, rtol=1e-6)
    assert same[:19].all()
    assert not same[49:68].any()
    assert same[68:87].all()


def test_five_months_are_enough_for_whoever_trades_every_session(
    folder: Path, found: pl.DataFrame, gold: pl.DataFrame
) -> None:
    out = folder / "whole.parquet"
    build(bars=sorted((folder / "gold").rglob("*.parquet")), month="2024-08", out=out)
    august = found.filter(pl.col("month") == "2024-08")
    assert_frame_equal(august, pl.read_parquet(out), check_exact=True)
    assert gold["date"].n_unique() > 2 * LONGEST


def test_prices_volume_and_vwap_are_adjusted_for_splits(
    folder: Path, gold: pl.DataFrame, tmp_path: Path
) -> None:
    """A symbol that is as if it had never been split has the same factors."""
    split = gold.filter(pl.col("symbol") == "SPLIT")
    never = split.with_columns(
        vwap=pl.col("vwap") * pl.col("split_factor"), split_factor=pl.lit(1.0)
    )
    assert split["vwap"].max() > 2 * never["vwap"].max()
    for number, frame in enumerate((split, never)):
        files = write_months(frame, tmp_path / str(number))
        build(bars=files, month="2024-05", out=tmp_path / f"{number}.parquet")
    one, other = (pl.read_parquet(tmp_path / f"{number}.parquet") for number in (0, 1))
    assert_frame_equal(one, other, check_exact=True)
    assert one["ROC5"].is_between(0.7, 1.4).all()


def test_what_is_not_known_is_null(found: pl.DataFrame) -> None:
    no_vwap = found.filter(pl.col("date").dt.day() == 12)
    assert no_vwap["VWAP0"].null_count() == no_vwap.height > 50
    assert found.filter(pl.col("date").dt.day() != 12)["VWAP0"].null_count() == 0
    once = found.filter(pl.col("symbol") == "ONCE")
    assert once.select("ROC5", "STD5", "BETA60", "SUMP5", "RSQR5").row(0) == (None,) * 5
    assert once.select("RANK5", "CNTP5", "IMAX5").row(0) == pytest.approx((1, 0, 0.2))
    nan = found.select(pl.col(*MEANINGS).is_nan().any())
    assert not any(nan.row(0))


def test_the_order_of_the_files_changes_nothing(folder: Path, tmp_path: Path) -> None:
    files = sorted((folder / "gold").rglob("*.parquet"))[-5:]
    build(bars=files[::-1], month="2024-08", out=tmp_path / "out.parquet")
    one, other = tmp_path / "out.parquet", folder / "alpha158/2024-08.parquet"
    assert one.read_bytes() == other.read_bytes()


def test_a_month_without_bars_is_empty_and_typed(folder: Path, tmp_path: Path) -> None:
    files = sorted((folder / "gold").rglob("*.parquet"))[:1]
    build(bars=files, month="2024-01", out=tmp_path / "out.parquet")
    frame = pl.read_parquet(tmp_path / "out.parquet")
    assert frame.is_empty()
    assert frame.schema == schema_of(COLUMNS)


def test_a_price_that_is_null_is_an_error(gold: pl.DataFrame, tmp_path: Path) -> None:
    broken = gold.with_columns(adj_low=pl.when(pl.col("symbol") != "NA").then("adj_low"))
    files = write_months(broken, tmp_path)
    with pytest.raises(DataError, match="NA on 2024-02-01: a price is null; rebuild gold"):
        build(bars=files[:1], month="2024-02", out=tmp_path / "out.parquet")

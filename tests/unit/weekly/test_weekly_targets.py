"""Triple-barrier targets: by hand, and against the slow oracle."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from scripts.weekly import barriers, build_targets
from scripts.weekly.build_targets import COLUMNS, build, targets
from tests.oracles import weekly as oracle
from tests.unit.weekly.weekly_frames import edge_market, random_market

FIRST = date(2023, 1, 2)
FLAT = (100.0, 101.0, 99.0, 100.0)  # a true range of 2 each day: ATR is 2, barriers 106 and 97
Bar = tuple[float, float, float, float]


def labelled(
    *after: Bar, before: int = 15, price: str = "close", **columns: object
) -> pl.DataFrame:
    """Targets of `before` flat bars (the last one has an ATR of 2) and the bars after."""
    bars = [FLAT] * before + list(after)
    frame = pl.DataFrame(bars, schema=["open", "high", "low", "close"], orient="row").with_columns(
        symbol=pl.lit("A"), date=pl.Series([FIRST + timedelta(n) for n in range(len(bars))])
    )
    return targets(frame.with_columns(**columns), price)


def first(frame: pl.DataFrame, before: int = 15) -> dict:
    """The last flat bar's target."""
    return frame.row(before - 1, named=True)


def test_the_barriers_are_3_and_1_5_average_true_ranges_away() -> None:
    row = first(labelled())
    assert (row["atr14"], row["upper"], row["lower"]) == (2.0, 106.0, 97.0)
    assert row["target"] is None  # nothing follows
    assert labelled()["atr14"].null_count() == 14


def test_the_first_touch_decides() -> None:
    row = first(labelled(FLAT, (103, 106, 102, 104), (96, 97, 90, 95)))
    assert (row["target"], row["bars_held"]) == (1, 2)
    assert row["exit_date"] == FIRST + timedelta(16)
    assert row["target_return"] == pytest.approx(0.06)
    row = first(labelled((100, 101, 97, 98), (103, 110, 102, 104)))
    assert (row["target"], row["bars_held"]) == (-1, 1)
    assert row["target_return"] == pytest.approx(-0.03)


def test_both_barriers_in_one_bar_count_as_the_lower() -> None:
    row = first(labelled((100, 120, 90, 110)))
    assert (row["target"], row["target_return"]) == (-1, pytest.approx(-0.03))


def test_an_open_beyond_the_barrier_is_the_price() -> None:
    assert first(labelled((90, 95, 85, 93)))["target_return"] == pytest.approx(-0.10)
    assert first(labelled((110, 112, 108, 109)))["target_return"] == pytest.approx(0.10)


def test_after_twenty_bars_the_close_ends_the_trade() -> None:
    row = first(labelled(*[FLAT] * 19, (100, 102, 99, 101.5)))
    assert (row["target"], row["bars_held"]) == (0, 20)
    assert row["target_return"] == pytest.approx(0.015)
    assert row["horizon_complete"]


def test_a_touch_in_the_last_bar_counts_and_one_after_it_does_not() -> None:
    assert first(labelled(*[FLAT] * 19, (100, 106, 99, 101)))["target"] == 1
    assert first(labelled(*[FLAT] * 20, (100, 106, 99, 101)))["target"] == 0


def test_what_is_not_known_yet_is_null_and_what_is_known_early_says_so() -> None:
    assert first(labelled(*[FLAT] * 19))["target"] is None
    row = first(labelled((100, 106, 99, 101)))
    assert row["target"] == 1
    assert not row["horizon_complete"]


def test_weights_are_average_uniqueness_by_hand() -> None:
    # Entries at 14 and 15, both lost in bar 17: bars 15, 16, 17 have 1, 2, 2 open trades; the entry
    # at 16 is lost in 17 too, so bar 17 has 3.
    got = labelled(FLAT, FLAT, (90, 91, 89, 90))
    assert got["target"].to_list()[14:17] == [-1, -1, -1]
    assert got["weight"].to_list()[14:17] == pytest.approx(
        [(1 + 1 / 2 + 1 / 3) / 3, (1 / 2 + 1 / 3) / 2, 1 / 3]
    )


def test_a_halted_price_has_no_target() -> None:
    still = (100.0, 100.0, 100.0, 100.0)
    got = labelled(*[still] * 900)
    assert got["target"].to_list()[800:] == [None] * 115
    assert (
        targets(
            pl.DataFrame(
                {"symbol": ["A"] * 40, "date": [FIRST + timedelta(n) for n in range(40)]}
            ).with_columns(open=1.0, high=1.0, low=1.0, close=1.0)
        )["target"].null_count()
        == 40
    )


def test_a_row_without_a_price_is_no_bar() -> None:
    whole = labelled(*[FLAT] * 3, (103, 106, 102, 104))
    gap = labelled(*[FLAT] * 2, (1.0, 1.0, 1.0, float("nan")), FLAT, (103.0, 106.0, 102.0, 104.0))
    assert gap.row(17)[2:] == (None,) * 9
    kept = gap.filter(pl.int_range(pl.len()) != 17).drop("date", "exit_date")
    assert kept.equals(whole.drop("date", "exit_date"))


def test_adjusted_prices_scale_the_whole_bar() -> None:
    halves = labelled(FLAT, (103, 106, 102, 104), price="adj_close", adj_close=pl.col("close") / 2)
    whole = labelled(FLAT, (103, 106, 102, 104))
    assert halves["upper"].to_list()[14] == whole["upper"].to_list()[14] / 2
    same = ["target", "target_return", "bars_held", "weight"]
    assert halves.select(same).equals(whole.select(same))


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_targets_are_those_of_the_slow_implementation(seed: int | None) -> None:
    frame = (edge_market() if seed is None else random_market(seed, 8, 700)).sort("symbol", "date")
    expected, got = oracle.targets(frame), targets(frame)
    assert got.schema == expected.schema
    for name in got.columns:
        if got[name].dtype.is_float():
            assert (got[name].is_null() == expected[name].is_null()).all(), name
            np.testing.assert_allclose(got[name], expected[name], rtol=1e-9, atol=1e-12)
        else:
            assert got[name].equals(expected[name], null_equal=True), name
    assert set(got["target"].drop_nulls()) == {-1, 0, 1}


def test_a_batch_is_written_block_by_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = random_market(4, 6, 200)
    daily = tmp_path / "daily.parquet"
    frame.write_parquet(daily)
    for name, block in (("one", 10**9), ("many", 1)):
        monkeypatch.setattr(build_targets, "BLOCK", block)
        counts = build(daily=daily, adjusted_close=None, batch=3, out=tmp_path / name)
        assert counts["rows"] == frame.height
    whole = pl.read_parquet(tmp_path / "one")
    assert whole.equals(pl.read_parquet(tmp_path / "many"))
    assert whole.columns == list(COLUMNS)
    assert set(whole["batch"]) == {3}
    assert whole["target"].count() == counts["targets"]


def test_uniqueness_of_trades_that_do_not_overlap_is_one() -> None:
    held = np.array([2, 0, 2, 0, 0], np.int16)
    index = np.arange(5)
    got = barriers.uniqueness(held, index, index[::-1])
    assert got[[0, 2]].tolist() == [1.0, 1.0]

"""Weekly features against the slow oracle, and what must hold of them whatever the input."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.weekly import notebook, visible
from scripts.weekly.features import BLOCK, FEATURES
from scripts.weekly.layout import blocks
from scripts.weekly.notebook import add_weekly_features_to_daily
from tests.oracles import weekly as oracle
from tests.unit.weekly.comparing import assert_close, known_mappings, mappings_frame
from tests.unit.weekly.weekly_frames import edge_market, mappings_for, random_market, with_others

LAGS = {"lags": (1, 3), "lagged": ("w_ret", "w_ma_20")}
MODES = pytest.mark.parametrize("mode", ["parity", "default"])
MARKETS = {
    "edge symbols": edge_market(),
    **{f"random market {seed}": random_market(seed, 12, 900) for seed in (1, 2, 3)},
}


def test_there_are_53_features() -> None:
    assert len(set(FEATURES)) == len(FEATURES) == 53
    assert FEATURES == oracle.FEATURES


@MODES
@pytest.mark.parametrize("market", MARKETS)
def test_every_column_is_that_of_the_slow_implementation(market: str, mode: str) -> None:
    frame = with_others(MARKETS[market])
    mappings = known_mappings(mappings_for(frame), frame)
    expected = oracle.daily_features(frame, mappings, mode=mode, **LAGS)
    got = add_weekly_features_to_daily(frame, mappings_frame(mappings), mode=mode, **LAGS)
    assert_close(got, expected)
    filled = got.select(FEATURES).null_count().row(0)
    assert max(filled) < got.height, "a feature that is null throughout compares nothing"


@pytest.mark.parametrize(
    "how", [{"visible_from": "next_day"}, {"stale_after": None}, {"stale_after": 3}], ids=str
)
def test_visibility_is_that_of_the_slow_implementation(how: dict) -> None:
    frame = MARKETS["edge symbols"]
    mappings = known_mappings(mappings_for(frame), frame)
    expected = oracle.daily_features(frame, mappings, mode="default", **how)
    assert_close(add_weekly_features_to_daily(frame, mappings_frame(mappings), **how), expected)


def test_prices_are_the_adjusted_close_where_there_is_one() -> None:
    frame = random_market(5, 6, 700).with_columns(
        adj_close=pl.col("close") * pl.when(pl.col("date").dt.year() > 2021).then(1).otherwise(0.5)
    )
    mappings = mappings_frame(known_mappings(mappings_for(frame), frame))
    for name, price in (("adj_close", "adj_close"), (None, "close")):
        expected = oracle.daily_features(
            frame, known_mappings(mappings_for(frame), frame), mode="default", price=price
        )
        assert_close(add_weekly_features_to_daily(frame, mappings, adjusted_close=name), expected)


def test_the_frame_passed_is_not_changed_and_its_order_does_not_matter() -> None:
    frame = with_others(random_market(6, 5, 300))
    shuffled = frame.sample(fraction=1, shuffle=True, seed=3)
    before = shuffled.clone()
    got = add_weekly_features_to_daily(shuffled)
    assert shuffled.equals(before)
    assert got.equals(add_weekly_features_to_daily(frame))
    assert got.select(frame.columns).equals(frame.sort("symbol", "date"))
    assert got.equals(add_weekly_features_to_daily(frame.lazy()))


def test_a_pandas_frame_is_taken() -> None:
    frame = random_market(6, 2, 100)
    got = add_weekly_features_to_daily(frame.to_pandas())
    assert got.select(FEATURES).equals(add_weekly_features_to_daily(frame).select(FEATURES))
    table = mappings_frame({"S000": dict.fromkeys(MAPPED) | {"sector_etf": "XLK"}})
    mapped = add_weekly_features_to_daily(frame, table)
    for same in (table.lazy(), table.to_pandas(), table.to_dict()):
        assert add_weekly_features_to_daily(frame, same).equals(mapped)


def cut_holds(frame: pl.DataFrame, days: int) -> bool:
    """Whether dropping the last `days` days changes no value on the rows before."""
    mappings = mappings_frame(known_mappings(mappings_for(frame), frame))
    last = frame["date"].max() - timedelta(days)
    kept = pl.col("date") <= last
    whole = notebook.add_weekly_features_to_daily(frame, mappings).filter(kept)
    symbols = frame.filter(kept)["symbol"].unique().to_list()
    known = mappings.with_columns(pl.when(pl.col(c).is_in(symbols)).then(pl.col(c)) for c in MAPPED)
    return whole.equals(notebook.add_weekly_features_to_daily(frame.filter(kept), known))


MAPPED = ["sector_etf", "equal_weight_etf", "subsector_etf"]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), days=st.integers(1, 400))
def test_dropping_the_future_changes_no_value_before_it(seed: int, days: int) -> None:
    assert cut_holds(random_market(seed, 4, 500), days)


@pytest.mark.parametrize("days", [1, 2, 3, 5, 30, 200, 700])
def test_dropping_the_future_of_the_edge_symbols(days: int) -> None:
    assert cut_holds(MARKETS["edge symbols"], days)


def leak_of_the_unfinished_week(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row sees the bar of its own week: the join of a careless notebook."""

    def early(self: visible.Weeks, symbol: pl.Series, date: pl.Series) -> pl.Series:
        return seen(self, symbol, date + timedelta(days=6))

    seen = visible.Weeks.seen
    monkeypatch.setattr(visible.Weeks, "seen", early)


def leak_of_the_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """The peer's rules, which know how long the history will be."""
    calculate = notebook.calculate
    monkeypatch.setattr(
        notebook, "calculate", lambda *args, **how: calculate(*args, **(how | {"parity": True}))
    )


@pytest.mark.parametrize("plant", [leak_of_the_unfinished_week, leak_of_the_length])
def test_a_planted_leak_is_caught(plant, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = random_market(7, 4, 500)
    cuts = (1, 3, 200, 450)
    assert all(cut_holds(frame, days) for days in cuts)
    plant(monkeypatch)
    assert not all(cut_holds(frame, days) for days in cuts)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_a_symbol_has_the_same_bytes_alone_and_among_others(seed: int, data) -> None:
    frame = random_market(seed, 6, 400)
    funds = ["SPY", "RSP", "XLK", "XLF", "RSPT", "SMH"]
    own = data.draw(st.lists(st.sampled_from([f"S{n:03}" for n in range(6)]), min_size=1))
    part = frame.filter(pl.col("symbol").is_in([*funds, *own]))
    mappings = known_mappings(mappings_for(frame), part)
    whole = add_weekly_features_to_daily(frame, mappings_frame(mappings))
    alone = add_weekly_features_to_daily(part, mappings_frame(mappings))
    assert alone.equals(whole.filter(pl.col("symbol").is_in([*funds, *own])))


@pytest.mark.parametrize("size", [1, 50, 10**9])
def test_the_block_that_is_worked_on_at_once_does_not_matter(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = MARKETS["edge symbols"]
    expected = add_weekly_features_to_daily(frame)
    monkeypatch.setattr("scripts.weekly.features.BLOCK", size)
    assert add_weekly_features_to_daily(frame).equals(expected)


def test_blocks_hold_whole_symbols() -> None:
    assert BLOCK > 1
    starts = np.array([0, 3, 4, 10, 12])
    assert list(blocks(starts, 4)) == [(0, 2), (2, 3), (3, 4)]
    assert list(blocks(starts, 1)) == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert list(blocks(starts, 99)) == [(0, 4)]
    assert list(blocks(np.array([0]), 4)) == []


def test_lags_shift_by_weekly_bars_before_the_join() -> None:
    days = [17, 18, 19, 20, 23, 24, 25, 26, 27, 30]  # Monday of 2023-01 ... two Fridays in it
    frame = pl.DataFrame(
        {
            "symbol": ["A"] * 10,
            "date": [f"2023-01-{day}" for day in days],
            "close": [1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        }
    ).with_columns(pl.col("date").str.to_date(), volume=1, kept=pl.col("close"))
    frame = frame.with_columns(open="close", high="close", low="close")
    got = add_weekly_features_to_daily(frame, lags=[1], lagged=["w_kept"])
    # The week to Friday 20th closes at 4, that to the 27th at 9; on Monday 30th the lag is 4.
    none = [None] * 3
    assert got["w_kept"].to_list() == [*none, 4, 4, 4, 4, 4, 9, 9]
    assert got["w_kept_lag1w"].to_list() == [*none, *[None] * 5, 4, 4]


def test_a_carried_column_may_not_take_the_place_of_a_feature() -> None:
    frame = random_market(8, 1, 60).with_columns(ma_20=pl.lit(1.5))
    with pytest.raises(DataError, match=r"^column ma_20 would take the place of the feature w_ma"):
        add_weekly_features_to_daily(frame)
    replaced = add_weekly_features_to_daily(frame, mode="parity")
    assert set(replaced["w_ma_20"].drop_nulls()) == {1.5}
    assert "w_pct_slope_ma_20" in replaced.columns


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"mode": "peer"}, "got 'peer', expected default or parity"),
        ({"visible_from": "now"}, "got 'now', expected same_day or next_day"),
        ({"lags": [1], "lagged": ["w_rte"]}, "no weekly column w_rte; did you mean w_ret"),
        ({"lags": [1]}, "lags are weekly bars from 1 on, lagged a list of columns: both or neith"),
        ({"lags": [0], "lagged": ["w_ret"]}, "lags are weekly bars from 1 on"),
        ({"lags": [1], "lagged": "w_ret"}, "lags are weekly bars from 1 on"),
        ({"stale_after": -1}, "stale_after: got -1, expected whole days from 0 on, or None"),
    ],
)
def test_an_unknown_word_is_an_error(how: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        add_weekly_features_to_daily(random_market(8, 1, 60), **how)


def test_a_carried_column_may_not_be_called_like_a_lag() -> None:
    frame = random_market(8, 1, 60).with_columns(ret_lag1w=pl.lit(7.0))
    with pytest.raises(DataError, match="column ret_lag1w would come out as the lag w_ret_lag1w"):
        add_weekly_features_to_daily(frame, lags=[1], lagged=["w_ret"])


def test_a_column_called_like_a_feature_is_an_error() -> None:
    frame = random_market(8, 1, 60).with_columns(w_ret=pl.lit("mine"))
    with pytest.raises(DataError, match="column w_ret of the input is one of the output"):
        add_weekly_features_to_daily(frame)

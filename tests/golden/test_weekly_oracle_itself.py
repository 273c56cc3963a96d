"""The oracle of the weekly features against closed forms and figures worked by hand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.oracles.weekly import FEATURES, daily_features, targets, weekly_bars, weekly_features
from tests.unit.weekly import weekly_frames

FRIDAY = date(2021, 1, 1)  # of bar 0
BLANK = {"sector_etf": None, "equal_weight_etf": None, "subsector_etf": None}
NAN = math.nan


def rows(symbol: str, closes: Iterable[float | None], first: date = FRIDAY, step: int = 7) -> list:
    """Rows every `step` days, each of one price."""
    return [
        {
            "symbol": symbol,
            "date": first + timedelta(step * i),
            **dict.fromkeys(("open", "high", "low", "close"), None if c is None else float(c)),
            "volume": 1.0,
        }
        for i, c in enumerate(closes)
    ]


def frame(*of: list) -> pl.DataFrame:
    """One frame of all rows."""
    return pl.DataFrame([row for some in of for row in some], infer_schema_length=None)


def features(closes: Sequence[float], mode: str = "default") -> dict[str, list]:
    """Feature -> values of one symbol with a bar a week."""
    return weekly_features(frame(rows("A", closes)), {}, mode=mode).to_dict(as_series=False)


def close_to(values: Any) -> Any:
    """The values within what 32 bits hold."""
    return pytest.approx(values, rel=1e-6, abs=1e-7)


def test_columns():
    out = weekly_features(frame(rows("A", [1, 2])), {}, mode="default")
    assert out.columns == ["symbol", "week_end", *FEATURES]
    assert len(FEATURES) == len(set(FEATURES)) == 53
    assert set(out.select(FEATURES).dtypes) == {pl.Float32}
    assert out.schema["week_end"] == pl.Date


def test_a_week_is_saturday_to_friday():
    days = [date(2021, 1, day) for day in (1, 2, 7, 8, 9)]  # Friday, Saturday, Thursday, ...
    given = pl.DataFrame(
        {
            "symbol": "A",
            "date": days,
            "open": [1.0, NAN, 3.0, 4.0, None],
            "high": [9.0, 7.0, NAN, 6.0, 5.0],
            "low": [1.0, None, 0.5, 2.0, 5.0],
            "close": [2.0, 3.0, 4.0, NAN, None],  # no bar for the last week
            "volume": [10.0, 20.0, None, 40.0, 50.0],
            "trades": [1, 2, None, None, 5],
            "note": ["a", "b", "c", "d", "e"],
        }
    )
    names = ("week_end", "open", "high", "low", "close", "volume", "price", "trades")
    expected = [
        (date(2021, 1, 1), 1.0, 9.0, 1.0, 2.0, 10.0, 2.0, 1),
        (date(2021, 1, 8), 3.0, 7.0, 0.5, 4.0, 60.0, 4.0, 2),
    ]
    assert weekly_bars(given)["A"] == [dict(zip(names, bar, strict=True)) for bar in expected]
    assert [bar["price"] for bar in weekly_bars(given, "open")["A"]] == [1.0, 4.0]


def test_returns_keep_infinities():
    out = features([1, math.e, 0, 0, 1])["w_ret"]
    assert out == [None, close_to(1.0), -math.inf, None, math.inf]


def test_constant_price():
    out = features([0.1] * 210)
    for name in ("w_rsi_14", "w_rsi_30", "w_trend_alignment", "w_pct_dist_ma_20_z"):
        assert set(out[name]) == {None}
    for name in ("w_macd_histogram", "w_macd_hist_deriv_ema3", "w_pct_slope_ma_200"):
        assert set(out[name]) == {None, 0.0}
    for name in ("w_pct_dist_ma_50", "w_min_pct_dist_ma", "w_relative_dist_20_50"):
        assert set(out[name]) == {None, 0.0}
    assert {out["w_ma_200"][-1], out["w_sma20"][9]} == {out["w_ma_20"][9]}


@pytest.mark.parametrize("p", [14, 30])
def test_rsi_of_a_zigzag(p: int):
    """Differences +1, -1, ...: the last of an even number has the weight 1, the one before q."""
    out = features([100 + i % 2 for i in range(p + 2)])[f"w_rsi_{p}"]
    q = 1 - 1 / p
    odd = sum(q**k for k in range(0, p + 1, 2)) / sum(q**k for k in range(p + 1))
    assert out == [None] * p + [close_to(100 * q / (1 + q)), close_to(100 * odd)]
    assert features(range(1, p + 2))[f"w_rsi_{p}"][-1] == 100
    assert features(range(p + 1, 0, -1))[f"w_rsi_{p}"][-1] == 0
    assert features(range(1, p + 1))[f"w_rsi_{p}"] == [None] * p


def test_macd_of_a_line_and_of_a_step():
    """On a line each EMA lags by (k-1)/2 from the start on: MACD 7, histogram 0."""
    line = features([5 + 3 * i for i in range(40)])
    assert line["w_macd_histogram"] == [None] * 33 + [pytest.approx(0, abs=1e-6)] * 7
    out = features([0.0] * 34 + [1.0, 1.0])
    a, b = 2 / 13, 2 / 27
    macd = [a - b, (a + a * (1 - a)) - (b + b * (1 - b))]
    signal = [0.2 * macd[0], 0.2 * macd[1] + 0.8 * 0.2 * macd[0]]
    first, second = macd[0] - signal[0], macd[1] - signal[1]
    assert out["w_macd_histogram"] == [None] * 33 + [0.0, close_to(first), close_to(second)]
    derivative = [close_to(first), close_to((second - first + first) / 2)]
    assert out["w_macd_hist_deriv_ema3"] == [None] * 34 + derivative
    assert set(features([1.0, 2.0] * 16 + [1.0])["w_macd_histogram"]) == {None}


def test_trend_of_a_rising_line():
    """c = i: the 20-week mean is i/2, then i - 9.5; its slope is there from bar 13, the 50's 28."""
    n = 32
    out = features(range(1, n + 1))
    assert out["w_ma_20"][8:11] == [None, 5.5, 6.0]
    assert out["w_ma_20"][-1] == 22.5
    assert out["w_pct_slope_ma_20"][12:14] == [None, close_to(7.5 / 5.5 - 1)]
    assert out["w_sign_ma_20"] == [0.0] * 13 + [1.0] * (n - 13)
    assert out["w_sign_ma_50"] == [0.0] * 28 + [1.0] * (n - 28)
    assert out["w_trend_score_granular"] == out["w_trend_score_sign"] == out["w_sign_ma_20"]
    assert out["w_trend_score_slope"] == [None] + [0.0] * 12 + [1.0] + [0.0] * (n - 14)
    persist = [1 - (9 / 11) ** (i - 12) for i in range(13, n)]
    assert out["w_trend_persist_ema"] == [0.0] * 13 + [close_to(v) for v in persist]
    assert out["w_trend_alignment"] == [None] * 13 + [1.0] * (n - 13)


def test_trend_where_the_means_disagree():
    out = features([*range(100, 160), *range(160, 140, -1)])
    signs = [out[f"w_sign_ma_{p}"][-1] for p in (20, 50, 100, 200)]
    assert signs == [-1, 1, 1, 0]
    assert out["w_trend_score_granular"][-1] == close_to(1 / 3)
    assert out["w_trend_score_sign"][-1] == 1
    assert out["w_trend_alignment"][-1] == close_to(2 / 3)


def test_distances():
    out = features([10.0] * 13 + [24.0] + [10.0] * 12)
    distances = [0.0] * 4 + [24 / 11 - 1]  # from bar 9; at bar 13 the mean is 11
    assert out["w_pct_dist_ma_20"][9:14] == close_to(distances)
    assert out["w_min_pct_dist_ma"][9:14] == close_to(distances)
    # Four zeros and one x: mean x/5, deviation 2x/5.
    assert out["w_pct_dist_ma_20_z"][:14] == [None] * 13 + [close_to(2.0)]
    relative = [(10 + 14 / 20) / (10 + 14 / n) - 1 for n in (25, 26)]
    assert out["w_relative_dist_20_50"] == [None] * 24 + [close_to(v) for v in relative]


def test_a_mean_of_zero():
    out = features([0.0] * 14 + [1.0] * 5)
    assert set(out["w_pct_dist_ma_20"][:14]) == {None}
    assert out["w_pct_dist_ma_20"][14] == close_to(14.0)
    assert out["w_pct_slope_ma_20"][13:15] == [None, math.inf]
    assert out["w_sign_ma_20"][13:15] == [0.0, 1.0]


@pytest.mark.parametrize("n", [19, 20])
def test_first_sma_depends_on_the_length_in_parity_only(n: int):
    parity, default = (features(range(n), mode)["w_sma20"] for mode in ("parity", "default"))
    assert default == [None] * 9 + [i / 2 for i in range(9, n)]
    assert parity == ([None] * 19 + [9.5] if n == 20 else default)


def strengths(given: pl.DataFrame, symbol: str, name: str, mode: str, **mapping: str) -> list[list]:
    """The three columns of one benchmark."""
    out = weekly_features(given, {symbol: BLANK | mapping}, mode=mode)
    columns = [f"w_rel_strength_{name}{ending}" for ending in ("", "_norm", "_slope4")]
    return [out.filter(pl.col("symbol") == symbol)[column].to_list() for column in columns]


def test_relative_strength_goes_by_date():
    """SPY is listed 3 weeks after A, without bar in week 5 and with a price of 0 in week 6."""
    spy = [1.0, 1.0, NAN, 0.0, *[1.0] * 8]
    given = frame(rows("A", range(1, 16)), rows("SPY", spy, FRIDAY + timedelta(21)))
    rs = [None] * 3 + [4.0, 5.0, None, None, *map(float, range(8, 16))]
    out = strengths(given, "A", "spy", "parity")
    assert out[0] == rs
    assert out[1][:10] == [None] * 9 + [close_to(10 / 7.2 - 1)]  # of the fifth rs: 4 5 8 9 10
    mean = (4 + 5 + 8 + 9 + 10 + 11 + 12 + 13 + 14) / 9
    assert out[1][13] == close_to(14 / mean - 1)
    assert out[2] == [None] * 7 + [1.0, 1.0, None, None] + [1.0] * 4
    # The tenth common week, the one of price 0 with them, is bar 13.
    default = strengths(given, "A", "spy", "default")
    assert default == [[None] * 13 + column[13:] for column in out]


@pytest.mark.parametrize(("common", "shown"), [(9, False), (10, True)])
def test_ten_weeks_in_common(common: int, shown: bool):
    given = frame(rows("A", [2.0] * 12), rows("X", [4.0] * common))
    for mode, first in (("parity", 0), ("default", 9)):
        out = strengths(given, "A", "sector", mode, sector_etf="X")[0]
        expected = [0.5 if shown and first <= i < common else None for i in range(12)]
        assert out == expected


@pytest.mark.parametrize("mode", ["parity", "default"])
def test_nobody_against_itself(mode: str):
    given = frame(*(rows(symbol, [2.0] * 10) for symbol in ("SPY", "RSP", "X")))
    same = [1.0] if mode == "parity" else [None]
    assert strengths(given, "RSP", "rsp", mode)[0][-1:] == same
    assert strengths(given, "X", "subsector", mode, subsector_etf="X")[0][-1:] == same
    assert strengths(given, "X", "sector", mode, sector_etf="NONE")[0][-1:] == [None]
    out = strengths(given, "SPY", "rsp", mode) + strengths(
        given, "SPY", "sector", mode, sector_etf="X"
    )
    assert {value for column in out for value in column} == {None}


def visible(given: pl.DataFrame, **options: Any) -> list:
    """The weekly close as the daily rows show it (the 'level' carried)."""
    with_level = given.with_columns(level=pl.col("close"))
    return daily_features(with_level, {}, **{"mode": "default"} | options)["w_level"].to_list()


def test_join():
    """Days from Thursday on; the second Friday is a holiday."""
    days = [date(2021, 1, day) for day in (7, 8, 11, 13, 14, 18)]
    given = frame(*(rows("A", [i], day) for i, day in enumerate(days)))
    assert visible(given) == [None, 1.0, 1.0, 1.0, 1.0, 4.0]
    assert visible(given, visible_from="next_day") == [None, None, 1.0, 1.0, 1.0, 4.0]
    assert visible(given, visible_from="next_day", mode="parity")[1] == 1.0


def test_staleness_counts_business_days_from_the_week_end():
    days = [date(2021, 1, 8), date(2021, 1, 22), date(2021, 1, 23), date(2021, 1, 25)]
    given = frame(rows("A", [7], days[0]), *(rows("A", [None], day) for day in days[1:]))
    assert visible(given) == [7.0, 7.0, 7.0, None]  # 10 on Friday and Saturday, 11 on Monday
    assert visible(given, stale_after=9) == [7.0, None, None, None]
    for options in ({"stale_after": None}, {"mode": "parity"}):
        assert visible(given, **options) == [7.0] * 4


def test_lags_count_weekly_bars():
    closes = [1.0, None, 2.0, 3.0]
    given = frame(rows("A", closes), rows("B", [5.0, 6.0])).with_columns(x=pl.col("close"))
    out = weekly_features(given, {}, mode="default", lags=(1, 2), lagged=("w_x",))
    assert out.columns[-3:] == ["w_x", "w_x_lag1w", "w_x_lag2w"]
    assert out["w_x"].to_list() == [1, 2, 3, 5, 6]
    assert out["w_x_lag1w"].to_list() == [None, 1, 2, None, 5]
    assert out["w_x_lag2w"].to_list() == [None, None, 1, None, None]


def test_other_column_named_like_a_feature():
    given = frame(rows("A", range(12))).with_columns(ma_20=7.0)
    out = weekly_features(given, {}, mode="parity")
    assert out.columns == ["symbol", "week_end", *FEATURES]
    assert set(out["w_ma_20"]) == {7.0}
    assert (out["w_sma20"][-1], out["w_pct_dist_ma_20"][-1]) == (5.5, 1.0)  # of the weekly mean
    with pytest.raises(ValueError, match="w_ma_20"):
        weekly_features(given, {}, mode="default")


def test_another_price():
    given = frame(rows("A", [10, 10, 10]), rows("SPY", [1] * 3)).with_columns(
        adj=pl.col("close") * pl.Series([1.0, NAN, 2.0, 1.0, 1.0, 1.0])
    )
    out = weekly_features(given, {}, mode="default", price="adj").filter(pl.col("symbol") == "A")
    assert out["week_end"].to_list() == [FRIDAY, FRIDAY + timedelta(14)]
    assert out["w_ret"].to_list() == [None, close_to(math.log(2))]


def trade(*last: tuple[float, float, float, float], price: float | None = None) -> list[dict]:
    """Targets of 15 bars 100, 101, 99, 100 (so that the ATR of bar 14 is 2), then some more."""
    bars = [(100.0, 101.0, 99.0, 100.0)] * 15 + list(last)
    columns = dict(zip(("open", "high", "low", "close"), zip(*bars, strict=True), strict=True))
    days = [FRIDAY + timedelta(i) for i in range(len(bars))]
    given = pl.DataFrame({"symbol": "A", "date": days, **columns, "volume": 1.0})
    if price is not None:
        given = given.with_columns(adj_close=pl.col("close") * price)
    return targets(given, "close" if price is None else "adj_close").to_dicts()


def test_target_above_and_uniqueness():
    out = trade((100, 103, 99, 100), (107, 108, 107, 107))
    assert [row["atr14"] for row in out[13:16]] == [None, 2, close_to((13 * 2 + 4) / 14)]
    first, second, third = out[14:]
    assert (first["upper"], first["lower"], first["target"], first["bars_held"]) == (106, 97, 1, 2)
    assert first["exit_date"] == second["exit_date"] == FRIDAY + timedelta(16)
    assert first["target_return"] == second["target_return"] == pytest.approx(0.07)
    assert (first["weight"], second["weight"]) == (0.75, 0.5)
    assert third["upper"] is not None
    assert third["target"] is third["weight"] is third["exit_date"] is None
    assert [row["horizon_complete"] for row in out] == [False] * 17
    assert out[13]["target"] is out[13]["upper"] is None


@pytest.mark.parametrize(
    ("bar", "target", "gain"),
    [
        ((100, 106, 99, 100), 1, 0.06),
        ((100, 101, 97, 100), -1, -0.03),
        ((100, 110, 90, 100), -1, -0.03),  # both: the stop counts
        ((95, 96, 94, 95), -1, -0.05),  # opens below it
    ],
)
def test_target_of_one_bar(bar: tuple, target: int, gain: float):
    out = trade(bar)[14]
    assert (out["target"], out["bars_held"], out["weight"]) == (target, 1, 1)
    assert out["target_return"] == pytest.approx(gain)
    scaled = trade(bar, price=0.5)[14]
    assert (scaled["atr14"], scaled["upper"], scaled["target"]) == (1, 53, target)
    assert scaled["target_return"] == pytest.approx(gain)


def test_target_without_touch():
    out = trade(*[(100.0, 101.0, 99.0, 100.0)] * 20, (100, 101, 99, 101))
    assert [row["target"] for row in out[13:18]] == [None, 0, 0, None, None]
    assert [row["horizon_complete"] for row in out[14:18]] == [True, True, False, False]
    assert (out[14]["bars_held"], out[14]["target_return"]) == (20, 0)
    assert out[15]["target_return"] == pytest.approx(0.01)
    # Spans of bars 15 to 34 and 16 to 35: 19 bars in common.
    assert out[14]["weight"] == out[15]["weight"] == pytest.approx((1 + 19 / 2) / 20)


def test_target_skips_rows_that_are_no_bar_and_prices_that_do_not_move():
    given = frame(rows("A", [100.0] * 40, step=1))
    assert targets(given)["target"].null_count() == 40
    assert targets(given)["atr14"].to_list() == [None] * 14 + [0.0] * 26
    with_holes = frame(rows("A", [100.0, None] * 20, step=1))
    out = targets(with_holes)
    assert out["atr14"].drop_nulls().len() == 6
    assert out["horizon_complete"].to_list() == [False, None] * 20


def test_edge_market_is_what_it_says():
    market = weekly_frames.edge_market()
    assert_frame_equal(market, weekly_frames.edge_market())
    bars = weekly_bars(market)
    for count in weekly_frames.BAR_COUNTS:
        assert len(bars[f"BARS_{count}"]) == count
    fridays = {symbol: {bar["week_end"] for bar in of} for symbol, of in bars.items()}
    assert len(fridays["COMMON_9"] & fridays["SPY"]) == 9
    assert len(fridays["COMMON_10"] & fridays["SPY"]) == 10
    assert min(fridays["BEFORE_SPY"]) < min(fridays["SPY"])
    assert fridays["SPY"] < fridays["SMH"]
    assert sum(bar["price"] == 0 for bar in bars["ZERO_BENCH"]) > 30
    giant = [bar["price"] for bar in bars["GIANT_FALLS"]]
    assert giant[0] > 5e8 and giant[-1] < 2e-3
    others = weekly_frames.with_others(market)
    assert [others.schema[n] for n in ("vwap", "trades", "note")] == [
        pl.Float64,
        pl.Int64,
        pl.String,
    ]

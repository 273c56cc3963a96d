"""Daily bars that cannot be used: one line that names the place, the value and the fix."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl
import pytest

from scripts.errors import DataError
from scripts.weekly.bars import resample
from scripts.weekly.notebook import add_weekly_features_to_daily
from scripts.weekly.panel import panel
from tests.unit.weekly.weekly_frames import random_market

FRAME = random_market(1, 2, 40)
ROW = FRAME[7]
PLACE = f"symbol {ROW['symbol'][0]}, date {ROW['date'][0]}"


def changed(**columns: object) -> pl.DataFrame:
    """The frame with columns replaced."""
    return FRAME.with_columns(**columns)


def at_row(value: object, name: str) -> pl.DataFrame:
    """The frame with one value replaced."""
    one = pl.int_range(pl.len()) == 7
    return FRAME.with_columns(pl.when(one).then(pl.lit(value)).otherwise(pl.col(name)).alias(name))


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (FRAME.drop("high"), "no column high; expected symbol, date, open, high, low, close, volu"),
        (FRAME.drop("high", "date"), "no column date, high; expected"),
        (FRAME.clear(), "no rows; expected daily bars"),
        (
            changed(close=pl.col("close").cast(pl.String)),
            "column close is String, expected numbers",
        ),
        (changed(volume=pl.lit("x")), "column volume is String, expected numbers; cast it"),
        (
            changed(date=pl.col("date").cast(pl.String)),
            "column date is String, expected dates; pars",
        ),
        (
            changed(date=pl.col("date").cast(pl.Datetime).dt.replace_time_zone("UTC")),
            "expected dates without zone; take the exchange's date",
        ),
        (
            changed(date=pl.col("date").cast(pl.Datetime) + pl.duration(hours=16)),
            "the date has a time of day; truncate it to days",
        ),
        (changed(symbol=pl.lit(7)), "column symbol is Int32, expected text; cast it"),
        (
            at_row(None, "date"),
            f"1 rows without date, first one of symbol {ROW['symbol'][0]}; give",
        ),
        (
            at_row(None, "symbol"),
            f"1 rows without symbol, first one of date {ROW['date'][0]}; give",
        ),
        (pl.concat([FRAME, ROW, ROW]), f"{PLACE}: two rows of one date; drop one .2 such rows"),
        (
            at_row(float("inf"), "close"),
            f"{PLACE}: close is inf, expected a finite number; correct",
        ),
        (at_row(float("-inf"), "low"), f"{PLACE}: low is -inf, expected a finite number"),
        (at_row(float("inf"), "volume"), f"{PLACE}: volume is inf"),
        (changed(symbol=pl.col("symbol") + " "), "symbol 'RSP ' is empty or has blanks around it"),
        (FRAME.head(30).with_columns(symbol=pl.lit("")), "symbol '' is empty"),
        (changed(adj_close=None), "symbol RSP: adj_close is null throughout; give it, or take"),
        (changed(week_end=1), "column week_end is one of the weekly bars; rename it"),
        (changed(w_ret=pl.lit("mine")), "column w_ret of the input is one of the output"),
    ],
)
def test_bad_input_is_one_clear_line(frame: pl.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=message) as found:
        panel(frame, "adj_close")
    assert "\n" not in str(found.value)


def test_an_infinite_adjusted_close_is_found_and_others_are_not_looked_at() -> None:
    frame = at_row(float("inf"), "open").with_columns(adj_close=pl.col("open"), open="close")
    with pytest.raises(DataError, match="adj_close is inf"):
        panel(frame, "adj_close")
    assert panel(frame, None).frame.height == FRAME.height


def test_other_types_of_the_same_values_give_the_same_features() -> None:
    rounded = FRAME.with_columns(pl.col("open", "high", "low", "close").round(2))
    expected = add_weekly_features_to_daily(rounded)
    features = [name for name in expected.columns if name.startswith("w_")]
    for kinds in (
        {"symbol": pl.Categorical, "volume": pl.Int64},
        {"date": pl.Datetime("ns"), "volume": pl.UInt32},
        {"close": pl.Decimal(12, 2), "open": pl.Decimal(12, 2)},
        dict.fromkeys(("open", "high", "low", "close"), pl.Decimal(12, 2)) | {"volume": pl.Int64},
        {"symbol": pl.Enum(sorted(set(FRAME["symbol"]), reverse=True))},
    ):
        typed = rounded.cast(kinds)
        got = add_weekly_features_to_daily(typed.reverse())
        assert got.select(features).equals(expected.select(features)), kinds
        assert got.select(FRAME.columns).schema == typed.schema


@pytest.mark.parametrize("name", ["adj_clse", "volume"])
def test_an_adjusted_close_that_is_none_is_an_error(name: str) -> None:
    with pytest.raises(DataError, match=f"weekly.adjusted_close: {name} is no other column; there"):
        panel(FRAME, name)


def test_columns_of_nulls_alone_are_taken() -> None:
    got = add_weekly_features_to_daily(changed(volume=None, open=None))
    assert got["w_ret"].null_count() < got.height
    assert add_weekly_features_to_daily(changed(close=None))["w_ret"].null_count() == got.height


@pytest.mark.parametrize("symbol", ["NA", "null", "../x", "a b", "Ünïcode", "nan", "{x}"])
def test_hostile_names_are_names(symbol: str) -> None:
    frame = FRAME.filter(pl.col("symbol") == "S000").with_columns(symbol=pl.lit(symbol))
    got = add_weekly_features_to_daily(pl.concat([FRAME, frame]))
    own = got.filter(pl.col("symbol") == symbol).drop("symbol")
    assert own.height == frame.height
    assert own.equals(got.filter(pl.col("symbol") == "S000").drop("symbol"))


def test_weeks_by_hand() -> None:
    rows = [  # a Wednesday to the Monday of the week after; Saturday is of the next week
        (date(2023, 1, 4), None, 9.0, 5.0, 6.0, 10),
        (date(2023, 1, 5), 6.0, 8.0, float("nan"), 7.0, None),
        (date(2023, 1, 6), 7.0, None, 4.0, None, 30),
        (date(2023, 1, 7), 1.0, 2.0, 0.5, 1.5, 1),
        (date(2023, 1, 9), 2.0, 3.0, 1.0, 2.5, 2),
        (date(2023, 1, 16), 3.0, 3.0, 3.0, None, 2),  # a week without a close is left out
        (date(2023, 1, 23), 4.0, 5.0, 4.0, 4.5, 3),
    ]
    frame = pl.DataFrame(
        rows, schema=["date", "open", "high", "low", "close", "volume"], orient="row"
    ).with_columns(symbol=pl.lit("A"), note=pl.lit("x"), score=pl.int_range(7))
    got = resample(panel(frame))
    assert got.to_dict(as_series=False) == {
        "symbol": ["A"] * 3,
        "week_end": [date(2023, 1, 6), date(2023, 1, 13), date(2023, 1, 27)],
        "open": [6.0, 1.0, 4.0],
        "high": [9.0, 3.0, 5.0],
        "low": [4.0, 0.5, 4.0],
        "close": [7.0, 2.5, 4.5],
        "volume": [40.0, 3.0, 3.0],
        "score": [2.0, 4.0, 6.0],
    }


def test_dates_before_1970_and_datetimes_at_midnight() -> None:
    old = FRAME.with_columns(pl.col("date").dt.offset_by("-80y"))
    assert old["date"].max() < date(1970, 1, 1)
    assert set(resample(panel(old))["week_end"].dt.weekday()) == {5}
    stamped = FRAME.with_columns(pl.col("date").cast(pl.Datetime("us")))
    assert panel(stamped).frame["date"][0] == datetime.combine(
        FRAME["date"].min(), datetime.min.time()
    )

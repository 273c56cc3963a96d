"""Fills against the market around them: by hand, and against loops that do one event at a time."""

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.research import execution

DAY = datetime(2025, 4, 14, 10)


def at(seconds: float) -> datetime:
    return DAY + timedelta(seconds=seconds)


def fills_of(*rows: tuple) -> pl.DataFrame:
    """(seconds after ten, sign, price, quantity, realized_pnl) -> fills."""
    columns = ["timestamp", "sign", "price", "quantity", "realized_pnl"]
    frame = pl.DataFrame([(at(t), *rest) for t, *rest in rows], schema=columns, orient="row")
    frame = frame.with_columns(
        pl.col("timestamp").cast(pl.Datetime("ns")),
        pl.col("price", "realized_pnl").cast(pl.Float64),
    )
    return frame.with_columns(position=(pl.col("sign") * pl.col("quantity")).cum_sum())


def events_of(*rows: tuple) -> pl.DataFrame:
    """(seconds after ten, type, price, volume) -> events."""
    columns = ["timestamp", "type", "price", "volume"]
    frame = pl.DataFrame([(at(t), *rest) for t, *rest in rows], schema=columns, orient="row")
    return frame.with_columns(
        pl.col("timestamp").cast(pl.Datetime("ns")), pl.col("price").cast(pl.Float64)
    )


def test_days_without_a_fill_count_as_zero():
    days = [date(2025, 4, 14), date(2025, 4, 15), date(2025, 4, 16)]
    fills = fills_of((0, 1, 10, 5, 0), (60, -1, 11, 5, 5), (2 * 86400, 1, 10, 1, -2))
    assert execution.daily_pnl(fills, days)["realized_pnl"].to_list() == [5, 0, -2]
    with pytest.raises(DataError, match="2025-04-16, expected trading days"):
        execution.daily_pnl(fills, days[:2])


def test_trading_days_are_those_with_a_trade():
    events = events_of((0, "BID", 1, 1), (86400, "TRADE", 1, 0), (2 * 86400, "TRADE", 0, 5))
    assert execution.trading_days(events) == [date(2025, 4, 15)]


def test_improvement_of_a_purchase_and_of_a_sale():
    at_print = fills_of((0, 1, 9.9, 100, 0), (5, -1, 10.3, 50, 0), (9, -1, 10.2, 50, 0))
    at_quote = fills_of((0, 1, 10.0, 100, 0), (5, -1, 10.2, 50, 0), (9, -1, 10.2, 50, 0))
    found = execution.price_improvement(at_print, at_quote)
    assert found["improvement"].to_list() == pytest.approx([0.1, 0.1, 0.0])
    assert found["gain"].to_list() == pytest.approx([10, 5, 0])


def test_other_fills_are_refused():
    one, other = fills_of((0, 1, 10, 100, 0)), fills_of((0, 1, 10, 90, 0))
    assert not execution.same_fills(one, other)
    with pytest.raises(DataError, match="1 and 1 fills differ"):
        execution.price_improvement(one, other)
    with pytest.raises(DataError, match="1 and 2 fills"):
        execution.price_improvement(one, fills_of((0, 1, 10, 100, 0), (1, 1, 10, 1, 0)))


def test_midpoints_follow_the_book():
    events = events_of(
        (-1, "BID", 1, 100),  # before continuous trading: not seen
        (0, "ASK", 11, 100),  # one side alone
        (1, "BID", 10, 100),
        (1, "BID", 10.5, 100),  # the last of its second counts
        (2, "ASK", 11, 0),  # the side is emptied
        (3, "ASK", 12, 100),
        (4, "TRADE", 50, 100),  # no quote
        (5, "BID", 13, 100),  # crossed
        (6, "BID", 11, 100),
        (86400, "ASK", 20, 1),  # next day: the book begins empty
        (86401, "BID", 19, 1),
    )
    found = execution.midpoints(events)
    seconds = [(t - DAY).total_seconds() for t in found["timestamp"]]
    assert seconds == [1, 3, 6, 86401]
    assert found["mid"].to_list() == [10.75, 11.25, 11.5, 19.5]
    assert found["half_spread"].to_list() == [0.25, 0.75, 0.5, 0.5]


def test_markouts_by_hand():
    mids = execution.midpoints(
        events_of((0, "BID", 9.9, 1), (0, "ASK", 10.1, 1), (10, "BID", 9.7, 1), (10, "ASK", 9.9, 1))
    )
    fills = fills_of((5, 1, 9.9, 100, 0), (10, -1, 10.1, 100, 0), (20000, -1, 10, 1, 0))
    found = execution.markouts(fills, mids, [4, 5, 16000])
    assert found.height == 2  # the third is after continuous trading
    assert found["earned"].to_list() == pytest.approx([0.1, 0.1])
    assert found["marked_4"].to_list() == pytest.approx([0.1, 0.3])
    assert found["marked_5"].to_list() == pytest.approx([-0.1, 0.3])
    assert found["marked_16000"].to_list() == pytest.approx([-0.1, 0.3])
    late = execution.markouts(fills, mids, [17100])
    assert late["marked_17100"].null_count() == 2


def test_the_middle_before_is_of_an_earlier_second():
    mids = execution.midpoints(events_of((5, "BID", 9, 1), (5, "ASK", 11, 1)))
    assert execution.markouts(fills_of((5, 1, 10, 1, 0)), mids, [1]).is_empty()


def test_horizons_are_of_a_second_or_more():
    mids = execution.midpoints(events_of((0, "BID", 9, 1), (0, "ASK", 11, 1)))
    with pytest.raises(DataError, match="seconds of 1 or more"):
        execution.markouts(fills_of((5, 1, 10, 1, 0)), mids, [0])


moment = st.tuples(
    st.integers(0, 40),
    st.sampled_from(["BID", "ASK"]),
    st.integers(90, 110),
    st.sampled_from([0, 1, 5]),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(moment, min_size=1, max_size=30), st.integers(0, 40), st.integers(1, 20))
def test_markouts_against_a_loop(quotes, when, horizon):
    quotes = sorted(quotes, key=lambda quote: quote[0])
    fills = fills_of((when, 1, 100.0, 1, 0))
    found = execution.markouts(fills, execution.midpoints(events_of(*quotes)), [horizon])
    before, after = (middle_until(quotes, t) for t in (when - 1, when + horizon))
    if before is None:
        assert found.is_empty()
    else:
        assert found["earned"].to_list() == [before - 100]
        assert found[f"marked_{horizon}"].to_list() == [after - 100]


def middle_until(quotes: list[tuple], second: int) -> float | None:
    """The last whole middle at the end of a second not after `second`."""
    book: dict[str, float | None] = {"BID": None, "ASK": None}
    last = None
    for number, (t, side, price, volume) in enumerate(quotes):
        if t > second:
            break
        book[side] = price if volume else None
        ends = number + 1 == len(quotes) or quotes[number + 1][0] != t
        if ends and None not in book.values() and book["BID"] < book["ASK"]:
            last = (book["BID"] + book["ASK"]) / 2
    return last


def test_sums_of_a_day_leave_unknown_markouts_out():
    marks = pl.DataFrame(
        {
            "date": [date(2025, 4, 14)] * 2 + [date(2025, 4, 15)],
            "quantity": [10, 20, 5],
            "mid": [100.0, 100.0, 10.0],
            "marked_1": [0.5, None, -1.0],
        }
    )
    found = execution.daily_sums(marks, "marked_1")
    assert found["gain"].to_list() == [5, -5]
    assert found["value"].to_list() == [1000, 50]


def test_exposure_by_hand():
    # 100 shares at 10 for an hour, 40 of them at 12 for another half, then flat
    fills = fills_of((0, 1, 10, 100, 0), (3600, -1, 12, 60, 0), (5400, -1, 12, 40, 0))
    found = execution.exposure(fills)
    session = (14 - 10) * 3600 + 55 * 60
    assert found["mean_value"] == pytest.approx((1000 * 3600 + 480 * 1800) / session)
    assert found["peak_value"] == 1000
    assert found["holding_min"] == pytest.approx((100 * 60 + 40 * 30) / 100)


def test_what_is_bought_after_positions_are_closed_is_held_no_time():
    # 14:58, later than FLAT: no time is left, and none is taken away from the morning's position
    fills = fills_of((0, 1, 10, 100, 0), (3600, -1, 10, 100, 0), (17880, 1, 10, 60, 0))
    found = execution.exposure(fills)
    session = (14 - 10) * 3600 + 55 * 60
    assert found["mean_value"] == pytest.approx(1000 * 3600 / session)
    assert found["holding_min"] == pytest.approx(100 * 60 / 130)


def test_exposure_of_nothing():
    assert set(execution.exposure(fills_of((0, 1, 1, 1, 0)).clear()).values()) == {None}


def test_fills_of_files_know_where_they_come_from(tmp_path):
    path = tmp_path / "parity/v1/base/ABC.csv"
    path.parent.mkdir(parents=True)
    path.write_text(
        "timestamp,side,fill_price,fill_qty,realized_pnl,position,pnl\n"
        "2025-04-14 10:00:31,buy,2.69,3922,0.0,3922,0.0\n"
    )
    row = execution.read_fills([path]).row(0, named=True)
    assert (row["mode"], row["strategy"], row["variant"], row["security"]) == (
        "parity", "v1", "base", "ABC",
    )  # fmt: skip
    assert row["position"] == 3922 and np.isclose(row["price"], 2.69)

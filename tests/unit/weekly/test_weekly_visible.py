"""From which row a week's bar is seen, and until when: against a calendar walked day by day."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.weekly.visible import Weeks, gather

FRIDAY = date(2023, 1, 6)


def first_and_last(visible_from: str, stale_after: int | None) -> tuple[date, date]:
    """First and last day on which the bar of FRIDAY is seen, of the 60 days around it."""
    days = pl.Series([FRIDAY + timedelta(n) for n in range(-20, 40)])
    weeks = Weeks(pl.Series(["A"]), pl.Series([FRIDAY]), visible_from, stale_after)
    seen = days.filter(weeks.seen(pl.Series(["A"] * 60), days).is_not_null())
    return seen.min(), seen.max()


def test_the_bar_of_a_friday_is_seen_that_day_or_the_next() -> None:
    assert first_and_last("same_day", None)[0] == FRIDAY
    assert first_and_last("next_day", None)[0] == FRIDAY + timedelta(1)


@pytest.mark.parametrize("limit", range(13))
def test_a_bar_is_stale_after_so_many_business_days(limit: int) -> None:
    day, business = FRIDAY, 0
    while business + ((day + timedelta(1)).weekday() < 5) <= limit:
        day += timedelta(1)
        business += day.weekday() < 5
    assert first_and_last("same_day", limit) == (FRIDAY, day)


def test_ten_business_days_by_hand() -> None:
    # From Friday the 6th: Monday 9th is the first, Friday 20th the tenth, then a weekend.
    assert first_and_last("same_day", 10)[1] == date(2023, 1, 22)


@given(data=st.data())
def test_each_row_sees_the_last_bar_of_its_own_symbol(data) -> None:
    names = ["A", "B", "C", "D"]
    offsets = st.lists(st.integers(0, 12), unique=True, max_size=6)
    bars = [(n, FRIDAY + timedelta(7 * w)) for n in names for w in sorted(data.draw(offsets))]
    days = st.lists(st.integers(-9, 99), unique=True, max_size=8)
    rows = [(n, FRIDAY + timedelta(d)) for n in names for d in sorted(data.draw(days))]
    bar_frame = pl.DataFrame(bars, schema={"symbol": pl.String, "date": pl.Date}, orient="row")
    row_frame = pl.DataFrame(rows, schema={"symbol": pl.String, "date": pl.Date}, orient="row")
    weeks = Weeks(bar_frame["symbol"], bar_frame["date"], "same_day", None)
    got = weeks.seen(row_frame["symbol"], row_frame["date"])
    expected = [
        max((k for k, (of, end) in enumerate(bars) if of == name and end <= day), default=None)
        for name, day in rows
    ]
    assert got.to_list() == expected
    values = pl.DataFrame({"x": range(len(bars))}, schema={"x": pl.Int64})
    assert gather(values, got)["x"].to_list() == expected

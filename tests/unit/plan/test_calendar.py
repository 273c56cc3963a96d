"""Sessions, closes and publication of the exchange; months, quarters and weeks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import exchange_calendars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.plan.calendar import (
    Calendar,
    days_between,
    monday_of,
    month_end,
    months_between,
    quarter_months,
    quarter_of,
    shift_month,
)

ROOT = Path(__file__).parents[3]
XNYS = Calendar(ROOT / "config/calendars/XNYS.csv")
MONTHS = st.dates(date(2003, 1, 1), date(2035, 12, 1)).map(lambda day: f"{day:%Y-%m}")


def test_sessions_and_closes_are_those_of_the_calendar_library() -> None:
    library = exchange_calendars.get_calendar("XNYS", start="2003-01-01", end="2035-12-31")
    closes = library.closes.dt.tz_convert("America/New_York")
    expected = {f"{day:%Y-%m-%d}": f"{close:%H:%M}" for day, close in closes.items()}
    assert {day: XNYS.close(day) for day in XNYS.sessions} == expected


def test_the_holiday_in_the_demo_is_no_session() -> None:
    days = XNYS.between("2025-08-25", "2025-09-08")
    assert len(days) == 10
    assert "2025-09-01" not in days
    with pytest.raises(DataError, match="2025-09-01 is no session"):
        XNYS.close("2025-09-01")


def test_bounds_are_included_and_years_without_calendar_are_an_error() -> None:
    assert XNYS.between("2025-09-05", "2025-09-05") == ["2025-09-05"]
    assert XNYS.between("2025-09-06", "2025-09-07") == []
    with pytest.raises(DataError, match="2036-01-02 is not between 2003-01-01 and 2035-12-31"):
        XNYS.between("2025-01-01", "2036-01-02")


@pytest.mark.parametrize(
    ("moment", "session"),
    [
        (datetime(2025, 9, 9, 15, 0, tzinfo=UTC), "2025-09-08"),  # 11:00 in New York
        (datetime(2025, 9, 9, 14, 59, tzinfo=UTC), "2025-09-05"),
        (datetime(2025, 9, 2, 15, 0, tzinfo=UTC), "2025-08-29"),  # the day after Labor Day
        (datetime(2025, 1, 3, 15, 59, tzinfo=UTC), "2024-12-31"),  # 10:59 in winter
        (datetime(2025, 1, 3, 16, 0, tzinfo=UTC), "2025-01-02"),
    ],
)
def test_a_session_is_published_at_eleven_the_next_day(moment: datetime, session: str) -> None:
    assert XNYS.published(moment) == session


def test_a_missing_calendar_names_the_file_and_the_fix(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv: no calendar .*make docs"):
        Calendar(tmp_path / "none.csv").between("2025-01-01", "2025-02-01")


@given(MONTHS, st.integers(-400, 400))
def test_shifting_a_month_there_and_back(month: str, by: int) -> None:
    assert shift_month(shift_month(month, by), -by) == month


@given(MONTHS)
def test_a_month_ends_the_day_before_the_next(month: str) -> None:
    last = month_end(month)
    assert f"{last:%Y-%m}" == month
    assert (last + timedelta(days=1)).day == 1


@given(MONTHS)
def test_a_month_is_one_of_its_quarters_three(month: str) -> None:
    assert month in quarter_months(quarter_of(month))


def test_worked_examples() -> None:
    assert quarter_of("2025-08") == "2025Q3"
    assert quarter_months("2025Q4") == ["2025-10", "2025-11", "2025-12"]
    assert list(months_between("2024-11-30", "2025-02-01")) == [
        "2024-11", "2024-12", "2025-01", "2025-02",
    ]  # fmt: skip
    assert list(days_between("2025-02-27", "2025-03-01")) == [
        "2025-02-27", "2025-02-28", "2025-03-01",
    ]  # fmt: skip
    assert monday_of("2025-09-07") == "2025-09-01"
    assert monday_of("2025-09-08") == "2025-09-08"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the header is not session,close"),
        ("session,close\n", "no session"),
        ("session,close\n2025-09-02,\n2025-09-02,\n", "line 3: '2025-09-02,' is no later session"),
        ("session,close\n2025-09-02,\n2025-09-0", "line 3: '2025-09-0' is no later session"),
        ("session,close\n2025-02-30,\n", "day is out of range"),
        ("session,close\n2025-09-02,1pm\n", "line 2: '1pm' is no early close"),
        ("session,close\n2025-09-02,16:00\n", "line 2: '16:00' is no early close"),
        ('session,close\n"2025-09-02,\n', "unexpected end of data"),
    ],
)
def test_a_damaged_calendar_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "XNYS.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        _ = Calendar(tmp_path / "XNYS.csv").sessions
    assert f"XNYS.csv: no calendar ({message}" in str(caught.value)
    assert str(caught.value).endswith("run `make docs`")

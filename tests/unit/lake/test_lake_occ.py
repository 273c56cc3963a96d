"""Option symbols: what parses, what does not, and that a slow reader agrees."""

from __future__ import annotations

import calendar
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.lake.occ import parse

NONE = (None, None, None, None)
UPPER, DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"


def parts(symbol: str | None) -> tuple:
    """The parts of one symbol."""
    return parse(pl.Series([symbol], dtype=pl.String)).row(0)


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("O:AAPL250117C00150000", ("AAPL", date(2025, 1, 17), "call", 150.0)),
        ("O:AAPL1250117C00150000", ("AAPL1", date(2025, 1, 17), "call", 150.0)),  # adjusted
        ("O:BRK.B250117P00412500", ("BRK.B", date(2025, 1, 17), "put", 412.5)),
        ("O:F240229P00000001", ("F", date(2024, 2, 29), "put", 0.001)),
        ("O:NA990101C99999999", ("NA", date(2099, 1, 1), "call", 99999.999)),
        ("O:A0250117250117C00150000", ("A0250117", date(2025, 1, 17), "call", 150.0)),
    ],
)
def test_a_symbol_is_taken_apart(symbol: str, expected: tuple) -> None:
    assert parts(symbol) == expected


@pytest.mark.parametrize(
    "symbol",
    [
        *("", "O:", "AAPL", "AAPL250117C00150000", "o:AAPL250117C00150000", None),
        *("O:aapl250117C00150000", "O:AApL250117C00150000", "O:AAPL250117c00150000"),
        *("O:AAPL250230C00150000", "O:AAPL230229C00150000", "O:AAPL251301C00150000"),
        *("O:AAPL250100C00150000", "O:AAPL250431C00150000", "O:AAPL250000C00150000"),
        *("O:250117C00150000", "O:1AAPL250117C00150000", "O:.A250117C00150000"),
        *("O:AAPL250117X00150000", "O:AAPL250117C0015000", "O:AAPL250117C001500000 "),
        *("O:AAPL250117C00150000 ", " O:AAPL250117C00150000", "O:AAPL250117C00150000\n"),
        *("O:AAPL25017C00150000", "O:AAPL 250117C00150000", "O:AAPL\uff1250117C00150000"),
        "I:SPX",
    ],
)
def test_what_is_not_a_symbol_gives_no_part(symbol: str | None) -> None:
    assert parts(symbol) == NONE


def slowly(symbol: str) -> tuple:
    """The parts, letter by letter."""
    root, tail = symbol[2:-15], symbol[-15:]
    day, side, strike = tail[:6], tail[6:7], tail[7:]
    if not symbol.startswith("O:") or len(symbol) < 18 or side not in ("C", "P"):
        return NONE
    if any(char not in DIGITS for char in day + strike):
        return NONE
    if root[0] not in UPPER or any(char not in UPPER + DIGITS + "." for char in root):
        return NONE
    year, month, number = 2000 + int(day[:2]), int(day[2:4]), int(day[4:])
    if not 1 <= month <= 12 or not 1 <= number <= calendar.monthrange(year, month)[1]:
        return NONE
    kind = {"C": "call", "P": "put"}[side]
    return root, date(year, month, number), kind, float(f"{strike[:5]}.{strike[5:]}")


symbols = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["O:", "O:", "O:", "O", ""]),
        st.text(UPPER + DIGITS + ".a ", max_size=4),
        st.text(DIGITS, min_size=2, max_size=2),
        st.integers(0, 13).map("{:02}".format),
        st.integers(0, 32).map("{:02}".format),
        st.sampled_from("CPcX"),
        st.integers(0, 10**8).map("{:08}".format),
    ),
)


@given(st.lists(symbols, min_size=1))
def test_parts_are_those_of_a_slow_reader(several: list[str]) -> None:
    assert parse(pl.Series(several)).rows() == [slowly(symbol) for symbol in several]


def test_parts_have_their_types_even_of_nothing() -> None:
    assert parse(pl.Series([], dtype=pl.String)).schema == {
        "underlying": pl.String,
        "expiration": pl.Date,
        "contract_type": pl.String,
        "strike": pl.Float64,
    }

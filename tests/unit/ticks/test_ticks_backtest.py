"""The trades CSV: header, order, floats, times, names, line ends."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.ticks import closing, engine
from scripts.ticks.backtest import TRADE_TYPES, backtest, clock_text, write_counts, write_trades
from scripts.ticks.events import Events

NOON = np.datetime64("2025-04-14T12:00:00", "ns").astype(np.int64)
MM_HEADER = "timestamp,side,fill_price,fill_qty,realized_pnl,position,pnl"
CLOSING_HEADER = "timestamp,side,price,quantity,realized_pnl,trade_type,vwap_reference,security"


def mm_fill(price: float = 4.0, pnl: float = 0.0, stamp: int = NOON, side: int = 1) -> np.ndarray:
    return np.array([(stamp, side, price, 5, pnl, 5, pnl)], engine.FILLS)


def closing_fill(kind: int = closing.VWAP_EXIT, reference: float = 4.0) -> np.ndarray:
    return np.array([(NOON, -1, 4.0, 5, 0.0, kind, reference, -5)], closing.FILLS)


def written(fills: np.ndarray, tmp_path: Path, security: str = "X") -> str:
    write_trades(fills, security, tmp_path / "trades.csv")
    return (tmp_path / "trades.csv").read_bytes().decode()


def test_a_quoting_fill_is_one_row_of_seven_cells(tmp_path: Path) -> None:
    fills = np.concatenate([mm_fill(), mm_fill(side=-1, pnl=-1.25)])
    assert written(fills, tmp_path) == (
        f"{MM_HEADER}\n2025-04-14 12:00:00,buy,4.0,5,0.0,5,0.0\n"
        "2025-04-14 12:00:00,sell,4.0,5,-1.25,5,-1.25\n"
    )


@pytest.mark.parametrize(("kind", "name"), list(enumerate(TRADE_TYPES)))
def test_a_closing_fill_names_its_kind_reference_and_security(tmp_path, kind, name) -> None:
    assert written(closing_fill(kind, 4.125), tmp_path, "MODON") == (
        f"{CLOSING_HEADER}\n2025-04-14 12:00:00,sell,4.0,5,0.0,{name},4.125,MODON\n"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-05, "1e-05"),
        (0.0001, "0.0001"),
        (1e16, "1e+16"),
        (1e15, "1000000000000000.0"),
        (-0.0, "-0.0"),
        (16.740000000000002, "16.740000000000002"),
        (0.1 + 0.2, "0.30000000000000004"),
        (5e-324, "5e-324"),
    ],
)
def test_a_float_is_written_as_pythons_shortest_repr(tmp_path, value: float, text: str) -> None:
    row = written(mm_fill(price=value, pnl=value), tmp_path).splitlines()[1].split(",")
    assert (row[2], row[4], row[6]) == (text, text, text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_float_reads_back_bit_for_bit(tmp_path_factory, value: float) -> None:
    text = written(mm_fill(price=value), tmp_path_factory.mktemp("csv"))
    assert float(text.splitlines()[1].split(",")[2]).hex() == value.hex()


@pytest.mark.parametrize("security", ["A,B", 'THE "BIG" ONE', "NA", "DÜNN", "TWO WORDS"])
def test_a_security_reads_back_whatever_its_name(tmp_path: Path, security: str) -> None:
    text = written(closing_fill(), tmp_path, security)
    assert [row["security"] for row in csv.DictReader(text.splitlines())] == [security]


@pytest.mark.parametrize("fills", [mm_fill(), closing_fill()])
def test_lines_end_with_lf_alone(tmp_path: Path, fills: np.ndarray) -> None:
    text = written(fills, tmp_path)
    assert "\r" not in text
    assert text.endswith("\n")


@pytest.mark.parametrize(
    ("fills", "header"), [(mm_fill(), MM_HEADER), (closing_fill(), CLOSING_HEADER)]
)
def test_without_fills_there_is_the_header_alone(tmp_path: Path, fills, header: str) -> None:
    assert written(fills[:0], tmp_path) == f"{header}\n"


def test_milliseconds_are_written_for_all_rows_when_one_has_them() -> None:
    stamps = np.array([NOON, NOON + 7_000_000])
    assert clock_text(stamps) == ["2025-04-14 12:00:00.000", "2025-04-14 12:00:00.007"]


def test_counts_are_json_with_a_last_line_end(tmp_path: Path) -> None:
    write_counts({"trades": 2, "unrealized_pnl": -0.5}, tmp_path / "counts.json")
    text = (tmp_path / "counts.json").read_text()
    assert json.loads(text) == {"trades": 2, "unrealized_pnl": -0.5}
    assert text.endswith("}\n")


def test_an_unknown_strategy_is_an_import_error() -> None:
    with pytest.raises(ModuleNotFoundError, match="v9_unheard_of"):
        backtest("v9_unheard_of", Events.of([], [], [], []), {})

"""Enriched minutes and session bars, against a loop over the rows and against hand-made days."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from scripts import tables
from scripts.lake.bars import STOCKS
from scripts.lake.build_stocks_minute import COLUMNS, SESSIONS, build, enrich, to_sessions
from tests.bench import market
from tests.unit.lake.flatfiles import DAY, stamp

NEW_YORK = ZoneInfo("America/New_York")
ONE = {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 100.0, "transactions": 5}


def bars(*rows: dict, day: str = DAY) -> pl.DataFrame:
    """Bronze minutes: each row's clock, and what differs from `ONE`; symbol A unless given."""
    lines = [{"symbol": "A", **ONE, "date": date.fromisoformat(day), **row} for row in rows]
    frame = pl.DataFrame(
        [{**line, "timestamp": stamp(line["clock"], day)} for line in lines]
    ).select(pl.col(name).cast(column.dtype) for name, column in STOCKS.items())
    return frame.sort("symbol", "timestamp")


def loop(frame: pl.DataFrame, close: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Minutes and session bars, row by row."""
    minutes, days = [], {}
    for row in frame.iter_rows(named=True):
        clock = row["timestamp"].astimezone(NEW_YORK).strftime("%H:%M")
        o, h, low, c, v, n = (row[name] for name in ONE)
        typical = (h + low + c) / 3
        regular = "09:30" <= clock < close
        day = days.setdefault(row["symbol"], {"rows": [], "value": 0.0, "traded": 0.0})
        if regular:
            day["value"] += typical * v
            day["traded"] += v
        vwap = day["value"] / day["traded"] if day["traded"] else None
        day["rows"].append(row)
        day["vwap"] = vwap
        new = {
            "minute_return": (c - o) / o if o else None,
            "spread": (h - low) / c if c else None,
            "typical_price": typical,
            "avg_trade_size": v / n if n else None,
            "session_vwap": vwap if regular else None,
            "is_premarket": "04:00" <= clock < "09:30",
            "is_regular": regular,
            "is_postmarket": close <= clock < "20:00",
        }
        minutes.append({**row, **new})
    sessions = [
        {
            "symbol": symbol,
            "open": day["rows"][0]["open"],
            "high": max(row["high"] for row in day["rows"]),
            "low": min(row["low"] for row in day["rows"]),
            "close": day["rows"][-1]["close"],
            "volume": sum(row["volume"] for row in day["rows"]),
            "transactions": sum(row["transactions"] for row in day["rows"]),
            "vwap": day["vwap"],
            "date": day["rows"][0]["date"],
        }
        for symbol, day in days.items()
    ]
    return tuple(
        pl.DataFrame(rows, schema=tables.schema_of(columns))
        for rows, columns in ((minutes, COLUMNS), (sessions, SESSIONS))
    )


def check(frame: pl.DataFrame, day: str, close: str) -> None:
    """Compare with the loop: exactly, but for sums of volume, which add up in another order."""
    minutes, sessions = loop(frame, close)
    found = enrich(frame, day, close)
    assert_frame_equal(found, minutes, check_exact=True)
    assert_frame_equal(to_sessions(found), sessions, rel_tol=1e-14, abs_tol=0)


def test_a_minute_by_hand() -> None:
    bar = {"clock": "09:30", "open": 8.0, "high": 12.0, "low": 6.0, "close": 9.0}
    row = enrich(bars({**bar, "volume": 50.5, "transactions": 2}), DAY, "16:00").row(0, named=True)
    assert {name: row[name] for name in list(COLUMNS)[len(STOCKS) :]} == {
        "minute_return": 0.125,
        "spread": 6 / 9,
        "typical_price": 9.0,
        "avg_trade_size": 25.25,
        "session_vwap": 9.0,
        "is_premarket": False,
        "is_regular": True,
        "is_postmarket": False,
    }


def test_the_vwap_runs_over_the_regular_session_of_each_symbol() -> None:
    def at(symbol: str, clock: str, price: float, volume: float) -> dict:
        prices = dict.fromkeys(("open", "high", "low", "close"), price)
        return {"symbol": symbol, "clock": clock, **prices, "volume": volume}

    frame = bars(
        at("A", "09:29", 99, 9),
        at("A", "09:30", 10, 1),
        at("A", "15:59", 20, 3),
        at("A", "16:00", 99, 9),
        at("B", "09:30", 50, 0),
        at("B", "09:31", 40, 2),
        at("C", "08:00", 7, 5),
        at("D", "10:00", 7, 0),
    )
    minutes = enrich(frame, DAY, "16:00")
    assert minutes["session_vwap"].to_list() == [None, 10, 17.5, None, None, 40, None, None]
    found = to_sessions(minutes)
    assert found.select("symbol", "open", "close", "volume", "vwap").rows() == [
        *(("A", 99, 99, 22, 17.5), ("B", 50, 40, 2, 40), ("C", 7, 7, 5, None), ("D", 7, 7, 0, None))
    ]


@pytest.mark.parametrize("day", ["2025-03-07", "2025-03-10", "2025-10-31", "2025-11-03"])
@pytest.mark.parametrize("close", ["16:00", "13:00"])
def test_sessions_follow_the_clock_of_new_york(day: str, close: str) -> None:
    before = (datetime.fromisoformat(f"{day}T{close}") - timedelta(minutes=1)).strftime("%H:%M")
    clocks = ["00:00", "03:59", "04:00", "09:29", "09:30", before, close, "19:59", "20:00", "23:59"]
    found = enrich(bars(*({"clock": clock} for clock in clocks), day=day), day, close)
    flags = found.select("is_premarket", "is_regular", "is_postmarket").rows()
    none, pre, regular, post = (tuple(n == k for k in range(3)) for n in (3, 0, 1, 2))
    assert flags == [none, none, pre, pre, regular, regular, post, post, none, none]


def test_what_cannot_be_divided_is_null() -> None:
    zero = bars({"clock": "10:00", "open": 0, "low": 0, "close": 0, "volume": 0, "transactions": 0})
    columns = ["minute_return", "spread", "avg_trade_size", "session_vwap"]
    assert enrich(zero, DAY, "16:00").select(columns).row(0) == (None,) * 4


minutes_of = st.builds(
    lambda symbol, minute, low, rises, volume, transactions: {
        "symbol": symbol,
        "clock": f"{minute // 60:02}:{minute % 60:02}",
        "low": low,
        "open": low + rises[0],
        "close": low + rises[1],
        "high": low + sum(rises),
        "volume": volume,
        "transactions": transactions,
    },
    st.sampled_from(["A", "NA", "ABRpD", "ABRPD", "null"]),
    st.integers(180, 1300),
    st.floats(0, 1e4),
    st.tuples(st.floats(0, 10), st.floats(0, 10)),
    st.one_of(st.integers(0, 10**10), st.floats(0, 1e6)),
    st.integers(0, 2**32 - 1),
)


def key(row: dict) -> tuple[str, str]:
    """What no two rows of a day have in common."""
    return row["symbol"], row["clock"]


@given(
    st.lists(minutes_of, min_size=1, max_size=30, unique_by=key),
    st.sampled_from([("2025-09-25", "16:00"), ("2025-11-28", "13:00"), ("2025-03-10", "16:00")]),
)
def test_any_day_is_what_a_loop_makes_of_it(rows: list[dict], session: tuple[str, str]) -> None:
    day, close = session
    check(bars(*rows, day=day), day, close)


def test_a_made_up_day_is_what_a_loop_makes_of_it() -> None:
    made = market.stocks_minute(date.fromisoformat(DAY), rows=3000, count=60)
    named = made.rename({"ticker": "symbol", "window_start": "timestamp"})
    frame = named.with_columns(date=pl.lit(date.fromisoformat(DAY))).select(
        pl.col(name).cast(column.dtype) for name, column in STOCKS.items()
    )
    check(frame.sort("symbol", "timestamp"), DAY, "16:00")


def built(tmp_path: Path, frame: pl.DataFrame, universe: str | None = None):
    """Gold and session bars of a bronze frame, by the job's function."""
    frame.write_parquet(tmp_path / "bars")
    files = []
    if universe is not None:
        files = [tmp_path / "universe.csv"]
        files[0].write_text(universe)
    paths = {"out": tmp_path / "gold", "sessions": tmp_path / "sessions"}
    build(bars=tmp_path / "bars", universe=files, date=DAY, close="16:00", **paths)
    return pl.read_parquet(paths["out"]), pl.read_parquet(paths["sessions"])


THREE = bars(*({"symbol": name, "clock": "10:00"} for name in ("A", "NA", "null")))


@pytest.mark.parametrize(
    ("universe", "kept"),
    [
        (None, ["A", "NA", "null"]),
        ("symbol\nNA\nnull\nZZ\n", ["NA", "null"]),
        ("\ufeffname,symbol\nx,NA\n", ["NA"]),
        ('symbol\n"A"\n\n', ["A"]),
        ("symbol\na\n", []),
    ],
)
def test_gold_keeps_the_universe_and_silver_the_market(
    tmp_path: Path, universe: str | None, kept: list[str]
) -> None:
    gold, sessions = built(tmp_path, THREE, universe)
    assert gold["symbol"].to_list() == kept
    assert sessions["symbol"].to_list() == ["A", "NA", "null"]


@pytest.mark.parametrize("universe", [None, "symbol\nnobody\n"])
@pytest.mark.parametrize("clock", ["10:00", "05:00"])
def test_the_files_have_one_schema(tmp_path: Path, universe: str | None, clock: str) -> None:
    gold, sessions = built(tmp_path, bars({"clock": clock}), universe)
    assert list(gold.schema.items()) == list(tables.schema_of(COLUMNS).items())
    assert list(sessions.schema.items()) == list(tables.schema_of(SESSIONS).items())

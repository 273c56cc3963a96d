"""Four kinds of events in one schema, each with an id of its own."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from scripts import tables
from scripts.errors import DataError
from scripts.lake.build_corporate_actions import COLUMNS, SELECT, build, identify

TEXT, DAY, NUMBER = pl.String, pl.Date, pl.Float64
BRONZE = {
    "dividend": {
        "id": TEXT,
        "ticker": TEXT,
        "cash_amount": NUMBER,
        "currency": TEXT,
        "dividend_type": TEXT,
        "declaration_date": DAY,
        "ex_dividend_date": DAY,
        "pay_date": DAY,
        "record_date": DAY,
        "frequency": pl.Int32,
        "month": TEXT,
    },
    "split": {
        "id": TEXT,
        "ticker": TEXT,
        "execution_date": DAY,
        "split_from": NUMBER,
        "split_to": NUMBER,
        "month": TEXT,
    },
    "ipo": {
        "ticker": TEXT,
        "listing_date": DAY,
        "issuer_name": TEXT,
        "announced_date": DAY,
        "ipo_status": TEXT,
        "primary_exchange": TEXT,
        "final_issue_price": NUMBER,
        "max_shares_offered": NUMBER,
        "month": TEXT,
    },
    "ticker_change": {
        "ticker": TEXT,
        "name": TEXT,
        "event_type": TEXT,
        "date": DAY,
        "old_ticker": TEXT,
        "new_ticker": TEXT,
        "month": TEXT,
    },
}
MAY, JUNE = date(2025, 5, 5), date(2025, 6, 6)


def built(event_type: str, folder: Path, *months: Sequence[dict]) -> pl.DataFrame:
    """The silver table from the records of some months."""
    schema, files = BRONZE[event_type], []
    for number, rows in enumerate(months):
        path = folder / f"{number}.parquet"
        tables.write(pl.DataFrame([dict.fromkeys(schema) | r for r in rows], schema), path)
        files.append(path)
    out = folder / "out" / "part.parquet"
    assert build(files=files, event_type=event_type, out=out) == pl.read_parquet(out).height
    return pl.read_parquet(out)


def filled(frame: pl.DataFrame, row: int = 0) -> dict:
    """The columns of a row that hold something."""
    return {n: v for n, v in frame.row(row, named=True).items() if v is not None}


def test_a_dividend(tmp_path: Path) -> None:
    record = {
        "id": "D1",
        "ticker": "NA",
        "cash_amount": 0.25,
        "currency": "USD",
        "dividend_type": "CD",
        "declaration_date": date(2025, 4, 1),
        "ex_dividend_date": MAY,
        "pay_date": JUNE,
        "record_date": date(2025, 5, 6),
        "frequency": 4,
    }
    kept = {name: v for name, v in record.items() if name != "ex_dividend_date"}
    frame = built("dividend", tmp_path, [record])
    assert filled(frame) == kept | {
        "event_type": "dividend",
        "event_date": MAY,
        "annualised_amount": 1.0,
        "is_special": False,
    }


@pytest.mark.parametrize(
    ("frequency", "annual", "special"),
    [
        (12, 6.0, False),
        (4, 2.0, False),
        (2, 1.0, False),
        (1, 0.5, False),
        (0, None, True),
        (24, None, False),
        (None, None, None),
    ],
)
def test_only_regular_dividends_are_annualised(
    frequency: int | None, annual: float | None, special: bool | None, tmp_path: Path
) -> None:
    record = {"id": "D", "ticker": "A", "cash_amount": 0.5, "ex_dividend_date": MAY}
    row = built("dividend", tmp_path, [record | {"frequency": frequency}]).row(0, named=True)
    assert (row["annualised_amount"], row["is_special"]) == (annual, special)


@pytest.mark.parametrize(
    ("before", "after", "ratio", "reverse"),
    [(1, 4, 4.0, False), (10, 1, 0.1, True), (3, 3, 1.0, False), (0, 1, None, None)],
)
def test_a_split(
    before: float, after: float, ratio: float | None, reverse: bool | None, tmp_path: Path
) -> None:
    record = {"id": "S", "ticker": "nan", "execution_date": MAY}
    row = built("split", tmp_path, [record | {"split_from": before, "split_to": after}])
    expected = {"split_ratio": ratio, "is_reverse": reverse} if ratio else {}
    assert filled(row) == expected | {
        "event_type": "split",
        "ticker": "nan",
        "id": "S",
        "event_date": MAY,
        "split_from": before,
        "split_to": after,
    }


def test_an_ipo(tmp_path: Path) -> None:
    record = {
        "ticker": "NULL",
        "listing_date": MAY,
        "issuer_name": "Null plc",
        "announced_date": date(2025, 1, 1),
        "ipo_status": "history",
        "primary_exchange": "XNAS",
        "final_issue_price": 17.0,
        "max_shares_offered": 5e6,
    }
    assert filled(built("ipo", tmp_path, [record])) == {
        "event_type": "ipo",
        "ticker": "NULL",
        "id": "NULL_2025-05-05",
        "event_date": MAY,
        "issuer_name": "Null plc",
        "ipo_status": "history",
        "exchange": "XNAS",
        "issue_price": 17.0,
        "max_shares": 5e6,
    }


def test_a_ticker_change_is_one_however_it_was_asked_for(tmp_path: Path) -> None:
    change = {
        "event_type": "ticker_change",
        "date": JUNE,
        "old_ticker": "FB",
        "new_ticker": "META",
    }
    first = change | {"date": MAY, "old_ticker": None, "new_ticker": "FB", "ticker": "META"}
    other = change | {"event_type": "rebranding", "ticker": "META", "date": MAY}
    asked = [change | {"ticker": "META"}, change | {"ticker": "FB"}]
    frame = built("ticker_change", tmp_path, [first, other], asked)
    assert frame.height == 1
    assert filled(frame) == {
        "event_type": "ticker_change",
        "ticker": "FB",
        "id": "FB_2025-06-06",
        "event_date": JUNE,
        "new_ticker": "META",
    }


def test_events_without_an_id_are_all_kept_and_told_apart(tmp_path: Path) -> None:
    record = {"ticker": "NA", "ex_dividend_date": MAY, "currency": "USD"}
    rows = [record | {"cash_amount": cash} for cash in (0.3, 0.1, 0.3, 0.2)]
    frame = built("dividend", tmp_path, rows[:2], rows[2:])
    assert frame.select("id", "cash_amount").rows() == [
        ("NA_2025-05-05", 0.1),
        ("NA_2025-05-05_2", 0.2),
        ("NA_2025-05-05_3", 0.3),
    ]


def test_of_two_events_with_one_id_the_later_month_is_kept(tmp_path: Path) -> None:
    record = {"id": "D1", "ticker": "NA", "cash_amount": 1.0}
    months = [[record | {"ex_dividend_date": MAY}], [record | {"ex_dividend_date": JUNE}]]
    assert built("dividend", tmp_path, *months)["event_date"].to_list() == [JUNE]


@pytest.mark.parametrize("event_type", SELECT)
def test_all_types_have_one_schema_even_without_events(event_type: str, tmp_path: Path) -> None:
    schema = tables.schema_of(COLUMNS)
    assert built(event_type, tmp_path).schema == schema
    assert built(event_type, tmp_path, []).schema == schema


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(DataError, match=r"merger.*dividend, ipo, split, ticker_change"):
        build(files=[], event_type="merger", out=Path("never"))


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(["NA", "a"]), st.sampled_from([MAY, JUNE]), st.integers(0, 3)),
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_ids_are_unique_and_order_does_not_matter(
    events: list[tuple[str, date, int]], order: random.Random
) -> None:
    def frame(rows: list[tuple[str, date, int]]) -> pl.DataFrame:
        records = [
            dict.fromkeys(COLUMNS)
            | {"ticker": t, "event_date": d, "cash_amount": float(c)}
            | {"id": f"{t}{d}{c}" if c > 1 else None}
            for t, d, c in rows
        ]
        return identify(pl.DataFrame(records, schema=tables.schema_of(COLUMNS)))

    found = frame(events)
    assert found["id"].is_unique().all()
    assert set(found.select("ticker", "event_date", "cash_amount").rows()) == {
        (t, d, float(c)) for t, d, c in events
    }
    assert found.rows() == sorted(found.rows(), key=lambda row: (row[1], row[0], row[2]))
    assert_frame_equal(frame(order.sample(events, len(events))), found)


def test_a_split_told_under_two_ids_is_one(tmp_path: Path) -> None:
    split = {"ticker": "X", "execution_date": MAY, "split_from": 1.0, "split_to": 4.0}
    twice = [{**split, "id": "b"}, {**split, "id": "a"}, {**split, "id": None}]
    assert built("split", tmp_path, twice)["id"].to_list() == ["a"]
    other = [{**split, "id": "a"}, {**split, "id": "b", "split_to": 2.0}]
    assert built("split", tmp_path, other).height == 2

"""Both sources in one table: units, periods, and what superseded what."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from scripts import tables
from scripts.lake import build_calculated_ratios as ours
from scripts.lake.build_financial_ratios import COLUMNS, OWN, PERCENT, SAME, VENDOR, build
from scripts.lake.statements import KEY, PERIOD
from tests.unit.lake.statement_frames import key

FIRST = date(2025, 1, 10)


def quarter(day: date) -> str:
    """The calendar quarter of a day."""
    return f"{day.year}Q{(day.month + 2) // 3}"


def lay(rows: Sequence[dict], columns: tables.Columns, place: str, folder: Path) -> list[Path]:
    """Rows as partitions in `folder`, one for each value of `place`."""
    frame = pl.DataFrame([dict.fromkeys(columns) | row for row in rows], tables.schema_of(columns))
    paths = []
    for name in sorted({row[place] for row in rows}):
        path = folder / f"{place}={name}" / "part.parquet"
        tables.write(frame.filter(pl.col(place) == name), path)
        paths.append(path)
    return paths


def built(
    calculated: Sequence[dict], vendor: Sequence[dict], folder: Path, *quarters: str
) -> pl.DataFrame:
    """The table of some quarters (default: all), from records of both sources."""
    calculated = [row | {"quarter": quarter(row["filing_date"])} for row in calculated]
    vendor = [row | {"month": f"{row['date']:%Y-%m}"} for row in vendor]
    months = VENDOR | {"month": tables.Column(pl.String, "")}
    ours_paths = lay(calculated, ours.COLUMNS, "quarter", folder / "calculated")
    theirs = lay(vendor, months, "month", folder / "vendor")
    days = [row["filing_date"] for row in calculated] + [row["date"] for row in vendor]
    parts = [pl.DataFrame(schema=tables.schema_of(COLUMNS))]
    for name in quarters or sorted(set(map(quarter, days))):
        out = folder / "out" / f"{name}.parquet"
        later = [path for path in theirs if months_after(path, name)]
        build(calculated=ours_paths, vendor=later, quarter=name, out=out)
        parts.append(pl.read_parquet(out))
        assert set(parts[-1]["quarter"]) <= {name}
    return pl.concat(parts)


def months_after(path: Path, name: str) -> bool:
    """Whether a month's partition is of the quarter or later, as the rule gives them."""
    month = date.fromisoformat(path.parent.name.removeprefix("month=") + "-01")
    return quarter(month) >= name


def test_an_amendment_supersedes_across_quarters_and_stays(tmp_path: Path) -> None:
    filed = [date(2025, 5, 1), date(2025, 6, 1), date(2025, 8, 1)]
    rows = [key(2025, "Q1", day) | {"roa": float(n)} for n, day in enumerate(filed)]
    frame = built(rows, [], tmp_path)
    assert frame.select("filing_date", "roa", "superseded", "superseded_on", "quarter").rows() == [
        (filed[0], 0.0, True, filed[1], "2025Q2"),
        (filed[1], 1.0, True, filed[2], "2025Q2"),
        (filed[2], 2.0, False, None, "2025Q3"),
    ]
    assert set(frame["source"]) == {"calculated"}
    assert frame.schema == tables.schema_of(COLUMNS)


def test_the_vendors_figures_take_our_names_and_units(tmp_path: Path) -> None:
    names = [*SAME, *PERCENT, *OWN]
    values = {name: float(number) for number, name in enumerate(names, start=1)}
    values |= {"return_on_assets": 0.3075, "return_on_equity": 1.5284}
    frame = built([], [{"ticker": "NA", "date": date(2025, 9, 5), **values}], tmp_path)
    row = frame.row(0, named=True)
    assert (row["ticker"], row["source"], row["filing_date"]) == ("NA", "vendor", date(2025, 9, 5))
    assert (row["roa_ttm"], row["roe_ttm"]) == (100 * 0.3075, 100 * 1.5284)
    assert row["current_ratio"] == values["current"]
    assert row["cash_ratio"] == values["cash"]
    assert row["free_cash_flow_ttm"] == values["free_cash_flow"]
    assert row["roa"] is None  # the vendor's is of four quarters, this one of the period alone
    filled = {name for name in COLUMNS if row[name] is not None}
    assert len(filled) == len(names) + len(("ticker", "filing_date", "source", "superseded")) + 1


def test_a_vendors_row_belongs_to_the_last_filing_on_or_before_its_day(tmp_path: Path) -> None:
    filings = [
        key(2024, "Q4", date(2025, 2, 20)) | {"end_date": date(2024, 12, 31)},
        key(2024, "FY", date(2025, 2, 20)) | {"end_date": date(2024, 12, 31)},
        key(2025, "Q1", date(2025, 5, 1)) | {"end_date": date(2025, 3, 31)},
        key(2025, "Q1", date(2025, 2, 1), ticker="na"),
    ]
    days = [date(2025, 2, 19), date(2025, 2, 20), date(2025, 4, 30), date(2025, 5, 1)]
    frame = built(filings, [{"ticker": "NA", "date": day} for day in days], tmp_path)
    found = frame.filter(source="vendor").sort("filing_date")
    assert found.select("fiscal_year", "fiscal_period", "timeframe", "superseded_on").rows() == [
        (None, None, None, None),
        (2024, "Q4", "quarterly", days[2]),  # in the next quarter
        (2024, "Q4", "quarterly", None),
        (2025, "Q1", "quarterly", None),
    ]


def test_a_period_that_comes_back_much_later_is_found(tmp_path: Path) -> None:
    first, late = date(2025, 2, 1), date(2025, 11, 1)
    filings = [
        key(2024, "Q4", date(2025, 1, 20)),
        key(2025, "Q1", date(2025, 4, 20)),
        key(2024, "Q4", date(2025, 10, 20)),  # an amendment: the vendor's next row is of Q4 again
    ]
    vendor = [{"ticker": "NA", "date": day} for day in (first, date(2025, 5, 2), late)]
    frame = built(filings, vendor, tmp_path).filter(source="vendor").sort("filing_date")
    assert frame["superseded_on"].to_list() == [late, None, None]


def test_no_input_gives_an_empty_partition_of_the_same_schema(tmp_path: Path) -> None:
    out = tmp_path / "part.parquet"
    assert build(calculated=[], vendor=[], quarter="2025Q2", out=out) == 0
    assert pl.read_parquet_schema(out) == tables.schema_of(COLUMNS)


DAYS = st.integers(0, 8).map(lambda n: FIRST + timedelta(days=55 * n))
TICKERS = st.sampled_from(["NA", "nan"])
CALCULATED = st.lists(
    st.builds(
        lambda ticker, period, day, roa: key(2025, period, day, ticker) | {"roa": roa},
        TICKERS,
        st.sampled_from(["Q1", "Q2", "FY"]),
        DAYS,
        st.none() | st.just(2.0),
    ),
    unique_by=lambda row: tuple(row[name] for name in KEY),
    max_size=20,
)
VENDORS = st.lists(
    st.builds(lambda ticker, day: {"ticker": ticker, "date": day, "price": 3.0}, TICKERS, DAYS),
    unique_by=lambda row: (row["ticker"], row["date"]),
    max_size=12,
)


def slow(calculated: Sequence[dict], vendor: Sequence[dict]) -> set[tuple]:
    """Oracle: (period, day, source, superseded_on) of every row, by search through all of them."""
    rows = [(*(row[name] for name in KEY), "calculated") for row in calculated]
    for row in vendor:
        known = [
            (f["filing_date"], f["fiscal_year"], f["fiscal_period"], f["timeframe"])
            for f in calculated
            if f["ticker"] == row["ticker"] and f["filing_date"] <= row["date"]
        ]
        period = max(known, default=(None,) * 4)[1:]
        rows.append((row["ticker"], *period, row["date"], "vendor"))
    found = set()
    for row in rows:
        later = [r[4] for r in rows if (*r[:4], r[5]) == (*row[:4], row[5]) and r[4] > row[4]]
        found.add((*row, min(later, default=None)))
    return found


@settings(max_examples=30)
@given(CALCULATED, VENDORS)
def test_history_equals_a_search_over_all_quarters(
    calculated: list[dict], vendor: list[dict]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        frame = built(calculated, vendor, Path(folder))
    rows = frame.select(*KEY, "source", "superseded_on").rows()
    assert len(rows) == len(calculated) + len(vendor)
    assert set(rows) == slow(calculated, vendor)
    group = [*PERIOD, "source"]
    current = frame.group_by(group).agg((~pl.col("superseded")).sum().alias("n"))
    assert set(current["n"]) <= {1}
    assert (frame["superseded"] == frame["superseded_on"].is_not_null()).all()


@settings(max_examples=20)
@given(CALCULATED, VENDORS)
def test_later_rows_change_only_what_looks_ahead_and_order_nothing(
    calculated: list[dict], vendor: list[dict]
) -> None:
    last = FIRST + timedelta(days=200)
    with tempfile.TemporaryDirectory() as folder:
        whole = built(calculated, vendor, Path(folder, "whole"))
        early = built(
            [row for row in calculated if row["filing_date"] <= last],
            [row for row in vendor if row["date"] <= last],
            Path(folder, "early"),
        )
        mixed = built(
            random.Random(2).sample(calculated, len(calculated)),
            random.Random(2).sample(vendor, len(vendor)),
            Path(folder, "mixed"),
        )
    assert_frame_equal(mixed, whole)
    ahead = ["superseded", "superseded_on"]
    assert_frame_equal(early.drop(ahead), whole.filter(pl.col("filing_date") <= last).drop(ahead))

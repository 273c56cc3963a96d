"""Gold daily bars of stocks, against a loop over each symbol and against hand-made cases."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from scripts import tables
from scripts.errors import DataError
from scripts.lake import build_adjustments, build_financial_ratios
from scripts.lake.adjust import adjust
from scripts.lake.build_daily_bars import STOCKS_DAILY
from scripts.lake.build_stocks_daily import (
    COLUMNS,
    FILINGS,
    FUNDAMENTALS,
    RATIOS,
    STALE_DAYS,
    build,
    known_filings,
    relevant,
    with_fundamentals,
)
from scripts.lake.build_stocks_minute import SESSIONS
from tests.unit.lake.daily_bars import (
    MONTHS,
    bar,
    bars,
    frame,
    slow_shape,
    slow_windows,
    write_months,
)

MONTH = MONTHS[-1]
SYMBOLS = ["A", "AA", "Aa", "NA", "NULL", "NaN", "None", "ZZZ", "a", "nan", "null"]
PRICES = ("open", "high", "low", "close", "volume")
FACTORS = ("split_factor", "total_return_factor")
WEEKLY = ["symbol", "date", *PRICES, *(f"adj_{name}" for name in PRICES), *FACTORS]
AUGUST = date(2025, 8, 1)


def events(*rows: tuple) -> pl.DataFrame:
    """Adjustments: symbol, date, split_factor, total_return_factor."""
    schema = tables.schema_of(build_adjustments.COLUMNS)
    return pl.DataFrame(list(rows), schema=schema, orient="row").sort("symbol", "date")


def filing(ticker: str, day: date, margin: float = 1.0, **other: object) -> dict:
    """A row of financial_ratios, calculated and quarterly unless `other` says so."""
    return {
        "ticker": ticker,
        "fiscal_year": 2025,
        "fiscal_period": "Q1",
        "timeframe": "quarterly",
        "filing_date": day,
        "source": "calculated",
        "gross_margin": margin,
        **other,
    }


def ratios(rows: Sequence[dict]) -> pl.DataFrame:
    """Silver financial_ratios of these rows."""
    return pl.DataFrame(list(rows), schema=tables.schema_of(build_financial_ratios.COLUMNS))


class Lake:
    """Files of a small lake, and a build of its gold."""

    def __init__(self, folder: Path, rows: Sequence[dict]) -> None:
        self.folder = folder
        self.bars = write_months(rows, STOCKS_DAILY, folder / "bars")
        self.adjustments(events())
        self.fundamentals: list[Path] = []
        self.session_bars: list[Path] = []
        self.universe: list[Path] = []

    def adjustments(self, rows: pl.DataFrame) -> None:
        tables.write(rows, self.folder / "adjustments.parquet")

    def write_fundamentals(self, *quarters: Sequence[dict]) -> None:
        self.fundamentals = [self.folder / f"{n}.parquet" for n in range(len(quarters))]
        for path, rows in zip(self.fundamentals, quarters, strict=True):
            tables.write(ratios(rows), path)

    def write_sessions(self, vwaps: dict[tuple[str, date], float | None]) -> None:
        for day in sorted({day for _, day in vwaps}):
            rows = [{"symbol": s, "date": d, "vwap": v} for (s, d), v in vwaps.items() if d == day]
            path = self.folder / f"date={day}" / "part.parquet"
            tables.write(pl.DataFrame(rows, schema=tables.schema_of(SESSIONS)).sort("symbol"), path)
            self.session_bars.append(path)

    def write_universe(self, *lines: str) -> None:
        self.universe = [self.folder / "universe.csv"]
        self.universe[0].write_text("\n".join(["symbol", *lines]) + "\n")

    def build(self, month: str = MONTH) -> pl.DataFrame:
        out = self.folder / "gold" / f"month={month}" / "part.parquet"
        last = [path.parent.name for path in self.bars].index(f"month={month}")
        report = build(
            bars=self.bars[max(0, last - 2) : last + 1],
            adjustments=self.folder / "adjustments.parquet",
            session_bars=self.session_bars,
            fundamentals=self.fundamentals,
            universe=self.universe,
            month=month,
            out=out,
        )
        found = pl.read_parquet(out, hive_partitioning=False)
        assert report == {"rows": found.height}
        return found


def factors_of(symbol: str, day: date, adjustments: pl.DataFrame) -> tuple[float, float]:
    """The factors of the first event after `day`, else 1."""
    later = [row for row in adjustments.iter_rows() if row[0] == symbol and row[1] > day]
    return later[0][2:] if later else (1.0, 1.0)


def quarter(row: dict) -> tuple:
    """The fiscal quarter of a filing."""
    return row["fiscal_year"], row["fiscal_period"]


def filing_of(symbol: str, day: date, rows: Sequence[dict]) -> dict:
    """The fundamentals columns of one bar, by looking at every filing in the order of time."""
    known = [
        row
        for row in rows
        if (row["ticker"], row["source"], row["timeframe"]) == (symbol, "calculated", "quarterly")
        and row["filing_date"] <= day
    ]
    last: dict = {}
    for row in sorted(known, key=lambda row: (row["filing_date"], *quarter(row))):
        if not last or quarter(row) >= quarter(last):
            last = row
    if last and last["filing_date"] < day - timedelta(STALE_DAYS):
        last = {}
    found = {name: last.get(name) for name in FUNDAMENTALS}
    return {**found, "fundamental_filing_date": last.get("filing_date")}


def loop(
    rows: Sequence[dict], adjustments: pl.DataFrame, vwaps: dict, filings: Sequence[dict]
) -> pl.DataFrame:
    """Gold of all months, bar by bar."""
    found = []
    for symbol in sorted({row["symbol"] for row in rows}):
        own = sorted((r for r in rows if r["symbol"] == symbol), key=lambda r: r["date"])
        factors = [factors_of(symbol, row["date"], adjustments) for row in own]
        closes = [row["close"] * split for row, (split, _) in zip(own, factors, strict=True)]
        volumes = [row["volume"] / split for row, (split, _) in zip(own, factors, strict=True)]
        windows = slow_windows([row["date"] for row in own], closes, volumes, (1, 5, 20))
        for row, (split, total), window in zip(own, factors, windows, strict=True):
            found.append({
                **row,
                **{f"adj_{n}": row[n] * split for n in ("open", "high", "low", "close")},
                "adj_volume": row["volume"] / split,
                "split_factor": split,
                "total_return_factor": total,
                **window,
                "alpha_daily": None if window["returns_1d"] is None else -window["returns_1d"],
                **slow_shape(row),
                "vwap": vwaps.get((symbol, row["date"])),
                **filing_of(symbol, row["date"], filings),
            })  # fmt: skip
    return pl.DataFrame(found, schema=tables.schema_of(COLUMNS)).sort("symbol", "date")


def random_events(seed: int) -> pl.DataFrame:
    rng, rows = random.Random(seed), []
    for symbol in SYMBOLS[1:]:
        days = rng.sample(range(120), rng.randrange(1, 6))
        for day in days:
            split = rng.choice([0.1, 0.25, 0.5, 1.0, 1.5, 3.0])
            rows.append((symbol, date(2025, 5, 20) + timedelta(day), split, split * rng.random()))
    return events(*rows)


def random_filings(seed: int) -> list[dict]:
    rng = random.Random(seed)
    return [
        filing(
            rng.choice(SYMBOLS),
            date(2024, 5, 1) + timedelta(rng.randrange(480)),
            margin=rng.random(),
            fiscal_year=rng.choice([2023, 2024, 2025]),
            fiscal_period=f"Q{rng.randrange(1, 5)}",
            timeframe=rng.choice(["quarterly", "quarterly", "annual", "ttm"]),
            source=rng.choice(["calculated", "calculated", "vendor"]),
            superseded=rng.choice([True, False]),
            **{name: rng.random() for name in list(RATIOS)[1:]},
        )
        for _ in range(60)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_gold_equals_a_loop_over_each_symbol(seed: int, tmp_path: Path) -> None:
    rows, adjustments = bars("symbol", SYMBOLS, seed), random_events(seed)
    filings, rng = random_filings(seed), random.Random(seed)
    vwaps = {
        (row["symbol"], row["date"]): rng.choice([None, rng.random()])
        for row in rows
        if row["month"] == MONTH and rng.random() < 0.8
    }
    lake = Lake(tmp_path, rows)
    lake.adjustments(adjustments)
    lake.write_fundamentals(filings[:20], filings[20:])
    lake.write_sessions(vwaps)
    expected = loop(rows, adjustments, vwaps, filings).filter(pl.col("month") == MONTH)
    found = lake.build()
    assert expected["split_factor"].n_unique() > 3
    for name in ("returns_20d", "volatility_20d", "vwap", "gross_margin"):
        assert 0 < found[name].null_count() < found.height
    assert_frame_equal(found, expected, rel_tol=1e-10, abs_tol=1e-12)


def test_the_columns_are_those_declared_and_those_weekly_reads(tmp_path: Path) -> None:
    found = Lake(tmp_path, [bar("symbol", "A", AUGUST, 1.0)]).build()
    assert list(found.schema.items()) == list(tables.schema_of(COLUMNS).items())
    assert set(WEEKLY) <= set(found.columns)
    floats = found.select(WEEKLY[2:]).dtypes
    assert set(floats) == {pl.Float64}
    assert all(column.meaning for column in COLUMNS.values())


def test_returns_cross_every_border_of_months(tmp_path: Path) -> None:
    rows = [bar("symbol", s, d, p) for s in ("A", "NA") for d, p in
            ((date(2025, 6, 30), 10.0), (date(2025, 7, 1), 11.0), (date(2025, 7, 31), 12.0),
             (AUGUST, 15.0))]  # fmt: skip
    lake = Lake(tmp_path, rows)
    found = pl.concat([lake.build(month) for month in MONTHS]).sort("symbol", "date")
    steps = [None, math.log(1.1), math.log(12 / 11), math.log(1.25)]
    assert found["returns_1d"].to_list() == pytest.approx(steps * 2)
    alpha = [None if step is None else -step for step in steps]
    assert found["alpha_daily"].to_list() == pytest.approx(alpha * 2)


def test_a_split_moves_no_return(tmp_path: Path) -> None:
    rows = [bar("symbol", "A", date(2025, 7, 31), 100.0, volume=10.0),
            bar("symbol", "A", AUGUST, 25.0, volume=40.0),
            bar("symbol", "A", date(2025, 8, 4), 50.0, volume=44.0)]  # fmt: skip
    lake = Lake(tmp_path, rows)
    split, dividend = (AUGUST, 0.125, 0.1), (date(2025, 8, 4), 0.5, 0.4)
    lake.adjustments(events(("A", *split), ("A", *dividend), ("a", AUGUST, 9.0, 9.0)))
    july, first, second = pl.concat([lake.build("2025-07"), lake.build()]).iter_rows(named=True)
    assert (july["adj_close"], july["adj_volume"], july["split_factor"]) == (12.5, 80, 0.125)
    assert (first["adj_close"], first["adj_volume"], first["total_return_factor"]) == (
        12.5,
        80,
        0.4,
    )
    assert (first["close"], first["adj_high"], first["adj_low"]) == (25, 13, 6.25)
    assert (second["adj_close"], second["split_factor"]) == (50, 1)
    assert (first["returns_1d"], second["returns_1d"]) == (0, math.log(4))
    assert first["price_range"] == 13.5  # raw


days = st.dates(date(2025, 7, 1), date(2025, 8, 31))
event_rows = st.dictionaries(
    st.tuples(st.sampled_from(["A", "NA", "a"]), st.dates(date(2025, 5, 1), date(2026, 5, 1))),
    st.floats(0.1, 9),
    max_size=20,
).map(lambda found: events(*((*key, value, value / 2) for key, value in found.items())))


@given(event_rows, st.lists(days, min_size=1, max_size=20))
def test_the_relevant_events_give_the_factors_of_all(adjustments: pl.DataFrame, on: list) -> None:
    rows = pl.DataFrame({"symbol": ["A", "NA", "a", "B"]}).join(
        pl.DataFrame({"date": on}), how="cross"
    )
    few = relevant(adjustments, rows["date"])
    assert few.height <= adjustments.height
    assert_frame_equal(adjust(rows, few), adjust(rows, adjustments), check_exact=True)


def test_factors_of_other_symbols_and_years_are_left_aside() -> None:
    future = events(*(("A", date(2026, month, 1), 0.5**month, 0.5) for month in range(1, 9)))
    assert relevant(future, pl.Series([AUGUST])).rows() == future.rows()[:1]


# Fundamentals


def fundamentals(rows: Sequence[dict], *bar_days: tuple[str, date]) -> pl.DataFrame:
    """What is known of each symbol and day."""
    bars_of = pl.DataFrame(
        sorted(bar_days), schema={"symbol": pl.String, "date": pl.Date}, orient="row"
    )
    return with_fundamentals(bars_of, known_filings(ratios(rows).lazy().select(*FILINGS)))


def margins(rows: Sequence[dict], *on: date) -> list[float | None]:
    return fundamentals(rows, *(("A", day) for day in on))["gross_margin"].to_list()


def test_a_filing_is_known_from_its_day_on_and_for_400_days() -> None:
    day = date(2024, 3, 1)
    ages = [-1, 0, 1, STALE_DAYS, STALE_DAYS + 1]
    found = margins([filing("A", day, 5.0)], *(day + timedelta(age) for age in ages))
    assert found == [None, 5, 5, 5, None]


def test_the_filing_date_goes_along() -> None:
    row = fundamentals([filing("A", date(2025, 5, 6), 5.0)], ("A", AUGUST)).row(0, named=True)
    assert row["fundamental_filing_date"] == date(2025, 5, 6)
    assert (row["fiscal_year"], row["fiscal_period"]) == (2025, "Q1")


def test_of_two_quarters_filed_on_one_day_the_later_counts() -> None:
    day = date(2025, 5, 6)
    rows = [
        filing("A", day, 1.0, fiscal_year=2024, fiscal_period="Q4"),
        filing("A", day, 2.0, fiscal_year=2025, fiscal_period="Q2"),
        filing("A", day, 3.0, fiscal_year=2025, fiscal_period="Q1"),
    ]
    assert margins(rows, AUGUST) == margins(rows[::-1], AUGUST) == [2.0]


def test_an_amended_older_quarter_does_not_replace_the_latest() -> None:
    rows = [
        filing("A", date(2025, 5, 6), 1.0, fiscal_year=2025, fiscal_period="Q1"),
        filing("A", date(2025, 6, 6), 9.0, fiscal_year=2024, fiscal_period="Q4"),
        filing("A", date(2025, 7, 7), 2.0, fiscal_year=2025, fiscal_period="Q1"),
    ]
    days = (date(2025, 6, 5), date(2025, 6, 6), date(2025, 7, 7))
    assert margins(rows, *days) == [1.0, 1.0, 2.0]


def test_a_superseded_filing_stays_what_was_known_before_the_next() -> None:
    rows = [
        filing("A", date(2025, 5, 6), 1.0, superseded=True, superseded_on=AUGUST),
        filing("A", AUGUST, 2.0, superseded=False),
    ]
    assert margins(rows, date(2025, 7, 31), AUGUST) == [1, 2]


@pytest.mark.parametrize("other", [{"source": "vendor"}, {"timeframe": "annual"}])
def test_only_our_own_ratios_of_quarters_are_joined(other: dict) -> None:
    rows = [filing("A", date(2025, 5, 6), 1.0), filing("A", date(2025, 6, 6), 2.0, **other)]
    assert margins(rows, AUGUST) == [1.0]
    assert margins(rows[1:], AUGUST) == [None]


def test_tickers_of_filings_are_text_in_their_case() -> None:
    rows = [filing("NA", date(2025, 5, 6), 1.0), filing("na", date(2025, 5, 6), 2.0)]
    found = fundamentals(rows, ("NA", AUGUST), ("Na", AUGUST), ("na", AUGUST))
    assert found["gross_margin"].to_list() == [1, None, 2]


filings_of = st.lists(
    st.builds(
        lambda ticker, day, year, period, margin: filing(
            ticker, day, margin, fiscal_year=year, fiscal_period=f"Q{period}"
        ),
        st.sampled_from(["A", "NA"]),
        st.dates(date(2024, 1, 1), date(2025, 8, 31)),
        st.integers(2023, 2025),
        st.integers(1, 4),
        st.floats(-9, 9),
    ),
    max_size=12,
    unique_by=lambda row: tuple(list(row.values())[:5]),  # ticker, period, filing_date
)  # fmt: skip


@given(filings_of, st.dates(date(2024, 1, 1), date(2025, 8, 31)))
def test_what_is_filed_later_changes_no_earlier_row(rows: list[dict], today: date) -> None:
    on = [("A", today - timedelta(age)) for age in (0, 1, 30, 200, 399, 400, 500)]
    on += [("NA", day) for _, day in on]
    known = [row for row in rows if row["filing_date"] <= today]
    found = fundamentals(rows, *on)
    assert_frame_equal(found, fundamentals(known, *on), check_exact=True)
    expected = [filing_of(symbol, day, rows)["gross_margin"] for symbol, day in sorted(on)]
    assert found["gross_margin"].to_list() == expected


# Inputs


def test_the_universe_keeps_its_symbols_as_they_are_written(tmp_path: Path) -> None:
    lake = Lake(tmp_path, bars("symbol", SYMBOLS, 5))
    everything = lake.build()
    lake.write_universe("NA", "null", "a", "XYZ")
    kept = everything.filter(pl.col("symbol").is_in(["NA", "a", "null"]))
    assert kept["symbol"].n_unique() == 3
    assert_frame_equal(lake.build(), kept, check_exact=True)


def test_a_universe_without_symbols_is_refused(tmp_path: Path) -> None:
    lake = Lake(tmp_path, [bar("symbol", "A", AUGUST, 1.0)])
    lake.write_universe()
    with pytest.raises(DataError, match=r"universe\.csv: lake\.universe names no symbol"):
        lake.build()


def test_a_month_alone_has_no_look_back_and_needs_no_other_table(tmp_path: Path) -> None:
    lake = Lake(tmp_path, bars("symbol", SYMBOLS, 2))
    lake.bars = lake.bars[-1:]
    found = lake.build()
    firsts = found.filter(pl.col("date") == pl.col("date").min().over("symbol"))
    assert firsts["returns_1d"].null_count() == firsts.height
    assert found["returns_1d"].null_count() < found.height
    assert found["vwap"].null_count() == found["gross_margin"].null_count() == found.height
    assert found["split_factor"].unique().to_list() == [1.0]


def test_the_vwap_is_that_of_the_same_symbol_and_day(tmp_path: Path) -> None:
    days = (AUGUST, date(2025, 8, 4))
    lake = Lake(tmp_path, [bar("symbol", s, day, 5.0) for s in ("A", "NA", "a") for day in days])
    lake.write_sessions({("A", AUGUST): 1.0, ("NA", days[1]): 2.0, ("B", AUGUST): 3.0})
    assert lake.build()["vwap"].to_list() == [1, None, None, 2, None, None]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    lake = Lake(tmp_path, bars("symbol", SYMBOLS, 3))
    lake.write_fundamentals(random_filings(3))
    out = tmp_path / "gold" / f"month={MONTH}" / "part.parquet"
    lake.build()
    first = out.read_bytes()
    lake.build()
    assert out.read_bytes() == first


def test_a_partition_of_another_month_is_refused(tmp_path: Path) -> None:
    lake = Lake(tmp_path, [bar("symbol", "A", d, 1.0) for d in (date(2025, 6, 2), AUGUST)])
    lake.bars[-1].write_bytes(lake.bars[0].read_bytes())
    with pytest.raises(DataError, match=r"month=2025-08/part\.parquet, line 1, month '2025-06'"):
        lake.build()


def test_silver_and_bronze_have_the_columns_that_are_read() -> None:
    silver = build_financial_ratios.COLUMNS
    assert {name: silver[name].dtype for name in FILINGS} == dict(tables.schema_of(FILINGS))
    assert frame([], STOCKS_DAILY).columns[0] == "symbol"

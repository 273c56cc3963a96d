"""The landed days of a month -> one partition."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from scripts import tables
from scripts.errors import DataError
from scripts.lake.build_daily_bars import OPTIONS_DAILY, STOCKS_DAILY, build
from tests.bench import market
from tests.unit.lake import flatfiles
from tests.unit.lake.flatfiles import row

FIRST, SECOND, THIRD = "2025-09-26", "2025-09-29", "2025-09-30"


def built(tmp_path: Path, days: dict[str, list[str]], dataset: str = "stocks_daily", share=1.0):
    """Partition, quarantine and account of a month's days."""
    files = [flatfiles.write(tmp_path / f"{day}.csv.gz", *lines) for day, lines in days.items()]
    paths = {name: tmp_path / name for name in ("out", "quarantine", "reconcile")}
    report = build(
        files=files,
        dates=list(days),
        dataset=dataset,
        month="2025-09",
        max_quarantined_share=share,
        **paths,
    )
    assert report == json.loads(paths["reconcile"].read_text())
    return pl.read_parquet(paths["out"]), pl.read_parquet(paths["quarantine"]), report


DAYS = {
    FIRST: [row("NA", "00:00", FIRST, volume=0.1), row("A", "16:00", FIRST, volume=0.2)],
    SECOND: [row("A", "00:00", SECOND, volume=0.3), row("A", "16:00", SECOND), row("B", low="x")],
    THIRD: [row("A", "20:00", THIRD, volume="1e3")],  # midnight of October in UTC
}


def test_a_month_is_what_a_hand_makes_of_it(tmp_path: Path) -> None:
    bars, refused, report = built(tmp_path, DAYS)
    assert bars.select("symbol", "date", "volume", "month").rows() == [
        ("A", date(2025, 9, 26), 0.2, "2025-09"),
        ("A", date(2025, 9, 29), 0.3, "2025-09"),
        ("A", date(2025, 9, 30), 1000, "2025-09"),
        ("NA", date(2025, 9, 26), 0.1, "2025-09"),
    ]
    assert bars["timestamp"].dt.strftime("%F %R").to_list() == [
        *("2025-09-26 20:00", "2025-09-29 04:00", "2025-10-01 00:00", "2025-09-26 04:00")
    ]
    assert refused.select("source", "line", "ticker", "reason").rows() == [
        (f"{tmp_path}/{SECOND}.csv.gz", 3, "A", "ticker of an earlier row"),
        (f"{tmp_path}/{SECOND}.csv.gz", 4, "B", "low is missing or not a number"),
    ]
    days = [(2, 2, 0, 0.1 + 0.2), (3, 1, 2, 0.3), (1, 1, 0, 1000.0)]
    names = ("rows_in", "good", "quarantined", "volume")
    assert report == {
        "rows_in": 6,
        "good": 4,
        "quarantined": 2,
        "reasons": {"low is missing or not a number": 1, "ticker of an earlier row": 1},
        "volume": 1000.6,
        "days": {
            day: dict(zip(names, counts, strict=True))
            for day, counts in zip(DAYS, days, strict=True)
        },
    }


def test_a_month_of_options_keeps_symbols_that_do_not_parse(tmp_path: Path) -> None:
    names = ["O:F250117P00012500", "O:F250230P00012500"]
    days = {day: [row(name, "00:00", day) for name in names] for day in (FIRST, SECOND)}
    bars, _, report = built(tmp_path, days, "options_daily")
    put = ("F", date(2025, 1, 17), "put", 12.5)
    assert bars.select("ticker", "underlying", "expiration", "contract_type", "strike").rows() == [
        *[(names[0], *put)] * 2,
        *[(names[1], None, None, None, None)] * 2,
    ]
    assert report["unparsed_occ"] == 2


@pytest.mark.parametrize(
    ("dataset", "columns"), [("stocks_daily", STOCKS_DAILY), ("options_daily", OPTIONS_DAILY)]
)
@pytest.mark.parametrize("days", [DAYS, {THIRD: DAYS[THIRD]}])
def test_a_dataset_has_one_schema_whatever_the_values(
    tmp_path: Path, dataset: str, columns: tables.Columns, days: dict
) -> None:
    bars, _, _ = built(tmp_path, days, dataset)
    assert list(bars.schema.items()) == list(tables.schema_of(columns).items())


def test_a_month_is_its_days_one_after_the_other_sorted(tmp_path: Path) -> None:
    frames = {day: market.options_daily(date.fromisoformat(day), count=400) for day in DAYS}
    files = [market.write(frame, tmp_path / f"{day}.csv.gz") for day, frame in frames.items()]
    paths = {name: tmp_path / name for name in ("out", "quarantine", "reconcile")}
    common = {"dataset": "options_daily", "month": "2025-09", "max_quarantined_share": 0}
    build(files=files, dates=list(frames), **common, **paths)
    bars = pl.read_parquet(paths["out"])
    rows = [
        (line["ticker"], line["window_start"], day, line["close"], line["volume"])
        for day, frame in frames.items()
        for line in frame.iter_rows(named=True)
    ]
    expected = pl.DataFrame(sorted(rows), orient="row", schema=["a", "b", "c", "d", "e"])
    stamp, day = pl.col("timestamp").to_physical(), pl.col("date").cast(pl.String)
    found = bars.select(a="ticker", b=stamp, c=day, d="close", e="volume")
    assert_frame_equal(found, expected, check_exact=True)
    reverse = {"files": files[::-1], "dates": list(frames)[::-1], **common}
    build(**reverse, out=tmp_path / "again", **{k: v for k, v in paths.items() if k != "out"})
    assert (tmp_path / "again").read_bytes() == paths["out"].read_bytes()


def test_a_bad_file_fails_the_month_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"^{tmp_path}/{SECOND}\.csv\.gz, line 3.*2 of 3 rows"):
        built(tmp_path, DAYS, share=0.5)
    (tmp_path / "cut.csv.gz").write_bytes((tmp_path / f"{THIRD}.csv.gz").read_bytes()[:-3])
    with pytest.raises(DataError, match=rf"^{tmp_path}/cut\.csv\.gz: the gzip file is truncated"):
        build(
            files=[tmp_path / f"{FIRST}.csv.gz", tmp_path / "cut.csv.gz"],
            dates=[FIRST, THIRD],
            dataset="stocks_daily",
            month="2025-09",
            max_quarantined_share=1,
            **{name: tmp_path / name for name in ("out", "quarantine", "reconcile")},
        )
    assert not (tmp_path / "out").exists()

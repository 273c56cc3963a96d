"""A landed day of minutes -> partition, quarantine and account."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from scripts import tables
from scripts.errors import DataError
from scripts.lake.build_minute_bars import OPTIONS_MINUTE, STOCKS_MINUTE, build
from tests.bench import market
from tests.unit.lake import flatfiles
from tests.unit.lake.flatfiles import DAY, row, stamp

ROOT = Path(__file__).parents[3]


def built(tmp_path: Path, *lines: str, dataset: str = "stocks_minute", day: str = DAY, **options):
    """The three files of a day with these lines: partition, quarantine, account."""
    file = flatfiles.write(tmp_path / f"{day}.csv.gz", *lines)
    paths = {name: tmp_path / name for name in ("out", "quarantine", "reconcile")}
    given = {"max_quarantined_share": 1.0, **options}
    report = build(file=file, dataset=dataset, date=day, **given, **paths)
    assert report == json.loads(paths["reconcile"].read_text())
    return pl.read_parquet(paths["out"]), pl.read_parquet(paths["quarantine"]), report


LINES = [
    row("NA", "09:31", volume="100.5", transactions=4294967295),
    row("AAPL", "16:00", open=0.0001, high=1234.5678, close="1e2", low=0),
    row("AAPL", "04:00", volume="3e3"),
    row("AAPL", "09:30", close=""),
    row("AAPL", "04:00", volume=9),
]


def test_a_day_of_stocks_is_what_a_hand_makes_of_it(tmp_path: Path) -> None:
    bars, refused, report = built(tmp_path, *LINES)
    assert bars.rows() == [
        (name, pl_time(clock), *numbers, date(2025, 9, 25))
        for name, clock, *numbers in [
            ("AAPL", "04:00", 10, 12, 9, 11, 3000, 5),
            ("AAPL", "16:00", 0.0001, 1234.5678, 0, 100, 100, 5),
            ("NA", "09:31", 10, 12, 9, 11, 100.5, 4294967295),
        ]
    ]
    source = f"{tmp_path}/{DAY}.csv.gz"
    reasons = ["close is missing or not a number", "ticker and window_start of an earlier row"]
    assert refused.rows() == [
        (source, 5, *LINES[3].split(","), reasons[0]),
        (source, 6, *LINES[4].split(","), reasons[1]),
    ]
    counts = {"rows_in": 5, "good": 3, "quarantined": 2}
    assert report == {
        **counts,
        "reasons": {reasons[0]: 1, reasons[1]: 1},
        "volume": 3200.5,
        "days": {DAY: {**counts, "volume": 3200.5}},
    }


def pl_time(clock: str):
    """A New York clock time as polars gives it from UTC nanoseconds."""
    return pl.Series([stamp(clock)]).cast(pl.Datetime("ns", "UTC")).item()


def test_a_day_of_options_has_the_parts_of_its_symbols(tmp_path: Path) -> None:
    symbols = ["O:AAPL1250117C00150000", "O:aapl250117C00150000", "O:F250117P00012500"]
    lines = [row(name, clock) for name in symbols for clock in ("10:00", "09:30")]
    bars, _, report = built(tmp_path, *lines, dataset="options_minute")
    parts = bars.select("ticker", "underlying", "expiration", "contract_type", "strike")
    call, put = ("AAPL1", date(2025, 1, 17), "call", 150), ("F", date(2025, 1, 17), "put", 12.5)
    rows = [(symbols[0], *call), (symbols[2], *put), (symbols[1], *[None] * 4)]
    assert parts.rows() == [line for line in rows for _ in range(2)]
    assert report["unparsed_occ"] == 2
    assert (report["good"], report["quarantined"]) == (6, 0)


@pytest.mark.parametrize(
    ("dataset", "columns"), [("stocks_minute", STOCKS_MINUTE), ("options_minute", OPTIONS_MINUTE)]
)
@pytest.mark.parametrize("lines", [[row()], LINES, [row("O:F250117P00012500", volume=2**53)]])
def test_a_dataset_has_one_schema_whatever_the_values(
    tmp_path: Path, dataset: str, columns: tables.Columns, lines: list[str]
) -> None:
    bars, refused, _ = built(tmp_path, *lines, dataset=dataset)
    assert list(bars.schema.items()) == list(tables.schema_of(columns).items())
    text = dict.fromkeys(flatfiles.HEADER.split(","), pl.String)
    assert dict(refused.schema) == {
        "source": pl.String, "line": pl.Int64, **text, "reason": pl.String
    }  # fmt: skip
    assert pq.read_metadata(tmp_path / "out").row_group(0).column(0).compression == "ZSTD"


def test_the_order_of_the_lines_does_not_change_a_byte(tmp_path: Path) -> None:
    lines = [row(f"T{n % 7}", f"10:{n:02}", volume=n / 3) for n in range(60)]
    built(tmp_path, *lines)
    first = (tmp_path / "out").read_bytes(), (tmp_path / "reconcile").read_bytes()
    random.Random(1).shuffle(lines)
    built(tmp_path, *lines)
    assert ((tmp_path / "out").read_bytes(), (tmp_path / "reconcile").read_bytes()) == first


def test_the_volume_is_summed_exactly(tmp_path: Path) -> None:
    volumes = [1e16, 1, 1, 0.1, 1e16, 0.1]
    lines = [row(f"T{n}", volume=volume) for n, volume in enumerate(volumes)]
    assert built(tmp_path, *lines)[2]["volume"] == math.fsum(volumes) != sum(volumes)


def test_a_file_that_fails_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1 of 2 rows refused, more than"):
        built(tmp_path, row(), row("A", low=-1), max_quarantined_share=0.1)
    assert [path.name for path in tmp_path.iterdir()] == [f"{DAY}.csv.gz"]


def test_after_hours_bars_of_a_months_last_day_stay_on_it(tmp_path: Path) -> None:
    day = "2025-10-31"
    bars, refused, _ = built(tmp_path, row("A", "19:59", day), row("A", "20:00", day), day=day)
    assert refused.is_empty()
    assert bars["timestamp"].dt.strftime("%F %R").to_list() == [
        *("2025-10-31 23:59", "2025-11-01 00:00")
    ]
    assert bars["date"].to_list() == [date(2025, 10, 31)] * 2


SCRIPT = """
import sys; from pathlib import Path
from scripts.lake.build_minute_bars import build
from scripts.lake.build_stocks_minute import build as enrich
folder = Path(sys.argv[2])
build(file=Path(sys.argv[1]), dataset="stocks_minute", date="2025-10-31",
      max_quarantined_share=0.5, out=folder / "bronze", quarantine=folder / "quarantine",
      reconcile=folder / "reconcile")
enrich(bars=folder / "bronze", universe=[], date="2025-10-31", close="16:00",
       out=folder / "gold", sessions=folder / "sessions")
"""


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
def test_the_hosts_time_zone_and_cores_do_not_change_a_byte(tmp_path: Path, zone: str) -> None:
    day = "2025-10-31"
    frame = market.stocks_minute(date.fromisoformat(day), rows=20_000, count=150)
    file = market.write(frame, tmp_path / f"{day}.csv.gz")
    made = []
    for name, here, threads in (("utc", "UTC", "1"), ("there", zone, "4")):
        (tmp_path / name).mkdir()
        env = {**os.environ, "TZ": here, "POLARS_MAX_THREADS": threads}
        command = [sys.executable, "-c", SCRIPT, str(file), str(tmp_path / name)]
        subprocess.run(command, env=env, cwd=ROOT, check=True)
        made.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert made[0] == made[1]
    assert len(made[0]) == 5


def test_a_days_decimals_survive_as_they_are(tmp_path: Path) -> None:
    frame = market.stocks_minute(date.fromisoformat(DAY), rows=5000, count=100)
    file = market.write(frame, tmp_path / "day.csv.gz")
    paths = {name: tmp_path / name for name in ("out", "quarantine", "reconcile")}
    build(file=file, dataset="stocks_minute", date=DAY, max_quarantined_share=0, **paths)
    bars = pl.read_parquet(paths["out"])
    names = ["open", "high", "low", "close", "volume", "transactions"]
    assert bars.select(names).rows() == frame.select(names).rows()

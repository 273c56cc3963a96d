"""The naive ways that the lake must not go: each does one job as a first attempt would.

Every function stands for a defect measured on another system that does this job (spec section 6).
`tests/golden/test_lake_defects.py` runs them beside ours, on the same input. Each is sound but for
its defect, so that the defect is what the tests see.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

BATCH_GB = 32  # a machine with less memory reads in chunks
CHUNK = 100  # rows
BARS = pa.schema(
    [
        ("ticker", pa.string()),
        ("volume", pa.uint64()),  # shares are counted, so a whole number will do
        *((name, pa.float64()) for name in ("open", "close", "high", "low")),
        ("window_start", pa.int64()),
        ("transactions", pa.uint32()),
    ]
)


def read_bars(file: Path) -> pd.DataFrame:
    """Defect 9: pandas reads a flat file, with what it takes for a missing value by default."""
    return pd.read_csv(file)


def ingest(file: Path, out: Path) -> None:
    """Defect 10: a flat file with the volume as a whole number."""
    bars = pd.read_csv(file, keep_default_na=False)
    out.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pandas(bars, schema=BARS, preserve_index=False), out)


def ingest_by_memory(file: Path, out: Path, memory_gb: float) -> None:
    """Defect 6: types are guessed, at once or from the first chunk, as the memory allows."""
    if memory_gb >= BATCH_GB:
        pl.read_csv(gzip.decompress(file.read_bytes()), infer_schema_length=CHUNK).write_parquet(
            out
        )
        return
    writer = None
    for chunk in pd.read_csv(file, chunksize=CHUNK, keep_default_na=False):
        table = pa.Table.from_pandas(chunk, preserve_index=False)
        writer = writer or pq.ParquetWriter(out, table.schema)
        writer.write_table(table)
    writer.close()


def returns_by_day(files: Iterable[Path]) -> pl.DataFrame:
    """Defect 1: each day's rows are read by themselves, and the bar before is looked for in them.

    Args:
        files: bronze daily bars.

    Returns:
        columns symbol, date, returns_1d.
    """
    frames = []
    for file in files:
        month = pl.read_parquet(file, hive_partitioning=False)
        for day in month["date"].unique().sort():
            rows = month.filter(pl.col("date") == day).sort("symbol", "timestamp")
            before = pl.col("close").shift(1).over("symbol")
            frames.append(
                rows.select("symbol", "date", returns_1d=(pl.col("close") / before).log())
            )
    return pl.concat(frames)


def append(records: Sequence[dict[str, Any]], out: Path) -> None:
    """Defect 2: what was fetched goes below what is there."""
    rows = pl.DataFrame(records)
    if out.exists():
        rows = pl.concat([pl.read_parquet(out), rows], how="diagonal_relaxed")
    rows.write_parquet(out)


def flatten(statements: Sequence[Path], key: Sequence[str]) -> pl.DataFrame:
    """The statements side by side, as they are in their files."""
    first, *others = map(pl.read_parquet, statements)
    for other in others:
        first = first.join(other, on=list(key))
    return first


class Watermark:
    """Defect 3: days up to the last one that succeeded count as done."""

    def __init__(self, landing: Path, bronze: Path) -> None:
        """Take over the folders; landing holds `.../{date}.csv.gz`."""
        self.landing, self.bronze = landing, bronze
        self._file = bronze / "watermark.json"

    def days(self) -> list[str]:
        """Days of bronze."""
        return sorted(path.stem for path in self.bronze.glob("*.parquet"))

    def run(self) -> list[str]:
        """Ingest the landed days after the watermark; those that failed."""
        mark = json.loads(self._file.read_text()) if self._file.exists() else ""
        failed = []
        for file in sorted(self.landing.rglob("*.csv.gz")):
            day = file.name.removesuffix(".csv.gz")
            if day <= mark:
                continue
            try:
                ingest(file, self.bronze / f"{day}.parquet")
            except (EOFError, OSError):
                failed.append(day)
                continue
            self._file.write_text(json.dumps(day))
        return failed


# Defect 4: `wait` without a job gives 0, whatever the jobs gave. $1 Python, $2 landing, $3 bronze.
EACH_DAY = """
set -euo pipefail
mkdir -p "$3"
for file in "$2"/*.csv.gz; do
    "$1" -m tests.oracles.lake_naive "$file" "$3/$(basename "$file" .csv.gz).parquet" &
done
wait
echo "all days done"
"""

# Defect 12: no function has this name, which bash finds out in a child that nobody asks for.
# $1 landing, $2 bronze.
TWO_LAYERS = """
set -euo pipefail
mkdir -p "$2"
check_landing() { gzip --test "$1"; }
ingest_bronze() { cp "$1" "$2"; }
for file in "$1"/*.csv.gz; do check_landing "$file" & done
wait
echo "landing done"
for file in "$1"/*.csv.gz; do ingest_to_bronze "$file" "$2" & done
wait
echo "bronze done"
"""


def local_day(stamp_ns: int) -> date:
    """Defect 5: the date of a UTC stamp on this machine's clock."""
    return datetime.fromtimestamp(stamp_ns // 10**9).date()


def enrich_days(files: Iterable[Path], days: Iterable[str]) -> dict[str, int]:
    """Rows that each day gets when its month's files are searched for its local date.

    Args:
        files: flat files {date}.csv.gz of minutes.
        days: YYYY-MM-DD.
    """
    stamps: dict[str, list[int]] = {}
    for file in files:
        found = pd.read_csv(file, keep_default_na=False)["window_start"]
        stamps.setdefault(file.name[:7], []).extend(found)
    return {
        day: sum(str(local_day(stamp)) == day for stamp in stamps.get(day[:7], [])) for day in days
    }


class Pages:
    """Defect 7: pages are asked for once for their successors, and again for their records."""

    def __init__(self, base: str, key: str) -> None:
        """Take over the server's address and the API key."""
        headers = {"Authorization": f"Bearer {key}"}
        self._client = httpx.Client(base_url=base, headers=headers)

    def records(self, path: str) -> list[Any]:
        """Records of all pages; a page that cannot be had is left out."""
        first = self._client.get(path).raise_for_status().json()
        found, following = list(first["results"]), []
        url = first.get("next_url")
        while url:
            following.append(url)
            url = self._client.get(url).raise_for_status().json().get("next_url")
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(self._client.get, following))
        for answer in answers:
            if answer.is_success:
                found += answer.json()["results"]
        return found


def write_qlib(files: Sequence[Path], folder: Path, field: str, column: str) -> None:
    """Defect 8: every symbol searches every file for its rows.

    Args:
        files: gold stocks_daily, in the order of time.
        folder: gets {symbol}/{field}.day.bin, as Qlib reads them.
        field: of Qlib.
        column: of gold.
    """
    named = pl.concat(pl.scan_parquet(file).select("symbol", "date") for file in files).collect()
    sessions = named["date"].unique().sort()
    for symbol in named["symbol"].unique().sort():
        rows = pl.concat(_rows_of(symbol, file, column) for file in files)
        place = sessions.search_sorted(rows["date"]).to_numpy().astype(int)
        values = np.full(place[-1] - place[0] + 2, np.nan, "<f4")
        values[0] = place[0]
        values[1 + place - place[0]] = rows[column].to_numpy()
        out = folder / symbol.lower() / f"{field}.day.bin"
        out.parent.mkdir(parents=True, exist_ok=True)
        values.tofile(out)


def _rows_of(symbol: str, file: Path, column: str) -> pl.DataFrame:
    bars = pl.scan_parquet(file).filter(pl.col("symbol") == symbol)
    return bars.select("date", column).sort("date").collect()


def fetch(body: Iterator[bytes], out: Path) -> bool:
    """Defect 11: a file goes straight to its place, and one that is there counts as whole.

    Args:
        body: pieces of the file.
        out: where it lands.

    Returns:
        whether it was fetched.
    """
    if out.exists():
        return False
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as file:
        for piece in body:
            file.write(piece)
    return True


if __name__ == "__main__":
    import sys

    ingest(Path(sys.argv[1]), Path(sys.argv[2]))

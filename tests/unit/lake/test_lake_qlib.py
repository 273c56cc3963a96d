"""The Qlib export: pyqlib reads back what gold holds, and no kill leaves half of it."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas._libs.parsers import STR_NA_VALUES
from polars.testing import assert_frame_equal

from scripts.atomic import mark
from scripts.errors import DataError
from scripts.lake import export_qlib
from scripts.lake.qlib_format import name_of
from tests.qlib import stores
from tests.qlib.stores import PROVENANCE, ROOT, Reading, export, read_back, write_months

KEY = ["symbol", "date"]
NAMES = {
    "ABRpD": "ABR_PD",
    "CON": "CON_",
    "NA": "NA_",
    "NULL": "NULL_",
    "NaN": "N_AN",
    "None": "N_O_N_E",
    "nan": "_N_A_N",
    "null": "_N_U_L_L",
}


@pytest.fixture(scope="module")
def gold() -> pl.DataFrame:
    return stores.gold()


@pytest.fixture(scope="module")
def folder(gold: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with gold and its export."""
    folder = tmp_path_factory.mktemp("qlib")
    export(write_months(gold, folder), folder)
    return folder


@pytest.fixture(scope="module")
def reading(folder: Path) -> Reading:
    return read_back(folder / "qlib/current")


def small(folder: Path, close: float = 10.0) -> list[Path]:
    """Gold of one symbol and one bar."""
    frame = stores.gold().filter(pl.col("symbol") == "ONCE").with_columns(adj_close=pl.lit(close))
    return write_months(frame, folder)


def digest(store: Path) -> str:
    """Of all files of a folder, names too."""
    whole = hashlib.sha256()
    for file in sorted(path for path in store.rglob("*") if path.is_file()):
        whole.update(f"{file.relative_to(store)}\n".encode() + file.read_bytes())
    return whole.hexdigest()


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_pyqlib_reads_the_sessions(reading: Reading, gold: pl.DataFrame) -> None:
    assert reading.calendar == [str(day) for day in gold["date"].unique().sort()]


def test_pyqlib_reads_every_symbol_with_its_own_dates(reading: Reading, gold: pl.DataFrame) -> None:
    spans = gold.group_by("symbol").agg(start=pl.col("date").min(), end=pl.col("date").max())
    expected = [(NAMES.get(s, s), str(a), str(b)) for s, a, b in spans.sort("symbol").rows()]
    assert reading.instruments == expected
    assert len(expected) == 20


def test_pyqlib_reads_every_value_to_the_bit(reading: Reading, gold: pl.DataFrame) -> None:
    close = pl.col("adj_close")
    expected = gold.select(
        pl.col("symbol").replace(NAMES),
        "date",
        *(pl.col(f"adj_{name}").alias(name) for name in ("open", "high", "low", "close", "volume")),
        pl.col("vwap") * pl.col("split_factor"),
        pl.col("split_factor").alias("factor"),
        (close / close.shift(1).over("symbol") - 1).alias("change"),
        "transactions",
        "total_return_factor",
        "volatility_20d",
        "volume_ratio_20d",
    ).with_columns(pl.exclude(KEY).cast(pl.Float32).fill_null(float("nan")))
    fields = expected.columns
    assert reading.fields[:12] == fields[2:]
    found = reading.rows.select(fields)
    bars = found.filter(pl.col("close").is_not_nan())
    assert_frame_equal(bars, expected.sort(KEY), check_row_order=False, check_exact=True)
    gaps = found.filter(pl.col("close").is_nan())
    assert gaps["symbol"].unique().to_list() == ["GAPS"]
    assert gaps.height == 5
    assert gaps.select(pl.all_horizontal(pl.exclude(KEY).is_nan()).all()).item()


def test_a_file_is_the_start_and_little_endian_floats(folder: Path, gold: pl.DataFrame) -> None:
    content = (folder / "qlib/current/features/late/close.day.bin").read_bytes()
    values = gold.filter(pl.col("symbol") == "LATE")["adj_close"].to_numpy()
    assert content == np.concatenate([[47], values]).astype("<f4").tobytes()


def test_the_text_files_are_as_qlib_wants_them(folder: Path) -> None:
    current = folder / "qlib/current"
    assert (current / "calendars/day.txt").read_text().startswith("2024-02-01\n2024-02-02\n")
    lines = (current / "instruments/all.txt").read_text().splitlines()
    assert "ABR_PD\t2024-02-01\t2024-08-30" in lines
    assert "EARLY\t2024-02-01\t2024-03-14" in lines


def test_the_manifest_tells_what_is_there(folder: Path, gold: pl.DataFrame) -> None:
    manifest = json.loads((folder / "qlib/manifest.json").read_text())
    version = folder / "qlib" / manifest["path"]
    assert version == (folder / "qlib/current").resolve()
    sizes = [path.stat().st_size for path in version.rglob("*") if path.is_file()]
    source = hashlib.sha256((folder / "provenance.json").read_bytes()).hexdigest()
    assert manifest == {
        "hash": version.name,
        "path": f"versions/{version.name}",
        "symbols": 20,
        "sessions": 147,
        "start": "2024-02-01",
        "end": "2024-08-30",
        "fields": list(export_qlib.COLUMNS),
        "rows": gold.height,
        "bytes": sum(sizes),
        "names": NAMES,
        "provenance": {**PROVENANCE, "sha256": source},
    }
    assert len(sizes) == 20 * 12 + 2
    assert len(version.name) == 16


TICKERS = st.text(st.characters(codec="utf-8"), min_size=1) | st.text(
    st.sampled_from("ABab_.019-"), min_size=1, max_size=4
)


@given(TICKERS, TICKERS)
def test_two_tickers_never_share_a_folder(one: str, other: str) -> None:
    assert (name_of(one).lower() == name_of(other).lower()) == (one == other)


@given(TICKERS | st.sampled_from([*STR_NA_VALUES, "NA", "null", "con", "COM1", "..", ".", "a/b"]))
def test_a_name_is_read_as_text_and_is_one_folder(ticker: str) -> None:
    name = name_of(ticker)
    assert name not in STR_NA_VALUES
    assert name == name.upper()
    assert not set(name) & set("/\\\t\n\r\"' :*?<>|")
    assert not name.startswith(".")
    assert not name.endswith(".")
    assert name not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}


@pytest.mark.parametrize(
    ("ticker", "name"),
    [*NAMES.items(), ("BRK.A", "BRK.A"), ("AbCw", "A_BC_W"), ("X_Y", "X_095Y"), ("é", "_195_169")],
)
def test_names_of_tickers(ticker: str, name: str) -> None:
    assert name_of(ticker) == name


def test_how_symbols_are_cut_into_blocks_changes_nothing(
    folder: Path, gold: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_qlib, "CELLS", 300)
    files = write_months(gold, tmp_path)
    export(files[::-1], tmp_path)
    assert digest(tmp_path / "qlib/current") == digest(folder / "qlib/current")
    manifests = [json.loads((f / "qlib/manifest.json").read_text()) for f in (folder, tmp_path)]
    assert manifests[0]["hash"] == manifests[1]["hash"]


def test_any_other_value_is_another_version(tmp_path: Path) -> None:
    hashes = set()
    for number, close in enumerate((10.0, 10.5)):
        (tmp_path / str(number)).mkdir()
        hashes.add(export(small(tmp_path / str(number), close), tmp_path / str(number))["hash"])
    assert len(hashes) == 2


def test_a_version_that_is_there_is_used_again(tmp_path: Path) -> None:
    files = small(tmp_path)
    first = export(files, tmp_path)
    version = tmp_path / "qlib" / first["path"]
    inode = version.stat().st_ino
    assert export(files, tmp_path) == first
    assert version.stat().st_ino == inode
    assert names_in(tmp_path / "qlib") == ["current", "manifest.json", "versions"]


def test_a_version_with_a_file_missing_is_written_again(tmp_path: Path) -> None:
    files = small(tmp_path)
    version = tmp_path / "qlib" / export(files, tmp_path)["path"]
    before = digest(version)
    (version / "features/once/close.day.bin").unlink()
    export(files, tmp_path)
    assert digest(version) == before


@pytest.mark.parametrize("keep", [1, 2])
def test_old_versions_beyond_keep_go_and_the_current_one_stays(tmp_path: Path, keep: int) -> None:
    hashes = []
    for number, close in enumerate((1.0, 2.0, 1.0, 3.0)):
        (tmp_path / f"in{number}").mkdir()
        files = small(tmp_path / f"in{number}", close)
        hashes.append(export(files, tmp_path, keep)["hash"])
        assert (tmp_path / "qlib/current").resolve().name == hashes[-1]
        assert names_in(tmp_path / "qlib/versions") == sorted(set(hashes[-keep:]))
    assert hashes[0] == hashes[2]


def test_what_killed_runs_left_is_swept(tmp_path: Path) -> None:
    files = small(tmp_path)
    export(files, tmp_path)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    machine = mark().rpartition("-")[0]
    for pid in (dead.pid, os.getpid()):
        (tmp_path / f"qlib/versions/.new.{machine}-{pid}.tmp/features").mkdir(parents=True)
        (tmp_path / f"qlib/.current.{machine}-{pid}.tmp").symlink_to("versions/none")
    alive = tmp_path / "qlib/versions/.new.1.tmp"
    alive.mkdir()
    export(files, tmp_path)
    assert [path.name for path in (tmp_path / "qlib").rglob(".*.tmp")] == [alive.name]


def test_a_folder_in_the_place_of_the_link_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "qlib/current").mkdir(parents=True)
    with pytest.raises(DataError, match="not a link, so not ours; move it away"):
        export(small(tmp_path), tmp_path)


def test_no_bar_at_all_is_an_error(tmp_path: Path) -> None:
    frame = stores.gold()
    file = write_months(frame.filter(pl.col("symbol") == "ONCE"), tmp_path)[0]
    pl.read_parquet(file, hive_partitioning=False).clear().write_parquet(file)
    with pytest.raises(DataError, match="no bar"):
        export([file], tmp_path)


def test_two_bars_on_one_date_are_an_error(tmp_path: Path) -> None:
    frame = stores.gold().filter(pl.col("symbol") == "LATE")
    files = write_months(pl.concat([frame, frame.tail(1)]), tmp_path)
    with pytest.raises(DataError, match="LATE to LATE: a symbol has two bars on one date"):
        export(files, tmp_path)
    assert names_in(tmp_path / "qlib/versions") == []


RUN = """
import sys
from pathlib import Path
from scripts.lake.export_qlib import build
folder = Path(sys.argv[1])
print("begun", flush=True)
build(bars=sorted(folder.glob("gold/**/part.parquet")), provenance=folder / "provenance.json",
      keep=1, manifest=folder / "qlib/manifest.json")
"""


def start(folder: Path) -> subprocess.Popen[str]:
    """Export in a process of its own; returns when it has begun."""
    command = [sys.executable, "-c", RUN, str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def test_killed_at_any_moment_the_old_version_or_the_new_one_is_there(tmp_path: Path) -> None:
    days, count = [date(2024, 9, 3), date(2024, 9, 4)], 250
    base = stores.gold().filter(pl.col("symbol") == "AAA").head(2)
    frame = pl.concat(
        [
            base.with_columns(symbol=pl.lit(f"S{i:04d}"), date=pl.Series(days), month=pl.lit("m"))
            for i in range(count)
        ]
    )
    file = write_months(frame, tmp_path)[0]
    old = export([file], tmp_path, keep=1)
    wanted = {digest(tmp_path / "qlib" / old["path"])}
    frame.with_columns(pl.col("adj_close") * 2).write_parquet(file)
    with start(tmp_path) as process:
        begun = time.perf_counter()
        process.wait()
        took = time.perf_counter() - begun
    assert process.returncode == 0
    wanted.add(digest(tmp_path / "qlib/current"))
    assert len(wanted) == 2
    moments = random.Random(int(os.environ.get("ALMANAC_KILL_SEED", "20250903")))
    for number in range(5):
        frame.with_columns(pl.col("adj_close") * (1 + number % 2)).write_parquet(file)
        with start(tmp_path) as process:
            time.sleep(moments.uniform(0, took))
            process.send_signal(signal.SIGKILL)
        assert digest(tmp_path / "qlib/current") in wanted
    export([file], tmp_path, keep=1)
    assert digest(tmp_path / "qlib/current") in wanted
    assert len(names_in(tmp_path / "qlib/versions")) == 1
    assert names_in(tmp_path / "qlib") == ["current", "manifest.json", "versions"]

"""Gold daily bars of a small, awkward market, and what pyqlib reads of its export."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest

from scripts.lake import export_qlib

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-qlib/bin/python"
START, END = date(2024, 2, 1), date(2024, 8, 30)
PROVENANCE = {"version": "0.1.0", "config_hash": "ab12", "simulated": True}
SPLIT = date(2024, 5, 15)
HOLIDAYS = {date(2024, *d) for d in ((2, 19), (3, 29), (5, 27), (6, 19), (7, 4))}


def sessions() -> list[date]:
    """The 147 sessions of New York in seven months of 2024."""
    days = pl.date_range(START, END, "1d", eager=True)
    return [day for day in days if day.weekday() < 5 and day not in HOLIDAYS]


def walk(rng: np.random.Generator, days: Sequence[date], price: float, tick: float) -> pl.DataFrame:
    """Bars of one symbol on a random walk, prices on a grid of `tick`."""
    close = price * np.exp(np.cumsum(rng.normal(0, 0.02, len(days))))
    opening = close * np.exp(rng.normal(0, 0.01, len(days)))
    opening, close = (np.maximum(np.round(x / tick), 1) * tick for x in (opening, close))
    reach = np.round(rng.exponential(0.01, (2, len(days))) * price / tick) * tick
    volume = np.round(np.exp(rng.normal(12, 1.5, len(days))))
    return pl.DataFrame(
        {
            "date": days,
            "open": opening,
            "high": np.maximum(opening, close) + reach[0],
            "low": np.maximum(np.minimum(opening, close) - reach[1], tick),
            "close": close,
            "volume": volume,
            "transactions": (volume // 100 + 1).astype(np.uint32),
        }
    )


def gold(seed: int = 20240901) -> pl.DataFrame:
    """Gold stocks_daily, the columns we use, sorted by symbol and date."""
    rng, days = np.random.default_rng(seed), sessions()
    late, early = days[47:], days[:30]
    gaps = [day for number, day in enumerate(days) if number not in (3, 50, 51, 90, 145)]
    flat = walk(rng, days, 20, 0.01).with_columns(
        *(pl.lit(20.0).alias(name) for name in ("open", "high", "low", "close")),
        volume=pl.lit(1000.0),
    )
    plain = walk(rng, days, 100, 0.01)
    symbols = {
        "AAA": plain,
        "ABRPD": walk(rng, days, 24, 0.01),
        "ABRpD": walk(rng, days, 25, 0.01),
        "BRK.A": walk(rng, days, 600_000, 1),
        "CON": walk(rng, days, 9, 0.01),
        "EARLY": walk(rng, early, 30, 0.01),
        "FLAT": flat,
        "GAPS": walk(rng, gaps, 50, 0.01),
        "LATE": walk(rng, late, 70, 0.01),
        "NA": walk(rng, days, 11, 0.01),
        "NULL": walk(rng, days, 12, 0.01),
        "NaN": walk(rng, days, 13, 0.01),
        "None": walk(rng, days, 14, 0.01),
        "ONCE": walk(rng, days[-1:], 5, 0.01),
        "SPLIT": walk(rng, days, 90, 0.01),
        "TIES": walk(rng, days, 6, 0.5),
        "TINY": walk(rng, days, 0.0005, 0.000001),
        "ZERO": plain.with_columns(
            volume=pl.when(pl.int_range(pl.len()) % 20 == 5).then(0.0).otherwise("volume")
        ),
        "nan": walk(rng, days, 15, 0.01),
        "null": walk(rng, days, 16, 0.01),
    }
    frame = pl.concat(
        [bars.insert_column(0, pl.lit(s).alias("symbol")) for s, bars in symbols.items()]
    )
    before_split = (pl.col("symbol") == "SPLIT") & (pl.col("date") < SPLIT)
    typical = (pl.col("high") + pl.col("low") + pl.col("close")) / 3
    factor = pl.col("split_factor")
    return (
        frame.with_columns(
            split_factor=pl.when(before_split).then(1 / 3).otherwise(1.0),
            total_return_factor=pl.when(before_split).then(0.98 / 3).otherwise(1.0),
        )
        .with_columns(
            *(pl.col(name) / factor for name in ("open", "high", "low", "close")),
            volume=pl.col("volume") * factor,
        )
        .with_columns(
            vwap=pl.when(pl.col("date").dt.day() != 12).then(typical),
            volatility_20d=pl.when(pl.col("date") > days[20]).then(pl.col("close").sqrt() / 100),
            volume_ratio_20d=pl.when(pl.col("date") > days[19]).then(pl.col("volume") / 1e5),
        )
        .with_columns(
            *(
                (pl.col(name) * factor).alias(f"adj_{name}")
                for name in ("open", "high", "low", "close")
            ),
            adj_volume=pl.col("volume") / factor,
            month=pl.col("date").dt.strftime("%Y-%m"),
        )
        .sort("symbol", "date")
    )


def write_months(frame: pl.DataFrame, folder: Path) -> list[Path]:
    """The partitions of gold stocks_daily."""
    files = []
    for (month,), rows in frame.partition_by("month", as_dict=True).items():
        file = folder / f"gold/stocks_daily/month={month}/part.parquet"
        file.parent.mkdir(parents=True)
        rows.sort("symbol", "date").write_parquet(file)
        files.append(file)
    return files


def export(files: Sequence[Path], folder: Path, keep: int = 2) -> dict:
    """Export gold to `folder`/qlib; what its manifest holds."""
    provenance = folder / "provenance.json"
    provenance.write_text(json.dumps({**PROVENANCE, "sources": [{"path": "x", "sha256": "y"}]}))
    manifest = folder / "qlib/manifest.json"
    export_qlib.build(bars=files, provenance=provenance, keep=keep, manifest=manifest)
    return json.loads(manifest.read_text())


class Reading(NamedTuple):
    """What `read_back.py` found."""

    calendar: list[str]
    instruments: list[tuple[str, ...]]  # name, start, end
    fields: list[str]
    rows: pl.DataFrame  # symbol (Qlib's name), date, a column per field, NaN as NaN


def read_back(store: Path) -> Reading:
    """What pyqlib reads from a folder, in a process with pyqlib's own packages."""
    if not PYTHON.exists():
        pytest.fail(f"no {PYTHON}: `make test` sets it up")
    out = store.parent / "read_back.npz"
    script = Path(__file__).with_name("read_back.py")
    ran = subprocess.run(
        [PYTHON, script, store, out], capture_output=True, text=True, check=False, cwd=store.parent
    )
    assert ran.returncode == 0, ran.stderr
    with np.load(out) as found:
        fields = found["fields"].tolist()
        rows = pl.DataFrame(found["values"], schema=fields)
        keys = [pl.Series(name, found[name]) for name in ("symbol", "date")]
        rows = rows.insert_column(0, keys[0]).insert_column(1, keys[1].str.to_date())
        return Reading(
            found["calendar"].tolist(),
            list(map(tuple, found["instruments"].tolist())),
            fields,
            rows,
        )

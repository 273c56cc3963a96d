"""`make bench`: what the weekly features cost, beside the slow implementation of the tests.

Simulated daily bars of as many symbols and days as the issue asks for.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import yaml

from scripts.weekly.notebook import add_weekly_features_to_daily
from tests.bench.measure import ROOT, best, python, run
from tests.oracles import weekly as oracle

SIZES = ((100, 500), (500, 1250), (5000, 2500))  # symbols, days
FUNDS = ("RSP", "SPY", "XLF", "XLK")
REPEATS = 3
IN_MEMORY = """
import sys; import polars as pl
from scripts.weekly.notebook import add_weekly_features_to_daily
frame = add_weekly_features_to_daily(pl.read_parquet(sys.argv[1]), sys.argv[2])
frame.write_parquet(sys.argv[3], compression_level=1)
"""
BY_JOBS = """
import sys; from pathlib import Path
from scripts.weekly import build_bars, build_benchmarks, build_daily, build_features
source, mappings, folder = map(Path, sys.argv[1:4])
own = dict(batch=0, batches_in_all=1, memory_limit_mb=int(sys.argv[4]))
how = dict(adjusted_close="adj_close")
build_benchmarks.build(sources=[source], mappings=[mappings], parity=False, out=folder / "b", **how)
build_bars.build(sources=[source], columns=None, max_symbols=None,
                 checked=folder / "c", out=folder / "w", **own, **how)
build_features.build(bars=folder / "w", benchmarks=folder / "b", mappings=[mappings],
                     adjusted_close="adj_close", parity=False, lags=[], lagged=[],
                     out=folder / "f", **own)
build_daily.build(daily=folder / "c", features=folder / "f", visible_from="same_day",
                  stale_after=10, batch=0, batches_in_all=1, out=folder / "d")
"""


def market(symbols: int, days: int) -> pl.DataFrame:
    """Random walks over weekdays, sorted by symbol and date."""
    rng = np.random.default_rng(0)
    every = pl.date_range(date(2010, 1, 4), date(2025, 1, 1), "1d", eager=True)
    calendar = every.filter(every.dt.weekday() <= 5)[:days]
    names = sorted([*FUNDS, *(f"S{number:05}" for number in range(symbols - len(FUNDS)))])
    close = 100 * np.exp(np.cumsum(rng.standard_normal((symbols, days)) * 0.02, axis=1)).ravel()
    return pl.DataFrame(
        {
            "symbol": np.repeat(names, days),
            "date": np.tile(calendar.to_numpy(), symbols),
            "open": close * 0.999,
            "high": close * 1.01,
            "low": close * 0.99,
            "close": close,
            "volume": rng.integers(1, 10**7, symbols * days),
        }
    )


def mappings_of(frame: pl.DataFrame) -> pl.DataFrame:
    """Every symbol held against all funds."""
    names = frame["symbol"].unique().sort().to_frame()
    funds = {"sector_etf": "XLK", "equal_weight_etf": "XLF", "subsector_etf": "RSP"}
    return names.with_columns(**{name: pl.lit(fund) for name, fund in funds.items()})


def seconds(frame: pl.DataFrame, mappings: pl.DataFrame) -> float:
    """Of the whole job in memory, the best of some."""
    found = []
    for _ in range(REPEATS + 2):
        start = time.perf_counter()
        add_weekly_features_to_daily(frame, mappings)
        found.append(time.perf_counter() - start)
    return min(found)


def figures(symbols: int, days: int, scratch: Path) -> Iterator[str]:
    """The figures of one size."""
    frame = market(symbols, days)
    source, mappings = scratch / "daily.parquet", scratch / "mappings.csv"
    frame.write_parquet(source, compression_level=1)
    held_against = mappings_of(frame)
    held_against.write_csv(mappings)
    size = f"{symbols:,} x {days:,} ({frame.height / 1e6:.2f} M rows)"
    if frame.height <= 10**6:
        fast = seconds(frame, held_against)
        yield f"{size}: computing {symbols / fast:,.0f} symbols/s ({fast:.3f} s in memory)"
    if frame.height <= 10**5:
        of = {row.pop("symbol"): row for row in held_against.iter_rows(named=True)}
        start = time.perf_counter()
        oracle.daily_features(frame, of, mode="default")
        slow = time.perf_counter() - start
        yield f"{size}: slow implementation {symbols / slow:,.0f} symbols/s: {slow / fast:.0f}x"
    del frame
    if symbols * days <= 10**6:
        cost = best(REPEATS, lambda: python(IN_MEMORY, source, mappings, scratch / "out.parquet"))
        yield f"{size}: parquet to parquet in memory, whole process: {shown(cost)}"
    cost = best(REPEATS, lambda: python(BY_JOBS, source, mappings, scratch, 10**6))
    yield f"{size}: the same by the jobs' functions, one batch: {shown(cost)}"
    yield f"{size}: whole Snakemake run with targets: {snakemake(source, mappings, scratch)}"


def shown(cost: object) -> str:
    """Wall and CPU seconds, peak memory."""
    return f"{cost.wall_s:.2f} s wall, {cost.cpu_s:.2f} s CPU, {cost.peak_mib:,.0f} MiB"


def snakemake(source: Path, mappings: Path, scratch: Path) -> str:
    """Cost of `snakemake weekly` on all cores, and the largest peak of a job."""
    overlay = scratch / "overlay.yaml"
    weekly = {"input": str(source), "mappings": str(mappings), "batches": 4, "plots": []}
    overlay.write_text(yaml.safe_dump({"run": "bench", "weekly": weekly}))
    for name in ("config", "scripts"):
        (scratch / name).unlink(missing_ok=True)
        (scratch / name).symlink_to(ROOT / name)
    command = [str(ROOT / ".venv/bin/snakemake"), "--snakefile", str(ROOT / "Snakefile")]
    command += ["--cores", "all", "--workflow-profile", str(ROOT / "profiles/default")]
    command += ["--configfile", str(overlay), "--quiet", "all", "--", "weekly"]
    cost = run(command, cwd=scratch)
    logs = (scratch / "results/bench/logs/weekly").rglob("*.log")
    peaks = {log: log.read_text().split("peak memory ")[-1].split()[0] for log in logs}
    log = max(peaks, key=lambda log: int(peaks[log]))
    rule = log.parent.name if log.parent.name != "weekly" else log.stem
    return f"{cost.wall_s:.2f} s wall, {cost.cpu_s:.2f} s CPU; {rule} {peaks[log]} MiB at most"


def main() -> None:
    """Print every figure."""
    print(
        f"weekly: {os.cpu_count()} cores, polars {pl.__version__}, {pl.thread_pool_size()} threads"
    )
    for symbols, days in SIZES:
        with tempfile.TemporaryDirectory() as name:
            for figure in figures(symbols, days, Path(name)):
                print(figure, flush=True)


if __name__ == "__main__":
    main()

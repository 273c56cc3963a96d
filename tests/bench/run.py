"""`make bench`: what the tick domain costs, each figure beside the naive way on the same input.

Real events are taken from $ALMANAC_REAL_DATA, else simulated ones of the same size.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import openpyxl
import polars as pl
import yaml

from scripts.plan.ticks import TickPlan
from scripts.ticks.backtest import backtest
from scripts.ticks.build_parquet import read_sheet, write
from scripts.ticks.events import KINDS, Events, read_events
from scripts.ticks.simulate_workbook import simulate, write_workbook
from tests.bench.large import repeat
from tests.bench.measure import ROOT, best, python, run
from tests.oracles import ticks as oracle
from tests.plans import demo_plan

SECURITIES = {"ADNOCLS": 3200, "MODON": 1500, "PARKIN": 2200, "SPINNEYS": 380}  # rows a session
SESSIONS = 136
REPEATS = 5
LARGE = 50_000_000


def event_files(folder: Path) -> tuple[Path, str]:
    """Folder with a parquet per security of `SECURITIES`, and what it holds."""
    real = os.environ.get("ALMANAC_REAL_DATA")
    if real:
        return Path(real) / "ticks/parquet", "real events"
    days = np.busday_offset("2025-04-14", np.arange(SESSIONS)).tolist()
    for entry in demo_plan().simulator_securities():
        frame = simulate(entry, days=days, rows=max(300, SECURITIES[entry["name"]]), seed=1)
        good = frame.rename({"size": "volume"}).cast({"timestamp": pl.Datetime("ns")})
        write(good, folder / f"{entry['name']}.parquet")
    return folder, "simulated events"


def tuples(events: Events) -> list[tuple]:
    """Events as the oracle takes them."""
    kinds = np.array(KINDS)[events.kind].tolist()
    columns = (events.timestamp, events.price, events.volume)
    stamps, prices, volumes = (column.tolist() for column in columns)
    return list(zip(stamps, kinds, prices, volumes, strict=True))


def cpu_seconds(call: Callable[[], object]) -> float:
    """CPU seconds of this thread for one call."""
    start = time.thread_time()
    call()
    return time.thread_time() - start


def kernels(tick_plan: TickPlan, events: Events) -> Iterator[str]:
    """Events per second and core, compiled against the plain Python loop of the tests' oracle."""
    yield f"kernel, events/s on one core ({len(events.timestamp):,} events of ADNOCLS)"
    yield f"  {'strategy':30} {'compiled':>10} {'plain loop':>11} {'ratio':>6}"
    slow_events = tuples(events)
    for strategy in tick_plan.config["strategies"]:
        p = tick_plan.parameters("parity", strategy, "base", "ADNOCLS")
        backtest(strategy, events, p)
        fast = min(cpu_seconds(lambda s=strategy, p=p: backtest(s, events, p)) for _ in range(9))
        slow = cpu_seconds(lambda s=strategy, p=p: oracle.simulate(s, slow_events, p))
        n = len(events.timestamp)
        yield f"  {strategy:30} {n / fast / 1e6:8.1f} M {n / slow / 1e6:9.2f} M {slow / fast:5.0f}x"


def whole_run(folder: Path, scratch: Path) -> Iterator[str]:
    """4 securities x 5 strategies from checked parquet to trades, by Snakemake on all cores."""
    overlay = scratch / "bench.yaml"
    modes = {"parquet_dir": str(folder), "securities": sorted(SECURITIES), "modes": ["parity"]}
    overlay.write_text(yaml.safe_dump({"run": "bench", "ticks": modes}))
    tick_plan = demo_plan(**modes)
    trades = [
        f"results/bench/ticks/trades/parity/{s}/base/{x}.csv"
        for s in tick_plan.config["strategies"]
        for x in sorted(SECURITIES)
    ]
    snakemake = [str(ROOT / ".venv/bin/snakemake"), "--snakefile", str(ROOT / "Snakefile")]
    snakemake += ["--cores", "all", "--workflow-profile", str(ROOT / "profiles/default")]
    for name in ("config", "scripts"):
        (scratch / name).symlink_to(ROOT / name)
    built = [f"results/bench/ticks/parquet/{x}.parquet" for x in sorted(SECURITIES)]
    kernel = [f"results/bench/ticks/kernels/{s}.json" for s in tick_plan.config["strategies"]]
    prepare = run([*snakemake, "--configfile", str(overlay), "--", *built, *kernel], cwd=scratch)
    cost = run([*snakemake, "--configfile", str(overlay), "--", *trades], cwd=scratch)
    yield (
        f"4 securities x 5 strategies, {len(trades)} jobs, whole Snakemake run: "
        f"{cost.wall_s:.1f} s wall, {cost.cpu_s:.1f} s CPU "
        f"(before it: checking and compiling, {prepare.wall_s:.1f} s)"
    )


SWEEP = """
import sys; from pathlib import Path; import json
from scripts.ticks.simulate_sweep import simulate
runs = json.loads(sys.argv[2])
simulate(parquet=Path(sys.argv[1]), strategy="v2_1_stop_loss", security="ADNOCLS",
         runs=runs, out=Path(sys.argv[3]))
"""


def sweep(tick_plan: TickPlan, parquet: Path, scratch: Path) -> Iterator[str]:
    """Seven variants in one job against one."""
    runs = [
        r
        for r in tick_plan.runs("v2_1_stop_loss", "stop_loss_threshold_pct", "ADNOCLS")
        if r["mode"] == "parity"
    ]
    one, seven = (
        best(REPEATS, lambda r=r: python(SWEEP, parquet, json.dumps(r), scratch / "sweep.parquet"))
        for r in (runs[:1], runs)
    )
    yield (
        f"sweep job, {len(runs)} variants against 1: {seven.cpu_s:.2f} s / {one.cpu_s:.2f} s CPU = "
        f"{seven.cpu_s / one.cpu_s:.2f}x (whole process, v2.1 on ADNOCLS)"
    )


READ = """
import sys; from pathlib import Path
from scripts.ticks.build_parquet import build
s = Path(sys.argv[2])
build(source=Path(sys.argv[1]), security="ADNOCLS", header_row=3, max_quarantined_share=0.01,
      out=s / "o.parquet", quarantine=s / "q.parquet", reconcile=s / "r.json")
"""
NAIVE = """
import sys, openpyxl, pandas
book = openpyxl.load_workbook(sys.argv[1], read_only=True, data_only=True)
rows = book.worksheets[0].iter_rows(min_row=4, values_only=True)
frame = pandas.DataFrame(rows, columns=["timestamp", "type", "price", "volume"])
frame.dropna(subset=["timestamp", "price"]).to_parquet(sys.argv[2] + "/n.parquet", index=False)
"""


def openpyxl_rows(path: Path) -> list[tuple]:
    """All rows below the header, as the peer reads them."""
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    return list(book.worksheets[0].iter_rows(min_row=4, values_only=True))


def workbook(scratch: Path) -> Iterator[str]:
    """Rows per second: reading alone against openpyxl read-only, and workbook to parquet."""
    entry = next(e for e in demo_plan().simulator_securities() if e["name"] == "ADNOCLS")
    days = np.busday_offset("2025-04-14", np.arange(80)).tolist()
    frame = simulate(entry, days=days, rows=5000, seed=1)
    path, sheet = scratch / "book.xlsx", "ADNOCLS UH Equity"
    write_workbook({sheet: frame}, "bench", path)
    fast = min(cpu_seconds(lambda: read_sheet(path, sheet, 3)) for _ in range(REPEATS))
    slow = min(cpu_seconds(lambda: openpyxl_rows(path)) for _ in range(2))
    n = frame.height
    yield (
        f"workbook of {n:,} rows, reading: {n / fast:,.0f} rows/s, openpyxl read-only "
        f"{n / slow:,.0f} rows/s: {slow / fast:.1f}x"
    )
    ours = best(REPEATS, lambda: python(READ, path, scratch))
    naive = best(2, lambda: python(NAIVE, path, scratch))
    yield (
        f"workbook to checked parquet, whole process: {n / ours.cpu_s:,.0f} rows/s, "
        f"{ours.peak_mib:,.0f} MiB; openpyxl and pandas, unchecked: {n / naive.cpu_s:,.0f} rows/s, "
        f"{naive.peak_mib:,.0f} MiB: {naive.cpu_s / ours.cpu_s:.1f}x"
    )


TRADE = """
import sys, json; from pathlib import Path
from scripts.ticks.simulate_trades import simulate
simulate(parquet=Path(sys.argv[1]), strategy=sys.argv[2], security="ADNOCLS",
         parameters=json.loads(sys.argv[3]), trades=Path(sys.argv[4]) / "t.csv",
         counts=Path(sys.argv[4]) / "t.json")
"""


def memory(tick_plan: TickPlan, events: Events, scratch: Path) -> Iterator[str]:
    """Peak memory of a backtest over many events: the same days again, later each time."""
    path = scratch / "large.parquet"
    n = repeat(events, LARGE, path)
    for strategy in ("v2_1_stop_loss", "closing_strategy"):
        p = tick_plan.parameters("parity", strategy, "base", "ADNOCLS")
        cost = python(TRADE, path, strategy, json.dumps(p), scratch)
        yield (
            f"memory, {n:,} events, {strategy}: peak {cost.peak_mib:,.0f} MiB, "
            f"{cost.wall_s:.1f} s wall"
        )


def main() -> None:
    """Print every figure."""
    cache = Path(tempfile.gettempdir()) / "almanac-bench-numba"
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache))
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        folder, what = event_files(scratch)
        tick_plan = demo_plan()
        parquet = next(p for p in folder.iterdir() if p.stem.upper() == "ADNOCLS")
        events = read_events(parquet)
        print(f"{os.cpu_count()} cores, {what}, numba {__import__('numba').__version__}")
        for part in (
            kernels(tick_plan, events),
            whole_run(folder, scratch),
            sweep(tick_plan, parquet, scratch),
            workbook(scratch),
            memory(tick_plan, events, scratch),
        ):
            for line in part:
                print(line, flush=True)


if __name__ == "__main__":
    main()

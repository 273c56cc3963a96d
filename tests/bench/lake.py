"""`make bench`, the lake: what each step costs on a generated full-size market.

11k stocks, 1.5 M minutes and 250k options a day; 250 days of daily bars. Every step is a process of
its own, as a job is, on one polars thread; the naive way runs on the same input in the same run.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import yaml

from scripts import tables
from tests.bench import market
from tests.bench.measure import Cost, best, python, run
from tests.plans import CALENDAR

ONE = {"POLARS_MAX_THREADS": "1"}
DAY = date(2025, 9, 3)
YEAR = CALENDAR.between("2024-09-09", "2025-09-08")
NAIVE_SYMBOLS = 20  # of the naive Qlib writer, scaled up


def line(what: str, cost: Cost, note: str = "") -> str:
    """One figure."""
    measured = f"{cost.cpu_s:6.2f} s CPU {cost.wall_s:6.2f} s wall {cost.peak_mib:6,.0f} MiB"
    return f"  {what:52} {measured}  {note}".rstrip()


def step(code: str, *arguments: object, times: int = 2) -> Cost:
    """Cost of a step, the best of several processes."""
    return best(times, lambda: python(code, *arguments, env=ONE))


def beside(name: str, naive: Cost, ours: Cost) -> str:
    """The naive way's cost, and how many times ours it is."""
    ratio = naive.cpu_s / ours.cpu_s
    return f"{name} {naive.cpu_s:.1f} s, {naive.peak_mib:,.0f} MiB: {ratio:.1f}x"


MINUTE = """
import sys; from pathlib import Path
from scripts.lake.build_minute_bars import build
s = Path(sys.argv[2])
build(file=Path(sys.argv[1]), dataset=sys.argv[3], date="2025-09-03", max_quarantined_share=0.01,
      out=s / "part.parquet", quarantine=s / "q.parquet", reconcile=s / "r.json")
"""
MINUTE_NAIVE = """
import sys, pandas
frame = pandas.read_csv(sys.argv[1])
frame["timestamp"] = pandas.to_datetime(frame["window_start"], utc=True)
frame["date"] = frame["timestamp"].dt.tz_convert("America/New_York").dt.date
frame.sort_values(["ticker", "timestamp"]).to_parquet(sys.argv[2] + "/naive.parquet")
"""
ENRICH = """
import sys; from pathlib import Path
from scripts.lake.build_stocks_minute import build
s = Path(sys.argv[2])
build(bars=Path(sys.argv[1]), universe=[], date="2025-09-03", close="16:00",
      out=s / "gold.parquet", sessions=s / "sessions.parquet")
"""
ENRICH_NAIVE = """
import sys, pandas
f = pandas.read_parquet(sys.argv[1])
f["minute_return"] = (f["close"] - f["open"]) / f["open"]
f["spread"] = (f["high"] - f["low"]) / f["close"]
f["typical_price"] = (f["high"] + f["low"] + f["close"]) / 3
f["avg_trade_size"] = f["volume"] / f["transactions"].where(f["transactions"] > 0)
clock = f["timestamp"].dt.tz_convert("America/New_York").dt
minute = clock.hour * 60 + clock.minute
f["is_regular"] = (minute >= 570) & (minute < 960)
r = f[f["is_regular"]]
money = (r["typical_price"] * r["volume"]).groupby(r["symbol"]).cumsum()
f["session_vwap"] = money / r["volume"].groupby(r["symbol"]).cumsum()
f.to_parquet(sys.argv[2] + "/naive.parquet")
"""
LAND = """
import sys; from pathlib import Path
from scripts.lake.landing import inspect
inspect(Path(sys.argv[1]), "file")
"""


def minutes(scratch: Path) -> Iterator[str]:
    """Landing check, bronze and gold of a day's minutes."""
    for name, make in (("stocks", market.stocks_minute), ("options", market.options_minute)):
        frame = make(DAY)
        file = market.write(frame, scratch / f"{name}.csv.gz")
        size = f"{frame.height:,} rows, {file.stat().st_size / 2**20:.0f} MiB gz"
        yield line(f"{name}_minute, check of a landed file", step(LAND, file), size)
        ours = step(MINUTE, file, scratch, f"{name}_minute")
        if name == "options":
            yield line("options_minute, landing -> bronze", ours)
            continue
        naive = step(MINUTE_NAIVE, file, scratch, times=1)
        ratio = beside("pandas", naive, ours)
        yield line("stocks_minute, landing -> bronze", ours, ratio)
        bronze = scratch / "stocks_minute.parquet"
        (scratch / "part.parquet").rename(bronze)
        ours, naive = step(ENRICH, bronze, scratch), step(ENRICH_NAIVE, bronze, scratch, times=1)
        ratio = beside("pandas", naive, ours)
        yield line("stocks_minute, enrichment", ours, ratio)


def daily_frame(days: list[str]) -> pl.DataFrame:
    """Bronze daily bars of 11k stocks that walk over `days`, in bronze's columns."""
    names = market.symbols()
    rng = np.random.default_rng(7)
    walk = np.exp(np.cumsum(rng.normal(0, 0.02, (len(days), len(names))), axis=0))
    close = np.round(rng.uniform(2, 400, len(names)) * walk, 2)
    opened = np.round(close * np.exp(rng.normal(0, 0.01, close.shape)), 2)
    stamps = [market.clock(date.fromisoformat(day), 0) for day in days]
    dates = pl.Series([date.fromisoformat(day) for day in days])
    count = len(names)
    return pl.DataFrame(
        {
            "symbol": np.tile(names, len(days)),
            "timestamp": pl.Series(np.repeat(stamps, count)).cast(pl.Datetime("ns", "UTC")),
            "open": opened.ravel(),
            "high": np.maximum(opened, close).ravel(),
            "low": np.minimum(opened, close).ravel(),
            "close": close.ravel(),
            "volume": rng.integers(100, 10**7, close.size).astype(float),
            "transactions": pl.Series(rng.integers(1, 10**5, close.size)).cast(pl.UInt32),
            "date": dates.gather(np.repeat(np.arange(len(days)), count)),
        }
    ).with_columns(month=pl.col("date").dt.strftime("%Y-%m"))


def write_months(frame: pl.DataFrame, folder: Path) -> list[Path]:
    """Month partitions of a frame, sorted by symbol and date."""
    files = []
    for (month,), part in (
        frame.sort("month", "symbol", "date")
        .partition_by("month", as_dict=True, maintain_order=True)
        .items()
    ):
        files.append(folder / f"month={month}" / "part.parquet")
        tables.write(part, files[-1])
    return files


DAILY = """
import sys; from pathlib import Path
from scripts.lake.build_stocks_daily import build
*bars, adjustments, month, out = sys.argv[1:]
build(bars=[Path(b) for b in bars], adjustments=Path(adjustments), session_bars=[], fundamentals=[],
      universe=[], month=month, out=Path(out))
"""
FACTORS = """
import sys; from pathlib import Path
from scripts.lake.build_alpha158 import build
*bars, month, out = sys.argv[1:]
build(bars=[Path(b) for b in bars], month=month, out=Path(out))
"""
EXPORT = """
import json, sys; from pathlib import Path
from scripts.lake.export_qlib import build
*bars, provenance, manifest = sys.argv[1:]
build(bars=[Path(b) for b in bars], provenance=Path(provenance), keep=1, manifest=Path(manifest))
"""
EXPORT_NAIVE = """
import sys; from pathlib import Path
import numpy as np, pandas
*bars, count, out = sys.argv[1:]
names = pandas.read_parquet(bars[0], columns=["symbol"])["symbol"].unique()[: int(count)]
for name in names:  # as the peer: every symbol reads every file
    parts = [pandas.read_parquet(bar) for bar in bars]
    frame = pandas.concat([part[part["symbol"] == name] for part in parts])
    folder = Path(out) / name
    folder.mkdir(parents=True)
    for field in ("open", "high", "low", "close", "volume", "vwap", "split_factor", "returns_1d",
                  "transactions", "total_return_factor", "volatility_20d", "volume_ratio_20d"):
        np.r_[0, frame[field]].astype("<f4").tofile(folder / f"{field}.day.bin")
"""


def total(costs: list[Cost]) -> Cost:
    """Several processes one after the other."""
    wall, cpu = (sum(getattr(cost, name) for cost in costs) for name in ("wall_s", "cpu_s"))
    return Cost(wall, cpu, max(cost.peak_mib for cost in costs))


def daily(scratch: Path) -> Iterator[str]:
    """Enrichment, factors and Qlib export of a year of daily bars; memory over its length."""
    frame = daily_frame(YEAR)
    bronze = write_months(frame, scratch / "bronze")
    adjustments = scratch / "adjustments.parquet"
    events = frame.filter(pl.col("date") == pl.col("date").max()).select("symbol", "date")
    factors = {"split_factor": pl.lit(0.5), "total_return_factor": pl.lit(0.49)}
    tables.write(events.gather_every(20).with_columns(**factors), adjustments)
    costs, gold = [], []
    for place, file in enumerate(bronze):
        month = file.parent.name.removeprefix("month=")
        gold.append(scratch / "gold" / file.parent.name / "part.parquet")
        months = bronze[max(0, place - 2) : place + 1]
        costs.append(python(DAILY, *months, adjustments, month, gold[-1], env=ONE))
    size = f"{frame.height:,} rows, {len(bronze)} month jobs one after the other"
    yield line("stocks_daily, enrichment of 250 days", total(costs), size)
    yield line("stocks_daily, one month job", costs[-2], f"the first {costs[0].peak_mib:,.0f} MiB")
    month = gold[-2].parent.name.removeprefix("month=")
    cost = step(FACTORS, *gold[-6:-1], month, scratch / "alpha.parquet", times=1)
    yield line("alpha158, one month job", cost)
    provenance = scratch / "provenance.json"
    provenance.write_text(
        '{"version": "bench", "config_hash": "", "simulated": true, "sources": []}'
    )
    cost = step(EXPORT, *gold, provenance, scratch / "qlib/manifest.json", times=1)
    naive = step(EXPORT_NAIVE, *gold, NAIVE_SYMBOLS, scratch / "naive", times=1)
    symbols = frame["symbol"].n_unique()
    slow = naive.cpu_s / NAIVE_SYMBOLS * symbols
    note = f"{symbols:,} symbols; naive {slow / 3600:.1f} CPU-h (from {NAIVE_SYMBOLS} of them)"
    yield line("Qlib export of 250 days, 12 fields", cost, note)
    cost = step(EXPORT, *gold[-3:], provenance, scratch / "short/manifest.json", times=1)
    yield line("Qlib export of the last three months", cost, "memory: of a chunk of symbols")


def options(scratch: Path) -> Iterator[str]:
    """Bronze and gold of a month of daily bars of options."""
    days = [day for day in YEAR if day.startswith("2025-08")]
    files = [
        market.write(market.options_daily(date.fromisoformat(day)), scratch / f"o/{day}.csv.gz")
        for day in days
    ]
    code = """
import sys; from pathlib import Path
from scripts.lake.build_daily_bars import build
*files, dates, out = sys.argv[1:]
s = Path(out)
build(files=[Path(f) for f in files], dataset="options_daily", month="2025-08",
      dates=dates.split(","), max_quarantined_share=0.01,
      out=s / "part.parquet", quarantine=s / "q.parquet", reconcile=s / "r.json")
"""
    folder = scratch / "month=2025-08"
    folder.mkdir()
    cost = step(code, *files, ",".join(days), folder, times=1)
    yield line("options_daily, a month's landing -> bronze", cost, f"{len(days)} x 250k rows")
    code = """
import sys; from pathlib import Path
from scripts.lake.build_options_daily import build
build(bars=[Path(sys.argv[1])] * 1, stocks=[], universe=[], month="2025-08", out=Path(sys.argv[2]))
"""
    cost = step(code, folder / "part.parquet", scratch / "options.parquet", times=1)
    yield line("options_daily, enrichment of a month", cost)


def plans(scratch: Path) -> Iterator[str]:
    """Dry runs: one day, and ten years with nothing there yet."""
    last = date(2025, 9, 5)
    windows = {
        "one day": {"as_of": f"{last}", "days_back": 0},
        "ten years": {"as_of": f"{last}", "start": f"{last - timedelta(days=3652)}"},
    }
    for name, lake in windows.items():
        overlay = scratch / "plan.yaml"
        overlay.write_text(yaml.safe_dump({"run": "bench-plan", "lake": lake}))
        command = [sys.executable, "-m", "snakemake", "--dry-run", "--logger", "almanac"]
        command += ["--configfile", str(overlay), "--", "lake"]
        log = scratch / "plan.log"
        cost = run(["bash", "-c", f'exec "$@" > {log} 2>&1', "-", *command])
        jobs = int(re.search(r"^total +(\d+)", log.read_text(), re.M)[1])
        yield line(
            f"plan of {name}", cost, f"{jobs:,} jobs, {cost.cpu_s / jobs * 1e3:.2f} ms a job"
        )


def main() -> None:
    """Print every figure."""
    print(
        f"lake: {os.cpu_count()} cores, polars {pl.__version__}; whole processes, one thread each"
    )
    for part in (minutes, daily, options, plans):
        with tempfile.TemporaryDirectory() as name:
            for figure in part(Path(name)):
                print(figure, flush=True)


if __name__ == "__main__":
    main()

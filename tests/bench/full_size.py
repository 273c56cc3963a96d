"""Input of full size for each domain, and the project's own rules run over it in a copy.

Real data are taken from $ALMANAC_REAL_DATA where they are larger than what a package or a simulator
gives. A function of `SIZES` takes an empty folder and gives the project in it, run to its end.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import yaml

from tests.bench import market
from tests.bench.measure import ROOT
from tests.bench.weekly import mappings_of
from tests.bench.weekly import market as daily_bars
from tests.plans import CALENDAR
from tests.workflow.project import Project, copy_project

LIMIT_S = 3600  # a few minutes on two cores of one's own
# A command line's limits take the place of all of the profile's.
LIMITS = ("--resources", "mem_mb=8000", "s3=4", "api=8", "http=4", "db=2", "gpu=1")
DAYS = CALENDAR.between("2025-04-01", "2025-08-29")  # factors look back four months
OPTION_DAYS = [day for day in DAYS if day >= "2025-06-01"]  # returns of options two
SYMBOLS, BARS = 5000, 2500  # of the weekly features
TICK_SESSIONS = 136  # as many as the real events have
GRID = {
    "max_depth": [9],
    "learning_rate": [0.05],
    "rounds": [100, 300, 500],
    "subsample": [0.8],
    "colsample_bytree": [0.7, 0.9],
}


def real(place: str) -> Path | None:
    """A folder of the real data, if there is one."""
    top = os.environ.get("ALMANAC_REAL_DATA")
    return Path(top).resolve() / place if top else None


def config(name: str = "config/config.yaml") -> dict:
    """A config of the project's own: the demo's, or a preset."""
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def alone(**sections: Mapping) -> dict:
    """A config of some sections, all other domains switched off."""
    off = {"lake": {"datasets": []}, "warehouse": {"server": None}}
    return {"run": "full", **off, **sections}


def run(project: Project, *targets: str) -> Project:
    """Build targets; raises with the end of the output when that fails."""
    project.run(*LIMITS, "--", *targets, check=True, timeout=LIMIT_S)
    return project


def lake(top: Path) -> Project:
    """Five months of 11k stocks, three of 250k options, and a day of minutes of both."""
    vendor = top / "vendor"
    for days, dataset, make in (
        (DAYS, "stocks_daily", market.stocks_daily),
        (OPTION_DAYS, "options_daily", market.options_daily),
        (DAYS[-1:], "stocks_minute", market.stocks_minute),
        (DAYS[-1:], "options_minute", market.options_minute),
    ):
        for day in days:
            path = vendor / dataset / day[:4] / day[5:7] / f"{day}.csv.gz"
            market.write(make(date.fromisoformat(day)), path)
    missing = [f"options_daily/{day}" for day in DAYS if day not in OPTION_DAYS]
    missing += [f"{kind}_minute/{day}" for kind in ("stocks", "options") for day in DAYS[:-1]]
    section = {
        "start": DAYS[0],
        "end": DAYS[-1],
        "as_of": DAYS[-1],
        "adopt": str(vendor),
        "known_missing": missing,
        "datasets": [
            *("options_daily", "options_minute", "stocks_daily", "stocks_minute"),
            *("actions", "financials", "ratios"),
        ],
    }
    return run(copy_project(top, alone(lake=section)), "lake")


def ticks(top: Path) -> Project:
    """Four securities over 136 sessions: a workbook, and the real events, with all sweeps."""
    section = {**config()["ticks"], "benchmark": True}
    simulator = {"sessions": TICK_SESSIONS, "rows_per_session": 2500}
    project = copy_project(top, alone(ticks={**section, "simulator": simulator}))
    run(project, "ticks")
    if events := real("ticks/parquet"):
        found = {**alone(ticks={**section, "parquet_dir": str(events)}), "run": "real"}
        project.write_config("config/config.yaml", found)
        run(project, "ticks")
    return project


def weekly(top: Path) -> Project:
    """Ten years of 5,000 symbols."""
    bars, mappings = top / "daily.parquet", top / "mappings.csv"
    frame = daily_bars(SYMBOLS, BARS)
    frame.write_parquet(bars, compression_level=1)
    mappings_of(frame).write_csv(mappings)
    section = {**config()["weekly"], "input": str(bars), "mappings": str(mappings)}
    return run(
        copy_project(top, alone(weekly={**section, "batches": 4, "plots": ["SPY"]})), "weekly"
    )


def games() -> dict:
    """All seasons there are: 27 real ones of files, else those of the package."""
    if folder := real("nfl"):
        section = config("config/presets/nfl_files.yaml")["nfl"]
        return {**section, "folder": str(folder), "first_test": 2023, "grid": GRID}
    return {**config()["nfl"], "seasons": {}, "grid": GRID}


def nfl(top: Path) -> Project:
    """All seasons, tested on the last ones: those have the most to learn from."""
    return run(copy_project(top, alone(nfl=games())), "nfl", "grid")


def warehouse(top: Path) -> Project:
    """All seasons loaded, a migration tried on copies of environments, a backup restored."""
    project = copy_project(top, alone(nfl=games(), warehouse={}))
    return run(project, "warehouse", "migration_test", "backup")


def demo(top: Path) -> Project:
    """The demo as it is, with its book, the test of a migration and a backup."""
    return run(copy_project(top), "all", "migration_test", "backup")


SIZES: dict[str, Callable[[Path], Project]] = {
    "lake": lake,
    "ticks": ticks,
    "weekly": weekly,
    "nfl": nfl,
    "warehouse": warehouse,
    "demo": demo,
}


@contextmanager
def servers_gone(top: Path) -> Iterator[None]:
    """Remove the data of servers that could not lie below a folder, and stand in a link."""
    try:
        yield
    finally:
        for data in top.glob("**/warehouse/server/data"):
            if data.is_symlink():
                shutil.rmtree(data.resolve().parent, ignore_errors=True)

"""What the lake's workflow tests share: a small lake, and how its files are looked at."""

from __future__ import annotations

import copy
from collections import Counter
from pathlib import Path
from subprocess import CompletedProcess

import polars as pl

from tests.workflow.project import TINY, Project

SESSIONS = ["2025-08-29", "2025-09-02", "2025-09-03"]  # a month's end and a holiday between
KEYS = ("dataset", "event_type", "date", "month", "week", "quarter")
LOOK_BACK = {"financials": 0, "news": 0, "ratios": 0, "shorts": 0}
SMALL = {
    **TINY,
    "run": "small",
    "lake": {
        "as_of": SESSIONS[-1],
        "days_back": 5,
        "universe": "config/universe/tickers.csv",
        "max_quarantined_share": 0.05,
        "look_back": LOOK_BACK,
    },
}


def small(**lake: object) -> dict:
    """The small lake's config with some keys of its section set."""
    config = copy.deepcopy(SMALL)
    config["lake"] |= lake
    return config


def lake_of(project: Project, run: str = "small") -> Path:
    """The lake's folder in a copy of the project."""
    return project.results / run / "lake"


def ran(project: Project, result: CompletedProcess) -> Counter:
    """Rule -> jobs that `result` finished, without the targets."""
    return Counter(rule for rule, _ in project.jobs_run(result) if "_" in rule)


def keys_run(project: Project, result: CompletedProcess, rule: str) -> list[str]:
    """Dataset and key of the finished jobs of a rule, sorted."""
    jobs = [w for name, w in project.jobs_run(result) if name == rule]
    named = [[w[key] for key in KEYS if key in w] for w in jobs]
    return sorted(map(" ".join, named))


def read(project: Project, place: str, run: str = "small") -> pl.DataFrame:
    """All partitions below a place of the lake (`gold/stocks_daily`), in order of their keys."""
    files = sorted((lake_of(project, run) / place).rglob("part.parquet"))
    assert files, f"no partition below {place}"
    return pl.concat([pl.read_parquet(file, hive_partitioning=False) for file in files])

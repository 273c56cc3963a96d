"""Plans of the domains from the project's own config and schema, for tests and benchmarks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import yaml

from scripts.plan import settings
from scripts.plan.calendar import Calendar
from scripts.plan.lake import LakePlan
from scripts.plan.ticks import TickPlan

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = yaml.safe_load((ROOT / "config/schema.yaml").read_text())
CALENDAR = Calendar(ROOT / "config/calendars/XNYS.csv")
NOW = datetime(2025, 9, 12, 12, tzinfo=UTC)  # before 11:00 in New York


def demo_plan(**ticks: object) -> TickPlan:
    """The demo's plan with some keys of its `ticks` section set; works from any folder."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config["ticks"] |= ticks
    section = settings.complete(config, SCHEMA)["ticks"]
    section["securities_table"] = str(ROOT / section["securities_table"])
    return TickPlan(section, ROOT)


def lake_plan(folder: Path, **lake: object) -> LakePlan:
    """The plan of a lake in `folder` at `NOW`, with the schema's defaults."""
    section = settings.complete({"lake": lake}, SCHEMA)["lake"]
    return LakePlan(section, folder, CALENDAR, NOW)


def land(folder: Path, dataset: str, *days: str) -> None:
    """Put empty landed files where the lake's plan looks for them."""
    for day in days:
        path = folder / "landing" / dataset / day[:4] / day[5:7] / f"{day}.csv.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def put(folder: Path, place: str) -> None:
    """Put an empty partition at `place` of a lake (`bronze/news/date=2025-09-08`)."""
    path = folder / place / "part.parquet"
    path.parent.mkdir(parents=True)
    path.touch()

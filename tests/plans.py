"""The tick plan of the project's own config, for tests and benchmarks."""

from __future__ import annotations

from pathlib import Path

import yaml

from scripts.plan import settings
from scripts.plan.ticks import TickPlan

ROOT = Path(__file__).resolve().parents[1]


def demo_plan(**ticks: object) -> TickPlan:
    """The demo's plan with some keys of its `ticks` section set; works from any folder."""
    schema = yaml.safe_load((ROOT / "config/schema.yaml").read_text())
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config["ticks"] |= ticks
    section = settings.complete(config, schema)["ticks"]
    section["securities_table"] = str(ROOT / section["securities_table"])
    return TickPlan(section, ROOT)

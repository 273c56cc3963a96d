"""Blows that once were not survived, played first by every torture; see regressions.csv."""

from __future__ import annotations

import csv
import importlib
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.torture.reader import play
from tests.torture.tally import Case
from tests.torture.world import World

LIST = Path(__file__).with_name("regressions.csv")
MODULES = {  # of the kinds that are played without a built project, but for malformed inputs
    "S3 faults": "network",
    "REST faults": "network",
    "HTTP faults": "network",
    "PostgreSQL faults": "postgres",
}
RUNS = {  # of the kinds that strike a built project: module, function
    "corrupted files": ("damage", "case"),
    "two runs at once": ("twice", "case"),
    "clock changes": ("clocks", "case"),
    "read-only results": ("disks", "read_only"),
    "full disk": ("disks", "full"),
    "kill -9": ("kills", "case"),
}


class Regression(NamedTuple):
    """A row of the list; name: of a reader, or of the case."""

    kind: str
    name: str
    seed: int
    wrong: str  # what was wrong


def listed() -> list[Regression]:
    """The rows of the list."""
    with LIST.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return [Regression(r["kind"], r["name"], int(r["seed"]), r["wrong"]) for r in rows]


def of_run(kind: str, world: World | None, seed: int) -> Case:
    """A blow at the built project."""
    module, function = RUNS[kind]
    return getattr(importlib.import_module(f"tests.torture.{module}"), function)(world, seed)


def case_of(row: Regression, world: World | None = None) -> Case:
    """The blow of a row, struck again at the same place; `world` for one of `RUNS`.

    Raises:
        KeyError: there is no such kind or reader any more.
    """
    if row.kind in MODULES:
        module = importlib.import_module(f"tests.torture.{MODULES[row.kind]}")
        return module.case_of(row.kind, row.name, row.seed)
    if row.kind in RUNS:
        return of_run(row.kind, world, row.seed)
    domain = row.kind.removeprefix("malformed ")
    readers = importlib.import_module(f"tests.torture.read_{domain}").READERS
    found = {reader.name: reader for reader in readers}[row.name]
    return Case(row.kind, f"{row.name}: {row.wrong}", row.seed, partial(play, found, row.seed))

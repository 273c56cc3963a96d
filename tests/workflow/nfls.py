"""What the NFL domain's workflow tests share: a tiny domain, and how its files are looked at."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from subprocess import CompletedProcess

from tests.workflow.project import TINY, Project

GRID = {
    "max_depth": [2, 3],
    "learning_rate": [0.1],
    "rounds": [5, 10, 20],
    "subsample": [0.8],
    "colsample_bytree": [0.7, 0.9],
}
NFL = {
    "sources": {
        "schedules": "gamecenter",
        "pbp": "gamecenter",
        "odds": "simulator",
        "weather": "simulator",
        "players": "gamecenter",
    },
    "seasons": {"first": 2015, "last": 2018},
    "first_test": 2017,
    "feature_sets": {"football": ["form", "rating"], "market": ["form", "weather", "market"]},
    "models": ["glm", "state_space"],
    "calibrations": ["none", "platt"],
    "draws": 100,
    "grid": GRID,
}


def tiny(**nfl: object) -> dict:
    """The tiny domain's config; keys of its section replaced, those of `sources`, `grid` laid over."""
    section = copy.deepcopy(NFL)
    for key, value in nfl.items():
        whole = key in ("sources", "grid")
        section[key] = {**section[key], **value} if whole else value
    return {**TINY, "nfl": section}


def nfl_of(project: Project) -> Path:
    """The domain's folder in a copy of the project."""
    return project.results / "tiny" / "nfl"


def ran(project: Project, result: CompletedProcess) -> Counter:
    """Rule -> jobs that `result` finished, without the targets."""
    return Counter(rule for rule, _ in project.jobs_run(result) if "_" in rule)


def season_jobs(project: Project, result: CompletedProcess) -> set[tuple[str, str]]:
    """(rule without `nfl_`, season) of the finished jobs of one season; models with their family."""
    found = set()
    for rule, wildcards in project.jobs_run(result):
        if "season" in wildcards:
            name = " ".join(filter(None, [rule.removeprefix("nfl_"), wildcards.get("model")]))
            name = " ".join(filter(None, [name, wildcards.get("dataset")]))
            found.add((name, wildcards["season"]))
    return found


def other_jobs(project: Project, result: CompletedProcess) -> set[str]:
    """Rules without `nfl_` of the finished jobs that are of no season."""
    jobs = project.jobs_run(result)
    return {r.removeprefix("nfl_") for r, w in jobs if "_" in r and "season" not in w}


def expected(names: Iterable[str], *seasons: int) -> set[tuple[str, str]]:
    """Each of the rules for each of the seasons."""
    return {(name, str(season)) for name in names for season in seasons}

"""`make check`: is this machine able to run what is configured; nothing runs, nothing is written.

python -m scripts.control.check <arguments of snakemake: --configfile, --config, ...>
"""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from snakemake_logger_plugin_almanac import lock

from scripts.control import credentials, engines, machine
from scripts.control.configured import configured, options
from scripts.control.finding import Finding
from scripts.errors import DataError
from scripts.job import environment
from scripts.plan.calendar import Calendar
from scripts.plan.estimate import LANDED, WRITTEN
from scripts.plan.lake import FLAT, LakePlan
from scripts.report.history import read_runs

COLUMNS = ("what", "found", "needed for", "verdict")
FLOOR_MB = 500  # what the smallest job asks for, as in rules/common.smk
ROOM_MB = 1000  # free disk that any run should have
COUNTING_S = 0.3
CLOCK_S = 60  # that a clock may step back


def main(arguments: Sequence[str]) -> int:
    """Print what is there and what is missing; return the exit status."""
    try:
        config = configured(arguments)
        found = list(findings(config, Path(options(arguments).workflow_profile).name))
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(*table(found), sep="\n")
    print()
    missing = [line for line in found if line.missing]
    for use in dict.fromkeys(line.use for line in missing):
        names = ", ".join(line.what for line in missing if line.use == use)
        fixes = dict.fromkeys(line.fix for line in missing if line.use == use)
        print(f"missing for {use}: {names}: {'; '.join(fixes)}")
    if missing:
        return 1
    print(f"this machine can run the configured workflow (run {config['run']})")
    return 0


def findings(config: Mapping, profile: str) -> Iterator[Finding]:
    """All that is looked for, in the order of the table.

    Args:
        config: completed.
        profile: name of the workflow profile, empty for the default one.

    Raises:
        DataError: the lake's window makes no sense.
    """
    results = Path("results", config["run"])
    yield from engines.findings(config, environment(), profile)
    yield from _machine(config, results)
    yield from _folder(results)
    yield from credentials.findings(config, environment(), profile, Path.home())


def _machine(config: Mapping, results: Path) -> Iterator[Finding]:
    able = machine.cores()
    fix = "give this process a whole core"
    yield Finding("cores", f"{able:g}", "all", fix, there=able >= 1)
    rule, need = largest(config, results)
    memory = machine.memory_mb()
    yield Finding(
        "memory",
        machine.size(memory),
        f"{rule} ({machine.size(need)})" if rule else "unknown before the first run",
        f"{machine.size(need)} are asked for; raise the limit of memory, or take smaller batches",
        there=memory >= need,
    )
    held, room = machine.held_mb(results, COUNTING_S), to_land_mb(config["lake"], results)
    need, free = ROOM_MB + max(room, (held or 0.0) / 10), machine.free_mb(results)
    has = f"; {results} holds {machine.size(held)}" if held is not None else ""
    yield Finding(
        "free disk",
        machine.size(free) + has,
        f"results (about {machine.size(need)})",
        f"free {machine.size(need - free)}, or let results be a link to a larger disk",
        there=free >= need,
    )
    now = time.time()
    newest = max((results / "events").glob("*.jsonl"), default=None)
    behind = machine.clock_behind_s(newest, now)
    fix = f"set the clock: the newest recorded run is {behind:.0f} s ahead of it"
    yield Finding("clock", machine.clock(now), "all", fix, there=behind <= CLOCK_S)


def _folder(results: Path) -> Iterator[Finding]:
    """Where the project lies, whether it can be written to, and whether a run is going on."""
    for place in (results, Path(".snakemake")):
        why = machine.why_not_writable(place)
        fix = f"{why}; make {place} writable for this user"
        yield Finding(f"writing to {place}", why or "possible", "all", fix, there=not why)
    odd = machine.special(f"{sys.executable}{Path().absolute()}")
    fix = "move the project (and its .venv) to a folder without special characters in its path"
    found = f"has {odd!r}" if odd else "plain"
    yield Finding("path of the project", found, "all", fix, there=not odd)
    here = Path()
    going = lock.has_locks(here) and lock.recorded_run_alive(here)
    locked = lock.has_locks(here) and not going
    found = "a run is going on" if going else "locked by a killed run" if locked else "none"
    fix = lock.locked_line(here) if going else ""
    yield Finding("another run", found, "a free folder", fix, there=not going)


def largest(config: Mapping, results: Path) -> tuple[str, float]:
    """The rule that asks for the most memory in the last recorded runs, and how much in MB.

    A batch of the weekly features may take what config says. Before the first run nothing is known
    of the others, and the rule is empty.
    """
    asked = {"": float(FLOOR_MB)}
    if config["weekly"]["input"]:
        asked["weekly_build_features"] = float(config["weekly"]["memory_limit_mb"])
    for run in read_runs(results / "events", 2):
        for job in run.jobs:
            asked[job.rule] = max(asked.get(job.rule, 0.0), job.mem_mb or 0.0)
    return max(asked.items(), key=lambda item: item[1])


def to_land_mb(lake: Mapping, results: Path) -> float:
    """Disk that the days of a real market which are still to land will take, in MB."""
    if lake["vendor"] == "simulator" or "landing" in lake["skip"]:
        return 0.0
    calendar = Calendar(Path("config", "calendars", "XNYS.csv"))
    plan = LakePlan(lake, results / "lake", calendar, datetime.now(UTC))
    days = {name: set(plan.days(name)) - plan.landed(name) for name in FLAT}
    mib = sum((LANDED[name] + WRITTEN[name]) * len(new) for name, new in days.items())
    return mib * 2**20 / 1e6


def table(found: Sequence[Finding]) -> list[str]:
    """The findings as lines of equal columns."""
    rows = [COLUMNS, *((f.what, f.found, f.use, f.verdict) for f in found)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS) - 1)]
    return [
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

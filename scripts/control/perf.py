"""`make perf`: what the rules of the last runs cost, and which became slower."""

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

from scripts.control.screen import UNKNOWN, console, count, seconds, table
from scripts.errors import DataError
from scripts.report.history import Run, read_runs
from scripts.report.schedule import figures
from scripts.report.trends import LEAST_EARLIER, compare

COLUMNS = ("rule", "device", "jobs", "median", "total", "CPU use", "peak MiB", "asked MB", "failed")


def main(arguments: Sequence[str]) -> int:
    """Print a table of the rules, then the verdict; return the exit status."""
    given = _parser().parse_args(arguments)
    try:
        runs = recorded(given.events, given.last)
        rows = of_rule(compare(runs), given.rule)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    screen = console()
    screen.print(headline(runs, given.events), soft_wrap=True)
    screen.print(orchestration(runs[-1]), soft_wrap=True)
    screen.print(table(COLUMNS, map(cells, rows), left=2))
    if given.rule:
        for row in rows:
            screen.print(history(row, runs))
    for line in verdict(rows):
        screen.print(line, soft_wrap=True)
    return 0


def recorded(events: Path, last: int) -> list[Run]:
    """The last runs that were recorded in a folder, oldest first.

    Raises:
        DataError: there are none; which runs have some.
    """
    if runs := read_runs(events, last):
        return runs
    others = sorted(path.parent.name for path in Path("results").glob("*/events"))
    known = f"; recorded: {', '.join(others)} (RUN=...)" if others else "; run make first"
    raise DataError(f"{events}: no run is recorded there{known}")


def of_rule(rows: list[dict], rule: str | None) -> list[dict]:
    """The rows of one rule, or all.

    Raises:
        DataError: no such rule has run; which is near.
    """
    found = [row for row in rows if rule in (None, row["rule"])]
    if rule and not found:
        near = get_close_matches(rule, {row["rule"] for row in rows}, n=1)
        raise DataError(
            f"no run has a rule {rule}" + (f"; did you mean {near[0]}?" if near else "")
        )
    return found


def headline(runs: Sequence[Run], events: Path) -> str:
    """Which runs are told of."""
    first, newest = (_local(run.started) for run in (runs[0], runs[-1]))
    span = first if len(runs) == 1 else f"{first} to {newest}"
    lost = sum(run.unreadable for run in runs)
    unread = f"; {count(lost, 'line')} cannot be read" if lost else ""
    return f"{count(len(runs), 'run')} in {events}, {span}{unread}"


def orchestration(run: Run) -> str:
    """How near the newest run came to the least time it could have taken (`schedule.figures`)."""
    found = figures(run)
    wall_s, bound_s = found["wall_s"], found["bound_s"]
    took = f"newest run: {count(len(run.jobs), 'job')} in {seconds(wall_s)}"
    if not (run.cores and wall_s and bound_s):
        return took
    parts = f"work / {count(run.cores, 'core')} {seconds(found['work_s'] / run.cores)}"
    if found["cpu_s"]:
        parts += f", of it CPU {seconds(found['cpu_s'] / run.cores)}"
    parts += f", critical path {seconds(found['critical_s'])}"
    return f"{took}, {wall_s / bound_s:.2f} times the least possible ({parts})"


def cells(row: dict) -> list[str]:
    """A rule's row of the table."""
    use, ratio = row["cpu_use"], row["mem_ratio"]
    asked = _whole(row["mem_mb"]) + (f" ({ratio:.1f}x)" if ratio else "")
    return [
        row["rule"],
        row["device"],
        str(row["jobs"]),
        seconds(row["median_s"]),
        seconds(row["total_s"]),
        f"{use:.0%}" if use is not None else UNKNOWN,
        _whole(row["peak_mib"]),
        asked,
        str(row["failed"] or ""),
    ]


def history(row: dict, runs: Sequence[Run]):
    """A rule's table of runs, oldest first."""
    started = {run.id: _local(run.started) for run in runs}
    rows = [
        [
            f"{row['rule']} ({row['device']}), {started[past['run']]}",
            str(past["jobs"]),
            seconds(past["median_s"]),
            seconds(past["total_s"]),
            _whole(past["peak_mib"]),
        ]
        for past in row["history"]
    ]
    return table(("run", "jobs", "median", "total", "peak MiB"), rows)


def verdict(rows: Sequence[dict]) -> list[str]:
    """Which rules became slower, with the numbers; which ask for less memory than they take."""
    lines = [
        f"memory: {row['rule']} took {row['peak_mib']:.0f} MiB and asks for {row['mem_mb']:.0f} MB"
        for row in rows
        if row["mem_ratio"] is not None and row["mem_ratio"] < 1
    ]
    slower = [row for row in rows if row["trend"] == "slower"]
    lines += [_slower(row) for row in sorted(slower, key=lambda r: r["before_s"] - r["now_s"])]
    if not slower:
        unknown = sum(row["trend"] is None for row in rows)
        why = f" ({unknown} of {len(rows)} have fewer than {LEAST_EARLIER} earlier jobs to compare)"
        lines.append("no rule got slower" + (why if unknown else ""))
    return lines


def _slower(row: dict) -> str:
    times = "" if row["change"] is None else f"{row['change']:.1f}x "
    device = " on gpu" if row["device"] == "gpu" else ""
    numbers = f"{seconds(row['before_s'])} -> {seconds(row['now_s'])}"
    runs = count(row["earlier_runs"], "earlier run")
    return f"slower: {row['rule']}{device} {times}({numbers}, {runs})"


def _whole(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.0f}"


def _local(started: float) -> str:
    return datetime.fromtimestamp(started).astimezone().strftime("%Y-%m-%d %H:%M")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make perf", description=__doc__, allow_abbrev=False)
    parser.add_argument("events", type=Path, help="folder of events: results/<run>/events")
    parser.add_argument("--last", type=_positive, default=10, help="how many runs (10)")
    parser.add_argument("--rule", help="only this rule, run by run")
    return parser


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

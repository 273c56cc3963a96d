"""`make plan`: what would run, why, and what it would cost; nothing runs.

    python -m scripts.control.plan [--why FILE_OR_RULE] [--last N] <arguments of snakemake>

--why: from the jobs that make this file, or of this rule, back to the causes. --last: recorded
runs that the cost is estimated by (10).
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import takewhile
from pathlib import Path

from rich.console import Console
from snakemake_logger_plugin_almanac.run import plain

from scripts.control.cost import Cost, estimate
from scripts.control.dry_run import DryRunError, Plan, PlannedJob, dry_run
from scripts.control.origins import Group, causes, chains, find, groups, link
from scripts.control.reasons import Cause
from scripts.control.screen import console, count, seconds, some
from scripts.errors import DataError
from scripts.job import environment
from scripts.plan.fingerprint import fingerprint
from scripts.report.history import Run, read_runs

ROOT = Path(__file__).resolve().parents[2]
MOST_GROUPS = 8
MOST_RULES = 6
MOST_CHAINS = 6
OWN = {"--why": "", "--last": "10"}


def main(arguments: Sequence[str]) -> int:
    """Print the plan; return the exit status, Snakemake's own where it cannot plan."""
    try:
        own, given = split(arguments)
        last = _number(own["--last"])
        plan = dry_run(given, environment())
    except DryRunError as error:
        sys.stdout.write(error.out)
        sys.stdout.flush()
        sys.stderr.write(error.err)
        return error.status
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(*plan.notes, sep="\n", end="\n" if plan.notes else "", file=sys.stderr)
    runs = read_runs(events_of(plan), last) if plan.jobs else []
    why = causes(plan, code_of(ROOT), outputs(runs))
    screen = console()
    if own["--why"]:
        tell_why(screen, plan, why, own["--why"])
        return 0
    tell_causes(screen, plan, groups(plan, why))
    if any(job.output for job in plan.jobs):
        tell_cost(screen, plan, estimate(plan, runs, cores(given)), events_of(plan))
    return 0


def split(arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Our own options, with their defaults, and what goes to Snakemake.

    Raises:
        DataError: an option of ours has no value.
    """
    own, given, words = dict(OWN), [], iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if name not in OWN:
            given.append(word)
            continue
        own[name] = value if equals else next(words, "")
        if not own[name]:
            raise DataError(f"{name} needs a value")
    return own, given


def cores(arguments: Sequence[str]) -> int:
    """Cores that Snakemake would take: those of --cores, else the machine's."""
    text = " ".join(takewhile(lambda word: word != "--", arguments))
    found = re.findall(r"(?:^| )(?:--cores[ =]|-c ?|--jobs[ =]|-j ?)(\d+)(?= |$)", text)
    return max(1, int(found[-1])) if found else len(_affinity())


def code_of(root: Path) -> Callable[[str], str | None]:
    """Rule -> fingerprint of its script; rules that share one have the longest name that is one."""

    @cache
    def of(rule: str) -> str | None:
        domain, _, stem = rule.partition("_")
        while stem:
            script = f"scripts/{domain}/{stem}.py"
            if (root / script).is_file():
                return fingerprint(root, script)
            stem = stem.rpartition("_")[0]
        return None

    return of


def events_of(plan: Plan) -> Path:
    """Folder of the recorded runs of the run that a plan is of."""
    for path in plan.maker:
        top, _, below = path.partition("/")
        if top == "results" and "/" in below:
            return Path(top, below.partition("/")[0], "events")
    return Path("results", "events")


def outputs(runs: Iterable[Run]) -> frozenset[str]:
    """Files that recorded jobs made."""
    return frozenset(path for run in runs for job in run.done for path in plain(job.output))


def tell_causes(screen: Console, plan: Plan, found: Sequence[Group]) -> None:
    """Print what would run, by cause."""

    def say(line: str) -> None:
        screen.print(line, soft_wrap=True)

    if not plan.jobs:
        say("nothing to do: all that was asked for is there and up to date")
    else:
        rules = len({job.rule for job in plan.jobs})
        own = f"{sum(len(group.jobs) for group in found)} with a cause of its own"
        say(f"{count(len(plan.jobs), 'job')} of {count(rules, 'rule')}, {own}")
    for group in found[:MOST_GROUPS]:
        say("")
        follow = (
            f", {count(group.follow, 'job')} follow{'s' * (group.follow == 1)}"
            if group.follow
            else ""
        )
        say(f"{group.cause} ({count(len(group.jobs), 'job')}{follow})")
        say(f"  {some([f'{n} {rule}' for rule, n in group.rules.items()], MOST_RULES)}")
        say(f"  e.g. {example(group.jobs[0])}")
    if left := found[MOST_GROUPS:]:
        jobs = sum(len(group.jobs) for group in left)
        say(f"\nand {count(len(left), 'cause')} more ({count(jobs, 'job')}): --why FILE_OR_RULE")
    if plan.untraced:
        say(
            f"\nof {count(plan.untraced, 'job')} Snakemake has no metadata: whether code or params "
            "changed since is not known"
        )


def tell_why(screen: Console, plan: Plan, why: Mapping[int, Cause], wanted: str) -> None:
    """Print the way from the jobs that `wanted` names back to their causes."""

    def say(line: str) -> None:
        screen.print(line, soft_wrap=True)

    jobs = find(plan, wanted)
    if not jobs:
        say(f"{wanted}: no job of the plan makes it or is of such a rule, so it stays as it is")
        return
    told: dict[Cause, list[int]] = {}
    for job in jobs:
        for way in chains(plan, why, job.id):
            told.setdefault(why[way[-1]], way)
    of = f"{count(len(jobs), 'job')}, e.g. " if len(jobs) > 1 else ""
    say(f"{wanted}: {of}{jobs[0].label}")
    for cause, way in list(told.items())[:MOST_CHAINS]:
        say(f"\n{cause}")
        for depth, (job, reader) in enumerate(zip(way[::-1], [None, *way[:0:-1]], strict=True)):
            lead = "  " * (depth + 1)
            by = f"  (reads {link(plan, job, reader)})" if reader is not None else ""
            say(f"{lead}{plan.by_id[job].label}{by}")
    if len(told) > MOST_CHAINS:
        say(f"\nand {count(len(told) - MOST_CHAINS, 'cause')} more")


def tell_cost(screen: Console, plan: Plan, cost: Cost, events: Path) -> None:
    """Print the estimate and what it rests on."""

    def say(line: str) -> None:
        screen.print(line, soft_wrap=True)

    if not cost.runs:
        say(f"\ncost: unknown, no run is recorded in {events}")
        return
    known = {rule: told for rule, told in cost.rules.items() if told[1] > 0}
    least = "at least " if cost.unknown else ""
    say(
        f"\ncost: {least}{seconds(cost.wall_s)} on {count(cost.cores, 'core')} "
        f"(estimate, from {count(cost.runs, 'run')}: medians; limits of memory and network, and "
        "Snakemake's own start, not counted)"
    )
    cpu = f", {seconds(cost.cpu_s)} of CPU" if cost.cpu_s is not None else ""
    say(f"  work: {seconds(cost.work_s)} in jobs{cpu}")
    path = list(dict.fromkeys(plan.by_id[job].rule for job in cost.path))
    say(f"  critical path: {seconds(cost.path_s)}: {' -> '.join(path)}")
    dear = [f"{rule} {seconds(s)} ({count(n, 'job')})" for rule, (n, s) in known.items()][:5]
    say(f"  dearest: {', '.join(dear) or 'none'}")
    if cost.unknown:
        jobs = count(sum(cost.unknown.values()), "job")
        say(f"  never recorded, counted as nothing: {jobs} of {some(list(cost.unknown), 5)}")


def example(job: PlannedJob) -> str:
    """One job of a group: what it makes, else its name."""
    return job.output[0] if job.output else job.label


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise DataError(f"--last: got {text}, expected a number of runs")
    return int(text)


def _affinity() -> Sequence[int]:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return range(os.cpu_count() or 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The last lines on screen: what failed and why, and what could not run for it."""

from __future__ import annotations

from collections.abc import Mapping

from snakemake_logger_plugin_almanac.cause import explain, is_trace
from snakemake_logger_plugin_almanac.run import Run

MAX_LISTED = 50


def what_failed(run: Run) -> list[str]:
    """Return the lines to print at the end of `run`, none when nothing failed."""
    if not run.planned:
        return why_no_plan(run)
    lines: list[str] = []
    failed = list(run.failed.values())
    for job in failed[:MAX_LISTED]:
        again = f" ({job.attempts} attempts)" if job.attempts > 1 else ""
        lines += [f"  {_name(job.rule, job.wildcards)}{again}", f"    cause: {job.cause.text}"]
        lines += [f"    log:   {log}" for log in job.logs[:1]]
    if len(failed) > MAX_LISTED:
        lines.append(f"  and {_jobs(len(failed) - MAX_LISTED)} more, see their logs")
    for origin in run.orphans:
        lines += [f"  {_name(origin.rule, origin.wildcards)}", f"    cause: {origin.cause}"]
    return (["What failed:", *lines] if lines else []) + what_waited(run)


def why_no_plan(run: Run) -> list[str]:
    """Return what is left to say when planning failed: Snakemake's message is on screen already.

    That is the rule; or the cause once more, when lines of a traceback came after it.
    """
    for origin in run.orphans:
        return [f"What failed: {_name(origin.rule, origin.wildcards)}: {origin.cause}"]
    traced = [text for text in run.errors.values() if is_trace(text.splitlines()[-1])]
    return [f"error: {explain(text).cause}" for text in traced[:1]]


def what_waited(run: Run) -> list[str]:
    """Return the lines on planned jobs that were not run."""
    order = topological(run)
    idle = run.not_started()
    idle = {rule: idle[rule] for rule in order if rule in idle and not is_target(rule, run)}
    blamed = {job.rule for job in run.failed.values()} | {str(o.rule) for o in run.orphans}
    below = descendants(blamed, run.links)
    # A run that kept going started all it could, so all that is left waited for a failure. The
    # links alone would miss some: Snakemake draws those of one job per rule and level.
    kept_going = bool(run.failed) and not run.stopped_early and not run.orphans
    waited = {rule: count for rule, count in idle.items() if kept_going or rule in below}
    other = sum(idle.values()) - sum(waited.values())
    lines = []
    if waited:
        counts = ", ".join(f"{count} {rule}" for rule, count in waited.items())
        lines.append(f"What waited for it: {counts} ({_jobs(sum(waited.values()))} not run)")
    if other and not run.ok:
        lines.append(f"Not run: {_jobs(other)}{_why_not(run)}")
    return lines


def _why_not(run: Run) -> str:
    """Return why jobs that need nothing of what failed were not begun."""
    if rule := run.stopped_for:
        return f" ({rule} is critical in the config: after its failure none is begun)"
    return " (interrupted)" if run.interrupted else ""


def is_target(rule: str, run: Run) -> bool:
    """True for `all` and its like: one job, nothing uses it, one word (rules are domain_verb_noun).

    No record tells whether a rule that never ran has output, so the house's naming must.
    """
    used = any(source == rule for source, _ in run.links)
    return not used and run.planned.get(rule) == 1 and "_" not in rule


def descendants(rules: set[str], links: set[tuple[str, str]]) -> set[str]:
    """Return the rules that need, directly or not, one of `rules`."""
    found: set[str] = set()
    fresh = rules
    while fresh:
        fresh = {target for source, target in links if source in fresh} - found
        found |= fresh
    return found


def topological(run: Run) -> list[str]:
    """Return the planned rules so that each comes after those it needs (loops as they come)."""
    order: list[str] = []
    waiting = dict.fromkeys(run.planned)
    while waiting:
        needed = {target for source, target in run.links if source in waiting and source != target}
        ready = [rule for rule in waiting if rule not in needed] or list(waiting)
        order += ready
        for rule in ready:
            del waiting[rule]
    return order


def _name(rule: str | None, wildcards: Mapping[str, str]) -> str:
    """Return `rule key=value key=value`."""
    return " ".join([str(rule), *(f"{key}={value}" for key, value in wildcards.items())])


def _jobs(count: int) -> str:
    """Return `1 job`, `2 jobs`."""
    return f"{count} job" + ("" if count == 1 else "s")

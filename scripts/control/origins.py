"""Why a plan is as it is: which jobs run for a cause of their own, and what follows from them."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from scripts.control.dry_run import Plan, PlannedJob
from scripts.control.reasons import Cause, own_cause, parts


@dataclass
class Group:
    """Jobs with one cause."""

    cause: Cause
    jobs: list[PlannedJob]
    follow: int  # jobs that run only because these, and maybe others, do

    @property
    def rules(self) -> dict[str, int]:
        """Rule -> jobs, the most first."""
        counts = Counter(job.rule for job in self.jobs)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def causes(
    plan: Plan, code_of: Callable[[str], str | None], recorded: frozenset[str] = frozenset()
) -> dict[int, Cause]:
    """Job -> its cause, for those that have one of their own.

    Args:
        plan: of a dry run.
        code_of: rule -> fingerprint of its script, None where it has none.
        recorded: files that earlier runs made.
    """
    found: dict[int, Cause] = {}
    for job in plan.jobs:
        cause = own_cause(job.reason, code_of(job.rule))
        if cause and cause.kind == "missing output":
            gone = recorded.issuperset(parts(job.reason)[cause.kind].split(", "))
            cause = Cause("output is gone" if gone else "output is not there yet")
        if cause:
            found[job.id] = cause
    return found


def groups(plan: Plan, causes: Mapping[int, Cause]) -> list[Group]:
    """Jobs by their cause, those that most follows from first.

    Args:
        plan: of a dry run.
        causes: of the jobs that have one of their own.
    """
    members: dict[Cause, list[PlannedJob]] = {}
    for job, cause in causes.items():
        members.setdefault(cause, []).append(plan.by_id[job])
    found = [
        Group(cause, jobs, len(descendants(plan, (job.id for job in jobs)) - causes.keys()))
        for cause, jobs in members.items()
    ]
    return sorted(found, key=lambda group: -(len(group.jobs) + group.follow))


def descendants(plan: Plan, jobs: Iterable[int]) -> set[int]:
    """The jobs that run, directly or not, because some jobs do."""
    found: set[int] = set()
    waiting = list(jobs)
    while waiting:
        fresh = [job for job in plan.stirred.get(waiting.pop(), ()) if job not in found]
        found.update(fresh)
        waiting += fresh
    return found


def find(plan: Plan, wanted: str) -> list[PlannedJob]:
    """The jobs that `wanted` names: a file one makes, the end of a file's path, or a rule."""
    wanted = wanted.removeprefix("./")
    if wanted in plan.maker:
        return [plan.by_id[plan.maker[wanted]]]
    if of_rule := [job for job in plan.jobs if job.rule == wanted]:
        return of_rule
    ends = {job for path, job in plan.maker.items() if path.endswith("/" + wanted)}
    return [job for job in plan.jobs if job.id in ends]


def chains(plan: Plan, causes: Mapping[int, Cause], job: int) -> list[list[int]]:
    """The shortest way from a job back to a job of each cause that it follows from.

    Args:
        plan: of a dry run.
        causes: of the jobs that have one of their own.
        job: where to begin.

    Returns:
        jobs each, `job` first, the one with the cause last; the nearest cause first.
    """
    came: dict[int, int | None] = {job: None}
    found: dict[Cause, list[int]] = {}
    queue = deque([job])
    while queue:
        here = queue.popleft()
        if here in causes and causes[here] not in found:
            way, step = [], here
            while step is not None:
                way.append(step)
                step = came[step]
            found[causes[here]] = way[::-1]
        for earlier in plan.stirring[here]:
            if earlier not in came:
                came[earlier] = here
                queue.append(earlier)
    return list(found.values())


def link(plan: Plan, reader: int, maker: int) -> str:
    """A file that one job makes and another reads."""
    made = set(plan.by_id[maker].output)
    return next(path for path in plan.by_id[reader].input if path in made)

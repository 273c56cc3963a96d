"""A check: what was got, what is allowed, whether it passed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from scripts.errors import DataError
from scripts.tables import write_json

Limit = Sequence[float | None] | float | None


def check(
    name: str, got: float | None, limit: Limit, n: int, *, simulated: bool = False, note: str = ""
) -> dict:
    """A check: it passes where `got` is within `limit`.

    Args:
        name: name of the check, and of its file.
        got: what was found; None never passes.
        limit: [lowest, highest] allowed, None for no end; a number: nothing else is allowed.
        n: games, plays or rows that it was found on.
        simulated: whether anything of it is simulated.
        note: what is meant, or what was found.
    """
    low, high = limit if isinstance(limit, Sequence) else (limit, limit)
    passed = got is not None and (low is None or got >= low) and (high is None or got <= high)
    return {
        "check": name,
        "got": got,
        "limit": list(limit) if isinstance(limit, Sequence) else limit,
        "n": n,
        "pass": bool(passed),
        "simulated": simulated,
        "note": note,
    }


def write_all(found: Iterable[Mapping], names: Sequence[str], outs: Sequence[Path]) -> str:
    """Write the checks that are asked for, each in its file; one line for the log.

    Raises:
        DataError: one of them was not made.
    """
    made = {check["check"]: check for check in found}
    if missing := sorted(set(names) - set(made)):
        raise DataError(f"checks not made: {', '.join(missing)}")
    files = {path.stem: path for path in outs}
    for name in names:
        write_json(made[name], files[name])
    failed = sorted(name for name in names if not made[name]["pass"])
    return f"{len(names)} checks" + (f", failed: {', '.join(failed)}" if failed else "")

"""The score of all blows: what was tried, survived, lost, silent, by kind."""

from __future__ import annotations

import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from tests.torture.tally import Case, Lost, Silent

OUTCOMES = ("survived", "lost", "silent")


class Played(NamedTuple):
    """A case and what became of it."""

    case: Case
    outcome: str  # of OUTCOMES
    told: str
    seconds: float


def play(case: Case, top: Path) -> Played:
    """Play a case in an empty folder below `top`, which is removed when nothing was lost."""
    folder = Path(tempfile.mkdtemp(dir=top))
    folder.chmod(0o755)
    begun = time.monotonic()
    try:
        outcome, told = "survived", case.play(folder)
        shutil.rmtree(folder, ignore_errors=True)
    except Lost as error:
        outcome, told = "lost", str(error)
    except Silent as error:
        outcome, told = "silent", str(error)
    except Exception:  # of the torture itself: nothing is proved
        outcome, told = "lost", traceback.format_exc()
    return Played(case, outcome, told, time.monotonic() - begun)


def play_all(
    cases: Iterable[Case], top: Path, deadline: float, tell: Callable[[Played], None]
) -> tuple[list[Played], int]:
    """Play cases until a moment of the monotonic clock.

    Returns:
        those that were played, and how many were not, for want of time.
    """
    played, left = [], 0
    for case in cases:
        if time.monotonic() >= deadline:
            left += 1
            continue
        played.append(play(case, top))
        tell(played[-1])
    return played, left


def table(played: Iterable[Played]) -> Table:
    """Rows: a kind of blow; columns: tried, each outcome, seconds."""
    found = Table("blow", *(("tried", *OUTCOMES, "seconds")), box=None, pad_edge=False)
    for column in found.columns[1:]:
        column.justify = "right"
    by_kind: dict[str, list[Played]] = {}
    for one in played:
        by_kind.setdefault(one.case.kind, []).append(one)
    for kind, ones in by_kind.items():
        counts = [sum(one.outcome == outcome for one in ones) for outcome in OUTCOMES]
        seconds = sum(one.seconds for one in ones)
        found.add_row(kind, str(len(ones)), *map(str, counts), f"{seconds:.0f}")
    return found


def line(one: Played) -> str:
    """A case in one line, or with its whole story if it was not survived."""
    head = f"{one.outcome}: {one.case.kind}: {one.case.name} (seed {one.case.seed})"
    told = one.told if one.outcome == "survived" else f"\n{one.told}"
    return f"{head}: {told}"


def verdict(played: list[Played]) -> str:
    """The last line."""
    lost, silent = (sum(one.outcome == outcome for one in played) for outcome in OUTCOMES[1:])
    return f"torture: {len(played)} tried, {lost} lost, {silent} silent"


def show(played: list[Played], console: Console) -> int:
    """Print the table and the verdict; return the exit status."""
    console.print(table(played))
    print(verdict(played))
    return int(any(one.outcome != "survived" for one in played) or not played)

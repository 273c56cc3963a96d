"""`make torture`: all blows, one after the other, and what became of them; see docs/torture.md."""

from __future__ import annotations

import argparse
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from tests.torture import clocks, regressions, score
from tests.torture.tally import Case
from tests.torture.world import World

READERS = ("lake", "ticks", "weekly", "nfl", "book", "warehouse", "config")
MALFORMED = 30  # inputs for each domain's readers
PLACE = "/var/tmp"  # a folder that the database server's account can enter; /tmp is often too small
MINUTES = 90
RUNS = {  # blows at the built project
    "corrupted files": 18,
    "two runs at once": 4,
    "clock changes": 6,
    "read-only results": 4,
    "full disk": 8,
    "kill -9": 50,
}


class Kind(NamedTuple):
    """Blows of one kind: `make(seed, count)`, with the built project before if it needs one."""

    make: Callable[..., list[Case]]
    count: int
    world: bool = False


def _of(module: str, seed: int, count: int) -> list[Case]:
    """What a module gives that makes its cases itself; it takes seconds to import some."""
    return importlib.import_module(f"tests.torture.{module}").cases(seed, count)


def _drawn(kind: str, world: World, seed: int, count: int) -> list[Case]:
    """Blows of a kind at the built project."""
    rng = random.Random(seed)
    return [regressions.of_run(kind, world, rng.randrange(2**32)) for _ in range(count)]


def _hostile(seed: int, _count: int) -> list[Case]:
    """Hostile names of all domains that take any in."""
    found = [importlib.import_module(f"tests.torture.read_{domain}") for domain in READERS]
    return [case for module in found for case in module.hostile_names(seed)]


def _regressions(_seed: int, _count: int) -> list[Case]:
    """Blows that once were not survived, but for those at runs."""
    rows = [row for row in regressions.listed() if row.kind not in regressions.RUNS]
    return [regressions.case_of(row) for row in rows]


def _regressions_of_runs(world: World, _seed: int, _count: int) -> list[Case]:
    """Those at runs."""
    rows = [row for row in regressions.listed() if row.kind in regressions.RUNS]
    return [regressions.case_of(row, world) for row in rows]


KINDS = {
    "regressions": Kind(_regressions, 0),
    **{f"malformed {name}": Kind(partial(_of, f"read_{name}"), MALFORMED) for name in READERS},
    "hostile names": Kind(_hostile, 0),
    "servers": Kind(partial(_of, "network"), 12),  # of each: S3, REST, HTTP
    "PostgreSQL": Kind(partial(_of, "postgres"), 12),
    "regressions of runs": Kind(_regressions_of_runs, 0, world=True),
    **{kind: Kind(partial(_drawn, kind), count, world=True) for kind, count in RUNS.items()},
}


def main(arguments: list[str]) -> int:
    """Play what is asked for; return the exit status: 0 if nothing was lost or silent."""
    given = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # leave as little as Ctrl-C does
    console = Console()
    deadline = time.monotonic() + given.minutes * 60
    top = Path(tempfile.mkdtemp(prefix="almanac-torture-", dir=given.place))
    top.chmod(0o755)
    played: list[score.Played] = []
    left: dict[str, int] = {}

    def tell(one: score.Played) -> None:
        if given.verbose or one.outcome != "survived":
            console.print(score.line(one), markup=False, highlight=False, soft_wrap=True)

    world: World | None = None
    try:
        for name in given.kinds:
            kind = KINDS[name]
            if why := missing(name):
                console.print(f"not tried: {name}: {why}")
                continue
            if kind.world and world is None:
                console.print("the undisturbed run ...")
                world = World(top)
                console.print(f"... took {world.seconds:.0f} s, {len(world.want)} files to compare")
            count = given.count or kind.count
            built = [world] if kind.world else []
            made = kind.make(*built, given.seed, count)
            if given.only is not None:
                made = [case for case in made if case.seed == given.only]
            console.print(f"{name}: {len(made)} blows")
            some, left[name] = score.play_all(made, top, deadline, tell)
            played += some
    finally:
        if world:
            world.end()
        if all(one.outcome == "survived" for one in played):
            shutil.rmtree(top, ignore_errors=True)
    unplayed = {name: number for name, number in left.items() if number}
    for name, number in unplayed.items():
        console.print(f"not tried for want of time: {name}: {number} (--minutes)")
    if top.exists():
        console.print(f"what was left behind is in {top}; play one again: --kinds ... --only SEED")
    return score.show(played, console) or int(bool(unplayed))


def missing(name: str) -> str:
    """What a kind of blow needs and this machine has not; "" if nothing."""
    if name in ("read-only results", "full disk") and os.geteuid():
        return "only root can mount a disk"
    if name == "clock changes" and not clocks.compiler():
        return "no C compiler (cc), which makes other clocks"
    return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of all blows (1)")
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"no blow after ({MINUTES})")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS, metavar="KIND")
    parser.add_argument("--count", type=int, help="blows of each kind; default: as in the table")
    parser.add_argument("--only", type=int, metavar="SEED", help="the case with this seed alone")
    parser.add_argument("--place", default=PLACE, help=f"folder for the projects ({PLACE})")
    parser.add_argument("--verbose", action="store_true", help="tell of each blow")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

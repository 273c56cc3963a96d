"""Two runs started at once in one folder: one works, the other says so, nothing is made twice."""

from __future__ import annotations

import random
import time
from functools import partial
from pathlib import Path

from tests.torture import kills
from tests.torture.tally import Case, Lost, Silent, need_one_line
from tests.torture.world import Ended, World

KIND = "two runs at once"
LATEST_S = 6  # after the first


def case(world: World, seed: int) -> Case:
    """A pair of runs, the second up to some seconds later."""
    name = f"both make {kills.slice_of(seed)}"
    return Case(KIND, name, seed, partial(play, world, seed))


def play(world: World, seed: int, _folder: Path) -> str:
    """Start both; one or both end well, one that does not is locked out in one line."""
    wait_s = random.Random(seed).choice([0, 0, 0.3, 1, 3, LATEST_S])
    for sooner_s in (wait_s, wait_s / 4, 0):  # the first may have ended before the second began
        if refused := _both(world, seed, sooner_s):
            return f"{sooner_s} s apart: {refused} locked out, same bytes"
    raise Lost("nothing was struck: of two runs at once none is locked out")


def _both(world: World, seed: int, wait_s: float) -> int:
    """How many of both were locked out.

    Raises:
        Lost, Silent: see `play`.
    """
    world.restore()
    kills.take(world, kills.slice_of(seed), random.Random(f"{seed} files"))
    first = world.start()
    time.sleep(wait_s)
    both = [run.finish() for run in (first, world.start())]
    refused = [ended for ended in both if ended.status]
    if len(refused) == 2:
        raise Lost(f"neither run ends well:\n{both[0].told}\n{both[1].told}")
    for ended in refused:
        _need_locked(ended)
    world.hold()
    again = world.make()
    if again.status or "Nothing to be done" not in again.out:
        raise Lost(f"a third run is not at once done:\n{again.out[-1000:]}")
    return len(refused)


def _need_locked(ended: Ended) -> None:
    lines = [line for line in ended.out.splitlines() if line.strip().startswith("locked: ")]
    if not lines:
        raise Silent(f"the run that lost does not say why:\n{ended.told}")
    need_one_line(lines[-1])

"""kill -9 of a whole run, its process group, at random moments; then `make`."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

from tests.torture.tally import Case
from tests.torture.world import DOMAINS, World

KIND = "kill -9"
FROM_NOTHING = 0.1  # of the blows
NICE_MOMENT = 0.02  # of a run: before, nothing has begun


def case(world: World, seed: int) -> Case:
    """A kill: of a whole run, of one domain being made again, of a third of the files."""
    return Case(KIND, f"of a run that makes {slice_of(seed)}", seed, partial(play, world, seed))


def slice_of(seed: int) -> str:
    """What is missing when the run begins."""
    rng = random.Random(seed)
    if rng.random() < FROM_NOTHING:
        return "all"
    return rng.choice([*DOMAINS, "a third of the files"])


def take(world: World, what: str, rng: random.Random) -> None:
    """Take it out of the results."""
    if what == "all":
        world.remove(*DOMAINS)
    elif what in DOMAINS:
        world.remove(what)
    else:
        files = [told.path for told in world.written() if not told.path.startswith("warehouse/")]
        world.remove(*rng.sample(files, len(files) // 3))


def play(world: World, seed: int, _folder: Path) -> str:
    """Kill a run; let another complete it."""
    rng, what = random.Random(f"{seed} moment"), slice_of(seed)
    share = rng.uniform(NICE_MOMENT, 1)
    whole_s = world.seconds  # of a run of all: an upper bound, until it is known better
    while True:
        world.restore()
        take(world, what, random.Random(f"{seed} files"))
        run = world.start()
        if run.works_after(share * whole_s):
            break
        whole_s = run.seconds
    moment = run.seconds
    run.kill()
    ended = world.complete()
    return f"killed after {moment:.1f} s, same bytes {ended.seconds:.0f} s later"

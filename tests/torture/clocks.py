"""Clocks that change between runs or differ within one, and files whose times are wrong."""

from __future__ import annotations

import os
import random
import time
from functools import partial
from pathlib import Path

from tests.torture import kills
from tests.torture.tally import Case, Lost
from tests.torture.world import Ended, World

KIND = "clock changes"
DAY_S = 86400
SHIFTS = ("-3d", "-400d", "-2h", "+2h", "+9d", "+30y")  # of libfaketime
LIBRARIES = ("lib*/*/faketime/libfaketimeMT.so.1", "lib*/faketime/libfaketimeMT.so.1")


def library() -> Path | None:
    """libfaketime (Debian package libfaketime), which gives a process another clock."""
    return next((found for name in LIBRARIES for found in Path("/usr").glob(name)), None)


def case(world: World, seed: int) -> Case:
    """A run after or within which the clock is another one; or files of past and future."""
    plays = {"files of other times": play_times}
    if library():
        plays |= {"killed, and the clock changed": play_changed, "jobs at another clock": play_skew}
    name, play = random.Random(seed).choice(list(plays.items()))
    return Case(KIND, name, seed, partial(play, world, seed))


def play_times(world: World, seed: int, _folder: Path) -> str:
    """Give a third of all files random times: by content nothing has changed."""
    rng = random.Random(f"{seed} clock")
    world.restore()
    files = [path for path in sorted(world.results.rglob("*")) if path.is_file()]
    for path in rng.sample(files, len(files) // 3):
        if "server" not in path.parts:
            when = time.time() + rng.uniform(-2000, 30) * DAY_S
            os.utime(path, (when, when))
    ended = world.complete()
    if "Nothing to be done" not in ended.out:
        raise Lost("other times alone made jobs run")
    kills.take(world, kills.slice_of(seed), random.Random(f"{seed} files"))
    world.complete()
    return "nothing ran; then, of what was missing, same bytes"


def play_changed(world: World, seed: int, _folder: Path) -> str:
    """Kill a run; let one with another clock go on."""
    rng = random.Random(f"{seed} clock")
    world.restore()
    kills.take(world, kills.slice_of(seed), random.Random(f"{seed} files"))
    run = world.start()
    if run.works_after(rng.uniform(0.1, 0.9) * world.seconds):
        run.kill()
    shift = rng.choice(SHIFTS)
    world.complete(env=_clock(shift))
    _then_nothing(world.make())
    return f"clock {shift}: same bytes"


def play_skew(world: World, seed: int, folder: Path) -> str:
    """Give the jobs that begin after a moment of a run another clock than Snakemake has."""
    rng = random.Random(f"{seed} clock")
    world.restore()
    kills.take(world, kills.slice_of(seed), random.Random(f"{seed} files"))
    dial = folder / "dial"
    dial.write_text("+0")
    shift = rng.choice(SHIFTS)
    run = world.start(env=_clock(dial=dial))
    if run.works_after(rng.uniform(0.05, 0.5) * world.seconds):
        dial.write_text(shift)
    ended = run.finish()
    if ended.status:
        raise Lost(f"make fails (exit {ended.status}) with jobs at {shift}:\n{ended.told}")
    world.hold()
    _then_nothing(world.make())
    return f"jobs at {shift}: same bytes"


def _then_nothing(ended: Ended) -> None:
    if ended.status or "Nothing to be done" not in ended.out:
        raise Lost(f"afterwards, with the right clock, jobs run again:\n{ended.out[-1500:]}")


def _clock(shift: str = "", dial: Path | None = None) -> dict[str, str]:
    """Variables of processes with another clock; each has that of its start to its end.

    A clock that jumps under a process cannot be had of libfaketime: sleeps fail then (EINVAL).
    """
    told = {"FAKETIME": shift}
    if dial:
        told = {"FAKETIME_TIMESTAMP_FILE": str(dial), "FAKETIME_CACHE_DURATION": "1000000"}
    return {"LD_PRELOAD": str(library()), **told}

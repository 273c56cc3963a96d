"""Clocks that change between runs or differ within one, and files whose times are wrong."""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
import time
from functools import partial
from pathlib import Path

from tests.torture import kills
from tests.torture.tally import Case, Lost
from tests.torture.world import Ended, World

KIND = "clock changes"
DAY_S = 86400
SHIFTS_S = (-400 * DAY_S, -3 * DAY_S, -7200, -30, 30, 7200, 9 * DAY_S, 10958 * DAY_S)
SOURCE = Path(__file__).with_name("clock.c")


def compiler() -> str | None:
    """The C compiler that makes another clock."""
    return shutil.which("cc") or shutil.which("gcc")


def case(world: World, seed: int) -> Case:
    """A run after or within which the clock is another one; or files of past and future."""
    name = random.Random(seed).choice(list(PLAYS))
    return Case(KIND, name, seed, partial(PLAYS[name], world, seed))


class Clock:
    """Another clock for processes that are started with its variables."""

    def __init__(self, folder: Path) -> None:
        """Make it in a folder; it goes right until it is set."""
        library, self._dial = folder / "clock.so", folder / "dial"
        command = [compiler(), "-shared", "-fPIC", "-O1", "-o", library, SOURCE]
        subprocess.run(command, check=True, capture_output=True)
        self.set(0)
        self.variables = {"LD_PRELOAD": str(library), "TORTURE_CLOCK": str(self._dial)}

    def set(self, seconds: int) -> None:
        """Move it, from now on and for all that run: so many seconds from the right time."""
        with self._dial.open("r+b" if self._dial.exists() else "wb") as dial:
            dial.write(struct.pack("=q", seconds))


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


def play_changed(world: World, seed: int, folder: Path) -> str:
    """Kill a run; let one with another clock go on."""
    rng, clock = random.Random(f"{seed} clock"), Clock(folder)
    world.restore()
    kills.take(world, kills.slice_of(seed), random.Random(f"{seed} files"))
    run = world.start()
    if run.works_after(rng.uniform(0.1, 0.9) * world.seconds):
        run.kill()
    clock.set(shift_s := rng.choice(SHIFTS_S))
    world.complete(env=clock.variables)
    _then_nothing(world.make())
    return f"clock {shift_s:+d} s: same bytes"


def play_jump(world: World, seed: int, folder: Path) -> str:
    """Move the clock of all processes while a run works."""
    rng, clock = random.Random(f"{seed} clock"), Clock(folder)
    world.restore()
    kills.take(world, kills.slice_of(seed), random.Random(f"{seed} files"))
    run, shift_s = world.start(env=clock.variables), rng.choice(SHIFTS_S)
    if run.works_after(rng.uniform(0.05, 0.5) * world.seconds):
        clock.set(shift_s)
    ended = run.finish()
    if ended.status:
        raise Lost(f"make fails (exit {ended.status}) after {shift_s:+d} s:\n{ended.told}")
    world.hold()
    _then_nothing(world.make())
    return f"jump of {shift_s:+d} s: same bytes"


def _then_nothing(ended: Ended) -> None:
    if ended.status or "Nothing to be done" not in ended.out:
        raise Lost(f"afterwards, with the right clock, jobs run again:\n{ended.out[-1500:]}")


PLAYS = {
    "files of other times": play_times,
    "killed, and the clock changed": play_changed,
    "a jump in a run": play_jump,
}

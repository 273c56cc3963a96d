"""A disk that is full at a random write, and results that can be read only; root can make them."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.torture import kills
from tests.torture.tally import Case, Lost, Silent
from tests.torture.world import DOMAINS, World

FULL, READ_ONLY = "full disk", "read-only results"
ROOM_MB = 600  # of the disk once it is large enough
NO_SPACE = ("No space left on device", "disk is full", "could not extend file")
NO_WRITE = ("Read-only file system",)
# Of jobs that ended with the one that met it: stopped, or their database server ended on it.
# Or of a writer that hides why, when the end of another job has made room again.
FOLLOW_UPS = ("stopped by SIG", "server", "connection", "transport error")
TRIES = 4
BLOCK = 512  # bytes, of st_blocks


def full(world: World, seed: int) -> Case:
    """A run on a disk with less room than it needs: somewhere the last byte fits no more."""
    name = f"under a run that makes {kills.slice_of(seed)}"
    return Case(FULL, name, seed, partial(play_full, world, seed))


def read_only(world: World, seed: int) -> Case:
    """A run that may not write to the results, or to one domain's."""
    place = random.Random(seed).choice(["", *DOMAINS, "logs"])
    name = f"results/{world.run}/{place}".rstrip("/")
    return Case(READ_ONLY, name, seed, partial(play_read_only, world, seed, place))


def play_full(world: World, seed: int, _folder: Path) -> str:
    """Let a run fill the disk that the whole project stands on; then make the disk larger."""
    share = random.Random(f"{seed} room").random()
    for number in range(TRIES):  # what is missing may fit into less than it takes
        if how := _fill(world, seed, share / 4**number if number < TRIES - 1 else 0):
            return f"{how} told, then same bytes"
    raise Lost("nothing was struck: a run that makes something fits into no room")


def _fill(world: World, seed: int, share: float) -> str:
    """The cause that a run told which has room for a share of what it makes; "": it fitted.

    Raises:
        Lost, Silent: see `play_full`.
    """
    world.restore()
    kills.take(world, kills.slice_of(seed), random.Random(f"{seed} files"))
    folder = world.project.folder
    room = int(share * (_size(world.pristine) - _size(folder)))
    aside = folder.rename(folder.with_name("aside"))
    folder.mkdir()
    try:
        with mounted("tmpfs", folder, f"size={ROOM_MB}m,mode=755") as change:
            subprocess.run(["cp", "-a", f"{aside}/.", folder], check=True)
            change(f"size={(shutil.disk_usage(folder).used + room) // 2**10}k")
            first = world.make()
            how = _told(first.told, NO_SPACE) if first.status else ""
            change(f"size={ROOM_MB}m")
            world.complete()
            world.end()
    finally:
        shutil.rmtree(aside)
    return how


def play_read_only(world: World, seed: int, place: str, _folder: Path) -> str:
    """Let a run meet a folder that it may not write to; then let it."""
    world.restore()
    what = place if place in DOMAINS else random.Random(f"{seed} what").choice(DOMAINS)
    world.remove(*_inside(world.results / what, world.results))
    folder = world.results / place
    with mounted(folder, folder, "bind") as change:
        change("ro,bind")
        first = world.make()
        if first.status == 0:
            raise Silent(f"make ends well though it must make {what} where nothing can be written")
        told = _told(first.told, NO_WRITE)
    world.complete()
    return f"{told} told, then same bytes"


@contextmanager
def mounted(source: object, folder: Path, options: str) -> Iterator:
    """Mount something at a folder; gives a function that mounts it again with other options."""

    def mount(options: str) -> None:
        kind = ["-t", "tmpfs"] if source == "tmpfs" else []
        command = ["mount", *kind, "-o", options, str(source), str(folder)]
        subprocess.run(command, check=True, capture_output=True)

    mount(options)
    try:
        yield lambda options: mount(f"remount,{options}")
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _told(told: str, causes: tuple[str, ...]) -> str:
    """The cause that a failed run told last; each of its jobs tells it, or what followed from it.

    Raises:
        Silent: none tells it, or a job tells something else.
    """
    found = [cause for cause in causes if cause.lower() in told.lower()]
    if not found:
        raise Silent(f"none of {', '.join(causes)} in:\n{told}")
    for line in told.splitlines():
        _, stated, why = line.partition("cause: ")
        if stated and not any(word.lower() in why.lower() for word in (*causes, *FOLLOW_UPS)):
            raise Silent(f"not of the disk: {why}\n{told}")
    return found[0]


def _inside(folder: Path, top: Path) -> list[str]:
    """What a folder holds, which itself stays."""
    return [path.relative_to(top).as_posix() for path in folder.iterdir()]


def _size(folder: Path) -> int:
    """Bytes that the files of a folder take on a disk."""
    return sum(path.lstat().st_blocks * BLOCK for path in folder.rglob("*"))

"""Files between the jobs that are damaged after they were written: whose next reader tells."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

from scripts import manifests
from tests.torture.tally import Case, Lost, Silent, need_one_line
from tests.torture.world import Ended, World

KIND = "corrupted files"
BLOCK = 512


def case(world: World, seed: int) -> Case:
    """A file damaged in one way; with other times or with those it had."""
    way = random.Random(seed).choice(list(WAYS))
    return Case(KIND, f"a file {way}", seed, partial(play, world, seed, way))


def play(world: World, seed: int, way: str, _folder: Path) -> str:
    """Damage a file, let who reads it run, do what is told, and hold the result."""
    rng = random.Random(f"{seed} file")
    world.restore()
    filled = [entry for entry in world.written() if entry.bytes]
    before = after = b""
    while after == before:  # zeros in place of zeros are no blow
        told = rng.choice(filled)
        file = world.results / told.path
        before = file.read_bytes()
        after = WAYS[way](rng, before)
    times = file.stat()
    file.write_bytes(after)
    if rng.random() < 0.5:  # as a disk does it; nothing but a new reader can see it
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    for reader in rng.sample(found := readers(world, told), min(2, len(found))):
        world.remove(*(entry.path for entry in world.written() if _job(entry) == reader))
    if not file.exists():
        raise AssertionError(f"{file} was removed with its readers")
    name = file.relative_to(world.project.folder).as_posix()
    first = world.make()
    how = _noticed(world, first, name, told.rule)
    file.unlink()
    world.complete()
    return f"{told.path}: {how}, then same bytes"


def readers(world: World, told: manifests.Written) -> list[tuple]:
    """The jobs that needed the one that made a file, by the events of the undisturbed run."""
    lines = [line for f in sorted((world.results / "events").glob("*.jsonl")) for line in f.open()]
    events = [json.loads(line) for line in lines]
    of = {e["jobid"]: (e["rule"], e["wildcards"]) for e in events if e["event"] == "job_info"}
    own = [number for number, job in of.items() if job == (told.rule, told.wildcards)]
    ends = [e for e in events if e["event"] == "job_finished" and set(own) & set(e["after"])]
    return [_key(*of[e["jobid"]]) for e in ends if "_" in of[e["jobid"]][0]]


def _noticed(world: World, first: Ended, name: str, rule: str) -> str:
    """Who told of the damage: a reader that failed, or `make verify` where nobody read.

    Raises:
        Silent, Lost: nobody, or not what to do.
    """
    causes = [line for line in first.told.splitlines() if name in line and "cause: " in line]
    if first.status:
        if not causes:
            raise Silent(f"no cause names {name}:\n{first.told}")
        need_one_line(causes[0], rule, "delete it")
        return "its reader told"
    verified = world.make("verify", f"RUN={world.run}")
    if verified.status == 0:
        world.hold()  # made again in passing, or read and used
        return "it was made again"
    need_one_line(next((line for line in verified.out.splitlines() if name in line), ""), rule)
    if not any(
        line.strip().startswith("rm ") and name in line for line in verified.out.split("\n")
    ):
        raise Lost(f"make verify does not say what to do:\n{verified.out}")
    return "nobody read it, make verify told"


def _job(told: manifests.Written) -> tuple:
    return _key(told.rule, told.wildcards)


def _key(rule: str, wildcards: dict) -> tuple:
    return rule, tuple(sorted(wildcards.items()))


def _flip(rng: random.Random, content: bytes) -> bytes:
    place = rng.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :]


def _zeros(rng: random.Random, content: bytes) -> bytes:
    place = rng.randrange(len(content))
    return content[:place] + bytes(len(content[place : place + BLOCK])) + content[place + BLOCK :]


def _swap(rng: random.Random, content: bytes) -> bytes:
    place = rng.randrange(len(content))
    return content[place:] + content[:place]


WAYS: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "with a bit flipped": _flip,
    "cut": lambda rng, content: content[: rng.randrange(len(content))],
    "with a block of zeros": _zeros,
    "with bytes after its end": lambda rng, content: content + rng.randbytes(64),
    "with its halves exchanged": _swap,
    "emptied": lambda _rng, _content: b"",
}

"""Two blows at a run of seconds, that they can be played; `make torture` has them all."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.torture import damage, kills, score
from tests.torture.world import World
from tests.workflow.project import TINY

BLOWS = {"kill": (kills.case, "makes all"), "damage": (damage.case, "bit flipped")}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One backtest, built undisturbed."""
    return World(tmp_path_factory.mktemp("world"), TINY)


@pytest.mark.parametrize("blow", BLOWS)
def test_a_blow_is_survived(world: World, tmp_path: Path, blow: str) -> None:
    make, name = BLOWS[blow]
    played = score.play(first(make, world, name), tmp_path)
    assert played.outcome == "survived", score.line(played)


def test_other_bytes_are_noticed(world: World, tmp_path: Path) -> None:
    world.restore()
    (world.results / "ticks/summary.csv").write_text("a,b\n")
    with pytest.raises(AssertionError, match=r"ticks/summary\.csv differs"):
        world.hold()
    world.restore()
    (world.results / "ticks/.summary.csv.x-1.tmp").touch()
    with pytest.raises(AssertionError, match="is left"):
        world.hold()


def first(make: Callable, world: World, name: str) -> object:
    """The first of some drawn cases with that name."""
    rng = random.Random(0)
    while True:
        case = make(world, rng.randrange(2**32))
        if name in case.name:
            return case

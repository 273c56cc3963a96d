"""Fits of the grid, their names, and how devices share them."""

from __future__ import annotations

from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.plan import grid, settings
from tests.plans import SCHEMA

DEFAULT = settings.complete({}, SCHEMA)["nfl"]["grid"]
SMALL = {
    "max_depth": [5, 3],
    "learning_rate": [0.05],
    "subsample": [0.8],
    "colsample_bytree": [0.9, 0.7],
    "rounds": [100, 50],
    "devices": {},
}


def test_the_default_is_324_configurations_from_108_fits() -> None:
    names = grid.fits(DEFAULT)
    assert len(names) == len(set(names)) == 108
    assert len(names) * len(DEFAULT["rounds"]) == 324
    chunks = grid.chunks(DEFAULT, "cpu")
    assert [len(chunk.fits) for chunk in chunks] == [9] * 12
    assert [fit for chunk in chunks for fit in chunk.fits] == names


def test_names_are_in_order_of_values_and_tell_them() -> None:
    assert grid.fits(SMALL) == [
        f"max_depth={depth},learning_rate=0.05,subsample=0.8,colsample_bytree={share}"
        for depth, share in product([3, 5], [0.7, 0.9])
    ]
    values = {"max_depth": 3, "learning_rate": 0.05, "subsample": 1.0, "colsample_bytree": 0.7}
    name = grid.name_of(values)
    assert name == "max_depth=3,learning_rate=0.05,subsample=1,colsample_bytree=0.7"
    assert grid.values_of(name) == values
    assert isinstance(grid.values_of(name)["max_depth"], int)


def test_a_chunk_is_a_depth_and_a_rate_on_a_device() -> None:
    chunks = grid.chunks(SMALL, "cuda")
    assert [(c.device, c.name, len(c.fits)) for c in chunks] == [
        ("cuda", "max_depth=3/learning_rate=0.05", 2),
        ("cuda", "max_depth=5/learning_rate=0.05", 2),
    ]


def test_devices_share_the_fits_and_the_card_takes_the_first() -> None:
    shared = {**SMALL, "devices": {"cpu": 1, "cuda": 3}}
    assert [(c.device, c.name, len(c.fits)) for c in grid.chunks(shared, "cpu")] == [
        ("cuda", "max_depth=3/learning_rate=0.05", 2),
        ("cuda", "max_depth=5/learning_rate=0.05", 1),
        ("cpu", "max_depth=5/learning_rate=0.05", 1),
    ]
    alone = {**SMALL, "devices": {"cpu": 0, "cuda": 4}}
    assert {chunk.device for chunk in grid.chunks(alone, "cpu")} == {"cuda"}
    none = {**SMALL, "devices": {"cpu": 0, "cuda": 0}}
    assert grid.chunks(none, "cpu") == grid.chunks(SMALL, "cpu")


@pytest.mark.parametrize("shares", [{"cuda": 83, "cpu": 26}, {"cuda": 1}, {"cpu": 109}])
def test_shares_that_are_not_all_fits_are_one_line(shares: dict[str, int]) -> None:
    with pytest.raises(DataError, match=r"config: nfl.grid.devices: .* but the grid has 108$") as e:
        grid.chunks({**DEFAULT, "devices": shares}, "cpu")
    assert f"are {sum(shares.values())} fits" in str(e.value)
    assert "\n" not in str(e.value)


WHOLE = st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True)
SHARES = st.lists(st.integers(1, 20).map(lambda n: n / 20), min_size=1, max_size=3, unique=True)


@given(WHOLE, SHARES, SHARES, SHARES, st.data())
def test_every_fit_is_in_one_chunk_of_its_depth_and_rate(
    depths: list[int],
    rates: list[float],
    rows: list[float],
    columns: list[float],
    data: st.DataObject,
) -> None:
    axes = dict(zip(grid.AXES, (depths, rates, rows, columns), strict=True))
    number = prod(map(len, axes.values()))
    on_card = data.draw(st.integers(0, number))
    shared = {**axes, "devices": {"cpu": number - on_card, "cuda": on_card}}
    chunks = grid.chunks(shared, "cpu")
    told = [grid.values_of(fit) for chunk in chunks for fit in chunk.fits]
    wanted = [dict(zip(grid.AXES, one, strict=True)) for one in product(*axes.values())]
    key = lambda one: tuple(one.values())  # noqa: E731
    assert sorted(told, key=key) == sorted(wanted, key=key)
    assert sum(len(chunk.fits) for chunk in chunks if chunk.device == "cuda") == on_card
    assert len({(chunk.device, chunk.name) for chunk in chunks}) == len(chunks)
    for chunk in chunks:
        assert all(fit.startswith(chunk.name.replace("/", ",") + ",") for fit in chunk.fits)


def test_a_new_value_leaves_the_names_of_other_chunks_and_fits() -> None:
    before = {chunk.name: set(chunk.fits) for chunk in grid.chunks(SMALL, "cpu")}
    deeper = grid.chunks({**SMALL, "max_depth": [3, 5, 9]}, "cpu")
    after = {chunk.name: set(chunk.fits) for chunk in deeper}
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"max_depth=9/learning_rate=0.05"}
    rows = grid.chunks({**SMALL, "subsample": [0.8, 0.9]}, "cpu")
    assert all(before[chunk.name] < set(chunk.fits) for chunk in rows)
    assert len(rows) == len(before)

"""Plan of the grid: its fits, shared out over devices, in chunks. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import NamedTuple

from scripts.errors import DataError

AXES = ("max_depth", "learning_rate", "subsample", "colsample_bytree")  # rounds share a fit
CHUNK_AXES = AXES[:2]


class Chunk(NamedTuple):
    """Fits of one depth and rate on one device: device, name, names of the fits in order."""

    device: str
    name: str
    fits: tuple[str, ...]


def name_of(values: Mapping[str, float]) -> str:
    """`key=value` pairs joined by commas, numbers in shortest form."""
    return ",".join(f"{key}={_shortest(value)}" for key, value in values.items())


def _shortest(value: float) -> str:
    """A number in its shortest form that is still itself."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def values_of(name: str) -> dict[str, float]:
    """The values of a name of `name_of`."""
    pairs = (part.split("=") for part in name.split(","))
    return {key: int(value) if key == "max_depth" else float(value) for key, value in pairs}


def fits(grid: Mapping) -> list[str]:
    """Names of all fits, in the order of their values."""
    values = (sorted(grid[axis]) for axis in AXES)
    return [name_of(dict(zip(AXES, one, strict=True))) for one in product(*values)]


def chunks(grid: Mapping, device: str) -> list[Chunk]:
    """Fits shared out: the first ones to the first device, and so on; then by depth and rate.

    A new value of depth or rate makes chunks of its own; another one joins those that are there,
    which fit only what they do not have yet.

    Args:
        grid: the completed section `nfl.grid`.
        device: where all run when `grid.devices` says nothing.

    Raises:
        DataError: the devices' shares are not the number of fits.
    """
    names = fits(grid)
    shares = {name: share for name, share in grid["devices"].items() if share}
    shares = shares or {device: len(names)}
    if sum(shares.values()) != len(names):
        told = ", ".join(f"{name} {share}" for name, share in sorted(shares.items()))
        raise DataError(
            f"config: nfl.grid.devices: {told} are {sum(shares.values())} fits, but the grid has "
            f"{len(names)}"
        )
    made, start = [], 0
    for name in sorted(shares, key=["cuda", "cpu"].index):
        own: dict[str, list[str]] = {}
        for fit in names[start : start + shares[name]]:
            values = values_of(fit)
            # Not joined by a comma: in a wildcard no executor but the local one gets it through.
            name_of_chunk = "/".join(name_of({axis: values[axis]}) for axis in CHUNK_AXES)
            own.setdefault(name_of_chunk, []).append(fit)
        made += [Chunk(name, chunk, tuple(members)) for chunk, members in own.items()]
        start += shares[name]
    return made

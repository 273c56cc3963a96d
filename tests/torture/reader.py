"""A reader of outside files under blows: its valid input, what strikes it, what it must answer."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tests.torture import child
from tests.torture.tally import Case, Lost, Silent, need_one_line

Files = Mapping[str, bytes]  # name below the folder of inputs -> content
MOST_SHOWN = 200
CSVS = (".csv", ".csv.gz")


class Bad(Exception):  # noqa: N818
    """The oracle: this must be refused, and why."""


class Unreadable(Bad):
    """The oracle cannot read it: who can must find all that was there before the blow."""


class Doubtful(Bad):
    """Damaged where the oracle does not know all rules: it may be refused, or must give `told`."""

    def __init__(self, why: str, told: Any) -> None:
        """Take why, and what must come out of it if it is taken."""
        super().__init__(why)
        self.told = told


class Reader(NamedTuple):
    """What is struck.

    Args:
        name: of the reader.
        make: a small valid input.
        strike: input -> (input, what was done to it, the file that was struck).
        read: called in a process of its own with the folder of inputs, the folder of outputs;
            gives the rows that came out (key -> row), or any value that can be compared.
        oracle: the same by plain means from the bytes; raises `Bad` where it must be refused.
    """

    name: str
    make: Callable[[random.Random], dict[str, bytes]]
    strike: Callable[[random.Random, dict[str, bytes]], tuple[dict[str, bytes], str, str]]
    read: Callable[[Path, Path], Any]
    oracle: Callable[[Files], Any]
    always: bool = True  # whether the valid input is tried too, now and then


def cases_of(kind: str, readers: list[Reader], seed: int, count: int) -> list[Case]:
    """So many blows, spread evenly over the readers; and of each the valid input.

    And each of its CSV files all on one line.
    """
    rng, made = random.Random(seed), []
    for number in range(count):
        reader, own = readers[number % len(readers)], rng.randrange(2**32)
        what = blow(reader, own)[1]
        made.append(Case(kind, f"{reader.name}: {what}"[:160], own, partial(play, reader, own)))
    for reader in readers:
        own, spared = rng.randrange(2**32), reader._replace(strike=_spare, always=False)
        made.append(Case(kind, f"{reader.name}: valid", own, partial(play, spared, own)))
        names = [name for name in reader.make(random.Random(own)) if name.endswith(CSVS)]
        for name in names:
            struck = reader._replace(strike=partial(_join, name), always=False)
            told = f"{reader.name}: {name} all on one line"
            made.append(Case(kind, told, own, partial(play, struck, own)))
    return made


def _join(
    name: str, _rng: random.Random, files: dict[str, bytes]
) -> tuple[dict[str, bytes], str, str]:
    """All line ends of a file are lost."""
    packed = name.endswith(".gz")
    text = gzip.decompress(files[name]) if packed else files[name]
    text = text.replace(b"\n", b"")
    content = gzip.compress(text, mtime=0) if packed else text
    return {**files, name: content}, "all on one line", name


def _spare(_rng: random.Random, files: dict[str, bytes]) -> tuple[dict[str, bytes], str, str]:
    """No blow, so that who refuses everything is found out."""
    return files, "nothing", ""


def named(
    told: str,
    make: Callable[[random.Random], dict[str, bytes]],
    struck: str,
    read: Callable[[Path, Path], Any],
    oracle: Callable[[Files], Any],
    rng: random.Random,
) -> Case:
    """A hostile name in an input, struck when that is made: taken as it is, or refused."""

    def strike(_rng: random.Random, files: dict[str, bytes]) -> tuple[dict[str, bytes], str, str]:
        return files, "a hostile name", struck

    reader, own = Reader(told, make, strike, read, oracle, always=False), rng.randrange(2**32)
    return Case("hostile names", told, own, partial(play, reader, own))


def blow(reader: Reader, seed: int) -> tuple[dict[str, bytes], str, str]:
    """The struck files of a seed, what was done, and to which file."""
    rng = random.Random(seed)
    files = reader.make(rng)
    if reader.always and rng.random() < 0.02:
        return _spare(rng, files)
    return reader.strike(rng, files)


def play(reader: Reader, seed: int, folder: Path) -> str:
    """Strike a reader, and judge its answer."""
    files, what, struck = blow(reader, seed)
    for name, content in files.items():
        path = folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    ended = child.call(_twice, reader.read, folder)
    try:
        expected, why = reader.oracle(files), ""
    except Unreadable as bad:
        expected, why = reader.oracle(reader.make(random.Random(seed))), str(bad)
        why = "" if ended.how == "given" and same(ended.value, expected) else why
    except Doubtful as bad:
        expected, why = bad.told, "" if ended.how == "given" else str(bad)
    except Bad as bad:
        expected, why = None, str(bad)
    return judge(ended, expected, why, what, struck, folder)


def judge(ended: child.Ended, expected: Any, why: str, what: str, struck: str, folder: Path) -> str:
    """How a blow was survived.

    Args:
        ended: how the reader did.
        expected: what it must give; ignored with `why`.
        why: it must refuse; "": it must not.
        what: the blow.
        struck: name of the struck file, which a refusal names; "": nothing may be refused.
        folder: inputs are in `in`, outputs in `out`.

    Raises:
        Lost, Silent: it was not.
    """
    if ended.how == "refused":
        left = sorted(str(p.relative_to(folder)) for p in folder.glob("out/**/*") if p.is_file())
        if left:
            raise Lost(f"{what}: refused, and {', '.join(left)} stays")
        if not (why and struck):
            raise Lost(f"{what}: refused although nothing is wrong with it: {ended.text}")
        return f"refused: {need_one_line(ended.text, Path(struck).name)[:MOST_SHOWN]}"
    if ended.how != "given":
        raise Silent(f"{what}: {ended.how}: {ended.text}")
    if why:
        raise Silent(f"{what}: taken though {why}: {str(ended.value)[:MOST_SHOWN]}")
    if same(ended.value, expected):
        return "nothing good lost"
    raise difference(ended.value, expected, what)


def same(one: Any, other: Any) -> bool:
    """Equal, numbers to twelve digits, NaN as null."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    one, other = (None if x != x else x for x in (one, other))
    if isinstance(one, float) and isinstance(other, float | int):
        return one == other or abs(one - other) <= 1e-12 * max(abs(one), abs(other))
    return one == other


def difference(got: Any, expected: Any, what: str) -> AssertionError:
    """Lost, where something expected is not there; Silent, where something else is."""
    if isinstance(got, Mapping) and isinstance(expected, Mapping):
        for key in expected:
            if key not in got:
                return Lost(f"{what}: {key!r} is gone")
        for key in got:
            if key not in expected:
                return Silent(f"{what}: {key!r} is there: {str(got[key])[:MOST_SHOWN]}")
            if not same(got[key], expected[key]):
                pair = f"got {got[key]!r}, expected {expected[key]!r}"
                return Silent(f"{what}: {key!r}: {pair[: 3 * MOST_SHOWN]}")
    return Silent(f"{what}: got {str(got)[:MOST_SHOWN]}, expected {str(expected)[:MOST_SHOWN]}")


def _twice(read: Callable[[Path, Path], Any], folder: Path) -> Any:
    """What a reader gives, which must be the same when it is asked again."""
    found = read(folder / "in", folder / "out")
    again = read(folder / "in", folder / "again")
    if not same(found, again) or _bytes(folder / "out") != _bytes(folder / "again"):
        raise AssertionError("the second time another result")
    return found


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }

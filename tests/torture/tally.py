"""One blow, and what became of it: survived, something lost, or something wrong unsaid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Lost(AssertionError):  # noqa: N818
    """Something good is gone: other bytes, missing rows, half a file, a run without an end."""


class Silent(AssertionError):  # noqa: N818
    """Something went wrong unsaid: bad input taken, a crash without a message, a hang."""


class Case(NamedTuple):
    """One blow. Who plays it again with the same seed strikes at the same place.

    `play(folder)` gets an empty folder of its own and returns in a few words how it was survived
    ("same bytes", "refused: ...", "3 rows quarantined"); it raises `Lost` or `Silent`.
    """

    kind: str  # a row of the table: kills, full disk, malformed lake, ...
    name: str  # what is struck, and how
    seed: int
    play: Callable[[Path], str]


def need_one_line(text: str, *fragments: str) -> str:
    """`text`, an error's message, when it is one line with all the fragments in it.

    Raises:
        Silent: it is empty, has several lines, or does not say one of them.
    """
    if not text.strip() or "\n" in text.strip():
        raise Silent(f"not one line: {text!r}")
    if missing := [fragment for fragment in fragments if fragment not in text]:
        raise Silent(f"does not name {', '.join(missing)}: {text}")
    return text

"""How commands write: tables that stay readable when they are piped, numbers, lists."""

import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPED = 120  # columns where no terminal tells its own
UNKNOWN = "-"


def console(file: TextIO | None = None) -> Console:
    """The screen, or a pipe or file, which get no colours and PIPED columns.

    Nothing in a text is taken for markup: paths may hold brackets.
    """
    file = file or sys.stdout
    width = None if file.isatty() else PIPED
    return Console(file=file, width=width, markup=False, highlight=False, emoji=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> Table:
    """A table whose first `left` columns are text and the others numbers."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for i, name in enumerate(columns):
        wide = {"overflow": "fold"} if i < left else {"justify": "right", "no_wrap": True}
        made.add_column(Text(name), **wide)
    for row in rows:
        made.add_row(*map(Text, row))
    return made


def seconds(value: float | None) -> str:
    """0.4 s, 12 s, 4 min 10 s, 2 h 5 min."""
    if value is None:
        return UNKNOWN
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def count(number: int, noun: str) -> str:
    """1 job, 2 jobs."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def some(names: Sequence[str], most: int) -> str:
    """The first `most` names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more

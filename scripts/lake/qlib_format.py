"""Qlib's binary format: names of symbols, text files, one small float32 file per symbol and field.

Read by `qlib/data/storage/file_storage.py` of pyqlib 0.9.7.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

FLOAT = np.dtype("<f4")
CALENDAR = Path("calendars/day.txt")
INSTRUMENTS = Path("instruments/all.txt")
FEATURES = Path("features")
MISSING = {"", "NA", "NULL"}  # pandas, with which Qlib reads instruments, would take for missing
DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{d}{i}" for d in ("COM", "LPT") for i in range(10))}
RESERVED = MISSING | DEVICES  # no folder may be called like a device on Windows


def name_of(ticker: str) -> str:
    """The name of a ticker in Qlib: another for each ticker, whatever others there are.

    Qlib puts names in lower case for folders, so ours differ in upper case too. A capital, a digit,
    a hyphen and a dot inside stand for themselves, `_X` for a lower-case x, `_ddd` for a byte of
    anything else; `_` is added to a reserved name. ABRpD is ABR_PD, NA is NA_, NaN is N_AN.
    """
    name = re.sub(r"[^A-Z0-9.-]|^\.|\.\Z", lambda found: _escape(found[0]), ticker)
    return f"{name}_" if name in RESERVED else name


def _escape(letter: str) -> str:
    if "a" <= letter <= "z":
        return f"_{letter.upper()}"
    return "".join(f"_{byte:03d}" for byte in letter.encode())


class Span(NamedTuple):
    """Sessions of the calendar from a symbol's first to its last, counted from 0."""

    first: np.ndarray
    last: np.ndarray

    @property
    def cells(self) -> np.ndarray:
        """Values per file of a symbol: the first session's number, then one per session."""
        return self.last - self.first + 2


def calendar_text(sessions: Iterable[date]) -> str:
    """One date a line."""
    return "".join(f"{day}\n" for day in sessions)


def instruments_text(names: Sequence[str], span: Span, sessions: Sequence[date]) -> str:
    """NAME, first and last date of a symbol, separated by tabs, a line each."""
    spans = zip(names, span.first.tolist(), span.last.tolist(), strict=True)
    return "".join(f"{name}\t{sessions[a]}\t{sessions[b]}\n" for name, a, b in spans)


class Block:
    """The files of some symbols, side by side in memory: one line of float32 per field."""

    def __init__(self, fields: Sequence[str], span: Span) -> None:
        self.fields = list(fields)
        self.span = span
        self.ends = np.cumsum(span.cells)
        self.starts = self.ends - span.cells
        size = int(span.cells.sum())
        self.lines = np.full((len(self.fields), size), np.nan, FLOAT)
        self.lines[:, self.starts] = span.first
        self._used = np.zeros(size, bool)
        self._close = np.zeros(size)

    @property
    def bars(self) -> int:
        """Number of places that hold a bar."""
        return int(self._used.sum())

    def fill(
        self, symbol: np.ndarray, session: np.ndarray, columns: Mapping[str, np.ndarray]
    ) -> None:
        """Put bars in their place.

        Args:
            symbol: of each bar, its place in `span`.
            session: of each bar, its place in the calendar.
            columns: values of all fields but `change`, as they are before they become float32.
        """
        place = self.starts[symbol] + 1 + session - self.span.first[symbol]
        self._used[place] = True
        self._close[place] = columns["close"]
        for name, values in columns.items():
            self.lines[self.fields.index(name), place] = values

    def fill_change(self) -> None:
        """Fill the field `change` with close / close of the symbol's bar before - 1."""
        place = np.flatnonzero(self._used)
        close = self._close[place]
        found = np.full(place.size, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            found[1:] = close[1:] / close[:-1] - 1
        found[np.searchsorted(place, self.starts + 1)] = np.nan  # a span starts with a bar
        self.lines[self.fields.index("change"), place] = found


class Writer:
    """Writes a folder in Qlib's format and knows the hash of its content."""

    def __init__(self, folder: Path, fields: Sequence[str]) -> None:
        self.folder = folder
        self.fields = list(fields)
        self.bytes = 0
        self.files = 0
        self._texts = hashlib.sha256()
        self._streams = [hashlib.sha256() for _ in fields]
        for place in (CALENDAR.parent, INSTRUMENTS.parent, FEATURES):
            (folder / place).mkdir(parents=True)

    def write_text(self, place: Path, text: str) -> None:
        """Write the calendar or the instruments."""
        content = text.encode()
        (self.folder / place).write_bytes(content)
        self._texts.update(hashlib.sha256(content).digest())
        self._count(1, len(content))

    def write_block(self, names: Sequence[str], block: Block) -> None:
        """Write the files of some symbols, after those before them in the instruments.

        The files are many and small: they are written with as few calls as can be.
        """
        ends = [f"/{field}.day.bin" for field in self.fields]
        lines = [memoryview(line).cast("B") for line in block.lines]
        bounds = zip(names, (4 * block.starts).tolist(), (4 * block.ends).tolist(), strict=True)
        features = str(self.folder / FEATURES)
        for name, a, b in bounds:
            folder = f"{features}/{name.lower()}"
            os.mkdir(folder)  # noqa: PTH102
            for end, line in zip(ends, lines, strict=True):
                with open(folder + end, "wb", buffering=0) as file:  # noqa: PTH123
                    file.write(line[a:b])
        for stream, line in zip(self._streams, lines, strict=True):
            stream.update(line)
        self._count(len(names) * len(ends), block.lines.nbytes)

    def _count(self, files: int, size: int) -> None:
        self.files += files
        self.bytes += size

    def digest(self) -> str:
        """16 hex digits of everything written; how symbols were cut into blocks is no part."""
        whole = self._texts.copy()
        for field, stream in zip(self.fields, self._streams, strict=True):
            whole.update(f"{field}\0".encode() + stream.digest())
        return whole.hexdigest()[:16]

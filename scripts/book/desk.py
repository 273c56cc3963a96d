"""What a cell of a notebook or chapter works with: its declared files, and what it hands on."""

from __future__ import annotations

import base64
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.figure import Figure

from scripts.book import tables
from scripts.errors import DataError
from scripts.figures import DATES

ROOT = Path(__file__).resolve().parents[2]
VALUE = "application/vnd.almanac.value+json"
AGAIN = "remove it and run again"
SHOWN = "application/vnd.almanac.shown+json"


class Desk:
    """The files a document has declared, and nothing else.

    A document makes one in its first cell, from the names its parameters cell gave (the graph
    replaces them): `desk = Desk(results, inputs, simulated)`.
    """

    by_hand = True  # in a kernel of the graph it is not: scripts.book.kernel

    def __init__(self, results: str, inputs: Sequence[str] | None, simulated: bool = False) -> None:
        """Take the declared files.

        Args:
            results: folder of the run, as `results/demo`.
            inputs: paths below it that the document may read. None (the document is run by hand):
                all that lie there.
            simulated: whether any input rests on simulated data.

        Raises:
            DataError: inputs is None where the graph runs the document.
        """
        if inputs is None and not self.by_hand:
            raise DataError("Desk(results, inputs, simulated) takes what the parameters cell names")
        # Who writes with a preview may do so from any folder.
        self._results = folder if (folder := Path(results)).is_dir() else ROOT / results
        self._inputs = None if inputs is None else tuple(sorted(inputs))
        self.simulated = simulated

    def files(self, pattern: str) -> list[Path]:
        """The declared files that `pattern` (* stands for anything but a slash) names, sorted.

        Raises:
            DataError: there is none.
        """
        parts = pattern.split("/")
        if self._inputs is not None:
            found = [
                self._results / path
                for path in self._inputs
                if len(split := path.split("/")) == len(parts)
                and all(map(fnmatchcase, split, parts))
            ]
        else:
            found = sorted(self._results.glob(pattern))
        if not found:
            raise DataError(f"{pattern}: not a declared input; name it in the front matter")
        return found

    def file(self, path: str) -> Path:
        """One declared file.

        Raises:
            DataError: it is not declared, or `path` is a pattern of several.
        """
        found = self.files(path)
        if len(found) > 1:
            raise DataError(f"{path}: {len(found)} inputs, expected one; use files()")
        return found[0]

    def value(
        self,
        name: str,
        value: float | int | str,
        unit: str = "",
        format: str = "",
        simulated: bool | None = None,
    ) -> Value:
        """Hand on a number that prose quotes; it goes to book/values/{document}.json.

        Args:
            name: snake_case, once in a document.
            value: finite.
            unit: of the value ("" for a pure number), as readers see it: %, pp, games, USD.
            format: of `format()`: .3f, d, .1%. With % the unit is left out.
            simulated: whether it rests on simulated data; None: as the document does.

        Raises:
            DataError: a value that is no finite number or text, a name that is not snake_case.
        """
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise DataError(f"value {name!r}: names are snake_case")
        value = value.item() if hasattr(value, "item") else value
        if not isinstance(value, str) and (value is None or not math.isfinite(value)):
            raise DataError(f"value {name}: got {value}, expected a finite number")
        simulated = self.simulated if simulated is None else simulated
        return Value(name, value, unit, format, simulated)

    def values(self, *values: Value) -> Values:
        """Several values, as the last expression of a cell."""
        return Values(values)

    def table(self, frame: pl.DataFrame, **options: Any) -> tables.Table:
        """A table to show, last in a cell labelled tbl-...; for `options` see `tables.Table`."""
        options.setdefault("simulated", self.simulated)
        return tables.Table(frame, **options)

    def figure(self, figure: Figure, simulated: bool | None = None) -> Picture:
        """A matplotlib figure to show, last in a cell labelled fig-..."""
        return Picture(figure, self.simulated if simulated is None else simulated)

    def quote(self, name: str) -> str:
        """A notebook's value as text, with its unit: `quote("score-validation.chi_squared")`.

        Raises:
            DataError: no such notebook among the inputs, no such value, a damaged file.
        """
        notebook, _, key = name.partition(".")
        path = self.file(f"book/values/{notebook}.json")
        known = _told(path)
        if key not in known:
            raise DataError(f"{name}: no such value in {path}; it has {', '.join(sorted(known))}")
        try:
            return text_of(_checked(known[key]))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path}: {key}: no value ({error}); {AGAIN}") from None

    def show(self, notebook: str, label: str) -> Shown:
        """A figure or table of a notebook: `show("score-validation", "fig-margins")`."""
        return Shown(notebook, label)


def _told(path: Path) -> dict:
    """The values that a notebook handed on."""
    try:
        told = json.loads(path.read_bytes().decode())
        if not isinstance(told, dict):
            raise ValueError("it is no object")
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: no values of a notebook ({error}); {AGAIN}") from None
    return told


def _checked(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """An entry of a values file, as `Desk.value` made it."""
    value = entry["value"]
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not (number or isinstance(value, str)):
        raise ValueError(f"got {value!r:.60}, expected a finite number or text")
    for key in ("unit", "format"):
        if not isinstance(entry[key], str):
            raise ValueError(f"{key} is {entry[key]!r:.60}, expected text")
    return entry


def text_of(value: Mapping[str, Any]) -> str:
    """A value of values.json as readers see it: 0.687 with .1% is 68.7 %, 12 and games 12 games."""
    text = format(value["value"], value["format"]).replace("-", "\u2212")
    if isinstance(value["value"], str):
        text = value["value"]
    if text.endswith("%"):
        return f"{text[:-1]}\u00a0%"
    return f"{text}\u00a0{value['unit']}" if value["unit"] else text


def content(data: Mapping[str, str], mime: str) -> bytes:
    """One format of a displayed object as bytes: text in UTF-8, all else decoded."""
    text = data[mime]
    return text.encode() if mime.startswith(("text/", "image/svg")) else base64.b64decode(text)


class Value:
    """A number with its unit and format, see `Desk.value`."""

    def __init__(self, name: str, value: Any, unit: str, format: str, simulated: bool) -> None:
        """Hold what values.json will hold."""
        self.name = name
        self.entry = {"value": value, "unit": unit, "format": format, "simulated": simulated}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return Values([self])._repr_mimebundle_()


class Values:
    """Several of them."""

    def __init__(self, values: Sequence[Value]) -> None:
        """Refuse a name given twice."""
        self.values = values
        names = [value.name for value in values]
        if twice := {name for name in names if names.count(name) > 1}:
            raise DataError(f"value {sorted(twice)[0]}: given twice")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        entries = {value.name: value.entry for value in self.values}
        lines = [f"{name}: {text_of(entry)}" for name, entry in entries.items()]
        return {VALUE: entries, "text/plain": "\n".join(lines)}


class Picture:
    """A figure as SVG and PDF, the same bytes every time."""

    def __init__(self, figure: Figure, simulated: bool) -> None:
        """Hold the figure."""
        self.figure, self.simulated = figure, simulated

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        drawn = {}
        for kind in ("svg", "pdf"):
            self.figure.savefig(buffer := io.BytesIO(), format=kind, metadata=DATES[kind])
            drawn[kind] = buffer.getvalue()
        bundle = {
            "image/svg+xml": drawn["svg"].decode(),
            "application/pdf": base64.b64encode(drawn["pdf"]).decode(),
            "text/plain": repr(self.figure),
        }
        return bundle, {"almanac": {"simulated": self.simulated}}


class Shown:
    """A figure or table that another document made."""

    def __init__(self, notebook: str, label: str) -> None:
        """Hold where it is."""
        self.notebook, self.label = notebook, label

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        shown = {"notebook": self.notebook, "label": self.label}
        return {SHOWN: shown, "text/plain": f"{self.label} of {self.notebook}"}

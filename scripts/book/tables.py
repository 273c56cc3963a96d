"""Frames as tables of a book: LaTeX with booktabs, Typst, HTML."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Mapping
from typing import Any

import polars as pl

from scripts.errors import DataError

MISSING = "\u2013"
TYPST = "text/x-typst"
LINE_CHARACTERS = 92  # of small type across the text
GAP_CHARACTERS = 2.4  # between two columns
_TEX = {
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "\u2212": "$-$",
    "\u2013": "--",
    "\u2014": "---",
    "\u00a0": "~",
    "\u00b1": r"$\pm$",
    "\u00d7": r"$\times$",
    "\u2264": r"$\le$",
    "\u2265": r"$\ge$",
    "\u00b7": r"$\cdot$",
    "\u2026": r"\dots{}",
    "\u00b0": r"\textdegree{}",
    "\u2192": r"$\rightarrow$",
}
_TYPST = "\\#$*_`<>@[]~/=-+"


class Table:
    """A frame that shows itself in every format of the book."""

    def __init__(
        self,
        frame: pl.DataFrame,
        *,
        headers: Mapping[str, str] | None = None,
        formats: Mapping[str, str] | None = None,
        widths: Mapping[str, float] | None = None,
        simulated: bool = False,
    ) -> None:
        """Format all cells.

        Args:
            frame: at least a row; numbers stand right, all else left.
            headers: column -> text above it, units in it; others are their names with spaces.
            formats: column -> of `format()`: .3f, d, ",d", .1%. Floats without: .3f.
            widths: text column -> share of the text's width; its cells then wrap. Others do not.
            simulated: whether it rests on simulated data: its caption says so.

        Raises:
            DataError: an empty frame, NaN or an infinity (a null is shown as a dash), a name in
                headers, formats or widths that is no column.
        """
        headers, formats, widths = headers or {}, formats or {}, widths or {}
        if frame.is_empty() or not frame.width:
            raise DataError("a table without rows: show it only when there are some")
        for name in (*headers, *formats, *widths):
            if name not in frame.columns:
                raise DataError(
                    f"{name}: no column of the table; it has {', '.join(frame.columns)}"
                )
        self.simulated = simulated
        self.head = [headers.get(name, name.replace("_", " ")) for name in frame.columns]
        self.right = [frame.schema[name].is_numeric() for name in frame.columns]
        self.widths = [widths.get(name) for name in frame.columns]
        columns = [
            [_text(name, value, formats.get(name)) for value in frame[name]]
            for name in frame.columns
        ]
        self.rows = [list(row) for row in zip(*columns, strict=True)]

    def latex(self) -> str:
        """A tabular environment with booktabs' rules."""
        spec = "".join(
            "r" if right else "l" if width is None else rf"p{{{width:g}\linewidth}}"
            for right, width in zip(self.right, self.widths, strict=True)
        )
        lines = [rf"\begin{{tabular}}{{@{{}}{spec}@{{}}}}", r"\toprule"]
        lines += [
            *map(_tex_row, self._stacked_head()),
            r"\midrule",
            *map(_tex_row, self.rows),
            r"\bottomrule",
            r"\end{tabular}",
        ]
        return "\n".join(lines) + "\n"

    def _stacked_head(self) -> list[list[str]]:
        """The headers as rows of a width at which the table fits: LaTeX does not wrap them."""
        widest = [max(map(len, cells)) for cells in zip(*self.rows, strict=True)]
        for width in (LINE_CHARACTERS, 24, 18, 14, 11, 8):
            heads = [textwrap.wrap(h, width, break_long_words=False) or [""] for h in self.head]
            needed = sum(
                max([0 if share else cells, *map(len, head)]) + GAP_CHARACTERS
                for head, cells, share in zip(heads, widest, self.widths, strict=True)
            )
            if needed <= LINE_CHARACTERS:
                break
        deepest = max(map(len, heads))
        columns = [[""] * (deepest - len(head)) + head for head in heads]
        return [list(row) for row in zip(*columns, strict=True)]

    def typst(self) -> str:
        """A table() with three rules."""
        columns = ", ".join("auto" if w is None else f"{100 * w:g}%" for w in self.widths)
        align = ", ".join("right" if right else "left" for right in self.right)
        lines = ["#table(", f"  columns: ({columns},),", f"  align: ({align},),", "  stroke: none,"]
        lines += ["  table.hline(),", f"  table.header({_typst_row(self.head)}),"]
        lines += ["  table.hline(stroke: 0.5pt),"]
        lines += [f"  {_typst_row(row)}," for row in self.rows]
        return "\n".join([*lines, "  table.hline(),", ")"]) + "\n"

    def html(self) -> str:
        """A <table> without style."""
        sides = ["right" if right else "left" for right in self.right]

        def row(cells: list[str], tag: str) -> str:
            made = (
                f'<{tag} style="text-align: {side}">{html.escape(cell)}</{tag}>'
                for cell, side in zip(cells, sides, strict=True)
            )
            return f"<tr>{''.join(made)}</tr>"

        body = "\n".join(row(cells, "td") for cells in self.rows)
        head = row(self.head, "th")
        return f"<table>\n<thead>\n{head}\n</thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        bundle = {
            "text/html": self.html(),
            "text/latex": self.latex(),
            TYPST: self.typst(),
            "text/plain": "\n".join(" | ".join(row) for row in (self.head, *self.rows)),
        }
        return bundle, {"almanac": {"simulated": self.simulated}}


def _text(name: str, value: Any, spec: str | None) -> str:
    if value is None:
        return MISSING
    if isinstance(value, float) and not math.isfinite(value):
        raise DataError(f"{name}: {value} in a table; make it a null, or leave the row out")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    text = format(value, spec if spec is not None else ".3f" if isinstance(value, float) else "d")
    text = text.replace("-", "\u2212")
    return f"{text[:-1]}\u00a0%" if text.endswith("%") else text


def tex_escaped(text: str) -> str:
    """Text as LaTeX shows it."""
    return "".join(_TEX.get(c, c) for c in text)


def typst_escaped(text: str) -> str:
    """Text as Typst shows it."""
    return "".join(f"\\{c}" if c in _TYPST else c for c in text)


def _tex_row(cells: list[str]) -> str:
    return " & ".join(map(tex_escaped, cells)) + r" \\"


def _typst_row(cells: list[str]) -> str:
    return ", ".join(f"[{typst_escaped(cell)}]" for cell in cells)

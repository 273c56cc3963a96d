"""Quarto markdown as the book uses it: cells, prose, what they name, without running anything.

Standard library and yaml only: Snakemake imports this while it parses. What may stand in a document
is a subset that every engine renders alike (docs/book.md); all else is an error with file and line,
see `scripts.plan.portable`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import yaml

from scripts.errors import DataError
from scripts.plan import strict_yaml

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # what no text holds
OPTIONS = (
    "label", "fig-cap", "tbl-cap", "fig-subcap", "layout-ncol", "echo", "include", "eval", "tags",
)  # fmt: skip
INLINE = re.compile(r"`\{python\} ([^`\n]+)`")
HEADING = re.compile(r"^(#{1,6}) +(.*?)(?: +\{([^{}]*)\})? *$")
EQUATION = re.compile(r"^(?:\$\$.*)?\$\$ *\{#(eq-[\w-]+)\} *$")
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^`]*)$")
# A reference or a citation: @key where a word may begin.
NAMED = re.compile(r"(?<![\w\\@`./])@([A-Za-z][\w:-]*[\w]|[A-Za-z])")
CROSS = ("fig-", "tbl-", "sec-", "eq-")


@dataclass(frozen=True)
class Cell:
    """A Python cell: the line of its fence, its options, its code."""

    line: int
    options: Mapping[str, object]
    code: str

    @property
    def label(self) -> str | None:
        """fig-... or tbl-..., where it has one."""
        return self.options.get("label")

    @property
    def caption(self) -> str:
        """Of its figure or table."""
        return self.options.get("fig-cap") or self.options.get("tbl-cap") or ""

    @property
    def subcaptions(self) -> list[str]:
        """Of the figures that one label holds."""
        return list(self.options.get("fig-subcap", []))

    @property
    def stems(self) -> list[str]:
        """Names of its figures' files without their suffix: one, or one for each subcaption."""
        numbers = range(1, len(self.subcaptions) + 1)
        return [f"{self.label}-{n}" for n in numbers] or [self.label]

    @cached_property
    def tree(self) -> ast.Module:
        """Its code, parsed.

        Raises:
            SyntaxError: it is no Python.
        """
        return ast.parse(self.code)

    @cached_property
    def shown(self) -> tuple[str, str] | None:
        """(notebook, label) of a cell that does nothing but `desk.show("notebook", "label")`."""
        body = self.tree.body
        call = body[0].value if len(body) == 1 and isinstance(body[0], ast.Expr) else None
        if not isinstance(call, ast.Call) or getattr(call.func, "attr", "") != "show":
            return None
        try:
            notebook, label = map(ast.literal_eval, call.args)
        except ValueError:
            return None
        return notebook, label


@dataclass(frozen=True)
class Prose:
    """Markdown between cells: its first line, its text."""

    line: int
    text: str

    @cached_property
    def plain(self) -> list[tuple[int, str]]:
        """Lines that are neither in a block of code nor blank, with code spans blanked out."""
        kept, fence = [], ""
        for number, line in enumerate(self.text.split("\n"), self.line):
            fence, inside = _fenced(fence, line)
            if not inside and line.strip():
                kept.append((number, re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", " ", line)))
        return kept


def _fenced(fence: str, line: str) -> tuple[str, bool]:
    """The fence that is open after a line, and whether the line belongs to a block of code."""
    if not fence:
        opened = FENCE.match(line)
        return (opened[1], True) if opened else ("", False)
    closed = line.strip().startswith(fence) and not line.strip().strip(fence[0])
    return ("" if closed else fence), True


@dataclass(frozen=True)
class Document:
    """A notebook or a chapter as it stands in its file."""

    path: Path
    front: Mapping[str, object]
    parts: tuple[Cell | Prose, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """Its id: the file's name without the suffix."""
        return self.path.stem

    @property
    def kind(self) -> str:
        """The folder it lies in: notebooks or chapters."""
        return self.path.parent.name

    @property
    def inputs(self) -> list[str]:
        """Paths below the run's results that its cells read; * stands for anything but a slash."""
        return list(self.front.get("inputs") or [])

    @property
    def notebooks(self) -> list[str]:
        """Notebooks whose values, figures and tables it uses."""
        return list(self.front.get("notebooks") or [])

    @cached_property
    def cells(self) -> list[Cell]:
        """Its cells, in order."""
        return [part for part in self.parts if isinstance(part, Cell)]

    @cached_property
    def prose(self) -> list[Prose]:
        """What stands between them."""
        return [part for part in self.parts if isinstance(part, Prose)]

    @cached_property
    def inline(self) -> list[tuple[int, str]]:
        """(line, expression) of what prose and captions take from Python."""
        texts = [(part.line, part.text) for part in self.prose]
        texts += [(c.line, caption) for c in self.cells for caption in (c.caption, *c.subcaptions)]
        return [
            (line + text[: found.start()].count("\n"), found[1])
            for line, text in texts
            for found in INLINE.finditer(text)
        ]

    @cached_property
    def headings(self) -> list[tuple[int, int, str, list[str]]]:
        """(line, level, text, attributes) of the headings."""
        found = ((n, HEADING.match(line)) for part in self.prose for n, line in part.plain)
        return [(n, len(h[1]), h[2], (h[3] or "").split()) for n, h in found if h]

    @property
    def title(self) -> str:
        """Text of the first heading."""
        return self.headings[0][2]

    @property
    def numbered(self) -> bool:
        """Whether it counts among the chapters."""
        return ".unnumbered" not in self.headings[0][3]

    @cached_property
    def labels(self) -> list[tuple[int, str]]:
        """(line, label) of figures, tables, sections and equations, in order."""
        return list(self._labels())

    def _labels(self) -> Iterator[tuple[int, str]]:
        for part in self.parts:
            if isinstance(part, Cell):
                if part.label:
                    yield part.line, part.label
                continue
            for number, line in part.plain:
                if heading := HEADING.match(line):
                    ids = [a[1:] for a in (heading[3] or "").split() if a.startswith("#sec-")]
                    yield from ((number, name) for name in ids)
                elif equation := EQUATION.match(line):
                    yield number, equation[1]

    @cached_property
    def named(self) -> list[tuple[int, str]]:
        """(line, key) of all references and citations, in order."""
        lines = [(n, line) for part in self.prose for n, line in part.plain]
        lines += [(c.line, text) for c in self.cells for text in (c.caption, *c.subcaptions)]
        return [(n, found[1]) for n, line in lines for found in NAMED.finditer(line)]

    @property
    def references(self) -> list[tuple[int, str]]:
        """Those that name a figure, table, section or equation."""
        return [(n, key) for n, key in self.named if key.startswith(CROSS)]

    @property
    def citations(self) -> list[tuple[int, str]]:
        """Those that name an entry of the bibliography."""
        return [(n, key) for n, key in self.named if not key.startswith(CROSS)]

    @property
    def made(self) -> list[Cell]:
        """Labelled cells that make their figure or table, and do not show another document's."""
        return [cell for cell in self.cells if cell.label and not cell.shown]

    @property
    def shown(self) -> dict[str, tuple[str, str]]:
        """Label -> (notebook, its label) of what it shows of others."""
        return {cell.label: cell.shown for cell in self.cells if cell.label and cell.shown}


def read(path: Path) -> Document:
    """Read a document.

    Raises:
        DataError: with file and line: no text, no front matter of the known form, a fence that is
            not closed, options that are no YAML.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    if found := CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise DataError(f"{path}:{line}: the character {found[0]!r}; delete it")
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0].strip() != "---" or "---" not in lines[1:]:
        raise DataError(
            f"{path}:1: no front matter; start with ---, almanac: {{inputs: [...]}}, ---"
        )
    end = lines.index("---", 1)
    front = _yaml(path, 2, "\n".join(lines[1:end]))
    if set(front) != {"almanac"} or not isinstance(front["almanac"], dict):
        hint = "the title is the first heading" if "title" in front else "known: almanac"
        raise DataError(f"{path}:2: front matter has {', '.join(map(str, front))}; {hint}")
    _check_front(path, front["almanac"])
    return Document(path, front["almanac"], tuple(_parts(path, lines, end + 1)))


def _check_front(path: Path, front: Mapping) -> None:
    for key, value in front.items():
        if key not in ("inputs", "notebooks"):
            raise DataError(f"{path}:2: almanac.{key} is not known; it has inputs, notebooks")
        texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
        if value is not None and not texts:
            raise DataError(f"{path}:2: almanac.{key}: got {value!r}, expected a list of names")
        for item in value or []:
            if item.startswith("/") or ".." in item.split("/"):
                raise DataError(f"{path}:2: almanac.{key}: {item!r} is not below the run's results")


def _yaml(path: Path, line: int, text: str) -> dict:
    try:
        read = strict_yaml.load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = line + min(mark.line if mark else 0, text.count("\n"))
        raise DataError(f"{path}:{place}: no YAML: {getattr(error, 'problem', error)}") from None
    if not isinstance(read, dict):
        raise DataError(f"{path}:{line}: got {read!r}, expected keys with values")
    return read


def _parts(path: Path, lines: list[str], start: int) -> Iterator[Cell | Prose]:
    """Cells and prose; lines are counted from 1."""
    prose_from, number, fence = start, start, ""
    while number < len(lines):
        line = lines[number]
        if fence or not line.startswith("```{"):
            fence, _ = _fenced(fence, line)
            number += 1
            continue
        if line.strip() != "```{python}":
            raise DataError(
                f"{path}:{number + 1}: got {line.strip()}, expected ```{{python}}; other languages "
                "and raw blocks are not portable"
            )
        if "\n".join(lines[prose_from:number]).strip():
            yield Prose(prose_from + 1, "\n".join(lines[prose_from:number]))
        if "```" not in (rest := [text.rstrip() for text in lines[number + 1 :]]):
            raise DataError(f"{path}:{number + 1}: the cell is not closed by ```")
        end = number + 1 + rest.index("```")
        yield _cell(path, number + 1, lines[number + 1 : end])
        prose_from = number = end + 1
    if fence:
        raise DataError(f"{path}:{prose_from + 1}: a block of code after this line is not closed")
    if "\n".join(lines[prose_from:]).strip():
        yield Prose(prose_from + 1, "\n".join(lines[prose_from:]))


def _cell(path: Path, line: int, lines: list[str]) -> Cell:
    options = [text[2:] for text in lines if text.startswith("#|")]
    read = _yaml(path, line + 1, "\n".join(options)) if options else {}
    # Options stay as comments, so that the lines of an error are the lines of the cell.
    return Cell(line, read, "\n".join(lines))

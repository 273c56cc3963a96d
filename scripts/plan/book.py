"""Plan of the book: its notebooks and chapters, what each reads, how things are numbered.

Standard library and yaml only: Snakemake imports this while it parses.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from scripts.errors import DataError
from scripts.plan import bibliography, portable, qmd
from scripts.plan.fingerprint import canonical, fingerprint, imports
from scripts.plan.qmd import Cell, Document

KINDS = {"fig": "Figure", "tbl": "Table", "eq": "Equation"}
TABLE_FORMATS = ("tex", "typ", "html")
FIGURE_FORMATS = ("svg", "pdf")
PACKAGES = (
    "ipykernel", "matplotlib", "nbclient", "nbformat", "pikepdf", "polars", "pypandoc-binary",
    "pypdfium2", "typst",
)  # fmt: skip
LATEX_TOOLS = ("latexmk", "pdflatex", "bibtex")


@dataclass(frozen=True)
class BookPlan:
    """The book section of the config and the sources it names.

    Args:
        config: the completed `book` section.
        root: the project's folder.
    """

    config: Mapping
    root: Path

    @property
    def on(self) -> bool:
        """Whether there is a book."""
        return bool(self.config["chapters"])

    @property
    def folder(self) -> Path:
        """The sources, as users see them from the project's folder; from another, absolute."""
        return (Path() if self.root.samefile(".") else self.root) / "book"

    @cached_property
    def notebooks(self) -> dict[str, Document]:
        """All notebooks, by id, checked."""
        return self._documents("notebooks")

    @cached_property
    def chapters(self) -> dict[str, Document]:
        """All chapters, by id, those too that config does not name; checked."""
        found = self._documents("chapters")
        for name in self.config["chapters"]:
            if name not in found:
                raise DataError(
                    f"config: book.chapters: {name!r} is not a file of book/chapters; "
                    f"there are {', '.join(found)}"
                )
        for name, document in found.items():
            if name in self.notebooks:
                raise DataError(f"{document.path}: a notebook has that id too; rename one")
            self._check_shown(document)
        makers: dict[str, Document] = {}
        for document in (*self.notebooks.values(), *found.values()):
            for cell in document.made:
                other = makers.setdefault(cell.label, document)
                if cell.label.startswith("tbl-") and other is not document:
                    place = f"{document.path}:{cell.line}"
                    raise DataError(f"{place}: {cell.label} is made by {other.path} too; rename it")
        return found

    def _documents(self, kind: str) -> dict[str, Document]:
        if not self.on:
            return {}
        paths = sorted((self.folder / kind).glob("[!._]*.qmd"))
        found = {path.stem: qmd.read(path) for path in paths}
        for document in found.values():
            portable.check(document)
        portable.check_unique(found)
        return found

    def _check_shown(self, chapter: Document) -> None:
        """Refuse a cell that shows what no notebook of the front matter makes."""
        for name in chapter.notebooks:
            if name not in self.notebooks:
                raise DataError(f"{chapter.path}:2: {name!r} is not a file of book/notebooks")
        for cell in chapter.cells:
            if cell.label is None or cell.shown is None:
                continue
            place, (notebook, label) = f"{chapter.path}:{cell.line}", cell.shown
            if notebook not in chapter.notebooks:
                raise DataError(f"{place}: {notebook} is not among the notebooks of line 2")
            made = [made.label for made in self.notebooks[notebook].made]
            if label not in made or label[:3] != cell.label[:3]:
                raise DataError(f"{place}: {notebook} makes no {label}; it has {', '.join(made)}")

    @cached_property
    def documents(self) -> dict[str, Document]:
        """Notebooks and chapters."""
        return {**self.notebooks, **self.chapters}

    @cached_property
    def cited(self) -> dict[str, str]:
        """Entries of the bibliography, by key."""
        return bibliography.entries(self.folder / "references.bib")

    @cached_property
    def shared(self) -> str:
        """The whole bibliography, where an entry may take from another (@string, crossref)."""
        texts = "".join(self.cited.values())
        path = self.folder / "references.bib"
        text = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
        shares = re.search(r"^\s*@string", text, re.I | re.M) or re.search(r"crossref", texts, re.I)
        return text if shares else ""

    def retracted_by(self, document: Document) -> list[str]:
        """What is printed, below the run's results, and out of date once a document changes."""
        name = document.name
        users = [n for n, c in self.chapters.items() if name == n or name in c.notebooks]
        pages = [f"book/chapters/{n}.{kind}" for n in users for kind in ("html", "pdf")]
        return [*pages, "book/main.pdf", "book/report.html", "book/report.json"]

    def cited_by(self, document: Document) -> list[str]:
        """A hash of each entry that a document cites, sorted."""
        keys = sorted({key for _, key in document.citations})
        found = [f"{key} {_digest(self.cited[key])}" for key in keys]
        return [*found, *([_digest(self.shared)] if self.shared else [])]

    def cells(self, document: Document) -> str:
        """A hash of what a document runs: its cells, inline expressions, the project's modules."""
        relevant = ("label", "eval", "tags")
        runs = [
            [
                {key: cell.options[key] for key in relevant if key in cell.options},
                len(cell.subcaptions),
                canonical(cell.tree.body),
            ]
            for cell in document.cells
        ]
        code = "\n".join(cell.code for cell in document.cells)
        modules = fingerprint(self.root, *imports(self.root, code))
        return _digest(json.dumps([runs, [e for _, e in document.inline], modules]))

    @cached_property
    def packages(self) -> list[str]:
        """Versions of the environment's packages that make the book."""
        return [f"{name} {version(name)}" for name in PACKAGES] if self.on else []

    @cached_property
    def engine(self) -> str:
        """quarto or embedded.

        Raises:
            DataError: config asks for quarto, and it is not on PATH.
        """
        wanted, found = self.config["engine"], shutil.which("quarto")
        if wanted == "quarto" and not found:
            raise DataError(
                "config: book.engine: quarto is not on PATH; install quarto-cli or set embedded"
            )
        return wanted if wanted != "auto" else "quarto" if found else "embedded"

    @cached_property
    def tools(self) -> list[str]:
        """Programs outside the environment that are used, with what tells their versions apart.

        Raises:
            DataError: the backend is latex, and a program of it is not on PATH.
        """
        wanted = ["quarto"] if self.engine == "quarto" else []
        if self.config["backend"] == "latex":
            wanted += LATEX_TOOLS
        if lacking := [name for name in wanted if not shutil.which(name)]:
            raise DataError(
                f"config: book.backend: latex needs {', '.join(lacking)} on PATH; install "
                "texlive-latex-recommended, texlive-fonts-recommended, latexmk and lmodern, or set "
                "typst"
            )
        stats = {name: Path(shutil.which(name)).resolve().stat() for name in wanted}
        return [f"{name} {stat.st_size} {int(stat.st_mtime)}" for name, stat in stats.items()]

    def edition(self, products: Iterable[str]) -> Edition:
        """The book as far as the plan makes what it reads.

        Args:
            products: paths below the run's results that the other domains make.

        Raises:
            DataError: a reference or citation that leads nowhere.
        """
        made = sorted(set(products))
        inputs: dict[str, list[str]] = {}
        absent: dict[str, str] = {}
        for document in self.documents.values():  # notebooks first
            lacking = [f"notebook {name}" for name in document.notebooks if name not in inputs]
            found = {pattern: _matching(made, pattern) for pattern in document.inputs}
            lacking += [
                f"what makes {pattern}" for pattern in document.inputs if not found[pattern]
            ]
            if lacking:
                what = f"{document.kind[:-1]} {document.name}"
                absent[document.name] = f"book: {what} is not built: {lacking[0]} is absent"
                continue
            read = {f"book/values/{name}.json" for name in document.notebooks}
            inputs[document.name] = sorted(read.union(*found.values()))
        chapters = [name for name in self.config["chapters"] if name in inputs]
        used = {name for chapter in chapters for name in self.chapters[chapter].notebooks}
        left = [name for name in self.config["chapters"] if name in absent]
        edition = Edition(self, sorted(used), chapters, inputs, absent, left)
        for name in (*edition.notebooks, *chapters):
            document = self.documents[name]
            portable.check_keys(document, edition.index_of(document), self.cited)
        return edition


@dataclass(frozen=True)
class Edition:
    """What of the book is built in this run.

    Args:
        plan: of the whole book.
        notebooks: ids of those that its chapters use, in order of name.
        chapters: ids, in the order of the book.
        inputs: id -> paths below the run's results that a document may read; of all documents.
        absent: id -> why a document cannot be built.
        left: chapters of the config that are left out.
    """

    plan: BookPlan
    notebooks: list[str]
    chapters: list[str]
    inputs: Mapping[str, list[str]]
    absent: Mapping[str, str]
    left: list[str]

    @cached_property
    def numbers(self) -> dict[str, int | None]:
        """Chapter -> its number; None: it has none."""
        count = 0
        found: dict[str, int | None] = {}
        for name in self.chapters:
            numbered = self.plan.chapters[name].numbered
            count += numbered
            found[name] = count if numbered else None
        return found

    @cached_property
    def index(self) -> dict[str, dict[str, str]]:
        """Label -> {document, text}, over all chapters of the folder.

        What is in this edition is named by its number (Figure 3.2), a chapter that is not by its
        title, without a document.
        """
        found = {}
        for name, document in self.plan.chapters.items():
            if name in self.numbers:
                found |= _numbered(document, self.numbers[name])
            else:
                text = f"\u201c{document.title}\u201d (not in this edition)"
                found |= {label: {"document": "", "text": text} for _, label in document.labels}
        return found

    def index_of(self, document: Document) -> dict[str, dict[str, str]]:
        """Labels that a document may refer to: a chapter to all, a notebook to its own."""
        return self.index if document.kind == "chapters" else _numbered(document, None)

    def references(self, document: Document) -> list[list[str]]:
        """[label, document, text] of what a document refers to, sorted."""
        index = self.index_of(document)
        labels = sorted({label for _, label in document.references})
        return [[label, index[label]["document"], index[label]["text"]] for label in labels]

    def domains(self, document: Document) -> set[str]:
        """Domains whose results a document rests on, by itself or through its notebooks."""
        read = {path.partition("/")[0] for path in self.inputs.get(document.name, [])} - {"book"}
        below = (self.domains(self.plan.notebooks[name]) for name in document.notebooks)
        return read.union(*below)

    def tables(self, document: Document) -> list[str]:
        """Files of the tables in a document, without their suffix: book/tables/..."""
        return [_table(label) for label, _ in self._floats(document) if label.startswith("tbl-")]

    def figures(self, document: Document) -> list[str]:
        """Files of its figures, without their suffix: book/figures/{document}/..."""
        return [
            path
            for label, cell in self._floats(document)
            if label.startswith("fig-")
            for path in self._figure_files(document, cell)
        ]

    def _floats(self, document: Document) -> list[tuple[str, Cell]]:
        """(label where it is made, the cell that shows it) of figures and tables."""
        return [(c.shown[1] if c.shown else c.label, c) for c in document.cells if c.label]

    def _figure_files(self, document: Document, cell: Cell) -> list[str]:
        maker, made = document, cell
        if cell.shown:
            maker = self.plan.notebooks[cell.shown[0]]
            made = next(c for c in maker.made if c.label == cell.shown[1])
        return [f"book/figures/{maker.name}/{stem}" for stem in made.stems]


def outputs(document: Document) -> dict[str, list[str]]:
    """Files below the run's results that running a document makes: what -> paths."""
    made = document.made
    tables = [_table(cell.label) for cell in made if cell.label.startswith("tbl-")]
    figures = [
        f"book/figures/{document.name}/{stem}"
        for cell in made
        if cell.label.startswith("fig-")
        for stem in cell.stems
    ]
    return {
        "executed": [f"book/executed/{document.name}.ipynb"],
        "values": [f"book/values/{document.name}.json"],
        "tables": [f"{path}.{kind}" for path in tables for kind in TABLE_FORMATS],
        "figures": [f"{path}.{kind}" for path in figures for kind in FIGURE_FORMATS],
    }


def captions(index: Mapping[str, Mapping[str, str]], chapter: str) -> list[str]:
    """Beginnings of the captions of a chapter's figures and tables: Figure 3.2."""
    kinds = ("fig-", "tbl-")
    return [e["text"] for n, e in index.items() if n.startswith(kinds) and e["document"] == chapter]


def _table(label: str) -> str:
    return f"book/tables/{label.removeprefix('tbl-')}"


def _numbered(document: Document, number: int | None) -> dict[str, dict[str, str]]:
    """Labels of a document with the numbers that its typesetting will give them."""
    counts: dict[str, int] = {}
    found = {}

    def count(kind: str) -> str:
        counts[kind] = counts.get(kind, 0) + 1
        return str(counts[kind]) if number is None else f"{number}.{counts[kind]}"

    def add(label: str, text: str) -> None:
        found[label] = {"document": document.name, "text": text}

    levels: list[int] = []
    for part in document.parts:
        if isinstance(part, Cell):
            if part.label:
                kind = part.label[:3]
                add(part.label, f"{KINDS[kind]}\u00a0{count(kind)}")
            continue
        for _, line in part.plain:
            if heading := qmd.HEADING.match(line):
                level, attributes = len(heading[1]), (heading[3] or "").split()
                if level > 1:
                    levels = [*(levels + [0] * level)[: level - 1]]
                    levels[-1] += 1
                parts = [str(n) for n in ([number] if number else []) + levels]
                name = "Chapter" if level == 1 else "Section"
                text = f"{name}\u00a0{'.'.join(parts)}"
                if not document.numbered or (level == 1 and number is None):
                    text = f"\u201c{heading[2]}\u201d"
                for label in (a[1:] for a in attributes if a.startswith("#sec-")):
                    add(label, text)
            elif equation := qmd.EQUATION.match(line):
                add(equation[1], f"{KINDS['eq']}\u00a0({count('eq')})")
    return found


def _matching(paths: list[str], pattern: str) -> list[str]:
    found = re.compile(re.escape(pattern).replace(r"\*", "[^/]*")).fullmatch
    return [path for path in paths if found(path)]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]

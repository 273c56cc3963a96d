"""Turning composed markdown into fragments and pages, by the engine that config chose."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scripts.book import pandoc, quarto

SOURCES = Path(__file__).resolve().parents[2] / "book"
FILTERS, TEMPLATES = SOURCES / "filters", SOURCES / "templates"
REFERENCES = SOURCES / "references.bib"
FORMATS = {"tex": "latex", "typ": "typst", "html": "html"}
IMPORT = '#import "/templates/book.typ": xref, numbered, subfigures, horizontalrule\n\n'


@dataclass(frozen=True)
class Page:
    """What is rendered, and what it needs beside its text.

    Args:
        name: of the document.
        text: see `composing.compose`.
        title: of its page.
        index: label -> {text, href}.
        folder: the book's results.
        number: of the chapter; None: not numbered.
        simulated: whether it rests on simulated data.
        footer: of its page.
        environment: variables of this process, of which Quarto gets few.
    """

    name: str
    text: str
    title: str
    index: Mapping[str, Mapping[str, str]]
    folder: Path
    number: int | None = None
    simulated: bool = False
    footer: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


def render(page: Page, kind: str, engine: str) -> str:
    """A page (html) or a fragment for typesetting (tex, typ).

    Raises:
        DataError: what the engine says.
    """
    to = FORMATS[kind]
    if engine == "quarto":
        made = quarto.convert(page.text, to, page=page, options=_yaml(page, to))
    else:
        made = pandoc.convert(
            page.text,
            to,
            name=page.name,
            filters=sorted(FILTERS.glob("*.lua")),
            index=page.index,
            folder=page.folder,
            options=_options(page, to),
        )
    return IMPORT + made if kind == "typ" else made


def _options(page: Page, to: str) -> list[str]:
    """Options of pandoc for a format."""
    plain = ["--syntax-highlighting=none", "--top-level-division=chapter"]
    if to == "latex":
        return [*plain, "--natbib"]
    if to == "typst":
        return plain
    offset = (
        [] if page.number is None else ["--number-sections", f"--number-offset={page.number - 1}"]
    )
    notice = ["--variable=notice:" + NOTICE] if page.simulated else []
    return [
        "--standalone",
        "--embed-resources",
        "--mathml",
        "--citeproc",
        f"--bibliography={REFERENCES}",
        f"--template={TEMPLATES / 'page.html'}",
        f"--variable=pagetitle:{html.escape(page.title)}",
        f"--variable=footer:{html.escape(page.footer)}",
        *notice,
        *offset,
    ]


NOTICE = "Simulated data: numbers, figures and tables of this page rest on it where they say so."


def _yaml(page: Page, to: str) -> dict:
    """Front matter of the staged document that Quarto renders."""
    common = {
        "engine": "markdown",
        "from": "markdown-auto_identifiers",
        "bibliography": REFERENCES.name,
        "execute": {"enabled": False},
    }
    # Highlighted code would need definitions that Quarto's own templates bring; by either name.
    plain = {"template": "body.template", "highlight-style": "none", "syntax-highlighting": "none"}
    if to == "latex":
        form = {**plain, "top-level-division": "chapter", "cite-method": "natbib"}
        return {**common, "format": {"latex": form}}
    if to == "typst":
        form = {**plain, "output-ext": "typ", "keep-typ": True, "citeproc": False}
        return {**common, "format": {"typst": form}}
    form = {
        "template": "page.html",
        "embed-resources": True,
        "minimal": True,
        "html-math-method": "mathml",
        "number-sections": page.number is not None,
        "number-offset": [page.number - 1] if page.number else [0],
        "toc": False,
    }
    variables = {
        "footer": html.escape(page.footer),
        **({"notice": NOTICE} if page.simulated else {}),
    }
    return {**common, "pagetitle": page.title, "format": {"html": form}, **variables}


def unmarked(heading: str) -> str:
    """A heading's text without the marks of markdown."""
    return re.sub(r"[*_`$\\]", "", heading)

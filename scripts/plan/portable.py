"""The subset of Quarto markdown that every engine renders alike; all else is refused."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from scripts.errors import DataError
from scripts.plan.qmd import OPTIONS, Cell, Document

KEBAB = r"[a-z0-9]+(-[a-z0-9]+)*"
FORBIDDEN = (  # in prose: what it looks like, what it is, what to do
    (r"^\s*:::+ *\{[^}]*\.callout", "a callout", "write a paragraph"),
    (r"^\s*:::+ *\{[^}]*\.panel-tabset", "a tabset", "write sections"),
    (r"^\s*:::", "a div", "write paragraphs, or a cell with a label"),
    (r"\{\{<", "a shortcode", "use a cell"),
    (r"\{=\w+\}", "raw output", "write markdown"),
    (r"</?[a-zA-Z][^>]*>", "raw HTML", "write markdown"),
    (r"\\(begin|cite|ref|input|include)\b(?![^$]*\$)", "raw LaTeX", "write markdown"),
    (r"!\[", "an image by hand", "show it from a cell labelled fig-..."),
    (r"^\s*\|.*\|\s*$", "a table by hand", "show it from a cell labelled tbl-..."),
    (r"\[\^|\^\[", "a footnote", "write it into the text"),
    (r"\?@", "a reference that an engine left unresolved", "write @label"),
)
TYPED = re.compile(r"(?<![\w.@#-])(\d+[.,]\d+|\d+\s*\\?%)(?![\w.]*\))")


def check(document: Document) -> None:
    """Refuse what is not portable.

    Raises:
        DataError: file, line, what stands there and what to write instead.
    """
    _headings(document)
    for cell in document.cells:
        _cell(document, cell)
    for line, expression in document.inline:
        try:
            ast.parse(expression, mode="eval")
        except SyntaxError as error:
            _refuse(document, line, f"`{expression}` is no Python expression: {error.msg}")
    for part in document.prose:
        for line, text in _outside_formulas(part.plain):
            for pattern, what, instead in FORBIDDEN:
                if found := re.search(pattern, text):
                    what = f"{what} ({found[0].strip()[:40]})"
                    _refuse(document, line, f"{what} is not portable; {instead}")
            if document.kind == "chapters" and (typed := TYPED.search(text)):
                _refuse(
                    document,
                    line,
                    f"the number {typed[1]} is typed by hand; quote a value: "
                    '`{python} quote("notebook.value")`',
                )
    _labels(document)


def check_keys(document: Document, labels: Iterable[str], cited: Iterable[str]) -> None:
    """Refuse references and citations that lead nowhere.

    Args:
        document: whose keys are looked up.
        labels: that its references may name.
        cited: keys of the bibliography.

    Raises:
        DataError: file, line, key and what is near.
    """
    for found, known, what in (
        (document.references, set(labels), "a label of the book"),
        (document.citations, set(cited), "in references.bib"),
    ):
        for line, key in found:
            if key not in known:
                near = get_close_matches(key, known, n=1)
                hint = f"; did you mean @{near[0]}?" if near else ""
                _refuse(document, line, f"@{key} is not {what}{hint}")


def check_unique(documents: Mapping[str, Document]) -> None:
    """Refuse a label that two documents of one kind give.

    Raises:
        DataError: file and line of the second, file of the first.
    """
    first: dict[str, Document] = {}
    for document in documents.values():
        for line, label in document.labels:
            other = first.setdefault(label, document)
            if other is not document:
                _refuse(document, line, f"label {label} is that of {other.path} too; rename one")


def _refuse(document: Document, line: int, why: str) -> None:
    raise DataError(f"{document.path}:{line}: {why}")


def _headings(document: Document) -> None:
    """One H1, first, with the document's own id."""
    headings, wanted = document.headings, f"#sec-{document.name}"
    if not re.fullmatch(KEBAB, document.name):
        _refuse(document, 1, f"{document.name!r} is no id; use small letters, digits and hyphens")
    first = next((line for part in document.prose for line, _ in part.plain), 1)
    if not headings or headings[0][1] != 1 or headings[0][0] != first:
        _refuse(document, first, f"the first line is the title: # Title {{{wanted}}}")
    if headings[0][3] not in ([wanted], [wanted, ".unnumbered"]):
        got = " ".join(headings[0][3]) or "none"
        _refuse(document, first, f"got attributes {got}, expected # Title {{{wanted}}}")
    for line, level, text, _ in headings[1:]:
        if level == 1:
            _refuse(document, line, f"a second title, {text!r}; a document is one chapter")


def _cell(document: Document, cell: Cell) -> None:
    for key, value in cell.options.items():
        if key not in OPTIONS:
            near = get_close_matches(str(key), OPTIONS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(OPTIONS)}"
            _refuse(document, cell.line, f"cell option {key} is not portable; {hint}")
        booleans = key in ("echo", "include", "eval")
        if booleans and not isinstance(value, bool):
            _refuse(document, cell.line, f"cell option {key}: got {value!r}, expected true, false")
    if cell.options.get("tags", ["parameters"]) != ["parameters"]:
        _refuse(document, cell.line, "cell option tags: only [parameters] is portable")
    try:
        ast.parse(cell.code)
    except SyntaxError as error:
        line = cell.line + (error.lineno or 1)
        _refuse(document, line, f"no Python: {error.msg}; magics are not portable")
    if (label := cell.label) is None:
        if wrong := [key for key in cell.options if key.endswith("cap")]:
            _refuse(document, cell.line, f"{wrong[0]} without label: fig-... or tbl-...")
        return
    kind = str(label)[:3]
    if not re.fullmatch(f"(fig|tbl)-{KEBAB}", str(label)):
        _refuse(document, cell.line, f"label {label}: expected fig-... or tbl-..., small letters")
    if not cell.options.get(f"{kind}-cap"):
        _refuse(document, cell.line, f"{label} has no {kind}-cap; readers need a caption")
    if cell.options.get("include") is False or cell.options.get("eval") is False:
        _refuse(document, cell.line, f"{label} is not shown; take its label or include: false away")


def _labels(document: Document) -> None:
    seen: set[str] = set()
    for line, label in document.labels:
        if label in seen:
            _refuse(document, line, f"label {label} is given twice")
        seen.add(label)
        if not document.numbered and label != f"sec-{document.name}":
            _refuse(document, line, f"label {label} in an unnumbered chapter has no number")


def _outside_formulas(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Lines with formulas blanked out, those that span lines too."""
    text = "\n".join(line for _, line in lines)
    blanked = re.sub(
        r"\$\$.*?\$\$|\$[^$\n]+?\$", lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.S
    )
    return [(n, line) for (n, _), line in zip(lines, blanked.split("\n"), strict=True)]

"""The subset of Quarto markdown that every engine renders alike; all else is refused."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from scripts.errors import DataError
from scripts.plan.qmd import EQUATION, HEADING, INLINE, OPTIONS, Cell, Document, Prose

KEBAB = r"[a-z0-9]+(-[a-z0-9]+)*"
TABLE = r"^\s*\|.*\|\s*$|^\s*:?-+:?\s*\||^\s*-{2,}(\s+-{2,})+\s*$"
FORBIDDEN = (  # in prose: what it looks like, what it is, what to do
    (r"^\s*:::+ *\{[^}]*\.callout", "a callout", "write a paragraph"),
    (r"^\s*:::+ *\{[^}]*\.panel-tabset", "a tabset", "write sections"),
    (r"^\s*:::", "a div", "write paragraphs, or a cell with a label"),
    (r"\{\{<", "a shortcode", "use a cell"),
    (r"\{=\w+\}", "raw output", "write markdown"),
    (r"</?[a-zA-Z][^>]*>|<!--", "raw HTML", "write markdown"),
    (r"\\[a-zA-Z]+", "raw LaTeX", "write markdown, or a formula between dollars"),
    (r"~~", "struck text", "delete it"),
    (r"!\[", "an image by hand", "show it from a cell labelled fig-..."),
    (TABLE, "a table by hand", "show it from a cell labelled tbl-..."),
    (r"^\s*>\s*#", "a heading in a quotation", "write a paragraph"),
    (r"(?<!\w)-@[a-zA-Z]", "a citation without its author", "write @key"),
    (r"\[\^|\^\[", "a footnote", "write it into the text"),
    (r"\?@", "a reference that an engine left unresolved", "write @label"),
)
TYPED = re.compile(r"(?<![\w.@#/])(\d+[.,]\d+|\d+\s*\\?%)")
PREFIXED = re.compile(r"\[([^\[\]@]*\w[^\[\]@]*)@(?!fig-|tbl-|sec-|eq-)[A-Za-z][^\[\]]*\](?!\()")


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
        for line, text in enumerate(part.text.split("\n"), part.line):
            if found := re.search(r"`\{\w+\}", INLINE.sub(" ", text)):
                _refuse(document, line, f"{found[0]}: inline code is `{{python}} x` on one line")
        _text(document, _outside_formulas(part.plain), typed=document.kind == "chapters")
        _blocks(document, part)
    for cell in document.cells:
        for caption in (cell.caption, *cell.subcaptions):
            bare = INLINE.sub(" ", caption)
            # "95 % intervals" in a caption is how it was made, not what came out.
            lines = _outside_formulas([(cell.line, bare)] if bare.strip() else [])
            _text(document, lines, typed=False)
    _labels(document)


def _text(document: Document, lines: list[tuple[int, str]], *, typed: bool) -> None:
    """Refuse what prose and captions must not hold; numbers that are typed too, where asked."""
    for line, text in lines:
        for pattern, what, instead in FORBIDDEN:
            if found := re.search(pattern, text):
                what = f"{what} ({found[0].strip()[:40]})"
                _refuse(document, line, f"{what} is not portable; {instead}")
        if found := PREFIXED.search(text):
            hint = f"write {found[1].strip()!r} before the bracket"
            _refuse(document, line, f"words before a citation are lost in Typst; {hint}")
        if typed and (number := TYPED.search(text)):
            _refuse(
                document,
                line,
                f"the number {number[1]} is typed by hand; quote a value: "
                '`{python} quote("notebook.value")`',
            )


def _blocks(document: Document, part: Prose) -> None:
    """Refuse headings and equations that stand where not every engine sees them."""
    shown = {line for line, _ in part.plain}
    lines = dict(enumerate(part.text.split("\n"), part.line))
    for line, text in part.plain:
        above = lines.get(line - 1, "") if line - 1 in shown else ""
        below = lines.get(line + 1, "") if line + 1 in shown else ""
        if heading := HEADING.match(text):
            attributes = (heading[3] or "").split()
            if above.strip():
                _refuse(document, line, "a heading needs a blank line above it")
            if len(heading[1]) > 1 and not all(a.startswith("#sec-") for a in attributes):
                _refuse(document, line, f"got {{{heading[3]}}}, expected {{#sec-...}} or nothing")
        elif "{#eq-" in text and (below.strip() or not EQUATION.match(text)):
            why = "an equation ends its paragraph: $$ ... $$ {#eq-...}, then a blank line"
            _refuse(document, line, why)
        elif re.fullmatch(r"=+\s*|-+\s*", text) and above.strip():
            _refuse(document, line, "a heading by underline; write ## Heading")


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
        if key.endswith("cap") and key != "fig-subcap" and not isinstance(value, str):
            _refuse(document, cell.line, f"{key}: got {value!r}, expected text in quotes")
        texts = isinstance(value, list) and value and all(isinstance(v, str) for v in value)
        if key == "fig-subcap" and not texts:
            _refuse(document, cell.line, f"fig-subcap: got {value!r}, expected a list of texts")
        if key == "layout-ncol" and (isinstance(value, bool) or value not in range(1, 7)):
            _refuse(document, cell.line, f"layout-ncol: got {value!r}, expected 1 to 6")
        if booleans and not isinstance(value, bool):
            _refuse(document, cell.line, f"cell option {key}: got {value!r}, expected true, false")
    if cell.options.get("tags", ["parameters"]) != ["parameters"]:
        _refuse(document, cell.line, "cell option tags: only [parameters] is portable")
    try:
        cell.tree  # noqa: B018
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
    if not lines:
        return []
    text = "\n".join(line for _, line in lines)
    blanked = re.sub(
        r"\$\$.*?\$\$|\$[^$\n]+?\$", lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.S
    )
    return [(n, line) for (n, _), line in zip(lines, blanked.split("\n"), strict=True)]

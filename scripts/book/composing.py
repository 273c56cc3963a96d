"""A document as plain markdown: prose as it stands now, outputs as its cells gave them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import nbformat

from scripts.book.desk import SHOWN, VALUE
from scripts.book.programs import uncoloured
from scripts.book.tables import TYPST
from scripts.errors import DataError
from scripts.plan.qmd import INLINE, Cell, Document

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#$@^~|+-])")
ADDRESS = re.compile(r"\bat 0x[0-9a-f]+")  # of an object in memory: another one every time


def compose(
    document: Document, executed: nbformat.NotebookNode, simulated: Mapping[str, bool]
) -> str:
    """Markdown for pandoc with nothing left to run.

    Figures and tables are divs of class `float` with the files of their content, below the book's
    folder and without suffix; book/filters/almanac.lua gives them their form in each format.

    Args:
        document: as it stands now.
        executed: its cells as they ran, see `execution.run`.
        simulated: label -> whether the figure or table rests on simulated data.

    Raises:
        DataError: the cells that ran are not those of the document.
    """
    answers = iter(executed.metadata.almanac["inline"])
    ran = iter(executed.cells)
    pieces: list[str | Cell] = []
    try:
        for part in document.parts:
            if not isinstance(part, Cell):
                pieces.append(_answered(part.text, answers))
                continue
            outputs = next(ran).outputs if part.options.get("eval", True) else []
            if part.options.get("include", True):
                pieces += _cell(document, part, outputs)
        # The expressions of captions were run after those of the prose.
        for place, piece in enumerate(pieces):
            if isinstance(piece, Cell):
                captions = [
                    _answered(text, answers) for text in (piece.caption, *piece.subcaptions)
                ]
                pieces[place] = _float(document, piece, captions, simulated)
        if [*answers, *ran]:
            raise StopIteration
    except StopIteration:
        raise DataError(
            f"{document.path}: its cells are not those that ran; run it again"
        ) from None
    return "\n\n".join(pieces) + "\n"


def _answered(text: str, answers: Iterator[str]) -> str:
    """Text with its inline expressions replaced by what they gave, nothing of it markdown."""
    return INLINE.sub(lambda _: SPECIAL.sub(r"\\\1", next(answers)), text)


def _cell(document: Document, cell: Cell, outputs: Sequence) -> Iterator[str | Cell]:
    """Code where it is echoed, what it printed; a labelled cell stands for its float."""
    if cell.options.get("echo", document.kind == "notebooks"):
        code = "\n".join(line for line in cell.code.split("\n") if not line.startswith("#|"))
        yield _block("python", code.strip())
    if cell.label:
        yield cell
        return
    for output in outputs:
        if output.output_type == "stream" and output.name == "stdout":
            yield _block("output", uncoloured(output.text).rstrip())
        elif TYPST in output.get("data", {}) and document.kind == "notebooks":
            yield f"```{{=html}}\n{output.data['text/html'].strip()}\n```"
        elif "text/plain" in output.get("data", {}) and SHOWN not in output.data:
            text = uncoloured(output.data["text/plain"]).rstrip()
            if text and not ADDRESS.search(text):
                yield _block("values" if VALUE in output.data else "output", text)


def _block(kind: str, text: str) -> str:
    """A block of code that nothing in it closes."""
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence} {{.{kind}}}\n{text}\n{fence}"


def _float(
    document: Document, cell: Cell, captions: list[str], simulated: Mapping[str, bool]
) -> str:
    """The div of a figure or table."""
    if cell.shown:
        maker, label = cell.shown
    else:
        maker, label = document.name, cell.label
    stems = [f"{label}-{n}" for n in range(1, len(cell.subcaptions) + 1)] or [label]
    table = label.startswith("tbl-")
    folder = "tables" if table else f"figures/{maker}"
    files = " ".join(f"{folder}/{s.removeprefix('tbl-') if table else s}" for s in stems)
    columns = cell.options.get("layout-ncol", 1)
    if simulated[cell.label]:
        captions[0] = f"{captions[0].rstrip()} (Simulated data.)"
    kind = "table" if table else "figure"
    head = f'::::: {{#{cell.label} .float kind="{kind}" files="{files}" columns="{columns}"}}'
    return "\n\n".join([head, *(f"::: caption\n{text}\n:::" for text in captions), ":::::"])

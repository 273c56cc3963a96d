"""What a PDF of the book must be before anyone sees it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pikepdf
import pypdfium2

UNRESOLVED = re.compile(r"\?\?|\?@[\w-]+|\[\?\]|\(\?\)")
MARGIN_PT = 8  # from the edge of the page; nothing is printed beyond it


@dataclass(frozen=True)
class Report:
    """Pages of a PDF, and what is wrong with it."""

    pages: int
    faults: list[str]


def examine(
    pdf: bytes, *, outline: Sequence[str], numbers: Sequence[str], least: int, most: int
) -> Report:
    """Look at a PDF.

    Header and end of file, opens, number of pages, an outline entry for each chapter, in order, all
    fonts embedded, no unresolved reference in the text, every numbered figure and table there,
    nothing printed outside the page.

    Args:
        pdf: the file's bytes.
        outline: titles that the outline must hold, in that order.
        numbers: captions' beginnings that the text must hold: Figure 3.2.
        least: pages, at least.
        most: pages, at most.
    """
    if not pdf.startswith(b"%PDF-"):
        return Report(0, [f"starts with {pdf[:8]!r}, expected %PDF-"])
    if b"%%EOF" not in pdf[-1024:]:
        return Report(0, ["does not end in %%EOF: it is cut off"])
    try:
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            pages = len(opened.pages)
            faults = [*_outline(opened, outline), *_fonts(opened)]
    except pikepdf.PdfError as error:
        return Report(0, [f"does not open: {error}"])
    if not least <= pages <= most:
        faults.append(f"{pages} pages, expected {least} to {most} (book.pages)")
    texts = []
    document = pypdfium2.PdfDocument(pdf)
    for number, page in enumerate(document, 1):
        text_page = page.get_textpage()
        texts.append(text_page.get_text_bounded())
        faults += [f"page {number}: {fault}" for fault in _outside(page, text_page)]
    document.close()
    for number, text in enumerate(texts, 1):
        faults += [f"page {number}: unresolved {u[0]}" for u in UNRESOLVED.finditer(text)]
    whole = _spaced("\n".join(texts))
    faults += [f"no {name} in it" for name in numbers if f"{_spaced(name)}:" not in whole]
    return Report(pages, faults)


def _spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text).lower()


def _outline(pdf: pikepdf.Pdf, wanted: Sequence[str]) -> Iterator[str]:
    with pdf.open_outline() as outline:
        titles = iter([_letters(item.title) for item in outline.root])
    for title in wanted:
        if not any(found.endswith(_letters(title)) for found in titles):
            yield f"no chapter {title!r} in the outline, or out of order"


def _fonts(pdf: pikepdf.Pdf) -> Iterator[str]:
    """Fonts whose shapes are not in the file; a Type 3 font is made of them."""
    for thing in pdf.objects:
        if not isinstance(thing, pikepdf.Dictionary) or thing.get("/Type") != "/Font":
            continue
        kind = thing.get("/Subtype")
        if kind in ("/Type0", "/Type3"):  # a Type0 font's shapes are its descendant's
            continue
        described = thing.get("/FontDescriptor")
        files = ("/FontFile", "/FontFile2", "/FontFile3")
        if described is None or not any(name in described for name in files):
            yield f"font {str(thing.get('/BaseFont'))[1:]} is not embedded"


def _outside(page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage) -> Iterator[str]:
    """Text that reaches the edge of the page."""
    width, height = page.get_size()
    for number in range(text_page.count_rects()):
        left, bottom, right, top = text_page.get_rect(number)
        room = min(left, bottom, width - right, height - top)
        if room < MARGIN_PT:
            text = text_page.get_text_bounded(left, bottom, right, top).strip()
            if text:
                yield f"text outside the page: {text[:40]!r}"

"""From fragments to a checked PDF."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.atomic import atomic
from scripts.book import pdf_checks, typesetting
from scripts.errors import DataError
from scripts.provenance import sha256

INCLUDED = re.compile(r'(?:image\(|include )"/([^"]+)"|\\(?:includegraphics|booktable)\{([^}]+)\}')


def compile_pdf(
    *,
    fragments: Sequence[Path],
    provenance: Sequence[Path],
    template: Path,
    references: Path,
    backend: str,
    titles: Sequence[str],
    numbers: Sequence[str],
    meta: Mapping[str, object],
    pages: Sequence[int],
    environment: Mapping[str, str],
    pdf: Path,
    report: Path,
) -> None:
    """Set a PDF, check it, and only then put it in its place.

    Args:
        fragments: fragments/{id}.typ or .tex of the book's results, in order.
        provenance: of the domains that the book rests on.
        template: book.typ or book.sty.
        references: bibliography.
        backend: typst or latex.
        titles: of the chapters, in order.
        numbers: beginnings of captions: Figure 3.2.
        meta: title, subtitle, author, date, version, config, cites (whether anything is cited); of
            a chapter alone number and book.
        pages: least and most.
        environment: variables of this process.
        pdf: to write.
        report: {pages, warnings, sha256, backend} to write.

    Raises:
        DataError: what the typesetter says, or every check that fails; `pdf` is then what it was.
    """
    folder = fragments[0].parent.parent
    tables = {name for f in fragments for name in _included(f.read_text(encoding="utf-8"))}
    printed = [*fragments, *(folder / name for name in sorted(tables) if name.startswith("tables"))]
    missing = [
        f"{fragment}: {name} is not there"
        for fragment in fragments
        for name in _included(fragment.read_text(encoding="utf-8"))
        if not (folder / name).is_file()
    ]
    missing += [fault for path in printed for fault in _without_glyph(path)]
    if missing:
        raise DataError("; ".join(missing))
    work = typesetting.Work([path.stem for path in fragments], _meta(meta, provenance))
    with typesetting.stage(folder, template, references) as staged:
        if backend == "latex":
            set_ = typesetting.latex(work, staged, environment)
        else:
            set_ = typesetting.typst(work, staged)
    least, most = pages
    examined = pdf_checks.examine(set_.pdf, outline=titles, numbers=numbers, least=least, most=most)
    if examined.faults:
        raise DataError(f"{pdf.name} is not shipped: {'; '.join(examined.faults)}")
    with atomic(pdf) as temporary:
        temporary.write_bytes(set_.pdf)
    told = {"pages": examined.pages, "warnings": set_.warnings, "sha256": sha256(pdf)}
    with atomic(report) as temporary:
        temporary.write_text(json.dumps({**told, "backend": backend}, indent=1) + "\n")


def _without_glyph(path: Path) -> list[str]:
    """Characters of a fragment or table that the book's fonts do not have: they print as boxes."""
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    found = sorted(set(re.findall(r"[^\x00-\u2dff\ufb00-\ufb06]", text)))
    return [f"{path}: {char!r} is in none of the book's fonts" for char in found]


def _included(fragment: str) -> list[str]:
    """Files that a fragment shows, below the book's folder."""
    return [found[1] or found[2] for found in INCLUDED.finditer(fragment)]


def _meta(meta: Mapping[str, object], provenance: Sequence[Path]) -> dict[str, object]:
    """What the title page says: with the sources of each domain, and which are simulated."""
    facts = [["Version", f"{meta['version']}, config {meta['config']}"]]
    simulated = []
    for path in provenance:
        told = json.loads(path.read_text(encoding="utf-8"))
        domain = path.parent.name
        kind = "simulated or resting on simulated data" if told["simulated"] else "real data"
        count = len(told["sources"])
        facts.append([domain, f"{kind}; {count} sources, list {sha256(path)[:16]}"])
        simulated += [domain] if told["simulated"] else []
    names = " and ".join(filter(None, [", ".join(simulated[:-1]), *simulated[-1:]]))
    said = f"The results on {names} rest on simulated data, wholly or in part; " if names else ""
    said += "each figure and table that does says so." if names else ""
    return {**meta, "facts": facts, "simulated": said}

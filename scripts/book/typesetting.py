"""Setting fragments as PDF, by Typst or by LaTeX, in a staged copy; the same bytes every time."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scripts.book.programs import passed
from scripts.book.tables import tex_escaped
from scripts.errors import DataError

TEX = r"TEXMF\w*|OSFONTDIR"  # variables that TeX and its programs are given
LATEX_OPTIONS = ("-pdf", "-interaction=nonstopmode", "-halt-on-error", "-file-line-error")


@dataclass(frozen=True)
class Work:
    """What is set: the whole book, or one chapter of it.

    Args:
        chapters: ids, in order; fragments/{id}.{typ,tex} of the book's results.
        meta: title, subtitle, author, date, simulated, facts, cites (whether anything is cited);
            of a chapter alone also number and book.
    """

    chapters: Sequence[str]
    meta: Mapping[str, object]

    @property
    def whole(self) -> bool:
        """Whether it is the book."""
        return "number" not in self.meta


@dataclass(frozen=True)
class Setting:
    """A PDF and what its maker said."""

    pdf: bytes
    warnings: list[str] = field(default_factory=list)


@contextmanager
def stage(folder: Path, template: Path, references: Path) -> Iterator[Path]:
    """A folder that shows the book's results, its template and its bibliography side by side."""
    with tempfile.TemporaryDirectory(prefix="almanac-") as temporary:
        staged = Path(temporary)
        for name in ("figures", "tables", "fragments"):
            (folder / name).mkdir(exist_ok=True)
            (staged / name).symlink_to((folder / name).resolve())
        (staged / "templates").mkdir()
        shutil.copy(template, staged / "templates")
        shutil.copy(references, staged / "references.bib")
        yield staged


def typst(work: Work, staged: Path) -> Setting:
    """Set by Typst, with the fonts of its wheel alone.

    Raises:
        DataError: what Typst says.
    """
    import typst as compiler

    (staged / "meta.json").write_text(json.dumps(work.meta), encoding="utf-8")
    # Typst prints the book's title twice for an @incollection, which is what BibTeX wants.
    references = staged / "references.bib"
    entries = references.read_text(encoding="utf-8")
    references.write_text(entries.replace("@incollection{", "@inbook{"), encoding="utf-8")
    kind = "book" if work.whole else "chapter"
    lines = [
        f'#import "/templates/book.typ": {kind}',
        '#let meta = json("/meta.json")',
        f"#show: {kind}.with(meta)",
        *(f'#include "/fragments/{name}.typ"' for name in work.chapters),
    ]
    if work.meta["cites"]:
        lines.append('#bibliography("/references.bib", style: "apa", title: "Bibliography")')
    source = staged / "main.typ"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    try:
        pdf, warnings = compiler.compile_with_warnings(
            source, root=staged, ignore_system_fonts=True, timestamp=0, format="pdf"
        )
    except compiler.TypstError as error:
        said = error.diagnostic or error.message
        raise DataError(f"typst: {' '.join(said.split())}") from None
    return Setting(pdf, [" ".join(str(warning.message).split()) for warning in warnings])


def latex(work: Work, staged: Path, environment: Mapping[str, str]) -> Setting:
    """Set by latexmk, pdflatex and bibtex.

    Args:
        work: what is set.
        staged: see `stage`.
        environment: variables of this process.

    Raises:
        DataError: the first error of the log; references and citations that stay unresolved and
            labels given twice, which latexmk itself lets pass.
    """
    (staged / "main.tex").write_text(_tex(work), encoding="utf-8")
    fixed = {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1", "TEXINPUTS": ".:./templates:"}
    done = subprocess.run(
        ["latexmk", "-norc", *LATEX_OPTIONS, "main.tex"],
        cwd=staged,
        env={**passed(environment, TEX), **fixed},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    log_file = staged / "main.log"
    # Bytes, as TeX counts them when it breaks lines.
    log = unwrapped(log_file.read_text("latin-1")) if log_file.is_file() else done.stdout
    if done.returncode:
        raise DataError(f"latexmk: {first_error(log) or (done.stdout + done.stderr)[-300:]}")
    blg = staged / "main.blg"
    found = warnings_of(log)
    if blg.is_file():
        found += re.findall(r"^Warning--(.*)$", blg.read_text(errors="replace"), re.M)
    wrong = r"(Citation|Reference) .* undefined|Label .* multiply defined"
    if unresolved := [line for line in found if re.match(wrong, line)]:
        raise DataError(f"latex: {'; '.join(unresolved)}")
    return Setting((staged / "main.pdf").read_bytes(), found)


def unwrapped(log: str) -> str:
    """A TeX log, a character for each byte, without its line breaks after 79 of them."""
    lines: list[str] = []
    joins = False
    for line in log.split("\n"):
        if joins:
            lines[-1] += line
        else:
            lines.append(line)
        joins = len(line) == 79
    return "\n".join(lines)


def warnings_of(log: str) -> list[str]:
    """Warnings of an unwrapped log, each once: of LaTeX and its packages, and overfull boxes."""
    found = re.findall(r"^(?:LaTeX|Package \w+) (?:\w+ )?Warning: (.*)$", log, re.M)
    found += re.findall(r"^(Overfull \\hbox \(.*)$", log, re.M)
    unimportant = ("Label(s) may have changed", "There were undefined", "Rerun to get")
    return list(dict.fromkeys(line.strip() for line in found if not line.startswith(unimportant)))


def first_error(log: str) -> str:
    """`file:line: what` of the first error in an unwrapped log; of the form with !, what alone."""
    found = re.search(r"^(?:\./)?([^\s:]+:\d+: .*)$|^! (.*)$", log, re.M)
    return " ".join((found[1] or found[2]).split()) if found else ""


def _tex(work: Work) -> str:
    meta = work.meta
    lines = [r"\documentclass[11pt,oneside]{report}", r"\usepackage{book}"]
    lines += [rf"\hypersetup{{pdftitle={{{tex_escaped(str(meta['title']))}}},"]
    lines += [rf"  pdfauthor={{{tex_escaped(str(meta['author']))}}},"]
    told = "; ".join(f"{name}: {fact}" for name, fact in meta["facts"])
    lines += [rf"  pdfkeywords={{{tex_escaped(told)}}}}}", r"\begin{document}"]
    lines += _title_page(meta) if work.whole else _number(int(meta["number"]))
    lines += [rf"\input{{fragments/{name}.tex}}" for name in work.chapters]
    if work.meta["cites"]:
        lines += [
            r"\cleardoublepage\phantomsection",
            r"\addcontentsline{toc}{chapter}{Bibliography}",
        ]
        lines += [r"\renewcommand{\bibname}{Bibliography}"]
        lines += [r"\bibliographystyle{plainnat}", r"\bibliography{references}"]
    if not work.whole:
        text = f"From: {meta['book']}. {meta['simulated']}"
        lines += [
            r"\vfill\noindent\rule{0.3\linewidth}{0.4pt}\\",
            rf"{{\small {tex_escaped(text)}}}",
        ]
    return "\n".join([*lines, r"\end{document}"]) + "\n"


def _number(number: int) -> list[str]:
    return [rf"\setcounter{{chapter}}{{{max(0, number - 1)}}}"]


def _title_page(meta: Mapping) -> list[str]:
    text = {key: tex_escaped(str(value)) for key, value in meta.items()}
    lines = [r"\pagenumbering{roman}", r"\begin{titlepage}", r"\raggedright\vspace*{45mm}"]
    lines += [rf"{{\Huge\bfseries {text['title']}\par}}"]
    lines += [rf"\vspace{{4mm}}{{\Large {text['subtitle']}\par}}"] if meta["subtitle"] else []
    lines += [rf"\vspace{{12mm}}{{\large {text['author']}\par}}"]
    lines += [rf"{{\large {text['date']}\par}}"] if meta["date"] else []
    lines += [r"\vfill"]
    if meta["simulated"]:
        lines += [r"\fbox{\parbox{\dimexpr\linewidth-2\fboxsep-2\fboxrule}{"]
        lines += [rf"\textbf{{Simulated data.}} {text['simulated']}}}}}\par\vspace{{4mm}}"]
    lines += [r"{\small\begin{tabular}{@{}l>{\raggedright\arraybackslash}p{0.72\linewidth}@{}}"]
    lines += [
        rf"\textbf{{{tex_escaped(name)}}} & {tex_escaped(value)} \\"
        for name, value in meta["facts"]
    ]
    lines += [r"\end{tabular}}", r"\end{titlepage}", r"\tableofcontents", r"\clearpage"]
    return [*lines, r"\pagenumbering{arabic}"]

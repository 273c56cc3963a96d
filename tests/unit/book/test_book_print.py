"""From markdown to fragments and PDFs: what the filter makes, what is set, what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from matplotlib.figure import Figure

from scripts.book import compiling, pandoc, pdf_checks, typesetting
from scripts.errors import DataError
from scripts.figures import DATES
from tests.programs import needs
from tests.rules.graph import ROOT

FILTER = ROOT / "book/filters/almanac.lua"
TEMPLATES = {
    "typst": ROOT / "book/templates/book.typ",
    "latex": ROOT / "book/templates/book.sty",
}
INDEX = {
    "fig-a": {"text": "Figure\u00a01.1", "href": "#fig-a"},
    "tbl-t": {"text": "Table\u00a01.1", "href": "#tbl-t"},
    "eq-e": {"text": "Equation\u00a0(1.1)", "href": "#eq-e"},
    "sec-one": {"text": "Chapter\u00a01", "href": "#sec-one"},
    "sec-far": {"text": "Chapter\u00a07", "href": "far.html#sec-far"},
    "sec-gone": {"text": "“Gone” (not in this edition)", "href": ""},
}
TEXT = """# One {#sec-one}

See @fig-a, [@tbl-t; @eq-e] and @sec-far; not @sec-gone. As @smith2001 says,
and others [@smith2001, p. 3].

$$
x^2 = y
$$ {#eq-e}

::::: {#fig-a .float kind="figure" files="figures/n/fig-a-1 figures/n/fig-a-2" columns="2"}

::: caption
A caption with $x_1$ & 100 %, see @tbl-t.
:::

::: caption
Left
:::

::: caption
Right
:::

:::::

::::: {#tbl-t .float kind="table" files="tables/t" columns="1"}

::: caption
A table.
:::

:::::
"""
TABLE = r"""\begin{tabular}{@{}lr@{}}
\toprule
name & value \\
\midrule
one & 1 \\
\bottomrule
\end{tabular}
"""
BIB = "@article{smith2001, author = {Smith, Ann}, title = {On it}, journal = {J}, year = {2001}}\n"
META = {
    "title": "A & B",
    "subtitle": "",
    "author": "Ann",
    "date": "",
    "version": "1",
    "config": "abc",
    "cites": True,
}
needs_latex = needs("latexmk", "pdflatex", "bibtex")
BACKENDS = pytest.mark.parametrize("backend", ["typst", pytest.param("latex", marks=needs_latex)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The book's results: two pictures, a table."""
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot([1, 2])
    pictures = tmp_path / "figures/n"
    pictures.mkdir(parents=True)
    for stem in ("fig-a-1", "fig-a-2"):
        for kind in ("svg", "pdf"):
            figure.savefig(pictures / f"{stem}.{kind}", metadata=DATES[kind])
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/t.tex").write_text(TABLE)
    (tmp_path / "tables/t.typ").write_text("#table(columns: 2, [name], [value], [one], [1])\n")
    (tmp_path / "tables/t.html").write_text("<table><tr><td>one</td></tr></table>")
    (tmp_path / "references.bib").write_text(BIB)
    return tmp_path


def converted(folder: Path, to: str, text: str = TEXT, *options: str) -> str:
    """The text in a format."""
    return pandoc.convert(
        text,
        to,
        name="one",
        filters=[FILTER],
        index=INDEX,
        folder=folder,
        options=[*options, *(["--natbib"] if to == "latex" else [])],
    )


def test_the_filter_writes_latex(folder: Path) -> None:
    made = converted(folder, "latex", TEXT, "--top-level-division=chapter")
    assert r"\chapter{One}\label{sec-one}" in made
    assert r"\xref{fig-a}{Figure~1.1}" in made
    assert r"\xref{tbl-t}{Table~1.1}, \xref{eq-e}{Equation~(1.1)}" in made
    assert "\\begin{equation}\\label{eq-e}\nx^2 = y\n\\end{equation}" in made
    assert made.count(r"\begin{subfigure}{0.485\linewidth}") == 2
    assert r"100 \%, see \xref{tbl-t}{Table~1.1}." in made
    assert r"\booktable{tables/t.tex}" in made
    assert r"\citet{smith2001}" in made


def test_the_filter_writes_typst(folder: Path) -> None:
    made = converted(folder, "typst")
    assert "#xref(<sec-far>)[Chapter~7]" in made
    assert "#numbered[$ x^2 = y $ <eq-e>]" in made
    assert 'image("/figures/n/fig-a-1.svg")' in made
    assert 'include "/tables/t.typ"' in made
    assert made.rstrip().endswith("<tbl-t>")


def test_the_filter_writes_html(folder: Path) -> None:
    made = converted(folder, "html", TEXT, "--mathml").replace("\u00a0", " ")
    assert '<a href="far.html#sec-far">Chapter 7</a>' in made
    assert "“Gone” (not in this edition)" in made
    assert '<figure id="fig-a" class="figure">' in made
    assert '<img src="figures/n/fig-a-2.svg" alt="Right">' in made
    assert "<figcaption>Figure 1.1: A caption" in made
    assert "<table><tr><td>one</td></tr></table>" in made


def test_for_another_engine_the_filter_writes_markdown_of_one_format(folder: Path) -> None:
    made = pandoc.convert(
        TEXT, "markdown", name="one", filters=[FILTER], index=INDEX, folder=folder, form="latex"
    )
    assert r"`\xref{fig-a}{`{=latex}" in made
    assert "@smith2001" in made  # citations are that engine's
    assert "@fig-a" not in made
    again = pandoc.convert(made, "latex", name="one", filters=[], index={}, folder=folder)
    assert r"\booktable{tables/t.tex}" in again
    assert again.count(r"\begin{subfigure}") == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("See @fig-none.", "@fig-none: no such label"),
        ("See [@fig-a; @smith2001].", "a reference and a citation in one pair of brackets"),
    ],
)
def test_what_the_filter_cannot_do_is_one_line(text: str, words: str, folder: Path) -> None:
    with pytest.raises(DataError) as refused:
        converted(folder, "typst", text)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_warnings_of_pandoc_are_errors(folder: Path) -> None:
    with pytest.raises(DataError, match=r"one: pandoc: .*none.png"):
        converted(folder, "html", "![x](none.png)", "--embed-resources", "--standalone")


def compile_book(folder: Path, backend: str, text: str = TEXT, **changed: object) -> Path:
    """Set `text` as the only chapter of a book."""
    kind, to = {"typst": ("typ", "typst"), "latex": ("tex", "latex")}[backend]
    options = ["--top-level-division=chapter"]
    head = '#import "/templates/book.typ": xref, numbered, subfigures\n' if kind == "typ" else ""
    fragment = folder / f"fragments/one.{kind}"
    fragment.parent.mkdir(exist_ok=True)
    fragment.write_text(head + converted(folder, to, text, *options))
    provenance = folder / "nfl/provenance.json"
    provenance.parent.mkdir(exist_ok=True)
    provenance.write_text(json.dumps({"sources": [1, 2], "simulated": True}))
    arguments = {
        "fragments": [fragment],
        "provenance": [provenance],
        "template": TEMPLATES[backend],
        "references": folder / "references.bib",
        "backend": backend,
        "titles": ["One"],
        "numbers": ["Figure\u00a01.1", "Table\u00a01.1"],
        "meta": META,
        "pages": [1, 20],
        "environment": os.environ,
        "pdf": folder / "out.pdf",
        "report": folder / "out.json",
    }
    compiling.compile_pdf(**{**arguments, **changed})
    return folder / "out.pdf"


def text_of(pdf: Path) -> str:
    """All text of a PDF."""
    document = pypdfium2.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_bounded() for page in document)


@BACKENDS
def test_a_book_is_set_with_numbers_references_and_bibliography(backend: str, folder: Path) -> None:
    text = text_of(compile_book(folder, backend)).replace("\u00a0", " ")
    for wanted in (
        *("Contents", "Figure 1.1: A caption", "Table 1.1: A table", "(1.1)", "Chapter 7"),
        *("Bibliography", "Smith", "(a)", "Simulated data", "2 sources"),
    ):
        assert wanted in text, wanted
    told = json.loads((folder / "out.json").read_text())
    assert told["backend"] == backend
    assert told["warnings"] == []


@BACKENDS
def test_a_chapter_by_itself_has_its_number_of_the_book(backend: str, folder: Path) -> None:
    meta = {**META, "number": 4, "book": "A & B"}
    numbers = ["Figure\u00a04.1", "Table\u00a04.1"]
    pdf = compile_book(folder, backend, meta=meta, numbers=numbers)
    text = text_of(pdf)
    assert "Chapter 4" in text.replace("\u00a0", " ")
    assert "Contents" not in text
    # It has no title page: its metadata tell what it rests on.
    told = pypdfium2.PdfDocument(pdf).get_metadata_value("Keywords")
    for wanted in (f"Version: {META['version']}", META["config"], "nfl: simulated", "2 sources"):
        assert wanted in told, told


@BACKENDS
def test_two_builds_are_the_same_bytes(backend: str, folder: Path) -> None:
    first = compile_book(folder, backend).read_bytes()
    os.utime(folder / "figures/n/fig-a-1.pdf", (1, 1))
    assert compile_book(folder, backend).read_bytes() == first


@BACKENDS
def test_numbers_that_differ_from_the_index_are_not_shipped(backend: str, folder: Path) -> None:
    with pytest.raises(DataError, match=r"out.pdf is not shipped: no Figure\u00a01.2 in it"):
        compile_book(folder, backend, numbers=["Figure\u00a01.2"])
    assert not (folder / "out.pdf").exists()


@BACKENDS
def test_a_figure_that_is_not_there_is_named(backend: str, folder: Path) -> None:
    for path in (folder / "figures/n").glob("fig-a-2.*"):
        path.unlink()
    with pytest.raises(DataError, match=r"one.(typ|tex): figures/n/fig-a-2.(svg|pdf) is not there"):
        compile_book(folder, backend)


@BACKENDS
def test_a_character_that_no_font_has_is_named(backend: str, folder: Path) -> None:
    with pytest.raises(DataError, match=r"one.(typ|tex): '\u65e5' is in none of the book's fonts"):
        compile_book(folder, backend, TEXT + "\n\n\u65e5\n")
    compile_book(
        folder, backend, TEXT + "\n\n\u00e9 \u2212 \u2264 \u2013 \u201cx\u201d \u2192 \u03b1\n"
    )


@needs_latex
def test_the_users_settings_of_latexmk_do_not_count(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = folder / "home"
    home.mkdir()
    (home / ".latexmkrc").write_text('$out_dir = "build";\n')
    environment = {**os.environ, "HOME": str(home)}
    assert compile_book(folder, "latex", environment=environment).is_file()


@BACKENDS
def test_a_citation_that_is_not_in_the_bibliography_fails(backend: str, folder: Path) -> None:
    text = TEXT.replace("smith2001, p. 3", "jones1999")
    with pytest.raises(DataError, match=r"jones1999"):
        compile_book(folder, backend, text)
    assert not (folder / "out.pdf").exists()


@BACKENDS
@pytest.mark.parametrize("what", ["??", "?@fig-a", "[?]"])
def test_an_unresolved_reference_in_the_text_fails(backend: str, what: str, folder: Path) -> None:
    with pytest.raises(DataError, match=r"page \d+: unresolved"):
        compile_book(folder, backend, TEXT + "\n\nSee `" + what + "`.\n")


@BACKENDS
def test_pages_are_bounded(backend: str, folder: Path) -> None:
    with pytest.raises(DataError, match=r"pages, expected 30 to 90 \(book.pages\)"):
        compile_book(folder, backend, pages=[30, 90])


@BACKENDS
def test_a_chapter_that_is_not_in_the_outline_fails(backend: str, folder: Path) -> None:
    with pytest.raises(DataError, match=r"no chapter 'Two' in the outline"):
        compile_book(folder, backend, titles=["One", "Two"])


@BACKENDS
def test_a_label_given_twice_fails(backend: str, folder: Path) -> None:
    kind = {"typst": "typ", "latex": "tex"}[backend]
    compile_book(folder, backend)
    one = folder / f"fragments/one.{kind}"
    two = folder / f"fragments/two.{kind}"
    two.write_text(one.read_text())
    (folder / "out.pdf").unlink()
    with pytest.raises(DataError, match=r"(fig-a.*(multiply defined|multiple times))") as refused:
        compile_book(folder, backend, fragments=[one, two])
    assert "\n" not in str(refused.value)
    assert not (folder / "out.pdf").exists()


def test_a_label_given_twice_in_a_document_is_refused_by_pandoc(folder: Path) -> None:
    with pytest.raises(DataError, match=r"one: pandoc: .*Duplicate identifier 'sec-one'"):
        converted(folder, "typst", TEXT + "\n\n## Sub {#sec-one}\n")


@needs_latex
def test_latex_errors_name_file_and_line(folder: Path) -> None:
    text = TEXT + "\n\n$\\nosuchmacro$\n"
    with pytest.raises(DataError, match=r"latexmk: fragments/one.tex:\d+: Undefined control"):
        compile_book(folder, "latex", text)


# The PDF alone.


@pytest.fixture(scope="module")
def pdf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A sound PDF with a chapter of two pages."""
    import typst

    source = tmp_path_factory.mktemp("pdf") / "a.typ"
    source.write_text("= One\n#lorem(900)\n")
    return typst.compile(source, ignore_system_fonts=True)


def faults(pdf: bytes, **changed: object) -> list[str]:
    """What is wrong with a PDF."""
    wanted = {"outline": ["One"], "numbers": [], "least": 1, "most": 9, **changed}
    return pdf_checks.examine(pdf, **wanted).faults


def test_a_sound_pdf_has_no_fault(pdf: bytes) -> None:
    assert faults(pdf) == []


@pytest.mark.parametrize("kept", [0, 4, 100, 0.5, 0.99])
def test_a_truncated_pdf_is_found(kept: float, pdf: bytes) -> None:
    length = int(kept * len(pdf)) if isinstance(kept, float) else kept
    assert len(faults(pdf[:length])) == 1


def test_a_file_that_only_looks_like_a_pdf_is_found() -> None:
    assert faults(b"%PDF-1.7\nnothing\n%%EOF\n")[0].startswith("does not open")


def test_a_font_that_is_not_embedded_is_found(pdf: bytes, tmp_path: Path) -> None:
    opened = pikepdf.Pdf.new()
    page = opened.add_blank_page()
    font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    fonts = pikepdf.Dictionary(F1=pikepdf.Dictionary({k: pikepdf.Name(v) for k, v in font.items()}))
    fonts.F1 = opened.make_indirect(fonts.F1)
    page.Resources = pikepdf.Dictionary(Font=fonts)
    page.Contents = opened.make_stream(b"BT /F1 12 Tf 100 100 Td (Hello) Tj ET")
    opened.save(tmp_path / "a.pdf")
    assert "font Helvetica is not embedded" in faults((tmp_path / "a.pdf").read_bytes(), outline=[])


def test_text_outside_the_page_is_found(tmp_path: Path) -> None:
    import typst

    source = tmp_path / "a.typ"
    source.write_text("= One\n#box(width: 100cm)[#repeat[wide]]\n")
    assert any("text outside the page" in fault for fault in faults(typst.compile(source)))


# The log of LaTeX.

WRAPPED = (
    "LaTeX Warning: Reference `fig-a-name-that-is-so-long-that-the-line-is-broken-her\n"
    "e' on page 3 undefined on input line 7.\n"
    "\n"
    "Package natbib Warning: Citation `x' on page 1 undefined on input line 8.\n"
    "LaTeX Warning: There were undefined references.\n"
    "Overfull \\hbox (30.1pt too wide) in paragraph at lines 3--4\n"
)


def test_the_79_columns_of_a_log_are_undone() -> None:
    assert len(WRAPPED.split("\n")[0]) == 80
    wrapped = WRAPPED.replace("broken-her\n", "broken-he\n").replace("e' on", "re' on")
    found = typesetting.warnings_of(typesetting.unwrapped(wrapped))
    assert found == [
        "Reference `fig-a-name-that-is-so-long-that-the-line-is-broken-here' on page 3 undefined "
        "on input line 7.",
        "Citation `x' on page 1 undefined on input line 8.",
        "Overfull \\hbox (30.1pt too wide) in paragraph at lines 3--4",
    ]


def test_the_first_error_of_a_log_is_found() -> None:
    assert typesetting.first_error("x\n./a.tex:12: Missing $ inserted.\n! y\n") == (
        "a.tex:12: Missing $ inserted."
    )
    assert typesetting.first_error("x\n! Emergency stop.\n") == "Emergency stop."
    assert typesetting.first_error("all is well") == ""

"""Documents: what is read of them, what is refused with which words, how labels are numbered."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.errors import DataError
from scripts.plan import bibliography, portable, qmd
from scripts.plan.book import BookPlan, captions, outputs

FRONT = "---\nalmanac:\n  inputs: []\n---\n\n"
TITLE = "# A title {#sec-one}\n\n"
CELL = "```{python}\n#| label: fig-a\n#| fig-cap: A caption.\ndraw()\n```\n"


def written(folder: Path, text: str, kind: str = "chapters", name: str = "one") -> Path:
    """A document's file."""
    path = folder / "book" / kind / f"{name}.qmd"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def document(folder: Path, body: str, kind: str = "chapters", name: str = "one") -> qmd.Document:
    """A document with that body, read but not checked."""
    title = TITLE.replace("sec-one", f"sec-{name}")
    return qmd.read(written(folder, FRONT + title + body, kind, name))


def test_a_document_is_read_as_cells_and_prose(tmp_path: Path) -> None:
    body = (
        "Prose with `{python} quote('a.b')` and `{python} 1 + 1`, @fig-a and [@key; @other].\n\n"
        f"{CELL}\n"
        "## Below {#sec-below}\n\n"
        "$$\nx < y\n$$ {#eq-one}\n\n"
        "```{python}\n#| label: tbl-b\n#| tbl-cap: Of `{python} n` games.\n"
        'desk.show("book", "tbl-other")\n```\n'
    )
    read = document(tmp_path, body)
    portable.check(read)
    assert read.title == "A title"
    assert [cell.label for cell in read.cells] == ["fig-a", "tbl-b"]
    assert [cell.line for cell in read.cells] == [10, 22]
    assert read.inline == [(8, "quote('a.b')"), (8, "1 + 1"), (22, "n")]
    assert read.references == [(8, "fig-a")]
    assert read.citations == [(8, "key"), (8, "other")]
    assert [label for _, label in read.labels] == [
        *("sec-one", "fig-a", "sec-below", "eq-one", "tbl-b"),
    ]
    assert read.shown == {"tbl-b": ("book", "tbl-other")}
    assert [cell.label for cell in read.made] == ["fig-a"]
    assert outputs(read)["figures"] == ["book/figures/one/fig-a.svg", "book/figures/one/fig-a.pdf"]


def test_subfigures_have_a_file_each(tmp_path: Path) -> None:
    cell = CELL.replace("draw()", "#| fig-subcap: [Left, Right]\n#| layout-ncol: 2\ndraw()")
    read = document(tmp_path, cell)
    portable.check(read)
    assert read.cells[0].stems == ["fig-a-1", "fig-a-2"]


DEFECTS = {
    "::: {.callout-note}\nhear\n:::": (8, "a callout"),
    "::: {.panel-tabset}\n:::": (8, "a tabset"),
    "::: {.column}\n:::": (8, "a div"),
    "fine\n\n{{< include other.qmd >}}": (10, "a shortcode"),
    "see <b>this</b>": (8, "raw HTML"),
    "a `\\newpage`{=latex} b": (8, "raw"),
    "```{=latex}\n\\newpage\n```": (8, "raw blocks are not portable"),
    "```{r}\n1\n```": (8, "other languages"),
    "a \\begin{tabular} b": (8, "raw LaTeX"),
    "![A picture](a.png)": (8, "an image by hand"),
    "| a | b |\n|---|---|\n| 1 | 2 |": (8, "a table by hand"),
    "a note[^1]\n\n[^1]: it": (8, "a footnote"),
    "as in ?@fig-a": (8, "unresolved"),
    "a Brier score of 0.212": (8, "typed by hand"),
    "in 95 % of games": (8, "typed by hand"),
    "a score of -0.5 (or 0.212)": (8, "the number 0.5 is typed"),
    "# Another title": (8, "a second title"),
    "Heading\n-------": (9, "a heading by underline"),
    "text\n## Heading": (9, "needs a blank line above it"),
    "## Thanks {.unnumbered}": (8, "expected {#sec-...} or nothing"),
    "> ## Heading": (8, "a heading in a quotation"),
    "<!-- hidden\n\n## Heading\n-->": (8, "raw HTML"),
    "$$\nx\n$$ {#eq-a}\nwhere x": (10, "an equation ends its paragraph"),
    "- $$x$$ {#eq-a}": (8, "an equation ends its paragraph"),
    "some \\textbf{bold} words": (8, "raw LaTeX"),
    "~~gone~~": (8, "struck text"),
    "as [see @smith2001] says": (8, "words before a citation"),
    "as [-@smith2001] says": (8, "a citation without its author"),
    "a `{python}\n1 + 1` b": (8, "inline code is"),
    "a `{r} 3` b": (8, "inline code is"),
    "a | b\n---|---\n1 | 2": (9, "a table by hand"),
    "````\n```\n````\n\n<b>x</b>": (12, "raw HTML"),
    "```{python}\n#| label: fig-a\n#| fig-cap: A <b>x</b> {{< y >}}\ndraw()\n```": (8, "shortcode"),
    "```{python}\n#| label: fig-a\n#| fig-cap: yes\ndraw()\n```": (8, "expected text in quotes"),
    "```{python}\n#| label: fig-a\n#| fig-cap: x\n#| fig-subcap: Left\ndraw()\n```": (
        8,
        "expected a list of texts",
    ),
    "```{python}\n#| label: fig-a\n#| fig-cap: x\n#| layout-ncol: two\ndraw()\n```": (
        8,
        "expected 1 to 6",
    ),
    "```{python}\n#| label: fig-a\ndraw()\n```": (8, "no fig-cap"),
    "```{python}\n#| label: Fig_A\n#| fig-cap: x\ndraw()\n```": (8, "expected fig-... or tbl-"),
    "```{python}\n#| tbl-cap: x\nshow()\n```": (8, "tbl-cap without label"),
    "```{python}\n#| tbl-subcap: [a, b]\nshow()\n```": (8, "tbl-subcap is not portable"),
    "```{python}\n#| fig-width: 3\nshow()\n```": (8, "fig-width is not portable"),
    "```{python}\n#| ecko: true\nshow()\n```": (8, "did you mean echo?"),
    "```{python}\n#| echo: fenced\nshow()\n```": (8, "expected true, false"),
    "```{python}\n#| tags: [remove]\nshow()\n```": (8, "only [parameters]"),
    "```{python}\n#| echo: [\nshow()\n```": (9, "no YAML"),
    "```{python}\n%matplotlib inline\n```": (9, "magics"),
    "```{python}\na = 1\nb = (\n```": (10, "no Python"),
    "```{python}\na = 1\n": (8, "is not closed"),
    "text `{python} 1 +` text": (8, "no Python expression"),
    f"{CELL}\n{CELL}": (14, "given twice"),
    "```{python}\n#| label: fig-a\n#| fig-cap: x\n#| include: false\ndraw()\n```": (8, "not shown"),
}


@pytest.mark.parametrize("body", DEFECTS, ids=lambda body: body.replace("\n", "|")[:40])
def test_what_is_not_portable_is_refused_with_file_and_line(body: str, tmp_path: Path) -> None:
    line, words = DEFECTS[body]
    with pytest.raises(DataError) as refused:
        portable.check(document(tmp_path, body))
    assert words in str(refused.value)
    assert f"one.qmd:{line}: " in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "body",
    [
        "In 2016, week 3, the 1st of 7 games; a < b and p <= q; see the years 2009-2019.",
        "Formula $x_1 = 0.5$ and\n$$\n\\alpha = 0.05\n$$ {#eq-a}\n\nlater.",
        "```\n::: not markdown {{< here >}}\n```",
        "An address, someone@example.org, and `code with | and <b>`.",
        "```\nnothing but code\n```",
        "Of [3, 4] games; [a link](https://example.org) [see @fig-a] -- @smith2001, [@a; @b].",
        "- a list\n- of `{python} 'things'`, *emphasised* and **strong**",
    ],
)
def test_what_is_portable_passes(body: str, tmp_path: Path) -> None:
    portable.check(document(tmp_path, body))


def test_a_notebook_may_type_numbers(tmp_path: Path) -> None:
    portable.check(document(tmp_path, "A cap of 0.05 of the bankroll.", "notebooks"))


FILES = {
    "": "1: no front matter",
    "# No front matter\n": "1: no front matter",
    "---\ntitle: A book\n---\n# x\n": "the title is the first heading",
    "---\nalmanac: [1]\n---\n": "front matter has almanac",
    "---\nalmanac:\n  input: []\n---\n": "almanac.input is not known",
    "---\nalmanac:\n  inputs: nfl/x\n---\n": "expected a list of names",
    "---\nalmanac:\n  inputs: [../secret]\n---\n": "not below the run's results",
    "---\nalmanac:\n  inputs: [/etc/passwd]\n---\n": "not below the run's results",
    "---\nalmanac: {inputs: []\n---\n": "no YAML",
    FRONT + "Text first.\n\n# Title {#sec-one}\n": "6: the first line is the title",
    FRONT + "# Title\n": "6: got attributes none",
    FRONT + "# Title {#sec-two}\n": "6: got attributes #sec-two",
    FRONT + "## Title {#sec-one}\n": "6: the first line is the title",
}


@pytest.mark.parametrize("text", FILES, ids=lambda text: text.replace("\n", "|")[:40])
def test_a_file_of_the_wrong_form_is_refused(text: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(DataError, match=r"one\.qmd:") as refused:
        portable.check(qmd.read(path))
    assert FILES[text] in str(refused.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    path.write_bytes(b"---\xff\xfe")
    with pytest.raises(DataError, match=r"not UTF-8 at byte 3"):
        qmd.read(path)


def test_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    path.write_bytes((FRONT + TITLE + CELL).replace("\n", "\r\n").encode())
    assert qmd.read(path).cells[0].label == "fig-a"


# The book of several documents.

BIB = "@article{smith2001,\n title = {On {B}races},\n year = 2001\n}\n"


def plan(folder: Path, *chapters: str, **config: object) -> BookPlan:
    """The plan of a book in `folder` with its bibliography."""
    (folder / "book").mkdir(exist_ok=True)
    (folder / "book" / "references.bib").write_text(BIB)
    section = {"chapters": list(chapters), "engine": "embedded", "backend": "typst"}
    return BookPlan({**section, **config}, folder)


def put(folder: Path, name: str, body: str = "", kind: str = "chapters", front: str = "") -> None:
    """A document of the book in `folder`."""
    head = f"---\nalmanac:\n  inputs: []\n{front}---\n\n# {name.title()} {{#sec-{name}}}\n\n"
    written(folder, head + body, kind, name)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a book, the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_numbers_follow_the_order_of_the_book(folder: Path) -> None:
    table = CELL.replace("fig", "tbl")
    put(folder, "alpha", f"{CELL}\n## Sub {{#sec-sub}}\n\n### Deep {{#sec-deep}}\n\n{table}")
    put(folder, "beta", f"$$\nx\n$$ {{#eq-x}}\n\n{CELL.replace('fig-a', 'fig-b')}\nSee @fig-a.")
    index = plan(folder, "beta", "alpha").edition([]).index
    assert {label: entry["text"].replace("\u00a0", " ") for label, entry in index.items()} == {
        "sec-beta": "Chapter 1",
        "eq-x": "Equation (1.1)",
        "fig-b": "Figure 1.1",
        "sec-alpha": "Chapter 2",
        "fig-a": "Figure 2.1",
        "sec-sub": "Section 2.1",
        "sec-deep": "Section 2.1.1",
        "tbl-a": "Table 2.1",
    }
    assert captions(index, "beta") == ["Figure\u00a01.1"]


def test_an_unnumbered_chapter_counts_not(folder: Path) -> None:
    put(folder, "zero")
    path = folder / "book/chapters/zero.qmd"
    path.write_text(path.read_text().replace("{#sec-zero}", "{#sec-zero .unnumbered}"))
    put(folder, "one", "See @sec-zero.")
    edition = plan(folder, "zero", "one").edition([])
    assert edition.numbers == {"zero": None, "one": 1}
    assert edition.references(edition.plan.chapters["one"]) == [["sec-zero", "zero", "“Zero”"]]


def test_a_chapter_that_is_not_in_the_edition_is_named_by_its_title(folder: Path) -> None:
    put(folder, "one", "See @sec-two.")
    put(folder, "two")
    assert plan(folder, "one").edition([]).index["sec-two"] == {
        "document": "",
        "text": "“Two” (not in this edition)",
    }


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("See @fig-c.", "@fig-c is not a label of the book; did you mean @fig-a?"),
        ("As [@smith2010] says.", "@smith2010 is not in references.bib; did you mean @smith2001?"),
    ],
)
def test_a_key_that_leads_nowhere_is_refused(body: str, words: str, folder: Path) -> None:
    put(folder, "one", f"{CELL}\n{body}")
    with pytest.raises(DataError) as refused:
        plan(folder, "one").edition([])
    assert f"one.qmd:14: {words}" in str(refused.value)


def test_what_an_editor_leaves_is_no_document(folder: Path) -> None:
    put(folder, "one")
    (folder / "book/chapters/.#one.qmd").symlink_to("nowhere")
    (folder / "book/chapters/_draft.qmd").write_text("a draft")
    path = folder / "book/chapters/one.qmd"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert list(plan(folder, "one").chapters) == ["one"]


def test_a_table_of_two_makers_is_refused(folder: Path) -> None:
    table = CELL.replace("fig", "tbl")
    put(folder, "source", table, "notebooks")
    put(folder, "one", table)
    with pytest.raises(DataError, match=r"one.qmd:8: tbl-a is made by .*source.qmd too"):
        plan(folder, "one").documents  # noqa: B018


def test_an_entry_that_takes_from_others_is_known_by_the_whole_bibliography(folder: Path) -> None:
    put(folder, "one", "As @smith2001 says.")

    def cited(bib: str) -> list[str]:
        book = plan(folder, "one")
        (folder / "book/references.bib").write_text(bib)
        return book.cited_by(book.chapters["one"])

    other = "@article{jones, title = {x}}\n"
    assert cited(BIB + other) == cited(BIB)
    assert cited("@string{j = {J}}\n" + BIB + other) != cited("@string{j = {K}}\n" + BIB + other)


def test_a_label_of_two_chapters_is_refused(folder: Path) -> None:
    put(folder, "one", CELL)
    put(folder, "two", CELL)
    with pytest.raises(DataError, match=r"two.qmd:8: label fig-a is that of .*one.qmd too"):
        plan(folder, "one").documents  # noqa: B018


def test_a_chapter_shows_only_what_its_notebooks_make(folder: Path) -> None:
    show = CELL.replace("draw()", 'desk.show("source", "fig-made")')
    put(folder, "source", CELL.replace("fig-a", "fig-made"), "notebooks")
    put(folder, "one", show)
    with pytest.raises(DataError, match=r"one.qmd:8: source is not among the notebooks"):
        plan(folder, "one").documents  # noqa: B018
    put(folder, "one", show, front="  notebooks: [source]\n")
    edition = plan(folder, "one").edition([])
    assert edition.figures(edition.plan.chapters["one"]) == ["book/figures/source/fig-made"]
    put(folder, "one", show.replace("fig-made", "fig-gone"), front="  notebooks: [source]\n")
    with pytest.raises(DataError, match=r"source makes no fig-gone; it has fig-made"):
        plan(folder, "one").documents  # noqa: B018


def test_a_document_takes_what_the_graph_makes_or_is_left_out_with_a_line(folder: Path) -> None:
    put(folder, "source", "", "notebooks")
    path = folder / "book/notebooks/source.qmd"
    path.write_text(path.read_text().replace("[]", '["nfl/etl/*/season=*/part.parquet"]'))
    put(folder, "one", front="  notebooks: [source]\n")
    put(folder, "two")
    made = ["nfl/etl/odds/season=2019/part.parquet", "nfl/etl/deep/er/season=1/part.parquet"]
    edition = plan(folder, "one", "two").edition(made)
    assert edition.inputs["source"] == made[:1]
    assert edition.inputs["one"] == ["book/values/source.json"]
    left = plan(folder, "one", "two").edition([])
    assert left.chapters == ["two"]
    assert left.left == ["one"]
    assert left.absent == {
        "source": "book: notebook source is not built: what makes "
        "nfl/etl/*/season=*/part.parquet is absent",
        "one": "book: chapter one is not built: notebook source is absent",
    }
    assert edition.notebooks == ["source"]
    assert plan(folder, "two").edition(made).notebooks == [], "no chapter uses it"


def test_cells_are_known_by_what_they_do(folder: Path) -> None:
    (folder / "scripts").mkdir()
    (folder / "scripts" / "helper.py").write_text("def f():\n    return 1\n")

    def cells(body: str) -> str:
        put(folder, "one", body)
        book = plan(folder, "one")
        return book.cells(book.chapters["one"])

    code = "```{python}\nfrom scripts.helper import f\nf()\n```\n"
    before = cells(code)
    assert cells(f"Prose first.\n\n{code}") == before
    assert cells(code.replace("f()\n", "f()  # a comment\n")) == before
    assert cells(code.replace("f()\n", "f() + 1\n")) != before
    assert cells(f"{code}\n`{{python}} f()`") != before
    (folder / "scripts" / "helper.py").write_text('def f():\n    """Say."""\n    return 1\n')
    from scripts.plan import fingerprint

    fingerprint._parsed.cache_clear()
    assert cells(code) == before
    (folder / "scripts" / "helper.py").write_text("def f():\n    return 2\n")
    fingerprint._parsed.cache_clear()
    assert cells(code) != before


def test_a_bibliography_that_does_not_balance_or_repeats_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "references.bib"
    path.write_text(BIB + "@book{jones, title = {Open}\n")
    with pytest.raises(DataError, match=r"references.bib:5: the braces of @book\{jones"):
        bibliography.entries(path)
    path.write_text(BIB + BIB)
    with pytest.raises(DataError, match=r"references.bib:5: key smith2001 is given twice"):
        bibliography.entries(path)
    path.write_text(BIB + "@comment{x, y}\n")
    assert list(bibliography.entries(path)) == ["smith2001"]


def test_tools_that_are_absent_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "one")
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(DataError, match=r"book.engine: quarto is not on PATH"):
        plan(folder, "one", engine="quarto").engine  # noqa: B018
    assert plan(folder, "one", engine="auto").engine == "embedded"
    with pytest.raises(DataError, match=r"book.backend: latex needs latexmk, pdflatex, bibtex"):
        plan(folder, "one", backend="latex").tools  # noqa: B018
    (folder / "quarto").write_text("#!/bin/sh\n")
    (folder / "quarto").chmod(0o755)
    assert plan(folder, "one", engine="auto").engine == "quarto"
    assert plan(folder, "one", engine="auto").tools[0].startswith("quarto 10 ")

"""Running documents in real kernels, and rendering what they gave."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from scripts.book import (
    build_manifest,
    build_outputs,
    build_report,
    build_xref,
    compile_chapter,
    compile_main,
    quarto,
    render_chapter,
    render_notebook,
)
from scripts.errors import DataError
from tests.rules.graph import ROOT

HEAD = """---
almanac:
  inputs: [data/a.csv]
---

# A notebook {#sec-source}

```{python}
#| tags: [parameters]
#| include: false
results = "nowhere"
inputs = None
simulated = False
```

```{python}
#| include: false
from scripts.book.desk import Desk
desk = Desk(results, inputs, simulated)
```

"""
FIGURE = """```{python}
#| label: fig-line
#| fig-cap: "A line of `{python} count` points."
from matplotlib.figure import Figure
count = 3
figure = Figure(figsize=(3, 2))
figure.subplots().plot(range(count))
desk.figure(figure)
```

"""
TABLE = """```{python}
#| label: tbl-rows
#| tbl-cap: Rows.
import polars as pl
frame = pl.read_csv(desk.file("data/a.csv"))
desk.table(frame)
```

"""
VALUES = """```{python}
#| include: false
desk.values(
    desk.value("total", int(frame["x"].sum()), "games", "d"),
    desk.value("share", 0.5, format=".1%", simulated=False),
)
```

The total is `{python} frame["x"].sum()`, and *not* `{python} "a_b*c"`.
"""


class Made:
    """What running a document made."""

    def __init__(self, folder: Path, body: str, name: str = "source", **changed: object) -> None:
        """Run a document with this body; `changed` takes the place of arguments."""
        (folder / "data").mkdir(exist_ok=True)
        (folder / "data/a.csv").write_text("x,y\n1,a\n2,b\n")
        self.source = folder / "book/notebooks" / f"{name}.qmd"
        self.source.parent.mkdir(parents=True, exist_ok=True)
        self.source.write_text(body)
        self.executed = folder / f"book/executed/{name}.ipynb"
        self.values = folder / f"book/values/{name}.json"
        self.folder = folder
        arguments = {
            "source": self.source,
            "results": folder,
            "inputs": ["data/a.csv"],
            "simulated": True,
            "environment": os.environ,
            "executed": self.executed,
            "values": self.values,
            "outs": [],
        }
        build_outputs.build(**{**arguments, **changed})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A notebook with a figure, a table and values, run once."""
    folder = tmp_path_factory.mktemp("book")
    outs = [folder / f"book/tables/rows.{kind}" for kind in ("tex", "typ", "html")]
    outs += [folder / f"book/figures/source/fig-line.{kind}" for kind in ("svg", "pdf")]
    return Made(folder, HEAD + FIGURE + TABLE + VALUES, outs=outs)


def test_a_document_gives_values_tables_and_figures(made: Made) -> None:
    assert json.loads(made.values.read_text()) == {
        "total": {
            "value": 3,
            "unit": "games",
            "format": "d",
            "source": "source, cell 5",
            "simulated": True,
        },
        "share": {
            "value": 0.5,
            "unit": "",
            "format": ".1%",
            "source": "source, cell 5",
            "simulated": False,
        },
    }
    book = made.folder / "book"
    assert "1 & a" in (book / "tables/rows.tex").read_text()
    assert (book / "tables/rows.typ").read_text().startswith("#table(")
    assert (book / "figures/source/fig-line.pdf").read_bytes().startswith(b"%PDF")
    assert "<svg" in (book / "figures/source/fig-line.svg").read_text()
    executed = nbformat.read(made.executed, as_version=4)
    assert executed.metadata.almanac["inline"] == ["3", "a_b*c", "3"]
    nbformat.validate(executed)


def test_two_runs_give_the_same_bytes(made: Made, tmp_path: Path) -> None:
    again = Made(tmp_path, HEAD + FIGURE + TABLE + VALUES)
    first, second = (m.executed.read_text().replace(str(m.folder), "") for m in (made, again))
    assert first == second
    assert made.values.read_bytes() == again.values.read_bytes()


FAILURES = {
    "a = 1\n\nraise ValueError('no such thing')": "25: cell 3: ValueError: no such thing",
    "def f():\n    return {}['x']\n\nf()": "24: cell 3: KeyError: 'x'",
    "desk.file('data/other.csv')": "23: cell 3: data/other.csv: not a declared input",
    "import os\nos._exit(3)": "the kernel died",
}


@pytest.mark.parametrize("code", FAILURES, ids=lambda code: code.replace("\n", "|")[:30])
def test_a_cell_that_fails_is_named_with_line_and_cause(code: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as failed:
        Made(tmp_path, HEAD + f"```{{python}}\n{code}\n```\n")
    assert f"source.qmd:{FAILURES[code]}" in str(failed.value) or FAILURES[code] in str(
        failed.value
    )
    assert "\n" not in str(failed.value)
    assert not (tmp_path / "book/executed").exists()
    assert not (tmp_path / "book/values").exists()


def test_a_labelled_cell_is_named_by_its_label(tmp_path: Path) -> None:
    body = FIGURE.replace("count = 3", "count = None")
    with pytest.raises(DataError, match=r"source.qmd:\d+: cell fig-line: TypeError"):
        Made(tmp_path, HEAD + body)


@pytest.mark.parametrize(
    ("inline", "words"),
    [
        ("nothing", r"source.qmd:23: `nothing`: name 'nothing' is not defined"),
        ("[1]", r"source.qmd:23: `\[1\]` gives list, expected text or a number"),
        ("None", r"source.qmd:23: `None` gives NoneType"),
    ],
)
def test_an_inline_expression_that_fails_is_named_with_its_line(
    inline: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=words):
        Made(tmp_path, HEAD + f"\nThe value is `{{python}} {inline}`.\n")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (FIGURE.replace("desk.figure(figure)", "1"), "fig-line: shows 0 figures, expected 1"),
        (TABLE.replace("desk.table(frame)", "1"), "tbl-rows: shows 0 tables, expected one"),
        (
            FIGURE.replace('points."', 'points."\n#| fig-subcap: [a, b]'),
            "fig-line: shows 1 figures, expected 2",
        ),
        (TABLE + VALUES.split("\n\nThe")[0] + "\n\n" + VALUES.split("\n\nThe")[0], "given twice"),
    ],
)
def test_a_cell_must_show_what_its_label_says(body: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        Made(tmp_path, HEAD + body)


def test_a_table_that_no_page_holds_is_refused(tmp_path: Path) -> None:
    body = TABLE.replace(
        'frame = pl.read_csv(desk.file("data/a.csv"))', "frame = pl.select(x=pl.arange(46))"
    )
    with pytest.raises(DataError, match=r"tbl-rows: 46 rows, a printed page holds 45"):
        Made(tmp_path, HEAD + body)


def test_a_desk_takes_no_more_than_the_graph_gives(tmp_path: Path) -> None:
    body = "```{python}\nDesk(results, None).files('data/*')\n```\n"
    with pytest.raises(DataError, match=r"takes what the parameters cell names"):
        Made(tmp_path, HEAD + body)
    body = "```{python}\ndesk.files('data/*')\n```\n"
    with pytest.raises(DataError, match=r"not a declared input"):
        Made(tmp_path, HEAD + body, inputs=[])


def test_a_long_name_of_the_temporary_folder_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("with spaces " * 10)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    assert Made(tmp_path, HEAD).executed.is_file()


def test_plain_figures_and_frames_are_shown_too(tmp_path: Path) -> None:
    body = (
        "```{python}\n#| label: fig-plain\n#| fig-cap: x\n#| fig-subcap: [a, b]\n"
        "import matplotlib.pyplot as plt\nfor n in range(2):\n    plt.figure()\n    plt.plot([n])\n"
        "plt.show()\n```\n\n"
        "```{python}\n#| label: tbl-plain\n#| tbl-cap: x\nimport pandas as pd\n"
        "pd.DataFrame({'a': [1.5]})\n```\n"
    )
    outs = [
        tmp_path / f"book/figures/source/fig-plain-{n}.{k}" for n in (1, 2) for k in ("svg", "pdf")
    ]
    outs.append(tmp_path / "book/tables/plain.tex")
    Made(tmp_path, HEAD + body, outs=outs)
    assert all(out.stat().st_size for out in outs)
    assert "1.500" in outs[-1].read_text()


def test_a_kernel_knows_no_secret_and_none_of_the_users_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    startup = tmp_path / "home/.ipython/profile_default/startup"
    startup.mkdir(parents=True)
    (startup / "0.py").write_text("planted = 1\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    body = (
        "```{python}\nimport os\nprint(sorted(k for k in os.environ if 'AWS' in k or 'hush' in "
        "os.environ[k]), 'planted' in globals())\n```\n"
    )
    done = Made(tmp_path, HEAD + body)
    assert "[] False" in done.executed.read_text()


# Rendering.


def render(made: Made, out: Path, **changed: object) -> tuple[str, dict]:
    """The notebook's page, and the notebook itself."""
    index = {"fig-line": {"document": "source", "text": "Figure 1"}}
    index["tbl-rows"] = {"document": "source", "text": "Table 1"}
    arguments = {
        "source": made.source,
        "executed": made.executed,
        "index": index,
        "folder": made.folder / "book",
        "engine": "embedded",
        "simulated": True,
        "footer": "Foot",
        "environment": os.environ,
        "notebook": out / "a.ipynb",
        "page": out / "a.html",
    }
    render_notebook.render(**{**arguments, **changed})
    return (out / "a.html").read_text(), json.loads((out / "a.ipynb").read_text())


def test_a_notebook_is_rendered_with_prose_and_outputs(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    page, notebook = render(made, tmp_path)
    assert "<figcaption>Figure 1: A line of 3 points. (Simulated data.)</figcaption>" in page
    assert "and <em>not</em> a_b*c" in page
    assert "data:image/svg+xml" in page
    assert not re.search(r'(src|href)="(?!#|data:)', page), "a page holds all it shows"
    kinds = [cell["cell_type"] for cell in notebook["cells"]]
    assert kinds == ["markdown", "code", "code", "code", "code", "code", "markdown"]
    assert "".join(notebook["cells"][0]["source"]) == "# A notebook {#sec-source}"
    assert "The total is 3" in "".join(notebook["cells"][-1]["source"])
    nbformat.validate(nbformat.from_dict(notebook))


def test_output_stays_output_and_says_nothing_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    printed = r"print('```\n# Injected\n```\n\x1b[31mred')"
    body = f"```{{python}}\n{printed}\n```\n\n```{{python}}\nobject()\n```\n"
    page, _ = render(Made(tmp_path, HEAD + body), tmp_path, index={})
    assert "# Injected" in page
    assert "<h1>Injected" not in page
    assert "\x1b" not in page
    assert "0x" not in page


@pytest.mark.parametrize(
    "option", ["#| label:  fig-line", "#| label: fig-line # why", "#| {label: fig-line}"]
)
def test_what_rests_on_simulation_says_so_however_it_is_labelled(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    body = FIGURE.replace("#| label: fig-line", option)
    body = body.replace("desk.figure(figure)", "figure")  # and without the desk
    if option.endswith("}"):
        body = body.replace("#| {label: fig-line}", '#| {label: fig-line, fig-cap: "A line."}')
        body = body.replace('#| fig-cap: "A line of `{python} count` points."\n', "")
    outs = [tmp_path / "book/figures/source/fig-line.svg"]
    for simulated in (True, False):
        page, _ = render(Made(tmp_path, HEAD + body, simulated=simulated, outs=outs), tmp_path)
        assert ("(Simulated data.)" in page) == simulated


@pytest.mark.parametrize("simulated", [True, False])
def test_a_plain_frame_rests_on_what_its_document_rests_on(
    simulated: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    body = TABLE.replace("desk.table(frame)", "frame")
    outs = [tmp_path / "book/tables/rows.html"]
    page, _ = render(Made(tmp_path, HEAD + body, simulated=simulated, outs=outs), tmp_path)
    assert ("Rows. (Simulated data.)" in page) == simulated


def test_prose_may_change_after_the_run_and_cells_may_not(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    edited = tmp_path / "book/notebooks/source.qmd"
    edited.parent.mkdir(parents=True)
    edited.write_text(made.source.read_text().replace("The total is", "New words:\n\nit is"))
    page, _ = render(made, tmp_path, source=edited)
    assert "New words:" in page
    edited.write_text(edited.read_text() + '\n```{python}\nprint("more")\n```\n')
    with pytest.raises(DataError, match=r"its cells are not those that ran"):
        render(made, tmp_path, source=edited)


CHAPTER = """---
almanac:
  notebooks: [source]
---

# A chapter {#sec-chapter}

```{python}
#| tags: [parameters]
results = "nowhere"
inputs = None
simulated = False
```

```{python}
from scripts.book.desk import Desk
desk = Desk(results, inputs, simulated)
quote = desk.quote
```

There are `{python} quote("source.total")`, see @fig-shown and @sec-other.

```{python}
#| label: fig-shown
#| fig-cap: Shown.
desk.show("source", "fig-line")
```
"""


@pytest.fixture
def chapter(made: Made) -> Callable[..., list[Path]]:
    """Render a chapter that shows the notebook's figure."""

    def rendered(out: Path, **changed: object) -> list[Path]:
        inputs = ["book/values/source.json"]
        source = made.folder / "book/chapters/chapter.qmd"
        ran = Made(made.folder, CHAPTER, "chapter", inputs=inputs)
        source.parent.mkdir(exist_ok=True)
        source.write_text(CHAPTER)
        outs = [out / f"chapter.{kind}" for kind in ("html", "tex", "typ")]
        arguments = {
            "source": source,
            "executed": ran.executed,
            "sources": [made.executed],
            "index": {
                "fig-shown": {"document": "chapter", "text": "Figure 3.1"},
                "sec-other": {"document": "other", "text": "Chapter 4"},
            },
            "folder": made.folder / "book",
            "engine": "embedded",
            "number": 3,
            "simulated": True,
            "footer": "Foot",
            "environment": os.environ,
            "outs": outs,
        }
        render_chapter.render(**{**arguments, **changed})
        return outs

    return rendered


def test_a_chapter_is_rendered_for_page_and_print(
    chapter: Callable[..., list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    page, tex, typ = (path.read_text() for path in chapter(tmp_path))
    assert "There are 3\u00a0games" in page
    assert '<a href="other.html#sec-other">Chapter 4</a>' in page
    assert '<span class="header-section-number">3</span>' in page
    assert "There are 3~games" in tex
    assert r"\includegraphics{figures/source/fig-line.pdf}" in tex
    assert "Shown. (Simulated data.)" in tex
    assert 'image("/figures/source/fig-line.svg")' in typ
    assert "from scripts" not in page + tex + typ, "a chapter does not echo its cells"


QUARTO = """#!/usr/bin/env python3
import pathlib, subprocess, sys
import pypandoc
if sys.argv[1:] == ["--version"]:
    print("1.10.19")
    raise SystemExit
command, source, flag, to = sys.argv[1:]
assert (command, flag) == ("render", "--to"), sys.argv
text = pathlib.Path(source).read_text()
assert "```{python}" not in text and "@fig-" not in text and "@sec-" not in text, text
if "(fault)" in text:
    print("WARN: Unable to resolve crossref @fig-x", file=sys.stderr)
suffix = {"latex": "tex", "typst": "typ", "html": "html"}[to]
out = pathlib.Path(source).with_suffix("." + suffix)
template = "page.html" if to == "html" else "body.template"
division = [] if to == "html" else ["--top-level-division=chapter"]
subprocess.run([pypandoc.get_pandoc_path(), source, "-f", "markdown", "-t", to, "-o", out,
                "--template", template,
                "--embed-resources", "--mathml", *division], check=True)
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program called quarto on PATH that takes the arguments of the real one."""
    import sys

    program = tmp_path / "bin/quarto"
    program.parent.mkdir()
    program.write_text(QUARTO.replace("/usr/bin/env python3", sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.chdir(ROOT)
    return program


def test_quarto_gets_a_staged_copy_with_nothing_left_to_run_or_to_resolve(
    chapter: Callable[..., list[Path]], stand_in: Path, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    own = [path.read_text() for path in chapter(tmp_path / "a", engine="quarto")]
    embedded = [path.read_text() for path in chapter(tmp_path / "b")]

    for ours, its in zip(embedded[1:], own[1:], strict=True):
        assert re.sub(r"\s", "", its) == re.sub(r"\s", "", ours)
    assert "Figure 3.1" in own[0]


def test_what_quarto_warns_of_fails(
    chapter: Callable[..., list[Path]], stand_in: Path, tmp_path: Path, made: Made
) -> None:
    index = {
        "fig-shown": {"document": "chapter", "text": "Figure 3.1 (fault)"},
        "sec-other": {"document": "other", "text": "Chapter 4"},
    }
    with pytest.raises(DataError, match=r"chapter: quarto: WARN: Unable to resolve"):
        chapter(tmp_path, engine="quarto", index=index)
    stand_in.write_text("#!/bin/sh\necho no space left >&2\nexit 1\n")
    with pytest.raises(DataError, match=r"chapter: quarto: no space left"):
        chapter(tmp_path, engine="quarto")
    assert quarto.SUFFIXES["typst"] == "typ"


# Small jobs.


def test_the_manifest_names_every_tool(stand_in: Path, tmp_path: Path) -> None:
    out = tmp_path / "manifest.json"
    build_manifest.build(
        engine="quarto", backend="typst", packages=["typst 0.15.2"], tools=["quarto"], out=out
    )
    told = json.loads(out.read_text())
    assert told["engine"] == "quarto"
    assert told["versions"].items() >= {"quarto": "1.10.19", "typst": "0.15.2"}.items()
    assert "pandoc" in told["versions"]


def test_the_index_is_kept_in_the_order_of_the_book(tmp_path: Path) -> None:
    out = tmp_path / "xref.json"
    index = {
        "sec-b": {"document": "b", "text": "Chapter 1"},
        "sec-a": {"document": "a", "text": "x"},
    }
    build_xref.build(index=index, out=out)
    assert list(json.loads(out.read_text())) == ["sec-b", "sec-a"]


def test_the_report_tells_steps_pages_warnings_tables_and_checksums(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(
        json.dumps({"engine": "embedded", "backend": "typst", "versions": {"typst": "0.15"}})
    )
    (tmp_path / "main.json").write_text(
        json.dumps({"pages": 41, "warnings": ["<b>"], "sha256": "ab", "backend": "typst"})
    )
    (tmp_path / "nb.json").write_text(
        json.dumps({"tables": [{"table": "rows", "rows": 2}], "compiled": True})
    )
    (tmp_path / "a.tsv").write_text("s\th:m:s\n1.5\t0:00:01\n")
    shutil.copy(tmp_path / "a.tsv", tmp_path / "old.tsv")
    os.utime(tmp_path / "old.tsv", (999, 999))
    (tmp_path / "page.html").write_text("x")
    build_report.build(
        manifest=tmp_path / "manifest.json",
        documents=[tmp_path / "page.html"],
        pdfs={"results/x/book/main.pdf": tmp_path / "main.json"},
        tables=[tmp_path / "nb.json"],
        steps=[
            ["run cells", "nb", str(tmp_path / "a.tsv")],
            ["run cells", "old", str(tmp_path / "old.tsv")],
            ["set", "", str(tmp_path / "b.tsv")],
        ],
        started=1000.0,
        page=tmp_path / "report.html",
        report=tmp_path / "report.json",
    )
    told = json.loads((tmp_path / "report.json").read_text())
    assert [step["status"] for step in told["steps"]] == ["built", "kept", "kept"]
    assert told["steps"][0]["seconds"] == 1.5
    assert told["tables"] == [{"table": "rows", "rows": 2, "notebook": "nb", "compiled": True}]
    assert len(told["files"][str(tmp_path / "page.html")]) == 64
    page = (tmp_path / "report.html").read_text()
    assert "41 pages" in page
    assert "&lt;b&gt;" in page
    assert compile_main.compile_pdf is compile_chapter.compile_pdf

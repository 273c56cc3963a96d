"""The book as a whole: what runs again after an edit, faults, both backends, a new week."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from pathlib import Path

import pypdfium2
import pytest

from tests.programs import needs
from tests.workflow import books, nfls
from tests.workflow.books import SET, book_of, edit, jobs, of_chapter, source
from tests.workflow.nfls import built, games_csv, of_season
from tests.workflow.project import Project, copied, half_written, tail
from tests.workflow.test_nfl_reruns import TABLES, WEEK_14, WEEK_15
from tests.workflow.test_reruns import append, planned

needs_latex = needs("latexmk", "pdflatex", "bibtex")
OF_GAMES = {
    "build_outputs_games": 1,
    "check_tables games": 1,
    "render_notebook games": 1,
    "build_outputs_alpha": 1,
    **of_chapter("alpha"),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny NFL domain, from the package."""
    return built(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory, whole: Project) -> Project:
    """The small book, printed; games are known to week 14."""
    project = copied(whole, tmp_path_factory.mktemp("book"))
    books.write(project)
    project.write_config("config/config.yaml", books.config())
    (project.folder / "own").mkdir()
    (project.folder / "own/games.csv").write_bytes(games_csv(whole, nfls.SEASONS, WEEK_14))
    project.run("nfl", "ticks", "book", check=True)
    return project


@pytest.fixture
def project(printed: Project, tmp_path: Path) -> Project:
    """A copy of it, for one test to change."""
    return copied(printed, tmp_path)


def text_of(pdf: Path) -> str:
    """All text of a PDF."""
    document = pypdfium2.PdfDocument(pdf)
    text = " ".join(page.get_textpage().get_text_bounded() for page in document)
    return re.sub(r"\s+", " ", text)


def played(project: Project) -> int:
    """Games with a result, as values.json has them."""
    return json.loads((book_of(project) / "values/games.json").read_text())["played"]["value"]


def test_the_book_is_printed_and_a_second_run_does_nothing(project: Project) -> None:
    folder = book_of(project)
    text = text_of(folder / "main.pdf")
    assert f"There are {played(project)} games" in text
    assert "see Figure 1.1, Table 1.1 and Chapter 2" in text
    assert "Simulated data" in text
    assert "(Simulated data.)" in text
    alone = text_of(folder / "chapters/beta.pdf")
    assert "Chapter 2" in alone
    assert "see Chapter 1 and Figure 1.1" in alone
    assert jobs(project, project.run("nfl", "ticks", "book", check=True)) == {}
    for path in (project.folder / "book").rglob("*"):
        os.utime(path)
    assert jobs(project, project.run("book", check=True)) == {}


def test_a_chapter_of_the_future_holds_up_nothing(project: Project) -> None:
    chapter, ahead = project.folder / "book/chapters/beta.qmd", time.time() + 3600
    os.utime(chapter, (ahead, ahead))
    shutil.rmtree(book_of(project) / "executed")
    project.run("book", check=True)
    assert chapter.stat().st_mtime <= time.time()


EDITS = {
    "prose of a notebook": (
        ("notebooks/games.qmd", "How many games", "So many games"),
        {"render_notebook games": 1, "build_report": 1},
    ),
    "a comment in a cell": (
        ("notebooks/games.qmd", "import json\n", "import json  # to read\n"),
        {"render_notebook games": 1, "build_report": 1},
    ),
    "a cell of a notebook": (("notebooks/games.qmd", "bins=20", "bins=30"), OF_GAMES),
    "prose of a chapter": (
        ("chapters/beta.qmd", "Nothing is", "Not a thing is"),
        of_chapter("beta"),
    ),
    "a figure before another": (
        (
            "chapters/alpha.qmd",
            "There are",
            '```{python}\n#| label: fig-again\n#| fig-cap: Again.\ndesk.show("games", '
            '"fig-margins")\n```\n\nThere are',
        ),
        # beta refers to the figure whose number is another now.
        {
            "build_outputs_alpha": 1,
            "build_xref": 1,
            **of_chapter("alpha"),
            **of_chapter("beta"),
        },
    ),
    "a cited entry": (
        ("references.bib", "On games", "On all games"),
        of_chapter("alpha"),
    ),
    "an entry that nobody cites": (
        ("references.bib", "On trades", "On all trades"),
        {},
    ),
    "a text that is all a cell does": (
        ("notebooks/trades.qmd", 'desk.value("rows"', '"shown"\ndesk.value("rows"'),
        {
            "build_outputs_trades": 1,
            "render_notebook trades": 1,
            "build_outputs_beta": 1,
            **of_chapter("beta"),
        },
    ),
    "the template of the other backend": (
        ("templates/book.sty", "% A table is", "% Any table is"),
        {},
    ),
    "a comment in the template": (
        ("templates/book.typ", "#let xref", "// Another word.\n#let xref"),
        {"compile_chapter alpha": 1, "compile_chapter beta": 1, **SET},
    ),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_reruns_what_depends_on_it_and_nothing_else(what: str, project: Project) -> None:
    (path, old, new), expected = EDITS[what]
    edit(project.folder / "book" / path, old, new)
    result = project.run("nfl", "ticks", "book", check=True)
    assert jobs(project, result) == expected
    assert (book_of(project) / "main.pdf").is_file()


def test_a_model_that_changes_reprints_the_chapter_that_quotes_it(project: Project) -> None:
    append(project.folder / "scripts/nfl/models/glm.py", "ANOTHER = 1")
    result = project.run("nfl", "ticks", "book", check=True)
    assert jobs(project, result) == {
        "nfl_fit_model": 1,
        "nfl_score_leaks": 1,
        "nfl_check_passed": 1,
        "nfl_score_models": 1,
        "nfl_plot_reliability": 1,
        "nfl_plot_seasons": 1,
        **OF_GAMES,
    }


def test_a_module_of_a_cell_reruns_that_notebook(project: Project) -> None:
    module = project.folder / "scripts/research/added.py"
    module.write_text('"""One."""\n\nONE = 1\n')
    cell = "import polars as pl\nsummary"
    path = source(project, "notebooks", "trades")
    edit(path, cell, f"from scripts.research.added import ONE\n{cell}")
    expected = {
        "build_outputs_trades": 1,
        "render_notebook trades": 1,
        "build_outputs_beta": 1,
        **of_chapter("beta"),
    }
    assert jobs(project, project.run("book", check=True)) == expected
    module.write_text('"""One."""\n\nONE = 2\n')
    again = planned(project, "book")
    assert again["book_build_outputs_trades"] == 1
    assert "book_build_outputs_games" not in again


def test_a_new_week_of_games_reaches_the_printed_page(
    project: Project, whole: Project, record_property: object
) -> None:
    before, games = text_of(book_of(project) / "main.pdf"), played(project)
    (project.folder / "own/games.csv").write_bytes(games_csv(whole, nfls.SEASONS, WEEK_15))
    result = project.run("nfl", "ticks", "book", check=True)
    nfl = {
        **of_season(
            2018,
            *("build_schedules", "build_pbp", "build_play_types", "build_team_epa"),
            *("simulate_odds", "build_features", "fit_model glm"),
        ),
        **TABLES,
        "plot_reliability": 1,
        "plot_seasons": 1,
    }
    assert nfls.jobs(project, result) == {
        **nfl,
        **{f"book_{name.split()[0]}": count for name, count in OF_GAMES.items()},
        # The title page and both chapters say where their results come from.
        "book_compile_chapter": 1,
    }
    assert played(project) == games + 16
    after = text_of(book_of(project) / "main.pdf")
    assert f"There are {games + 16} games" in after
    assert f"There are {games} games" in before


def test_a_chapter_is_built_by_itself(project: Project) -> None:
    shutil.rmtree(project.results)
    result = project.run("results/tiny/book/chapters/beta.pdf", check=True)
    made = jobs(project, result)
    assert not any("games" in name or "alpha" in name or "nfl_" in name for name in made)
    assert made["compile_chapter beta"] == 1
    assert not (book_of(project) / "main.pdf").exists()


def test_a_notebook_that_raises_is_the_last_word_and_nothing_old_is_left(project: Project) -> None:
    edit(source(project, "notebooks", "games"), "axes.set(xlabel", "1 / 0\naxes.set(xlabel")
    result = project.run("book", check=False)
    last = tail(result, 8)
    assert "book_build_outputs_games" in last
    path = "book/notebooks/games.qmd"
    line = source(project, "notebooks", "games").read_text().split("1 / 0")[0].count("\n") + 1
    assert f"{path}:{line}: cell fig-margins: ZeroDivisionError: division by zero" in last
    folder = book_of(project)
    gone = ["main.pdf", "chapters/alpha.pdf", "chapters/alpha.html", "report.html"]
    assert [name for name in gone if (folder / name).exists()] == []
    assert (folder / "chapters/beta.pdf").is_file(), "what does not need it is there"
    edit(source(project, "notebooks", "games"), "1 / 0\n", "")
    project.run("book", check=True)
    assert (folder / "main.pdf").is_file()


DEFECTS = {
    "a forbidden construct": (
        ("chapters/beta.qmd", "Nothing", "\n\n::: {.callout-note}\nNothing"),
        "beta.qmd:27: a callout (::: {.callout) is not portable; write a paragraph",
    ),
    "an unresolved reference": (
        ("chapters/beta.qmd", "@sec-alpha", "@sec-alfa"),
        "beta.qmd:24: @sec-alfa is not a label of the book; did you mean @sec-alpha?",
    ),
    "a missing citation": (
        ("chapters/alpha.qmd", "@smith2001", "@smith2011"),
        "@smith2011 is not in references.bib; did you mean @smith2001?",
    ),
    "a label given twice": (
        ("chapters/beta.qmd", "Nothing", "\n\n## Again {#sec-alpha}\n\nNothing"),
        "label sec-alpha is that of book/chapters/alpha.qmd too; rename one",
    ),
    "a figure that no notebook makes": (
        ("chapters/alpha.qmd", 'show("games", "fig-margins")', 'show("games", "fig-none")'),
        "games makes no fig-none; it has tbl-games, fig-margins",
    ),
    "a number typed by hand": (
        ("chapters/beta.qmd", "Nothing", "A score of 0.21. Nothing"),
        "the number 0.21 is typed by hand",
    ),
}


@pytest.mark.parametrize("what", DEFECTS)
def test_a_defect_of_a_document_stops_the_plan_with_file_and_line(
    what: str, project: Project
) -> None:
    (path, old, new), words = DEFECTS[what]
    edit(project.folder / "book" / path, old, new)
    result = project.run("book", check=False)
    assert words in tail(result, 3)
    assert jobs(project, result) == {}


def test_a_table_with_nan_fails_its_notebook(project: Project) -> None:
    edit(source(project, "notebooks", "games"), '.len("games")', '.agg(x=float("nan"))')
    result = project.run("book", check=False)
    assert "cell tbl-games: x: nan in a table" in tail(result, 8)


def test_what_is_deleted_is_made_again_with_the_same_bytes(project: Project) -> None:
    before = project.digests(book_of(project))
    for name in ("main.pdf", "tables/games.tex", "figures/games/fig-margins.svg"):
        (book_of(project) / name).unlink()
    project.run("book", check=True)
    after = project.digests(book_of(project))
    differ = {name for name in before if after.get(name) != before[name]}
    assert differ <= {"report.html", "report.json"}


def test_a_killed_build_is_completed_by_the_next_with_the_same_bytes(project: Project) -> None:
    before = project.digests(book_of(project))
    shutil.rmtree(book_of(project))
    with project.start("book", cores=1, own_group=True) as process:
        while not list(book_of(project).glob("executed/*.ipynb")):
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    time.sleep(2)  # jobs see that their main process is gone, and end
    project.run("--unlock", check=True)
    project.run("book", cores=1, check=True)
    assert half_written(project.results) == []
    after = project.digests(book_of(project))
    assert before.keys() == after.keys()
    differ = {name for name in before if after[name] != before[name]}
    assert differ <= {"report.html", "report.json"}


def test_what_has_no_source_is_left_out_with_a_line(project: Project) -> None:
    config = books.config()
    config["nfl"]["sources"]["schedules"] = None
    project.write_config("config/config.yaml", config)
    result = project.run("book", check=True)
    assert "book: chapter alpha is not built: notebook games is absent" in result.stdout
    text = text_of(book_of(project) / "main.pdf")
    assert "see “Alpha” (not in this edition)" in text
    assert "Chapter 1" in text
    assert not list(book_of(project).glob("main.pdf.*"))


@needs_latex
def test_latex_sets_the_same_book_and_two_builds_are_the_same_bytes(project: Project) -> None:
    project.write_config("config/config.yaml", books.config(backend="latex"))
    result = project.run("book", check=True)
    assert not any(name.startswith("build_outputs") for name in jobs(project, result))
    folder = book_of(project)
    first = [(folder / name).read_bytes() for name in ("main.pdf", "chapters/alpha.pdf")]
    text = text_of(folder / "main.pdf")
    assert "see Figure 1.1, Table 1.1 and Chapter 2" in text
    assert json.loads((folder / "checks/main.json").read_text())["backend"] == "latex"
    compiling = ("book_compile_main", "book_compile_chapter")
    project.run("book", "--forcerun", *compiling, check=True)
    assert [(folder / name).read_bytes() for name in ("main.pdf", "chapters/alpha.pdf")] == first
    project.write_config("config/config.yaml", books.config())
    project.run("book", check=True)
    assert json.loads((folder / "checks/main.json").read_text())["backend"] == "typst"


def test_a_backend_that_is_absent_is_an_error_and_never_swapped(project: Project) -> None:
    tools = [Path(directory) for directory in os.environ["PATH"].split(os.pathsep)]
    kept = [str(d) for d in tools if not (d / "latexmk").exists()]
    project.write_config("config/config.yaml", books.config(backend="latex"))
    result = project.run("book", check=False, env={"PATH": os.pathsep.join(kept)})
    assert "config: book.backend: latex needs latexmk" in tail(result, 3)
    project.write_config("config/config.yaml", books.config(engine="quarto"))
    if not shutil.which("quarto"):
        result = project.run("book", check=False)
        assert "config: book.engine: quarto is not on PATH" in tail(result, 3)


@needs("quarto", in_ci=False)
@pytest.mark.parametrize("backend", ["typst", pytest.param("latex", marks=needs_latex)])
def test_quarto_renders_the_same_book(backend: str, project: Project) -> None:
    before = project.digests(project.folder / "book")
    project.write_config("config/config.yaml", books.config(engine="quarto", backend=backend))
    result = project.run("book", check=True)
    assert not any(name.startswith("build_outputs") for name in jobs(project, result))
    text = text_of(book_of(project) / "main.pdf")
    assert "see Figure 1.1, Table 1.1 and Chapter 2" in text
    told = json.loads((book_of(project) / "manifest.json").read_text())
    assert told["engine"] == "quarto"
    assert "quarto" in told["versions"]
    assert project.digests(project.folder / "book") == before, "sources are not touched"

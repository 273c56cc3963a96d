"""Tables in every format, and what a LaTeX table must be: every fault planted, and found."""

from __future__ import annotations

import html
import json
import os
import re
from pathlib import Path

import polars as pl
import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.book import check_tables, desk, table_checks
from scripts.book.tables import Table
from scripts.errors import DataError
from tests.programs import needs

FRAME = pl.DataFrame(
    {
        "model": ["glm", "a_b & 100 %"],
        "n": [5667, None],
        "brier": [0.21125, -1.5],
        "ok": [True, None],
    }
)
needs_latex = needs("pdflatex")
GOOD = r"""\begin{tabular}{@{}lr@{}}
\toprule
name & value \\
\midrule
one & 1 \\
two & 2 \\
\bottomrule
\end{tabular}
"""


def test_cells_are_formatted_and_nulls_are_dashes() -> None:
    table = Table(FRAME, headers={"brier": "Brier score"}, formats={"n": ",d", "brier": ".4f"})
    assert table.head == ["model", "n", "Brier score", "ok"]
    assert table.rows == [
        ["glm", "5,667", "0.2112", "yes"],
        ["a_b & 100 %", "\u2013", "\u22121.5000", "\u2013"],
    ]
    assert table.right == [False, True, True, False]


def test_a_share_is_a_percentage() -> None:
    assert Table(pl.DataFrame({"p": [0.687]}), formats={"p": ".1%"}).rows == [["68.7\u00a0%"]]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(DataError, match=r"brier: (nan|inf) in a table"):
        Table(pl.DataFrame({"brier": [0.2, value]}))


def test_a_table_without_rows_or_with_an_unknown_column_is_refused() -> None:
    with pytest.raises(DataError, match=r"without rows"):
        Table(FRAME.clear())
    with pytest.raises(DataError, match=r"brir: no column of the table; it has model"):
        Table(FRAME, formats={"brir": ".3f"})


def test_headers_are_stacked_where_latex_would_run_off_the_page() -> None:
    names = {f"a rather long name of column {n}": [n] for n in range(7)}
    text = Table(pl.DataFrame(names)).latex()
    head = text[text.index("toprule") : text.index("midrule")]
    assert head.count(r"\\") > 1
    assert table_checks.faults(text) == []


printable = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(printable, st.integers(-(10**6), 10**6)), min_size=1, max_size=5))
def test_any_text_survives_in_every_format(rows: list[tuple[str, int]]) -> None:
    table = Table(pl.DataFrame(rows, schema=["text", "number"], orient="row"))
    hostile = any(table_checks.MISSING.search(text) for text, _ in rows)
    assert hostile or table_checks.faults(table.latex()) == []
    cells = re.findall(r"<td[^>]*>(.*?)</td>", table.html(), re.S)
    assert [html.unescape(cell) for cell in cells[::2]] == [text for text, _ in rows]


def test_hostile_text_is_set_as_it_stands(tmp_path: Path) -> None:
    import pypdfium2

    text = r"a_b & 100 % #1 $x$ {y} ~ ^ \z <t> [u] @v *w* `q` // -- == +1 é"
    table = Table(pl.DataFrame({"t": [text]}))
    source = tmp_path / "main.typ"
    source.write_text(f"#set page(width: 60cm)\n{table.typst()}")
    pdf = pypdfium2.PdfDocument(typst.compile(source, ignore_system_fonts=True))
    assert text in pdf[0].get_textpage().get_text_bounded()


@needs_latex
def test_hostile_text_is_set_by_latex() -> None:
    text = "a_b & 100 % #1 $x$ {y} ~ ^ \\z <t> \u2212 \u2013 \xb1 \xd7 \u2264 é"
    found = table_checks.compiled({"t": Table(pl.DataFrame({"t": [text]})).latex()}, os.environ)
    assert found == {}


# What a table must be.

PLANTS = {
    "too few cells": (GOOD.replace("one & 1", "one"), "line 5: 1 cells, the column"),
    "too many cells": (GOOD.replace("one & 1", "one & 1 & 1"), "line 5: 3 cells, the column"),
    "multicolumn too wide": (
        GOOD.replace("one & 1", r"\multicolumn{3}{l}{one}"),
        "line 5: 3 cells",
    ),
    "no end of row": (GOOD.replace(r"two & 2 \\", "two & 2"), "line 6: the row does not end in"),
    "open brace": (GOOD.replace("one", r"\textbf{one"), "line 5: a brace is not closed"),
    "closed brace": (GOOD.replace("one", "one}"), "line 5: a brace is closed that none opened"),
    "environment": (GOOD.replace(r"\end{tabular}", ""), r"\begin{tabular} is not closed"),
    "other environment": (
        GOOD.replace(r"\end{tabular}", r"\end{center}"),
        r"\end{center} closes nothing",
    ),
    "no bottomrule": (GOOD.replace("\\bottomrule\n", ""), r"no \bottomrule"),
    "rules out of order": (
        GOOD.replace("toprule", "x").replace("midrule", "toprule").replace("x", "midrule"),
        "out of order",
    ),
    "percent": (GOOD.replace("& 1", "& 1 %"), "% is not escaped"),
    "underscore": (GOOD.replace("one", "a_b"), "line 5: a _ is not escaped"),
    "hash": (GOOD.replace("one", "#1"), "line 5: a # is not escaped"),
    "dollar": (GOOD.replace("one", "$x"), "line 5: a $ is not escaped"),
    "ampersand": (GOOD.replace("one", "a & b"), "line 5: 3 cells"),
    "nan": (GOOD.replace("& 1", "& nan"), "line 5: a cell says nan"),
    "NA": (GOOD.replace("& 1", "& NA"), "line 5: a cell says NA"),
    "placeholder": (GOOD.replace("one", "placeholder"), "a cell says placeholder"),
    "nat": (GOOD.replace("& 1", "& NaT"), "a cell says NaT"),
    "capitals": (GOOD.replace("& 1", "& Placeholder"), "a cell says Placeholder"),
    "inside a command": (GOOD.replace("one", r"\textbf{a_b}"), "line 5: a _ is not escaped"),
    "label twice": (
        GOOD.replace(r"\end{tabular}", "\\end{tabular}\n\\label{t}\\label{t}"),
        "label t is given twice",
    ),
    "no table": ("text", "no tabular environment"),
}


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_found(name: str) -> None:
    text, words = PLANTS[name]
    assert any(words in fault for fault in table_checks.faults(text)), table_checks.faults(text)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace("one & 1", r"\multicolumn{2}{l}{one}"),
        GOOD.replace("{@{}lr@{}}", r"{@{}l>{\raggedright\arraybackslash}p{0.5\linewidth}@{}}"),
        GOOD.replace("{@{}lr@{}}", "{l*{1}{r}}"),
        GOOD.replace("one", r"50 \% \& \_x\# \$5 $x_1^2$"),
        GOOD.replace("one & 1 \\\\", "one & 1 \\\\[2pt]\n\\cmidrule(lr){1-2}"),
        GOOD.replace("one", "NASDAQ, Nancy, inferior"),
    ],
)
def test_a_sound_table_has_no_fault(text: str) -> None:
    assert table_checks.faults(text) == []


@needs_latex
def test_latex_lets_too_few_cells_pass_and_refuses_too_many() -> None:
    few, many = PLANTS["too few cells"][0], PLANTS["too many cells"][0]
    found = table_checks.compiled({"few": few, "many": many, "good": GOOD}, os.environ)
    assert list(found) == ["many"]
    assert "alignment tab" in found["many"].lower()


@pytest.mark.parametrize("latex", [False, pytest.param(True, marks=needs_latex)])
def test_the_job_names_file_and_fault_and_writes_nothing(latex: bool, tmp_path: Path) -> None:
    good, bad, out = tmp_path / "a.tex", tmp_path / "b.tex", tmp_path / "out.json"
    good.write_text(GOOD)
    bad.write_text(GOOD.replace("one & 1", "one"))
    with pytest.raises(DataError, match=r"b.tex: line 5: 1 cells"):
        check_tables.check(tables=[good, bad], latex=latex, environment=os.environ, out=out)
    assert not out.exists()
    check_tables.check(tables=[good], latex=latex, environment=os.environ, out=out)
    told = {"tables": [{"table": "a", "rows": 2}], "compiled": latex}
    assert json.loads(out.read_text()) == told


@needs_latex
def test_the_job_names_what_only_latex_refuses(tmp_path: Path) -> None:
    path = tmp_path / "a.tex"
    path.write_text(GOOD.replace("one", r"\nosuchcommand"))
    with pytest.raises(DataError, match=r"a.tex: pdflatex: Undefined control sequence"):
        check_tables.check(
            tables=[path], latex=True, environment=os.environ, out=tmp_path / "out.json"
        )


# Values and the desk.


@pytest.mark.parametrize(
    ("value", "unit", "spec", "text"),
    [
        (0.687, "", ".1%", "68.7\u00a0%"),
        (-0.0341, "", ".3f", "\u22120.034"),
        (12, "games", "d", "12\u00a0games"),
        (1408, "", ",d", "1,408"),
        ("no difference", "", "", "no difference"),
        ("2020-09-10", "", "", "2020-09-10"),
        (1e-5, "", ".1e", "1.0e\u221205"),
    ],
)
def test_a_value_is_text_with_its_unit(value: object, unit: str, spec: str, text: str) -> None:
    assert desk.text_of({"value": value, "unit": unit, "format": spec}) == text


def test_a_desk_gives_declared_files_alone(tmp_path: Path) -> None:
    for name in ("a/season=1/x.csv", "a/season=2/x.csv", "a/season=3/x.csv"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    own = desk.Desk(str(tmp_path), ["a/season=1/x.csv", "a/season=2/x.csv"])
    assert len(own.files("a/*/x.csv")) == 2
    assert own.file("a/season=1/x.csv") == tmp_path / "a/season=1/x.csv"
    with pytest.raises(DataError, match=r"a/season=3/x.csv: not a declared input"):
        own.file("a/season=3/x.csv")
    with pytest.raises(DataError, match=r"2 inputs, expected one"):
        own.file("a/*/x.csv")
    assert len(desk.Desk(str(tmp_path), None).files("a/*/x.csv")) == 3  # run by hand


def test_a_value_must_be_finite_and_named(tmp_path: Path) -> None:
    own = desk.Desk(str(tmp_path), [])
    with pytest.raises(DataError, match=r"value x: got nan"):
        own.value("x", float("nan"))
    with pytest.raises(DataError, match=r"names are snake_case"):
        own.value("Bad-Name", 1)
    with pytest.raises(DataError, match=r"value x: given twice"):
        own.values(own.value("x", 1), own.value("x", 2))


def test_a_quote_names_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "book/values").mkdir(parents=True)
    entry = {"value": 3, "unit": "games", "format": "d", "source": "", "simulated": False}
    (tmp_path / "book/values/n.json").write_text(json.dumps({"won": entry}))
    own = desk.Desk(str(tmp_path), ["book/values/n.json"])
    assert own.quote("n.won") == "3\u00a0games"
    with pytest.raises(DataError, match=r"n.lost: no such value in .*n.json; it has won"):
        own.quote("n.lost")
    with pytest.raises(DataError, match=r"not a declared input"):
        own.quote("m.won")

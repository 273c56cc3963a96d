"""Sources of the book damaged as torture found them: each is told with its file."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from scripts.book import check_tables
from scripts.book.desk import Desk
from scripts.errors import DataError
from scripts.plan import bibliography, qmd
from tests.torture import read_book, read_book_tables


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("The end.", "The\0end.", "one.qmd:29: the character '\\x00'"),
        ("  inputs:", "  inputs: []\n  inputs:", "key inputs stands twice"),
        ("#| fig-cap: A", "#| label: fig-b\n#| fig-cap: A", "key label stands twice"),
        ("notebooks: []", f"notebooks: {'[' * 100_000}", "deeper than 50"),
    ],
)
def test_a_damaged_document_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "one.qmd"
    path.write_text(read_book.DOCUMENT.replace(old, new, 1))
    with pytest.raises(DataError) as caught:
        qmd.read(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(("body", "said"), [(b"@a{b,\xff}", "not UTF-8"), (b"\n\0", ":2: a zero")])
def test_a_damaged_bibliography_is_told(tmp_path: Path, body: bytes, said: str) -> None:
    (tmp_path / "a.bib").write_bytes(body)
    with pytest.raises(DataError, match=f"a.bib.*{said}"):
        bibliography.entries(tmp_path / "a.bib")


def values_with(folder: Path, **cells: object) -> Desk:
    """A desk whose values have an entry with these cells; without any, half a file."""
    path = folder / "book/values/one.json"
    path.parent.mkdir(parents=True)
    told = json.loads(read_book.values(Random(1))["book/values/one.json"])
    told["share"].update(cells)
    text = json.dumps(told)
    path.write_text(text if cells else text[: len(text) // 2])
    return Desk(str(folder), ["book/values/one.json"])


@pytest.mark.parametrize(
    "cells",
    [
        {},
        {"value": None},
        {"value": float("inf")},
        {"value": True},
        {"value": "text", "format": None},
        {"format": "nonsense"},
        {"unit": 1},
    ],
)
def test_a_damaged_value_is_told_with_its_file(tmp_path: Path, cells: dict) -> None:
    with pytest.raises(DataError, match=r"one\.json: .*; remove it and run again"):
        values_with(tmp_path, **cells).quote("one.share")


def moved_up(text: str) -> str:
    """A table whose end stands before its last row."""
    end = "\\end{tabular}\n"
    return text.replace(end, "").replace("two", f"{end}two")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (read_book_tables.TABLE.encode() + b"\xff", "not UTF-8"),
        (read_book_tables.TABLE.replace("one", "o\0ne").encode(), r"the character '\\x00'"),
        (read_book_tables.TABLE.replace("{@{}", "[t{@{}").encode(), "no tabular"),
        (moved_up(read_book_tables.TABLE).encode(), "bottomrule is outside of the tabular"),
        (read_book_tables.TABLE.replace("lrp", "*{x}{l}").encode(), "no tabular"),
    ],
)
def test_a_damaged_table_is_told(tmp_path: Path, body: bytes, said: str) -> None:
    (tmp_path / "one.tex").write_bytes(body)
    with pytest.raises(DataError, match=f"one.tex.*{said}"):
        check_tables.check(
            tables=[tmp_path / "one.tex"], latex=False, environment={}, out=tmp_path / "out.json"
        )
    assert not (tmp_path / "out.json").exists()


def test_a_byte_order_mark_hides_no_entry(tmp_path: Path) -> None:
    (tmp_path / "a.bib").write_bytes(b"\xef\xbb\xbf@book{key, title = {A}}\n")
    assert list(bibliography.entries(tmp_path / "a.bib")) == ["key"]

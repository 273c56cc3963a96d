"""Which securities a workbook or a folder holds."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from scripts.errors import DataError
from scripts.ticks.sources import (
    by_security,
    folder_securities,
    pick,
    security_of,
    sheet_names,
    workbook_securities,
)
from tests.unit.ticks import workbooks

BOOK = Path("book.xlsx")


@pytest.mark.parametrize(
    ("name", "security"),
    [
        ("MODON UH Equity", "MODON"),
        ("EMAAR DH Equity", "EMAAR"),
        ("modon", "MODON"),
        ("  Two Words UH Equity", "TWO WORDS"),
        ("NA UH Equity", "NA"),
        ("Ünïcode DH Equity", "ÜNÏCODE"),
        ("MODON US Equity", "MODON US EQUITY"),
    ],
)
def test_a_security_is_the_name_without_the_vendors_suffix(name: str, security: str) -> None:
    assert security_of(name) == security


def test_sheet_names_come_in_the_workbooks_order_as_they_are(tmp_path: Path) -> None:
    names = ["Zebra UH Equity", "ALDAR DH Equity", "Ünïcode & <Söhne>", "  spaced  ", "NA"]
    path = workbooks.write(tmp_path / "böök one.xlsx", {name: [] for name in names})
    assert sheet_names(path) == names


def test_a_workbook_maps_each_security_to_its_sheet_sorted(tmp_path: Path) -> None:
    sheets = {"Zebra UH Equity": [], "aldar DH Equity": []}
    path = workbooks.write(tmp_path / "book.xlsx", sheets)
    found = workbook_securities(path)
    assert list(found.items()) == [("ALDAR", "aldar DH Equity"), ("ZEBRA", "Zebra UH Equity")]


def test_a_missing_workbook_is_one_line_that_names_the_key() -> None:
    with pytest.raises(DataError, match=r"^nowhere\.xlsx: no such workbook; see ticks\.workbook$"):
        sheet_names(Path("nowhere.xlsx"))


def truncated(path: Path) -> None:
    whole = workbooks.write(path, {"A": [workbooks.ROW] * 50}).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def other_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "no workbook")


def broken_contents(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook><sheets>")


@pytest.mark.parametrize(
    "make",
    [truncated, other_zip, broken_contents, Path.mkdir, Path.touch],
    ids=["cut short", "another zip", "broken contents", "a folder", "empty"],
)
def test_what_is_no_whole_workbook_is_one_line_of_error(tmp_path: Path, make) -> None:
    path = tmp_path / "book.xlsx"
    make(path)
    with pytest.raises(DataError, match=r"book\.xlsx: not a complete xlsx file \(.*again$"):
        sheet_names(path)


@pytest.mark.parametrize(
    "names",
    [
        ["MODON UH Equity", "MODON DH Equity"],
        ["MODON", "modon"],
        ["modon.parquet", "MODON UH Equity.parquet"],
        ["MODON ", "MODON"],
    ],
)
def test_two_names_of_one_security_are_refused(names: list[str]) -> None:
    with pytest.raises(DataError, match=r"^book\.xlsx: both '.*' and '.*' hold MODON; "):
        by_security(names, BOOK)


@pytest.mark.parametrize(
    "name",
    ["../x", "a/b", "a\\b", ".hidden", "..", "", " UH Equity", "*", "a\nb", "tab\there", "\x00"],
)
def test_a_name_that_could_leave_its_folder_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="cannot be a file name; rename it"):
        by_security([name], BOOK)


@pytest.mark.parametrize("name", ["NA", "null", "Ünïcode", "two words", "a.b", "a,b", "-x", "1"])
def test_an_odd_but_harmless_name_is_kept(name: str) -> None:
    assert by_security([name], BOOK) == {name.upper(): name}


@pytest.mark.parametrize("name", ["{A}", "A}"])
def test_a_name_with_braces_is_refused(name: str) -> None:
    with pytest.raises(DataError):
        by_security([name], BOOK)


def test_a_folder_maps_each_security_to_its_file(tmp_path: Path) -> None:
    for name in ("modon.parquet", "ALDAR.parquet", "notes.txt", "parkin.csv"):
        (tmp_path / name).touch()
    assert folder_securities(tmp_path) == {"ALDAR": "ALDAR.parquet", "MODON": "modon.parquet"}


def test_two_files_of_one_security_are_refused(tmp_path: Path) -> None:
    for name in ("modon.parquet", "MODON.parquet"):
        (tmp_path / name).touch()
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system does not tell upper from lower case")
    with pytest.raises(DataError, match="hold MODON"):
        folder_securities(tmp_path)


@pytest.mark.parametrize("make", [lambda path: None, Path.touch, Path.mkdir])
def test_a_folder_without_parquet_is_one_line_that_names_the_key(tmp_path: Path, make) -> None:
    make(tmp_path / "folder")
    with pytest.raises(DataError, match=r"see ticks\.parquet_dir$"):
        folder_securities(tmp_path / "folder")


AVAILABLE = {"ALDAR": "ALDAR UH Equity", "MODON": "modon.parquet"}


def test_pick_gives_the_sheet_or_file_of_a_security() -> None:
    assert pick("MODON", AVAILABLE, BOOK) == "modon.parquet"


@pytest.mark.parametrize(
    ("wrong", "hint"), [("MODDON", "did you mean MODON\\?"), ("QQQ", "it has ALDAR, MODON")]
)
def test_pick_helps_with_a_security_that_is_not_there(wrong: str, hint: str) -> None:
    with pytest.raises(DataError, match=f"for security {wrong}; {hint}$"):
        pick(wrong, AVAILABLE, BOOK)


@pytest.mark.parametrize(
    "name", ["A\u202eB", "\ufeffA", "A\nB", "A\x7f", "x" * 101, "ü" * 51, "../x", "{x}", ".x"]
)
def test_a_name_that_cannot_be_a_file_or_is_not_what_it_seems_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="which cannot be a file name; rename it") as caught:
        by_security([f"{name} UH Equity"], BOOK)
    assert "\n" not in str(caught.value)

"""CSV as text: what polars would fill up, leave out or not see is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import text_csv
from scripts.errors import DataError


def test_cells_lines_and_blanks(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'\xef\xbb\xbfa,b\r\n1,"x\r\ny"\r\n\r\n,NA\r\n')
    found = text_csv.read(path, "mend it")
    assert found.rows() == [(2, "1", "x\r\ny"), (5, None, "NA")]
    assert found.columns == ["line", "a", "b"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"a,b\n1\n", "line 2: 1 fields, expected 2"),
        (b'a,b\n1,"x\ny"\n1,2,3\n', "line 4: 3 fields, expected 2"),
        (b"a,b\n1,\xff\n", "line 2: no UTF-8"),
        (b"a,b\n1,2\n1,\0\n", "line 3: a zero byte"),
        (b'a,b\n1,"2\n', "line 2: unexpected end of data"),
        (b"a,b\n1," + b"9" * 2**20 + b"\n", "line 2: field larger than"),
        (b"", "it is empty"),
    ],
)
def test_a_damaged_file_is_told_with_its_line(tmp_path: Path, body: bytes, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(body)
    with pytest.raises(DataError) as caught:
        text_csv.read(path, "mend it")
    assert str(caught.value).startswith(f"{path}: cannot be read ({said}")
    assert str(caught.value).endswith("; mend it")


def test_a_file_that_is_not_there_and_a_column_twice(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.csv: cannot be read \(No such file"):
        text_csv.read(tmp_path / "a.csv", "mend it")
    with pytest.raises(DataError, match=r"^x: column a is there twice; mend it"):
        text_csv.frame(b"a,b,a\n1,2,3\n", "x", "mend it")


def test_a_column_named_as_ours_is_kept_under_another_name() -> None:
    found = text_csv.frame(b"a,line\n1,2\n", "x", "mend it")
    assert found.columns == ["line", "a", text_csv.THEIRS]
    assert found.row(0) == (2, "1", "2")


def test_a_header_of_very_many_columns_is_looked_at_once() -> None:
    names = [f"c{number}" for number in range(40_000)]  # compared with each other: half a minute
    body = ",".join([*names, "c7"]).encode()
    with pytest.raises(DataError, match=r"^x: column c7 is there twice; mend it$"):
        text_csv.frame(body, "x", "mend it")
    found = text_csv.frame(",".join(names).encode(), "x", "mend it")
    assert found.columns == ["line", *names]


@pytest.mark.parametrize(
    ("name", "told"),
    [("y" * 100_000, "y" * 60 + "..."), ("p\nq", r"'p\nq'"), ("a b", "a b"), ("", "")],
)
def test_a_name_in_an_error_is_short_and_of_one_line(name: str, told: str) -> None:
    with pytest.raises(DataError) as caught:
        text_csv.frame(f'"{name}",b,"{name}"\n'.encode(), "x", "mend it")
    assert str(caught.value) == f"x: column {told} is there twice; mend it"


def test_of_very_many_names_the_first_are_told() -> None:
    assert text_csv.shown(list("abc")) == "a, b, c"
    told = text_csv.shown([*"abcdefghijklm", "n" * 100_000])
    assert told == "a, b, c, d, e, f, g, h, i, j, k, l, ... (14 in all)"


def test_a_file_without_a_header() -> None:
    assert text_csv.frame(b"1,2\n", "x", "", ["a", "b"]).rows() == [(1, "1", "2")]

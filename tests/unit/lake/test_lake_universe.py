"""A universe's file: symbols as the plan and the jobs read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.errors import DataError
from scripts.lake.universe import read_universe


def universe(folder: Path, text: str | bytes) -> list[str] | None:
    path = folder / "universe.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_universe([path])


def test_symbols_are_text_whatever_they_look_like(tmp_path: Path) -> None:
    assert universe(tmp_path, 'symbol\nNA\n\nnull\n1e5\n NA \n""\n') == ["1e5", "NA", "null"]
    assert universe(tmp_path, '\ufeffname,symbol\r\n"A, Inc.",../x\r\n') == ["../x"]
    assert read_universe([]) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: cannot read lake.universe (no column symbol, or more than one: '')"),
        ("%2e%2e\nA\n", "line 1: cannot read lake.universe (no column symbol, or more than"),
        ("symbol,symbol\nA,B\n", "line 1: cannot read lake.universe (no column symbol, or more"),
        ("symbol,name\nA,A, Inc.\n", "line 2: has 3 cells, the header 2; quote a value"),
        (
            "symbol\nA\nnull\0\0\n",
            "line 3, symbol 'null\\x00\\x00': is not 1 to 40 printable ASCII",
        ),
        (f"symbol\n{'9' * 41}\n", "line 2, symbol '999"),
        ('symbol\n"A\n', "cannot read lake.universe (unexpected end of data)"),
        (f"symbol\n{'9' * 2**18}\n", "lake.universe"),
        (b"symbol\n\xe9\n", "cannot read lake.universe ('utf-8' codec"),
        ("symbol\n\n", "lake.universe names no symbol"),
    ],
)
def test_what_is_no_universe_is_one_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(DataError) as caught:
        universe(tmp_path, text)
    if "9" * 2**18 not in str(text):
        assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "universe.csv"))
    assert "\n" not in str(caught.value)

"""Names of variants, and the securities table."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.plan.ticks import parse_variant, read_table, shortest, variant_name

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
TEXTS = st.sampled_from(["ADX", "DFM"])
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_a_name_reads_back_as_the_parameters_it_was_made_of(parameters: dict) -> None:
    name = variant_name(**parameters)
    found = parse_variant(name)
    assert found == parameters
    kinds = {key: isinstance(value, bool) for key, value in parameters.items()}
    assert {key: isinstance(value, bool) for key, value in found.items()} == kinds
    assert variant_name(**found) == name


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (5.0, "5"),
        (1.5, "1.5"),
        (-0.0, "0"),
        (1e-05, "1e-05"),
        (1e16, "1e+16"),
        ("DFM", "DFM"),
    ],
)
def test_a_value_has_one_shortest_form(value: object, text: str) -> None:
    assert shortest(value) == text


def test_base_is_the_variant_without_changes() -> None:
    assert parse_variant("base") == {}
    assert variant_name() == "base"


def test_keys_are_sorted_in_a_name() -> None:
    assert variant_name(b=2, a=True) == "a=true,b=2"


@pytest.mark.parametrize(
    ("variant", "written"),
    [
        ("a=5.0", "a=5"),
        ("a=05", "a=5"),
        ("a=+5", "a=5"),
        ("a=.5", "a=0.5"),
        ("a=0.50", "a=0.5"),
        ("a=1e3", "a=1000"),
        ("a=1e16", "a=1e+16"),
        ("a=1_000", "a=1000"),
        ("a=-0", "a=0"),
        ("b=1,a=2", "a=2,b=1"),
        ("a=1,a=2", "a=2"),
    ],
)
def test_any_other_form_of_a_variant_is_refused_with_the_one_to_ask_for(variant, written) -> None:
    with pytest.raises(DataError) as caught:
        parse_variant(variant)
    message = f"variant {variant!r} is written {written!r}: ask for that path"
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("variant", "part"),
    [
        *(
            (text, text)
            for text in ("", "a", "a=", "=1", "A=1", "a=b c", "a=../x", "a==1", "a=1\n")
        ),
        ("a=1,", ""),
        ("a=1,base", "base"),
    ],
)
def test_what_is_no_pair_is_refused(variant: str, part: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_variant(variant)
    assert str(caught.value) == f"variant {variant!r}: {part!r} is not key=value"


@pytest.mark.parametrize("word", ["True", "False", "None", "FALSE", "nan"])
def test_a_word_in_other_case_and_nan_are_refused(word: str) -> None:
    with pytest.raises(DataError):
        parse_variant(f"a={word}")


# The securities table

HEADER = "security,exchange,peer_exchange,quote_size,max_notional"


def table(tmp_path: Path, *lines: str, header: str = HEADER) -> Path:
    path = tmp_path / "table.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_cells_have_their_types_and_empty_ones_are_left_out(tmp_path: Path) -> None:
    path = table(tmp_path, "modon,ADX,,7700,1500000.5", "*,,DFM,50000,")
    assert read_table(path) == {
        "MODON": {"exchange": "ADX", "quote_size": 7700, "max_notional": 1500000.5},
        "*": {"peer_exchange": "DFM", "quote_size": 50000},
    }


def test_a_name_that_looks_like_nothing_is_a_name(tmp_path: Path) -> None:
    assert set(read_table(table(tmp_path, "NA,ADX,ADX,1,", "null,ADX,ADX,1,"))) == {"NA", "NULL"}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["A,NYSE,ADX,1,"], "line 2, exchange 'NYSE': unknown exchange, expected ADX or DFM"),
        (["A,ADX,ADX,1,", "B,ADX,LSE,1,"], "line 3, peer_exchange 'LSE': unknown exchange, "
         "expected ADX or DFM"),
        (["A,ADX,ADX,many,"], "line 2, quote_size 'many': expected a whole number above 0"),
        (["A,ADX,ADX,0,"], "line 2, quote_size '0': expected a whole number above 0"),
        (["A,ADX,ADX,-5,"], "line 2, quote_size '-5': expected a whole number above 0"),
        (["A,ADX,ADX,nan,"], "line 2, quote_size 'nan': expected a whole number above 0"),
        (["A,ADX,ADX,true,"], "line 2, quote_size 'true': expected a whole number above 0"),
        (["A,ADX,ADX,1e308,"], "line 2, quote_size '1e308': expected a whole number above 0"),
        (["A,ADX,ADX,1"], "line 2: has not as many cells as the header"),
        (["A,ADX,ADX,1,2,3"], "line 2: has not as many cells as the header"),
        (["A,ADX,ADX,1,", "a,ADX,ADX,2,"], "line 3: security 'A' is empty or stands twice"),
        ([",ADX,ADX,1,"], "line 2: security '' is empty or stands twice"),
    ],
)  # fmt: skip
def test_an_error_names_file_line_column_and_value(tmp_path, lines, message) -> None:
    path = table(tmp_path, *lines)
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert str(caught.value) == f"{path}, {message}"


def test_a_missing_table_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"table\.csv: cannot read the securities table \(No such"):
        read_table(tmp_path / "table.csv")


def test_an_error_after_a_blank_line_names_the_line_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 4, quote_size"):
        read_table(table(tmp_path, "A,ADX,ADX,1,", "", "B,ADX,ADX,x,"))


def test_a_table_without_securities_is_refused(tmp_path: Path) -> None:
    for text in ("", "exchange\nADX\n"):
        (tmp_path / "table.csv").write_text(text)
        with pytest.raises(DataError, match="line 1: no column security"):
            read_table(tmp_path / "table.csv")


def test_a_table_that_is_no_csv_is_one_line(tmp_path: Path) -> None:
    limit = csv.field_size_limit(2**17)
    with pytest.raises(DataError, match=r"table\.csv, after line 1: field larger than field limit"):
        read_table(table(tmp_path, f"A,ADX,ADX,{'1' * 2**18},"))
    csv.field_size_limit(limit)
    with pytest.raises(DataError, match="line 2: has not as many cells"):
        read_table(table(tmp_path, "A\x1cB,ADX,1"))


def test_an_unknown_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="quote_sise"):
        read_table(table(tmp_path, "A,5", header="security,quote_sise"))


def test_a_table_saved_by_excel_is_read(tmp_path: Path) -> None:
    path = table(tmp_path, "A,ADX,ADX,1,", header=f"\ufeff{HEADER}")
    assert set(read_table(path)) == {"A"}


def test_a_table_in_another_encoding_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes("security,exchange\nDÜNN,ADX\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"table\.csv"):
        read_table(tmp_path / "table.csv")

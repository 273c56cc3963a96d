"""Flat files: what is good, what is refused and why, and what stops a build."""

from __future__ import annotations

import gzip
from datetime import date
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.lake import flatfile
from scripts.lake.flatfile import day_bounds, instant, read
from tests.unit.lake import flatfiles
from tests.unit.lake.flatfiles import DAY, HEADER, read_slowly, row, stamp

MINUTE, DAILY = ("ticker", "timestamp"), ("ticker",)
GOOD = {
    "ticker": pl.String,
    "timestamp": pl.Datetime("ns", "UTC"),
    **dict.fromkeys(("open", "high", "low", "close", "volume"), pl.Float64),
    "transactions": pl.UInt32,
    "date": pl.Date,
}


def found(tmp_path: Path, *lines: str | bytes, once: tuple = MINUTE, share: float = 1.0, **how):
    """What `read` makes of a file with these lines and one good row before them."""
    path = flatfiles.write(tmp_path / f"{DAY}.csv.gz", row("FIRST"), *lines, **how)
    return read(path, DAY, share, once)


def same_as_slow_reader(path: Path, once: tuple[str, ...]) -> None:
    """Assert that `read` gives what the slow reader gives."""
    good, bad = read_slowly(path, DAY, once)
    got = read(path, DAY, 1.0, once)
    columns = [pl.col("timestamp").to_physical(), *list(GOOD)[2:8]]
    assert repr(got.good.select("ticker", *columns).rows()) == repr(good)
    reasons = [(*fields, reason.split()[0]) for *fields, reason in got.bad.rows()]
    assert reasons == bad


AWKWARD = [
    *("", "0", "-0", "-0.0", "5", "-5", "+5", " 5", "5 ", "\t5\t", "5\r", "5\0", "\x0b5", "5\x1c"),
    *("100.5", "3e3", "3E+3", "1e-7", ".5", "5.", ".", "e3", "1e", "1e400", "-1e400", "1e-400"),
    *("1_000", "0x10", "inf", "-inf", "NaN", "nan", "null", "NA", "true", '"5"', "'5'", "1,5"),
    *("4294967295", "4294967296", "4294967295.5", "4294967297.5", "12.0", "1.5e1", "--5", "+-5"),
    *("9" * 30, "0" * 30 + "7", "123456789012345678901234567890.123", "0.1", "1d5", "1f", "٣"),
    *("1758807000", "01758807000000", "1758807000000000", "17588070000000000", "0" * 9),
    *("1758807000000000000", "0001758807000000", "1758893400000000000", "9223372036854775807"),
    *("9223372036854775808", "-1758807000000000000", "1758807000000000000.0", "1.7588e18"),
]
fields = st.one_of(
    st.sampled_from(AWKWARD),
    st.floats(allow_nan=True).map(repr),
    st.decimals(0, 10**6, places=4).map(str),
    st.integers(-(2**70), 2**70).map(str),
    st.text(st.characters(max_codepoint=0x17F, exclude_characters="\n"), max_size=6),
)
tickers = st.sampled_from(
    ["A", "AA", "a", "NA", "NULL", "NaN", "nan", "None", "null", "BRK.A", "é"]
)
clocks = st.sampled_from(["00:00", "04:00", "09:30", "15:59", "16:00", "23:59"])


@st.composite
def lines(draw) -> bytes:
    """A line: good, or with one or two awkward fields, or not of eight fields."""
    texts = row(draw(tickers), draw(clocks)).split(",")
    for place in draw(st.lists(st.integers(0, 7), max_size=2)):
        texts[place] = draw(fields)
    shape = draw(st.integers(0, 20))
    if shape == 0:
        texts = texts[: draw(st.integers(0, 7))]
    elif shape == 1:
        texts += [draw(fields)]
    raw = ",".join(texts).encode("utf-8", "surrogateescape")
    return raw + draw(st.sampled_from([b"", b"", b"", b"\r", b"\r\r", b"\xff", b" "]))


@given(
    st.lists(lines(), max_size=12),
    st.sampled_from([MINUTE, DAILY]),
    st.booleans(),
    st.sampled_from([2**24, 700]),
)
@example([row(volume=f).encode() for f in AWKWARD], MINUTE, True, 2**24)
@example([row(clock="09:31", window_start=f).encode() for f in AWKWARD], MINUTE, True, 2**24)
@example([row(str(n), transactions=f).encode() for n, f in enumerate(AWKWARD)], DAILY, True, 700)
@example([row(str(n), low=f).encode() for n, f in enumerate(AWKWARD)], MINUTE, False, 700)
@example([row("A"), row("B") + ",9", row("C")[:-2], b"", row("D")], MINUTE, True, 2**24)
def test_every_file_reads_as_a_slow_reader_reads_it(
    tmp_path_factory, several: list[bytes], once: tuple, final_end: bool, block: int
) -> None:
    first = [line if isinstance(line, bytes) else line.encode() for line in several]
    text = b"\n".join([HEADER.encode(), row("FIRST").encode(), *first])
    path = tmp_path_factory.mktemp("flat") / f"{DAY}.csv.gz"
    flatfiles.write_bytes(path, text + b"\n" * final_end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flatfile, "BLOCK", block)
        same_as_slow_reader(path, once)


@pytest.mark.parametrize("char", [chr(code) for code in range(256) if code != 10])
def test_no_character_is_read_in_another_way_beside_a_number(tmp_path: Path, char: str) -> None:
    around = [f"{char}5", f"5{char}", f"5{char}5", char]
    path = flatfiles.write(
        tmp_path / "f.csv.gz",
        row("FIRST"),
        *(row(str(n), volume=text) for n, text in enumerate(around)),
        *(row(str(n), transactions=text) for n, text in enumerate(around, start=9)),
        *(row(text, low=1) for text in around),
        *(row(f"T{n}", window_start=text) for n, text in enumerate((f"{char}{stamp('10:00')}",))),
    )
    same_as_slow_reader(path, MINUTE)


def test_columns_have_one_type_whatever_the_values(tmp_path: Path) -> None:
    assert dict(found(tmp_path, row("NA", volume="100.5")).good.schema) == GOOD
    assert dict(found(tmp_path).good.schema) == GOOD


@pytest.mark.parametrize("name", ["NA", "NULL", "NaN", "nan", "None", "null", "ABRpD", "ABRPD"])
def test_a_ticker_that_looks_like_nothing_is_a_ticker(tmp_path: Path, name: str) -> None:
    assert found(tmp_path, row(name)).good["ticker"].to_list() == sorted(["FIRST", name])


@pytest.mark.parametrize(
    ("text", "volume"),
    [("100.5", 100.5), ("3e3", 3000), ("5000000000", 5e9), ("0", 0), ("1e-9", 1e-9)],
)
def test_a_volume_may_be_fractional_scientific_or_large(
    tmp_path: Path, text: str, volume: float
) -> None:
    assert found(tmp_path, row("A", volume=text)).good["volume"][0] == volume


@pytest.mark.parametrize(
    "text",
    [
        "1758807000",  # seconds
        "1758807000000",
        "0000001758807000000",  # milliseconds, zero-padded
        "1758807000000000",
        "17588070000000000",  # nanoseconds, two zeros short
        "1758807000000000000",
    ],
)
def test_a_stamp_in_any_unit_is_the_same_time(tmp_path: Path, text: str) -> None:
    assert stamp("09:30") == 1758807000 * 10**9
    good = found(tmp_path, row("A", window_start=text)).good
    assert good["timestamp"].to_physical().to_list() == [stamp("09:30")] * 2


@pytest.mark.parametrize(
    ("clock", "day", "is_good"),
    [
        ("00:00", DAY, True),
        ("16:00", DAY, True),
        ("23:59", DAY, True),  # already the next day in UTC
        ("23:59", "2025-09-24", False),
        ("00:00", "2025-09-26", False),
    ],
)
def test_the_date_is_that_of_new_york(tmp_path: Path, clock: str, day: str, is_good: bool) -> None:
    got = found(tmp_path, row("A", clock, day))
    assert got.good.height == 1 + is_good
    assert set(got.good["date"]) == {date(2025, 9, 25)}


def test_a_days_bounds_are_right_when_clocks_change() -> None:
    hours = {day: (day_bounds(day)[1] - day_bounds(day)[0]) // 3600 // 10**9 for day in DAYS}
    assert hours == DAYS
    assert instant("2025-03-10", "09:30") == stamp("09:30", "2025-03-10")
    assert instant("2025-03-07", "09:30") - instant("2025-03-06", "09:30") == 86_400 * 10**9


DAYS = {"2025-03-08": 24, "2025-03-09": 23, "2025-03-10": 24, "2025-11-02": 25}
REASONS = [
    ({"ticker": ""}, "ticker is empty, too long, quoted or not printable"),
    ({"ticker": '"A"'}, "ticker is empty, too long, quoted or not printable"),
    ({"ticker": "A\0"}, "ticker is empty, too long, quoted or not printable"),
    ({"ticker": "A" * 41}, "ticker is empty, too long, quoted or not printable"),
    ({"volume": "1.7e308"}, "volume is above 1e18"),
    ({"volume": ""}, "volume is missing or not a number"),
    ({"volume": "many"}, "volume is missing or not a number"),
    ({"open": "NaN"}, "open is missing or not a number"),
    ({"high": "1e999"}, "high is missing or not a number"),
    ({"volume": -1}, "volume is negative"),
    ({"close": -0.01}, "close is negative"),
    ({"high": 8}, "high is below low"),
    ({"window_start": ""}, "window_start is missing or not a whole number"),
    ({"window_start": "1e18"}, "window_start is missing or not a whole number"),
    ({"window_start": 5}, "window_start is not of the file's date in New York"),
    ({"transactions": ""}, "transactions is missing or not a whole number from 0 to 4294967295"),
    ({"transactions": 1.5}, "transactions is missing or not a whole number from 0 to 4294967295"),
    ({"transactions": 2**32}, "transactions is missing or not a whole number from 0 to 4294967295"),
]


@pytest.mark.parametrize(("fault", "reason"), REASONS)
def test_a_faulty_row_is_kept_aside_as_it_stands(tmp_path: Path, fault: dict, reason: str) -> None:
    line = row("A", **{key: value for key, value in fault.items() if key != "ticker"})
    line = line.replace("A,", f"{fault['ticker']},", 1) if "ticker" in fault else line
    got = found(tmp_path, row("B"), line, row("C"))
    assert got.good["ticker"].to_list() == ["B", "C", "FIRST"]
    assert got.bad.rows() == [(4, *line.split(","), reason)]
    assert got.rows == 4


def test_a_row_not_of_eight_fields_is_refused_whole(tmp_path: Path) -> None:
    bad = found(tmp_path, row("A") + ",more,fields", row("B")[: -len(",5")], "C").bad
    reason = "row has not eight fields"
    assert bad["reason"].to_list() == [reason] * 3
    assert bad["transactions"].to_list() == ["5,more,fields", None, None]
    assert bad["ticker"].to_list() == ["A", "B", "C"]


def test_a_field_too_many_in_one_line_is_seen(tmp_path: Path) -> None:
    assert found(tmp_path, row("A") + ",").bad["line"].to_list() == [3]


def test_of_repeats_the_first_is_kept_also_when_it_needs_a_closer_look(tmp_path: Path) -> None:
    got = found(tmp_path, row("B", volume="5 "), row("B", volume=6))
    assert got.good["volume"].to_list() == [5, 100]


def test_of_repeated_rows_the_first_in_the_file_is_kept(tmp_path: Path) -> None:
    lines = [row("B", open=1), row("A"), row("B", open=2), row("B", "09:31"), row("B", open=3)]
    got = found(tmp_path, *lines)
    assert got.good.select("ticker", "open").rows() == [
        *(("A", 10), ("B", 1), ("B", 10), ("FIRST", 10))
    ]
    reason = "ticker and window_start of an earlier row"
    assert got.bad.select("line", "open", "reason").rows() == [(5, "2", reason), (7, "3", reason)]


def test_a_daily_file_has_one_bar_a_ticker(tmp_path: Path) -> None:
    got = found(tmp_path, row("A", "16:00"), row("A", "00:00"), once=DAILY)
    assert got.good["timestamp"].to_physical()[0] == stamp("16:00")
    assert got.bad["reason"].to_list() == ["ticker of an earlier row"]


def test_rows_come_sorted_by_ticker_and_time_from_any_order(tmp_path: Path) -> None:
    order = [("B", "09:31"), ("a", "09:30"), ("B", "04:00"), ("A", "10:00"), ("NA", "09:30")]
    one = found(tmp_path, *(row(*of) for of in order)).good
    other = found(tmp_path, *(row(*of) for of in reversed(order))).good
    assert one.equals(other)
    assert one["ticker"].to_list() == ["A", "B", "B", "FIRST", "NA", "a"]
    assert one["timestamp"].to_physical()[1] == stamp("04:00")


def test_ends_of_lines_and_empty_lines_do_not_matter(tmp_path: Path) -> None:
    plain = found(tmp_path, row("A"), row("B"))
    windows = found(tmp_path, row("A"), row("B"), end=b"\r\n")
    gaps = found(tmp_path, "", row("A"), "", row("B"), "", "")
    assert plain.good.equals(windows.good)
    assert plain.good.equals(gaps.good)
    assert (plain.rows, windows.rows, gaps.rows) == (3, 3, 3)


def test_blocks_of_a_large_file_join_without_a_seam(tmp_path: Path, monkeypatch) -> None:
    lines = [row(f"T{n:05}", volume=n, transactions=n) for n in range(3000)]
    lines[1234] = lines[1234].replace(",10,", ",-10,")
    monkeypatch.setattr(flatfile, "BLOCK", 1000)
    got = found(tmp_path, *lines)
    assert got.good["transactions"].to_list() == [5, *(n for n in range(3000) if n != 1234)]
    assert got.bad["line"].to_list() == [1234 + 3]


# What stops a build


def broken(tmp_path: Path, content: bytes) -> str:
    """The message for a file of this content."""
    path = tmp_path / f"{DAY}.csv.gz"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read(path, DAY, 1.0, MINUTE)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert message.endswith("delete it, and lake_land_flatfile lands it again")
    assert "\n" not in message
    return message.removeprefix(str(path))


# With the time of day in them, contents would give these tests another name in each process.
packed = partial(gzip.compress, mtime=0)
WHOLE = packed("\n".join([HEADER, *(row(f"T{n}") for n in range(500))]).encode())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ": empty;"),
        (packed(b""), ": empty;"),
        (WHOLE[:-1], ": the gzip file is truncated;"),
        (WHOLE[: len(WHOLE) // 2], ": the gzip file is truncated;"),
        (WHOLE[:5], ": the gzip file is truncated;"),
        (WHOLE[:-6] + b"\0\0" + WHOLE[-4:], ": not a sound gzip file (CRC check failed"),
        (WHOLE[:200] + b"\xff" * 9 + WHOLE[209:], ": not a sound gzip file (Error -3"),
        (WHOLE + b"more", ": not a sound gzip file (Not a gzipped file"),
        (HEADER.encode(), ": not a sound gzip file (Not a gzipped file"),
        (b"<html>no such key</html>", ": not a sound gzip file (Not a gzipped file"),
        (packed(HEADER.encode() + b"\n"), ": no row below the header;"),
        (packed(HEADER.encode() + b"\n\n"), ": no row below the header;"),
        (packed(row().encode()), ", line 1: header is 'AAPL,100,"),
        (packed(b"symbol,volume\nA,1\n"), ", line 1: header is 'symbol,volume', expected"),
        (packed(b"\n" + HEADER.encode()), ", line 1: header is '', expected"),
    ],
)
def test_a_file_that_is_not_one_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    assert broken(tmp_path, content).startswith(message)


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(flatfile, "BLOCK", 1000)
    content = gzip.compress(HEADER.encode() + b"\n" + row().encode() + b"\n" + b"0" * 10**6)
    assert broken(tmp_path, content).startswith(", line 3: longer than 1000 bytes;")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be read \(No such file or directory\)"):
        read(tmp_path / "none.csv.gz", DAY, 1.0, MINUTE)


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    path = tmp_path / f"{DAY}.csv.gz"
    path.write_bytes(WHOLE + gzip.compress(b"\n" + row("ZZ").encode()))
    assert read(path, DAY, 0.0, MINUTE).good["ticker"][-1] == "ZZ"


def test_too_many_refused_rows_stop_the_build_naming_the_first(tmp_path: Path) -> None:
    lines = [row("A"), row("B", close=""), row("C", close="x")]
    assert found(tmp_path, *lines, share=0.5).bad.height == 2
    with pytest.raises(DataError) as caught:
        found(tmp_path, *lines, share=0.49)
    assert str(caught.value) == (
        f"{tmp_path}/{DAY}.csv.gz, line 4, close '': close is missing or not a number; 2 of 4 rows "
        "refused, more than lake.max_quarantined_share 0.49: delete it, and lake_land_flatfile "
        "lands it again"
    )


def test_a_file_of_refused_rows_alone_stops_the_build(tmp_path: Path) -> None:
    path = flatfiles.write(tmp_path / "f.csv.gz", "A,B")
    with pytest.raises(DataError, match=r"line 2: row has not eight fields; 1 of 1 rows refused"):
        read(path, DAY, 1.0, MINUTE)

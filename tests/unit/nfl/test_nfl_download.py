"""Downloads from a server that fails in all ways: whole files or the old ones, and no secret."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import logging
import re
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import polars as pl
import pyarrow.parquet as pq
import pytest

from scripts.errors import DataError, NotFoundError
from scripts.nfl import contents
from scripts.nfl.download import Web, checked, download, shown
from scripts.patience import PassingError, Patience
from tests.servers import RESET, TRUNCATED, Fault, Reply, Server, file_server

FILE = b"a,b\n" + b"1,2\n" * 500
PAGE = b"<!DOCTYPE html><html><body>Rate limit</body></html>"
QUICK = {"attempts": 3, "total_s": 20, "timeout_s": 5, "wait_s": 0.01}
SECRET = "planted-secret"


@pytest.fixture
def server() -> Iterator[Server]:
    with file_server({"/d/file.csv": FILE, "/d/file.gz": gzip.compress(FILE)}) as running:
        yield running


def as_csv(body: bytes, place: str) -> bytes:
    """Accept a CSV with the columns a and b."""
    list(contents.csv_records(body, place, ("a", "b")))
    return body


def get(address: str, folder: Path, **settings: object) -> dict:
    return download(
        address,
        folder / "out/file",
        folder / "out/file.json",
        **{"as_of": "2025-09-08", **QUICK, **settings},
    )


def refused(address: str, folder: Path, **settings: object) -> str:
    """The one line of a download that fails, and leaves the files that were there as they were."""
    out, manifest = folder / "out/file", folder / "out/file.json"
    out.parent.mkdir(exist_ok=True)
    out.write_bytes(b"old")
    manifest.write_bytes(b"{}")
    with pytest.raises(DataError) as caught:
        get(address, folder, **settings)
    assert sorted(path.name for path in out.parent.iterdir()) == ["file", "file.json"]
    assert out.read_bytes() == b"old"
    assert manifest.read_bytes() == b"{}"
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Whole files


def test_a_file_comes_with_its_manifest(server: Server, tmp_path: Path) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    record = get(f"{server.address}/d/file.csv?token={SECRET}#part", tmp_path)
    out = tmp_path / "out/file"
    assert out.read_bytes() == FILE
    assert json.loads((tmp_path / "out/file.json").read_text()) == record
    landed_at = datetime.strptime(record.pop("landed_at"), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert before <= landed_at <= datetime.now(UTC)
    assert record == {
        "url": f"{server.address}/d/file.csv",
        "path": str(out),
        "size": len(FILE),
        "sha256": hashlib.sha256(FILE).hexdigest(),
        "etag": hashlib.md5(FILE).hexdigest(),
        "as_of": "2025-09-08",
    }
    assert server.requests[0].query == {"token": SECRET}
    assert server.requests[0].headers["accept-encoding"] == "identity"


def test_what_is_kept_may_be_a_part(server: Server, tmp_path: Path) -> None:
    server.fail("", Fault(headers={"ETag": 'W/"1-a"'}))
    record = get(f"{server.address}/d/file.csv", tmp_path, accept=lambda body, place: body[:4])
    assert record["etag"] == "1-a"
    assert (tmp_path / "out/file").read_bytes() == FILE[:4]
    assert record["sha256"] == hashlib.sha256(b"a,b\n").hexdigest()
    assert record["whole"] == {"size": len(FILE), "sha256": hashlib.sha256(FILE).hexdigest()}


def test_a_gzip_file_stays_one_and_other_packing_is_undone(tmp_path: Path) -> None:
    packed = gzip.compress(FILE)

    def answer(_: object) -> Reply:
        return Reply(200, {"Content-Encoding": "gzip"}, packed)

    with file_server({"/x.csv.gz": answer, "/x.csv": answer}) as server:
        get(f"{server.address}/x.csv.gz", tmp_path)
        assert (tmp_path / "out/file").read_bytes() == packed
        get(f"{server.address}/x.csv", tmp_path)
        assert (tmp_path / "out/file").read_bytes() == FILE
        server.fail("", Fault(headers={"Content-Encoding": "br"}), always=True)
        assert "packed as 'br'" in refused(f"{server.address}/x.csv", tmp_path)


# Faults


FAULTS = {
    "429": (
        Fault(status=429),
        r"127\.0\.0\.1 answers 429 \(attempt 3, after 0 s\); run again later$",
    ),
    "429, at once": (Fault(status=429, headers={"Retry-After": "0"}), "429 and asks to wait 0 s"),
    "408": (Fault(status=408), "answers 408"),
    "500": (Fault(status=500), "answers 500"),
    "503": (Fault(status=503, body=PAGE), "answers 503"),
    "reset": (
        RESET,
        r"http://127\.0\.0\.1:\d+ gives no whole answer \((Read|RemoteProtocol)Error\)",
    ),
    "cut": (TRUNCATED, r"gives no whole answer \(RemoteProtocolError\)"),
    "silent": (Fault(delay_s=0.5), r"gives no whole answer \(ReadTimeout\)"),
    "empty": (Fault(body=b""), r"the answer is empty \(0 bytes\)"),
    "a page": (Fault(body=PAGE), f"expected CSV, got an HTML or XML page of {len(PAGE)} bytes"),
    "cut off": (Fault(body=FILE[:-1]), r"cut off in its last line \(2003 bytes\)"),
    "packed by halves": (
        Fault(body=gzip.compress(FILE)[:-9], headers={"Content-Encoding": "gzip"}),
        r"the gzip ends early \(\d+ bytes\)",
    ),
    "binary": (Fault(body=b"\xff\xfe\x00"), r"expected CSV, got 3 bytes that begin b'\\xff"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_passes_is_not_seen(server: Server, tmp_path: Path, name: str) -> None:
    server.fail("", FAULTS[name][0], FAULTS[name][0])
    get(f"{server.address}/d/file.csv", tmp_path, accept=as_csv, timeout_s=0.25)
    assert (tmp_path / "out/file").read_bytes() == FILE
    assert len(server.requests) == 3


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_stays_is_one_line(server: Server, tmp_path: Path, name: str) -> None:
    server.fail("", FAULTS[name][0], always=True)
    url = f"{server.address}/d/file.csv"
    line = refused(f"{url}?k={SECRET}", tmp_path, accept=as_csv, timeout_s=0.25)
    assert line.startswith(f"{url}: ")
    assert re.search(FAULTS[name][1], line)
    assert SECRET not in line
    assert len(server.requests) == 3


def test_retry_after_is_obeyed(server: Server, tmp_path: Path) -> None:
    server.fail("", Fault(status=429, headers={"Retry-After": "1"}))
    start = time.monotonic()
    get(f"{server.address}/d/file.csv", tmp_path)
    assert 1.0 <= time.monotonic() - start < 2.0


def test_a_wait_beyond_the_time_allowed_ends_at_once(server: Server, tmp_path: Path) -> None:
    server.fail("", Fault(status=429, headers={"Retry-After": "3600"}))
    start = time.monotonic()
    assert "asks to wait 3600 s (attempt 1" in refused(f"{server.address}/d/file.csv", tmp_path)
    assert time.monotonic() - start < 1.0


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (Fault(drip_s=0.05), r"is too slow, \d+ bytes in the time allowed"),
        (Fault(delay_s=5), r"gives no whole answer \(ReadTimeout\)"),
    ],
)
def test_the_time_for_all_attempts_is_kept(
    server: Server, tmp_path: Path, fault: Fault, line: str
) -> None:
    server.fail("", fault, always=True)
    start = time.monotonic()
    assert re.search(line, refused(f"{server.address}/d/file.csv", tmp_path, total_s=0.4))
    assert time.monotonic() - start < 1.5


def test_a_server_that_is_down_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert f"{address} cannot be reached" in refused(f"{address}/x?k={SECRET}", tmp_path)


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_is_not_there_is_told_apart(
    server: Server, tmp_path: Path, status: int
) -> None:
    server.fail("", Fault(status=status), always=True)
    with pytest.raises(NotFoundError, match=rf"file.csv: not there \({status}\): not published"):
        get(f"{server.address}/d/file.csv", tmp_path)
    assert len(server.requests) == 2  # it is asked whether it is sure
    server.heal()
    server.fail("", Fault(status=status), Fault(status=500), Fault(status=status))
    with pytest.raises(DataError, match=r"not there .*\(attempt 3, ") as caught:
        get(f"{server.address}/d/file.csv", tmp_path)
    assert not isinstance(caught.value, NotFoundError)
    server.fail("", Fault(status=status))
    get(f"{server.address}/d/file.csv", tmp_path)


@pytest.mark.parametrize("status", [400, 401, 403, 422, 206, 304])
def test_a_refusal_is_one_line_at_once(server: Server, tmp_path: Path, status: int) -> None:
    body = json.dumps({"message": "no\nway"}).encode() if status >= 400 else b""
    server.fail("", Fault(status=status, body=body), always=True)
    line = refused(f"{server.address}/d/file.csv", tmp_path)
    words = ": no way" if status >= 400 else ""
    assert f"127.0.0.1 answers {status}{words}; check the address" in line
    assert len(server.requests) == 1


def test_a_fault_of_what_was_accepted_is_final(server: Server, tmp_path: Path) -> None:
    def other(body: bytes, place: str) -> bytes:
        raise DataError(f"{place}: another file")

    line = refused(f"{server.address}/d/file.csv", tmp_path, accept=other)
    assert line == f"{server.address}/d/file.csv: another file"
    assert len(server.requests) == 1


def test_a_body_of_unknown_length_has_to_come_twice_or_to_tell_its_end_itself(
    server: Server, tmp_path: Path
) -> None:
    """A CSV that is cut after a line looks whole."""
    cuts = [Fault(unsized=True, body=FILE[: 4 * lines]) for lines in range(1, 9)]
    server.fail("", *cuts)
    line = refused(f"{server.address}/d/file.csv", tmp_path, accept=as_csv)
    assert "bytes came without their length, and not twice the same (attempt" in line
    server.heal()
    before = len(server.requests)
    server.fail("", cuts[0], Fault(unsized=True), Fault(unsized=True))
    get(f"{server.address}/d/file.csv", tmp_path, accept=as_csv)
    assert (tmp_path / "out/file").read_bytes() == FILE
    assert len(server.requests) == before + 3
    server.fail("", Fault(unsized=True))
    get(f"{server.address}/d/file.gz", tmp_path, accept=contents.unpacked)
    assert len(server.requests) == before + 4


# Redirects


def test_a_redirect_to_another_host_is_followed(server: Server, tmp_path: Path) -> None:
    away = {"Location": f"{server.address}/d/file.csv?signature={SECRET}"}
    with file_server({"/latest": lambda _: Reply(302, away, b"")}) as first:
        record = get(f"{first.address}/latest", tmp_path, accept=as_csv)
        assert record["url"] == f"{first.address}/latest"
        assert (tmp_path / "out/file").read_bytes() == FILE
        assert SECRET not in (tmp_path / "out/file.json").read_text()
        server.fail("", Fault(status=403), always=True)
        line = refused(f"{first.address}/latest", tmp_path)
        assert line.startswith(f"{first.address}/latest: 127.0.0.1 answers 403; ")
        server.heal()
        server.fail("", TRUNCATED)  # the whole way is gone again
        get(f"{first.address}/latest", tmp_path)
        assert len(first.requests) == 4


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("/loop", "more than 5 redirects"),
        (f"ftp://u:{SECRET}@host/x?k={SECRET}", "redirects to ftp://host/x, which is no address"),
        ("file:///etc/passwd", "redirects to file:///etc/passwd, which is no address"),
        ("http://[::1", r"gives no whole answer \(RemoteProtocolError\)"),
        (None, "answers 302; check the address"),
    ],
)
def test_a_redirect_to_nowhere_is_one_line(
    server: Server, tmp_path: Path, target: str | None, line: str
) -> None:
    headers = {} if target is None else {"Location": target}
    with file_server({"/loop": lambda _: Reply(302, headers, b"")}) as first:
        found = refused(f"{first.address}/loop", tmp_path)
    assert re.search(line, found)
    assert SECRET not in found


@pytest.mark.parametrize("start", ["https", "http"])
def test_https_is_never_left(tmp_path: Path, start: str) -> None:
    asked: list[str] = []
    end = {"https": "http", "http": "https"}[start]

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if request.url.host == "first":
            return httpx.Response(
                302,
                headers={"Location": f"{end}://second/x?k={SECRET}"},
                stream=httpx.ByteStream(b"moved"),
            )
        length = {"Content-Length": str(len(FILE))}
        return httpx.Response(200, headers=length, stream=httpx.ByteStream(FILE))

    transport = httpx.MockTransport(handle)
    if start == "http":
        get("http://first/x", tmp_path, transport=transport)
        assert asked == ["http://first/x", f"https://second/x?k={SECRET}"]
        return
    line = refused("https://first/x", tmp_path, transport=transport)
    assert line == "https://first/x: redirects from https to http://second/x; not followed"
    assert asked == ["https://first/x"]


# Secrets


@pytest.mark.parametrize("good", [True, False])
def test_a_secret_is_asked_with_and_never_told(
    server: Server, caplog: pytest.LogCaptureFixture, good: bool
) -> None:
    secret = "planted/secret+%"
    caplog.set_level(logging.DEBUG)
    quick = Patience(3, 20, 5, 0.01)
    with Web(quick) as web:
        asked = (f"{server.address}/d/file.csv", as_csv)
        told = json.dumps({"message": f"bad key {secret}", "error_code": "INVALID_KEY"}).encode()
        if good:
            web.fetch(*asked, query={"k": secret, "d": "1:2"}, secret=secret)
        else:
            server.fail("", Fault(status=401, body=told))
            with pytest.raises(DataError, match=r"bad key \*\*\* INVALID_KEY; check K$") as caught:
                web.fetch(*asked, query={"k": secret, "d": "1:2"}, secret=secret, hint="check K")
            assert secret not in str(caught.value)
        assert server.requests[0].query == {"k": secret, "d": "1:2"}
        server.fail("", Fault(status=302, headers={"Location": f"/d/file.csv?k={secret}"}))
        with pytest.raises(DataError, match="answers 302"):  # a key goes to one host only
            web.fetch(*asked, query={"k": secret}, secret=secret)
        assert len(server.requests) == 2
    assert "planted" not in caplog.text
    caplog.set_level(logging.DEBUG, logger="httpx")  # others may have made it silent
    httpx.get(f"{server.address}/d/file.csv", params={"k": secret})
    assert "planted" in caplog.text  # which is what it does unless it is kept from it


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://h/x", "https://", "http://h:a/x", "http://[", "http://h/a b", "http://h/\n"],
)
def test_an_address_that_is_none_is_one_line(url: str) -> None:
    with pytest.raises(DataError, match=r"is no address such as https://host/path$"):
        checked(url)


def test_an_address_is_told_without_what_may_be_secret() -> None:
    assert shown(f"https://u:{SECRET}@host:1/a/b?c={SECRET}#{SECRET}") == "https://host:1/a/b"


# What came


def test_records_of_a_csv_are_its_bytes() -> None:
    body = b'\xef\xbb\xbfa,b\r\n1,"x\ny"\n2,"p,""q"\r\n'
    found = list(contents.csv_records(body, "f", ("a",)))
    assert [r.line for r in found] == [1, 2, 4]
    assert [r.fields for r in found] == [["a", "b"], ["1", "x\ny"], ["2", 'p,"q']]
    assert b"".join(r.raw for r in found) == body


def test_blank_lines_of_a_csv_are_no_records_but_lines() -> None:
    body = b'\na,b\r\n\r\n1,"x\n\ny"\n\n\n2,3\n\n'
    found = list(contents.csv_records(body, "f", ("a",)))
    assert [r.line for r in found] == [2, 4, 9]
    assert [r.raw for r in found] == [b"a,b\r\n", b'1,"x\n\ny"\n', b"2,3\n"]
    with pytest.raises(DataError, match=r"^f: line 4 has 1 fields, the header 2"):
        list(contents.csv_records(b"a,b\n\n1,2\n3\n", "f", ("a",)))
    with pytest.raises(DataError, match=r"^f: line 3 has 1 fields"):  # blanks are a cell
        list(contents.csv_records(b"a,b\n1,2\n \n", "f", ("a",)))
    with pytest.raises(DataError, match=r"^f: no header, got 2 bytes that begin b'\\n\\n'"):
        next(contents.csv_records(b"\n\n", "f", ("a",)))


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"a,c\n1,2\n", r"^f: no column b, d, got 8 bytes"),
        (b"a,b,d\n1,2,3\n1,2\n", "^f: line 3 has 2 fields, the header 3"),
        (b"a,b,d\n1,2,3\n1,2,3,4\n", "^f: line 3 has 4 fields"),
        (b'a,b,d\n1,"2,3\n', r"^f: line 2: no CSV \("),
    ],
)
def test_a_csv_of_another_shape_is_final(body: bytes, line: str) -> None:
    with pytest.raises(DataError, match=line):
        list(contents.csv_records(body, "f", ("a", "b", "d")))


def as_parquet(frame: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


def test_a_parquet_file_is_read_to_its_end() -> None:
    frame = pl.DataFrame({"a": range(1000), "b": ["x"] * 1000, "c": [0.5] * 1000})
    body = as_parquet(frame)
    assert contents.parquet(body, "f", ("b", "a"), either=("z", "c")).equals(frame.select("b", "a"))
    for cut in (0, 3, 4, 100, len(body) // 2, len(body) - 1):
        with pytest.raises(
            PassingError, match=r"^f: expected a parquet file, got a (file|file that)?"
        ):
            contents.parquet(body[:cut], "f", ("a",))
    broken = bytearray(body)
    broken[4:40] = bytes(36)  # the first page, which the end of the file knows nothing of
    with pytest.raises(PassingError, match=r"^f: damaged parquet file"):
        contents.parquet(bytes(broken), "f", ("a",))
    with pytest.raises(DataError, match=r"^f: no column d, z or y among 3; "):
        contents.parquet(body, "f", ("a", "d"), either=("z", "y"))


@pytest.mark.parametrize("column", ["a", "c", "d"])
def test_a_damaged_page_of_each_wanted_column_is_seen(column: str) -> None:
    frame = pl.DataFrame({name: range(1000) for name in "abcd"})
    body = as_parquet(frame)
    either = ("z", "c", "d")
    assert contents.parquet(body, "f", ("a",), either).columns == ["a"]
    chunk = pq.read_metadata(io.BytesIO(body)).row_group(0).column("abcd".index(column))
    size = chunk.total_compressed_size
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    broken = body[:start] + b"x" * size + body[start + size :]
    with pytest.raises(PassingError, match=r"^f: damaged parquet file"):
        contents.parquet(broken, "f", ("a",), either)


def test_gzip_is_whole_or_none() -> None:
    body = gzip.compress(FILE)
    assert contents.unpacked(body + body, "f") == FILE + FILE
    for cut in range(2, len(body)):
        with pytest.raises(PassingError, match=r"^f: the gzip (ends early|is damaged)"):
            contents.unpacked(body[:cut], "f")
    for bad in (b"", b"\x1f", PAGE):
        with pytest.raises(PassingError, match=r"^f: expected gzip, got "):
            contents.unpacked(bad, "f")
    with pytest.raises(PassingError, match=r"^f: the gzip is damaged"):
        contents.unpacked(body[:-8] + bytes(8), "f")

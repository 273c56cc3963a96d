"""A flat file on its way to the landing folder: downloaded or adopted, and checked to its end."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import logging
import random
import tempfile
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.lake.land_flatfile import land
from scripts.lake.landing import HEADER, Content, inspect, key_of, manifest_path, read_manifest
from scripts.lake.store import S3Store, SimulatedStore
from tests.servers import Fault, S3Server, s3_server

DAY, DATASET = "2025-09-03", "stocks_daily"
KEY = key_of(DATASET, DAY)
ROWS = b"NA,100.5,1,2,3,0.5,1756872000000000000,4\n"


def packed(text: bytes) -> bytes:
    return gzip.compress(text, mtime=0)


GOOD = packed(HEADER + b"\n" + ROWS)
OTHER = packed(HEADER + b"\n" + ROWS + ROWS.replace(b"NA", b"NB"))


def content_of(data: bytes) -> Content:
    return Content(len(data), hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest())


def inspected(data: bytes) -> Content:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.csv.gz")
        path.write_bytes(data)
        return inspect(path, "x.csv.gz")


# The check


@pytest.mark.parametrize("text", ["[" * 100_000, "null", '{"etag": 1}', "{", '{"etag": "a\\nb"}'])
def test_what_is_no_manifest_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "2025-09-03.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"2025-09-03\.json: not the manifest .*; delete it$"):
        read_manifest(path)


@given(st.binary(max_size=200), st.integers(1, 3))
def test_a_whole_file_is_measured(rows: bytes, members: int) -> None:
    size = len(rows) // members + 1
    parts = [rows[i * size : (i + 1) * size] for i in range(members)]
    data = packed(HEADER + b"\n") + b"".join(map(packed, parts))
    assert inspected(data) == content_of(data)


@given(st.integers(0, len(OTHER) - 1))
def test_a_file_cut_anywhere_is_refused(end: int) -> None:
    with pytest.raises(DataError, match=r"^x\.csv\.gz: .*(truncated|is empty).*fetch it again$"):
        inspected(OTHER[:end])


@given(st.integers(10, len(OTHER) - 1), st.integers(1, 255))
def test_a_changed_byte_is_seen_where_gzip_sees_it(place: int, flip: int) -> None:
    data = bytearray(OTHER)
    data[place] ^= flip
    with contextlib.suppress(Exception):
        assert gzip.decompress(data) == gzip.decompress(OTHER)  # bits that mean nothing
        return
    with pytest.raises(DataError, match=r"not gzip or damaged|truncated"):
        inspected(bytes(data))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"^x\.csv\.gz: is empty"),
        (b"<html>not found</html>", r"^x\.csv\.gz: not gzip or damaged after byte 0"),
        (HEADER + b"\n" + ROWS, "not gzip"),
        (GOOD + b"rest", f"not gzip or damaged after byte {len(GOOD)}"),
        (GOOD + GOOD[:15], "truncated"),
        (GOOD[:-8] + bytes(4) + GOOD[-4:], "incorrect data check"),
        (GOOD[:-4] + bytes(4), "incorrect length check"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        inspected(data)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        HEADER[:-1],
        HEADER + b"x\n",
        HEADER + b",otc\n",
        HEADER + b"\r\n",
        b"\xef\xbb\xbf" + HEADER + b"\n",
        b" " + HEADER,
        HEADER.replace(b"open,close", b"close,open") + b"\n",
        b"\xff\xfe" * 500,
    ],
)
def test_another_header_is_refused(text: bytes) -> None:
    with pytest.raises(DataError, match=r"^x\.csv\.gz, line 1: header begins .*, expected 'ticker"):
        inspected(packed(text))


def test_a_file_with_no_row_yet_is_whole() -> None:
    for text in (HEADER, HEADER + b"\n"):
        assert inspected(packed(text)).size == len(packed(text))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    text = HEADER + b"\n" + random.Random(1).randbytes(4_000_000).hex().encode()
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(text, 1))
    assert path.stat().st_size > 4_000_000
    tracemalloc.start()
    inspect(path, "x")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


# Landing


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as running:
        yield running


@pytest.fixture
def s3(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The vendor with one good file, and the environment that leads there."""
    server.heal()
    server.open({KEY: GOOD})
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / f"landing/{DAY}.csv.gz"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file of another landing folder."""
    path = tmp_path / f"old/{DAY}.csv.gz"
    path.parent.mkdir()
    path.write_bytes(GOOD)
    return path


def run(out: Path, adopted: Path | None = None, revision: str | None = None) -> dict:
    return land(
        store=S3Store(attempts=2, timeout_s=5, wait_s=0.01),
        dataset=DATASET,
        date=DAY,
        adopted=adopted,
        revision=revision,
        out=out,
        manifest=manifest_path(out),
    )


def landed(out: Path) -> dict:
    """The manifest on disk, and that of nothing else there is a trace."""
    assert sorted(p.name for p in out.parent.iterdir()) == [out.name, manifest_path(out).name]
    return json.loads(manifest_path(out).read_text())


def test_a_download_leaves_the_file_and_its_manifest(s3: S3Server, out: Path) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    record = run(out)
    assert landed(out) == record
    assert out.read_bytes() == GOOD
    found = content_of(GOOD)
    moment = datetime.fromisoformat(record["landed_at"])
    assert before <= moment <= datetime.now(UTC)
    assert record == {
        "etag": found.md5,
        "size": found.size,
        "sha256": found.sha256,
        "landed_at": record["landed_at"],
        "as_of": f"{moment:%Y-%m-%d}",
    }
    assert manifest_path(out).stat().st_mtime_ns >= out.stat().st_mtime_ns
    assert s3.count(KEY) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (GOOD[:-9], "truncated"),
        (b"<html>", "not gzip"),
        (packed(b"symbol,volume\n"), "line 1: header begins 'symbol,volume'"),
        (b"", "is empty"),
    ],
)
def test_a_bad_file_of_the_vendor_leaves_nothing_behind(
    s3: S3Server, out: Path, data: bytes, message: str
) -> None:
    s3.put(KEY, data)
    with pytest.raises(DataError, match=message) as caught:
        run(out)
    assert str(caught.value).startswith(KEY)
    assert list(out.parent.iterdir()) == []


def test_a_failed_download_keeps_what_was_there(s3: S3Server, out: Path) -> None:
    before = run(out)
    s3.fail(KEY, Fault(cut=True), always=True)
    with pytest.raises(DataError, match="bytes came"):
        run(out)
    assert landed(out) == before
    assert out.read_bytes() == GOOD


def test_a_replaced_file_lands_in_the_place_of_the_old(s3: S3Server, out: Path) -> None:
    before = run(out)
    s3.put(KEY, OTHER)
    record = run(out, revision=content_of(OTHER).md5)
    assert out.read_bytes() == OTHER
    assert landed(out)["etag"] == record["etag"] == content_of(OTHER).md5 != before["etag"]


def test_simulated_files_land_with_the_time_of_their_publication(tmp_path: Path) -> None:
    for name in ("one", "two"):
        out = tmp_path / name / f"{DAY}.csv.gz"
        land(
            store=SimulatedStore(1),
            dataset=DATASET,
            date=DAY,
            adopted=None,
            revision=None,
            out=out,
            manifest=manifest_path(out),
        )
        record = landed(out)
        assert (record["landed_at"], record["as_of"]) == ("2025-09-04T15:00:00Z", "2025-09-04")
    one, two = (tmp_path / f"{name}/{DAY}.json" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


# Adoption


def test_an_adopted_file_is_linked_and_nobody_is_asked(
    s3: S3Server, out: Path, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    record = run(out, old)
    assert landed(out) == record
    assert out.samefile(old)
    assert not out.is_symlink()
    found = content_of(GOOD)
    assert record | {"landed_at": "", "as_of": ""} == {
        "etag": found.md5,
        "size": found.size,
        "sha256": found.sha256,
        "landed_at": "",
        "as_of": "",
        "adopted": True,
    }
    assert s3.requests == []
    assert run(out, old)["etag"] == found.md5  # and again, over itself
    landed(out)


def test_a_link_to_a_file_is_adopted_as_the_file(s3: S3Server, out: Path, old: Path) -> None:
    link = old.with_name("link.csv.gz")
    link.symlink_to(old.name)
    run(out, link)
    assert not out.is_symlink()
    assert out.samefile(old)


def test_a_file_of_another_file_system_is_copied(s3: S3Server, out: Path) -> None:
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == out.parents[1].stat().st_dev:
        pytest.skip("no second file system")
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        old = Path(folder, f"{DAY}.csv.gz")
        old.write_bytes(GOOD)
        assert run(out, old)["adopted"]
    assert out.read_bytes() == GOOD
    assert s3.requests == []


def test_an_adopted_manifest_keeps_its_etag_and_its_time(
    s3: S3Server, out: Path, old: Path
) -> None:
    s3.put(KEY, GOOD, multipart=True)
    first = run(old)
    assert first["etag"].endswith("-1")
    manifest_path(old).write_text(json.dumps(first | {"landed_at": "2025-09-04T16:00:00Z"}))
    s3.requests.clear()
    assert run(out, old) == first | {
        "landed_at": "2025-09-04T16:00:00Z",
        "as_of": "2025-09-04",
        "adopted": True,
    }
    assert s3.requests == []


BAD = {
    "truncated": (GOOD[:-1], None),
    "not gzip": (b"PK", None),
    "is empty": (b"", None),
    "header begins": (packed(b"a,b\n"), None),
    "but 2025-09-03.json says": (GOOD, {"etag": "x", "size": len(GOOD) + 1}),
    "SHA-256": (GOOD, {"etag": "x", "size": len(GOOD), "sha256": "0" * 64}),
    "not the manifest": (GOOD, {"size": len(GOOD)}),
    "sha256 is not": (GOOD, {"etag": "x", "size": len(GOOD) + 1, "sha256": "abc"}),
    "time data 'soon'": (GOOD, {"etag": "x", "size": len(GOOD), "landed_at": "soon"}),
    "expected string": (GOOD, {"etag": "x", "size": len(GOOD), "sha256": 5}),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_file_is_not_adopted_but_downloaded(
    s3: S3Server, out: Path, old: Path, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    data, manifest = BAD[fault]
    old.write_bytes(data)
    if manifest:
        manifest_path(old).write_text(json.dumps(manifest))
    with caplog.at_level(logging.INFO):
        record = run(out, old)
    assert "adopted" not in record
    assert out.read_bytes() == GOOD
    assert s3.count(KEY, "GET") == 1
    told = [line for line in caplog.messages if line.startswith("not adopted, downloaded instead:")]
    assert len(told) == 1
    assert fault in told[0]
    assert str(old.parent) in told[0]
    assert old.read_bytes() == data  # the other folder is as it was


def test_a_file_that_the_vendor_replaced_is_not_adopted_again(
    s3: S3Server, out: Path, old: Path
) -> None:
    assert run(out, old)["adopted"]
    s3.put(KEY, OTHER)
    record = run(out, old, revision=content_of(OTHER).md5)
    assert "adopted" not in record
    assert out.read_bytes() == OTHER
    assert old.read_bytes() == GOOD
    assert run(out, old, revision=content_of(GOOD).md5)["adopted"]  # it is the newest again


def test_an_unreadable_file_is_downloaded(s3: S3Server, out: Path, old: Path) -> None:
    old.unlink()
    old.mkdir()
    assert "adopted" not in run(out, old)
    assert out.read_bytes() == GOOD

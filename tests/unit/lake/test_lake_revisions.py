"""Which landed files the vendor has replaced: what is written down, and what is left as it is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.errors import DataError
from scripts.lake.check_revisions import check
from scripts.lake.land_flatfile import land
from scripts.lake.landing import HEADER, key_of, manifest_path
from scripts.lake.store import S3Store
from tests.servers import Fault, S3Server, s3_server

DAYS = ("2025-09-02", "2025-09-03")
FILES = {key_of("stocks_daily", day): gzip.compress(HEADER, mtime=0) for day in DAYS}
FIRST, SECOND = (f"stocks_daily/{day}" for day in DAYS)
NEW = gzip.compress(HEADER + b"\n", mtime=0)
NONE = {"probed": 2, "changed": 0, "gone": 0}


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as running:
        yield running


@pytest.fixture
def s3(server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> S3Server:
    """The vendor with two files, which have landed."""
    server.heal()
    server.open(FILES)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    for day in DAYS:
        land_day(tmp_path, day)
    server.requests.clear()
    return server


def store() -> S3Store:
    return S3Store(attempts=2, timeout_s=5, wait_s=0.01)


def land_day(folder: Path, day: str, adopted: Path | None = None) -> dict:
    out = folder / f"{day}.csv.gz"
    return land(
        store=store(),
        dataset="stocks_daily",
        date=day,
        adopted=adopted,
        revision=None,
        out=out,
        manifest=manifest_path(out),
    )


def run(folder: Path, days: tuple[str, ...] = DAYS) -> dict:
    """Check the landed days; the record is in revisions.json."""
    landed = [["stocks_daily", day, str(folder / f"{day}.json")] for day in days]
    return check(store=store(), landed=landed, revisions=folder / "revisions.json")


def record(folder: Path) -> dict:
    return json.loads((folder / "revisions.json").read_text())


def etag(s3: S3Server, day: str) -> str:
    return store().head(key_of("stocks_daily", day)).etag


def test_nothing_new_makes_an_empty_record(s3: S3Server, tmp_path: Path) -> None:
    assert run(tmp_path) == NONE
    assert record(tmp_path) == {}
    assert [r.method for r in s3.requests] == ["HEAD", "HEAD"]


def test_a_replaced_file_is_written_down_until_it_is_replaced_again(
    s3: S3Server, tmp_path: Path
) -> None:
    s3.put(key_of("stocks_daily", DAYS[1]), NEW)
    assert run(tmp_path) == {"probed": 2, "changed": 1, "gone": 0}
    expected = {SECOND: etag(s3, DAYS[1])}
    assert record(tmp_path) == expected
    assert run(tmp_path)["changed"] == 1  # not landed yet
    assert record(tmp_path) == expected
    land_day(tmp_path, DAYS[1])
    before = (tmp_path / "revisions.json").read_bytes()
    assert run(tmp_path) == NONE
    assert (tmp_path / "revisions.json").read_bytes() == before  # else it would land again
    s3.put(key_of("stocks_daily", DAYS[1]), NEW + NEW)
    run(tmp_path)
    assert record(tmp_path) == {SECOND: etag(s3, DAYS[1])} != expected


def test_a_file_replaced_between_check_and_landing_lands_once(s3: S3Server, tmp_path: Path) -> None:
    s3.put(key_of("stocks_daily", DAYS[0]), NEW)
    run(tmp_path)
    before = record(tmp_path)
    s3.put(key_of("stocks_daily", DAYS[0]), NEW + NEW)
    land_day(tmp_path, DAYS[0])
    assert run(tmp_path) == NONE
    assert record(tmp_path) == before


def test_entries_of_files_no_longer_asked_for_are_kept_and_sorted(
    s3: S3Server, tmp_path: Path
) -> None:
    (tmp_path / "revisions.json").write_text('{"stocks_minute/2025-08-01": "b", "a": "c"}')
    s3.put(key_of("stocks_daily", DAYS[0]), NEW)
    run(tmp_path, days=DAYS[:1])
    assert list(record(tmp_path).items()) == [
        ("a", "c"),
        (FIRST, etag(s3, DAYS[0])),
        ("stocks_minute/2025-08-01", "b"),
    ]


def test_an_adopted_file_is_compared_by_size_where_the_etag_is_no_md5(
    s3: S3Server, tmp_path: Path
) -> None:
    old = tmp_path / "old" / f"{DAYS[0]}.csv.gz"
    old.parent.mkdir()
    old.write_bytes(FILES[key_of("stocks_daily", DAYS[0])])
    assert land_day(tmp_path, DAYS[0], adopted=old)["adopted"]
    assert run(tmp_path) == NONE
    s3.put(key_of("stocks_daily", DAYS[0]), old.read_bytes(), multipart=True)
    assert run(tmp_path) == NONE
    s3.put(key_of("stocks_daily", DAYS[0]), NEW, multipart=True)
    assert run(tmp_path)["changed"] == 1
    assert record(tmp_path) == {FIRST: etag(s3, DAYS[0])}


def test_a_downloaded_file_replaced_by_a_multipart_upload_is_seen(
    s3: S3Server, tmp_path: Path
) -> None:
    key = key_of("stocks_daily", DAYS[0])
    s3.put(key, FILES[key], multipart=True)
    assert run(tmp_path)["changed"] == 1


def test_a_file_that_is_gone_is_told_and_the_others_are_still_checked(
    s3: S3Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    s3.remove(key_of("stocks_daily", DAYS[0]))
    s3.put(key_of("stocks_daily", DAYS[1]), NEW)
    assert run(tmp_path) == {"probed": 2, "changed": 1, "gone": 1}
    assert list(record(tmp_path)) == [SECOND]
    assert f"has it no more: flatfiles/{key_of('stocks_daily', DAYS[0])}" in caplog.text


def test_a_landed_file_without_a_manifest_is_not_asked_for(s3: S3Server, tmp_path: Path) -> None:
    (tmp_path / f"{DAYS[0]}.json").unlink()
    assert run(tmp_path) == {"probed": 1, "changed": 0, "gone": 0}


def test_a_server_that_fails_leaves_the_record_as_it_was(s3: S3Server, tmp_path: Path) -> None:
    s3.put(key_of("stocks_daily", DAYS[0]), NEW)
    run(tmp_path)
    before = (tmp_path / "revisions.json").read_bytes()
    s3.put(key_of("stocks_daily", DAYS[0]), NEW + NEW)
    s3.fail(DAYS[1], Fault(status=503), always=True)  # the first is answered
    with pytest.raises(DataError, match=f"{DAYS[1]}.csv.gz: the server fails"):
        run(tmp_path)
    assert (tmp_path / "revisions.json").read_bytes() == before


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', "null"])
def test_a_damaged_record_is_one_line(s3: S3Server, tmp_path: Path, text: str) -> None:
    (tmp_path / "revisions.json").write_text(text)
    with pytest.raises(DataError, match=r"revisions\.json: not readable \(.*\); delete it$"):
        run(tmp_path)
    assert (tmp_path / "revisions.json").read_text() == text


@pytest.mark.parametrize("text", ["{", "[]", '{"etag": "x"}', '{"etag": 1, "size": 2}'])
def test_a_damaged_manifest_is_one_line(s3: S3Server, tmp_path: Path, text: str) -> None:
    (tmp_path / f"{DAYS[0]}.json").write_text(text)
    with pytest.raises(DataError, match=r"2025-09-02\.json: not the manifest of a flat file"):
        run(tmp_path)

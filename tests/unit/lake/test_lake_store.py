"""The store of flat files against a real S3 server, in good and bad days."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from scripts.errors import DataError, NotFoundError
from scripts.lake.landing import FOLDERS, Head, key_of
from scripts.lake.store import ENDPOINT, S3Store, SimulatedStore, published_at
from scripts.lake.vendor import open_store
from scripts.plan.lake import VENDOR_FOLDERS
from tests.servers import (
    ACCESS_KEY,
    ISOLATED,
    RESET,
    SECRET_KEY,
    TRUNCATED,
    Fault,
    S3Server,
    s3_server,
)

KEY = key_of("stocks_daily", "2025-09-03")
PLACE = f"flatfiles/{KEY}"
CONTENT = bytes(range(256)) * 4000
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as running:
        yield running


@pytest.fixture
def s3(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server with one file, and the environment that leads there."""
    server.heal()
    server.open({KEY: CONTENT})
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return server


def store(attempts: int = 3, timeout_s: float = 5) -> S3Store:
    return S3Store(attempts=attempts, timeout_s=timeout_s, wait_s=0.01)


def refused(tmp_path: Path, attempts: int = 1, timeout_s: float = 5) -> str:
    """The one line that a head and a download end with."""
    lines = []
    asked = store(attempts, timeout_s)
    for ask in (lambda: asked.head(KEY), lambda: asked.download(KEY, tmp_path / "out")):
        with pytest.raises(DataError) as caught:
            ask()
        line = str(caught.value)
        assert "\n" not in line
        assert line.startswith((PLACE, "flat files: "))
        assert SECRET_KEY not in line
        assert ACCESS_KEY not in line
        lines.append(line)
    return " | ".join(lines)


def test_keys_are_the_vendors_and_the_plans() -> None:
    assert KEY == "us_stocks_sip/day_aggs_v1/2025/09/2025-09-03.csv.gz"
    assert key_of("options_minute", "2024-02-29") == (
        "us_options_opra/minute_aggs_v1/2024/02/2024-02-29.csv.gz"
    )
    assert FOLDERS == VENDOR_FOLDERS


def test_a_file_is_downloaded_as_it_is(s3: S3Server, tmp_path: Path) -> None:
    assert store().head(KEY) == Head(MD5, len(CONTENT))
    assert store().download(KEY, tmp_path / "out") == Head(MD5, len(CONTENT))
    assert (tmp_path / "out").read_bytes() == CONTENT
    assert [(r.method, r.path) for r in s3.requests] == [
        ("HEAD", f"/{PLACE}"),
        ("GET", f"/{PLACE}"),
    ]


FAULTS = {
    "reset": RESET,
    "truncated": TRUNCATED,
    "500": Fault(status=500),
    "503": Fault(status=503),
    "changed on the way": Fault(body=b"?" * len(CONTENT)),
    "slow": Fault(delay_s=0.6),
    "a page": Fault(status=200, body=b"<html>Please sign in</html>"),
    "no length": Fault(unsized=True, cut=True),
    "429": Fault(status=429, headers={"Retry-After": "0"}),
    "404": Fault(status=404),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_passes_is_not_seen(s3: S3Server, tmp_path: Path, name: str) -> None:
    s3.fail(KEY, FAULTS[name])
    assert store(timeout_s=0.3).download(KEY, tmp_path / "out") == Head(MD5, len(CONTENT))
    assert (tmp_path / "out").read_bytes() == CONTENT
    assert s3.count(KEY) == 2


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("reset", r"http://127\.0\.0\.1:\d+ does not answer \(ConnectionClosedError, 2 attempts\)"),
        ("truncated", rf"{len(CONTENT) // 2} of {len(CONTENT)} bytes came \(the transfer broke"),
        ("503", r"the server fails \(503\) again and again; run again later$"),
        ("changed on the way", rf"its MD5 is [0-9a-f]{{32}}, not its ETag {MD5}"),
        ("slow", r"does not answer \(ReadTimeoutError, 2 attempts\)"),
        ("a page", r"an answer without ETag, so not from a bucket; check AWS_ENDPOINT_URL and the"),
        ("no length", r"an answer without ContentLength, so not from a bucket; check AWS_ENDPOINT"),
        ("429", r"the server fails \(429\) again and again; run again later$"),
    ],
)
def test_a_fault_that_stays_is_one_line(s3: S3Server, tmp_path: Path, name: str, line: str) -> None:
    s3.fail(KEY, FAULTS[name], always=True)
    with pytest.raises(DataError, match=line) as caught:
        store(attempts=2, timeout_s=0.3).download(KEY, tmp_path / "out")
    assert str(caught.value).startswith(f"{PLACE}: ")
    assert s3.count(KEY) == 2


@pytest.mark.parametrize("name", ["a page", "429", "404"])
def test_a_head_goes_through_the_same_faults(s3: S3Server, name: str) -> None:
    s3.fail(KEY, FAULTS[name])
    assert store().head(KEY) == Head(MD5, len(CONTENT))
    assert s3.count(KEY, "HEAD") == 2


def test_a_body_that_drips_ends_with_the_time_allowed(s3: S3Server, tmp_path: Path) -> None:
    s3.fail(KEY, Fault(drip_s=0.01), always=True)
    start = time.monotonic()
    asked = S3Store(attempts=3, timeout_s=5, wait_s=0.01, total_s=0.5)
    with pytest.raises(DataError, match=r"bytes came \(the server is too slow\) \(attempt 1, "):
        asked.download(KEY, tmp_path / "out")
    assert time.monotonic() - start < 5


def test_the_etag_of_a_multipart_upload_is_not_taken_for_an_md5(
    s3: S3Server, tmp_path: Path
) -> None:
    s3.put(KEY, CONTENT, multipart=True)
    head = store().download(KEY, tmp_path / "out")
    assert head.etag.endswith("-1")
    assert head == store().head(KEY)
    assert (tmp_path / "out").read_bytes() == CONTENT


def test_a_file_that_is_not_there_says_when_it_comes(s3: S3Server, tmp_path: Path) -> None:
    s3.remove(KEY)
    line = refused(tmp_path)
    assert line.count("(404") == 2
    assert "11:00 New York" in line
    assert "lake.known_missing" in line
    with pytest.raises(NotFoundError):
        store().head(KEY)


def test_no_credentials_say_how_to_give_them(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "missing: AWS_SECRET_ACCESS_KEY; set AWS_ACCESS_KEY_ID and" in refused(tmp_path)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    line = refused(tmp_path)
    assert "no credentials found; set AWS_ACCESS_KEY_ID and" in line
    assert "AWS_PROFILE" in line
    assert s3.requests == []


def test_other_credentials_are_refused_and_not_shown(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDWRONG")
    line = refused(tmp_path, attempts=3)
    assert "refused (403); check" in line
    assert "refused (403 InvalidAccessKeyId); check that the credentials are the vendor's" in line
    assert "AKIDWRONG" not in line
    assert len(s3.requests) == 2  # one each: no second attempt helps


def test_a_server_that_is_down_is_one_line(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{address}")
    line = refused(tmp_path)
    assert f"http://{address} does not answer (EndpointConnectionError, 1 attempts)" in line


def test_settings_that_cannot_be_used_are_one_line(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "files.massive.com")
    assert "the AWS settings cannot be used (ValueError); check AWS_ENDPOINT_URL" in refused(
        tmp_path
    )
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "(nobody) could not be found; set AWS_ACCESS_KEY_ID" in refused(tmp_path)


def test_a_profile_gives_credentials_and_endpoint(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in s3.environment:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    keys = f"aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"
    (tmp_path / "credentials").write_text(f"[massive]\n{keys}")
    (tmp_path / "config").write_text(f"[profile massive]\nendpoint_url = {s3.address}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "massive")
    assert store().head(KEY) == Head(MD5, len(CONTENT))


def test_without_an_endpoint_the_vendor_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name, value in ISOLATED.items():
        monkeypatch.setenv(name, value)
    assert store()._client.meta.endpoint_url == ENDPOINT


def test_a_file_of_the_real_vendor_is_fetched_now() -> None:
    before = time.time() - 1
    assert before <= open_store("massive", 1).fetched_at("2025-09-03").timestamp() <= time.time()


# The simulated market


@pytest.mark.parametrize(
    ("day", "moment"),
    [
        ("2025-09-03", "2025-09-04T15:00:00+00:00"),
        ("2025-12-31", "2026-01-01T16:00:00+00:00"),
        ("2025-03-08", "2025-03-09T15:00:00+00:00"),  # clocks went forward in that night
    ],
)
def test_simulated_files_are_published_at_eleven_in_new_york(day: str, moment: str) -> None:
    assert published_at(day).isoformat() == moment
    assert SimulatedStore(1).fetched_at(day) == published_at(day)


def test_the_simulated_store_gives_the_markets_files(tmp_path: Path) -> None:
    from scripts.lake.simulated_files import flat_file

    opened = open_store("simulator", 7)
    head = opened.download(KEY, tmp_path / "out")
    content = flat_file(7, "stocks_daily", date(2025, 9, 3))
    assert (tmp_path / "out").read_bytes() == content
    assert head == opened.head(KEY) == Head(hashlib.md5(content).hexdigest(), len(content))


def test_the_simulated_store_has_no_weekends() -> None:
    with pytest.raises(NotFoundError, match="2025-09-06"):
        SimulatedStore(1).head(key_of("stocks_daily", "2025-09-06"))


def test_an_unknown_vendor_names_the_known() -> None:
    with pytest.raises(DataError, match="no vendor 'bloomberg'; there are massive and simulator"):
        open_store("bloomberg", 1)

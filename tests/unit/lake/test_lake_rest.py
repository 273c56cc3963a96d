"""The client of the REST API against a real server: pages, faults, refusals, and the key."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.errors import DataError, NotFoundError
from scripts.lake.rest import BASE, Api, retry_after
from tests.servers import (
    API_KEY,
    RESET,
    TRUNCATED,
    Fault,
    RestServer,
    pages,
    rest_server,
)

SPLITS = "/v3/reference/splits"
PAGES = [[{"id": n} for n in range(start, start + 3)] for start in (0, 3, 6)]
RECORDS = [{"id": n} for n in range(9)]
PARAMS = {"limit": "3", "execution_date.gte": "2025-09-01"}


@pytest.fixture
def rest() -> Iterator[RestServer]:
    answers = {
        SPLITS: PAGES,
        "/v3/empty": [[]],
        "/v1/related-companies/NA": [[{"ticker": "X"}]],
        "/v1/one": [{"name": "Meta"}],
    }
    with rest_server(pages(answers)) as server:
        yield server


def api(server: RestServer, key: str = API_KEY, **settings: float) -> Api:
    return Api(
        base=server.address,
        key=key,
        **{"attempts": 3, "total_s": 20, "timeout_s": 5, "wait_s": 0.01, **settings},
    )


def told(server: RestServer, path: str = SPLITS, **settings: float) -> str:
    """The one line that asking for `path` ends with."""
    with pytest.raises(DataError) as caught:
        list(api(server, **settings).records(path, {}))
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(path)
    assert API_KEY not in line
    return line


# Pages


def test_every_page_is_fetched_once_and_in_order(rest: RestServer) -> None:
    assert list(api(rest).records(SPLITS, PARAMS)) == RECORDS
    assert [r.path for r in rest.requests] == [SPLITS] * 3
    assert rest.requests[0].query == PARAMS
    cursors = [r.query.get("cursor") for r in rest.requests]
    assert cursors == [None, f"{SPLITS}#1", f"{SPLITS}#2"]


def test_the_next_page_is_asked_for_only_when_it_is_wanted(rest: RestServer) -> None:
    records = api(rest).records(SPLITS, PARAMS)
    assert rest.requests == []
    for _ in range(3):
        next(records)
    assert len(rest.requests) == 1
    assert next(records) == {"id": 3}
    assert len(rest.requests) == 2


def test_the_key_is_in_a_header_and_never_in_an_address(rest: RestServer) -> None:
    list(api(rest).records(SPLITS, PARAMS))
    assert len(rest.requests) == 3  # the server's next_url names another host, and the key
    for request in rest.requests:
        assert request.headers["authorization"] == f"Bearer {API_KEY}"
        assert API_KEY not in request.target
        assert "apikey" not in request.target.lower()


def test_an_answer_of_one_page_is_its_result(rest: RestServer) -> None:
    assert api(rest).record("/v1/related-companies/NA", {}) == [{"ticker": "X"}]
    assert api(rest).record("/v1/one", {}) == {"name": "Meta"}
    assert api(rest).record("/v3/empty", {}) == []
    assert api(rest).record("/v1/nothing", {}) is None
    assert rest.count("/v1/nothing") == 2  # it is asked whether it is sure


def test_no_records_are_fine_and_an_unknown_path_is_not(rest: RestServer) -> None:
    assert list(api(rest).records("/v3/empty", {})) == []
    with pytest.raises(NotFoundError, match=r"^/v1/nothing: the vendor knows nothing of it \(404"):
        list(api(rest).records("/v1/nothing", {}))
    assert rest.count("/v1/nothing") == 2  # it is asked whether it is sure


def serve_one(content: Any) -> Any:
    """A server that always answers so."""
    return rest_server(lambda *_: (200, content))


@pytest.mark.parametrize(
    ("content", "good"),
    [
        ({"status": "OK"}, True),
        ({"status": "OK", "count": 0}, True),
        ({"status": "OK", "results": None, "resultsCount": 0}, True),
        ({"status": "DELAYED", "results": []}, True),
        ({"status": "OK", "count": 3}, False),
        ({"status": "OK", "resultsCount": 3}, False),
        ({"status": "DELAYED"}, False),
        ({}, False),
        ({"status": "ERROR", "results": [], "error": f"no plan\nfor {API_KEY}"}, False),
        ({"status": "OK", "results": {"a": 1}}, False),
        ({"status": "OK", "results": "none"}, False),
    ],
)
def test_results_may_be_left_out_only_where_there_are_none(content: Any, good: bool) -> None:
    with serve_one(content) as server:
        if good:
            assert list(api(server).records(SPLITS, {})) == []
        else:
            line = told(server)
            assert ("no plan for ***" in line) == ("error" in content)
        assert len(server.requests) == 1


# next_url


def follow(next_url: Any, base_path: str = "") -> tuple[list[str], list[Any] | str]:
    """Targets asked for when the first page names `next_url`, and the records or the error."""

    def respond(path: str, query: Mapping[str, str], base: str) -> tuple[int, Any]:
        first = not query
        url = next_url.format(base=base) if isinstance(next_url, str) else next_url
        more = {"next_url": url} if first else {}
        return 200, {"status": "OK", "results": [1 if first else 2], **more}

    with rest_server(respond) as server:
        client = Api(base=server.address + base_path, key=API_KEY, attempts=1)
        try:
            found: list[Any] | str = list(client.records("/v3/x", {}))
        except DataError as error:
            found = str(error)
        return [request.target for request in server.requests], found


@pytest.mark.parametrize(
    ("next_url", "target"),
    [
        ("{base}/v3/x?cursor=a%2Fb%3D%3D", "/v3/x?cursor=a%2Fb%3D%3D"),
        ("/v3/x?cursor=a", "/v3/x?cursor=a"),
        ("https://api.polygon.io/v3/x?cursor=a", "/v3/x?cursor=a"),
        ("http://user:pw@evil.example/v3/x?cursor=a", "/v3/x?cursor=a"),
        ("{base}/v3/x?apiKey=planted&cursor=a&APIKEY=b&api_key=c&api%4Bey=d", "/v3/x?cursor=a"),
        (f"{{base}}/v3/x?token={API_KEY}&cursor=a#part", "/v3/x?cursor=a"),
    ],
)
def test_of_next_url_only_path_and_query_count(next_url: str, target: str) -> None:
    assert follow(next_url) == (["/v3/x", target], [1, 2])


def test_a_base_with_a_path_keeps_it() -> None:
    assert follow("{base}/proxy/v3/x?cursor=a", "/proxy") == (
        ["/proxy/v3/x", "/proxy/v3/x?cursor=a"],
        [1, 2],
    )
    assert follow("https://api.massive.com/v3/x?cursor=a", "/proxy/")[0][1] == (
        "/proxy/v3/x?cursor=a"
    )


@pytest.mark.parametrize("next_url", [7, ["a"], "?cursor=a", "https://[::1", "mailto:x"])
def test_a_next_url_that_is_no_address_is_one_line(next_url: Any) -> None:
    targets, line = follow(next_url)
    assert targets == ["/v3/x"]
    assert re.match(r"^/v3/x: next_url (is no|has no)", str(line))


@pytest.mark.parametrize("next_url", [None, ""])
def test_an_empty_next_url_is_the_end(next_url: Any) -> None:
    assert follow(next_url) == (["/v3/x"], [1])


@pytest.mark.parametrize(
    ("first", "again", "asked"),
    [
        ({}, "/v3/x", 1),  # itself
        ({}, "/v3/x?apiKey=planted", 1),
        ({"b": "1", "a": "2 3"}, "/v3/x?a=2%203&b=1", 1),  # the same in other words
        ({"a": "1"}, "/v3/x?cursor=loop", 2),  # a later page
    ],
)
def test_pages_that_go_in_a_circle_are_an_error(
    first: dict[str, str], again: str, asked: int
) -> None:
    with serve_one({"status": "OK", "results": [1], "next_url": again}) as server:
        with pytest.raises(DataError, match=r"^/v3/x: page \d names a page before it") as caught:
            list(api(server).records("/v3/x", first))
        assert len(server.requests) == asked
    assert "planted" not in str(caught.value)
    assert again.partition("?apiKey")[0] in str(caught.value)


# Faults


FAULTS = {
    "429": Fault(status=429),
    "429, at once": Fault(status=429, headers={"Retry-After": "0"}),
    "500": Fault(status=500),
    "503": Fault(status=503, body=b"<html>"),
    "reset": RESET,
    "truncated": TRUNCATED,
    "slow": Fault(delay_s=0.5),
    "no JSON": Fault(body=b'{"status": "OK", "results": [{'),
    "no object": Fault(body=b"[]"),
    "not even text": Fault(body=b"\xff\xfe\x00"),
    "not compressed": Fault(headers={"Content-Encoding": "gzip"}),
    "404": Fault(status=404),
    "a date of no calendar": Fault(
        status=503, headers={"Retry-After": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_passes_is_not_seen(rest: RestServer, name: str) -> None:
    rest.fail("limit=3", FAULTS[name])  # the first page
    rest.fail("#2", FAULTS[name])  # the last
    assert list(api(rest, timeout_s=0.25).records(SPLITS, PARAMS)) == RECORDS
    assert len(rest.requests) == 5


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("429", r"the vendor answers 429 \(attempt 3, after 0 s\); run again later$"),
        ("500", "the vendor answers 500"),
        ("reset", r"http://127\.0\.0\.1:\d+ gives no whole answer \((Read|RemoteProtocol)Error\)"),
        ("truncated", r"gives no whole answer \(RemoteProtocolError\)"),
        ("slow", r"gives no whole answer \(ReadTimeout\)"),
        ("no JSON", r"the answer is no JSON object \(\d+ bytes\)"),
        ("no object", r"the answer is no JSON object \(2 bytes\)"),
        ("not compressed", r"gives no whole answer \(DecodingError\)"),
    ],
)
def test_a_fault_that_stays_is_one_line_after_some_attempts(
    rest: RestServer, name: str, line: str
) -> None:
    rest.fail(SPLITS, FAULTS[name], always=True)
    assert re.search(line, told(rest, timeout_s=0.25))
    assert len(rest.requests) == 3


def test_a_page_that_was_named_and_is_not_there_is_no_end(rest: RestServer) -> None:
    rest.fail("#2", Fault(status=404), always=True)
    line = told(rest)
    assert "page 3: the vendor knows nothing of it (404), and has named it; run again" in line
    with pytest.raises(DataError) as caught:
        list(api(rest).records(SPLITS, {}))
    assert not isinstance(caught.value, NotFoundError)  # else a ticker would lose its last records


@pytest.mark.parametrize("results", ["none", 7, True])
def test_a_result_that_is_neither_object_nor_list_is_one_line(results: Any) -> None:
    with (
        serve_one({"status": "OK", "results": results}) as server,
        pytest.raises(DataError, match=r"^/v1/one: `results` is no object or list but "),
    ):
        api(server).record("/v1/one", {})


def test_a_404_among_other_faults_is_not_believed(rest: RestServer) -> None:
    rest.fail("", Fault(status=404), Fault(status=500), Fault(status=404))
    with pytest.raises(DataError, match=r"\(404\); .* \(attempt 3, ") as caught:
        api(rest).record("/v1/one", {})
    assert not isinstance(caught.value, NotFoundError)


def test_a_status_that_repeats_the_key_is_blotted(rest: RestServer) -> None:
    body = json.dumps({"status": f"no key\n{API_KEY}", "count": [API_KEY]}).encode()
    rest.fail("", Fault(body=body), always=True)
    assert "without `results` (status 'no key ***', count \"['***']\")" in told(rest)


def test_retry_after_is_obeyed(rest: RestServer) -> None:
    rest.fail("", Fault(status=429, headers={"Retry-After": "1"}))
    start = time.monotonic()
    assert list(api(rest).records("/v3/empty", {})) == []
    assert 1.0 <= time.monotonic() - start < 2.0
    assert len(rest.requests) == 2


def test_a_wait_beyond_the_time_allowed_ends_at_once(rest: RestServer) -> None:
    later = format_datetime(datetime.fromtimestamp(time.time() + 3600, UTC), usegmt=True)
    for value in ("3600", later):
        rest.fail("", Fault(status=429, headers={"Retry-After": value}))
        start = time.monotonic()
        assert "answers 429 and asks to wait 3" in told(rest)
        assert time.monotonic() - start < 1.0
    assert len(rest.requests) == 2


def test_attempts_end_with_the_time_allowed(rest: RestServer) -> None:
    rest.fail("", Fault(status=500), always=True)
    start = time.monotonic()
    told(rest, attempts=1000, total_s=0.5, wait_s=0.1)
    assert 0.3 < time.monotonic() - start < 1.5
    assert 2 <= len(rest.requests) < 8


def test_an_answer_that_drips_ends_with_the_time_allowed(rest: RestServer) -> None:
    rest.fail("", Fault(drip_s=0.05), always=True)
    start = time.monotonic()
    assert "the answer takes too long (attempt 1" in told(rest, total_s=0.4)
    assert time.monotonic() - start < 1.5


def test_a_server_that_is_down_is_one_line() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    client = Api(base=address, key=API_KEY, attempts=2, wait_s=0.01)
    with pytest.raises(DataError, match=rf"^/v3/x: {address} cannot be reached .*\(attempt 2, "):
        client.record("/v3/x", {})


# Refusals


def test_a_wrong_key_is_one_line_at_once(rest: RestServer) -> None:
    with pytest.raises(DataError, match=r"refuses the key \(401\); check MASSIVE_API_KEY$") as no:
        list(api(rest, key="another-key").records(SPLITS, {}))
    assert "another-key" not in str(no.value)  # though the server says it
    assert len(rest.requests) == 1


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (403, r"not allowed \(403: Not entitled, key \*\*\*\); check MASSIVE_API_KEY and what its"),
        (400, r"the vendor answers 400: Not entitled, key \*\*\*; check"),
        (302, r"the vendor answers 302: Not entitled, key \*\*\*; check MASSIVE_API_BASE"),
    ],
)
def test_a_refusal_is_one_line_at_once(rest: RestServer, status: int, line: str) -> None:
    body = json.dumps({"status": "ERROR", "message": f"Not entitled,\nkey {API_KEY}"}).encode()
    away = {"Location": "http://127.0.0.1:1/"}
    rest.fail("", Fault(status=status, body=body, headers=away), always=True)
    assert re.search(line, told(rest))
    assert len(rest.requests) == 1


def test_a_refusal_without_words_is_one_line_too(rest: RestServer) -> None:
    for body in (b"", b"<html>", b"[]", b'{"error": 7}'):
        rest.fail("", Fault(status=403, body=body))
        assert "not allowed (403); check" in told(rest)


@pytest.mark.parametrize("key", ["", "a b", "planted\n", "planted\u00e9", "\x00planted"])
def test_a_key_that_is_none_is_not_shown(key: str) -> None:
    with pytest.raises(DataError, match="MASSIVE_API_KEY is empty, or has") as caught:
        Api(base=BASE, key=key)
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    "base",
    [
        "api.massive.com",
        "ftp://x",
        "https://",
        "http://[",
        "http://u:pw@x",
        "http://x?k=1",
        "http://x:a",
    ],
)
def test_a_base_that_is_none_is_one_line(base: str) -> None:
    with pytest.raises(DataError, match=r"^MASSIVE_API_BASE is not an address such as https://"):
        Api(base=base, key=API_KEY)


def test_the_key_is_in_no_text_of_the_client() -> None:
    client = Api(base=BASE, key=API_KEY)
    assert API_KEY not in f"{client} {client!r} {client._client.headers!r}"


# Retry-After


@given(st.integers(0, 10**6))
def test_seconds_and_dates_mean_the_same(seconds: int) -> None:
    now = 1_757_000_000
    date = format_datetime(datetime.fromtimestamp(now + seconds, UTC), usegmt=True)
    assert retry_after(f" {seconds} ", now) == retry_after(date, now) == float(seconds)
    assert retry_after(date, now + 2e6) == 0.0  # it is past


@given(st.text(max_size=30))
def test_other_values_mean_nothing(text: str) -> None:
    found = retry_after(text, 1_757_000_000)
    assert found is None or found >= 0.0


@pytest.mark.parametrize("value", [None, "", "soon", "-5", "1.5", "inf", "nan", "٣"])
def test_a_value_that_is_no_time_is_none(value: str | None) -> None:
    assert retry_after(value, 0.0) is None

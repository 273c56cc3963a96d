"""Local servers in the vendor's place: an S3 bucket (moto) and a REST API, with faults to order.

    with s3_server(flat_files(seed=1, days=["2025-09-03"])) as s3, rest_server(pages) as rest:
        run(env=os.environ | s3.environment | rest.environment)

Both listen on 127.0.0.1, remember the requests, and fail the next ones when told:

    s3.fail("2025-09-03.csv.gz", TRUNCATED, Fault(status=500))   # the next two for it
    rest.fail("/v3/reference/splits", Fault(status=429, headers={"Retry-After": "1"}))
    rest.fail("", Fault(status=503), always=True)                # every request from now on
    rest.chaos = lambda request: random.choice([Fault(), RESET])  # what no order is for
"""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from tests.listeners import Listeners

BUCKET = "flatfiles"
ACCESS_KEY, SECRET_KEY = "AKIDLOCALSERVER", "planted/aws+secret"
API_KEY = "planted-api-key"
SECRETS = (SECRET_KEY, API_KEY)  # must be in no output


class Request(NamedTuple):
    """A request that came in."""

    method: str
    path: str  # decoded
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    target: str  # path and query as they came


class Reply(NamedTuple):
    """An answer on its way."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Fault(NamedTuple):
    """What a request meets instead of its answer, or on the way to it."""

    status: int | None = None  # None: the answer as it is
    headers: Mapping[str, str] = {}
    body: bytes | None = None  # None: the answer's own, or none with a status
    delay_s: float = 0.0  # before the answer
    drip_s: float = 0.0  # between two bytes of the body
    reset: bool = False  # the connection is reset before the answer; with cut: in its middle
    cut: bool = False  # the connection ends in the middle of the body
    unsized: bool = False  # no Content-Length: the body ends with the connection
    outage_s: float = 0.0  # the connection is reset, and others are refused for a time
    change: Callable[[Request, Reply], Reply] | None = None  # of the answer


RESET = Fault(reset=True)
TRUNCATED = Fault(cut=True)


class Server:
    """A running server: its address, its requests, and the faults that wait."""

    def __init__(self, answer: Callable[[Request, bytes], Reply]) -> None:
        """Take over who answers."""
        self.answer = answer
        self.address = ""  # http://127.0.0.1:port
        self.requests: list[Request] = []
        self.chaos: Callable[[Request], Fault] | None = None  # the fault of a request without one
        self.refuse: Callable[[float], None] = lambda seconds: None  # connections, for a time
        self._faults: list[tuple[str, list[Fault], bool]] = []
        self._lock = threading.Lock()

    def fail(self, part: str, *faults: Fault, always: bool = False) -> None:
        """Let the next requests whose path and query hold `part` meet `faults`, one each.

        Args:
            part: text; "" stands for every request.
            faults: in their order.
            always: repeat them for ever.
        """
        with self._lock:
            self._faults.append((part, list(faults), always))

    def heal(self) -> None:
        """Forget all faults that wait, and listen again."""
        with self._lock:
            self._faults.clear()
            self.chaos = None
        self.refuse(0)

    def count(self, part: str = "", method: str | None = None) -> int:
        """How many requests held `part` in their path and query."""
        found = [r for r in list(self.requests) if part in unquote(r.target)]
        return len([r for r in found if method in (None, r.method)])

    def take(self, request: Request) -> Fault:
        """Note a request, and take the fault that it meets."""
        with self._lock:
            self.requests.append(request)
            for part, faults, always in self._faults:
                if part in unquote(request.target) and faults:
                    fault = faults.pop(0)
                    if always:
                        faults.append(fault)
                    return fault
            return self.chaos(request) if self.chaos else Fault()


class S3Server(Server):
    """An S3 server with the bucket `flatfiles`. One at a time in a process."""

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead boto3 here, and nowhere else."""
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            **ISOLATED,
        }

    def put(self, key: str, content: bytes, *, multipart: bool = False) -> None:
        """Publish a file, or replace it; by a multipart upload its ETag is not its MD5."""
        client = self._client()
        if not multipart:
            client.put_object(Bucket=BUCKET, Key=key, Body=content)
            return
        names = {"Bucket": BUCKET, "Key": key}
        upload = names | {"UploadId": client.create_multipart_upload(**names)["UploadId"]}
        part = client.upload_part(**upload, PartNumber=1, Body=content)
        parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
        client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})

    def remove(self, key: str) -> None:
        """Take a file away."""
        self._client().delete_object(Bucket=BUCKET, Key=key)

    def open(self, files: Mapping[str, bytes]) -> None:
        """Make the bucket, empty but for `files`."""
        from moto.backends import get_backend

        get_backend("s3").reset()
        self._client().create_bucket(Bucket=BUCKET)
        for key, content in files.items():
            self.put(key, content)
        self.requests.clear()

    def _client(self) -> Any:
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.address,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )


ISOLATED = {  # no profile, and no service of a cloud machine, is asked for credentials
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}
Respond = Callable[[str, Mapping[str, str], str], tuple[int, Any]]


class RestServer(Server):
    """A REST server that wants `API_KEY` as its bearer token."""

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead `vendor.open_api` here."""
        return {"MASSIVE_API_BASE": self.address, "MASSIVE_API_KEY": API_KEY}


@contextmanager
def s3_server(files: Mapping[str, bytes] | None = None) -> Iterator[S3Server]:
    """Serve flat files: key -> content. Another access key than ACCESS_KEY is refused."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.test import Client

    moto = Client(DomainDispatcherApplication(create_backend_app))

    def answer(request: Request, body: bytes) -> Reply:
        if f"Credential={ACCESS_KEY}/" not in request.headers.get("authorization", ""):
            error = b"<Error><Code>InvalidAccessKeyId</Code><Message>%s</Message></Error>"
            told = request.headers.get("authorization", "").encode()
            return Reply(403, {"Content-Type": "application/xml"}, error % told)
        found = moto.open(
            request.target,
            base_url=server.address,
            method=request.method,
            headers=request.headers,
            data=body,
        )
        return Reply(found.status_code, dict(found.headers), found.get_data())

    server = S3Server(answer)
    with _served(server):
        server.open(files or {})
        yield server


@contextmanager
def rest_server(respond: Respond) -> Iterator[RestServer]:
    """Serve a REST API.

    Args:
        respond: path, query and the server's address -> status and JSON content; `pages` and
            `simulated` make one.
    """

    def answer(request: Request, body: bytes) -> Reply:
        if request.headers.get("authorization") != f"Bearer {API_KEY}":
            key = request.headers.get("authorization", "")
            told = {"status": "ERROR", "error": f"Unknown API key {key}"}
            return Reply(401, {"Content-Type": "application/json"}, json.dumps(told).encode())
        status, content = respond(request.path, request.query, server.address)
        return Reply(status, {"Content-Type": "application/json"}, json.dumps(content).encode())

    server = RestServer(answer)
    with _served(server):
        yield server


def pages(answers: Mapping[str, list[Any]]) -> Respond:
    """Answer from a table: path, or `path?ticker=X` -> `results` of each page; else 404.

    As the vendor does, `next_url` names another host, and the key.
    """

    def respond(path: str, query: Mapping[str, str], _base: str) -> tuple[int, Any]:
        own = f"{path}?ticker={query['ticker']}" if "ticker" in query else path
        key, _, number = query.get("cursor", f"{own}#0").rpartition("#")
        if key not in answers:
            return 404, {"status": "NOT_FOUND", "message": "not found"}
        found, place = answers[key], int(number)
        content = {"status": "OK", "request_id": "1", "results": found[place]}
        if place + 1 < len(found):
            following = urlencode({"cursor": f"{key}#{place + 1}", "apiKey": API_KEY})
            content["next_url"] = f"https://api.polygon.io{path}?{following}"
        return 200, content

    return respond


def simulated(seed: int, as_of: str) -> Respond:
    """Answer as the simulated market does."""
    from scripts.lake.simulated_api import respond

    day = date.fromisoformat(as_of)
    return lambda path, query, base: respond(seed, day, path, query, base)


@contextmanager
def file_server(files: Mapping[str, bytes | Callable[[Request], Reply]]) -> Iterator[Server]:
    """Serve files, each with its MD5 as ETag: path -> content, or who answers for it; else 404."""

    def answer(request: Request, _body: bytes) -> Reply:
        file = files.get(request.path)
        if callable(file):
            return file(request)
        if file is None:
            return Reply(404, {"Content-Type": "text/plain"}, b"Not Found")
        return Reply(200, {"ETag": f'"{hashlib.md5(file).hexdigest()}"'}, file)

    server = Server(answer)
    with _served(server):
        yield server


def flat_files(
    seed: int, days: Iterable[str], datasets: Iterable[str] | None = None
) -> dict[str, bytes]:
    """Flat files of the simulated market by their keys in the vendor's bucket."""
    from scripts.lake.landing import FOLDERS, key_of
    from scripts.lake.simulated_files import flat_file

    names = list(datasets or FOLDERS)
    return {
        key_of(name, day): flat_file(seed, name, date.fromisoformat(day))
        for day in days
        for name in names
    }


@contextmanager
def _served(server: Server) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            url = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self._body(headers)
            query = dict(parse_qsl(url.query, keep_blank_values=True))
            request = Request(self.command, unquote(url.path), query, headers, self.path)
            fault = server.take(request)
            time.sleep(fault.delay_s)
            if fault.outage_s:
                server.refuse(fault.outage_s)
            if fault.outage_s or (fault.reset and not fault.cut):
                self._drop(reset=True)
                return
            if fault.status is None:
                reply = server.answer(request, body)
            else:
                reply = Reply(fault.status, {}, b"")
            if fault.change:
                reply = fault.change(request, reply)
            content = reply.body if fault.body is None else fault.body
            self._send(Reply(reply.status, {**reply.headers, **fault.headers}, content), fault)

        def _body(self, headers: Mapping[str, str]) -> bytes:
            if headers.get("expect", "").lower() == "100-continue":
                self.send_response_only(100)
                self.end_headers()
            return self.rfile.read(int(headers.get("content-length", 0)))

        def _send(self, reply: Reply, fault: Fault) -> None:
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            own = reply.headers.get("Content-Length", "0")
            head = self.command == "HEAD"
            if fault.unsized:
                self.send_header("Connection", "close")
            else:
                self.send_header("Content-Length", own if head else str(len(reply.body)))
            self.end_headers()
            body = b"" if head else reply.body[: len(reply.body) // 2 if fault.cut else None]
            step = 1 if fault.drip_s else max(1, len(body))
            for start in range(0, len(body), step):
                self.wfile.write(body[start : start + step])
                time.sleep(fault.drip_s)
            if fault.cut:
                self._drop(reset=fault.reset)

        def _drop(self, *, reset: bool) -> None:
            self.wfile.flush()
            if reset:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
            else:
                self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815

    class Listener(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False  # a client that was left waiting does not hold the test
        allow_reuse_port = True  # the port is kept for it, see Listeners

        def handle_error(self, *_: object) -> None:
            """A client that went away is no error of the test."""

    with Listeners(lambda address: Listener(address, Handler)) as listeners:
        server.address = "http://{}:{}".format(*listeners.address)
        server.refuse = listeners.pause
        yield

"""Files from public web servers: patience, redirects, whole content or nothing, a manifest."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Generic, NamedTuple, Self, TypeVar
from urllib.parse import quote, urljoin, urlsplit

import httpx

from scripts.atomic import atomic
from scripts.errors import DataError
from scripts.nfl.contents import unpacked
from scripts.patience import (
    OVERLOADED,
    AbsentError,
    PassingError,
    Patience,
    persist,
    retry_after,
)

REDIRECTS = 5
CONNECT_S = 20
SHOWN = 200  # characters of the server's words in an error
SELF_ENDING = (b"\x1f\x8b", b"PAR1", b"{", b"[")  # gzip, parquet, JSON: half of one is none
T = TypeVar("T")
Accept = Callable[[bytes, str], T]  # body and place; raises PassingError or DataError


class Answer(NamedTuple, Generic[T]):
    """The bytes that came, their ETag without quotes, what `accept` made of them."""

    body: bytes
    etag: str | None
    content: T


class Web:
    """Public web servers, asked politely. Close it, or use it in `with`."""

    def __init__(self, patience: Patience, transport: httpx.BaseTransport | None = None) -> None:
        """Take over the settings; nothing is asked yet.

        Args:
            patience: with each request.
            transport: who answers; None: the network.
        """
        self._patience = patience
        # Files are wanted as they are stored, so that a length or checksum is the file's own.
        headers = {"Accept-Encoding": "identity", "User-Agent": "almanac"}
        self._client = httpx.Client(headers=headers, transport=transport)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the connections."""
        self._client.close()

    def fetch(
        self,
        url: str,
        accept: Accept[T],
        *,
        query: Mapping[str, str] | None = None,
        secret: str | None = None,
        place: str | None = None,
        hint: str = "check the address, and what it lets you have",
    ) -> Answer[T]:
        """One whole answer.

        A body that does not tell where it ends is asked for again: it is whole if it comes twice.

        Args:
            url: http or https. Redirects are followed, but never from https to http.
            accept: checks the body and makes something of it; its PassingErrors are tried again.
            query: added to the address, and never shown.
            secret: value in the query that no error may show; with one no redirect is followed.
            place: what errors call it; None: the address without its query.
            hint: what to do about a refusal.

        Raises:
            AbsentError: there is none (404, 410).
            DataError: the server refuses, or gives nothing usable in all attempts.
        """
        place = place or shown(url)
        whole = str(httpx.URL(checked(url), params=query)) if query else checked(url)
        unsized: list[bytes] = []  # the last body that may have been cut

        def attempt(deadline: float) -> Answer[T]:
            response, body = self._follow(whole, place, deadline, 0 if secret else REDIRECTS)
            _understand(response, body, place, secret, hint)
            body = _decoded(response, body, place)
            if not body:
                raise PassingError(f"{place}: the answer is empty (0 bytes)")
            if not (_has_end(response) or body.startswith(SELF_ENDING) or body in unsized):
                unsized[:] = [body]
                raise PassingError(
                    f"{place}: {len(body)} bytes came without their length, and not twice the same"
                )
            etag = response.headers.get("ETag")
            if etag is not None:
                etag = etag.removeprefix("W/").strip('"')
            try:
                return Answer(body, etag, accept(body, place))
            except (PassingError, DataError) as error:  # it may cite what came
                raise type(error)(_hidden(str(error), secret)) from None

        return persist(attempt, self._patience)

    def _follow(
        self, url: str, place: str, deadline: float, redirects: int
    ) -> tuple[httpx.Response, bytes]:
        """The answer at an address, or where that redirects to."""
        for _ in range(redirects + 1):
            response, body = self._ask(url, place, deadline)
            if not (response.has_redirect_location and redirects):
                return response, body
            try:
                target = urljoin(url, response.headers["Location"])
            except ValueError:
                target = ""
            next_url = checked(target, f"{place}: redirects to {shown(target)}, which")
            if _secure(url) and not _secure(next_url):
                raise DataError(f"{place}: redirects from https to {shown(target)}; not followed")
            url = next_url
        raise DataError(f"{place}: more than {redirects} redirects; check the address")

    def _ask(self, url: str, place: str, deadline: float) -> tuple[httpx.Response, bytes]:
        """One request."""
        host = f"{urlsplit(url).scheme}://{urlsplit(url).netloc.rpartition('@')[2]}"
        left_s = max(0.001, min(self._patience.timeout_s, deadline - time.monotonic()))
        timeout = httpx.Timeout(left_s, connect=min(left_s, CONNECT_S))
        try:
            with _unheard(), self._client.stream("GET", url, timeout=timeout) as response:
                body = bytearray()
                for piece in response.iter_raw():
                    body += piece
                    if time.monotonic() > deadline:
                        raise PassingError(
                            f"{place}: {host} is too slow, {len(body)} bytes in the time allowed"
                        )
                return response, bytes(body)
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise DataError(f"{place}: cannot be asked for ({type(error).__name__})") from None
        except httpx.ConnectError as error:
            raise PassingError(f"{place}: {host} cannot be reached ({error})") from None
        except httpx.RequestError as error:
            found = type(error).__name__
            raise PassingError(f"{place}: {host} gives no whole answer ({found})") from None


def download(
    url: str,
    out: Path,
    manifest: Path,
    *,
    as_of: str | None,
    accept: Accept[bytes] | None = None,
    transport: httpx.BaseTransport | None = None,
    **patience: float,
) -> dict:
    """Fetch a file. After a failure, `out` and `manifest` are what they were before.

    Args:
        url: of the file.
        out: file to write.
        manifest: JSON to write after it: url without its query, path of `out`, size in bytes and
            sha256 of it, etag, landed_at (UTC), as_of; and `whole`: size and sha256 of what came,
            where that is not the same.
        as_of: day that the file stands for, YYYY-MM-DD; None: any.
        accept: checks what came and returns the bytes to keep; None: all of them.
        transport: who answers; None: the network.
        **patience: fields of `Patience`.

    Returns:
        what was written to `manifest`.

    Raises:
        NotFoundError: there is no such file, or not yet.
        DataError: as `Web.fetch`.
    """
    with Web(Patience(**patience), transport) as web:
        answer = web.fetch(url, accept or (lambda body, place: body))
    record = {
        "url": shown(url),
        "path": str(out),
        **_digest(answer.content),
        "etag": answer.etag,
        "landed_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "as_of": as_of,
    }
    if answer.content != answer.body:
        record["whole"] = _digest(answer.body)
    # The manifest takes its place last, and neither does where either cannot be written.
    with atomic(manifest) as told, atomic(out) as kept:
        kept.write_bytes(answer.content)
        told.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return record


def shown(url: str) -> str:
    """An address as it may be told: without user, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(no address)"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if url else "(no address)"


def checked(url: str, what: str = "") -> str:
    """An address of the web.

    Args:
        url: the address.
        what: the beginning of the error; "": the address as it may be told.

    Raises:
        DataError: it is none.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
        good = good and url.isascii() and url.isprintable() and " " not in url
    except ValueError:
        good = False
    if not good:
        raise DataError(f"{what or shown(url)} is no address such as https://host/path")
    return url


def sha256(body: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(body).hexdigest()


def _digest(body: bytes) -> dict:
    return {"size": len(body), "sha256": sha256(body)}


def _secure(url: str) -> bool:
    return urlsplit(url).scheme == "https"


@contextmanager
def _unheard() -> Iterator[None]:
    """Keep the client from logging addresses, whose queries hold keys and signatures."""
    loggers = [logging.getLogger(name) for name in ("httpx", "httpcore")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _understand(
    response: httpx.Response, body: bytes, place: str, secret: str | None, hint: str
) -> None:
    """Pass an answer with status 200.

    Raises:
        PassingError: 408, 429, 5xx.
        AbsentError: 404, 410.
        DataError: any other status.
    """
    status, host = response.status_code, response.url.host
    if status in (408, OVERLOADED) or status >= 500:
        wait_s = retry_after(response.headers.get("Retry-After"), time.time())
        wish = "" if wait_s is None else f" and asks to wait {wait_s:.0f} s"
        raise PassingError(f"{place}: {host} answers {status}{wish}", wait_s)
    if status in (404, 410):
        raise AbsentError(
            f"{place}: not there ({status}): not published yet, or the address is another; check "
            "the base address, or run again later"
        )
    if status != 200:
        raise DataError(f"{place}: {host} answers {status}{_words(body, secret)}; {hint}")


def _has_end(response: httpx.Response) -> bool:
    """Whether an answer tells where its body ends: its length, or a mark at its end (chunked)."""
    headers = response.headers
    chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
    return chunked or "Content-Length" in headers


def _words(body: bytes, secret: str | None) -> str:
    """`: ` and the message in a JSON error, in one line, the secret blotted out; or ''."""
    try:
        told = json.loads(body)
        found = [told.get(name) for name in ("message", "error", "error_code")]
    except (ValueError, RecursionError, AttributeError):
        return ""
    text = " ".join(" ".join(word for word in found if isinstance(word, str)).split())
    return f": {_hidden(text, secret)[:SHOWN]}" if text else ""


def _hidden(text: str, secret: str | None) -> str:
    """A text with the secret blotted out."""
    for form in (secret, quote(secret, safe="")) if secret else ():
        text = text.replace(form, "***")
    return text


def _decoded(response: httpx.Response, body: bytes, place: str) -> bytes:
    """The file that was asked for, where the server packed it though it was asked not to.

    A file that is gzip itself often comes with `Content-Encoding: gzip`, and stays as it is.
    """
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if coding == "identity" or (coding == "gzip" and response.url.path.endswith(".gz")):
        return body
    if coding == "gzip":
        return unpacked(body, place)
    raise PassingError(f"{place}: the answer is packed as {coding[:20]!r}")

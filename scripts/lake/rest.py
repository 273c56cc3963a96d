"""Client of the vendor's REST API: pages, patience, and a key that is never shown."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode, urlsplit

import httpx

from scripts.errors import DataError
from scripts.patience import (
    OVERLOADED,
    AbsentError,
    PassingError,
    Patience,
    persist,
    retry_after,
)

BASE = "https://api.massive.com"
KEY_NAMES = {"apikey", "api_key"}  # of the query, in any case
SHOWN = 200  # characters of the vendor's words in an error


class Answer(NamedTuple):
    """Status of an answer, its Retry-After in seconds, its body."""

    status: int
    retry_after_s: float | None
    body: bytes


class Api:
    """The vendor's REST API.

    The key travels in the header `Authorization` only. Redirects are not followed.

    Args:
        base: `https://host`, maybe with a path.
        key: the API key.
        transport: who answers; None: the network.
        attempts: of one page.
        total_s: for all attempts of one page, with the waits between them.
        timeout_s: to connect, and between two pieces of an answer.
        wait_s: before the second attempt; doubles every time.
        wait_max_s: longest wait that is not the vendor's wish.

    Raises:
        DataError: base or key cannot be used.
    """

    def __init__(
        self,
        *,
        base: str,
        key: str,
        transport: httpx.BaseTransport | None = None,
        attempts: int = 8,
        total_s: float = 600,
        timeout_s: float = 60,
        wait_s: float = 1,
        wait_max_s: float = 60,
    ) -> None:
        """Take over the settings; nothing is asked yet."""
        self._base, self._prefix = _checked_base(base)
        self._key = _checked_key(key)
        self._patience = Patience(attempts, total_s, timeout_s, wait_s, wait_max_s)
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {self._key}", "Accept": "application/json"},
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, 20)),
            transport=transport,
        )

    def __repr__(self) -> str:
        """The base, without the key."""
        return f"Api({self._base})"

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def records(self, path: str, params: Mapping[str, str]) -> Iterator[Any]:
        """The records of all pages of an answer; every page is fetched once, and one is held.

        Args:
            path: of the endpoint, `/v3/reference/splits`; odd characters percent-encoded.
            params: of its query.

        Raises:
            AbsentError: 404.
            DataError: the vendor refuses or fails, an answer is none, or pages repeat; or it does
                not know a page that it has named.
        """
        target: str | None = _target(path, params)
        seen: set[str] = set()
        while target is not None:
            if _identity(target) in seen:
                raise DataError(
                    f"{path}: page {len(seen)} names a page before it as the next one "
                    f"({self._told(target)}): the vendor's pages go in a circle; run again later"
                )
            seen.add(_identity(target))
            place = path if len(seen) == 1 else f"{path}, page {len(seen)}"
            try:
                body = self._fetch(target, place)
            except AbsentError:
                if len(seen) == 1:
                    raise
                raise DataError(
                    f"{place}: the vendor knows nothing of it (404), and has named it; run again "
                    "later"
                ) from None
            results = self._results(body, place)
            if not isinstance(results, list):
                found = type(results).__name__
                raise DataError(f"{place}: `results` is no list but {found}; run again later")
            yield from results
            target = self._next(body.get("next_url"), place)

    def record(self, path: str, params: Mapping[str, str]) -> Any:
        """The result of one answer, an object or a list; None where the vendor has none (404).

        Args:
            path: of the endpoint; odd characters percent-encoded.
            params: of its query.

        Raises:
            DataError: the vendor refuses or fails, or the answer is none.
        """
        try:
            results = self._results(self._fetch(_target(path, params), path), path)
        except AbsentError:
            return None
        if not isinstance(results, dict | list):
            found = type(results).__name__
            raise DataError(f"{path}: `results` is no object or list but {found}; run again later")
        return results

    def _next(self, url: Any, place: str) -> str | None:
        """Path and query of the next page on our base, without a key; None after the last."""
        if url is None or url == "":
            return None
        if not isinstance(url, str):
            raise DataError(f"{place}: next_url is no text but {type(url).__name__}")
        try:
            parts = urlsplit(url)
        except ValueError:
            raise DataError(f"{place}: next_url is no address; run again later") from None
        path = parts.path.removeprefix(self._prefix)
        if not path.startswith("/"):
            raise DataError(f"{place}: next_url has no path; run again later")
        kept = [part for part in parts.query.split("&") if part and not self._is_key(part)]
        return f"{path}?{'&'.join(kept)}" if kept else path

    def _is_key(self, part: str) -> bool:
        """Whether a `name=value` of a query holds the key, by its name or its value."""
        name, _, value = part.partition("=")
        return unquote_plus(name).lower() in KEY_NAMES or unquote_plus(value) == self._key

    def _fetch(self, target: str, place: str) -> dict:
        """The JSON object at a path and query, in as many attempts as it takes."""
        return persist(
            lambda deadline: self._understand(self._ask(target, place, deadline), place),
            self._patience,
        )

    def _ask(self, target: str, place: str, deadline: float) -> Answer:
        """One request."""
        try:
            with self._client.stream("GET", self._base + target) as response:
                body = bytearray()
                for piece in response.iter_bytes():
                    body += piece
                    if time.monotonic() > deadline:
                        raise PassingError(f"{place}: the answer takes too long")
                wait_s = retry_after(response.headers.get("Retry-After"), time.time())
                return Answer(response.status_code, wait_s, bytes(body))
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise DataError(f"{place}: cannot be asked for ({type(error).__name__})") from None
        except httpx.ConnectError as error:
            raise PassingError(f"{place}: {self._base} cannot be reached ({error})") from None
        except httpx.RequestError as error:
            found = type(error).__name__
            raise PassingError(f"{place}: {self._base} gives no whole answer ({found})") from None

    def _understand(self, answer: Answer, place: str) -> dict:
        """The JSON object in an answer.

        Raises:
            PassingError: 429, 5xx, or no JSON object.
            AbsentError: 404.
            DataError: any other status.
        """
        status = answer.status
        if status == OVERLOADED or status >= 500:
            wait_s = answer.retry_after_s
            wish = "" if wait_s is None else f" and asks to wait {wait_s:.0f} s"
            raise PassingError(f"{place}: the vendor answers {status}{wish}", wait_s)
        if status == 404:
            raise AbsentError(
                f"{place}: the vendor knows nothing of it (404); check MASSIVE_API_BASE"
            )
        if status == 401:
            raise DataError(f"{place}: the vendor refuses the key (401); check MASSIVE_API_KEY")
        words = self._words(answer.body)
        if status == 403:
            raise DataError(
                f"{place}: not allowed (403{words}); check MASSIVE_API_KEY and what its plan covers"
            )
        if status != 200:
            raise DataError(f"{place}: the vendor answers {status}{words}; check MASSIVE_API_BASE")
        try:
            body = json.loads(answer.body)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise PassingError(f"{place}: the answer is no JSON object ({len(answer.body)} bytes)")
        if body.get("status") == "ERROR":
            raise DataError(f"{place}: the vendor reports an error{words}; run again later")
        return body

    def _words(self, body: bytes) -> str:
        """`: ` and what the vendor says in an error, in one line, the key blotted out; or ''."""
        try:
            told = json.loads(body)
            text = told.get("error") or told.get("message")
        except (ValueError, RecursionError, AttributeError):
            return ""
        if not isinstance(text, str):
            return ""
        return f": {self._told(text)}"

    def _told(self, text: str) -> str:
        """Words of the vendor's in one line, the key blotted out."""
        for secret in (self._key, quote(self._key, safe="")):
            text = text.replace(secret, "***")
        return " ".join(text.split())[:SHOWN]

    def _results(self, body: Mapping[str, Any], place: str) -> Any:
        """`results` of an answer; [] where it may be left out: status OK, and no count but 0."""
        results = body.get("results")
        if results is not None:
            return results
        count = body.get("count", body.get("resultsCount"))
        if body.get("status") == "OK" and not count:
            return []
        raise DataError(
            f"{place}: an answer without `results` (status {self._told(str(body.get('status')))!r},"
            f" count {self._told(str(count))!r}); run again later"
        )


def _checked_base(base: str) -> tuple[str, str]:
    """A base address without the slash at its end, and its path."""
    try:
        parts = urlsplit(base)
        whole = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        whole = False
    if not whole or parts.username is not None or parts.query or parts.fragment:
        raise DataError("MASSIVE_API_BASE is not an address such as https://api.massive.com")
    return base.rstrip("/"), parts.path.rstrip("/")


def _checked_key(key: str) -> str:
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise DataError(
            "MASSIVE_API_KEY is empty, or has spaces or characters that no key has: copy it again"
        )
    return key


def _target(path: str, params: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(params)}" if params else path


def _identity(target: str) -> str:
    """What two ways to write a path and query have in common."""
    path, _, query = target.partition("?")
    return f"{path}?{urlencode(sorted(parse_qsl(query, keep_blank_values=True)))}"

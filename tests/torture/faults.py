"""What a server does to requests when it has a bad day, drawn from a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from tests.servers import RESET, TRUNCATED, Fault, Reply, Request

PAGE = b"<!DOCTYPE html><html><body>Please sign in to the network</body></html>\n"
LEAST, MOST = 0.1, 0.6  # share of the requests that meet a fault
WAITS = ("0", "1", "3600", "soon", "-1", "9" * 400, "Mon, 01 Jan 99999999999999999999 00:00:00 GMT")


def secret_of(request: Request) -> str:
    """What a server that tells too much would repeat of a request."""
    return f"{request.target} {request.headers.get('authorization', '')}"


def _echoes(kind: str) -> Callable[[Request, Reply], Reply]:
    """An answer with status 200 that repeats the request: as a page, as text or as an error."""

    def change(request: Request, _: Reply) -> Reply:
        told = secret_of(request)
        forms = {
            "page": f"<html><body>Cannot GET {told}</body></html>",
            "text": told,
            "error": json.dumps({"status": "ERROR", "error": f"no {told}", "message": told}),
            "status": json.dumps({"status": told, "count": 7, "timestamp": told, "data": []}),
        }
        return Reply(200, {}, forms[kind].encode())

    return change


def _refuses(status: int) -> Callable[[Request, Reply], Reply]:
    """A refusal that repeats the request."""

    def change(request: Request, _: Reply) -> Reply:
        told = json.dumps({"status": "NOT_FOUND", "message": f"not found: {secret_of(request)}"})
        return Reply(status, {"Content-Type": "application/json"}, told.encode())

    return change


def _short(rng: random.Random) -> Fault:
    """A body that ends early, with the connection; at the end of a line, where it has lines."""
    share, at_line = rng.random(), rng.random() < 0.5

    def change(_: Request, reply: Reply) -> Reply:
        end = int(share * len(reply.body))
        if at_line:
            end = reply.body.rfind(b"\n", 0, end) + 1 or end
        return reply._replace(body=reply.body[:end])

    return Fault(unsized=True, change=change)


def _wrong_etag(request: Request, reply: Reply) -> Reply:
    """The ETag of another file, where there is one."""
    named = request.method == "GET" and "ETag" in reply.headers
    return reply._replace(headers={**reply.headers, "ETag": f'"{"0" * 32}"'}) if named else reply


def _circle(request: Request, reply: Reply) -> Reply:
    """A page that names itself as the next one."""
    try:
        told = json.loads(reply.body)
    except ValueError:
        return reply
    if reply.status != 200 or not isinstance(told, dict) or "next_url" not in told:
        return reply
    told["next_url"] = request.target
    return reply._replace(body=json.dumps(told).encode())


WRONG_JSON = (b"[]", b"{}", b"null", b'{"results": "none"}', b'{"status": "OK", "count": 3}', b"{")
FAULTS: dict[str, Callable[[random.Random], Fault]] = {
    "429": lambda rng: Fault(status=429, headers={"Retry-After": rng.choice(WAITS)}),
    "5xx": lambda rng: Fault(status=rng.choice((500, 502, 503)), body=rng.choice((PAGE, b""))),
    "reset": lambda rng: RESET,
    "reset in the body": lambda rng: Fault(cut=True, reset=True),
    "slow": lambda rng: Fault(delay_s=rng.choice((0.3, 3))),
    "drips": lambda rng: Fault(drip_s=rng.choice((0.0005, 0.05))),
    "truncated": lambda rng: TRUNCATED,
    "short": _short,
    "a page": lambda rng: Fault(status=200, body=PAGE),
    "a page in its place": lambda rng: Fault(body=PAGE),
    "empty": lambda rng: Fault(status=200),
    "wrong JSON": lambda rng: Fault(body=rng.choice(WRONG_JSON)),
    "404": lambda rng: rng.choice((Fault(status=404), Fault(change=_refuses(404)))),
    "403": lambda rng: Fault(change=_refuses(403)),
    "outage": lambda rng: Fault(outage_s=rng.choice((0.2, 2))),
    "echo": lambda rng: Fault(change=_echoes(rng.choice(("page", "text", "error", "status")))),
    "wrong ETag": lambda rng: Fault(change=_wrong_etag),
    "circle": lambda rng: Fault(change=_circle),
}


@dataclass
class Chaos:
    """The faults of a server's requests, one after the other; it remembers which there were."""

    rng: random.Random
    without: Collection[str] = ()
    met: list[str] = field(default_factory=list)
    last: str = ""  # what the request before this one met

    def __post_init__(self) -> None:
        """Draw how bad the day is, and the kinds of fault it has."""
        self.share = self.rng.uniform(LEAST, MOST)
        known = [name for name in FAULTS if name not in self.without]
        self.kinds = self.rng.sample(known, self.rng.randint(1, len(known)))

    def __call__(self, _: Request) -> Fault:
        """What a request meets: the first one always a fault, the others as bad as the day is.

        Never a 404 twice running: that is how a server tells what really is not there.
        """
        before, self.last = self.last, ""
        if self.met and self.rng.random() >= self.share:
            return Fault()
        kind = self.rng.choice(self.kinds)
        fault = FAULTS[kind](self.rng)
        if kind == before == "404":
            return Fault()
        self.met.append(kind)
        self.last = kind
        return fault

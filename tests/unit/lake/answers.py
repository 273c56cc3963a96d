"""The vendor's REST API with the records of a test, and the files of a partition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from scripts.lake.rest import Api
from scripts.lake.vendor import open_api
from tests.servers import pages, rest_server

BROKEN = "broken"  # in the place of a page: the server answers 400


class Vendor(NamedTuple):
    """A running server's client settings, and the first request of each series, in order."""

    environment: dict[str, str]
    requests: list[tuple[str, dict[str, str]]]


@contextmanager
def serve(answers: Mapping[str, list[Any]]) -> Iterator[Vendor]:
    """Serve answers; what is not among them is 404.

    Args:
        answers: path, or `path?ticker=X` for a request with that ticker -> the `results` of each
            page.
    """
    requests: list[tuple[str, dict[str, str]]] = []
    table = pages(answers)

    def respond(path: str, query: Mapping[str, str], base: str) -> tuple[int, Any]:
        asked = (path, dict(query))
        if "cursor" not in query and requests[-1:] != [asked]:  # a 404 is asked for again
            requests.append(asked)
        status, content = table(path, query, base)
        broken = content.get("results") == BROKEN
        return (400, {"status": "ERROR", "error": "bad page"}) if broken else (status, content)

    with rest_server(respond) as server:
        yield Vendor(server.environment, requests)


def api_of(vendor: Vendor) -> Api:
    """The project's client of a running server."""
    return open_api("massive", 0, "2025-09-08", vendor.environment)


class Outs(NamedTuple):
    """The files of a partition in a test's folder."""

    partition: Path
    quarantine: Path
    reconcile: Path

    def paths(self) -> dict[str, Path]:
        """As keywords."""
        return self._asdict()


def outs(folder: Path) -> Outs:
    """Paths in `folder`, which need not exist."""
    return Outs(folder / "part.parquet", folder / "quarantine.parquet", folder / "reconcile.json")

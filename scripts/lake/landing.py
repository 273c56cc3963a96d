"""Flat files of the vendor: their keys, the check of a whole file, and what is needed of a store.

Stdlib only, and apart from the stores: a change of those lands no file again.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from scripts.atomic import atomic
from scripts.errors import DataError

FOLDERS = {  # of the vendor's bucket
    "options_daily": "us_options_opra/day_aggs_v1",
    "options_minute": "us_options_opra/minute_aggs_v1",
    "stocks_daily": "us_stocks_sip/day_aggs_v1",
    "stocks_minute": "us_stocks_sip/minute_aggs_v1",
}
SUFFIX = ".csv.gz"
HEADER = b"ticker,volume,open,close,high,low,window_start,transactions"
CHUNK = 2**16  # bytes read at a time; gzip makes at most a thousand times as many of them
GZIP = 16 + zlib.MAX_WBITS  # zlib's name for the gzip format, which checks CRC and length
SHOWN = 80  # characters of a wrong header in an error


NEEDED = ("etag", "size")
MANIFEST: Mapping[str, Callable[[object], bool]] = {  # what an entry must be, where it is there
    "etag": lambda told: isinstance(told, str) and told.isprintable(),
    "size": lambda told: type(told) is int,
    "sha256": lambda told: bool(re.fullmatch("[0-9a-f]{64}", told)),
    "landed_at": lambda told: bool(datetime.strptime(told, "%Y-%m-%dT%H:%M:%SZ")),
}


class Head(NamedTuple):
    """What a store tells of a file: its ETag without quotes, its size in bytes."""

    etag: str
    size: int


class Store(Protocol):
    """A bucket of flat files."""

    def head(self, key: str) -> Head:
        """Ask for a file without fetching it.

        Raises:
            NotFoundError: there is none.
            DataError: the store refuses, or does not answer.
        """

    def download(self, key: str, out: Path) -> Head:
        """Write a file to `out`, as long as the store says it is. Raises as `head`."""

    def fetched_at(self, day: str) -> datetime:
        """The time (UTC) to write down for a file of `day` that was fetched just now."""


class Content(NamedTuple):
    """A file that was read to its end: size in bytes, digests in hex."""

    size: int
    sha256: str
    md5: str


def key_of(dataset: str, day: str) -> str:
    """Key in the vendor's bucket of a dataset's file of a day, `2025-09-03`."""
    return f"{FOLDERS[dataset]}/{day[:4]}/{day[5:7]}/{day}{SUFFIX}"


def inspect(path: Path, place: str) -> Content:
    """Read a flat file once, to its last byte.

    Args:
        path: a csv.gz file.
        place: what to call it in an error.

    Raises:
        DataError: it is empty, not gzip, damaged, truncated, goes on after its end, or has another
            header than the vendor's.
    """
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    unpacked, size, top = Unpacked(place), 0, b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            size += len(chunk)
            sha256.update(chunk)
            md5.update(chunk)
            text = unpacked.feed(chunk)
            top += text[: len(HEADER) + 1 - len(top)]
    unpacked.finish()
    if top.removesuffix(b"\n") != HEADER:  # a file may end with its header
        shown = top.split(b"\n")[0].decode("utf-8", "replace")[:SHOWN]
        raise DataError(
            f"{place}, line 1: header begins {shown!r}, expected {HEADER.decode()!r}: not a flat "
            "file of the vendor, or of another version"
        )
    return Content(size, sha256.hexdigest(), md5.hexdigest())


class Unpacked:
    """A gzip file, of one member or several, fed piece by piece."""

    def __init__(self, place: str) -> None:
        """Begin a file that errors call `place`."""
        self._place = place
        self._member: zlib._Decompress | None = None
        self._read = 0

    def feed(self, data: bytes) -> bytes:
        """The text that `data` adds.

        Raises:
            DataError: `data` is no gzip, or damaged.
        """
        text = []
        try:
            while data:
                self._member = self._member or zlib.decompressobj(GZIP)
                text.append(self._member.decompress(data))
                left = self._member.unused_data
                self._read += len(data) - len(left)
                data = left
                if self._member.eof:
                    self._member = None
        except zlib.error as error:
            reason = str(error).rpartition(": ")[2]
            raise DataError(
                f"{self._place}: not gzip or damaged after byte {self._read} ({reason}); fetch it "
                "again"
            ) from None
        return b"".join(text)

    def finish(self) -> None:
        """Raise DataError unless the file is complete."""
        if not self._read:
            raise DataError(f"{self._place}: is empty, 0 bytes of gzip; fetch it again")
        if self._member:
            raise DataError(
                f"{self._place}: gzip ends early after byte {self._read}, the file is truncated; "
                "fetch it again"
            )


def manifest_path(file: Path) -> Path:
    """Where the manifest of a landed file is."""
    return file.with_name(f"{file.name.removesuffix(SUFFIX)}.json")


def read_manifest(path: Path) -> dict:
    """A manifest {etag, size, sha256, landed_at, as_of}, and `adopted`: true if so.

    Raises:
        DataError: it is none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        wrong = [
            n for n, test in MANIFEST.items() if n in found or n in NEEDED if not test(found[n])
        ]
        if not wrong:
            return found
        reason = f"{wrong[0]} is not as it should be"
    except KeyError as error:
        reason = f"no {error}"
    except (OSError, ValueError, TypeError, RecursionError) as error:
        reason = str(error)
    raise DataError(f"{path}: not the manifest of a flat file ({reason}); delete it")


def write_json(content: dict, out: Path) -> None:
    """Write JSON as `tables.write_json` does, without its libraries."""
    with atomic(out) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

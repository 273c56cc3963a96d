"""Seeded damage to bytes, gzip and text: what a disk, a network or an editor does to a file."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from random import Random

HTML = (
    b"<!DOCTYPE html>\n<html><head><title>503</title></head><body>Service Unavailable</body></html>"
)

OfBytes = Callable[[Random, bytes], tuple[bytes, str]]


def truncated(rng: Random, content: bytes) -> tuple[bytes, str]:
    """The end is missing."""
    kept = rng.randrange(1, max(2, len(content)))
    return content[:kept], f"truncated to {kept} of {len(content)} bytes"


def emptied(_rng: Random, _content: bytes) -> tuple[bytes, str]:
    """Nothing is left."""
    return b"", "emptied"


def flipped(rng: Random, content: bytes) -> tuple[bytes, str]:
    """One bit is another."""
    place, bit = rng.randrange(len(content)), rng.randrange(8)
    struck = bytearray(content)
    struck[place] ^= 1 << bit
    return bytes(struck), f"bit {bit} of byte {place} flipped"


def _block(rng: Random, content: bytes) -> tuple[int, int]:
    start = rng.randrange(len(content))
    return start, min(len(content), start + rng.choice((1, 16, 512, 4096)))


def zeroed(rng: Random, content: bytes) -> tuple[bytes, str]:
    """A block holds zeros, as after a crash of the machine."""
    start, end = _block(rng, content)
    return content[:start] + bytes(end - start) + content[end:], f"bytes {start}..{end} zeroed"


def repeated(rng: Random, content: bytes) -> tuple[bytes, str]:
    """A block stands there twice."""
    start, end = _block(rng, content)
    return content[:end] + content[start:], f"bytes {start}..{end} repeated"


def cut_out(rng: Random, content: bytes) -> tuple[bytes, str]:
    """A block is missing."""
    start, end = _block(rng, content)
    return content[:start] + content[end:], f"bytes {start}..{end} missing"


def garbage(rng: Random, content: bytes) -> tuple[bytes, str]:
    """Random bytes in its place."""
    return rng.randbytes(max(1, min(len(content), 4096))), "random bytes"


def appended(rng: Random, content: bytes) -> tuple[bytes, str]:
    """Garbage after the end."""
    count = rng.choice((1, 7, 64, 1024))
    return content + rng.randbytes(count), f"{count} random bytes appended"


def html(_rng: Random, _content: bytes) -> tuple[bytes, str]:
    """An error page of the web in its place."""
    return HTML, "an HTML error page"


BYTES: tuple[OfBytes, ...] = (
    *(truncated, emptied, flipped, zeroed, repeated, cut_out, garbage, appended, html),
)


def plain(_rng: Random, content: bytes) -> tuple[bytes, str]:
    """Not compressed, whatever the name says. Of gzip only."""
    return gzip.decompress(content), "plain text under the name of gzip"


def twice_compressed(_rng: Random, content: bytes) -> tuple[bytes, str]:
    """Compressed once more."""
    return gzip.compress(content, mtime=0), "compressed twice"


def other_compression(_rng: Random, content: bytes) -> tuple[bytes, str]:
    """zlib in place of gzip."""
    return zlib.compress(gzip.decompress(content)), "zlib, not gzip"


def wrong_sum(rng: Random, content: bytes) -> tuple[bytes, str]:
    """The checksum or the length at the end of gzip does not fit."""
    place = len(content) - 1 - rng.randrange(8)
    struck = bytearray(content)
    struck[place] ^= 1 << rng.randrange(8)
    return bytes(struck), f"gzip trailer, byte {place} changed"


def recompressed(how: OfBytes) -> OfBytes:
    """A blow on the text inside gzip, which itself is whole."""

    def struck(rng: Random, content: bytes) -> tuple[bytes, str]:
        inside, what = how(rng, gzip.decompress(content))
        return gzip.compress(inside, mtime=0), f"inside gzip: {what}"

    return struck


GZIP: tuple[OfBytes, ...] = (*BYTES, plain, twice_compressed, other_compression, wrong_sum)


# ---- text


def with_bom(_rng: Random, content: bytes) -> tuple[bytes, str]:
    """A byte order mark in front."""
    return b"\xef\xbb\xbf" + content, "a BOM in front"


def with_crlf(_rng: Random, content: bytes) -> tuple[bytes, str]:
    """Lines end as on Windows."""
    return content.replace(b"\n", b"\r\n"), "CRLF line ends"


def utf16(_rng: Random, content: bytes) -> tuple[bytes, str]:
    """Another encoding altogether."""
    return content.decode("utf-8", "replace").encode("utf-16"), "UTF-16"


def inserted(rng: Random, content: bytes) -> tuple[bytes, str]:
    """A byte that no text has at that place: NUL, latin-1, a control character."""
    place = rng.randrange(len(content))
    byte = rng.choice((b"\x00", b"\xe9", b"\xff", b"\x1a", b"\xc3", b"\xed\xa0\x80"))
    return content[:place] + byte + content[place:], f"{byte!r} inserted at byte {place}"


def without_end(_rng: Random, content: bytes) -> tuple[bytes, str]:
    """The last line has no line end."""
    return content.rstrip(b"\r\n"), "no line end at the end"


TEXT: tuple[OfBytes, ...] = (with_bom, with_crlf, utf16, inserted, without_end)

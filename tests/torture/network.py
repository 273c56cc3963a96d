"""Servers with bad days: a bucket, a REST API, files on the web. What lands is whole, or nothing.

for case in cases(seed=1, count=12):
    case.play(folder)
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from tests import servers
from tests.servers import Server
from tests.torture import jobs, web
from tests.torture.faults import Chaos
from tests.torture.tally import Case, Lost, Silent, need_one_line
from tests.warehouses import PASSWORD

KINDS = ("S3 faults", "REST faults", "HTTP faults")
RUN_EACH, WHOLE = 12, " and a bucket, a whole run"  # of so many cases one is that
SEED, AS_OF, MONTH = 7, "2025-09-12", "2025-09"
TICKERS = ["AAPL", "XOM", "NOSUCH", "MSFT"]
TIMES = ("landed_at", "as_of")  # of a manifest
FIX = re.compile(r"\b(again|check|set|add|correct|delete|wait|is it another file|expected)\b")
CLASS = re.compile(r"^(\w+\.)*[A-Z]\w*(Error|Exception|Exit|Interrupt)\b: ?")
SECRETS = (*servers.SECRETS, web.KEY, PASSWORD)
WAYS = {
    "actions": ["dividends", "splits", "ipos"],
    "shorts": ["short_interest", "short_volume"],
    "reference": ["tickers", "ticker_types", "related"],
}


class Job(NamedTuple):
    """A job, and what is needed to judge it."""

    name: str  # of `jobs.JOBS`
    asked: Mapping[str, object]
    server: Server
    environment: Mapping[str, str]
    expected: Callable[[Path], None]  # makes the folder that an undisturbed run leaves
    place: str  # a regular expression of what an error names
    before: Mapping[str, bytes] = {}  # files of an earlier run


def cases(seed: int, count: int) -> list[Case]:
    """Blows of all three kinds, `count` of each; of the REST API some are whole runs.

    Args:
        seed: of all.
        count: of each kind.
    """
    found = []
    for kind in KINDS:
        for number in range(count):
            own = random.Random(f"{seed} {kind} {number}").randrange(2**32)
            whole = kind == "REST faults" and number % RUN_EACH == 0
            found.append(case_of(kind, f"{kind.split()[0]} server {number}{whole * WHOLE}", own))
    return found


def case_of(kind: str, name: str, seed: int) -> Case:
    """A blow by what a table told of it."""
    from tests.torture import served_run

    make = {"S3 faults": s3_job, "REST faults": rest_job, "HTTP faults": web_job}[kind]
    struck = partial(served_run.play, seed) if name.endswith(WHOLE) else partial(play, make, seed)
    return Case(kind, name, seed, struck)


def play(make: Callable[..., AbstractContextManager[Job]], seed: int, folder: Path) -> str:
    """Run a job against a server that has a bad day, and once more when it has recovered.

    Args:
        make: of the server and the job.
        seed: of all that happens.
        folder: empty.

    Raises:
        Lost, Silent: see `tally`.
    """
    rng = random.Random(seed)
    out, expected = folder / "out", folder / "expected"
    out.mkdir(parents=True)
    expected.mkdir()
    with make(rng, folder) as job:
        job.expected(expected)
        for name, content in job.before.items():
            (out / name).write_bytes(content)
        before = content_of(out)
        # A HEAD or file of the web whose ETag is wrong is as good a file as any.
        job.server.chaos = chaos = Chaos(rng)
        ended = run(job.name, job.asked, job.environment, out, folder / "job.log")
        told = "; ".join(chaos.met)
        job.server.heal()
        if ended.status == 0:
            need_same(content_of(out), content_of(expected), f"after {told or 'nothing'}")
            return f"same bytes through {len(chaos.met)} faults"
        cause = cause_of(ended, job.place)
        if content_of(out) != before:
            raise Lost(f"the files are not those of before the failure ({cause})")
        again = run(job.name, job.asked, job.environment, out, folder / "again.log")
        if again.status != 0:
            raise Lost(f"cannot be ended: {again.said} after {cause}")
        need_same(content_of(out), content_of(expected), f"in the run after: {cause}")
        return "refused, then same bytes"


def run(name: str, asked: Mapping, environment: Mapping, out: Path, log: Path) -> jobs.Outcome:
    """Run a job to its end, and see that it tells no secret and leaves no half a file.

    Raises:
        Silent: it hangs, or a secret is in what it leaves.
        Lost: a temporary file is left.
    """
    ended = jobs.run(name, asked, out, environment, log)
    if ended.status is None:
        raise Silent(f"{name} {asked}: no end in {jobs.LIMIT_S} s; log: {ended.log[-500:]}")
    held = [ended.said.encode(), ended.log.encode()]
    held += [file.read_bytes() for file in out.rglob("*") if file.is_file()]
    for secret in SECRETS:
        if any(secret.encode() in content for content in held):
            raise Silent(f"{name} {asked}: tells the secret {secret!r}: {ended.said}")
    if left := [file.name for file in out.rglob("*.tmp")]:
        raise Lost(f"{name} {asked}: half a file is left: {left[0]}")
    return ended


def cause_of(ended: jobs.Outcome, place: str) -> str:
    """The cause in the one line of a job that failed.

    Raises:
        Silent: there is none, or it does not say where, why and what to do.
    """
    line = need_one_line(ended.said, "error: ")
    return need_cause(line.split(": ", 2)[2].rpartition(" (log: ")[0], place)


def need_cause(cause: str, place: str) -> str:
    """`cause`, when it names a place, is not only a class of Python's, and says what to do.

    Raises:
        Silent: it does not.
    """
    if CLASS.match(cause) or not re.search(place, cause) or not FIX.search(cause):
        raise Silent(f"is no cause with place and fix: {cause}")
    return cause


def content_of(folder: Path) -> dict[str, bytes]:
    """What is in the files of a folder; of a manifest without its times."""
    found = {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file()}
    if "file.json" in found:
        told = json.loads(found["file.json"])
        unknown = (*TIMES, *(("path", "etag") if "url" in told else ()))
        kept = {key: told[key] for key in told if key not in unknown}
        found["file.json"] = json.dumps(kept, sort_keys=True).encode()
    return found


def need_same(found: Mapping[str, bytes], expected: Mapping[str, bytes], when: str) -> None:
    """See that files are those of an undisturbed run.

    Raises:
        Lost: they are not.
    """
    differ = sorted(n for n in found.keys() | expected.keys() if found.get(n) != expected.get(n))
    if differ:
        shown = {
            name: (found.get(name, b"")[:300], expected.get(name, b"")[:300]) for name in differ
        }
        raise Lost(f"{', '.join(differ)} not as undisturbed, {when}: {shown}")


# The bucket


@contextmanager
def s3_job(rng: random.Random, folder: Path) -> Iterator[Job]:
    """A flat file to land, new or a revision of one that is there, or files to be looked after."""
    dataset, day = rng.choice(sorted(servers_keys())), rng.choice(["2025-09-02", "2025-09-03"])
    key, content = flat_file(dataset, day)
    multipart, old, looks = (rng.random() < share for share in (0.3, 0.5, 0.2))
    with servers.s3_server() as server:
        server.put(key, content, multipart=multipart)
        etag = etag_of(content, multipart=multipart)
        known = manifest(content, etag)
        if looks:
            before = {"file.json": manifest(b"old", "1" * 32)}
            asked = {"landed": [[dataset, day, "file.json"]]}
            told = json.dumps({f"{dataset}/{day}": etag}, indent=1) + "\n"
            files = {**before, "revisions.json": told.encode()}
            name = "revisions"
        else:
            earlier = gzip.compress(gzip.decompress(content)[:500], mtime=0)
            before = {"file.csv.gz": earlier, "file.json": manifest(earlier, "1" * 32)}
            before = before if old else {}
            asked, name = {"dataset": dataset, "date": day}, "flat_file"
            files = {"file.csv.gz": content, "file.json": known}
        yield Job(
            name,
            asked,
            server,
            server.environment,
            partial(write_all, files),
            re.escape(key),
            before,
        )


def servers_keys() -> list[str]:
    """Datasets of flat files."""
    from scripts.lake.landing import FOLDERS

    return list(FOLDERS)


@cache
def flat_file(dataset: str, day: str) -> tuple[str, bytes]:
    """Key and content of a flat file of the simulated market."""
    (found,) = servers.flat_files(SEED, [day], [dataset]).items()
    return found


def etag_of(content: bytes, *, multipart: bool) -> str:
    """The ETag that S3 gives a file; of one uploaded in (one) part it is the hash of a hash."""
    digest = hashlib.md5(content)
    return f"{hashlib.md5(digest.digest()).hexdigest()}-1" if multipart else digest.hexdigest()


def manifest(content: bytes, etag: str) -> bytes:
    """What the manifest of a landed file says."""
    told = {"etag": etag, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    told |= {"landed_at": "2025-09-05T00:00:00Z", "as_of": "2025-09-05"}
    return json.dumps(told).encode()


def write_all(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files."""
    for name, content in files.items():
        (folder / name).write_bytes(content)


# The REST API


@contextmanager
def rest_job(rng: random.Random, folder: Path) -> Iterator[Job]:
    """A partition of the vendor's REST API to land."""
    kind = rng.choice([*WAYS, "news", "ratios", "financials", "ticker_events"])
    asked: dict[str, object] = {"module": f"land_{kind}"}
    tickers = sorted(rng.sample(TICKERS, 3))
    if kind in WAYS:
        asked["dataset"] = rng.choice(WAYS[kind])
    if kind == "news":
        asked["date"] = "2025-09-04"
    elif kind == "reference":
        asked |= {"tickers": tickers, "as_of": AS_OF, "week": "2025-09-08"}
    else:
        asked["month"] = "2025-08" if kind == "financials" else MONTH
    if kind in ("ratios", "financials", "ticker_events"):
        asked["tickers"] = tickers
    with servers.rest_server(servers.simulated(SEED, AS_OF)) as server:

        def expected(out: Path) -> None:
            jobs.rest(out, server.environment, **asked)

        yield Job("rest", asked, server, server.environment, expected, r"/(v\d|vX|stocks)/|https?:")


# Files of the web


@contextmanager
def web_job(rng: random.Random, folder: Path) -> Iterator[Job]:
    """A release of nflverse, closing lines or weather to land."""
    kind = rng.choice(["release", "release", "odds", "weather"])
    site = getattr(web, kind)(rng, folder)
    with servers.file_server(site.files) as server:
        asked = {**site.asked, "base": server.address}

        def expected(out: Path) -> None:
            jobs.JOBS[kind](out, site.environment, **asked)

        place = r"http://127\.0\.0\.1:\d+/|The Odds API at|snapshot before"
        yield Job(kind, asked, server, site.environment, expected, place)

"""Where flat files come from: the vendor's bucket (S3), or the simulated market."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scripts.errors import DataError, NotFoundError
from scripts.lake.landing import FOLDERS, SUFFIX, Head
from scripts.patience import OVERLOADED, AbsentError, PassingError, Patience, persist
from scripts.plan.calendar import NEW_YORK, PUBLISHED

if TYPE_CHECKING:
    from botocore.client import BaseClient


ENDPOINT = "https://files.massive.com"  # where the environment names no other
BUCKET = "flatfiles"
CHUNK = 2**18
CREDENTIALS = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (the vendor's S3 keys, not the API key), or "
    "AWS_PROFILE"
)


class S3Store:
    """The vendor's bucket.

    Credentials, profile, region and endpoint are those of boto3's standard chain (environment,
    then profile); this class takes none of them, and shows none. Nothing is looked up before the
    first request.

    Args:
        attempts: of a request (connection errors, timeouts, 5xx, throttling) and of a body.
        timeout_s: to connect, and between two pieces of an answer.
        wait_s: before a body is asked for again; doubles every time.
        total_s: for all attempts of a file, with the waits between them.
    """

    def __init__(
        self,
        *,
        attempts: int = 5,
        timeout_s: float = 60,
        wait_s: float = 1,
        total_s: float = 3600,
    ) -> None:
        """Take over the settings."""
        self._attempts, self._timeout_s = attempts, timeout_s
        self._patience = Patience(attempts, total_s, timeout_s, wait_s, 30 * wait_s)

    @cached_property
    def _client(self) -> BaseClient:
        import boto3  # heavy, and not needed to adopt a file
        import botocore.exceptions as aws
        from botocore.config import Config

        config = Config(
            connect_timeout=min(self._timeout_s, 20),
            read_timeout=self._timeout_s,
            retries={"mode": "standard", "total_max_attempts": self._attempts},
            response_checksum_validation="when_required",
            s3={"addressing_style": "path"},
        )
        try:
            session = boto3.session.Session()
            client = session.client("s3", config=config)
            if (urlsplit(client.meta.endpoint_url).hostname or "").endswith("amazonaws.com"):
                client = session.client("s3", config=config, endpoint_url=ENDPOINT)
        except (aws.ProfileNotFound, aws.PartialCredentialsError) as error:  # they name no value
            raise DataError(f"flat files: {error}; {CREDENTIALS}") from None
        except (aws.BotoCoreError, ValueError) as error:
            raise DataError(
                f"flat files: the AWS settings cannot be used ({type(error).__name__}); check "
                "AWS_ENDPOINT_URL (https://host) and the AWS profile"
            ) from None
        return client

    def head(self, key: str) -> Head:
        """As `Store.head`."""

        def attempt(_: float) -> Head:
            with self._explained(key):
                answer = self._client.head_object(Bucket=BUCKET, Key=key)
            return head_of(answer, f"{BUCKET}/{key}")

        return persist(attempt, self._patience)

    def download(self, key: str, out: Path) -> Head:
        """As `Store.download`; where the ETag is an MD5, the body is that too."""

        def attempt(deadline: float) -> Head:
            with self._explained(key):
                answer = self._client.get_object(Bucket=BUCKET, Key=key)
            return save(answer, out, f"{BUCKET}/{key}", deadline)

        return persist(attempt, self._patience)

    def fetched_at(self, day: str) -> datetime:
        """Now."""
        return datetime.now(UTC).replace(microsecond=0)

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        """Make one line of what a request can fail with; no value of the environment is in it."""
        import botocore.exceptions as aws

        place = f"{BUCKET}/{key}"
        try:
            yield
        except aws.ClientError as error:
            raise refusal(error.response, place) from None
        except aws.NoCredentialsError:
            raise DataError(f"{place}: no credentials found; {CREDENTIALS}") from None
        except (aws.HTTPClientError, aws.ConnectionError) as error:
            server = urlsplit(self._client.meta.endpoint_url)
            raise DataError(
                f"{place}: {server.scheme}://{server.netloc.rpartition('@')[2]} does not answer "
                f"({type(error).__name__}, {self._attempts} attempts); check the network and "
                "AWS_ENDPOINT_URL, then run again"
            ) from None
        except aws.BotoCoreError as error:
            found = type(error).__name__
            raise DataError(f"{place}: cannot be asked for ({found}); {CREDENTIALS}") from None


def head_of(answer: Mapping[str, Any], place: str) -> Head:
    """ETag and size in an answer of S3.

    Raises:
        PassingError: it lacks one of them, as the page of a network that wants a login does.
    """
    for header in ("ETag", "ContentLength"):
        if header not in answer:
            raise PassingError(
                f"{place}: an answer without {header}, so not from a bucket; check "
                "AWS_ENDPOINT_URL and the network"
            )
    return Head(answer["ETag"].strip('"'), answer["ContentLength"])


def save(answer: Mapping[str, Any], out: Path, place: str, deadline: float) -> Head:
    """Write the body of an answer of S3.

    Raises:
        PassingError: it is shorter or longer than announced, not what a plain MD5 in the ETag says
            (that of a multipart upload, `...-5`, is none), or has not come by the deadline.
    """
    from urllib3.exceptions import HTTPError

    head, md5, size = head_of(answer, place), hashlib.md5(usedforsecurity=False), 0
    fault = ""
    try:
        with answer["Body"] as body, out.open("wb") as file:
            while not fault and (chunk := body.read1(CHUNK)):  # what has come, however little
                file.write(chunk)
                md5.update(chunk)
                size += len(chunk)
                fault = "the server is too slow" if time.monotonic() > deadline else ""
        if not fault and size != head.size:
            fault = "the transfer broke off" if size < head.size else "its size is wrong"
    except HTTPError as error:
        fault = f"the transfer broke off, {type(error).__name__}"
    if not fault and is_md5(head.etag) and md5.hexdigest() != head.etag:
        fault = f"its MD5 is {md5.hexdigest()}, not its ETag {head.etag}"
    if fault:
        raise PassingError(f"{place}: {size} of {head.size} bytes came ({fault})")
    return head


def is_md5(etag: str) -> bool:
    """Whether an ETag is the MD5 of the file."""
    return len(etag) == 32 and set(etag) <= set("0123456789abcdef")


def refusal(answer: Mapping[str, Any], place: str) -> DataError:
    """The error for an answer of S3 that is not the file."""
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    code = str(answer.get("Error", {}).get("Code", ""))
    found = f"{status} {code}" if code.isalnum() and code != str(status) else str(status)
    if code == "NoSuchBucket":
        return DataError(f"{place}: no such bucket ({found}); check AWS_ENDPOINT_URL")
    if status == 404:
        return AbsentError(
            f"{place}: no such file ({found}); it comes about 11:00 New York on the next day; if "
            "the vendor never published it, add its date to lake.known_missing"
        )
    if status in (401, 403) or "Token" in code:
        return DataError(
            f"{place}: refused ({found}); check that the credentials are the vendor's and that the "
            f"plan covers this dataset and date: {CREDENTIALS}"
        )
    if status >= 500 or status == OVERLOADED:
        return DataError(f"{place}: the server fails ({found}) again and again; run again later")
    return DataError(f"{place}: the server answers {found}; check AWS_ENDPOINT_URL")


class SimulatedStore:
    """The simulated market's flat files: made when asked for, always the same bytes."""

    def __init__(self, seed: int) -> None:
        """Take over the market's seed."""
        self._seed = seed

    def _content(self, key: str) -> bytes:
        from scripts.lake.simulated_files import flat_file

        folder, name = "/".join(key.split("/")[:2]), key.rpartition("/")[2]
        datasets = [dataset for dataset, at in FOLDERS.items() if at == folder]
        day = date.fromisoformat(name.removesuffix(SUFFIX))
        if not datasets or day.weekday() > 4:
            raise NotFoundError(f"{key}: the simulated market has no such file")
        return flat_file(self._seed, datasets[0], day)

    def head(self, key: str) -> Head:
        """As `Store.head`; the ETag is the MD5."""
        return head_of_bytes(self._content(key))

    def download(self, key: str, out: Path) -> Head:
        """As `Store.download`."""
        content = self._content(key)
        out.write_bytes(content)
        return head_of_bytes(content)

    def fetched_at(self, day: str) -> datetime:
        """When the vendor would have published it: 11:00 New York on the next day."""
        return published_at(day)


def published_at(day: str) -> datetime:
    """When the vendor publishes the flat files of a day: 11:00 New York on the next one; in UTC."""
    following = date.fromisoformat(day) + timedelta(days=1)
    return datetime.combine(following, PUBLISHED, NEW_YORK).astimezone(UTC)


def head_of_bytes(content: bytes) -> Head:
    """What S3 would tell of a file."""
    return Head(hashlib.md5(content, usedforsecurity=False).hexdigest(), len(content))

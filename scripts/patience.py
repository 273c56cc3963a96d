"""Patience with a server: attempts, waits between them, and one line when they are used up."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import NamedTuple, TypeVar

import stamina
import stamina.instrumentation

from scripts.errors import DataError, NotFoundError

LOG = logging.getLogger(__name__)
OVERLOADED = 429
T = TypeVar("T")


class PassingError(Exception):
    """A fault that another attempt may not meet. Its text is one clause, without any secret."""

    def __init__(self, text: str, wait_s: float | None = None) -> None:
        """Say what happened, and how long the server asks to wait."""
        super().__init__(text)
        self.wait_s = wait_s


class AbsentError(NotFoundError):
    """A server's word that something is not there; believed when it is given twice running."""


class Patience(NamedTuple):
    """How long to go on with one request."""

    attempts: int = 8
    total_s: float = 600  # for all attempts, with the waits between them
    timeout_s: float = 60  # to connect, and between two pieces of an answer
    wait_s: float = 1  # before the second attempt; doubles every time
    wait_max_s: float = 60  # longest wait that is not the server's wish


def persist(attempt: Callable[[float], T], patience: Patience) -> T:
    """Call `attempt` until it gives a result, or patience ends.

    Args:
        attempt: takes the deadline on `time.monotonic`'s clock; raises PassingError for what
            another attempt may not meet, and AbsentError for what is not there.
        patience: how long.

    Raises:
        AbsentError: it was raised by two attempts running.
        DataError: the last of the errors, how many attempts there were, and how long they took.
    """
    start = time.monotonic()
    deadline = start + patience.total_s
    absent = 0  # attempts running that found nothing

    def again(error: Exception) -> bool | float:
        nonlocal absent
        absent = absent + 1 if isinstance(error, AbsentError) else 0
        if absent:
            return random.uniform(0, patience.wait_s) if absent == 1 else False
        if not isinstance(error, PassingError):
            return False
        if error.wait_s is None:
            return time.monotonic() < deadline
        # A little later than asked for, so that jobs do not all come back at once.
        wait_s = error.wait_s + random.uniform(0, patience.wait_s)
        return wait_s if time.monotonic() + wait_s < deadline else False

    attempts = stamina.retry_context(
        on=again,
        attempts=patience.attempts,
        timeout=patience.total_s,
        wait_initial=patience.wait_s,
        wait_max=patience.wait_max_s,
        wait_jitter=patience.wait_s,
    )
    number = 0
    try:
        for context in attempts:
            number = context.num
            with context:
                return attempt(deadline)
    except (PassingError, AbsentError) as error:
        if absent > 1:
            raise
        raise DataError(
            f"{error} (attempt {number}, after {time.monotonic() - start:.0f} s); run again later"
        ) from None
    raise AssertionError("unreachable")


def log_retries() -> None:
    """Let the log tell of every second attempt, what it is for and when it comes."""

    def tell(retry: stamina.instrumentation.RetryDetails) -> None:
        LOG.warning("%s; again in %.1f s", retry.caused_by, retry.wait_for)

    stamina.instrumentation.set_on_retry_hooks((tell,))
    # It tells of every request, with its query, in which there may be a key.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a Retry-After header asks to wait: a number of them, or a date.

    Args:
        value: of the header.
        now: seconds since the epoch.

    Returns:
        None where there is no header, or it means nothing.
    """
    value = (value or "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, moment.timestamp() - now)
    except (ValueError, OverflowError):  # no date, or one of no calendar
        return None

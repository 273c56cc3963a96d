"""Snakemake as a child: signals to stop are handed to it and waited for, and its time ends."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import BinaryIO

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
GRACE_S = 600.0  # for what runs to finish, when the time is over
LAST_GRACE_S = 60.0  # and then for Snakemake to end what still runs


class Stop:
    """What asked the night to stop; used with `with`, so that signals are heard inside it."""

    def __init__(self) -> None:
        """Begin with nothing asked."""
        self.signal: signal.Signals | None = None
        self.timed_out = False
        self._process: subprocess.Popen[bytes] | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Stop":
        """Hear signals from now on."""
        self._before = {number: signal.signal(number, self._heard) for number in STOPPING}
        return self

    def __exit__(self, *_: object) -> None:
        """Hear them no more."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def asked(self) -> bool:
        """Whether nothing more is to be begun."""
        return self.signal is not None or self.timed_out

    def _heard(self, number: int, _: FrameType | None) -> None:
        self.signal = signal.Signals(number)
        self.send(number)

    def send(self, number: int) -> None:
        """Hand a signal to Snakemake, which knows what to do with its jobs."""
        # SIGHUP would end it on the spot, and leave its jobs without their owner
        number = signal.SIGTERM if number == signal.SIGHUP else number
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def run(
        self,
        command: Sequence[str],
        log: BinaryIO,
        environment: Mapping[str, str],
        deadline: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> int:
        """Run a command to its end.

        At the deadline it gets SIGTERM, after which Snakemake begins nothing more; after GRACE_S
        more it and its jobs get SIGINT, as by Ctrl-C; at last it is killed with all of them.

        Args:
            command: program and arguments.
            log: gets all that it prints.
            environment: its variables.
            deadline: on `clock`'s time; None: it may take as long as it likes.
            clock: seconds.

        Returns:
            its exit status, 128 and the signal's number for one that a signal ended.
        """
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,  # Ctrl-C of a terminal comes through us, and once
        )
        self._process = process
        if self.signal is not None:  # heard while it was being started
            self.send(self.signal)
        ends = [] if deadline is None else _ends(deadline)
        while True:
            wait_s = max(0.0, ends[0][0] - clock()) if ends else None
            try:
                status = process.wait(wait_s)
                return status if status >= 0 else 128 - status
            except subprocess.TimeoutExpired:
                self.timed_out = True
                number = ends.pop(0)[1]
                if number != signal.SIGTERM:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, number)
                else:
                    self.send(number)


def _ends(deadline: float) -> list[tuple[float, int]]:
    """When which signal is sent."""
    return [
        (deadline, signal.SIGTERM),
        (deadline + GRACE_S, signal.SIGINT),
        (deadline + GRACE_S + LAST_GRACE_S, signal.SIGKILL),
    ]

"""A server at one address of this machine that can stop listening for a time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from socketserver import BaseServer
from typing import Self

Address = tuple[str, int]


class Listeners:
    """One listener after the other at one address, which is nobody else's in between.

    Use it in `with`. A socket that is bound to the port and does not listen keeps it: connections
    are refused then.
    """

    def __init__(self, make: Callable[[Address], BaseServer]) -> None:
        """Take over who makes a listener; it has to share its port (`allow_reuse_port`)."""
        self._make = make
        self._lock = threading.Lock()
        self._listener: BaseServer | None = None
        self._timer: threading.Timer | None = None
        self._over = False
        self._keeper = socket.socket()
        self._keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._keeper.bind(("127.0.0.1", 0))

    @property
    def address(self) -> Address:
        """Host and port."""
        return self._keeper.getsockname()

    def __enter__(self) -> Self:
        """Listen."""
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        self._over = True
        self._stop()
        self._keeper.close()

    def pause(self, seconds: float) -> None:
        """Refuse connections for a time, 0: no longer; those that are there go on."""
        if self._timer:
            self._timer.cancel()
        if not seconds:
            self._start()
            return
        self._stop()
        self._timer = threading.Timer(seconds, self._start)
        self._timer.daemon = True
        self._timer.start()

    def _start(self) -> None:
        with self._lock:
            if not (self._over or self._listener):
                self._listener = self._make(self.address)
                serve = self._listener.serve_forever
                threading.Thread(target=serve, args=(0.02,), daemon=True).start()

    def _stop(self) -> None:
        with self._lock:
            listener, self._listener = self._listener, None
            if listener:
                listener.shutdown()
                listener.server_close()

"""A connection through the middle: bytes are handed on until one at which something happens."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer

from tests.listeners import Address, Listeners

PIECE = 2**14
NO_LINGER = struct.pack("ii", 1, 0)  # a socket that is closed so sends a reset


class Proxy:
    """Between clients and a server, both on this machine; counts the bytes of both directions."""

    def __init__(self, target: Address) -> None:
        """Hand on to `target`."""
        self.target = target
        self.address: Address = ("", 0)
        self.refuse: Callable[[float], None] = lambda seconds: None  # connections, for a time
        self.passed = 0
        self.struck = False  # whether the blow has fallen
        self._blow: Callable[[], object] | None = None
        self._at = 0
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()

    def arm(self, at: int, blow: Callable[[], object]) -> None:
        """Strike once, when so many bytes have passed from now on; False of a blow: it failed."""
        with self._lock:
            self.passed, self.struck, self._at, self._blow = 0, False, at, blow

    def disarm(self) -> None:
        """Strike no more, and listen again."""
        with self._lock:
            self._blow = None
        self.refuse(0)

    def cut(self, *, reset: bool) -> None:
        """End all connections, with a reset or in order."""
        for pair in list(self._pairs):
            for side in pair:
                with suppress(OSError):
                    if reset:
                        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
                    side.shutdown(socket.SHUT_RDWR)
                if reset:
                    side.close()

    def serve(self, client: socket.socket) -> None:
        """Hand on what a client and the server say, until one of them ends."""
        try:
            server = socket.create_connection(self.target, timeout=5)
        except OSError:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            client.close()
            return
        server.settimeout(None)
        pair = (client, server)
        self._pairs.add(pair)
        back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
        back.start()
        self._pump(client, server)
        back.join()
        self._pairs.discard(pair)
        server.close()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE):
                before, blow = self._counted(len(piece))
                sink.sendall(piece[:before])
                if blow:
                    self.struck = True  # at once: who is struck may end before the blow does
                    self.struck = blow() is not False
                sink.sendall(piece[before:])
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def _counted(self, length: int) -> tuple[int, Callable[[], object] | None]:
        """How many bytes of a piece come before the blow, and the blow; it is struck once."""
        with self._lock:
            start, self.passed = self.passed, self.passed + length
            if self._blow is None or self.passed < self._at:
                return length, None
            blow, self._blow = self._blow, None
            return max(0, self._at - start), blow


@contextmanager
def proxied(target: Address) -> Iterator[Proxy]:
    """A proxy before a server."""
    proxy = Proxy(target)

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            proxy.serve(self.request)

    class Listener(ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        allow_reuse_port = True  # the port is kept for it, see Listeners
        request_queue_size = 64

        def handle_error(self, *_: object) -> None:
            """A side that went away is no error of the test."""

    with Listeners(lambda address: Listener(address, Handler)) as listeners:
        proxy.address, proxy.refuse = listeners.address, listeners.pause
        try:
            yield proxy
        finally:
            proxy.cut(reset=True)

"""A PostgreSQL server of the test's own that can be killed at any moment and started again."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from socket import socket

import psycopg
from psycopg import sql

from scripts.warehouse import programs
from tests.warehouses import PASSWORD

START_S = 60
SETTINGS = ("listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=off", "timezone=UTC")


class Cluster:
    """One server on a port of this machine; it wants a password, as a user's own would."""

    def __init__(self) -> None:
        """Make it; it does not run yet."""
        self._user = programs.account()
        # Not in a folder of pytest's, which are closed to the user who runs it for root.
        self._top = Path(tempfile.mkdtemp(prefix="almanac-torture-", dir="/var/tmp"))
        self._top.chmod(0o755)
        self._binaries = programs.home(self._top / "home").programs
        self._place = self._top / "place"
        self._place.mkdir()
        os.chown(self._place, self._user.uid, self._user.gid)
        with closing(socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        secret = self._place / "password"
        secret.write_text(PASSWORD)
        os.chown(secret, self._user.uid, self._user.gid)
        command = [self._binaries / "initdb", "-D", self._place / "data", "-U", "owner"]
        command += ["--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync"]
        command += ["--encoding=UTF8", "--locale=C"]
        subprocess.run(command, check=True, capture_output=True, **self._user.options())
        self._server: subprocess.Popen | None = None
        self._starting = threading.Lock()

    @property
    def scratch(self) -> Path:
        """A folder for files, which goes with it."""
        return self._top

    @property
    def options(self) -> dict[str, str]:
        """What libpq wants to know, without a database."""
        address = {"host": "127.0.0.1", "port": str(self.port)}
        return {**address, "user": "owner", "password": PASSWORD}

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection past all proxies."""
        return psycopg.connect(**self.options, dbname=database, autocommit=True, connect_timeout=5)

    def start(self) -> None:
        """Start it, after a kill too, and wait until it answers."""
        with self._starting:
            self._start()

    def _start(self) -> None:
        deadline = time.monotonic() + START_S
        command = [self._binaries / "postgres", "-D", self._place / "data"]
        command += ["-p", str(self.port), "-k", self._place]
        for setting in SETTINGS:
            command += ["-c", setting]
        while True:
            if self._server is None or self._server.poll() is not None:
                with (self._place / "log").open("a") as log:
                    self._server = subprocess.Popen(
                        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                        **self._user.options(),
                    )  # fmt: skip
            with suppress(psycopg.OperationalError), self.connect():
                return
            if time.monotonic() > deadline:
                raise RuntimeError((self._place / "log").read_text()[-2000:])
            time.sleep(0.05)

    def stop(self, how: signal.Signals) -> None:
        """End it: SIGINT cuts connections, SIGQUIT crashes it, SIGKILL kills its head alone."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(START_S)

    def end(self) -> None:
        """End it, and remove all that it was."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(programs.shelter_of(self._top / "home"), ignore_errors=True)
        shutil.rmtree(self._top, ignore_errors=True)

    def copy(self, source: str, target: str) -> None:
        """Make a database that is a copy of another."""
        command = "CREATE DATABASE {} TEMPLATE {}"
        with self.connect() as connection:
            names = map(sql.Identifier, (target, source))
            connection.execute(sql.SQL(command).format(*names))

    def drop(self, database: str) -> None:
        """Drop a database, whoever uses it."""
        with self.connect() as connection:
            name = sql.Identifier(database)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def backends(self, database: str) -> list[int]:
        """Processes that serve the project's connections to a database."""
        query = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND application_name = %s"
        with self.connect() as connection:
            return [pid for (pid,) in connection.execute(query, [database, "almanac"])]

    def terminate(self, database: str) -> bool:
        """`pg_terminate_backend` of the project's connections to a database, if there are any."""
        with self.connect() as connection:
            for pid in (found := self.backends(database)):
                connection.execute("SELECT pg_terminate_backend(%s)", [pid])
        return bool(found)

    def kill_backend(self, database: str) -> bool:
        """`kill -9` of one of them, if any: the server cuts all connections and recovers."""
        for pid in (found := self.backends(database)[:1]):
            os.kill(pid, signal.SIGKILL)
        return bool(found)


@cache
def running() -> Cluster:
    """The server of this process, which ends with it."""
    made = Cluster()
    atexit.register(made.end)
    made.start()
    return made

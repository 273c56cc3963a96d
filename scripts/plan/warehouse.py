"""Plan of the warehouse: which server, which migrations, which environments; no database is asked.

Standard library only: Snakemake imports this while it parses.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from scripts.content import digest
from scripts.errors import DataError

DSN = "ALMANAC_DSN"
NAMING = ("PGHOST", "PGHOSTADDR", "PGSERVICE")  # by these libpq finds a server of the user's
ADDRESS = ("host", "hostaddr", "port", "dbname", "service")
EMBEDDED = "embedded"
SETTING = re.compile(r"(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s'\\]|\\.)*)")
# table of the warehouse -> of nfl/etl; plays with their types
SEASONAL = {
    "games": "schedules",
    "plays": "pbp",
    "play_types": "play_types",
    "player_games": "player_games",
    "odds": "odds",
    "weather": "weather",
    "team_epa": "team_epa",
}
STEPS = ("snapshot", "apply", "validate", "integration", "drop")


@dataclass(frozen=True)
class WarehousePlan:
    """The warehouse section of the config.

    Args:
        config: the completed section.
        environment: variables of this process; of secrets only the address is used.
    """

    config: Mapping
    environment: Mapping[str, str]

    def __post_init__(self) -> None:
        if self.config["server"] == "environment" and not names_server(self.environment):
            raise DataError(
                f"config: warehouse.server: environment, but neither {DSN} nor "
                f"{' nor '.join(NAMING)} is set; export one, or take embedded"
            )
        for key in ("migrations", "queries"):
            if not Path(self.config[key]).is_dir():
                raise DataError(f"config: warehouse.{key}: no folder {self.config[key]}")
        if not Path(self.config["schema"]).is_file():
            raise DataError(f"config: warehouse.schema: no file {self.config['schema']}")

    @property
    def on(self) -> bool:
        """Whether there is a warehouse."""
        return self.config["server"] is not None

    @cached_property
    def server(self) -> str:
        """`embedded`, or a hash of the address of the user's server; no secret is in it."""
        wanted = self.config["server"]
        if wanted == EMBEDDED or (wanted == "auto" and not names_server(self.environment)):
            return EMBEDDED
        given = dict(_address(self.environment.get(DSN, "")))
        names = {"host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT"}
        names |= {"dbname": "PGDATABASE", "service": "PGSERVICE"}
        for key, name in names.items():
            given.setdefault(key, self.environment.get(name, ""))
        return digest(*(f"{key}={given[key]}\n".encode() for key in ADDRESS))

    # Migrations.

    @cached_property
    def migrations(self) -> list[str]:
        """Names of all migrations, sorted; what is not named so is told by the jobs."""
        return sorted(path.stem for path in Path(self.config["migrations"]).glob("*.sql"))

    def migration(self, text: str) -> str:
        """Name of a migration, given by its name or its number alone.

        Raises:
            DataError: there is none, or the number is given twice.
        """
        found = [name for name in self.migrations if text in (name, name[:3])]
        if len(found) != 1:
            told = f"{' and '.join(found)} are both" if found else "there is no migration"
            raise DataError(
                f"{self.config['migrations']}: {told} {text}; there are "
                f"{', '.join(self.migrations)}"
            )
        return found[0]

    @property
    def last_migration(self) -> str:
        """The newest one.

        Raises:
            DataError: there is none.
        """
        if not self.migrations:
            raise DataError(
                f"{self.config['migrations']}: no migrations; the first is 001_name.sql"
            )
        return self.migrations[-1]

    @cached_property
    def content(self) -> str:
        """Hash of all files that a test of a migration reads: migrations, queries, schema."""
        queries = sorted(Path(self.config["queries"]).glob("*.sql"))
        of_others = _content([Path(self.config["schema"]), *queries])
        return digest(of_others.encode(), self.migrations_content.encode())

    @cached_property
    def migrations_content(self) -> str:
        """Hash of all migrations."""
        return _content(sorted(Path(self.config["migrations"]).glob("*.sql")))

    # Environments.

    @property
    def environments(self) -> list[str]:
        """Names of the environments in the order of the config."""
        return list(self.config["environments"])

    def seasons_of(self, environment: str, seasons: list[int]) -> list[int]:
        """The seasons of a seeded environment: the last ones."""
        count = self.config["environments"][environment]["seasons"]
        return seasons if count is None else seasons[-count:]

    def variable_of(self, environment: str) -> str | None:
        """Variable with the connection string of an environment; None: it is seeded.

        Raises:
            DataError: it is not set.
        """
        name = self.config["environments"][environment]["dsn"]
        if name is not None and not self.environment.get(name):
            raise DataError(
                f"config: warehouse.environments.{environment}.dsn: {name} is not set; export it"
            )
        return name


def names_server(environment: Mapping[str, str]) -> bool:
    """Whether the environment names a server of the user's."""
    return any(environment.get(name) for name in (DSN, *NAMING))


def _content(files: Iterable[Path]) -> str:
    """Hash of files with their names."""
    return digest(*(f"{path.name}\n".encode() + path.read_bytes() for path in files))


def seed_database(environment: str, migration: str) -> str:
    """Name of the database of a seeded environment before a migration."""
    return f"env_{environment}_{migration[:3]}"


def copy_database(environment: str, migration: str) -> str:
    """Name of the database of an environment's copy for a migration, short as PostgreSQL wants."""
    known = hashlib.sha256(migration.encode()).hexdigest()[:8]
    return f"snap_{environment}_{migration[:3]}_{known}"


def suspects(folder: Path) -> list[str]:
    """Files of kept dumps that are gone, or not of the size and time that their manifest tells.

    Args:
        folder: of all backups.
    """
    found = []
    for manifest in sorted(folder.glob("*/manifest.json")):
        try:
            files = json.loads(manifest.read_text())["files"]
            known = {str(file["path"]): (file["bytes"], file["mtime_ns"]) for file in files}
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            found.append(str(manifest))
            continue
        there = {p.name: p.stat() for p in manifest.parent.iterdir() if p != manifest}
        for name in sorted(known.keys() | there.keys()):
            seen = there.get(name)
            if seen is None or known.get(name) != (seen.st_size, seen.st_mtime_ns):
                found.append(str(manifest.parent / name))
    return found


def _address(text: str) -> Iterator[tuple[str, str]]:
    """What of a connection string says where the server is."""
    if "://" in text:
        try:
            parts = urlsplit(text)
            host, _, port = parts.netloc.rpartition("@")[2].partition(":")
            found = {"host": host, "port": port, "dbname": parts.path.lstrip("/")}
            found |= dict(parse_qsl(parts.query))
        except ValueError:  # the jobs tell what is wrong with it
            return
    else:
        found = {key: value.strip("'") for key, value in SETTING.findall(text)}
    yield from ((key, value) for key, value in found.items() if key in ADDRESS and value)

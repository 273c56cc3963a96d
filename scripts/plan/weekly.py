"""Plan of the weekly features: which files the daily bars are in, and which batches there are.

Standard library only: Snakemake imports this while it parses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from scripts.content import file_content
from scripts.errors import DataError
from scripts.weekly.sharing import batch_of

SUFFIXES = (".parquet", ".pq", ".parq")
LAKE, SIMULATOR = "lake", "simulator"  # values of weekly.input that are no path


def _is_parquet(path: Path, folder: Path) -> bool:
    """Whether a file below a folder is a parquet file by its name, and not hidden."""
    hidden = any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    return path.suffix.lower() in SUFFIXES and path.is_file() and not hidden


def _usable(path: Path) -> str:
    """A path that can be one of a rule's inputs."""
    if set("{}") & set(str(path)):
        raise DataError(f"config: weekly.input: {path}: rename it, braces mean wildcards")
    return str(path)


@dataclass(frozen=True)
class WeeklyPlan:
    """The weekly section of the config, turned into sources and batches.

    Args:
        config: the completed `weekly` section.
        lake_simulated: whether the lake's market is the simulator's.
    """

    config: Mapping
    lake_simulated: bool

    def __post_init__(self) -> None:
        if self.mappings is not None and not Path(self.mappings).is_file():
            raise DataError(
                f"config: weekly.mappings: no file {self.mappings}; correct it or set it to null"
            )
        try:
            date.fromisoformat(self.config["simulator"]["end"])
        except ValueError as error:
            raise DataError(f"config: weekly.simulator.end: {error}; give YYYY-MM-DD") from None
        if bool(self.config["lags"]["weeks"]) != bool(self.config["lags"]["columns"]):
            raise DataError("config: weekly.lags: give both weeks and columns, or neither")

    @property
    def source(self) -> str | None:
        """Where daily bars come from: lake, simulator or files; None: nothing is built."""
        given = self.config["input"]
        return given if given in (None, LAKE, SIMULATOR) else "files"

    @property
    def simulated(self) -> bool:
        """Whether the daily bars are a simulator's."""
        return self.source == SIMULATOR or (self.source == LAKE and self.lake_simulated)

    def _of_source(self, key: str) -> object:
        """A key of the section; where it is not given, that of the simulator for its own bars."""
        if not self.config[key] and self.source == SIMULATOR:
            return self.config["simulator"][key]
        return self.config[key]

    @property
    def mappings(self) -> str | None:
        """CSV of the benchmarks that symbols are held against."""
        return self._of_source("mappings")

    @property
    def plots(self) -> list[str]:
        """Symbols that are drawn, sorted."""
        return sorted(self._of_source("plots"))

    @cached_property
    def files(self) -> list[str]:
        """The files of `weekly.input`, sorted; of no input none.

        Raises:
            DataError: there is no such file, or none in the folder.
        """
        if self.source is None:
            return []
        place = Path(self.config["input"])
        if place.is_dir():
            found = sorted(path for path in place.rglob("*") if _is_parquet(path, place))
            if not found:
                raise DataError(f"config: weekly.input: no parquet file below {place}")
            return [_usable(path) for path in found]
        if not place.is_file():
            raise DataError(
                f"config: weekly.input: no file or folder {place}; correct it, or take {LAKE} or "
                f"{SIMULATOR}"
            )
        return [_usable(place)]

    @cached_property
    def contents(self) -> list[str]:
        """Hash of each file of `weekly.input`; of other sources none, rules make them.

        A file that is put in the place of another may well be older than what was made of it.
        """
        if self.source != "files":
            return []
        return [file_content(Path(path)) for path in self.files]

    @cached_property
    def mappings_content(self) -> str | None:
        """Hash of the mappings' file."""
        return None if self.mappings is None else file_content(Path(self.mappings))

    @property
    def columns(self) -> list[str] | None:
        """Other columns that are kept; None: all. Of the lake's bars none, unless config says."""
        if self.config["columns"] is None and self.source == LAKE:
            return []
        return self.config["columns"]

    @property
    def parity(self) -> bool:
        """Whether everything is done as the peer does it."""
        return self.config["mode"] == "parity"

    @property
    def adjusted_close(self) -> str | None:
        """Column of the adjusted close that prices are taken from; parity takes close."""
        return None if self.parity else self.config["adjusted_close"]

    @property
    def visible_from(self) -> str:
        """From when a bar is seen; parity: the same day."""
        return "same_day" if self.parity else self.config["visible_from"]

    @property
    def stale_after(self) -> int | None:
        """Business days until a bar is stale; parity: never."""
        return None if self.parity else self.config["stale_after_business_days"]

    @property
    def batches(self) -> list[str]:
        """Keys of the batches."""
        width = max(2, len(str(self.config["batches"] - 1)))
        return [f"{number:0{width}}" for number in range(self.config["batches"])]

    def batch_of(self, symbol: str) -> str:
        """Key of a symbol's batch: crc32 of its name, mod the number of batches."""
        return self.batches[batch_of(symbol, self.config["batches"])]

"""Plan of the weekly features: which files the daily bars are in, and which batches there are.

Standard library only: Snakemake imports this while it parses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zlib import crc32

from scripts.errors import DataError
from scripts.ticks.sources import file_content

LAKE = "lake"  # value of weekly.input: the lake's gold daily bars


@dataclass(frozen=True)
class WeeklyPlan:
    """The weekly section of the config, turned into sources and batches.

    Args:
        config: the completed `weekly` section.
        lake_simulated: whether the lake's market is the simulator's, whose window is short.
    """

    config: Mapping
    lake_simulated: bool

    def __post_init__(self) -> None:
        path = self.config["mappings"]
        if path is not None and not Path(path).is_file():
            raise DataError(
                f"config: weekly.mappings: no file {path}; correct it or set it to null"
            )
        if bool(self.config["lags"]["weeks"]) != bool(self.config["lags"]["columns"]):
            raise DataError(
                "config: weekly.lags: weeks and columns are given together or not at all"
            )

    @property
    def simulated(self) -> bool:
        """Whether the daily bars are the simulator's."""
        return self.source == "simulator" or (self.source == LAKE and self.lake_simulated)

    @property
    def source(self) -> str:
        """Where daily bars come from: lake, simulator or files."""
        if self.config["input"] is None:
            return "simulator" if self.lake_simulated else LAKE
        return LAKE if self.config["input"] == LAKE else "files"

    @cached_property
    def files(self) -> list[str]:
        """The files of `weekly.input`, sorted.

        Raises:
            DataError: there are none.
        """
        place = Path(self.config["input"])
        if place.is_dir():
            found = sorted(str(path) for path in place.rglob("*.parquet"))
            if not found:
                raise DataError(f"config: weekly.input: no .parquet file below {place}")
            return found
        if not place.is_file():
            raise DataError(
                f"config: weekly.input: no file or folder {place}; give one, or `lake`, or null"
            )
        return [str(place)]

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
        path = self.config["mappings"]
        return None if path is None else file_content(Path(path))

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
        return self.batches[crc32(symbol.encode()) % self.config["batches"]]

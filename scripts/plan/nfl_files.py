"""The folder of NFL sources that are files, and what each season's content is known by.

Standard library only. Files that hold many seasons are hashed season by season: another week then
changes that season alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from scripts.content import digest, file_content
from scripts.errors import DataError

STARTS_IN = 8  # month from which a day is of that year's season


@dataclass(frozen=True)
class NflFolder:
    """A folder of NFL sources.

    Args:
        folder: the folder; nfl.folder of the config.
    """

    folder: Path

    @property
    def games(self) -> Path:
        """Games and lines."""
        return self.folder / "games.csv"

    @property
    def weather(self) -> Path:
        """Hourly measures by game."""
        return self.folder / "weather" / "games_weather.csv"

    @property
    def starts(self) -> Path:
        """Kickoffs on the stadiums' own clocks, which the measures are looked up by."""
        return self.folder / "weather" / "games.csv"

    def plays(self, season: int) -> Path | None:
        """Plays of a season, of either kind; None: there are none."""
        names = (f"pbp_nflgame_{season}.csv.gz", f"play_by_play_{season}.parquet")
        files = (self.folder / "pbp" / name for name in names)
        return next((file for file in files if file.is_file()), None)

    def stats(self, season: int) -> Path:
        """Official team stats of a season."""
        return self.folder / f"stats_team_week_{season}.csv"

    def given(self, table: str, season: int) -> Path | None:
        """The file of a table and season."""
        return {
            "schedules": self.games,
            "pbp": self.plays(season),
            "weather": self.weather,
            "team_stats": self.stats(season),
        }[table]

    def revision(self, table: str, season: int) -> str:
        """Hash of what a file says of a season.

        Raises:
            DataError: there is no such file.
        """
        if table == "schedules":
            return self.seasons[season]
        if table == "weather":
            return digest(*(held.get(season, "").encode() for held in self._weather))
        path = self.given(table, season)
        if path is None or not path.is_file():
            raise DataError(f"config: nfl.folder: no file {path}; sources.{table} is files")
        return file_content(path)

    @cached_property
    def seasons(self) -> dict[int, str]:
        """Season -> hash of its lines in games.csv.

        Raises:
            DataError: there is no such file, or no line of a season in it.
        """
        found = self._by_season(self.games, lambda line: line.split(b",", 2)[1:2], _year)
        if not found:
            raise DataError(
                f"{self.games}: no line with a season in its second column; is it games.csv?"
            )
        return found

    @cached_property
    def _weather(self) -> list[dict[int, str]]:
        """Season -> hash of its lines, in each of the two files."""
        first = lambda line: line.split(b",", 1)[:1]  # noqa: E731
        return [self._by_season(path, first, _season) for path in (self.weather, self.starts)]

    def _by_season(
        self, path: Path, key: Callable[[bytes], list[bytes]], season: Callable[[bytes], int | None]
    ) -> dict[int, str]:
        """Season -> hash of the header and of its lines."""
        try:
            header, *lines = path.read_bytes().splitlines()
        except (OSError, ValueError) as error:
            raise DataError(
                f"config: nfl.folder: {path}: not there or empty ({type(error).__name__})"
            ) from None
        of: dict[int, list[bytes]] = {}
        for line in lines:
            for field in key(line):
                if (own := season(field.strip(b' "'))) is not None:
                    of.setdefault(own, []).append(line)
        return {own: digest(header, *_ended(told)) for own, told in of.items()}


def _ended(lines: Iterable[bytes]) -> Iterable[bytes]:
    """Lines with their ends, so that no two lists of lines read the same."""
    return (line + b"\n" for line in lines)


def _year(field: bytes) -> int | None:
    """A season, as it stands."""
    return int(field) if field.isdigit() else None


def _season(number: bytes) -> int | None:
    """The season of the league's number of a game, YYYYMMDDNN."""
    if not number.isdigit() or len(number) != 10:
        return None
    return int(number[:4]) - (int(number[4:6]) < STARTS_IN)

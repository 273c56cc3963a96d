"""The weather at the kickoffs of a season, from Meteostat's stations -> raw/weather."""

from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

from scripts.errors import NotFoundError
from scripts.nfl import meteostat
from scripts.nfl.columns import SCHEDULES, STADIUMS
from scripts.nfl.download import Web, sha256, shown
from scripts.nfl.stadiums import locate
from scripts.patience import Patience
from scripts.tables import conform, write, write_json

INDOORS = ("dome", "closed", "retractable")  # a roof that can be closed, if nothing is known


def places(games: pl.DataFrame, stadiums: pl.DataFrame) -> pl.DataFrame:
    """Where games are: game_id, lat, lon in degrees (null: unknown), indoors.

    The roof is that of the schedule; where it says nothing, that of the stadium.

    Args:
        games: columns `columns.SCHEDULES`.
        stadiums: columns `columns.STADIUMS`, with the seasons of all games.

    Raises:
        DataError: as `stadiums.locate`.
    """
    located = locate(games, stadiums)
    roof = pl.select(pl.coalesce(games["roof"], located["roof"])).to_series()
    return located.select("game_id", "lat", "lon", indoors=roof.is_in(INDOORS).fill_null(False))


def land(
    schedule: Path,
    stadiums: Path,
    stations: str,
    hourly: str,
    as_of: str | None,
    out: Path,
    account: Path,
    **patience: float,
) -> dict:
    """Find the weather of a season's games.

    Args:
        schedule: partition of the season, columns `columns.SCHEDULES`.
        stadiums: partition of the season, columns `columns.STADIUMS`.
        stations: address of the list of stations, such as `meteostat.STATIONS`.
        hourly: address above `{year}/{station}.csv.gz`, such as `meteostat.HOURLY`.
        as_of: games of later days have no weather yet, YYYY-MM-DD; None: all have.
        out: partition to write, columns `columns.WEATHER`; null indoors and where missing.
        account: JSON {games, indoors, later, found, missing, missing_games, station_list: {url,
            sha256}, stations: {"station/year": sha256; null where there is no such file}}.
        **patience: fields of `patience.Patience`.

    Returns:
        what was written to `account`.

    Raises:
        DataError: an input or a file of Meteostat's cannot be used, or does not come.
    """
    games = conform(pl.read_parquet(schedule), SCHEDULES)
    located = places(games, conform(pl.read_parquet(stadiums), STADIUMS))
    sums: dict[str, str | None] = {}
    with Web(Patience(**patience)) as web:
        listed = web.fetch(stations, meteostat.stations)

        @cache
        def hours_of(station: str, year: int) -> pl.DataFrame | None:
            address = f"{hourly.rstrip('/')}/{year}/{station}.csv.gz"
            try:
                answer = web.fetch(address, meteostat.hours)
            except NotFoundError:  # a station without data in a year has no file
                sums[f"{station}/{year}"] = None
                return None
            sums[f"{station}/{year}"] = sha256(answer.body)
            return answer.content

        frame, report = meteostat.weather(
            games,
            located,
            listed.content,
            hours_of,
            date.fromisoformat(as_of) if as_of else None,
        )
    report["station_list"] = {"url": shown(stations), "sha256": sha256(listed.body)}
    report["stations"] = dict(sorted(sums.items()))
    write(frame, out)
    write_json(report, account)
    return report


if __name__ == "__main__":
    from scripts.job import job
    from scripts.patience import log_retries

    with job(snakemake) as log:  # noqa: F821
        log_retries()
        report = land(
            schedule=Path(snakemake.input.games),  # noqa: F821
            stadiums=Path(snakemake.input.stadiums),  # noqa: F821
            stations=snakemake.params.stations,  # noqa: F821
            hourly=snakemake.params.hourly,  # noqa: F821
            as_of=snakemake.params.as_of,  # noqa: F821
            out=Path(snakemake.output.partition),  # noqa: F821
            account=Path(snakemake.output.account),  # noqa: F821
        )
        log.info("%s", {name: report[name] for name in ("games", "indoors", "found", "missing")})

"""A season of one of nflverse's releases -> a file as it is published, with a manifest."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from scripts.errors import DataError, NotFoundError
from scripts.nfl import contents, games_csv
from scripts.nfl.download import download

BASE = "https://github.com/nflverse/nflverse-data/releases/download"


class Dataset(NamedTuple):
    """Path below the base, `{season}` for the season; columns that are needed; what is kept."""

    path: str
    columns: tuple[str, ...]
    accept: Callable[[bytes, str, int, tuple[str, ...]], bytes]


def season_of_all(body: bytes, place: str, season: int, columns: tuple[str, ...]) -> bytes:
    """Header and lines of one season, byte for byte, of a CSV of all seasons.

    Raises:
        NotFoundError: it has no line of that season.
        DataError: a season is no year; or as `contents.csv_records`.
        PassingError: as `contents.csv_records`.
    """
    records = contents.csv_records(body, place, columns)
    header = next(records)
    column = header.fields.index("season")
    kept, seasons = [header.raw], set()
    for record in records:
        told = record.fields[column].strip()
        if not re.fullmatch(r"[0-9]{4}", told):
            where = f"line {record.line}, column season"
            raise DataError(f"{place}: {where}: got {contents.shown(told)}, expected a year")
        seasons.add(told)
        if told == str(season):
            kept.append(record.raw)
    if len(kept) == 1:
        ends = f"it has {min(seasons)} to {max(seasons)}" if seasons else "it has no lines"
        raise NotFoundError(f"{place}: no line of season {season}, {ends}; not published yet?")
    return b"".join(kept)


def csv_of_season(body: bytes, place: str, season: int, columns: tuple[str, ...]) -> bytes:
    """A CSV of one season, whole.

    Raises:
        NotFoundError: it has no line but the header.
        DataError: a line is of another season; or as `contents.csv_records`.
        PassingError: as `contents.csv_records`.
    """
    records = contents.csv_records(body, place, columns)
    column = next(records).fields.index("season")
    found = 0
    for found, record in enumerate(records, 1):  # noqa: B007
        if record.fields[column].strip() != str(season):
            raise DataError(
                f"{place}: line {record.line}: season {record.fields[column]!r}, expected {season}"
            )
    if not found:
        raise NotFoundError(f"{place}: has a header only; season {season} is not published yet?")
    return body


def plays_of_season(body: bytes, place: str, season: int, columns: tuple[str, ...]) -> bytes:
    """A parquet file of the plays of one season, whole.

    Raises:
        NotFoundError: it has no plays.
        DataError: a play is of another season; or as `contents.parquet`.
        PassingError: as `contents.parquet`.
    """
    found = contents.parquet(body, place, columns, either=DRIVES)["season"]
    if found.is_empty():
        raise NotFoundError(f"{place}: has no plays; season {season} is not published yet?")
    others = found.filter(found.ne_missing(season))
    if others.len():
        raise DataError(f"{place}: {others.len()} plays of season {others[0]}, expected {season}")
    return body


PLAYS = (
    "game_id",
    "old_game_id",
    "season",
    "week",
    "play_id",
    "qtr",
    "half_seconds_remaining",
    "game_seconds_remaining",
    "posteam",
    "defteam",
    "down",
    "ydstogo",
    "yardline_100",
    "play_type",
    "yards_gained",
    "interception",
    "fumble_lost",
    "sack",
    "penalty",
    "penalty_team",
    "touchdown",
    "td_team",
    "field_goal_result",
    "extra_point_result",
    "two_point_conv_result",
    "safety",
    "home_team",
    "away_team",
    "total_home_score",
    "total_away_score",
    "epa",
    "wp",
    "qb_kneel",
    "qb_spike",
)
DRIVES = ("drive", "fixed_drive")
SCHEDULES = (*games_csv.SCHEDULE, *games_csv.LINES, *games_csv.WEATHER)
ROSTERS = ("season", "team", "position", "full_name", "birth_date", "gsis_id")
TEAM_STATS = ("season", "week", "team", "season_type", "passing_epa", "rushing_epa")
DATASETS = {
    "schedules": Dataset("schedules/games.csv", SCHEDULES, season_of_all),
    "pbp": Dataset("pbp/play_by_play_{season}.parquet", PLAYS, plays_of_season),
    "players": Dataset("rosters/roster_{season}.csv", ROSTERS, csv_of_season),
    "team_stats": Dataset("stats_team/stats_team_week_{season}.csv", TEAM_STATS, csv_of_season),
}


def land(
    dataset: str,
    season: int,
    base: str,
    as_of: str | None,
    out: Path,
    manifest: Path,
    **patience: float,
) -> dict:
    """Download a season of a dataset.

    Args:
        dataset: of `DATASETS`.
        season: the season.
        base: address above the datasets, such as `BASE`.
        as_of: day that the file stands for, YYYY-MM-DD; None for a season that is over.
        out: file to write: as published, of `schedules` the header and the season's lines.
        manifest: JSON, see `download`; of `schedules` it tells of the whole file too.
        **patience: fields of `patience.Patience`.

    Returns:
        what was written to `manifest`.

    Raises:
        NotFoundError: it is not published, or not yet.
        DataError: no such dataset, or nothing usable came.
    """
    if dataset not in DATASETS:
        raise DataError(f"no dataset {dataset!r}; there are {', '.join(sorted(DATASETS))}")
    path, columns, accept = DATASETS[dataset]
    return download(
        f"{base.rstrip('/')}/{path.format(season=season)}",
        out,
        manifest,
        as_of=as_of,
        accept=partial(accept, season=season, columns=columns),
        **patience,
    )


if __name__ == "__main__":
    from scripts.job import job
    from scripts.patience import log_retries

    with job(snakemake) as log:  # noqa: F821
        log_retries()
        log.info(
            "%s",
            land(
                dataset=snakemake.wildcards.dataset,  # noqa: F821
                season=int(snakemake.wildcards.season),  # noqa: F821
                base=snakemake.params.base,  # noqa: F821
                as_of=snakemake.params.as_of,  # noqa: F821
                out=Path(snakemake.output.file),  # noqa: F821
                manifest=Path(snakemake.output.manifest),  # noqa: F821
            ),
        )

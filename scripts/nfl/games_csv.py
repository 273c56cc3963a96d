"""nflverse's games.csv: schedules, closing lines and weather of a season."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from scripts import text_csv
from scripts.errors import DataError
from scripts.nfl.contents import shown

SCHEDULE = (
    "game_id",
    "season",
    "game_type",
    "week",
    "gameday",
    "gametime",
    "away_team",
    "away_score",
    "home_team",
    "home_score",
    "location",
    "old_game_id",
    "div_game",
    "roof",
    "surface",
    "stadium",
    "away_qb_id",
    "home_qb_id",
    "away_coach",
    "home_coach",
)
LINES = ("spread_line", "total_line", "home_moneyline", "away_moneyline")
WEATHER = ("temp", "wind")
YEAR = r"^\d{4}$"
GAME = r"_\d\d_[A-Z]{2,3}_[A-Z]{2,3}"  # of a game_id, after its season
TYPES = ("REG", "WC", "DIV", "CON", "SB")


def read(path: Path, season: int, columns: tuple[str, ...]) -> pl.DataFrame:
    """Rows of a season as text, stripped, empty cells null, with their `line` in the file.

    Raises:
        DataError: the file cannot be read, lacks a column, has no game of the season or one twice,
            or a season or game_id that is none, whose row would be left out of every season.
    """
    body = text_csv.body_of(path, "fetch it again")
    rows = text_csv.frame(body, str(path), "fetch it again")
    if not body.endswith(b"\n"):
        raise DataError(
            f"{path}: cut off, its last line does not end; fetch it again, or end the line"
        )
    wanted = list(dict.fromkeys(("game_id", "season", *columns)))
    if missing := [name for name in wanted if name not in rows.columns]:
        raise DataError(f"{path}: no column {', '.join(missing)}; is it nflverse's games.csv?")
    rows = rows.select("line", *wanted).with_columns(pl.exclude("line").str.strip_chars())
    rows = rows.with_columns(
        pl.when(~pl.exclude("line").is_in(["", "NA"])).then(pl.exclude("line")).name.keep()
    )
    check(rows, path, "season", pl.col("season").str.contains(YEAR), "a year")
    rows = rows.filter(season=str(season))
    if rows.is_empty():
        raise DataError(f"{path}: no game of season {season}")
    of_season = pl.col("game_id").str.contains(rf"^{season}{GAME}$")
    check(rows, path, "game_id", of_season, f"{season}_WEEK_AWAY_HOME")
    check_unique(rows, path, "game_id")
    return rows


def check(rows: pl.DataFrame, path: Path, name: str, good: pl.Expr, expected: str) -> None:
    """See that a column's cells are good; null is not.

    Raises:
        DataError: one is not; it names the line.
    """
    bad = rows.filter(~good.fill_null(value=False))
    if bad.height:
        line, got = bad["line"][0], bad[name][0]
        if got is None:
            raise DataError(f"{path}: line {line}: no {name}; correct the file")
        raise DataError(
            f"{path}: line {line}, column {name}: got {shown(got)}, expected {expected}"
        )


def check_unique(rows: pl.DataFrame, path: Path, name: str) -> None:
    """See that a column's cells, as far as there are any, differ.

    Raises:
        DataError: two are the same; it names the lines.
    """
    twice = rows.filter(pl.col(name).is_not_null() & pl.col(name).is_duplicated())
    if twice.height:
        lines = " and ".join(map(str, twice.filter(pl.col(name) == twice[name][0])["line"][:2]))
        raise DataError(f"{path}: {name} {twice[name][0]} stands on lines {lines}; remove one")


def number(
    rows: pl.DataFrame, path: Path, name: str, low: float, high: float, *, whole: bool = False
) -> pl.Series:
    """A column as numbers within limits, or whole ones; empty cells stay null.

    Raises:
        DataError: a cell is no number, or beyond the limits; it names the line.
    """
    values = rows[name].cast(pl.Float64, strict=False)
    good = values.is_between(low, high) & ((values % 1 == 0) | (not whole))
    what = f"a {'whole ' if whole else ''}number from {low:g} to {high:g}, or nothing"
    check(rows, path, name, rows[name].is_null() | good, what)
    return values

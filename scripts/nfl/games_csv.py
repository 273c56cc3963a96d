"""nflverse's games.csv: schedules, closing lines and weather of a season."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from scripts.errors import DataError

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
TYPES = ("REG", "WC", "DIV", "CON", "SB")


def read(path: Path, season: int, columns: tuple[str, ...]) -> pl.DataFrame:
    """Rows of a season as text, stripped, empty cells null, with their `line` in the file.

    Raises:
        DataError: the file cannot be read, lacks a column, or has no game of the season.
    """
    try:
        with path.open("rb") as file:
            file.seek(-1, 2)
            if file.read() != b"\n":
                raise DataError(
                    f"{path}: cut off, its last line does not end; fetch it again, or end the line"
                )
        rows = pl.read_csv(path, infer_schema=False, quote_char='"')
    except (OSError, pl.exceptions.PolarsError) as error:
        cause = str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read ({cause}); fetch it again") from None
    wanted = list(dict.fromkeys(("game_id", "season", *columns)))
    if missing := [name for name in wanted if name not in rows.columns]:
        raise DataError(f"{path}: no column {', '.join(missing)}; is it nflverse's games.csv?")
    rows = rows.with_row_index("line", offset=2).filter(
        pl.col("season").str.strip_chars() == str(season)
    )
    if rows.is_empty():
        raise DataError(f"{path}: no game of season {season}")
    rows = rows.select("line", *wanted).with_columns(pl.exclude("line").str.strip_chars())
    return rows.with_columns(
        pl.when(~pl.exclude("line").is_in(["", "NA"])).then(pl.exclude("line")).name.keep()
    )


def number(rows: pl.DataFrame, path: Path, name: str, low: float, high: float) -> pl.Series:
    """A column as numbers within limits; empty cells stay null.

    Raises:
        DataError: a cell is no number, or beyond the limits; it names the line.
    """
    values = rows[name].cast(pl.Float64, strict=False)
    bad = rows[name].is_not_null() & (values.is_null() | ~values.is_between(low, high)).fill_null(
        value=True
    )
    if bad.any():
        row = rows.filter(bad).row(0, named=True)
        raise DataError(
            f"{path}: line {row['line']}, column {name}: got {row[name]!r}, expected a number from "
            f"{low:g} to {high:g}, or nothing"
        )
    return values

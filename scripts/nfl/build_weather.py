"""Weather at kickoff in a season, from games.csv or from hourly measures by game -> etl/weather."""

from datetime import date
from pathlib import Path

import polars as pl

from scripts import text_csv
from scripts.errors import DataError
from scripts.nfl import games_csv
from scripts.nfl.columns import SCHEDULES, WEATHER
from scripts.tables import conform, write

KMH_OF_MPH = 1.609344
HPA_OF_INHG = 33.8638866667
MM_OF_INCH = 25.4
INDOORS = ("dome", "closed")
LIMITS = {
    "Temperature": (-60, 140),
    "Humidity": (0, 100),
    "WindSpeed": (0, 150),
    "Pressure": (15, 33),
    "Precipitation": (0, 20),
}
HOURLY = ("game_id", "TimeMeasure", *LIMITS)
NUMBER = r"^\d{10}$"
STARTS = ("game_id", "TimeStartGame")


def of_games(source: Path, season: int) -> pl.DataFrame:
    """Temperature and wind of games.csv (degrees Fahrenheit, miles per hour) by game_id.

    Raises:
        DataError: a cell is no number, or one that cannot be.
    """
    rows = games_csv.read(source, season, games_csv.WEATHER)
    temp = games_csv.number(rows, source, "temp", -40, 130)
    wind = games_csv.number(rows, source, "wind", 0, 100)
    return rows.select(
        "game_id",
        temp_c=(temp - 32) / 1.8,
        wind_kmh=wind * KMH_OF_MPH,
        humidity_pct=pl.lit(None, pl.Float64),
        pressure_hpa=pl.lit(None, pl.Float64),
        precip_mm=pl.lit(None, pl.Float64),
    )


def _csv(source: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    """A CSV as text, with the `line` of each row.

    Raises:
        DataError: it cannot be read, or lacks a column.
    """
    rows = text_csv.read(source, "fetch it again")
    if missing := [name for name in columns if name not in rows.columns]:
        raise DataError(f"{source}: no column {', '.join(missing)}")
    cells = pl.exclude(text_csv.LINE)
    rows = rows.with_columns(pl.when(cells != "NA").then(cells).name.keep())
    # A row of a game that is none would be taken for one of another season.
    number = pl.col("game_id").str.contains(NUMBER)
    games_csv.check(rows, source, "game_id", number, "the league's number, YYYYMMDDNN")
    return rows


def _times(rows: pl.DataFrame, source: Path, name: str) -> pl.Series:
    """A column of times as the measures' files write them."""
    times = rows[name].str.to_datetime("%m/%d/%Y %H:%M", strict=False)
    if times.null_count():
        row = rows.filter(times.is_null()).row(0, named=True)
        raise DataError(
            f"{source}: line {row['line']}, column {name}: got {row[name]!r}, expected "
            "month/day/year hour:minute"
        )
    return times


def of_hours(source: Path, starts_file: Path, games: pl.DataFrame) -> pl.DataFrame:
    """Weather of the kickoff hour from hourly measures, by game_id.

    The last measure of a game up to its kickoff, or else the first one after it. Degrees
    Fahrenheit, miles per hour, inches of mercury and of rain become degrees Celsius, km/h, hPa and
    mm.

    Args:
        source: CSV with the columns `HOURLY`, its game_id the league's own number.
        starts_file: CSV with the columns `STARTS`. Times are the stadium's own.
        games: the season's schedule.

    Raises:
        DataError: a file cannot be read, lacks a column, or a cell is no number or time.
    """
    named = games.select("old_game_id", name="game_id")
    starts = _csv(starts_file, STARTS)
    starts = starts.join(named, left_on="game_id", right_on="old_game_id")
    start = _times(starts, starts_file, "TimeStartGame")
    again = starts.unique(["game_id", "TimeStartGame"]).filter(pl.col("game_id").is_duplicated())
    if again.height:
        game = again["game_id"].min()
        raise DataError(f"{starts_file}: {game} starts at two times; remove one")
    rows = _csv(source, HOURLY).join(named, left_on="game_id", right_on="old_game_id")
    numbers = [games_csv.number(rows, source, n, *ends).alias(n) for n, ends in LIMITS.items()]
    away = (pl.col("TimeMeasure") - pl.col("start")).dt.total_minutes()
    first = (
        rows.with_columns(*numbers, _times(rows, source, "TimeMeasure"))
        .join(starts.select("name", start), on="name")
        .rename({"TimeStartGame": "start"})
        .filter(away.abs() <= 60)
        # Up to the kickoff before after it, near before far.
        .sort("name", away > 0, away.abs(), "line")
        .group_by("name", maintain_order=True)
        .first()
    )
    return first.select(
        game_id="name",
        temp_c=(pl.col("Temperature") - 32) / 1.8,
        humidity_pct=pl.col("Humidity"),
        wind_kmh=pl.col("WindSpeed") * KMH_OF_MPH,
        pressure_hpa=pl.col("Pressure") * HPA_OF_INHG,
        precip_mm=pl.col("Precipitation") * MM_OF_INCH,
    )


def weather(games: pl.DataFrame, measured: pl.DataFrame) -> pl.DataFrame:
    """Weather of a season's games, columns `columns.WEATHER`: null indoors and where unknown."""
    values = [name for name in measured.columns if name != "game_id"]
    found = games.select("season", "game_id", "roof").join(
        measured, on="game_id", how="left", maintain_order="left"
    )
    inside = pl.col("roof").is_in(INDOORS).fill_null(value=False)
    return conform(
        found.with_columns(pl.when(~inside).then(pl.col(values)), simulated=pl.lit(value=False)),
        WEATHER,
    )


def build(
    kind: str,
    source: Path,
    schedule: Path,
    season: int,
    out: Path,
    starts: Path | None = None,
    as_of: str | None = None,
) -> str:
    """Write the weather of a season.

    Args:
        kind: schedules (games.csv) or files (hourly measures).
        source: that file.
        schedule: the season's schedule.
        season: the season.
        out: partition to write.
        starts: kickoffs that the hourly measures are looked up by.
        as_of: last day whose weather is known, YYYY-MM-DD; None: all is.

    Returns:
        one line for the log.

    Raises:
        DataError: see `of_games` and `of_hours`.
    """
    games = conform(pl.read_parquet(schedule), SCHEDULES)
    hourly = kind == "files" and starts is not None
    measured = of_hours(source, starts, games) if hourly else of_games(source, season)
    if as_of is not None:
        known = games.filter(pl.col("date") <= date.fromisoformat(as_of))
        measured = measured.join(known, on="game_id", how="semi")
    found = weather(games, measured)
    write(found, out)
    return f"{found.height} games, {found['temp_c'].count()} with a temperature"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                kind=snakemake.params.kind,  # noqa: F821
                source=Path(snakemake.input.source),  # noqa: F821
                schedule=Path(snakemake.input.schedule),  # noqa: F821
                season=int(snakemake.wildcards.season),  # noqa: F821
                starts=next(map(Path, snakemake.input.starts), None),  # noqa: F821
                as_of=snakemake.params.as_of,  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

"""The players of a season, from the wheel of GameCenter or nflverse's rosters -> etl/players."""

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from scripts import text_csv
from scripts.errors import DataError
from scripts.nfl import gamecenter, games_csv
from scripts.nfl.columns import PLAYERS
from scripts.nfl.teams import CODES, franchise
from scripts.tables import conform, write

WHEEL_SEASON = 2020  # the wheel's teams are those between the seasons 2019 and 2020
ROSTER = {  # nflverse's names -> ours
    "gsis_id": "player_id",
    "full_name": "name",
    "team": "team",
    "position": "position",
    "birth_date": "birth_date",
}
WHEEL = {"birth_date": "birthdate"}  # nflverse's names -> the wheel's, where they differ
NO_DATE = "//"  # of the wheel


def from_wheel(source: Path, season: int) -> pl.DataFrame:
    """Records of the wheel's players.json as text; the same players in every season.

    Their teams and positions are of `WHEEL_SEASON`: in other seasons the team is null.

    Raises:
        DataError: the file is not the wheel's list of players.
    """
    schema = dict.fromkeys((*ROSTER.values(), "season"), pl.String)
    try:
        records = json.loads(source.read_bytes())
        rows = [
            {ours: record.get(WHEEL.get(theirs, theirs)) for theirs, ours in ROSTER.items()}
            | {"season": str(season)}
            for record in records.values()
        ]
        for row in rows:
            if odd := [name for name, cell in row.items() if not isinstance(cell, str | None)]:
                raise ValueError(f"{odd[0]} of {row['player_id']!r:.60} is no text")
        frame = pl.DataFrame(rows, schema=schema, orient="row")
    except gamecenter.UNSOUND as error:
        raise DataError(f"{source}: no list of players ({error}); install it again") from None
    days = pl.col("birth_date").str.to_date("%m/%d/%Y", strict=False).dt.to_string("iso")
    frame = frame.with_columns(pl.coalesce(days, "birth_date"))
    if season != WHEEL_SEASON:
        frame = frame.with_columns(pl.lit(None, pl.String).alias("team"))
    return frame


def from_rosters(source: Path, season: int) -> pl.DataFrame:
    """Rows of a season in nflverse's roster file, and those whose season is no year, as text.

    Raises:
        DataError: the file cannot be read, or lacks a column.
    """
    rows = text_csv.read(source, "fetch it again")
    if missing := [name for name in ("season", *ROSTER) if name not in rows.columns]:
        raise DataError(f"{source}: no column {', '.join(missing)}; is it a roster of nflverse?")
    year = pl.col("season").str.strip_chars()
    dated = year.str.contains(games_csv.YEAR).fill_null(value=False)
    rows = rows.filter((year == str(season)) | ~dated)
    named = (pl.col(theirs).alias(ours) for theirs, ours in ROSTER.items())
    return rows.select(*named, season=year)


def players(source: Path, season: int) -> tuple[pl.DataFrame, dict[str, int]]:
    """Players of a season, columns `PLAYERS`, sorted by id.

    Of several rows of a player the last one of the file counts. A row is refused that has no
    season, id or name, a team that is none, or a date of birth that is none (an empty one is null).

    Args:
        source: the wheel's players.json, or a CSV in nflverse's roster layout.
        season: the season.

    Returns:
        players; numbers of refused rows by reason.

    Raises:
        DataError: the file cannot be used, or no row is left.
    """
    rows = (from_wheel if source.suffix == ".json" else from_rosters)(source, season)
    text = pl.all().str.strip_chars()
    rows = rows.with_columns(text).with_columns(pl.when(~pl.all().is_in(["", "NA"])).then(pl.all()))
    rows = rows.with_columns(
        pl.when(pl.col("birth_date") != NO_DATE).then("birth_date").alias("birth_date")
    )
    dates = pl.col("birth_date").str.to_date("%Y-%m-%d", strict=False)
    reason = (
        pl.when(pl.col("season").ne_missing(str(season)))
        .then(pl.lit("no season"))
        .when(~pl.col("player_id").fill_null("").str.contains(r"^\d{2}-\d{7}$"))
        .then(pl.lit("no GSIS id"))
        .when(pl.col("name").is_null())
        .then(pl.lit("no name"))
        .when(~pl.col("team").is_in(list(CODES)))
        .then(pl.lit("unknown team"))
        .when(pl.col("birth_date").is_not_null() & dates.is_null())
        .then(pl.lit("no date of birth"))
    )
    rows = rows.with_columns(reason.alias("reason"))
    good = rows.filter(pl.col("reason").is_null())
    if good.is_empty():
        raise DataError(
            f"{source}: no player of season {season} in {rows.height} rows; fetch the file of that "
            "season"
        )
    refused = rows["reason"].drop_nulls().value_counts(sort=True).sort("reason")
    good = good.unique("player_id", keep="last", maintain_order=True).with_columns(
        dates.alias("birth_date"),
        franchise(pl.col("team")).alias("team"),
        pl.lit(season).alias("season"),
    )
    return conform(good, PLAYERS).sort("player_id"), dict(refused.iter_rows())


def build(sources: Sequence[Path], season: int, out: Path) -> str:
    """Write the players of a season.

    Args:
        sources: one file as in `players`; none: the list of the installed wheel.
        season: the season.
        out: partition to write.

    Returns:
        one line for the log.

    Raises:
        DataError: see `players`.
    """
    source = sources[0] if sources else gamecenter.package() / "players.json"
    found, refused = players(source, season)
    write(found, out)
    reasons = ", ".join(f"{count} {reason}" for reason, count in refused.items()) or "none"
    return f"{found.height} players; refused rows: {reasons}"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                sources=[Path(path) for path in snakemake.input.source],  # noqa: F821
                season=int(snakemake.wildcards.season),  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

"""The table of stadiums -> the stadiums of a season, under all their names."""

from pathlib import Path

import polars as pl

from scripts import text_csv
from scripts.errors import DataError
from scripts.nfl.columns import STADIUMS
from scripts.nfl.stadiums import key
from scripts.nfl.teams import FIRST_SEASONS, FRANCHISES
from scripts.tables import conform, write

HEADER = (
    "stadium",  # name, as the schedules have it
    "aliases",  # other names, separated by ;
    "team",  # franchise that is at home there; blank: a place for single games
    "first_season",  # of the row; blank: always
    "last_season",  # blank: still
    "lat",  # degrees north
    "lon",  # degrees east
    "roof",
    "surface",
)
ROOFS = ("outdoors", "retractable", "dome")
SURFACES = ("grass", "artificial")
PLACE = ("lat", "lon", "roof", "surface")


def read(path: Path) -> pl.DataFrame:
    """The rows of the table, typed, with their `line`; aliases as a list.

    Raises:
        DataError: the header is another, or a cell cannot be used (it names the line).
    """
    raw = text_csv.read(path, "mend the file")
    if (header := tuple(raw.columns[1:])) != HEADER:
        got = text_csv.shown(header)
        raise DataError(f"{path}: header {got}; it must be {','.join(HEADER)}")
    text = pl.col(pl.String).str.strip_chars()
    raw = raw.with_columns(pl.when(text != "").then(text))
    rows = raw.with_columns(
        pl.col("aliases").fill_null("").str.split(";").list.eval(pl.element().str.strip_chars()),
        pl.col("first_season", "last_season").cast(pl.Int32, strict=False),
        pl.col("lat", "lon").cast(pl.Float64, strict=False),
    ).with_columns(pl.col("aliases").list.filter(pl.element() != ""))
    good = {
        "stadium": (pl.col("stadium").is_not_null(), "a name"),
        "team": (pl.col("team").is_null() | pl.col("team").is_in(FRANCHISES), "a code of today"),
        "lat": (pl.col("lat").is_between(-90, 90), "degrees from -90 to 90"),
        "lon": (pl.col("lon").is_between(-180, 180), "degrees from -180 to 180"),
        "roof": (pl.col("roof").is_in(ROOFS), " or ".join(ROOFS)),
        "surface": (pl.col("surface").is_in(SURFACES), " or ".join(SURFACES)),
    }
    for name in ("first_season", "last_season"):
        good[name] = (
            pl.col(name).is_not_null() | raw[name].is_null(),
            "the year of a season, or nothing",
        )
    for name, (test, expected) in good.items():
        bad = rows.filter(~test.fill_null(value=False))
        if bad.height:
            line = bad["line"][0]
            got = raw.filter(pl.col("line") == line)[name][0]
            raise DataError(f"{path}: line {line}, column {name}: got {got!r}, expected {expected}")
    backward = rows.filter(pl.col("last_season") < pl.col("first_season"))
    if backward.height:
        line = backward["line"][0]
        raise DataError(f"{path}: line {line}: last_season is before first_season; swap them")
    return rows


def of_season(rows: pl.DataFrame, season: int, path: Path) -> pl.DataFrame:
    """The stadiums of a season: columns `STADIUMS`, sorted by name and team.

    A stadium stands there once under its own name for each of its teams (team null: nobody's),
    and once under each of its other names, with team null.

    Args:
        rows: what `read` gives.
        season: the season.
        path: the table, for messages.

    Raises:
        DataError: a team has no home or two, or two places have the same name.
    """
    own = rows.filter(
        pl.col("first_season").is_null() | (pl.col("first_season") <= season),
        pl.col("last_season").is_null() | (pl.col("last_season") >= season),
    )
    for team in FRANCHISES:
        lines = own.filter(team=team)["line"].to_list()
        if len(lines) > 1:
            named = " and ".join(map(str, lines[:2]))
            raise DataError(f"{path}: lines {named}: two homes of {team} in {season}; keep one")
        if not lines and season >= FIRST_SEASONS.get(team, season):
            raise DataError(f"{path}: no home of {team} in {season}; add a row")
    other = own.with_columns(pl.lit(None, pl.String).alias("team"), stadium="aliases")
    named = pl.concat([own, other.explode("stadium").drop_nulls("stadium")])
    named = named.with_columns(key(pl.col("stadium")).alias("key"))
    places = named.group_by("key").agg(
        pl.col("line").unique().sort(), pl.struct(PLACE).n_unique().alias("places")
    )
    clash = places.filter(pl.col("places") > 1).sort("key")
    if clash.height:
        name, lines = clash.row(0)[:2]
        raise DataError(
            f"{path}: lines {lines[0]} and {lines[1]}: {name!r} names two places in {season}; "
            "rename one, or give both the same lat, lon, roof and surface"
        )
    # The team's row comes first; a name that is also somebody's alias, or stands twice, goes.
    named = named.sort("key", "team", "line", nulls_last=True)
    kept = named.unique(["key", "team"], keep="first", maintain_order=True)
    first = pl.int_range(pl.len()).over("key") == 0
    kept = kept.filter(pl.col("team").is_not_null() | first)
    return conform(kept.with_columns(pl.lit(season).alias("season")), STADIUMS)


def build(source: Path, season: int, out: Path) -> str:
    """Write the stadiums of a season.

    Args:
        source: the table of stadiums, columns `HEADER`.
        season: the season.
        out: partition to write.

    Returns:
        one line for the log.

    Raises:
        DataError: see `read` and `of_season`.
    """
    stadiums = of_season(read(source), season, source)
    write(stadiums, out)
    places = stadiums.select("lat", "lon").unique().height
    return f"{stadiums['team'].count()} teams at home, {places} places, {stadiums.height} rows"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                source=Path(snakemake.input.source),  # noqa: F821
                season=int(snakemake.wildcards.season),  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )

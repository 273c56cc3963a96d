"""Has any feature or model seen what came later? -> checks."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from scripts.nfl import features
from scripts.nfl.build_team_epa import COLUMNS as TEAM_EPA
from scripts.nfl.checks import check, write_all
from scripts.nfl.columns import ODDS, SCHEDULES, STADIUMS, WEATHER
from scripts.nfl.stadiums import locate
from scripts.tables import scan

CUTS = 4  # days after which all is deleted, in turn
EDITED = 12  # games whose own score is edited
RESULTS = {*features.SCORES, "home_margin", "total", *features.TARGETS}

Inputs = Mapping[str, pl.DataFrame | None]
Build = Callable[..., pl.DataFrame]


def rebuilt(
    inputs: Inputs, elo: Mapping[str, float], build: Build = features.build
) -> pl.DataFrame:
    """Features of all games of the inputs.

    Args:
        inputs: games, statistics, stadiums, odds, weather; the last two may be None.
        elo: settings of the ratings.
        build: what makes the features; tests plant leaks in it.
    """
    games = inputs["games"]
    return build(
        games,
        inputs["statistics"],
        locate(games, inputs["stadiums"]),
        inputs["odds"],
        inputs["weather"],
        elo,
    )


def cut(inputs: Inputs, last: date) -> dict[str, pl.DataFrame | None]:
    """The inputs as if nothing later than a day had ever been."""
    games = inputs["games"].filter(pl.col("date") <= last)
    kept = {"games": games, "stadiums": inputs["stadiums"]}
    for name in ("statistics", "odds", "weather"):
        table = inputs[name]
        kept[name] = None if table is None else table.join(games, on="game_id", how="semi")
    return kept


def differing(left: pl.DataFrame, right: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    """Columns in which two frames of the same games differ in any bit."""
    right = left.select("game_id").join(right, on="game_id", how="left", maintain_order="left")
    return [name for name in columns if not left[name].equals(right[name])]


def truncation(
    table: pl.DataFrame,
    inputs: Inputs,
    elo: Mapping[str, float],
    days: Sequence[date],
    build: Build = features.build,
) -> dict:
    """Features made anew without what is later than each of some days, against the table's.

    Args:
        table: features of all games.
        inputs: what they were made of, see `rebuilt`.
        elo: settings of the ratings.
        days: the last days that are left, in turn.
        build: see `rebuilt`.

    Returns:
        the check `truncation`: number of columns that change.
    """
    changed: set[str] = set()
    rows = 0
    for day in days:
        # On the last day itself results are known, which a feature of that day must not show.
        early = table.filter(pl.col("date") <= day)
        again = rebuilt(cut(inputs, day), elo, build)
        changed |= set(differing(early, again, table.columns))
        rows += early.height
    note = f"columns that change when all games after {', '.join(map(str, days))} are deleted"
    note += f": {', '.join(sorted(changed)[:8])}" if changed else ""
    return check("truncation", len(changed), 0, rows, note=note)


def own_score(
    table: pl.DataFrame,
    inputs: Inputs,
    elo: Mapping[str, float],
    edited: Sequence[str],
    build: Build = features.build,
) -> dict:
    """Features made anew with the results of some games edited, against their own rows before.

    Args:
        table: features of all games.
        inputs: what they were made of, see `rebuilt`.
        elo: settings of the ratings.
        edited: ids of the games, whose scores and plays are changed one by one.
        build: see `rebuilt`.

    Returns:
        the check `own_score`: number of feature columns that change in those rows.
    """
    columns = [name for name in table.columns if name not in RESULTS]
    changed: set[str] = set()
    for game in edited:
        own = pl.col("game_id") == game
        games, statistics = inputs["games"], inputs["statistics"]
        scores = {n: pl.when(own).then(pl.col(n) + 37).otherwise(n) for n in features.SCORES[:1]}
        numbers = [
            n for n, told in statistics.schema.items() if told.is_numeric() and n != "season"
        ]
        other = dict(inputs) | {
            "games": games.with_columns(**scores),
            "statistics": statistics.with_columns(
                pl.when(own).then(pl.col(n) + 5).otherwise(n).alias(n) for n in numbers
            ),
        }
        row, again = table.filter(own), rebuilt(other, elo, build).filter(own)
        changed |= set(differing(row, again, columns))
    note = "feature columns of a game that change when its own result is edited"
    note += f": {', '.join(sorted(changed)[:8])}" if changed else ""
    return check("own_score", len(changed), 0, len(edited), note=note)


def time_order(games: pl.DataFrame, metrics: Sequence[Mapping]) -> dict:
    """Whether every model was fitted on days before the first one that it was tested on.

    Args:
        games: season and date of all games.
        metrics: those of all models; `trained_on` was taken from the rows that were fitted.

    Returns:
        the check `time_order`: number of models fitted on a day of their test season or later.
    """
    first = dict(games.group_by("season").agg(pl.col("date").min()).rows())
    late = [
        "{target}/{features}/{model} {season}".format(**found)
        for found in metrics
        if date.fromisoformat(found["trained_on"]["last_date"]) >= first[found["season"]]
        or max(found["trained_on"]["seasons"]) >= found["season"]
    ]
    note = "models fitted on games of the season they are tested on, or of later ones"
    note += f": {', '.join(sorted(set(late))[:4])}" if late else ""
    return check("time_order", len(late), 0, len(metrics), note=note)


def score(
    schedules: Sequence[Path],
    stadiums: Sequence[Path],
    team_epa: Sequence[Path],
    odds: Sequence[Path],
    weather: Sequence[Path],
    games: Path,
    metrics: Sequence[Path],
    names: Sequence[str],
    elo: Mapping[str, float],
    seed: int,
    simulated: bool,
    outs: Sequence[Path],
) -> str:
    """Write the checks against leaks.

    Args:
        schedules, stadiums, team_epa, odds, weather: partitions of all seasons.
        games: table of all features.
        metrics: metrics of all models.
        names: the checks to write.
        elo: settings of the ratings.
        seed: seed that draws the days and games.
        simulated: whether anything of it is simulated.
        outs: their files.

    Returns:
        one line for the log.
    """
    inputs = {
        "games": scan(schedules, SCHEDULES).collect(),
        "stadiums": scan(stadiums, STADIUMS).collect(),
        "statistics": scan(team_epa, TEAM_EPA).collect(),
        "odds": scan(odds, ODDS).collect() if odds else None,
        "weather": scan(weather, WEATHER).collect() if weather else None,
    }
    table = pl.read_parquet(games)
    draw = random.Random(seed)
    played = table.filter(pl.col("home_margin").is_not_null())
    before = played["date"].unique().sort().to_list()[:-1]
    days = draw.sample(before, min(CUTS - 1, len(before)))
    # The day before the last one too: what the latest results can change is seen there.
    if before:
        days = sorted({*days, played["date"].max() - timedelta(days=1)})
    edited = sorted(draw.sample(played["game_id"].to_list(), min(EDITED, played.height)))
    found = [truncation(table, inputs, elo, days), own_score(table, inputs, elo, edited)]
    if metrics:
        told = [json.loads(path.read_text()) for path in metrics]
        found.append(time_order(table, told))
    return write_all([one | {"simulated": simulated} for one in found], names, outs)


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            score(
                schedules=[Path(path) for path in snakemake.input.schedules],  # noqa: F821
                stadiums=[Path(path) for path in snakemake.input.stadiums],  # noqa: F821
                team_epa=[Path(path) for path in snakemake.input.team_epa],  # noqa: F821
                odds=[Path(path) for path in snakemake.input.odds],  # noqa: F821
                weather=[Path(path) for path in snakemake.input.weather],  # noqa: F821
                games=Path(snakemake.input.games),  # noqa: F821
                metrics=[Path(path) for path in snakemake.input.metrics],  # noqa: F821
                names=snakemake.params.names,  # noqa: F821
                elo=dict(snakemake.params.elo),  # noqa: F821
                seed=snakemake.params.seed,  # noqa: F821
                simulated=snakemake.params.simulated,  # noqa: F821
                outs=[Path(path) for path in snakemake.output],  # noqa: F821
            ),
        )

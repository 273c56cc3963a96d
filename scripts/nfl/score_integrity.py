"""Do games, plays, lines and weather belong together, and can they be true? -> checks."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from scripts.nfl.checks import check, write_all
from scripts.nfl.columns import ODDS, PLAYS, SCHEDULES, WEATHER
from scripts.nfl.play_types import COLUMNS as PLAY_TYPES
from scripts.tables import scan

REGULAR = ((2021, 272), (2002, 256), (1999, 248))  # from a season on: regular games a season
CANCELLED = {2022: 1}  # BUF at CIN was never finished
# GameCenter's records miss a score now and then (5 of 2,926 games); flat files miss tries as well.
MISSED_SCORES = 0.03
WITHOUT_PLAYS = 0.05  # of a season; GameCenter lacks the play-offs of 2018
SPARSE, DENSE = 80, 220  # plays of a game that cannot be
USUAL = (100, 200)
COUNTED = ("pass", "run", "punt", "field_goal", "kickoff", "qb_kneel", "qb_spike")


def regular_games(season: int) -> int:
    """Regular games of a season, from 1999 on."""
    return next(n for first, n in REGULAR if season >= first) - CANCELLED.get(season, 0)


def of_games(games: pl.DataFrame, closed: Sequence[int]) -> Iterator[dict]:
    """Checks of the schedule.

    Args:
        games: columns `SCHEDULES`.
        closed: seasons that are over.
    """
    twice = games.height - games["game_id"].n_unique()
    yield check("game_ids", twice, 0, games.height, note="game ids that stand more than once")
    own = games.filter(pl.col("home_team") == pl.col("away_team")).height
    yield check("game_teams", own, 0, games.height, note="games of a team against itself")
    scores = pl.concat([games["home_score"], games["away_score"]]).drop_nulls()
    strange = int((~scores.is_between(0, 100)).sum())
    yield check("scores", strange, 0, len(scores), note="scores outside 0 to 100")
    regular = games.filter((pl.col("game_type") == "REG") & pl.col("season").is_in(list(closed)))
    counts = dict(regular.group_by("season").len().sort("season").rows())
    wrong = {s: counts.get(s, 0) for s in closed if counts.get(s, 0) != regular_games(s)}
    note = "seasons with another number of regular games than 248, 256 or 272"
    note += f": {wrong}" if wrong else ""
    yield check("games_per_season", len(wrong), 0, len(closed), note=note)


def of_plays(games: pl.DataFrame, plays: pl.DataFrame, types: pl.DataFrame) -> Iterator[dict]:
    """Checks of the plays and of their classes.

    Args:
        games: columns `SCHEDULES`.
        plays: columns `PLAYS`.
        types: columns `play_types.COLUMNS`.
    """
    strange = plays.join(games, on="game_id", how="anti").height
    strange += types.join(plays, on=["game_id", "play_id"], how="anti").height
    yield check("orphan_plays", strange, 0, plays.height, note="plays or classes of no game")
    made = pl.col("points") + pl.col("try_points").fill_null(1)
    sides = games.select("game_id", "home_team", "away_team", "home_score", "away_score")
    totals = (
        plays.join(sides, on="game_id")
        .group_by("game_id", "home_score", "away_score")
        .agg(
            *(
                made.filter(pl.col("scoring_team") == pl.col(f"{side}_team")).sum().alias(side)
                for side in ("home", "away")
            ),
            unknown=pl.col("try_points").is_null().sum(),
            plays=pl.col("kind").is_in(COUNTED).sum(),
        )
    )
    # A try that no play tells counts 1: what it really was moves the score by one, once each.
    off = sum((pl.col(side) - pl.col(f"{side}_score")).abs() for side in ("home", "away"))
    wrong = totals.filter(off > pl.col("unknown"))
    share = wrong.height / max(totals.height, 1)
    named = ", ".join(wrong["game_id"].sort()[:8])
    note = "share of games whose plays do not add up to the final score"
    note += f"; {wrong.height} of {totals.height}: {named}" if named else ""
    yield check("play_scores", share, [0, MISSED_SCORES], totals.height, note=note)
    seasons = games.filter(pl.col("season").is_in(plays["season"].unique().to_list()))
    played = seasons.filter(pl.col("home_score").is_not_null())
    there = pl.col("game_id").is_in(totals["game_id"].to_list())
    lacking = played.group_by("season").agg(share=1 - there.mean()).sort("share", "season")
    worst = lacking.row(-1, named=True) if lacking.height else {"season": None, "share": 0.0}
    note = f"share of a season's games with a result that have no plays; most in {worst['season']}"
    limit = [0, WITHOUT_PLAYS]
    yield check("games_without_plays", worst["share"], limit, played.height, note=note)
    rare = totals.filter(~pl.col("plays").is_between(SPARSE, DENSE))
    unusual = totals.filter(~pl.col("plays").is_between(*USUAL)).height
    note = (
        f"games below {SPARSE} or above {DENSE} plays; outside {USUAL[0]} to {USUAL[1]}: {unusual}"
    )
    yield check("plays_per_game", rare.height, 0, totals.height, note=note)


def of_odds(games: pl.DataFrame, odds: pl.DataFrame, simulated: bool) -> Iterator[dict]:
    """Checks of the closing lines."""
    strange = odds.join(games, on="game_id", how="anti").height
    strange += odds.height - odds["game_id"].n_unique()
    note = "lines of no game, or twice of one"
    yield check("orphan_odds", strange, 0, odds.height, simulated=simulated, note=note)
    wrong = odds.filter(
        (pl.col("spread_line").abs() > 50) | ~pl.col("total_line").is_between(20, 100)
    ).height
    note = "spreads beyond 50 points, or totals outside 20 to 100"
    yield check("line_range", wrong, 0, odds.height, simulated=simulated, note=note)


def score(
    schedules: Sequence[Path],
    pbp: Sequence[Path],
    play_types: Sequence[Path],
    odds: Sequence[Path],
    weather: Sequence[Path],
    names: Sequence[str],
    closed: Sequence[int],
    simulated: bool,
    outs: Sequence[Path],
) -> str:
    """Write the checks of referential integrity and range.

    Args:
        schedules, pbp, play_types, odds, weather: partitions of all seasons; some may be none.
        names: the checks to write.
        closed: seasons that are over.
        simulated: whether the closing lines are.
        outs: their files.

    Returns:
        one line for the log.
    """
    games = scan(schedules, SCHEDULES).collect()
    found = list(of_games(games, closed))
    if pbp:
        kept = ["season", "game_id", "play_id", "kind", "points", "try_points", "scoring_team"]
        plays = scan(pbp, PLAYS).select(kept).collect()
        types = scan(play_types, PLAY_TYPES).select("game_id", "play_id").collect()
        found += of_plays(games, plays, types)
    if odds:
        found += of_odds(games, scan(odds, ODDS).collect(), simulated)
    if weather:
        rows = scan(weather, WEATHER).collect()
        strange = rows.join(games, on="game_id", how="anti").height
        strange += rows.height - rows["game_id"].n_unique()
        note = "weather of no game, or twice of one"
        found.append(
            check(
                "orphan_weather",
                strange,
                0,
                rows.height,
                simulated=bool(rows["simulated"].any()),
                note=note,
            )
        )
    return write_all(found, names, outs)


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            score(
                schedules=[Path(path) for path in snakemake.input.schedules],  # noqa: F821
                pbp=[Path(path) for path in snakemake.input.pbp],  # noqa: F821
                play_types=[Path(path) for path in snakemake.input.play_types],  # noqa: F821
                odds=[Path(path) for path in snakemake.input.odds],  # noqa: F821
                weather=[Path(path) for path in snakemake.input.weather],  # noqa: F821
                names=snakemake.params.names,  # noqa: F821
                closed=snakemake.params.closed,  # noqa: F821
                simulated=snakemake.params.simulated,  # noqa: F821
                outs=[Path(path) for path in snakemake.output],  # noqa: F821
            ),
        )

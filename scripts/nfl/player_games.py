"""Players' games of a season, from GameCenter's box scores or nflverse's plays, in one layout."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from scripts.errors import DataError
from scripts.nfl import box_scores, play_players
from scripts.nfl.box_scores import COUNTED
from scripts.nfl.columns import PLAYER_GAMES
from scripts.nfl.plays import SIDES, WORDS, check_cells, load, of_the_time
from scripts.tables import conform

ID = r"^\d{2}-\d{7}$"  # of the league
KEYS = ("game_id", "player_id")
LAYOUTS = {  # source -> columns of its file, what the file is
    "gamecenter": (tuple(box_scores.COLUMNS), "what nfl_land_gamecenter lands"),
    "pbp": (play_players.COLUMNS, "nflverse's play-by-play"),
}


def read(path: Path, kind: str, games: pl.DataFrame) -> tuple[pl.DataFrame, int, list[str]]:
    """Players' games whose result is known, sorted by game_id, team, player_id.

    Left out are entries without a player's id, and games that are not on the schedule. A game is
    found there by its id, else by the league's own number.

    Args:
        path: what `land_gamecenter` landed, or nflverse's `play_by_play_*.parquet`.
        kind: gamecenter or pbp.
        games: the season's schedule, columns `SCHEDULES`.

    Returns:
        columns `PLAYER_GAMES`; how many entries have no player's id; ids of the games that are not
        on the schedule, sorted.

    Raises:
        DataError: the file cannot be used, or contradicts the schedule.
    """
    raw, (wanted, what) = load(path), LAYOUTS[kind]
    if missing := [name for name in wanted if name not in raw.columns]:
        raise DataError(f"{path}: no column {', '.join(missing)}; is it {what}?")
    if kind == "pbp":
        check_cells(raw, path, play_players.LIMITS, {"play_type": WORDS["play_type"]})
    try:
        rows = play_players.of_plays(raw) if kind == "pbp" else raw.select(wanted)
        identified = pl.col("player_id").str.contains(ID).fill_null(value=False)
        unnamed = rows.filter(~identified).height
        rows, unknown = _scheduled(rows.filter(identified), games, path)
        found = _added_up(rows, path)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: {str(error).splitlines()[0]}; correct the file") from None
    return found, unnamed, unknown


def _scheduled(
    rows: pl.DataFrame, games: pl.DataFrame, path: Path
) -> tuple[pl.DataFrame, list[str]]:
    """Rows of games with a known result, by ids of the schedule; the games it does not know.

    Raises:
        DataError: two games are one on the schedule, or a player's team does not play.
    """
    own = games.select("season", "home_score", *(f"{side}_team" for side in SIDES), id="game_id")
    numbers = games.drop_nulls("old_game_id").unique("old_game_id", keep="none")
    numbers = numbers.select("old_game_id", by_number="game_id")
    told = rows.select("game_id", "old_game_id").unique(maintain_order=True)
    told = told.join(numbers, on="old_game_id", how="left", maintain_order="left").with_columns(
        id=pl.when(pl.col("game_id").is_in(own["id"].implode()))
        .then("game_id")
        .otherwise("by_number")
    )
    listed = told.drop_nulls("id")
    twice = listed.filter(pl.col("id").is_duplicated())
    if twice.height:
        both = " and ".join(twice.filter(id=twice["id"][0])["game_id"].to_list()[:2])
        raise DataError(
            f"{path}: {both} are both {twice['id'][0]} on the schedule; correct its old_game_id"
        )
    places = listed.select("game_id", "id").join(own, on="id", how="left", maintain_order="left")
    rows = rows.join(places, on="game_id", how="inner", maintain_order="left")
    rows = rows.drop_nulls("home_score").with_columns(of_the_time("team"), game_id="id")
    strange = rows.filter(
        pl.col("team").is_null()
        | ~pl.any_horizontal(pl.col("team") == pl.col(f"{side}_team") for side in SIDES)
    )
    if strange.height:
        row = strange.row(0, named=True)
        raise DataError(
            f"{path}: {row['player_id']} in {row['game_id']}: {row['team']} does not play; take "
            "players and schedule from one source or correct the file"
        )
    return rows, told.filter(pl.col("id").is_null())["game_id"].unique().sort().to_list()


def _added_up(rows: pl.DataFrame, path: Path) -> pl.DataFrame:
    """One row for each player in each game, columns `PLAYER_GAMES`.

    Raises:
        DataError: a player is of both teams of a game.
    """
    first = [pl.col(name).drop_nulls().first() for name in ("season", "name", "team")]
    teams = pl.col("team").n_unique().alias("_teams")
    sums = pl.col(COUNTED).fill_null(0).sum()
    found = rows.group_by(KEYS, maintain_order=True).agg(*first, teams, sums)
    both = found.filter(pl.col("_teams") > 1)
    if both.height:
        row = both.row(0, named=True)
        raise DataError(
            f"{path}: {row['player_id']} in {row['game_id']}: of both teams; correct the file"
        )
    # Without targets of passes that were not caught the source knows none.
    caught, thrown = pl.col("receptions").sum(), pl.col("targets").sum()
    known = (thrown > caught) | (
        (thrown == caught) & (pl.col("attempts").sum() == pl.col("completions").sum())
    )
    found = found.with_columns(
        pl.col("name").fill_null(pl.col("player_id")),
        targets=pl.when(known.over("game_id")).then("targets"),
    )
    return conform(found, PLAYER_GAMES).sort("game_id", "team", "player_id")

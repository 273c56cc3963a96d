"""Plays of a season, from flat GameCenter files or nflverse's parquet, in one layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from scripts.errors import DataError
from scripts.nfl.columns import PLAYS
from scripts.nfl.teams import CODES
from scripts.tables import DAMAGED, conform

TEAMS = ("posteam", "score_team", "td_team", "penalty_team")
POINTS = {"TD": 6, "FG": 3, "SAF": 2, "D2P": 2}
TRIES = {"XP": 1, "2PS": 2, "2PR": 2}  # GameCenter's notes of tries that were good
NO_TRY = {"XPM": 0, "XPB": 0, "XPA": 0, "2PPF": 0, "2PRF": 0}
SIDES = ("home", "away")
LIMITS = {  # column of a source, GameCenter's or nflverse's -> least, greatest
    "play_id": (0, 99_999),
    **dict.fromkeys(("drive", "fixed_drive"), (0, 99)),
    "qtr": (1, 9),
    "half_seconds_remaining": (0, 1800),
    "game_seconds_remaining": (-900, 3600),
    "down": (0, 4),
    "ydstogo": (0, 99),
    "yardline_100": (0, 100),
    "yards_gained": (-110, 110),
    **dict.fromkeys(("interception", "fumble_lost", "sack", "penalty", "touchdown"), (0, 1)),
    **dict.fromkeys(("safety", "defensive_two_point_conv"), (0, 1)),
    "try_points": (0, 2),
    "epa": (-20, 20),
    "wp": (0, 1),
}
BROKEN, ALWAYS = ("epa", "wp"), ("play_id", "qtr")
TYPES = ("pass", "run", "punt", "field_goal", "kickoff", "qb_kneel", "qb_spike", "no_play")
WORDS = {
    "play_type": (*TYPES, "extra_point", "conversion", "timeout"),
    "score_type": tuple(POINTS),
    "field_goal_result": ("made", "missed", "blocked"),
    "extra_point_result": ("good", "failed", "blocked", "aborted", "safety"),
    "two_point_conv_result": ("success", "failure", "safety", "return"),
}
QUARTER_S = 900
KINDS = {"extra_point": "conversion"}  # of nflverse -> ours


def read(path: Path, games: pl.DataFrame) -> pl.DataFrame:
    """Plays of a season's games, columns `PLAYS`, in the order of the schedule, then of the plays.

    Args:
        path: flat GameCenter plays (`.csv`, `.csv.gz`, `.parquet`), or nflverse's
            `play_by_play_*.parquet`.
        games: the season's schedule, columns `SCHEDULES`.

    Raises:
        DataError: it cannot be read, lacks a column, or has plays of no game or no team.
    """
    raw = load(path)
    nflverse = "total_home_score" in raw.columns
    sides = games.select("game_id", "season", "home_team", "away_team")
    needed = {"game_id", "play_id", "qtr", "posteam", "down", "ydstogo", "yardline_100"}
    if missing := sorted(needed - set(raw.columns)):
        raise DataError(f"{path}: no column {', '.join(missing)}; is it a file of plays?")
    raw = raw.drop("season", "home_team", "away_team", strict=False)
    orphans = raw.join(sides, on="game_id", how="anti")
    if orphans.height:
        named = orphans["game_id"].drop_nulls().unique().sort().to_list()[:3]
        raise DataError(
            f"{path}: {orphans.height} plays of games not on the schedule ({', '.join(named)}); "
            "take plays and schedule from one source or correct the file"
        )
    # GameCenter writes 0 where there is no down.
    check_cells(raw, path, {**LIMITS, "down": (1, 4)} if nflverse else LIMITS, WORDS)
    plays = raw.join(sides.with_row_index("_game"), on="game_id", how="left")
    plays = plays.with_columns(map(of_the_time, filter(plays.columns.__contains__, TEAMS)))
    _check_teams(plays, path)
    try:
        plays = (_of_nflverse if nflverse else _of_gamecenter)(plays, path)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: {str(error).splitlines()[0]}; correct the file") from None
    plays = plays.sort("_game", "_order", maintain_order=True)
    if plays.select("game_id", "play_id").is_duplicated().any():
        twice = plays.filter(pl.struct("game_id", "play_id").is_duplicated()).row(0, named=True)
        raise DataError(f"{path}: play {twice['play_id']} of {twice['game_id']} stands twice")
    plays = plays.with_columns(
        defteam=pl.when(pl.col("posteam") == pl.col("home_team"))
        .then("away_team")
        .when(pl.col("posteam") == pl.col("away_team"))
        .then("home_team")
    )
    return conform(_with_score(plays), PLAYS)


def check_cells(
    plays: pl.DataFrame,
    path: Path,
    limits: Mapping[str, tuple[float, float]],
    words: Mapping[str, Sequence[str]],
) -> None:
    """See that numbers and words of a source are such as can be, as far as it has the column.

    Args:
        plays: as the source has them.
        path: its file.
        limits: column -> least, greatest; but for those of `BROKEN` whole, but for those of
            `ALWAYS` null too.
        words: column -> what may stand there, beside nothing.

    Raises:
        DataError: one is not; it names the play.
    """
    texts = plays.select(pl.all().cast(pl.String, strict=False))
    for name in filter(plays.columns.__contains__, limits):
        low, high = limits[name]
        told = plays[name].cast(pl.Float64, strict=False)
        good = told.is_between(low, high) & ((told % 1 == 0) | (name in BROKEN))
        good = (plays[name].is_null() & (name not in ALWAYS)) | good.fill_null(value=False)
        _refuse(texts, ~good, path, name, f"a number from {low:g} to {high:g}")
    for name in filter(plays.columns.__contains__, words):
        good = texts[name].is_null() | texts[name].is_in(list(words[name]))
        _refuse(texts, ~good, path, name, f"one of {', '.join(words[name])}")


def _check_teams(plays: pl.DataFrame, path: Path) -> None:
    for name in filter(plays.columns.__contains__, TEAMS):
        strange = pl.col(name).is_not_null() & ~pl.any_horizontal(
            pl.col(name) == pl.col(f"{side}_team") for side in SIDES
        )
        row = next(plays.filter(strange).iter_rows(named=True), None)
        if row is not None:
            raise DataError(
                f"{path}: play {row['play_id']} of {row['game_id']}: {row[name]:.60} does not play"
            )


def _refuse(texts: pl.DataFrame, bad: pl.Series, path: Path, name: str, expected: str) -> None:
    if bad.any():
        row = texts.filter(bad).row(0, named=True)
        number = row.get("play_id", "")
        raise DataError(
            f"{path}: play {number} of {row['game_id']}, column {name}: got {row[name]!r:.60}, "
            f"expected {expected}; correct the file"
        )


def load(path: Path) -> pl.DataFrame:
    """A file of plays; text columns of a CSV stay text.

    Raises:
        DataError: it cannot be read.
    """
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False)
    except (*DAMAGED, EOFError) as error:
        cause = str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read as plays ({cause}); fetch it again") from None


def of_the_time(name: str) -> pl.Expr:
    """A column of team codes as the schedule writes them, none for a blank.

    GameCenter writes JAC; nflverse's plays have LA, LAC and LV for teams that its schedule still
    calls STL, SD and OAK.
    """
    team = pl.col(name).cast(pl.String).replace("", None)
    same = [team.replace(CODES) == pl.col(f"{side}_team").replace(CODES) for side in SIDES]
    return (
        pl.when(same[0]).then("home_team").when(same[1]).then("away_team").otherwise(team)
    ).alias(name)


def _number(name: str, dtype: type = pl.Int32) -> pl.Expr:
    """A column as a number; `10.0` is one too."""
    return pl.col(name).cast(pl.Float64).cast(dtype)


def _of_gamecenter(plays: pl.DataFrame, path: Path) -> pl.DataFrame:
    """GameCenter's flat columns -> ours, but for the running score."""
    for name in ("penalty_team", "try_points"):
        if name not in plays.columns:
            plays = plays.with_columns(pl.lit(None, pl.String).alias(name))
    lacking = {"drive", "time", "note", "play_type", "yards_gained", "score_team", "score_type"}
    if missing := sorted(lacking - set(plays.columns)):
        raise DataError(f"{path}: no column {', '.join(missing)}; is it a file of plays?")
    clock = pl.col("time").str.extract_groups(r"^(\d?\d)?:(\d\d)$")
    minutes = clock.struct.field("1").cast(pl.Int32).fill_null(0)
    left = minutes * 60 + clock.struct.field("2").cast(pl.Int32)
    plays = plays.with_columns(
        quarter=_number("qtr"),
        _left=left,
        play_id=_number("play_id"),
        drive=_number("drive"),
    ).with_columns(
        pl.col("note").fill_null(""), pl.col("_left").forward_fill().over("game_id", "quarter")
    )
    quarter, left = pl.col("quarter"), pl.col("_left").fill_null(QUARTER_S)
    scoring = pl.col("score_type").replace_strict(POINTS, default=0, return_dtype=pl.Int32)
    plays = plays.with_columns(
        _order=pl.col("drive").cast(pl.Int64) * 100_000 + pl.col("play_id"),
        half_seconds=left + pl.when(quarter.is_in([1, 3])).then(QUARTER_S).otherwise(0),
        game_seconds=pl.when(quarter <= 4).then(left + (4 - quarter) * QUARTER_S).otherwise(0),
        down=pl.when(_number("down") > 0).then(_number("down")),
        ydstogo=_number("ydstogo"),
        yardline_100=_number("yardline_100"),
        kind=pl.col("play_type"),
        yards_gained=_number("yards_gained"),
        **{
            n: _number(n) == 1
            for n in ("interception", "fumble_lost", "sack", "penalty", "touchdown")
        },
        scoring_team=pl.when(scoring > 0).then("score_team"),
        points=scoring,
        epa=pl.lit(None, pl.Float64),
        wp=pl.lit(None, pl.Float64),
    )
    # Files without the summary's words tell tries as plays of their own, if at all.
    noted = pl.col("note").replace_strict(TRIES | NO_TRY, default=None, return_dtype=pl.Int32)
    following = pl.when(pl.col("kind") == "conversion").then(noted).shift(-1).over("game_id")
    return plays.sort("_game", "_order").with_columns(
        try_points=pl.when(pl.col("points") != POINTS["TD"])
        .then(0)
        .otherwise(pl.coalesce(_number("try_points"), following))
    )


def _of_nflverse(plays: pl.DataFrame, path: Path) -> pl.DataFrame:
    """nflverse's columns -> ours, but for the running score."""
    wanted = (
        "half_seconds_remaining",
        "game_seconds_remaining",
        "play_type",
        "yards_gained",
        "td_team",
        "field_goal_result",
        "extra_point_result",
        "two_point_conv_result",
        "safety",
        "penalty",
        "penalty_team",
        "interception",
        "fumble_lost",
        "sack",
        "touchdown",
        "epa",
        "wp",
    )
    if missing := sorted(set(wanted) - set(plays.columns)):
        raise DataError(f"{path}: no column {', '.join(missing)}; is it nflverse's play-by-play?")
    drive = "drive" if "drive" in plays.columns else "fixed_drive"
    kind = pl.col("play_type").replace(KINDS)
    two = pl.col("two_point_conv_result")
    tried = pl.coalesce(
        pl.when(pl.col("extra_point_result") == "good").then(1),
        pl.when(two == "success").then(2),
        pl.when(pl.col("extra_point_result").is_not_null() | two.is_not_null()).then(0),
    )
    defended = (
        pl.col("defensive_two_point_conv") == 1
        if "defensive_two_point_conv" in plays.columns
        else pl.lit(False)
    )
    touchdown, kicked = pl.col("td_team").is_not_null(), pl.col("field_goal_result") == "made"
    safe = pl.col("safety") == 1
    plays = plays.with_columns(_order=pl.int_range(pl.len())).with_columns(
        play_id=_number("play_id"),
        drive=_number(drive),
        quarter=_number("qtr"),
        half_seconds=_number("half_seconds_remaining"),
        game_seconds=_number("game_seconds_remaining"),
        down=_number("down"),
        ydstogo=_number("ydstogo"),
        yardline_100=_number("yardline_100"),
        kind=pl.when(two.is_not_null())
        .then(pl.lit("conversion"))
        .otherwise(kind)
        .fill_null("timeout"),
        yards_gained=_number("yards_gained"),
        **{
            n: _number(n).fill_null(0) == 1
            for n in ("interception", "fumble_lost", "sack", "penalty", "touchdown")
        },
        points=pl.when(touchdown)
        .then(6)
        .when(kicked)
        .then(3)
        .when(safe | defended)
        .then(2)
        .otherwise(0),
        epa=pl.col("epa").cast(pl.Float64),
        wp=pl.col("wp").cast(pl.Float64),
        _try=tried,
    )
    other = (
        pl.when(pl.col("posteam") == pl.col("home_team")).then("away_team").otherwise("home_team")
    )
    return plays.sort("_game", "_order").with_columns(
        scoring_team=pl.when(touchdown)
        .then("td_team")
        .when(kicked)
        .then("posteam")
        .when(safe | defended)
        .then(other),
        # The try is the next play of the game that is one.
        try_points=pl.when(touchdown)
        .then(pl.col("_try").backward_fill(limit=3).shift(-1).over("game_id"))
        .otherwise(0),
    )


def _with_score(plays: pl.DataFrame) -> pl.DataFrame:
    """The points of both teams before each play."""
    made = pl.col("points") + pl.col("try_points").fill_null(1)
    return plays.with_columns(
        (pl.when(pl.col("scoring_team") == pl.col(f"{side}_team")).then(made).otherwise(0))
        .cum_sum()
        .shift(1, fill_value=0)
        .over("game_id")
        .alias(f"{side}_points")
        for side in SIDES
    )

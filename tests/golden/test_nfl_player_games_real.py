"""Players' games of 2016 and 2017, added up by team and week, against the official figures.

`-s` prints what was got beside what was expected. Equal in all 13 columns are 482 of the 534
team-games of 2016 and 488 of those of 2017. Where they differ:

* GameCenter's records were kept during the game. What the league corrected in the days after it (a
  pass that was a run, a carry that was a sack, a target, the spot of a lateral) is not in them:
  their own box scores say the same as our sums, but for 2 of 6,587 entries of 2016.
* Some records of 2017 lack a play that their box scores count (Brady's pass of 25 yards to White in
  week 8) or have it as it was before a correction: 27 of 6,617 entries.
* Official fumbles lost leave out those of aborted snaps.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from scripts.nfl import build_player_games, build_schedules, gamecenter
from scripts.nfl.columns import PLAYER_GAMES
from scripts.nfl.land_gamecenter import land
from scripts.nfl.teams import franchise

OFFICIAL = {  # ours -> theirs
    "completions": "completions",
    "attempts": "attempts",
    "passing_yards": "passing_yards",
    "passing_tds": "passing_tds",
    "interceptions": "passing_interceptions",
    "sacks": "sacks_suffered",
    "carries": "carries",
    "rushing_yards": "rushing_yards",
    "rushing_tds": "rushing_tds",
    "receptions": "receptions",
    "targets": "targets",
    "receiving_yards": "receiving_yards",
    "receiving_tds": "receiving_tds",
}
LOST = ("sack_fumbles_lost", "rushing_fumbles_lost", "receiving_fumbles_lost")
TEAM_GAMES = 534
ALL_EQUAL, ONE_EQUAL = 0.9, 0.94  # share of team-games that agree: in all columns, in each
NEVER_OFF = ("passing_tds", "interceptions", "receiving_tds")
# Players' games in which the sums of the record's plays are not its own box score.
BEYOND_RECORD = {2016: 2, 2017: 27}
BOX = {  # of the record: part -> ours -> theirs
    "passing": {"attempts": "att", "completions": "cmp", "passing_yards": "yds"},
    "rushing": {"carries": "att", "rushing_yards": "yds", "rushing_tds": "tds"},
    "receiving": {"receptions": "rec", "receiving_yards": "yds", "receiving_tds": "tds"},
}
LEADERS = {  # of the regular season, passing yards: ours, the official ones
    2016: [("D.Brees", 5208, 5208), ("M.Ryan", 4944, 4944)],
    # The record of 2017_08_LAC_NE lacks a pass for 25 yards; 2017_11_NE_OAK was corrected by 1.
    2017: [("T.Brady", 4551, 4577), ("P.Rivers", 4515, 4515)],
}


def show(what: str, got: object, expected: object) -> None:
    print(f"\n{what:46} got {got!s:>12}  expected {expected}", end="")


@pytest.fixture(scope="module", params=(2016, 2017))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple:
    """A season, its table, and its schedule."""
    season, folder = request.param, tmp_path_factory.mktemp("players")
    paths = [folder / name for name in ("games.csv", "plays.parquet", "players.parquet")]
    land(season, gamecenter.package(), *paths)
    build_schedules.build(paths[0], season, None, folder / "schedule.parquet")
    out = folder / "out.parquet"
    line = build_player_games.build(paths[2], "gamecenter", folder / "schedule.parquet", out)
    assert "267 of 267 games with a result; left out: 0 entries" in line
    return season, pl.read_parquet(out), pl.read_parquet(folder / "schedule.parquet")


@pytest.fixture
def both(made: tuple, real_data: Path) -> pl.DataFrame:
    """Ours and the official figures (`_theirs`) of each team in each week."""
    season, table, games = made
    weeks = table.join(games.select("game_id", "week"), on="game_id")
    ours = weeks.group_by("week", franchise(pl.col("team")).alias("team")).agg(
        pl.col(*OFFICIAL, "sack_yards", "fumbles_lost").sum()
    )
    raw = pl.read_csv(real_data / f"nfl/stats_team_week_{season}.csv", infer_schema_length=None)
    theirs = raw.select(
        "week",
        franchise(pl.col("team")).alias("team"),
        *(pl.col(name).alias(f"{own}_theirs") for own, name in OFFICIAL.items()),
        sack_yards_theirs=-pl.col("sack_yards_lost"),
        fumbles_lost_theirs=pl.sum_horizontal(LOST),
    )
    found = ours.join(theirs, on=["week", "team"])
    assert found.height == ours.height == theirs.height == TEAM_GAMES
    return found


def equal(name: str) -> pl.Expr:
    """Whether ours is theirs."""
    return pl.col(name) == pl.col(f"{name}_theirs")


def test_team_games_are_the_official_ones(made: tuple, both: pl.DataFrame) -> None:
    whole = both.filter(pl.all_horizontal(map(equal, OFFICIAL))).height / TEAM_GAMES
    show(f"team-games equal in all columns, {made[0]}", f"{whole:.4f}", f">= {ALL_EQUAL}")
    assert whole >= ALL_EQUAL
    for name in (*OFFICIAL, "sack_yards", "fumbles_lost"):
        share = both.filter(equal(name)).height / TEAM_GAMES
        show(f"team-games equal in {name}, {made[0]}", f"{share:.4f}", f">= {ONE_EQUAL}")
        assert share == 1 if name in NEVER_OFF else share >= ONE_EQUAL, name
    # What is moved from one kind of play to another is one play, or two, of a game.
    counts = [n for n in OFFICIAL if "yards" not in n]
    most = both.select((pl.col(n) - pl.col(f"{n}_theirs")).abs().max() for n in counts)
    assert max(most.row(0)) <= 2


def test_plays_are_the_records_own_box_score_but_for_lost_and_double_ones(made: tuple) -> None:
    season, table, _ = made
    ours = {(row["game_id"], row["player_id"]): row for row in table.to_dicts()}
    off, told = [], 0
    for game in gamecenter.schedule(gamecenter.package(), season):
        record = gamecenter.read(gamecenter.package(), game["eid"])
        for part, names in BOX.items():
            for side in ("home", "away"):
                for player, box in record[side]["stats"].get(part, {}).items():
                    told += 1
                    row = ours[game["game_id"], player]
                    if any(row[own] != box[name] for own, name in names.items()):
                        off.append((game["game_id"], box["name"]))
    show(f"players not as in the record, {season}", f"{len(off)} of {told}", BEYOND_RECORD[season])
    assert told > 6000
    assert len(off) == BEYOND_RECORD[season], off


def test_the_leaders_of_the_season(made: tuple) -> None:
    season, table, games = made
    regular = table.join(games.filter(pl.col("game_type") == "REG"), on="game_id", how="semi")
    sums = regular.group_by("player_id", "name").agg(pl.col("passing_yards").sum())
    best = sums.sort("passing_yards", descending=True).select("name", "passing_yards").rows()[:2]
    show(f"most passing yards, {season}", best, LEADERS[season])
    assert best == [leader[:2] for leader in LEADERS[season]]


def test_rows_make_sense(made: tuple) -> None:
    _, table, _ = made
    assert table.null_count().sum_horizontal().item() == 0
    assert table.select("game_id", "player_id").is_unique().all()
    assert table.equals(table.sort("game_id", "team", "player_id"))
    counts = [n for n, c in PLAYER_GAMES.items() if c.dtype == pl.Int32 and "yards" not in n]
    assert table.select((pl.col(counts) >= 0).all()).row(0) == (True,) * len(counts)
    less = ("completions <= attempts", "interceptions <= attempts", "receptions <= targets")
    off = {text: table.filter(~pl.sql_expr(text)).height for text in less}
    assert off["completions <= attempts"] == off["interceptions <= attempts"] == 0
    assert off["receptions <= targets"] <= 5  # a catch of a ball that was thrown to another
    by_team = table.group_by("game_id", "team").agg(pl.col(OFFICIAL).sum())
    assert by_team.filter(pl.col("completions") != pl.col("receptions")).height == 0
    assert by_team.filter(pl.col("passing_tds") != pl.col("receiving_tds")).height == 0

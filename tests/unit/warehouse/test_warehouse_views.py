"""The views of the real server: equal to polars, found when they are not, never half refreshed."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import psycopg
import pytest

from scripts.errors import DataError
from scripts.nfl.columns import PLAYERS
from scripts.tables import conform
from scripts.warehouse import (
    build_views,
    catalog,
    check_consistency,
    consistency,
    copies,
    features,
    loading,
    server,
    views,
)
from scripts.warehouse.server import Server
from tests import warehouses
from tests.unit.warehouse import view_leagues

Frames = dict[str, pl.DataFrame]
League = dict[int, Frames]
FACTS = {"run": "demo", "version": "0", "config_hash": "x", "simulated": True}
PATIENCE_S = 0.5  # of a reader, while views are refreshed


@pytest.fixture(scope="module")
def scratch(embedded: Server, loaded: Server) -> Iterator[psycopg.Connection]:
    """A copy of the league for tests that undo what they did."""
    copy = embedded.at("test_views_scratch")
    copies.copy(loaded, copy, same_server=True)
    with server.connect(copy, autocommit=True) as connection:
        yield connection
    copies.drop(copy)


@pytest.fixture
def undone(scratch: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A connection in a transaction that is rolled back."""
    with scratch.transaction(force_rollback=True):
        yield scratch


def listed() -> pl.DataFrame:
    """Players as etl/players lists them."""
    players = warehouses.player_frames()["players"].rename({"last_season": "season"})
    return conform(players.with_columns(team=pl.lit("BUF")), PLAYERS)


def inputs(league: League) -> Frames:
    """What the features are made from."""
    names = {name for frames in league.values() for name in frames}
    frames = {name: pl.concat([f[name] for f in league.values() if name in f]) for name in names}
    return check_consistency.inputs(frames, listed())


def fill(connection: psycopg.Connection, league: League) -> None:
    """Make a league the only one of a database, and refresh its views."""
    connection.execute("TRUNCATE games, players CASCADE")
    for season, frames in league.items():
        loading.load(connection, frames, season)
    loading.load(connection, warehouses.player_frames(), loading.ALL_SEASONS)
    views.refresh(connection)


def failed(connection: psycopg.Connection, frames: Frames) -> dict[str, float]:
    """Checks of views that do not pass -> what they got."""
    checks = list(consistency.views(connection, frames))
    assert {check["check"].split(".")[0] for check in checks if "." in check["check"]} == set(
        features.VIEWS
    )
    return {check["check"]: check["got"] for check in checks if not check["pass"]}


def refresh(connection: psycopg.Connection, *names: str) -> None:
    """Refresh views in a transaction; none named: all, in their order."""
    for name in names or features.VIEWS:
        connection.execute(f"REFRESH MATERIALIZED VIEW {name}")


def refused(checks: Iterator[dict]) -> dict[str, int]:
    """Those that do not pass."""
    return {check["check"]: check["got"] for check in checks if not check["pass"]}


def where(game: str, value: object, column: str) -> pl.Expr:
    """A column with another value in one game."""
    chosen = pl.col("game_id") == game
    return pl.when(chosen).then(pl.lit(value)).otherwise(column).alias(column)


def edited(table: str, *columns: pl.Expr) -> Callable[[League], League]:
    """Leagues with other columns in a table of 2019."""

    def make(league: League) -> League:
        season = league[2019] | {table: league[2019][table].with_columns(*columns)}
        return league | {2019: season}

    return make


def without(*tables: str) -> Callable[[League], League]:
    """Leagues without tables."""
    return lambda league: {
        season: {name: frame for name, frame in frames.items() if name not in tables}
        for season, frames in league.items()
    }


def random_league(seed: int) -> League:
    """A league with all that is hard, as far as the tables admit it."""
    made = view_leagues.league(seed)
    known = pl.col("home_score").is_not_null() & pl.col("away_score").is_not_null()
    made["games"] = made["games"].with_columns(
        pl.when(known).then(f"{side}_score").alias(f"{side}_score") for side in view_leagues.SIDES
    )
    for name in ("games", "plays", "odds", "weather", "player_games"):
        filled = {pl.Boolean: pl.lit(value=False), pl.Int32: pl.lit(1), pl.String: pl.lit("run")}
        must = {
            "games": ["neutral"],
            "plays": [
                *("quarter", "kind", "interception", "fumble_lost", "sack", "penalty"),
                *("touchdown", "points", "home_points", "away_points", "explosive"),
            ],
            "odds": ["simulated"],
            "weather": ["simulated"],
            "player_games": [],
        }[name]
        frame = made[name]
        made[name] = frame.with_columns(
            pl.col(column).fill_null(filled[frame.schema[column].base_type()]) for column in must
        )
    seasons = made["games"]["season"].unique().sort().to_list()
    return {
        season: {
            name: made[name].filter(pl.col("season") == season)
            for name in ("games", "plays", "player_games", "odds", "weather")
        }
        for season in seasons
    }


LEAGUES: dict[str, Callable[[League], League]] = {
    "as it is": lambda league: league,
    "no odds": without("odds"),
    "no weather": without("weather"),
    "no player_games": without("player_games"),
    "games alone": without("odds", "weather", "player_games", "plays", "team_epa"),
    "a game in the middle is not played": edited(
        "games",
        where("2019_02_OAK_MIA", None, "home_score"),
        where("2019_02_OAK_MIA", None, "away_score"),
    ),
    "a tie": edited(
        "games",
        where("2019_01_MIA_BUF", 17, "home_score"),
        where("2019_01_MIA_BUF", 17, "away_score"),
    ),
    "pushes": lambda league: edited(
        "odds",
        where("2019_01_MIA_BUF", 3.0, "spread_line"),
        where("2019_01_MIA_BUF", 37.0, "total_line"),
    )(
        edited(
            "games",
            where("2019_01_MIA_BUF", 20, "home_score"),
            where("2019_01_MIA_BUF", 17, "away_score"),
        )(league)
    ),
    "no stadiums": edited("games", pl.lit(None, pl.String).alias("stadium")),
    "no expected points": edited("plays", pl.lit(None, pl.Float64).alias("epa")),
    "no lines of a game": edited(
        "odds",
        where("2019_02_OAK_MIA", None, "spread_line"),
        where("2019_02_OAK_MIA", None, "home_moneyline"),
    ),
    "no rows": lambda league: {
        season: {name: frame.clear() for name, frame in frames.items()}
        for season, frames in league.items()
    },
}


@pytest.mark.parametrize("what", LEAGUES)
def test_views_are_what_polars_makes(connection: psycopg.Connection, what: str) -> None:
    made = LEAGUES[what](warehouses.league())
    fill(connection, made)
    assert failed(connection, inputs(made)) == {}


@pytest.mark.parametrize("seed", range(3))
def test_views_of_a_random_league_are_what_polars_makes(
    connection: psycopg.Connection, seed: int
) -> None:
    made = random_league(seed)
    connection.execute("ALTER TABLE odds DROP CONSTRAINT odds_total_line_check")  # low, for pushes
    fill(connection, made)
    frames = inputs(made)
    assert failed(connection, frames) == {}
    pushes = "SELECT count(*) FROM betting_features WHERE cover_margin = 0 AND home_cover IS NULL"
    assert connection.execute(pushes).fetchone()[0] > 0
    ties = "SELECT count(*) FROM games WHERE home_score = away_score"
    assert connection.execute(ties).fetchone()[0] > 0


ONE_PLAY = "game_id = '2019_01_MIA_BUF' AND play_id = 20"
ONE_GAME = "game_id = '2019_01_MIA_BUF'"
MUTANTS = {  # statement -> columns of which some must be found
    f"UPDATE games SET home_score = home_score + 1 WHERE {ONE_GAME}": {
        "team_rolling_stats.points_for_last3",
        "team_matchup_history.home_margin_mean",
        "betting_features.home_margin",
        "betting_features.total",
        "venue_weather_features.venue_total_mean",
    },
    f"UPDATE plays SET epa = epa + 1e-6, play_class = 'pass' WHERE {ONE_PLAY}": {
        "game_aggregates.epa",
        "game_aggregates.epa_play",
    },
    f"UPDATE plays SET posteam = NULL, play_class = 'run' WHERE {ONE_PLAY}": set(),
    f"UPDATE odds SET spread_line = NULL WHERE {ONE_GAME}": {
        "betting_features.spread_line",
        "betting_features.cover_margin",
    },
    f"UPDATE odds SET spread_line = spread_line + .5 WHERE {ONE_GAME}": {
        "betting_features.cover_margin"
    },
    f"UPDATE weather SET temp_c = NULL WHERE {ONE_GAME}": {
        "venue_weather_features.temp_c",
        "venue_weather_features.temp_c_diff",
    },
    f"UPDATE games SET date = date + 1 WHERE {ONE_GAME}": {
        "team_rolling_stats.date",
        "betting_features.date",
    },
    f"UPDATE games SET stadium = stadium || ' ' WHERE {ONE_GAME}": {"venue_weather_features.venue"},
    "UPDATE player_games SET targets = 0 WHERE player_id = '00-0000001'": {
        "player_season_stats.targets"
    },
    f"UPDATE player_games SET passing_yards = passing_yards + 1 WHERE {ONE_GAME}": {
        "player_season_stats.passing_yards"
    },
    "UPDATE players SET name = 'Zoe'": {"player_season_stats.name"},
    "UPDATE players SET birth_date = NULL": {"player_season_stats.birth_date"},
    f"DELETE FROM games WHERE {ONE_GAME}": {
        "rows betting_features",
        "rows game_aggregates",
        "rows team_rolling_stats",
    },
    "DELETE FROM player_games": {"rows player_season_stats"},
}


@pytest.mark.parametrize("statement", MUTANTS)
def test_a_change_is_found_and_its_column_named(undone: psycopg.Connection, statement: str) -> None:
    assert undone.execute(statement).rowcount > 0
    frames = inputs(warehouses.league())
    assert failed(undone, frames) == {}, "views are as of their refreshing"
    refresh(undone)
    assert MUTANTS[statement] <= failed(undone, frames).keys()


@pytest.mark.parametrize("value", ["Infinity", "-Infinity", "NaN"])
def test_a_value_that_is_no_number_is_found(undone: psycopg.Connection, value: str) -> None:
    undone.execute(
        f"UPDATE plays SET epa = '{value}' WHERE play_class IN ('pass', 'run') AND {ONE_GAME}"
    )
    refresh(undone)
    found = failed(undone, inputs(warehouses.league()))
    assert {"game_aggregates.epa", "game_aggregates.epa_play"} <= found.keys()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_not_a_number_is_far_from_a_number(value: float) -> None:
    got = pl.DataFrame({"id": [1, 2], "x": [value, 1.0]})
    expected = pl.DataFrame({"id": [1, 2], "x": [1.0, 1.0]})
    for one, other in ((got, expected), (expected, got)):
        checks = consistency.compare("v", ["id"], one, other)
        assert [c["check"] for c in checks if not c["pass"]] == ["v.x"]


def test_compare_tells_columns_rows_nulls_and_texts() -> None:
    expected = pl.DataFrame({"id": [1, 2, 3], "x": [1.0, None, 3.0], "t": ["a", None, "c"]})

    def names(got: pl.DataFrame) -> dict[str, float]:
        return refused(consistency.compare("v", ["id"], got, expected))

    assert names(expected.reverse()) == {}
    near = expected.with_columns(pl.col("x") * (1 + 1e-12))
    assert names(near) == {}
    assert names(expected.with_columns(pl.col("x") * (1 + 1e-8))).keys() == {"v.x"}
    assert names(expected.with_columns(x=0.0)) == {"v.x": math.inf}
    assert names(expected.with_columns(t=pl.lit(None, pl.String))) == {"v.t": 2}
    assert names(expected.head(2)) == {"rows v": 1}
    assert names(expected.with_columns(id=pl.col("id") + 1)).keys() >= {"rows v"}
    assert names(expected.drop("t")) == {"columns v": 1}
    assert names(expected.with_columns(u=1)) == {"columns v": 1}
    assert names(expected.clear()) == {"rows v": 3}


def test_a_view_that_was_refreshed_before_the_others_is_found(
    undone: psycopg.Connection,
) -> None:
    changed = edited("games", where("2019_01_MIA_BUF", 99, "home_score"))(warehouses.league())
    loading.load(undone, changed[2019], 2019)
    refresh(undone, "betting_features")
    found = failed(undone, inputs(changed))
    assert not any(name.startswith("betting_features") for name in found)
    assert {"team_rolling_stats.points_for_last3", "team_matchup_history.home_margin_mean"} <= (
        found.keys()
    )
    refresh(undone)
    assert failed(undone, inputs(changed)) == {}


def test_orphans_are_found_while_the_rule_is_there(undone: psycopg.Connection) -> None:
    assert refused(consistency.orphans(undone)) == {}
    undone.execute("SET LOCAL session_replication_role = replica")
    undone.execute(f"UPDATE plays SET game_id = '2019_99_A_B' WHERE {ONE_PLAY}")
    undone.execute("UPDATE rosters SET player_id = '00-9'")
    undone.execute(f"UPDATE games SET home_team = 'XXX' WHERE {ONE_GAME}")
    undone.execute("SET LOCAL session_replication_role = origin")
    assert refused(consistency.orphans(undone)) == {
        "orphans plays.game_id": 1,
        "orphans rosters.player_id": 1,
        "orphans games.home_team": 1,
    }


@pytest.mark.parametrize(
    ("rule", "statement", "name"),
    [
        (
            "plays.plays_game_id_fkey",
            f"UPDATE plays SET game_id = 'no' WHERE {ONE_PLAY}",
            "game_id",
        ),
        ("rosters.rosters_player_id_fkey", "UPDATE rosters SET player_id = '00-9'", "player_id"),
    ],
)
def test_orphans_are_found_when_the_rule_is_gone(
    undone: psycopg.Connection, rule: str, statement: str, name: str
) -> None:
    table, constraint = rule.split(".")
    undone.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
    undone.execute(statement)
    assert refused(consistency.orphans(undone)) == {f"orphans {table}.{name}": 1}


def test_duplicates_and_null_keys_are_found_when_the_rules_are_gone(
    undone: psycopg.Connection,
) -> None:
    assert refused(consistency.keys(undone)) == {}
    for table, columns in consistency.KEYS.items():
        undone.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey CASCADE")
        undone.execute(f"ALTER TABLE {table} ALTER COLUMN {columns[-1]} DROP NOT NULL")
        undone.execute(f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1")
    found = refused(consistency.keys(undone))
    assert found == {f"duplicates {table}": 1 for table in consistency.KEYS}
    for table, columns in consistency.KEYS.items():
        last = f"ctid = (SELECT max(ctid) FROM {table})"
        undone.execute(f"UPDATE {table} SET {columns[-1]} = NULL WHERE {last}")
    found = refused(consistency.keys(undone))
    assert found == {f"null keys {table}": 1 for table in consistency.KEYS}


def test_rows_are_counted_by_season(undone: psycopg.Connection) -> None:
    frames = {t: f for t, f in inputs(warehouses.league()).items() if t in consistency.KEYS}
    frames |= warehouses.player_frames()
    assert refused(consistency.rows(undone, frames)) == {}
    undone.execute(f"DELETE FROM plays WHERE {ONE_PLAY}")
    undone.execute("UPDATE odds SET season = 2018 WHERE game_id = '2019_01_MIA_BUF'")
    undone.execute("DELETE FROM players")
    checks = {c["check"]: c for c in consistency.rows(undone, frames) if not c["pass"]}
    assert checks.keys() == {"rows plays", "rows odds", "rows players", "rows rosters"}
    assert checks["rows plays"]["note"] == "2019: 179 of 180"
    assert checks["rows odds"]["note"] == "2018: 9 of 8, 2019: 7 of 8"
    assert checks["rows players"]["note"] == "0: 0 of 1"
    assert refused(consistency.seasons_apart(undone)) == {"season odds": 1}


def test_a_view_that_nothing_is_known_of_is_told(undone: psycopg.Connection) -> None:
    assert consistency.populated(undone)["pass"]
    undone.execute("CREATE MATERIALIZED VIEW other AS SELECT 1 AS x")
    found = consistency.populated(undone)
    assert not found["pass"] and found["note"] == "other"


def test_refreshing_follows_what_reads_what(connection: psycopg.Connection) -> None:
    connection.execute(
        "CREATE VIEW aa_between AS SELECT * FROM team_rolling_stats;"
        'CREATE MATERIALIZED VIEW "aa ""Last""" AS SELECT count(*) AS n FROM aa_between;'
        'CREATE MATERIALIZED VIEW "a very first" AS SELECT n FROM "aa ""Last""";'
        'CREATE UNIQUE INDEX ON "aa ""Last""" (n); CREATE UNIQUE INDEX ON "a very first" (n);'
    )
    connection.execute("DELETE FROM games WHERE season = 2019")
    log = "SELECT view, rows, was_concurrent, seconds FROM refresh_log"
    before = warehouses.rows(connection, log).height
    done = views.refresh(connection)
    order = [view["view"] for view in done]
    assert order.index("game_aggregates") < order.index("team_rolling_stats")
    assert order[-2:] == ['aa "Last"', "a very first"]
    assert set(order[:-2]) == set(features.VIEWS)
    assert {view["view"]: view["rows"] for view in done}["a very first"] == 1
    assert connection.execute('SELECT n FROM "a very first"').fetchone() == (16,)
    logged = warehouses.rows(connection, log).slice(before)
    assert logged.rows() == [(v["view"], v["rows"], v["concurrently"], v["seconds"]) for v in done]


def test_a_view_without_rows_is_refreshed_outright(connection: psycopg.Connection) -> None:
    connection.execute("REFRESH MATERIALIZED VIEW betting_features WITH NO DATA")
    done = {view["view"]: view["concurrently"] for view in views.refresh(connection)}
    assert done == {name: name != "betting_features" for name in features.VIEWS}
    assert failed(connection, inputs(warehouses.league())) == {}


def test_a_reader_neither_waits_nor_sees_half_a_view(place: Server) -> None:
    counts: dict[str, set[int]] = {name: set() for name in features.VIEWS}
    waits, faults, end = [], [], threading.Event()

    def read() -> None:
        try:
            with server.connect(place, autocommit=True) as reader:
                reader.execute(f"SET lock_timeout = '{PATIENCE_S}s'")  # a busy machine is no lock
                while not end.is_set():
                    for name, found in counts.items():
                        start = time.perf_counter()
                        query = f"SELECT count(*), count(game_id) FROM {name}"
                        if name == "player_season_stats":
                            query = f"SELECT count(*), count(player_id) FROM {name}"
                        rows = reader.execute(query).fetchone()
                        waits.append(time.perf_counter() - start)
                        assert rows[0] == rows[1]
                        found.add(rows[0])
        except Exception as error:
            faults.append(error)

    def sizes(connection: psycopg.Connection) -> dict[str, int]:
        return {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in features.VIEWS
        }

    league = warehouses.league((2018, 2019, 2020), seed=11)
    reader = threading.Thread(target=read)
    with server.connect(place, autocommit=True) as connection:
        old = sizes(connection)
        loading.load(connection, league[2020], 2020)
        reader.start()
        try:
            started = time.perf_counter()
            while len(waits) < 2 * len(counts) and time.perf_counter() - started < 10:
                time.sleep(0.01)
            for _ in range(3):
                views.refresh(connection)
        finally:
            end.set()
            reader.join(30)
        new = sizes(connection)
    assert not faults
    assert all(new[name] > old[name] for name in new)
    assert all(found <= {old[name], new[name]} for name, found in counts.items()), counts
    assert all(new[name] in found for name, found in counts.items())
    assert sorted(waits)[len(waits) // 2] < PATIENCE_S


def test_a_reader_in_a_transaction_does_not_stop_the_refresh(place: Server) -> None:
    with (
        server.connect(place) as reader,
        server.connect(place, autocommit=True) as connection,
    ):
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        before = reader.execute("SELECT count(*) FROM betting_features").fetchone()
        connection.execute("SET statement_timeout = '10s'")
        connection.execute("DELETE FROM games WHERE season = 2019")
        views.refresh(connection)
        assert reader.execute("SELECT count(*) FROM betting_features").fetchone() == before
        reader.rollback()
        assert reader.execute("SELECT count(*) FROM betting_features").fetchone() == (8,)


def partitions(tmp_path: Path, league: League) -> tuple[dict, list[Path]]:
    """Seasons and players, as the job takes them."""
    seasons = {
        season: (warehouses.write_partitions(frames, tmp_path / str(season)), None)
        for season, frames in league.items()
    }
    players = tmp_path / "players.parquet"
    listed().write_parquet(players)
    return seasons, [players]


@pytest.mark.parametrize("some", [(), ("odds", "weather", "player_games")])
def test_the_job_reports_what_it_checked(
    place: Server, tmp_path: Path, some: tuple[str, ...]
) -> None:
    league = without(*some)(warehouses.league())
    with server.connect(place, autocommit=True) as connection:
        fill(connection, league)
    seasons, players = partitions(tmp_path, league)
    out = tmp_path / "consistency.json"
    line = check_consistency.check(place, seasons, players, FACTS, out)
    told = json.loads(out.read_text())
    assert list(told) == [*FACTS, "checks"]
    assert {key: told[key] for key in FACTS} == FACTS
    assert line == f"all {len(told['checks'])} checks passed"
    assert all(set(c) == {"check", "got", "limit", "n", "pass", "note"} for c in told["checks"])
    names = {check["check"] for check in told["checks"]}
    assert len(names) == len(told["checks"])
    assert {"orphans plays.game_id", "season odds", "null keys games", "rows plays"} <= names
    assert {f"rows {name}" for name in features.VIEWS} <= names


def test_the_job_fails_with_a_line_and_leaves_no_file(
    place: Server, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    seasons, players = partitions(tmp_path, warehouses.league())
    out = tmp_path / "consistency.json"
    with server.connect(place, autocommit=True) as connection:
        connection.execute(f"DELETE FROM plays WHERE {ONE_PLAY}")
        connection.execute(f"UPDATE odds SET spread_line = NULL WHERE {ONE_GAME}")
        views.refresh(connection)
    with pytest.raises(DataError, match=r"checks of the warehouse failed, first rows plays: got 1, "
                       r"limit 0 2019: 179 of 180; the log has all") as told:  # fmt: skip
        check_consistency.check(place, seasons, players, FACTS, out)
    assert "\n" not in str(told.value)
    assert not out.exists()
    printed = capsys.readouterr().out
    assert "rows plays: 1 (limit 0, n 360) 2019: 179 of 180" in printed
    assert "betting_features.spread_line: inf" in printed


def test_a_view_without_data_or_a_lost_table_is_a_line(place: Server, tmp_path: Path) -> None:
    seasons, players = partitions(tmp_path, warehouses.league())
    out = tmp_path / "consistency.json"
    with server.connect(place, autocommit=True) as connection:
        connection.execute("REFRESH MATERIALIZED VIEW betting_features WITH NO DATA")
    with pytest.raises(DataError, match="has not been populated") as told:
        check_consistency.check(place, seasons, players, FACTS, out)
    assert "\n" not in str(told.value)
    with server.connect(place, autocommit=True) as connection:
        connection.execute("DROP TABLE team_epa")
    with pytest.raises(DataError, match="team_epa"):
        check_consistency.check(place, seasons, players, FACTS, out)
    assert not out.exists()
    assert copies.drop(place)
    with pytest.raises(server.UnreachableError, match="no such database"):
        check_consistency.check(place, seasons, players, FACTS, out)


def test_checking_writes_nothing(place: Server, tmp_path: Path) -> None:
    seasons, players = partitions(tmp_path, warehouses.league())
    with server.connect(place, autocommit=True) as connection:
        before = catalog.sums(connection)
        check_consistency.check(place, seasons, players, FACTS, tmp_path / "out.json")
        assert catalog.sums(connection) == before


@pytest.mark.parametrize("table", ["games", "loads"])
def test_the_refresh_does_not_wait_for_a_lock_for_ever(
    place: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    monkeypatch.setattr(server, "LOCK_S", 0.2)
    with server.connect(place) as holder:
        holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(DataError, match="another session holds the lock: end it and run again"):
            build_views.build(place, [], tmp_path / "views.json", {})
    assert list(tmp_path.iterdir()) == []

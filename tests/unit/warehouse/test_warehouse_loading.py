"""Loads into the real server: what comes back, what stays, and what an interruption leaves."""

from __future__ import annotations

import hashlib
import json
import math
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import polars as pl
import psycopg
import pytest
from polars.testing import assert_frame_equal

from scripts.errors import DataError
from scripts.nfl.columns import PLAYERS
from scripts.tables import schema_of
from scripts.warehouse import (
    build_views,
    catalog,
    consistency,
    copies,
    load_players,
    load_season,
    loading,
    migrations,
    server,
)
from scripts.warehouse.migrations import Limits
from scripts.warehouse.server import Server
from tests import warehouses

Frames = dict[str, pl.DataFrame]
SEASON = 2019
GAME = "2019_01_MIA_BUF"
OTHER = "2019_02_OAK_MIA"
CHILD = """
import json, sys
from pathlib import Path
from scripts.warehouse import load_season
from scripts.warehouse.server import Server
place, sources, out = map(json.loads, sys.argv[1:])
sources = {table: Path(path) for table, path in sources.items()}
load_season.load(Server(place, "the child's"), 2019, sources, None, Path(out))
"""
HOSTILE = [
    *('"', '""', "'", ",", "a,b", "\n", "a\r\nb", "\r", "\\N", "\\.", "\\", "\\\\n", "a\\", "\t"),
    *("", " ", "  a ", "NULL", "null", "NaN", "inf", "1e5", "007", "true", "%s", "{}", "$1"),
    *("é", "e\u0301", "\U0001f3c8", "\u202eabc", "\u2028", "\ufeffx", "\x01", "\x7f", '","'),
    *('",\n"', "'; DROP TABLE games; --", '"' * 999, "x\\.\n" * 99, "long " * 40_000),
]  # fmt: skip
TEXTS = ("old_game_id", "roof", "surface", "stadium", "home_qb", "away_qb", "home_coach")
FLOATS = [math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 1 / 3, 1e16]


@pytest.fixture
def season() -> Frames:
    """The frames of a season, to be changed at will."""
    return dict(warehouses.league()[SEASON])


@pytest.fixture(scope="module")
def kept(embedded: Server, loaded: Server) -> Iterator[Server]:
    """A copy of the league for tests that leave it as it is."""
    copy = embedded.at("test_loading_kept")
    copies.copy(loaded, copy, same_server=True)
    yield copy
    copies.drop(copy)


def stored(connection: psycopg.Connection, table: str, like: pl.DataFrame) -> pl.DataFrame:
    """Rows of a table, of the seasons of a frame, in the order of their key."""
    found = consistency.read(connection, table, like).select(like.columns)
    if "season" in like.columns:
        found = found.filter(pl.col("season").is_in(like["season"].unique().to_list()))
    return found.sort(consistency.KEYS[table])


def assert_stored(connection: psycopg.Connection, frames: Frames) -> None:
    """Check that tables hold exactly these rows of their seasons."""
    for table, frame in frames.items():
        expected = frame.sort(consistency.KEYS[table])
        assert_frame_equal(stored(connection, table, frame), expected, check_exact=True)


def versions(connection: psycopg.Connection, table: str = "games") -> dict[str, str]:
    """The transaction that wrote each row."""
    return dict(connection.execute(f"SELECT game_id, xmin::text || ctid::text FROM {table}"))


def of_season(connection: psycopg.Connection, season: int) -> Frames:
    """All rows of a season, as they are."""
    like = warehouses.league()[season]
    return {table: stored(connection, table, frame) for table, frame in like.items()}


def at(game: str, value: object, column: str, key: str = "game_id") -> pl.Expr:
    """A column with another value in the rows of one game."""
    return pl.when(pl.col(key) == game).then(value).otherwise(column).alias(column)


@contextmanager
def unchanged(place: Server) -> Iterator[None]:
    """See that all rows, and the log of loads, are afterwards what they were."""

    def state() -> tuple:
        with server.connect(place, autocommit=True) as connection:
            log = connection.execute("SELECT * FROM loads ORDER BY table_name, season")
            return catalog.sums(connection), log.fetchall()

    before = state()
    yield
    assert state() == before


@contextmanager
def held(place: Server, table: str) -> Iterator[Callable[[], int]]:
    """Hold a table; gives what waits for a session that wants it, and tells its process."""
    with (
        server.connect(place) as holder,
        server.connect(place, autocommit=True) as watcher,
    ):
        holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")

        def waiting() -> int:
            deadline = time.monotonic() + 30
            query = (
                "SELECT pid FROM pg_locks WHERE relation = %s::regclass AND NOT granted "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            while (found := watcher.execute(query, [table]).fetchone()) is None:
                assert time.monotonic() < deadline, "nobody waits"
                time.sleep(0.02)
            return found[0]

        yield waiting
        holder.rollback()


def wait_until_alone(place: Server) -> None:
    """Until nobody else uses a database."""
    with server.connect(place, autocommit=True) as connection:
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        deadline = time.monotonic() + 30
        while connection.execute(query).fetchone()[0]:
            assert time.monotonic() < deadline, "a session stays"
            time.sleep(0.02)


def test_what_was_loaded_reads_back(kept: Server) -> None:
    with server.connect(kept, autocommit=True) as connection:
        for frames in warehouses.league().values():
            assert_stored(connection, frames)
        assert_stored(connection, warehouses.player_frames())


def test_loading_twice_changes_nothing(connection: psycopg.Connection, season: Frames) -> None:
    sums, written = catalog.sums(connection), versions(connection)
    people = warehouses.rows(connection, "SELECT player_id, xmin::text FROM players")
    first = loading.load(connection, season, SEASON)
    assert loading.load(connection, season, SEASON) == first
    loading.load(connection, warehouses.player_frames(), loading.ALL_SEASONS)
    assert catalog.sums(connection) == sums
    assert versions(connection) == written, "games that are the same are not written again"
    again = warehouses.rows(connection, "SELECT player_id, xmin::text FROM players")
    assert_frame_equal(again, people)
    assert {t: r["rows"] for t, r in first.items()} == {t: f.height for t, f in season.items()}
    log = connection.execute("SELECT rows, sha256 FROM loads WHERE season = %s", [SEASON])
    assert sorted(log) == sorted((r["rows"], r["sha256"]) for r in first.values())


def test_order_of_rows_in_a_frame_does_not_matter(
    connection: psycopg.Connection, season: Frames
) -> None:
    sums = catalog.sums(connection)
    mixed = {t: f.sample(fraction=1, shuffle=True, seed=3) for t, f in season.items()}
    loading.load(connection, mixed, SEASON)
    assert catalog.sums(connection) == sums


def test_one_season_reloads_alone(connection: psycopg.Connection) -> None:
    others, written = of_season(connection, 2018), versions(connection)
    plays = versions(connection, "plays WHERE season = 2018")
    changed = dict(warehouses.league(seed=8)[SEASON])
    loading.load(connection, changed, SEASON)
    assert_stored(connection, changed)
    assert {
        t: f.equals(others[t]) for t, f in of_season(connection, 2018).items()
    } == dict.fromkeys(others, True)
    assert versions(connection, "plays WHERE season = 2018") == plays
    same = {game: version for game, version in versions(connection).items() if game[:4] == "2018"}
    assert same.items() <= written.items()


def test_only_the_game_that_changed_is_written(
    connection: psycopg.Connection, season: Frames
) -> None:
    written = versions(connection)
    season["games"] = season["games"].with_columns(at(GAME, 77, "home_score"))
    season["games"] = season["games"].with_columns(at(OTHER, None, "stadium"))
    loading.load(connection, season, SEASON)
    assert_stored(connection, season)
    now = versions(connection)
    assert {game for game in now if now[game] != written[game]} == {GAME, OTHER}


def test_plays_of_games_that_stay_are_not_lost(
    connection: psycopg.Connection, season: Frames
) -> None:
    plays = versions(connection, "plays")
    games = season["games"].with_columns(pl.lit("Other Coach").alias("home_coach"))
    loading.load(connection, {"games": games}, SEASON)
    assert versions(connection, "plays") == plays
    assert_stored(connection, season | {"games": games})


def test_a_game_that_vanished_goes_with_all_it_had(
    connection: psycopg.Connection, season: Frames
) -> None:
    others = of_season(connection, 2018)
    fewer = {table: frame.filter(pl.col("game_id") != GAME) for table, frame in season.items()}
    loading.load(connection, {"games": fewer["games"]}, SEASON)
    assert_stored(connection, fewer)
    assert all(frame.equals(others[t]) for t, frame in of_season(connection, 2018).items())
    loading.load(connection, season, SEASON)
    assert_stored(connection, season)


def test_a_season_without_rows_is_emptied(connection: psycopg.Connection, season: Frames) -> None:
    others = of_season(connection, 2018)
    receipts = loading.load(connection, {t: f.clear() for t, f in season.items()}, SEASON)
    assert {receipt["rows"] for receipt in receipts.values()} == {0}
    count = connection.execute("SELECT count(*) FROM plays WHERE season = 2019").fetchone()
    assert count == (0,)
    assert all(frame.equals(others[t]) for t, frame in of_season(connection, 2018).items())
    loading.load(connection, {t: f.clear() for t, f in warehouses.player_frames().items()}, 0)
    assert connection.execute("SELECT count(*) FROM rosters").fetchone() == (0,)


def test_hostile_texts_and_floats_survive(connection: psycopg.Connection, season: Frames) -> None:
    games, weather = season["games"], season["weather"]
    wanted = [*HOSTILE, None] + [None, ""] * 16
    slots = [
        wanted[n : n + games.height] for n in range(0, games.height * len(TEXTS), games.height)
    ]
    assert sum(map(len, slots)) >= len(HOSTILE) + 2
    season["games"] = games.with_columns(
        pl.Series(column, values, pl.String) for column, values in zip(TEXTS, slots, strict=True)
    )
    season["weather"] = weather.with_columns(
        pl.Series("temp_c", FLOATS), pl.Series("wind_kmh", [math.nan, None] * 4)
    )
    loading.load(connection, season, SEASON)
    assert_stored(connection, season)
    got = stored(connection, "games", season["games"])
    expected = season["games"].sort("game_id")
    assert got.select(TEXTS).rows() == expected.select(TEXTS).rows()
    signs = stored(connection, "weather", season["weather"])["temp_c"].to_list()
    there = season["weather"].sort("game_id")["temp_c"].to_list()
    assert [math.copysign(1, x) for x in signs] == [math.copysign(1, x) for x in there]
    written = versions(connection)
    loading.load(connection, season, SEASON)
    assert versions(connection) == written


def test_rosters_and_players_are_the_only_rows(connection: psycopg.Connection) -> None:
    frames = warehouses.player_frames()
    more = pl.DataFrame(
        {
            "player_id": ["00-2", "00-3"],
            "name": ["", 'O\'Neil "\\N"'],
            "position": ["", None],
            "birth_date": [None, date(1899, 12, 31)],
            "last_season": [2018, 2019],
        },
        schema=frames["players"].schema,
    )
    frames["players"] = more
    frames["rosters"] = frames["rosters"].with_columns(player_id=pl.lit("00-3"))
    loading.load(connection, frames, loading.ALL_SEASONS)
    assert_stored(connection, frames)
    assert connection.execute("SELECT count(*) FROM rosters").fetchone() == (1,)
    with pytest.raises(DataError, match=r"^rosters: .*rosters_player_id_fkey.*\(00-9\)") as told:
        wrong = {"rosters": frames["rosters"].with_columns(player_id=pl.lit("00-9"))}
        loading.load(connection, wrong, loading.ALL_SEASONS)
    assert "\n" not in str(told.value)
    assert_stored(connection, frames)


def change(table: str, *columns: pl.Expr) -> Callable[[Frames], Frames]:
    """Frames with other columns in one table."""
    return lambda frames: frames | {table: frames[table].with_columns(*columns)}


def twice(table: str) -> Callable[[Frames], Frames]:
    """Frames with one row of a table twice."""
    return lambda frames: frames | {table: pl.concat([frames[table], frames[table].head(1)])}


def play(value: object, column: str) -> pl.Expr:
    """A column of plays, with another value in one of them."""
    one = (pl.col("game_id") == GAME) & (pl.col("play_id") == 20)
    return pl.when(one).then(value).otherwise(column).alias(column)


TEXT = pl.lit
REFUSED = {
    "quarter 7": (change("plays", play(7, "quarter")), "plays", "plays_quarter_check"),
    "down 5": (change("plays", play(5, "down")), "plays", "plays_down_check"),
    "wp 2": (change("plays", play(2.0, "wp")), "plays", "plays_wp_check"),
    "no kind": (change("plays", play(None, "kind")), "plays", 'null value in column "kind"'),
    "play of no team": (change("plays", play(TEXT("XXX"), "posteam")), "plays", "posteam_fkey"),
    "play of no game": (
        change("plays", play(TEXT("2019_99_A_B"), "game_id")),
        "plays",
        r"plays_game_id_fkey.*\(2019_99_A_B\)",
    ),
    "duplicate player": (twice("player_games"), "player_games", "player_games_pkey"),
    "duplicate line": (twice("odds"), "odds", "odds_pkey"),
    "one score": (change("games", at(GAME, None, "home_score")), "games", "games_both_scores"),
    "score 101": (change("games", at(GAME, 101, "home_score")), "games", "home_score_check"),
    "score -1": (change("games", at(GAME, -1, "away_score")), "games", "away_score_check"),
    "home = away": (change("games", at(GAME, "away_team", "home_team")), "games", "two_teams"),
    "no such team": (change("games", at(GAME, TEXT("XXX"), "home_team")), "games", "home_team_fk"),
    "kind of game": (change("games", at(GAME, TEXT("PRE"), "game_type")), "games", "game_type_ch"),
    "kickoff": (change("games", at(GAME, TEXT("1 pm"), "kickoff")), "games", "kickoff_check"),
    "no key": (change("games", at(GAME, None, "game_id")), "games", 'null value in column "game'),
    "NaN line": (change("odds", at(GAME, math.nan, "spread_line")), "odds", "spread_line_check"),
    "moneyline": (change("odds", at(GAME, 50.0, "home_moneyline")), "odds", "home_moneyline_check"),
    "rate": (change("team_epa", at(GAME, 1.1, "success_rate")), "team_epa", "success_rate_check"),
    "duplicate game": (twice("games"), "games", ""),
    "NUL": (change("games", at(GAME, TEXT("a\0b"), "stadium")), "games", ""),
}


def test_a_play_that_stands_twice_is_told_with_its_file(
    kept: Server, season: Frames, tmp_path: Path
) -> None:
    changed = twice("plays")(dict(warehouses.league(seed=9)[SEASON]))
    sources = warehouses.write_partitions(changed, tmp_path / "parts")
    line = rf"/play_types\.parquet: cannot be loaded \({GAME} 10 stands twice\); remove it and"
    with unchanged(kept), pytest.raises(DataError, match=line):
        load_season.load(kept, SEASON, sources, None, tmp_path / "receipt.json")


@pytest.mark.parametrize("what", REFUSED)
def test_a_refused_row_is_told_in_a_line_and_leaves_the_old_state(
    kept: Server, season: Frames, tmp_path: Path, what: str
) -> None:
    wrong, table, rule = REFUSED[what]
    changed = warehouses.league(seed=9)[SEASON]
    sources = warehouses.write_partitions(wrong(dict(changed)), tmp_path / "parts")
    with (
        unchanged(kept),
        pytest.raises(DataError, match=rf"^{table}, season 2019: .*{rule}") as told,
    ):
        load_season.load(kept, SEASON, sources, None, tmp_path / "receipt.json")
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 500
    assert not (tmp_path / "receipt.json").exists()


def test_a_load_killed_in_the_middle_leaves_the_old_state(place: Server, tmp_path: Path) -> None:
    new = warehouses.league(seed=9)[SEASON]
    sources = warehouses.write_partitions(new, tmp_path / "parts")
    out = tmp_path / "receipt.json"
    told = (dict(place.options), {t: str(path) for t, path in sources.items()}, str(out))
    with unchanged(place):
        with held(place, "odds") as waiting:
            command = [sys.executable, "-c", CHILD, *map(json.dumps, told)]
            with subprocess.Popen(command, cwd=warehouses.ROOT) as child:
                waiting()  # plays are replaced by now
                child.send_signal(signal.SIGKILL)
            assert child.returncode == -signal.SIGKILL
        wait_until_alone(place)
    assert not out.exists()
    load_season.load(place, SEASON, sources, None, out)
    with server.connect(place, autocommit=True) as connection:
        assert_stored(connection, new)


def test_a_load_whose_session_is_ended_leaves_the_old_state(place: Server, tmp_path: Path) -> None:
    new = warehouses.league(seed=9)[SEASON]
    sources = warehouses.write_partitions(new, tmp_path / "parts")
    out = tmp_path / "receipt.json"
    with unchanged(place), ThreadPoolExecutor(1) as pool:
        with held(place, "weather") as waiting:
            load = pool.submit(load_season.load, place, SEASON, sources, None, out)
            session = waiting()
            with server.connect(place, autocommit=True) as connection:
                connection.execute("SELECT pg_terminate_backend(%s)", [session])
            with pytest.raises(
                DataError, match=r"terminating connection due to admin.*; run again$"
            ) as told:
                load.result(30)
        assert "\n" not in str(told.value)
    assert not out.exists()


def test_a_load_does_not_wait_for_ever(
    kept: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LOCK_S", 0.2)
    sources = warehouses.write_partitions(warehouses.league(seed=9)[SEASON], tmp_path / "parts")
    with (
        unchanged(kept),
        held(kept, "odds"),
        pytest.raises(DataError, match="another session has held a lock for"),
    ):
        load_season.load(kept, SEASON, sources, None, tmp_path / "receipt.json")


@pytest.mark.parametrize("first", [True, False])
def test_seasons_loaded_at_once_do_not_deadlock(
    empty: Server, place: Server, *, first: bool
) -> None:
    target = empty if first else place
    with server.connect(target, autocommit=True) as connection:
        migrations.bring_forward(
            connection, migrations.read(warehouses.MIGRATIONS), Limits(), "test"
        )
    league = warehouses.league(seed=5)
    loads = [2018, 2019, 2018, 2019]
    barrier = threading.Barrier(len(loads))

    def load(season: int) -> dict:
        with server.connect(target, autocommit=True) as own:
            barrier.wait(20)
            return loading.load(own, league[season], season)

    with ThreadPoolExecutor(len(loads)) as pool:
        receipts = list(pool.map(load, loads, timeout=60))
    assert receipts[0] == receipts[2] and receipts[1] == receipts[3]
    with server.connect(target, autocommit=True) as connection:
        for frames in league.values():
            assert_stored(connection, frames)


def test_what_the_database_lacks_is_named_or_left_out(
    connection: psycopg.Connection, season: Frames
) -> None:
    connection.execute("DROP TABLE team_epa; ALTER TABLE weather DROP COLUMN humidity_pct")
    sums = catalog.sums(connection)
    with pytest.raises(DataError, match=r"no column humidity_pct in table weather; a migration mu"):
        loading.load(connection, season, SEASON)
    with pytest.raises(DataError, match=r"the warehouse has no table team_epa; a migration must"):
        loading.load(connection, {"team_epa": season["team_epa"]}, SEASON)
    assert catalog.sums(connection) == sums
    changed = dict(warehouses.league(seed=9)[SEASON])
    receipts = loading.load(connection, changed, SEASON, lenient=True)
    assert receipts.keys() == changed.keys() - {"team_epa"}
    changed["weather"] = changed["weather"].drop("humidity_pct")
    del changed["team_epa"]
    assert_stored(connection, changed)
    connection.execute("DROP TABLE loads")
    loading.load(connection, changed, SEASON)


def test_partitions_of_a_season_are_read_with_their_classes(season: Frames, tmp_path: Path) -> None:
    sources = warehouses.write_partitions(season, tmp_path)
    found = loading.read_season(sources, None)
    assert list(found) == list(loading.SEASONAL)
    for table, frame in season.items():
        assert_frame_equal(found[table], frame, check_exact=True)
    some = {name: sources[name] for name in ("games", "odds")}
    assert list(loading.read_season(some, None)) == ["games", "odds"]
    season["odds"].drop("total_line").write_parquet(sources["odds"])
    with pytest.raises(DataError, match="no column total_line"):
        loading.read_season(sources, None)


def test_classes_follow_their_plays(season: Frames, tmp_path: Path) -> None:
    plays = season["plays"]
    types = plays.select("game_id", "play_id", *loading.CLASSES)
    mixed = types.sample(fraction=1, shuffle=True, seed=1)
    got = loading.with_classes(plays.drop(loading.CLASSES), mixed)
    assert_frame_equal(got, plays)
    fewer = loading.with_classes(plays.drop(loading.CLASSES), types.head(3))
    assert fewer.height == plays.height
    assert fewer["play_class"].null_count() == plays.height - 3


def partition(folder: Path, season: int, rows: list[tuple]) -> Path:
    """A partition of players."""
    path = folder / f"season={season}" / "part.parquet"
    path.parent.mkdir(parents=True)
    whole = [(season, *row) for row in rows]
    pl.DataFrame(whole, schema=schema_of(PLAYERS), orient="row").write_parquet(path)
    return path


def people(folder: Path) -> list[Path]:
    """Two seasons of players: one renamed, one only early, one without a team."""
    born = date(1990, 2, 28)
    early = [("00-1", "Old Name", "BUF", "QB", None), ("00-2", "Zoë, \\N", None, None, born)]
    late = [("00-1", "New Name", "LV", "WR", born), ("00-3", "", "KC", "", None)]
    return [partition(folder, 2019, late), partition(folder, 2018, early)]


def test_players_are_as_in_their_latest_season(tmp_path: Path) -> None:
    found = loading.read_players(people(tmp_path))
    assert found["players"].rows() == [
        ("00-1", "New Name", "WR", date(1990, 2, 28), 2019),
        ("00-2", "Zoë, \\N", None, date(1990, 2, 28), 2018),
        ("00-3", "", "", None, 2019),
    ]
    assert found["rosters"].rows() == [
        (2018, "00-1", "BUF", "QB"),
        (2019, "00-1", "LV", "WR"),
        (2019, "00-3", "KC", ""),
    ]
    none = loading.read_players([])
    assert {name: (f.height, f.columns) for name, f in none.items()} == {
        name: (0, frame.columns) for name, frame in found.items()
    }


def test_jobs_write_receipts_of_what_they_loaded(place: Server, tmp_path: Path) -> None:
    league = warehouses.league(seed=6)
    receipts = []
    for season, frames in league.items():
        sources = warehouses.write_partitions(frames, tmp_path / str(season))
        if season == 2018:
            del sources["odds"]
        out = tmp_path / f"{season}.json"
        line = load_season.load(place, season, sources, None, out)
        told = json.loads(out.read_text())
        assert list(told) == ["season", "seconds", "tables"]
        assert told["season"] == season and told["seconds"] > 0
        assert told["tables"].keys() == loading.SEASONAL.keys()
        for table, receipt in told["tables"].items():
            sent = frames[table] if table in sources else frames[table].clear()
            digest = hashlib.sha256(loading.as_csv(sent)).hexdigest()
            assert receipt == {"rows": sent.height, "sha256": digest}
        assert line.startswith(f"{sum(r['rows'] for r in told['tables'].values())} rows in ")
        receipts.append(out)
    outs = {table: tmp_path / f"{table}.json" for table in loading.OF_ALL}
    assert load_players.load(place, people(tmp_path), outs) == "3 players, 3 rosters"
    of_players = json.loads(outs["players"].read_text())
    assert list(of_players) == ["table", "rows", "sha256", "seconds"]
    assert (of_players["table"], of_players["rows"]) == ("players", 3)
    tables = {table: tmp_path / f"receipt_{table}.json" for table in loading.SEASONAL}
    line = build_views.build(place, receipts, tmp_path / "views.json", tables)
    done = json.loads((tmp_path / "views.json").read_text())["views"]
    assert line == ", ".join(f"{view['view']} {view['rows']}" for view in done)
    assert len(done) == 6 and all(view["concurrently"] for view in done)
    games, odds = (json.loads(tables[table].read_text()) for table in ("games", "odds"))
    assert games["rows"] == 16 and list(games["seasons"]) == ["2018", "2019"]
    assert odds["rows"] == 8 and odds["seasons"]["2018"]["rows"] == 0
    told = [json.loads(path.read_text()) for path in receipts]
    assert games["seconds"] == pytest.approx(sum(one["seconds"] for one in told), abs=2e-3)
    assert games["seasons"]["2018"] == told[0]["tables"]["games"]
    none = build_views.gather(told, "nothing")
    assert none == {"table": "nothing", "rows": 0, "seconds": 0, "seasons": {}}


@pytest.mark.parametrize(
    "tables",
    [
        ("games", "plays"),
        ("games", "odds"),
    ],
)
def test_rows_of_another_season_are_refused(
    kept: Server, tmp_path: Path, tables: tuple[str, ...]
) -> None:
    """A partition of 2017 loaded as 2018: games of 2018 would go, with all they had."""
    of_2019 = warehouses.league()[SEASON]
    sources = warehouses.write_partitions(of_2019, tmp_path / "parts")
    some = {name: path for name, path in sources.items() if name.replace("_types", "s") in tables}
    some |= {"play_types": sources["play_types"]}
    if "plays" not in tables:
        some["odds"] = tmp_path / "odds.parquet"
        of_2019["odds"].clear().write_parquet(some["odds"])
    with server.connect(kept) as connection:  # never committed
        frames = loading.read_season(some, None)
        before = catalog.sums(connection)
        with pytest.raises(DataError):
            loading.load(connection, frames, 2018)
        assert catalog.sums(connection) == before
        connection.rollback()


def test_a_broken_partition_is_told(kept: Server, tmp_path: Path) -> None:
    sources = warehouses.write_partitions(warehouses.league()[SEASON], tmp_path / "parts")
    sources["odds"].write_bytes(b"PAR1 no parquet PAR1")
    with unchanged(kept), pytest.raises(DataError, match=r"odds\.parquet"):
        load_season.load(kept, SEASON, sources, None, tmp_path / "receipt.json")


def test_a_season_without_a_source_any_more_has_no_rows_of_it(
    place: Server, tmp_path: Path
) -> None:
    sources = warehouses.write_partitions(warehouses.league()[SEASON], tmp_path / "parts")
    del sources["odds"]
    load_season.load(place, SEASON, sources, None, tmp_path / "receipt.json")
    with server.connect(place, autocommit=True) as connection:
        query = "SELECT count(*) FROM odds WHERE season = 2019"
        assert connection.execute(query).fetchone() == (0,)

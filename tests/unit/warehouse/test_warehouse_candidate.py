"""The test of a migration, step by step: what is safe, and each way of being unsafe."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from scripts.warehouse import (
    apply_candidate,
    build_environment,
    catalog,
    check_candidate,
    check_queries,
    copies,
    drop_snapshot,
    loading,
    migrations,
    queries,
    score_verdict,
    server,
    snapshot_environment,
    steps,
)
from scripts.warehouse.migrations import Limits
from scripts.warehouse.server import Server
from tests import warehouses

QUICK = Limits(lock_s=0.5, statement_s=3)
SLOW = {"slowdown": 50.0, "slow_s": 5.0, "scan_rows": 100}
INDEX = "CREATE INDEX plays_kind ON plays (kind);"


class Trial:
    """A migration on trial: its folder, its environment, and the reports of its steps."""

    def __init__(self, folder: Path, source: Server, tmp_path: Path) -> None:
        """Of the last migration of a folder, with a database as the environment."""
        self.folder, self.source, self.reports = folder, source, tmp_path / "reports"
        self.name = sorted(path.stem for path in folder.glob("*.sql"))[-1]
        self.copy = source.at(f"snap_{source.options['dbname']}")
        self.seeded = tmp_path / "seeded.json"
        self.seeded.write_text('{"ok": true, "causes": []}')
        self.sources: dict[str, Path] = {}
        self.marker = tmp_path / "marker"

    def about(self, step: str) -> dict[str, str]:
        """What a report is about."""
        return {"migration": self.name, "environment": "dev", "step": step}

    def report(self, step: str) -> Path:
        """Path of a report."""
        return self.reports / f"{step}.json"

    def told(self, step: str) -> dict:
        """A report."""
        return json.loads(self.report(step).read_text())

    def snapshot(self) -> None:
        """The first step."""
        snapshot_environment.snapshot(
            self.about("snapshot"), self.source, self.copy, self.seeded, warehouses.QUERIES,
            self.marker, self.report("snapshot"),
        )  # fmt: skip

    def apply(self, limits: Limits = QUICK, held_s: float = 2) -> None:
        """The second."""
        apply_candidate.apply(
            self.about("apply"), self.copy, self.folder, limits, held_s,
            self.report("snapshot"), self.report("apply"),
        )  # fmt: skip

    def use(self, kind: str = "timed", **limits: float) -> None:
        """The third and fourth."""
        check_candidate.check(
            self.about("validate"), self.copy, self.folder, warehouses.SCHEMA,
            self.report("snapshot"), self.report("apply"), self.report("validate"),
        )  # fmt: skip
        check_queries.check(
            self.about("integration"), self.copy, kind, 2019, self.sources, None, self.folder,
            warehouses.QUERIES, {**SLOW, **limits}, self.report("snapshot"), self.report("apply"),
            self.report("integration"), seeded=True,
        )  # fmt: skip

    def drop(self) -> None:
        """The last."""
        drop_snapshot.drop(
            self.about("drop"), self.source, self.copy, self.report("snapshot"),
            self.report("drop"), seeded=True,
        )  # fmt: skip

    def verdict(self) -> dict:
        """What comes of it."""
        files = [self.report(step) for step in steps.STEPS]
        out, table = self.reports / "verdict.json", self.reports / "verdict.txt"
        score_verdict.score(self.name, files, out, table)
        found = json.loads(out.read_text())
        assert f"{self.name}: {found['verdict']}" in table.read_text()
        assert all(cause in table.read_text() for cause in found["causes"])
        return found

    def whole(self, kind: str = "timed") -> dict:
        """All steps and the verdict."""
        self.snapshot()
        self.apply()
        self.use(kind)
        self.drop()
        return self.verdict()


@pytest.fixture
def trial(place: Server, tmp_path: Path) -> Iterator[Callable[..., Trial]]:
    """Makes a trial of a migration's text; afterwards its source is as it was and its copy gone."""
    folder = Path(shutil.copytree(warehouses.MIGRATIONS, tmp_path / "migrations"))
    with server.connect(place, autocommit=True) as connection:
        before = catalog.sums(connection)
    made = []

    def make(text: str, name: str = "009_candidate") -> Trial:
        (folder / f"{name}.sql").write_text(text)
        made.append(Trial(folder, place, tmp_path))
        return made[-1]

    yield make
    with server.connect(place, autocommit=True) as connection:
        assert catalog.differences(before, catalog.sums(connection)) == []
        names = {n for (n,) in connection.execute("SELECT datname FROM pg_database")}
    assert not names & {one.copy.options["dbname"] for one in made}


@pytest.mark.parametrize(
    "text",
    [
        INDEX,
        "ALTER TABLE games ADD COLUMN note text;\nCREATE TABLE notes (id integer PRIMARY KEY);",
        "CREATE MATERIALIZED VIEW more AS SELECT 1 AS x;\nCREATE UNIQUE INDEX more_x ON more (x);",
        "-- changes: weather.wind_kmh\nUPDATE weather SET wind_kmh = round(wind_kmh);",
        "",
    ],
)
def test_what_adds_or_says_what_it_changes_is_safe(trial: Callable, text: str) -> None:
    found = trial(text).whole()
    assert found["causes"] == []
    assert found["verdict"] == "SAFE"
    assert found["environments"]["dev"].keys() == set(steps.STEPS)


UNSAFE = {
    "a failing statement in the middle": (
        "ALTER TABLE games ADD COLUMN note text;\nUPDATE games SET nothing = 1;\n" + INDEX,
        r"dev apply: 009_candidate.sql line 2: column \"nothing\" of relation \"games\" does not",
    ),
    "a dropped column that a view needs": (
        "ALTER TABLE plays DROP COLUMN explosive;",
        r"dev apply: .*materialized view game_aggregates depends on column explosive",
    ),
    "the same with its views": (
        "ALTER TABLE plays DROP COLUMN explosive CASCADE;",
        r"dev validate: materialised view game_aggregates is declared and not there",
    ),
    "a wrong type": (
        "ALTER TABLE weather ALTER COLUMN humidity_pct TYPE real;",
        r"dev validate: column weather.humidity_pct is real, declared double precision",
    ),
    "a lost index": (
        "DROP INDEX plays_posteam;",
        r"dev validate: index plays.plays_posteam is declared \(posteam, season\) and not there",
    ),
    "a lost foreign key": (
        "ALTER TABLE plays DROP CONSTRAINT plays_game_id_fkey;",
        r"dev validate: constraint plays.plays_game_id_fkey is declared",
    ),
    "a check that is not validated": (
        "ALTER TABLE games DROP CONSTRAINT games_two_teams;\nALTER TABLE games ADD CONSTRAINT "
        "games_two_teams CHECK (home_team <> away_team) NOT VALID;",
        r"dev validate: constraint games.games_two_teams is .*\(not valid\)",
    ),
    "values lost by an update": (
        "UPDATE games SET home_score = NULL, away_score = NULL WHERE week = 1;",
        r"dev validate: games.home_score: 12 values before, 8 after; if it is meant, write",
    ),
    "values changed by an update": (
        "UPDATE plays SET epa = -epa WHERE play_id = 100;",
        r"dev validate: plays.epa: other values than before",
    ),
    "values swapped between rows": (
        "UPDATE weather AS w SET temp_c = o.temp_c FROM weather AS o WHERE (w.game_id, o.game_id) "
        "IN (('2019_01_MIA_BUF', '2019_01_KC_OAK'), ('2019_01_KC_OAK', '2019_01_MIA_BUF'));",
        r"dev validate: weather.temp_c: other values than before",
    ),
    "rows lost": (
        "DELETE FROM games WHERE week = 2;",
        r"dev validate: plays: 360 rows before, 240 after",
    ),
    "a change that the header does not name": (
        "-- changes: weather.temp_c\nUPDATE weather SET wind_kmh = 1;",
        r"dev validate: weather.wind_kmh: other values than before",
    ),
    "a change that only a later comment announces": (
        "UPDATE weather SET wind_kmh = 1;\n-- changes: weather",
        r"dev validate: weather.wind_kmh: other values than before; .*`-- changes: weather",
    ),
    "rows lost where only a change is announced": (
        "-- changes: weather\nDELETE FROM weather WHERE season = 2018;",
        r"dev validate: weather: 16 rows before, 8 after; .*`-- removes: weather`",
    ),
    "an announcement of what is not there": (
        "-- changes: wether\nSELECT 1;",
        r"dev validate: 009_candidate.sql announces wether, which was not there",
    ),
    "a view that says something else": (
        "CREATE OR REPLACE VIEW sides AS SELECT season, game_id, date, home_team AS team, "
        "away_team AS opponent, TRUE AS at_home, home_score AS points_for, "
        "away_score AS points_against, "
        "0 AS margin, TRUE AS known FROM games;",
        r"dev validate: sides: definition is now SELECT",
    ),
    "a trigger that swallows rows": (
        "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';\n"
        "CREATE TRIGGER swallow BEFORE INSERT ON plays FOR EACH ROW EXECUTE FUNCTION swallow();",
        r"dev validate: plays: trigger swallow is now CREATE TRIGGER",
    ),
    "a default that is lost": (
        "ALTER TABLE loads ALTER COLUMN loaded_at DROP DEFAULT;",
        r"dev validate: loads: default of loaded_at is now gone",
    ),
    "rights that it would need elsewhere": (
        "ALTER ROLE almanac SET search_path = other;",
        r"dev apply: .*permission denied",
    ),
    "a program of the server's machine": (
        "COPY (SELECT 1) TO PROGRAM 'cat > /tmp/almanac-was-here';",
        r"dev apply: .*permission denied to COPY",
    ),
    "its own bookkeeping": (
        "DELETE FROM schema_migrations WHERE number = 3;",
        r"dev apply: 009_candidate.sql changes schema_migrations",
    ),
    "a statement without end": (
        "SELECT pg_sleep(1000000);",
        r"dev apply: .*canceling statement.*it took more than 3 s",
    ),
    "the end of the transaction": (
        "ALTER TABLE games ADD COLUMN note text;\nCOMMIT;\nDROP TABLE plays CASCADE;",
        r"dev apply: .*begins or ends a transaction; remove that",
    ),
}


@pytest.mark.parametrize("what", UNSAFE)
def test_what_is_unsafe_is_told_with_its_cause(trial: Callable, what: str) -> None:
    text, cause = UNSAFE[what]
    found = trial(text).whole()
    assert found["verdict"] == "UNSAFE"
    joined = "\n".join(found["causes"])
    assert re.search(cause, joined), joined


def test_a_lock_that_would_wait_for_ever(trial: Callable) -> None:
    one = trial("ALTER TABLE games ADD COLUMN note text;")
    one.snapshot()
    with server.connect(one.copy) as reader:
        reader.execute("SELECT count(*) FROM games")
        one.apply()
        reader.rollback()
    one.use()
    one.drop()
    found = one.verdict()
    assert found["verdict"] == "UNSAFE"
    assert "waited more than 0.5 s for a lock that another session holds" in found["causes"][0]
    assert one.told("validate")["ok"] is None
    assert one.told("drop")["dropped"] is True


def test_a_lock_that_keeps_readers_waiting(trial: Callable) -> None:
    one = trial("ALTER TABLE games ADD COLUMN note text;\nSELECT pg_sleep(1.2);")
    one.snapshot()
    one.apply(held_s=0.5)
    one.drop()
    assert "keeps readers and writers of games waiting for 1." in one.told("apply")["causes"][0]
    assert [lock["table"] for lock in one.told("apply")["locks"]] == ["games"]


def test_numbers_and_old_files_are_looked_at(trial: Callable) -> None:
    one = trial(INDEX)
    (one.folder / "009_again.sql").write_text("SELECT 1;")
    found = one.whole()
    assert "number 009 is given twice, to 009_again and 009_candidate" in found["causes"][0]
    (one.folder / "009_again.sql").unlink()
    plays = one.folder / "002_plays.sql"
    text = plays.read_text()
    plays.write_text(text + "-- edited\n")
    found = one.whole()
    assert "002_plays was edited after it was applied to environment dev" in found["causes"][0]
    plays.write_text(text)
    one = trial("SELECT 1;", "011_later")
    (one.folder / "010_before.sql").write_text("SELECT 1;")
    found = one.whole()
    assert "environment dev is at 008: 009 comes before 011_later" in found["causes"][0]


def test_what_is_there_already_is_nothing_to_test(trial: Callable, place: Server) -> None:
    one = trial(INDEX)
    one.name = "008_market_and_venue_views"
    assert "has 008_market_and_venue_views already" in one.whole()["causes"][0]


def test_a_query_that_gets_slow_or_reads_a_table_whole(trial: Callable) -> None:
    one = trial("ALTER TABLE plays DROP CONSTRAINT plays_pkey;")
    one.snapshot()
    one.apply()
    one.use(scan_rows=100, slowdown=1.000001, slow_s=0)
    causes = one.told("integration")["causes"]
    assert any("takes" in cause and "before (limit" in cause for cause in causes)
    one.drop()
    before = {"q": {"rows": 1, "sha256": "", "seconds": 1.0, "scans": {"plays": 5}}}
    after = {"q": {"rows": 1, "sha256": "", "seconds": 2.9, "scans": {"plays": 500}}}
    assert queries.slower(before, after, 3, 0.5, 100) == [
        "query q now reads 500 rows of plays one after another (limit 100); is an index missing?"
    ]
    assert queries.slower(before, before, 3, 0.5, 100) == []


def test_scans_are_read_from_the_plan(connection: psycopg.Connection) -> None:
    found = queries.measure(
        connection,
        {
            "whole": "SELECT count(*) FROM plays WHERE yards_gained > 3",
            "wrong": "SELECT nothing FROM plays",
            "writes": "DELETE FROM games",
        },
    )
    assert found["whole"]["scans"] == {"plays": 360}
    assert "does not exist" in found["wrong"]["error"]
    assert "read-only transaction" in found["writes"]["error"]


def test_a_season_is_loaded_into_the_copy(trial: Callable, tmp_path: Path) -> None:
    sources = warehouses.write_partitions(warehouses.league()[2019], tmp_path / "2019")
    one = trial(INDEX)
    one.sources = sources
    found = one.whole("etl")
    assert found["verdict"] == "SAFE", found
    assert one.told("integration")["rows"]["games"] == 8
    one = trial("ALTER TABLE games ADD COLUMN referee text NOT NULL DEFAULT 'x';\n"
                "ALTER TABLE games ALTER COLUMN referee DROP DEFAULT;")  # fmt: skip
    one.sources = sources
    found = one.whole("etl")
    assert found["verdict"] == "UNSAFE"
    assert 'null value in column "referee"' in found["causes"][0]


def test_a_source_that_somebody_uses_is_copied_by_dump(trial: Callable) -> None:
    one = trial(INDEX)
    with server.connect(one.source) as user:
        user.execute("SELECT count(*) FROM games")
        assert one.whole()["verdict"] == "SAFE"
    assert one.told("snapshot")["how"] == "dump"


def test_a_source_that_changes_is_told(trial: Callable) -> None:
    one = trial(INDEX)
    one.snapshot()
    with server.connect(one.source, autocommit=True) as writer:
        writer.execute("UPDATE weather SET temp_c = temp_c + 1")
        one.drop()
        writer.execute("UPDATE weather SET temp_c = temp_c - 1")
        for season, frames in warehouses.league().items():  # floats do not come back so
            loading.load(writer, frames, season)
    report = one.told("drop")
    assert report["source_untouched"] is False
    assert report["causes"][0].startswith("the source itself changed: weather.temp_c")


def test_no_connection_says_nothing_of_the_migration(trial: Callable) -> None:
    one = trial(INDEX)
    one.snapshot()
    copies.drop(one.copy)
    with pytest.raises(server.UnreachableError, match="no such database"):
        one.apply()
    assert not one.report("apply").exists()


@pytest.fixture
def seed(embedded: Server, tmp_path: Path) -> Iterator[Callable[..., dict]]:
    """Builds an environment; gives its report."""
    database = embedded.at("env_dev_009")
    folder = Path(shutil.copytree(warehouses.MIGRATIONS, tmp_path / "migrations"))
    frames = warehouses.league()[2019]
    sources = {2019: (warehouses.write_partitions(frames, tmp_path / "2019"), None)}

    def build(number: int) -> dict:
        out = tmp_path / "environment.json"
        build_environment.build(database, folder, number, sources, [], QUICK, out)
        return json.loads(out.read_text())

    build.database, build.folder = database, folder
    yield build
    copies.drop(database)


def test_an_environment_is_as_it_was_before_the_migration(seed: Callable) -> None:
    report = seed(5)
    assert report["causes"] == []
    assert report["rows"] == {
        "games": 8, "plays": 180, "player_games": 12, "odds": 8, "weather": 8, "players": 0,
        "rosters": 0,
    }  # fmt: skip
    with server.connect(seed.database) as connection:
        assert max(migrations.applied(connection)) == 4
        assert loading.columns_in(connection, "team_epa") == []


def test_an_environment_remembers_the_files_it_was_made_by(seed: Callable, tmp_path: Path) -> None:
    assert seed(9)["ok"]
    plays = seed.folder / "002_plays.sql"
    plays.write_text(plays.read_text() + "-- edited\n")
    report = seed(9)
    assert report["ok"] is False
    assert (
        "002_plays was edited after it was applied to environment env_dev_009"
        in report["causes"][0]
    )
    line = steps.take(
        {"migration": "009_a", "environment": "dev", "step": "snapshot"},
        tmp_path / "environment.json", lambda _: ([], {}), tmp_path / "snapshot.json",
    )  # fmt: skip
    assert "002_plays was edited" in line


def test_a_fault_of_an_earlier_migration_stands_in_the_report(seed: Callable) -> None:
    (seed.folder / "003_players.sql").write_text("SELECT wrong;")
    assert "003_players.sql line 1" in seed(9)["causes"][0]


def test_a_step_after_a_failed_one_is_not_reached(tmp_path: Path) -> None:
    about = {"migration": "009_a", "environment": "dev"}
    outs = [tmp_path / f"{n}.json" for n in range(3)]
    steps.take({**about, "step": "apply"}, None, lambda _: (["no"], {}), outs[0])
    for before, out in pairwise(outs):
        line = steps.take({**about, "step": "later"}, before, lambda _: ([], {}), out)
        assert line == "not reached: apply failed"

"""Migrations: numbers, history, one transaction, limits of time."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest

from scripts.errors import DataError
from scripts.warehouse import catalog, declared, migrations, server
from scripts.warehouse.apply_migrations import apply, claim
from scripts.warehouse.migrations import Limits
from scripts.warehouse.server import Server
from tests import warehouses

FACTS = {"run": "demo", "version": "0", "config_hash": "x", "simulated": True}
QUICK = Limits(lock_s=0.3, statement_s=1, margin_s=0.5)


def folder_of(tmp_path: Path, **texts: str) -> Path:
    """A folder of migrations; keys are `m001_name`."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name[1:]}.sql").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "no migrations; the first is 001_name.sql"),
        (["001_a", "001_b"], "number 001 is given twice, to 001_a and 001_b; renumber the newer"),
        (["001_a", "003_c"], "there is no migration 002 below 003"),
        (["002_b"], "there is no migration 001 below 002"),
        (["001_a", "2_b"], "2_b.sql: rename it NNN_what.sql"),
        (["001_a", "002_Bad name"], "rename it NNN_what.sql"),
        (["000_a", "001_b"], "number 000: the first is 001; renumber it"),
        (["00\uff14_a"], "rename it NNN_what.sql"),
    ],
)
def test_numbers_are_one_two_three(tmp_path: Path, names: list[str], said: str) -> None:
    folder = folder_of(tmp_path, **{f"m{name}": "" for name in names})
    with pytest.raises(DataError, match=re.escape(said)):
        migrations.read(folder)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, m001_a="")
    (folder / "002_b.sql").write_bytes(b"SELECT '\xff'")
    with pytest.raises(DataError, match=r"002_b\.sql: cannot be read as UTF-8"):
        migrations.read(folder)


def test_what_its_header_announces() -> None:
    text = "\n-- A note.\r\n  -- Changes: games.week, plays\n--changes: odds\n-- removes: weather\n"
    found = migrations.Migration(1, "001_a", f"{text}SELECT 1;\n-- changes: players", "")
    assert found.changes == ["games.week", "odds", "plays"]
    assert found.removes == ["weather"]
    assert migrations.Migration(1, "001_a", "", "").changes == []


def test_the_declared_schema_is_what_the_migrations_make(empty: Server) -> None:
    declaration = declared.read(warehouses.SCHEMA)
    with server.connect(empty, autocommit=True) as connection:
        for migration in migrations.read(warehouses.MIGRATIONS):
            migrations.run(connection, migration, Limits())
            expected, found = (
                declared.at(declaration, migration.number),
                catalog.describe(connection),
            )
            assert list(declared.differences(expected, found)) == []
            assert list(declared.additions(expected, found)) == []


def test_each_is_applied_once_in_order_and_recorded(empty: Server, tmp_path: Path) -> None:
    out = tmp_path / "schema.json"
    apply(empty, warehouses.MIGRATIONS, Limits(), FACTS, out)
    first = out.read_bytes()
    line = apply(empty, warehouses.MIGRATIONS, Limits(), FACTS, out)
    assert line == "applied: none; 8 in all"
    assert out.read_bytes() == first
    with server.connect(empty, autocommit=True) as connection:
        found = migrations.applied(connection)
        assert list(found) == list(range(1, 9))
        assert {
            n: (m.name, m.sha256) for n, m in enumerate(migrations.read(warehouses.MIGRATIONS), 1)
        } == found


def test_an_edited_renamed_or_removed_old_migration_is_an_error(
    empty: Server, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(warehouses.MIGRATIONS, tmp_path / "m"))
    apply(empty, folder, Limits(), FACTS, tmp_path / "out")
    plays = folder / "002_plays.sql"
    text = plays.read_text()
    plays.write_text(text + "-- harmless\n")
    with pytest.raises(DataError, match=r"002_plays was edited after it was applied to .*restore"):
        apply(empty, folder, Limits(), FACTS, tmp_path / "out")
    plays.unlink()
    (folder / "002_other.sql").write_text(text + "SELECT 1;")
    with pytest.raises(DataError, match=r"002_plays was replaced by 002_other after"):
        apply(empty, folder, Limits(), FACTS, tmp_path / "out")
    (folder / "002_other.sql").write_text(text)
    (folder / "008_market_and_venue_views.sql").unlink()
    with pytest.raises(DataError, match=r"008_market_and_venue_views .* its file is gone"):
        apply(empty, folder, Limits(), FACTS, tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "CREATE TABLE a (x int);\nINSERT INTO b VALUES (1);",
            r"001_a\.sql line 2: .*\"b\" does not",
        ),
        ("CREATE TABLE a (x int);\n\nSELCT 1;", r"001_a\.sql line 3: syntax error"),
        ("CREATE TABLE a (x int CHECK (x > 2));\nINSERT INTO a VALUES (1);", "violates check"),
        ("CREATE TABLE a (x int);\nCOMMIT;", "begins or ends a transaction; remove that"),
        ("CREATE TABLE a (x int);\nROLLBACK;", "begins or ends a transaction"),
        ("BEGIN;\nCREATE TABLE a (x int);", "begins or ends a transaction"),
        ("CREATE TABLE a (x int); SELECT pg_sleep(60);", "took more than 1 s"),
        (
            "SET statement_timeout = 0; CREATE TABLE a (x int); SELECT pg_sleep(60);",
            "more than 1 s",
        ),
        ("CREATE TABLE a (x int); VACUUM;", "cannot run in a transaction"),
    ],
)
def test_a_failure_leaves_nothing(empty: Server, tmp_path: Path, text: str, said: str) -> None:
    found = migrations.read(folder_of(tmp_path, m001_a=text))
    with server.connect(empty, autocommit=True) as connection:
        with pytest.raises(DataError, match=said):
            migrations.run(connection, found[0], QUICK)
        assert migrations.applied(connection) == {}
        assert connection.execute("SELECT to_regclass('a')").fetchone() == (None,)
        assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)


def test_one_that_lifts_all_limits_is_ended_by_the_client(empty: Server, tmp_path: Path) -> None:
    # In a function's body the limit of the whole block is not looked at anew, so set it before.
    text = "SET statement_timeout = 0; SET lock_timeout = 0;"
    found = migrations.read(folder_of(tmp_path, m001_a=text, m002_b="SELECT pg_sleep(60);"))
    with server.connect(empty, autocommit=True) as connection:
        migrations.run(connection, found[0], QUICK)
        start = time.monotonic()
        limits = QUICK._replace(statement_s=1000, margin_s=-999)
        with pytest.raises(DataError, match="canceling statement due to user request"):
            migrations.run(connection, found[1], limits)
        assert time.monotonic() - start < 20


def test_a_lock_that_another_session_holds_is_not_waited_for(place: Server, tmp_path: Path) -> None:
    found = migrations.read(folder_of(tmp_path, m001_a="ALTER TABLE games ADD COLUMN note text;"))[
        0
    ]
    candidate = found._replace(number=9, name="009_a")
    with (
        server.connect(place) as reader,
        server.connect(place, autocommit=True) as connection,
    ):
        reader.execute("SELECT count(*) FROM games")  # and stays in its transaction
        with pytest.raises(DataError, match=r"waited more than 0\.3 s for a lock that another"):
            migrations.run(connection, candidate, QUICK)
        reader.rollback()
        migrations.run(connection, candidate, QUICK)


def test_a_session_that_is_ended_in_a_migration_is_told(place: Server, tmp_path: Path) -> None:
    ends = "DO $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END $$;"
    (found,) = migrations.read(folder_of(tmp_path, m001_a=ends))
    with server.connect(place, autocommit=True) as connection:
        before = migrations.applied(connection)
        with (
            server.connect(place, autocommit=True) as other,
            pytest.raises(DataError, match=r"^009_a\.sql: .*; run again$") as caught,
        ):
            migrations.run(other, found._replace(number=9, name="009_a"), QUICK)
        assert "\n" not in str(caught.value)
        assert migrations.applied(connection) == before


def test_a_database_of_another_run_or_of_somebody_else_is_left_alone(
    empty: Server, place: Server, tmp_path: Path
) -> None:
    with server.connect(empty, autocommit=True) as connection:
        connection.execute("CREATE TABLE theirs (x int)")
    with pytest.raises(DataError, match=r"tables of somebody else \(first: theirs\)"):
        apply(empty, warehouses.MIGRATIONS, Limits(), FACTS, tmp_path / "out")
    with server.connect(place, autocommit=True) as connection:
        claim(connection, place, "demo")  # nobody has said whose it is
        connection.execute("INSERT INTO warehouse VALUES ('nfl', '0', 'x', false)")
        with pytest.raises(DataError, match="holds run nfl, this is run demo; name another"):
            claim(connection, place, "demo")

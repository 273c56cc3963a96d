"""Whole runs with the warehouse: reruns, the test of a migration, backups, and what goes wrong."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess, Popen

import polars as pl
import pytest

from scripts.warehouse import catalog, server, stopping
from scripts.warehouse.steps import STEPS
from tests import warehouses
from tests.workflow.labs import ENVIRONMENTS, LAST, SEASONS, Lab, copied, disk, fresh
from tests.workflow.project import disown, tail
from tests.workflow.test_faults import causes, wait_for

GOOD = "CREATE INDEX plays_kind ON plays (kind);\n"
BAD = "UPDATE games SET home_score = NULL, away_score = NULL WHERE week = 1;\n"
VERDICT = "results/tiny/warehouse/migration_test/{}/verdict.json"
CHECK = "warehouse_check_consistency"
DUMP = "warehouse_backup_database"
RELOADED = {"warehouse_load_season": 1, "warehouse_build_views": 1, CHECK: 1, "warehouse": 1}
SLEEPS = """
CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(100); RETURN NULL; END';
CREATE TRIGGER sleep AFTER INSERT ON odds EXECUTE FUNCTION sleep();
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that the server's user can go through, which pytest's own are not for root."""
    folder = Path(tempfile.mkdtemp(prefix="almanac-runs-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def built(place: Path) -> Lab:
    """The tiny domain in its warehouse. Not to be changed."""
    lab = fresh(place / "built")
    lab.run("warehouse", check=True)
    lab.leaves_nothing()
    return lab


@pytest.fixture(scope="module")
def tested(place: Path, built: Lab) -> Lab:
    """The same with a good migration tested. Not to be changed."""
    lab = copied(built, place / "tested")
    lab.propose(GOOD, "009_good")
    lab.first = lab.run("migration_test", check=True)
    lab.leaves_nothing()
    return lab


@pytest.fixture
def copy(place: Path) -> Iterator[Callable[[Lab], Lab]]:
    """Makes copies for one test to change; nothing of them is left running."""
    made: list[Lab] = []

    def make(lab: Lab) -> Lab:
        made.append(copied(lab, place / f"copy-{len(made)}"))
        return made[-1]

    yield make
    try:
        for lab in made:
            lab.leaves_nothing()
    finally:
        for lab in made:
            stopping.stop(lab.server)
            shutil.rmtree(lab.folder.parent)


def test_the_warehouse_is_built_and_a_second_run_does_nothing(built: Lab) -> None:
    receipts = {path.stem for path in (built.warehouse / "receipts").glob("*.json")}
    tables = {"games", "plays", "player_games", "odds", "weather", "team_epa", "players", "rosters"}
    assert receipts == {f"season={season}" for season in SEASONS} | tables
    assert built.is_consistent()
    assert built.told("receipts/games.json")["rows"] > 500
    assert "games" in built.told(f"receipts/season={LAST}.json")["tables"]
    assert (built.warehouse / "views.json").is_file()
    assert {server.DATABASE, "postgres"} < built.databases()
    for top in ("scripts", "rules", "warehouse", "results/tiny/nfl", "results/tiny/warehouse"):
        for file in (built.folder / top).rglob("*.*"):
            if "data" not in file.parts:
                os.utime(file)
    again = built.run("warehouse", check=True)
    assert "Nothing to be done" in again.stdout, tail(again)
    built.leaves_nothing()


def test_a_season_is_loaded_alone(built: Lab, copy: Callable) -> None:
    lab = copy(built)
    old = {season: lab.told(f"receipts/season={season}.json") for season in SEASONS}
    frame = pl.read_parquet(lab.odds(), hive_partitioning=False)
    frame.with_columns(pl.col("total_line") + 0.5).write_parquet(disown(lab.odds()))
    result = lab.run("warehouse", check=True)
    assert lab.rules_run(result) == RELOADED
    new = {season: lab.told(f"receipts/season={season}.json") for season in SEASONS}
    assert [season for season in SEASONS if new[season] != old[season]] == [LAST]
    moved = [t for t, n in new[LAST]["tables"].items() if n != old[LAST]["tables"][t]]
    assert moved == ["odds"]
    assert lab.is_consistent()


def test_what_cannot_be_loaded_fails_and_an_interrupted_load_is_made_again(
    built: Lab, copy: Callable
) -> None:
    lab = copy(built)
    frame = pl.read_parquet(lab.odds(), hive_partitioning=False)
    disown(lab.odds()).write_text("no parquet")
    failed = lab.run("warehouse", check=False)
    (cause,) = causes(failed)
    assert f"odds/season={LAST}" in cause, cause
    lab.leaves_nothing()

    frame.with_columns(pl.col("total_line") + 0.5).write_parquet(disown(lab.odds()))
    with lab.serving() as database, server.connect(database, autocommit=True) as connection:
        connection.execute(SLEEPS)
        before = catalog.sums(connection)
    run = lab.start("warehouse")
    with server.connect(wait_for(lab.connected), autocommit=True) as connection:
        asleep = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        wait_for(lambda: connection.execute(asleep).fetchone())
        run.kill()  # its deleted rows are not committed, nor are the new ones
    run.communicate()
    lab.wait_until_ended()
    with lab.serving() as database, server.connect(database, autocommit=True) as connection:
        assert catalog.differences(before, catalog.sums(connection)) == []
        connection.execute("DROP FUNCTION sleep CASCADE")
    lab.unlock()
    assert lab.rules_run(lab.run("warehouse", check=True)) == RELOADED
    assert lab.is_consistent()


def test_a_good_migration_is_safe(tested: Lab) -> None:
    top = tested.warehouse / "migration_test/009_good"
    assert tested.told("migration_test/009_good/verdict.json")["verdict"] == "SAFE"
    files = {path.relative_to(top).as_posix() for path in top.rglob("*.json")}
    wanted = {f"{environment}/{step}.json" for environment in ENVIRONMENTS for step in STEPS}
    assert files == {*wanted, "verdict.json"}
    assert all(json.loads((top / name).read_text())["ok"] for name in wanted)
    rows = [tested.told(f"environments/{name}/009.json")["rows"]["games"] for name in ENVIRONMENTS]
    assert 0 < rows[0] < rows[1] == rows[2]
    again = tested.run("migration_test", check=True)
    assert "Nothing to be done" in again.stdout, tail(again)
    tested.leaves_nothing()


def test_a_bad_migration_is_unsafe_and_fails_every_run(tested: Lab, copy: Callable) -> None:
    lab = copy(tested)
    (lab.folder / "warehouse/migrations/009_good.sql").unlink()
    lab.propose(BAD, "009_bad")
    two = ("dev", "prod")
    lab.configure(environments={name: ENVIRONMENTS[name] for name in two})
    target = VERDICT.format("009")
    result = lab.run(target, check=False)
    verdict = json.loads((lab.folder / target).read_text())
    assert (verdict["verdict"], verdict["migration"]) == ("UNSAFE", "009_bad")
    for environment in two:
        assert any(
            cause.startswith(f"{environment} validate: games.home_score: ")
            for cause in verdict["causes"]
        ), verdict
    table = (lab.folder / target).with_suffix(".txt").read_text()
    assert table in result.stdout, tail(result)
    assert "UNSAFE: migration 009" in result.stdout
    assert lab.rules_run(result)["warehouse_build_environment"] == 0
    assert all(lab.told(f"migration_test/009/{e}/drop.json")["dropped"] for e in two)
    again = lab.run(target, check=False)
    assert table in again.stdout, tail(again)
    assert lab.rules_run(again) == {"warehouse_score_verdict": 1}


def test_a_test_that_is_killed_leaves_nothing_after_one_more_run(
    tested: Lab, copy: Callable
) -> None:
    lab = copy(tested)
    lab.configure(environments={"dev": {"seasons": 1, "integration": "research"}})
    name = lab.propose("ALTER TABLE games ADD COLUMN note text;\n", "010_note").stem
    target, log = VERDICT.format(name), f"tiny/logs/warehouse/warehouse_apply_candidate/{name}"
    applying = lab.results / f"{log}.dev.log"

    def started() -> Popen:
        applying.unlink(missing_ok=True)
        run = lab.start(target, own_group=True)
        wait_for(applying.exists)
        assert (lab.warehouse / f"server/copies/{name}.dev").is_file()
        return run

    run = started()
    run.kill()
    run.communicate()
    lab.wait_until_ended()
    lab.leaves_nothing()
    lab.unlock()

    run = started()
    os.killpg(run.pid, signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode != 0
    lab.wait_until_ended()
    lab.leaves_nothing()

    run = started()
    os.kill(stopping.state(lab.server)["keeper"], signal.SIGKILL)
    run.kill()
    run.communicate()
    lab.unlock()
    lab.run(target, check=True)
    assert json.loads((lab.folder / target).read_text())["verdict"] == "SAFE"


@pytest.fixture(scope="module")
def address(place: Path) -> Iterator[dict[str, str]]:
    """Of a server that wants a password."""
    with warehouses.users_server(place / "users") as found:
        yield found


def test_a_server_of_the_users_is_used_and_its_password_told_nowhere(
    built: Lab, copy: Callable, address: dict[str, str]
) -> None:
    lab = copy(built)
    shutil.rmtree(lab.warehouse)
    lab.configure(environments={"prod": {"dsn": "LAB_DSN", "integration": "research"}})
    screens = []

    def run(*args: str, check: bool = True, **env: str) -> CompletedProcess:
        result = lab.run(*args, check=check, env={"LAB_DSN": warehouses.dsn(address), **env})
        screens.append(result.stdout)
        return result

    def refused(said: str, *args: str, **other: str) -> None:
        dsn = warehouses.dsn(address, **other)
        told = causes(run(*args, check=False, ALMANAC_DSN=dsn))
        assert len(told) == 1 and said in told[0], told

    schema = "results/tiny/warehouse/schema.json"
    refused("no such database; make it", schema, dbname="attic")
    refused("no server answers there", schema, port="1")
    run("warehouse", ALMANAC_DSN=warehouses.dsn(address))
    refused("wrong user or password", "warehouse", "--forcerun", CHECK, password="guessed")
    # The same server by libpq's variables: nothing but what is asked for runs again.
    variables = {f"PG{k.upper()}": v for k, v in address.items() if k != "dbname"}
    named = run("warehouse", "--forcerun", CHECK, **variables, PGDATABASE=address["dbname"])
    assert lab.rules_run(named) == {CHECK: 1, "warehouse": 1}
    assert lab.is_consistent()
    assert not lab.server.exists()

    lab.propose(GOOD)
    with server.connect(warehouses.database_of(address), autocommit=True) as connection:
        before = catalog.sums(connection)
        assert before["games"]["rows"] == lab.told("receipts/games.json")["rows"]
        run("migration_test")  # on the embedded server, from a dump of the user's
        assert catalog.sums(connection) == before
        names = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
    assert names == {"postgres", "template0", "template1", "lab"}
    assert lab.told("migration_test/009_candidate/verdict.json")["verdict"] == "SAFE"
    assert lab.told("migration_test/009_candidate/prod/drop.json")["source_untouched"] is True

    secrets = [warehouses.PASSWORD, "s3cret%2Fword%401", "guessed"]
    assert not [secret for secret in secrets for screen in screens if secret in screen]
    for file in (f for top in ("results", ".snakemake") for f in (lab.folder / top).rglob("*")):
        if file.is_file():
            held = file.read_bytes()
            assert not [secret for secret in secrets if secret.encode() in held], file


def test_backups_are_proven_kept_and_looked_at(built: Lab, copy: Callable) -> None:
    lab = copy(built)
    first = lab.run("backup", check=True)
    assert lab.rules_run(first) == {DUMP: 1, "warehouse_check_backups": 1, "backup": 1}
    latest = lab.told("backups/latest.json")
    assert latest["restored"] is True
    assert latest["rows"]["games"] == lab.told("receipts/games.json")["rows"]
    assert "Nothing to be done" in lab.run("backup", check=True).stdout
    names = [latest["backup"]]
    for _ in range(2):
        lab.run("backup", "--forcerun", DUMP, check=True)
        names.append(lab.told("backups/latest.json")["backup"])
    kept = sorted(path.parent.name for path in lab.warehouse.glob("backups/*/manifest.json"))
    assert kept == names[1:] == sorted(lab.told("backups/check.json")["backups"])
    damaged = max(
        (lab.warehouse / "backups" / kept[0]).iterdir(), key=lambda path: path.stat().st_size
    )
    held = bytearray(damaged.read_bytes())
    held[len(held) // 2] ^= 1
    damaged.write_bytes(held)
    failed = lab.run("backup", check=False)
    (cause,) = causes(failed)
    assert f"{kept[0]}/{damaged.name} has other bytes than it had" in cause


def test_a_full_disk_is_named_and_a_larger_one_completes(built: Lab, copy: Callable) -> None:
    lab = copy(built)
    shutil.rmtree(lab.warehouse)
    with disk(lab.server, "72m") as resize:
        failed = lab.run("warehouse", check=False)
        assert any("No space left" in cause for cause in causes(failed)), tail(failed)
        assert warehouses.server_processes(lab.folder) == []
        resize("1g")
        lab.run("warehouse", check=True)
        assert lab.is_consistent()
        lab.leaves_nothing()

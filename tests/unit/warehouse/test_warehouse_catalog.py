"""What a database holds by its catalogue: sums that miss no change, the declaration, copies."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from scripts.errors import DataError
from scripts.warehouse import catalog, copies, declared, server
from scripts.warehouse.server import Server
from tests import warehouses

ONE_PLAY = "game_id = '2019_01_MIA_BUF' AND play_id = 20"
FEW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
VALUES = st.one_of(
    st.none(), st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=4)
)
NUMBERS = st.one_of(st.none(), st.integers(-2, 2))
ROWS = st.lists(st.tuples(VALUES, NUMBERS), min_size=2, max_size=6)


@pytest.fixture(scope="module")
def session(embedded: Server) -> Iterator[psycopg.Connection]:
    """A connection to an empty database, for tests that undo what they did."""
    place = embedded.at("test_catalog_empty")
    server.ensure_database(place)
    with server.connect(place, autocommit=True) as connection:
        yield connection
    copies.drop(place)


@pytest.fixture(scope="module")
def league(embedded: Server, loaded: Server) -> Iterator[psycopg.Connection]:
    """A connection to the league, for tests that undo what they did."""
    place = embedded.at("test_catalog_league")
    copies.copy(loaded, place, same_server=True)
    with server.connect(place, autocommit=True) as connection:
        yield connection
    copies.drop(place)


@pytest.fixture
def undone(league: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """The league in a transaction that is rolled back."""
    with league.transaction(force_rollback=True):
        yield league


@pytest.fixture
def blank(session: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Nothing, in a transaction that is rolled back."""
    with session.transaction(force_rollback=True):
        yield session


def made(connection: psycopg.Connection, rows: list[tuple], key: str, types: str = "text") -> None:
    """A table "odd name" of id, "a ""b", n; key: what follows the columns."""
    connection.execute('DROP TABLE IF EXISTS "odd name"')
    columns = f'id {"integer" if key else "text"}, "a ""b" {types}, n integer'
    connection.execute(f'CREATE TABLE "odd name" ({columns}{key})')
    with connection.cursor() as cursor:
        cursor.executemany(
            'INSERT INTO "odd name" VALUES (%s, %s, %s)',
            [(str(number), *row) for number, row in enumerate(rows)],
        )


def of(connection: psycopg.Connection) -> dict[str, dict]:
    """Sums of the odd table."""
    return catalog.sums(connection)


KEYS = {"a primary key": ", PRIMARY KEY (id)", "a unique index": ", UNIQUE (id)", "no key": ""}


@pytest.mark.parametrize("kind", KEYS)
@FEW
@given(rows=ROWS, data=st.data())
def test_any_change_of_a_value_is_found(
    session: psycopg.Connection, kind: str, rows: list[tuple], data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, 1))
    old = rows[number][column]
    new = data.draw((VALUES, NUMBERS)[column].filter(lambda value: value != old))
    with session.transaction(force_rollback=True):
        made(session, rows, KEYS[kind])
        before = of(session)
        assert catalog.differences(before, of(session)) == []
        name = sql.Identifier(('a "b', "n")[column])
        statement = sql.SQL('UPDATE "odd name" SET {} = %s WHERE id::text = %s').format(name)
        session.execute(statement, [new, str(number)])
        found = catalog.differences(before, of(session))
    assert len(found) == 1
    assert found[0].startswith(('odd name.a "b: ', "odd name.n: ")[column])
    told = "values before" if (old is None) != (new is None) else "other values than before"
    assert told in found[0]


@pytest.mark.parametrize("kind", ["a primary key", "a unique index"])
@FEW
@given(rows=ROWS, data=st.data())
def test_a_swap_of_two_values_is_found(
    session: psycopg.Connection, kind: str, rows: list[tuple], data: st.DataObject
) -> None:
    one, other = data.draw(
        st.lists(st.integers(0, len(rows) - 1), min_size=2, max_size=2, unique=True)
    )
    column = data.draw(st.integers(0, 1))
    swapped = [list(row) for row in rows]
    swapped[one][column], swapped[other][column] = rows[other][column], rows[one][column]
    with session.transaction(force_rollback=True):
        made(session, rows, KEYS[kind])
        before = of(session)
        made(session, [tuple(row) for row in swapped], KEYS[kind])
        found = catalog.differences(before, of(session))
    assert bool(found) == (rows[one][column] != rows[other][column])


@pytest.mark.parametrize("kind", KEYS)
@FEW
@given(rows=ROWS, data=st.data())
def test_a_lost_and_an_added_row_are_found(
    session: psycopg.Connection, kind: str, rows: list[tuple], data: st.DataObject
) -> None:
    lost = str(data.draw(st.integers(0, len(rows) - 1)))
    count = len(rows)
    with session.transaction(force_rollback=True):
        made(session, rows, KEYS[kind])
        before = of(session)
        session.execute('DELETE FROM "odd name" WHERE id::text = %s', [lost])
        fewer = of(session)
        assert catalog.differences(before, fewer)[0] == (
            f"odd name: {count} rows before, {count - 1} after"
        )
        assert catalog.differences(fewer, before)[0] == (
            f"odd name: {count - 1} rows before, {count} after"
        )
        again = [(lost, *rows[int(lost)])]
        session.cursor().executemany('INSERT INTO "odd name" VALUES (%s, %s, %s)', again)
        assert catalog.differences(before, of(session)) == [], "the order of rows is nothing"
        if not KEYS[kind]:  # twice what is there: an exclusive or would cancel it
            session.execute('INSERT INTO "odd name" SELECT * FROM "odd name"')
            assert catalog.differences(before, of(session))


def test_equal_rows_without_a_key_do_not_cancel(blank: psycopg.Connection) -> None:
    blank.execute("CREATE TABLE bag (x integer); INSERT INTO bag VALUES (1), (1), (2), (2)")
    before = catalog.sums(blank)
    assert before["bag"]["key"] == []
    blank.execute("UPDATE bag SET x = 3 WHERE x = 1")
    assert catalog.differences(before, catalog.sums(blank)) == ["bag.x: other values than before"]


@pytest.mark.parametrize(
    "rule",
    ["CREATE UNIQUE INDEX ON bag (id)", "CREATE UNIQUE INDEX ON bag (id, other)"],
)
def test_equal_rows_with_keys_that_are_null_do_not_cancel(
    blank: psycopg.Connection, rule: str
) -> None:
    blank.execute("CREATE TABLE bag (id integer, other integer, x integer)")
    blank.execute(rule)
    blank.execute("INSERT INTO bag VALUES (NULL, 1, 7), (NULL, 1, 7), (3, 1, 9)")
    before = catalog.sums(blank)
    blank.execute("UPDATE bag SET x = 8 WHERE id IS NULL")
    assert catalog.differences(before, catalog.sums(blank)) == ["bag.x: other values than before"]


def test_an_invalid_unique_index_is_no_key(empty: Server) -> None:
    with server.connect(empty, autocommit=True) as connection:
        connection.execute("CREATE TABLE bag (id integer NOT NULL, x integer)")
        connection.execute("INSERT INTO bag VALUES (1, 7), (1, 7)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY bag_id ON bag (id)")
        assert "(not valid)" in catalog.describe(connection)["tables"]["bag"]["indexes"]["bag_id"]
        before = catalog.sums(connection)
        connection.execute("UPDATE bag SET x = 8")
        found = catalog.differences(before, catalog.sums(connection))
    assert found == ["bag.x: other values than before"]


def test_a_swap_without_a_key_is_found(blank: psycopg.Connection) -> None:
    blank.execute("CREATE TABLE bag (a integer, b integer); INSERT INTO bag VALUES (1, 1), (2, 2)")
    before = catalog.sums(blank)
    blank.execute("UPDATE bag SET b = 3 - b")
    assert catalog.differences(before, catalog.sums(blank))


def test_a_column_may_have_any_name(blank: psycopg.Connection) -> None:
    blank.execute('CREATE TABLE "Odd" (_key integer PRIMARY KEY, "%s" text)')
    blank.execute('INSERT INTO "Odd" VALUES (1, NULL)')
    assert catalog.sums(blank)["Odd"]["columns"]["%s"][0] == 0


@pytest.mark.parametrize(
    ("statement", "lines"),
    [
        ("ALTER TABLE plays ALTER COLUMN play_id TYPE bigint", []),
        ("ALTER TABLE odds ADD COLUMN note text DEFAULT 'x'", []),
        ("CREATE TABLE other (x integer)", []),
        ("CREATE INDEX ON odds (total_line)", []),
        ("ALTER TABLE odds RENAME CONSTRAINT odds_pkey TO other_name", []),
        ("UPDATE odds SET total_line = total_line", []),
        ("UPDATE loads SET rows = 0; DELETE FROM refresh_log", []),
        ("ALTER TABLE weather DROP COLUMN humidity_pct",
         ["weather.humidity_pct: gone, with its 0 values"]),
        ("ALTER TABLE games DROP COLUMN old_game_id",
         ["games.old_game_id: gone, with its 0 values"]),
        ("DROP TABLE team_epa", ["team_epa: gone, with its 24 rows"]),
        ("DROP MATERIALIZED VIEW betting_features",
         ["betting_features: gone, with its 16 rows"]),
        ("ALTER TABLE odds RENAME COLUMN total_line TO total",
         ["odds.total_line: gone, with its 16 values"]),
        ("ALTER TABLE odds RENAME TO lines", ["odds: gone, with its 16 rows"]),
        (f"UPDATE plays SET epa = epa + 1e-15 WHERE {ONE_PLAY}",
         ["plays.epa: other values than before"]),
        (f"UPDATE plays SET epa = NULL WHERE {ONE_PLAY}",
         ["plays.epa: 348 values before, 347 after"]),
        ("UPDATE games SET stadium = stadium || ' ' WHERE game_id = '2019_01_MIA_BUF'",
         ["games.stadium: other values than before"]),
        ("UPDATE games SET date = date + 1 WHERE game_id = '2019_01_MIA_BUF'",
         ["games.date: other values than before"]),
        ("UPDATE games SET neutral = NOT neutral WHERE game_id = '2019_01_MIA_BUF'",
         ["games.neutral: other values than before"]),
        ("UPDATE weather SET temp_c = '-0' WHERE temp_c = 0", []),
        ("DELETE FROM odds WHERE game_id = '2019_01_MIA_BUF'", [
            "odds: 16 rows before, 15 after",
            *(f"odds.{name}: 16 values before, 15 after" for name in (
                "season", "game_id", "spread_line", "total_line", "home_moneyline",
                "away_moneyline", "simulated")),
        ]),
    ],
)  # fmt: skip
def test_differences_of_the_league(
    undone: psycopg.Connection, statement: str, lines: list[str]
) -> None:
    before = catalog.sums(undone)
    undone.execute(statement)
    assert catalog.differences(before, catalog.sums(undone)) == lines
    assert catalog.differences(before, catalog.sums(undone, before)) == lines


def test_a_swap_in_the_league_is_found(undone: psycopg.Connection) -> None:
    before = catalog.sums(undone)
    rng = random.Random(5)
    ids = [game for (game,) in undone.execute("SELECT game_id FROM odds ORDER BY 1").fetchall()]
    for _ in range(5):
        one, other = rng.sample(ids, 2)
        with undone.transaction(force_rollback=True):
            changed = undone.execute(
                "UPDATE weather AS w SET temp_c = o.temp_c FROM weather AS o WHERE "
                "w.temp_c <> o.temp_c AND (w.game_id, o.game_id) IN ((%s, %s), (%s, %s))",
                [one, other, other, one],
            ).rowcount
            assert changed == 2
            found = catalog.differences(before, catalog.sums(undone))
        assert found == ["weather.temp_c: other values than before"]


def test_earlier_sums_say_what_is_looked_at_and_by_which_key(undone: psycopg.Connection) -> None:
    before = catalog.sums(undone)
    assert not set(before) & set(catalog.BOOKKEEPING)
    assert "sides" not in before, "views have no rows of their own"
    undone.execute("CREATE TABLE other (x integer); ALTER TABLE odds ADD COLUMN note text")
    undone.execute("ALTER TABLE plays ADD COLUMN id bigserial")
    undone.execute("ALTER TABLE plays DROP CONSTRAINT plays_pkey, ADD PRIMARY KEY (id)")
    after = catalog.sums(undone, before)
    assert after == before
    assert catalog.sums(undone)["plays"]["key"] == ["id"]
    some = {"odds": {**before["odds"], "columns": {"season": before["odds"]["columns"]["season"]}}}
    assert catalog.sums(undone, some) == some


def test_keys_are_primary_or_unique_or_none(undone: psycopg.Connection) -> None:
    undone.execute(
        'CREATE TABLE "odd name" (b integer, "A ""x" integer, c text, PRIMARY KEY (b, "A ""x"));'
        "CREATE TABLE unique_one (x integer NOT NULL UNIQUE, y integer);"
        "CREATE TABLE partial (x integer); CREATE UNIQUE INDEX ON partial (x) WHERE x > 1;"
        "CREATE TABLE made_of (x text); CREATE UNIQUE INDEX ON made_of (lower(x));"
        "CREATE TABLE both_of (x integer NOT NULL UNIQUE, y integer PRIMARY KEY);"
        "CREATE TABLE plain (x integer); CREATE INDEX ON plain (x);"
    )
    found = catalog.keys(undone)
    assert found["odd name"] == ['A "x', "b"]
    assert found["unique_one"] == ["x"]
    assert found["both_of"] == ["y"]
    assert found["partial"] == found["made_of"] == found["plain"] == []
    assert found["plays"] == ["game_id", "play_id"]
    assert found["betting_features"] == ["game_id"]
    assert "sides" not in found


def test_describe_tells_what_is_not_valid(undone: psycopg.Connection) -> None:
    undone.execute(
        'CREATE TABLE "odd name" ("A ""x" integer PRIMARY KEY, y varchar(3) NOT NULL);'
        'ALTER TABLE "odd name" ADD CONSTRAINT "is small" CHECK (y < \'b\') NOT VALID;'
        'CREATE INDEX "some" ON "odd name" (lower(y)) WHERE y > \'a\';'
        'CREATE UNIQUE INDEX "both" ON "odd name" (y, "A ""x" DESC);'
        'CREATE VIEW "a view" AS SELECT y FROM "odd name";'
        "CREATE TEMP TABLE not_here (x integer); CREATE SCHEMA s; CREATE TABLE s.not_here (x int);"
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '\"both\"'::regclass;"
    )
    found = catalog.describe(undone)
    one = found["tables"]["odd name"]
    assert one["columns"] == {'A "x': "integer not null", "y": "character varying(3) not null"}
    assert one["constraints"]["is small"] == "CHECK (y::text < 'b'::text) (not valid)"
    assert one["constraints"]["odd name_pkey"] == 'PRIMARY KEY ("A ""x")'
    assert one["indexes"]["some"] == "lower(y::text) (partial)"
    assert one["indexes"]["both"].startswith("unique y, ")
    assert one["indexes"]["both"].endswith(" (not valid)")
    assert found["views"]["a view"]["columns"] == {"y": "character varying(3)"}
    assert "SELECT y" in found["views"]["a view"]["behaviour"]["definition"]
    assert "not_here" not in found["tables"]
    assert "sides" in found["views"]
    assert "game_aggregates_key" in found["materialised_views"]["game_aggregates"]["indexes"]


def test_a_foreign_table_does_not_stop_it(blank: psycopg.Connection) -> None:
    blank.execute(
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;"
        "CREATE FOREIGN TABLE far (x integer CHECK (x > 0)) SERVER s"
    )
    assert "far" not in catalog.describe(blank)["tables"]


def test_a_partitioned_table_is_known_whole(blank: psycopg.Connection) -> None:
    blank.execute(
        "CREATE TABLE p (id integer PRIMARY KEY, x text) PARTITION BY RANGE (id);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);"
        "INSERT INTO p SELECT n, n::text FROM generate_series(1, 19) AS n"
    )
    before = catalog.sums(blank)
    assert before["p"]["rows"] == 19 and before["p"]["key"] == ["id"]
    blank.execute("UPDATE p SET x = 'y' WHERE id = 12")
    assert catalog.differences(before, catalog.sums(blank)) == [
        "p.x: other values than before",
        "p2.x: other values than before",
    ]


def declaration(tmp_path: Path, text: str | bytes) -> Path:
    """A declaration in a file."""
    path = tmp_path / "schema.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tables: {a: [", r"schema\.yaml:2: cannot be read \(while parsing"),
        ("", r"schema\.yaml: the top: None is not of type 'object'; see the head"),
        ("[1]", r"the top: \[1\] is not of type"),
        ("tabels: {}", "the top: .*'tabels' was unexpected"),
        (
            "tables: {games: {colums: {x: text}}}",
            r"tables\.games: .*'colums' was unexpected",
        ),
        ("tables: {games: text}", r"tables\.games: 'text' is not of type"),
        ("views: {sides: }", r"views\.sides: None is not of type"),
    ],
)
def test_a_broken_declaration_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as told:
        declared.read(declaration(tmp_path, text))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "text",
    [
        "tables: [games]",
        "tables: games",
        "tables: {games: {columns: [season, week]}}",
        "tables: {games: {columns: }}",
        "tables: {games: {columns: {season: {since: 2}}}}",
        "tables: {games: {columns: {season: {is: text, sinse: 2}}}}",
        "tables: {games: {since: two}}",
        "tables: {games: {columns: {season: {is: text, since: two}}}}",
        b"tables: {games: {columns: {x: \xff}}}",
    ],
)
def test_a_declaration_that_is_wrong_further_in_is_told(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(DataError, match=r"schema\.yaml") as told:
        declared.at(declared.read(declaration(tmp_path, text)), 2)
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.yaml: cannot be read \(.*No such file"):
        declared.read(tmp_path / "none.yaml")


SINCE = """
tables:
  games:
    since: 2
    columns:
      season: integer not null
      note: {is: text, since: 4}
    indexes: {games_pkey: unique season}
  old: {columns: {x: text}}
materialised_views:
views:
  sides: {since: 3}
"""


def test_what_is_declared_since_when(tmp_path: Path) -> None:
    read = declared.read(declaration(tmp_path, SINCE))
    old = {"columns": {"x": "text"}, "indexes": {}, "constraints": {}}
    games = {
        "columns": {"season": "integer not null"},
        "indexes": {"games_pkey": "unique season"},
        "constraints": {},
    }
    none = {"columns": {}, "indexes": {}, "constraints": {}}
    none_of = {"materialised_views": {}, "views": {}}
    assert declared.at(read, 1) == {"tables": {"old": old}, **none_of}
    assert declared.at(read, 2) == {"tables": {"old": old, "games": games}, **none_of}
    assert declared.at(read, 3)["views"] == {"sides": none}
    later = declared.at(read, 4)["tables"]["games"]["columns"]
    assert later == {"season": "integer not null", "note": "text"}


@pytest.mark.parametrize(
    ("statement", "missing", "more"),
    [
        ("SELECT 1", [], []),
        ("DROP VIEW sides CASCADE", ["view sides is declared and not there"], []),
        ("DROP TABLE weather CASCADE", [
            "table weather is declared and not there",
            "materialised view venue_weather_features is declared and not there"], []),
        ("ALTER TABLE odds DROP COLUMN simulated",
         ["column odds.simulated is declared (boolean not null) and not there"], []),
        ("ALTER TABLE odds ALTER COLUMN simulated DROP NOT NULL",
         ["column odds.simulated is boolean, declared boolean not null"], []),
        ("ALTER TABLE weather ALTER COLUMN humidity_pct TYPE integer",
         ["column weather.humidity_pct is integer, declared double precision"], []),
        ("DROP INDEX odds_season",
         ["index odds.odds_season is declared (season) and not there"], []),
        ("DROP INDEX odds_season; CREATE INDEX odds_season ON odds (season) WHERE season > 1",
         ["index odds.odds_season is season (partial), declared season"], []),
        ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'odds_season'::regclass",
         ["index odds.odds_season is season (not valid), declared season"], []),
        ("ALTER TABLE odds DROP CONSTRAINT odds_game_id_fkey, ADD CONSTRAINT odds_game_id_fkey "
         "FOREIGN KEY (game_id) REFERENCES games ON DELETE CASCADE NOT VALID",
         ["constraint odds.odds_game_id_fkey is FOREIGN KEY (game_id) REFERENCES games(game_id) "
          "ON DELETE CASCADE (not valid), declared FOREIGN KEY (game_id) REFERENCES "
          "games(game_id) ON DELETE CASCADE"], []),
        ("ALTER TABLE odds ADD COLUMN \"odd name\" text", [], ["column odds.odd name (text)"]),
        ("CREATE TABLE \"odd name\" (x integer)", [], ["table odd name"]),
        ("CREATE INDEX more ON odds (simulated)", [], ["index odds.more (simulated)"]),
        ("ALTER TABLE odds ADD CONSTRAINT more CHECK (total_line > 1)", [],
         ["constraint odds.more (CHECK (total_line > 1::double precision))"]),
        ("CREATE MATERIALIZED VIEW mine AS SELECT 1 AS x", [], ["materialised view mine"]),
    ],
)  # fmt: skip
def test_declared_and_found(
    undone: psycopg.Connection, statement: str, missing: list[str], more: list[str]
) -> None:
    wanted = declared.at(declared.read(warehouses.SCHEMA), 8)
    undone.execute(statement)
    found = catalog.describe(undone)
    got = list(declared.differences(wanted, found))
    if "CASCADE" in statement and statement.startswith("DROP VIEW"):
        assert set(missing) < set(got), "with all that reads it"
    else:
        assert got == missing
    assert list(declared.additions(wanted, found)) == more


def everything(place: Server) -> tuple[dict, dict]:
    """Sums and objects of a database."""
    with server.connect(place, autocommit=True) as connection:
        return catalog.sums(connection), catalog.describe(connection)


def in_use(place: Server, use: Callable[[], str]) -> str:
    """Do something while another session is in the middle of a transaction."""
    with server.connect(place) as other:
        other.execute("UPDATE games SET stadium = 'not committed'")
        how = use()
        other.rollback()
    return how


@pytest.mark.parametrize("used", [False, True])
def test_a_copy_is_equal_and_the_source_unchanged(
    place: Server, embedded: Server, *, used: bool
) -> None:
    target = embedded.at("test catalog \"copy' \\")
    with server.connect(place, autocommit=True) as connection:
        connection.execute(
            'CREATE TABLE "odd name" ("a b" text, x float8); INSERT INTO "odd name" VALUES '
            "(E'\\\\N\\n\"', 'NaN'), ('', '-Infinity'), (NULL, 5e-324), ('\U0001f3c8', NULL)"
        )
    before = everything(place)

    def copy() -> str:
        return copies.copy(place, target, same_server=True)

    try:
        assert (in_use(place, copy) if used else copy()) == ("dump" if used else "template")
        got = everything(target)
        assert got[1] == before[1]
        # A restored view is made anew, and adds its floats in another order.
        views = got[1]["materialised_views"].keys() if used else ()
        assert got[0].keys() == before[0].keys()
        for name, sums in before[0].items():
            if name in views:
                assert (got[0][name]["rows"], got[0][name]["key"]) == (sums["rows"], sums["key"])
            else:
                assert got[0][name] == sums
        with server.connect(target, autocommit=True) as connection:
            connection.execute("DELETE FROM games")
        assert everything(place) == before, "it is a database of its own"
        with server.connect(target, autocommit=True) as user:  # does not keep it from that
            user.execute("SELECT 1")
            assert copies.copy(place, target, same_server=True) == "template"
        assert everything(target) == before
    finally:
        assert copies.drop(target)
    assert not copies.drop(target)


def test_a_copy_of_nothing_is_told(place: Server, embedded: Server) -> None:
    target, gone = embedded.at("test_catalog_copy"), embedded.at("no_such_database")
    try:
        for same in (True, False):
            with pytest.raises(DataError, match=r"no_such_database|no such database") as told:
                copies.copy(gone, target, same_server=same)
            assert "\n" not in str(told.value)
    finally:
        copies.drop(target)


def test_a_database_is_dropped_whoever_uses_it(embedded: Server) -> None:
    target = embedded.at("test_catalog_drop")
    server.ensure_database(target)
    with server.connect(target) as user:
        user.execute("SELECT 1")
        assert copies.drop(target)
        with pytest.raises(psycopg.OperationalError):
            user.execute("SELECT 1")
    assert not copies.drop(target)


def test_last_line_of_a_program() -> None:
    said = b"pg_dump: error: first\npg_dump: detail: \xff\n\n"
    assert copies.last_line(said) == "pg_dump: error: first"
    assert copies.last_line(b"something\nelse  here\n") == "else here"
    assert copies.last_line(b"\n") == "it says nothing"

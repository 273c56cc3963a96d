"""The data dictionary: what each page says of each file, and how files are held against it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from scripts.lake import bars, flatfile
from scripts.plan import data_dictionary as dictionary
from scripts.plan.data_formats import FORMATS
from scripts.plan.data_inputs import INPUTS
from scripts.plan.data_tables import TABLES, Table
from scripts.plan.data_warehouse import relations
from scripts.tables import Column, schema_of
from scripts.ticks.backtest import CLOSING, QUOTING
from scripts.ticks.events import COLUMNS as EVENTS
from scripts.ticks.events import SCHEMA

ROOT = Path(__file__).resolve().parents[3]
ONE = Table(
    place="ticks/x/*.parquet",
    source="x.py",
    columns={
        "key": Column(pl.String, "key"),
        "w_<column>": Column(pl.Float32, "any number"),
        "maybe": Column(pl.Int32, "where there is a source"),
        "last": Column(pl.Date, "last"),
    },
    about="x",
    optional=frozenset({"maybe"}),
)
FITS = {"key": pl.String, "w_a": pl.Float32, "w_b": pl.Float32, "maybe": pl.Int32, "last": pl.Date}


@pytest.mark.parametrize("left_out", [(), ("w_a",), ("w_a", "w_b"), ("maybe",)])
def test_columns_that_stand_for_many_and_optional_ones_may_be_absent(left_out: tuple) -> None:
    found = {name: dtype for name, dtype in FITS.items() if name not in left_out}
    assert dictionary.faults(ONE, found) == []


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        ({"last": pl.Date}, "key is missing before last"),
        ({"key": pl.String}, "last is missing"),
        ({**FITS, "more": pl.Int32}, "more is not declared there"),
        ({**FITS, "key": pl.Int64}, "key is Int64, declared String"),
        ({"key": pl.String, "last": pl.Date, "w_a": pl.Float32}, "w_a is not declared there"),
        (
            {"key": pl.String, "w_a": pl.Float64, "last": pl.Date},
            "w_a is Float64, declared Float32",
        ),
        ({"key": None, "other": None, "last": None}, "other is not declared there"),
    ],
)
def test_a_file_of_other_columns_is_told(found: dict, fault: str) -> None:
    assert fault in dictionary.faults(ONE, found)


@pytest.mark.parametrize(
    ("declared", "shown"),
    [
        (pl.Float64, "Float64"),
        (pl.List(pl.String), "List(String)"),
        (pl.Datetime("ns", "UTC"), "Datetime(ns, UTC)"),
        (pl.Datetime("ns"), "Datetime(ns)"),
        (pa.timestamp("ns"), "Datetime(ns)"),
        (pa.string(), "String"),
        (float, "Float64"),
        (None, "as in the input"),
    ],
)
def test_types_are_told_in_one_language(declared: object, shown: str) -> None:
    assert dictionary.type_name(declared) == shown


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("ticks/trades/parity/v1_baseline/base/MODON.csv", "QUOTING"),
        ("ticks/trades/parity/v1_baseline/refill_interval_sec=5/A B.csv", "QUOTING"),
        ("ticks/trades/realistic/closing_strategy/base/MODON.csv", "CLOSING"),
    ],
)
def test_the_closing_strategy_has_trades_of_its_own(place: str, source: str) -> None:
    (table,) = dictionary.described(place)
    assert table.columns is {"QUOTING": QUOTING, "CLOSING": CLOSING}[source]


def test_a_path_of_nowhere_is_of_no_table() -> None:
    assert dictionary.described("ticks/other.parquet") == []
    assert dictionary.described("nfl/etl/pbp/season=2019/deeper/part.parquet") == []


def test_every_table_and_format_has_a_line_and_every_column_a_meaning() -> None:
    for table in TABLES:
        assert table.about or "/quarantine/" in table.place, table.place
        for name, (_, meaning) in table.columns.items():
            assert meaning, f"{table.place}: {name}"
    for form in FORMATS:
        assert form.about and all(form.fields.values()), form.places
    for relation in relations(ROOT / "warehouse/schema.yaml"):
        assert relation.about, relation.name
        for name, (_, meaning) in relation.columns.items():
            assert meaning, f"{relation.name}.{name}"


def test_every_script_that_is_named_is_there() -> None:
    for source in {*(table.source for table in TABLES), *(form.source for form in FORMATS)}:
        first, *more = source.split(", ")
        for path in (first, *(f"{Path(first).parent}/{name}" for name in more)):
            assert (ROOT / path).is_file(), path


@pytest.fixture(scope="module")
def planned() -> list[str]:
    """Every file that the demo and its warehouse's targets would write, below results/demo/."""
    command = [*(sys.executable, "-m", "snakemake", "--summary", "--forceall")]
    command += ["--", "all", "migration_test", "backup"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    files = [line.split("\t")[0] for line in done.stdout.splitlines()[1:]]
    found = [path.removeprefix("results/demo/") for path in files]
    return [path for path in found if "/server/" not in path]


def test_every_planned_table_is_in_one_section(planned: list[str]) -> None:
    tables = [path for path in planned if path.endswith((".parquet", ".csv", ".csv.gz"))]
    assert len(tables) > 600
    assert {path: len(dictionary.described(path)) for path in tables} == dict.fromkeys(tables, 1)


def test_every_planned_json_is_of_one_format(planned: list[str]) -> None:
    files = [path for path in planned if path.endswith(".json")]
    assert len(files) > 400
    assert {path: len(dictionary.format_of(path)) for path in files} == dict.fromkeys(files, 1)


def test_no_two_tables_have_one_place() -> None:
    places = [table.place for table in TABLES]
    assert len(set(places)) == len(places)


def test_every_link_of_the_pages_leads_to_a_heading() -> None:
    pages = dictionary.pages()
    headings = {
        name: dictionary._anchors(re.findall(r"^## (.*)$", text, re.M))
        for name, text in pages.items()
    }
    linked = re.findall(r"\]\((data/\w+\.md)#([^)]*)\)", pages["data.md"])
    assert len(linked) > 100
    for page, anchor in linked:
        assert anchor in headings[page], (page, anchor)
    for name, text in pages.items():
        for anchor in re.findall(r"\]\(#([^)]*)\)", text):
            assert anchor in headings[name], (name, anchor)
        assert len(set(headings[name])) == len(headings[name])


def test_tables_that_are_given_have_the_declared_columns() -> None:
    files = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "config").rglob("*.csv"))
    assert files == sorted(place for place, *_ in INPUTS)
    for place in files:
        (table,) = dictionary.described(place)
        assert (ROOT / place).read_text().splitlines()[0].split(",") == list(table.columns)


def test_tick_events_are_read_as_they_are_declared() -> None:
    assert [(field.name, field.type) for field in SCHEMA] == [
        (n, t) for n, (t, _) in EVENTS.items()
    ]


def test_flat_files_are_declared_as_they_are_checked() -> None:
    assert tuple(bars.LANDED) == flatfile.FIELDS
    assert schema_of(bars.LANDED) == pl.Schema({n: flatfile.PARSED[n] for n in flatfile.FIELDS})

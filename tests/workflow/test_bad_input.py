"""Bad input through the real graph: real files, real Snakemake, and what the user reads last."""

from __future__ import annotations

import json
import subprocess
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import yaml

from scripts.errors import DataError
from scripts.ticks.build_parquet import build
from tests.workflow.project import ROOT, TINY, Project, copy_project, half_written, tail

CLOSING = "closing_strategy"
TEN = datetime(2025, 4, 14, 10)
HEADER = ["Dates", "Type", "Price", "Size"]
TRADES = "results/tiny/ticks/trades"


def events(count: int = 200, start: datetime = TEN, **changes: dict) -> list[list]:
    """Good rows, with cells changed: `price={7: "x"}` puts x into the price of the 8th row."""
    columns = dict(zip(("date", "kind", "price", "size"), range(4), strict=True))
    rows = [
        [start + timedelta(seconds=9 * i), ("BID", "ASK", "TRADE")[i % 3], 2.5 + i % 7 / 100, 100]
        for i in range(count)
    ]
    for name, cells in changes.items():
        for row, value in cells.items():
            rows[row][columns[name]] = value
    return rows


def sheet(rows: list[list], header: list[str] = HEADER) -> list[list]:
    """A whole sheet in the vendor's layout."""
    return [["title"], ["note"], header, *rows]


def write(path: Path, sheets: dict[str, list[list]]) -> Path:
    """Write a workbook with these rows in the sheet `<name> UH Equity` of each name."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        page = made.create_sheet(name if name.endswith("Equity") else f"{name} UH Equity")
        for row in rows:
            page.append(row)
    path.parent.mkdir(exist_ok=True)
    made.save(path)
    return path


def book(path: Path, *names: str) -> Path:
    """A workbook with the same good rows in each of the sheets."""
    return write(path, dict.fromkeys(names, sheet(events(6))))


def renamed(path: Path, source: Path, old: str, new: str) -> None:
    """Copy a workbook, giving a sheet a name that no writer of workbooks allows."""
    with zipfile.ZipFile(source) as before, zipfile.ZipFile(path, "w") as after:
        for name in before.namelist():
            after.writestr(name, before.read(name).replace(old.encode(), new.encode()))


def says(result: subprocess.CompletedProcess, *fragments: str, lines: int = 10) -> None:
    """Assert failure, and that one of the last lines holds all the fragments."""
    assert result.returncode == 1, tail(result)
    last = [line for line in result.stdout.splitlines() if line.strip()][-lines:]
    assert any(all(f in line for f in fragments) for line in last), "\n".join(last)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project with all the bad files that the plans below name."""
    project = copy_project(tmp_path_factory.mktemp("plans"), TINY)
    folder = project.folder
    good = book(folder / "good.xlsx", "MODON")
    whole = good.read_bytes()
    (folder / "cut.xlsx").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.xlsx").touch()
    with zipfile.ZipFile(folder / "zip.xlsx", "w") as archive:
        archive.writestr("readme.txt", "no workbook")
    (folder / "folder.xlsx").mkdir()
    book(folder / "twice.xlsx", "X UH Equity", "X DH Equity")
    book(folder / "case.xlsx", "emaar UH Equity", "EMAAR DH Equity")
    for number, name in enumerate(NAMES):
        renamed(folder / f"name{number}.xlsx", good, "MODON UH Equity", name)
    book(folder / "unknown.xlsx", "ZZZ")
    (folder / "none").mkdir()
    (folder / "two").mkdir()
    (folder / "two" / "modon.parquet").touch()
    (folder / "two" / "MODON.parquet").touch()
    table = (folder / "config/universe/securities.csv").read_text()
    (folder / "nyse.csv").write_text(table.replace("MODON,ADX", "MODON,NYSE"))
    (folder / "short.csv").write_text(table.replace("MODON,ADX,ADX,7700", "MODON,ADX"))
    (folder / "typo.csv").write_text(table.replace("max_notional", "max_notinal"))
    (folder / "bom.csv").write_text("\ufeff" + table, encoding="utf-8")
    (folder / "latin.csv").write_bytes(table.encode() + "Ä,ADX,ADX,1,1,1,,,\n".encode("latin1"))
    return project


NAMES = ["../x UH Equity", "* UH Equity", "x* UH Equity", "{x} UH Equity"]


ONE_SHEET = {"workbook": "good.xlsx"}
WHOLE = "not a complete xlsx file"


def v1(**parameters: object) -> dict:
    """The overlay that gives v1_baseline these parameters."""
    return {"strategies": {"v1_baseline": parameters}}


@pytest.mark.parametrize(
    ("overlay", "fragments"),
    [
        ({"workbook": "empty.xlsx"}, ["empty.xlsx", WHOLE]),
        ({"workbook": "zip.xlsx"}, ["zip.xlsx", WHOLE, "xl/workbook.xml"]),
        ({"workbook": "folder.xlsx"}, ["folder.xlsx", "directory"]),
        ({"workbook": "missing.xlsx"}, ["missing.xlsx: no such workbook; see ticks.workbook"]),
        ({**ONE_SHEET, "securities": ["MODN"]}, ["good.xlsx", "MODN", "did you mean MODON?"]),
        ({"workbook": "twice.xlsx"}, ["'X UH Equity'", "'X DH Equity'", "hold X", "rename"]),
        ({"workbook": "case.xlsx"}, ["'emaar UH Equity'", "'EMAAR DH Equity'", "hold EMAAR"]),
        ({"workbook": "name0.xlsx"}, ["name0.xlsx", "'../X'", "rename it"]),
        ({"workbook": "name1.xlsx"}, ["name1.xlsx", "'*'", "rename it"]),
        pytest.param({"workbook": "name2.xlsx"}, ["name2.xlsx", "'X*'", "rename it"]),
        pytest.param({"workbook": "name3.xlsx"}, ["name3.xlsx", "{X}", "rename it"]),
        (
            {"workbook": "unknown.xlsx", "modes": ["realistic"]},
            ["securities.csv", "no exchange", "ZZZ", "add its row", "ticks.modes: [parity]"],
        ),
        ({"parquet_dir": "none"}, ["none", "no *.parquet file", "ticks.parquet_dir"]),
        ({"parquet_dir": "two"}, ["'MODON.parquet'", "'modon.parquet'", "hold MODON"]),
        ({**ONE_SHEET, "parquet_dir": "two"}, ["ticks.workbook", "ticks.parquet_dir", "keep one"]),
        ({"workbok": "good.xlsx"}, ["ticks.workbok", "did you mean workbook?"]),
        ({"max_quarantined_share": 2}, ["ticks.max_quarantined_share", "2", "at most 1"]),
        ({"strategies": {"v1_basline": {}}}, ["no strategy v1_basline", "v1_baseline?"]),
        (v1(refil_interval_sec=5), ["refil_interval_sec", "did you mean refill_interval_sec?"]),
        pytest.param(v1(refill_interval_sec="abc"), ["refill_interval_sec", "abc"]),
        pytest.param(v1(refill_interval_sec=-5), ["refill_interval_sec", "-5"]),
        ({"securities_table": "nyse.csv"}, ["nyse.csv, line 12", "exchange 'NYSE'", "ADX or DFM"]),
        ({"securities_table": "short.csv"}, ["short.csv, line 12", "cells"]),
        pytest.param({"securities_table": "typo.csv"}, ["typo.csv", "max_notinal"]),
        pytest.param({"securities_table": "latin.csv"}, ["latin.csv", "UTF-8"]),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_plan_that_cannot_be_ends_with_its_cause(
    project: Project, overlay: dict, fragments: list[str]
) -> None:
    config = project.write_config("overlay.yaml", {"ticks": overlay})
    result = project.run("-n", "--configfile", config)
    says(result, *fragments)
    assert "Traceback (most recent call last)" not in result.stdout
    assert not project.results.exists()


def test_a_section_of_the_config_that_stands_twice_is_refused(project: Project) -> None:
    config = project.folder / "overlay.yaml"
    config.write_text("ticks: {header_row: 3}\nseed: 1\nticks: {modes: [parity]}\n")
    result = project.run("-n", "--configfile", config)
    says(result, "overlay.yaml:3: cannot be read", "key ticks stands twice", lines=1)


@pytest.mark.parametrize(
    ("overlay", "fragments"),
    [
        ({"workbook": "cut.xlsx"}, ["cut.xlsx", WHOLE, "copy it again"]),
        ({"header_row": "three"}, ["ticks.header_row", '"three"', "expected integer"]),
    ],
)
def test_the_very_last_line_of_a_failed_plan_is_the_cause(
    project: Project, overlay: dict, fragments: list[str]
) -> None:
    config = project.write_config("overlay.yaml", {"ticks": overlay})
    says(project.run("-n", "--configfile", config), *fragments, lines=1)


def test_a_run_cannot_leave_the_results(project: Project) -> None:
    says(project.run("-n", "--config", "run=../x"), 'run: got "../x"')
    assert not (project.folder / "x").exists()


def test_nested_values_on_the_command_line_have_their_types(project: Project) -> None:
    project.run("-n", "--config", "ticks={max_securities: 1, benchmark: true}", check=True)
    says(project.run("-n", "--config", "ticks={header_row: 0}"), "ticks.header_row", "0", "least 1")


bom = pytest.param("bom.csv")


@pytest.mark.parametrize("table", ["config/universe/securities.csv", bom])
def test_an_unknown_security_runs_in_parity_by_the_row_for_all_others(
    project: Project, table: str
) -> None:
    overlay = {"workbook": "unknown.xlsx", "securities_table": table}
    config = project.write_config("overlay.yaml", {"ticks": overlay})
    project.run("-n", "--configfile", config, check=True)


@pytest.mark.parametrize(
    ("path", "fragments"),
    [
        ("v1_baseline/refill_interval_sec=5.0", ["'refill_interval_sec=5'", "ask for that path"]),
        ("v1_baseline/refil_interval_sec=5", ["no parameter", "did you mean refill_interval_sec?"]),
        ("v1_basline/base", ["no strategy v1_basline", "did you mean v1_baseline?"]),
        pytest.param("v1_baseline/refill_interval_sec=abc", ["number"]),
    ],
)
def test_a_wrong_path_is_told_the_right_one(
    project: Project, path: str, fragments: list[str]
) -> None:
    result = project.run("-n", f"{TRADES}/parity/{path}/MODON.csv")
    says(result, *fragments)


TWO_PRICES = sheet([[*row, 1.0] for row in events(4)], [*HEADER, "Ask price"])
REFUSALS = {  # sheet: (its rows, what the run says of it beside file and sheet)
    "MANY": (sheet(events(price=dict.fromkeys(range(50, 150), "oops"))), ["line 54", "'oops'"]),
    "SIZES": (sheet(events(size=dict.fromkeys(range(9), 7.5))), ["line 4", "'7.5'", "9 of 200"]),
    "SERIAL": (sheet(events(date=dict.fromkeys(range(200), 45761.5))), ["line 4", "'45761.5'"]),
    "DAYS": (sheet(events(20, TEN + timedelta(1)) + events(20)), ["line 24", "2025-04-14"]),
    "BARE": (sheet([]), ["no row below the header"]),
    "EMPTY": ([], ["has 0 rows", "Dates | Type | Price | Size"]),
    "MOVED": ([["more"], ["more"], *sheet(events(4))], ["row 5", "set ticks.header_row: 5"]),
    "WRONG": (sheet(events(4), ["When", "Kind", "Px", "Qty"]), ["'When | Kind | Px | Qty'"]),
    "PRICES": (TWO_PRICES, ["'Price'", "'Ask price'", "both mean price"]),
}
MENDED = {  # odd names that are fine: (the rows of the sheet, what reconcile counts of it)
    "NA": (events(1), {"good": 1}),
    "null": ([row for row in events(50) for _ in "12"], {"good": 100, "repeated": 50}),
    "A,B": (
        events(1500, price={1400: "oops", 3: "#DIV/0!"}, size={2: -5, 4: 7.5, 5: None}),
        {
            "good": 1495,
            "quarantined": 5,
            "reasons": {
                "price is missing or not a number": 2,
                "size is missing or not a number": 1,
                "size is negative": 1,
                "size is not a whole number of shares": 1,
            },
        },
    ),
    "a=b": (events(price={9: "3.25"}, date={9: "2025-04-14 10:01:21"}), {"good": 200}),
    "Ünï cödé": (events(9, date={i: f"2025-04-14 10:0{i}:00" for i in range(9)}), {"good": 9}),
}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, object]:
    """A run over one workbook that holds all these sheets, at a path with a blank."""
    config = {**TINY, "ticks": {**TINY["ticks"], "workbook": "from vendor/ticks.xlsx"}}
    project = copy_project(tmp_path_factory.mktemp("mixed"), config)
    bad = {name: rows for name, (rows, _) in REFUSALS.items()}
    good = {name: sheet(rows) for name, (rows, _) in MENDED.items()}
    write(project.folder / "from vendor" / "ticks.xlsx", bad | good)
    return project, project.run("results/tiny/ticks/summary.csv")


@pytest.mark.parametrize("name", REFUSALS)
def test_a_sheet_that_cannot_be_used_is_named_among_what_failed(mixed, name: str) -> None:
    project, result = mixed
    assert result.returncode == 1
    told = result.stdout.rpartition("What failed:")[2].splitlines()
    cause = told[told.index(f"  ticks_build_parquet security={name}") + 1]
    for fragment in ["from vendor/ticks.xlsx", f"sheet '{name} UH Equity'", *REFUSALS[name][1]]:
        assert fragment in cause
    assert not list(project.results.rglob(f"{name}.parquet"))
    assert not list(project.results.rglob(f"{name}.json"))


@pytest.mark.parametrize("name", MENDED)
def test_the_other_sheets_are_done_and_counted(mixed, name: str) -> None:
    project, _ = mixed
    ticks = project.results / "tiny" / "ticks"
    counts = json.loads((ticks / f"reconcile/ticks/{name.upper()}.json").read_text())
    rows = len(MENDED[name][0])
    expected = {"rows_in": rows, "quarantined": 0, "reasons": {}, "repeated": 0}
    assert counts == expected | MENDED[name][1]
    assert pl.read_parquet(ticks / f"parquet/{name.upper()}.parquet").height == counts["good"]
    assert (ticks / f"trades/parity/v1_baseline/base/{name.upper()}.csv").is_file()


def test_refused_rows_are_kept_with_line_and_text(mixed) -> None:
    project, _ = mixed
    path = project.results / "tiny/ticks/quarantine/ticks/A,B.parquet"
    bad = pl.read_parquet(path, hive_partitioning=False).select("line", "price", "volume")
    assert bad.filter(pl.col("line") != 7).rows() == [
        (6, "2.52", "-5.0"),
        (8, "2.54", "7.5"),
        (9, "2.55", None),
        (1404, "oops", "100.0"),
    ]


def test_without_the_bad_sheets_the_rest_is_completed(mixed) -> None:
    project, result = mixed
    assert not half_written(project.results)
    waited = result.stdout.rpartition("What waited for it:")[2]
    assert f"{len(REFUSALS)} ticks_simulate_trades, 1 ticks_score_summary" in waited
    config = project.write_config("rest.yaml", {"ticks": {"securities": list(MENDED)}})
    again = project.run("results/tiny/ticks/summary.csv", "--configfile", config, check=True)
    assert [rule for rule, _ in project.jobs_run(again)] == ["ticks_score_summary"]


def test_the_fixes_are_measured_for_an_unknown_security_too(tmp_path: Path) -> None:
    closing = yaml.safe_load((ROOT / "config/config.yaml").read_text())["ticks"]["strategies"]
    overlay = {"workbook": "zzz.xlsx", "strategies": {CLOSING: closing[CLOSING]}}
    project = copy_project(tmp_path, {**TINY, "ticks": {**TINY["ticks"], **overlay}})
    book(project.folder / "zzz.xlsx", "ZZZ")
    project.run(f"results/tiny/ticks/sweeps/{CLOSING}/fixes/ZZZ.parquet", check=True)


PARQUET = pl.DataFrame(events(60), schema=["timestamp", "type", "price", "volume"], orient="row")
FILES = {  # file: (its content, what the run says of it; None: it is good)
    "modon": (PARQUET, None),
    "strings": (PARQUET.with_columns(pl.col("price").cast(pl.String)), None),
    "words": (PARQUET.with_columns(price=pl.lit("n/a")), ["words.parquet, line 1", "price 'n/a'"]),
    "columns": (PARQUET.rename({"price": "px"}), ["columns.parquet", "no column for price", "px"]),
    "text": (b"timestamp,type,price,volume\n", ["text.parquet", "not a readable parquet file"]),
}


def test_a_folder_of_parquet_files_good_and_bad(tmp_path: Path) -> None:
    overlay = {**TINY["ticks"], "parquet_dir": "source"}
    project = copy_project(tmp_path, {**TINY, "ticks": overlay})
    (project.folder / "source").mkdir()
    for name, (content, _) in FILES.items():
        path = project.folder / "source" / f"{name}.parquet"
        path.write_bytes(content) if isinstance(content, bytes) else content.write_parquet(path)
    result = project.run("results/tiny/ticks/summary.csv")
    assert result.returncode == 1
    told = result.stdout.rpartition("What failed:")[2].splitlines()
    for name, (_, fragments) in FILES.items():
        trades = project.folder / TRADES / f"parity/v1_baseline/base/{name.upper()}.csv"
        assert trades.exists() is (fragments is None)
        if fragments:
            cause = told[told.index(f"  ticks_build_parquet security={name.upper()}") + 1]
            assert all(fragment in cause for fragment in fragments), cause


def build_one(folder: Path, source: Path, **changes: object) -> dict:
    """Build security MODON from `source` into `folder`."""
    paths = {name: folder / f"out.{name}" for name in ("out", "quarantine", "reconcile")}
    settings = {"security": "MODON", "header_row": 3, "max_quarantined_share": 0.01, **changes}
    return build(source=source, **settings, **paths)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        pytest.param({"date": {50: datetime(9999, 12, 31)}}, "timestamp is"),
        pytest.param({"date": {50: TEN.time()}}, "timestamp is"),
        pytest.param({"price": {50: timedelta(hours=30)}}, "price is"),
        ({"price": {50: TEN}}, "price is"),
    ],
)
def test_one_odd_cell_costs_one_row(tmp_path: Path, cell: dict, reason: str) -> None:
    source = write(tmp_path / "b.xlsx", {"MODON": sheet(events(**cell))})
    report = build_one(tmp_path, source)
    assert (report["good"], report["quarantined"]) == (199, 1)
    assert next(iter(report["reasons"])).startswith(reason)


def test_a_security_without_one_good_row_fails_at_any_share(tmp_path: Path) -> None:
    rows = events(price=dict.fromkeys(range(200), "x"))
    source = write(tmp_path / "b.xlsx", {"MODON": sheet(rows)})
    with pytest.raises(DataError, match="line 4, price 'x'"):
        build_one(tmp_path, source, max_quarantined_share=1)


def test_timestamps_of_another_time_zone_are_not_taken_for_local_ones(tmp_path: Path) -> None:
    zoned = PARQUET.with_columns(pl.col("timestamp").dt.replace_time_zone("UTC"))
    zoned.write_parquet(tmp_path / "modon.parquet")
    with pytest.raises(DataError, match="UTC"):
        build_one(tmp_path, tmp_path / "modon.parquet")


def test_a_damaged_table_of_contents_is_one_line_of_error(tmp_path: Path) -> None:
    source = book(tmp_path / "b.xlsx", "MODON")
    with zipfile.ZipFile(source) as archive:
        part = archive.getinfo("xl/workbook.xml")
    damaged, start = bytearray(source.read_bytes()), part.header_offset + 30 + len(part.filename)
    damaged[start : start + part.compress_size] = b"\xff" * part.compress_size
    source.write_bytes(damaged)
    with pytest.raises(DataError, match="not a complete xlsx file"):
        build_one(tmp_path, source)

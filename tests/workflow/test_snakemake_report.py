"""A small run of all domains: Snakemake's own report of it, its data dictionary, its provenance."""

from __future__ import annotations

import html
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from scripts.plan import data_dictionary as dictionary
from tests.workflow import books
from tests.workflow.project import ROOT, Project, copy_project
from tests.workflow.wholes import CONFIG, RUN

# Not products: they hold times, tell of other files, or are made beside a run.
BESIDE = ("logs", "benchmarks", "events", "report")
SECRET = "a-key-that-nobody-may-see"
SHOWN = (  # a product of every rule that marks one
    *("lake/provenance.json", "lake/qlib/manifest.json"),
    *("ticks/provenance.json", "ticks/summary.csv", "ticks/fixes.csv"),
    *("ticks/sweeps/v1_baseline.csv", "ticks/plots/cumulative_pnl.svg"),
    *("ticks/plots/securities/MODON.svg", "ticks/plots/sweeps/v1_baseline.svg"),
    *("weekly/provenance.json", "weekly/plots/AAPL.svg"),
    *("nfl/provenance.json", "nfl/passed.json", "nfl/tables/models.csv"),
    *("nfl/tables/seasons.csv", "nfl/tables/reliability.csv", "nfl/tables/conclusion.md"),
    *("nfl/plots/reliability_home_win.svg", "nfl/plots/seasons_home_win.svg"),
    *("book/notebooks/games.html", "book/notebooks/trades.html"),
    *("book/chapters/alpha.html", "book/chapters/beta.html"),
    *("book/chapters/alpha.pdf", "book/chapters/beta.pdf", "book/main.pdf", "book/report.html"),
)
CAPTIONS = {  # with what they read: config, params, wildcards, input
    "ticks/summary.csv": "portfolio (security *), by mode (parity, realistic)",
    "ticks/sweeps/v1_baseline.csv": "of v1_baseline, the others as configured: "
    "refill_interval_sec at 60, 180.",
    "ticks/plots/securities/MODON.svg": "pnl (AED) of MODON in parity and realistic mode",
    "weekly/plots/AAPL.svg": "When the weeks of AAPL become visible",
    "nfl/tables/models.csv": "bootstrap intervals over weeks (100 draws)",
    "nfl/passed.json": "before any table was made: game_ids, game_teams,",
    "book/main.pdf": "A small book, as a PDF set with typst",
    "book/chapters/alpha.html": "alpha of A small book",
    "lake/provenance.json": "Something of it is simulated",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """All domains but the warehouse, as small as they can be."""
    project = copy_project(tmp_path_factory.mktemp("report"), CONFIG)
    books.write(project)
    project.run(check=True, timeout=900)
    return project


@pytest.fixture(scope="module")
def report(built: Project) -> zipfile.ZipFile:
    """Snakemake's report, made where keys of vendors are set."""
    names = ("MASSIVE_API_KEY", "POLYGON_API_KEY", "AWS_SECRET_ACCESS_KEY", "ODDS_API_KEY")
    keys = dict.fromkeys((*names, "PGPASSWORD"), SECRET)
    result = built.run("--report", "report.zip", check=True, env=keys)
    assert SECRET not in result.stdout
    return zipfile.ZipFile(built.folder / "report.zip")


def page_of(report: zipfile.ZipFile) -> str:
    """The report's page."""
    return report.read("report/report.html").decode()


def results_of(report: zipfile.ZipFile) -> dict[str, dict]:
    """What the report tells of each product, by its path below the run's results."""
    told = page_of(report).split('<script id="results">', 1)[1].split("=", 1)[1].lstrip()
    entries = json.JSONDecoder().raw_decode(told)[0]
    return {path.removeprefix(f"results/{RUN}/"): entry for path, entry in entries.items()}


def plain(text: str) -> str:
    """HTML as it is read."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", text)))


def test_the_report_holds_the_products_a_reader_wants(built: Project, report) -> None:
    results = results_of(report)
    assert sorted(results) == sorted(SHOWN)
    for path, entry in results.items():
        packed = report.read(f"report/{entry['data_uri']}")
        assert packed == (built.results / RUN / path).read_bytes(), path


def test_the_report_opens_with_what_it_is_of(report: zipfile.ZipFile) -> None:
    assert f"Almanac, run {RUN}: from raw vendor files" in plain(page_of(report))


@pytest.mark.parametrize("path", CAPTIONS)
def test_captions_are_filled_in(report: zipfile.ZipFile, path: str) -> None:
    assert CAPTIONS[path] in plain(results_of(report)[path]["caption"])


def test_every_product_has_a_caption_and_labels(report: zipfile.ZipFile) -> None:
    for path, entry in results_of(report).items():
        assert len(entry["caption"]) > 40, path
        assert "{{" not in entry["caption"] and "{%" not in entry["caption"], path
        assert "System Message" not in entry["caption"], path
        assert entry["labels"], path


def test_every_caption_is_used() -> None:
    rules = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    captions = {path.stem for path in (ROOT / "rules/captions").glob("*.rst")} - {"workflow"}
    assert captions == {name for name in captions if f'"{name}"' in rules}


def test_no_key_is_in_the_report(report: zipfile.ZipFile) -> None:
    for name in report.namelist():
        assert SECRET.encode() not in report.read(name), name


def test_a_page_alone_can_be_made_of_one_domain(built: Project) -> None:
    built.run("--report", "ticks.html", "--", "ticks", check=True)
    page = (built.folder / "ticks.html").read_text()
    assert "ticks/summary.csv" in page
    assert "nfl/tables/models.csv" not in page


def test_marking_a_product_for_the_report_makes_nothing_run(built: Project) -> None:
    file = built.folder / "rules/shown.smk"
    text = file.read_text()
    unmarked, count = re.subn(r"return report\(\n", "return (lambda path, **_: path)(\n", text)
    assert count == 1
    try:
        file.write_text(unmarked)
        assert "Nothing to be done" in built.run("--dry-run", check=True).stdout
    finally:
        file.write_text(text)
    assert "Nothing to be done" in built.run("--dry-run", check=True).stdout


def products(built: Project, *suffixes: str) -> Iterator[tuple[str, Path]]:
    """Files of the run, by their path below its results, without what stands beside them."""
    top = built.results / RUN
    for path in sorted(top.rglob("*")):
        place = path.relative_to(top).as_posix()
        if path.is_file() and place.split("/")[0] not in BESIDE and place.endswith(suffixes or ""):
            yield place, path


def test_every_table_has_the_columns_that_are_declared(built: Project) -> None:
    domains = set()
    for place, path in products(built, ".parquet", ".csv", ".csv.gz"):
        (table,) = dictionary.described(place)
        if path.suffix == ".parquet":
            found = dict(pl.read_parquet_schema(path))
        else:
            found = dict.fromkeys(pl.read_csv(path, n_rows=0).columns)
        assert dictionary.faults(table, found) == [], place
        domains.add(table.domain)
    assert domains == {"lake", "ticks", "weekly", "nfl"}


def test_every_json_has_the_keys_that_are_declared(built: Project) -> None:
    for place, path in products(built, ".json"):
        (form,) = dictionary.format_of(place)
        found = set(json.loads(path.read_text()))
        needed = {key for key in form.fields if "<" not in key and not key.endswith("?")}
        assert needed <= found, place
        if not any("<" in key for key in form.fields):
            assert found <= {key.removesuffix("?") for key in form.fields}, place


def test_provenance_names_every_product_of_its_domain(built: Project) -> None:
    notes = {
        domain: json.loads((built.results / RUN / domain / "provenance.json").read_text())
        for domain in ("lake", "ticks", "weekly", "nfl")
    }
    for note in notes.values():
        assert note["version"] and note["config_hash"] and note["sources"]
        assert all(len(source["sha256"]) == 64 for source in note["sources"])
        assert note["simulated"] is True
    for place, _ in products(built):
        domain = place.split("/")[0]
        if domain in notes and place != f"{domain}/provenance.json":
            patterns = notes[domain]["products"]
            assert any(dictionary.matches(pattern, place) for pattern in patterns), place


def test_a_pdf_tells_what_it_rests_on(built: Project) -> None:
    import pikepdf

    sources = json.loads((built.results / RUN / "nfl/provenance.json").read_text())["sources"]
    for name in ("main", "chapters/alpha"):
        with pikepdf.open(built.results / RUN / f"book/{name}.pdf") as pdf:
            told = str(pdf.docinfo["/Keywords"])
        assert re.search(r"Version: \d+\.\d+\.\d+; config [0-9a-f]{16}", told), told
        assert f"nfl: simulated or resting on simulated data; {len(sources)} sources" in told

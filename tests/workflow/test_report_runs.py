"""The control room made by the graph, and critical rules, in real runs of a small project."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scripts.plan.data_reports import EVENTS
from tests.workflow.project import TINY, Project, copy_project, tail

SECURITIES = {"MODON": 2.7, "PARKIN": 5.4, "SPINNEYS": 1.6}
THREE = {**TINY, "ticks": {**TINY["ticks"]}}
THREE["ticks"]["simulator"] = {**TINY["ticks"]["simulator"], "prices": SECURITIES}
BROKEN = "scripts/ticks/build_parquet.py"


def told(project: Project) -> dict:
    """What the page holds."""
    page = (project.results / "tiny/report/index.html").read_text(encoding="utf-8")
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.S)[1])


def break_parquet(project: Project, security: str) -> None:
    """Let the job that checks one security's events fail."""
    path = project.folder / BROKEN
    text = path.read_text()
    adapter = "    with job(snakemake) as log:"
    assert adapter in text
    fail = f'if snakemake.wildcards.security == "{security}": raise DataError("x.csv:7: bad")'
    path.write_text(
        text.replace(
            adapter, f"    from scripts.errors import DataError\n{adapter}\n        {fail}"
        )
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The target `report` from nothing."""
    project = copy_project(tmp_path_factory.mktemp("built"), THREE)
    project.run("report", check=True)
    return project


def test_the_page_comes_last_and_tells_of_the_run_that_made_it(built: Project) -> None:
    data = told(built)
    (run,) = data["runs"]
    assert (run["status"], run["failed"], run["cores"]) == ("ok", 0, 2)
    details = data["details"][run["id"]]
    assert len(details["jobs"]) == run["done"] == run["total"]
    assert {job["state"] for job in details["jobs"]} == {"done"}
    assert set(details["machines"]) == {run["host"]}
    assert len(details["machines"]) == 2, "one for each core"
    assert all(product["written"] for product in data["products"])
    assert {row["domain"] for row in data["rules"]} == {"ticks"}
    assert data["simulated"] is True
    assert data["failures"] == []


def test_its_figures_are_those_of_the_files(built: Project) -> None:
    data = told(built)
    datasets = {(row["domain"], row["dataset"]): row for row in data["datasets"]}
    row = datasets["ticks", "parquet"]
    files = list((built.results / "tiny/ticks/reconcile/ticks").glob("*.json"))
    counts = [json.loads(file.read_text()) for file in files]
    assert (row["partitions"], row["first"], row["newest"]) == (3, "MODON", "SPINNEYS")
    for name in ("rows_in", "good", "quarantined"):
        assert row[name] == sum(count[name] for count in counts)
    parquet = (built.results / "tiny/ticks/parquet").glob("*.parquet")
    assert row["bytes"] == sum(path.stat().st_size for path in parquet)
    page = built.results / "tiny/report/index.html"
    for product in data["products"]:
        assert (page.parent / product["href"]).resolve().is_file()
    rules = {row["rule"]: row for row in data["rules"]}
    log = (built.results / "tiny/logs/ticks/ticks_build_parquet/MODON.log").read_text()
    assert rules["ticks_build_parquet"]["jobs"] == 3
    assert (
        rules["ticks_build_parquet"]["peak_mib"]
        >= int(re.search(r"peak memory (\d+) MiB", log)[1]) / 2
    )
    assert rules["ticks_build_parquet"]["mem_mb"] >= 500


def test_links_of_the_graph_and_of_the_jobs_agree(built: Project) -> None:
    data = told(built)
    (details,) = data["details"].values()
    rule_of = {job["id"]: job["rule"] for job in details["jobs"]}
    links = {tuple(link) for link in data["graph"]["links"]}
    pairs = {(rule_of[a], job["rule"]) for job in details["jobs"] for a in job["after"]}
    assert ("ticks_build_parquet", "ticks_simulate_trades") in pairs
    assert pairs <= links
    jobs = {job["id"]: job for job in details["jobs"]}
    path = [jobs[job] for job in details["path"]]
    assert path[0]["after"] == []
    took = sum(job["run_s"] or job["seconds"] or 0 for job in path)
    assert details["critical_s"] == pytest.approx(took, abs=0.1)
    assert details["critical_s"] <= details["bound_s"] <= details["wall_s"]


def test_it_is_made_again_for_a_run_since_and_only_then(built: Project) -> None:
    assert "Nothing to be done" in built.run("report", check=True).stdout
    built.run("results/tiny/ticks/summary.csv", "--force", check=True)
    again = built.run("report", check=True)
    assert ("report_build_page", {}) in built.jobs_run(again)
    first, second = told(built)["runs"]
    assert (first["status"], first["done"]) == ("ok", first["total"])
    assert second["done"] == 1
    at_once = built.run("report", "--config", "report={wait: false}", check=True)
    assert "report_build_page" in [rule for rule, _ in built.jobs_run(at_once)]


def test_after_a_failure_the_page_without_waiting_tells_it(built: Project) -> None:
    (built.results / "tiny/ticks/parquet/PARKIN.parquet").unlink()
    good = (built.folder / BROKEN).read_text()
    break_parquet(built, "PARKIN")
    built.run("report", check=False)
    built.run("report", "--config", "report={wait: false}", check=True)
    (built.folder / BROKEN).write_text(good)
    data = told(built)
    (failure,) = data["failures"]
    assert (failure["rule"], failure["label"]) == ("ticks_build_parquet", "security=PARKIN")
    assert failure["cause"] == "x.csv:7: bad"
    assert (built.results / "tiny/report" / failure["log"]).is_file()
    missing = {row["path"] for row in data["products"] if not row["written"]}
    assert "ticks/parquet/PARKIN.parquet" in missing
    assert data["runs"][-1]["status"] == "failed", "the page's own run is none to tell of"


def test_a_product_that_was_deleted_comes_back(built: Project) -> None:
    summary = built.results / "tiny/ticks/summary.csv"
    summary.unlink()
    built.run("report", check=True)
    assert summary.is_file()


def test_events_are_those_of_the_data_dictionary(built: Project) -> None:
    known = {name: set(re.findall(r"\w+", text)) for name, text in EVENTS.items()}
    for file in built.event_files():
        for event in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
            assert event.keys() - {"time", "event"} <= known[event["event"]], event


@pytest.mark.parametrize("critical", [True, False])
def test_only_a_critical_rules_failure_stops_what_does_not_need_it(
    tmp_path: Path, critical: bool
) -> None:
    listed = {"critical": ["ticks_build_parquet"]} if critical else {}
    project = copy_project(tmp_path, {**THREE, **listed})
    break_parquet(project, "PARKIN")
    first = "results/tiny/ticks/parquet/PARKIN.parquet"  # so that others are ready when it fails
    result = project.run("--prioritize", first, check=False, cores=1)
    events = [json.loads(line) for f in result.event_files for line in f.read_text().splitlines()]
    failure = next(n for n, event in enumerate(events) if event["event"] == "job_error")
    later = {e["jobid"] for e in events[failure:] if e["event"] == "job_finished"}
    trades = list((project.results / "tiny/ticks/trades").rglob("*.csv"))
    last = result.stdout.strip().splitlines()
    assert "    cause: x.csv:7: bad" in last
    if critical:
        assert later == set(), tail(result)
        assert last[-1].endswith(
            "(ticks_build_parquet is critical in the config: after its failure none is begun)"
        )
        assert "not begun" not in "\n".join(last[last.index("What failed:") :])
    else:
        assert {path.stem for path in trades} == {"MODON", "SPINNEYS"}


def test_a_misspelt_critical_rule_is_an_error_that_names_the_nearest(tmp_path: Path) -> None:
    project = copy_project(tmp_path, {**TINY, "critical": ["ticks_build_parket"]})
    out = project.run("-n", check=False).stdout
    assert (
        "config: critical: there is no rule ticks_build_parket; did you mean ticks_build_parquet?"
        in out
    )

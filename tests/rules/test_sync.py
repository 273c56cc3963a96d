"""Generated and pinned files are current, versions agree, and nothing names a machine."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from scripts.plan import render_docs
from tests.rules.graph import ROOT, job_rules

LOCK = (ROOT / "requirements.lock").read_text()


@pytest.fixture(scope="module")
def tracked() -> dict[Path, str]:
    """Text of every tracked file."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    return {f: f.read_text(errors="replace") for f in files if f.is_file() and f.suffix != ".png"}


@pytest.mark.parametrize("path", render_docs.texts(), ids=lambda path: path.name)
def test_generated_files_are_current(path: Path) -> None:
    assert path.read_text() == render_docs.texts()[path], "run `make docs`"


def test_the_picture_of_the_rule_graph_shows_every_rule() -> None:
    shown = set(re.findall(r">(\w+)</text>", (ROOT / "docs/rulegraph.svg").read_text()))
    drawn = set(re.findall(r"^  (\w+) \[fill", (ROOT / "docs/rulegraph.dot").read_text(), re.M))
    assert shown == drawn
    optional = {  # in the plan only when config asks for them
        *("ticks_check_workers", "lake_check_revisions", "nfl_land_release", "nfl_build_odds"),
        *("nfl_land_odds", "nfl_build_weather", "nfl_land_weather"),
        *("nfl_score_points", "nfl_score_market"),
        *("warehouse_build_environment", "warehouse_snapshot_environment"),
        *("warehouse_apply_candidate", "warehouse_check_candidate", "warehouse_check_queries"),
        *("warehouse_drop_snapshot", "warehouse_score_verdict"),
        *("warehouse_backup_database", "warehouse_check_backups", "report_build_page"),
    }
    assert drawn - {"all"} == {rule.name for rule in job_rules()} - optional


def test_the_lock_pins_with_hashes_and_names_no_address() -> None:
    pins = re.findall(r"^[a-z0-9][\w.-]*==", LOCK, re.M)
    assert len(pins) > 50
    assert LOCK.count("--hash=sha256:") >= len(pins)
    assert not re.search(r"https?://|--index-url|--find-links", LOCK)


def test_the_lock_holds_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + project["optional-dependencies"]["test"]
    for requirement in asked:
        name = re.split(r"[=<>;\[]", requirement)[0]
        assert re.search(rf"^{re.escape(name)}==", LOCK, re.M), name


def test_one_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == version
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()


def test_nothing_names_a_registry_or_a_path_of_a_machine(tracked: dict[Path, str]) -> None:
    hosts = "|".join(
        ["pypi" + r"\.org", "python" + "hosted", "registry" + r"\.npmjs", "deb" + r"\.debian"]
    )
    places = r"(?<![\w.])/(?:work|root|home/\w+)/"
    for file, text in tracked.items():
        found = re.search(f"{hosts}|{places}", text)
        assert not found, f"{file}: {found[0]}"


def test_presets_complete_the_config(tracked: dict[Path, str]) -> None:
    from scripts.plan.settings import complete

    schema = yaml.safe_load((ROOT / "config/schema.yaml").read_text())
    presets = [f for f in tracked if f.parent.name == "presets"]
    assert presets
    for preset in presets:
        assert complete(yaml.safe_load(tracked[preset]), schema)["run"] != "demo"


def test_internal_links_of_the_pages_exist(tracked: dict[Path, str]) -> None:
    for page in (f for f in tracked if f.suffix == ".md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", tracked[page]):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_is_short() -> None:
    assert (ROOT / "README.md").read_text().count("\n") <= 150

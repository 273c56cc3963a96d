"""The cluster profile against the rules: what it names exists, and arrays ask for one thing."""

from __future__ import annotations

import re
import subprocess
import sys

import yaml

from tests.rules.graph import ROOT, job_rules

PROFILE = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
SOURCES = "\n".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
NAMES = set(re.findall(r"^ *(?:rule|use rule \w+ as) (\w+)(?::| with)", SOURCES, re.M))
ARRAYS = PROFILE["slurm-array-jobs"].split(",")


def resources(name: str) -> str:
    """The text of a rule's resources."""
    return next(rule for rule in job_rules() if rule.name == name).directives["resources"]


def test_groups_and_arrays_name_rules_that_exist() -> None:
    assert set(PROFILE["groups"]) <= NAMES
    assert set(ARRAYS) <= NAMES
    assert not set(ARRAYS) & set(PROFILE["groups"])
    assert set(PROFILE["group-components"]) <= set(PROFILE["groups"].values())


def test_members_of_an_array_ask_for_the_same_and_nothing_holds_them_back() -> None:
    """The plugin asks for all what the first needs, and never submits what Snakemake holds back."""
    assert PROFILE["jobs"] == "unlimited"
    for name in ARRAYS:
        base = "nfl_fit_model" if name.startswith("nfl_fit_model") else name
        asked = dict(re.findall(r"^\s*(\w+)=(.+),$", resources(base), re.M))
        assert re.fullmatch(r"\d+|[A-Z_]+", asked["mem_mb"]), "no function of a member's input"
        assert asked["runtime"].isdigit()
        assert not asked.keys() & limits()


def limits() -> set[str]:
    """Named resources that the profile limits."""
    return {limit.split("=")[0] for limit in PROFILE["resources"]}


def test_what_asks_the_network_runs_in_the_main_process_alone() -> None:
    """A rule's own retries would also count within a Slurm job; and nodes may have no network."""
    tried_again = [rule for rule in job_rules() if "retries" in rule.directives]
    assert len(tried_again) >= 8
    for rule in tried_again:
        assert rule.directives["localrule"].strip() == "True", rule.name


def test_no_group_can_be_held_back() -> None:
    """While an array is submitted the plugin cannot count ready groups: the run would end."""
    for rule in job_rules():
        if rule.name in PROFILE["groups"]:
            asked = set(re.findall(r"^\s*(\w+)=", rule.directives["resources"], re.M))
            assert not asked & limits(), rule.name


def test_a_job_asks_for_what_snakemake_itself_needs_on_a_node() -> None:
    common = (ROOT / "rules/common.smk").read_text()
    assert int(re.search(r"FLOOR_MB = (\d+)", common)[1]) >= 400
    assert all(int(number) >= 400 for number in re.findall(r"mem_mb=(\d+)", SOURCES))


def test_what_travels_in_groups_or_arrays_is_not_kept_on_the_login_node() -> None:
    local = {rule.name for rule in job_rules() if "localrule" in rule.directives}
    assert not local & {*PROFILE["groups"], *ARRAYS}


def test_no_wildcard_of_the_demo_holds_what_a_remote_executor_loses() -> None:
    """A job is handed over as `rule:wildcard=value,...`; every file's path holds all wildcards."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--summary"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    files = [line.split("\t")[0] for line in done.stdout.splitlines()[1:] if "\t" in line]
    assert len(files) > 1000
    assert [file for file in files if not re.fullmatch(r"[\w./=-]+", file)] == []

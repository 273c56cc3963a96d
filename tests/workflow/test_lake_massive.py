"""The lake from a real S3 endpoint and a real REST server: faults, revisions, outages, secrets."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts.plan.lake import FLAT
from tests.servers import (
    RESET,
    SECRETS,
    TRUNCATED,
    Fault,
    RestServer,
    S3Server,
    flat_files,
    rest_server,
    s3_server,
    simulated,
)
from tests.workflow.lakes import SESSIONS, keys_run, lake_of, ran, small
from tests.workflow.project import Project, copy_project, tail
from tests.workflow.test_runs import make

SEED = 20250825
MASSIVE = small(vendor="massive", seed=SEED)
RELATED = "related/week=2025-09-01/part.parquet"
SPLITS, NEWS = "/v3/reference/splits", "/v2/reference/news"


class Vendor(NamedTuple):
    """The vendor's two servers."""

    s3: S3Server
    rest: RestServer

    @property
    def environment(self) -> dict[str, str]:
        """What a user would have in the environment."""
        return {**self.s3.environment, **self.rest.environment}


@pytest.fixture(scope="module")
def served() -> Iterator[Vendor]:
    """Servers that hold the simulated market of the small lake's sessions."""
    with (
        s3_server(flat_files(SEED, [*SESSIONS, "2025-09-04"])) as s3,
        rest_server(simulated(SEED, SESSIONS[-1])) as rest,
    ):
        yield Vendor(s3, rest)


@pytest.fixture
def vendor(served: Vendor) -> Vendor:
    """The servers, without faults, and with what they were first filled with."""
    served.s3.heal()
    served.rest.heal()
    for key, content in flat_files(SEED, SESSIONS).items():
        served.s3.put(key, content)
    served.s3.requests.clear()
    served.rest.requests.clear()
    return served


@pytest.fixture(scope="module")
def fetched(
    tmp_path_factory: pytest.TempPathFactory, served: Vendor
) -> tuple[Project, subprocess.CompletedProcess, dict[str, int]]:
    """The small lake from the servers, through many passing faults; requests that it took."""
    project = copy_project(tmp_path_factory.mktemp("massive"), MASSIVE)
    served.s3.fail("stocks_sip/minute_aggs", TRUNCATED, RESET, Fault(status=503))
    served.s3.fail("opra/day_aggs", Fault(status=500), Fault(status=500))
    served.rest.fail(SPLITS, Fault(status=429, headers={"Retry-After": "1"}), RESET)
    served.rest.fail("cursor=", Fault(status=500), TRUNCATED, Fault(status=502))
    served.rest.fail(NEWS, Fault(body=b"<html>busy</html>"), Fault(delay_s=1.0))
    result = project.run("lake", env=served.environment, check=True)
    counts = {"s3": served.s3.count(), "rest": served.rest.count()}
    return project, result, counts


@pytest.fixture
def project(fetched: tuple, tmp_path: Path) -> Project:
    """A copy of the fetched lake, for one test to change."""
    folder = tmp_path / "project"
    subprocess.run(["cp", "-a", str(fetched[0].folder), str(folder)], check=True)
    return Project(folder)


def test_through_faults_the_servers_give_the_bytes_of_the_simulator(
    fetched: tuple, tmp_path: Path
) -> None:
    project, _, counts = fetched
    simulator = copy_project(tmp_path, small(seed=SEED))
    simulator.run("lake", check=True)
    for layer in ("bronze", "silver", "gold", "quarantine"):
        ours, theirs = (p.digests(lake_of(p) / layer) for p in (project, simulator))
        # Related companies have no date to ask as of: the server tells those of its own day.
        assert {n for n in ours if ours[n] != theirs.get(n)} <= {RELATED}
        assert set(ours) == set(theirs)
    assert counts["s3"] > len(FLAT) * len(SESSIONS)


def test_no_secret_is_in_any_file_or_output(fetched: tuple) -> None:
    project, result, _ = fetched
    for secret in SECRETS:
        assert secret not in result.stdout
        for path in project.folder.rglob("*"):
            inside = (
                path.is_file() and path.suffix != ".py" and secret.encode() in path.read_bytes()
            )
            assert not inside, path
    reported = project.run("lake", "--report", "report.html", check=True)
    summary = project.run("lake", "--detailed-summary", check=True)
    text = reported.stdout + summary.stdout + (project.folder / "report.html").read_text()
    assert not [secret for secret in SECRETS if secret in text]


def test_a_wrong_key_is_told_without_being_shown(tmp_path: Path, vendor: Vendor) -> None:
    project = copy_project(tmp_path, small(vendor="massive", datasets=["news", "stocks_daily"]))
    wrong = {"MASSIVE_API_KEY": "wrong-planted-key", "AWS_ACCESS_KEY_ID": "AKIDWRONGPLANTED"}
    result = project.run("bronze", env={**vendor.environment, **wrong}, check=False)
    assert "MASSIVE_API_KEY" in tail(result, 60)
    assert "wrong-planted-key" not in result.stdout
    logs = "".join(p.read_text() for p in (project.results / "small/logs").rglob("*.log"))
    assert "wrong-planted-key" not in logs


def test_a_second_run_asks_the_vendor_nothing(project: Project, vendor: Vendor) -> None:
    again = project.run("lake", env=vendor.environment, check=True)
    assert "Nothing to be done" in again.stdout
    assert (vendor.s3.count(), vendor.rest.count()) == (0, 0)


def update(project: Project, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """`make update TARGETS=lake`; the events of its runs."""
    for name, value in vendor.environment.items():
        monkeypatch.setenv(name, value)
    before = set(project.event_files())
    result = make(project, "update", "TARGETS=lake")
    assert result.returncode == 0, tail(result)
    return [file for file in project.event_files() if file not in before]


def jobs_of(project: Project, files: list[Path]) -> subprocess.CompletedProcess:
    """Several runs as one result, for `ran` and `keys_run`."""
    result = subprocess.CompletedProcess([], 0, "")
    result.event_files = files
    return result


def test_update_without_a_change_reruns_nothing(
    project: Project, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = project.digests(lake_of(project))
    result = jobs_of(project, update(project, vendor, monkeypatch))
    assert ran(project, result) == {"lake_check_revisions": 1}
    assert vendor.s3.count(method="HEAD") == len(FLAT) * len(SESSIONS)
    assert vendor.s3.count(method="GET") == 0
    before["revisions.json"] = project.digests(lake_of(project))["revisions.json"]
    assert project.digests(lake_of(project)) == before


def test_a_republished_file_lands_again_and_flows_through(
    project: Project, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "us_stocks_sip/minute_aggs_v1/2025/09/2025-09-02.csv.gz"
    text = gzip.decompress(flat_files(SEED, ["2025-09-02"])[key]).decode()
    lines = [line for line in text.splitlines() if not line.startswith("XOM,")]
    assert 10 < len(lines) < len(text.splitlines())
    vendor.s3.put(key, gzip.compress("\n".join(lines).encode() + b"\n", mtime=0))
    result = jobs_of(project, update(project, vendor, monkeypatch))
    assert keys_run(project, result, "lake_land_flatfile") == ["stocks_minute 2025-09-02"]
    assert keys_run(project, result, "lake_build_minute_bars") == ["stocks_minute 2025-09-02"]
    assert keys_run(project, result, "lake_build_stocks_minute") == ["2025-09-02"]
    assert keys_run(project, result, "lake_build_stocks_daily") == ["2025-09"]
    assert "lake_build_daily_bars" not in ran(project, result)
    again = jobs_of(project, update(project, vendor, monkeypatch))
    assert ran(project, again) == {"lake_check_revisions": 1}
    # And back: what was published first is a replacement too.
    vendor.s3.put(key, flat_files(SEED, ["2025-09-02"])[key])
    back = jobs_of(project, update(project, vendor, monkeypatch))
    assert keys_run(project, back, "lake_land_flatfile") == ["stocks_minute 2025-09-02"]


def test_the_vendor_down_in_update_leaves_all_as_it_was(
    project: Project, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = project.digests(lake_of(project))
    dead = {**vendor.environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    for name, value in dead.items():
        monkeypatch.setenv(name, value)
    result = make(project, "update", "TARGETS=lake")
    assert result.returncode != 0
    assert "lake_check_revisions" in tail(result)
    assert project.digests(lake_of(project)) == before


def test_a_refetch_that_fails_leaves_the_open_partition(project: Project, vendor: Vendor) -> None:
    before = project.digests(lake_of(project))
    project.write_config(
        "config/config.yaml", small(vendor="massive", seed=SEED, as_of="2025-09-04")
    )
    vendor.rest.fail("/v3/reference/dividends", Fault(status=404), always=True)
    result = project.run("lake", env=vendor.environment, check=False)
    assert "lake_land_actions" in tail(result, 60)
    after = project.digests(lake_of(project))
    for month in ("2025-08", "2025-09"):
        name = f"bronze/dividends/month={month}/part.parquet"
        assert after[name] == before[name]
    vendor.rest.heal()
    again = project.run("lake", env=vendor.environment, check=True)
    assert "dividends 2025-09" in keys_run(project, again, "lake_land_actions")


def test_one_dataset_down_leaves_the_others_complete(tmp_path: Path, vendor: Vendor) -> None:
    project = copy_project(tmp_path, MASSIVE)
    vendor.rest.fail("/stocks/v1/short-volume", Fault(status=400), always=True)
    vendor.s3.fail("us_options_opra/minute_aggs", Fault(status=403), always=True)
    result = project.run("lake", env=vendor.environment, check=False)
    told = tail(result, 80)
    assert "What failed:" in told
    assert "lake_land_shorts" in told
    assert "options_minute" in told
    waited = told.partition("What failed:")[2]
    assert "lake_build_minute_bars" in waited
    jobs = ran(project, result)
    for rule in ("lake_build_alpha158", "lake_build_stocks_minute", "lake_build_options_daily"):
        assert jobs[rule] > 0, rule
    done = {(rule, str(w)) for rule, w in project.jobs_run(result)}
    vendor.s3.heal()
    vendor.rest.heal()
    rest = project.run("lake", env=vendor.environment, check=True)
    again = {(rule, str(w)) for rule, w in project.jobs_run(rest)}
    assert not done & again
    assert {"lake_land_shorts", "lake_land_flatfile"} <= {rule for rule, _ in again}
    assert keys_run(project, rest, "lake_land_flatfile") == sorted(
        f"options_minute {day}" for day in SESSIONS
    )

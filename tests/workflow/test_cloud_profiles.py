"""Profiles of Kubernetes, AWS Batch and batch systems: each plans what the default one plans."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.servers import BUCKET, S3Server, s3_server
from tests.workflow.project import ROOT, Project, copy_project, tail

PACKAGES = ROOT / ".venv-cloud"
TARGET = "weekly"  # what is planned from a bucket: each of its files is asked for, three times
SITE = {  # what the profiles ask the environment for; nothing of it is reached by a plan
    "ALMANAC_CANCEL": "bkill",
    "ALMANAC_IMAGE": "almanac:0",
    "ALMANAC_JOB_QUEUE": "arn:aws:batch:us-east-1:0:job-queue/q",
    "ALMANAC_JOB_ROLE": "arn:aws:iam::0:role/r",
    "ALMANAC_STATUS": "job-status",
    "ALMANAC_STORAGE": f"s3://{BUCKET}/almanac",
    "ALMANAC_SUBMIT": "bsub -n {threads} -M {resources.mem_mb} -W {resources.runtime}",
    "AWS_DEFAULT_REGION": "us-east-1",
}
ROW = re.compile(r"^ ([a-z][\w ]*?) +(\d+) *$", re.MULTILINE)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project as it is."""
    if not PACKAGES.is_dir():
        pytest.fail(f"no {PACKAGES}: `make test` sets it up")
    return copy_project(tmp_path_factory.mktemp("cloud"))


@pytest.fixture(scope="module")
def bucket(project: Project) -> Iterator[S3Server]:
    """A bucket that holds the project's own inputs and no result."""
    files = {
        f"almanac/{path.relative_to(project.folder).as_posix()}": path.read_bytes()
        for folder in ("book", "config", "warehouse")
        for path in sorted((project.folder / folder).rglob("*"))
        if path.is_file()
    }
    with s3_server(files) as server:
        yield server


def plan(project: Project, *args: str, env: dict[str, str] | None = None) -> dict[str, int]:
    """{rule: jobs} of a dry run."""
    result = project.run("-n", *args, check=True, env=env)
    rows = {name: int(count) for name, count in ROW.findall(result.stdout)}
    assert rows.pop("total", 0) == sum(rows.values()) > 0, tail(result)
    return rows


@pytest.fixture(scope="module")
def of_files(project: Project) -> dict[str, int]:
    """The plan of `TARGET` by the default profile."""
    return plan(project, "--", TARGET)


def environment(**more: str) -> dict[str, str]:
    """Where the packages are and what a site says of itself."""
    return {"PYTHONPATH": str(PACKAGES), **SITE, **more}


def settings(name: str) -> dict:
    """A profile as written, its expressions unread."""
    return yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text())


def test_generic_plans_the_whole_demo(project: Project) -> None:
    """A batch system runs the jobs that one machine runs, all of them."""
    found = plan(project, "--workflow-profile", "profiles/generic", env=environment())
    assert found == plan(project)


@pytest.mark.parametrize("profile", ["kubernetes", "aws-batch"])
def test_objects_are_planned_like_files(
    project: Project, bucket: S3Server, of_files: dict[str, int], profile: str
) -> None:
    """With all files in a bucket the plan is the same; the bucket is asked, and not written."""
    bucket.requests.clear()
    args = ("--workflow-profile", f"profiles/{profile}", "--", TARGET)
    found = plan(project, *args, env=environment(**bucket.environment))
    assert found == of_files
    assert bucket.count("/results/demo/weekly/", "HEAD")
    assert not bucket.count(method="PUT")


@pytest.mark.parametrize("profile", ["kubernetes", "aws-batch", "generic"])
def test_what_is_not_set_is_named(project: Project, profile: str) -> None:
    """What a site has to say ends the run with one line when it does not say it."""
    written = (ROOT / "profiles" / profile / "config.yaml").read_text()
    name = re.findall(r'\?given\("(\w+)"', written)[-1]
    env = environment() | {name: ""}
    result = project.run("-n", "--workflow-profile", f"profiles/{profile}", check=False, env=env)
    told = result.stdout.strip().splitlines()[-1]
    assert told.startswith(f"profiles/{profile}: {name} is not set; it is ")


@pytest.mark.parametrize("profile", ["kubernetes", "aws-batch", "generic"])
def test_unknown_settings_are_refused(project: Project, tmp_path: Path, profile: str) -> None:
    """A setting that a plugin does not know is an error: what a profile has, the plugins know."""
    written = (ROOT / "profiles" / profile / "config.yaml").read_text()
    (tmp_path / "config.yaml").write_text(f"{written}\n{profile}-no-such-setting: 1\n")
    result = project.run("-n", "--workflow-profile", tmp_path, check=False, env=environment())
    assert f"{profile}-no-such-setting" in result.stdout


@pytest.mark.parametrize("profile", ["kubernetes", "aws-batch", "generic"])
def test_common_settings_are_those_of_the_default(profile: str) -> None:
    """What makes jobs run again, and how failures are told, is the same everywhere."""
    own, default = settings(profile), settings("default")
    for name in ("rerun-triggers", "keep-going", "rerun-incomplete", "show-failed-logs", "logger"):
        assert own[name] == default[name]


def test_no_secret_reaches_a_job_definition() -> None:
    """AWS Batch keeps the values of `envvars` in a job definition, readable; so there are none."""
    assert "envvars" not in settings("aws-batch")

"""What the environment says of the vendor, and that no job tells it to anybody."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.errors import DataError
from scripts.lake.landing import HEADER, key_of
from scripts.lake.vendor import open_api
from tests.servers import API_KEY, SECRETS, Fault, RestServer, pages, rest_server, s3_server

ROOT = Path(__file__).parents[3]
NEWS = {"id": "a", "published_utc": "2025-09-03T10:00:00Z"}


@pytest.fixture
def rest() -> Iterator[RestServer]:
    answers = {"/v1/one": [{"name": "Meta"}], "/v2/reference/news": [[NEWS], [NEWS]]}
    with rest_server(pages(answers)) as server:
        yield server


# The environment


@pytest.mark.parametrize(
    ("environment", "key"),
    [
        ({"MASSIVE_API_KEY": f" {API_KEY}\n", "POLYGON_API_KEY": "old"}, API_KEY),
        ({"MASSIVE_API_KEY": " ", "POLYGON_API_KEY": API_KEY}, API_KEY),
        ({"POLYGON_API_KEY": "old"}, "old"),
    ],
)
def test_the_key_comes_from_the_environment(
    rest: RestServer, environment: dict[str, str], key: str
) -> None:
    given = environment | {"MASSIVE_API_BASE": rest.address}
    opened = open_api("massive", 1, "2025-09-08", given)
    if key == API_KEY:
        assert opened.record("/v1/one", {}) == {"name": "Meta"}
    else:
        with pytest.raises(DataError, match="401"):
            opened.record("/v1/one", {})
    assert rest.requests[0].headers["authorization"] == f"Bearer {key}"


def test_without_a_key_it_is_said_how_to_give_one() -> None:
    with pytest.raises(DataError, match=r"set MASSIVE_API_KEY in the environment"):
        open_api("massive", 1, "2025-09-08", {})
    with pytest.raises(DataError, match="no vendor 'x'"):
        open_api("x", 1, "2025-09-08", {})


def test_without_a_base_the_vendor_is_asked() -> None:
    opened = open_api("massive", 1, "2025-09-08", {"MASSIVE_API_KEY": API_KEY})
    assert repr(opened) == "Api(https://api.massive.com)"


def test_the_simulated_market_answers_without_network_or_key() -> None:
    opened = open_api("simulator", 1, "2025-09-08", {})
    found = list(opened.records("/v3/reference/tickers", {"active": "true", "limit": "1000"}))
    assert "NA" in {record["ticker"] for record in found}


# What a job says


JOB = """
import runpy, sys
from types import SimpleNamespace
class Named(dict):
    __getattr__ = dict.__getitem__
script, folder = sys.argv[1:]
names = ("file", "manifest", "partition", "quarantine", "reconcile")
snakemake = SimpleNamespace(
    log=[f"{folder}/job.log"], rule="lake_land", input=Named(),
    wildcards=Named(dataset="stocks_daily", date="2025-09-03"),
    params=Named(vendor="massive", seed=1, as_of="2025-09-08", revision=None),
    resources=Named(adopted=""),
    output=Named({name: f"{folder}/out/{name}" for name in names}),
)
runpy.run_path(script, {"snakemake": snakemake}, "__main__")
"""


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("script", ["land_flatfile", "land_news"])
def test_no_secret_is_in_what_a_job_leaves(
    rest: RestServer, tmp_path: Path, script: str, good: bool
) -> None:
    file = gzip.compress(HEADER, mtime=0)
    with s3_server({key_of("stocks_daily", "2025-09-03"): file}) as s3:
        for server in (s3, rest):
            fault = (
                Fault(status=500) if good else Fault(status=403, body=" ".join(SECRETS).encode())
            )
            server.fail("", fault, always=not good)
        ended = subprocess.run(
            [sys.executable, "-c", JOB, f"scripts/lake/{script}.py", str(tmp_path)],
            cwd=ROOT,
            env=os.environ | s3.environment | rest.environment | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    log = (tmp_path / "job.log").read_text()
    assert ended.returncode == (0 if good else 1), log
    assert ("error: lake_land dataset=stocks_daily date=2025-09-03: " in ended.stderr) != good
    assert ("403" in ended.stderr) != good
    if good and script == "land_news":
        assert "/v2/reference/news: the vendor answers 500; again in" in log
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert (len(list(tmp_path.rglob("out/*"))) > 0) == good
    for secret in SECRETS:
        assert secret not in ended.stdout + ended.stderr
        assert secret.encode() not in written

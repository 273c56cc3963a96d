"""nflverse's releases from a local server: the right season, whole, or one line."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from scripts.errors import DataError, NotFoundError
from scripts.nfl.land_release import DATASETS, DRIVES, PLAYS, SCHEDULES, land
from tests.servers import TRUNCATED, Fault, Reply, Server, file_server

ROOT = Path(__file__).parents[3]
QUICK = {"attempts": 2, "total_s": 20, "timeout_s": 5, "wait_s": 0.01}
PAGE = b"<!DOCTYPE html><html><body>Not today</body></html>"
BASE = "/nflverse/releases"


def table(columns: tuple[str, ...], seasons: list[int]) -> bytes:
    """A CSV with a row for each season, quotes, and a column that nobody needs."""
    file = io.StringIO()
    writer = csv.DictWriter(file, [*columns, "extra"], restval='"q", r', lineterminator="\n")
    writer.writeheader()
    writer.writerows({"season": season, "extra": n} for n, season in enumerate(seasons))
    return file.getvalue().encode()


def plays(seasons: list[int], drop: tuple[str, ...] = ("fixed_drive",)) -> bytes:
    """Plays as nflverse publishes them: seasons are whole numbers, ids floating-point ones."""
    names = [name for name in (*PLAYS, *DRIVES, "desc") if name not in drop]
    frame = pl.DataFrame({name: [1.0] * len(seasons) for name in names})
    file = io.BytesIO()
    frame.with_columns(pl.Series("season", seasons, pl.Int32)).write_parquet(file)
    return file.getvalue()


GAMES = table(SCHEDULES, [1999, 2015, 2016, 2016, 2017])
FILES = {
    "schedules": ("schedules/games.csv", GAMES),
    "pbp": ("pbp/play_by_play_2016.parquet", plays([2016] * 3)),
    "players": ("rosters/roster_2016.csv", table(DATASETS["players"].columns, [2016] * 2)),
    "team_stats": (
        "stats_team/stats_team_week_2016.csv",
        table(DATASETS["team_stats"].columns, [2016] * 4),
    ),
}


@pytest.fixture
def files() -> dict[str, bytes]:
    return {f"{BASE}/{path}": body for path, body in FILES.values()}


@pytest.fixture
def server(files: dict[str, bytes]) -> Iterator[Server]:
    with file_server(files) as running:
        yield running


def get(server: Server, folder: Path, dataset: str, season: int = 2016) -> dict:
    out, manifest = folder / dataset, folder / f"{dataset}.json"
    base = f"{server.address}{BASE}/"
    return land(dataset, season, base, "2017-03-01", out, manifest, **QUICK)


def refused(server: Server, folder: Path, dataset: str, season: int = 2016) -> str:
    with pytest.raises(DataError) as caught:
        get(server, folder, dataset, season)
    assert list(folder.iterdir()) == []
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("dataset", FILES)
def test_a_season_of_a_dataset(server: Server, tmp_path: Path, dataset: str) -> None:
    path, body = FILES[dataset]
    server.fail("", Fault(status=500))
    record = get(server, tmp_path, dataset)
    kept = (tmp_path / dataset).read_bytes()
    assert json.loads((tmp_path / f"{dataset}.json").read_text()) == record
    assert record["url"] == f"{server.address}{BASE}/{path}"
    assert (record["size"], record["sha256"]) == (len(kept), hashlib.sha256(kept).hexdigest())
    assert record["as_of"] == "2017-03-01"
    if dataset == "schedules":
        lines = GAMES.splitlines(keepends=True)
        assert kept == lines[0] + lines[3] + lines[4]
        assert record["whole"] == {
            "size": len(GAMES),
            "sha256": hashlib.sha256(GAMES).hexdigest(),
        }
    else:
        assert kept == body
        assert "whole" not in record


def test_a_release_redirects_to_its_storage(server: Server, tmp_path: Path) -> None:
    def away(request: object) -> Reply:
        return Reply(302, {"Location": f"{server.address}{request.target}?sig=planted"}, b"")

    with file_server({f"{BASE}/{path}": away for path, _ in FILES.values()}) as front:
        record = get(front, tmp_path, "pbp")
        assert record["url"].startswith(front.address)
    assert "planted" not in (tmp_path / "pbp.json").read_text()


@pytest.mark.parametrize("dataset", FILES)
@pytest.mark.parametrize(
    "fault", [Fault(body=PAGE), TRUNCATED, Fault(body=b""), Fault(body=b"PAR1" * 9)]
)
def test_what_is_not_the_file_is_one_line(
    server: Server, tmp_path: Path, dataset: str, fault: Fault
) -> None:
    server.fail("", fault, always=True)
    line = refused(server, tmp_path, dataset)
    assert line.startswith(f"{server.address}{BASE}/{FILES[dataset][0]}: ")
    assert "(attempt 2" in line
    if fault.body == PAGE:
        assert "got an HTML or XML page of 50 bytes" in line or "got a file: an HTML" in line


@pytest.mark.parametrize("dataset", FILES)
def test_a_season_that_is_not_published_is_told_apart(
    server: Server, tmp_path: Path, dataset: str
) -> None:
    with pytest.raises(NotFoundError) as caught:
        get(server, tmp_path, dataset, 2018)
    told = "no line of season 2018, it has 1999 to 2017" if dataset == "schedules" else "(404)"
    assert told in str(caught.value)
    assert len(server.requests) == (1 if dataset == "schedules" else 2)  # a 404 is asked for again


@pytest.mark.parametrize("dataset", ["pbp", "players", "team_stats"])
def test_a_file_of_another_season_is_refused(
    server: Server, files: dict[str, bytes], tmp_path: Path, dataset: str
) -> None:
    path = f"{BASE}/{FILES[dataset][0]}"
    columns = DATASETS[dataset].columns
    files[path] = plays([2016, 2015]) if dataset == "pbp" else table(columns, [2016, 2015])
    assert "season " in (line := refused(server, tmp_path, dataset))
    assert "2015" in line
    assert "expected 2016" in line
    files[path] = plays([]) if dataset == "pbp" else table(columns, [])
    with pytest.raises(NotFoundError, match="season 2016 is not published yet"):
        get(server, tmp_path, dataset)


def test_a_missing_column_is_named(server: Server, files: dict[str, bytes], tmp_path: Path) -> None:
    for dataset in ("schedules", "players", "team_stats"):
        columns = DATASETS[dataset].columns
        files[f"{BASE}/{FILES[dataset][0]}"] = table(
            tuple(name for name in columns if name != columns[-1]), [2016]
        )
        assert f": no column {columns[-1]}, got " in refused(server, tmp_path, dataset)
    path = f"{BASE}/{FILES['pbp'][0]}"
    files[path] = plays([2016], drop=("epa", "wp"))
    assert ": no column epa, wp among " in refused(server, tmp_path, "pbp")
    files[path] = plays([2016], drop=DRIVES)
    assert ": no column drive or fixed_drive among " in refused(server, tmp_path, "pbp")
    files[path] = plays([2016], drop=("drive",))
    get(server, tmp_path, "pbp")
    assert len(server.requests) == 6  # a column that is not there does not come by waiting


def test_an_unknown_dataset_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^no dataset 'x'; there are pbp, players, schedules, te"):
        land("x", 2016, "http://127.0.0.1:1", None, tmp_path / "a", tmp_path / "b")


JOB = """
import runpy, sys
from types import SimpleNamespace
class Named(dict):
    __getattr__ = dict.__getitem__
folder, base = sys.argv[1:]
snakemake = SimpleNamespace(
    log=[f"{folder}/job.log"], rule="nfl_land_release",
    wildcards=Named(dataset="schedules", season="2016"),
    params=Named(base=base, as_of=None),
    output=Named(file=f"{folder}/games.csv", manifest=f"{folder}/games.csv.json"),
)
runpy.run_path("scripts/nfl/land_release.py", {"snakemake": snakemake}, "__main__")
"""


def test_the_job_tells_of_retries_and_ends_with_one_line(server: Server, tmp_path: Path) -> None:
    base = f"{server.address}{BASE}"
    command = [sys.executable, "-c", JOB, str(tmp_path), base]
    server.fail("", Fault(status=500))
    for good in (True, False):
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        log = (tmp_path / "job.log").read_text()
        assert ended.returncode == (0 if good else 1), log
        if good:
            assert f"{base}/schedules/games.csv: 127.0.0.1 answers 500; again in" in log
            server.fail("", Fault(status=403), always=True)
    line = f"error: nfl_land_release dataset=schedules season=2016: {base}/schedules/games.csv: "
    assert ended.stderr.startswith(line)
    assert ended.stderr.count("\n") == 1


# Real files


def test_the_real_files_are_accepted(real_data: Path, tmp_path: Path) -> None:
    games = (real_data / "nfl/games.csv").read_bytes()
    stats = (real_data / "nfl/stats_team_week_2016.csv").read_bytes()
    served = {
        f"{BASE}/schedules/games.csv": games,
        f"{BASE}/stats_team/stats_team_week_2016.csv": stats,
    }
    with file_server(served) as server:
        get(server, tmp_path, "schedules")
        get(server, tmp_path, "team_stats")
    assert (tmp_path / "team_stats").read_bytes() == stats
    found = pl.read_csv(tmp_path / "schedules", infer_schema=False)
    whole = pl.read_csv(real_data / "nfl/games.csv", infer_schema=False)
    assert found.height == 267
    assert found.equals(whole.filter(pl.col("season") == "2016"))

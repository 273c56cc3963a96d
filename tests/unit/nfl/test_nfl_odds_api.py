"""The Odds API's snapshots from a local server: signs, medians, what is missing, and the key."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.errors import DataError
from scripts.nfl import odds_api
from scripts.nfl.columns import ODDS, SCHEDULES
from scripts.nfl.land_odds import land
from scripts.nfl.odds_api import KEY, Lines, consensus, key_of, median_odds
from scripts.patience import PassingError
from scripts.tables import schema_of
from tests.servers import Fault, Reply, Request, Server, file_server

ROOT = Path(__file__).parents[3]
QUICK = {"attempts": 2, "total_s": 20, "timeout_s": 5, "wait_s": 0.01}
SECRET = "planted0odds0key"
SUNDAY = datetime(2024, 9, 8, 17, tzinfo=UTC)  # 13:00 in New York
TAKEN = "2024-09-08T16:55:38Z"


def bookmaker(name: str, home: str, away: str, lines: tuple) -> dict:
    """A bookmaker's markets: point of the home team, total, prices of home and away."""
    point, total, at_home, visitors = lines
    markets = [
        ("h2h", [{"name": away, "price": visitors}, {"name": home, "price": at_home}], at_home),
        (
            "spreads",
            [
                {"name": away, "price": -110, "point": None if point is None else -point},
                {"name": home, "price": -110, "point": point},
            ],
            point,
        ),
        (
            "totals",
            [
                {"name": "Over", "price": -105, "point": total},
                {"name": "Under", "price": -115, "point": total},
            ],
            total,
        ),
    ]
    return {
        "key": name,
        "title": name,
        "last_update": TAKEN,
        "markets": [
            {"key": key, "last_update": TAKEN, "outcomes": outcomes}
            for key, outcomes, there in markets
            if there is not None
        ],
    }


def event(home: str, away: str, *lines: tuple, at: datetime = SUNDAY) -> dict:
    return {
        "id": f"{home}{at:%d}",
        "sport_key": "americanfootball_nfl",
        "sport_title": "NFL",
        "commence_time": odds_api.iso(at),
        "home_team": home,
        "away_team": away,
        "bookmakers": [bookmaker(f"b{n}", home, away, told) for n, told in enumerate(lines)],
    }


def answer(*events: dict, taken: str = TAKEN) -> dict:
    return {
        "timestamp": taken,
        "previous_timestamp": "2024-09-08T16:50:38Z",
        "next_timestamp": "2024-09-08T17:00:38Z",
        "data": list(events),
    }


def lines_of(*events: dict, kickoff: datetime = SUNDAY) -> Lines | None:
    """The lines of the Eagles at home to the Cowboys."""
    found = odds_api.snapshot(json.dumps(answer(*events)).encode(), "f")
    return consensus(found, "PHI", "DAL", kickoff, "f")


EAGLES, COWBOYS = "Philadelphia Eagles", "Dallas Cowboys"


# Lines of a game


def test_a_favourite_at_home_has_a_positive_spread() -> None:
    told = event(EAGLES, COWBOYS, (-3.5, 47.5, -180, 155))
    assert lines_of(told) == Lines(3.5, 47.5, -180, 155)
    told = event(EAGLES, COWBOYS, (7, 41, 240, -290))
    assert lines_of(told) == Lines(-7, 41, 240, -290)
    even = lines_of(event(EAGLES, COWBOYS, (0, 44, -110, -110)))
    assert str(even.spread_line) == "0.0"


def test_the_lines_are_the_schedules_whoever_is_at_home_in_the_answer() -> None:
    assert lines_of(event(COWBOYS, EAGLES, (-3.5, 47.5, -180, 155))) == Lines(-3.5, 47.5, 155, -180)


def test_each_market_is_the_median_of_those_who_have_it() -> None:
    told = event(
        EAGLES,
        COWBOYS,
        (-3, 47, -150, 130),
        (-3.5, 48, -160, 140),
        (-2.5, None, -155, 135),
        (None, 47.5, None, None),
    )
    assert lines_of(told) == Lines(3, 47.5, -155, 135)
    assert lines_of(event(EAGLES, COWBOYS)) == Lines()
    assert lines_of(event(EAGLES, COWBOYS, (-3, None, None, None))) == Lines(3)


def test_a_game_is_found_by_its_teams_and_time() -> None:
    near = event(EAGLES, COWBOYS, (-3, 47, -150, 130), at=SUNDAY + timedelta(minutes=1))
    weeks = event(EAGLES, COWBOYS, (-9, 47, -150, 130), at=SUNDAY + timedelta(days=70))
    other = event(EAGLES, "New York Giants", (-9, 47, -150, 130))
    assert lines_of(other, weeks, near).spread_line == 3
    assert lines_of(other, weeks) is None
    with pytest.raises(DataError, match=r"^f: 2 games of DAL at PHI near 2024-09-08 17:00"):
        lines_of(near, near)


def test_a_game_that_has_begun_has_no_closing_lines() -> None:
    for minutes, there in ((-5, False), (-4, True)):
        told = event(EAGLES, COWBOYS, (-3, 47, -150, 130), at=SUNDAY + timedelta(minutes=minutes))
        assert (lines_of(told) is not None) == there  # the snapshot is of 16:55:38


def test_names_of_other_times_are_the_franchises() -> None:
    told = odds_api.snapshot(
        json.dumps(
            answer(event("Washington Football Team", "Oakland Raiders", (3, 44, 130, -150)))
        ).encode(),
        "f",
    )
    assert consensus(told, "WAS", "LV", SUNDAY, "f").spread_line == -3
    assert told.unknown() == set()
    pro_bowl = odds_api.snapshot(json.dumps(answer(event("AFC", "NFC"))).encode(), "f")
    assert pro_bowl.unknown() == {"AFC", "NFC"}
    assert consensus(pro_bowl, "WAS", "LV", SUNDAY, "f") is None


def test_decimal_odds_are_not_taken_for_american_ones() -> None:
    with pytest.raises(DataError, match=r"^f: DAL at PHI: 1.91 is no American odds"):
        lines_of(event(EAGLES, COWBOYS, (-3, 47, 1.91, 1.91)))


@pytest.mark.parametrize(
    ("told", "error", "line"),
    [
        (b"<html>Sorry", PassingError, "^f: expected JSON, got an HTML"),
        (b'{"data": []}', DataError, "^f: the answer has another shape .KeyError 'timestamp'"),
        (b"[]", DataError, "^f: the answer has another shape"),
        (b'{"timestamp": "2024-09-08T16:55:38", "data": []}', DataError, "without a zone"),
        (b'{"timestamp": "soon", "data": []}', DataError, "^f: the answer has another shape .Val"),
        (b'{"timestamp": "2024-09-08T16:55:38Z", "data": [{}]}', DataError, "'commence_time'"),
        (b'{"message": "no"}', DataError, "^f: the answer has another shape"),
    ],
)
def test_an_answer_of_another_shape_is_one_line(told: bytes, error: type, line: str) -> None:
    with pytest.raises(error, match=line) as caught:
        odds_api.snapshot(told, "f")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("change", [{"point": None}, {"name": ["x"]}, {"point": "many"}])
def test_an_outcome_of_another_shape_is_one_line(change: dict) -> None:
    told = event(EAGLES, COWBOYS, (-3, 47, -150, 130))
    told["bookmakers"][0]["markets"][1]["outcomes"][1] |= change
    with pytest.raises(DataError, match=r"^f: DAL at PHI: a bookmaker's outcome has another shape"):
        lines_of(told)


# Medians of American odds


AMERICAN = st.one_of(st.integers(-2000, -100), st.integers(100, 2000)).map(float)


def probability(price: float) -> float:
    """What a price says of the chance, the bookmaker's share left in."""
    return 100 / (price + 100) if price > 0 else -price / (100 - price)


@given(st.lists(AMERICAN, min_size=1, max_size=9))
def test_a_median_of_american_odds_is_american_and_in_the_middle(prices: list[float]) -> None:
    found = median_odds(prices)
    assert abs(found) >= 100 - 1e-6
    decimals = statistics.median(1 / probability(price) for price in prices)
    assert 1 / probability(found) == pytest.approx(decimals, abs=1e-6)
    if len(prices) % 2:
        assert found == statistics.median(prices)  # as they are ordered alike


def test_the_middle_of_a_favourite_and_an_outsider() -> None:
    assert median_odds([-110, 110]) == pytest.approx(100 * (1 + 1 / 1.1 + 1 + 1.1) / 2 - 100)
    assert median_odds([-105, 102, -105, 102]) == pytest.approx(-100 / 0.98619048)
    assert median_odds([-110, -110]) == -110


# A season


def schedule(*rows: dict) -> pl.DataFrame:
    usual = {"season": 2024, "date": date(2024, 9, 8), "kickoff": "13:00"}
    return pl.DataFrame([usual | row for row in rows], schema=schema_of(SCHEDULES))


GAMES = schedule(
    {"game_id": "a", "home_team": "PHI", "away_team": "DAL"},
    {"game_id": "b", "home_team": "LV", "away_team": "LA"},
    {"game_id": "c", "home_team": "NYJ", "away_team": "NYG", "kickoff": "16:25"},
    {"game_id": "d", "home_team": "BUF", "away_team": "MIA", "date": date(2024, 9, 16)},
)
SECOND = datetime(2024, 9, 8, 20, 25, tzinfo=UTC)
SNAPSHOTS = {
    "2024-09-08T16:59:00Z": answer(
        event(EAGLES, COWBOYS, (-3.5, 47.5, -180, 155), (-4, 48, -185, 160), (-3, 48, -175, 150)),
        event("New York Jets", "New York Giants", (-9, 30, -500, 400), at=SECOND),
        event("NFC", "AFC"),
    ),
    "2024-09-08T20:24:00Z": answer(
        event(EAGLES, COWBOYS, (-20, 70, -5000, 2500)),  # it is on
        event("New York Jets", "New York Giants", (2.5, 40.5, 120, -140), at=SECOND),
        taken="2024-09-08T20:20:37Z",
    ),
}


def api(snapshots: dict[str, Any]) -> Callable[[Request], Reply]:
    """The API: it wants the key in the query, and says it when it does not like it."""

    def respond(request: Request) -> Reply:
        query = dict(request.query)
        key, moment = query.pop("apiKey", ""), query.pop("date", "")
        markets = {"regions": "us", "markets": "h2h,spreads,totals", "oddsFormat": "american"}
        if key != SECRET:
            told = {"message": f"API key {key} is not valid.", "error_code": "INVALID_KEY"}
            return Reply(401, {}, json.dumps(told).encode())
        if query != markets or moment not in snapshots:
            return Reply(422, {}, b'{"message": "Invalid date", "error_code": "INVALID_DATE"}')
        return Reply(200, {"x-requests-remaining": "9"}, json.dumps(snapshots[moment]).encode())

    return respond


def served(snapshots: dict[str, Any] = SNAPSHOTS) -> Any:
    return file_server({odds_api.PATH: api(snapshots)})


def run(
    server: Server,
    folder: Path,
    games: pl.DataFrame = GAMES,
    key: str | None = SECRET,
    as_of: str | None = "2024-09-15",
) -> dict:
    games.write_parquet(folder / "schedule.parquet")
    return land(
        folder / "schedule.parquet",
        f"{server.address}/",
        as_of,
        {} if key is None else {KEY: key},
        folder / "out/part.parquet",
        folder / "out/account.json",
        **QUICK,
    )


def test_the_lines_of_a_season(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with served() as server:
        server.fail("", Fault(status=429, headers={"Retry-After": "0"}))
        report = run(server, tmp_path)
        asked = [request.query["date"] for request in server.requests]
    assert asked == ["2024-09-08T16:59:00Z", "2024-09-08T16:59:00Z", "2024-09-08T20:24:00Z"]
    found = pl.read_parquet(tmp_path / "out/part.parquet")
    assert found.schema == schema_of(ODDS)
    assert found.rows() == [
        (2024, "a", 3.5, 48.0, -180.0, 155.0, False),
        (2024, "b", None, None, None, None, False),
        (2024, "c", -2.5, 40.5, 120.0, -140.0, False),
        (2024, "d", None, None, None, None, False),
    ]
    assert json.loads((tmp_path / "out/account.json").read_text()) == report
    body = json.dumps(SNAPSHOTS["2024-09-08T16:59:00Z"]).encode()
    assert report.pop("snapshots")["2024-09-08T16:59:00Z"] == {
        "timestamp": TAKEN,
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    assert report == {
        "games": 4,
        "later": 1,
        "found": 2,
        "missing": 1,
        "missing_games": ["b"],
        "unknown_names": ["AFC", "NFC"],
    }
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())
    assert SECRET.encode() not in written
    assert SECRET not in caplog.text


def test_a_snapshot_of_later_is_refused(tmp_path: Path) -> None:
    late = answer(*SNAPSHOTS["2024-09-08T16:59:00Z"]["data"], taken="2024-09-08T17:00:38Z")
    with (
        served({"2024-09-08T16:59:00Z": late}) as server,
        pytest.raises(DataError, match=r"^The Odds API at 2024-09-08T16:59:00Z: a snapshot of lat"),
    ):
        run(server, tmp_path)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (Fault(status=500), "127.0.0.1 answers 500 (attempt 2"),
        (Fault(reset=True), "gives no whole answer"),
        (Fault(cut=True), "gives no whole answer (RemoteProtocolError)"),
        (Fault(body=b"<html>"), "expected JSON, got an HTML or XML page of 6 bytes"),
        (
            Fault(status=302, headers={"Location": f"http://127.0.0.1:1/?apiKey={SECRET}"}),
            "127.0.0.1 answers 302; check ODDS_API_KEY, what its plan covers",
        ),
        (
            Fault(status=401, body=json.dumps({"message": f"no credits\n for {SECRET}"}).encode()),
            "127.0.0.1 answers 401: no credits for ***; check ODDS_API_KEY",
        ),
        (Fault(status=429, headers={"Retry-After": "99"}), "answers 429 and asks to wait 99 s"),
        (Fault(drip_s=0.05), "127.0.0.1:"),
        (Fault(body=SECRET.encode()), "expected JSON, got 16 bytes that begin b'***'"),
        (
            Fault(body=json.dumps({"timestamp": f"for {SECRET}", "data": []}).encode()),
            "the answer has another shape (ValueError Invalid isoformat string: 'for ***')",
        ),
    ],
)
def test_a_fault_that_stays_is_one_line(
    tmp_path: Path, fault: Fault, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with served() as server:
        server.fail("", fault, always=True)
        with pytest.raises(DataError) as caught, pytest.MonkeyPatch.context() as patch:
            patch.setitem(QUICK, "total_s", 0.6)
            run(server, tmp_path)
    told = str(caught.value)
    assert told.startswith("The Odds API at 2024-09-08T16:59:00Z: ")
    assert line in told
    assert "\n" not in told
    assert SECRET not in told + caplog.text
    assert not (tmp_path / "out").exists()


def test_without_need_no_key_is_asked_for(tmp_path: Path) -> None:
    with served() as server:
        report = run(server, tmp_path, key=None, as_of="2024-09-07")
        assert server.requests == []
    assert (report["later"], report["found"], report["missing"]) == (4, 0, 0)
    with served() as server, pytest.raises(DataError, match=r"set ODDS_API_KEY in the environment"):
        run(server, tmp_path, key=None)


def test_seasons_before_the_api_are_refused(tmp_path: Path) -> None:
    old = schedule(
        {"game_id": "a", "home_team": "PHI", "away_team": "DAL", "date": date(2020, 2, 2)}
    )
    with (
        served() as server,
        pytest.raises(DataError, match=r"The Odds API begins on 2020-06-06; ta"),
    ):
        run(server, tmp_path, old)


@pytest.mark.parametrize("key", ["", " ", "planted key", "planted\x00", "plantedé"])
def test_a_key_that_is_none_is_not_shown(key: str) -> None:
    with pytest.raises(DataError, match="ODDS_API_KEY") as caught:
        key_of({KEY: key})
    assert "planted" not in str(caught.value)
    assert key_of({KEY: f" {SECRET}\n"}) == SECRET


# What the job says


JOB = """
import runpy, sys
from types import SimpleNamespace
class Named(dict):
    __getattr__ = dict.__getitem__
folder, base = sys.argv[1:]
snakemake = SimpleNamespace(
    log=[f"{folder}/job.log"], rule="nfl_land_odds", wildcards=Named(season="2024"),
    input=Named(games=f"{folder}/schedule.parquet"), params=Named(base=base, as_of="2024-09-15"),
    output=Named(partition=f"{folder}/out/part.parquet", account=f"{folder}/out/account.json"),
)
runpy.run_path("scripts/nfl/land_odds.py", {"snakemake": snakemake}, "__main__")
"""


@pytest.mark.parametrize("good", [True, False])
def test_no_key_is_in_what_the_job_leaves(tmp_path: Path, good: bool) -> None:
    GAMES.write_parquet(tmp_path / "schedule.parquet")
    with served() as server:
        server.fail("", Fault(status=500))
        ended = subprocess.run(
            [sys.executable, "-c", JOB, str(tmp_path), server.address],
            cwd=ROOT,
            env=os.environ | {KEY: SECRET if good else f"another{SECRET}", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert any(SECRET in unquote(request.target) for request in server.requests)
    log = (tmp_path / "job.log").read_text()
    assert ended.returncode == (0 if good else 1), log
    assert "The Odds API at 2024-09-08T16:59:00Z: 127.0.0.1 answers 500; again in" in log
    if not good:
        line = "127.0.0.1 answers 401: API key *** is not valid. INVALID_KEY; check ODDS_API_KEY"
        assert line in ended.stderr
        assert ended.stderr.count("\n") == 1
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert SECRET.encode() not in written
    assert SECRET not in ended.stdout + ended.stderr

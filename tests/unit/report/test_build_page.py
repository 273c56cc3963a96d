"""The page holds what is told and nothing of it can break out of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from scripts.report import build_page
from tests.unit.report.test_history import EVENTS, lines

HOSTILE = "</script><script>alert(1)</script> <!-- & \u2028 é"
FRONT = sorted(Path(build_page.__file__).parent.glob("page*.*"))


def build(results: Path, **more: object) -> str:
    """The page of a run's results."""
    page = results / "report/index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    given = {
        "results": results, "products": ["book/main.pdf"],
        "simulated": None, "version": "1.2.3", "last": 5, "own": "", "front": FRONT,
    }  # fmt: skip
    build_page.build(**{**given, **more}, page=page)
    return page.read_text(encoding="utf-8")


def told(page: str) -> dict:
    """The data in it."""
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.S)[1])


def record(results: Path, events: list[tuple[int, dict]]) -> None:
    """One recorded run."""
    (results / "events").mkdir(parents=True)
    (results / "events/20261127T100000Z-1.jsonl").write_text("\n".join(lines(events)))


def test_without_a_run_there_is_a_page(tmp_path: Path) -> None:
    data = told(build(tmp_path / "demo"))
    assert (data["run"], data["version"], data["runs"], data["rules"]) == ("demo", "1.2.3", [], [])
    assert data["products"][0]["written"] is None


def test_texts_cannot_leave_the_data(tmp_path: Path) -> None:
    results = tmp_path / "demo"
    spoilt = [(s, {**e, "cause": HOSTILE} if "cause" in e else e) for s, e in EVENTS]
    record(results, spoilt)
    page = build(results)
    assert HOSTILE not in page
    assert page.count("</script>") == 2, "the script's own and the data's"
    assert told(page)["failures"][0]["cause"] == HOSTILE
    assert not re.search(r'(src|href)="https?:|@import|url\(', page), "it loads nothing"


def test_jobs_and_runs_are_told_with_their_places(tmp_path: Path) -> None:
    results = tmp_path / "demo"
    record(results, EVENTS)
    data = told(build(results))
    (run,) = data["runs"]
    assert (run["status"], run["failed"], run["done"], run["total"]) == ("failed", 1, 1, 3)
    details = data["details"][run["id"]]
    done, failed, _ = details["jobs"]
    assert (done["domain"], done["label"], done["host"]) == ("nfl", "season=2019", "node1")
    assert details["machines"][done["lane"]] == "node1"
    assert (details["path"][0], failed["state"]) == (1, "failed")
    assert data["graph"]["rules"][0].keys() == {
        "rule", "domain", "jobs", "column", "lane", "row"
    }  # fmt: skip
    assert [row["rule"] for row in data["rules"]] == ["nfl_fit_model"]


def test_the_run_that_makes_the_page_counts_as_it_stands(tmp_path: Path) -> None:
    results = tmp_path / "demo"
    record(results, [(s, e) for s, e in EVENTS[:8]])
    assert told(build(results, own="-1"))["runs"][0]["status"] == "ok"
    for other in ("-11", "", "-2"):
        assert told(build(results, own=other))["runs"][0]["status"] == "unfinished"


def test_a_number_that_is_none_does_not_empty_the_page(tmp_path: Path) -> None:
    results = tmp_path / "demo"
    (results / "nfl/tables").mkdir(parents=True)
    (results / "nfl/tables/models.csv").write_text("model,brier,auc\nglm,nan,inf\nmlp,x\n")
    glm, mlp = told(build(results))["models"]
    assert (glm["model"], glm["brier"], glm["auc"], glm["n"]) == ("glm", None, None, None)
    assert (mlp["model"], mlp["brier"], mlp["auc"]) == ("mlp", None, None)


def test_only_the_newest_run_is_told_whole_where_jobs_are_too_many(
    tmp_path: Path, monkeypatch
) -> None:
    results = tmp_path / "demo"
    record(results, EVENTS)
    (results / "events/20261128T100000Z-1.jsonl").write_text("\n".join(lines(EVENTS)))
    assert len(told(build(results))["details"]) == 2
    monkeypatch.setattr(build_page, "MOST_JOBS", 2)
    assert list(told(build(results))["details"]) == ["20261128T100000Z-1"]

"""A made-up control room: small, every number known, texts that try to be more than text."""

from __future__ import annotations

import random
from pathlib import Path

from scripts.report.build_page import filled
from scripts.report.layout import place

FRONT = Path(__file__).resolve().parents[2] / "scripts" / "report"
HOSTILE = "</script><img src=x onerror=alert(1)> & \"q\" 'a' \u2028 ünï /*{js}*/ {data} `${1}` %zz"
NEWEST, OLDER, BARE = "20250908T060000Z-2", "20250907T060000Z-1", "20250906T060000Z-0"


def html(told: dict) -> str:
    """The page that tells this."""
    return filled(told, sorted(FRONT.glob("page*.*")))


def nothing() -> dict:
    """What the page is told before the first run."""
    return {
        "run": "demo",
        "version": "0.9.0",
        "made": "2025-09-08T07:00:00Z",
        "simulated": None,
        "runs": [],
        "details": {},
        "rules": [],
        "graph": {"rules": [], "links": []},
        "failures": [],
        "datasets": [],
        "models": [],
        "products": [],
    }


def everything() -> dict:
    """Three runs (details of two), five rules, a graph of thirty, and 250 products."""
    return nothing() | {
        "simulated": True,
        "runs": [
            run(BARE, "failed", failed=1, seconds=None),
            run(OLDER, "ok"),
            run(NEWEST, "failed", failed=1),
        ],
        "details": {NEWEST: details(newest_jobs()), OLDER: details(older_jobs())},
        "rules": [
            rule("lake_land", total_s=9.0, trend="slower", change=1.5),
            rule("nfl_fit", total_s=100.0, mem_mb=1000, peak_mib=100, mem_ratio=9.5),
            rule("nfl_score", total_s=None, median_s=None, peak_mib=None, mem_ratio=None),
            rule("book_render", total_s=10.0, mem_mb=500, peak_mib=600, mem_ratio=0.79),
            rule(HOSTILE, total_s=0.5, mem_mb=500, peak_mib=50, mem_ratio=9.5),
        ],
        "graph": graph(random.Random(5), 30, 45),
        "failures": [
            {"run": NEWEST, "rule": "nfl_fit", "label": HOSTILE, "cause": HOSTILE, "attempt": 3}
            | {"log": "../logs/nfl/a%3D1%20b.log"},
            {"run": BARE, "rule": "lake_land", "label": "", "cause": "an old cause", "attempt": 1}
            | {"log": "/elsewhere/x.log"},
        ],
        "datasets": [
            dataset("bars", 100, {"price is negative": 7, HOSTILE: 3}),
            dataset("news", 20, {}),
            dataset("plain", None, {}),
        ],
        "models": [
            model("glm", 0.21, True),
            model("forest", 0.205, False),
            model("mlp", None, False),
        ],
        "products": products(),
    }


def run(name: str, status: str, failed: int = 0, seconds: float | None = 60.0) -> dict:
    day = f"{name[:4]}-{name[4:6]}-{name[6:8]}"
    return {
        "id": name,
        "started": f"{day}T06:00:00Z",
        "seconds": seconds,
        "status": status,
        "done": 5,
        "total": 6,
        "failed": failed,
        "cores": 2,
        "host": "vm",
        "work_s": 80.0,
        "cpu_s": 70.0,
        "critical_s": 45.0,
        "bound_s": 45.0,
        "peak_mib": 600.4,
        "mem_mb": 8000,
    }


def job(number: int, name: str, start: float, seconds: float | None, **more: object) -> dict:
    return {
        "id": number,
        "rule": name,
        "domain": name.partition("_")[0],
        "label": "",
        "start": start,
        "seconds": seconds,
        "cpu_s": 5.0,
        "peak_mib": 120.4,
        "threads": 1,
        "mem_mb": 500,
        "gpu": 0,
        "state": "done",
        "lane": 0,
        "after": [],
        "reason": "",
        "log": "",
        "output": "",
        "outputs": 0,
        "critical": False,
        "cause": "",
    } | more


def newest_jobs() -> list[dict]:
    return [
        job(1, "lake_land", 0, 20, critical=True, label="date=2025-09-08"),
        job(2, "nfl_fit", 20, 25, critical=True, after=[1, 3], label=HOSTILE, threads=2, gpu=1)
        | {"cpu_s": 40.0, "mem_mb": 800, "peak_mib": 600.4, "reason": HOSTILE}
        | {"log": "../logs/nfl/a%3D1%20b.log", "output": "results/x.csv", "outputs": 3},
        job(3, "lake_land", 0, 10, lane=1, label="date=2025-09-05"),
        job(4, HOSTILE, 12, 5, lane=1, domain="other"),
        job(5, "book_render", 45.5, 14, state="failed", after=[2], cause="broken", cpu_s=None),
        job(6, "book_render", 50, None, lane=1, state="unfinished", peak_mib=None),
    ]


def older_jobs() -> list[dict]:
    return [job(1, "weekly_build", 0, 30, critical=True), job(2, "weekly_build", 30, 29)]


def details(jobs: list[dict], cores: int = 2, wall_s: float = 60.0) -> dict:
    path = [job["id"] for job in jobs if job["critical"]]
    work, longest = 80.0, 45.0
    return {"jobs": jobs, "path": path, "cores": cores, "wall_s": wall_s} | {
        "work_s": work,
        "critical_s": longest,
        "bound_s": max(longest, work / cores),
    }


def rule(name: str, **more: object) -> dict:
    past = [
        {"run": OLDER, "jobs": 3, "median_s": 2.0, "total_s": 6.0, "peak_mib": 90.0},
        {"run": NEWEST, "jobs": 3, "median_s": 3.0, "total_s": 9.0, "peak_mib": None},
    ]
    return {
        "rule": name,
        "domain": name.partition("_")[0] if name != HOSTILE else "other",
        "device": "cpu",
        "jobs": 3,
        "total_s": 1.0,
        "median_s": 3.0,
        "max_s": 4.0,
        "cpu_s": 2.0,
        "cpu_use": 0.5,
        "threads": 1,
        "gpu": 0,
        "peak_mib": 300,
        "mem_mb": 500,
        "mem_ratio": 1.6,
        "failed": 0,
        "trend": None,
        "change": None,
        "history": past,
    } | more


def graph(seed: random.Random, count: int, links: int) -> dict:
    """A rule graph, cycles and a link of a rule to itself included."""
    names = [f"{seed.choice(['lake', 'nfl', 'book'])}_rule_{index}" for index in range(count)]
    pairs = {(a, b) for a, b in (sorted(seed.sample(range(count), 2)) for _ in range(links))}
    found = [(names[a], names[b]) for a, b in sorted(pairs)]
    found += [(names[9], names[9]), (found[-1][1], found[-1][0])]
    domains = {name: name.partition("_")[0] for name in names}
    return {
        "rules": [
            {"rule": name, "domain": domains[name], "jobs": 2}
            | {"column": column, "lane": lane, "row": row}
            for name, (column, lane, row) in place(domains, found).items()
        ],
        "links": [list(link) for link in found],
    }


def dataset(name: str, rows: int | None, reasons: dict[str, int]) -> dict:
    bad = None if rows is None else sum(reasons.values())
    return {
        "domain": "lake",
        "dataset": name,
        "partitions": 3,
        "first": "month=2025-07",
        "newest": "month=2025-09",
        "written": "2025-09-08T06:00:00Z",
        "rows_in": rows,
        "good": None if rows is None else rows - bad,
        "quarantined": bad,
        "reasons": reasons,
        "bytes": 2048,
    }


def model(name: str, brier: float | None, simulated: bool) -> dict:
    return {
        "target": "home_win" if name != "mlp" else "home_cover",
        "features": "market",
        "model": name,
        "calibration": "platt",
        "n": 787,
        "base_rate": 0.56418,
        "brier": brier,
        "log_loss": 0.6,
        "auc": None,
        "ece": 0.02,
        "accuracy": 0.65,
        "roi": -0.01,
        "simulated": simulated,
    }


def products() -> list[dict]:
    built = {"bytes": 1024, "written": "2025-09-08T06:00:00Z"}
    rows = [
        {"domain": "nfl", "path": f"nfl/file_{n}.csv", "href": f"../nfl/file_{n}.csv"} | built
        for n in range(247)
    ]
    return [
        *rows,
        {"domain": "book", "path": "book/a=1 b.pdf", "href": "../book/a%3D1%20b.pdf"} | built,
        {"domain": "book", "path": "book/evil.pdf", "href": "javascript:alert(1)"} | built,
        {"domain": "book", "path": "book/late.pdf", "href": "../book/late.pdf"}
        | {"bytes": None, "written": None},
    ]

"""The control room: one page that tells what ran, what it cost, and what lies in the results."""

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from scripts.atomic import atomic
from scripts.report import holdings, schedule, trends
from scripts.report.history import Job, Run, counts, domain_of, read_runs
from scripts.report.layout import place

COPIED = (  # of a job, as they are
    *("id", "rule", "label", "run_s", "cpu_s", "peak_mib", "threads", "mem_mb", "gpu"),
    *("state", "host", "after", "reason", "cause"),
)
MOST_JOBS = 40_000  # in the charts of all runs; the newest run is always told whole


def build(
    *,
    results: Path,
    products: Sequence[str],
    simulated: bool | None,
    version: str,
    last: int,
    own: str,
    front: Sequence[Path],
    page: Path,
) -> None:
    """Write the page.

    Args:
        results: folder of the run, with the events of its runs of Snakemake.
        products: what the graph makes, below `results`.
        simulated: whether anything rests on simulated data.
        version: of the project.
        last: runs to tell of, the newest.
        own: how the id of the run that makes this page ends; empty: none does.
        front: the page without its data (.html), its styles (.css), parts of its script (.js).
        page: HTML to write; it loads nothing from anywhere.
    """
    runs = read_runs(results / "events", last)
    figures = {run.id: schedule.figures(run) for run in runs}
    told = {
        "run": results.name,
        "version": version,
        "made": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "simulated": simulated,
        "runs": [_run(run, figures[run.id], own) for run in runs],
        "details": _details(runs, figures, lambda log: _below(log, results, page)),
        "rules": [{**row, "domain": domain_of(row["rule"])} for row in trends.compare(runs)],
        "graph": _graph(runs),
        "failures": [
            {"run": run.id, "rule": job.rule, "label": job.label, "cause": job.cause}
            | {"log": _below(job.log, results, page), "attempt": job.attempts}
            for run in reversed(runs)
            for job in run.failed
        ],
        "datasets": holdings.datasets(results),
        "models": holdings.models(results / "nfl" / "tables" / "models.csv"),
        "products": holdings.products(products, results, page),
    }
    with atomic(page) as temporary:
        temporary.write_text(filled(told, front), encoding="utf-8")


def filled(told: Mapping, front: Sequence[Path]) -> str:
    """The page with its styles, its script and its data.

    Args:
        told: the data; no text of it can end a tag, or be taken for a mark.
        front: the page (.html), its styles (.css) and the parts of its script (.js).
    """
    texts = {
        kind: "\n".join(p.read_text(encoding="utf-8") for p in sorted(front) if p.suffix == kind)
        for kind in (".html", ".css", ".js")
    }
    data = json.dumps(
        _finite(told), ensure_ascii=False, separators=(",", ":"), default=str, allow_nan=False
    )
    page = texts[".html"]
    for mark, text in (
        ("/*{css}*/", texts[".css"]),
        ("/*{js}*/", texts[".js"]),
        ("{data}", data.replace("<", r"\u003c")),
    ):
        before, _, after = page.partition(mark)
        page = before + text + after
    return page


def _finite(value: object) -> object:
    """Data as JSON has it, which knows no NaN and no infinity: null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return value


def _run(run: Run, figures: Mapping, own: str) -> dict:
    """A row of the history. The run that makes the page has come to its last job."""
    status = run.status
    if status == "unfinished" and own and run.id.endswith(own):
        status = "failed" if run.failed else "ok"
    return {
        "id": run.id,
        "started": f"{datetime.fromtimestamp(run.started, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "seconds": figures["wall_s"],
        "status": status,
        "done": len(run.done),
        "total": run.total,
        "failed": len(run.failed),
        "cores": run.cores,
        "host": run.host,
        "critical": run.critical,
        "unreadable": run.unreadable,
        **figures,
    }


def _details(
    runs: Sequence[Run], figures: Mapping[str, Mapping], link: Callable[[str], str]
) -> dict[str, dict]:
    """Jobs of the runs, newest first, as many as a page bears."""
    found, left = {}, MOST_JOBS
    for run in reversed(runs):
        left -= len(run.jobs)
        if found and left < 0:
            break
        shown = [job for job in run.jobs if counts(job.rule)]
        lanes, machines = schedule.lanes(shown)
        path = schedule.critical_path(shown) if run.traced else []
        critical = set(path)
        jobs = [
            {
                **_job(job),
                "lane": lanes[job.id],
                "critical": job.id in critical,
                "log": link(job.log),
            }
            for job in shown
        ]
        told = {"jobs": jobs, "path": path, "cores": run.cores, "machines": machines}
        found[run.id] = {**told, **figures[run.id]}
    return found


def _job(job: Job) -> dict:
    return {
        **{name: getattr(job, name) for name in COPIED},
        "domain": domain_of(job.rule),
        "start": round(job.start, 3),
        "seconds": job.seconds and round(job.seconds, 3),
        "output": job.output[0] if job.output else "",
        "outputs": len(job.output),
    }


def _graph(runs: Sequence[Run]) -> dict:
    """Rules and their links as the runs had them, each rule with its place and its jobs."""
    rules = {rule for run in runs for rule in run.rules}
    links = sorted({link for run in runs for link in run.links if link[0] != link[1]})
    jobs = Counter(job.rule for run in runs[-1:] for job in run.jobs)  # of the newest
    used = {a for a, _ in links}
    shown = sorted(rule for rule in rules if domain_of(rule) != "other" or rule in used)
    links = [link for link in links if set(link) <= set(shown)]
    domains = {rule: domain_of(rule) for rule in shown}
    return {
        "rules": [
            {"rule": rule, "domain": domains[rule], "jobs": jobs[rule]}
            | {"column": column, "lane": lane, "row": row}
            for rule, (column, lane, row) in place(domains, links).items()
        ],
        "links": links,
    }


def _below(path: str, results: Path, page: Path) -> str:
    """A path below the results as the page links it; one elsewhere as it is."""
    return holdings.link(Path(path), page) if path and results in Path(path).parents else path


if __name__ == "__main__":
    from scripts.job import job, owner

    with job(snakemake):  # noqa: F821
        build(
            results=Path(snakemake.output.page).parents[1],  # noqa: F821
            products=snakemake.params.products,  # noqa: F821
            simulated=snakemake.params.simulated,  # noqa: F821
            version=snakemake.params.version,  # noqa: F821
            last=snakemake.params.last,  # noqa: F821
            own=f"-{owner()}",
            front=[Path(path) for path in snakemake.input.front],  # noqa: F821
            page=Path(snakemake.output.page),  # noqa: F821
        )

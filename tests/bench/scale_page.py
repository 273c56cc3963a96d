"""The tables of docs/scale.md, made of docs/scale.json and put between the page's markers."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.bench import scale_million

Row = dict[str, object]
MIB = 2**20


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown, the first column to the left, the others to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def each_ms(seconds: float, jobs: int) -> str:
    """Milliseconds a job."""
    return f"{seconds / jobs * 1e3:.1f}"


def plan(rows: list[Row]) -> str:
    """Plans of the lake."""
    head = ["plan of the lake", "jobs", "wall s", "CPU s", "CPU ms a job", "peak MiB"]
    cells = [
        [
            str(row["state"]),
            f"{row['jobs']:,}",
            f"{row['wall_s']:.1f}",
            f"{row['cpu_s']:.1f}",
            each_ms(row["cpu_s"], row["jobs"]),
            f"{row['peak_mib']:.0f}",
        ]
        for row in rows
    ]
    return table(head, cells)


def run(rows: list[Row]) -> str:
    """Runs of jobs that do nothing, what they leave, and the plan after them."""
    head = ["jobs", "metadata", "wall s", "CPU s of Snakemake", "ms a job", "peak MiB"]
    head += [
        "metadata files",
        "their MiB, on disk",
        "logs + benchmarks",
        "events MiB",
        "replan CPU s",
    ]
    cells = [
        [
            f"{row['jobs']:,}",
            "a file each" if row["backend"] == "file" else "database",
            f"{row['wall_s']:.1f}",
            f"{row['own_cpu_s']:.1f}",
            each_ms(row["own_cpu_s"], row["jobs"]),
            f"{row['peak_mib']:.0f}",
            f"{row['metadata_files']:,}",
            f"{row['metadata_bytes'] / MIB:.2f}, {row['metadata_disk_bytes'] / MIB:.2f}",
            f"{row['logs'] + row['benchmarks']:,}",
            f"{row['events_bytes'] / MIB:.2f}",
            f"{row['done_cpu_s']:.1f}",
        ]
        for row in rows
    ]
    return table(head, cells)


def cluster(rows: list[Row]) -> str:
    """A small NFL on a real Slurm."""
    head = ["submitted", "jobs", "Slurm jobs", "`sbatch` calls", "polls", "wall s"]
    cells = [
        [
            str(row["way"]),
            f"{row['jobs']:,}",
            *(f"{row.get(name, 0):,}" for name in ("slurm_jobs", "submissions", "polls")),
            f"{row['wall_s']:.0f}",
        ]
        for row in rows
    ]
    return table(head, cells)


def slurm(rows: list[Row]) -> str:
    """Submissions and polls of the simulated Slurm."""
    head = ["submitted", "jobs", "wall s", "CPU s of Snakemake", "`sbatch` calls", "over s"]
    head += ["polls", "rows a poll", "calls in the fullest second", "largest call KiB"]
    cells = [
        [
            str(row["kind"]),
            f"{row['jobs']:,}",
            f"{row['wall_s']:.0f}",
            f"{row['own_cpu_s']:.1f}",
            f"{row['submissions']:,}",
            f"{row['submitting_s']:.1f}",
            f"{row['polls']}",
            f"{row['poll_rows'] / row['polls']:,.0f}",
            f"{row['calls_in_the_fullest_second']}",
            f"{row['largest_submission_bytes'] / 1024:.0f}",
        ]
        for row in rows
    ]
    return table(head, cells)


def ending(row: Row) -> str:
    """How a run came to its end."""
    if not row["ended"]:
        return "**no**, killed"
    return "**failed**" if row["failed"] else "yes"


def arrays(rows: list[Row]) -> str:
    """Whether arrays come to an end."""
    head = ["jobs ready", "limit", "largest array", "jobs submitted", "jobs named in a command"]
    head += ["last submission, s", "ended", "after s"]
    cells = [
        [
            f"{row['ready']}",
            str(row["limit"]),
            f"{row['array']:,}",
            f"{row['submitted']}",
            f"{row['made']}",
            f"{row['last_submission_s']:.0f}" if row["submitted"] else "none",
            ending(row),
            f"{row['wall_s']:.0f}",
        ]
        for row in rows
    ]
    return table(head, cells)


TABLES: dict[str, Callable[[list[Row]], str]] = {
    "plan": plan,
    "run": run,
    "cluster": cluster,
    "slurm": slurm,
    "arrays": arrays,
}


def block(name: str) -> re.Pattern[str]:
    """What stands between the markers of a table, markers included."""
    return re.compile(rf"<!-- scale:{name} -->\n.*?<!-- /scale:{name} -->", re.DOTALL)


def filled(page: str, figures: dict[str, dict]) -> str:
    """The page with each table made anew; raises when a marker is missing."""
    for name, make in TABLES.items():
        if len(block(name).findall(page)) != 1:
            raise ValueError(f"docs/scale.md: markers of table {name} must be there once")
        part = figures[name]
        whole = f"<!-- scale:{name} -->\n{make(part['rows'])}\n<!-- /scale:{name} -->"
        page = block(name).sub(lambda _, whole=whole: whole, page)
    cells = scale_million.rows(figures)
    head = ["computed, not measured", "20,000 jobs", "1,000,000 jobs"]
    whole = f"<!-- scale:million -->\n{table(head, cells)}\n<!-- /scale:million -->"
    if len(block("million").findall(page)) != 1:
        raise ValueError("docs/scale.md: markers of table million must be there once")
    return block("million").sub(lambda _: whole, page)

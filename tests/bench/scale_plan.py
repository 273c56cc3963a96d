"""Plans of the real workflow: the lake over longer and longer ranges, and one where all is done."""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.bench.measure import ROOT
from tests.bench.scale_run import watch

AS_OF = "2025-09-05"
FLAT_FILES = ["stocks_minute", "options_minute", "stocks_daily", "options_daily"]
# About 8.2 jobs a session: first session of the window for each size.
STARTS = {
    100: "2025-08-20",
    1000: "2025-03-14",
    5000: "2023-04-03",
    10000: "2020-11-02",
    20000: "2015-12-01",
}
SIZES = (list(STARTS), [1000, 5000])
TOTAL = re.compile(r"^total +(\d+)", re.MULTILINE)


def command(folder: Path, start: str, *options: str) -> list[str]:
    """Snakemake on the real Snakefile, with its results below `folder`."""
    for name in ("config", "scripts", "envs", "warehouse", "book"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    overlay = folder / "plan.yaml"
    lake = {"as_of": AS_OF, "start": start, "datasets": FLAT_FILES}
    overlay.write_text(yaml.safe_dump({"run": "bench-plan", "lake": lake}))
    base = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    base += ["--workflow-profile", str(ROOT / "profiles" / "default"), "--logger", "almanac"]
    return [*base, "--configfile", str(overlay), *options, "--", "lake"]


def missing(start: str) -> dict[str, object]:
    """The plan of a window of which nothing is there yet."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ran = watch(command(folder, start, "--dry-run"), folder)
    jobs = int(TOTAL.search(ran.output)[1])
    return {
        "state": "nothing there",
        "jobs": jobs,
        "wall_s": ran.wall_s,
        "cpu_s": ran.cpu_s,
        "peak_mib": ran.peak_mib,
        "screen_bytes": len(ran.output),
    }


def done(start: str) -> dict[str, object]:
    """The plan of a window whose files are all there.

    The files Snakemake would make are made by hand, each with an empty object in it and the time
    its job would have given it, then `--touch` has Snakemake take them as its own.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        summary = watch(command(folder, start, "--summary"), folder).output
        made = [line.split("\t")[0] for line in summary.splitlines() if line.startswith("results/")]
        for file in made:
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}\n")
        time.sleep(0.1)
        touched = watch(command(folder, start, "--touch", "--forceall", "--cores", "1"), folder)
        jobs = int(TOTAL.search(touched.output)[1])
        ran = watch(command(folder, start, "--dry-run"), folder)
    if "Nothing to be done" not in ran.output:
        raise RuntimeError(f"something is left to do:\n{ran.output[-3000:]}")
    return {
        "state": f"all there, {len(made):,} files",
        "files": len(made),
        "jobs": jobs,
        "wall_s": ran.wall_s,
        "cpu_s": ran.cpu_s,
        "peak_mib": ran.peak_mib,
        "screen_bytes": len(ran.output),
    }


def rows(sizes: list[int], finished: list[int]) -> Iterator[dict[str, object]]:
    """Measured plans: `sizes` with nothing there, `finished` with everything."""
    for size in sizes:
        yield missing(STARTS[size])
    for size in finished:
        yield done(STARTS[size])

"""`make bench`, scale: what planning and running many jobs costs, and the tables of docs/scale.md.

    python -m tests.bench.scale --quick            small sizes, printed, nothing written
    python -m tests.bench.scale                    everything (half an hour on 2 cores); writes
    python -m tests.bench.scale plan run slurm     only these parts; the others' figures are kept
    python -m tests.bench.scale page               only the page, from docs/scale.json

The parts `slurm` and `arrays` need snakemake-executor-plugin-slurm here or in
$ALMANAC_SLURM_PYTHON; `cluster` needs `make slurm`, and as root the
programs that `make test-slurm` installs.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.bench import scale_cluster, scale_page, scale_plan, scale_run, scale_slurm
from tests.bench.measure import ROOT

FIGURES = ROOT / "docs" / "scale.json"
PAGE = ROOT / "docs" / "scale.md"
PARTS = ("plan", "run", "cluster", "slurm", "arrays")
STUCK_S = 120  # a run of 12 that comes to its end takes some 30
# Jobs ready, places for them, largest array, seconds to wait, whether a resource is the limit.
ARRAYS = (
    (12, 5, 50, STUCK_S, False),
    (12, 12, 50, STUCK_S, False),
    (12, 4, 50, STUCK_S, True),
    (200, 60, 50, 2 * STUCK_S, False),
    (100, 1000, 1000, STUCK_S, False),
)


def measured(part: str, quick: bool) -> Iterator[dict[str, object]]:
    """Rows of a part, one after the other."""
    if part == "plan":
        yield from scale_plan.rows(*(([100, 1000], [100]) if quick else scale_plan.SIZES))
        return
    if part == "run":
        yield from scale_run.rows(*(([100], [100]) if quick else scale_run.SIZES))
        return
    if part == "cluster":
        if not scale_cluster.is_possible():
            print("cluster: NOT MEASURED, no plugin (make slurm) or no Slurm (make test-slurm)")
        elif not quick:
            yield from scale_cluster.rows()
        return
    interpreter = scale_slurm.python()
    if interpreter is None:
        print(f"{part}: NOT MEASURED, no snakemake-executor-plugin-slurm (ALMANAC_SLURM_PYTHON)")
    elif part == "arrays":
        for case in ARRAYS[1:2] if quick else ARRAYS:
            yield scale_slurm.array(interpreter, *case)
    else:
        for size in [100] if quick else scale_slurm.SIZES:
            for kind in list(scale_slurm.KINDS)[1:2] if quick else scale_slurm.KINDS:
                yield scale_slurm.measure(interpreter, kind, size)


def machine() -> str:
    """Where and when."""
    versions = f"Python {platform.python_version()}, Snakemake 9.27.1"
    return f"{os.cpu_count()} shared cores, {versions}, {datetime.now(UTC):%Y-%m-%d}"


def main(arguments: list[str]) -> None:
    """Measure, print, and without --quick write the figures and the page."""
    quick = "--quick" in arguments
    parts = [part for part in arguments if part in PARTS]
    if not parts and "page" not in arguments:
        parts = list(PARTS)
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    for part in parts:
        rows = []
        for row in measured(part, quick):
            print(part, json.dumps(row), flush=True)
            rows.append(row)
            if not quick:  # at once: an hour's figures must not be lost with the last
                figures[part] = {"machine": machine(), "rows": rows}
                FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    if not quick:
        PAGE.write_text(scale_page.filled(PAGE.read_text(), figures))


if __name__ == "__main__":
    main(sys.argv[1:])

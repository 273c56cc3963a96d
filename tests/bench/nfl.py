"""`make bench`: what the NFL grid costs, beside the naive loop over all configurations.

Real games of the package; both ways fit the same configurations on the same rows, and the scores
are compared. `python -m tests.bench.nfl --whole` does it for all 324.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from tests.bench.measure import python
from tests.workflow.project import Project, copy_project

PART = {
    "max_depth": [3, 7],
    "learning_rate": [0.05],
    "rounds": [100, 300, 500],
    "subsample": [0.8],
    "colsample_bytree": [0.7, 0.9],
}
WHOLE = {
    "max_depth": [3, 5, 7, 9],
    "learning_rate": [0.01, 0.05, 0.1],
    "rounds": [100, 300, 500],
    "subsample": [0.7, 0.8, 0.9],
    "colsample_bytree": [0.7, 0.8, 0.9],
}
NAIVE = """
import json, sys
from pathlib import Path
import polars as pl
from scripts.nfl import grid_fit
from scripts.nfl.features import columns_of
from scripts.plan import grid
files, told = sys.argv[1].split(","), json.loads(sys.argv[2])
seed, out = int(sys.argv[3]), sys.argv[4]
games = pl.concat([pl.read_parquet(f) for f in files]).sort("date", "game_id")
train, test = grid_fit.split(games, "home_win", 2015)
columns = columns_of(["form", "efficiency", "rating", "situation"])
rows = []
for name in grid.fits(told):
    for rounds in told["rounds"]:
        found = grid_fit.fit(name, train, test, target="home_win", features=columns,
                             rounds=[rounds], seed=seed, device="cpu")
        rows.append(grid_fit.rows(name, found, test, "home_win", ""))
pl.concat(rows).write_parquet(out)
"""
SEED = 20090910
VALUES = ["max_depth", "learning_rate", "subsample", "colsample_bytree", "rounds"]


def config(values: dict) -> dict:
    """The demo's games up to 2016, nothing of other domains, and this grid."""
    return {
        "run": "bench",
        "lake": {"datasets": []},
        "nfl": {
            "sources": {"schedules": "gamecenter", "pbp": "gamecenter"},
            "seasons": {"last": 2016},
            "first_test": 2016,
            "seed": SEED,
            "grid": values,
        },
    }


def measure(project: Project, values: dict, cores: int) -> tuple[float, pl.DataFrame]:
    """Wall seconds of `snakemake grid` from the features on, and the table it made."""
    code = (
        "import subprocess, sys; subprocess.run([sys.executable, '-m', 'snakemake', '--cores', "
        f"'{cores}', '--forcerun', 'nfl_fit_grid', '--', 'grid'], cwd=sys.argv[1], check=True)"
    )
    grid = project.results / "bench/nfl/grid"
    for store in grid.rglob("fits.parquet"):
        store.unlink()
    cost = python(code, project.folder)
    return cost.wall_s, pl.read_parquet(grid / "results.parquet")


def main() -> None:
    """Measure and print."""
    values = WHOLE if "--whole" in sys.argv else PART
    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder), config(values))
        seasons = [f"results/bench/nfl/features/season={s}/part.parquet" for s in range(2009, 2016)]
        project.run("--", *seasons, check=True, timeout=600)
        files = ",".join(str(project.folder / season) for season in seasons)
        out = Path(folder) / "naive.parquet"
        naive = python(NAIVE, files, json.dumps(values), SEED, out)
        slow = pl.read_parquet(out).drop("key").sort(VALUES)
        print(f"NFL grid, {slow.height} configurations, {slow['n'][0]} games to choose on")
        print(f"{'way':<34}{'wall s':>8}{'ratio':>8}")
        print(f"{'naive loop, one process':<34}{naive.wall_s:>8.1f}{1:>8.2f}")
        for cores in (1, 2):
            seconds, table = measure(project, values, cores)
            assert_frame_equal(table.drop("key").sort(VALUES), slow, check_exact=True)
            label = f"snakemake grid, --cores {cores}"
            print(f"{label:<34}{seconds:>8.1f}{naive.wall_s / seconds:>8.2f}")
        print("all scores equal to the last bit")


if __name__ == "__main__":
    main()

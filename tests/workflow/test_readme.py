"""Every command of the README, run in its order in a fresh copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.workflow import books
from tests.workflow.lakes import SMALL as LAKE
from tests.workflow.project import ROOT, copy_project
from tests.workflow.test_reruns import CLOSING, SMALL

# What the README names, and little else; the demo as it stands is run by .ci/run.
DEMO = {
    "run": "demo",
    "lake": LAKE["lake"],
    "weekly": {"input": "simulator", "simulator": {"weeks": 60}},
    "nfl": {
        "sources": {"schedules": "gamecenter", "pbp": "gamecenter", "odds": "simulator"},
        "seasons": {"first": 2017, "last": 2019},
        "first_test": 2019,
        "feature_sets": {"football": ["form", "rating"]},
        "models": ["glm"],
        "targets": ["home_win"],
        "draws": 100,
        "grid": {
            "max_depth": [2],
            "learning_rate": [0.1],
            "rounds": [10, 20],
            "subsample": [0.8],
            "colsample_bytree": [0.8],
        },
    },
    "book": {"chapters": ["market-making"], "engine": "embedded"},
    "ticks": {
        "strategies": {CLOSING: SMALL["ticks"]["strategies"][CLOSING]},
        "simulator": {"sessions": 2, "rows_per_session": 300, "prices": {"MODON": 2.7}},
    },
}

BLOCKS = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
COMMANDS = [line for block in BLOCKS for line in block.strip().splitlines()]


def test_every_command_of_the_readme_works(tmp_path: Path) -> None:
    project = copy_project(tmp_path, DEMO)
    (project.folder / ".venv").symlink_to(Path(sys.prefix))
    for made in ROOT.glob(".venv-*/installed"):  # else `make test` would install them once more
        (project.folder / made.parent.name).symlink_to(made.parent)
    # The book's own chapters are printed by .ci/run; here a small one of the name asked for.
    books.put(project, "chapters", "market-making", "There are two modes.")
    foreign = ("NUMBA_CACHE_DIR", "MAKEFLAGS")
    environment = {k: v for k, v in os.environ.items() if k not in foreign}
    # The tests within the test are only collected; the environment is this test's, as it is.
    environment |= {
        "PYTEST_ADDOPTS": "--collect-only -q",
        "MAKEFLAGS": "--old-file=.venv/installed",
    }
    assert COMMANDS[:2] == ["make", "make test"]
    for command in COMMANDS:
        if "my.xlsx" in command:
            made = project.results / "demo/ticks"
            shutil.copy(made / "source/workbook.xlsx", project.folder / "my.xlsx")
            shutil.copytree(made / "parquet", project.folder / "my/folder")
            history = project.results / "demo/weekly/source/daily.parquet"
            shutil.copy(history, project.folder / "my/daily.parquet")
            (project.folder / "my/nfl").mkdir()
            games = project.results / "demo/nfl/raw/gamecenter/season=2018/games.csv"
            shutil.copy(games, project.folder / "my/nfl/games.csv")
        line = f"source .venv/bin/activate && {command}" if "snakemake" in command else command
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=project.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, f"{command}\n{(done.stdout + done.stderr)[-3000:]}"
    assert (project.results / "demo/ticks/summary.csv").is_file()
    assert (project.results / "demo/book/main.pdf").is_file()
    assert (project.results / "demo/report/index.html").is_file()
    assert (project.results / "demo/warehouse/consistency.json").is_file()
    assert (project.results / "ticks/ticks/summary.csv").is_file()
    assert (project.results / "weekly/weekly/features.parquet").is_file()
    again = subprocess.run(
        ["make"], cwd=project.folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert "Nothing to be done" in again.stdout + again.stderr

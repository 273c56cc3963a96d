"""`make bench`: from an edit to the printed book, beside printing all of it again.

On the demo's own book and results, which must have been built (`make`); in a copy.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench.measure import ROOT, Cost, run
from tests.workflow.project import Project, copy_project

MAIN = "results/demo/book/main.pdf"
CELLS = "book_build_outputs_"
EDITS = {  # what is edited -> file below book/, text, another in its place
    "prose of a chapter": ("chapters/preface.qmd", "Nothing was copied", "Not a thing was copied"),
    "an entry of the bibliography": ("references.bib", "Survey Sampling", "Survey Sampling."),
    "the template": ("templates/book.typ", 'font: "Libertinus Serif"', 'font: "Libertinus Serif" '),
    "a cell of a notebook": (
        "notebooks/market-making-sweeps.qmd",
        "desk = Desk(",
        "_ = 1\ndesk = Desk(",
    ),
}


def printed(project: Project, *arguments: str) -> Cost:
    """What it costs to bring main.pdf up to date on two cores."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments, "--", MAIN]
    return run(command, cwd=project.folder)


def main() -> None:
    """Print seconds and the ratio to printing everything again, for each edit and both backends."""
    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder))
        shutil.copytree(ROOT / "results" / "demo", project.results / "demo")
        printed(project)
        rules = [
            f"{CELLS}{p.stem.replace('-', '_')}" for p in (project.folder / "book").glob("*/*.qmd")
        ]
        whole = printed(project, "--forcerun", *rules)
        print(f"{'all cells run, all pages made':34} {whole.wall_s:6.1f} s    1.00")
        backends = ["typst", *(["latex"] if shutil.which("latexmk") else [])]
        for backend in backends:
            config = ["--config", f"book={{backend: {backend}}}"]
            printed(project, *config)
            for what, (name, old, new) in EDITS.items():
                path = project.folder / "book" / name
                text = path.read_text()
                assert old in text, f"{name} has no {old!r} any more"
                path.write_text(text.replace(old, new, 1))
                cost = printed(project, *config)
                path.write_text(text)
                printed(project, *config)
                ratio = cost.wall_s / whole.wall_s
                print(f"{what + ', ' + backend:34} {cost.wall_s:6.1f} s    {ratio:.2f}")


if __name__ == "__main__":
    main()

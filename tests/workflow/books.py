"""What the book's workflow tests share: a small book on a tiny NFL domain and one backtest."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess

from tests.workflow.nfls import SMALLEST, tiny
from tests.workflow.project import Project

BOOK = {"chapters": ["alpha", "beta"], "engine": "embedded", "title": "A small book"}
SEASONS = {"seasons": {"first": 2017, "last": 2018}, "first_test": 2018}
BIB = """@article{smith2001, author={Smith, Ann}, title={On games}, journal={J}, year={2001}}
@article{jones2002, author={Jones, Bo}, title={On trades}, journal={J}, year={2002}}
"""
HEAD = """---
almanac:
  inputs: {inputs}
  notebooks: [{notebooks}]
---

# {title} {{#sec-{name}}}

```{{python}}
#| tags: [parameters]
#| include: false
results = "results/tiny"
inputs = None
simulated = False
```

```{{python}}
#| include: false
from scripts.book.desk import Desk
desk = Desk(results, inputs, simulated)
quote = desk.quote
```

"""
GAMES = """How many games there are, and how good the model is.

```{python}
#| include: false
import json
import polars as pl
games = pl.read_parquet(desk.file("nfl/features/games.parquet"))
played = games.drop_nulls("home_score")
paths = desk.files("nfl/models/*/*/glm/none/season=*/metrics.json")
metrics = [json.loads(path.read_text()) for path in paths]
desk.values(
    desk.value("played", played.height, "games", "d", simulated=False),
    desk.value("brier", metrics[0]["brier"], format=".4f"),
)
```

```{python}
#| label: tbl-games
#| tbl-cap: Games with a result, by season.
desk.table(played.group_by("season").len("games").sort("season").cast({"season": pl.String}))
```

```{python}
#| label: fig-margins
#| fig-cap: Margins of the home team.
from matplotlib.figure import Figure
figure = Figure(figsize=(5, 2.5), layout="constrained")
axes = figure.subplots()
axes.hist((played["home_score"] - played["away_score"]).to_list(), bins=20)
axes.set(xlabel="margin (points)", ylabel="games")
desk.figure(figure)
```
"""
TRADES = """```{python}
#| include: false
import polars as pl
summary = pl.read_csv(desk.file("ticks/summary.csv"))
desk.value("rows", summary.height, "rows", "d")
```
"""
ALPHA = """There are `{python} quote("games.played")`, with a Brier score of
`{python} quote("games.brier")`, as @smith2001 had it; see @fig-margins, @tbl-games and @sec-beta.

```{python}
#| label: fig-margins
#| fig-cap: Margins of the home team, in points.
desk.show("games", "fig-margins")
```

```{python}
#| label: tbl-games
#| tbl-cap: Games with a result.
desk.show("games", "tbl-games")
```
"""
BETA = """The summary has `{python} quote("trades.rows")`, see @sec-alpha and @fig-margins.
Nothing is cited here.
"""


def config(**book: object) -> dict:
    """The small book's config: a season of one model, schedules from a file; one backtest."""
    sources = {"schedules": "files", "weather": None, "players": None, "player_games": None}
    whole = tiny(**SMALLEST, **SEASONS, sources=sources, folder="own")
    return {**whole, "book": {**BOOK, **book}}


def write(project: Project) -> None:
    """Put the small book's documents in the place of the project's own."""
    shutil.rmtree(project.folder / "book/notebooks")
    shutil.rmtree(project.folder / "book/chapters")
    (project.folder / "book/references.bib").write_text(BIB)
    metrics = "nfl/models/*/*/glm/none/season=*/metrics.json"
    put(project, "notebooks", "games", GAMES, f"[nfl/features/games.parquet, {metrics}]")
    put(project, "notebooks", "trades", TRADES, "[ticks/summary.csv]")
    put(project, "chapters", "alpha", ALPHA, notebooks="games")
    put(project, "chapters", "beta", BETA, notebooks="trades")


def put(
    project: Project, kind: str, name: str, body: str, inputs: str = "[]", notebooks: str = ""
) -> None:
    """Write a document."""
    path = source(project, kind, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    head = HEAD.format(inputs=inputs, notebooks=notebooks, title=name.title(), name=name)
    path.write_text(head + body)


def source(project: Project, kind: str, name: str) -> Path:
    """A document's file."""
    return project.folder / "book" / kind / f"{name}.qmd"


def edit(path: Path, old: str, new: str) -> None:
    """Replace what stands once in a file."""
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
    path.write_text(text.replace(old, new))


def book_of(project: Project) -> Path:
    """The book's folder in a copy of the project."""
    return project.results / "tiny" / "book"


def jobs(project: Project, result: CompletedProcess) -> Counter[str]:
    """`rule [document]`, without `book_`, of the jobs that a run finished."""
    found: Counter[str] = Counter()
    for rule, wildcards in project.jobs_run(result):
        if "_" in rule:
            documents = (wildcards.get(key) for key in ("notebook", "chapter", "document"))
            document = next(filter(None, documents), "")
            found[f"{rule.removeprefix('book_')} {document}".strip()] += 1
    return found


def of_chapter(name: str) -> Mapping[str, int]:
    """Jobs that a chapter takes to be rendered and set, and what follows from it."""
    return {f"render_chapter {name}": 1, f"compile_chapter {name}": 1, **SET}


SET = {"compile_main": 1, "build_report": 1}

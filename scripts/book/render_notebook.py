"""A notebook from its prose and the cells that ran: as .ipynb and as a page."""

from collections.abc import Mapping
from pathlib import Path

import nbformat

from scripts.atomic import atomic
from scripts.book import engines, floats
from scripts.book.composing import compose
from scripts.plan import qmd
from scripts.plan.qmd import INLINE, Cell


def render(
    *,
    source: Path,
    executed: Path,
    index: Mapping[str, Mapping[str, str]],
    folder: Path,
    engine: str,
    simulated: bool,
    footer: str,
    environment: Mapping[str, str],
    notebook: Path,
    page: Path,
) -> None:
    """Write an executed notebook with its prose, and its page.

    Args:
        source: the .qmd file.
        executed: its cells as they ran.
        index: label -> {document, text} of its own labels.
        folder: the book's results.
        engine: quarto or embedded.
        simulated: whether an input rests on simulated data.
        footer: of the page.
        environment: variables of this process, see `engines.Page`.
        notebook: .ipynb to write.
        page: .html to write.

    Raises:
        DataError: what the engine says.
    """
    document = qmd.read(source)
    ran = nbformat.read(executed, as_version=4)
    made = engines.render(
        engines.Page(
            name=document.name,
            text=compose(document, ran, floats.simulated(document, ran, {})),
            title=engines.unmarked(document.title),
            index={n: {"text": e["text"], "href": f"#{n}"} for n, e in index.items()},
            folder=folder,
            simulated=simulated,
            footer=footer,
            environment=environment,
        ),
        "html",
        engine,
    )
    for out, text in ((page, made), (notebook, _with_prose(document, ran))):
        with atomic(out) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _with_prose(document: qmd.Document, executed: nbformat.NotebookNode) -> str:
    """The executed notebook with the prose between its cells, as JSON."""
    answers = iter(executed.metadata.almanac["inline"])
    ran = iter(executed.cells)
    cells = []
    for place, part in enumerate(document.parts):
        if isinstance(part, Cell):
            if part.options.get("eval", True):
                cells.append(next(ran))
                cells[-1].source = part.code  # comments may be others than when it ran
            else:
                cells.append(nbformat.v4.new_code_cell(part.code, id=f"part-{place}"))
        else:
            text = INLINE.sub(lambda _: next(answers), part.text.strip())
            cells.append(nbformat.v4.new_markdown_cell(text, id=f"part-{place}"))
    executed.cells = cells
    return nbformat.writes(executed) + "\n"


if __name__ == "__main__":
    from scripts.job import environment, job

    with job(snakemake):  # noqa: F821
        render(
            source=Path(snakemake.input.source),  # noqa: F821
            executed=Path(snakemake.input.executed),  # noqa: F821
            index={n: {"document": d, "text": t} for n, d, t in snakemake.params.index},  # noqa: F821
            folder=Path(snakemake.input.executed).parents[1],  # noqa: F821
            engine=snakemake.params.engine,  # noqa: F821
            simulated=snakemake.params.simulated,  # noqa: F821
            footer=snakemake.params.footer,  # noqa: F821
            environment=environment(),
            notebook=Path(snakemake.output.notebook),  # noqa: F821
            page=Path(snakemake.output.page),  # noqa: F821
        )

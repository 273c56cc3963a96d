"""A chapter from its prose and the cells that ran: a page, and fragments for typesetting."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat

from scripts.atomic import atomic
from scripts.book import engines, floats
from scripts.book.composing import compose
from scripts.plan import qmd


def render(
    *,
    source: Path,
    executed: Path,
    sources: Sequence[Path],
    index: Mapping[str, Mapping[str, str]],
    folder: Path,
    engine: str,
    number: int | None,
    simulated: bool,
    footer: str,
    environment: Mapping[str, str],
    outs: Sequence[Path],
) -> None:
    """Write a chapter's page (.html) and fragments (.tex, .typ).

    Args:
        source: the chapter's .qmd file.
        executed: its cells as they ran.
        sources: executed notebooks whose figures and tables it shows.
        index: label -> {document, text} of what it refers to or shows.
        folder: the book's results.
        engine: quarto or embedded.
        number: of the chapter; None: not numbered.
        simulated: whether anything in it rests on simulated data.
        footer: of the page.
        environment: variables of this process, see `engines.Page`.
        outs: files to write, format by suffix.

    Raises:
        DataError: what the engine says.
    """
    document = qmd.read(source)
    own = nbformat.read(executed, as_version=4)
    ran = {path.stem: nbformat.read(path, as_version=4) for path in sources}
    flags = floats.simulated(document, own, ran)
    hrefs = {
        label: {"text": entry["text"], "href": _href(document.name, label, entry["document"])}
        for label, entry in index.items()
    }
    page = engines.Page(
        name=document.name,
        text=compose(document, own, flags),
        title=engines.unmarked(document.title),
        index=hrefs,
        folder=folder,
        number=number,
        simulated=simulated,
        footer=footer,
        environment=environment,
    )
    for out in outs:
        made = engines.render(page, out.suffix[1:], engine)
        with atomic(out) as temporary:
            temporary.write_text(made, encoding="utf-8")


def _href(own: str, label: str, document: str) -> str:
    """Where a page finds a label."""
    return f"#{label}" if document == own else f"{document}.html#{label}" if document else ""


if __name__ == "__main__":
    from scripts.book.retracting import retract
    from scripts.job import environment, job

    with job(snakemake):  # noqa: F821
        retract(map(Path, snakemake.params.retracts))  # noqa: F821
        render(
            source=Path(snakemake.input.source),  # noqa: F821
            executed=Path(snakemake.input.executed),  # noqa: F821
            sources=[Path(path) for path in snakemake.input.sources],  # noqa: F821
            index={n: {"document": d, "text": t} for n, d, t in snakemake.params.index},  # noqa: F821
            folder=Path(snakemake.input.executed).parents[1],  # noqa: F821
            engine=snakemake.params.engine,  # noqa: F821
            number=snakemake.params.number,  # noqa: F821
            simulated=snakemake.params.simulated,  # noqa: F821
            footer=snakemake.params.footer,  # noqa: F821
            environment=environment(),
            outs=[Path(path) for path in snakemake.output],  # noqa: F821
        )

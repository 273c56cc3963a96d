"""Run a document once: its executed cells, the values it hands on, its tables and figures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat

from scripts.atomic import atomic
from scripts.book import desk, tables
from scripts.book.execution import run
from scripts.errors import DataError
from scripts.plan import qmd
from scripts.plan.qmd import Cell, Document

MOST_ROWS = 45  # of a table on a page of its own
TABLE_TYPES = {"tex": "text/latex", "typ": tables.TYPST, "html": "text/html"}
FIGURE_TYPES = {"svg": "image/svg+xml", "pdf": "application/pdf"}


def build(
    *,
    source: Path,
    results: Path,
    inputs: Sequence[str],
    simulated: bool,
    environment: Mapping[str, str],
    executed: Path,
    values: Path,
    outs: Sequence[Path],
) -> None:
    """Run a document and write all that it makes.

    Args:
        source: the .qmd file.
        results: folder of the run.
        inputs: paths below it that the document may read.
        simulated: whether one of them rests on simulated data.
        environment: variables of this process, see `execution.run`.
        executed: notebook of the cells with their outputs to write.
        values: {id: {value, unit, format, source, simulated}} to write.
        outs: tables (.tex, .typ, .html) and figures (.svg, .pdf) to write, named by label.

    Raises:
        DataError: with file and line: a cell that raises, a labelled cell without its figure or
            table, a value given twice.
    """
    document = qmd.read(source)
    parameters = {"results": str(results), "inputs": list(inputs), "simulated": simulated}
    notebook = run(document, parameters, environment)
    made = _values(document, notebook)
    files = {
        name: content
        for cell in document.made
        for name, content in _files(document, notebook, cell).items()
    }
    for out in outs:
        with atomic(out) as temporary:
            temporary.write_bytes(files[f"{out.parent.name}/{out.name}"])
    for out, text in ((executed, nbformat.writes(notebook)), (values, _json(made))):
        with atomic(out) as temporary:
            temporary.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def _json(content: object) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False)


def _outputs(notebook: nbformat.NotebookNode, line: int) -> list[nbformat.NotebookNode]:
    """Displayed outputs of the cell whose fence is on that line."""
    cell = next(cell for cell in notebook.cells if cell.metadata.almanac["line"] == line)
    return [output for output in cell.outputs if "data" in output]


def _values(document: Document, notebook: nbformat.NotebookNode) -> dict[str, dict]:
    """The values of all cells, each with the cell it comes from."""
    found: dict[str, dict] = {}
    for number, cell in enumerate(document.cells, 1):
        if not cell.options.get("eval", True):
            continue
        for output in _outputs(notebook, cell.line):
            for name, entry in output.data.get(desk.VALUE, {}).items():
                if name in found:
                    place = f"{document.path}:{cell.line}"
                    raise DataError(f"{place}: value {name} is given twice; rename one")
                source = f"{document.name}, cell {cell.label or number}"
                order = ("value", "unit", "format", "source", "simulated")
                found[name] = {key: {**entry, "source": source}[key] for key in order}
    return found


def _files(document: Document, notebook: nbformat.NotebookNode, cell: Cell) -> dict[str, bytes]:
    """`folder/name` -> content of a labelled cell's files."""
    place = f"{document.path}:{cell.line}: {cell.label}"
    shown = _outputs(notebook, cell.line)
    if cell.label.startswith("tbl-"):
        found = [output.data for output in shown if tables.TYPST in output.data]
        if len(found) != 1:
            raise DataError(f"{place}: shows {len(found)} tables, expected one: desk.table(frame)")
        rows = found[0][TABLE_TYPES["html"]].count("<tr>") - 1
        if rows > MOST_ROWS:
            raise DataError(
                f"{place}: {rows} rows, a printed page holds {MOST_ROWS}; show fewer, or give the "
                "cell no label"
            )
        stem = cell.label.removeprefix("tbl-")
        return {f"tables/{stem}.{k}": found[0][mime].encode() for k, mime in TABLE_TYPES.items()}
    found = [output.data for output in shown if FIGURE_TYPES["svg"] in output.data]
    if len(found) != len(cell.stems):
        raise DataError(
            f"{place}: shows {len(found)} figures, expected {len(cell.stems)}: desk.figure(figure) "
            "last in the cell, or displayed one for each fig-subcap"
        )
    return {
        f"{document.name}/{stem}.{kind}": desk.content(data, mime)
        for stem, data in zip(cell.stems, found, strict=True)
        for kind, mime in FIGURE_TYPES.items()
    }


if __name__ == "__main__":
    from scripts.book.retracting import retract
    from scripts.job import environment, job

    with job(snakemake):  # noqa: F821
        retract(map(Path, snakemake.params.retracts))  # noqa: F821
        build(
            source=Path(snakemake.input.source),  # noqa: F821
            results=Path(snakemake.output.executed).parents[2],  # noqa: F821
            inputs=snakemake.params.inputs,  # noqa: F821
            simulated=snakemake.params.simulated,  # noqa: F821
            environment=environment(),
            executed=Path(snakemake.output.executed),  # noqa: F821
            values=Path(snakemake.output.values),  # noqa: F821
            outs=[Path(path) for path in snakemake.output.made],  # noqa: F821
        )

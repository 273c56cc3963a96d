"""Which figures and tables of a document rest on simulated data."""

from __future__ import annotations

from collections.abc import Mapping

import nbformat

from scripts.plan.qmd import Document


def simulated(
    document: Document,
    executed: nbformat.NotebookNode,
    sources: Mapping[str, nbformat.NotebookNode],
) -> dict[str, bool]:
    """Label -> whether its figure or table says that it rests on simulated data.

    What a cell shows without the desk (a plain frame, a plot of pyplot) says of itself nothing: it
    rests on what the document rests on.

    Args:
        document: that shows them.
        executed: its own cells as they ran.
        sources: notebook -> its cells as they ran, for what the document shows of others.
    """
    found = {}
    for cell in document.cells:
        if cell.label and cell.shown:
            notebook, label = cell.shown
            found[cell.label] = _flag(sources[notebook], label)
        elif cell.label:
            found[cell.label] = _flag(executed, cell.label)
    return found


def _flag(executed: nbformat.NotebookNode, label: str) -> bool:
    """The flag of the cell with that label."""
    cell = next(cell for cell in executed.cells if cell.metadata.almanac["label"] == label)
    shown = [output.get("metadata", {}).get("almanac", {}) for output in cell.outputs]
    flags = [mark["simulated"] for mark in shown if "simulated" in mark]
    return any(flags) if flags else executed.metadata.almanac["simulated"]

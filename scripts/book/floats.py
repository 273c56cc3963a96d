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

    Args:
        document: that shows them.
        executed: its own cells as they ran.
        sources: notebook -> its cells as they ran, for what the document shows of others.
    """
    found = {}
    for cell in document.cells:
        if not cell.label:
            continue
        if cell.shown:
            notebook, label = cell.shown
            found[cell.label] = _flag(sources[notebook], label)
        else:
            found[cell.label] = _flag(executed, cell.label)
    return found


def _flag(executed: nbformat.NotebookNode, label: str) -> bool:
    """The flag of the cell whose option names that label."""
    marks = (f"#| label: {label}", f'#| label: "{label}"', f"#| label: '{label}'")
    for cell in executed.cells:
        if any(line.strip() in marks for line in cell.source.split("\n")):
            shown = (output.get("metadata", {}) for output in cell.outputs)
            return any(m.get("almanac", {}).get("simulated", False) for m in shown)
    return False

"""Running a document's cells in a kernel that knows only what it is given."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from scripts.book.kernel import INLINE
from scripts.book.programs import passed, uncoloured
from scripts.errors import DataError
from scripts.plan.qmd import Document

ROOT = Path(__file__).resolve().parents[2]
PASSED = r"LD_LIBRARY_PATH|POLARS_\w+|NUMBA_\w+"
FIXED = {
    "PYTHONPATH": str(ROOT),
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "SOURCE_DATE_EPOCH": "0",  # no date of today in a figure
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")},
}
BEFORE = "from scripts.book import kernel as _almanac\n_almanac.prepare()"


def run(
    document: Document, parameters: Mapping[str, object], environment: Mapping[str, str]
) -> nbformat.NotebookNode:
    """Run a document's cells.

    Args:
        document: portable.
        parameters: name -> value (text, number, list of them), set after the parameters cell.
        environment: variables of this process; the kernel gets few of them.

    Returns:
        a notebook of the cells that ran, in order; `metadata.almanac` of each holds `line`, the
        line of its fence, and `label`, that of the notebook `simulated` and `inline`, the texts of
        the inline expressions. The same bytes every time, as far as the cells' own output is.

    Raises:
        DataError: with file, line and cause: a cell or an inline expression that raises.
    """
    cells = [_cell(0, BEFORE)]
    for cell in document.cells:
        if cell.options.get("eval", True):
            cells.append(_cell(cell.line, cell.code, cell.label))
        if "tags" in cell.options:
            settings = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
            cells.append(_cell(0, settings))
    cells.append(_cell(0, f"_almanac.answer({document.inline!r})"))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    notebook = nbformat.v4.new_notebook(cells=cells)
    _execute(document, notebook, {**passed(environment, PASSED), **FIXED})
    inline = notebook.cells[-1].outputs
    notebook.metadata = {
        "almanac": {"inline": _answers(inline), "simulated": parameters["simulated"]},
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
    }
    notebook.cells = [cell for cell in notebook.cells if cell.metadata.almanac["line"]]
    return notebook


def _cell(line: int, code: str, label: str | None = None) -> nbformat.NotebookNode:
    metadata = {"almanac": {"line": line, "label": label}}
    return nbformat.v4.new_code_cell(code, metadata=metadata)


def _answers(outputs: list) -> list[str]:
    return next(output.data[INLINE] for output in outputs if INLINE in output.get("data", {}))


def _execute(document: Document, notebook: nbformat.NotebookNode, environment: dict) -> None:
    """Run all cells in place; the kernel's sockets, profile and history have their own folder."""
    # A socket's path has at most some hundred characters.
    short = None if len(tempfile.gettempdir()) < 60 else "/tmp"
    with tempfile.TemporaryDirectory(prefix="almanac-", dir=short) as folder:
        own = {"IPYTHONDIR": folder, "JUPYTER_CONFIG_DIR": folder, "MPLCONFIGDIR": folder}
        manager = AsyncKernelManager(
            kernel_name="python3",
            # Only the kernel of this environment, whatever else is installed for the user.
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True),
            transport="ipc",
            ip=f"{folder}/kernel",
            connection_file=f"{folder}/kernel.json",
        )
        client = NotebookClient(
            notebook, km=manager, timeout=None, record_timing=False, shutdown_kernel="immediate"
        )
        try:
            client.execute(cleanup_kc=True, env={**environment, **own})
        except CellExecutionError as error:
            raise DataError(_cause(document, notebook, error)) from None
        except DeadKernelError:
            raise DataError(
                f"{document.path}: the kernel died {_last(document, notebook)}; was memory short?"
            ) from None


def _last(document: Document, notebook: nbformat.NotebookNode) -> str:
    done = [cell for cell in notebook.cells if cell.execution_count]
    lines = [cell.metadata.almanac["line"] for cell in done]
    return f"in or after the cell of line {lines[-1] if lines else document.cells[0].line}"


def _cause(document: Document, notebook: nbformat.NotebookNode, error: CellExecutionError) -> str:
    """`file:line: cell label: cause` of a cell that raised."""
    failed, output = next(
        (cell, output)
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    )
    evalue = " ".join(error.evalue.split())
    cause = evalue if error.ename == "DataError" else f"{error.ename}: {evalue}"
    start = failed.metadata.almanac["line"]
    if not start:  # not a cell of its own: the inline expressions, which name their line
        return f"{document.path}:{cause}"
    trace = uncoloured("\n".join(output.traceback))
    count = failed.get("execution_count")
    places = re.findall(rf"(?:Cell|Input) In\[{count}\](?:, line |:)(\d+)", trace)
    inside = int(places[-1]) if places else 0
    return f"{document.path}:{start + inside}: {_name(document, start)}: {cause}"


def _name(document: Document, line: int) -> str:
    """How readers find a cell: by label, else by its number."""
    number, cell = next((n, cell) for n, cell in enumerate(document.cells, 1) if cell.line == line)
    return f"cell {cell.label or number}"

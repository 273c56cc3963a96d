"""What runs inside the kernel before and after a document's own cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
from IPython import get_ipython
from IPython.core.pylabtools import select_figure_formats
from IPython.display import display
from matplotlib_inline.config import InlineBackend

import scripts.figures  # noqa: F401  (the look of every figure)
from scripts.book.desk import Desk
from scripts.errors import DataError

INLINE = "application/vnd.almanac.inline+json"
FORMATS = {"svg", "pdf"}
BACKEND = "module://matplotlib_inline.backend_inline"
SHOWN_ROWS = 60  # of a frame that is the last expression of a cell


def prepare() -> None:
    """Show figures as SVG and PDF, frames as tables of the book."""
    Desk.by_hand = False
    shell = get_ipython()
    select_figure_formats(shell, FORMATS)
    InlineBackend.instance(parent=shell).figure_formats = FORMATS
    matplotlib.use(BACKEND)  # in the place of that of scripts.figures, which shows nothing
    mimebundle = shell.display_formatter.mimebundle_formatter
    mimebundle.for_type_by_name("polars.dataframe.frame", "DataFrame", _of_polars)
    for module in ("pandas", "pandas.core.frame"):  # from version 3 on, and before
        mimebundle.for_type_by_name(module, "DataFrame", _of_pandas)


def _of_polars(frame: Any, include: Any = None, exclude: Any = None) -> Any:
    from scripts.book.tables import Table

    if not 0 < frame.height <= SHOWN_ROWS:
        return None
    return Table(frame)._repr_mimebundle_()[0]  # without a word on what it rests on


def _of_pandas(frame: Any, include: Any = None, exclude: Any = None) -> Any:
    import polars as pl

    named = frame.index.name is not None
    return _of_polars(pl.from_pandas(frame.reset_index() if named else frame))


def answer(expressions: Sequence[tuple[int, str]]) -> None:
    """Hand on the inline expressions of the prose, as text.

    Args:
        expressions: (line in the document, Python expression).

    Raises:
        DataError: starting with its line: an expression that raises, or gives no text or number.
    """
    found = []
    for line, expression in expressions:
        try:
            value = eval(expression, get_ipython().user_ns)
        except Exception as error:
            raise DataError(f"{line}: `{expression}`: {error}") from None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            kind = type(value).__name__
            raise DataError(f"{line}: `{expression}` gives {kind}, expected text or a number")
        if "\n" in str(value):
            raise DataError(f"{line}: `{expression}` gives several lines, expected one")
        found.append(str(value))
    display({INLINE: found, "text/plain": ""}, raw=True)

"""Small vendor workbooks and frames for tests, in the layout of the spec's section 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import openpyxl

HEADER = ("Dates", "Type", "Price", "Size")
TEN = datetime(2025, 4, 14, 10)
ROW = (TEN, "BID", 4.37, 100)


def write(
    path: Path,
    sheets: Mapping[str, Sequence[Sequence]],
    *,
    above: Sequence[str] = ("title", "note"),
    header: Sequence[str] = HEADER,
) -> Path:
    """Write a workbook: in each sheet `above`, one row each, then the header, then the rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        lines = [*([text] for text in above), list(header), *map(list, rows)]
        for number, cells in enumerate(lines, start=1):
            for column, cell in enumerate(cells, start=1):
                if cell is not None:
                    sheet.cell(number, column, cell)
    book.save(path)
    return path

"""What all plots share: look, sizes, and files that are the same bytes every time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from scripts.atomic import atomic

matplotlib.use("Agg")
matplotlib.rcParams.update(
    {
        "svg.hashsalt": "almanac",
        "font.size": 9,
        "axes.titlesize": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.25,
        "lines.linewidth": 1.2,
        "figure.dpi": 150,
    }
)
DATES = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # safe for all eyes


def source_note(simulated: bool) -> str:
    """What the reader must know of the data."""
    return " (simulated data)" if simulated else ""


def save(figure: Figure, outs: Sequence[Path]) -> None:
    """Write the figure to each path, in the format of its suffix, without a date in it."""
    for out in outs:
        kind = out.suffix[1:]
        with atomic(out) as temporary:
            figure.savefig(temporary, format=kind, metadata=DATES[kind], bbox_inches="tight")

"""What the tick plots share: look, sizes, and files that are the same bytes every time."""

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
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # safe for all eyes
NAMES = {
    "v1_baseline": "v1 baseline",
    "v2_price_follow_qty_cooldown": "v2 price follow",
    "v2_1_stop_loss": "v2.1 stop-loss",
    "v3_liquidity_monitor": "v3 liquidity monitor",
    "closing_strategy": "closing auction",
}


def title_of(strategy: str) -> str:
    """A strategy's name for people."""
    return NAMES.get(strategy, strategy.replace("_", " "))


def source_note(simulated: bool) -> str:
    """What the reader must know of the data."""
    return " (simulated data)" if simulated else ""


def save(figure: Figure, outs: Sequence[Path]) -> None:
    """Write the figure to each path, in the format of its suffix, without a date in it."""
    for out in outs:
        kind = out.suffix[1:]
        with atomic(out) as temporary:
            dated = {"Date": None} if kind == "svg" else {"Software": None}
            figure.savefig(temporary, format=kind, metadata=dated, bbox_inches="tight")

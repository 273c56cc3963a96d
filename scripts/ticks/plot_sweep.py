"""Heat maps of one strategy's sweeps: pnl by security and parameter value."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scripts.figures import save, source_note
from scripts.ticks.figures import title_of
from scripts.ticks.score_summary import PORTFOLIO

UNITS = {
    "refill_interval_sec": "refill interval (s)",
    "stop_loss_threshold_pct": "stop-loss threshold (%)",
    "spread_vwap_pct": "spread around VWAP (%)",
    "vwap_preclose_period_min": "VWAP period before the close (min)",
}


def draw(*, table: Path, strategy: str, simulated: bool, outs: Sequence[Path]) -> None:
    """Draw a heat map per parameter (rows) and mode (columns): realised pnl in thousand AED.

    Colour is scaled within each row of a map (a security), for securities differ in size; the
    number in the cell is the pnl itself.

    Args:
        table: CSV of `score_sweeps`.
        strategy: for the title.
        simulated: said in the title.
        outs: files to write, format by suffix.
    """
    text = ["parameter", "value", "mode", "variant", "security"]
    frame = pl.read_csv(table, schema_overrides=dict.fromkeys(text, pl.String), null_values=[])
    frame = frame.filter(pl.col("security") != PORTFOLIO)
    parameters = frame["parameter"].unique(maintain_order=True).to_list()
    modes = frame["mode"].unique().sort().to_list()
    securities = frame["security"].n_unique()
    height = len(parameters) * (0.34 * securities + 1.1) + 0.7
    figure = Figure(figsize=(6.2 * len(modes), height), layout="constrained")
    grid = figure.subplots(len(parameters), len(modes), squeeze=False)
    for row, parameter in zip(grid, parameters, strict=True):
        for panel, mode in zip(row, modes, strict=True):
            part = frame.filter((pl.col("parameter") == parameter) & (pl.col("mode") == mode))
            heat_map(panel, part, parameter)
            panel.set_title(f"{mode}: realised pnl (thousand AED)", loc="left")
    figure.suptitle(f"{title_of(strategy)}: sweeps{source_note(simulated)}; colour by row")
    save(figure, outs)


def heat_map(panel: Axes, part: pl.DataFrame, parameter: str) -> None:
    """Draw one map of `part` (security, value, realized_pnl; values in their order)."""
    values = part["value"].unique(maintain_order=True).to_list()
    wide = part.pivot("value", index="security", values="realized_pnl").sort("security")
    pnl = wide.select(values).to_numpy() / 1000
    scale = np.maximum(np.abs(pnl).max(axis=1, keepdims=True), 1e-9)
    panel.imshow(pnl / scale, cmap="RdBu", vmin=-1.4, vmax=1.4, aspect="auto")
    for (i, j), value in np.ndenumerate(pnl):
        ink = "white" if abs(value) > 0.8 * scale[i, 0] else "black"
        panel.text(j, i, f"{value:,.1f}", ha="center", va="center", fontsize=7, color=ink)
    panel.set_xticks(range(len(values)), values)
    panel.set_yticks(range(wide.height), [s.replace("$", r"\$") for s in wide["security"]])
    panel.set_xlabel(UNITS.get(parameter, parameter.replace("_", " ")))
    panel.grid(False)
    panel.spines[:].set_visible(False)


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        draw(
            table=Path(snakemake.input.table),  # noqa: F821
            strategy=snakemake.wildcards.strategy,  # noqa: F821
            simulated=snakemake.params.simulated,  # noqa: F821
            outs=[Path(path) for path in snakemake.output],  # noqa: F821
        )

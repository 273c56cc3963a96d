"""Reliability of the probabilities of a target: what happened against what was said."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scripts.figures import COLORS, save
from scripts.nfl.comparison import REFERENCES

ACROSS = 4
FEWEST = 15  # games of a bin that is drawn


def draw(table: Path, target: str, outs: Sequence[Path]) -> None:
    """Draw a panel for each family and feature set: mean outcome by mean probability, in bins.

    A line for each calibration; the size of a point is the number of its games.

    Args:
        table: CSV of `score_models.bins_of`.
        target: whose models are drawn.
        outs: files to write, format by suffix.
    """
    frame = pl.read_csv(table, schema_overrides={"season": pl.Int32}).filter(
        (pl.col("target") == target)
        & pl.col("season").is_null()
        & ~pl.col("model").is_in(list(REFERENCES))
    )
    panels = frame.select("features", "model").unique().sort("features", "model").rows()
    down = -(-len(panels) // ACROSS)
    figure = Figure(figsize=(2.6 * ACROSS, 2.6 * down + 0.9), layout="constrained")
    axes = figure.subplots(down, ACROSS, squeeze=False, sharex=True, sharey=True)
    for panel, (features, model) in zip(axes.flat, panels, strict=False):
        part = frame.filter((pl.col("features") == features) & (pl.col("model") == model))
        curve(panel, part)
        note = " (simulated)" if part["simulated"].any() else ""
        panel.set_title(f"{model}, {features}{note}", loc="left", fontsize=9)
    for panel in axes.flat[len(panels) :]:
        panel.set_visible(False)
    for row in axes:
        row[0].set_ylabel("share that came true")
    for place, panel in enumerate(axes.flat):
        if place + ACROSS >= len(panels) and place < len(panels):
            panel.set_xlabel("predicted probability")
            panel.xaxis.set_tick_params(labelbottom=True)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    games = frame.group_by("features", "model", "calibration").agg(pl.col("n").sum())["n"].max()
    figure.suptitle(
        f"{target}: reliability out of sample, up to {games:,} games; bins of {FEWEST} or more"
    )
    save(figure, outs)


def curve(panel: Axes, part: pl.DataFrame) -> None:
    """Draw the calibrations of one family and feature set."""
    panel.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, zorder=1)
    for color, kind in zip(COLORS, ("none", "platt", "isotonic"), strict=False):
        own = part.filter((pl.col("calibration") == kind) & (pl.col("n") >= FEWEST)).sort("bin")
        x, y = own["probability"], own["outcome"]
        panel.plot(x, y, color=color, linewidth=1, label=f"calibration {kind}")
        panel.scatter(x, y, s=own["n"].to_numpy() ** 0.5 * 1.2, color=color)
    panel.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        draw(
            table=Path(snakemake.input.reliability),  # noqa: F821
            target=snakemake.wildcards.target,  # noqa: F821
            outs=[Path(path) for path in snakemake.output],  # noqa: F821
        )

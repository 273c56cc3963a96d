"""Scores of a target's models by season, against the closing line and the base rate."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from scripts.figures import COLORS, save, source_note
from scripts.nfl.comparison import BASE_RATE, CLOSING_LINE

REFERENCE_LOOK = {CLOSING_LINE: ("closing line", "-"), BASE_RATE: ("base rate", ":")}
SCORES = {"brier": "Brier score (lower is better)", "ece": "calibration error (share)"}


def draw(table: Path, target: str, outs: Sequence[Path]) -> None:
    """Draw Brier score and calibration error by season: a column for each feature set.

    Args:
        table: CSV of `score_models.by_season`.
        target: whose models are drawn, those without calibration.
        outs: files to write, format by suffix.
    """
    frame = pl.read_csv(table).filter(pl.col("target") == target)
    references = frame.filter(pl.col("model").is_in(list(REFERENCE_LOOK)))
    models = frame.filter(
        ~pl.col("model").is_in(list(REFERENCE_LOOK)) & (pl.col("calibration") == "none")
    )
    sets = models["features"].unique().sort().to_list()
    figure = Figure(figsize=(5.0 * len(sets), 6.4), layout="constrained")
    axes = figure.subplots(len(SCORES), len(sets), squeeze=False, sharex=True, sharey="row")
    for column, features in enumerate(sets):
        part = models.filter(pl.col("features") == features)
        for row, score in enumerate(SCORES):
            lines(axes[row][column], part, references, score)
        note = source_note(bool(part["simulated"].any()))
        axes[0][column].set_title(f"features {features}{note}", loc="left")
        axes[-1][column].set_xlabel("season")
        axes[-1][column].xaxis.set_major_locator(MaxNLocator(integer=True))
    for row, label in zip(axes, SCORES.values(), strict=True):
        row[0].set_ylabel(label)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False)
    priced = references.filter(pl.col("model") == CLOSING_LINE)["simulated"].any()
    figure.suptitle(
        f"{target} by season, out of sample{'; closing line simulated' if priced else ''}"
    )
    save(figure, outs)


def lines(panel: Axes, models: pl.DataFrame, references: pl.DataFrame, score: str) -> None:
    """Draw one score of all models of a feature set, and of the references."""
    names = models["model"].unique().sort().to_list()
    for place, name in enumerate(names):
        own = models.filter(pl.col("model") == name).sort("season")
        style = "-" if place < len(COLORS) else "--"
        color = COLORS[place % len(COLORS)]
        panel.plot(own["season"], own[score], style, marker="o", ms=3, color=color, label=name)
    for name, (label, style) in REFERENCE_LOOK.items():
        own = references.filter(pl.col("model") == name).sort("season")
        if own.height:
            panel.plot(own["season"], own[score], style, color="0.3", linewidth=2, label=label)


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        draw(
            table=Path(snakemake.input.seasons),  # noqa: F821
            target=snakemake.wildcards.target,  # noqa: F821
            outs=[Path(path) for path in snakemake.output],  # noqa: F821
        )

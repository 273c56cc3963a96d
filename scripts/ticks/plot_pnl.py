"""Cumulative pnl of every strategy over all securities, each mode beside the other."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from scripts.figures import COLORS, save, source_note
from scripts.ticks.figures import title_of
from scripts.ticks.metrics import read_trades


def daily_pnl(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Realised pnl by day over several securities: date, pnl (that day), total (up to it)."""
    fills = pl.concat(frames).select(pl.col("timestamp").dt.date().alias("date"), "realized_pnl")
    daily = fills.group_by("date").agg(pl.col("realized_pnl").sum().alias("pnl")).sort("date")
    return daily.with_columns(total=pl.col("pnl").cum_sum())


def draw(
    *,
    runs: Sequence[Mapping[str, str]],
    trades: Sequence[Path],
    simulated: bool,
    outs: Sequence[Path],
) -> None:
    """Plot cumulative realised pnl (AED) by day, a line per strategy, a panel per mode.

    Args:
        runs: {mode, strategy, variant, security} of each file in `trades`.
        trades: trades CSVs.
        simulated: said in the title.
        outs: files to write, format by suffix.
    """
    modes = sorted({run["mode"] for run in runs})
    strategies = sorted({run["strategy"] for run in runs})
    figure = Figure(figsize=(5 * len(modes), 3.6), layout="constrained")
    panels = figure.subplots(1, len(modes), squeeze=False, sharey=True)[0]
    for mode, panel in zip(modes, panels, strict=True):
        for color, strategy in zip(COLORS * len(strategies), strategies, strict=False):
            mine = [
                read_trades(path)
                for run, path in zip(runs, trades, strict=True)
                if (run["mode"], run["strategy"]) == (mode, strategy)
            ]
            daily = daily_pnl(mine)
            panel.plot(
                daily["date"], daily["total"], color=color, label=title_of(strategy), marker="."
                if daily.height < 20 else None,
            )  # fmt: skip
        panel.axhline(0, color="black", linewidth=0.6)
        panel.set_title(mode)
        panel.yaxis.set_major_formatter("{x:,.0f}")
        locator = AutoDateLocator(minticks=3, maxticks=7)
        panel.xaxis.set_major_locator(locator)
        panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        panel.set_xlabel("trading day")
    panels[0].set_ylabel("cumulative realised pnl (AED)")
    securities = len({run["security"] for run in runs})
    figure.suptitle(f"Pnl by strategy, {securities} securities{source_note(simulated)}")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    save(figure, outs)


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        draw(
            runs=snakemake.params.runs,  # noqa: F821
            trades=[Path(path) for path in snakemake.input.trades],  # noqa: F821
            simulated=snakemake.params.simulated,  # noqa: F821
            outs=[Path(path) for path in snakemake.output],  # noqa: F821
        )

"""Inventory and cumulative pnl of one security, a row for each strategy."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scripts.figures import COLORS, save, source_note
from scripts.ticks.figures import title_of
from scripts.ticks.metrics import read_trades

DAY_TICKS = 6
LONG = 30  # trading days; beyond, single fills cannot be told apart and days are drawn


def draw(
    *,
    runs: Sequence[Mapping[str, str]],
    trades: Sequence[Path],
    security: str,
    simulated: bool,
    outs: Sequence[Path],
) -> None:
    """Plot position (shares) and cumulative realised pnl (AED) after each fill, by mode.

    The axis is of trading hours: each day with a fill takes the same width, nights none.

    Args:
        runs: {mode, strategy, variant, security} of each file in `trades`.
        trades: trades CSVs of one security.
        security: for the title.
        simulated: said in the title.
        outs: files to write, format by suffix.
    """
    frames = {
        (run["strategy"], run["mode"]): read_trades(path)
        for run, path in zip(runs, trades, strict=True)
    }
    strategies = sorted({strategy for strategy, _ in frames})
    modes = sorted({mode for _, mode in frames})
    days = pl.concat(frames.values())["timestamp"].dt.date().unique().sort()
    figure = Figure(figsize=(10, 1.9 * len(strategies) + 0.8), layout="constrained")
    grid = figure.subplots(len(strategies), 2, sharex=True, squeeze=False)
    for (inventory, pnl), strategy in zip(grid, strategies, strict=True):
        for color, width, mode in zip(COLORS, (2, 1), modes, strict=False):
            fills = frames[strategy, mode]
            x = session_time(fills["timestamp"], days)
            look = {"color": color, "linewidth": width, "label": mode}
            step(pnl, x, fills["realized_pnl"].cum_sum(), len(days), look)
            if len(days) > LONG:
                band(inventory, fills, days, look)
            else:
                step(inventory, x, fills["position"], len(days), look)
        inventory.set_ylabel("position (shares)")
        pnl.set_ylabel("realised pnl (AED)")
        daily = ", daily mean and range" if len(days) > LONG else ""
        for panel, what in ((inventory, f"inventory{daily}"), (pnl, "cumulative pnl")):
            panel.set_title(f"{title_of(strategy)}: {what}", loc="left")
            panel.yaxis.set_major_formatter("{x:,.0f}")
            panel.axhline(0, color="black", linewidth=0.6)
            label_days(panel, days)
    years = " to ".join(sorted({str(day.year) for day in (days.min(), days.max()) if day}))
    for panel in grid[-1]:
        panel.set_xlabel(f"trading day, {years}")
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    name = security.replace("$", r"\$")  # a pair of them would be a formula
    figure.suptitle(f"{name}: inventory and pnl{source_note(simulated)}")
    save(figure, outs)


def step(panel: Axes, x: np.ndarray, path: pl.Series, end: int, look: Mapping) -> None:
    """Draw a path that starts at 0 and holds each value until the next, up to `end`."""
    last = path[-1] if len(path) else 0
    panel.step([0, *x, end], [0, *path, last], where="post", **look)


def band(panel: Axes, fills: pl.DataFrame, days: pl.Series, look: Mapping) -> None:
    """Draw each day's mean position after a fill, in the band from its least to its largest."""
    position = pl.col("position")
    daily = fills.group_by(pl.col("timestamp").dt.date().alias("day")).agg(
        mean=position.mean(), least=position.min(), most=position.max(), last=position.last()
    )
    daily = days.alias("day").to_frame().join(daily, on="day", how="left").sort("day")
    held = pl.col("last").forward_fill().fill_null(0)  # through a day without a fill
    daily = daily.with_columns(pl.col("mean", "least", "most").fill_null(held))
    x = np.arange(len(days)) + 0.5
    panel.fill_between(x, daily["least"], daily["most"], color=look["color"], alpha=0.2, lw=0)
    panel.plot(x, daily["mean"], **look)


def session_time(stamps: pl.Series, days: pl.Series) -> np.ndarray:
    """Position of each time on an axis of trading days, 10:00 to 15:00 spread over one unit."""
    number = days.search_sorted(stamps.dt.date()).to_numpy()
    seconds = (stamps - stamps.dt.truncate("1d")).dt.total_seconds().to_numpy()
    return number + np.clip((seconds - 36_000) / 18_000, 0, 0.999)


def label_days(panel: Axes, days: pl.Series) -> None:
    """Put a few dates under the axis of `session_time`."""
    places = np.unique(np.linspace(0, max(len(days) - 1, 0), DAY_TICKS).astype(int))
    panel.set_xticks(places, [f"{days[int(i)]:%-d %b}" for i in places] if len(days) else [])


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        draw(
            runs=snakemake.params.runs,  # noqa: F821
            trades=[Path(path) for path in snakemake.input.trades],  # noqa: F821
            security=snakemake.wildcards.security,  # noqa: F821
            simulated=snakemake.params.simulated,  # noqa: F821
            outs=[Path(path) for path in snakemake.output],  # noqa: F821
        )

"""Price of a symbol, its weekly averages, and the moment from which each weekly value is seen."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
from matplotlib.axes import Axes
from matplotlib.dates import ConciseDateFormatter
from matplotlib.figure import Figure

from scripts.errors import DataError
from scripts.figures import COLORS, save, source_note
from scripts.tables import scan
from scripts.weekly.panel import price_column
from scripts.weekly.visible import Weeks

AVERAGES = {"w_ma_20": COLORS[1], "w_ma_50": COLORS[2], "w_ma_200": COLORS[3]}
ZOOM_WEEKS = 7
PRICE, LATEST = COLORS[0], COLORS[1]


def draw(
    *,
    features: Path,
    daily: Path,
    symbol: str,
    adjusted_close: str | None,
    visible_from: str,
    simulated: bool,
    outs: Sequence[Path],
) -> None:
    """Write the picture of a symbol, see `figure`.

    Args:
        features: weekly features of the symbol's batch.
        daily: its daily rows with features.
        symbol: to draw.
        adjusted_close: column of prices, where it is there; None: close.
        visible_from: same_day or next_day.
        simulated: said in the title.
        outs: files to write, format by suffix.

    Raises:
        DataError: the symbol has no weekly bar.
    """
    own = pl.col("symbol").cast(pl.String) == symbol
    price = price_column(list(scan([daily]).collect_schema()), adjusted_close)
    rows = scan([daily]).filter(own).select("date", price, *AVERAGES).collect()
    weekly = scan([features]).filter(own).select("week_end", "w_ma_20").collect()
    if weekly.is_empty():
        raise DataError(
            f"weekly.plots: no weekly bar of {symbol!r}; name a symbol of the input, within "
            "weekly.max_symbols"
        )
    title = f"{symbol}{source_note(simulated)}"
    save(figure(rows, weekly, title=title, price=price, visible_from=visible_from), outs)


def figure(
    daily: pl.DataFrame, weekly: pl.DataFrame, *, title: str, price: str, visible_from: str
) -> Figure:
    """A symbol's daily price with its weekly averages as they are seen on each day.

    Above the whole history; below its last weeks, where an arrow leads from the Friday of a weekly
    value to the first row that may see it.

    Args:
        daily: one symbol's date, `price` and the columns `AVERAGES`, sorted by date.
        weekly: its week_end and w_ma_20, sorted by week_end, at least a row.
        title: name of the symbol.
        price: column of the price.
        visible_from: same_day or next_day.
    """
    picture = Figure(figsize=(10, 7.5), layout="constrained")
    whole, zoom = picture.subplots(2, 1, height_ratios=(3, 4))
    whole.plot(daily["date"], daily[price], color=PRICE, linewidth=0.8, label="daily price")
    for name, color in AVERAGES.items():
        label = f"{name}, as seen on the day"
        whole.step(daily["date"], daily[name], where="post", color=color, label=label)
    whole.set_title("Price and weekly averages", loc="left")
    _zoomed(zoom, daily, weekly, price, visible_from)
    for panel in (whole, zoom):
        panel.set_ylabel(f"{'adjusted ' if price != 'close' else ''}price (currency of the input)")
        formatter = ConciseDateFormatter(panel.xaxis.get_major_locator())
        panel.xaxis.set_major_formatter(formatter)
        panel.legend(loc="upper left", frameon=False, fontsize=8)
    zoom.set_xlabel("date")
    name = title.replace("$", r"\$")  # a pair of them would be a formula
    picture.suptitle(f"{name}: when a week becomes visible")
    return picture


def _zoomed(
    panel: Axes, rows: pl.DataFrame, weekly: pl.DataFrame, price: str, visible_from: str
) -> None:
    """The last weeks: each Friday's value, and from which row on it is seen."""
    first = weekly["week_end"][-min(ZOOM_WEEKS, weekly.height)]
    rows = rows.filter(pl.col("date").cast(pl.Date) >= first)
    weekly = weekly.filter(pl.col("week_end") >= first)
    panel.plot(
        rows["date"], rows[price], color=PRICE, marker=".", linewidth=0.8, label="daily price"
    )
    known = rows.drop_nulls("w_ma_20")
    panel.plot(
        known["date"],
        known["w_ma_20"],
        color=LATEST,
        linestyle="none",
        marker="o",
        markersize=4,
        label="w_ma_20 that the row may use",
    )
    one, same = (pl.repeat("", frame.height, eager=True) for frame in (weekly, rows))
    weeks = Weeks(one, weekly["week_end"], visible_from, None)
    seen = rows.with_columns(place=weeks.seen(same, rows["date"])).drop_nulls("place")
    starts = dict(seen.group_by("place").agg(pl.col("date").min()).iter_rows())
    shown = weekly.with_row_index("place").drop_nulls("w_ma_20")
    panel.plot(
        shown["week_end"],
        shown["w_ma_20"],
        color=LATEST,
        linestyle="none",
        marker="D",
        markersize=9,
        fillstyle="none",
        label="w_ma_20 of the week that ends this Friday",
    )
    for place, friday, value in shown.select("place", "week_end", "w_ma_20").iter_rows():
        panel.axvline(friday, color="black", linewidth=0.5, alpha=0.3)
        if (start := starts.get(place)) is not None and start > friday:
            panel.annotate(
                "",
                xy=(start, value),
                xytext=(friday, value),
                arrowprops={"arrowstyle": "->", "color": LATEST, "shrinkA": 5, "shrinkB": 2},
            )
        elif start is None:
            panel.annotate(
                "not seen\nby any row",
                (friday, value),
                xytext=(0, 10),
                textcoords="offset points",
                ha="center",
                fontsize=7,
            )
    when = "on its Friday, after the close" if visible_from == "same_day" else "after its Friday"
    panel.set_title(f"Last weeks: a week's value is seen {when}; lines are Fridays", loc="left")


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        draw(
            features=Path(snakemake.input.features),  # noqa: F821
            daily=Path(snakemake.input.daily),  # noqa: F821
            symbol=snakemake.wildcards.symbol,  # noqa: F821
            adjusted_close=snakemake.params.adjusted_close,  # noqa: F821
            visible_from=snakemake.params.visible_from,  # noqa: F821
            simulated=snakemake.params.simulated,  # noqa: F821
            outs=[Path(path) for path in snakemake.output],  # noqa: F821
        )

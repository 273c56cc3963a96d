"""What fills of a quoting strategy earn and cost: improvement, markouts, inventory, daily pnl.

Fills are frames as `scripts.ticks.metrics.read_trades` gives them: timestamp, sign (+1 bought, -1
sold), price, quantity (shares), realized_pnl (currency), position (shares after the fill).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import time
from pathlib import Path

import polars as pl

from scripts.errors import DataError
from scripts.ticks.metrics import read_trades

OPEN, CLOSE = time(10), time(14, 45)  # of continuous trading; strategies see nothing outside
FLAT = time(14, 55)  # from here on positions are closed
MATCHED = ("timestamp", "sign", "quantity")


def trading_days(events: pl.DataFrame) -> list:
    """Dates with at least one trade (price above 0), sorted; `events`: timestamp, type, price."""
    traded = events.filter((pl.col("type") == "TRADE") & (pl.col("price") > 0))
    return traded["timestamp"].dt.date().unique().sort().to_list()


def daily_pnl(fills: pl.DataFrame, days: Sequence) -> pl.DataFrame:
    """Realised pnl of every day, 0 on days without a fill.

    Returns:
        date, realized_pnl (currency), in the order of `days`.

    Raises:
        DataError: a fill on a day that is not among `days`.
    """
    dated = fills.group_by(date=pl.col("timestamp").dt.date()).agg(pl.col("realized_pnl").sum())
    if strange := sorted(set(dated["date"]) - set(days)):
        raise DataError(f"fills on {strange[0]}, expected trading days only")
    every = pl.DataFrame({"date": list(days)}, schema={"date": pl.Date})
    return every.join(dated, on="date", how="left", maintain_order="left").fill_null(0.0)


def same_fills(left: pl.DataFrame, right: pl.DataFrame) -> bool:
    """Whether two runs made the same fills, row by row, but for their prices."""
    return left.select(MATCHED).equals(right.select(MATCHED))


def price_improvement(at_print: pl.DataFrame, at_quote: pl.DataFrame) -> pl.DataFrame:
    """How much better than its quote each fill was priced where the print's price was booked.

    A resting order executes at its own price. Who books the print's price instead gains
    sign * (quote - print) a share: never a loss, as only prints at or beyond a quote reach it.

    Args:
        at_print: fills at the print's price.
        at_quote: the same fills at the quote's price.

    Returns:
        timestamp, sign, quantity, print, quote (currency per share), improvement (currency per
        share), gain (currency), a row for each fill.

    Raises:
        DataError: the two are not the same fills.
    """
    if not same_fills(at_print, at_quote):
        counts = f"{at_print.height} and {at_quote.height} fills"
        raise DataError(f"{counts} differ in time, side or size; expected prices alone to differ")
    better = pl.col("sign") * (pl.col("quote") - pl.col("print"))
    both = at_print.select(*MATCHED, print="price").with_columns(quote=at_quote["price"])
    return both.with_columns(improvement=better, gain=better * pl.col("quantity"))


def midpoints(events: pl.DataFrame) -> pl.DataFrame:
    """The middle of the market after the last quote of each moment of continuous trading.

    The book has one level a side, as the strategies keep it: a quote replaces its side, one of size
    0 empties it, and each day begins with an empty book. Moments in which a side is empty or the
    book is crossed have no middle and no row.

    Args:
        events: timestamp, type (BID, ASK, TRADE), price (currency), volume (shares), event order.

    Returns:
        date, timestamp, mid (currency), half_spread (currency), by timestamp.
    """
    clock = pl.col("timestamp").dt.time()
    quotes = events.filter(
        pl.col("type").is_in(["BID", "ASK"]), pl.col("price") > 0, clock >= OPEN, clock < CLOSE
    )
    shown = pl.when(pl.col("volume") > 0).then(pl.col("price")).otherwise(float("nan"))
    sides = {
        name: pl.when(pl.col("type") == name).then(shown).forward_fill().over("date")
        for name in ("BID", "ASK")
    }
    book = (
        quotes.with_columns(date=pl.col("timestamp").dt.date())
        .with_columns(**sides)
        .group_by("date", "timestamp", maintain_order=True)
        .agg(pl.col("BID", "ASK").last())
        .sort("timestamp")
    )
    whole = pl.col("BID").is_not_nan() & pl.col("ASK").is_not_nan()
    return book.filter(whole & (pl.col("BID") < pl.col("ASK"))).select(
        "date",
        "timestamp",
        mid=(pl.col("BID") + pl.col("ASK")) / 2,
        half_spread=(pl.col("ASK") - pl.col("BID")) / 2,
    )


def markouts(fills: pl.DataFrame, mids: pl.DataFrame, horizons: Sequence[int]) -> pl.DataFrame:
    """What each fill of continuous trading was worth against the middle before and after it.

    earned = sign * (mid before - price) is the half spread taken (below 0: paid), and marked(h) =
    sign * (mid h seconds later - price) what is left of it, the realised half spread; their
    difference is what the market moved against the fill (Huang and Stoll 1996).

    Args:
        fills: timestamp, sign, price, quantity; those outside continuous trading are left out.
        mids: of `midpoints`.
        horizons: seconds, 1 or more.

    Returns:
        date, timestamp, quantity, mid (before the fill: of an earlier second), earned, marked_{h}
        (currency per share; null where trading ends before), a row for each fill with a mid.

    Raises:
        DataError: a horizon below one second.
    """
    if min(horizons, default=0) < 1:
        raise DataError(f"horizons {list(horizons)}: expected seconds of 1 or more")
    clock, when = pl.col("timestamp").dt.time(), pl.col("timestamp")
    found = fills.filter(clock >= OPEN, clock < CLOSE).with_columns(date=when.dt.date())
    found = found.sort("timestamp", maintain_order=True)
    middle = mids.select("date", at="timestamp", mid="mid")
    look = {"right_on": "at", "by": "date", "check_sortedness": False}
    found = found.join_asof(middle, left_on="timestamp", allow_exact_matches=False, **look)
    for horizon in horizons:
        later = found.select("date", then=when + pl.duration(seconds=horizon, time_unit="ns"))
        later = later.join_asof(middle, left_on="then", **look)
        inside = pl.col("then").dt.time() < CLOSE
        marked = later.select(pl.when(inside).then(pl.col("mid"))).to_series()
        found = found.with_columns(marked.alias(f"marked_{horizon}"))
    names = [f"marked_{horizon}" for horizon in horizons]
    gain = [(pl.col("sign") * (pl.col(name) - pl.col("price"))).alias(name) for name in names]
    earned = pl.col("sign") * (pl.col("mid") - pl.col("price"))
    return found.filter(pl.col("mid").is_not_null()).select(
        "date", "timestamp", "quantity", "mid", earned.alias("earned"), *gain
    )


def daily_sums(marks: pl.DataFrame, column: str) -> pl.DataFrame:
    """What `ratio_interval` resamples: sums of a markout and of the value it was earned on, by day.

    Returns:
        date, gain (currency), value (currency: mid * quantity), of fills where `column` is known.
    """
    known = marks.filter(pl.col(column).is_not_null())
    return (
        known.group_by("date")
        .agg(
            gain=(pl.col(column) * pl.col("quantity")).sum(),
            value=(pl.col("mid") * pl.col("quantity")).sum(),
        )
        .sort("date")
    )


def exposure(fills: pl.DataFrame) -> dict[str, float | None]:
    """Inventory between fills, valued at the price of the last fill, by clock time of a day.

    Args:
        fills: in execution order, at least timestamp, price, quantity, position.

    Returns:
        mean_value: time mean of |position| * price over `OPEN` to `FLAT` on days with fills
        (currency); peak_value: its largest (currency); holding_min: mean minutes that a share is
        held: time integral of |position| / half the traded shares (Little's law). None: no fill.
    """
    if fills.is_empty():
        return dict.fromkeys(("mean_value", "peak_value", "holding_min"))
    dated = fills.with_columns(date=pl.col("timestamp").dt.date())
    following = pl.col("timestamp").shift(-1).over("date")
    end = pl.col("date").dt.combine(FLAT, time_unit="ns")
    until = pl.max_horizontal(following.fill_null(end), "timestamp")
    held = dated.with_columns(
        seconds=(until - pl.col("timestamp")).dt.total_seconds(),
        shares=pl.col("position").abs(),
    )
    length = (FLAT.hour - OPEN.hour) * 3600 + (FLAT.minute - OPEN.minute) * 60
    value = held["shares"] * held["price"]
    integral = float((held["shares"] * held["seconds"]).sum())
    return {
        "mean_value": float((value * held["seconds"]).sum()) / (length * held["date"].n_unique()),
        "peak_value": float(value.max()),
        "holding_min": integral / (float(held["quantity"].sum()) / 2) / 60,
    }


def read_fills(paths: Iterable[Path]) -> pl.DataFrame:
    """Trades files of many backtests in one frame.

    Args:
        paths: .../{mode}/{strategy}/{variant}/{security}.csv.

    Returns:
        mode, strategy, variant, security, and the columns of fills, each file in execution order.
    """
    frames = []
    for path in paths:
        *_, mode, strategy, variant, _ = path.parts
        labels = {"mode": mode, "strategy": strategy, "variant": variant, "security": path.stem}
        named = [pl.lit(text).alias(name) for name, text in labels.items()]
        frames.append(read_trades(path).select(*named, pl.all()))
    return pl.concat(frames)

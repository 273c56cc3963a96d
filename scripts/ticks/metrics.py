"""Performance of a backtest from its fills: one security, or a portfolio merged in time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from scripts.errors import DataError
from scripts.tables import Column, conform

YEAR_DAYS = 252
FILLS = {
    "timestamp": Column(pl.Datetime("ns"), "time of the fill, exchange's local time"),
    "sign": Column(pl.Int64, "1 bought, -1 sold"),
    "price": Column(pl.Float64, "price of the fill, AED"),
    "quantity": Column(pl.Int64, "shares"),
    "realized_pnl": Column(pl.Float64, "gain of what the fill closed, AED"),
    "position": Column(pl.Int64, "shares held after the fill, negative: short"),
    "closes": Column(pl.Boolean, "whether the fill reduced a position"),
}
SCORES = {
    "trades": Column(pl.Int64, "fills"),
    "volume": Column(pl.Int64, "shares bought and sold"),
    "realized_pnl": Column(pl.Float64, "sum of realised pnl, AED"),
    "days": Column(pl.Int64, "dates with fills"),
    "sharpe": Column(
        pl.Float64,
        f"mean / standard deviation of daily pnl * sqrt({YEAR_DAYS}); null: no deviation",
    ),
    "max_drawdown": Column(pl.Float64, "largest fall of cumulative pnl below its peak, AED, >= 0"),
    "max_drawdown_pct": Column(pl.Float64, "the same in percent of the peak; null: a peak of 0"),
    "calmar": Column(pl.Float64, f"mean daily pnl * {YEAR_DAYS} / max_drawdown; null: no fall"),
    "win_rate_pct": Column(pl.Float64, "closing fills with a gain, percent of closing fills"),
    "profit_factor": Column(pl.Float64, "gains / losses; null: no loss"),
    "avg_trade_pnl": Column(pl.Float64, "realised pnl by fill, AED; null: no fill"),
}
METRICS = tuple(SCORES)


def fills_frame(fills: np.ndarray) -> pl.DataFrame:
    """Fills of a backtest as a frame.

    Args:
        fills: `engine.FILLS` or `closing.FILLS`, in execution order.

    Returns:
        columns `FILLS`.
    """
    frame = pl.DataFrame(
        {
            "timestamp": fills["timestamp"].astype("datetime64[ns]"),
            "sign": fills["side"],
            **{c: fills[c] for c in ("price", "quantity", "realized_pnl", "position")},
        }
    )
    return conform(frame.with_columns(closes=closes()), FILLS)


def closes() -> pl.Expr:
    """Whether a fill was made against an open position."""
    before = pl.col("position") - pl.col("sign") * pl.col("quantity")
    return before * pl.col("sign") < 0


def read_trades(path: Path) -> pl.DataFrame:
    """A trades CSV of either format (see `backtest.write_trades`) as `fills_frame` gives it.

    Raises:
        DataError: the file is empty or broken.
    """
    try:
        raw = pl.read_csv(path, infer_schema=False, empty_string_is_null=False)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{path}: not a whole trades file ({reason}); delete it and run again"
        ) from None
    raw = raw.rename({"fill_price": "price", "fill_qty": "quantity"}, strict=False)
    stamp = pl.col("timestamp").str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="ns")
    frame = raw.select(
        stamp,
        pl.when(pl.col("side") == "buy").then(1).otherwise(-1).cast(pl.Int64).alias("sign"),
        pl.col("price").cast(pl.Float64),
        pl.col("quantity").cast(pl.Int64),
        pl.col("realized_pnl").cast(pl.Float64),
    )
    frame = frame.with_columns(position=(pl.col("sign") * pl.col("quantity")).cum_sum())
    return frame.with_columns(closes=closes())


def score(fills: pl.DataFrame) -> dict[str, float | int | None]:
    """Metrics of one run, or of a portfolio: fills are put in time order first, stably.

    Args:
        fills: columns timestamp, quantity, realized_pnl, closes.

    Returns:
        `METRICS`. Pnl in currency; None where the formula has no value.
        sharpe = mean / sample standard deviation * sqrt(252) of realised pnl by date with fills;
        max_drawdown = largest fall of cumulative realised pnl below its running peak (the start, 0,
        counts as a peak), as an amount >= 0, and in percent of that peak (none for a peak of 0);
        calmar = mean daily pnl * 252 / max_drawdown; win_rate_pct = closing fills with a gain, of
        closing fills; profit_factor = gains / losses.
    """
    fills = fills.sort("timestamp", maintain_order=True)
    pnl = fills["realized_pnl"]
    daily = fills.group_by(pl.col("timestamp").dt.date(), maintain_order=True).agg(
        pl.col("realized_pnl").sum()
    )["realized_pnl"]
    deviation = daily.std() if daily.n_unique() > 1 else None
    path = np.concatenate([[0.0], pnl.cum_sum().to_numpy()])
    peak = np.maximum.accumulate(path)
    trough = int(np.argmax(peak - path))
    drawdown = float(peak[trough] - path[trough])
    closing = fills.filter("closes")
    losses = -float(pnl.filter(pnl < 0).sum())
    mean = daily.mean()
    return {
        "trades": fills.height,
        "volume": int(fills["quantity"].sum()),
        "realized_pnl": float(pnl.sum()),
        "days": daily.len(),
        "sharpe": scaled(ratio(mean, deviation), YEAR_DAYS**0.5),
        "max_drawdown": drawdown,
        "max_drawdown_pct": ratio(drawdown * 100, float(peak[trough])),
        "calmar": scaled(ratio(mean, drawdown), YEAR_DAYS),
        "win_rate_pct": ratio((closing["realized_pnl"] > 0).sum() * 100, closing.height),
        "profit_factor": ratio(float(pnl.filter(pnl > 0).sum()), losses),
        "avg_trade_pnl": ratio(float(pnl.sum()), fills.height),
    }


def ratio(numerator: float | None, denominator: float | None) -> float | None:
    """Their quotient, or None where one is missing or the denominator is 0."""
    if numerator is None or not denominator:
        return None
    return float(numerator) / float(denominator)


def scaled(value: float | None, factor: float) -> float | None:
    """`value * factor`, or None."""
    return None if value is None else value * factor

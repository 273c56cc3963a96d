"""Adjustment factors of any frame with symbol and date."""

from __future__ import annotations

import polars as pl

FACTORS = ("split_factor", "total_return_factor")


def adjust(frame: pl.DataFrame, adjustments: pl.DataFrame) -> pl.DataFrame:
    """`frame` with split_factor and total_return_factor of each row, in the same order.

    A factor of an event holds for the sessions before it and from the event before it on. So a row
    takes the first event strictly after its date; after the last event, and for a symbol without
    any, both factors are 1. Adjusted price = raw price * factor, adjusted volume = raw volume /
    split_factor.

    Args:
        frame: columns symbol (String) and date (Date), any others.
        adjustments: silver `adjustments`: symbol, date, split_factor, total_return_factor.
    """
    events = adjustments.select(
        "symbol", pl.col("date").dt.offset_by("-1d").alias("_last"), *FACTORS
    ).sort("_last", "symbol")
    return (
        frame.with_row_index("_row")
        .sort("date", maintain_order=True)
        .join_asof(
            events,
            left_on="date",
            right_on="_last",
            by="symbol",
            strategy="forward",
            check_sortedness=False,  # both are sorted just above
        )
        .sort("_row")
        .drop("_row", "_last", strict=False)
        .with_columns(pl.col(*FACTORS).fill_null(1.0))
    )

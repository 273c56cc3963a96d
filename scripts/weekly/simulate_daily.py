"""A long daily history of the simulated market, the one whose last days the lake lands."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from scripts.lake import market
from scripts.lake.market_events import price_factor
from scripts.lake.market_listings import generator, listings
from scripts.plan.calendar import Calendar
from scripts.tables import Column, conform, write

RANGE = 0.008  # of a day: standard deviation of the log distance of open, high and low
COLUMNS = {
    "symbol": Column(pl.String, "symbol"),
    "date": Column(pl.Date, "session"),
    "open": Column(pl.Float64, "first price, dollars"),
    "high": Column(pl.Float64, "highest price, dollars"),
    "low": Column(pl.Float64, "lowest price, dollars"),
    "close": Column(pl.Float64, "last price, dollars; that of the lake's daily bar"),
    "volume": Column(pl.Int64, "shares"),
    "adj_close": Column(pl.Float64, "close in shares of the last day: adjusted for splits"),
}


def sessions_of(calendar: Path, end: str, weeks: int) -> list[date]:
    """Sessions of so many weeks up to a date."""
    last = date.fromisoformat(end)
    first = last - timedelta(weeks=weeks) + timedelta(days=1)
    days = Calendar(calendar).between(first.isoformat(), end)
    return [date.fromisoformat(day) for day in days]


def history(seed: int, symbol: str, days: Sequence[date]) -> pl.DataFrame:
    """Daily bars of a symbol on the days that it trades; columns `COLUMNS`."""
    days = [day for day in days if market.trades_on(seed, symbol, day)]
    closes = np.array([market.close(seed, symbol, day) for day in days])
    factors = np.array([price_factor(seed, symbol, day) for day in days])
    rng = generator(seed, "daily", symbol)
    noise = rng.standard_normal((4, market.STEPS))[:, [market.weekdays(day) for day in days]]
    opens = closes * np.exp(noise[0] * RANGE)
    return pl.DataFrame(
        {
            "symbol": [symbol] * len(days),
            "date": days,
            "open": opens,
            "high": np.maximum(opens, closes) * np.exp(np.abs(noise[1]) * RANGE),
            "low": np.minimum(opens, closes) * np.exp(-np.abs(noise[2]) * RANGE),
            "close": closes,
            "volume": np.round(listings(seed)[symbol].bars * 1e4 * np.exp(0.3 * noise[3])),
            "adj_close": closes / factors * (factors[-1] if len(days) else 1.0),
        },
        schema_overrides={"date": pl.Date, "symbol": pl.String},
    )


def simulate(*, calendar: Path, seed: int, end: str, weeks: int, out: Path) -> dict:
    """Write the history of every symbol that trades, sorted by symbol, date.

    Args:
        calendar: CSV of the sessions.
        seed: of the market.
        end: last date, YYYY-MM-DD.
        weeks: length.
        out: parquet of `COLUMNS`.

    Returns:
        numbers of symbols, sessions and rows.
    """
    days = sessions_of(calendar, end, weeks)
    frame = pl.concat([history(seed, symbol, days) for symbol in listings(seed)])
    frame = conform(frame, COLUMNS).sort("symbol", "date")
    write(frame, out)
    return {
        "symbols": frame["symbol"].n_unique(),
        "sessions": len(days),
        "rows": frame.height,
    }


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            simulate(
                calendar=Path(snakemake.input.calendar),  # noqa: F821
                seed=snakemake.params.seed,  # noqa: F821
                end=snakemake.params.end,  # noqa: F821
                weeks=snakemake.params.weeks,  # noqa: F821
                out=Path(snakemake.output.daily),  # noqa: F821
            ),
        )

"""When games begin, on the clock of the world."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import polars as pl

from scripts.errors import DataError

NEW_YORK = ZoneInfo("America/New_York")
USUAL = time(13)  # New York; where the schedule of old seasons has no time


def mended(kickoff: pl.Expr, neutral: pl.Expr) -> pl.Expr:
    """Kickoffs of nflverse's games.csv where its clock is half a day off.

    It has 09:00 for 21:00 (102 night games of 2000 to 2005; the earliest real kickoffs are those
    of Europe, 09:30) and, in 2017 and 2018, 21:30 for the 09:30 of five games in London.

    Args:
        kickoff: HH:MM in New York; null: unknown.
        neutral: whether neither team is at home.
    """
    return (
        pl.when(kickoff == "09:00")
        .then(pl.lit("21:00"))
        .when((kickoff == "21:30") & neutral)
        .then(pl.lit("09:30"))
        .otherwise(kickoff)
    )


def kickoff_utc(day: date, kickoff: str | None) -> datetime:
    """The kickoff in UTC.

    Args:
        day: of the kickoff in New York.
        kickoff: its time there, HH:MM; None: 13:00.

    Raises:
        DataError: `kickoff` is no time.
    """
    try:
        clock = USUAL if kickoff is None else datetime.strptime(kickoff, "%H:%M").time()
    except ValueError:
        raise DataError(f"kickoff {kickoff!r} on {day}: expected HH:MM in New York") from None
    return datetime.combine(day, clock, NEW_YORK).astimezone(UTC)

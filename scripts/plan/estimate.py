"""What a plan of the lake would fetch and write, told by a dry run. Standard library only."""

from __future__ import annotations

from scripts.plan.lake import FAMILY, FLAT, LakePlan

# MiB of a full market day: the landed file, and all that is made of it. Measured on the generated
# day of `make bench` (11k stocks with 1.5 M minutes, 250k options with 4 M).
LANDED = {"stocks_daily": 0.3, "stocks_minute": 25, "options_daily": 5, "options_minute": 76}
WRITTEN = {"stocks_daily": 8, "stocks_minute": 70, "options_daily": 9, "options_minute": 57}
# Calls for one partition of the whole market: records of a month (news: a day) by those of a page.
CALLS = {
    "balance_sheets": 25,
    "dividends": 4,
    "ipos": 1,
    "news": 1,
    "ratios": 1200,
    "short_interest": 400,
    "short_volume": 2300,
    "splits": 1,
    "ticker_types": 1,
    "tickers": 40,
}
BY_TICKER = ("balance_sheets", "related", "ratios", "ticker_events")


def estimate(plan: LakePlan) -> str:
    """One line: flat files and MiB to land, REST calls (at least), MiB to write."""
    landed = {d: [day for day in plan.days(d) if day not in plan.landed(d)] for d in FLAT}
    if plan.skips("landing"):
        landed = {}
    files = sum(map(len, landed.values()))
    fetch = sum(LANDED[dataset] * len(days) for dataset, days in landed.items())
    write = sum(WRITTEN[dataset] * len(days) for dataset, days in landed.items())
    calls = sum(_calls(plan, dataset) for dataset in sorted(set(FAMILY) - set(FLAT)))
    return (
        f"lake: {files:,} flat files to land, about {_size(fetch)}; {calls:,} REST calls or more; "
        f"about {_size(fetch + write)} of disk (for a full market)"
    )


def _calls(plan: LakePlan, dataset: str) -> int:
    """Calls for partitions that are not there or still open; one call tells all statements."""
    if plan.skips("bronze") or dataset in ("cash_flow", "income_statements"):
        return 0
    there = plan.on_disk(f"bronze/{dataset}")
    keys = plan.partitions(dataset)
    wanted = [k for k in keys if k not in there or plan.known_at(dataset, k) == plan.as_of]
    by_ticker = dataset in BY_TICKER and plan.tickers is not None
    each = len(plan.tickers) if by_ticker else CALLS.get(dataset, 0)
    return each * len(wanted)


def _size(mib: float) -> str:
    return f"{mib / 1024:,.1f} GiB" if mib >= 1024 else f"{mib:,.0f} MiB"

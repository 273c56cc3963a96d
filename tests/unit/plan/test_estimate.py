"""What a dry run says it would fetch."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.plan import estimate
from scripts.plan.lake import FAMILY, FLAT
from tests.plans import lake_plan as plan
from tests.plans import land, put


@pytest.mark.parametrize("landed", [[], ["2025-09-05"]])
def test_only_what_is_not_there_is_fetched(tmp_path: Path, landed: list[str]) -> None:
    land(tmp_path, "stocks_minute", *landed)
    lake = plan(
        tmp_path, as_of="2025-09-08", start="2025-09-05", datasets=["stocks_minute", "actions"]
    )
    sessions = 2 - len(landed)
    fetched = estimate.LANDED["stocks_minute"] * sessions
    written = fetched + estimate.WRITTEN["stocks_minute"] * sessions
    calls = sum(estimate.CALLS[name] for name in ("dividends", "ipos", "splits"))
    assert estimate.estimate(lake) == (
        f"lake: {sessions} flat files to land, about {fetched} MiB; {calls} REST calls or more; "
        f"about {written} MiB of disk (for a full market)"
    )


@pytest.mark.parametrize(("open_days", "calls"), [(0, 9), (30, 12)])
def test_calls_per_ticker_are_counted_for_missing_and_open_partitions(
    tmp_path: Path, open_days: int, calls: int
) -> None:
    put(tmp_path, "bronze/ticker_events/month=2025-08")
    names = ["financials", "ticker_events"]
    lake = plan(
        tmp_path,
        as_of="2025-09-08",
        start="2025-08-25",
        datasets=names,
        fundamental_tickers=["KO", "NA", "XOM"],
        look_back={"financials": 0},
        revision_days={"rest": open_days},
    )
    # 3 tickers x (financials of two months, ticker events of one, of August too while it is open)
    assert f"; {calls} REST calls or more;" in estimate.estimate(lake)


def test_every_rest_dataset_has_its_number_of_calls(tmp_path: Path) -> None:
    counted = set(estimate.CALLS) | set(estimate.BY_TICKER) | {"cash_flow", "income_statements"}
    assert counted == set(FAMILY) - set(FLAT)
    assert set(estimate.LANDED) == set(estimate.WRITTEN) == set(FLAT)

"""Parity mode on real ticks: the trades of the peer's own code, byte for byte (spec section 4)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from scripts.plan.ticks import TickPlan
from scripts.ticks.build_parquet import build
from scripts.ticks.events import KINDS, Events, read_events
from scripts.ticks.simulate_trades import simulate
from scripts.ticks.sources import workbook_securities
from scripts.ticks.strategies.closing_strategy import default_notional
from tests.oracles import ticks as oracle
from tests.plans import demo_plan
from tests.unit.ticks.against_oracle import SWITCHES, run_both

QUOTING = ("v1_baseline", "v2_price_follow_qty_cooldown", "v2_1_stop_loss", "v3_liquidity_monitor")
CLOSING = "closing_strategy"
SECURITIES = ("ADNOCLS", "MODON", "PARKIN", "SPINNEYS")
SMALL, SAMPLE = "TickData_Small.xlsx", "TickData_Sample.xlsx"
# Folder below `expected` -> (strategy, variant) that makes it.
RUNS = {
    **{strategy: (strategy, "base") for strategy in QUOTING},
    CLOSING: (CLOSING, "base"),
    "closing_strategy_notrend": (CLOSING, "trend_filter_sell_enabled=false"),
    "v1_small_workbook": ("v1_baseline", "base"),
}
EXPECTED = [
    *((folder, security) for folder in (*QUOTING[:3], CLOSING) for security in SECURITIES),
    *(("closing_strategy_notrend", security) for security in SECURITIES),
    *(("v3_liquidity_monitor", security) for security in SECURITIES[1:]),  # ADNOCLS was not run
    ("v1_small_workbook", "EMAAR"),
]
SAMPLE_SECURITIES = ("SECURITY_00", "SECURITY_01", "SECURITY_02")


@pytest.fixture(scope="module")
def ticks(real_data: Path) -> Path:
    return real_data / "ticks"


@pytest.fixture(scope="module")
def plan() -> TickPlan:
    return demo_plan()


@pytest.fixture(scope="module")
def built(ticks: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path], Path]:
    """Checked parquet of a security from its source, each built once; nothing may be refused."""
    folder, done = tmp_path_factory.mktemp("parquet"), {}

    def make(security: str, source: Path) -> Path:
        if security not in done:
            out = done[security] = folder / f"{security}.parquet"
            build(
                source=source,
                security=security,
                header_row=3,
                max_quarantined_share=0,
                out=out,
                quarantine=folder / f"{security}.quarantine",
                reconcile=folder / f"{security}.json",
            )
        return done[security]

    return make


def source_of(ticks: Path, security: str) -> Path:
    if security == "EMAAR":
        return ticks / "workbooks" / SMALL
    if security in SAMPLE_SECURITIES:
        return ticks / "workbooks" / SAMPLE
    return ticks / "parquet" / f"{security.lower()}.parquet"


def rows_of(events: Events) -> list[tuple[int, str, float, int]]:
    """Events as the oracle takes them."""
    columns = (column.tolist() for column in events)
    return [(stamp, KINDS[kind], *rest) for stamp, kind, *rest in zip(*columns, strict=True)]


def test_every_file_of_expected_trades_is_compared(ticks: Path) -> None:
    found = {(f.parent.name, f.stem) for f in (ticks / "expected").rglob("*") if f.is_file()}
    assert found == set(EXPECTED)


@pytest.mark.parametrize(("folder", "security"), EXPECTED)
def test_trades_are_the_peers_byte_for_byte(ticks, plan, built, tmp_path, folder, security) -> None:
    strategy, variant = RUNS[folder]
    trades, counts = tmp_path / "trades.csv", tmp_path / "counts.json"
    simulate(
        parquet=built(security, source_of(ticks, security)),
        strategy=strategy,
        security=security,
        parameters=plan.parameters("parity", strategy, variant, security),
        trades=trades,
        counts=counts,
    )
    expected = (ticks / "expected" / folder / f"{security}.csv").read_bytes()
    assert trades.read_bytes() == expected
    assert json.loads(counts.read_text())["trades"] == expected.count(b"\n") - 1 > 0


@pytest.mark.parametrize("strategy", [*QUOTING, CLOSING])
def test_realistic_trades_on_real_ticks_are_the_oracles(ticks, plan, built, strategy) -> None:
    events = read_events(built("SPINNEYS", source_of(ticks, "SPINNEYS")))
    parameters = plan.parameters("realistic", strategy, "base", "SPINNEYS")
    fixes = [fix for fix in SWITCHES[strategy] if parameters[fix]]
    assert fixes == list(SWITCHES[strategy])
    assert len(run_both(strategy, rows_of(events), parameters, fixes=fixes).fills) > 0


@pytest.mark.parametrize("security", SECURITIES)
def test_the_built_parquet_is_the_source_frame(ticks, built, security) -> None:
    source = source_of(ticks, security)
    assert pl.read_parquet(built(security, source)).equals(pl.read_parquet(source))


@pytest.mark.parametrize("security", SECURITIES)
def test_the_default_notional_is_the_one_the_peer_configured(ticks, plan, built, security) -> None:
    events = read_events(built(security, source_of(ticks, security)))
    assert default_notional(events) == plan.table[security]["order_notional"]


def test_the_sample_workbook_holds_three_securities(ticks) -> None:
    assert tuple(workbook_securities(ticks / "workbooks" / SAMPLE)) == SAMPLE_SECURITIES


@pytest.mark.parametrize("security", SAMPLE_SECURITIES)
@pytest.mark.parametrize("strategy", [*QUOTING, CLOSING])
def test_an_unknown_security_runs_with_the_any_row_like_the_oracle(
    ticks, plan, built, tmp_path, strategy, security
) -> None:
    parquet = built(security, source_of(ticks, security))
    parameters = plan.parameters("parity", strategy, "base", security)
    trades, counts = tmp_path / "trades.csv", tmp_path / "counts.json"
    simulate(
        parquet=parquet,
        strategy=strategy,
        security=security,
        parameters=parameters,
        trades=trades,
        counts=counts,
    )
    events = read_events(parquet)
    if strategy == CLOSING:  # the sample ends before noon: no auction, so nothing to size orders by
        parameters["order_notional"] = default_notional(events)
    slow = oracle.simulate(strategy, rows_of(events), parameters, exchange="ADX")
    assert trades.read_text() == oracle.to_csv(strategy, slow["trades"], security)
    assert bool(slow["trades"]) == (strategy != CLOSING)
    found = json.loads(counts.read_text())
    assert found["market_dates"] == slow["market_dates"] == 1
    assert found["position"] == slow["position"]


def test_the_sample_takes_the_peers_code_defaults(plan) -> None:
    parameters = plan.parameters("parity", "v1_baseline", "base", SAMPLE_SECURITIES[0])
    assert parameters["quote_size"] == 50_000
    assert parameters["refill_interval_sec"] == 60
    assert parameters["max_position"] == 2_000_000
    assert parameters["max_notional"] is None

"""The compiled strategies against the oracle: every field of every fill, on hostile events."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.ticks import closing
from scripts.ticks.backtest import TRADE_TYPES
from scripts.ticks.events import Outcome
from tests.unit.ticks import streams
from tests.unit.ticks.against_oracle import CLOSING, STRATEGIES, SWITCHES, run_both
from tests.unit.ticks.streams import CLOSING_PHASES, DAY, FIRST_DAY, SECOND, Event

QUOTING = STRATEGIES[:-1]
SEEDS = range(60)
SWITCH_SEEDS = range(12)
LATE = streams.clock("14:55:00") * SECOND
SWITCHED = [(strategy, fix) for strategy in STRATEGIES for fix in SWITCHES[strategy]]


@cache
def case(strategy: str, seed: int) -> tuple[list[Event], dict]:
    """Events and parameters of one seeded case."""
    if strategy == CLOSING:
        events = streams.stream([1, seed], days=10, rows=120, phases=CLOSING_PHASES)
    else:
        events = streams.stream([1, seed], days=4, rows=250)
    return events, streams.parameters([2, seed], strategy == CLOSING)


def random_run(strategy: str, seed: int) -> Outcome:
    """The case of a seed with random switches (every third: none), fee and latency."""
    rng = np.random.default_rng([3, seed])
    fixes = {fix for fix in SWITCHES[strategy] if rng.random() < 0.4} if seed % 3 else set()
    return run_both(
        strategy,
        *case(strategy, seed),
        fixes=fixes,
        fee_bps=float(rng.choice([0.0, 0.0, 2.5])),
        latency_ticks=int(rng.choice([0, 0, 1, 4])),
    )


@cache
def parity_run(strategy: str, seed: int) -> Outcome:
    """The case of a seed in parity mode."""
    return run_both(strategy, *case(strategy, seed))


@cache
def realistic_run(strategy: str, seed: int) -> Outcome:
    """The case of a seed with every fix."""
    return run_both(strategy, *case(strategy, seed), fixes=SWITCHES[strategy])


def differ(one: Outcome, other: Outcome) -> bool:
    return one.fills.tobytes() != other.fills.tobytes()


# Seeded part: the same cases on every machine.


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_random_parameters_switches_and_costs_give_the_oracles_fills(strategy: str) -> None:
    fills = sum(len(random_run(strategy, seed).fills) for seed in SEEDS)
    assert fills > (300 if strategy == CLOSING else 1500)


@pytest.mark.parametrize(("strategy", "fix"), SWITCHED)
def test_a_fix_alone_changes_fills_as_in_the_oracle(strategy: str, fix: str) -> None:
    alone = [run_both(strategy, *case(strategy, seed), fixes=[fix]) for seed in SWITCH_SEEDS]
    assert sum(map(differ, alone, (parity_run(strategy, seed) for seed in SWITCH_SEEDS))) > 0


@pytest.mark.parametrize(("strategy", "fix"), SWITCHED)
def test_a_missing_fix_changes_fills_as_in_the_oracle(strategy: str, fix: str) -> None:
    rest = [other for other in SWITCHES[strategy] if other != fix]
    without = [run_both(strategy, *case(strategy, seed), fixes=rest) for seed in SWITCH_SEEDS]
    changed = sum(map(differ, without, (realistic_run(strategy, s) for s in SWITCH_SEEDS)))
    # One trade meets both our quotes only where they cross, which no_self_cross rules out.
    assert changed == 0 if fix == "share_volume" else changed > 0


@pytest.mark.parametrize("strategy", QUOTING)
def test_latency_changes_fills_as_in_the_oracle(strategy: str) -> None:
    later = [run_both(strategy, *case(strategy, seed), latency_ticks=3) for seed in SWITCH_SEEDS]
    assert sum(map(differ, later, (parity_run(strategy, seed) for seed in SWITCH_SEEDS))) > 3


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_fee_lowers_the_pnl_of_the_same_fills(strategy: str) -> None:
    for seed in SWITCH_SEEDS:
        free = parity_run(strategy, seed).fills
        dear = run_both(strategy, *case(strategy, seed), fee_bps=10.0).fills
        fee = 10 / 10_000 * free["price"] * free["quantity"]
        np.testing.assert_allclose(dear["realized_pnl"], free["realized_pnl"] - fee, atol=1e-9)


# Did the seeded part meet every branch?


def late_events(events: list[Event]) -> dict[int, list[Event]]:
    """Events from 14:55 on with a price, by day."""
    by_day: dict[int, list[Event]] = {}
    for event in events:
        if event[0] % DAY >= LATE and event[2] > 0:
            by_day.setdefault(event[0] // DAY, []).append(event)
    return by_day


def quoting_branches(strategy: str, seed: int) -> set[str]:
    """Names of what happened in the parity run of a quoting strategy."""
    events, parameters = case(strategy, seed)
    fills = parity_run(strategy, seed).fills
    late, first_late = fills["timestamp"] % DAY >= LATE, late_events(events)
    flattened = {int(day) for day in fills["timestamp"][late] // DAY}
    flags = {
        "flip": any(one["position"] * other["position"] < 0 for one, other in pairwise(fills)),
        "flatten": bool(flattened),
        "pending flatten": any(first_late[day][0][1] != "TRADE" for day in flattened),
        "flatten at a print without volume": any(
            next(e for e in first_late[day] if e[1] == "TRADE")[3] == 0 for day in flattened
        ),
        "position carried overnight": any(
            one["timestamp"] // DAY != other["timestamp"] // DAY and one["position"] != 0
            for one, other in pairwise(fills)
        ),
        "position limit reached": parameters["max_position"] in map(abs, fills["position"]),
        "both sides on one trade": any(
            (one["side"], other["side"]) == (-1, 1)
            and (one["timestamp"], one["price"]) == (other["timestamp"], other["price"])
            for one, other in pairwise(fills[~late])
        ),
    }
    return {name for name, happened in flags.items() if happened}


@pytest.mark.parametrize("strategy", QUOTING)
@pytest.mark.parametrize(
    "branch",
    [
        "flip",
        "flatten",
        "pending flatten",
        "flatten at a print without volume",
        "position carried overnight",
        "position limit reached",
        "both sides on one trade",
    ],
)
def test_the_quoting_cases_reach(strategy: str, branch: str) -> None:
    reached = sum(branch in quoting_branches(strategy, seed) for seed in SEEDS)
    assert reached >= 2, f"{branch}: {reached} of {len(SEEDS)} runs"


def with_parameter(strategy: str, seed: int, fixes: tuple[str, ...], **changed: object) -> bool:
    """Whether another value of a parameter changes the fills, so that the first one mattered."""
    events, parameters = case(strategy, seed)
    one = run_both(strategy, events, parameters, fixes=fixes)
    return differ(one, run_both(strategy, events, {**parameters, **changed}, fixes=fixes))


@pytest.mark.parametrize(
    ("strategy", "fixes", "changed"),
    [
        ("v1_baseline", (), {"max_notional": None}),
        ("v2_price_follow_qty_cooldown", ("enforce_max_notional",), {"max_notional": None}),
        ("v2_1_stop_loss", (), {"stop_loss_threshold_pct": 1e9}),
        ("v2_1_stop_loss", SWITCHES["v2_1_stop_loss"], {"stop_loss_threshold_pct": 1e9}),
        *((strategy, (), {"refill_interval_sec": 7}) for strategy in QUOTING),
        *((strategy, (), {"min_local_currency_before_quote": 0}) for strategy in QUOTING),
        (CLOSING, ("enforce_max_notional",), {"max_notional": None}),
        (CLOSING, ("true_exchange",), {"exchange": "DFM"}),
        (CLOSING, (), {"peer_exchange": "DFM"}),
        (CLOSING, (), {"vwap_preclose_period_min": 30}),
        (CLOSING, (), {"stop_loss_threshold_pct": 1e9}),
    ],
)
def test_the_parameter_matters_in_the_cases(strategy, fixes, changed) -> None:
    assert sum(with_parameter(strategy, seed, fixes, **changed) for seed in range(24)) >= 2


def test_max_notional_is_ignored_by_v2_in_parity() -> None:
    strategy = "v2_price_follow_qty_cooldown"
    assert not any(with_parameter(strategy, s, (), max_notional=None) for s in SWITCH_SEEDS)


def test_the_closing_cases_reach_every_kind_of_trade_and_both_filters() -> None:
    runs = Counter()
    for seed in SEEDS:
        fills, counts = parity_run(CLOSING, seed)
        runs.update({TRADE_TYPES[kind] for kind in fills["trade_type"]})
        runs.update(name for name in ("filtered_sell", "filtered_buy") if counts[name])
        entries = fills[fills["trade_type"] == closing.AUCTION_ENTRY]
        runs["both sides at one cross"] += bool(np.any(np.diff(entries["timestamp"]) == 0))
    wanted = {*TRADE_TYPES, "filtered_sell", "filtered_buy", "both sides at one cross"}
    assert {name for name in wanted if runs[name] < 3} == set(), runs


# Generated part: small streams that hypothesis can shrink.

CLOCKS = st.sampled_from(streams.BORDERS) | st.integers(
    streams.clock("09:59:00"), streams.clock("15:01:00")
)
ROWS = st.tuples(
    CLOCKS,
    st.sampled_from(streams.KINDS),
    st.integers(0, 8),  # ticks above the day's level; 0: price 0
    st.sampled_from([0, 1, 2, 5, 30, 1000]),
)
DAYS = st.lists(st.lists(ROWS, min_size=1, max_size=40), min_size=1, max_size=5)


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    tick = draw(st.sampled_from([0.001, 0.01, 0.02, 0.05]))
    level = draw(st.sampled_from([20, 500, 999]))
    in_order, events = draw(st.booleans()), []
    for day, rows in enumerate(draw(DAYS)):
        for second, kind, ticks, volume in (
            sorted(rows, key=lambda row: row[0]) if in_order else rows
        ):
            price = (level + ticks) * tick if ticks else 0.0
            events.append((FIRST_DAY + day * DAY + second * SECOND, kind, price, volume))
    return events


@pytest.mark.parametrize("strategy", STRATEGIES)
@settings(max_examples=60)
@given(data=st.data())
def test_generated_events_give_the_oracles_fills(strategy: str, data: st.DataObject) -> None:
    run_both(
        strategy,
        data.draw(event_lists(), label="events"),
        streams.parameters(data.draw(st.integers(0, 10_000), label="seed"), strategy == CLOSING),
        fixes=data.draw(st.sets(st.sampled_from(SWITCHES[strategy])), label="fixes"),
        fee_bps=data.draw(st.sampled_from([0.0, 0.0, 3.5]), label="fee"),
        latency_ticks=data.draw(st.sampled_from([0, 0, 1, 5]), label="latency"),
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_events_give_no_fills(strategy: str) -> None:
    assert len(run_both(strategy, [], case(strategy, 0)[1]).fills) == 0

"""Events in memory: reading the parquet, the two sorts, and the growing array of fills."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.ticks import events as module
from scripts.ticks import market_making
from scripts.ticks.backtest import backtest
from scripts.ticks.events import KINDS, SCHEMA, Events, grow, read_events
from tests.unit.ticks import streams
from tests.unit.ticks.against_oracle import CLOSING, STRATEGIES


def write(path: Path, events: list[streams.Event], group: int) -> Path:
    columns = zip(*events, strict=True) if events else [[]] * 4
    arrays = [
        pa.array(list(values)).cast(field.type) if values else pa.array([], field.type)
        for values, field in zip(columns, SCHEMA, strict=True)
    ]
    pq.write_table(pa.table(arrays, schema=SCHEMA), path, row_group_size=group)
    return path


def same(one: Events, other: Events) -> bool:
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("group", [1, 7, 100, 10_000])
@pytest.mark.parametrize("batch", [5, 64, 1 << 20])
def test_any_row_groups_and_batches_give_the_same_events(tmp_path, monkeypatch, group, batch):
    events = streams.stream(5, days=1, rows=150)
    path = write(tmp_path / "x.parquet", events, group)
    monkeypatch.setattr(module, "BATCH", batch)
    assert same(read_events(path), streams.arrays(events))


def test_row_groups_that_name_the_kinds_in_another_order_read_the_same(tmp_path: Path) -> None:
    kinds = ["TRADE", "ASK", "BID", "BID", "TRADE", "ASK", "ASK", "ASK", "ASK"]
    events = [(streams.FIRST_DAY + i, kind, 1.0, i) for i, kind in enumerate(kinds)]
    read = read_events(write(tmp_path / "x.parquet", events, 3))
    assert [KINDS[code] for code in read.kind] == kinds


def test_a_file_without_rows_gives_no_events(tmp_path: Path) -> None:
    read = read_events(write(tmp_path / "x.parquet", [], 10))
    assert same(read, Events.of([], [], [], []))


def tied(seed: int) -> Events:
    """Events of few distinct times; the volume is the row's number."""
    n = 3000
    seconds = np.random.default_rng(seed).integers(0, 200, n)
    return Events.of(seconds * streams.SECOND, np.zeros(n), np.ones(n), np.arange(n))


@pytest.mark.parametrize("seed", range(5))
def test_quicksort_gives_the_order_of_pandas_sort_values(seed: int) -> None:
    events = tied(seed)
    frame = pd.DataFrame(
        {"timestamp": events.timestamp.view("datetime64[ns]"), "row": events.volume}
    )
    expected = frame.sort_values("timestamp")["row"].to_numpy()
    assert np.array_equal(events.sorted("quicksort").volume, expected)
    assert not np.array_equal(expected, events.sorted("stable").volume)


def test_a_stable_sort_keeps_the_order_of_one_second() -> None:
    ordered = tied(0).sorted("stable")
    rows = list(zip(ordered.timestamp.tolist(), ordered.volume.tolist(), strict=True))
    assert rows == sorted(rows)


def test_sorting_moves_whole_rows() -> None:
    events = Events.of([3, 1, 2], [2, 0, 1], [0.3, 0.1, 0.2], [30, 10, 20])
    assert same(
        events.sorted("stable"), Events.of([1, 2, 3], [0, 1, 2], [0.1, 0.2, 0.3], [10, 20, 30])
    )


def test_of_takes_plain_lists_in_the_types_of_the_loops() -> None:
    events = Events.of([1], [2], [3], [4])
    assert [column.dtype.name for column in events] == ["int64", "uint8", "float64", "int64"]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("room", [1, 11])
def test_a_tiny_array_of_fills_grows_to_the_same_fills(monkeypatch, strategy, room) -> None:
    closing = strategy == CLOSING
    phases = streams.CLOSING_PHASES if closing else streams.MAKING_PHASES
    events = streams.arrays(streams.stream([1, 3], days=10, rows=200, phases=phases))
    parameters = streams.parameters([2, 3], closing)
    expected = backtest(strategy, events, parameters)
    owner = (
        importlib.import_module(f"scripts.ticks.strategies.{CLOSING}") if closing else market_making
    )
    calls = []

    def tiny(run, events, state, fills):
        def counted(*args):
            calls.append(len(args[-1]))
            return run(*args)

        return grow(counted, events, state, fills[:room])

    monkeypatch.setattr(owner, "grow", tiny)
    found = backtest(strategy, events, parameters)
    assert len(calls) > 1  # it did run out of room
    assert found.fills.tobytes() == expected.fills.tobytes()
    assert found.counts == expected.counts

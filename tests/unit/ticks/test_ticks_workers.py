"""One worker against many, sweeps over one load, and the step that compiles."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import polars as pl
import pytest

from scripts.errors import DataError
from scripts.ticks import check_workers, market_making
from scripts.ticks.backtest import backtest
from scripts.ticks.build_parquet import write
from scripts.ticks.compile_kernel import compile_kernel
from scripts.ticks.events import KINDS, Events, read_events
from scripts.ticks.metrics import fills_frame
from scripts.ticks.simulate_sweep import simulate
from tests.unit.ticks import streams
from tests.unit.ticks.against_oracle import CLOSING, STRATEGIES


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AAA.parquet and BBB.parquet."""
    found = tmp_path_factory.mktemp("parquet")
    for seed, security in enumerate(("AAA", "BBB")):
        events = streams.stream([8, seed], days=8, rows=200, phases=streams.CLOSING_PHASES)
        frame = pl.DataFrame(
            events, schema=["timestamp", "type", "price", "volume"], orient="row"
        ).with_columns(pl.col("timestamp").cast(pl.Datetime("ns")))
        write(frame, found / f"{security}.parquet")
    return found


def runs() -> list[dict]:
    return [
        {
            "strategy": strategy,
            "security": security,
            "parameters": streams.parameters([2, 3], strategy == CLOSING),
        }
        for strategy in STRATEGIES
        for security in ("AAA", "BBB")
    ]


def test_many_workers_make_the_fills_of_one(folder: Path, tmp_path: Path) -> None:
    report = check_workers.compare(
        runs=runs(), folder=folder, workers=3, out=tmp_path / "benchmark.json"
    )
    assert (report["workers"], report["runs"], report["identical"]) == (3, 10, True)
    assert {"seconds_one", "seconds_all", "speed_up"} < set(report)
    assert json.loads((tmp_path / "benchmark.json").read_text()) == report


def test_fills_that_differ_are_an_error_that_names_the_run(folder, tmp_path, monkeypatch) -> None:
    seen = []

    def unstable(run, parquet) -> str:
        seen.append(parquet)
        return str(len(seen)) if parquet.stem == "BBB" else "same"

    monkeypatch.setattr(check_workers, "digest", unstable)
    out = tmp_path / "benchmark.json"
    with pytest.raises(DataError, match=r"^v1_baseline on BBB: fills differ with 2 workers$"):
        check_workers.compare(runs=runs(), folder=folder, workers=2, out=out)
    assert not out.exists()


def test_the_digest_tells_other_fills_apart(folder: Path) -> None:
    digests = {check_workers.digest(run, folder / f"{run['security']}.parquet") for run in runs()}
    assert len(digests) == len(runs())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_sweep_holds_the_fills_of_each_backtest(folder, tmp_path, strategy) -> None:
    parameters = streams.parameters([2, 3], strategy == CLOSING)
    changed = {**parameters, ("order_notional" if strategy == CLOSING else "quote_size"): 9}
    simulate(
        parquet=folder / "AAA.parquet",
        strategy=strategy,
        security="AAA",
        runs=[
            {"mode": "parity", "variant": "base", "parameters": parameters},
            {"mode": "realistic", "variant": "x=1", "parameters": changed},
        ],
        out=tmp_path / "AAA.parquet",
    )
    events, found = read_events(folder / "AAA.parquet"), pl.read_parquet(tmp_path / "AAA.parquet")
    assert found.columns[:3] == ["mode", "variant", "security"]
    for mode, variant, used in (("parity", "base", parameters), ("realistic", "x=1", changed)):
        mine = found.filter((pl.col("mode") == mode) & (pl.col("variant") == variant))
        expected = fills_frame(backtest(strategy, events, used).fills)
        assert mine.drop("mode", "variant", "security").equals(expected)
        assert expected.height > 0


def test_the_kinds_of_a_written_parquet_are_ours(folder: Path) -> None:
    assert set(pl.read_parquet(folder / "AAA.parquet")["type"]) == set(KINDS)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_compiled_kernel_is_the_one_a_backtest_needs(folder, tmp_path, strategy) -> None:
    (tmp_path / "numba" / "now").mkdir(parents=True)
    out = tmp_path / "kernel.json"
    compile_kernel(strategy=strategy, cache=tmp_path / "numba" / "now", out=out)
    run = importlib.import_module(f"scripts.ticks.strategies.{strategy}").run
    compiled = len(run.signatures)
    parameters = streams.parameters([2, 3], strategy == CLOSING)
    backtest(strategy, read_events(folder / "AAA.parquet"), parameters)
    assert len(run.signatures) == compiled == 1
    assert json.loads(out.read_text())["strategy"] == strategy


def test_caches_of_other_versions_are_removed_and_other_strategies_are_kept(tmp_path: Path) -> None:
    names = ("v1_baseline-old", "v1_baseline-now", "v2_1_stop_loss-old")
    for name in names:
        (tmp_path / "numba" / name).mkdir(parents=True)
        (tmp_path / "numba" / name / "kernel.nbc").touch()
    cache = tmp_path / "numba/v1_baseline-now"
    compile_kernel(strategy="v1_baseline", cache=cache, out=tmp_path / "kernel.json")
    assert sorted(path.name for path in cache.parent.iterdir()) == sorted(names[1:])
    assert (cache / "kernel.nbc").exists()


def test_a_parameter_that_nothing_uses_is_an_error() -> None:
    parameters = {**streams.parameters([2, 3], closing=False), "min_spread_bps": 5}
    with pytest.raises(DataError, match="nothing uses: min_spread_bps"):
        backtest("v1_baseline", Events.of([], [], [], []), parameters)


def test_a_strategy_may_have_a_parameter_of_its_own() -> None:
    seen = []

    def run(timestamp, kind, price, volume, p, s, b, a, fills) -> None:
        seen.append(float(p["min_spread_bps"]))

    parameters = {**streams.parameters([2, 3], closing=False), "min_spread_bps": 5}
    market_making.simulate(
        run, Events.of([], [], [], []), parameters, own={"min_spread_bps": float}
    )
    assert seen == [5.0]

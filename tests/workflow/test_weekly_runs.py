"""Whole runs of the weekly domain: batches, reruns, parity, the lake as input, bad input."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from scripts.weekly.notebook import add_weekly_features_to_daily
from tests.oracles import weekly as oracle
from tests.unit.weekly.comparing import assert_close, known_mappings, mappings_frame
from tests.unit.weekly.weekly_frames import edge_market, mappings_for, random_market
from tests.workflow.lakes import SMALL
from tests.workflow.project import TINY, Project, copy_project, half_written, tail

FRAME = random_market(11, 8, 300)
MAPPINGS = known_mappings(mappings_for(FRAME), FRAME)


def made(tmp_path: Path, frame: pl.DataFrame = FRAME, **weekly: object) -> Project:
    """A project whose weekly input is the frame."""
    project = copy_project(tmp_path)
    configure(project, **weekly)
    frame.write_parquet(project.folder / "daily.parquet")
    mappings_frame(MAPPINGS).write_csv(project.folder / "mappings.csv")
    return project


def configure(project: Project, **weekly: object) -> None:
    """Write the project's config with keys of its weekly section."""
    section = {"input": "daily.parquet", "mappings": "mappings.csv", "batches": 2, **weekly}
    project.write_config("config/config.yaml", {**TINY, "weekly": section})


def features(project: Project, run: str = "tiny") -> pl.DataFrame:
    """The one file of all daily rows."""
    return pl.read_parquet(project.results / run / "weekly/features.parquet")


def ran(project: Project, *args: str) -> Counter:
    """Rule -> jobs of a run of the weekly target."""
    result = project.run(*args, "--", "weekly", check=True)
    return Counter(rule for rule, _ in project.jobs_run(result) if "_" in rule)


def test_batches_give_what_one_gives_and_only_what_depends_on_a_key_reruns(tmp_path: Path) -> None:
    project = made(tmp_path)
    first = ran(project)
    assert first["weekly_build_daily"] == 2
    table = mappings_frame(MAPPINGS)
    assert features(project).equals(add_weekly_features_to_daily(FRAME, table))
    assert ran(project) == {}
    steps = (
        (
            {"visible_from": "next_day"},
            {"weekly_build_daily": 2, "weekly_export_features": 1, "weekly_build_provenance": 1},
        ),
        (
            {"lags": {"weeks": [1], "columns": ["w_ret"]}},
            {"weekly_build_features": 2, "weekly_build_daily": 2, "weekly_export_features": 1,
             "weekly_build_provenance": 1},
        ),
    )  # fmt: skip
    for changed, expected in steps:
        configure(project, **changed)
        assert ran(project) == expected
    configure(project, memory_limit_mb=4000, **steps[-1][0])
    assert ran(project) == {"weekly_build_provenance": 1}
    configure(project, batches=5)
    ran(project)
    assert features(project).equals(add_weekly_features_to_daily(FRAME, table))
    whole = project.digests("results/tiny/weekly")["features.parquet"]
    configure(project, batches=1)
    ran(project)
    partitions = (project.results / "tiny/weekly").glob("*/batch=*")
    assert {path.name for path in partitions} == {"batch=00"}
    assert project.digests("results/tiny/weekly")["features.parquet"] == whole


def test_an_input_that_is_replaced_by_an_older_file_is_seen(tmp_path: Path) -> None:
    project = made(tmp_path)
    ran(project)
    source = project.folder / "daily.parquet"
    times = (source.stat().st_atime - 10**6, source.stat().st_mtime - 10**6)
    other = FRAME.with_columns(pl.col("close") * 2)
    other.write_parquet(source)
    os.utime(source, times)
    again = ran(project)
    assert (again["weekly_build_bars"], again["weekly_build_provenance"]) == (2, 1)
    assert features(project).equals(add_weekly_features_to_daily(other, mappings_frame(MAPPINGS)))


def test_parity_is_the_oracles_on_the_edge_symbols(tmp_path: Path) -> None:
    frame = edge_market()
    project = made(tmp_path, frame.sample(fraction=1, shuffle=True, seed=1), mode="parity")
    mappings = mappings_for(frame)  # one names an ETF that is not there: null in parity
    mappings_frame(mappings).write_csv(project.folder / "mappings.csv")
    ran(project)
    assert_close(features(project), oracle.daily_features(frame, mappings, mode="parity"))
    parts = sorted((project.results / "tiny/weekly/targets").rglob("*.parquet"))
    targets = pl.concat([pl.read_parquet(part, hive_partitioning=False) for part in parts])
    assert targets.height == frame.height


def test_the_lakes_gold_is_an_input(tmp_path: Path) -> None:
    config = {**SMALL, "weekly": {"input": "lake", "batches": 2}}
    project = copy_project(tmp_path, config)
    project.run("--", "weekly", check=True)
    gold = sorted((project.results / "small/lake/gold/stocks_daily").rglob("*.parquet"))
    bars = pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in gold])
    own = bars.select("symbol", "date", "open", "high", "low", "close", "volume", "adj_close")
    assert features(project, "small").equals(add_weekly_features_to_daily(own))


def test_without_an_input_nothing_is_built(tmp_path: Path) -> None:
    project = copy_project(tmp_path, TINY)
    result = project.run("--", "weekly", check=True)
    assert "weekly: nothing to build, weekly.input is null" in result.stdout
    assert not (project.results / "tiny/weekly").exists()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.drop("close"), "daily.parquet: no column close; expected symbol, date, open"),
        (lambda f: pl.concat([f, f[5:6]]), "two rows of one date; drop one"),
        (lambda f: f.with_columns(close=pl.lit("12")), "column close is String, expected numbers"),
        (lambda f: f.clear(), "no rows; expected daily bars"),
    ],
    ids=["column", "duplicate", "text", "empty"],
)
def test_bad_input_ends_with_its_cause_and_leaves_nothing(spoil, message, tmp_path: Path) -> None:
    project = made(tmp_path, spoil(FRAME))
    result = project.run("--", "weekly", check=False)
    assert message in " ".join(tail(result, 25).split()), tail(result)
    assert not (project.results / "tiny/weekly/features.parquet").exists()
    assert half_written(project.results) == []
    FRAME.write_parquet(project.folder / "daily.parquet")
    ran(project)
    assert features(project).height == FRAME.height


def test_an_unknown_benchmark_is_named(tmp_path: Path) -> None:
    project = made(tmp_path)
    wrong = {"S001": {"sector_etf": "XLQ", "equal_weight_etf": None, "subsector_etf": None}}
    mappings_frame(MAPPINGS | wrong).write_csv(project.folder / "mappings.csv")
    result = project.run("--", "weekly", check=False)
    assert "sector_etf XLQ of S001 has no bars in the input" in " ".join(tail(result, 20).split())

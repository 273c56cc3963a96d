"""Sources, batches and modes of the weekly plan."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import pytest

from scripts.errors import DataError
from scripts.plan import settings
from scripts.plan.weekly import WeeklyPlan
from tests.plans import SCHEMA


def plan(simulated: bool = True, **weekly: object) -> WeeklyPlan:
    """A plan of a section with the schema's defaults."""
    return WeeklyPlan(settings.complete({"weekly": weekly}, SCHEMA)["weekly"], simulated)


def test_where_bars_come_from_and_whether_they_are_simulated(tmp_path: Path) -> None:
    assert plan().source is None
    for given, source, simulated in (
        ("simulator", "simulator", True),
        ("lake", "lake", True),
        (str(tmp_path), "files", False),
    ):
        assert (plan(input=given).source, plan(input=given).simulated) == (source, simulated)
    assert not plan(False, input="lake").simulated


def test_files_are_a_file_or_those_of_a_folder(tmp_path: Path) -> None:
    names = ("b/part.parquet", "a/part.PQ", "a/note.txt", ".old/a.parquet", "b/.a.parquet")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    found = [str(tmp_path / name) for name in ("a/part.PQ", "b/part.parquet")]
    assert plan(input=str(tmp_path)).files == found
    assert plan(input=found[1]).files == found[1:]
    assert len(set(plan(input=str(tmp_path)).contents)) == 2
    assert plan(input="simulator").contents == []
    odd = tmp_path / "we{i}rd.parquet"
    odd.touch()
    with pytest.raises(DataError, match="rename it, braces mean wildcards"):
        _ = plan(input=str(odd)).files


@pytest.mark.parametrize(
    ("weekly", "message"),
    [
        (
            {"input": "no/such"},
            "config: weekly.input: no file or folder no/such; correct it, or tak",
        ),
        ({"input": "docs"}, "config: weekly.input: no parquet file below docs"),
        (
            {"mappings": "no.csv"},
            "config: weekly.mappings: no file no.csv; correct it or set it to",
        ),
        ({"lags": {"weeks": [1]}}, "config: weekly.lags: give both weeks and columns, or neither"),
        ({"mode": "peer"}, "config: weekly.mode"),
        ({"simulator": {"end": "2025-13-45"}}, "config: weekly.simulator.end: .*; give YYYY-MM-DD"),
        ({"batches": 0}, "config: weekly.batches"),
        ({"inputs": "x"}, "did you mean input"),
    ],
)
def test_a_config_that_cannot_be_used_is_one_line(weekly: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _ = plan(**weekly).files


def test_the_simulator_brings_its_own_mappings_and_pictures() -> None:
    assert plan(input="simulator").mappings == "config/universe/sectors.csv"
    assert plan(input="simulator").plots == ["AAPL"]
    assert plan(input="lake").mappings is None
    assert plan(input="lake", plots=["B", "A"]).plots == ["A", "B"]


def test_parity_has_its_own_settings() -> None:
    given = {"visible_from": "next_day", "stale_after_business_days": 3, "adjusted_close": "adj"}
    default, parity = plan(**given), plan(mode="parity", **given)
    assert (default.visible_from, default.stale_after, default.adjusted_close) == (
        "next_day",
        3,
        "adj",
    )
    assert (parity.visible_from, parity.stale_after, parity.adjusted_close) == (
        "same_day",
        None,
        None,
    )


def test_other_columns_are_kept_of_files_and_not_of_the_lake(tmp_path: Path) -> None:
    assert plan(input=str(tmp_path)).columns is None
    assert plan(input="lake").columns == []
    assert plan(input="lake", columns=["vwap"]).columns == ["vwap"]


def test_batches_are_numbered_with_as_many_digits_as_needed() -> None:
    assert plan(batches=3).batches == ["00", "01", "02"]
    assert plan(batches=101).batches[100] == "100"
    assert plan(batches=101).batch_of("AAPL") == f"{crc32(b'AAPL') % 101:03}"

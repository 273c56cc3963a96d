"""Accounts of the lake from small files made here."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from scripts.errors import DataError
from scripts.research import data_quality

PART = {"rows_in": 10, "good": 7, "duplicates": 1, "quarantined": 2, "reasons": {"a": 1, "b": 1}}


def write(folder: Path, dataset: str, key: str, told: dict) -> Path:
    path = folder / "reconcile" / dataset / f"{key}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told))
    return path


def account(rows_in: int, good: int, out: int | None = None) -> dict:
    outside = None if out is None else good - out
    return {
        "rows_in": rows_in, "good": good, "quarantined": rows_in - good, "out": out,
        "outside_universe": outside, "volume_in": 1.0, "volume_bronze": 1.0,
        "volume_out": None if out is None else 1.0,
    }  # fmt: skip


@pytest.fixture
def sessions(tmp_path):
    bars = {"compared": 4, "equal": 3, "only_minute": 1, "only_day": 0, "different": []}
    one = {"stocks_daily": account(5, 4, 3), "options_minute": account(6, 6)}
    two = {"stocks_daily": account(5, 5, 4)}
    told = {
        "2025-01-02": {"datasets": one, "bars": bars},
        "2025-01-03": {"datasets": two, "bars": None},
    }
    return [write(tmp_path, "sessions", day, {"date": day, **it}) for day, it in told.items()]


def test_counts_and_sums(tmp_path, sessions):
    nothing = {"rows_in": 0, "good": 0, "quarantined": 0, "reasons": {}}
    paths = [
        write(tmp_path, "news", "2025-01-02", PART),
        write(tmp_path, "news", "2025-01-03", {**PART, "rows_in": 9, "good": 6}),
        write(tmp_path, "splits", "2025-01", nothing),
    ]
    counted = data_quality.counts([*paths, *sessions])
    assert counted.height == 3  # sessions are no dataset
    news, splits = data_quality.by_dataset(counted).to_dicts()
    assert (news["partitions"], news["rows_in"], news["good"]) == (2, 19, 13)
    assert news["refused"] == pytest.approx(4 / 19)
    assert splits["refused"] is None
    assert data_quality.reasons(paths).to_dicts() == [
        {"dataset": "news", "reason": "a", "rows": 2},
        {"dataset": "news", "reason": "b", "rows": 2},
    ]


def test_counts_that_do_not_add_up(tmp_path):
    path = write(tmp_path, "news", "2025-01-02", {**PART, "good": 8})
    with pytest.raises(DataError, match=r"news/2025-01-02\.json.*does not add up"):
        data_quality.counts([path])


def test_quarantine_is_counted_from_its_files(tmp_path):
    counted = data_quality.counts(
        [write(tmp_path, "news", key, PART) for key in ("2025-01-02", "2025-01-03", "2025-01-04")]
    )
    files = []
    for key, rows in (("2025-01-02", 2), ("2025-01-03", 1)):
        path = tmp_path / "quarantine/news" / f"{key}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame({"line": range(rows)}).write_parquet(path)
        files.append(path)
    kept = data_quality.kept_aside(files)
    assert data_quality.disagreements(counted, kept).sort("key").to_dicts() == [
        {"dataset": "news", "key": "2025-01-03", "quarantined": 2, "kept": 1},
        {"dataset": "news", "key": "2025-01-04", "quarantined": 2, "kept": None},
    ]


def test_no_files_are_no_rows():
    counted = data_quality.counts([])
    assert counted.is_empty() and data_quality.by_dataset(counted).is_empty()
    assert data_quality.reasons([]).is_empty()
    assert data_quality.bars_compared([]).is_empty()
    assert data_quality.disagreements(counted, data_quality.kept_aside([])).is_empty()


def test_sessions_and_layers(sessions):
    accounts = data_quality.accounts(sessions)
    options, stocks = data_quality.coverage(accounts).to_dicts()
    assert (options["sessions"], options["missing"], options["share"]) == (1, 1, 0.5)
    assert (stocks["missing"], stocks["first"]) == (0, date(2025, 1, 2))
    options, stocks = data_quality.layers(accounts).to_dicts()
    assert options["out"] is None and options["unexplained"] is None
    assert (stocks["rows_in"], stocks["good"], stocks["out"], stocks["unexplained"]) == (
        10,
        9,
        7,
        0,
    )
    bars = data_quality.bars_compared(sessions)
    assert bars.row(0) == (date(2025, 1, 2), 4, 3, 1, 0) and bars.height == 1


def test_split_days():
    daily = pl.DataFrame(
        {
            "symbol": ["A"] * 3 + ["B"] * 2,
            "date": [date(2025, 1, d) for d in (2, 3, 6, 2, 3)],
            "close": [100.0, 102.0, 25.5, 10.0, 11.0],
            "adj_close": [25.0, 25.5, 25.5, 10.0, 11.0],
            "split_factor": [0.25, 0.25, 1.0, 1.0, 1.0],
        }
    )
    found = data_quality.split_days(daily.sample(fraction=1, shuffle=True, seed=1))
    assert found.height == 1
    row = found.row(0, named=True)
    assert (row["symbol"], row["date"], row["ratio"]) == ("A", date(2025, 1, 6), 4)
    assert row["adj_return"] == pytest.approx(0)
    assert row["raw_return"] == pytest.approx(-1.3862943611)
    with pytest.raises(DataError, match="no column split_factor"):
        data_quality.split_days(daily.drop("split_factor"))
    with pytest.raises(DataError, match="not above 0"):
        data_quality.split_days(daily.with_columns(close=pl.lit(0.0)))

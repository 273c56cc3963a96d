"""The account of a day: every row and every share from the flat file to gold."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from scripts.errors import DataError
from scripts.lake import build_daily_bars, build_minute_bars, build_stocks_minute
from scripts.lake.check_session import check, compare_bars
from tests.unit.lake import flatfiles
from tests.unit.lake.flatfiles import DAY, row

OTHER = "2025-09-24"
BAR = {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 0.3, "transactions": 10}


def session(folder: Path, universe: str | None = None) -> dict[str, list[Path]]:
    """The files of a small day, made by the jobs' own functions; gold of daily bars is bronze."""
    files: dict[str, list[Path]] = {}
    if universe is not None:
        files["universe"] = [folder / "universe.csv"]
        files["universe"][0].write_text(universe)

    def outputs(dataset: str) -> dict[str, Path]:
        files[f"bronze_{dataset}"] = [folder / f"{dataset}.parquet"]
        files[f"reconcile_{dataset}"] = [folder / f"{dataset}.json"]
        names = {"out": files[f"bronze_{dataset}"][0], "quarantine": folder / "refused"}
        return {**names, "reconcile": files[f"reconcile_{dataset}"][0]}

    option = "O:F250117P00012500"
    minute = {
        "stocks_minute": [
            row("A", "09:30", volume=0.1),
            row("A", "09:31", volume=0.2),
            row("NA", "09:30"),
            row("B", "09:30", open=9),
            row("B", "09:30", low="x"),
        ],
        "options_minute": [row(option, "09:30"), row("O:F25", "09:30")],
    }
    for name, lines in minute.items():
        build_minute_bars.build(
            file=flatfiles.write(folder / f"{name}.csv.gz", *lines),
            dataset=name,
            date=DAY,
            max_quarantined_share=1,
            **outputs(name),
        )
    daily = {
        "stocks_daily": [
            row("A", volume=0.1 + 0.2, transactions=10),
            row("B", close=11.5),
            row("C"),
        ],
        "options_daily": [row(option), row("O:F25"), row("O:A250117P00012500", volume=7)],
    }
    for name, lines in daily.items():
        of_day = flatfiles.write(folder / f"{name}.csv.gz", *lines)
        before = flatfiles.write(folder / f"{name}-1.csv.gz", row("A", day=OTHER, volume=1e9))
        build_daily_bars.build(
            files=[before, of_day],
            dates=[OTHER, DAY],
            dataset=name,
            month="2025-09",
            max_quarantined_share=0,
            **outputs(name),
        )
    files["gold_stocks_minute"] = [folder / "gold.parquet"]
    files["session_bars"] = [folder / "sessions.parquet"]
    build_stocks_minute.build(
        bars=files["bronze_stocks_minute"][0],
        universe=files.get("universe", []),
        date=DAY,
        close="16:00",
        out=files["gold_stocks_minute"][0],
        sessions=files["session_bars"][0],
    )
    for name in ("stocks_daily", "options_daily"):
        files[f"gold_{name}"] = files[f"bronze_{name}"]
    return files


def test_a_day_adds_up(tmp_path: Path) -> None:
    report = check(date=DAY, files=session(tmp_path), out=tmp_path / "report.json")
    assert report == json.loads((tmp_path / "report.json").read_text())

    def account(rows: int, good: int, volume: float, gold: bool = True) -> dict:
        return {
            "rows_in": rows,
            "good": good,
            "quarantined": rows - good,
            "out": good if gold else None,
            "outside_universe": 0 if gold else None,
            "volume_in": volume,
            "volume_bronze": volume,
            "volume_out": volume if gold else None,
        }

    assert report["date"] == DAY
    assert report["datasets"] == {
        "options_daily": account(3, 3, 207),
        "options_minute": account(2, 2, 200, gold=False),
        "stocks_daily": account(3, 3, 200.3),
        "stocks_minute": account(5, 4, 200.3),
    }
    assert report["bars"] == {
        "compared": 2,
        "equal": 1,
        "different": [
            {"symbol": "B", "field": "open", "minute": 9.0, "day": 10.0},
            {"symbol": "B", "field": "close", "minute": 11.0, "day": 11.5},
        ],
        "only_minute": 1,
        "only_day": 1,
    }


def test_what_the_universe_leaves_out_is_counted(tmp_path: Path) -> None:
    files = session(tmp_path, "symbol\nNA\nA\n")
    del files["gold_stocks_daily"], files["gold_options_daily"]
    found = check(date=DAY, files=files, out=tmp_path / "r")["datasets"]["stocks_minute"]
    assert (found["good"], found["out"], found["outside_universe"]) == (4, 3, 1)
    assert found["volume_out"] == pytest.approx(100.3, rel=1e-15)


def test_options_are_kept_by_their_underlying(tmp_path: Path) -> None:
    files = session(tmp_path, "symbol\nF\n")
    of_f = pl.read_parquet(files["bronze_options_daily"][0]).filter(pl.col("underlying") == "F")
    of_f.write_parquet(tmp_path / "gold_options")
    files = {**files, "gold_options_daily": [tmp_path / "gold_options"]}
    del files["gold_stocks_daily"]
    found = check(date=DAY, files=files, out=tmp_path / "r")["datasets"]["options_daily"]
    assert (found["out"], found["outside_universe"], found["volume_out"]) == (1, 2, 100)


def test_a_day_may_have_few_datasets(tmp_path: Path) -> None:
    every = session(tmp_path)
    files = {name: every[name] for name in ("bronze_options_minute", "reconcile_options_minute")}
    report = check(date=DAY, files=files, out=tmp_path / "r")
    assert list(report["datasets"]) == ["options_minute"]
    assert report["bars"] is None


def edit(path: Path, change: pl.Expr | int) -> None:
    """Change the volumes of a parquet file, or keep only its first rows."""
    frame = pl.read_parquet(path)
    frame = frame.head(change) if isinstance(change, int) else frame.with_columns(volume=change)
    frame.write_parquet(path)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("bronze_stocks_minute", 3, r": 3 rows, but 4 in .*stocks_minute\.json"),
        ("gold_stocks_minute", 3, r": 3 rows, but 4 in .*stocks_minute\.parquet"),
        ("bronze_options_minute", pl.col("volume") + 1, r": volume 202\.0, but 200\.0 in .*json"),
        ("gold_stocks_minute", pl.col("volume") * (1 + 2e-12), r": volume 200\.3\d+, but 200\.3"),
        ("bronze_options_daily", 1, r": 0 rows, but 3 in .*options_daily\.json"),
    ],
)
def test_what_is_lost_on_the_way_fails_the_day(
    tmp_path: Path, name: str, change: pl.Expr | int, message: str
) -> None:
    files = session(tmp_path)
    edit(files[name][0], change)
    with pytest.raises(DataError, match=rf"^{files[name][0]}, {DAY}{message}.*; delete it to have"):
        check(date=DAY, files=files, out=tmp_path / "report.json")
    assert not (tmp_path / "report.json").exists()


def test_rounding_of_a_sum_is_no_loss(tmp_path: Path) -> None:
    files = session(tmp_path)
    edit(files["gold_stocks_minute"][0], pl.col("volume") * (1 + 2e-13))
    assert check(date=DAY, files=files, out=tmp_path / "r")["datasets"]["stocks_minute"]["out"] == 4


@pytest.mark.parametrize(
    ("days", "message"),
    [
        (
            {DAY: {"rows_in": 9, "good": 4, "quarantined": 1, "volume": 1}},
            r"rows_in 9 is not good 4 \+ quarantined 1",
        ),
        ({OTHER: {}}, rf"no {DAY} among days"),
    ],
)
def test_an_account_that_does_not_add_up_fails_the_day(
    tmp_path: Path, days: dict, message: str
) -> None:
    files = session(tmp_path)
    path = files["reconcile_stocks_minute"][0]
    path.write_text(json.dumps({"days": days}))
    with pytest.raises(DataError, match=rf"^{path}.*{message}"):
        check(date=DAY, files=files, out=tmp_path / "r")


def test_few_of_many_differences_are_shown() -> None:
    minute = pl.DataFrame(
        [{"symbol": f"S{n:03}", **BAR, "date": date(2025, 9, 25)} for n in range(50)]
    )
    day = minute.with_columns(high=pl.col("high") + 1, volume=pl.col("volume") * (1 + 1e-13))
    report = compare_bars(minute, day.sample(fraction=1, shuffle=True, seed=1))
    assert (report["compared"], report["equal"]) == (50, 0)
    assert [entry["symbol"] for entry in report["different"]] == [f"S{n:03}" for n in range(20)]
    assert {entry["field"] for entry in report["different"]} == {"high"}

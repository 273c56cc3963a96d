"""What lies in a run's results, counted from the files themselves."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from scripts.report.holdings import datasets, models, products

NOON = 1_764_244_800  # 2025-11-27T12:00:00Z


def put(results: Path, name: str, text: str = "x", when: int = NOON) -> None:
    """A file of the results."""
    path = results / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (when, when))


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A few products of every shape."""
    for day in ("2025-09-02", "2025-09-10", "2025-09-09"):
        put(tmp_path, f"lake/bronze/stocks_minute/date={day}/part.parquet", "xyz")
        counts = {"rows_in": 10, "good": 8, "quarantined": 2, "reasons": {"no ticker": 1, day: 1}}
        put(tmp_path, f"lake/reconcile/stocks_minute/{day}.json", json.dumps(counts))
        put(tmp_path, f"lake/quarantine/stocks_minute/{day}.parquet")
    put(tmp_path, "lake/gold/stocks_minute/date=2025-09-10/part.parquet", when=NOON + 60)
    put(tmp_path, "lake/silver/adjustments/part.parquet")
    put(tmp_path, "lake/reconcile/financials/2025-09.json", json.dumps(
        {"rows_in": 5, "good": 5, "quarantined": 0, "reasons": {}}))  # fmt: skip
    put(tmp_path, "lake/reconcile/financials/2025-10.json", "{half")
    for name, spoilt in (("a", {"rows_in": None}), ("b", {"rows_in": "3"}), ("c", {"reasons": []})):
        whole = {"rows_in": 1, "good": 1, "quarantined": 0, "reasons": {}}
        put(tmp_path, f"lake/reconcile/financials/{name}.json", json.dumps({**whole, **spoilt}))
    (tmp_path / "lake/bronze/gone.parquet").symlink_to(tmp_path / "nowhere")
    put(tmp_path, "lake/reconcile/sessions/2025-09-10.json", '{"date": "2025-09-10"}')
    put(tmp_path, "ticks/parquet/MODON.parquet")
    put(tmp_path, "ticks/parquet/A B.parquet")
    put(tmp_path, "ticks/reconcile/ticks/MODON.json", json.dumps(
        {"rows_in": 3, "good": 3, "quarantined": 0, "reasons": {}}))  # fmt: skip
    put(tmp_path, "weekly/features/batch=00/part.parquet")
    put(tmp_path, "weekly/features.parquet")
    put(tmp_path, "nfl/features/season=2019/part.parquet")
    put(tmp_path, "nfl/features/games.parquet")
    put(tmp_path, "nfl/models/home_win/market/glm/none/season=2019/predictions.parquet")
    put(tmp_path, "warehouse/server/data/base/1.parquet")
    return tmp_path


def test_datasets_are_tables_with_their_partitions_and_counts(results: Path) -> None:
    rows = {(row["domain"], row["dataset"]): row for row in datasets(results)}
    assert set(rows) == {
        ("lake", "bronze/stocks_minute"), ("lake", "gold/stocks_minute"),
        ("lake", "silver/adjustments"), ("lake", "financials"), ("ticks", "parquet"),
        ("weekly", "features"), ("weekly", "features.parquet"), ("nfl", "features"),
        ("nfl", "features/games.parquet"),
    }  # fmt: skip
    minute = rows["lake", "bronze/stocks_minute"]
    assert (minute["partitions"], minute["bytes"]) == (3, 9)
    assert (minute["first"], minute["newest"]) == ("date=2025-09-02", "date=2025-09-10")
    assert (minute["rows_in"], minute["good"], minute["quarantined"]) == (30, 24, 6)
    assert minute["reasons"]["no ticker"] == 3
    assert minute["written"] == "2025-11-27T12:00:00Z"
    gold = rows["lake", "gold/stocks_minute"]
    assert (gold["rows_in"], gold["written"]) == (None, "2025-11-27T12:01:00Z")
    financials = rows["lake", "financials"]
    assert (financials["partitions"], financials["rows_in"], financials["newest"]) == (0, 5, None)
    assert (rows["ticks", "parquet"]["first"], rows["ticks", "parquet"]["good"]) == ("A B", 3)
    assert rows["lake", "silver/adjustments"]["partitions"] == 1
    assert datasets(results / "absent") == []


def test_models_are_the_rows_of_their_table(tmp_path: Path) -> None:
    table = tmp_path / "models.csv"
    assert models(table) == []
    table.write_text(
        "target,features,model,calibration,n,base_rate,brier,log_loss,auc,ece,accuracy,roi,"
        "simulated,more\nhome_win,market,glm,none,512,0.57,0.21,0.6,0.7,0.02,0.66,,true,x\n"
    )
    (row,) = models(table)
    assert (row["model"], row["n"], row["roi"], row["simulated"]) == ("glm", 512, None, True)
    assert row["brier"] == 0.21


def test_products_that_are_not_there_are_told_and_links_are_escaped(results: Path) -> None:
    page = results / "report/index.html"
    paths = ["ticks/parquet/A B.parquet", "book/main.pdf", "ticks/parquet/A B.parquet"]
    main, table = products(paths, results, page)
    assert (main["path"], main["bytes"], main["written"]) == ("book/main.pdf", None, None)
    assert table["href"] == "../ticks/parquet/A%20B.parquet"
    assert (table["bytes"], table["written"]) == (1, "2025-11-27T12:00:00Z")

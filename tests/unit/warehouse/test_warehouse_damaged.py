"""What the warehouse reads without a server, damaged as torture found it."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import polars as pl
import pytest

from scripts.errors import DataError
from scripts.plan.warehouse import suspects
from scripts.warehouse import declared, loading, migrations
from tests.torture import read_warehouse


def test_a_migration_with_a_zero_byte_is_told(tmp_path: Path) -> None:
    (tmp_path / "001_a.sql").write_bytes(b"SELECT 1;\n\0\0\n")
    with pytest.raises(DataError, match=r"001_a\.sql: line 2: a zero byte; the file is damaged"):
        migrations.read(tmp_path)


def test_a_declaration_with_a_key_twice_is_told(tmp_path: Path) -> None:
    path = tmp_path / "schema.yaml"
    path.write_text("tables:\n  games: {columns: {a: text}}\n  games: {}\n")
    with pytest.raises(DataError, match=r"schema\.yaml:3: cannot be read \(key games stands twice"):
        declared.read(path)


def written(folder: Path) -> list[Path]:
    """Rosters of two seasons."""
    for name, content in read_warehouse.rosters(Random(1)).items():
        (folder / name).write_bytes(content)
    return sorted(folder.glob("*.parquet"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: pl.concat([frame, frame[:1]]), "2014 00-0000000 stands twice"),
        (lambda frame: frame.drop("name"), "no column name"),
        (lambda frame: frame.with_columns(season=None), "a row without season"),
        (
            lambda frame: frame.with_columns(name=pl.lit("a"), season=pl.lit(value=True)),
            "column season is Boolean",
        ),
    ],
)
def test_a_roster_that_cannot_be_loaded_is_named(tmp_path: Path, change, said: str) -> None:
    files = written(tmp_path)
    first = files[0]
    change(pl.read_parquet(first)).write_parquet(first)
    with pytest.raises(DataError) as caught:
        loading.read_players(files)
    assert str(caught.value).startswith(f"{first}: cannot be loaded ({said}")


@pytest.mark.parametrize("body", [b"", b"no parquet", b"PAR1" + b"\0" * 40 + b"PAR1"])
def test_a_roster_that_is_none_is_named(tmp_path: Path, body: bytes) -> None:
    files = written(tmp_path)
    files[0].write_bytes(body)
    with pytest.raises(DataError, match=r"2014\.parquet: cannot be loaded"):
        loading.read_players(files)


def test_a_class_that_stands_twice_makes_no_play_twice(tmp_path: Path) -> None:
    for name, content in read_warehouse.partitions(Random(1)).items():
        (tmp_path / name).write_bytes(content)
    path = tmp_path / "play_types.parquet"
    types = pl.read_parquet(path)
    pl.concat([types, types[:1]]).write_parquet(path)
    with pytest.raises(DataError, match=r"play_types\.parquet: cannot be loaded \(.* stands twice"):
        loading.read_season({p.stem: p for p in tmp_path.glob("*.parquet")}, None)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, json.dumps({"files": [{"path": 1, "bytes": 1, "mtime_ns": 1}]}), "{}"]
)
def test_a_damaged_manifest_of_a_dump_is_suspect(tmp_path: Path, text: str) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one/manifest.json").write_text(text)
    assert suspects(tmp_path)

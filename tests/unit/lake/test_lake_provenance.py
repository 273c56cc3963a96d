"""The lake's provenance: checksums of what landed and of what the REST API told."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from scripts.errors import DataError
from scripts.lake.build_provenance import PRODUCTS, build, source


def test_manifests_give_their_checksums_and_other_files_are_read(tmp_path: Path) -> None:
    manifest, answer = tmp_path / "2025-09-03.json", tmp_path / "part.parquet"
    manifest.write_text(json.dumps({"sha256": "ab", "etag": "cd", "size": 1}))
    answer.write_bytes(b"told")
    out = tmp_path / "provenance.json"
    build(
        sources=[answer, manifest, answer],
        version="1",
        config_hash="c",
        simulated=True,
        out=out,
    )
    assert json.loads(out.read_text()) == {
        "version": "1",
        "config_hash": "c",
        "sources": [
            {"path": str(tmp_path / "2025-09-03.csv.gz"), "sha256": "ab", "etag": "cd"},
            {"path": str(answer), "sha256": hashlib.sha256(b"told").hexdigest()},
        ],
        "simulated": True,
        "products": list(PRODUCTS),
    }


@pytest.mark.parametrize("text", ["{", "[]", '{"etag": "x"}'])
def test_a_broken_manifest_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "2025-09-03.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"2025-09-03\.json: no manifest .*delete it"):
        source(path)

"""Provenance: each source once, with its checksum."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from scripts.ticks import build_provenance


def test_sources_are_noted_once_with_their_checksum(tmp_path: Path) -> None:
    source, out = tmp_path / "a b.xlsx", tmp_path / "out/provenance.json"
    source.write_bytes(b"ticks")
    build_provenance.note(
        sources=[source, source], version="1.2.3", config_hash="abc", simulated=True, out=out
    )
    assert json.loads(out.read_text()) == {
        "version": "1.2.3",
        "config_hash": "abc",
        "sources": [{"path": str(source), "sha256": hashlib.sha256(b"ticks").hexdigest()}],
        "simulated": True,
        "products": list(build_provenance.PRODUCTS),
    }

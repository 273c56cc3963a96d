"""Inputs of a job: their paths, and what of daily bars is read for closes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from scripts import tables

CLOSES: tables.Columns = {
    "symbol": tables.Column(pl.String, "symbol"),
    "date": tables.Column(pl.Date, "session"),
    "close": tables.Column(pl.Float64, "raw close (USD)"),
}


def as_paths(given: str | Iterable[str]) -> list[Path]:
    """Paths of a named input that may be absent (an empty list), one file, or several."""
    return [Path(given)] if isinstance(given, str) else [Path(name) for name in given]

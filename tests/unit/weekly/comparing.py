"""What the tests of the weekly features share: mappings as a frame, and frames compared."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from scripts.weekly.mappings import COLUMNS

RTOL, ATOL = 1e-5, 1e-6


def mappings_frame(mappings: Mapping[str, Mapping[str, str | None]]) -> pl.DataFrame:
    """Mappings of the oracle as the frame that a CSV gives."""
    rows = [{"symbol": symbol, **named} for symbol, named in mappings.items()]
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String))


def known_mappings(
    mappings: Mapping[str, Mapping[str, str | None]], frame: pl.DataFrame
) -> dict[str, dict[str, str | None]]:
    """Mappings with the benchmarks left out that the frame does not hold."""
    known = set(frame["symbol"])
    return {
        symbol: {key: name if name in known else None for key, name in named.items()}
        for symbol, named in mappings.items()
    }


def assert_close(got: pl.DataFrame, expected: pl.DataFrame) -> None:
    """Same columns, types, null masks and, within RTOL and ATOL, values."""
    assert got.schema == expected.schema
    assert got.height == expected.height
    for name in got.columns:
        ours, theirs = got[name], expected[name]
        if not ours.dtype.is_float():
            assert ours.equals(theirs, null_equal=True), name
            continue
        masks = (ours.is_null() != theirs.is_null()).to_numpy()
        same = np.isclose(ours.to_numpy(), theirs.to_numpy(), RTOL, ATOL, equal_nan=True)
        wrong = np.flatnonzero(masks | ~same)
        assert not len(wrong), (
            f"{name}: {len(wrong)} differ, first {got[int(wrong[0]), 'symbol']}: "
            f"{ours[int(wrong[0])]} for {theirs[int(wrong[0])]}"
        )

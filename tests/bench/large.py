"""A long history out of a short one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scripts.ticks.engine import DAY
from scripts.ticks.events import KINDS, SCHEMA, Events


def repeat(events: Events, least: int, path: Path) -> int:
    """Write `events` over and over, each time after the time before, until there are `least` rows.

    Returns the number of rows written.
    """
    span = (events.timestamp.max() // DAY - events.timestamp.min() // DAY + 1) * DAY
    kinds = pa.DictionaryArray.from_arrays(events.kind.astype(np.int8), list(KINDS)).cast(
        pa.string()
    )
    rows = 0
    with pq.ParquetWriter(path, SCHEMA, compression="snappy") as writer:
        for turn in range(-(-least // len(events.timestamp))):
            stamps = pa.array(events.timestamp + turn * span).cast(pa.timestamp("ns"))
            columns = [stamps, kinds, pa.array(events.price), pa.array(events.volume)]
            writer.write_table(pa.table(columns, schema=SCHEMA))
            rows += len(events.timestamp)
    return rows

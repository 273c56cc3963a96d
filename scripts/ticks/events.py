"""Tick events in memory, as the compiled loops take them, and their parquet file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scripts.errors import DataError

COLUMNS = {  # in the order of the file: type, meaning
    "timestamp": (pa.timestamp("ns"), "time of the event, exchange's local time"),
    "type": (pa.string(), "BID or ASK (a new best quote), or TRADE"),
    "price": (pa.float64(), "price, AED; 0: a market order in an auction"),
    "volume": (pa.int64(), "shares quoted or traded"),
}
SCHEMA = pa.schema([(name, kind) for name, (kind, _) in COLUMNS.items()])
KINDS = ("BID", "ASK", "TRADE")  # position = code in `Events.kind`
BATCH = 1 << 20


class Events(NamedTuple):
    """Columns of equal length n, in event order."""

    timestamp: np.ndarray  # int64, ns since the epoch, exchange's local time
    kind: np.ndarray  # uint8, index into KINDS
    price: np.ndarray  # float64
    volume: np.ndarray  # int64, shares

    @classmethod
    def of(cls, timestamp, kind, price, volume) -> Events:
        """Events from sequences, each column in the type the compiled loops take."""
        return cls(
            np.asarray(timestamp, np.int64),
            np.asarray(kind, np.uint8),
            np.asarray(price, np.float64),
            np.asarray(volume, np.int64),
        )

    def sorted(self, kind: str) -> Events:
        """By timestamp with numpy's sort `kind` on datetime64.

        'quicksort' is not stable and, on datetime64, not what numpy does to the same int64 values:
        the peer's closing strategy runs on just this order (spec 3.6).
        """
        order = np.argsort(self.timestamp.view("datetime64[ns]"), kind=kind)
        return Events(*(column[order] for column in self))


class Outcome(NamedTuple):
    """What a strategy did: its fills in execution order, and its counts by name."""

    fills: np.ndarray
    counts: dict[str, int | float]


def grow(run: Callable, events: Events, state: tuple, fills: np.ndarray) -> np.ndarray:
    """Call `run(*events, *state, fills)` until it has taken every event; double `fills` for room.

    The record with the field `next` tells how far the loop came. Returns the rows in use.
    """
    s = next(record for record in state if "next" in record.dtype.names)
    while True:
        run(*events, *state, fills)
        if s["next"] == len(events.timestamp):
            return fills[: s["trades"]]
        fills = np.concatenate([fills, np.empty_like(fills)])


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a file of events. Raises DataError: it is not a whole parquet file."""
    try:
        return pq.ParquetFile(path, read_dictionary=["type"])
    except pa.ArrowInvalid as error:
        reason = str(error).split(". ")[0]
        raise DataError(
            f"{path}: not a whole parquet file ({reason}); delete it and run again"
        ) from None


def read_events(path: Path) -> Events:
    """Read a file of `SCHEMA` batch by batch, so that memory stays near the size of the result.

    25 bytes an event, and one batch.
    """
    with open_parquet(path) as file:
        n = file.metadata.num_rows
        events = Events(
            np.empty(n, np.int64), np.empty(n, np.uint8), np.empty(n), np.empty(n, np.int64)
        )
        start = 0
        for batch in file.iter_batches(batch_size=BATCH):
            part = slice(start, start + batch.num_rows)
            types = batch["type"]
            codes = np.array([KINDS.index(name.as_py()) for name in types.dictionary], np.uint8)
            # Not to_numpy, which imports pandas: a fifth of a second in each of a hundred jobs.
            events.timestamp[part] = np.from_dlpack(batch["timestamp"].view(pa.int64()))
            events.kind[part] = codes[np.from_dlpack(types.indices)]
            events.price[part] = np.from_dlpack(batch["price"])
            events.volume[part] = np.from_dlpack(batch["volume"])
            start = part.stop
    return events

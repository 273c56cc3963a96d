"""Batches of symbols, and reading the rows of one of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl

from scripts.errors import DataError
from scripts.tables import DAMAGED
from scripts.weekly.panel import NEEDED, Panel, check_schema, panel
from scripts.weekly.sharing import batch_of

# Of a batch's job, as measured: the libraries; how often its rows, or its features, are held.
BASE_MIB, ROW_COPIES, FEATURE_COPIES = 170, 2.7, 2.0
SYMBOL_BYTES, TEXT_BYTES, NUMBER_BYTES, FEATURE_BYTES = 16, 48, 8, 4
T = TypeVar("T")


@dataclass(frozen=True)
class Bars:
    """Daily bars, not read yet.

    Args:
        places: what to call each source in an error.
        parts: the bars of each, all of the same columns.
    """

    places: Sequence[str]
    parts: Sequence[pl.LazyFrame]

    @property
    def whole(self) -> pl.LazyFrame:
        """The bars of all sources."""
        return pl.concat(self.parts)

    @property
    def place(self) -> str:
        """The sources, for an error that is of no one of them."""
        first, number = self.places[0], len(self.places)
        return first if number == 1 else f"{number} files from {first} on"

    def read(self, work: Callable[[pl.LazyFrame, bool], T]) -> T:
        """What `work` makes of the whole.

        Args:
            work: takes bars, and whether they are a part only: then what another part may have is
                not missing.

        Raises:
            DataError: `work` raises it; of the first part of which it does too, else of all.
        """
        try:
            return work(self.whole, False)
        except DataError as error:
            said = str(error)  # not the error: it would hold the rows that were read
        if len(self.parts) == 1:
            raise DataError(f"{self.place}: {said}")
        for place, part in zip(self.places, self.parts, strict=True):
            try:
                work(part, True)
            except DataError as error:
                raise DataError(f"{place}: {error}") from None
        raise DataError(f"{self.place}: {said}")


def scan(sources: Sequence[Path], columns: Sequence[str] | None, adjusted: str | None) -> Bars:
    """Daily bars with the columns that are used.

    Args:
        sources: parquet files of the same columns.
        columns: what is kept beside `NEEDED` and the adjusted close; None: everything.
        adjusted: name of the adjusted close.

    Raises:
        DataError: a file cannot be read or has other columns, see `panel.check_schema`.
    """
    files = [Path(path) for path in sources]
    frames = []
    for path in files:
        frame = pl.scan_parquet(path, hive_partitioning=False, glob=False)
        try:
            schema = frame.collect_schema()
            check_schema(schema, adjusted)
            if "batch" in schema and (columns is None or "batch" in columns):
                raise DataError("column batch is one of the output; rename it")
        except DAMAGED as error:
            raise DataError(f"{path}: no parquet ({str(error).splitlines()[0]})") from None
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
        if columns is not None:
            wanted = [*NEEDED, *([adjusted] if adjusted in schema else []), *columns]
            if missing := [name for name in columns if name not in schema]:
                raise DataError(f"{path}: no column {missing[0]}, named in weekly.columns")
            frame = frame.select(*dict.fromkeys(wanted))
        frames.append(frame)
    first = frames[0].collect_schema()
    for path, frame in zip(files, frames, strict=True):
        differing = set(first.items()) ^ set(frame.collect_schema().items())
        if differing:
            name = min(name for name, _ in differing)
            raise DataError(
                f"{path}: column {name} is {frame.collect_schema().get(name, 'not there')}, in "
                f"{files[0]} {first.get(name, 'not there')}; write both with the same columns"
            )
    text = pl.col("symbol").cast(pl.String)
    parts = [frame.select(*first).with_columns(text) for frame in frames]
    return Bars([str(path) for path in files], parts)


def collect(bars: pl.LazyFrame) -> pl.DataFrame:
    """The rows of a lazy frame.

    Raises:
        DataError: a file is damaged.
    """
    try:
        return bars.collect()
    except DAMAGED as error:
        cause = str(error).splitlines()[0]
        raise DataError(f"cannot be read ({cause}); write it again") from None


def rows_by_symbol(bars: Bars) -> dict[str, int]:
    """Symbol -> rows, sorted by symbol.

    Raises:
        DataError: there is no row, or one without symbol, or a file is damaged.
    """

    def counted(bars: pl.LazyFrame, part: bool) -> dict[str, int]:
        found = collect(bars.group_by("symbol").len())
        if found.is_empty() and not part:
            raise DataError("no rows; expected daily bars")
        if nulls := found.filter(pl.col("symbol").is_null())["len"].sum():
            raise DataError(f"{nulls} rows without symbol; give it or drop them")
        return dict(found.sort("symbol").iter_rows())

    return bars.read(counted)


def checked(bars: Bars, symbols: Iterable[str], adjusted: str | None) -> Panel | None:
    """The daily bars of some symbols, checked and sorted; None where there is no row of them.

    Raises:
        DataError: see `panel.panel`, or a file is damaged.
    """
    own = pl.col("symbol").is_in(list(symbols))

    def checked_rows(bars: pl.LazyFrame, part: bool) -> Panel | None:
        rows = collect(bars.filter(own))
        return panel(rows, adjusted, part=part) if rows.height else None

    return bars.read(checked_rows)


def select(rows: dict[str, int], batch: int, batches: int, most: int | None) -> dict[str, int]:
    """Those of `rows` that are in a batch; of the first `most` symbols alone, None: of all."""
    kept = list(rows.items())[:most]
    return {symbol: count for symbol, count in kept if batch_of(symbol, batches) == batch}


def check_memory(need: float, what: str, batch: int, batches: int, limit_mb: int) -> None:
    """Whether what a batch's job holds fits into the memory that it may take.

    Args:
        need: bytes, beside those of the libraries.
        what: what they are needed for.
        batch: number of the batch.
        batches: how many there are.
        limit_mb: weekly.memory_limit_mb.

    Raises:
        DataError: it does not; the message says how many batches would.
    """
    share = need / 2**20
    if BASE_MIB + share > limit_mb:
        fit = math.ceil(batches * share / (limit_mb - BASE_MIB))
        raise DataError(
            f"batch {batch} of {batches} holds {what}, for which a job needs about "
            f"{BASE_MIB + share:,.0f} MiB; weekly.memory_limit_mb is {limit_mb:,}; "
            f"weekly.batches: {fit} would fit"
        )


def features_need(bars: int, columns: int) -> float:
    """Bytes that a job needs for the weekly features of so many bars, of so many columns."""
    return bars * columns * FEATURE_BYTES * FEATURE_COPIES


def read(
    sources: Sequence[Path],
    *,
    columns: Sequence[str] | None,
    adjusted: str | None,
    batch: int,
    batches: int,
    max_symbols: int | None,
    memory_limit_mb: int,
) -> Panel | None:
    """The daily bars of one batch, checked and sorted; None where it has no symbol.

    Raises:
        DataError: see `scan`, `rows_by_symbol`, `check_memory` and `checked`.
    """
    bars = scan(sources, columns, adjusted)
    schema = bars.whole.collect_schema()
    own = select(rows_by_symbol(bars), batch, batches, max_symbols)
    if not own:
        return None
    texts = sum(kind == pl.String for kind in schema.dtypes()) - 1
    width = SYMBOL_BYTES + texts * TEXT_BYTES + (len(schema) - 1 - texts) * NUMBER_BYTES
    need = sum(own.values()) * width * ROW_COPIES
    check_memory(need, f"{sum(own.values()):,} daily rows", batch, batches, memory_limit_mb)
    return checked(bars, own, adjusted)

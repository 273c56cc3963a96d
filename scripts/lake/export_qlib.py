"""Gold daily bars -> a version in Qlib's binary format, and the link and manifest to it."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from scripts import tables
from scripts.atomic import is_gone, mark
from scripts.errors import DataError
from scripts.lake.inputs import as_paths
from scripts.lake.qlib_format import (
    CALENDAR,
    INSTRUMENTS,
    Block,
    Span,
    Writer,
    calendar_text,
    instruments_text,
    name_of,
)
from scripts.provenance import sha256

COLUMNS: tables.Columns = {
    "open": tables.Column(pl.Float32, "first price, split-adjusted, dollars"),
    "high": tables.Column(pl.Float32, "highest price, split-adjusted, dollars"),
    "low": tables.Column(pl.Float32, "lowest price, split-adjusted, dollars"),
    "close": tables.Column(pl.Float32, "last price, split-adjusted, dollars"),
    "volume": tables.Column(pl.Float32, "traded shares, split-adjusted"),
    "vwap": tables.Column(pl.Float32, "volume-weighted price, split-adjusted; NaN without minutes"),
    "factor": tables.Column(pl.Float32, "split factor: adjusted price / raw price"),
    "change": tables.Column(pl.Float32, "close / close of the bar before - 1; NaN on the first"),
    "transactions": tables.Column(pl.Float32, "number of trades"),
    "total_return_factor": tables.Column(pl.Float32, "raw price * it: dividends paid in as well"),
    "volatility_20d": tables.Column(pl.Float32, "standard deviation of 20 daily log returns"),
    "volume_ratio_20d": tables.Column(pl.Float32, "volume / its mean over 20 bars"),
}
GOLD = {
    **{name: pl.col(f"adj_{name}") for name in ("open", "high", "low", "close", "volume")},
    "vwap": pl.col("vwap") * pl.col("split_factor"),
    "factor": pl.col("split_factor"),
    **{
        name: pl.col(name)
        for name in ("transactions", "total_return_factor", "volatility_20d", "volume_ratio_20d")
    },
}
CELLS = 2**21  # values of a field in memory at once: 100 MB for all, however long the history is


class Market(NamedTuple):
    """What the months hold: sessions, symbols in order, their spans, the number of bars."""

    sessions: pl.Series  # dates, sorted
    symbols: pl.Series
    span: Span
    rows: int


def survey(files: Sequence[Path]) -> Market:
    """Sessions and symbols of all months, read one by one.

    Raises:
        DataError: there is no bar, so nothing to export.
    """
    dates = pl.Series("date", [], pl.Date)
    spans = pl.DataFrame(schema={"symbol": pl.String, "first": pl.Date, "last": pl.Date})
    rows = 0
    for file in files:
        month = tables.scan([file]).select("symbol", "date").collect()
        ends = month.group_by("symbol").agg(
            pl.col("date").min().alias("first"), pl.col("date").max().alias("last")
        )
        spans = (
            pl.concat([spans, ends])
            .group_by("symbol")
            .agg(pl.col("first").min(), pl.col("last").max())
        )
        dates = pl.concat([dates, month["date"].unique()]).unique()
        rows += month.height
    if not rows:
        raise DataError("gold stocks_daily has no bar, so there is nothing to export for Qlib")
    spans, sessions = spans.sort("symbol"), dates.sort()
    first, last = (sessions.search_sorted(spans[name]).to_numpy() for name in ("first", "last"))
    return Market(sessions, spans["symbol"], Span(first.astype(int), last.astype(int)), rows)


def parts_of(span: Span) -> Iterator[slice]:
    """Neighbouring symbols whose files fit in memory together."""
    part = np.cumsum(span.cells) // CELLS
    bounds = [0, *(np.flatnonzero(np.diff(part)) + 1).tolist(), part.size]
    return (slice(a, b) for a, b in pairwise(bounds))


def load(files: Iterable[Path], market: Market, part: slice) -> Block:
    """Files of some symbols.

    Raises:
        DataError: a symbol has two bars on one date.
    """
    symbols = market.symbols[part]
    block = Block(list(COLUMNS), Span(market.span.first[part], market.span.last[part]))
    wanted = pl.col("symbol").is_between(pl.lit(symbols[0]), pl.lit(symbols[-1]))
    rows = 0
    for file in files:
        month = tables.scan([file]).filter(wanted).select("symbol", "date", **GOLD).collect()
        block.fill(
            month["symbol"].cast(pl.Enum(symbols)).to_physical().to_numpy(),
            market.sessions.search_sorted(month["date"]).to_numpy().astype(int),
            {name: month[name].to_numpy() for name in GOLD},
        )
        rows += month.height
    if block.bars != rows:
        raise DataError(
            f"gold stocks_daily, {symbols[0]} to {symbols[-1]}: a symbol has two bars on one date; "
            "rebuild gold"
        )
    block.fill_change()
    return block


def write_version(files: Sequence[Path], market: Market, folder: Path) -> Writer:
    """Write calendar, instruments and features into `folder`, which must not exist."""
    names = [name_of(symbol) for symbol in market.symbols]
    sessions = market.sessions.to_list()
    writer = Writer(folder, list(COLUMNS))
    writer.write_text(CALENDAR, calendar_text(sessions))
    writer.write_text(INSTRUMENTS, instruments_text(names, market.span, sessions))
    for part in parts_of(market.span):
        writer.write_block(names[part], load(files, market, part))
    return writer


def publish(written: Path, writer: Writer, versions: Path) -> Path:
    """Give a written folder its place, or drop it when a whole one of this content is there."""
    version = versions / writer.digest()
    if size_of(version) == (writer.files, writer.bytes):
        remove(written)
        os.utime(version)  # the newest: see `prune`
    else:
        os.sync()  # once for all: to sync 100,000 small files one by one takes minutes
        if version.exists():
            remove(version)
        written.rename(version)
    return version


def size_of(folder: Path) -> tuple[int, int]:
    """Number and bytes of the files in a folder, of all levels; zeros when there is none."""
    files = size = 0
    for place, _, names in os.walk(folder):
        files += len(names)
        size += sum(os.stat(f"{place}/{name}").st_size for name in names)  # noqa: PTH116
    return files, size


def link(current: Path, version: Path) -> None:
    """Make `current` a link to `version` in one step, in place of the one that is there."""
    new = temporary_of(current)
    new.unlink(missing_ok=True)
    new.symlink_to(version.relative_to(current.parent), target_is_directory=True)
    new.replace(current)


def prune(current: Path, keep: int) -> None:
    """Remove the oldest versions beyond `keep`, never `current`."""
    version = current.resolve()
    others = [p for p in version.parent.iterdir() if p.is_dir() and p != version]
    others = [p for p in others if not p.name.startswith(".")]
    others.sort(key=lambda p: (p.stat().st_mtime_ns, p.name), reverse=True)
    for old in others[max(keep - 1, 0) :]:
        remove(old)


def temporary_of(path: Path) -> Path:
    """The name under which this process makes or removes `path`: no reader looks at it."""
    return path.with_name(f".{path.name}.{mark()}.tmp")


def remove(folder: Path) -> None:
    """Remove a folder; killed in between, no half of it is left under its name."""
    if not folder.name.startswith("."):
        folder = folder.rename(temporary_of(folder))
    shutil.rmtree(folder)


def sweep(*folders: Path) -> None:
    """Remove what killed processes left in `folders`, and this process under an earlier pid."""
    for left in (path for folder in folders for path in folder.glob(".*.tmp")):
        of = left.name.rsplit(".", 2)[1]
        if of == mark() or is_gone(of):
            remove(left) if left.is_dir() and not left.is_symlink() else left.unlink()


def build(*, bars: Iterable[Path], provenance: Path, keep: int, manifest: Path) -> dict:
    """Export all daily bars for Qlib as a new version, then let `current` be it.

    The version stands beside the manifest: `versions/{hash}`, hash being that of its content, and
    `current` a link to it. Stopped at any moment, `current` is the old version or the new one.

    Args:
        bars: gold stocks_daily, all months.
        provenance: JSON of the lake's provenance.
        keep: versions that stay, the current one counted.
        manifest: JSON {hash, path, symbols, sessions, start, end, fields, rows, bytes, names,
            provenance}; `names` are Qlib's for the tickers whose own are not used, see
            `qlib_format.name_of`; written last.

    Returns:
        what was written to `manifest`, without `names`.

    Raises:
        DataError: as `survey` and `load`; `current` is no link.
    """
    current, versions = manifest.parent / "current", manifest.parent / "versions"
    if current.exists() and not current.is_symlink():
        raise DataError(f"{current}: not a link, so not ours; move it away")
    versions.mkdir(parents=True, exist_ok=True)
    sweep(manifest.parent, versions)
    files = sorted(bars)
    market = survey(files)
    written = temporary_of(versions / "new")
    try:
        writer = write_version(files, market, written)
        version = publish(written, writer, versions)
    finally:
        shutil.rmtree(written, ignore_errors=True)
    link(current, version)
    prune(current, keep)
    source = json.loads(provenance.read_text(encoding="utf-8"))
    report = {
        "hash": version.name,
        "path": f"{versions.name}/{version.name}",
        "symbols": market.symbols.len(),
        "sessions": market.sessions.len(),
        "start": str(market.sessions[0]),
        "end": str(market.sessions[-1]),
        "fields": list(COLUMNS),
        "rows": market.rows,
        "bytes": writer.bytes,
        "names": {
            ticker: name_of(ticker) for ticker in market.symbols if name_of(ticker) != ticker
        },
        "provenance": {
            **{key: value for key, value in source.items() if key != "sources"},
            "sha256": sha256(provenance),
        },
    }
    tables.write_json(report, manifest)
    return {key: value for key, value in report.items() if key != "names"}


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                bars=as_paths(snakemake.input.bars),  # noqa: F821
                provenance=Path(snakemake.input.provenance),  # noqa: F821
                keep=snakemake.params.keep,  # noqa: F821
                manifest=Path(snakemake.output.manifest),  # noqa: F821
            ),
        )

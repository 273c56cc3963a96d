"""The daily rows of all batches in one file, sorted by symbol and date."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl

from scripts.tables import scan
from scripts.weekly import stream


def merged(files: Sequence[Path]) -> Iterator[pl.DataFrame]:
    """Rows of all files by symbol and date, block after block.

    Args:
        files: sorted by symbol and date; a symbol is in one file alone.
    """
    readers = [stream.read(path, stream.shared_group(len(files))) for path in files]
    held = [next(reader, None) for reader in readers]
    while any(part is not None for part in held):
        # Up to this symbol, nothing can follow that is not held or of the same file.
        limit = min(part["symbol"][-1] for part in held if part is not None)
        ready = []
        for place, part in enumerate(held):
            if part is None:
                continue
            cut = part["symbol"].search_sorted(limit, side="right")
            ready.append(part[:cut])
            held[place] = part[cut:] if cut < part.height else next(readers[place], None)
        block = pl.concat(ready)
        yield block.sort("symbol", maintain_order=True) if len(ready) > 1 else block


def drop_others(folders: Iterable[Path], batches: Sequence[str]) -> list[str]:
    """Remove partitions of an earlier number of batches; who reads a folder would get rows twice.

    Args:
        folders: of batch=* partitions.
        batches: keys of those that stay.

    Returns:
        what was removed.
    """
    kept = {f"batch={batch}" for batch in batches}
    left = [path for folder in folders for path in folder.glob("batch=*") if path.name not in kept]
    for path in left:
        shutil.rmtree(path)
    return sorted(map(str, left))


def build(*, daily: Sequence[Path], out: Path) -> dict:
    """Write the daily rows of all batches, sorted by symbol and date.

    Args:
        daily: as `build_daily` writes them, one a batch.
        out: parquet: their columns without batch.

    Returns:
        the number of rows.
    """
    schema = scan(daily[:1]).drop("batch").collect_schema()
    stream.write((block.drop("batch") for block in merged(daily)), schema, out)
    return {"rows": scan([out]).select(pl.len()).collect().item()}


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        place = Path(snakemake.output.features).parent  # noqa: F821
        folders = [place / name for name in snakemake.params.folders]  # noqa: F821
        log.info("removed: %s", drop_others(folders, snakemake.params.batches))  # noqa: F821
        log.info(
            "%s",
            build(
                daily=[Path(path) for path in snakemake.input],  # noqa: F821
                out=Path(snakemake.output.features),  # noqa: F821
            ),
        )

"""Weekly features of a batch joined to its daily rows, each seeing only weeks that have ended."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from scripts.errors import DataError
from scripts.tables import scan
from scripts.weekly import stream
from scripts.weekly.build_bars import with_batch
from scripts.weekly.visible import Weeks, gather


def build(
    *,
    daily: Path,
    features: Path,
    visible_from: str,
    stale_after: int | None,
    batch: int,
    batches_in_all: int,
    out: Path,
) -> dict:
    """Write a batch's daily rows with the features that could be known on their date.

    Args:
        daily: checked daily bars, sorted by symbol, date.
        features: as `build_features` writes them.
        visible_from: same_day or next_day, see `visible.Weeks`.
        stale_after: business days, see `visible.Weeks`.
        batch: number of the batch.
        batches_in_all: number of batches, whose files are then merged.
        out: parquet: the columns of `daily`, the features, batch; sorted by symbol, date.

    Returns:
        the number of rows.

    Raises:
        DataError: a column of `daily` has the name of a feature.
    """
    weekly = scan([features]).drop("batch").collect()
    weeks = Weeks(weekly["symbol"], weekly["week_end"], visible_from, stale_after)
    weekly = weekly.drop("symbol", "week_end")
    schema = scan([daily]).collect_schema()
    if clash := [name for name in [*weekly.columns, "batch"] if name in schema]:
        raise DataError(
            f"column {clash[0]} of the input is one of the output; rename it, or leave it out by "
            "weekly.columns"
        )

    def blocks() -> Iterator[pl.DataFrame]:
        for rows in stream.read(daily):
            place = weeks.seen(rows["symbol"], rows["date"])
            yield with_batch(rows.hstack(gather(weekly, place)), batch)

    empty = with_batch(pl.DataFrame(schema={**schema, **weekly.schema}), batch)
    stream.write(blocks(), empty.schema, out, stream.shared_group(batches_in_all))
    return {"rows": scan([daily]).select(pl.len()).collect().item()}


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                daily=Path(snakemake.input.daily),  # noqa: F821
                features=Path(snakemake.input.features),  # noqa: F821
                visible_from=snakemake.params.visible_from,  # noqa: F821
                stale_after=snakemake.params.stale_after,  # noqa: F821
                batch=int(snakemake.wildcards.batch),  # noqa: F821
                batches_in_all=snakemake.params.batches,  # noqa: F821
                out=Path(snakemake.output.daily),  # noqa: F821
            ),
        )

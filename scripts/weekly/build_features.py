"""Weekly bars of a batch and the benchmarks -> weekly features."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from scripts.lake.tables import scan, write
from scripts.weekly.build_bars import with_batch
from scripts.weekly.features import calculate
from scripts.weekly.mappings import NONE, read_mappings
from scripts.weekly.panel import price_column
from scripts.weekly.strength import Benchmarks


def build(
    *,
    bars: Path,
    benchmarks: Path,
    mappings: Sequence[Path],
    adjusted_close: str | None,
    parity: bool,
    lags: Sequence[int],
    lagged: Sequence[str],
    batch: int,
    out: Path,
) -> dict:
    """Write the features of a batch's weekly bars.

    Args:
        bars: as `build_bars` writes them.
        benchmarks: as `build_benchmarks` writes them.
        mappings: none, or one CSV.
        adjusted_close: column that features are computed from, where it is there; None: close.
        parity: as the peer does it.
        lags: weekly bars.
        lagged: columns of the output to shift by them.
        batch: number of the batch.
        out: parquet, columns as `features.calculate`, sorted by symbol, week_end.

    Returns:
        the number of rows.

    Raises:
        DataError: as `mappings.read_mappings` and `features.check_names`.
    """
    weekly = scan([bars]).drop("batch").collect()
    table = Benchmarks(
        pl.read_parquet(benchmarks), read_mappings(mappings[0]) if mappings else NONE, parity
    )
    price = price_column(weekly.columns, adjusted_close)
    frame = calculate(weekly, table, price=price, parity=parity, lags=lags, lagged=lagged)
    write(with_batch(frame, batch), out)
    return {"rows": frame.height}


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                bars=Path(snakemake.input.bars),  # noqa: F821
                benchmarks=Path(snakemake.input.benchmarks),  # noqa: F821
                mappings=[Path(path) for path in snakemake.input.get("mappings", [])],  # noqa: F821
                adjusted_close=snakemake.params.adjusted_close,  # noqa: F821
                parity=snakemake.params.parity,  # noqa: F821
                lags=snakemake.params.lags,  # noqa: F821
                lagged=snakemake.params.lagged,  # noqa: F821
                batch=int(snakemake.wildcards.batch),  # noqa: F821
                out=Path(snakemake.output.features),  # noqa: F821
            ),
        )

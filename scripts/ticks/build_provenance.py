"""Where the tick results come from: version, config, sources with their checksums."""

from collections.abc import Sequence
from pathlib import Path

from scripts import provenance

PRODUCTS = (
    "ticks/source/*.xlsx",
    "ticks/parquet/*.parquet",
    "ticks/quarantine/**",
    "ticks/reconcile/**",
    "ticks/kernels/*.json",
    "ticks/trades/**",
    "ticks/sweeps/**",
    "ticks/summary.csv",
    "ticks/fixes.*",
    "ticks/plots/**",
    "ticks/benchmark.json",
)


def note(
    *, sources: Sequence[Path], version: str, config_hash: str, simulated: bool, out: Path
) -> None:
    """Write the provenance of the tick results as JSON, see `scripts.provenance.note`."""
    provenance.note(
        sources=map(provenance.source, set(sources)),
        products=PRODUCTS,
        version=version,
        config_hash=config_hash,
        simulated=simulated,
        out=out,
    )


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        note(
            sources=[Path(path) for path in snakemake.input],  # noqa: F821
            version=snakemake.params.version,  # noqa: F821
            config_hash=snakemake.params.config_hash,  # noqa: F821
            simulated=snakemake.params.simulated,  # noqa: F821
            out=Path(snakemake.output.provenance),  # noqa: F821
        )

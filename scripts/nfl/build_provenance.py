"""Where the NFL results come from: version, config, sources with their checksums."""

from collections.abc import Sequence
from pathlib import Path

from scripts import provenance

PRODUCTS = (
    "nfl/raw/**",
    "nfl/etl/**",
    "nfl/expected_points/**",
    "nfl/features/**",
    "nfl/models/**",
    "nfl/grid/**",
    "nfl/checks/*.json",
    "nfl/passed.json",
    "nfl/tables/*",
    "nfl/plots/*",
    "warehouse/**",
)


def build(
    *, sources: Sequence[Path], version: str, config_hash: str, simulated: bool, out: Path
) -> None:
    """Write the provenance of the NFL results as JSON, see `scripts.provenance.note`."""
    provenance.note(
        sources=map(provenance.source, sorted(set(sources))),
        products=PRODUCTS,
        version=version,
        config_hash=config_hash,
        simulated=simulated,
        out=out,
    )


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        build(
            sources=[Path(path) for path in snakemake.input.sources],  # noqa: F821
            version=snakemake.params.version,  # noqa: F821
            config_hash=snakemake.params.config_hash,  # noqa: F821
            simulated=snakemake.params.simulated,  # noqa: F821
            out=Path(snakemake.output.provenance),  # noqa: F821
        )

"""Where the lake comes from: version, config, landed files and REST partitions with checksums."""

import json
from collections.abc import Iterable
from pathlib import Path

from scripts import provenance
from scripts.errors import DataError

PRODUCTS = (
    "lake/landing/**",
    "lake/bronze/**",
    "lake/silver/**",
    "lake/gold/**",
    "lake/quarantine/**",
    "lake/reconcile/**",
    "lake/qlib/**",
)


def source(path: Path) -> dict:
    """{path, sha256, etag} of the landed file a manifest tells of; {path, sha256} of any other.

    Raises:
        DataError: the manifest cannot be read.
    """
    if path.suffix != ".json":
        return provenance.source(path)
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        landed = path.with_suffix(".csv.gz")
        return {"path": str(landed), "sha256": manifest["sha256"], "etag": manifest["etag"]}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: no manifest ({error!r}); delete it, it is made again") from None


def build(
    *, sources: Iterable[Path], version: str, config_hash: str, simulated: bool, out: Path
) -> None:
    """Write the lake's provenance as JSON, see `scripts.provenance.note`.

    Args:
        sources: manifests of landed files (.json), landed files without one, REST partitions.
    """
    provenance.note(
        sources=map(source, sorted(set(sources))),
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

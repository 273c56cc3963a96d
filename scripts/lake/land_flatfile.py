"""One flat file of the vendor -> landing, with a manifest."""

import logging
import shutil
from pathlib import Path

from scripts.atomic import atomic
from scripts.errors import DataError
from scripts.lake.landing import (
    Content,
    Store,
    inspect,
    key_of,
    manifest_path,
    read_manifest,
    write_json,
)

LOG = logging.getLogger(__name__)


def checked(adopted: Path) -> tuple[Content, dict]:
    """A file of another landing folder, read to its end, and what its own manifest says of it.

    Returns:
        the file's content, and {etag, maybe landed_at}: of the manifest beside it, if that tells
        the file's SHA-256; otherwise the ETag is the file's MD5.

    Raises:
        DataError: as `inspect`; or it is not the file that its manifest tells of.
    """
    content, own = inspect(adopted, str(adopted)), manifest_path(adopted)
    if not own.is_file():
        return content, {"etag": content.md5}
    told = read_manifest(own)
    if told["size"] != content.size or told.get("sha256", content.sha256) != content.sha256:
        raise DataError(
            f"{adopted}: {content.size} bytes, SHA-256 {content.sha256[:12]}, but {own.name} says "
            f"{told['size']} bytes, {told.get('sha256', '-')[:12]}: another file; fetch it again"
        )
    if "sha256" not in told:
        return content, {"etag": content.md5}
    return content, {name: told[name] for name in ("etag", "landed_at") if name in told}


def adopt(adopted: Path, revision: str | None, out: Path) -> dict | None:
    """Take over a file of another landing folder: a hard link, else a copy.

    Args:
        adopted: the file.
        revision: ETag of the vendor's file now, if it is known to be another than landed before.
        out: where it lands.

    Returns:
        what its manifest says; None (and a line in the log) where it is damaged or out of date.
    """
    try:
        content, told = checked(adopted)
    except (DataError, OSError) as error:
        LOG.warning("not adopted, downloaded instead: %s", error)
        return None
    if revision not in (None, told["etag"]):
        LOG.info("not adopted: the vendor has replaced %s, ETag now %s", adopted, revision)
        return None
    with atomic(out) as temporary:
        try:
            temporary.hardlink_to(adopted.resolve())
        except OSError:  # another file system, or one without links
            shutil.copyfile(adopted, temporary)
    return {**told, "size": content.size, "sha256": content.sha256, "adopted": True}


def download(store: Store, key: str, out: Path) -> dict:
    """Fetch a file, check it whole, and only then put it in its place.

    Returns:
        what its manifest says.

    Raises:
        DataError: as `Store.download` and `inspect`.
    """
    with atomic(out) as temporary:
        head = store.download(key, temporary)
        content = inspect(temporary, key)
    return {"etag": head.etag, "size": content.size, "sha256": content.sha256}


def land(
    *,
    store: Store,
    dataset: str,
    date: str,
    adopted: Path | None,
    revision: str | None,
    out: Path,
    manifest: Path,
) -> dict:
    """Adopt or download one flat file.

    Args:
        store: the vendor's.
        dataset: of `landing.FOLDERS`.
        date: YYYY-MM-DD, the session.
        adopted: the same file in another landing folder, if there is one.
        revision: ETag of the vendor's file now, if it is known to be another than landed before.
        out: csv.gz, byte by byte the vendor's.
        manifest: JSON {etag, size, sha256, landed_at, as_of}, written after the file, and
            `adopted`: true if it was. landed_at: UTC; as_of: its date.

    Returns:
        what was written to `manifest`.
    """
    record = adopt(adopted, revision, out) if adopted else None
    if record is None:
        record = download(store, key_of(dataset, date), out)
    landed_at = record.get("landed_at") or f"{store.fetched_at(date):%Y-%m-%dT%H:%M:%SZ}"
    record = {
        "etag": record["etag"],
        "size": record["size"],
        "sha256": record["sha256"],
        "landed_at": landed_at,
        "as_of": landed_at[:10],
        **({"adopted": True} if record.get("adopted") else {}),
    }
    write_json(record, manifest)
    return record


if __name__ == "__main__":
    from scripts.job import job
    from scripts.lake.vendor import open_store

    with job(snakemake) as log:  # noqa: F821
        adopted = snakemake.resources.adopted  # noqa: F821
        log.info(
            "%s",
            land(
                store=open_store(snakemake.params.vendor, snakemake.params.seed),  # noqa: F821
                dataset=snakemake.wildcards.dataset,  # noqa: F821
                date=snakemake.wildcards.date,  # noqa: F821
                adopted=Path(adopted) if adopted else None,
                revision=snakemake.params.revision,  # noqa: F821
                out=Path(snakemake.output.file),  # noqa: F821
                manifest=Path(snakemake.output.manifest),  # noqa: F821
            ),
        )

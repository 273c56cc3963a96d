"""Landed files that the vendor may have replaced -> the ETags of those that it has."""

import json
import logging
from collections.abc import Iterable
from pathlib import Path

from scripts import manifests
from scripts.errors import DataError, NotFoundError
from scripts.lake.landing import (
    Head,
    Store,
    key_of,
    read_manifest,
    write_json,
)

LOG = logging.getLogger(__name__)


def read_revisions(path: Path) -> dict[str, str]:
    """What earlier checks found: `dataset/date` -> ETag; none yet: {}.

    Raises:
        DataError: the file is damaged.
    """
    if not path.exists():
        return {}
    manifests.check([path])
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if all(isinstance(etag, str) for etag in found.values()):
            return found
        reason = "not all ETags are text"
    except (OSError, ValueError, AttributeError) as error:
        reason = str(error)
    raise DataError(f"{path}: not readable ({reason}); delete it")


def is_replaced(manifest: dict, head: Head) -> bool:
    """Whether the vendor's file is another than the landed one.

    The ETag of a multipart upload (`...-5`) says nothing of an adopted file, whose own is its MD5:
    then the size decides.
    """
    if manifest.get("adopted") and "-" in head.etag and "-" not in manifest["etag"]:
        return manifest["size"] != head.size
    return manifest["etag"] != head.etag


def check(*, store: Store, landed: Iterable[tuple[str, str, str]], revisions: Path) -> dict:
    """Ask for the ETag of every landed file, and write down those that differ.

    An entry of `revisions` is changed only by a vendor's file that differs from the landed one:
    it is a param of the file's landing, which would run again.

    Args:
        store: the vendor's.
        landed: (dataset, date, path of the manifest) of each file.
        revisions: JSON {`dataset/date`: ETag}, sorted; entries of other files are kept.

    Returns:
        {probed, changed, gone}: how many were asked for, differ, are no longer there.

    Raises:
        DataError: the store refuses or does not answer, or a manifest or `revisions` is damaged;
            `revisions` then is as it was.
    """
    record = read_revisions(revisions)
    counts = {"probed": 0, "changed": 0, "gone": 0}
    for dataset, day, manifest in landed:
        if not Path(manifest).exists():
            LOG.info("%s/%s: no manifest, so it lands anyway", dataset, day)
            continue
        landed_as = read_manifest(Path(manifest))
        counts["probed"] += 1
        try:
            head = store.head(key_of(dataset, day))
        except NotFoundError as error:
            LOG.warning("the landed file is kept, though the vendor has it no more: %s", error)
            counts["gone"] += 1
            continue
        if is_replaced(landed_as, head):
            LOG.info("%s/%s: ETag %s, landed %s", dataset, day, head.etag, landed_as["etag"])
            record[f"{dataset}/{day}"] = head.etag
            counts["changed"] += 1
    write_json(dict(sorted(record.items())), revisions)
    return counts


if __name__ == "__main__":
    from scripts.job import job
    from scripts.lake.vendor import open_store

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            check(
                store=open_store(snakemake.params.vendor, snakemake.params.seed),  # noqa: F821
                landed=snakemake.params.landed,  # noqa: F821
                revisions=Path(snakemake.output.revisions),  # noqa: F821
            ),
        )

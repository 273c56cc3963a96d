"""The cross-reference index: where each label is, and how it is numbered."""

import json
from collections.abc import Mapping
from pathlib import Path

from scripts.atomic import atomic


def build(*, index: Mapping[str, Mapping[str, str]], out: Path) -> None:
    """Write {label: {document, text}}, in the order of the book.

    Args:
        index: see `scripts.plan.book.Edition.index`.
        out: file to write.
    """
    with atomic(out) as temporary:
        text = json.dumps(index, indent=1, ensure_ascii=False) + "\n"
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        build(
            index={label: dict(entry) for label, entry in snakemake.params.index},  # noqa: F821
            out=Path(snakemake.output.xref),  # noqa: F821
        )

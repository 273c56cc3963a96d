"""Taking away what is about to be out of date: a failed build must not leave it to be shipped."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def retract(paths: Iterable[Path]) -> None:
    """Remove files that rest on what the job replaces; later jobs of the same run make them again.

    Without this, a notebook that raises would leave yesterday's PDF beside today's sources.

    Args:
        paths: that may or may not exist.
    """
    for path in paths:
        path.unlink(missing_ok=True)

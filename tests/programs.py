"""Programs that are not Python packages: tests that need one say so, and CI installs them all."""

from __future__ import annotations

import shutil

import pytest

from tests.conftest import IN_CI


def needs(*programs: str, in_ci: bool = True) -> pytest.MarkDecorator:
    """Skip a test where a program is absent; on CI let it fail instead.

    Args:
        programs: names on PATH.
        in_ci: whether CI installs them.
    """
    absent = [program for program in programs if not shutil.which(program)]
    skipped = bool(absent) and not (IN_CI and in_ci)
    return pytest.mark.skipif(skipped, reason=f"{', '.join(absent)} not on PATH")

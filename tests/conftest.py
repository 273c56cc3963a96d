"""What all tests share: where compiled code is kept, hypothesis' profile, and the real data."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import hypothesis
import pytest

from scripts.plan.fingerprint import fingerprint

ROOT = Path(__file__).parents[1]


def kernel_cache() -> Path:
    """Folder for numba's cache of this version of the event loops.

    Numba itself does not see a change of a helper in another module, so the code is in the name.
    """
    strategies = sorted((ROOT / "scripts/ticks/strategies").glob("*.py"))
    modules = [path.relative_to(ROOT).as_posix() for path in strategies]
    code = fingerprint(ROOT, "scripts/ticks/simulate_trades.py", *modules)
    return Path(tempfile.gettempdir(), "testcache", "numba", code)


# Before any test module imports numba, which reads it once.
os.environ.setdefault("NUMBA_CACHE_DIR", str(kernel_cache()))

IN_CI = os.environ.get("CI") == "true"
hypothesis.settings.register_profile("almanac", deadline=None, derandomize=IN_CI, print_blob=True)
hypothesis.settings.load_profile("almanac")


@pytest.fixture(scope="session")
def root() -> Path:
    """Folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with real data, from ALMANAC_REAL_DATA. Without it: skip; on CI: fail."""
    value = os.environ.get("ALMANAC_REAL_DATA")
    if value and Path(value).is_dir():
        return Path(value)
    problem = f"no folder {value}" if value else "not set"
    message = f"ALMANAC_REAL_DATA: {problem}; it names the folder of real data to compare with"
    return pytest.fail(message) if IN_CI else pytest.skip(message)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name bytes by their number: gzip holds the time, and all workers must collect the same."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Workflow tests first: they take minutes a file, and at the end one worker would be alone."""
    items.sort(key=lambda item: "workflow" not in item.path.parts)

"""Did all checks pass? The build ends here when one did not."""

import json
from collections.abc import Sequence
from pathlib import Path

from scripts.errors import DataError
from scripts.tables import write_json


def confirm(checks: Sequence[Path], out: Path) -> str:
    """Write {passed: [names], simulated: [names]} where every check passed.

    Args:
        checks: JSON of the checks.
        out: JSON to write.

    Returns:
        one line for the log.

    Raises:
        DataError: a check did not pass; it tells what was got, what is allowed, and where to read
            more.
    """
    found = [json.loads(path.read_text()) | {"path": path} for path in sorted(checks)]
    failed = [one for one in found if not one["pass"]]
    if failed:
        told = "; ".join(
            f"{one['check']}: got {_short(one['got'])}, allowed {_allowed(one['limit'])} "
            f"({one['note']})"
            for one in failed
        )
        raise DataError(f"{len(failed)} of {len(found)} checks failed: {told}")
    names = sorted(one["check"] for one in found)
    simulated = sorted(one["check"] for one in found if one["simulated"])
    write_json({"passed": names, "simulated": simulated}, out)
    return f"all {len(names)} checks passed"


def _short(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.5g}"


def _allowed(limit: object) -> str:
    """A limit in words."""
    if not isinstance(limit, list):
        return f"{limit}"
    low, high = limit
    if low is None or high is None:
        return f"at most {high:g}" if low is None else f"at least {low:g}"
    return f"{low:g} to {high:g}"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            confirm(
                checks=[Path(path) for path in snakemake.input.checks],  # noqa: F821
                out=Path(snakemake.output.passed),  # noqa: F821
            ),
        )

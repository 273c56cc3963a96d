"""Steps of the test of a migration: each leaves a report, of its failure too."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg

from scripts.errors import DataError
from scripts.tables import write_json
from scripts.warehouse import server

STEPS = ("snapshot", "apply", "validate", "integration", "drop")


def take(
    about: Mapping[str, str],
    before: Path | None,
    action: Callable[[Mapping], tuple[list[str], Mapping]],
    out: Path,
) -> str:
    """Do a step, if the one before it was done, and write its report.

    Args:
        about: migration, environment, step.
        before: report of the step before; None: there is none, or it does not matter.
        action: takes that report, gives causes of being unsafe, and what else is to be told.
        out: {migration, environment, step, ok, causes, seconds, ...}; ok is null where the step was
            not reached.

    Returns:
        one line for the log.

    Raises:
        UnreachableError: no connection to a database.
    """
    start = time.perf_counter()
    earlier = json.loads(before.read_text()) if before else {"ok": True}
    causes: list[str] = []
    told: Mapping = {}
    if not earlier["ok"] and "step" not in earlier:  # the environment could not be made
        ok, causes = False, earlier["causes"]
    elif not earlier["ok"]:
        ok, told = None, {"failed": earlier.get("failed", earlier["step"])}
    else:
        try:
            causes, told = action(earlier)
        except server.UnreachableError:  # says nothing of the migration
            raise
        except DataError as error:
            causes = [str(error)]
        except psycopg.Error as error:
            causes = [" ".join(str(error).split())]
        ok = not causes
    seconds = round(time.perf_counter() - start, 3)
    report = {**about, "ok": ok, "causes": causes, "seconds": seconds, **told}
    write_json(report, out)
    if ok is None:
        return f"not reached: {report['failed']} failed"
    return "ok" if ok else "; ".join(causes)

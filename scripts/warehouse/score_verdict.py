"""SAFE or UNSAFE, and why, from the steps of all environments -> verdict.json, verdict.txt."""

import json
from collections.abc import Sequence
from pathlib import Path

from scripts.atomic import atomic
from scripts.tables import write_json
from scripts.warehouse.steps import STEPS

SAFE, UNSAFE = "SAFE", "UNSAFE"


def score(migration: str, reports: Sequence[Path], out: Path, table: Path) -> str:
    """Put the steps together. Unsafe is what any step found so, and what could not be tried.

    Args:
        migration: its name.
        reports: of all steps of all environments.
        out: {migration, verdict, causes, seconds, environments: {name: {step: {ok, seconds}}}}.
        table: the same to be read.

    Returns:
        the verdict in one line, for the log.
    """
    environments: dict[str, dict] = {}
    causes = []
    for path in reports:
        report = json.loads(path.read_text())
        step = {"ok": report["ok"], "seconds": report["seconds"]}
        environments.setdefault(report["environment"], {})[report["step"]] = step
        causes += [f"{report['environment']} {report['step']}: {c}" for c in report["causes"]]
    safe = all(step["ok"] for steps in environments.values() for step in steps.values())
    verdict = SAFE if safe else UNSAFE
    seconds = {
        name: round(sum(step["seconds"] for step in steps.values()), 3)
        for name, steps in environments.items()
    }
    told = {"migration": migration, "verdict": verdict, "causes": causes, "seconds": seconds}
    write_json({**told, "environments": environments}, out)
    with atomic(table) as temporary:
        temporary.write_text("\n".join(_lines(told, environments)) + "\n", encoding="utf-8")
    return f"{verdict} {migration}" + "".join(f"; {cause}" for cause in causes)


def _lines(told: dict, environments: dict[str, dict]) -> list[str]:
    """A row for each environment, then the causes."""
    words = {True: "ok", False: "FAILED", None: "-"}
    width = max(map(len, environments), default=0)
    heads = "  ".join(f"{step:<16}" for step in STEPS)
    lines = [f"{told['migration']}: {told['verdict']}", "", f"{'':<{width}}  {heads}".rstrip()]
    for name, steps in environments.items():
        cells = [f"{words[steps[s]['ok']]:<6} {steps[s]['seconds']:6.2f} s" for s in STEPS]
        lines.append(f"{name:<{width}}  " + "  ".join(f"{cell:<16}" for cell in cells).rstrip())
    return [*lines, *([""] if told["causes"] else []), *told["causes"]]


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            score(
                migration=snakemake.params.migration,  # noqa: F821
                reports=[Path(path) for path in snakemake.input.reports],  # noqa: F821
                out=Path(snakemake.output.verdict),  # noqa: F821
                table=Path(snakemake.output.table),  # noqa: F821
            ),
        )

"""Did the grid choose by its validation season alone, before any test season?"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from scripts.errors import DataError
from scripts.nfl.checks import check
from scripts.nfl.score_grid import VALUES, choose
from scripts.tables import write_json


def selection(table: pl.DataFrame, chosen: Mapping, tests: Sequence[int]) -> dict:
    """The check `grid_selection`: number of faults of the choice.

    A fault is each row scored on another season than the choice's, each test season that is not
    after it, and a choice that is not what the validation scores say.

    Args:
        table: columns `grid_fit.COLUMNS`.
        chosen: the configuration that was chosen.
        tests: test seasons.
    """
    season = chosen["validation"]
    other = table.filter(pl.col("validation") != season).height
    early = [test for test in tests if test <= season]
    best = choose(table)
    wrong = [name for name in (*VALUES, "auc") if best[name] != chosen[name]]
    told = [f"{other} rows scored on other seasons"] if other else []
    told += [f"test seasons not after {season}: {early}"] if early else []
    told += (
        [f"chosen {', '.join(f'{n} {chosen[n]:g}, not {best[n]:g}' for n in wrong)}"]
        if wrong
        else []
    )
    note = "faults of the grid's choice by the AUC of its validation season"
    note += f": {'; '.join(told)}" if told else ""
    faults = other + len(early) + len(wrong)
    return check(
        "grid_selection", faults, 0, table.height, simulated=bool(chosen["simulated"]), note=note
    )


def confirm(table: Path, chosen: Path, tests: Sequence[int], out: Path) -> str:
    """Write the check.

    Args:
        table: results of the grid.
        chosen: JSON of the choice.
        tests: test seasons.
        out: JSON to write; where the check fails it is in the error alone.

    Returns:
        one line for the log.

    Raises:
        DataError: the check fails.
    """
    found = selection(pl.read_parquet(table), json.loads(chosen.read_text()), tests)
    if not found["pass"]:
        raise DataError(f"grid_selection: {found['got']} {found['note']}")
    write_json(found, out)
    return f"{found['n']} configurations, chosen on {json.loads(chosen.read_text())['validation']}"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            confirm(
                table=Path(snakemake.input.table),  # noqa: F821
                chosen=Path(snakemake.input.chosen),  # noqa: F821
                tests=snakemake.params.tests,  # noqa: F821
                out=Path(snakemake.output.check),  # noqa: F821
            ),
        )

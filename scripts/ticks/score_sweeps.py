"""All sweeps of one strategy in one table: every value of every parameter, mode and security."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from scripts.tables import Column, conform
from scripts.ticks.metrics import SCORES
from scripts.ticks.score_summary import LABELS, SIMULATED, write_csv
from scripts.ticks.sweeps import score_sweep

COLUMNS = {
    "parameter": Column(pl.String, "parameter that is swept"),
    "value": Column(pl.String, "its value, as in the variant"),
    **{name: LABELS[name] for name in ("mode", "variant", "security")},
    **SCORES,
    "simulated": SIMULATED,
}


def tabulate(*, sweeps: Mapping[str, Mapping], simulated: bool, out: Path) -> pl.DataFrame:
    """Score the sweeps of one strategy.

    Args:
        sweeps: parameter -> {fills: parquets of `simulate_sweep`, runs: its (mode, variant) pairs}.
        simulated: whether the events come from the simulator; a column of the table.
        out: CSV with `COLUMNS`.

    Returns:
        the table.
    """
    parts = []
    for parameter, sweep in sweeps.items():
        part = score_sweep(sweep["fills"], sweep["runs"])
        value = pl.col("variant").str.strip_prefix(f"{parameter}=")
        parts.append(
            part.select(pl.lit(parameter).alias("parameter"), value.alias("value"), pl.all())
        )
    table = conform(pl.concat(parts).with_columns(simulated=pl.lit(simulated)), COLUMNS)
    write_csv(table, out)
    return table


def group(parameters: Sequence[str], fills: Sequence[Path], runs: Mapping) -> dict[str, dict]:
    """Give each parameter its files (told by their folder's name) and its runs."""
    return {
        p: {"fills": [path for path in fills if path.parent.name == p], "runs": runs[p]}
        for p in parameters
    }


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        tabulate(
            sweeps=group(
                snakemake.params.parameters,  # noqa: F821
                [Path(path) for path in snakemake.input.fills],  # noqa: F821
                snakemake.params.runs,  # noqa: F821
            ),
            simulated=snakemake.params.simulated,  # noqa: F821
            out=Path(snakemake.output.table),  # noqa: F821
        )

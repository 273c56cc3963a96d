"""What each fix of the realistic mode does: alone on parity, and taken away from realistic."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from scripts.atomic import atomic
from scripts.tables import Column, conform
from scripts.ticks.score_summary import LABELS, PORTFOLIO, SIMULATED, write_csv
from scripts.ticks.sweeps import score_sweep

COLUMNS = {
    "strategy": LABELS["strategy"],
    "fix": Column(pl.String, "the switch that is turned; `base`: none"),
    "mode": Column(pl.String, "mode departed from: parity (fix added), realistic (taken away)"),
    "trades": Column(pl.Int64, "fills, over all securities"),
    "realized_pnl": Column(pl.Float64, "sum of realised pnl, AED"),
    "trades_change": Column(pl.Int64, "fills less those of the mode's base"),
    "pnl_change": Column(pl.Float64, "realised pnl less that of the mode's base, AED"),
    "simulated": SIMULATED,
}


def measure(
    *, fills: Sequence[Path], runs: Mapping[str, Sequence], simulated: bool, out: Path, text: Path
) -> pl.DataFrame:
    """Compare each switched run with the run it departs from, over all securities.

    Args:
        fills: parquets of the `fixes` sweeps; strategy = name of the folder above the parameter's.
        runs: strategy -> (mode, variant) pairs of its sweep.
        simulated: whether the events come from the simulator.
        out: CSV with `COLUMNS`.
        text: the same as a markdown table: pnl of both bases, and each fix's change alone.

    Returns:
        the table.
    """
    parts = []
    for strategy, pairs in runs.items():
        mine = [path for path in fills if path.parent.parent.name == strategy]
        scores = score_sweep(mine, pairs).filter(pl.col("security") == PORTFOLIO)
        base = scores.filter(pl.col("variant") == "base").select(
            "mode", base_trades="trades", base_pnl="realized_pnl"
        )
        parts.append(
            scores.join(base, on="mode", maintain_order="left").select(
                pl.lit(strategy).alias("strategy"),
                pl.col("variant").str.split("=").list.first().alias("fix"),
                "mode",
                "trades",
                "realized_pnl",
                trades_change=pl.col("trades") - pl.col("base_trades"),
                pnl_change=pl.col("realized_pnl") - pl.col("base_pnl"),
            )
        )
    table = conform(pl.concat(parts).with_columns(simulated=pl.lit(simulated)), COLUMNS)
    write_csv(table, out)
    with atomic(text) as temporary:
        temporary.write_text(markdown(table), encoding="utf-8")
    return table


def markdown(table: pl.DataFrame) -> str:
    """The table by strategy and fix: change of trades and pnl when it is alone, or missing."""
    lines = [
        "| strategy | fix | trades, alone | pnl, alone (AED) | pnl without it (AED) |",
        "|---|---|--:|--:|--:|",
    ]
    for strategy, part in table.group_by("strategy", maintain_order=True):
        parity, realistic = (part.filter(pl.col("mode") == m) for m in ("parity", "realistic"))
        for side, name in ((parity, "parity"), (realistic, "realistic, all fixes")):
            lines += [
                f"| {strategy[0]} | **{name}** | **{row['trades']:,}** "
                f"| **{row['realized_pnl']:,.0f}** | |"
                for row in side.filter(pl.col("fix") == "base").iter_rows(named=True)
            ]
        alone, without = (
            {row["fix"]: row for row in side.iter_rows(named=True)} for side in (parity, realistic)
        )
        for fix in part.filter(pl.col("fix") != "base")["fix"].unique(maintain_order=True):
            trades, pnl = change(alone, fix, "trades_change"), change(alone, fix, "pnl_change")
            rest = change(without, fix, "pnl_change")
            lines.append(f"| {strategy[0]} | {fix} | {trades} | {pnl} | {rest} |")
    return "\n".join(lines) + "\n"


def change(rows: Mapping[str, Mapping], fix: str, column: str) -> str:
    """One cell: a signed whole number, or nothing where that mode was not run."""
    return f"{rows[fix][column]:+,.0f}" if fix in rows else ""


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        measure(
            fills=[Path(path) for path in snakemake.input.fills],  # noqa: F821
            runs=snakemake.params.runs,  # noqa: F821
            simulated=snakemake.params.simulated,  # noqa: F821
            out=Path(snakemake.output.table),  # noqa: F821
            text=Path(snakemake.output.text),  # noqa: F821
        )

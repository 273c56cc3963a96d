"""One table of all base backtests: each security's metrics and each strategy's portfolio."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from scripts.atomic import atomic
from scripts.errors import DataError
from scripts.tables import Column, conform
from scripts.ticks.metrics import SCORES, read_trades, score

PORTFOLIO = "*"  # stands for all securities; no security can have this name
COUNTS = {  # of `simulate_trades`
    "position": Column(pl.Int64, "shares held at the end, negative: short"),
    "unrealized_pnl": Column(pl.Float64, "gain of that position at the last price, AED"),
    "market_dates": Column(pl.Int64, "dates with events; empty for a portfolio"),
    "strategy_dates": Column(pl.Int64, "dates on which the strategy took part; empty likewise"),
}
SIMULATED = Column(pl.Boolean, "whether the events come from the simulator")
LABELS = {
    "security": Column(pl.String, "the security; `*`: all of them, merged in time"),
    "strategy": Column(pl.String, "the strategy"),
    "variant": Column(pl.String, "base, or the parameters that differ: key=value,..."),
    "mode": Column(pl.String, "parity or realistic"),
}
FIRST = ("trades", "volume", "realized_pnl", "position", "market_dates", "strategy_dates")
_SCORED = {**SCORES, **COUNTS}
COLUMNS = {
    **LABELS,
    **{name: _SCORED[name] for name in (*FIRST, "unrealized_pnl")},
    **SCORES,  # those that are there already keep their place
    "simulated": SIMULATED,
}
ORDER = ["strategy", "variant", "security", "mode"]  # both modes of one backtest side by side


def summarise(
    *,
    runs: Sequence[Mapping[str, str]],
    trades: Sequence[Path],
    counts: Sequence[Path],
    simulated: bool,
    out: Path,
) -> pl.DataFrame:
    """Score every run, and for each (mode, strategy, variant) all its securities merged in time.

    Args:
        runs: {mode, strategy, variant, security} of each file in `trades` and `counts`.
        trades: trades CSVs.
        counts: JSONs of `simulate_trades`.
        simulated: whether the events come from the simulator; a column of the table.
        out: CSV with `COLUMNS`, sorted by strategy, variant, security, mode. A security of `*` is
            the portfolio; its dates are left empty.

    Returns:
        the table.

    Raises:
        DataError: a trades file holds another number of trades than its counts say.
    """
    rows: list[dict] = []
    portfolios: dict[tuple[str, str, str], list[int]] = {}
    fills = [read_trades(path) for path in trades]
    for i, (run, path) in enumerate(zip(runs, counts, strict=True)):
        counted = json.loads(path.read_text())
        if counted["trades"] != fills[i].height:
            raise DataError(
                f"{trades[i]}: {fills[i].height} trades, but {path.name} counted "
                f"{counted['trades']}; delete both and run again"
            )
        rows.append({**run, **score(fills[i]), **{name: counted[name] for name in COUNTS}})
        portfolios.setdefault((run["mode"], run["strategy"], run["variant"]), []).append(i)
    for (mode, strategy, variant), members in portfolios.items():
        sums = {
            name: sum(rows[i][name] for i in members) for name in ("position", "unrealized_pnl")
        }
        rows.append(
            {"mode": mode, "strategy": strategy, "variant": variant, "security": PORTFOLIO}
            | score(pl.concat([fills[i] for i in members]))
            | sums
        )
    table = table_of(rows).with_columns(simulated=pl.lit(simulated))
    table = conform(table, COLUMNS).sort(ORDER)
    write_csv(table, out)
    return table


def table_of(rows: Sequence[Mapping]) -> pl.DataFrame:
    """Rows as a frame in which every metric has its type, even where it is null throughout."""
    types = {name: column.dtype for name, column in _SCORED.items()}
    return pl.DataFrame(rows, schema_overrides=types, infer_schema_length=None)


def write_csv(table: pl.DataFrame, out: Path) -> None:
    """Write a table as CSV, atomically."""
    with atomic(out) as temporary:
        table.write_csv(temporary)


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        summarise(
            runs=snakemake.params.runs,  # noqa: F821
            trades=[Path(path) for path in snakemake.input.trades],  # noqa: F821
            counts=[Path(path) for path in snakemake.input.counts],  # noqa: F821
            simulated=snakemake.params.simulated,  # noqa: F821
            out=Path(snakemake.output.summary),  # noqa: F821
        )

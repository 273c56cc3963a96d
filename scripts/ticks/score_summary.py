"""One table of all base backtests: each security's metrics and each strategy's portfolio."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from scripts.atomic import atomic
from scripts.errors import DataError
from scripts.ticks.metrics import METRICS, read_trades, score

PORTFOLIO = "*"  # stands for all securities; no security can have this name
COUNTS = ("position", "unrealized_pnl", "market_dates", "strategy_dates")
COLUMNS = (
    "security", "strategy", "variant", "mode", "trades", "volume", "realized_pnl", "position",
    "market_dates", "strategy_dates", "unrealized_pnl", "days", "sharpe", "max_drawdown",
    "max_drawdown_pct", "calmar", "win_rate_pct", "profit_factor", "avg_trade_pnl", "simulated",
)  # fmt: skip
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
        sums = {name: sum(rows[i][name] for i in members) for name in COUNTS[:2]}
        rows.append(
            {"mode": mode, "strategy": strategy, "variant": variant, "security": PORTFOLIO}
            | score(pl.concat([fills[i] for i in members]))
            | sums
        )
    table = table_of(rows).with_columns(simulated=pl.lit(simulated)).select(COLUMNS).sort(ORDER)
    write_csv(table, out)
    return table


def table_of(rows: Sequence[Mapping]) -> pl.DataFrame:
    """Rows as a frame in which every metric has its type, even where it is null throughout."""
    whole = {"trades", "volume", "days", "position", "market_dates", "strategy_dates"}
    types = {c: pl.Int64 if c in whole else pl.Float64 for c in (*METRICS, *COUNTS)}
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

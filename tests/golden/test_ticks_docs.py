"""The tables of fixes in docs/ticks.md are what the code gives today."""

from __future__ import annotations

from pathlib import Path

from scripts.ticks import build_parquet, score_fixes, simulate_sweep, simulate_workbook
from tests.plans import demo_plan


def fixes_table(folder: Path, **ticks: object) -> str:
    """The table of the demo's config with some keys changed, computed without Snakemake."""
    plan, workbook = demo_plan(**ticks), folder / "workbook.xlsx"
    section = plan.config
    if plan.simulated:
        simulator = {k: section["simulator"][k] for k in ("sessions", "rows_per_session", "seed")}
        simulate_workbook.build(securities=plan.simulator_securities(), out=workbook, **simulator)
    fills = []
    for security in plan.securities:
        parquet = folder / f"{security}.parquet"
        build_parquet.build(
            source=Path(plan.source(security, str(workbook))),
            security=security,
            header_row=3,
            max_quarantined_share=0.01,
            out=parquet,
            quarantine=folder / "quarantine.parquet",
            reconcile=folder / "reconcile.json",
        )
        for strategy in section["strategies"]:
            fills.append(folder / strategy / "fixes" / f"{security}.parquet")
            simulate_sweep.simulate(
                parquet=parquet,
                strategy=strategy,
                security=security,
                runs=plan.runs(strategy, "fixes", security),
                out=fills[-1],
            )
    runs = {s: list(plan.sweep_variants(s, "fixes")) for s in sorted(section["strategies"])}
    text = folder / "fixes.md"
    score_fixes.measure(
        fills=fills, runs=runs, simulated=plan.simulated, out=folder / "fixes.csv", text=text
    )
    return text.read_text()


def shown(root: Path, name: str) -> str:
    """The table between the marks of `name` in the page."""
    page = (root / "docs/ticks.md").read_text()
    return page.split(f"<!-- {name}: start -->\n")[1].split(f"<!-- {name}: end -->")[0]


def test_the_table_of_the_demo_is_current(root: Path, tmp_path: Path) -> None:
    assert fixes_table(tmp_path) == shown(root, "fixes"), "run `make` and `make docs`"


def test_the_table_of_four_real_securities_is_current(
    root: Path, tmp_path: Path, real_data: Path
) -> None:
    made = fixes_table(tmp_path, parquet_dir=str(real_data / "ticks/parquet"))
    assert made == shown(root, "real fixes")

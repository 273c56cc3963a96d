# Ticks: a vendor workbook (or parquet files) -> trades of market-making strategies -> tables, plots.
#
# In:  ticks.workbook, or ticks.parquet_dir, or neither: then a simulator writes the workbook.
# Out: ticks/trades/{mode}/{strategy}/{variant}/{security}.csv, ticks/summary.csv, ticks/sweeps/*.csv,
#      ticks/fixes.{csv,md}, ticks/plots/. Any variant can be asked for by its path.
from itertools import product

from scripts.plan.ticks import TickPlan

TICKS = planned(TickPlan, config=config["ticks"], root=ROOT)
STRATEGIES = sorted(config["ticks"]["strategies"])
PLOT_FORMATS = ["png", "svg"]
KERNELS = code(
    "ticks/simulate_trades", *(f"ticks/strategies/{name}" for name in STRATEGIES)
)
os.environ["NUMBA_CACHE_DIR"] = os.path.abspath(f".snakemake/numba/{KERNELS}")


wildcard_constraints:
    mode="parity|realistic",
    strategy="[a-z][a-z0-9_]*",
    variant="base|[a-z0-9_]+=[A-Za-z0-9_.,=+-]+",
    parameter="[a-z][a-z0-9_]*",
    security=r"[^/*\\.][^/*\\]*",


def base_runs(**fixed):
    """{mode, strategy, variant, security} of every base backtest, sorted; `fixed` keeps some."""
    runs = [
        {"mode": m, "strategy": s, "variant": "base", "security": x}
        for m, s, x in product(
            sorted(config["ticks"]["modes"]), STRATEGIES, planned(getattr, TICKS, "securities")
        )
    ]
    return [run for run in runs if fixed.items() <= run.items()]


def base_files(suffix, **fixed):
    """Input function: the files of the base backtests; `fixed` names wildcards they agree with."""
    return partial(_base_files, suffix, fixed)


def _base_files(suffix, fixed, wildcards):
    runs = base_runs(**{key: wildcards[key] for key in fixed.values()})
    path = "<results>/ticks/trades/{mode}/{strategy}/{variant}/{security}" + suffix
    return [path.format(**run) for run in runs]


def tick_source(wildcards):
    """The vendor's file that holds a security."""
    simulated = "<results>/ticks/source/workbook.xlsx"
    return planned(TICKS.source, wildcards.security, simulated)


def trade_parameters(wildcards):
    """All parameters of one backtest."""
    w = wildcards
    return planned(TICKS.parameters, w.mode, w.strategy, w.variant, w.security)


def trade_code(wildcards):
    """Fingerprint of the backtest and of its strategy's module."""
    planned(TICKS.declared, wildcards.strategy)
    return code("ticks/simulate_trades", f"ticks/strategies/{wildcards.strategy}")


def sweep_code(wildcards):
    """Fingerprint of the sweep and of its strategy's module."""
    planned(TICKS.declared, wildcards.strategy)
    return code("ticks/simulate_sweep", f"ticks/strategies/{wildcards.strategy}")


def sweep_runs(wildcards):
    """The runs of one sweep job."""
    w = wildcards
    return planned(TICKS.runs, w.strategy, w.parameter, w.security)


def kernel_parameters(wildcards):
    """Strategy -> parameters of any one backtest, to compile it with."""
    any_security = planned(getattr, TICKS, "securities")[0]
    return {s: planned(TICKS.parameters, "parity", s, "base", any_security) for s in STRATEGIES}


rule ticks_simulate_workbook:
    output:
        workbook="<results>/ticks/source/workbook.xlsx",
    log:
        "<logs>/ticks/ticks_simulate_workbook.log",
    benchmark:
        "<benchmarks>/ticks/ticks_simulate_workbook.tsv"
    params:
        code=code("ticks/simulate_workbook"),
        securities=planned(TICKS.simulator_securities),
        sessions=config["ticks"]["simulator"]["sessions"],
        rows_per_session=config["ticks"]["simulator"]["rows_per_session"],
        seed=config["ticks"]["simulator"]["seed"],
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    conda:
        ENVIRONMENT
    message:
        "Simulate a vendor workbook"
    script:
        "../scripts/ticks/simulate_workbook.py"


rule ticks_build_parquet:
    input:
        source=tick_source,
    output:
        parquet="<results>/ticks/parquet/{security}.parquet",
        quarantine="<results>/ticks/quarantine/ticks/{security}.parquet",
        reconcile="<results>/ticks/reconcile/ticks/{security}.json",
    log:
        "<logs>/ticks/ticks_build_parquet/{security}.log",
    benchmark:
        "<benchmarks>/ticks/ticks_build_parquet/{security}.tsv"
    params:
        code=code("ticks/build_parquet"),
        header_row=config["ticks"]["header_row"],
        max_quarantined_share=config["ticks"]["max_quarantined_share"],
    threads: 1
    resources:
        mem_mb=memory_mb(300, 60),
        runtime=30,
    conda:
        ENVIRONMENT
    message:
        "Check the ticks of {wildcards.security} and write them as parquet"
    script:
        "../scripts/ticks/build_parquet.py"


rule ticks_compile_kernels:
    output:
        kernels="<results>/ticks/kernels.json",
    log:
        "<logs>/ticks/ticks_compile_kernels.log",
    benchmark:
        "<benchmarks>/ticks/ticks_compile_kernels.tsv"
    params:
        code=KERNELS,
        strategies=kernel_parameters,
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    conda:
        ENVIRONMENT
    message:
        "Compile the event loops"
    script:
        "../scripts/ticks/compile_kernels.py"


# The kernels are ancient: they only warm numba's cache, a backtest's bytes do not depend on them.
rule ticks_simulate_trades:
    input:
        parquet="<results>/ticks/parquet/{security}.parquet",
        kernels=ancient("<results>/ticks/kernels.json"),
    output:
        trades="<results>/ticks/trades/{mode}/{strategy}/{variant}/{security}.csv",
        counts="<results>/ticks/trades/{mode}/{strategy}/{variant}/{security}.json",
    log:
        "<logs>/ticks/ticks_simulate_trades/{mode}/{strategy}/{variant}/{security}.log",
    benchmark:
        "<benchmarks>/ticks/ticks_simulate_trades/{mode}/{strategy}/{variant}/{security}.tsv"
    params:
        code=trade_code,
        parameters=trade_parameters,
    threads: 1
    resources:
        mem_mb=memory_mb(250, 12),
        runtime=30,
    conda:
        ENVIRONMENT
    message:
        "Backtest {wildcards.strategy} ({wildcards.mode}, {wildcards.variant}) on {wildcards.security}"
    script:
        "../scripts/ticks/simulate_trades.py"


rule ticks_simulate_sweep:
    input:
        parquet="<results>/ticks/parquet/{security}.parquet",
        kernels=ancient("<results>/ticks/kernels.json"),
    output:
        fills="<results>/ticks/sweeps/{strategy}/{parameter}/{security}.parquet",
    log:
        "<logs>/ticks/ticks_simulate_sweep/{strategy}/{parameter}/{security}.log",
    benchmark:
        "<benchmarks>/ticks/ticks_simulate_sweep/{strategy}/{parameter}/{security}.tsv"
    params:
        code=sweep_code,
        runs=sweep_runs,
    threads: 1
    resources:
        mem_mb=memory_mb(300, 16),
        runtime=60,
    conda:
        ENVIRONMENT
    message:
        "Sweep {wildcards.parameter} of {wildcards.strategy} on {wildcards.security}"
    script:
        "../scripts/ticks/simulate_sweep.py"

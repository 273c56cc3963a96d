# Ticks: functions that turn config and wildcards into paths, params and labels. No rules here.
from itertools import product

from scripts.plan.ticks import TickPlan

TICKS = planned(TickPlan, config=config["ticks"], root=ROOT)
STRATEGIES = sorted(config["ticks"]["strategies"])
SIMULATED_WORKBOOK = "<results>/ticks/source/workbook.xlsx"
PLOT_FORMATS = ["png", "svg"]
KERNELS = code("ticks/simulate_trades", *(f"ticks/strategies/{name}" for name in STRATEGIES))


def all_securities():
    """The securities to run, sorted."""
    return planned(getattr, TICKS, "securities")


def base_runs(**fixed):
    """{mode, strategy, variant, security} of every base backtest, sorted; `fixed` keeps some."""
    runs = [
        {"mode": m, "strategy": s, "variant": "base", "security": x}
        for m, s, x in product(sorted(config["ticks"]["modes"]), STRATEGIES, all_securities())
    ]
    return [run for run in runs if fixed.items() <= run.items()]


def base_files(suffix, **fixed):
    """Input function: the files of the base backtests; `fixed` names wildcards they agree with."""
    return partial(_base_files, suffix, fixed)


def _base_files(suffix, fixed, wildcards):
    runs = base_runs(**{key: wildcards[key] for key in fixed.values()})
    for key in fixed.values():
        planned(TICKS.known, key, wildcards[key])
    path = f"<results>/ticks/trades/{{mode}}/{{strategy}}/{{variant}}/{{security}}{suffix}"
    return [path.format(**run) for run in runs]


def tick_source(wildcards):
    """The vendor's file that holds a security."""
    return planned(TICKS.source, wildcards.security, SIMULATED_WORKBOOK)


def source_memory(per_mb):
    """Resource function: as `memory_mb`, of a workbook for each MiB of a security's sheet."""
    return partial(_source_memory, per_mb)


def _source_memory(per_mb, wildcards, input, attempt):
    sheets = 1 if config["ticks"]["parquet_dir"] else len(all_securities())
    return _memory_mb(200, per_mb / sheets, math.inf, wildcards, input, attempt)


def trade_parameters(wildcards):
    """All parameters of one backtest."""
    w = wildcards
    return planned(TICKS.parameters, w.mode, w.strategy, w.variant, w.security)


def strategy_code(script):
    """Params function: fingerprint of a script and of the strategy's module that it loads by name."""
    return partial(_strategy_code, script)


def _strategy_code(script, wildcards):
    planned(TICKS.declared, wildcards.strategy)
    return code(script, f"ticks/strategies/{wildcards.strategy}")


def kernel_cache(wildcards):
    """Folder of a strategy's compiled loops. The code is in its name: numba itself would not see a
    change in a helper of another module."""
    version = _strategy_code("ticks/compile_kernel", wildcards)
    return f".snakemake/numba/{wildcards.strategy}-{version}"


def source_content(wildcards):
    """Hash of a security's rows in the vendor's file."""
    return planned(TICKS.content, wildcards.security)


def sweep_runs(wildcards):
    """The runs of one sweep job."""
    w = wildcards
    return planned(TICKS.runs, w.strategy, w.parameter, w.security)


def base_labels(**fixed):
    """Params function: the labels of `base_files`, in the same order."""
    return partial(_base_labels, fixed)


def _base_labels(fixed, wildcards):
    return base_runs(**{key: wildcards[key] for key in fixed.values()})


def plots(name):
    """The files of a plot, one in each format."""
    return [f"<results>/ticks/plots/{name}.{kind}" for kind in PLOT_FORMATS]


def all_sources(wildcards):
    """The vendor's files that hold the securities."""
    return sorted({planned(TICKS.source, x, SIMULATED_WORKBOOK) for x in all_securities()})


def all_content(wildcards):
    """Hashes of all securities' rows in the vendor's files."""
    return [planned(TICKS.content, x) for x in all_securities()]


def all_parquet(wildcards):
    """The checked parquet of every security."""
    return [f"<results>/ticks/parquet/{x}.parquet" for x in all_securities()]


def worker_runs(wildcards):
    """Every base backtest with its parameters."""
    return [{**run, "parameters": planned(TICKS.parameters, *run.values())} for run in base_runs()]


def sweep_parameters(wildcards):
    """Parameters that are swept for a strategy, sorted."""
    return planned(TICKS.swept, wildcards.strategy)


def sweep_labels(wildcards):
    """Parameter -> (mode, variant) pairs of a strategy's sweeps."""
    parameters = sweep_parameters(wildcards)
    return {p: list(TICKS.sweep_variants(wildcards.strategy, p)) for p in parameters}


def sweep_files(wildcards):
    """Fills of all sweeps of a strategy."""
    return swept_files(wildcards.strategy)


def swept_files(strategy):
    """Fills of all sweeps of a strategy, by its name."""
    return [
        f"<results>/ticks/sweeps/{strategy}/{parameter}/{security}.parquet"
        for parameter in planned(TICKS.swept, strategy)
        for security in all_securities()
    ]


def fixes_labels(wildcards):
    """Strategy -> (mode, variant) pairs of its sweep over the fixes."""
    return {strategy: list(TICKS.sweep_variants(strategy, "fixes")) for strategy in STRATEGIES}


def fixes_files(wildcards):
    """Fills of the sweeps over the fixes, of all strategies."""
    return [
        f"<results>/ticks/sweeps/{strategy}/fixes/{security}.parquet"
        for strategy, security in product(STRATEGIES, all_securities())
    ]


def tick_products():
    """The final files of the tick domain, and the trades behind them."""
    swept = sorted(name for name, what in config["ticks"]["sweeps"].items() if what)
    securities = all_securities()
    names = [
        "cumulative_pnl",
        *(f"securities/{x}" for x in securities),
        *(f"sweeps/{strategy}" for strategy in swept),
    ]
    return [
        "<results>/ticks/summary.csv",
        "<results>/ticks/fixes.csv",
        "<results>/ticks/fixes.md",
        "<results>/ticks/provenance.json",
        # Also what lies between: a job that failed leaves its output missing, and only a target that
        # names the file makes the next run see it.
        *all_sources(None),
        *all_parquet(None),
        *(f"<results>/ticks/quarantine/ticks/{x}.parquet" for x in securities),
        *(f"<results>/ticks/reconcile/ticks/{x}.json" for x in securities),
        *(f"<results>/ticks/kernels/{strategy}.json" for strategy in STRATEGIES),
        *_base_files(".csv", {}, None),
        *_base_files(".json", {}, None),
        *fixes_files(None),
        *(path for strategy in swept for path in swept_files(strategy)),
        *(f"<results>/ticks/sweeps/{strategy}.csv" for strategy in swept),
        *(file for name in names for file in plots(name)),
        *(["<results>/ticks/benchmark.json"] if config["ticks"]["benchmark"] else []),
    ]


PRODUCTS["ticks"] = tick_products

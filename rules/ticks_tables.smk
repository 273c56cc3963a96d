# Ticks: tables and plots over the backtests of ticks.smk.
#
# In:  ticks/trades/, ticks/sweeps/{strategy}/{parameter}/{security}.parquet
# Out: ticks/summary.csv, ticks/sweeps/{strategy}.csv, ticks/fixes.{csv,md}, ticks/plots/,
#      ticks/provenance.json, and ticks/benchmark.json when config asks for it.


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
    simulated = "<results>/ticks/source/workbook.xlsx"
    securities = planned(getattr, TICKS, "securities")
    return sorted({planned(TICKS.source, x, simulated) for x in securities})


def all_parquet(wildcards):
    """The checked parquet of every security."""
    return [f"<results>/ticks/parquet/{x}.parquet" for x in planned(getattr, TICKS, "securities")]


def worker_runs(wildcards):
    """Every base backtest with its parameters."""
    return [
        {**run, "parameters": planned(TICKS.parameters, *run.values())} for run in base_runs()
    ]


def sweep_parameters(wildcards):
    """Parameters that are swept for a strategy, sorted."""
    return sorted(config["ticks"]["sweeps"].get(wildcards.strategy, {}))


def sweep_labels(wildcards):
    """Parameter -> (mode, variant) pairs of a strategy's sweeps."""
    parameters = sweep_parameters(wildcards)
    return {p: list(TICKS.sweep_variants(wildcards.strategy, p)) for p in parameters}


def sweep_files(wildcards):
    """Fills of all sweeps of a strategy."""
    return [
        f"<results>/ticks/sweeps/{wildcards.strategy}/{parameter}/{security}.parquet"
        for parameter in sweep_parameters(wildcards)
        for security in planned(getattr, TICKS, "securities")
    ]


def fixes_labels(wildcards):
    """Strategy -> (mode, variant) pairs of its sweep over the fixes."""
    return {strategy: list(TICKS.sweep_variants(strategy, "fixes")) for strategy in STRATEGIES}


def fixes_files(wildcards):
    """Fills of the sweeps over the fixes, of all strategies."""
    return [
        f"<results>/ticks/sweeps/{strategy}/fixes/{security}.parquet"
        for strategy, security in product(STRATEGIES, planned(getattr, TICKS, "securities"))
    ]


def tick_products():
    """The final files of the tick domain, and the trades behind them."""
    swept = sorted(name for name, what in config["ticks"]["sweeps"].items() if what)
    securities = TICKS.securities
    names = [
        "cumulative_pnl",
        *(f"securities/{x}" for x in securities),
        *(f"sweeps/{strategy}" for strategy in swept),
    ]
    return [
        "<results>/ticks/summary.csv",
        "<results>/ticks/fixes.csv",
        "<results>/ticks/provenance.json",
        *_base_files(".csv", {}, None),
        *(f"<results>/ticks/sweeps/{strategy}.csv" for strategy in swept),
        *(file for name in names for file in plots(name)),
        *(["<results>/ticks/benchmark.json"] if config["ticks"]["benchmark"] else []),
    ]


PRODUCTS["ticks"] = tick_products


rule ticks_score_summary:
    input:
        trades=base_files(".csv"),
        counts=base_files(".json"),
    output:
        summary="<results>/ticks/summary.csv",
    log:
        "<logs>/ticks/ticks_score_summary.log",
    benchmark:
        "<benchmarks>/ticks/ticks_score_summary.tsv"
    params:
        code=code("ticks/score_summary"),
        runs=base_labels(),
        simulated=TICKS.simulated,
    threads: 1
    resources:
        mem_mb=memory_mb(300, 30),
        runtime=30,
    conda:
        ENVIRONMENT
    message:
        "Score all backtests"
    script:
        "../scripts/ticks/score_summary.py"


rule ticks_score_sweeps:
    input:
        fills=sweep_files,
    output:
        table="<results>/ticks/sweeps/{strategy}.csv",
    log:
        "<logs>/ticks/ticks_score_sweeps/{strategy}.log",
    benchmark:
        "<benchmarks>/ticks/ticks_score_sweeps/{strategy}.tsv"
    params:
        code=code("ticks/score_sweeps"),
        parameters=sweep_parameters,
        runs=sweep_labels,
        simulated=TICKS.simulated,
    threads: 1
    resources:
        mem_mb=memory_mb(300, 40),
        runtime=30,
    conda:
        ENVIRONMENT
    message:
        "Score the sweeps of {wildcards.strategy}"
    script:
        "../scripts/ticks/score_sweeps.py"


rule ticks_score_fixes:
    input:
        fills=fixes_files,
    output:
        table="<results>/ticks/fixes.csv",
        text="<results>/ticks/fixes.md",
    log:
        "<logs>/ticks/ticks_score_fixes.log",
    benchmark:
        "<benchmarks>/ticks/ticks_score_fixes.tsv"
    params:
        code=code("ticks/score_fixes"),
        runs=fixes_labels,
        simulated=TICKS.simulated,
    threads: 1
    resources:
        mem_mb=memory_mb(300, 40),
        runtime=30,
    conda:
        ENVIRONMENT
    message:
        "Measure what each fix of the realistic mode does"
    script:
        "../scripts/ticks/score_fixes.py"


rule ticks_plot_pnl:
    input:
        trades=base_files(".csv"),
    output:
        plots("cumulative_pnl"),
    log:
        "<logs>/ticks/ticks_plot_pnl.log",
    benchmark:
        "<benchmarks>/ticks/ticks_plot_pnl.tsv"
    params:
        code=code("ticks/plot_pnl"),
        runs=base_labels(),
        simulated=TICKS.simulated,
    threads: 1
    resources:
        mem_mb=memory_mb(300, 30),
        runtime=10,
    conda:
        ENVIRONMENT
    message:
        "Plot cumulative pnl by strategy"
    script:
        "../scripts/ticks/plot_pnl.py"


rule ticks_plot_security:
    input:
        trades=base_files(".csv", security="security"),
    output:
        plots("securities/{security}"),
    log:
        "<logs>/ticks/ticks_plot_security/{security}.log",
    benchmark:
        "<benchmarks>/ticks/ticks_plot_security/{security}.tsv"
    params:
        code=code("ticks/plot_security"),
        runs=base_labels(security="security"),
        simulated=TICKS.simulated,
    threads: 1
    resources:
        mem_mb=memory_mb(300, 30),
        runtime=10,
    conda:
        ENVIRONMENT
    message:
        "Plot inventory and pnl of {wildcards.security}"
    script:
        "../scripts/ticks/plot_security.py"


rule ticks_plot_sweep:
    input:
        table="<results>/ticks/sweeps/{strategy}.csv",
    output:
        plots("sweeps/{strategy}"),
    log:
        "<logs>/ticks/ticks_plot_sweep/{strategy}.log",
    benchmark:
        "<benchmarks>/ticks/ticks_plot_sweep/{strategy}.tsv"
    params:
        code=code("ticks/plot_sweep"),
        simulated=TICKS.simulated,
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    conda:
        ENVIRONMENT
    message:
        "Draw heat maps of the sweeps of {wildcards.strategy}"
    script:
        "../scripts/ticks/plot_sweep.py"


rule ticks_build_provenance:
    input:
        sources=all_sources,
    output:
        provenance="<results>/ticks/provenance.json",
    log:
        "<logs>/ticks/ticks_build_provenance.log",
    benchmark:
        "<benchmarks>/ticks/ticks_build_provenance.tsv"
    params:
        code=code("ticks/build_provenance"),
        version=VERSION,
        config_hash=settings.digest(config["ticks"]),
        simulated=TICKS.simulated,
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    conda:
        ENVIRONMENT
    message:
        "Note where the tick results come from"
    script:
        "../scripts/ticks/build_provenance.py"


rule ticks_check_workers:
    input:
        parquet=all_parquet,
        kernels=ancient("<results>/ticks/kernels.json"),
    output:
        report="<results>/ticks/benchmark.json",
    log:
        "<logs>/ticks/ticks_check_workers.log",
    benchmark:
        "<benchmarks>/ticks/ticks_check_workers.tsv"
    params:
        code=KERNELS + code("ticks/check_workers"),
        runs=worker_runs,
    threads: workflow.cores
    resources:
        mem_mb=memory_mb(300, 24),
        runtime=60,
    conda:
        ENVIRONMENT
    message:
        "Compare one worker with all"
    script:
        "../scripts/ticks/check_workers.py"

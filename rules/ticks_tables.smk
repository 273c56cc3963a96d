# Ticks: tables and plots over the backtests of ticks.smk.
#
# In:  ticks/trades/, ticks/sweeps/{strategy}/{parameter}/{security}.parquet
# Out: ticks/summary.csv, ticks/sweeps/{strategy}.csv, ticks/fixes.{csv,md}, ticks/plots/,
#      ticks/provenance.json, and ticks/benchmark.json when config asks for it.


rule ticks_score_summary:
    input:
        trades=base_files(".csv"),
        counts=base_files(".json"),
    output:
        summary=shown(
            "<results>/ticks/summary.csv", "ticks_summary", "Tables", table="all backtests"
        ),
    log:
        "<logs>/ticks/ticks_score_summary.log",
    benchmark:
        "<benchmarks>/ticks/ticks_score_summary.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(150, 3),
        runtime=30,
    params:
        code=code("ticks/score_summary"),
        runs=base_labels(),
        simulated=TICKS.simulated,
    message:
        "Score all backtests"
    script:
        "../scripts/ticks/score_summary.py"


rule ticks_score_sweeps:
    input:
        fills=sweep_files,
    output:
        table=shown(
            "<results>/ticks/sweeps/{strategy}.csv",
            "ticks_sweep",
            "Tables",
            table="sweeps of {strategy}",
        ),
    log:
        "<logs>/ticks/ticks_score_sweeps/{strategy}.log",
    benchmark:
        "<benchmarks>/ticks/ticks_score_sweeps/{strategy}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(150, 20),
        runtime=10,
    params:
        code=code("ticks/score_sweeps"),
        parameters=sweep_parameters,
        runs=sweep_labels,
        simulated=TICKS.simulated,
    message:
        "Score the sweeps of {wildcards.strategy}"
    script:
        "../scripts/ticks/score_sweeps.py"


rule ticks_score_fixes:
    input:
        fills=fixes_files,
    output:
        table=shown("<results>/ticks/fixes.csv", "ticks_fixes", "Tables", table="fixes"),
        text="<results>/ticks/fixes.md",
    log:
        "<logs>/ticks/ticks_score_fixes.log",
    benchmark:
        "<benchmarks>/ticks/ticks_score_fixes.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(150, 15),
        runtime=30,
    params:
        code=code("ticks/score_fixes"),
        runs=fixes_labels,
        simulated=TICKS.simulated,
    message:
        "Measure what each fix of the realistic mode does"
    script:
        "../scripts/ticks/score_fixes.py"


rule ticks_plot_pnl:
    input:
        trades=base_files(".csv"),
    output:
        shown_plot(plots("cumulative_pnl"), "ticks_pnl", picture="cumulative pnl"),
    log:
        "<logs>/ticks/ticks_plot_pnl.log",
    benchmark:
        "<benchmarks>/ticks/ticks_plot_pnl.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(200, 3),
        runtime=10,
    params:
        code=code("ticks/plot_pnl"),
        runs=base_labels(),
        simulated=TICKS.simulated,
    message:
        "Plot cumulative pnl by strategy"
    script:
        "../scripts/ticks/plot_pnl.py"


rule ticks_plot_security:
    input:
        trades=base_files(".csv", security="security"),
    output:
        shown_plot(plots("securities/{security}"), "ticks_security", picture="{security}"),
    log:
        "<logs>/ticks/ticks_plot_security/{security}.log",
    benchmark:
        "<benchmarks>/ticks/ticks_plot_security/{security}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(200, 6),
        runtime=10,
    params:
        code=code("ticks/plot_security"),
        runs=base_labels(security="security"),
        simulated=TICKS.simulated,
    message:
        "Plot inventory and pnl of {wildcards.security}"
    script:
        "../scripts/ticks/plot_security.py"


rule ticks_plot_sweep:
    input:
        table="<results>/ticks/sweeps/{strategy}.csv",
    output:
        shown_plot(plots("sweeps/{strategy}"), "ticks_sweep_map", picture="sweeps of {strategy}"),
    log:
        "<logs>/ticks/ticks_plot_sweep/{strategy}.log",
    benchmark:
        "<benchmarks>/ticks/ticks_plot_sweep/{strategy}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("ticks/plot_sweep"),
        simulated=TICKS.simulated,
    message:
        "Draw heat maps of the sweeps of {wildcards.strategy}"
    script:
        "../scripts/ticks/plot_sweep.py"


rule ticks_build_provenance:
    input:
        sources=all_sources,
        table=config["ticks"]["securities_table"],
    output:
        provenance=shown(
            "<results>/ticks/provenance.json", "provenance", "Provenance", file="sources"
        ),
    log:
        "<logs>/ticks/ticks_build_provenance.log",
    benchmark:
        "<benchmarks>/ticks/ticks_build_provenance.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("ticks/build_provenance"),
        content=all_content,
        version=VERSION,
        config_hash=settings.digest(config["ticks"]),
        simulated=TICKS.simulated,
    message:
        "Note where the tick results come from"
    script:
        "../scripts/ticks/build_provenance.py"


rule ticks_check_workers:
    input:
        parquet=all_parquet,
        kernels=expand("<results>/ticks/kernels/{strategy}.json", strategy=STRATEGIES),
    output:
        report="<results>/ticks/benchmark.json",
    log:
        "<logs>/ticks/ticks_check_workers.log",
    benchmark:
        "<benchmarks>/ticks/ticks_check_workers.tsv"
    conda:
        ENVIRONMENT
    threads: os.cpu_count()
    resources:
        mem_mb=memory_mb(300, 24),
        runtime=60,
    params:
        code=KERNELS + code("ticks/check_workers"),
        cache=f".snakemake/numba/all-{KERNELS}",
        runs=worker_runs,
    message:
        "Compare one worker with all"
    script:
        "../scripts/ticks/check_workers.py"

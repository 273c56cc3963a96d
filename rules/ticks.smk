# Ticks: a vendor workbook (or parquet files) -> checked parquet -> trades of market-making strategies.
#
# In:  ticks.workbook, or ticks.parquet_dir, or neither: then a simulator writes the workbook.
# Out: ticks/parquet/{security}.parquet with what was refused, and
#      ticks/trades/{mode}/{strategy}/{variant}/{security}.csv: any variant can be asked for by its path.
rule ticks_simulate_workbook:
    output:
        workbook=SIMULATED_WORKBOOK,
    log:
        "<logs>/ticks/ticks_simulate_workbook.log",
    benchmark:
        "<benchmarks>/ticks/ticks_simulate_workbook.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("ticks/simulate_workbook"),
        securities=planned(TICKS.simulator_securities),
        sessions=config["ticks"]["simulator"]["sessions"],
        rows_per_session=config["ticks"]["simulator"]["rows_per_session"],
        seed=config["ticks"]["simulator"]["seed"],
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
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=source_memory(30),
        runtime=10,
    params:
        code=code("ticks/build_parquet"),
        content=source_content,
        header_row=config["ticks"]["header_row"],
        max_quarantined_share=config["ticks"]["max_quarantined_share"],
    message:
        "Check the ticks of {wildcards.security} and write them as parquet"
    script:
        "../scripts/ticks/build_parquet.py"


# Not one job for all strategies, with its product `ancient`: where a producer must run, Snakemake does
# not look at the params of what is behind an ancient input of it, and stale results would stay.
rule ticks_compile_kernel:
    output:
        kernel="<results>/ticks/kernels/{strategy}.json",
    log:
        "<logs>/ticks/ticks_compile_kernel/{strategy}.log",
    benchmark:
        "<benchmarks>/ticks/ticks_compile_kernel/{strategy}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=strategy_code("ticks/compile_kernel"),
        cache=kernel_cache,
    message:
        "Compile the event loop of {wildcards.strategy}"
    script:
        "../scripts/ticks/compile_kernel.py"


rule ticks_simulate_trades:
    input:
        parquet="<results>/ticks/parquet/{security}.parquet",
        kernel="<results>/ticks/kernels/{strategy}.json",
    output:
        trades="<results>/ticks/trades/{mode}/{strategy}/{variant}/{security}.csv",
        counts="<results>/ticks/trades/{mode}/{strategy}/{variant}/{security}.json",
    log:
        "<logs>/ticks/ticks_simulate_trades/{mode}/{strategy}/{variant}/{security}.log",
    benchmark:
        "<benchmarks>/ticks/ticks_simulate_trades/{mode}/{strategy}/{variant}/{security}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(250, 12),
        runtime=10,
    params:
        code=strategy_code("ticks/simulate_trades"),
        cache=kernel_cache,
        parameters=trade_parameters,
    message:
        "Backtest {wildcards.strategy} ({wildcards.mode}, {wildcards.variant}) on {wildcards.security}"
    script:
        "../scripts/ticks/simulate_trades.py"


rule ticks_simulate_sweep:
    input:
        parquet="<results>/ticks/parquet/{security}.parquet",
        kernel="<results>/ticks/kernels/{strategy}.json",
    output:
        fills="<results>/ticks/sweeps/{strategy}/{parameter}/{security}.parquet",
    log:
        "<logs>/ticks/ticks_simulate_sweep/{strategy}/{parameter}/{security}.log",
    benchmark:
        "<benchmarks>/ticks/ticks_simulate_sweep/{strategy}/{parameter}/{security}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(300, 16),
        runtime=20,
    params:
        code=strategy_code("ticks/simulate_sweep"),
        cache=kernel_cache,
        runs=sweep_runs,
    message:
        "Sweep {wildcards.parameter} of {wildcards.strategy} on {wildcards.security}"
    script:
        "../scripts/ticks/simulate_sweep.py"

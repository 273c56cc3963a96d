# Weekly: daily bars of many symbols -> weekly bars -> features -> joined to daily rows; targets.
#
# In:  weekly.input (a parquet file, a folder of them, or the lake's gold), weekly.mappings; without an
#      input and with a simulated lake, a long history of the same market is written first.
# Out: weekly/{bars,features,daily,targets}/batch=*/part.parquet, and weekly/features.parquet: all daily
#      rows with the features that could be known on their date. Method: docs/weekly.md.
rule weekly_simulate_daily:
    input:
        calendar="config/calendars/XNYS.csv",
    output:
        daily=SIMULATED_DAILY,
    log:
        "<logs>/weekly/weekly_simulate_daily.log",
    benchmark:
        "<benchmarks>/weekly/weekly_simulate_daily.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("weekly/simulate_daily"),
        seed=config["lake"]["seed"],
        end=config["weekly"]["simulator"]["end"],
        weeks=config["weekly"]["simulator"]["weeks"],
    message:
        "Simulate a long daily history"
    script:
        "../scripts/weekly/simulate_daily.py"


rule weekly_build_benchmarks:
    input:
        sources=daily_sources,
        mappings=mappings_file,
    output:
        benchmarks="<results>/weekly/benchmarks.parquet",
    log:
        "<logs>/weekly/weekly_build_benchmarks.log",
    benchmark:
        "<benchmarks>/weekly/weekly_build_benchmarks.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=30,
    params:
        code=code("weekly/build_benchmarks"),
        contents=daily_contents,
        adjusted_close=WEEKLY.adjusted_close,
        mappings=mappings_content,
        parity=WEEKLY.parity,
    message:
        "Read the weekly closes of the benchmarks"
    script:
        "../scripts/weekly/build_benchmarks.py"


rule weekly_build_bars:
    input:
        sources=daily_sources,
    output:
        checked="<results>/weekly/checked/batch={batch}/part.parquet",
        bars="<results>/weekly/bars/batch={batch}/part.parquet",
    log:
        "<logs>/weekly/weekly_build_bars/{batch}.log",
    benchmark:
        "<benchmarks>/weekly/weekly_build_bars/{batch}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        # No param: another limit changes no result.
        memory_limit_mb=config["weekly"]["memory_limit_mb"],
        mem_mb=batch_memory(5, parts=len(WEEKLY.batches)),
        runtime=15,
    params:
        code=code("weekly/build_bars"),
        contents=daily_contents,
        columns=WEEKLY.columns,
        adjusted_close=WEEKLY.adjusted_close,
        batches=len(WEEKLY.batches),
        max_symbols=config["weekly"]["max_symbols"],
    message:
        "Make weekly bars of batch {wildcards.batch}"
    script:
        "../scripts/weekly/build_bars.py"


rule weekly_build_features:
    input:
        bars="<results>/weekly/bars/batch={batch}/part.parquet",
        benchmarks="<results>/weekly/benchmarks.parquet",
        mappings=mappings_file,
    output:
        features="<results>/weekly/features/batch={batch}/part.parquet",
    log:
        "<logs>/weekly/weekly_build_features/{batch}.log",
    benchmark:
        "<benchmarks>/weekly/weekly_build_features/{batch}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        # No param: another limit changes no result.
        memory_limit_mb=config["weekly"]["memory_limit_mb"],
        mem_mb=batch_memory(20),
        runtime=15,
    params:
        code=code("weekly/build_features"),
        batches=len(WEEKLY.batches),
        adjusted_close=WEEKLY.adjusted_close,
        mappings=mappings_content,
        parity=WEEKLY.parity,
        lags=sorted(config["weekly"]["lags"]["weeks"]),
        lagged=sorted(config["weekly"]["lags"]["columns"]),
    message:
        "Calculate the weekly features of batch {wildcards.batch}"
    script:
        "../scripts/weekly/build_features.py"


rule weekly_build_daily:
    input:
        daily="<results>/weekly/checked/batch={batch}/part.parquet",
        features="<results>/weekly/features/batch={batch}/part.parquet",
    output:
        daily="<results>/weekly/daily/batch={batch}/part.parquet",
    log:
        "<logs>/weekly/weekly_build_daily/{batch}.log",
    benchmark:
        "<benchmarks>/weekly/weekly_build_daily/{batch}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=batch_memory(1.8),
        runtime=15,
    params:
        code=code("weekly/build_daily"),
        batches=len(WEEKLY.batches),
        visible_from=WEEKLY.visible_from,
        stale_after=WEEKLY.stale_after,
    message:
        "Join weekly features to the daily rows of batch {wildcards.batch}"
    script:
        "../scripts/weekly/build_daily.py"


rule weekly_build_targets:
    input:
        daily="<results>/weekly/checked/batch={batch}/part.parquet",
    output:
        targets="<results>/weekly/targets/batch={batch}/part.parquet",
    log:
        "<logs>/weekly/weekly_build_targets/{batch}.log",
    benchmark:
        "<benchmarks>/weekly/weekly_build_targets/{batch}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=batch_memory(3.5),
        runtime=15,
    params:
        code=code("weekly/build_targets"),
        adjusted_close=WEEKLY.adjusted_close,
    message:
        "Label the trades of batch {wildcards.batch}"
    script:
        "../scripts/weekly/build_targets.py"

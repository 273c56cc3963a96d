# Lake, gold: what research reads. Minutes with session flags, daily bars of stocks and options, factors.
#
# In:  lake/bronze/, lake/silver/
# Out: lake/gold/stocks_minute/date=*/part.parquet, and of each day its bars rebuilt from minutes
#      (lake/silver/session_bars/); lake/gold/{stocks_daily,options_daily,alpha158}/month=*/part.parquet.


rule lake_build_stocks_minute:
    input:
        bars="<results>/lake/bronze/stocks_minute/date={date}/part.parquet",
        universe=universe_file,
    output:
        partition="<results>/lake/gold/stocks_minute/date={date}/part.parquet",
        sessions="<results>/lake/silver/session_bars/date={date}/part.parquet",
    log:
        "<logs>/lake/lake_build_stocks_minute/{date}.log",
    benchmark:
        "<benchmarks>/lake/lake_build_stocks_minute/{date}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(200, 24),
        runtime=30,
    params:
        code=code("lake/build_stocks_minute"),
        close=session_close,
        universe=universe_digest,
    message:
        "Enrich the minutes of {wildcards.date}"
    script:
        "../scripts/lake/build_stocks_minute.py"


rule lake_build_stocks_daily:
    input:
        bars=month_bars("stocks_daily", RETURN_MONTHS),
        adjustments="<results>/lake/silver/adjustments/part.parquet",
        session_bars=month_session_bars,
        fundamentals=month_fundamentals,
        universe=universe_file,
    output:
        partition="<results>/lake/gold/stocks_daily/month={month}/part.parquet",
    log:
        "<logs>/lake/lake_build_stocks_daily/{month}.log",
    benchmark:
        "<benchmarks>/lake/lake_build_stocks_daily/{month}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(300, 8),
        runtime=30,
    params:
        code=code("lake/build_stocks_daily"),
        universe=universe_digest,
    message:
        "Enrich the daily bars of {wildcards.month}"
    script:
        "../scripts/lake/build_stocks_daily.py"


rule lake_build_options_daily:
    input:
        bars=month_bars("options_daily", RETURN_MONTHS),
        stocks=month_bars("stocks_daily", 0),
        universe=universe_file,
    output:
        partition="<results>/lake/gold/options_daily/month={month}/part.parquet",
    log:
        "<logs>/lake/lake_build_options_daily/{month}.log",
    benchmark:
        "<benchmarks>/lake/lake_build_options_daily/{month}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(200, 15, most=700),
        runtime=30,
    params:
        code=code("lake/build_options_daily"),
        universe=universe_digest,
    message:
        "Enrich the daily bars of options of {wildcards.month}"
    script:
        "../scripts/lake/build_options_daily.py"


rule lake_build_alpha158:
    input:
        bars=month_bars("stocks_daily", FACTOR_MONTHS, "gold"),
    output:
        partition="<results>/lake/gold/alpha158/month={month}/part.parquet",
    log:
        "<logs>/lake/lake_build_alpha158/{month}.log",
    benchmark:
        "<benchmarks>/lake/lake_build_alpha158/{month}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(300, 4),
        runtime=30,
    params:
        code=code("lake/build_alpha158"),
    message:
        "Calculate the factors of {wildcards.month}"
    script:
        "../scripts/lake/build_alpha158.py"


rule lake_check_session:
    input:
        unpack(session_inputs),
    output:
        report="<results>/lake/reconcile/sessions/{date}.json",
    log:
        "<logs>/lake/lake_check_session/{date}.log",
    benchmark:
        "<benchmarks>/lake/lake_check_session/{date}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=30,
    params:
        code=code("lake/check_session"),
        universe=universe_digest,
    message:
        "Account for every row of {wildcards.date} in every layer"
    script:
        "../scripts/lake/check_session.py"

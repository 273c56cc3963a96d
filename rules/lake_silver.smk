# Lake, silver: ratios, statements side by side, corporate actions, adjustment factors.
#
# In:  lake/bronze/
# Out: lake/silver/{calculated_ratios,financial_ratios,fundamentals_wide}/quarter=*/part.parquet,
#      lake/silver/corporate_actions/event_type=*/part.parquet, lake/silver/adjustments/part.parquet.
# A quarter is that of the filing date.


rule lake_build_calculated_ratios:
    input:
        balance_sheets=statement_files("balance_sheets"),
        cash_flow=statement_files("cash_flow"),
        income_statements=statement_files("income_statements"),
        prices=quarter_prices,
        accounts=accounts(statement_files("balance_sheets")),
    output:
        partition="<results>/lake/silver/calculated_ratios/quarter={quarter}/part.parquet",
    log:
        "<logs>/lake/lake_build_calculated_ratios/{quarter}.log",
    benchmark:
        "<benchmarks>/lake/lake_build_calculated_ratios/{quarter}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(300, 4),
        runtime=10,
    params:
        code=code("lake/build_calculated_ratios"),
    message:
        "Calculate the ratios of filings in {wildcards.quarter}"
    script:
        "../scripts/lake/build_calculated_ratios.py"


rule lake_build_financial_ratios:
    input:
        calculated=calculated_files,
        vendor=vendor_ratios,
        accounts=accounts(vendor_ratios),
    output:
        partition="<results>/lake/silver/financial_ratios/quarter={quarter}/part.parquet",
    log:
        "<logs>/lake/lake_build_financial_ratios/{quarter}.log",
    benchmark:
        "<benchmarks>/lake/lake_build_financial_ratios/{quarter}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(300, 4),
        runtime=10,
    params:
        code=code("lake/build_financial_ratios"),
    message:
        "Bring together the ratios of {wildcards.quarter}"
    script:
        "../scripts/lake/build_financial_ratios.py"


rule lake_build_fundamentals_wide:
    input:
        balance_sheets=statement_files("balance_sheets"),
        cash_flow=statement_files("cash_flow"),
        income_statements=statement_files("income_statements"),
        accounts=accounts(statement_files("balance_sheets")),
    output:
        partition="<results>/lake/silver/fundamentals_wide/quarter={quarter}/part.parquet",
    log:
        "<logs>/lake/lake_build_fundamentals_wide/{quarter}.log",
    benchmark:
        "<benchmarks>/lake/lake_build_fundamentals_wide/{quarter}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(300, 4),
        runtime=10,
    params:
        code=code("lake/build_fundamentals_wide"),
    message:
        "Lay the statements of {wildcards.quarter} side by side"
    script:
        "../scripts/lake/build_fundamentals_wide.py"


rule lake_build_corporate_actions:
    input:
        files=event_files,
        accounts=accounts(event_files),
    output:
        partition="<results>/lake/silver/corporate_actions/event_type={event_type}/part.parquet",
    log:
        "<logs>/lake/lake_build_corporate_actions/{event_type}.log",
    benchmark:
        "<benchmarks>/lake/lake_build_corporate_actions/{event_type}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(300, 8),
        runtime=10,
    params:
        code=code("lake/build_corporate_actions"),
    message:
        "Collect corporate actions: {wildcards.event_type}"
    script:
        "../scripts/lake/build_corporate_actions.py"


rule lake_build_adjustments:
    input:
        splits=action_file("split"),
        dividends=action_file("dividend"),
        prices=bronze_files("stocks_daily"),
    output:
        adjustments="<results>/lake/silver/adjustments/part.parquet",
    log:
        "<logs>/lake/lake_build_adjustments.log",
    benchmark:
        "<benchmarks>/lake/lake_build_adjustments.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=30,
    params:
        code=code("lake/build_adjustments"),
        end=last_session,
    message:
        "Cumulate split and total-return factors"
    script:
        "../scripts/lake/build_adjustments.py"

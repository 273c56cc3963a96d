# Lake, bronze: the REST datasets that are asked for ticker by ticker (or for the whole market, where
# the vendor allows it and config names no tickers).
#
# In:  the vendor's REST API.
# Out: lake/bronze/{dataset}/month=*/part.parquet, lake/quarantine/, lake/reconcile/.


rule lake_land_financials:
    output:
        balance_sheets=update("<results>/lake/bronze/balance_sheets/month={month}/part.parquet"),
        cash_flow=update("<results>/lake/bronze/cash_flow/month={month}/part.parquet"),
        income_statements=update(
            "<results>/lake/bronze/income_statements/month={month}/part.parquet"
        ),
        quarantine="<results>/lake/quarantine/financials/{month}.parquet",
        reconcile="<results>/lake/reconcile/financials/{month}.json",
    log:
        "<logs>/lake/lake_land_financials/{month}.log",
    benchmark:
        "<benchmarks>/lake/lake_land_financials/{month}.tsv"
    retries: 2
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=30,
        api=1,
    params:
        code=code("lake/land_financials"),
        vendor=config["lake"]["vendor"],
        seed=config["lake"]["seed"],
        as_of=known_at("balance_sheets"),
        tickers=tickers_asked,
    message:
        "Fetch the filings of {wildcards.month}"
    script:
        "../scripts/lake/land_financials.py"


rule lake_land_ticker_events:
    output:
        partition=update("<results>/lake/bronze/ticker_events/month={month}/part.parquet"),
        quarantine="<results>/lake/quarantine/ticker_events/{month}.parquet",
        reconcile="<results>/lake/reconcile/ticker_events/{month}.json",
    log:
        "<logs>/lake/lake_land_ticker_events/{month}.log",
    benchmark:
        "<benchmarks>/lake/lake_land_ticker_events/{month}.tsv"
    retries: 2
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=30,
        api=1,
    params:
        code=code("lake/land_ticker_events"),
        vendor=config["lake"]["vendor"],
        seed=config["lake"]["seed"],
        as_of=known_at("ticker_events"),
        tickers=tickers_asked,
    message:
        "Fetch the ticker changes of {wildcards.month}"
    script:
        "../scripts/lake/land_ticker_events.py"


rule lake_land_ratios:
    output:
        partition=update("<results>/lake/bronze/ratios/month={month}/part.parquet"),
        quarantine="<results>/lake/quarantine/ratios/{month}.parquet",
        reconcile="<results>/lake/reconcile/ratios/{month}.json",
    log:
        "<logs>/lake/lake_land_ratios/{month}.log",
    benchmark:
        "<benchmarks>/lake/lake_land_ratios/{month}.tsv"
    retries: 2
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=30,
        api=1,
    params:
        code=code("lake/land_ratios"),
        vendor=config["lake"]["vendor"],
        seed=config["lake"]["seed"],
        as_of=known_at("ratios"),
        tickers=tickers_asked,
    message:
        "Fetch the vendor's ratios of {wildcards.month}"
    script:
        "../scripts/lake/land_ratios.py"

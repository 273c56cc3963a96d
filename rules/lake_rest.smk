# Lake, bronze: the REST datasets that the vendor tells for the whole market.
#
# In:  the vendor's REST API.
# Out: lake/bronze/{dataset}/{month,date,week}=*/part.parquet, lake/quarantine/, lake/reconcile/.
# A partition is fetched anew while it is open (its `as_of` moves). If that fails the old one stays
# (`update`); its counts are gone then, and that is how the next run knows that it must fetch again.


rule lake_land_actions:
    output:
        partition=update("<results>/lake/bronze/{dataset}/month={month}/part.parquet"),
        quarantine="<results>/lake/quarantine/{dataset}/{month}.parquet",
        reconcile="<results>/lake/reconcile/{dataset}/{month}.json",
    log:
        "<logs>/lake/lake_land_actions/{dataset}/{month}.log",
    benchmark:
        "<benchmarks>/lake/lake_land_actions/{dataset}/{month}.tsv"
    wildcard_constraints:
        dataset="dividends|ipos|splits",
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
        code=code("lake/land_actions"),
        vendor=config["lake"]["vendor"],
        seed=config["lake"]["seed"],
        as_of=known_at(),
    message:
        "Fetch {wildcards.dataset} of {wildcards.month}"
    script:
        "../scripts/lake/land_actions.py"


rule lake_land_shorts:
    output:
        partition=update("<results>/lake/bronze/{dataset}/month={month}/part.parquet"),
        quarantine="<results>/lake/quarantine/{dataset}/{month}.parquet",
        reconcile="<results>/lake/reconcile/{dataset}/{month}.json",
    log:
        "<logs>/lake/lake_land_shorts/{dataset}/{month}.log",
    benchmark:
        "<benchmarks>/lake/lake_land_shorts/{dataset}/{month}.tsv"
    wildcard_constraints:
        dataset="short_interest|short_volume",
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
        code=code("lake/land_shorts"),
        vendor=config["lake"]["vendor"],
        seed=config["lake"]["seed"],
        as_of=known_at(),
    message:
        "Fetch {wildcards.dataset} of {wildcards.month}"
    script:
        "../scripts/lake/land_shorts.py"


rule lake_land_news:
    output:
        partition=update("<results>/lake/bronze/news/date={date}/part.parquet"),
        quarantine="<results>/lake/quarantine/news/{date}.parquet",
        reconcile="<results>/lake/reconcile/news/{date}.json",
    log:
        "<logs>/lake/lake_land_news/{date}.log",
    benchmark:
        "<benchmarks>/lake/lake_land_news/{date}.tsv"
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
        code=code("lake/land_news"),
        vendor=config["lake"]["vendor"],
        seed=config["lake"]["seed"],
        as_of=known_at("news"),
    message:
        "Fetch the news of {wildcards.date}"
    script:
        "../scripts/lake/land_news.py"


rule lake_land_reference:
    output:
        partition=update("<results>/lake/bronze/{dataset}/week={week}/part.parquet"),
        quarantine="<results>/lake/quarantine/{dataset}/{week}.parquet",
        reconcile="<results>/lake/reconcile/{dataset}/{week}.json",
    log:
        "<logs>/lake/lake_land_reference/{dataset}/{week}.log",
    benchmark:
        "<benchmarks>/lake/lake_land_reference/{dataset}/{week}.tsv"
    wildcard_constraints:
        dataset="related|ticker_types|tickers",
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
        code=code("lake/land_reference"),
        vendor=config["lake"]["vendor"],
        seed=config["lake"]["seed"],
        as_of=known_at(),
        tickers=tickers_asked,
    message:
        "Fetch {wildcards.dataset} of the week of {wildcards.week}"
    script:
        "../scripts/lake/land_reference.py"

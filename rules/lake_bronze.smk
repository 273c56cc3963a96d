# Lake, bronze: flat files -> checked parquet, one schema per dataset, and what was refused.
#
# In:  lake/landing/{dataset}/
# Out: lake/bronze/{dataset}/{date,month}=*/part.parquet, lake/quarantine/, lake/reconcile/.


rule lake_build_minute_bars:
    input:
        file=landed_file,
        manifest=landed_manifest,
    output:
        partition="<results>/lake/bronze/{dataset}/date={date}/part.parquet",
        quarantine="<results>/lake/quarantine/{dataset}/{date}.parquet",
        reconcile="<results>/lake/reconcile/{dataset}/{date}.json",
    log:
        "<logs>/lake/lake_build_minute_bars/{dataset}/{date}.log",
    benchmark:
        "<benchmarks>/lake/lake_build_minute_bars/{dataset}/{date}.tsv"
    wildcard_constraints:
        dataset="|".join(MINUTE),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(200, 15),
        runtime=10,
    params:
        code=code("lake/build_minute_bars"),
        max_quarantined_share=config["lake"]["max_quarantined_share"],
    message:
        "Check {wildcards.dataset} of {wildcards.date}"
    script:
        "../scripts/lake/build_minute_bars.py"


rule lake_build_daily_bars:
    input:
        files=landed_month,
        manifests=landed_manifests,
    output:
        partition="<results>/lake/bronze/{dataset}/month={month}/part.parquet",
        quarantine="<results>/lake/quarantine/{dataset}/{month}.parquet",
        reconcile="<results>/lake/reconcile/{dataset}/{month}.json",
    log:
        "<logs>/lake/lake_build_daily_bars/{dataset}/{month}.log",
    benchmark:
        "<benchmarks>/lake/lake_build_daily_bars/{dataset}/{month}.tsv"
    wildcard_constraints:
        dataset="|".join(DAILY),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(300, 15),
        runtime=10,
    params:
        code=code("lake/build_daily_bars"),
        dates=month_dates,
        max_quarantined_share=config["lake"]["max_quarantined_share"],
    message:
        "Check {wildcards.dataset} of {wildcards.month}"
    script:
        "../scripts/lake/build_daily_bars.py"

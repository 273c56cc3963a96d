# Lake, Qlib: the daily gold bars in Qlib's binary format, a new version beside the old ones.
#
# In:  lake/gold/stocks_daily/
# Out: lake/qlib/manifest.json, which names the version in lake/qlib/versions/; lake/qlib/current links to it.


rule lake_export_qlib:
    input:
        bars=gold_files("stocks_daily"),
        provenance=PROVENANCE,
    output:
        manifest=shown("<results>/lake/qlib/manifest.json", "lake_qlib", "Tables", table="Qlib"),
    log:
        "<logs>/lake/lake_export_qlib.log",
    benchmark:
        "<benchmarks>/lake/lake_export_qlib.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=60,
    params:
        code=code("lake/export_qlib"),
        keep=config["lake"]["qlib_versions"],
        intact=qlib_is_intact,
    message:
        "Export daily bars for Qlib"
    script:
        "../scripts/lake/export_qlib.py"

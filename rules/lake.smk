# Lake: the market's files and answers -> landing -> bronze -> silver -> gold, factors, Qlib.
#
# Each layer can be asked for alone (`snakemake silver`) or taken as it is on disk (`lake.skip`).
# In:  the vendor (lake.vendor): a seeded simulator, or S3 flat files and the REST API.
# Out: lake/{landing,bronze,silver,gold,qlib}/, what was refused and counted, lake/provenance.json.
rule landing:
    input:
        rules_of("landing"),


rule bronze:
    input:
        rules_of("bronze"),


rule silver:
    input:
        rules_of("silver"),


rule gold:
    input:
        rules_of("gold"),


rule qlib:
    input:
        rules_of("qlib"),


# Asked for by `make update` alone, before anything else is planned.
rule revisions:
    input:
        rules_of("revisions"),


include: "lake_inputs.smk"
include: "lake_products.smk"


if not LAKE.skips("landing"):

    include: "lake_landing.smk"


if not LAKE.skips("bronze"):

    include: "lake_bronze.smk"
    include: "lake_rest.smk"
    include: "lake_rest_tickers.smk"


if not LAKE.skips("silver"):

    include: "lake_silver.smk"


if not LAKE.skips("gold"):

    include: "lake_gold.smk"


if not LAKE.skips("qlib"):

    include: "lake_qlib.smk"


rule lake_build_provenance:
    input:
        sources=source_files,
    output:
        provenance=shown(PROVENANCE, "provenance", "Provenance", file="sources"),
    log:
        "<logs>/lake/lake_build_provenance.log",
    benchmark:
        "<benchmarks>/lake/lake_build_provenance.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("lake/build_provenance"),
        version=VERSION,
        config_hash=settings.digest(config["lake"]),
        simulated=LAKE.simulated,
    message:
        "Note where the lake comes from"
    script:
        "../scripts/lake/build_provenance.py"

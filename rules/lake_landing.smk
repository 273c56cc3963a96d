# Lake, landing: the vendor's flat files as they are, each with a manifest.
#
# In:  the vendor's bucket, or files of lake.adopt.
# Out: lake/landing/{dataset}/{YYYY}/{MM}/{date}.csv.gz and .json {etag, size, sha256, landed_at, as_of}.
# A file that cannot be fetched again is kept (`update`); its manifest is gone then, and that is how
# the next run knows that it must fetch it again.


rule lake_land_flatfile:
    output:
        file=update("<results>/lake/landing/{dataset}/{year}/{mm}/{date}.csv.gz"),
        manifest="<results>/lake/landing/{dataset}/{year}/{mm}/{date}.json",
    log:
        "<logs>/lake/lake_land_flatfile/{dataset}/{year}/{mm}/{date}.log",
    benchmark:
        "<benchmarks>/lake/lake_land_flatfile/{dataset}/{year}/{mm}/{date}.tsv"
    wildcard_constraints:
        dataset="|".join(FLAT),
    retries: 2
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=15,
        s3=1,
        adopted=adopted_file,
    params:
        code=code("lake/land_flatfile"),
        vendor=config["lake"]["vendor"],
        seed=config["lake"]["seed"],
        revision=revision,
    message:
        "Land {wildcards.dataset} of {wildcards.date}"
    script:
        "../scripts/lake/land_flatfile.py"


# Not part of any product: `make update` runs it first, by itself, and plans the rest after it.
rule lake_check_revisions:
    output:
        revisions=update("<results>/lake/revisions.json"),
    log:
        "<logs>/lake/lake_check_revisions.log",
    benchmark:
        "<benchmarks>/lake/lake_check_revisions.tsv"
    retries: 2
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=60,
        s3=1,
    params:
        code=code("lake/check_revisions"),
        vendor=config["lake"]["vendor"],
        seed=config["lake"]["seed"],
        landed=open_files,
    message:
        "Ask the vendor which landed files were replaced"
    script:
        "../scripts/lake/check_revisions.py"

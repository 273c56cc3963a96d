# Weekly, what is made of all batches or for one symbol: the one file of daily rows, pictures, provenance.
#
# In:  weekly/{bars,features,daily}/batch=*/part.parquet
# Out: weekly/features.parquet, weekly/plots/{symbol}.{png,svg}, weekly/provenance.json


rule weekly_export_features:
    input:
        batch_files("daily"),
    output:
        features="<results>/weekly/features.parquet",
    log:
        "<logs>/weekly/weekly_export_features.log",
    benchmark:
        "<benchmarks>/weekly/weekly_export_features.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(200, 30, most=BLOCKS_MB),
        runtime=30,
    params:
        code=code("weekly/export_features"),
        batches=WEEKLY.batches,
        folders=BATCH_FOLDERS,
    message:
        "Put the daily rows of all batches into one file"
    script:
        "../scripts/weekly/export_features.py"


rule weekly_plot_visibility:
    input:
        features=symbol_file("features"),
        daily=symbol_file("daily"),
    output:
        shown_plot(weekly_plots("{symbol}"), "weekly_visibility", picture="{symbol}"),
    log:
        "<logs>/weekly/weekly_plot_visibility/{symbol}.log",
    benchmark:
        "<benchmarks>/weekly/weekly_plot_visibility/{symbol}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("weekly/plot_visibility"),
        adjusted_close=WEEKLY.adjusted_close,
        visible_from=WEEKLY.visible_from,
        simulated=WEEKLY.simulated,
    message:
        "Plot when the weeks of {wildcards.symbol} become visible"
    script:
        "../scripts/weekly/plot_visibility.py"


rule weekly_build_provenance:
    input:
        daily_sources,
        mappings_file,
    output:
        provenance=shown(
            "<results>/weekly/provenance.json", "provenance", "Provenance", file="sources"
        ),
    log:
        "<logs>/weekly/weekly_build_provenance.log",
    benchmark:
        "<benchmarks>/weekly/weekly_build_provenance.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("weekly/build_provenance"),
        contents=daily_contents,
        mappings=mappings_content,
        version=VERSION,
        config_hash=settings.digest(config["weekly"]),
        simulated=WEEKLY.simulated,
    message:
        "Note where the weekly features come from"
    script:
        "../scripts/weekly/build_provenance.py"
